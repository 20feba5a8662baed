//! Text helpers for people: cutting, counting, durations, clock times, percentages. All plain text, all pure.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What stands at the end of a text that was cut.
pub const ELLIPSIS: char = '…';

/// `text` in at most `chars` characters (Unicode scalar values); a cut one ends in `…`, which is counted.
pub fn cut(text: &str, chars: usize) -> Cow<'_, str> {
    if text.char_indices().nth(chars).is_none() {
        return Cow::Borrowed(text);
    }
    let Some(room) = chars.checked_sub(1) else { return Cow::Borrowed("") };
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    let kept = text.get(..end).unwrap_or_default().trim_end();
    Cow::Owned(format!("{kept}{ELLIPSIS}"))
}

/// `n` with a comma between thousands: `1,204`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `count("message", 1204)`: `1,204 messages`. The noun is English and singular.
pub fn count(noun: &str, n: u64) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {}", number(n), plural(noun)) }
}

fn plural(noun: &str) -> String {
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long, in the one or two units a person would say: `40 s`, `25 min`, `3 h`, `1 h 30 min`, `8 days`. The sign
/// is dropped; what is smaller than the last unit is dropped, never rounded up.
pub fn duration(of: SignedDuration) -> String {
    let secs = of.as_secs().unsigned_abs();
    // From three on, the smaller unit says nothing any more.
    let (big, small) = match secs {
        0..MINUTE => (format!("{secs} s"), None),
        MINUTE..HOUR => (format!("{} min", secs / MINUTE), None),
        HOUR..DAY => (format!("{} h", secs / HOUR), (secs < 3 * HOUR).then_some((secs % HOUR / MINUTE, "min"))),
        _ => (count("day", secs / DAY), (secs < 3 * DAY).then_some((secs % DAY / HOUR, "h"))),
    };
    match small {
        Some((n, unit)) if n > 0 => format!("{big} {n} {unit}"),
        _ => big,
    }
}

/// When, as a person at `zone` says it at `now`: `14:02`, `yesterday 14:02`, `Mon 23 Nov 14:02`, and with the year
/// in another year.
pub fn clock(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    let today = now.to_zoned_datetime(zone.clone()).date();
    let format = if local.date() == today {
        "%H:%M"
    } else if today.yesterday().is_ok_and(|yesterday| local.date() == yesterday) {
        "yesterday %H:%M"
    } else if local.date().year() == today.year() {
        "%a %-d %b %H:%M"
    } else {
        "%a %-d %b %Y %H:%M"
    };
    local.strftime(format).to_string()
}

/// Like [`clock`], with the zone's abbreviation after it: `14:02 CET`.
pub fn clock_in_zone(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    format!("{} {}", clock(at, zone, now), at.to_zoned_datetime(zone.clone()).strftime("%Z"))
}

/// `n` of `of`, with one decimal where it matters: `3.1 %`, `0.04 %`, `100 %`. `-` when there is nothing to take
/// it of. Never `100 %` for less than all, never `0 %` for more than none.
pub fn percent(n: u64, of: u64) -> String {
    match (n, of) {
        (_, 0) => "-".to_owned(),
        (0, _) => "0 %".to_owned(),
        _ if n == of => "100 %".to_owned(),
        _ => {
            let share = n as f64 / of as f64 * 100.0;
            match share {
                s if s < 0.01 => "< 0.01 %".to_owned(),
                s if s < 0.1 => format!("{s:.2} %"),
                s if s < 100.0 => format!("{:.1} %", s.min(99.9)),
                s => format!("{s:.0} %"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_cut_text_ends_in_an_ellipsis_and_keeps_to_its_length() {
        for (text, chars, want) in [
            ("", 0, ""),
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("äöüß", 4, "äöüß"),
            ("äöüß", 3, "äö…"),
            ("ab cd", 4, "ab…"),
            ("abcd", 1, "…"),
            ("abcd", 0, ""),
        ] {
            assert_eq!(cut(text, chars), want, "{text:?} in {chars}");
        }
    }

    #[test]
    fn counts_read_as_people_write_them() {
        for (noun, n, want) in [
            ("message", 0, "0 messages"),
            ("message", 1, "1 message"),
            ("message", 1_204, "1,204 messages"),
            ("bounce", 1_000_000, "1,000,000 bounces"),
            ("delivery", 2, "2 deliveries"),
            ("day", 8, "8 days"),
            ("push", 2, "2 pushes"),
        ] {
            assert_eq!(count(noun, n), want);
        }
    }

    #[test]
    fn durations_are_humane() {
        for (secs, want) in [
            (0, "0 s"),
            (40, "40 s"),
            (60, "1 min"),
            (1_500, "25 min"),
            (3_600, "1 h"),
            (5_400, "1 h 30 min"),
            (3 * 3_600, "3 h"),
            (23 * 3_600 + 3_540, "23 h"),
            (86_400, "1 day"),
            (30 * 3_600, "1 day 6 h"),
            (8 * 86_400 + 3_600, "8 days"),
            (-90, "1 min"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(secs)), want);
        }
    }

    #[test]
    fn clock_times_say_the_day_only_when_it_is_not_today() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let now = at("2026-11-24T09:00:00Z");
        for (then, want) in [
            ("2026-11-24T07:02:00Z", "08:02"),
            ("2026-11-23T23:30:00Z", "00:30"),
            ("2026-11-23T13:02:00Z", "yesterday 14:02"),
            ("2026-11-16T13:02:00Z", "Mon 16 Nov 14:02"),
            ("2026-11-25T13:02:00Z", "Wed 25 Nov 14:02"),
            ("2025-11-24T13:02:00Z", "Mon 24 Nov 2025 14:02"),
        ] {
            assert_eq!(clock(at(then), &berlin, now), want);
        }
        assert_eq!(clock_in_zone(now, &berlin, now), "10:00 CET");
        assert_eq!(clock_in_zone(now, &TimeZone::UTC, now), "09:00 UTC");
    }

    #[test]
    fn percentages_never_round_to_none_or_all() {
        for (n, of, want) in [
            (0, 10, "0 %"),
            (31, 1_000, "3.1 %"),
            (4, 10_000, "0.04 %"),
            (1, 1_000_000, "< 0.01 %"),
            (99_999, 100_000, "99.9 %"),
            (10, 10, "100 %"),
            (15, 10, "150 %"),
            (3, 0, "-"),
        ] {
            assert_eq!(percent(n, of), want);
        }
    }

    proptest! {
        #[test]
        fn cut_never_exceeds_its_length(text in ".{0,200}", chars in 0usize..100) {
            let got = cut(&text, chars);
            prop_assert!(got.chars().count() <= chars);
            prop_assert!(text.chars().count() > chars || got == text);
        }

        #[test]
        fn duration_and_percent_answer_for_any_number(secs in any::<i64>(), n in any::<u64>(), of in any::<u64>()) {
            prop_assert!(!duration(SignedDuration::from_secs(secs)).is_empty());
            prop_assert!(!percent(n, of).is_empty());
        }
    }
}
