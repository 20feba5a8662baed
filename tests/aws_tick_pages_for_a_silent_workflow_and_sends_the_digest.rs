//! tick on AWS: a heartbeat that falls short pages, the digest comes once a day, whether the schedule fires twice at
//! once or not for hours.

use std::time::Duration;

use crate::support::schedule::Schedule;
use crate::support::{Event, sent_email};

const CONFIG: &str = r#"
[[sources]]
id = "campaign:5"
name = "Activation"

[[heartbeats]]
name = "Activation daily"
source = "campaign:5"
event = "email_sent"
at_least = 40
every = "day"
by = "00:20"
severity = "critical"

[[heartbeats]]
name = "News"
source = "newsletter:10"
event = "email_sent"
at_least = 2
every = "day"
by = "00:20"
severity = "critical"

[digest]
at = "08:00"
receivers = ["lifecycle", "audit"]

[storm]
repeat_every = "24h"
"#;

fn news() -> Event {
    sent_email().of("newsletter:10")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_falls_short_pages_once_and_the_digest_comes_once_a_day() {
    let Some(night) = Schedule::begin("2026-11-22T23:58:00Z", CONFIG).await else { return };
    night.tick("2026-11-22T23:57:00Z").await;
    night.hear("2026-11-22T23:58:30Z", [news()]).await;
    night.hear("2026-11-23T00:05:00Z", (0..12).map(|_| sent_email().of("campaign:5")).chain([news(), news()])).await;
    night.hear("2026-11-23T00:20:30Z", [news()]).await;
    night.tick("2026-11-23T00:21:00Z").await;
    assert_eq!(night.told(), (0, 0), "two minutes for what is on its way");

    night.tick("2026-11-23T00:22:30Z").await;
    let page = night.world.pager.exactly(1, Duration::ZERO, Duration::ZERO).await[0].json();
    let summary = page["payload"]["summary"].as_str().expect("a summary");
    assert!(["Activation daily", "12", "40"].iter().all(|part| summary.contains(part)), "{summary}");
    let details = &page["payload"]["custom_details"];
    assert_eq!(details["heartbeat"], "Activation daily");
    assert_eq!((&details["count"], &details["of"]), (&12.into(), &40.into()));
    assert_eq!(night.told(), (1, 1));

    // No tick for nine hours: what was missed is caught up, once.
    night.hear("2026-11-23T09:09:30Z", [news()]).await;
    night.tick("2026-11-23T09:10:00Z").await;
    assert_eq!(night.told(), (1, 2), "{}", night.world.slack.seen().last().map_or_else(String::new, |s| s.text()));
    assert_eq!(night.sns.messages().await.len(), 1);
    night.hear("2026-11-23T09:11:30Z", [news()]).await;
    night.tick("2026-11-23T09:12:00Z").await;
    assert_eq!(night.told(), (1, 2), "not again on the same day");
    assert_eq!(night.sns.messages().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_ended_while_no_tick_came_is_judged_by_the_next() {
    let Some(night) = Schedule::begin("2026-11-22T23:58:00Z", CONFIG).await else { return };
    night.tick("2026-11-22T23:57:00Z").await;
    night.hear("2026-11-22T23:58:30Z", [news()]).await;
    night.hear("2026-11-23T00:10:00Z", [news(), news()]).await;
    night.hear("2026-11-23T01:14:30Z", [news()]).await;
    night.tick("2026-11-23T01:15:00Z").await;
    let page = night.world.pager.exactly(1, Duration::ZERO, Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["heartbeat"], "Activation daily");
    assert_eq!(page["payload"]["custom_details"]["count"], 0);
}
