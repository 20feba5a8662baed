//! Reads what the App API says of one campaign: its state, its trigger, its steps, and its counts by hour. Loosely: what cannot be read is not
//! known, and nothing is claimed of it.

use jiff::Timestamp;
use serde_json::Value;

use super::loose::{entries, text, text_at, time, unwrapped};
use super::message;

/// `running`, `draft` or `stopped`; `active: false` is as good as stopped. Source: App API, `getCampaigns`.
pub fn state(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let campaign = answer.get("campaign").unwrap_or(&answer);
    let state = campaign.get("state").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let inactive = campaign.get("active").and_then(Value::as_bool) == Some(false);
    match state.as_deref() {
        Some("running") | None if inactive => Some("stopped".to_owned()),
        _ => state.filter(|word| word.len() <= 32 && word.chars().all(|c| c.is_ascii_alphabetic())),
    }
}

/// What starts a campaign, and since when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    pub name: Option<String>,
    /// As [`state`] has it.
    pub state: Option<String>,
    /// The event that starts it, to the letter; `None` when something else does.
    pub event_name: Option<String>,
    pub trigger_segments: Vec<String>,
    pub filter_segments: Vec<String>,
    pub first_started: Option<Timestamp>,
    pub updated: Option<Timestamp>,
}

/// A campaign with its trigger. `None` when the answer is none. Source: App API, `getCampaigns`.
pub fn detail(body: &str) -> Option<Detail> {
    let campaign = unwrapped(body, "campaign")?;
    let ids = |key: &str| {
        let ids = campaign.get(key).and_then(Value::as_array).into_iter().flatten();
        ids.filter_map(text).collect::<Vec<_>>()
    };
    Some(Detail {
        name: text_at(&campaign, "name"),
        state: state(body),
        event_name: campaign.get("event_name").and_then(Value::as_str).filter(|n| !n.is_empty()).map(str::to_owned),
        trigger_segments: ids("trigger_segment_ids"),
        filter_segments: ids("filter_segment_ids"),
        first_started: campaign.get("first_started").and_then(time),
        updated: campaign.get("updated").and_then(time),
    })
}

/// A step of a workflow that makes a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    pub id: String,
    pub name: Option<String>,
    /// As webhooks name it.
    pub channel: String,
    /// `automatic`, `draft` or `off`.
    pub sending: Option<String>,
    /// The sender identity; `None` when it names none, or its own Liquid.
    pub from_id: Option<String>,
    /// The address or number it is from, as it stands in the message.
    pub from: Option<String>,
    /// Whom it goes to: mostly Liquid, `{{customer.email}}`.
    pub recipient: Option<String>,
}

/// A page of a campaign's steps. Source: App API, `listCampaignActions`.
pub fn actions(body: &str) -> Option<(Vec<Action>, Option<String>)> {
    let page = entries(body, "actions")?;
    let read = |entry: &Value| {
        Some(Action {
            id: text_at(entry, "id")?,
            name: text_at(entry, "name"),
            channel: message::channel(&text_at(entry, "type").unwrap_or_default()),
            sending: text_at(entry, "sending_state").map(|state| state.to_ascii_lowercase()),
            from_id: text_at(entry, "from_id").filter(|id| id != "0"),
            from: text_at(entry, "from"),
            recipient: text_at(entry, "recipient"),
        })
    };
    Some((page.entries.iter().filter_map(read).collect(), page.next))
}

/// A segment's name. Source: App API, `getSegment`.
pub fn segment_name(body: &str) -> Option<String> {
    text_at(&unwrapped(body, "segment")?, "name")
}

/// A series by hour, wherever it stands: at the top, or under one other key or two. Source: App API,
/// `campaignJourneyMetrics` and `campaignMetrics`, whose wrapping is not documented.
pub fn series(body: &str, name: &str) -> Option<Vec<u64>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    find(&answer, name, 3)
}

fn find(value: &Value, name: &str, depth: usize) -> Option<Vec<u64>> {
    let object = value.as_object()?;
    if let Some(list) = object.get(name).and_then(Value::as_array) {
        return list.iter().map(count).collect();
    }
    let deeper = depth.checked_sub(1)?;
    object.values().find_map(|inner| find(inner, name, deeper))
}

/// A bucket without a number is none at all: then no sum is right.
fn count(bucket: &Value) -> Option<u64> {
    match bucket {
        Value::Null => Some(0),
        other => other.as_u64().or_else(|| other.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_runs_or_is_what_it_says() {
        let rows = [
            (r#"{"campaign":{"id":5,"state":"running","active":true}}"#, Some("running")),
            (r#"{"campaign":{"state":"Stopped"}}"#, Some("stopped")),
            (r#"{"state":"draft","active":false}"#, Some("draft")),
            (r#"{"campaign":{"state":"running","active":false}}"#, Some("stopped")),
            (r#"{"campaign":{"active":false}}"#, Some("stopped")),
            (r#"{"campaign":{"state":"<script>"}}"#, None),
            (r#"{"campaign":{}}"#, None),
            ("[]", None),
            ("no", None),
        ];
        for (body, expected) in rows {
            assert_eq!(state(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_campaign_says_what_starts_it_and_what_its_steps_are() {
        let body = r#"{"campaign":{"id":5,"name":"Activation","state":"running","event_name":"user_activated","trigger_segment_ids":null,"filter_segment_ids":[21,"22"],"first_started":1552341937}}"#;
        let read = detail(body).expect("a campaign");
        assert_eq!((read.event_name.as_deref(), read.state.as_deref()), (Some("user_activated"), Some("running")));
        assert_eq!((read.trigger_segments, read.filter_segments), (vec![], vec!["21".to_owned(), "22".to_owned()]));
        assert_eq!(detail(r#"{"errors":[{"detail":"no"}]}"#), None);
        let body = r#"{"actions":[{"id":96,"type":"twilio","sending_state":"Draft","from_id":0,"recipient":"{{customer.phone}}"},{"type":"email"}],"next":"x"}"#;
        let (read, next) = actions(body).expect("a list");
        assert_eq!((read.len(), read[0].channel.as_str(), next.as_deref()), (1, "sms", Some("x")));
        assert_eq!((read[0].sending.as_deref(), read[0].from_id.as_deref()), (Some("draft"), None));
        assert_eq!(segment_name(r#"{"segment":{"id":7,"name":"Paying"}}"#).as_deref(), Some("Paying"));
    }

    #[test]
    fn a_series_is_found_wherever_it_is_wrapped_and_not_guessed() {
        let rows = [
            (r#"{"started":[1,2]}"#, Some(vec![1, 2])),
            (r#"{"journey_metric":{"started":[1,null,2.0]}}"#, Some(vec![1, 0, 2])),
            (r#"{"metric":{"series":{"started":[]}}}"#, Some(vec![])),
            (r#"{"metric":{"series":{"started":["x"]}}}"#, None),
            (r#"{"started":7}"#, None),
            (r#"{"a":{"b":{"c":{"d":{"started":[1]}}}}}"#, None),
            ("", None),
        ];
        for (body, expected) in rows {
            assert_eq!(series(body, "started"), expected, "{body}");
        }
    }
}
