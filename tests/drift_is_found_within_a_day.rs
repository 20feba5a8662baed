//! What somebody changes in Customer.io is a warning the next morning: once, until it is mended; and what is not answered
//! claims nothing.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::timeline::Timeline;

const WEBHOOKS: &str = "/v1/reporting_webhooks";
const TRANSACTIONAL: &str = "/v1/transactional";
const CAMPAIGN: &str = "/v1/campaigns/5";

const BEAT: &str = r#"rules = []
[[heartbeats]]
name = "Activation"
source = "campaign:5"
event = "email_clicked"
at_most = 90
every = "week"
"#;

fn webhook(disabled: bool, with_content: bool, leave_out: &str) -> Value {
    let channels = ["email", "in_app", "push", "slack", "sms", "webhook", "whatsapp"];
    let of = |metric: &str| channels.map(|channel| format!("{channel}_{metric}"));
    let mut events = [of("sent"), of("drafted")].concat();
    events.push("email_clicked".to_owned());
    events.retain(|event| event != leave_out);
    json!({"reporting_webhooks": [{"id": 4, "name": "ops", "endpoint": "https://b.example.test/webhooks/customerio",
        "disabled": disabled, "with_content": with_content, "events": events}]})
}

fn campaign(state: &str, event: &str, filters: &[u64]) -> Value {
    json!({"campaign": {"id": 5, "state": state, "event_name": event, "filter_segment_ids": filters}})
}

fn transactional(queues: bool) -> Value {
    json!({"messages": [{"id": 2, "name": "Reset", "queue_drafts": queues}, {"id": 3, "queue_drafts": false}]})
}

/// All is well on Monday at six.
async fn well() -> Timeline {
    let t = Timeline::new("2026-11-23T06:00", BEAT).await;
    t.app_api_answers(WEBHOOKS, webhook(false, false, ""));
    t.app_api_answers(TRANSACTIONAL, transactional(false));
    t.app_api_answers(CAMPAIGN, campaign("running", "user_activated", &[21]));
    t
}

#[tokio::test]
async fn each_change_is_one_warning_the_next_morning_and_ends_when_it_is_mended() {
    let t = well().await;
    t.until("2026-11-23T12:00").await;
    assert_eq!(t.said(), "");
    t.app_api_answers(WEBHOOKS, webhook(true, true, "email_clicked"));
    t.app_api_answers(TRANSACTIONAL, transactional(true));
    t.app_api_answers(CAMPAIGN, campaign("stopped", "User Activated", &[22]));
    t.until("2026-11-24T09:00").await;
    t.app_api_answers(WEBHOOKS, webhook(false, false, ""));
    t.app_api_answers(TRANSACTIONAL, transactional(false));
    t.app_api_answers(CAMPAIGN, campaign("running", "User Activated", &[22]));
    t.until("2026-11-25T09:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn it_asks_once_a_day_and_what_is_not_answered_claims_nothing() {
    let t = well().await;
    t.until("2026-11-23T06:30").await;
    let mut asked = t.app_api_asked();
    asked.sort();
    assert_eq!(asked, [CAMPAIGN, WEBHOOKS, TRANSACTIONAL]);
    t.until("2026-11-24T05:00").await;
    // The next day begins at seven in Berlin.
    assert_eq!(t.app_api_asked(), Vec::<String>::new());
    t.app_api_answers(WEBHOOKS, webhook(true, false, ""));
    t.until("2026-11-24T08:00").await;
    let opened = t.said();
    assert!(opened.contains("it is disabled"), "{opened}");
    // A key that may no longer read it: nobody says that it is mended.
    t.app_api_answers(WEBHOOKS, json!(403));
    t.app_api_answers(CAMPAIGN, json!(403));
    t.app_api_answers(TRANSACTIONAL, json!({"errors": []}));
    t.until("2026-11-25T08:00").await;
    assert!(!t.said().contains("resolved"), "{}", t.said());
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_found_and_one_behind_a_proxy_is_not_missed_while_events_come() {
    let t = well().await;
    t.app_api_answers(WEBHOOKS, json!({"reporting_webhooks": [{"id": 9, "endpoint": "https://p.example.test/in"}]}));
    t.until("2026-11-24T08:00").await;
    assert_eq!(t.said(), "");
    t.app_api_answers(WEBHOOKS, json!({"reporting_webhooks": null}));
    t.until("2026-11-25T08:00").await;
    assert!(t.said().contains("none posts to /webhooks/customerio"), "{}", t.said());
}
