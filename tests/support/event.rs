//! Reporting webhooks, as Customer.io's specification (journeys-webhooks.json) shapes them.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

/// A reporting webhook to be sent; a new one happens now, under an id of its own.
#[derive(Clone, Debug)]
pub struct Event(Value);

pub fn failed_email() -> Event {
    event("email", "failed").message("Variable 'customer.name' is missing")
}

pub fn sent_email() -> Event {
    event("email", "sent")
}

pub fn event(channel: &str, metric: &str) -> Event {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let n = SERIAL.fetch_add(1, Ordering::Relaxed);
    Event(json!({
        "event_id": format!("01TEST{n:020}"),
        "object_type": channel,
        "metric": metric,
        "timestamp": Timestamp::now().as_second(),
        "data": {
            "delivery_id": format!("dgTEST{n:06}aaaaBBBBcccc="),
            "identifiers": { "id": format!("user-{n:06}"), "cio_id": format!("d9c1{n:08}") },
        }
    }))
}

impl Event {
    /// Sent by this source, written `campaign:5`.
    pub fn of(mut self, source: &str) -> Self {
        let (kind, id) = source.split_once(':').expect("kind:id");
        let id: u64 = id.parse().expect("a number");
        match kind {
            "campaign" => self.data("campaign_id", id).data("action_id", 96),
            "broadcast" => self.data("broadcast_id", id).data("trigger_id", 1).data("action_id", 44),
            "newsletter" => self.data("newsletter_id", id).data("content_id", 3),
            "transactional" => self.data("transactional_message_id", id),
            other => panic!("no source of the kind {other}"),
        };
        self
    }

    pub fn at(mut self, when: Timestamp) -> Self {
        self.0["timestamp"] = when.as_second().into();
        self
    }

    /// The failure's text.
    pub fn message(mut self, text: &str) -> Self {
        self.data("failure_message", text);
        self
    }

    pub fn to(mut self, recipient: &str) -> Self {
        self.data("recipient", recipient);
        self.0["data"]["identifiers"]["email"] = recipient.into();
        self
    }

    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.data(field, value);
        self
    }

    pub fn json(&self) -> &Value {
        &self.0
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    fn data(&mut self, field: &str, value: impl Into<Value>) -> &mut Self {
        self.0["data"][field] = value.into();
        self
    }
}
