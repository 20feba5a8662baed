//! Rates: how many failures of how many messages are too many, by the definitions in docs/rates.md and none of the code
//! that it judges. What was seen for certain, and what may have been, make two bounds: an incident must be possible by
//! the one, and there must be one where no comparison can have been in vain.

use std::collections::BTreeMap;

use super::demand::Failure;
use crate::clock::Minute;
use crate::customerio::event::Fate;
use crate::sim::setup::{RateSetup, RuleSetup};
use crate::sim::truth::Truth;

/// 72 h in which servers try again, and 4 h for the last try, in minutes.
const LOOK_BACK: i64 = 76 * 60;

/// Failures below this are no rate, and calm once it was one.
const FEWEST: u64 = 7;
const LINGERING: u64 = 2;

/// The messages of each source: minute, and from when on they may be seen, and must be.
pub struct Sends(BTreeMap<String, Vec<(i64, u64, u64)>>);

impl Sends {
    pub fn of(truth: &Truth) -> Self {
        let mut sends: BTreeMap<String, Vec<(i64, u64, u64)>> = BTreeMap::new();
        for first in truth.first.values() {
            let series = &first.class.series;
            if series.fate == Fate::Counted && series.kind.to_string() == "email_sent" {
                let of = sends.entry(series.source.to_string()).or_default();
                of.push((Minute::of(first.class.at).0, first.frozen, first.step));
            }
        }
        Self(sends)
    }

    /// Minutes of those that had to be seen before a place in time.
    fn certain(&self, source: &str, before: u64) -> Vec<i64> {
        self.minutes(source, |(_, _, step)| *step < before)
    }

    /// Minutes of those that may have been.
    fn possible(&self, source: &str, before: u64) -> Vec<i64> {
        self.minutes(source, |(_, frozen, _)| *frozen < before)
    }

    fn minutes(&self, source: &str, of: impl Fn(&(i64, u64, u64)) -> bool) -> Vec<i64> {
        self.0.get(source).into_iter().flatten().filter(|send| of(send)).map(|send| send.0).collect()
    }
}

/// Minutes of messages, and windows over them.
struct Windows<'a> {
    rate: RateSetup,
    length: i64,
    minutes: &'a [i64],
}

impl Windows<'_> {
    fn held(&self, from: i64) -> u64 {
        self.minutes.iter().filter(|minute| (from..=from + self.length).contains(minute)).count() as u64
    }

    fn near(&self, end: i64) -> u64 {
        self.held(end - self.length).max(self.held(end - self.length - self.rate.lag))
    }

    fn far(&self, end: i64) -> impl Iterator<Item = i64> {
        let reach = self.length + self.rate.lag.max(LOOK_BACK);
        self.minutes.iter().copied().filter(move |begin| (end - reach..=end - self.length).contains(begin))
    }

    fn fullest(&self, end: i64) -> u64 {
        self.far(end).map(|begin| self.held(begin)).max().unwrap_or(0)
    }

    fn thinned(&self, end: i64) -> u64 {
        let near = self.length + self.rate.lag;
        let share = |begin: i64| near as f64 / (end - begin).max(near) as f64;
        self.far(end).map(|begin| (share(begin) * self.held(begin) as f64) as u64).max().unwrap_or(0)
    }
}

/// The rate that is the least not ruled out by so many of so many, one-sided 95 %: where the score test just rejects,
/// found by halving.
fn least_rate(failures: u64, of: u64) -> f64 {
    let (seen, n) = (failures as f64 / of.max(1) as f64, of.max(1) as f64);
    let (mut low, mut high) = (0.0, seen);
    for _ in 0..60 {
        let p = f64::midpoint(low, high);
        let z = (seen - p) / (p * (1.0 - p) / n).sqrt();
        if z > 1.645 { low = p } else { high = p }
    }
    f64::midpoint(low, high)
}

fn too_high(failures: u64, of: u64, above: f64) -> bool {
    failures >= FEWEST && least_rate(failures, of.max(failures)) > above
}

/// Whether a window with these failures may have opened an incident, for one who read at that place in time.
pub fn may_open(rule: &RuleSetup, rate: RateSetup, failures: u64, sends: &Sends, of: (&str, i64, u64)) -> bool {
    let (source, end, read) = of;
    let (certain, possible) = (sends.certain(source, read), sends.possible(source, u64::MAX));
    let windows = |minutes| Windows { rate, length: rule.within, minutes };
    let (least, most) = (windows(&certain), windows(&possible));
    // More failures than messages near them are taken of the fullest window.
    let taken_of = match most.near(end) < failures {
        true => least.fullest(end),
        false => least.near(end),
    };
    too_high(failures, taken_of.max(least.thinned(end)), rate.above)
}

/// Whether failures from the seventh on are too many of all that was ever sent in a window's length: then no comparison
/// can have been in vain, and whoever counted the last of them must have opened an incident.
pub fn must_open(rule: &RuleSetup, rate: RateSetup, failures: u64, sends: &Sends, source: &str) -> bool {
    let all = sends.possible(source, u64::MAX);
    let windows = Windows { rate, length: rule.within, minutes: &all };
    let most = all.iter().map(|begin| windows.held(*begin)).max().unwrap_or(0);
    failures >= FEWEST && too_high(FEWEST, most, rate.above)
}

/// The end, in microseconds, of the last window that was certainly above the limit to close at, for one who had read at
/// that place in time: failures of the group, and its source.
pub fn trouble_until(rule: &RuleSetup, rate: RateSetup, ours: &[&Failure], sends: &Sends, of: (&str, u64)) -> i64 {
    let (source, before) = of;
    let possible = sends.possible(source, before);
    let windows = Windows { rate, length: rule.within, minutes: &possible };
    let latest = ours.iter().map(|f| f.minute).max().unwrap_or(0);
    let first = ours.iter().map(|f| f.minute).min().unwrap_or(0);
    let is_trouble = |end: &i64| {
        let failures = ours.iter().filter(|f| (end - rule.within..=*end).contains(&f.minute)).count() as u64;
        let most = windows.near(*end).max(windows.fullest(*end)).max(failures);
        failures >= LINGERING && failures as f64 > rate.below * most as f64
    };
    let last = (first..=latest + rule.within).rev().find(is_trouble);
    last.map_or(0, |end| (end + 1) * crate::sim::world::MINUTE)
}

#[cfg(test)]
mod tests {
    use super::least_rate;

    /// Published values of the score interval's lower end.
    #[test]
    fn the_oracles_bound_is_the_score_intervals() {
        for (failures, of, least) in [(10, 100, 0.0606), (1, 10, 0.0229), (50, 100, 0.4189)] {
            assert!((least_rate(failures, of) - least).abs() < 5e-4, "{failures} of {of}");
        }
    }
}
