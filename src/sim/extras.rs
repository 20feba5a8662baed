//! What people and machines do besides: silences, `redrive`, rates, storms, another layout. It has a source of chance of
//! its own and only adds to a scenario: a seed that once failed without it makes the same history as then.

use super::random::Random;
use super::scenario::Scenario;
use super::setup::BOUNCE_RATE;
use super::traffic::{Item, Place, What, webhook};
use super::world::{DAY, HOUR, MINUTE, SECOND};

/// Added to the seed, so that the two streams of chance are strangers.
const APART: u64 = 0x5851_f42d_4c95_7f2d;

#[derive(Clone, Debug, Default)]
pub struct Extras {
    pub silences: Vec<SilencePlan>,
    /// When somebody lists what waits for a person, and sends or drops it.
    pub redrives: Vec<i64>,
    /// Until then we run a version that does not understand some events.
    pub updated_at: i64,
    pub layouts: Vec<LayoutPlan>,
    /// Thousandths of roll-ups' writes and marks that are the process's last.
    pub roll_up_deaths: u64,
    /// Thousandths of messages that a receiver takes only after seconds.
    pub slow: u64,
}

/// A silence that somebody makes, and ends before its time perhaps.
#[derive(Clone, Debug)]
pub struct SilencePlan {
    pub at: i64,
    pub id: String,
    pub conditions: Vec<String>,
    pub start: i64,
    pub end: i64,
    pub ended_at: Option<i64>,
}

/// A version that knows of another width of buckets, from an event time on that is still to come.
#[derive(Clone, Copy, Debug)]
pub struct LayoutPlan {
    pub at: i64,
    /// Event time, Unix seconds.
    pub from: i64,
    /// Seconds.
    pub width: i64,
}

const CONDITIONS: [&[&str]; 10] = [
    &["rule=*"],
    &["rule=by-cause"],
    &["rule=by-source", "rule=bounce-rate"],
    &["source=campaign:5"],
    &["source=campaign:*", "source=transactional:2", "source=newsletter:10"],
    &["severity=warning"],
    &["channel=email"],
    &["metric=email_failed", "severity=critical"],
    &["cause=*", "kind=rule"],
    &["kind=*"],
];

/// Adds to a scenario what its seed decides.
pub fn add(scenario: &mut Scenario, seed: u64) {
    let random = &mut Random::new(seed.wrapping_add(APART));
    let (start, end, calm) = (scenario.start, scenario.end(), scenario.calm);
    if random.chance(if calm { 700 } else { 350 }) {
        for number in 0..random.between(1, 3) {
            scenario.extras.silences.push(silence(random, number, start, end));
        }
    }
    if random.chance(120) {
        rates(scenario, random);
    }
    if !calm && random.chance(150) {
        storm(scenario, random);
    }
    if !calm && random.chance(300) {
        redrives(scenario, random);
    }
    if !calm && random.chance(250) {
        for _ in 0..random.between(1, 2) {
            let at = random.between(start, end);
            // Later than any event claims to be that was counted before: those that are ahead are placed by their own time.
            let from = (at + random.between(2 * HOUR + MINUTE, 4 * HOUR)) / SECOND;
            scenario.extras.layouts.push(LayoutPlan { at, from, width: random.pick(&[1, 5, 30, 60]) });
        }
    }
    scenario.items.sort_by_key(|item| item.at);
}

fn silence(random: &mut Random, number: i64, start: i64, end: i64) -> SilencePlan {
    // Mostly before something fails, or soon after.
    let (whenever, soon) = (random.between(0, end - start), random.between(0, 20 * MINUTE));
    let at = start + random.pick(&[0, 0, whenever, soon]);
    let begins = at + random.pick(&[0, 0, 0, 5 * MINUTE]);
    let ends = begins + random.pick(&[2 * MINUTE, 10 * MINUTE, 40 * MINUTE, 3 * HOUR, DAY]);
    let ended_at = random.chance(250).then(|| random.between(at, ends));
    let conditions = random.pick(&CONDITIONS).iter().map(|c| (*c).to_owned()).collect();
    SilencePlan { at, id: format!("5{number:07x}"), conditions, start: begins, end: ends, ended_at }
}

fn event(scenario: &mut Scenario, place: Place, text: Option<usize>, at: i64) {
    let (body, spec) = webhook(scenario.items.len(), place, text, at / SECOND, false);
    scenario.items.push(Item { at, body, what: What::Event(spec), again_at: None, parked: None, strange: false });
}

/// Some sends of one source, and bounces that are too many of them, or just not.
fn rates(scenario: &mut Scenario, random: &mut Random) {
    for setup in &mut scenario.setups {
        setup.rules.push(BOUNCE_RATE);
    }
    if scenario.setups.len() > 1 && random.chance(300) {
        let last = scenario.setups.len() - 1;
        scenario.setups[last].rules.retain(|rule| rule.name != BOUNCE_RATE.name);
    }
    let source = usize::try_from(random.below(3)).unwrap_or(0);
    let sent = Place { channel: "email", metric: "failed", success: "sent", source };
    let bounced = Place { channel: "email", metric: "bounced", success: "delivered", source };
    let duration = scenario.end() - scenario.start;
    let begin = scenario.start + random.between(0, duration / 2);
    let span = random.pick(&[2 * MINUTE, 15 * MINUTE, 25 * MINUTE]);
    let lag = random.pick(&[0, 0, 5 * MINUTE, 40 * MINUTE, 3 * HOUR]);
    let sends = random.pick(&[0, 8, 14, 30, 45]);
    for _ in 0..sends {
        let at = begin + random.between(0, span);
        event(scenario, sent, None, at);
    }
    let text = usize::try_from(random.below(2)).unwrap_or(0);
    let mut last = begin;
    for _ in 0..random.between(6, 12) {
        let at = begin + lag + random.between(0, span);
        event(scenario, bounced, Some(text), at);
        last = last.max(at);
    }
    // It is well again, but for a stray bounce.
    for minutes in [1, 33, 36, 64, 67] {
        event(scenario, bounced, None, last + minutes * MINUTE);
        event(scenario, sent, None, last + minutes * MINUTE + SECOND);
    }
    if random.chance(500) {
        event(scenario, bounced, Some(text), last + 34 * MINUTE);
    }
    scenario.faults_end = scenario.faults_end.max(last + 70 * MINUTE);
}

/// Everything fails at once, few incidents may be open, and receivers are slow.
fn storm(scenario: &mut Scenario, random: &mut Random) {
    let most = random.pick(&[1, 1, 2]);
    scenario.setups.iter_mut().for_each(|setup| setup.open_incidents = most);
    scenario.extras.roll_up_deaths = random.pick(&[0, 200, 400]);
    scenario.extras.slow = random.pick(&[0, 300, 800]);
    let begin = random.between(scenario.start, scenario.end());
    for source in 0..3 {
        for (channel, metric, success) in [("email", "failed", "sent"), ("sms", "failed", "sent")] {
            for text in 0..2 {
                if random.chance(300) {
                    continue;
                }
                let place = Place { channel, metric, success, source };
                for _ in 0..random.between(1, 3) {
                    let at = begin + random.between(0, 3 * MINUTE);
                    event(scenario, place, Some(text), at);
                }
            }
        }
    }
    scenario.faults_end = scenario.faults_end.max(begin + 10 * MINUTE);
}

/// A person comes by, and an update makes readable what was not.
fn redrives(scenario: &mut Scenario, random: &mut Random) {
    let (start, end) = (scenario.start, scenario.faults_end);
    scenario.extras.updated_at = random.between(start, end);
    let strange = random.below(300);
    for item in &mut scenario.items {
        item.strange = matches!(item.what, What::Event(_)) && random.chance(strange);
    }
    for _ in 0..random.between(1, 4) {
        let at = random.between(start, end);
        scenario.extras.redrives.push(at);
    }
    // What the old version did not understand lies for days.
    if random.chance(150) && scenario.items.iter().all(|item| item.parked.is_none()) {
        scenario.extras.redrives.push(end + random.between(DAY, 12 * DAY));
    }
    // When all is well somebody looks once more.
    scenario.extras.redrives.push(end + 30 * MINUTE);
}
