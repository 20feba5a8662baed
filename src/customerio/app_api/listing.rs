//! Reads a list's answer: loosely, since a name that is missing costs less than a list that is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::loose::text;

/// Longest id that is kept, in bytes; the vendor's are small numbers.
const ID_BYTES: usize = 64;

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Id and name of what has both.
    pub names: Vec<(String, String)>,
    /// What the next page begins with; `None` on the last one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: Value,
}

/// Reads an answer whose list stands under `wrapper`, or is the whole of it, or stands under another key or one level
/// deeper. `null` is an empty list. `None` when there is no list in it at all: then nothing is known.
pub fn page(body: &str, wrapper: &str) -> Option<Page> {
    let body = body.trim();
    if body.starts_with('[') {
        return Some(Page { names: names(body)?, next: None });
    }
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(body).ok()?;
    let next = object.get("next").and_then(|next| serde_json::from_str(next.get()).ok()).and_then(|n| text(&n));
    let list = match object.get(wrapper).map(|list| list.get()) {
        Some("null") => return Some(Page { names: Vec::new(), next: None }),
        Some(list) if list.starts_with('[') => list,
        _ => elsewhere(&object)?,
    };
    Some(Page { names: names(list)?, next })
}

/// A list of things with ids, under whatever key.
fn elsewhere<'b>(object: &BTreeMap<String, &'b RawValue>) -> Option<&'b str> {
    let inner = object.values().filter_map(|value| {
        let inner: BTreeMap<String, &'b RawValue> = serde_json::from_str(value.get()).ok()?;
        Some(inner.into_values().collect::<Vec<_>>())
    });
    let candidates = object.values().copied().chain(inner.flatten());
    // An error's list has no names.
    candidates.map(RawValue::get).find(|list| list.starts_with('[') && names(list).is_some_and(|n| !n.is_empty()))
}

/// Entry by entry: one that cannot be read is left out, not all of them.
fn names(list: &str) -> Option<Vec<(String, String)>> {
    let entries: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    let named = |entry: &&RawValue| {
        let Entry { id, name } = serde_json::from_str(entry.get()).ok()?;
        let id = text(&id).filter(|id| id.len() <= ID_BYTES)?;
        Some((id, name.as_str().filter(|name| !name.trim().is_empty())?.to_owned()))
    };
    Some(entries.iter().filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Option<(String, Option<String>)> {
        let page = page(body, "campaigns")?;
        let names: Vec<String> = page.names.iter().map(|(id, name)| format!("{id}={name}")).collect();
        Some((names.join(" "), page.next))
    }

    #[test]
    fn a_list_is_found_wherever_it_stands() {
        let some = |names: &str, next: Option<&str>| Some((names.to_owned(), next.map(str::to_owned)));
        for (body, want) in [
            // As documented, with much that is not asked for.
            (
                r#"{"campaigns":[{"id":5,"deduplicate_id":"5:1","name":"Activation","actions":[{"id":9}]}]}"#,
                some("5=Activation", None),
            ),
            (
                r#"{"campaigns":[{"id":5,"name":"A"},{"id":"6","name":"B"}],"next":"MTA="}"#,
                some("5=A 6=B", Some("MTA=")),
            ),
            (r#"{"next":17,"campaigns":[{"id":5,"name":"A"}]}"#, some("5=A", Some("17"))),
            // No list is an empty list; no next page is no next page.
            (r#"{"campaigns":null,"next":null}"#, some("", None)),
            (r#"{"campaigns":[],"next":""}"#, some("", None)),
            // Another wrapper, none, or one too many.
            (r#"[{"id":5,"name":"A"}]"#, some("5=A", None)),
            (r#"{"automations":[{"id":5,"name":"A"}],"next":"x"}"#, some("5=A", Some("x"))),
            (r#"{"data":{"campaigns":[{"id":5,"name":"A"}]}}"#, some("5=A", None)),
            // What has no id or no name is left out; the others stay.
            (
                r#"{"campaigns":[{"id":5,"name":"A"},null,7,{"id":6},{"name":"C"},{"id":[],"name":"D"},{"id":8,"name":9},{"id":9,"name":" "}]}"#,
                some("5=A", None),
            ),
            // Nothing that could be a list: nothing is known.
            (r#"{"errors":[{"detail":"no","status":"400"}]}"#, None),
            (r#"{"meta":{"error":"no"}}"#, None),
            ("{}", None),
            (r#"{"campaigns":[{"id":5,"name":"A"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(read(body), want, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(body in any::<String>(), json in r#"[\[\]{}":,a-z0-9]{0,60}"#) {
            let _ = page(&body, "campaigns");
            let _ = page(&format!(r#"{{"campaigns":{json}}}"#), "campaigns");
        }
    }
}
