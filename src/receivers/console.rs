//! The console: a receiver that prints, and what `bridge demo` shows of the others.

use std::io::Write;

use async_trait::async_trait;
use serde_json::Value;

use super::plain::{self, Set};
use super::{Outcome, Probe, Receiver, pagerduty, sns_message};
use crate::incident::told::Receipt;
use crate::message::Message;

/// Prints each message on standard output.
pub struct Console;

#[async_trait]
impl Receiver for Console {
    async fn send(&self, message: &Message, _previous: Option<&Receipt>) -> Outcome {
        let text = printable(&render(message));
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{text}\n").and_then(|()| out.flush()) {
            Ok(()) => Outcome::Delivered(Receipt::default()),
            Err(e) => Outcome::Retry { after: None, why: format!("standard output: {}", e.kind()) },
        }
    }

    async fn probe(&self) -> Probe {
        Probe::Accepts("prints to standard output".to_owned())
    }
}

/// The message as it reads on a terminal: the title, the rest set in under it.
pub fn render(message: &Message) -> String {
    indented(&plain::title(message), &plain::lines(message, Set::Column).join("\n"))
}

/// What a receiver of a type (`pagerduty`, `slack`, `sns`, `console`) gets: its name, then the message as that type
/// shows it.
pub fn show(kind_name: &str, receiver: &str, message: &Message) -> String {
    let (title, body) = match kind_name {
        "pagerduty" => as_pagerduty(message),
        "sns" => {
            let sns = sns_message::render(message);
            (format!("SNS · {}", sns.subject.unwrap_or_default()), sns.body)
        }
        "slack" => (format!("Slack · {}", plain::title(message)), plain::lines(message, Set::Flowing).join("\n")),
        other => (format!("{other} · {}", plain::title(message)), plain::lines(message, Set::Column).join("\n")),
    };
    printable(&indented(&format!("{receiver} · {title}"), &body))
}

/// The details that a page is judged by; the rest is a click away in PagerDuty as well.
const SHOWN: [&str; 9] = ["source", "sources", "rule", "heartbeat", "metric", "cause", "count", "of", "check_first"];

fn as_pagerduty(message: &Message) -> (String, String) {
    let event = pagerduty::event(message, "");
    let text = |at: &str| event.pointer(at).map(shown).unwrap_or_default();
    let mut rows = vec![("dedup key", text("/dedup_key"))];
    if event.get("payload").is_none() {
        return (format!("PagerDuty · {}", text("/event_action")), columns(&rows));
    }
    rows.push(("severity", text("/payload/severity")));
    let details = event.pointer("/payload/custom_details");
    rows.extend(SHOWN.iter().filter_map(|name| Some((*name, shown(details?.get(name)?)))));
    (format!("PagerDuty · {} · {}", text("/event_action"), text("/payload/summary")), columns(&rows))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => plain::one_line(text),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" / "),
        other => other.to_string(),
    }
}

fn columns(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect::<Vec<_>>().join("\n")
}

fn indented(title: &str, body: &str) -> String {
    let mut out = title.to_owned();
    for line in body.lines() {
        out.push('\n');
        if !line.is_empty() {
            out.push_str("  ");
            out.push_str(line);
        }
    }
    out
}

/// Without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Phase;
    use crate::receivers::testing::message;

    #[test]
    fn the_console_reads_like_the_alert() {
        insta::assert_snapshot!(render(&message(Phase::Opened)), @r#"
        Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
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
        insta::assert_snapshot!(render(&message(Phase::Digest)), @r#"
        Digest: acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
          Password reset (transactional 2): 1 incident, 35 min
          Activation: 44 of 40

          Deliveries & drafts: https://fly.customer.io/env/12345/deliveries?type=failed&page=1

          acme
        "#);
    }

    #[test]
    fn the_demo_shows_what_each_receiver_gets() {
        insta::assert_snapshot!(show("pagerduty", "on-call", &message(Phase::Opened)), @r#"
        on-call · PagerDuty · trigger · Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
          dedup key    cio-0f3a9c1e77b24d5580aa11bb22cc33dd
          severity     critical
          source       transactional:2
          rule         transactional-failing
          metric       email_failed
          cause        render_error
          count        12
          of           400
          check_first  Open the message's editor and preview it with a failing person. / Undo the last edit.
        "#);
        insta::assert_snapshot!(show("pagerduty", "on-call", &message(Phase::Resolved)), @"
        on-call · PagerDuty · resolve
          dedup key  cio-0f3a9c1e77b24d5580aa11bb22cc33dd
        ");
        insta::assert_snapshot!(show("slack", "lifecycle", &message(Phase::Resolved)), @r#"
        lifecycle · Slack · Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
          Where: Password reset (transactional 2)
          How many: 12 of 400 (3.0 %)
          Cause: render_error: the template asks for data that is not there

          Check first:
          1. Open the message's editor and preview it with a failing person.
          2. Undo the last edit.

          It said:
          “liquid error: undefined <plan> & 'tier' for <masked>”

          Deliveries & drafts: https://fly.customer.io/env/12345/deliveries?type=failed&page=1

          acme · incident 0f3a9c1e-1 · rule transactional-failing
        "#);
        insta::assert_snapshot!(show("sns", "audit", &message(Phase::StillOpen)), @"
        audit · SNS · Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
          Still open: Password reset (transactional 2): still failing after 4 h, 212 emails

          Where: Password reset (transactional 2)
          How many: 12 of 400 (3.0 %)
          Cause: render_error: the template asks for data that is not there

          Check first:
          1. Open the message's editor and preview it with a failing person.
          2. Undo the last edit.

          It said:
          “liquid error: undefined <plan> & 'tier' for <masked>”

          Deliveries & drafts: https://fly.customer.io/env/12345/deliveries?type=failed&page=1

          acme · incident 0f3a9c1e-1 · rule transactional-failing
        ");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let mut hostile = message(Phase::Opened);
        hostile.samples = vec!["\u{1b}[2J\u{7}wiped".into()];
        for text in ["console", "slack", "sns", "pagerduty"].map(|kind| show(kind, "r", &hostile)) {
            assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
        }
    }
}
