//! The same on AWS, minute by minute of the schedule: what is usual is learned by tick, paged for when it stops, and is
//! a line of the digest.

use std::time::Duration;

use cio_alert_bridge::store::dynamo::DynamoStore;

use crate::support::history::remember;
use crate::support::schedule::Schedule;
use crate::support::{Event, sent_email, ts};
use crate::what_is_usual_pages_when_it_stops::LEARNED;

const DIGEST: &str = r#"
[digest]
at = "08:00"
receivers = ["lifecycle", "audit"]
"#;

/// Messages to the pager, the chat and the topic so far.
async fn told(days: &Schedule) -> (usize, usize, usize) {
    let (paged, posted) = days.told();
    (paged, posted, days.sns.messages().await.len())
}

fn news() -> [Event; 1] {
    [sent_email().of("newsletter:10")]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_usual_is_in_the_digest_and_pages_once_when_it_stops() {
    let Some(days) = Schedule::begin("2026-11-10T12:00:00Z", &format!("{LEARNED}{DIGEST}")).await else { return };
    days.hear("2026-11-10T12:00:00Z", news()).await;
    let store = DynamoStore::new(days.stack.table.client(), days.stack.table.name.clone(), "acme");
    let stopped = ts("2026-11-23T12:00:00Z");
    remember(&store, "campaign:5//email_sent", 28, stopped, |_| 30).await;

    // One day it is learned, on the next one the day before is told.
    days.hear("2026-11-22T08:04:30Z", news()).await;
    days.tick("2026-11-22T08:05:10Z").await;
    assert_eq!(told(&days).await, (0, 0, 0), "a fresh install begins with a full day");
    days.hear("2026-11-23T08:04:30Z", news()).await;
    days.tick("2026-11-23T08:05:10Z").await;
    assert_eq!(told(&days).await, (0, 1, 1));
    let mail = days.sns.messages().await.remove(0);
    let mail = mail["Message"].as_str().expect("a text").to_owned();
    let line = mail.lines().find(|line| line.contains("Activation as usual")).expect("the workflow's line");
    assert!(
        line.contains("ok, 8,640 counted, usual ") && line.contains(" to ") && line.ends_with(&"█".repeat(14)),
        "{line}"
    );
    let post = days.world.slack.seen().remove(0).text();
    assert!(post.contains("all is well: 1 workflow as usual") && !post.contains("8,640"), "one line in chat: {post}");

    // Another one goes on at noon, this one does not.
    days.hear("2026-11-23T12:29:30Z", news()).await;
    days.tick("2026-11-23T12:30:10Z").await;
    let page = days.world.pager.exactly(1, Duration::ZERO, Duration::ZERO).await[0].json();
    let summary = page["payload"]["summary"].as_str().expect("a summary");
    let details = &page["payload"]["custom_details"];
    let expected = details["of"].as_u64().expect("a number");
    assert!(summary.contains("Activation as usual is low: 0 emails sent from 12:00 to "), "{summary}");
    assert!(expected > 0 && summary.contains(&format!("expected about {expected}")), "{summary}");
    assert_eq!((&details["heartbeat"], &details["count"]), (&"Activation as usual".into(), &0.into()));
    assert_eq!(told(&days).await, (1, 2, 1));

    days.hear("2026-11-23T12:31:00Z", (0..30).map(|_| sent_email().of("campaign:5"))).await;
    days.hear("2026-11-23T12:39:30Z", news()).await;
    days.tick("2026-11-23T12:40:10Z").await;
    let pages = days.world.pager.exactly(2, Duration::ZERO, Duration::ZERO).await;
    let resolve = pages[1].json();
    assert_eq!((&resolve["event_action"], &resolve["dedup_key"]), (&"resolve".into(), &page["dedup_key"]));
    assert_eq!(told(&days).await, (2, 3, 1), "and no second digest on the same day");
}
