//! What somebody changes in Customer.io is a warning the next morning: once, until it is mended; and what is not answered
//! claims nothing.

use cio_alert_bridge::heartbeat::why::Said;
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

#[tokio::test]
async fn a_limit_in_the_middle_of_a_look_loses_nothing_and_asks_nothing_twice() {
    let t = well().await;
    t.until("2026-11-24T05:00").await;
    t.app_api_asked();
    t.app_api_answers(WEBHOOKS, webhook(true, false, ""));
    t.app_api_answers(TRANSACTIONAL, json!(429));
    t.until("2026-11-24T06:04").await;
    assert_eq!(t.said(), "", "a look that is not over claims nothing");
    t.app_api_answers(TRANSACTIONAL, transactional(true));
    t.app_api_answers(CAMPAIGN, json!(429));
    t.until("2026-11-24T06:09").await;
    t.app_api_answers(CAMPAIGN, campaign("running", "user_activated", &[21]));
    t.until("2026-11-24T06:20").await;
    let asked = t.app_api_asked();
    let times = |path: &str| asked.iter().filter(|asked| *asked == path).count();
    assert_eq!((asked.first().map(String::as_str), times(WEBHOOKS)), (Some(WEBHOOKS), 1), "{asked:?}");
    assert!((2..=4).contains(&times(TRANSACTIONAL)) && (2..=4).contains(&times(CAMPAIGN)), "{asked:?}");
    let said = t.said();
    assert_eq!(said.matches(" pager opened: ").count(), 2, "{said}");
    assert!(said.contains("it is disabled") && said.contains("transactional 2"), "{said}");
}

#[tokio::test]
async fn what_is_about_one_source_goes_to_its_owner() {
    let to_owner =
        "[[routes]]\nmatch = { owner = \"growth\" }\nreceivers = [\"chat\"]\n[[routes]]\nreceivers = [\"pager\"";
    let owned = "id = \"campaign:5\"\nowner = \"growth\"";
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    let t = t
        .renamed("[[routes]]\nreceivers = [\"pager\"", to_owner)
        .renamed("id = \"campaign:5\"", owned)
        .reconfigured(BEAT)
        .await;
    t.app_api_answers(WEBHOOKS, webhook(true, false, ""));
    t.app_api_answers(TRANSACTIONAL, transactional(false));
    t.app_api_answers(CAMPAIGN, campaign("stopped", "user_activated", &[21]));
    t.until("2026-11-23T12:00").await;
    let said = t.said();
    let of = |words: &str| said.lines().find(|line| line.contains(words)).unwrap_or_default().to_owned();
    assert!(of("A workflow with a heartbeat does not run").contains(" chat opened"), "{said}");
    assert!(!said.contains("pager opened: A workflow"), "{said}");
    assert!(said.contains("pager opened: The reporting webhook"), "the webhook is nobody's: {said}");
}

#[tokio::test]
async fn a_stop_that_a_heartbeat_speaks_of_is_not_told_again() {
    let beat = "rules = []\n[[heartbeats]]\nname = \"Activation\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 2\nevery = \"hour\"\n";
    let t = Timeline::new("2026-11-23T06:00", beat).await;
    t.app_api_answers(WEBHOOKS, webhook(false, false, ""));
    t.app_api_answers(TRANSACTIONAL, transactional(false));
    t.app_api_answers(CAMPAIGN, campaign("running", "user_activated", &[21]));
    let stopped = Said { state: Some("stopped".to_owned()), started: Some(0), started_before: Some(10), sent: Some(0) };
    t.campaign_says(Some(stopped));
    t.until("2026-11-23T09:00").await;
    t.app_api_answers(CAMPAIGN, campaign("stopped", "user_activated", &[21]));
    t.until("2026-11-24T09:00").await;
    let said = t.said();
    assert!(said.contains("Activation is low"), "{said}");
    assert!(!said.contains("A workflow with a heartbeat does not run"), "{said}");
}
