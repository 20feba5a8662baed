//! What every reader of an answer shares: ids and times that are numbers or texts, lists that are `null`, and keys that
//! may or may not wrap what was asked for.

use jiff::Timestamp;
use serde_json::Value;

/// A number or a text, as text; never empty.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text under a key.
pub fn text_at(object: &Value, key: &str) -> Option<String> {
    object.get(key).and_then(text)
}

/// Unix seconds, as a number or a text; 0 is no time.
pub fn time(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64))?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)
}

/// A switch, as a boolean or as the text that attributes are kept as.
pub fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// What stands under `wrapper`, or the whole when nothing does. `None` for what is no object, or is an error.
pub fn unwrapped(body: &str, wrapper: &str) -> Option<Value> {
    let mut answer: Value = serde_json::from_str(body).ok()?;
    if let Some(inner) = answer.get_mut(wrapper).filter(|inner| inner.is_object()) {
        return Some(inner.take());
    }
    let is_error = ["errors", "meta"].iter().any(|key| answer.get(key).is_some());
    (answer.is_object() && !is_error).then_some(answer)
}

/// A page of a list: its entries, and what the next page begins with; `None` on the last one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    pub entries: Vec<Value>,
    pub next: Option<String>,
}

/// The list under `wrapper`, at the top, or the only list there is; `null` is an empty one. `None` when the answer holds
/// no list: then nothing is known.
pub fn entries(body: &str, wrapper: &str) -> Option<Entries> {
    let answer: Value = serde_json::from_str(body).ok()?;
    if let Value::Array(entries) = answer {
        return Some(Entries { entries, next: None });
    }
    let object = answer.as_object()?;
    let next = object.get("next").and_then(text);
    match object.get(wrapper) {
        Some(Value::Array(entries)) => return Some(Entries { entries: entries.clone(), next }),
        Some(Value::Null) => return Some(Entries { entries: Vec::new(), next }),
        _ if object.contains_key("errors") || object.contains_key("meta") => return None,
        _ => {}
    }
    let mut lists = object.values().filter_map(Value::as_array);
    let list = lists.next()?;
    lists.next().is_none().then(|| Entries { entries: list.clone(), next })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_times_and_switches_are_read_as_numbers_and_as_texts() {
        assert_eq!([text(&json!(5)), text(&json!(" 5 "))], [Some("5".to_owned()), Some("5".to_owned())]);
        assert_eq!([text(&json!(null)), text(&json!("")), text(&json!([]))], [None, None, None]);
        assert_eq!(time(&json!(1_767_225_590)), time(&json!("1767225590")));
        assert_eq!([time(&json!(0)), time(&json!("soon")), time(&json!(null))], [None, None, None]);
        assert_eq!([switch(&json!(true)), switch(&json!("False")), switch(&json!(1))], [Some(true), Some(false), None]);
    }

    #[test]
    fn a_list_is_found_with_and_without_its_key_and_an_error_is_no_list() {
        for (body, count, next) in [
            (r#"{"messages":[1,2],"next":"a"}"#, Some(2), Some("a")),
            (r#"{"messages":null}"#, Some(0), None),
            ("[1]", Some(1), None),
            (r#"{"deliveries":[1,2,3],"next":""}"#, Some(3), None),
            (r#"{"a":[1],"b":[2]}"#, None, None),
            (r#"{"errors":[{"detail":"no","status":429}]}"#, None, None),
            (r#"{"meta":{"errors":["no"]}}"#, None, None),
            ("<html>", None, None),
        ] {
            let read = entries(body, "messages");
            assert_eq!(read.as_ref().map(|page| page.entries.len()), count, "{body}");
            assert_eq!(read.and_then(|page| page.next).as_deref(), next, "{body}");
        }
        assert_eq!(unwrapped(r#"{"campaign":{"id":5}}"#, "campaign"), Some(json!({"id": 5})));
        assert_eq!(unwrapped(r#"{"id":5}"#, "campaign"), Some(json!({"id": 5})));
        assert_eq!(unwrapped(r#"{"errors":[]}"#, "campaign"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(body in any::<String>(), json in r#"[\[\]{}":,a-z0-9]{0,60}"#) {
            for body in [body, json] {
                let _ = (entries(&body, "messages"), unwrapped(&body, "campaign"));
            }
        }
    }
}
