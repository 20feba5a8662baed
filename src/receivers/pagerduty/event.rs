//! What PagerDuty is sent: an event of the Events API v2.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::incident::Severity;
use crate::message::text::cut;
use crate::message::{Message, Phase};

/// Longest summary, in characters; a longer one is a 400 and the alert is lost.
/// Source: developer.pagerduty.com, Events API v2, "Send an Alert Event".
pub const SUMMARY_CHARS: usize = 1024;

/// Longest dedup key, in characters. Source: the same page.
pub const DEDUP_KEY_CHARS: usize = 255;

/// Longest request, in bytes of JSON: 512 KB, read as decimal to be safe.
/// Source: developer.pagerduty.com, Events API v2 overview.
pub const EVENT_BYTES: usize = 512_000;

/// Our own bounds for texts without a documented one, in characters: far more than any name of ours needs.
const NAME_CHARS: usize = 255;
const HREF_BYTES: usize = 2_048;
const LINKS: usize = 10;

const DETAILS: &str = "/payload/custom_details";

/// A detail is not cut below this, in characters: there are too many of them then, not too long ones.
const SHORT_CHARS: usize = 200;

/// How often the longest detail is cut before all of them are left out.
const CUTS: usize = 64;

/// The event for a message; `resolve` has only what PagerDuty matches it by.
pub fn event(message: &Message, routing_key: &str) -> Value {
    let dedup_key = dedup_key(&message.key);
    if message.phase.is_over() {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key });
    }
    if message.phase == Phase::Acted {
        return json!({ "routing_key": routing_key, "event_action": "acknowledge", "dedup_key": dedup_key });
    }
    let mut event = Map::from_iter([
        ("routing_key".to_owned(), json!(routing_key)),
        ("event_action".to_owned(), json!("trigger")),
        ("dedup_key".to_owned(), json!(dedup_key)),
        ("payload".to_owned(), payload(message)),
        ("client".to_owned(), json!("cio-alert-bridge")),
    ]);
    let links = links(message);
    if let Some(first) = links.first() {
        event.extend(first.get("href").map(|href| ("client_url".to_owned(), href.clone())));
        event.insert("links".to_owned(), Value::Array(links));
    }
    let mut event = Value::Object(event);
    fit(&mut event, message);
    event
}

/// The key that joins all messages about one incident: free of time and episode, so that a resolve always finds its
/// trigger.
pub fn dedup_key(incident: &str) -> String {
    let key = format!("cio-{incident}");
    if key.chars().count() <= DEDUP_KEY_CHARS {
        return key;
    }
    let hash = Sha256::digest(incident);
    std::iter::once("cio-".to_owned()).chain(hash.iter().map(|b| format!("{b:02x}"))).collect()
}

/// PagerDuty's word for a severity (`critical`, `error`, `warning`, `info`); any other word is a 400.
const fn severity(of: Severity) -> &'static str {
    match of {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn payload(message: &Message) -> Value {
    let about = &message.about;
    let source = match about.sources.first() {
        Some(source) if !source.is_empty() => source.clone(),
        _ => format!("customer.io/{}", message.workspace),
    };
    let named = |text: &str| (!text.is_empty()).then(|| json!(cut(text, NAME_CHARS)));
    let class = about.metric.as_deref().filter(|m| !m.is_empty()).unwrap_or_else(|| kind(message));
    let optional = [
        ("component", about.sources.first().and_then(|s| named(s))),
        ("group", named(&message.workspace)),
        ("class", named(class)),
    ];
    let mut payload = Map::from_iter([
        ("summary".to_owned(), json!(summary(message))),
        ("source".to_owned(), json!(cut(&source, NAME_CHARS))),
        ("severity".to_owned(), json!(severity(message.severity))),
        ("timestamp".to_owned(), json!(message.since.to_string())),
        ("custom_details".to_owned(), details(message)),
    ]);
    payload.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(payload)
}

fn summary(message: &Message) -> String {
    let line = message.headline.split_whitespace().collect::<Vec<_>>().join(" ");
    let test = if message.phase == Phase::Test && !line.to_lowercase().contains("test") { "Test: " } else { "" };
    match line.is_empty() {
        true => cut(&format!("{test}Incident {}", message.incident), SUMMARY_CHARS).into_owned(),
        false => cut(&format!("{test}{line}"), SUMMARY_CHARS).into_owned(),
    }
}

/// What opened it: the label `kind`, which routes match on as well.
fn kind(message: &Message) -> &str {
    use crate::route::Label;
    message.labels.get(&Label::Kind).and_then(|v| v.first()).map_or("alert", String::as_str)
}

/// `custom_details`: the machine's names and numbers first, then what people read.
fn details(message: &Message) -> Value {
    let mut details = machine_details(message);
    let about = &message.about;
    if about.sources.len() > 1 {
        details.insert("sources".to_owned(), json!(about.sources));
    }
    for field in &message.fields {
        // Said already, in the machine's words.
        if details.get(&field.name.to_lowercase()).is_some_and(|said| *said == field.value) {
            continue;
        }
        // A field never replaces a name that filters and event rules look at.
        details.entry(field.name).or_insert_with(|| json!(field.value));
    }
    for (name, texts) in [("check_first", &message.steps), ("samples", &message.samples), ("lines", &message.lines)] {
        if !texts.is_empty() {
            details.entry(name).or_insert_with(|| json!(texts));
        }
    }
    if let Some(note) = &message.note {
        details.entry("note").or_insert_with(|| json!(note));
    }
    Value::Object(details)
}

fn machine_details(message: &Message) -> Map<String, Value> {
    let about = &message.about;
    let texts = [
        ("source", about.sources.first()),
        ("rule", about.rule.as_ref()),
        ("heartbeat", about.heartbeat.as_ref()),
        ("metric", about.metric.as_ref()),
        ("cause", about.cause.as_ref()),
        ("incident", Some(&message.incident)),
    ];
    let mut details = Map::from_iter([
        ("count".to_owned(), json!(about.count)),
        ("of".to_owned(), json!(about.of)),
        ("since".to_owned(), json!(message.since.to_string())),
    ]);
    details.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
    details
}

fn links(message: &Message) -> Vec<Value> {
    let usable = message.links.iter().filter(|l| {
        (l.href.starts_with("https://") || l.href.starts_with("http://"))
            && l.href.len() <= HREF_BYTES
            && !l.href.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    usable.take(LINKS).map(|l| json!({ "href": l.href, "text": cut(&l.text, NAME_CHARS) })).collect()
}

/// Cuts the longest details until the event fits; when that is not enough, only the machine's names and numbers stay.
fn fit(event: &mut Value, message: &Message) {
    for _ in 0..CUTS {
        let excess = event.to_string().len().saturating_sub(EVENT_BYTES);
        if excess == 0 {
            return;
        }
        let Some(text) = event.pointer_mut(DETAILS).and_then(longest) else { break };
        let chars = text.chars().count();
        if chars < SHORT_CHARS {
            break;
        }
        // The excess, but no more than half: an escaped character counts for up to six bytes.
        let keep = chars.saturating_sub(excess).max(chars / 2);
        *text = cut(text, keep).into_owned();
    }
    if event.to_string().len() > EVENT_BYTES
        && let Some(details) = event.pointer_mut(DETAILS)
    {
        *details = Value::Object(few_details(message));
    }
}

fn few_details(message: &Message) -> Map<String, Value> {
    let mut details = machine_details(message);
    for value in details.values_mut() {
        if let Value::String(text) = value {
            *text = cut(text, NAME_CHARS).into_owned();
        }
    }
    details.insert("note".to_owned(), json!("details left out: larger than PagerDuty takes"));
    details
}

/// The longest text anywhere in a value.
fn longest(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => items.iter_mut().filter_map(longest).max_by_key(|t| t.len()),
        Value::Object(entries) => entries.values_mut().filter_map(longest).max_by_key(|t| t.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
