//! Every phase as it reads in Slack: what a webhook posts, and what a bot posts, edits and replies.

use serde_json::Value;

use super::method::Body;
use super::{history, payload};
use crate::message::Phase;
use crate::receivers::testing::{PHASES, message, now};

/// The blocks as lines: `#` a header, `|` fields side by side, `>` plain text, `~` the small print.
fn read(payload: &Value) -> String {
    let text = |v: &Value| v["text"].as_str().unwrap().replace('\n', "\n  ");
    let each = |v: &Value, mark: &str| {
        v.as_array().unwrap().iter().map(|t| format!("{mark} {}", text(t).replace("\n  ", ": "))).collect::<Vec<_>>()
    };
    let lines = payload["blocks"].as_array().unwrap().iter().map(|block| match block["type"].as_str().unwrap() {
        "header" => format!("# {}", text(&block["text"])),
        "section" if block["fields"].is_array() => each(&block["fields"], "|").join("\n"),
        "section" if block["text"]["type"] == "plain_text" => format!("> {}", text(&block["text"])),
        "section" => text(&block["text"]),
        "context" => each(&block["elements"], "~").join("\n"),
        other => panic!("{other}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_posted_reads_well_in_every_phase() {
    let shown: Vec<String> = PHASES.iter().map(|p| format!("{p:?}\n{}", read(&payload(&message(*p))))).collect();
    insta::assert_snapshot!(shown.join("\n\n"), @"
    Opened
    # 🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    Worsened
    # 🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    StillOpen
    # 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    Updated
    # 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    Acted
    # 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    Resolved
    # ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    OpenedAndResolved
    # ✅ Opened and resolved: Password reset (transactional 2): 12 emails failed 14:02 to 14:09, over now
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing

    Digest
    # 📋 Digest: acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
    • Password reset (transactional 2): 1 incident, 35 min
      • Activation: 44 of 40
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme

    Test
    # 🧪 Test: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing
    ");
}

#[test]
fn what_a_bot_edits_and_replies_reads_well_in_every_phase() {
    let replied = |reply: Option<Body>| match reply {
        Some(body) => {
            let to = if body.rich["reply_broadcast"] == true { "thread and channel" } else { "thread" };
            format!("in {to}: {}", body.rich["text"].as_str().unwrap())
        }
        None => "no reply".to_owned(),
    };
    let shown: Vec<String> = [Phase::Updated, Phase::Worsened, Phase::StillOpen, Phase::Resolved]
        .iter()
        .map(|phase| {
            let message = message(*phase);
            let edited = history::edited(&message, now());
            format!("{phase:?}\n{}\n{}", read(&edited.rich), replied(history::reply(&message)))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @"
    Updated
    # 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing
    ~ <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    no reply

    Worsened
    # 🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing
    ~ <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    in thread and channel: 🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02

    StillOpen
    # 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing
    ~ <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    in thread: 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails

    Resolved
    # ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    | *Where*: Password reset (transactional 2)
    | *How many*: 12 of 400 (3.0 %)
    | *Cause*: render_error: the template asks for data that is not there
    *Check first*
      1. Open the message's editor and preview it with a failing person.
      2. Undo the last edit.
    *It said*
    > “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”
    <https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>
    ~ acme · incident 0f3a9c1e-1 · rule transactional-failing
    ~ <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>: quiet, and a success was seen since
    in thread: ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    ");
}
