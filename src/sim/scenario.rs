//! What happens in one history: configurations, traffic, faults; all of it from the seed.
//!
//! Each history has only some kinds of fault, in different strength (swarm testing: Groce and others, ISSTA 2012):
//! where everything fails at once, little happens that a fault could spoil.

use super::extras::Extras;
use super::random::Random;
use super::setup::Setup;
use super::traffic::{Item, traffic};
use super::world::{DAY, Faults, HOUR, MINUTE, SECOND};

/// 2026-11-24T10:00:00Z.
const BEGINNING: i64 = 1_795_514_400 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One process: its death ends all that runs, its start voids leases and gives messages back.
    Serve,
    /// Many short ones: each dies alone, and its leases and messages come back by themselves.
    Lambda,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub start: i64,
    pub style: Style,
    pub setups: Vec<Setup>,
    /// When the second, third, ... configuration holds.
    pub configured_at: Vec<i64>,
    pub faults: Faults,
    /// How often, in thousandths, a receiver is in a bad mood.
    pub trouble: u64,
    /// Receivers that nobody repairs.
    pub broken: Vec<String>,
    pub items: Vec<Item>,
    pub reclassified_at: Vec<i64>,
    pub faults_end: i64,
    pub tick_every: i64,
    /// How long a message is out of sight.
    pub visibility: i64,
    /// Messages in a batch at most.
    pub batch: usize,
    /// Nothing goes wrong and nothing is late: everything must be told at once.
    pub calm: bool,
    pub extras: Extras,
}

impl Scenario {
    /// When the last item happens.
    pub fn end(&self) -> i64 {
        self.items.iter().map(|item| item.at).max().unwrap_or(self.start)
    }

    pub fn of(random: &mut Random, calm: bool) -> Self {
        let calm = random.chance(60) || calm;
        let long = !calm && random.chance(150);
        let style = random.pick(&[Style::Serve, Style::Lambda]);
        let start = BEGINNING + random.between(0, DAY / MINUTE) * MINUTE;
        let (items, end) = traffic(random, start, calm, long);
        let duration = end - start;
        let some = |random: &mut Random, most: u64| if random.chance(500) { random.below(most) } else { 0 };
        let faults = match calm {
            true => Faults::default(),
            false => Faults {
                throttle: some(random, 60),
                lose: some(random, 40),
                kill: some(random, if style == Style::Serve { 8 } else { 25 }),
                tear: some(random, 120),
                slow: some(random, 60),
                duplicate: some(random, 250),
                unheard: some(random, 120),
                tick: some(random, 300),
            },
        };
        let first = Setup::of(random);
        let mut setups = vec![first];
        let mut configured_at = Vec::new();
        while !calm && setups.len() < 4 && random.chance(350) {
            let next = setups[setups.len() - 1].changed(random);
            setups.push(next);
            configured_at.push(start + random.between(MINUTE, duration.max(2 * MINUTE)));
        }
        configured_at.sort_unstable();
        let broken = match !calm && random.chance(120) {
            true => vec![random.pick(&["pager", "hook", "pager", "hook", "bot"]).to_owned()],
            false => Vec::new(),
        };
        // Without a fallback it is tried for a day, which is long: only now and then.
        let alone = random.chance(150);
        setups.iter_mut().for_each(|setup| setup.fallbacks |= !broken.is_empty() && !alone);
        // A digest that nobody takes is never settled, and every day brings the next.
        setups.iter_mut().for_each(|setup| setup.digest &= !broken.iter().any(|name| name == "bot"));
        let mut reclassified_at = Vec::new();
        while !calm && reclassified_at.len() < 4 && random.chance(400) {
            reclassified_at.push(start + random.between(0, duration));
        }
        let often = random.pick(&[MINUTE, 2 * MINUTE, 3 * MINUTE]);
        Self {
            start,
            style,
            setups,
            configured_at,
            faults,
            trouble: if calm { 0 } else { some(random, 700) },
            broken,
            items,
            reclassified_at,
            faults_end: end + random.between(MINUTE, 20 * MINUTE),
            // In a history of days ticks are hours apart: time is dear here.
            tick_every: often.max(duration / 20).min(4 * HOUR),
            visibility: if calm { 60 * SECOND } else { random.pick(&[2 * SECOND, 60 * SECOND, 60 * SECOND]) },
            batch: usize::try_from(random.between(1, 12)).unwrap_or(1),
            calm,
            extras: Extras::default(),
        }
    }
}
