//! What the tests of every store write into it.

use jiff::{SignedDuration, Timestamp};
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, de};

use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Fate, Identity, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::incident::{Incident, IncidentKey, Numbers, Severity, State, Subject};
use crate::tally::{Class, Entry, Series};

pub const FAILED: Kind = Kind::known("email", "failed");
pub const SENT: Kind = Kind::known("email", "sent");

pub fn t(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}:00Z").parse().expect("a time")
}

pub fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

pub fn named<'de, T: Deserialize<'de>>(text: &'de str) -> T {
    let from: de::value::StrDeserializer<'de, Error> = text.into_deserializer();
    T::deserialize(from).expect("a name")
}

pub fn identity(id: u32) -> Identity {
    Identity::of_event(&id.to_string(), &FAILED)
}

/// The `id`-th failed e-mail of a campaign.
pub fn failed(id: u32, campaign: u32, at: Timestamp) -> Entry {
    let series = Series {
        kind: FAILED,
        source: Source::new(SourceKind::Campaign, campaign.to_string()),
        action: Some("96".into()),
        cause: Some(named::<CauseKey>("render_error")),
        fingerprint: u64::MAX,
        provider: named::<Provider>("gmail"),
        fate: Fate::Counted,
    };
    Entry { identity: identity(id), stamp: Some(at), class: Class { series, at } }
}

pub fn sent(id: u32, at: Timestamp) -> Entry {
    let mut entry = failed(id, 5, at);
    entry.class.series = Series { kind: SENT, cause: None, fingerprint: 0, ..entry.class.series };
    entry
}

pub fn incident(rule: &str, opened_at: Timestamp) -> Incident {
    let subject = Subject::Rule { name: rule.into(), group: Default::default() };
    Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 0,
        subject,
        severity: Severity::Critical,
        labels: Default::default(),
        receivers: vec!["on-call".into()],
        state: State::Open,
        opened_at,
        since: opened_at,
        last: opened_at,
        found_late: false,
        numbers: Numbers { count: 3, of: 40 },
        samples: vec!["cannot render".into()],
        lines: Vec::new(),
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: false,
    }
}
