//! Times and durations as a person types them.

use anyhow::bail;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::config::reader::{parse_duration, quoted};

/// `30m`, `2h`, `1d`; longer than nothing.
pub fn length(option: &str, text: &str) -> anyhow::Result<SignedDuration> {
    match parse_duration(text.trim()) {
        // Far beyond what is allowed, and no sum with it leaves the calendar.
        Some(length) if length > SignedDuration::ZERO && length < SignedDuration::from_hours(24 * 3_660) => Ok(length),
        _ => bail!("{option} takes a duration such as 30m, 2h or 1d12h, not {}", quoted(text)),
    }
}

/// An instant: `16:30` (the next time that the clock shows it), `2026-11-27 08:00`, or with its own offset.
pub fn instant(option: &str, text: &str, zone: &TimeZone, now: Timestamp) -> anyhow::Result<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local = |at: DateTime| zone.to_ambiguous_timestamp(at).compatible().ok();
    let at = match (clock(text), text.replace('T', " ").split_once(' ')) {
        (Some(time), _) => {
            let today = zone.to_datetime(now).date();
            let next = |date: Date| local(date.to_datetime(time)).filter(|at| *at > now);
            next(today).or_else(|| next(today.saturating_add(1.day())))
        }
        (None, Some((date, time))) => match (date.parse::<Date>(), clock(time.trim())) {
            (Ok(date), Some(time)) => local(date.to_datetime(time)),
            _ => None,
        },
        (None, None) => None,
    };
    match at {
        Some(at) => Ok(at),
        None => bail!(
            "{option} takes a time such as 16:30, '2026-11-27 08:00' (in the workspace's time zone) or \
             2026-11-27T08:00:00Z, not {}",
            quoted(text)
        ),
    }
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let now: Timestamp = "2026-11-24T14:00:00Z".parse().expect("a time"); // 15:00 in Berlin
        let read = |text: &str| instant("--until", text, &zone, now).map(|at| at.to_string()).unwrap_or_default();
        for (text, at) in [
            ("16:30", "2026-11-24T15:30:00Z"),
            ("15:00", "2026-11-25T14:00:00Z"),
            ("8:05", "2026-11-25T07:05:00Z"),
            ("2026-11-27 08:00", "2026-11-27T07:00:00Z"),
            ("2026-11-27T08:00", "2026-11-27T07:00:00Z"),
            ("2026-11-27T08:00:00Z", "2026-11-27T08:00:00Z"),
            ("2026-11-27T08:00:00+02:00", "2026-11-27T06:00:00Z"),
            ("25:00", ""),
            ("tomorrow", ""),
            ("2026-11-31 08:00", ""),
            ("", ""),
        ] {
            assert_eq!(read(text), at, "{text}");
        }
        for wrong in ["", "0s", "2", "-2h", "999999d"] {
            assert!(length("--for", wrong).is_err(), "{wrong}");
        }
    }
}
