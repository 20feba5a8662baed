//! [`conformance`] asks what every store must do and knows only the trait; [`file`] asks what this one adds.

mod conformance;
mod file;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, de};

use super::{Durability, EmbeddedStore};
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Fate, Identity, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::incident::{Incident, IncidentKey, Numbers, Severity, State, Subject};
use crate::store::Store;
use crate::tally::{Class, Entry, Series};

const FAILED: Kind = Kind::known("email", "failed");
const SENT: Kind = Kind::known("email", "sent");

/// A store in a folder of its own, which goes when the value does.
struct Fresh {
    store: EmbeddedStore,
    folder: tempfile::TempDir,
}

impl Fresh {
    fn store() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store: open(folder.path()), folder }
    }

    fn any(&self) -> &dyn Store {
        &self.store
    }

    /// Another handle on the same file, as another process has it.
    fn again(&self) -> EmbeddedStore {
        open(self.folder.path())
    }
}

fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, "acme", Durability::Off).expect("opens")
}

fn t(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}:00Z").parse().expect("a time")
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

fn named<'de, T: Deserialize<'de>>(text: &'de str) -> T {
    let from: de::value::StrDeserializer<'de, Error> = text.into_deserializer();
    T::deserialize(from).expect("a name")
}

fn identity(id: u32) -> Identity {
    Identity::of_event(&id.to_string(), &FAILED)
}

/// The `id`-th failed e-mail of a campaign.
fn failed(id: u32, campaign: u32, at: Timestamp) -> Entry {
    let series = Series {
        kind: FAILED,
        source: Source::new(SourceKind::Campaign, campaign.to_string()),
        action: Some("96".into()),
        cause: Some(named::<CauseKey>("render_error")),
        fingerprint: u64::MAX,
        provider: named::<Provider>("gmail"),
        fate: Fate::Counted,
    };
    Entry { identity: identity(id), class: Class { series, at } }
}

fn sent(id: u32, at: Timestamp) -> Entry {
    let mut entry = failed(id, 5, at);
    entry.class.series = Series { kind: SENT, cause: None, fingerprint: 0, ..entry.class.series };
    entry
}

fn incident(rule: &str, opened_at: Timestamp) -> Incident {
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
        settled: false,
    }
}
