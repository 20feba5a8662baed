//! Blindness: nothing has arrived for longer than chance explains. Everything stopped, or we no longer hear.
//!
//! How many events are missing is told by the same local hours of earlier weeks, or of earlier weekdays while there are
//! too few; of hours that were never seen nothing is expected, but for the day of a weekday at the mean rate. So no first
//! night, no first weekend and no quiet night pages. The registers of those hours are still there and are read only when
//! it is silent, so the stream needs no history of its own.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::period::midnight;
use crate::clock::{Minute, Span, minutes};
use crate::tally::coverage::Coverage;

/// Shortest blindness that pages (design, Coverage): the sender's own delays are shorter.
pub const BLIND_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Events that must be missing: at one false alarm a year a silence test needs about nine (design, Coverage).
pub const MISSING: f64 = 9.0;

/// Days that stand in for weeks that we did not hear.
const DAYS: i64 = 14;

/// Weeks that are compared: with the longest silence they end before registers do ([`crate::store::REGISTER_DAYS`]).
const WEEKS: i64 = 4;

/// Local hours of a weekday that are day: a silence that begins in them and lasts in them is no night's rest, though the
/// stream's nights were never seen.
const BY_DAY: std::ops::Range<i8> = 6..18;

/// Days of a silence that are compared: past that it has paged, or nothing was ever to be expected.
const DAYS_OF_SILENCE: usize = 8;

/// Since when nothing has arrived in time, if that is at least [`BLIND_AFTER`]. A straggler among timely events
/// un-covers minutes, but it is no silence: only the latest timely event counts here.
pub fn silent_since(coverage: &Coverage, now: Timestamp) -> Option<Timestamp> {
    let since = coverage.last_timely()?;
    (now.duration_since(since) >= BLIND_AFTER).then_some(since)
}

/// The part of a silence that lies in one local day, and what it is compared with: the same local times before, as far
/// as we heard them. What was heard of them in part only is a lower bound, and stands in where nothing else is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// One, two, ... weeks before.
    pub weeks: Vec<Span>,
    /// The weekdays before, for a weekday of which fewer than two weeks are known.
    pub days: Vec<Span>,
}

/// A silence from `since` to `now`, day by day.
pub fn parts(coverage: &Coverage, since: Timestamp, now: Timestamp, zone: &TimeZone) -> Vec<Part> {
    let Some(began) = coverage.began() else { return Vec::new() };
    let first = zone.to_datetime(since).date();
    let dates = first.series(1.day()).take(DAYS_OF_SILENCE).take_while(|date| midnight(*date, zone) < now);
    dates.map(|date| part(date, began, since, now, zone)).collect()
}

fn part(date: Date, began: Timestamp, since: Timestamp, now: Timestamp, zone: &TimeZone) -> Part {
    let from = since.max(midnight(date, zone));
    let to = now.min(midnight(date.saturating_add(1.day()), zone));
    let before = |days: &i64| {
        let shifted = |at: Timestamp| {
            let local = zone.to_datetime(at).checked_sub(days.days()).ok()?;
            zone.to_ambiguous_timestamp(local).compatible().ok()
        };
        Some((shifted(from)?, shifted(to)?))
    };
    let known = |days: Vec<i64>| {
        let pasts: Vec<(Timestamp, Timestamp)> = days.iter().filter_map(before).collect();
        let whole = |(from, to): &&(Timestamp, Timestamp)| began <= *from && *to <= since;
        // The minute of the last event itself is not silent.
        let span = |(from, to): (Timestamp, Timestamp)| Span::new(Minute::of(from).plus(1), Minute::of(to));
        let wholly: Vec<Span> = pasts.iter().filter(whole).copied().map(span).collect();
        let partly = pasts.iter().map(|(from, to)| (began.max(*from), since.min(*to))).filter(|(from, to)| from < to);
        if wholly.is_empty() { partly.map(span).collect() } else { wholly }
    };
    let weeks = known((1..=WEEKS).map(|week| 7 * week).collect());
    let is_weekday = |days: &i64| !is_weekend(date.saturating_sub(days.days()));
    let days = match weeks.len() {
        0 | 1 if !is_weekend(date) => known((1..=DAYS).filter(is_weekday).collect()),
        _ => Vec::new(),
    };
    Part { weeks, days }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// How many events are missing in a [`Part`], by what came in its pasts; `None` without any.
///
/// The middle one of the weeks, of an even number the lower, so that one blast or one outage among them decides nothing.
/// One week alone may be an odd one: the lower of it and the middle weekday. Without a week the least of the weekdays.
///
/// Few pasts may by chance have been busy themselves, so they count for less: where n of them brought m each, nothing at
/// all has the chance (n / (n + 1))^(n m), not e^-m (the conditional test of two Poisson counts: Przyborowski and
/// Wilenski, Biometrika 31, 1940).
pub fn expected(weeks: &[u64], days: &[u64]) -> Option<f64> {
    let (count, of) = match (weeks, middle(days)) {
        ([one], Some(days)) => (days.min(*one), 1),
        ([], _) => (*days.iter().min()?, 1),
        (weeks, _) => (middle(weeks)?, weeks.len()),
    };
    let of = of as f64;
    Some(count as f64 * of * ((of + 1.0) / of).ln())
}

/// Whether a silence that should have brought so many is more than chance: at least [`MISSING`], and of a busier stream,
/// which has more gaps that could be long, as many as make it once a year.
pub fn is_more_than_chance(missing: f64, silent: SignedDuration) -> bool {
    let a_year = missing * (365.0 * 24.0 * 60.0) / minutes(silent).max(1) as f64;
    missing >= MISSING.max(a_year.ln())
}

fn middle(counts: &[u64]) -> Option<u64> {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    counts.get(counts.len().saturating_sub(1) / 2).copied()
}

/// What counts of a silence whose hours were never seen: until when it has lasted by day, if it began by day on a
/// weekday and has lasted [`BLIND_AFTER`] by then. A stream that ends at night, or for the weekend, did not stop.
pub fn by_day(since: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let began = zone.to_datetime(since);
    let evening = began.date().at(BY_DAY.end, 0, 0, 0);
    let until = zone.to_ambiguous_timestamp(evening).compatible().ok()?.min(now);
    let is_by_day = !is_weekend(began.date()) && BY_DAY.contains(&began.hour());
    (is_by_day && until.duration_since(since) >= BLIND_AFTER).then_some(until)
}

/// How many events are missing between `since` and `until` at the mean rate: `heard` came from `from` on.
pub fn expected_at_the_mean(heard: u64, from: Timestamp, since: Timestamp, until: Timestamp) -> f64 {
    let (dark, known) = (until.duration_since(since), until.duration_since(from));
    heard as f64 * minutes(dark) as f64 / minutes(known).max(1) as f64
}

#[cfg(test)]
mod tests;
