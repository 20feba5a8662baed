//! Small makers of cells and totals, for the tests of pure modules.

use jiff::{SignedDuration, Timestamp};

use super::coverage::{Coverage, Heard};
use super::{Cell, Series, Total};
use crate::clock::Minute;
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Event, Fate, Kind, Source};
use crate::customerio::provider::Provider;

/// 2026-11-24 at a UTC clock time, `14:02` or `14:02:30`.
pub fn at(clock: &str) -> Timestamp {
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("2026-11-24T{clock}{seconds}Z").parse().expect("a clock time")
}

/// A series like `email_failed` of `campaign:5`.
pub fn series(kind: &str, source: &str) -> Series {
    let kind: Kind = kind.parse().expect("a kind");
    let failing = crate::customerio::metric::has_cause(&kind.metric);
    Series {
        kind,
        source: source.parse::<Source>().expect("a source"),
        action: None,
        cause: failing.then_some(CauseKey::UNKNOWN),
        fingerprint: 0,
        provider: Provider::none(),
        fate: Fate::Counted,
    }
}

/// A register whose last event came 20 s into the minute.
pub fn cell(clock: &str, kind: &str, source: &str, count: u64) -> Cell {
    let minute = Minute::of(at(clock));
    Cell { series: series(kind, source).into(), minute, count, last: minute.start() + SignedDuration::from_secs(20) }
}

/// A total whose last event was at a clock time.
pub fn total(kind: &str, source: &str, count: u64, last: &str) -> Total {
    Total { series: series(kind, source).into(), count, first_minute: Minute::of(at(last)), last: at(last) }
}

/// Coverage after events that each arrived at once.
pub fn heard_at(times: &[Timestamp]) -> Coverage {
    let events: Vec<Event> = times
        .iter()
        .map(|at| {
            serde_json::from_value(serde_json::json!({
                "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": "campaign:9",
                "at": at, "arrived": at, "fate": "counted", "provider": "none",
            }))
            .expect("an event")
        })
        .collect();
    Coverage::default().hearing(&Heard::of(&events))
}

/// The same for clock times.
pub fn heard(clocks: &[&str]) -> Coverage {
    heard_at(&clocks.iter().map(|clock| at(clock)).collect::<Vec<_>>())
}
