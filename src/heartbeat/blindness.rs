//! Blindness: nothing has arrived for longer than chance explains. Everything stopped, or we no longer hear.
//!
//! How many events are missing is told by the same hours of earlier weeks, so that no quiet night pages; without any,
//! by the mean rate since we began to hear. The registers of those hours are still there and are read only when it is
//! silent, so the stream needs no history of its own.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::clock::{Minute, Span, minutes};
use crate::tally::coverage::Coverage;

/// Shortest blindness that pages (design, Coverage): the sender's own delays are shorter.
pub const BLIND_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Events that must be missing: at one false alarm a year a silence test needs about nine (design, Coverage).
pub const MISSING: f64 = 9.0;

/// How far back the stream's mean rate is taken.
pub const PROFILE_DAYS: i64 = 14;

/// Weeks that are compared: with the longest silence they end before registers do ([`crate::store::REGISTER_DAYS`]).
const WEEKS: i64 = 4;

/// Since when nothing has arrived in time, if that is at least [`BLIND_AFTER`]. A straggler among timely events
/// un-covers minutes, but it is no silence: only the latest timely event counts here.
pub fn silent_since(coverage: &Coverage, now: Timestamp) -> Option<Timestamp> {
    let since = coverage.last_timely()?;
    (now.duration_since(since) >= BLIND_AFTER).then_some(since)
}

/// The stretches of the past that a silence is compared with: the same local times of other days.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pasts {
    /// One, two, ... weeks before.
    pub weeks: Vec<Span>,
    /// One, two, ... days before: only where there are fewer than two weeks.
    pub days: Vec<Span>,
}

/// What a silence from `since` to `now` is to be compared with, as far as we heard by then. Nothing that overlaps the
/// silence itself.
pub fn pasts(coverage: &Coverage, since: Timestamp, now: Timestamp, zone: &TimeZone) -> Pasts {
    let Some(began) = coverage.began() else { return Pasts::default() };
    let silent = now.duration_since(since);
    let before = |days: i64| {
        let shifted = |at: Timestamp| {
            let local = zone.to_datetime(at).checked_sub(days.days()).ok()?;
            zone.to_ambiguous_timestamp(local).compatible().ok()
        };
        let (from, to) = (shifted(since)?, shifted(now)?);
        let known = began <= from && silent <= SignedDuration::from_hours(24 * days);
        // The minute of the last event itself is not silent.
        known.then(|| Span::new(Minute::of(from).plus(1), Minute::of(to)))
    };
    let weeks: Vec<Span> = (1..=WEEKS).filter_map(|week| before(7 * week)).collect();
    // Over a week long: what is left of the weeks says nothing of the whole.
    let weeks = if silent <= SignedDuration::from_hours(24 * 7) { weeks } else { Vec::new() };
    let days = match weeks.len() {
        0 | 1 if silent <= SignedDuration::from_hours(24) => (1..=PROFILE_DAYS).filter_map(before).collect(),
        _ => Vec::new(),
    };
    Pasts { weeks, days }
}

/// How many events are missing, by what came in [`Pasts`]: the middle one of the weeks, of an even number the lower, so
/// that one blast or one outage among them decides nothing. One week alone may be a weekend where the days are not, or
/// the other way round: the lower of both. `None` without any.
pub fn expected(weeks: &[u64], days: &[u64]) -> Option<u64> {
    match (weeks, middle(days)) {
        ([one], Some(days)) => Some(days.min(*one)),
        ([], days) => days,
        (weeks, _) => middle(weeks),
    }
}

fn middle(counts: &[u64]) -> Option<u64> {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    counts.get(counts.len().saturating_sub(1) / 2).copied()
}

/// From when on events make the flat profile.
pub fn profile_from(coverage: &Coverage, now: Timestamp) -> Option<Timestamp> {
    Some(coverage.began()?.max(now - SignedDuration::from_hours(24 * PROFILE_DAYS)))
}

/// How many events are missing since `since` at the mean rate: `heard` came from `from` on.
pub fn expected_at_the_mean(heard: u64, from: Timestamp, since: Timestamp, now: Timestamp) -> f64 {
    let (dark, known) = (now.duration_since(since), now.duration_since(from));
    heard as f64 * minutes(dark) as f64 / minutes(known).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::testing::{at, heard, heard_at};

    fn t(text: &str) -> Timestamp {
        format!("{text}:00Z").parse().expect("a time")
    }

    fn of(began: &str, since: &str, now: &str, zone: &str) -> Pasts {
        let zone = TimeZone::get(zone).expect("a zone");
        pasts(&heard_at(&[t(began), t(since)]), t(since), t(now), &zone)
    }

    fn span(from: &str, to: &str) -> Span {
        Span::new(Minute::of(t(from)), Minute::of(t(to)))
    }

    #[test]
    fn silence_begins_with_the_latest_timely_event_and_counts_from_two_hours_on() {
        let coverage = heard(&["08:00", "12:00"]);
        assert_eq!(silent_since(&coverage, at("13:59")), None);
        assert_eq!(silent_since(&coverage, at("14:00")), Some(at("12:00")));
        assert_eq!(silent_since(&Coverage::default(), at("23:00")), None);
    }

    #[test]
    fn a_fresh_stream_is_compared_with_its_mean() {
        assert_eq!(of("2026-11-24T08:00", "2026-11-24T12:00", "2026-11-24T14:00", "UTC"), Pasts::default());
        assert_eq!(expected(&[], &[]), None);
        let expected = |heard| expected_at_the_mean(heard, at("00:00"), at("12:00"), at("15:00"));
        assert_eq!((expected(20), expected(60)), (4.0, 12.0));
    }

    #[test]
    fn the_same_local_hours_of_four_weeks_are_compared_across_a_change_of_the_clocks() {
        // Berlin left summer time on 25 October 2026.
        let Pasts { weeks, days } = of("2026-01-01T00:00", "2026-11-09T12:00", "2026-11-09T14:00", "Europe/Berlin");
        assert_eq!(weeks[0], span("2026-11-02T12:01", "2026-11-02T14:00"));
        assert_eq!(weeks[1], span("2026-10-26T12:01", "2026-10-26T14:00"));
        assert_eq!(weeks[2], span("2026-10-19T11:01", "2026-10-19T13:00"));
        assert_eq!((weeks.len(), days.len()), (4, 0));
    }

    #[test]
    fn days_stand_in_for_weeks_that_we_did_not_hear() {
        let young = of("2026-11-20T00:00", "2026-11-24T12:00", "2026-11-24T14:00", "UTC");
        assert_eq!((young.weeks.len(), young.days.len()), (0, 4));
        let older = of("2026-11-15T00:00", "2026-11-24T12:00", "2026-11-24T14:00", "UTC");
        assert_eq!((older.weeks.len(), older.days.len()), (1, 9));
        let long = of("2026-11-15T00:00", "2026-11-23T12:00", "2026-11-24T14:00", "UTC");
        assert_eq!((long.weeks.len(), long.days.len()), (1, 0), "a day before overlaps the silence itself");
        let longest = of("2026-01-01T00:00", "2026-11-15T12:00", "2026-11-24T14:00", "UTC");
        assert_eq!(longest, Pasts::default());
    }

    #[test]
    fn one_blast_or_one_outage_among_the_weeks_decides_nothing() {
        assert_eq!(expected(&[20, 22, 5_000, 21], &[]), Some(21));
        assert_eq!(expected(&[20, 0, 22, 21], &[]), Some(20));
        assert_eq!(expected(&[3, 5_000], &[]), Some(3));
        assert_eq!(expected(&[2], &[90, 95, 91, 2]), Some(2), "a weekend like the last one");
        assert_eq!(expected(&[90], &[2, 3, 90, 91, 92]), Some(90));
    }
}
