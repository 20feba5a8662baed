//! A message as plain text: what every receiver that takes words can fall back on.

use crate::incident::{How, Severity};
use crate::message::{Message, Phase};

/// What is happening, in a word or three: `Critical`, `Still open`, `Resolved`.
pub fn state(message: &Message) -> &'static str {
    match (message.phase, message.ended) {
        (Phase::Resolved, Some(How::Expired)) => return "Expired, not seen fixed",
        (Phase::Resolved, Some(How::ByHand)) => return "Closed by hand",
        (Phase::OpenedAndResolved, Some(How::ByHand)) => return "Opened and closed by hand",
        (Phase::Resolved, Some(How::RuleGone)) => return "Closed, no longer watched",
        (Phase::Resolved | Phase::OpenedAndResolved, Some(How::Various)) => return "Over",
        (Phase::OpenedAndResolved, Some(How::Expired)) => return "Opened and expired, not seen fixed",
        (Phase::OpenedAndResolved, Some(How::RuleGone)) => return "Opened and closed, no longer watched",
        _ => {}
    }
    match (message.phase, message.severity) {
        (Phase::Opened, Severity::Critical) => "Critical",
        (Phase::Opened, Severity::Warning) => "Warning",
        (Phase::Opened, Severity::Info) => "Info",
        (Phase::Worsened, Severity::Critical) => "Worse, now critical",
        (Phase::Worsened, _) => "Worse",
        (Phase::StillOpen | Phase::Updated | Phase::Acted, _) => "Still open",
        (Phase::Resolved, _) => "Resolved",
        (Phase::OpenedAndResolved, _) => "Opened and resolved",
        (Phase::Digest, _) => "Digest",
        (Phase::Test, _) => "Test",
    }
}

/// The first line: the state, unless the headline begins with it, and the headline. Never empty, one line.
pub fn title(message: &Message) -> String {
    let state = state(message);
    let headline = one_line(&message.headline);
    let said = headline.to_lowercase().starts_with(&state.to_lowercase());
    match headline.is_empty() {
        true => format!("{state}: {}", one_line(&message.incident)).trim_end_matches([' ', ':']).to_owned(),
        false if said => headline,
        false => format!("{state}: {headline}"),
    }
}

/// Whether it is over because it works again, as far as we can tell.
pub fn is_fixed(message: &Message) -> bool {
    message.phase.is_over() && matches!(message.ended, Some(How::Quiet | How::Recovered))
}

/// The text with every run of white space and control characters as one space.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// How the names of fields are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// In a column, for fixed-width type.
    Column,
    Flowing,
}

/// The lines after the title, in reading order; an empty one parts sections.
pub fn lines(message: &Message, set: Set) -> Vec<String> {
    let mut out = Vec::new();
    let width = message.fields.iter().map(|f| f.name.chars().count()).max().unwrap_or(0);
    let fields = message.fields.iter().map(|f| match set {
        Set::Column => format!("{:<width$}  {}", f.name, one_line(&f.value)),
        Set::Flowing => format!("{}: {}", f.name, one_line(&f.value)),
    });
    part(&mut out, None, fields);
    part(&mut out, None, message.lines.iter().map(|l| one_line(l)));
    let steps = message.steps.iter().enumerate().map(|(i, step)| format!("{}. {}", i + 1, one_line(step)));
    part(&mut out, Some("Check first:"), steps);
    part(&mut out, Some("It said:"), message.samples.iter().map(|s| quoted(s)));
    part(&mut out, None, message.links.iter().map(|l| format!("{}: {}", one_line(&l.text), one_line(&l.href))));
    part(&mut out, None, message.note.iter().map(|n| one_line(n)).chain([footer(message)]));
    out
}

/// Who speaks, and of what: `acme · incident 0f3a9c1e-1 · rule transactional-failing`.
pub fn footer(message: &Message) -> String {
    let name = |what: &str, name: &str| Some(one_line(name)).filter(|n| !n.is_empty()).map(|n| format!("{what}{n}"));
    let about = &message.about;
    let parts = [
        name("", &message.workspace),
        name("incident ", &message.incident).filter(|_| message.phase != Phase::Digest),
        about.rule.as_deref().and_then(|rule| name("rule ", rule)),
        about.heartbeat.as_deref().and_then(|heartbeat| name("heartbeat ", heartbeat)),
    ];
    let known = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if known.is_empty() { "cio-alert-bridge".to_owned() } else { known }
}

/// A failure text in quotation marks, on one line.
pub fn quoted(text: &str) -> String {
    format!("“{}”", one_line(text))
}

fn part(out: &mut Vec<String>, title: Option<&str>, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    if !out.is_empty() {
        out.push(String::new());
    }
    out.extend(title.map(str::to_owned));
    out.extend(lines);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::testing::message;

    #[test]
    fn the_title_says_the_state_once() {
        let titled = |phase, headline: &str| title(&Message { headline: headline.into(), ..message(phase) });
        assert_eq!(titled(Phase::Opened, "Activation: silent"), "Critical: Activation: silent");
        assert_eq!(titled(Phase::Resolved, "Resolved after 35 min: Activation"), "Resolved after 35 min: Activation");
        assert_eq!(titled(Phase::Test, " \n "), "Test: 0f3a9c1e-1");
    }

    #[test]
    fn a_message_reads_well_as_plain_text() {
        insta::assert_snapshot!(lines(&message(Phase::Opened), Set::Column).join("\n"), @r#"
        Where     Password reset (transactional 2)
        How many  12 of 400 (3.0 %)
        Cause     render_error: the template asks for data that is not there

        Check first:
        1. Open the message's editor and preview it with a failing person.
        2. Undo the last edit.

        It said:
        “liquid error: undefined <plan> & 'tier' for <masked>”

        Deliveries & drafts: https://fly.customer.io/env/12345/deliveries?type=failed&page=1

        acme · incident 0f3a9c1e-1 · rule transactional-failing
        "#);
    }
}
