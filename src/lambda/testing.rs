//! A world for the functions' tests: the embedded store and queue, doubles that fail on demand, envelopes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock::{Clock, ManualClock};
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::config::{Config, parse};
use crate::customerio::event::Event;
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::{Hint, Outbox, Probe};
use crate::receivers::{Outcome, Receiver};
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::{Store, StoreError};

pub const FUNCTION_URL: &str = include_str!("../../events/lambda/function_url.json");
pub const SQS_EVENTS: &str = include_str!("../../events/lambda/sqs_events.json");
pub const SQS_HINTS: &str = include_str!("../../events/lambda/sqs_hints.json");
pub const SCHEDULE: &str = include_str!("../../events/lambda/schedule.json");

/// What signed the Function URL sample.
pub const KEY: &str = "an-example-signing-key";

/// One failure is an incident; every receiver hears.
const CONFIG: &str = r#"
[workspace]
name = "acme"
timezone = "Europe/Berlin"
[customerio]
region = "eu"
signing_keys = ["ssm:/new", "ssm:/old"]
[[receivers]]
name = "lifecycle"
type = "console"
[[routes]]
receivers = ["lifecycle"]
[[rules]]
name = "any-failure"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 1, within = "10m" }
severity = "critical"
"#;

pub struct World {
    pub store: Arc<EmbeddedStore>,
    pub queue: Arc<EmbeddedQueue>,
    pub outbox: Arc<Moody>,
    pub config: Arc<Config>,
    pub clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl World {
    /// At the time at which the sample requests arrived.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let queue = Arc::new(store.queue());
        let parsed = parse::parse(CONFIG);
        Self {
            store: Arc::new(store),
            outbox: Arc::new(Moody { queue: queue.clone(), mood: Mutex::new(Mood::Fine) }),
            queue,
            config: Arc::new(parsed.config.unwrap_or_else(|| panic!("{:?}", parsed.problems))),
            clock: Arc::new(ManualClock::at("2026-11-24T09:00:08.2Z".parse().expect("a time"))),
            _folder: folder,
        }
    }

    pub fn any_store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Late enough for anything.
    pub fn deadline(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(30)
    }

    /// The events that were enqueued.
    pub async fn events(&self) -> Vec<Event> {
        let received = self.queue.receive_events(1000, self.clock.now(), Duration::ZERO).await.expect("received");
        received.iter().map(|m| serde_json::from_str(&m.body).expect("an event")).collect()
    }

    /// The bodies of the hints that were enqueued.
    pub async fn hints(&self) -> Vec<String> {
        let received = self.queue.receive_hints("lifecycle", 100, self.clock.now(), Duration::ZERO).await;
        received.expect("received").into_iter().map(|m| m.body).collect()
    }
}

/// How an outbox behaves.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Fine,
    Refuses,
    Hangs,
    Panics,
}

pub struct Moody {
    queue: Arc<EmbeddedQueue>,
    mood: Mutex<Mood>,
}

impl Moody {
    pub fn is(&self, mood: Mood) {
        *self.mood.lock().expect("a mood") = mood;
    }

    async fn act(&self) -> Result<(), StoreError> {
        let mood = *self.mood.lock().expect("a mood");
        match mood {
            Mood::Fine => Ok(()),
            Mood::Refuses => Err(StoreError::Unavailable("the queue refuses".into())),
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("planted"),
        }
    }
}

#[async_trait]
impl Outbox for Moody {
    async fn send_events(&self, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        self.act().await?;
        self.queue.send_events(events, now).await
    }

    async fn send_probe(&self, probe: Probe, now: Timestamp) -> Result<(), StoreError> {
        self.act().await?;
        self.queue.send_probe(probe, now).await
    }

    async fn send_hints(&self, hints: &[Hint], now: Timestamp, after: Duration) -> Result<(), StoreError> {
        self.act().await?;
        self.queue.send_hints(hints, now, after).await
    }
}

/// Secrets by SSM name; one that is not there cannot be read.
#[derive(Default)]
pub struct Vault(pub Mutex<BTreeMap<String, String>>);

impl Vault {
    pub fn holding(pairs: &[(&str, &str)]) -> Arc<Self> {
        let vault = Self::default();
        pairs.iter().for_each(|(name, value)| vault.set(name, value));
        Arc::new(vault)
    }

    pub fn lose(&self, name: &str) {
        self.0.lock().expect("a vault").remove(name);
    }

    pub fn set(&self, name: &str, value: &str) {
        self.0.lock().expect("a vault").insert(name.to_owned(), value.to_owned());
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
        let SecretRef::Ssm(name) = at else { return Err(SecretError::NotSet(at.clone())) };
        let value = self.0.lock().expect("a vault").get(name).cloned();
        match value {
            Some(value) if value.is_empty() => Err(SecretError::NotSet(at.clone())),
            Some(value) => Ok(Secret::new(value)),
            None => Err(SecretError::Unreadable(at.clone(), "throttled".into())),
        }
    }
}

/// A receiver that always answers the same; `None`: it panics.
pub struct Answers(pub Option<Outcome>);

#[async_trait]
impl Receiver for Answers {
    async fn send(&self, _message: &Message, _previous: Option<&Receipt>) -> Outcome {
        self.0.clone().unwrap_or_else(|| panic!("planted"))
    }
}

/// A batch of these bodies, as SQS has it; the first has the id `m0` and the receipt `r0`.
pub fn batch(bodies: &[&str]) -> String {
    let record = |(place, body): (usize, &&str)| {
        json!({
            "messageId": format!("m{place}"), "receiptHandle": format!("r{place}"), "body": body,
            "attributes": { "ApproximateReceiveCount": "1" },
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    json!({ "Records": records }).to_string()
}
