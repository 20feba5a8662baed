//! What starts a campaign, as it was yesterday and as it is today; and which transactional messages wait for a person.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::schema::Privacy;
use crate::customerio::app_api::campaign::Detail;
use crate::customerio::app_api::names::tidy;

/// What a campaign is started by, and whom it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// To the letter: an event of another case starts nothing.
    pub event: Option<String>,
    pub trigger_segments: Vec<String>,
    pub filter_segments: Vec<String>,
}

impl Snapshot {
    pub fn of(campaign: &Detail) -> Self {
        let sorted = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids.dedup();
            ids
        };
        Self {
            event: campaign.event_name.clone(),
            trigger_segments: sorted(&campaign.trigger_segments),
            filter_segments: sorted(&campaign.filter_segments),
        }
    }

    /// What is different from `before`, in words.
    pub fn changes(&self, before: &Self, privacy: Privacy) -> Vec<String> {
        let mut changes = Vec::new();
        if self.event != before.event {
            let shown = |event: &Option<String>| match event.as_deref().and_then(|name| tidy(name, privacy)) {
                Some(name) => format!("`{name}`"),
                None => "no event".to_owned(),
            };
            changes.push(format!("trigger event was {}, is {}", shown(&before.event), shown(&self.event)));
        }
        let lists = [
            ("trigger segments", &before.trigger_segments, &self.trigger_segments),
            ("filter segments", &before.filter_segments, &self.filter_segments),
        ];
        for (what, before, after) in lists.into_iter().filter(|(_, before, after)| before != after) {
            let not_in = |ids: &[String], others: &[String]| {
                let ids: Vec<&str> = ids.iter().filter(|id| !others.contains(id)).map(String::as_str).collect();
                ids.join(", ")
            };
            let (added, removed) = (not_in(after, before), not_in(before, after));
            let parts = [(added, "added"), (removed, "removed")];
            let parts = parts.iter().filter(|(ids, _)| !ids.is_empty()).map(|(ids, how)| format!("{ids} {how}"));
            changes.push(format!("{what}: {}", parts.collect::<Vec<_>>().join(", ")));
        }
        changes
    }
}

/// The ids of the transactional messages that queue drafts; `None` when the answer holds no list. Source: App API,
/// `listTransactional`.
pub fn queueing(body: &str) -> Option<Vec<String>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let list = match &answer {
        Value::Array(list) => list,
        Value::Object(object) => match object.get("messages")? {
            Value::Array(list) => list,
            Value::Null => return Some(Vec::new()),
            _ => return None,
        },
        _ => return None,
    };
    let queues = list.iter().filter(|entry| entry.get("queue_drafts").and_then(Value::as_bool) == Some(true));
    let id = |entry: &Value| match entry.get("id")? {
        Value::Number(id) => Some(id.to_string()),
        Value::String(id) => Some(id.clone()),
        _ => None,
    };
    Some(queues.filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::app_api::campaign;

    fn snapshot(body: &str) -> Snapshot {
        Snapshot::of(&campaign::detail(body).expect("a campaign"))
    }

    #[test]
    fn a_changed_trigger_or_filter_is_said_in_words_and_an_order_is_no_change() {
        let before = snapshot(r#"{"campaign":{"event_name":"user_activated","filter_segment_ids":[21,22]}}"#);
        let changes = |body: &str| snapshot(body).changes(&before, Privacy::default());
        assert_eq!(
            changes(r#"{"campaign":{"event_name":"user_activated","filter_segment_ids":["22",21]}}"#),
            Vec::<String>::new()
        );
        assert_eq!(
            changes(r#"{"campaign":{"event_name":"User Activated","filter_segment_ids":[22,23]}}"#),
            ["trigger event was `user_activated`, is `User Activated`", "filter segments: 23 added, 21 removed"]
        );
        assert_eq!(
            changes(r#"{"campaign":{"trigger_segment_ids":[7],"filter_segment_ids":[21,22]}}"#),
            ["trigger event was `user_activated`, is no event", "trigger segments: 7 added"]
        );
    }

    #[test]
    fn messages_that_queue_drafts_are_found_and_what_is_no_list_says_nothing() {
        let body = r#"{"messages":[{"id":2,"queue_drafts":true},{"id":3,"queue_drafts":false},{"id":"4","queue_drafts":true},{"id":5}]}"#;
        assert_eq!(queueing(body), Some(vec!["2".to_owned(), "4".to_owned()]));
        assert_eq!(queueing(r#"{"messages":null}"#), Some(Vec::new()));
        assert_eq!([queueing(r#"{"errors":[]}"#), queueing("no")], [None, None]);
    }
}
