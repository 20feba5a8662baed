//! Periods in local time: days of 23 and 25 hours, weeks that begin on Monday.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Every, Period};

/// The period that an instant falls in.
pub fn containing(every: Every, at: Timestamp, zone: &TimeZone) -> Period {
    let date = zone.to_datetime(at).date();
    match every {
        Every::Hour => hour(at, zone),
        Every::Day { by } => {
            let (start, end) = (midnight(date, zone), midnight(tomorrow(date), zone));
            let due = by.map_or(end, |by| instant(date, by, zone));
            Period { start, due: due.clamp(start, end), end }
        }
        Every::Week { by } => {
            let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
            let start = midnight(monday, zone);
            let end = midnight(monday.saturating_add(7.days()), zone);
            let due = by.map_or(end, |(day, time)| instant(monday.saturating_add(offset(day).days()), time, zone));
            Period { start, due: due.clamp(start, end), end }
        }
    }
}

/// The period after this one.
pub fn after(every: Every, period: Period, zone: &TimeZone) -> Period {
    let next = containing(every, period.end, zone);
    // Where clocks move by half an hour, the hour that the change cuts would begin before this one's end.
    Period { start: next.start.max(period.end), ..next }
}

/// The local date that a period began on.
pub fn date_of(period: Period, zone: &TimeZone) -> Date {
    zone.to_datetime(period.start).date()
}

/// A local wall-clock time as an instant; one that a clock change skips is the instant right after the gap.
pub fn instant(date: Date, time: jiff::civil::Time, zone: &TimeZone) -> Timestamp {
    zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().unwrap_or(Timestamp::MAX)
}

/// The first instant of a local date: not 00:00 where a clock change skips midnight.
pub fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned_datetime(zone.clone()).map_or(Timestamp::MAX, |z| z.timestamp())
}

fn tomorrow(date: Date) -> Date {
    date.saturating_add(1.day())
}

fn offset(day: Weekday) -> i64 {
    i64::from(day.to_monday_zero_offset())
}

/// Hours are cut by the local clock, so a zone 30 minutes off has its hours begin at :30 UTC.
fn hour(at: Timestamp, zone: &TimeZone) -> Period {
    let offset = i64::from(zone.to_offset(at).seconds());
    let start = (at.as_second() + offset).div_euclid(3600) * 3600 - offset;
    let start = Timestamp::from_second(start).unwrap_or(at);
    let end = start + SignedDuration::from_hours(1);
    Period { start, due: end, end }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").expect("a zone")
    }

    #[test]
    fn a_day_is_local_and_due_by_its_own_time() {
        let by = Every::Day { by: Some(time(18, 0, 0, 0)) };
        let period = containing(by, at("2026-11-24T23:30:00Z"), &berlin());
        assert_eq!(period.start, at("2026-11-24T23:00:00Z"));
        assert_eq!(period.due, at("2026-11-25T17:00:00Z"));
        assert_eq!(period.end, at("2026-11-25T23:00:00Z"));
    }

    #[test]
    fn days_of_23_and_25_hours_have_as_many_minutes() {
        let day = Every::Day { by: None };
        for (noon, hours) in [("2026-03-29T10:00:00Z", 23), ("2026-10-25T11:00:00Z", 25), ("2026-10-26T11:00:00Z", 24)]
        {
            let period = containing(day, at(noon), &berlin());
            assert_eq!(period.end.duration_since(period.start), SignedDuration::from_hours(hours), "{noon}");
        }
    }

    #[test]
    fn a_time_that_the_clock_change_skips_is_due_right_after_the_gap() {
        let by = Every::Day { by: Some(time(2, 30, 0, 0)) };
        let period = containing(by, at("2026-03-29T10:00:00Z"), &berlin());
        assert_eq!(period.due, at("2026-03-29T01:30:00Z")); // 03:30 summer time
    }

    #[test]
    fn weeks_begin_on_monday() {
        let by = Every::Week { by: Some((Weekday::Friday, time(18, 0, 0, 0))) };
        let period = containing(by, at("2026-11-25T12:00:00Z"), &berlin());
        assert_eq!(period.start, at("2026-11-22T23:00:00Z"));
        assert_eq!(period.due, at("2026-11-27T17:00:00Z"));
        assert_eq!(after(by, period, &berlin()).start, at("2026-11-29T23:00:00Z"));
    }

    #[test]
    fn hours_follow_the_local_clock() {
        let kolkata = TimeZone::get("Asia/Kolkata").expect("a zone");
        let period = containing(Every::Hour, at("2026-11-25T12:10:00Z"), &kolkata);
        assert_eq!(period.start, at("2026-11-25T11:30:00Z"));
    }

    proptest::proptest! {
        #[test]
        fn periods_follow_each_other_without_gap(second in 1_700_000_000i64..1_900_000_000) {
            let now = Timestamp::from_second(second).expect("in range");
            for every in [Every::Hour, Every::Day { by: None }, Every::Week { by: None }] {
                for zone in ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "UTC"] {
                    let zone = TimeZone::get(zone).expect("a zone");
                    let period = containing(every, now, &zone);
                    proptest::prop_assert!(period.start <= now && now < period.end);
                    proptest::prop_assert_eq!(after(every, period, &zone).start, period.end);
                }
            }
        }
    }
}
