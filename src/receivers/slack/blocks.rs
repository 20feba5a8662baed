//! What Slack is sent: blocks, with one line of text for notifications; or plain text when it refuses the blocks.
//! The blocks stand at the top level: inside an attachment every refusal reads `invalid_attachments`.

use serde_json::{Value, json};

use super::mrkdwn::{escape, len, link};
use crate::incident::Severity;
use crate::message::{Message, Phase};
use crate::receivers::plain::{self, Set};

/// Block Kit's limits, in characters or items. Source: docs.slack.dev, Block Kit reference (header, section, context).
pub const HEADER_CHARS: usize = 150;
pub const SECTION_CHARS: usize = 3_000;
pub const FIELDS: usize = 10;
pub const FIELD_CHARS: usize = 2_000;
pub const BLOCKS: usize = 50;

/// All text of all blocks; above about 13,000 Slack answers `msg_blocks_too_long`, which is not documented.
/// Source: github.com/slackapi/bolt-js/issues/2509.
pub const ALL_CHARS: usize = 10_000;

/// The top-level text; a longer one may be split into several messages.
pub const TEXT_CHARS: usize = 3_500;

/// How much of each piece is shown: enough to know where to look.
pub(super) const HEADLINE: usize = 1_000;
const FIELD_VALUE: usize = 500;
const LINE: usize = 500;
const SAMPLE: usize = 600;
const SAMPLES: usize = 3;
const LINKS: usize = 5;
const LINKS_CHARS: usize = 2_500;
pub(super) const FOOTER: usize = 600;

/// Blocks, and the headline as text.
pub fn payload(message: &Message) -> Value {
    rich(message, None)
}

/// The same in plain text, without blocks.
pub fn plain_payload(message: &Message) -> Value {
    flat(message, None)
}

/// [`payload`], with a short text of Slack's markup in its last line that says how fresh it is.
pub(super) fn rich(message: &Message, as_of: Option<&str>) -> Value {
    json!({
        "text": escape(&headline(message), HEADLINE),
        "blocks": blocks(message, as_of),
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// [`plain_payload`], with a short line under the first that says how fresh it is.
pub(super) fn flat(message: &Message, as_of: Option<&str>) -> Value {
    let mut text = escape(&headline(message), HEADLINE);
    if let Some(line) = as_of {
        text.push('\n');
        text.push_str(&escape(line, LINE));
    }
    let lines = if message.is_all_fine() { Vec::new() } else { plain::lines(message, Set::Flowing) };
    for (i, line) in lines.iter().enumerate() {
        let line = escape(line, LINE);
        if len(&text) + len(&line) + 30 > TEXT_CHARS {
            text.push_str(&format!("\n{}", more(lines.len() - i)));
            break;
        }
        text.push('\n');
        text.push_str(&line);
    }
    json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false })
}

/// The title with a sign that is seen from across the room.
pub(in crate::receivers) fn headline(message: &Message) -> String {
    let sign = match (message.phase, message.severity) {
        (Phase::Resolved | Phase::OpenedAndResolved, _) if plain::is_fixed(message) => "✅",
        (Phase::Resolved | Phase::OpenedAndResolved, _) => "⚪",
        (Phase::Digest, _) => "📋",
        (Phase::Test, _) => "🧪",
        (_, Severity::Critical) => "🔴",
        (_, Severity::Warning) => "🟠",
        (_, Severity::Info) => "🔵",
    };
    format!("{sign} {}", plain::title(message))
}

fn blocks(message: &Message, as_of: Option<&str>) -> Vec<Value> {
    let title = headline(message);
    let header = escape(&title, HEADER_CHARS);
    let whole = escape(&title, HEADLINE);
    if message.is_all_fine() {
        return vec![section(mrkdwn(&whole))];
    }
    let footer = escape(&footer(message), FOOTER);
    let links = links(message);
    // What the frame takes is taken first; each of the four lists may end in a "+N more" besides.
    let mut room = ALL_CHARS - 200;
    for frame in [&*header, &*whole, &*footer, &*links, as_of.unwrap_or_default()] {
        room = room.saturating_sub(len(frame));
    }

    let mut blocks = vec![json!({ "type": "header", "text": plain_text(&header) })];
    if header != whole {
        blocks.push(section(mrkdwn(&whole)));
    }
    blocks.extend(fields(message, &mut room));
    // On a phone most lines of a digest wrap: a point shows where each begins.
    let point = if message.phase == Phase::Digest { "• " } else { "" };
    let lines = message.lines.iter().map(|line| format!("{point}{}", escape(line, LINE)));
    blocks.extend(sections(None, listed(lines, usize::MAX, &mut room)));
    let steps = message.steps.iter().enumerate().map(|(i, step)| format!("{}. {}", i + 1, escape(step, LINE)));
    blocks.extend(sections(Some("*Check first*"), listed(steps, usize::MAX, &mut room)));
    blocks.extend(samples(message, &mut room));
    if !links.is_empty() {
        blocks.push(section(mrkdwn(&links)));
    }
    let last: Vec<Value> = std::iter::once(&*footer).chain(as_of).map(mrkdwn).collect();
    blocks.push(json!({ "type": "context", "elements": last }));
    blocks
}

/// Names and values side by side, ten to a section.
fn fields(message: &Message, room: &mut usize) -> Vec<Value> {
    let named = message.fields.iter().map(|f| format!("*{}*\n{}", escape(f.name, 75), escape(&f.value, FIELD_VALUE)));
    let texts = listed(named, 2 * FIELDS - 1, room);
    texts
        .chunks(FIELDS)
        .map(|chunk| json!({ "type": "section", "fields": chunk.iter().map(|t| mrkdwn(t)).collect::<Vec<_>>() }))
        .collect()
}

/// Failure texts as plain text, in which nothing is markup.
fn samples(message: &Message, room: &mut usize) -> Vec<Value> {
    let quoted = message.samples.iter().map(|s| escape(&plain::quoted(s), SAMPLE));
    let texts = listed(quoted, SAMPLES, room);
    if texts.is_empty() {
        return Vec::new();
    }
    vec![section(mrkdwn("*It said*")), section(plain_text(&texts.join("\n")))]
}

fn links(message: &Message) -> String {
    let mut out = String::new();
    for text in message.links.iter().filter_map(|l| link(&l.href, &plain::one_line(&l.text))).take(LINKS) {
        if len(&out) + len(&text) + 3 <= LINKS_CHARS {
            out.push_str(if out.is_empty() { "" } else { " · " });
            out.push_str(&text);
        }
    }
    out
}

fn footer(message: &Message) -> String {
    match &message.note {
        Some(note) => format!("{} · {}", plain::footer(message), plain::one_line(note)),
        None => plain::footer(message),
    }
}

/// Texts as long as there is room and not more than `most`; what is left out is counted.
fn listed(texts: impl ExactSizeIterator<Item = String>, most: usize, room: &mut usize) -> Vec<String> {
    let all = texts.len();
    let mut out = Vec::new();
    for text in texts {
        let needed = len(&text) + 1;
        if out.len() >= most || needed > *room {
            out.push(more(all - out.len()));
            // Later details must not squeeze in where an earlier one did not fit.
            *room = 0;
            break;
        }
        *room -= needed;
        out.push(text);
    }
    out
}

fn more(n: usize) -> String {
    format!("+{n} more")
}

/// Lines joined into as few sections as their length allows, the title before the first.
fn sections(title: Option<&str>, lines: Vec<String>) -> Vec<Value> {
    if lines.is_empty() {
        return Vec::new();
    }
    let mut texts: Vec<String> = Vec::new();
    for line in title.map(str::to_owned).into_iter().chain(lines).filter(|l| !l.trim().is_empty()) {
        match texts.last_mut() {
            Some(text) if len(text) + len(&line) < SECTION_CHARS => {
                text.push('\n');
                text.push_str(&line);
            }
            _ => texts.push(line),
        }
    }
    texts.iter().map(|text| section(mrkdwn(text))).collect()
}

fn section(text: Value) -> Value {
    json!({ "type": "section", "text": text })
}

/// `verbatim`: Slack makes no link or mention of what merely looks like one.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
pub(super) mod tests;
