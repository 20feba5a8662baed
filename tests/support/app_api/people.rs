//! The people and campaigns that the stand-in knows, in the shapes of the App API's reference.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A person, as answers show one. Times are Unix seconds.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Option<String>,
    pub email: Option<String>,
    pub cio_id: String,
    pub phone: Option<String>,
    pub attributes: Value,
    pub unsubscribed: bool,
    pub devices: Vec<Value>,
    pub segments: Vec<u64>,
    pub messages: Vec<Value>,
    pub activities: Vec<Value>,
    pub topics: Vec<Value>,
    pub opt_outs: Vec<Value>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub people: Vec<Person>,
    pub campaigns: BTreeMap<u64, Value>,
    pub actions: BTreeMap<u64, Vec<Value>>,
    pub segments: BTreeMap<u64, String>,
    pub senders: BTreeMap<u64, Value>,
    /// By address.
    pub suppressions: BTreeMap<String, Value>,
}

/// Ada: everything about her is in order.
pub fn ada(now: i64) -> Person {
    Person {
        id: Some("u_lovelace_117".into()),
        email: Some("ada+news@example.test".into()),
        cio_id: "d9c106000075".into(),
        phone: Some("+15550100117".into()),
        attributes: json!({"first_name": "Ada", "plan": "pro", "phone": "+15550100117", "email": "ada+news@example.test"}),
        unsubscribed: false,
        devices: vec![device("tokenAAAA1111bbbb2222", "ios", "sent")],
        segments: vec![21],
        messages: vec![message(now, json!({"created": now - 600, "sent": now - 590, "delivered": now - 580}), None)],
        activities: vec![event("user_activated", now - 620)],
        topics: vec![json!({"id": 1, "subscribed": true, "name": "Offers"})],
        opt_outs: Vec::new(),
    }
}

/// Ada, and the campaign 5 that her event starts; it sends one e-mail.
pub fn world(now: i64) -> World {
    let campaign = json!({
        "id": 5, "deduplicate_id": "5:1552341937", "name": "Activation", "created": 1_552_341_937, "updated": 1_552_341_937,
        "active": true, "state": "running", "actions": [{"type": "email", "id": 96}], "first_started": 1_552_341_937,
        "tags": ["x"], "event_name": "user_activated", "filter_segment_ids": [21],
    });
    World {
        people: vec![ada(now)],
        campaigns: BTreeMap::from([(5, campaign)]),
        actions: BTreeMap::from([(5, vec![action(96, "email", "Welcome 1")])]),
        segments: BTreeMap::from([(21, "Paying".into()), (22, "Trial".into())]),
        senders: BTreeMap::from([(
            38,
            json!({
                "id": 38, "name": "Acme", "email": "hello@acme.test", "address": "Acme <hello@acme.test>",
                "template_type": "email", "auto_generated": false,
            }),
        )]),
        suppressions: BTreeMap::new(),
    }
}

/// A step that makes messages.
pub fn action(id: u64, kind: &str, name: &str) -> Value {
    let recipient = if kind == "email" { "{{customer.email}}" } else { "{{customer.phone}}" };
    json!({"id": id, "name": name, "type": kind, "sending_state": "automatic", "from_id": 38, "recipient": recipient})
}

/// A message of the campaign's first step to Ada.
pub fn message(now: i64, metrics: Value, failure: Option<&str>) -> Value {
    json!({
        "id": "dgSYNTH0001-_aaaaBBBBccccDDDD=", "deduplicate_id": "x", "type": "email", "customer_id": "u_lovelace_117",
        "customer_identifiers": {"id": "u_lovelace_117", "email": "ada+news@example.test", "cio_id": "d9c106000075"},
        "recipient": "ada+news@example.test", "subject": "Welcome, Ada", "created": now - 600, "failure_message": failure,
        "metrics": metrics, "campaign_id": 5, "action_id": 96, "parent_action_id": null, "newsletter_id": null,
        "content_id": null, "broadcast_id": null, "forgotten": false,
    })
}

/// An event on a timeline.
pub fn event(name: &str, at: i64) -> Value {
    json!({"id": ulid(at), "type": "event", "name": name, "timestamp": at, "data": {}})
}

/// A ULID made at this second.
pub fn ulid(second: i64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u64::try_from(second).expect("after 1970") * 1_000;
    let head: String = (0..10).rev().map(|at| char::from(DIGITS[(millis >> (5 * at) & 31) as usize])).collect();
    format!("{head}ACTVATE000000001")
}

/// A device of a person.
pub fn device(token: &str, platform: &str, last_status: &str) -> Value {
    json!({
        "id": token, "platform": platform, "last_used": 1_767_225_590,
        "attributes": {"_last_status": last_status, "push_enabled": "true"},
    })
}
