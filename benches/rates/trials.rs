//! The trials: how often it pages for nothing, how surely and how soon for something, and when it closes.

use cio_alert_bridge::rules::wilson;

use super::chance::Chance;
use super::watch::{Closes, Opens, Watch, rule};
use super::world::{DAY, HOUR, Lags, Sending, Source, YEAR};

/// What a bounce rate is held against.
pub const LIMIT: f64 = 0.05;

/// The rate of a source that is well.
pub const WELL: f64 = 0.01;

/// The rate of one that is not.
pub const ILL: f64 = 0.15;

/// Long enough before a step that the look-back is full.
const BEFORE: usize = 4 * DAY;

/// A source that is well.
pub struct Harmless {
    pub name: &'static str,
    pub sending: Sending,
    pub lags: Lags,
    pub rate: f64,
    pub above: f64,
    pub within_hours: i64,
    pub years: usize,
}

/// How often it paged.
pub struct Paged {
    pub name: &'static str,
    pub years: usize,
    pub judge: usize,
    pub naive: usize,
}

impl Harmless {
    pub fn run(&self, seed: u64) -> Paged {
        let mut paged = Paged { name: self.name, years: self.years, judge: 0, naive: 0 };
        let mut chance = Chance::stream(seed, self.name);
        for _ in 0..self.years {
            let source = Source { sending: self.sending, lags: self.lags, rate: &|_| self.rate };
            let events = source.over(YEAR, &mut chance);
            let mut pages = |opens, closes| {
                let mut watch = Watch::new(rule(self.above, self.within_hours), opens, closes);
                watch.live(&events, 0, &mut chance, |_| false);
                watch.episodes.len()
            };
            paged.judge += pages(Opens::Judge, Closes::BelowItsOwnLimit);
            paged.naive += pages(Opens::Naive, Closes::NoLongerOpening);
        }
        paged
    }
}

/// The chance that `of` messages failing at a rate are a rate above the limit, all told in one window: exact.
pub fn power(of: u32, rate: f64) -> f64 {
    // The probability of k failures, from that of k - 1.
    let (mut probability, mut power) = ((1.0 - rate).powi(of as i32), 0.0);
    for k in 0..=of {
        if k > 0 {
            probability *= f64::from(of - k + 1) / f64::from(k) * rate / (1.0 - rate);
        }
        if wilson::is_above(k.into(), of.into(), LIMIT) {
            power += probability;
        }
    }
    power
}

/// The share of runs that paged for `of` messages sent evenly over an hour by a source that sent nothing before.
pub fn power_of_a_new_source(of: usize, rate: f64, runs: usize, seed: u64) -> f64 {
    let mut chance = Chance::stream(seed, "a new source");
    let paged = (0..runs).filter(|_| {
        let mut events =
            Source { sending: Sending::Steady(0.0), lags: Lags::Bounces, rate: &|_| 0.0 }.over(3 * HOUR, &mut chance);
        for _ in 0..of {
            let minute = chance.below(HOUR as i64 - 5) as usize;
            events.sent[minute] += 1;
            if chance.unit() <= rate {
                events.failed[minute + chance.below(4) as usize] += 1;
            }
        }
        let mut watch = Watch::new(rule(LIMIT, 1), Opens::Judge, Closes::BelowItsOwnLimit);
        watch.live(&events, 0, &mut chance, |watch| !watch.episodes.is_empty());
        !watch.episodes.is_empty()
    });
    paged.count() as f64 / runs as f64
}

/// How long after it fell ill a source pages.
pub struct Step {
    pub name: &'static str,
    pub sending: Sending,
    pub lags: Lags,
    /// Hours after the beginning of its latest blast, or of its day.
    pub hours: usize,
    pub ill: f64,
    pub runs: usize,
    /// Given up after so many days.
    pub days: usize,
}

/// Minutes from the step to the page, ascending; those that never paged are left out.
pub struct Reached {
    pub name: &'static str,
    pub runs: usize,
    pub days: usize,
    pub minutes: Vec<usize>,
}

impl Step {
    pub fn run(&self, seed: u64) -> Reached {
        let mut chance = Chance::stream(seed, self.name);
        let period = if let Sending::Blasts { every, .. } = self.sending { every } else { DAY };
        let step = BEFORE.div_ceil(period) * period + self.hours * HOUR;
        let mut minutes: Vec<usize> = (0..self.runs).filter_map(|_| self.once(step, &mut chance)).collect();
        minutes.sort_unstable();
        Reached { name: self.name, runs: self.runs, days: self.days, minutes }
    }

    fn once(&self, step: usize, chance: &mut Chance) -> Option<usize> {
        let rate = |minute: usize| if minute < step { WELL } else { self.ill };
        let source = Source { sending: self.sending, lags: self.lags, rate: &rate };
        let events = source.over(step + self.days * DAY, chance);
        let mut watch = Watch::new(rule(LIMIT, 1), Opens::Judge, Closes::BelowItsOwnLimit);
        watch.live(&events, step, chance, |watch| !watch.episodes.is_empty());
        watch.episodes.first().map(|episode| episode.opened - step)
    }
}

/// A source that is ill for half a day, every five days.
pub struct Outages {
    pub name: &'static str,
    pub per_hour: f64,
    pub ill: f64,
    pub lags: Lags,
    pub years: usize,
}

const EVERY: usize = 5 * DAY;
const BEGINS: usize = 2 * DAY;
const LASTS: usize = DAY / 2;

/// What came of them under one way to close.
#[derive(Default)]
pub struct Closed {
    /// Outages that paged at all.
    pub outages: usize,
    pub episodes: usize,
    /// Outages whose last episode was over before they were.
    pub too_soon: usize,
    /// Minutes from recovery to the close that ended an outage's last episode, ascending.
    pub minutes: Vec<usize>,
}

pub struct Outcome {
    pub name: &'static str,
    pub by: Vec<(Closes, Closed)>,
}

impl Outages {
    pub fn run(&self, seed: u64) -> Outcome {
        let mut chance = Chance::stream(seed, self.name);
        let ways = [Closes::BelowItsOwnLimit, Closes::NoLongerOpening, Closes::NoFailure];
        let mut by: Vec<(Closes, Closed)> = ways.map(|way| (way, Closed::default())).into();
        let rate = |minute: usize| if is_ill(minute) { self.ill } else { WELL };
        for _ in 0..self.years {
            let source = Source { sending: Sending::Steady(self.per_hour), lags: self.lags, rate: &rate };
            let events = source.over(YEAR, &mut chance);
            for (way, closed) in &mut by {
                let mut watch = Watch::new(rule(LIMIT, 1), Opens::Judge, *way);
                watch.live(&events, 0, &mut chance, |_| false);
                closed.add(&watch);
            }
        }
        by.iter_mut().for_each(|(_, closed)| closed.minutes.sort_unstable());
        Outcome { name: self.name, by }
    }
}

fn is_ill(minute: usize) -> bool {
    (BEGINS..BEGINS + LASTS).contains(&(minute % EVERY))
}

impl Closed {
    /// What began between an outage's begin and two hours after its end belongs to it.
    fn add(&mut self, watch: &Watch) {
        for begin in (BEGINS..YEAR - EVERY).step_by(EVERY) {
            let recovered = begin + LASTS;
            let its: Vec<_> =
                watch.episodes.iter().filter(|e| (begin..recovered + 2 * HOUR).contains(&e.opened)).collect();
            let Some(last) = its.last() else { continue };
            self.outages += 1;
            self.episodes += its.len();
            match last.closed {
                Some(closed) if closed < recovered => self.too_soon += 1,
                Some(closed) => self.minutes.push(closed - recovered),
                None => {}
            }
        }
    }
}
