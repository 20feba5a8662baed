//! Reads what the App API says of one person: profiles, attributes, devices, preferences, opt-outs. Source: the pages
//! `getPeopleEmail`, `getPersonAttributes`, `getPersonSubscriptionPreferences` and `getPersonOptouts` of its reference.

use std::collections::BTreeMap;

use serde_json::Value;

use super::loose::{entries, switch, text, text_at, unwrapped};

/// What a person is known by. In a workspace that identifies people by address the id is empty, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    pub id: Option<String>,
    pub email: Option<String>,
    /// Customer.io's own, without the `cio_` that some answers put before it.
    pub cio_id: Option<String>,
}

impl Identifiers {
    pub(super) fn of(object: &Value) -> Self {
        let cio_id = text_at(object, "cio_id").map(|id| id.strip_prefix("cio_").unwrap_or(&id).to_owned());
        Self { id: text_at(object, "id"), email: text_at(object, "email"), cio_id }
    }

    fn is_empty(&self) -> bool {
        self.id.is_none() && self.email.is_none() && self.cio_id.is_none()
    }
}

/// One of a person's devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The push token.
    pub token: String,
    pub platform: Option<String>,
    /// `bounced`, `suppressed`, `sent`, ...: what became of the last push.
    pub last_status: Option<String>,
    /// Whether the app may show notifications, where it said so.
    pub push_enabled: Option<bool>,
}

/// A person's profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub identifiers: Identifiers,
    /// Values as text; empty ones are left out, as a filter and a template see them.
    pub attributes: BTreeMap<String, String>,
    /// Unsubscribed from everything.
    pub unsubscribed: bool,
    /// `None` when the answer does not say.
    pub devices: Option<Vec<Device>>,
}

/// A topic of the subscription centre.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub subscribed: bool,
}

/// What a person chose to get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    pub unsubscribed: bool,
    pub topics: Vec<Topic>,
}

/// A sender that the person wants nothing from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOut {
    /// `sms` or `whatsapp`.
    pub channel: String,
    /// A number, a sender's name or a messaging service.
    pub from: Option<String>,
}

/// The profiles that have an address; several may.
pub fn profiles(body: &str) -> Option<Vec<Identifiers>> {
    let found = entries(body, "results")?.entries;
    Some(found.iter().map(Identifiers::of).filter(|person| !person.is_empty()).collect())
}

/// A person's attributes and devices. `None` when nobody is in the answer.
pub fn profile(body: &str) -> Option<Profile> {
    let customer = unwrapped(body, "customer")?;
    let stated = customer.get("identifiers").map(Identifiers::of).unwrap_or_default();
    let attributes = attributes(customer.get("attributes"));
    let own = Identifiers::of(&customer);
    let named = |name: &str| attributes.get(name).cloned();
    let cio_id = named("cio_id").map(|id| id.strip_prefix("cio_").unwrap_or(&id).to_owned());
    let identifiers = Identifiers {
        id: stated.id.or(own.id).or_else(|| named("id")),
        email: stated.email.or(own.email).or_else(|| named("email")),
        cio_id: stated.cio_id.or(own.cio_id).or(cio_id),
    };
    if identifiers.is_empty() && attributes.is_empty() {
        return None;
    }
    let switches = [customer.get("unsubscribed"), customer.get("attributes").and_then(|a| a.get("unsubscribed"))];
    let devices = match customer.get("devices") {
        Some(Value::Array(devices)) => Some(devices.iter().map(device).collect()),
        Some(Value::Null) => Some(Vec::new()),
        _ => None,
    };
    let unsubscribed = switches.into_iter().flatten().any(|value| switch(value) == Some(true));
    Some(Profile { identifiers, attributes, unsubscribed, devices })
}

fn attributes(object: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = object.and_then(Value::as_object).into_iter().flatten();
    let shown = |value: &Value| match value {
        Value::Bool(on) => Some(on.to_string()),
        Value::Array(_) | Value::Object(_) => Some(value.to_string()),
        other => text(other),
    };
    pairs.filter_map(|(name, value)| Some((name.clone(), shown(value)?))).collect()
}

fn device(device: &Value) -> Device {
    let attribute = |name: &str| device.get("attributes").and_then(|a| a.get(name)).or_else(|| device.get(name));
    Device {
        token: text_at(device, "id").unwrap_or_default(),
        platform: text_at(device, "platform"),
        last_status: attribute("_last_status").and_then(text).map(|status| status.to_ascii_lowercase()),
        push_enabled: attribute("push_enabled").and_then(switch),
    }
}

/// What a person chose in the subscription centre.
pub fn preferences(body: &str) -> Option<Preferences> {
    let customer = unwrapped(body, "customer")?;
    let topics = customer.get("topics").and_then(Value::as_array);
    let unsubscribed = customer.get("unsubscribed").and_then(switch);
    if topics.is_none() && unsubscribed.is_none() {
        return None;
    }
    let topic = |topic: &Value| {
        let name = text_at(topic, "name").or_else(|| Some(format!("topic {}", text_at(topic, "id")?)))?;
        Some(Topic { name, subscribed: topic.get("subscribed").and_then(switch)? })
    };
    let topics = topics.into_iter().flatten().filter_map(topic).collect();
    Some(Preferences { unsubscribed: unsubscribed.unwrap_or(false), topics })
}

/// The senders a person opted out of.
pub fn opt_outs(body: &str) -> Option<Vec<OptOut>> {
    let entries = entries(body, "optouts")?.entries;
    let read = |entry: &Value| {
        let channel = text_at(entry, "channel").unwrap_or_else(|| "sms".to_owned()).to_ascii_lowercase();
        OptOut { channel, from: text_at(entry, "from") }
    };
    Some(entries.iter().filter(|entry| entry.is_object()).map(read).collect())
}

/// The ids of the segments a person is in.
pub fn segments(body: &str) -> Option<Vec<String>> {
    let entries = entries(body, "segments")?.entries;
    Some(entries.iter().filter_map(|entry| text_at(entry, "id").or_else(|| text(entry))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_profiles_may_have_one_address_and_ids_lose_their_prefix() {
        let body = r#"{"results":[{"email":"a@b.c","id":"1","cio_id":"cio_d9c1"},{"email":"a@b.c","id":null,"cio_id":"d9c2"},{}]}"#;
        let found = profiles(body).expect("a list");
        let ids: Vec<_> = found.iter().map(|p| (p.id.as_deref(), p.cio_id.as_deref())).collect();
        assert_eq!(ids, [(Some("1"), Some("d9c1")), (None, Some("d9c2"))]);
        assert_eq!(profiles(r#"{"results":null}"#), Some(Vec::new()));
        assert_eq!(profiles(r#"{"errors":[]}"#), None);
    }

    #[test]
    fn a_profile_is_read_with_texts_for_switches_and_without_wrapping_key() {
        let inner = r#"{"id":7,"identifiers":{"id":7,"email":null,"cio_id":"d9"},"attributes":{"plan":"pro","city":"","age":4,"unsubscribed":"true"},"unsubscribed":false,"devices":[{"id":"tok","platform":"ios","attributes":{"_last_status":"Bounced","push_enabled":"false"}}]}"#;
        for body in [inner.to_owned(), format!(r#"{{"customer":{inner}}}"#)] {
            let profile = profile(&body).expect("a profile");
            assert_eq!(profile.identifiers.id.as_deref(), Some("7"));
            assert!(profile.unsubscribed && !profile.attributes.contains_key("city"));
            let device = &profile.devices.as_deref().expect("devices")[0];
            assert_eq!((device.last_status.as_deref(), device.push_enabled), (Some("bounced"), Some(false)));
        }
        assert_eq!(profile(r#"{"customer":{}}"#), None);
        assert_eq!(profile(r#"{"customer":{"id":"7","devices":null}}"#).and_then(|p| p.devices), Some(Vec::new()));
        assert_eq!(profile(r#"{"customer":{"id":"7"}}"#).map(|p| p.devices), Some(None));
    }

    #[test]
    fn preferences_opt_outs_and_segments_are_read_or_not_known() {
        let body = r#"{"customer":{"topics":[{"id":1,"subscribed":true,"name":"Offers"},{"id":3,"subscribed":false}],"unsubscribed":false}}"#;
        let read = preferences(body).expect("preferences");
        assert_eq!(
            read.topics.iter().map(|t| (t.name.as_str(), t.subscribed)).collect::<Vec<_>>(),
            [("Offers", true), ("topic 3", false)]
        );
        assert_eq!(preferences("{}"), None);
        let outs = opt_outs(r#"{"optouts":[{"channel":"SMS","from":"+15550100100"},{"from":"x"},7]}"#).expect("a list");
        assert_eq!(outs.iter().map(|o| o.channel.as_str()).collect::<Vec<_>>(), ["sms", "sms"]);
        assert_eq!(opt_outs(r#"{"optouts":null}"#), Some(Vec::new()));
        assert_eq!(
            segments(r#"{"segments":[{"id":4,"name":"A"},{"id":"7"},9]}"#),
            Some(vec!["4".into(), "7".into(), "9".into()])
        );
    }
}
