//! Every kind of message as each receiver shows it, on one page; and as each receiver is sent it, as JSON.

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use crate::message::catalogue::catalogue;
use crate::message::{Message, Phase};
use crate::receivers::{console, pagerduty, slack, sns_chat, sns_message};

/// Looks like where the messages are read, so that what wraps there wraps here.
const STYLE: &str = include_str!("messages.css");

/// Instead of a routing key.
const NO_KEY: &str = "0123456789abcdef0123456789abcdef";

/// What each receiver is sent, by kind.
pub fn json() -> Value {
    let sent = |(name, message): &(String, Message)| {
        let mail = sns_message::render(message);
        json!({
            "name": name,
            "message": message,
            "pagerduty": pagerduty::event(message, NO_KEY),
            "slack": slack::payload(message),
            "sns": { "subject": mail.subject, "body": mail.body },
            "sns_chat": serde_json::from_str::<Value>(&sns_chat::render(message).body).unwrap_or_default(),
            "console": console::render(message),
        })
    };
    catalogue().iter().map(sent).collect()
}

/// All of them, to look at.
pub fn page() -> String {
    let all = catalogue();
    html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { "Every message of cio-alert-bridge" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Every message, in every receiver" }
                p { "Made up. The same as JSON: messages.json." }
                nav { @for (at, (name, _)) in all.iter().enumerate() { a href=(format!("#k{at}")) { (name) } } }
                @for (at, (name, message)) in all.iter().enumerate() {
                    section id=(format!("k{at}")) {
                        h2 { (name) }
                        div.row { (in_slack(message)) (in_pagerduty(message)) (in_mail(message)) }
                    }
                }
            }
        }
    }
    .into_string()
}

/// Slack's blocks, as Slack draws them.
fn in_slack(message: &Message) -> Markup {
    let payload = slack::payload(message);
    let blocks = payload.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value| PreEscaped(mrkdwn(value.get("text").and_then(Value::as_str).unwrap_or_default()));
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    html! {
        article.slack {
            h3 { "Slack" }
            @for block in &blocks {
                @match block.get("type").and_then(Value::as_str) {
                    Some("header") => h4 { (text(&block["text"])) },
                    Some("context") => small { @for element in list(block, "elements") { (text(&element)) " " } },
                    _ => {
                        @if let Some(whole) = block.get("text") { p { (text(whole)) } }
                        @let fields = list(block, "fields");
                        @if !fields.is_empty() { div.fields { @for field in &fields { p { (text(field)) } } } }
                    }
                }
            }
        }
    }
}

fn in_pagerduty(message: &Message) -> Markup {
    if matches!(message.phase, Phase::StillOpen | Phase::Updated | Phase::OpenedAndResolved) {
        return html! { article.pagerduty { h3 { "PagerDuty" } p { "Hears nothing of this: it can only page." } } };
    }
    let event = pagerduty::event(message, NO_KEY);
    let of = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let details = event.pointer("/payload/custom_details").and_then(Value::as_object).cloned().unwrap_or_default();
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    html! {
        article.pagerduty {
            h3 { "PagerDuty: " (of("/event_action")) }
            @if event.get("payload").is_some() {
                h4 { span.severity { (of("/payload/severity")) } " " (of("/payload/summary")) }
                table { @for (name, value) in &details { tr { th { (name) } td { (words(value)) } } } }
            }
        }
    }
}

fn in_mail(message: &Message) -> Markup {
    let mail = sns_message::render(message);
    html! {
        article.mail {
            h3 { "E-mail (SNS)" }
            h4 { (mail.subject.unwrap_or_default()) }
            pre { (mail.body) }
        }
    }
}

/// Slack's markup as HTML. What it is given has `&`, `<` and `>` escaped as Slack wants them, which is how HTML does, too.
fn mrkdwn(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut is_bold = false;
    while let Some(at) = rest.find(['<', '*', '\n']) {
        out.push_str(&rest[..at]);
        let mark = &rest[at..];
        rest = &mark[1..];
        match mark.as_bytes()[0] {
            b'\n' => out.push_str("<br>"),
            b'*' => {
                out.push_str(if is_bold { "</b>" } else { "<b>" });
                is_bold = !is_bold;
            }
            _ => {
                let Some((inside, after)) = rest.split_once('>') else { break };
                let label = inside.split_once('|').map_or(inside, |(_, label)| label);
                out.push_str(&format!("<u>{label}</u>"));
                rest = after;
            }
        }
    }
    out.push_str(rest);
    if is_bold {
        out.push_str("</b>");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_for_every_receiver() {
        let Value::Array(all) = json() else { panic!("a list") };
        assert_eq!(all.len(), catalogue().len());
        for entry in &all {
            assert!(entry["pagerduty"]["event_action"].is_string(), "{}", entry["name"]);
            assert!(entry["slack"]["blocks"].is_array() && entry["sns"]["body"].is_string(), "{}", entry["name"]);
            assert!(entry["sns_chat"]["version"].is_string(), "{}", entry["name"]);
        }
        let page = page();
        assert_eq!(page.matches("<article").count(), 3 * all.len());
        assert!(!page.contains("<!channel>") && !page.contains("http-equiv"));
    }

    #[test]
    fn slacks_markup_is_drawn_as_slack_draws_it() {
        assert_eq!(mrkdwn("*Where*\na &lt;b&gt; <https://x.test|Open>"), "<b>Where</b><br>a &lt;b&gt; <u>Open</u>");
        assert_eq!(mrkdwn("<unfinished"), "unfinished");
        assert_eq!(mrkdwn("5 * 3"), "5 <b> 3</b>");
    }
}
