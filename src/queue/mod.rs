//! The two queues of the flow. A message is delivered at least once and in no order; steps must not mind.

pub mod dead_letters;
pub mod embedded;
#[cfg(feature = "aws")]
pub mod sqs;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::customerio::event::Event;
use crate::incident::IncidentKey;
use crate::store::StoreError;

/// Look at this incident for this receiver: maybe something is due. Says nothing about what (design, law 7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    pub incident: IncidentKey,
    pub receiver: String,
}

/// What the bridge sends itself to see that its own flow flows: through the events queue, evaluate, the hints queue and
/// deliver (design, law 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When it was sent.
    #[serde(rename = "probe")]
    pub sent_at: Timestamp,
}

/// How the incident key of a probe's hint begins; no key of an incident does.
const PROBE: &str = "probe/";

impl Hint {
    /// A probe on its second leg. It goes to the lane of a receiver, which never hears of it.
    pub fn of_probe(probe: Probe, receiver: &str) -> Self {
        Self { incident: IncidentKey(format!("{PROBE}{}", probe.sent_at)), receiver: receiver.to_owned() }
    }

    /// The probe, if it is one.
    pub fn probe(&self) -> Option<Probe> {
        let sent_at = self.incident.0.strip_prefix(PROBE)?.parse().ok()?;
        Some(Probe { sent_at })
    }
}

/// A received message; it comes back unless it is deleted in time.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: i64,
    /// JSON; parsed by the step, one message at a time.
    pub body: String,
    /// How often it was received, this time included.
    pub receives: u32,
}

/// Where ingest puts events and evaluate puts hints.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Durable when it returns, all or none.
    async fn send_events(&self, events: &[Event], now: Timestamp) -> Result<(), StoreError>;

    /// Puts a probe into the events queue.
    async fn send_probe(&self, probe: Probe, now: Timestamp) -> Result<(), StoreError>;

    /// `after`: not to be received before.
    async fn send_hints(&self, hints: &[Hint], now: Timestamp, after: Duration) -> Result<(), StoreError>;

    /// Looks whether the queues are there, and puts nothing into them. Queues that are part of the store are.
    async fn reach(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What a step says about one message it was handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Done with; delete it.
    Done,
    /// Give it back, to be received again after this long.
    Again(Duration),
}
