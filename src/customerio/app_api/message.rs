//! Reads deliveries and activities: what became of one person's messages, and what is on the person's timeline. Source:
//! the pages `getPersonMessages` and `getPersonActivities` of the App API's reference.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::loose::{entries, text_at, time, unwrapped};
use super::person::Identifiers;
use crate::customerio::metric;

/// One message to one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The delivery id.
    pub id: String,
    /// The channel as webhooks name it: `sms`, where this API says `twilio`.
    pub channel: String,
    /// Whom it was for.
    pub person: Identifiers,
    /// `None` for broadcasts, newsletters and transactional messages.
    pub campaign: Option<String>,
    pub action: Option<String>,
    pub created: Option<Timestamp>,
    /// The sender's free text: mask it.
    pub failure: Option<String>,
    pub recipient: Option<String>,
    /// The states it reached, and when.
    pub reached: BTreeMap<String, Timestamp>,
}

/// States of a message on its way, each later one further than those before: of two that were reached in the same second
/// the later one is where it stands. Engagement does not move a message.
const WAY: [&str; 10] = [
    "created",
    "drafted",
    "attempted",
    "deferred",
    "sent",
    "delivered",
    "undeliverable",
    "failed",
    "dropped",
    "bounced",
];

impl Delivery {
    /// The state it stands in, and since when: the latest it reached. `None` when the answer names none.
    pub fn state(&self) -> Option<(&str, Timestamp)> {
        let rank =
            |name: &str| WAY.iter().position(|state| *state == name).or((name == "spammed").then_some(WAY.len()));
        let on_its_way = self.reached.iter().filter_map(|(name, at)| Some((*at, rank(name)?, name.as_str())));
        on_its_way.max().map(|(at, _, name)| (name, at))
    }
}

/// A page of messages, the unreadable ones left out.
pub fn deliveries(body: &str) -> Option<(Vec<Delivery>, Option<String>)> {
    let page = entries(body, "messages")?;
    Some((page.entries.iter().filter_map(read).collect(), page.next))
}

/// One message. Source: the page `getMessage` of the App API's reference.
pub fn delivery(body: &str) -> Option<Delivery> {
    read(&unwrapped(body, "message")?)
}

fn read(entry: &Value) -> Option<Delivery> {
    let reached = entry.get("metrics").and_then(Value::as_object).into_iter().flatten();
    let reached = reached.filter_map(|(name, at)| {
        // The API's own word for what webhooks call dropped.
        let name = if name == "suppressed" { "dropped" } else { name };
        Some((name.to_ascii_lowercase(), time(at)?))
    });
    Some(Delivery {
        id: text_at(entry, "id")?,
        channel: channel(&text_at(entry, "type").unwrap_or_default()),
        person: entry.get("customer_identifiers").map(Identifiers::of).unwrap_or_default(),
        campaign: text_at(entry, "campaign_id"),
        action: text_at(entry, "action_id"),
        created: entry.get("created").and_then(time),
        failure: text_at(entry, "failure_message"),
        recipient: text_at(entry, "recipient"),
        reached: reached.collect(),
    })
}

/// The webhooks' name of a channel or an action's type.
pub fn channel(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "twilio" => "sms".to_owned(),
        known if metric::CHANNELS.contains(&known) => name,
        // Answers hold them in words too: `in-app`.
        other => other.replace('-', "_"),
    }
}

/// An entry of a person's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// A ULID; of an event it may be the sender's own.
    pub id: String,
    /// `event`, `failed_event`, ...
    pub kind: String,
    pub name: String,
    /// When it happened, as the sender says.
    pub at: Timestamp,
}

/// A page of a timeline; no order is promised.
pub fn activities(body: &str) -> Option<(Vec<Activity>, Option<String>)> {
    let page = entries(body, "activities")?;
    let read = |entry: &Value| {
        Some(Activity {
            id: text_at(entry, "id").unwrap_or_default(),
            kind: text_at(entry, "type").unwrap_or_default(),
            // Exactly as it was sent: a blank at the end is another name.
            name: entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            at: entry.get("timestamp").and_then(time)?,
        })
    };
    Some((page.entries.iter().filter_map(read).collect(), page.next))
}

/// Crockford's alphabet. Source: the ULID specification.
const ULID: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The instant that a ULID was made. Source: the ULID specification: its first ten characters are milliseconds.
pub fn made_at(ulid: &str) -> Option<Timestamp> {
    let head = ulid.get(..10).filter(|_| ulid.len() == 26)?;
    let millis = head.bytes().try_fold(0_i64, |sum, byte| {
        let digit = ULID.iter().position(|known| *known == byte.to_ascii_uppercase())?;
        sum.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)
    })?;
    Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_message_stands_where_it_came_last() {
        for (metrics, want) in [
            (r#"{"sent":100,"bounced":160}"#, Some(("bounced", 160))),
            // An open is no step on the way, nor does it make a bounce undone.
            (r#"{"sent":100,"delivered":101,"opened":500}"#, Some(("delivered", 101))),
            (r#"{"attempted":100,"sent":"130"}"#, Some(("sent", 130))),
            // Somebody pressed Retry.
            (r#"{"failed":100,"sent":900}"#, Some(("sent", 900))),
            (r#"{"sent":100,"failed":100}"#, Some(("failed", 100))),
            (r#"{"drafted":100}"#, Some(("drafted", 100))),
            (r#"{"suppressed":100}"#, Some(("dropped", 100))),
            (r#"{"delivered":100,"spammed":100}"#, Some(("spammed", 100))),
            (r#"{"opened":100,"sent":null}"#, None),
            ("null", None),
        ] {
            let body = format!(r#"{{"messages":[{{"id":"dg","type":"twilio","metrics":{metrics}}}]}}"#);
            let (read, _) = deliveries(&body).expect("a list");
            assert_eq!(read[0].channel, "sms");
            assert_eq!(read[0].state(), want.map(|(name, second)| (name, at(second))), "{metrics}");
        }
    }

    #[test]
    fn ids_are_numbers_or_texts_and_what_has_none_is_left_out() {
        let body = r#"{"messages":[{"id":"a","campaign_id":5,"action_id":"96","created":100},{"campaign_id":5},{"id":"b","campaign_id":"5","failure_message":""}],"next":"n"}"#;
        let (read, next) = deliveries(body).expect("a list");
        assert_eq!(read.iter().map(|m| m.campaign.as_deref()).collect::<Vec<_>>(), [Some("5"), Some("5")]);
        assert_eq!((read[1].failure.as_deref(), next.as_deref()), (None, Some("n")));
        let one = r#"{"message":{"id":"a","transactional_message_id":2,"customer_identifiers":{"id":null,"cio_id":"cio_d9"}}}"#;
        let read = delivery(one).expect("a message");
        assert_eq!((read.campaign, read.person.cio_id.as_deref()), (None, Some("d9")));
        assert_eq!(delivery(r#"{"errors":[]}"#), None);
    }

    #[test]
    fn a_ulid_tells_when_it_was_made() {
        // The specification's own example.
        assert_eq!(made_at("01ARZ3NDEKTSV4RRFFQ69G5FAV").map(|at| at.as_millisecond()), Some(1_469_922_850_259));
        assert_eq!([made_at("01ARZ3NDEK"), made_at("u1ARZ3NDEKTSV4RRFFQ69G5FAV"), made_at("é")], [None, None, None]);
    }

    #[test]
    fn an_events_name_is_kept_to_the_blank() {
        let body =
            r#"{"activities":[{"id":"x","type":"event","name":"signed_up ","timestamp":"100"},{"type":"event"}]}"#;
        let (read, _) = activities(body).expect("a list");
        assert_eq!(read.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["signed_up "]);
    }
}
