use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;

use super::*;
use crate::receivers::testing::{PHASES, any_message, message};

const KEY: &str = "R03E5RZ2XYZ0123456789ABCDEFGHIJK";

/// Every limit that PagerDuty documents; the published schema has no lengths.
fn assert_within_limits(event: &Value) {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    assert!(event.to_string().len() <= EVENT_BYTES, "{} bytes", event.to_string().len());
    assert!((1..=DEDUP_KEY_CHARS).contains(&text(&event["dedup_key"]).chars().count()));
    assert!(!text(&event["routing_key"]).is_empty());
    if event["event_action"] == "trigger" {
        let payload = &event["payload"];
        assert!((1..=SUMMARY_CHARS).contains(&text(&payload["summary"]).chars().count()));
        assert!(!text(&payload["source"]).is_empty());
        assert!(["critical", "error", "warning", "info"].contains(&text(&payload["severity"]).as_str()));
        assert!(text(&payload["timestamp"]).parse::<jiff::Timestamp>().is_ok());
        assert!(payload["custom_details"].is_object());
    } else {
        assert!(["acknowledge", "resolve"].contains(&text(&event["event_action"]).as_str()));
        assert_eq!(event.as_object().map(Map::len), Some(3));
    }
}

/// PagerDuty's published schema of a request, when a copy lies beside the crate.
fn published() -> Option<(Schemas, SchemaIndex)> {
    let beside = |dir: &Path| std::fs::read_to_string(dir.join("shared/data/pagerduty-events-v2.openapi.json")).ok();
    let Some(file) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside) else {
        println!("the published schema is not here: that part is skipped");
        return None;
    };
    let document = serde_json::from_str(&file).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("mem:///events.json", document).unwrap();
    let at = "mem:///events.json#/paths/~1enqueue/post/requestBody/content/application~1json/schema";
    let index = compiler.compile(at, &mut schemas).unwrap();
    Some((schemas, index))
}

#[test]
fn every_phase_makes_an_event_that_the_published_schema_accepts() {
    let schema = published();
    for (phase, action) in [
        (Phase::Opened, "trigger"),
        (Phase::Worsened, "trigger"),
        (Phase::StillOpen, "trigger"),
        (Phase::Test, "trigger"),
        (Phase::Resolved, "resolve"),
        (Phase::OpenedAndResolved, "resolve"),
    ] {
        let event = event(&message(phase), KEY);
        assert_eq!(event["event_action"], action, "{phase:?}");
        assert_eq!(event["dedup_key"], "cio-0f3a9c1e77b24d5580aa11bb22cc33dd", "{phase:?}");
        assert_within_limits(&event);
        if let Some((schemas, index)) = &schema {
            schemas.validate(&event, *index).unwrap_or_else(|e| panic!("{phase:?}: {e}"));
            assert!(schemas.validate(&json!({ "event_action": action }), *index).is_err(), "the schema checks nothing");
        }
    }
}

#[test]
fn a_trigger_has_the_names_and_numbers_that_filters_look_at() {
    let text = serde_json::to_string_pretty(&event(&message(Phase::Opened), KEY)).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "client": "cio-alert-bridge",
      "client_url": "https://fly.customer.io/env/12345/deliveries?type=failed&page=1",
      "dedup_key": "cio-0f3a9c1e77b24d5580aa11bb22cc33dd",
      "event_action": "trigger",
      "links": [
        {
          "href": "https://fly.customer.io/env/12345/deliveries?type=failed&page=1",
          "text": "Deliveries & drafts"
        }
      ],
      "payload": {
        "class": "email_failed",
        "component": "transactional:2",
        "custom_details": {
          "Cause": "render_error: the template asks for data that is not there",
          "How many": "12 of 400 (3.0 %)",
          "Where": "Password reset (transactional 2)",
          "cause": "render_error",
          "check_first": [
            "Open the message's editor and preview it with a failing person.",
            "Undo the last edit."
          ],
          "count": 12,
          "incident": "0f3a9c1e-1",
          "metric": "email_failed",
          "of": 400,
          "rule": "transactional-failing",
          "samples": [
            "liquid error: undefined <plan> & 'tier' for <masked>"
          ],
          "since": "2026-11-24T13:02:00Z",
          "source": "transactional:2"
        },
        "group": "acme",
        "severity": "critical",
        "source": "transactional:2",
        "summary": "Password reset (transactional 2): 12 emails failed since 14:02, cause render_error",
        "timestamp": "2026-11-24T13:02:00Z"
      },
      "routing_key": "R03E5RZ2XYZ0123456789ABCDEFGHIJK"
    }
    "#);
}

#[test]
fn a_resolve_and_an_acknowledgement_have_only_what_they_are_matched_by() {
    insta::assert_snapshot!(event(&message(Phase::Resolved), KEY), @r#"{"dedup_key":"cio-0f3a9c1e77b24d5580aa11bb22cc33dd","event_action":"resolve","routing_key":"R03E5RZ2XYZ0123456789ABCDEFGHIJK"}"#);
    insta::assert_snapshot!(event(&message(Phase::Acted), KEY), @r#"{"dedup_key":"cio-0f3a9c1e77b24d5580aa11bb22cc33dd","event_action":"acknowledge","routing_key":"R03E5RZ2XYZ0123456789ABCDEFGHIJK"}"#);
}

#[test]
fn each_phase_says_what_it_does() {
    let lines: Vec<String> = PHASES
        .iter()
        .map(|phase| {
            let event = event(&message(*phase), KEY);
            let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or("-").to_owned();
            format!("{} {} {}", text("/event_action"), text("/payload/severity"), text("/payload/summary"))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    trigger critical Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    trigger critical Password reset (transactional 2): now critical, 40 emails failed since 14:02
    trigger critical Password reset (transactional 2): still failing after 4 h, 212 emails
    trigger critical Password reset (transactional 2): still failing after 4 h, 212 emails
    acknowledge - -
    resolve - -
    resolve - -
    trigger info acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
    trigger critical Test: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
    ");
}

#[test]
fn several_sources_are_listed_and_the_first_is_still_the_source() {
    let mut of_two = message(Phase::Opened);
    of_two.about.sources.push("campaign:5".into());
    let details = &event(&of_two, KEY)["payload"]["custom_details"];
    assert_eq!(details["source"], "transactional:2");
    assert_eq!(details["sources"], json!(["transactional:2", "campaign:5"]));
}

#[test]
fn without_a_source_the_workspace_stands_for_it() {
    let mut blind = message(Phase::Opened);
    blind.about = crate::message::About::default();
    let payload = &event(&blind, KEY)["payload"];
    assert_eq!(payload["source"], "customer.io/acme");
    assert_eq!(payload["class"], "rule");
    assert!(payload.get("component").is_none());
}

#[test]
fn a_field_never_replaces_a_name_that_filters_look_at() {
    let mut odd = message(Phase::Opened);
    odd.fields.push(crate::message::Field { name: "source", value: "elsewhere".into() });
    assert_eq!(event(&odd, KEY)["payload"]["custom_details"]["source"], "transactional:2");
}

#[test]
fn a_detail_that_is_too_large_is_cut_and_the_others_stay() {
    let mut huge = message(Phase::Opened);
    huge.samples = vec!["x".repeat(513_000), "short".into()];
    let event = event(&huge, KEY);
    assert_within_limits(&event);
    let samples = &event["payload"]["custom_details"]["samples"];
    assert!(samples[0].as_str().is_some_and(|s| s.ends_with('…') && s.len() > 200_000));
    assert_eq!(samples[1], "short");
}

#[test]
fn too_many_details_are_replaced_by_a_note() {
    let mut huge = message(Phase::Opened);
    huge.lines = vec!["\u{1}".repeat(150); 1_000];
    let event = event(&huge, KEY);
    assert_within_limits(&event);
    let details = &event["payload"]["custom_details"];
    assert_eq!(details["note"], "details left out: larger than PagerDuty takes");
    assert_eq!(details["source"], "transactional:2");
    assert_eq!(details["count"], 12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_message_exceeds_a_limit(message in any_message()) {
        assert_within_limits(&event(&message, KEY));
    }
}
