//! What SNS is sent for chat: the custom notification that Amazon Q Developer in chat applications (once AWS Chatbot)
//! shows in Slack or Teams. Pure; the sending is in `sns`.
//! Source: docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html, event schema and parameter details.

use serde_json::{Map, Value, json};

use super::pagerduty::dedup_key;
use super::plain::{self, Set};
use super::slack::headline;
use super::slack::mrkdwn::{escape, len};
use super::sns_message::{SnsMessage, action, around, is_allowed};
use crate::message::Message;

/// Longest title and description, in characters: our own bounds, as the page's own could not be found.
pub const TITLE_CHARS: usize = 250;
pub const DESCRIPTION_CHARS: usize = 2_000;

/// Room for the names of a roll-up in the description, in characters.
pub const NAMES_CHARS: usize = 1_300;

/// Most steps, and the longest step: as much as people read in a chat.
pub const NEXT_STEPS: usize = 10;
pub const STEP_CHARS: usize = 300;

/// Longest keyword, and longest name or number beside the text: far more than any name of ours needs. With all the
/// other bounds the whole stays under a sixth of [`super::sns_message::MESSAGE_BYTES`], so nothing is ever cut again.
pub const KEYWORD_CHARS: usize = 100;
pub const CONTEXT_CHARS: usize = 256;

/// Longest line of the description.
const LINE: usize = 500;

/// The message for SNS, within its limits. Without a subject: it is a program that reads this.
pub fn render(message: &Message) -> SnsMessage {
    around(message, None, notification(message).to_string())
}

fn notification(message: &Message) -> Value {
    let title = clean(&headline(message), TITLE_CHARS);
    let mut content = json!({
        "textType": "client-markdown",
        "title": title,
        "description": description(message),
    });
    let steps: Vec<String> = message.steps.iter().map(|s| clean(s, STEP_CHARS)).filter(|s| !s.is_empty()).collect();
    let about = &message.about;
    let condition = about.rule.as_deref().or(about.heartbeat.as_deref());
    let keywords = [Some(message.severity.as_str()), condition, about.cause.as_deref()];
    let keywords: Vec<String> = keywords.into_iter().flatten().map(|k| clean(k, KEYWORD_CHARS)).collect();
    for (name, texts) in [("nextSteps", steps), ("keywords", keywords)] {
        let texts: Vec<String> = texts.into_iter().filter(|t| !t.is_empty()).take(NEXT_STEPS).collect();
        if let Some(content) = content.as_object_mut().filter(|_| !texts.is_empty()) {
            content.insert(name.to_owned(), json!(texts));
        }
    }
    json!({
        "version": "1.0",
        "source": "custom",
        "content": content,
        "metadata": {
            // What follows an opening goes to its thread; the next episode opens one of its own, or it would be
            // buried in the old one.
            "threadId": format!("{}-{}", clean(&dedup_key(&message.key), CONTEXT_CHARS), message.episode),
            "summary": title,
            "eventType": event_type(message),
            "additionalContext": context(message),
        },
    })
}

/// What happened, as a word that conditions can name: `opened`, `still-open`.
fn event_type(message: &Message) -> String {
    json!(message.phase).as_str().unwrap_or_default().replace('_', "-")
}

/// Names and numbers, all of them texts, for whoever acts on the notification.
fn context(message: &Message) -> Map<String, Value> {
    let about = &message.about;
    let numbers = (about.of > 0 || about.count > 0).then(|| (about.count.to_string(), about.of.to_string()));
    let named = [
        ("severity", Some(message.severity.as_str())),
        ("action", Some(action(message.phase))),
        ("incident", Some(message.incident.as_str())),
        ("workspace", Some(message.workspace.as_str())),
        ("source", about.sources.first().map(String::as_str)),
        ("rule", about.rule.as_deref()),
        ("heartbeat", about.heartbeat.as_deref()),
        ("metric", about.metric.as_deref()),
        ("cause", about.cause.as_deref()),
        ("count", numbers.as_ref().map(|(count, _)| count.as_str())),
        ("of", numbers.as_ref().map(|(_, of)| of.as_str())),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name, clean(value?, CONTEXT_CHARS))));
    named.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// Everything but the title and the steps, which stand in fields of their own, as long as there is room.
fn description(message: &Message) -> String {
    let mut rest = Message { steps: Vec::new(), ..message.clone() };
    if rest.is_all_fine() {
        // The title says it all; what is left says where it comes from.
        rest.lines.clear();
    }
    let lines = plain::lines(&rest, Set::Flowing);
    let mut text = String::new();
    for (i, line) in lines.iter().enumerate() {
        let line = clean(line, LINE);
        let left = lines.iter().skip(i).filter(|l| !l.is_empty()).count();
        let more = format!("+{left} more");
        // The last line needs no room for the count of what follows it.
        let reserved = if i + 1 == lines.len() { 0 } else { len(&more) + 1 };
        if len(&text) + len(&line) + 1 + reserved > DESCRIPTION_CHARS {
            text.push_str(&more);
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.trim().to_owned()
}

/// One line that is no markup in Slack, where most of these are read.
fn clean(text: &str, most: usize) -> String {
    let allowed: String = text.chars().filter(|c| is_allowed(*c)).collect();
    escape(plain::one_line(&allowed).trim(), most).trim().to_owned()
}

#[cfg(test)]
#[path = "sns_chat_tests.rs"]
mod tests;
