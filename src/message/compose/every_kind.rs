//! Every kind of message as every receiver is sent it: one snapshot a receiver, to be read like a catalogue.

use serde_json::{Value, json};

use crate::message::Message;
use crate::message::catalogue::catalogue;
use crate::receivers::{console, pagerduty, slack, sns_chat, sns_message};

fn shown(render: impl Fn(&Message) -> String) -> String {
    let entries: Vec<String> =
        catalogue().iter().map(|(name, m)| format!("### {name}\n{}", render(m).trim_end())).collect();
    entries.join("\n\n")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

#[test]
fn every_kind_to_pagerduty() {
    insta::assert_snapshot!(shown(|m| pretty(&pagerduty::event(m, "0123456789abcdef0123456789abcdef"))));
}

#[test]
fn every_kind_to_slack() {
    insta::assert_snapshot!(shown(|m| pretty(&slack::payload(m))));
}

#[test]
fn every_kind_to_slack_in_plain_text() {
    let plain =
        |m: &Message| slack::plain_payload(m).get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    insta::assert_snapshot!(shown(plain));
}

#[test]
fn every_kind_to_a_slack_bot_that_edits() {
    // The edit differs from the post in its last line; the reply is what the thread gets.
    let rendered = |m: &Message| {
        let edit = slack::edited(m, m.since);
        let last = edit.rich.pointer("/blocks").and_then(Value::as_array).and_then(|b| b.last()).cloned();
        pretty(&json!({ "edit ends": last, "reply": slack::reply(m).map(|reply| reply.rich) }))
    };
    insta::assert_snapshot!(shown(rendered));
}

#[test]
fn every_kind_to_sns() {
    let rendered = |m: &Message| {
        let sns = sns_message::render(m);
        let attributes: Vec<String> = sns.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Subject: {}\n{}\n\n{}", sns.subject.unwrap_or_default(), attributes.join(" "), sns.body)
    };
    insta::assert_snapshot!(shown(rendered));
}

#[test]
fn every_kind_to_a_chat_by_sns() {
    insta::assert_snapshot!(shown(|m| sns_chat::render(m).body));
}

#[test]
fn every_kind_on_the_console() {
    insta::assert_snapshot!(shown(console::render));
}
