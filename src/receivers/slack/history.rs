//! How the one message of an incident goes on: what it is edited into, and the line of history in its thread.

use jiff::Timestamp;
use serde_json::json;

use super::blocks::{FOOTER, HEADLINE, flat, headline, rich};
use super::method::Body;
use super::mrkdwn::escape;
use crate::incident::How;
use crate::message::{Message, Phase};

/// The parent as it is to read from now on. Unlike a post, an update that names no blocks keeps the old ones, and reads
/// text as if a person had typed it unless told not to parse. Source: docs.slack.dev, chat.update, `blocks`, `parse`.
pub fn edited(message: &Message, now: Timestamp) -> Body {
    let over = if message.phase.is_over() { format!(": {}", how_it_ended(message.ended)) } else { String::new() };
    let utc = format!("As of {} UTC", now.strftime("%Y-%m-%d %H:%M"));
    // In the reader's own zone. Source: docs.slack.dev, "Formatting message text", dates.
    let local = format!("<!date^{}^As of {{date_short_pretty}} at {{time}}|{utc}>{over}", now.as_second());
    let mut plain = flat(message, Some(&format!("{utc}{over}")));
    if let Some(body) = plain.as_object_mut() {
        body.insert("blocks".to_owned(), json!([]));
    }
    Body { rich: rich(message, Some(&local)), plain: Some(plain) }.with("parse", &json!("none"))
}

/// The line of history, for what is more than new numbers.
pub fn reply(message: &Message) -> Option<Body> {
    if !matches!(message.phase, Phase::Worsened | Phase::StillOpen | Phase::Acted | Phase::Resolved) {
        return None;
    }
    // The message above says what it is about.
    let acted = message.acted.as_deref().filter(|acted| message.phase == Phase::Acted && !acted.trim().is_empty());
    let mut text = escape(acted.unwrap_or(&headline(message)), HEADLINE);
    if let Some(note) = &message.note {
        text.push('\n');
        text.push_str(&escape(note, FOOTER));
    }
    // A thread calls nobody: what somebody must hear is shown in the channel too. A note says that another receiver
    // did not take it.
    let broadcast = message.phase == Phase::Worsened || message.note.is_some();
    let rich = json!({
        "text": text,
        "mrkdwn": false,
        "reply_broadcast": broadcast,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    Some(Body { rich, plain: None })
}

const fn how_it_ended(how: Option<How>) -> &'static str {
    match how {
        Some(How::Quiet) => "quiet, and a success was seen since",
        Some(How::Expired) => "quiet for a day, but no success was seen",
        Some(How::Recovered) => "it is as it should be again",
        Some(How::RuleGone) => "its rule or heartbeat is no longer configured",
        Some(How::ByHand) => "closed by hand",
        Some(How::Various) => "some fixed, others expired or no longer watched",
        None => "it is over",
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
