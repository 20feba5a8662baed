use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;

use super::*;
use crate::message::Phase;
use crate::receivers::sns_message::{self, MESSAGE_BYTES};
use crate::receivers::testing::{PHASES, any_message, message};

/// The page's event schema, with our bounds: what AWS calls optional and we always send is required here.
fn schema() -> (Schemas, SchemaIndex) {
    let text = |most: usize| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let texts =
        |most: usize, each: usize| json!({ "type": "array", "minItems": 1, "maxItems": most, "items": text(each) });
    let schema = json!({
        "type": "object",
        "required": ["version", "source", "content", "metadata"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": "1.0" },
            "source": { "const": "custom" },
            "content": {
                "type": "object",
                "required": ["textType", "title", "description", "keywords"],
                "additionalProperties": false,
                "properties": {
                    "textType": { "const": "client-markdown" },
                    "title": text(TITLE_CHARS),
                    "description": text(DESCRIPTION_CHARS),
                    "nextSteps": texts(NEXT_STEPS, STEP_CHARS),
                    "keywords": texts(3, KEYWORD_CHARS),
                },
            },
            "metadata": {
                "type": "object",
                "required": ["threadId", "summary", "eventType", "additionalContext"],
                "additionalProperties": false,
                "properties": {
                    "threadId": text(300),
                    "summary": text(TITLE_CHARS),
                    "eventType": { "type": "string", "pattern": "^[a-z-]+$" },
                    "additionalContext": {
                        "type": "object",
                        "required": ["severity", "action"],
                        "additionalProperties": text(CONTEXT_CHARS),
                    },
                },
            },
        },
    });
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("mem:///notification.json", schema).unwrap();
    let index = compiler.compile("mem:///notification.json", &mut schemas).unwrap();
    (schemas, index)
}

fn all_texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|v| all_texts(v, out)),
        Value::Object(entries) => entries.values().for_each(|v| all_texts(v, out)),
        _ => {}
    }
}

/// Valid by the schema, within SNS's size, nothing in it live markup, no control character but the line break.
fn assert_valid(sns: &SnsMessage, (schemas, index): &(Schemas, SchemaIndex)) {
    assert!(sns.size() <= MESSAGE_BYTES / 6, "{}", sns.size());
    assert_eq!(sns.subject, None);
    let body: Value = serde_json::from_str(&sns.body).unwrap();
    if let Err(error) = schemas.validate(&body, *index) {
        panic!("{error:#}\n{body:#}");
    }
    let mut texts = Vec::new();
    all_texts(&body, &mut texts);
    for text in texts {
        let rest = ["&amp;", "&lt;", "&gt;"].iter().fold(text.clone(), |rest, entity| rest.replace(entity, ""));
        assert!(!rest.contains(['<', '>', '&']), "{text}");
        assert!(text.chars().all(|c| is_allowed(c) && (c == '\n' || !c.is_control())), "{text:?}");
    }
}

#[test]
fn an_opening_reads_well_in_chat() {
    let sns = render(&message(Phase::Opened));
    let body: Value = serde_json::from_str(&sns.body).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "content": {
        "description": "Where: Password reset (transactional 2)\nHow many: 12 of 400 (3.0 %)\nCause: render_error: the template asks for data that is not there\n\nIt said:\n“liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”\n\nDeliveries &amp; drafts: https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1\n\nacme · incident 0f3a9c1e-1 · rule transactional-failing",
        "keywords": [
          "critical",
          "transactional-failing",
          "render_error"
        ],
        "nextSteps": [
          "Open the message's editor and preview it with a failing person.",
          "Undo the last edit."
        ],
        "textType": "client-markdown",
        "title": "🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error"
      },
      "metadata": {
        "additionalContext": {
          "action": "trigger",
          "cause": "render_error",
          "count": "12",
          "incident": "0f3a9c1e-1",
          "metric": "email_failed",
          "of": "400",
          "rule": "transactional-failing",
          "severity": "critical",
          "source": "transactional:2",
          "workspace": "acme"
        },
        "eventType": "opened",
        "summary": "🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error",
        "threadId": "cio-0f3a9c1e77b24d5580aa11bb22cc33dd-1"
      },
      "source": "custom",
      "version": "1.0"
    }
    "#);
}

#[test]
fn each_phase_has_its_event_type_and_title() {
    let schema = schema();
    let lines: Vec<String> = PHASES
        .iter()
        .map(|phase| {
            let sns = render(&message(*phase));
            assert_valid(&sns, &schema);
            let body: Value = serde_json::from_str(&sns.body).unwrap();
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text(&body["metadata"]["eventType"]), text(&body["content"]["title"]))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    opened: 🔴 Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    worsened: 🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
    still-open: 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    updated: 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    acted: 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    resolved: ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    opened-and-resolved: ✅ Opened and resolved: Password reset (transactional 2): 12 emails failed 14:02 to 14:09, over now
    digest: 📋 Digest: acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
    test: 🧪 Test: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    ");
}

#[test]
fn what_follows_an_opening_is_in_its_thread_and_the_next_episode_in_another() {
    let thread = |message: &Message| {
        let body: Value = serde_json::from_str(&render(message).body).unwrap();
        body["metadata"]["threadId"].as_str().unwrap().to_owned()
    };
    let opened = thread(&message(Phase::Opened));
    assert_eq!(opened, "cio-0f3a9c1e77b24d5580aa11bb22cc33dd-1");
    for phase in [Phase::Worsened, Phase::StillOpen, Phase::Resolved] {
        assert_eq!(thread(&message(phase)), opened);
    }
    assert_ne!(thread(&Message { episode: 2, ..message(Phase::Opened) }), opened);
}

#[test]
fn filters_and_fifo_ids_are_those_of_the_text_format() {
    for phase in PHASES {
        let (chat, text) = (render(&message(phase)), sns_message::render(&message(phase)));
        assert_eq!(chat.attributes, text.attributes);
        assert_eq!((chat.group_id, chat.dedup_id), (text.group_id, text.dedup_id));
    }
}

#[test]
fn a_digest_is_cut_at_a_line_and_says_how_much_is_missing() {
    let mut digest = message(Phase::Digest);
    digest.lines = (0..400).map(|i| format!("line {i}")).collect();
    let sns = render(&digest);
    assert_valid(&sns, &schema());
    let body: Value = serde_json::from_str(&sns.body).unwrap();
    let text = body["content"]["description"].as_str().unwrap().to_owned();
    let shown = text.lines().filter(|l| l.starts_with("line ")).count();
    assert!(shown > 100, "{shown}");
    // After the lines come the link and the footer.
    assert!(text.ends_with(&format!("line {}\n+{} more", shown - 1, 400 - shown + 2)), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_makes_a_valid_notification(message in any_message()) {
        assert_valid(&render(&message), &schema());
    }
}
