use super::*;
use crate::sim::random::Random;
use crate::tally::testing::{at, heard, heard_at};

fn t(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().expect("a time")
}

fn of(began: &str, since: &str, now: &str, zone: &str) -> Vec<Part> {
    let zone = TimeZone::get(zone).expect("a zone");
    parts(&heard_at(&[t(began), t(since)]), t(since), t(now), &zone)
}

fn span(from: &str, to: &str) -> Span {
    Span::new(Minute::of(t(from)), Minute::of(t(to)))
}

/// How many weeks and days each part is compared with.
fn lengths(parts: &[Part]) -> Vec<(usize, usize)> {
    parts.iter().map(|part| (part.weeks.len(), part.days.len())).collect()
}

#[test]
fn silence_begins_with_the_latest_timely_event_and_counts_from_two_hours_on() {
    let coverage = heard(&["08:00", "12:00"]);
    assert_eq!(silent_since(&coverage, at("13:59")), None);
    assert_eq!(silent_since(&coverage, at("14:00")), Some(at("12:00")));
    assert_eq!(silent_since(&Coverage::default(), at("23:00")), None);
}

#[test]
fn a_fresh_stream_is_compared_with_its_mean_by_day_only() {
    assert_eq!(lengths(&of("2026-11-24T08:00", "2026-11-24T12:00", "2026-11-24T14:00", "UTC")), [(0, 0)]);
    assert_eq!(expected(&[], &[]), None);
    let expected = |heard| expected_at_the_mean(heard, at("00:00"), at("12:00"), at("15:00"));
    assert_eq!((expected(20), expected(60)), (4.0, 12.0));
    let until = |since: &str, now: &str| by_day(t(since), t(now), &TimeZone::UTC);
    assert_eq!(until("2026-11-24T12:00", "2026-11-24T14:30"), Some(t("2026-11-24T14:30")));
    assert_eq!(until("2026-11-24T15:00", "2026-11-25T03:00"), Some(t("2026-11-24T18:00")));
    assert_eq!(until("2026-11-24T17:00", "2026-11-25T12:00"), None, "the day ends");
    assert_eq!(until("2026-11-24T05:59", "2026-11-24T12:00"), None, "a night's work ends");
    assert_eq!(until("2026-11-28T12:00", "2026-11-28T16:00"), None, "a Saturday");
}

#[test]
fn the_same_local_hours_of_four_weeks_are_compared_across_a_change_of_the_clocks() {
    // Berlin left summer time on 25 October 2026.
    let parts = of("2026-01-01T00:00", "2026-11-09T12:00", "2026-11-09T14:00", "Europe/Berlin");
    assert_eq!(lengths(&parts), [(4, 0)]);
    assert_eq!(parts[0].weeks[0], span("2026-11-02T12:01", "2026-11-02T14:00"));
    assert_eq!(parts[0].weeks[1], span("2026-10-26T12:01", "2026-10-26T14:00"));
    assert_eq!(parts[0].weeks[2], span("2026-10-19T11:01", "2026-10-19T13:00"));
}

#[test]
fn weekdays_stand_in_for_weeks_that_we_did_not_hear_and_a_weekend_waits_for_its_own() {
    let of = |began, since, now| lengths(&of(began, since, now, "UTC"));
    // Friday to Tuesday: Friday and Monday are known.
    assert_eq!(of("2026-11-20T00:00", "2026-11-24T12:00", "2026-11-24T14:00"), [(0, 2)]);
    assert_eq!(of("2026-11-15T00:00", "2026-11-24T12:00", "2026-11-24T14:00"), [(1, 6)]);
    assert_eq!(of("2026-11-16T00:00", "2026-11-20T18:00", "2026-11-23T09:00"), [(0, 4), (0, 0), (0, 0), (1, 5)]);
    assert_eq!(of("2026-11-09T00:00", "2026-11-20T18:00", "2026-11-21T09:00"), [(1, 9), (1, 0)]);
    // Of yesterday only what was heard before the silence and after we began: a lower bound.
    let partly = parts(
        &heard_at(&[t("2026-11-23T03:00"), t("2026-11-23T08:00")]),
        t("2026-11-23T08:00"),
        t("2026-11-24T10:00"),
        &TimeZone::UTC,
    );
    assert_eq!(lengths(&partly), [(0, 0), (0, 1)]);
    assert_eq!(partly[1].days, [span("2026-11-23T03:01", "2026-11-23T08:00")]);
}

#[test]
fn one_blast_or_one_outage_among_the_weeks_decides_nothing() {
    let expected = |weeks: &[u64], days: &[u64]| expected(weeks, days).map(|n| (n * 10.0).round() / 10.0);
    assert_eq!(expected(&[20, 22, 5_000, 21], &[]), Some(18.7), "of 21");
    assert_eq!(expected(&[20, 0, 22, 21], &[]), Some(17.9), "of 20");
    assert_eq!(expected(&[3, 5_000], &[]), Some(2.4), "of 3");
    assert_eq!(expected(&[90], &[2, 3, 90, 91, 92]), Some(62.4), "of 90");
    assert_eq!(expected(&[90], &[2, 3, 4]), Some(2.1), "a blast's week: of 3");
    assert_eq!(expected(&[], &[90, 2, 91]), Some(1.4), "of 2");
}

#[test]
fn nine_are_missing_and_more_where_a_year_has_more_gaps() {
    let of = |missing, hours| is_more_than_chance(missing, SignedDuration::from_hours(hours));
    // Nine in a day, in nine hours, in two.
    assert_eq!((of(8.9, 24), of(9.0, 24)), (false, true));
    assert_eq!((of(9.0, 9), of(9.2, 9)), (false, true));
    assert_eq!((of(10.6, 2), of(10.8, 2)), (false, true));
}

/// Which share of a day's events a stream sends in an hour of the week, from Monday on.
type Shape = fn(i64) -> f64;

fn flat(_: i64) -> f64 {
    1.0 / 24.0
}

/// Weekdays from 8 to 18 o'clock.
fn office(hour: i64) -> f64 {
    if hour / 24 < 5 && (8..18).contains(&(hour % 24)) { 0.1 } else { 0.0 }
}

/// Weekdays from 9 to 17 o'clock.
fn short_days(hour: i64) -> f64 {
    if hour / 24 < 5 && (9..17).contains(&(hour % 24)) { 0.125 } else { 0.0 }
}

/// Every day, evenings as well, and nothing in the night.
fn awake(hour: i64) -> f64 {
    if (7..23).contains(&(hour % 24)) { 1.0 / 16.0 } else { 0.0 }
}

/// Berlin, Monday 2 November 2026, 0:00: no change of the clocks in the six weeks after.
const MONDAY: &str = "2026-11-01T23:00";

/// Poisson events at a shape's rate, in seconds after [`MONDAY`], from an install to a stop.
struct Stream {
    at: Vec<i64>,
    /// By minute: how many before it.
    sums: Vec<u64>,
    zone: TimeZone,
}

impl Stream {
    fn of(shape: Shape, a_day: f64, install_h: i64, stop_h: i64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut at = Vec::new();
        // Thinned from the busiest rate: exponential gaps.
        let busiest = (0..168).map(shape).fold(0.0, f64::max) * a_day / 3600.0;
        let mut second = install_h as f64 * 3600.0;
        let unit = |random: &mut Random| (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        loop {
            second -= (1.0 - unit(&mut random)).ln() / busiest;
            if second >= stop_h as f64 * 3600.0 {
                break;
            }
            let here = shape((second as i64 / 3600) % 168) * a_day / 3600.0;
            if unit(&mut random) * busiest < here {
                at.push(second as i64);
            }
        }
        let minutes = 60 * 24 * 7 * 9;
        let mut sums = vec![0; minutes + 1];
        at.iter().for_each(|second| sums[(*second / 60) as usize + 1] += 1);
        (0..minutes).for_each(|minute| sums[minute + 1] += sums[minute]);
        Self { at, sums, zone: TimeZone::get("Europe/Berlin").expect("a zone") }
    }

    fn time(second: i64) -> Timestamp {
        t(MONDAY) + SignedDuration::from_secs(second)
    }

    fn arrived(&self, span: Span) -> u64 {
        let first = Minute::of(t(MONDAY)).0;
        let before = |minute: Minute| self.sums[(minute.0 - first).clamp(0, self.sums.len() as i64 - 1) as usize];
        before(span.to).saturating_sub(before(span.from))
    }

    /// As the step does.
    fn missing(&self, coverage: &Coverage, now: i64) -> f64 {
        let (Some(began), Some(since)) = (coverage.began(), coverage.last_timely()) else { return 0.0 };
        let now = Self::time(now);
        let mut is_first = true;
        let mut missing = 0.0;
        for part in parts(coverage, since, now, &self.zone) {
            let counts = |spans: &[Span]| spans.iter().map(|span| self.arrived(*span)).collect::<Vec<_>>();
            missing += match (expected(&counts(&part.weeks), &counts(&part.days)), by_day(since, now, &self.zone)) {
                (Some(expected), _) => expected,
                (None, Some(until)) if is_first => {
                    let heard = self.arrived(Span::new(Minute::of(began), Minute::of(now).plus(1)));
                    expected_at_the_mean(heard, began, since, until)
                }
                _ => 0.0,
            };
            is_first = false;
        }
        missing
    }

    /// The first page in a silence: after how many minutes; looked for every `step` minutes and at its end.
    fn page_in(&self, since: i64, end: i64, step: i64) -> Option<i64> {
        let coverage = heard_at(&[Self::time(*self.at.first()?), Self::time(since)]);
        let mut now = since + 7200;
        while now <= end {
            if is_more_than_chance(self.missing(&coverage, now), SignedDuration::from_secs(now - since)) {
                return Some((now - since) / 60);
            }
            now = if now == end { end + 1 } else { (now + step * 60).min(end) };
        }
        None
    }

    /// The silences that page while it is well: when they began, in hours after the Monday, and how long they were.
    fn pages(&self) -> Vec<(i64, i64)> {
        let gaps = self.at.iter().zip(self.at.iter().skip(1)).filter(|(since, next)| *next - *since >= 7200);
        gaps.filter_map(|(since, next)| Some((since / 3600, self.page_in(*since, *next, 60)?))).collect()
    }
}

#[test]
fn no_fresh_install_no_quiet_night_and_no_weekend_pages_in_four_weeks() {
    let mut found = Vec::new();
    let mut stream_months = 0;
    let shapes: [(&str, Shape); 4] = [("flat", flat), ("office", office), ("short days", short_days), ("awake", awake)];
    for (name, shape) in shapes {
        for a_day in [10.0, 100.0, 1_000.0, 10_000.0] {
            for install in (0..168).step_by(if a_day > 5_000.0 { 29 } else { 7 }) {
                let stream = Stream::of(shape, a_day, install, install + 4 * 168, install as u64);
                found.extend(stream.pages().into_iter().map(|page| (name, a_day, install, page)));
                stream_months += 1;
            }
        }
    }
    // The streams are Poisson: of the small ones some silence is as long as one in some years may be.
    assert_eq!(found.iter().filter(|(_, a_day, ..)| *a_day > 500.0).count(), 0, "{found:?}");
    assert!(found.len() * 13 * 8 <= stream_months, "one in eight stream-years at most: {found:?}");
}

/// From a stop to the page, in hours rounded up; `None` after eight days.
fn hours_to_page(shape: Shape, a_day: f64, install: i64, stop: i64) -> Option<i64> {
    let stream = Stream::of(shape, a_day, install, stop, 7);
    let last = *stream.at.last().expect("an event");
    Some((stream.page_in(last, last + 8 * 86_400, 5)? + 59) / 60)
}

#[test]
fn a_stop_after_a_week_pages_as_soon_as_thirteen_are_missing_and_after_a_month_ten() {
    const TUESDAY_11: i64 = 24 + 11;
    let after = |shape: Shape, weeks: i64| {
        [10.0, 100.0, 1_000.0, 10_000.0].map(|a_day| hours_to_page(shape, a_day, 0, weeks * 168 + TUESDAY_11))
    };
    let found = [after(flat, 1), after(flat, 4), after(office, 1), after(office, 4)];
    // Of 10, 100, 1,000 and 10,000 a day; those of 10 in office hours wait for the next days.
    assert_eq!(found, [[41, 5, 2, 2], [32, 3, 2, 2], [53, 2, 2, 2], [28, 2, 2, 2]].map(|row| row.map(Some)));
}

#[test]
fn a_stop_on_day_one_pages_by_day_after_two_hours_and_else_when_its_hours_come_again() {
    let busy = |install, stop| hours_to_page(flat, 10_000.0, install, stop);
    // Begun at 0:00 and stopped at 10:00, 15:00, 20:00; begun at 10:00 and stopped at 16:00, 20:00, 10:00 of Tuesday.
    let monday = [busy(0, 10), busy(0, 15), busy(0, 20), busy(10, 16), busy(10, 20), busy(10, 34)];
    // Begun on Friday and stopped at 10:00, 20:00, 10:00 of Saturday: of a weekend that was never seen nothing is expected.
    let friday = [busy(96, 96 + 10), busy(96, 96 + 20), busy(96, 120 + 10)];
    assert_eq!(monday, [2, 2, 5, 2, 15, 2].map(Some));
    assert_eq!(friday, [2, 53, 39].map(Some));
    // Begun on Monday and stopped on Friday at 20:00, on Saturday at 10:00.
    assert_eq!([busy(0, 96 + 20), busy(0, 120 + 10)], [2, 39].map(Some));
}
