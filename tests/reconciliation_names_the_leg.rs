//! Each common mistake between the backend and a message is one warning that names where it is and why it may be; what
//! filters keep out by design is none.

use cio_alert_bridge::reconcile::fired::Fired;
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::app_api::people::ulid;
use crate::support::event::event;
use crate::support::timeline::{Timeline, at};

const RULES: &str = r#"rules = []
[reconciliation]
settle = "6h"
events = [{ name = "Account Created", campaign = 5 }]
[ignore]
recipients = ["*@example.com"]
event_prefixes = ["__test_"]
"#;

const CAMPAIGN: &str = "/v1/campaigns/5";
const STARTED: &str = "/v1/campaigns/5/journey_metrics";
const EVENTS: &str = "/v1/activities?type=event&name=Account%20Created&limit=100";
const ALL_EVENTS: &str = "/v1/activities?type=event&limit=100";

/// A day is compared so long after its end, and counted within that.
const SETTLED: SignedDuration = SignedDuration::from_hours(6);
const LOOK: SignedDuration = SignedDuration::from_mins(20);

/// A Monday, from its local midnight in Berlin.
const MONDAY: &str = "2026-11-22T23:00";

fn campaign(state: &str, trigger: &str) -> Value {
    json!({"campaign": {"id": 5, "state": state, "event_name": trigger, "filter_segment_ids": [21]}})
}

fn activity(n: u64, name: &str, at: Timestamp) -> Value {
    json!({"id": format!("a{}-{n}", at.as_second()), "type": "event", "name": name, "timestamp": at.as_second(),
        "customer_id": format!("u{n}"), "customer_identifiers": {"id": format!("u{n}")}})
}

/// A day that begins `days` after Monday.
fn begins(days: i64) -> Timestamp {
    at(MONDAY) + SignedDuration::from_hours(24 * days)
}

async fn fires(t: &Timeline, days: i64, name: &str, by_hour: &[u64]) {
    fires_as(t, days, name, by_hour, "backend").await;
}

async fn fires_as(t: &Timeline, days: i64, name: &str, by_hour: &[u64], origin: &str) {
    let hours = by_hour.iter().zip(0..);
    let report = |(count, hour): (&u64, i64)| Fired {
        event: name.into(),
        origin: origin.into(),
        hour: begins(days) + SignedDuration::from_hours(hour),
        id: "a".into(),
        count: *count,
    };
    t.fires(&hours.map(report).collect::<Vec<_>>()).await;
}

/// Customer.io lists so many events in each hour, in pages of 100 newest first, which overlap by one.
fn receives(t: &Timeline, days: i64, name: &str, by_hour: &[u64]) {
    receives_as(t, days, name, by_hour, |n, at| activity(n, name, at));
}

/// The same, each entry as `listed` says.
fn receives_as(t: &Timeline, days: i64, name: &str, by_hour: &[u64], listed: impl Fn(u64, Timestamp) -> Value) {
    let mut all = Vec::new();
    for (count, hour) in by_hour.iter().zip(0_i64..) {
        let begin = begins(days) + SignedDuration::from_hours(hour);
        all.extend((0..*count).map(|n| listed(n, begin + SignedDuration::from_secs(n as i64))));
    }
    all.reverse();
    // What came before: two whole pages of it, and a third that nobody should need.
    all.extend((0..300).map(|n| activity(n, name, begins(days) - SignedDuration::from_hours(2))));
    let pages: Vec<&[Value]> = all.chunks(99).collect();
    for (place, page) in pages.iter().enumerate() {
        let mut page = page.to_vec();
        page.extend(pages.get(place + 1).and_then(|next| next.first()).cloned());
        let next = if place + 1 < pages.len() { format!("p{}", place + 1) } else { String::new() };
        let path = if place == 0 { EVENTS.to_owned() } else { format!("{EVENTS}&start=p{place}") };
        t.app_api_answers(&path, json!({"activities": page, "next": next}));
    }
}

fn names(t: &Timeline, seen: &[&str]) {
    let list: Vec<Value> = seen.iter().zip(0..).map(|(name, n)| activity(n, name, begins(0))).collect();
    t.app_api_answers(ALL_EVENTS, json!({"activities": list}));
}

fn starts(t: &Timeline, by_hour: &[u64]) {
    // The hour after the last is the next day's first.
    let hours = [by_hour, &[7]].concat();
    t.app_api_answers(STARTED, json!({"journey_metric": {"started": hours}}));
}

/// On Tuesday at the local hour of four; nothing is compared before six.
async fn tuesday() -> Timeline {
    let t = Timeline::new("2026-11-24T03:00", RULES).await;
    t.app_api_answers("/v1/reporting_webhooks", json!(403));
    t.app_api_answers("/v1/transactional", json!({"messages": []}));
    t.app_api_answers(CAMPAIGN, campaign("running", "Account Created"));
    names(&t, &["Account Created", "__test_Account Created"]);
    starts(&t, &[6; 24]);
    t
}

#[tokio::test]
async fn a_rate_limit_is_told_after_a_second_look_and_ends_with_a_day_that_agrees() {
    let t = tuesday().await;
    let mut fired = [10; 24];
    fired[14] = 400;
    let mut received = fired;
    received[14] = 100;
    fires(&t, 0, "Account Created", &fired).await;
    fires_as(&t, 0, "Account Created", &[26; 24], "mixpanel").await;
    receives(&t, 0, "Account Created", &received);
    t.until("2026-11-24T07:30").await;
    assert_eq!(t.said(), "", "one look is not enough");
    t.until("2026-11-24T12:00").await;
    fires(&t, 1, "Account Created", &[10; 24]).await;
    receives(&t, 1, "Account Created", &[10; 24]);
    t.until("2026-11-25T12:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn counts_that_come_late_are_counted_before_anybody_hears() {
    let t = tuesday().await;
    fires(&t, 0, "Account Created", &[5; 24]).await;
    receives(&t, 0, "Account Created", &[10; 24]);
    t.until("2026-11-24T07:30").await;
    fires(&t, 0, "Account Created", &[10; 24]).await;
    t.until("2026-11-24T12:00").await;
    assert_eq!(t.said(), "");
}

#[tokio::test]
async fn a_name_that_drifted_is_named() {
    let t = tuesday().await;
    fires(&t, 0, "Account Created", &[10; 24]).await;
    receives(&t, 0, "account created", &[10; 24]);
    names(&t, &["account created", "Page Viewed"]);
    t.until("2026-11-24T12:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_not_answered_or_does_not_end_claims_nothing() {
    for answer in [json!(403), json!({"activities": [activity(1, "Account Created", begins(0))], "next": "x"})] {
        let t = tuesday().await;
        fires(&t, 0, "Account Created", &[10; 24]).await;
        t.app_api_answers(EVENTS, answer.clone());
        t.app_api_answers(&format!("{EVENTS}&start=x"), answer);
        t.until("2026-11-24T12:00").await;
        assert_eq!(t.said(), "");
    }
}

/// What Customer.io lists of one person; `id` tells them apart.
type Lists = fn(u64, Timestamp) -> Value;

/// Days on which all that is fired arrives and three of five enter; then one on which nobody does, while the events are
/// `listed` so and the campaign is this.
async fn nobody_enters_after_ten_days(listed: Lists, on_the_day: Value) -> Timeline {
    let t = tuesday().await;
    for day in 0..10 {
        fires(&t, day, "Account Created", &[20; 24]).await;
        receives(&t, day, "Account Created", &[20; 24]);
        starts(&t, &[12; 24]);
        t.jump_to(begins(day + 1) + SETTLED);
        t.until_after(LOOK).await;
    }
    assert_eq!(t.said(), "", "40 % do not enter, and never did");
    fires(&t, 10, "Account Created", &[20; 24]).await;
    receives_as(&t, 10, "Account Created", &[20; 24], listed);
    starts(&t, &[0; 24]);
    t.app_api_answers(CAMPAIGN, on_the_day);
    t.jump_to(begins(11) + SETTLED);
    t.until_after(LOOK).await;
    t.jump_to(begins(11) + SETTLED + SignedDuration::from_hours(3));
    t.until_after(LOOK).await;
    t
}

fn listed(n: u64, at: Timestamp) -> Value {
    activity(n, "Account Created", at)
}

#[tokio::test]
async fn two_of_five_are_kept_out_by_design_until_the_workflow_stops() {
    let t = nobody_enters_after_ten_days(listed, campaign("stopped", "Account Created")).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_trigger_that_was_renamed_is_named() {
    let t = nobody_enters_after_ten_days(listed, campaign("running", "Account created")).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn filters_that_leave_everybody_out_are_named() {
    let t = nobody_enters_after_ten_days(listed, campaign("running", "Account Created")).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn events_that_belong_to_no_profile_are_an_identifier_mismatch() {
    let nobody = |n, at| {
        let mut entry = activity(n, "Account Created", at);
        entry["customer_id"] = Value::Null;
        entry["customer_identifiers"] = json!({});
        entry
    };
    let t = nobody_enters_after_ten_days(nobody, campaign("running", "Account Created")).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn people_of_tests_are_named_as_such() {
    let of_a_test = |n, at| {
        let mut entry = activity(n, "Account Created", at);
        entry["customer_identifiers"] = json!({ "email": format!("test-{n}@example.com") });
        entry
    };
    let t = nobody_enters_after_ten_days(of_a_test, campaign("running", "Account Created")).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn events_older_than_72_hours_are_named() {
    let t = tuesday().await;
    fires(&t, 0, "Account Created", &[10; 24]).await;
    // An import brought them on Monday with time stamps of four days before; their ids hold when they came.
    let came = begins(0) + SignedDuration::from_hours(9);
    let old = (0..240).map(|n| {
        let mut entry = activity(n, "Account Created", came - SignedDuration::from_hours(96));
        entry["id"] = json!(format!("{}{n:016}", &ulid(came.as_second())[..10]));
        entry
    });
    t.app_api_answers(EVENTS, json!({ "activities": old.collect::<Vec<_>>() }));
    t.until("2026-11-24T08:30").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn people_enter_and_what_they_are_to_get_waits_as_drafts() {
    let t = tuesday().await;
    t.app_api_answers(EVENTS, json!(403));
    // Of Monday we heard nothing; eight days teach, and the messages of the ninth are made and wait.
    for day in 1..=9 {
        fires(&t, day, "Account Created", &[6; 24]).await;
        starts(&t, &[6; 24]);
        while t.now() < begins(day + 1) {
            let metric = if day < 9 { "sent" } else { "drafted" };
            t.event(event("email", metric).of("campaign:5")).await;
            t.silence_for(10).await;
        }
    }
    t.until_after(SignedDuration::from_mins(1)).await;
    t.jump_to(begins(10) + SETTLED);
    t.until_after(LOOK).await;
    t.jump_to(begins(10) + SETTLED + SignedDuration::from_hours(3));
    t.until_after(LOOK).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn without_an_answer_webhooks_show_what_was_received_at_least() {
    let rules = format!("{RULES}[digest]\nat = \"09:00\"\nreceivers = [\"audit\"]\n");
    let t = Timeline::new("2026-11-24T02:50", &rules).await;
    t.app_api_answers("/v1/reporting_webhooks", json!(403));
    fires(&t, 0, "Account Created", &[2; 24]).await;
    // Three messages of each person's run, and five of Monday's runs are not heard of.
    for n in 0..48 - 5 {
        let fired = begins(0) + SignedDuration::from_mins(30 * n);
        let id = ulid(fired.as_second());
        for minutes in [1, 2, 3] {
            let sent = event("email", "sent").of("campaign:5").with("trigger_event_id", id.clone());
            t.late(sent.at(fired + SignedDuration::from_mins(minutes))).await;
        }
    }
    t.until("2026-11-24T08:10").await;
    assert_snapshot!(t.said());
}
