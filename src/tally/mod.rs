//! Counts of events in minutes of event time, and which of those minutes we can speak for.
//!
//! An event's identity goes into a seen set with the class it was first accepted with; a register counts the set's
//! members of one class. So the same event, any number of times, in any order, counts once (design, law 4).

pub mod coverage;
pub mod journeys;
pub mod lag;
#[cfg(test)]
pub mod testing;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Minute;
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Event, Fate, Identity, Kind, Source};
use crate::customerio::provider::Provider;

/// All that a register is keyed by, but its minute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    pub kind: Kind,
    pub source: Source,
    pub action: Option<String>,
    /// `None` for metrics that are no trouble.
    pub cause: Option<CauseKey>,
    pub fingerprint: u64,
    pub provider: Provider,
    pub fate: Fate,
}

/// What an event is counted as: frozen when its identity is first accepted (design, law 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub series: Series,
    /// The time it is counted at, to the second.
    pub at: Timestamp,
}

/// An event on its way into the tally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub identity: Identity,
    /// The event's own time stamp, the same in every retry; `None` when it has none that can be read.
    pub stamp: Option<Timestamp>,
    /// What it would be counted as if it were new.
    pub class: Class,
}

/// How an entry was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The class in force: the one of the first acceptance.
    pub class: Class,
    /// Whether this was the first acceptance.
    pub first: bool,
}

/// A register: events of one series in one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Shared by all registers of the series.
    pub series: Arc<Series>,
    pub minute: Minute,
    pub count: u64,
    /// Time of the latest event in it, to the second.
    pub last: Timestamp,
}

/// Registers of one series summed over a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Shared by all registers of the series.
    pub series: Arc<Series>,
    pub count: u64,
    pub first_minute: Minute,
    pub last: Timestamp,
}

impl Entry {
    pub fn of(event: &Event) -> Self {
        let failure = event.failure.as_ref();
        let series = Series {
            kind: event.kind.clone(),
            source: event.source.clone(),
            action: event.action.clone(),
            cause: failure.map(|f| f.cause.clone()),
            fingerprint: failure.map_or(0, |f| f.fingerprint),
            provider: event.provider.clone(),
            fate: event.fate,
        };
        // Too late is counted when it came: its own day is long told.
        let at = if event.fate == Fate::TooLate { event.arrived } else { event.at };
        let stamp = if event.future { event.stamp } else { Some(event.at) };
        Self { identity: event.identity, stamp, class: Class { series, at } }
    }
}
