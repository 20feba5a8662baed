use proptest::prelude::*;

use super::*;
use crate::receivers::testing::{PHASES, any_message, message};

/// All text objects in a value.
fn texts(value: &Value, out: &mut Vec<Value>) {
    match value {
        Value::Object(entries) if entries.get("text").is_some_and(Value::is_string) => out.push(value.clone()),
        Value::Object(entries) => entries.values().for_each(|v| texts(v, out)),
        Value::Array(items) => items.iter().for_each(|v| texts(v, out)),
        _ => {}
    }
}

pub fn text_of(object: &Value) -> &str {
    object["text"].as_str().unwrap()
}

/// Only our own links and dates are markup, and every `&` begins an entity.
pub fn assert_inert(text: &str) {
    let mut rest = text.to_owned();
    if let Some(at) = rest.find("<!date^").filter(|at| *at == 0) {
        let end = rest.find('>').expect("a date ends");
        let inside = &rest[at + 1..end];
        assert!(inside.contains('|') && !inside.contains('<'), "{inside}");
        rest.replace_range(at..=end, "");
    }
    while let Some(at) = rest.find("<http") {
        let end = rest[at..].find('>').expect("a link ends") + at;
        let inside = &rest[at + 1..end];
        assert!(!inside.contains('<') && inside.matches('|').count() >= 1, "{inside}");
        assert!(!inside.contains('\n'), "{inside}");
        rest.replace_range(at..=end, "");
    }
    for entity in ["&amp;", "&lt;", "&gt;"] {
        rest = rest.replace(entity, "");
    }
    assert!(!rest.contains(['<', '>', '&']), "{rest}");
}

/// Every limit of Block Kit that a message of ours could break.
pub fn assert_valid(payload: &Value) {
    let blocks = payload["blocks"].as_array().unwrap();
    assert!((1..=BLOCKS).contains(&blocks.len()));
    assert!((1..=TEXT_CHARS).contains(&len(text_of(payload))));
    assert_inert(text_of(payload));
    let mut all = Vec::new();
    texts(&payload["blocks"], &mut all);
    let lengths: Vec<usize> = all.iter().map(|t| len(text_of(t))).collect();
    assert!(lengths.iter().all(|n| (1..=SECTION_CHARS).contains(n)), "{lengths:?}");
    assert!(lengths.iter().sum::<usize>() <= ALL_CHARS, "{lengths:?}");
    for text in &all {
        assert_inert(text_of(text));
        assert!(!text_of(text).trim().is_empty());
    }
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => {
                assert_eq!(block["text"]["type"], "plain_text");
                assert!(len(text_of(&block["text"])) <= HEADER_CHARS);
            }
            "section" => {
                let fields = block["fields"].as_array().map_or(&[][..], Vec::as_slice);
                assert!(block.get("text").is_some() || !fields.is_empty());
                assert!(fields.len() <= FIELDS && fields.iter().all(|f| len(text_of(f)) <= FIELD_CHARS));
            }
            "context" => assert!((1..=10).contains(&block["elements"].as_array().unwrap().len())),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn every_phase_is_within_the_limits_and_unfurls_nothing() {
    for phase in PHASES {
        for payload in [payload(&message(phase)), plain_payload(&message(phase))] {
            assert_eq!((&payload["unfurl_links"], &payload["unfurl_media"]), (&json!(false), &json!(false)));
            assert!(text_of(&payload).contains(if phase == Phase::Digest { "acme" } else { "Password reset" }));
        }
        assert_valid(&payload(&message(phase)));
    }
}

#[test]
fn each_phase_has_its_headline() {
    let headlines: Vec<String> = PHASES.iter().map(|phase| headline(&message(*phase))).collect();
    insta::assert_snapshot!(headlines.join("\n"), @"
    🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    ✅ Opened and resolved: Password reset (transactional 2): 12 emails failed 14:02 to 14:09, over now
    📋 Digest: acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
    🧪 Test: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    ");
}

#[test]
fn an_opening_reads_from_what_to_where_to_what_to_do() {
    let text = serde_json::to_string_pretty(&payload(&message(Phase::Opened))["blocks"]).unwrap();
    insta::assert_snapshot!(text, @r#"
    [
      {
        "text": {
          "emoji": false,
          "text": "🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error",
          "type": "plain_text"
        },
        "type": "header"
      },
      {
        "fields": [
          {
            "text": "*Where*\nPassword reset (transactional 2)",
            "type": "mrkdwn",
            "verbatim": true
          },
          {
            "text": "*How many*\n12 of 400 (3.0 %)",
            "type": "mrkdwn",
            "verbatim": true
          },
          {
            "text": "*Cause*\nrender_error: the template asks for data that is not there",
            "type": "mrkdwn",
            "verbatim": true
          }
        ],
        "type": "section"
      },
      {
        "text": {
          "text": "*Check first*\n1. Open the message's editor and preview it with a failing person.\n2. Undo the last edit.",
          "type": "mrkdwn",
          "verbatim": true
        },
        "type": "section"
      },
      {
        "text": {
          "text": "*It said*",
          "type": "mrkdwn",
          "verbatim": true
        },
        "type": "section"
      },
      {
        "text": {
          "emoji": false,
          "text": "“liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”",
          "type": "plain_text"
        },
        "type": "section"
      },
      {
        "text": {
          "text": "<https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1|Deliveries &amp; drafts>",
          "type": "mrkdwn",
          "verbatim": true
        },
        "type": "section"
      },
      {
        "elements": [
          {
            "text": "acme · incident 0f3a9c1e-1 · rule transactional-failing",
            "type": "mrkdwn",
            "verbatim": true
          }
        ],
        "type": "context"
      }
    ]
    "#);
}

#[test]
fn the_plain_text_says_the_same() {
    insta::assert_snapshot!(text_of(&plain_payload(&message(Phase::Opened))), @r#"
    🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    Where: Password reset (transactional 2)
    How many: 12 of 400 (3.0 %)
    Cause: render_error: the template asks for data that is not there

    Check first:
    1. Open the message's editor and preview it with a failing person.
    2. Undo the last edit.

    It said:
    “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”

    Deliveries &amp; drafts: https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1

    acme · incident 0f3a9c1e-1 · rule transactional-failing
    "#);
}

#[test]
fn a_digest_keeps_its_lines_in_order_and_counts_what_does_not_fit() {
    let mut digest = message(Phase::Digest);
    digest.lines = (0..400).map(|i| format!("line {i}: {}", "x".repeat(60))).collect();
    let payload = payload(&digest);
    assert_valid(&payload);
    let text = payload["blocks"].to_string();
    let last = (0..400).rev().find(|i| text.contains(&format!("line {i}:"))).unwrap();
    assert!(text.contains(&format!("+{} more", 399 - last)), "{last}");
    assert!(last > 100, "{last}");
}

#[test]
fn a_failure_text_can_neither_call_a_channel_nor_plant_a_link() {
    let mut hostile = message(Phase::Opened);
    hostile.samples = vec!["``` <!channel> <https://evil.example|reset> @here".into()];
    hostile.fields[0].value = "<!here> &lt;!channel&gt;".into();
    for payload in [payload(&hostile), plain_payload(&hostile)] {
        let text = payload.to_string();
        for live in ["<!channel", "<!here", "<https://evil", "&lt;https://evil.example|reset>"] {
            assert!(!text.contains(live), "{live} in {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_message_exceeds_a_limit_or_keeps_live_markup(message in any_message()) {
        assert_valid(&payload(&message));
        let plain = plain_payload(&message);
        prop_assert!(len(text_of(&plain)) <= TEXT_CHARS);
        assert_inert(text_of(&plain));
    }
}

#[test]
fn a_digest_in_which_all_is_fine_is_one_line() {
    let mut fine = message(Phase::Digest);
    let whole = payload(&fine)["blocks"].as_array().map(Vec::len);
    fine.labels.insert(crate::route::Label::Cause, vec![crate::message::ALL_FINE.to_owned()]);
    let line = format!("\u{1f4cb} Digest: {}", fine.headline);
    let sent = payload(&fine);
    let blocks = sent["blocks"].as_array().expect("blocks");
    assert_eq!((blocks.len(), blocks[0]["text"]["text"].as_str()), (1, Some(line.as_str())));
    assert_eq!(plain_payload(&fine)["text"].as_str(), Some(line.as_str()));
    assert!(whole > Some(1), "any other digest has its lines");
}
