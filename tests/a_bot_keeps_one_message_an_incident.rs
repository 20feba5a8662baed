//! A Slack bot posts one message an incident, keeps it true by editing it, and writes the history into its thread.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::stand_in::Seen;
use crate::support::world::HEAD;
use crate::support::{Faketime, PATIENCE, Reply, Serve, Setup, StandIn, failed_email, sent_email};

const TOKEN: &str = "xoxb-test-token-0001";

/// The channel's id, by which alone Slack finds a message again.
const CHANNEL: &str = "C0LIFE";

const RULE: &str = r##"
[[receivers]]
name = "lifecycle"
type = "slack"
bot_token = "env:SLACK_BOT_TOKEN"
channel = "#lifecycle"
url = "@"

[[routes]]
receivers = ["lifecycle"]

[[rules]]
name = "transactional-failing"
events = ["email_failed"]
sources = ["transactional:*"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
quiet_for = "1m"

[storm]
update_every = "1s"
"##;

/// A message as people see it now.
#[derive(Clone, Debug)]
struct Shown {
    ts: String,
    text: String,
    body: Value,
    deleted: bool,
    edits: usize,
    thread: Vec<Value>,
}

/// A channel that does what Slack's Web API does to it.
#[derive(Clone, Default)]
struct Channel(Arc<Mutex<Vec<Shown>>>);

impl Channel {
    fn messages(&self) -> MutexGuard<'_, Vec<Shown>> {
        self.0.lock().expect("no panic while it is held")
    }

    /// The newest message that names a source.
    fn about(&self, source: &str) -> Option<Shown> {
        self.messages().iter().rev().find(|m| m.text.contains(source)).cloned()
    }

    fn delete(&self, ts: &str) {
        self.messages().iter_mut().filter(|m| m.ts == ts).for_each(|m| m.deleted = true);
    }

    fn call(&self, seen: &Seen) -> Value {
        let body = seen.json();
        let refused = |error: &str| json!({ "ok": false, "error": error });
        if seen.headers.get("authorization").is_none_or(|v| v != &format!("Bearer {TOKEN}")) {
            return refused("invalid_auth");
        }
        let mut messages = self.messages();
        let text = body["text"].as_str().unwrap_or_default().to_owned();
        let find = |messages: &mut Vec<Shown>, ts: &Value| messages.iter().position(|m| m.ts == *ts && !m.deleted);
        match (seen.path.as_str(), &body["thread_ts"]) {
            ("/api/chat.postMessage", Value::Null) => {
                let ts = format!("1700000000.{:06}", messages.len());
                messages.push(Shown { ts: ts.clone(), text, body, deleted: false, edits: 0, thread: Vec::new() });
                json!({ "ok": true, "channel": CHANNEL, "ts": ts })
            }
            ("/api/chat.postMessage", ts) => match find(&mut messages, ts) {
                Some(at) => {
                    messages[at].thread.push(body);
                    json!({ "ok": true, "channel": CHANNEL, "ts": "1700000001.000000" })
                }
                None => refused("thread_not_found"),
            },
            ("/api/chat.update", _) if body["channel"] != CHANNEL => refused("channel_not_found"),
            ("/api/chat.update", _) => match find(&mut messages, &body["ts"]) {
                Some(at) => {
                    let ts = messages[at].ts.clone();
                    messages[at] = Shown { text, body, edits: messages[at].edits + 1, ..messages[at].clone() };
                    json!({ "ok": true, "channel": CHANNEL, "ts": ts })
                }
                None => refused("message_not_found"),
            },
            (path, _) => panic!("{path} is no method of Slack's"),
        }
    }
}

/// Carries traffic until `done`, for a few minutes of the bridge's clock.
async fn until(serve: &Serve, what: &str, done: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < patience, "not seen: {what}");
        serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_secs(10)).await;
    }
}

async fn fail(serve: &Serve, source: &str, times: usize) {
    for _ in 0..times {
        serve.deliver(&failed_email().of(source).at(serve.clock.now())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_posted_once_edited_as_it_grows_and_resolved_in_place_and_a_deleted_one_comes_anew() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (slack, channel) = (StandIn::answering(Reply::status(500, "")).await, Channel::default());
    let behind = channel.clone();
    slack.answer_by(move |seen| Some(Reply::status(200, &behind.call(seen).to_string())));
    let config = format!("{HEAD}{}", RULE.replace('@', &slack.url()));
    let serve = Setup::new(&config).env("SLACK_BOT_TOKEN", TOKEN).under(fake).start().await;
    serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_mins(2)).await;

    // Three failures are one message.
    fail(&serve, "transactional:2", 3).await;
    until(&serve, "the opening", || channel.about("transactional 2").is_some()).await;
    let opened = channel.about("transactional 2").expect("just seen");
    assert!(opened.text.contains("Critical") && opened.text.contains(" 3 "), "{}", opened.text);
    assert_eq!(opened.body["channel"], "#lifecycle");

    // More failures change it; nobody is called.
    fail(&serve, "transactional:2", 4).await;
    until(&serve, "the new number", || channel.messages()[0].text.contains(" 7 ")).await;
    let grown = channel.messages().clone();
    assert_eq!((grown.len(), grown[0].ts == opened.ts, grown[0].thread.len()), (1, true, 0), "{grown:#?}");
    assert!(grown[0].text.contains("Still open"), "{}", grown[0].text);

    // Somebody deletes the message of another incident: with the next news it is there again, and goes on from there.
    fail(&serve, "transactional:3", 3).await;
    until(&serve, "the second opening", || channel.about("transactional 3").is_some()).await;
    let lost = channel.about("transactional 3").expect("just seen");
    channel.delete(&lost.ts);
    fail(&serve, "transactional:3", 2).await;
    until(&serve, "a new message", || channel.about("transactional 3").is_some_and(|m| m.ts != lost.ts)).await;

    // Both work again: each is resolved where it stands, with one line of history.
    for source in ["transactional:2", "transactional:3"] {
        serve.deliver(&sent_email().of(source).at(serve.clock.now())).await;
    }
    let resolved = |m: &&Shown| m.text.contains("Resolved") && !m.thread.is_empty();
    until(&serve, "both resolves", || channel.messages().iter().filter(resolved).count() == 2).await;
    let calls = slack.seen().len();
    serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_mins(3)).await;
    assert_eq!(slack.seen().len(), calls, "what is over is spoken of no more");
    let messages = channel.messages().clone();
    assert_eq!(messages.len(), 3, "one a incident, and one in place of the deleted: {messages:#?}");
    for message in messages.iter().filter(|m| !m.deleted) {
        assert!(message.text.contains("Resolved") && message.edits > 0, "{message:#?}");
        assert!(message.body["blocks"].to_string().contains("a success was seen since"), "{message:#?}");
        assert_eq!(message.thread.len(), 1, "{message:#?}");
        assert!(message.thread[0]["text"].as_str().is_some_and(|t| t.contains("Resolved")), "{message:#?}");
        assert_eq!(message.thread[0]["reply_broadcast"], false);
    }
}
