//! The made-up bridge's incidents, and what registers would say of them.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use crate::clock::Minute;
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Fate, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::incident::{Incident, IncidentKey, Numbers, Severity, State, Subject};
use crate::message::compose::Facts;
use crate::reconcile::compare::{Leg, Verdict};
use crate::reconcile::day::{Compared, Counts, Received};
use crate::route::{Label, Labels};
use crate::tally::{Series, Total};

/// What failed, and of how many sent: as the registers would say.
pub fn failing_in(
    source: &str,
    kind: &str,
    cause: &str,
    provider: &str,
    (failed, sent): (u64, u64),
    at: Timestamp,
) -> Facts {
    let total = |kind: Kind, cause: Option<CauseKey>, count: u64| {
        let source = source.parse().unwrap_or(Source::new(SourceKind::None, String::new()));
        let provider = read::<Provider>(provider);
        let series = Series { kind, source, action: None, cause, fingerprint: 0, provider, fate: Fate::Counted };
        Total { series: Arc::new(series), count, first_minute: Minute::of(at), last: at }
    };
    let kind: Kind = read(kind);
    let sends = total(kind.with_metric("sent"), None, sent);
    let failing = vec![total(kind, Some(read(cause)), failed)];
    Facts { failing, others: vec![sends], sends_heard: true, ..Facts::default() }
}

pub fn rule(name: &str) -> Subject {
    Subject::Rule { name: name.to_owned(), group: Default::default() }
}

pub fn labels(source: &str, cause: &str, channel: &str, metric: &str) -> Labels {
    let of = [(Label::Source, source), (Label::Cause, cause), (Label::Channel, channel), (Label::Metric, metric)];
    of.into_iter().map(|(label, value)| (label, vec![value.to_owned()])).collect()
}

pub fn incident(subject: Subject, severity: Severity, opened_at: Timestamp, numbers: Numbers) -> Incident {
    let receivers: &[&str] = if severity == Severity::Critical { &["on-call", "lifecycle"] } else { &["lifecycle"] };
    Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1_000,
        version: 0,
        subject,
        severity,
        labels: Labels::new(),
        receivers: receivers.iter().map(|name| (*name).to_owned()).collect(),
        state: State::Open,
        opened_at,
        since: opened_at - SignedDuration::from_mins(9),
        last: opened_at,
        found_late: false,
        numbers,
        samples: Vec::new(),
        lines: Vec::new(),
        acts: Vec::new(),
        diagnosis: None,
        crowded: false,
        settled: false,
    }
}

/// A name of the tables.
///
/// # Panics
/// When there is none: the preview's own are tested.
pub fn read<'de, T: Deserialize<'de>>(name: &'de str) -> T {
    let from: StrDeserializer<'de, Error> = name.into_deserializer();
    T::deserialize(from).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Two events of the day before: one that agrees, and one of which a burst was lost.
pub fn compared(date: Date, at: Timestamp) -> Vec<Compared> {
    let day = |event: &str, (fired, received, started): (u64, u64, u64), verdict| Compared {
        event: event.to_owned(),
        campaign: "5".to_owned(),
        date,
        counts: Counts {
            fired: Some(fired),
            received: Received::Exactly(received),
            started: Some(started),
            messages: Some(started),
        },
        others: Vec::new(),
        verdict,
        reasons: Vec::new(),
        at,
    };
    let lost = Verdict::Diverges { leg: Leg::Receiving, got: 904, expected: 1_204 };
    vec![
        day("Account Created", (412, 411, 240), Verdict::Agrees { legs: [true; 3] }),
        day("Subscription Started", (1_204, 904, 890), lost),
    ]
}
