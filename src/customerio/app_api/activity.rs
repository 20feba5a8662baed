//! Reads a page of activities: events as Customer.io received them. Source: App API, `getActivities`.

use jiff::Timestamp;
use serde_json::Value;

use super::loose::{entries, text_at, time};

/// One received event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    pub id: String,
    pub name: String,
    /// The event's own time.
    pub at: Timestamp,
    /// When it was received, where its id tells: the id is a ULID, whose first 48 bits are milliseconds.
    pub received_at: Option<Timestamp>,
    /// Whether it belongs to a profile that somebody identified.
    pub has_person: bool,
    /// The profile's address, for `[ignore] recipients`. Never kept.
    pub email: Option<String>,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub activities: Vec<Activity>,
    pub next: Option<String>,
    /// Entries that could not be read: with any of them a count is a lower bound.
    pub unread: usize,
}

/// A page of events. `None` when the answer holds no list: then nothing is known.
pub fn page(body: &str) -> Option<Page> {
    let list = entries(body, "activities")?;
    let all = list.entries.len();
    let activities: Vec<Activity> = list.entries.iter().filter_map(one).collect();
    Some(Page { unread: all - activities.len(), activities, next: list.next })
}

fn one(entry: &Value) -> Option<Activity> {
    let who = entry.get("customer_identifiers").unwrap_or(&Value::Null);
    let id = text_at(entry, "id")?;
    Some(Activity {
        received_at: ulid_time(&id),
        id,
        name: text_at(entry, "name").unwrap_or_default(),
        at: entry.get("timestamp").and_then(time)?,
        has_person: text_at(entry, "customer_id").is_some()
            || ["id", "email"].iter().any(|key| text_at(who, key).is_some()),
        email: text_at(who, "email"),
    })
}

/// The time in a ULID: ten characters of Crockford's base 32. Source: github.com/ulid/spec.
fn ulid_time(id: &str) -> Option<Timestamp> {
    const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if id.len() != 26 {
        return None;
    }
    let digit = |c: char| LETTERS.find(c.to_ascii_uppercase()).and_then(|digit| i64::try_from(digit).ok());
    let head = id.get(..10)?;
    let millis = head.chars().try_fold(0_i64, |sum, c| Some(sum * 32 + digit(c)?))?;
    Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_loosely_and_what_is_not_read_is_said() {
        let body = r#"{"activities":[
            {"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","type":"event","name":"A","timestamp":1469918176,"customer_id":"u"},
            {"id":"x","name":"B","timestamp":"1469918177","customer_identifiers":{"email":"ada@example.test"}},
            {"id":"y","name":"C","timestamp":1469918178,"customer_id":"","customer_identifiers":{"cio_id":"d9"}},
            {"id":"z","name":"no time"}],"next":"n"}"#;
        let page = page(body).expect("a page");
        assert_eq!((page.activities.len(), page.unread, page.next.as_deref()), (3, 1, Some("n")));
        let first = &page.activities[0];
        assert_eq!(first.received_at.map(|at| at.as_millisecond()), Some(1_469_922_850_259));
        assert_eq!(page.activities.iter().map(|a| a.has_person).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(super::page(r#"{"errors":[]}"#), None);
        assert!(super::page(r#"{"activities":null}"#).is_some_and(|page| page.activities.is_empty()));
    }
}
