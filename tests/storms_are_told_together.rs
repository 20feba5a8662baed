//! A storm is few messages that leave nobody out: exactly these messages, at these minutes, and nothing else.

use std::time::Duration;

use cio_alert_bridge::receivers::Outcome;
use insta::assert_snapshot;

use crate::support::timeline::Timeline;
use crate::support::{event, failed_email, sent_email};

const BY_SOURCE: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
"#;

/// Three failures of each of these campaigns.
async fn fail(timeline: &Timeline, campaigns: std::ops::RangeInclusive<u32>) {
    for campaign in campaigns {
        for _ in 0..3 {
            timeline.event(failed_email().of(&format!("campaign:{campaign}"))).await;
        }
    }
}

async fn work(timeline: &Timeline, campaigns: std::ops::RangeInclusive<u32>) {
    for campaign in campaigns {
        timeline.event(sent_email().of(&format!("campaign:{campaign}"))).await;
    }
}

#[tokio::test]
async fn one_outage_of_a_provider_over_a_hundred_campaigns_is_one_page() {
    let t = Timeline::new("2026-11-23T06:00", "").await;
    t.until("2026-11-23T06:02").await;
    for round in 0..3 {
        for campaign in 1..=100 {
            let text = "Twilio Error 20003: Authentication Error - invalid username";
            t.event(event("sms", "failed").of(&format!("campaign:{campaign}")).message(text)).await;
        }
        t.until(&format!("2026-11-23T06:0{}", 3 + round)).await;
    }
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn beyond_the_cap_one_roll_up_names_what_was_left_out_and_says_when_all_of_it_is_over() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{BY_SOURCE}[storm]\nopen_incidents = 3\n")).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, 1..=10).await;
    t.until("2026-11-23T06:10").await;
    work(&t, 1..=6).await;
    // The first six are over, and one more comes: it is told alone, there is room again.
    t.until("2026-11-23T06:40").await;
    fail(&t, 11..=11).await;
    work(&t, 7..=10).await;
    t.until("2026-11-23T06:42").await;
    work(&t, 7..=11).await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_left_open_is_repeated_by_the_roll_up_with_how_many_are_left() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{BY_SOURCE}[storm]\nopen_incidents = 1\n")).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, 1..=4).await;
    t.until("2026-11-23T06:10").await;
    work(&t, 1..=2).await;
    t.until("2026-11-23T10:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_receiver_that_was_slow_gets_a_roll_up_instead_of_a_backlog() {
    let t = Timeline::new("2026-11-23T06:00", BY_SOURCE).await;
    t.until("2026-11-23T06:02").await;
    let later = Outcome::Retry { after: Some(Duration::from_secs(600)), why: "Slack answered 429".to_owned() };
    t.chat_answers(Some(later));
    fail(&t, 1..=40).await;
    t.until("2026-11-23T06:05").await;
    t.chat_answers(None);
    t.until("2026-11-23T06:20").await;
    let chat: Vec<String> = t.said().split("\n23 ").filter(|said| said.contains(" chat ")).map(str::to_owned).collect();
    assert_snapshot!(chat.join("\n"));
    // The pager took all forty at once, and heard of no roll-up.
    assert_eq!(t.said().matches(" pager opened").count(), 40);
}

#[tokio::test]
async fn a_roll_up_that_was_lost_half_way_is_finished_by_the_next_tick() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{BY_SOURCE}[storm]\nopen_incidents = 1\n")).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, 1..=4).await;
    t.until("2026-11-23T06:04").await;
    // As if the process had died before it marked one of the members.
    t.unmark("pager").await;
    t.until("2026-11-23T06:08").await;
    assert_eq!(t.said().matches(" pager opened").count(), 2, "{}", t.said());
}

#[tokio::test]
async fn what_became_worse_than_its_roll_up_said_is_told_alone() {
    let cap = "[storm]\nopen_incidents = 1\n";
    let t = Timeline::new("2026-11-23T06:00", &format!("{BY_SOURCE}severity = \"warning\"\n{cap}")).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, 1..=3).await;
    t.until("2026-11-23T06:04").await;
    let t = t.reconfigured(&format!("{BY_SOURCE}{cap}")).await;
    t.until("2026-11-23T06:07").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_opened_at_night_is_told_to_those_of_the_day_when_it_is_still_open() {
    let hours = "[[routes]]\nmatch = { severity = \"warning\" }\nhours = \"mon-fri 08:00-20:00\"\nreceivers = [\"pager\"]\ncontinue = true\n[[routes]]\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T02:00", &format!("{BY_SOURCE}severity = \"warning\"\n{hours}"))
        .await
        .renamed("[[routes]]\nreceivers = [\"pager\", \"chat\"]\n", "")
        .reconfigured(&format!("{BY_SOURCE}severity = \"warning\"\n{hours}"))
        .await;
    t.until("2026-11-23T02:10").await;
    fail(&t, 1..=1).await;
    t.until("2026-11-23T07:10").await; // 08:10 in Berlin
    work(&t, 1..=1).await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_source_that_joins_an_open_incident_is_told_to_those_who_hear_of_it_and_to_them_alone() {
    let by_source = "[[routes]]\nmatch = { source = \"transactional:*\" }\nreceivers = [\"pager\"]\n[[routes]]\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T06:00", "")
        .await
        .renamed("[[routes]]\nreceivers = [\"pager\", \"chat\"]\n", by_source)
        .reconfigured("")
        .await;
    t.until("2026-11-23T06:02").await;
    fail(&t, 5..=5).await;
    t.until("2026-11-23T06:05").await;
    for _ in 0..2 {
        t.event(failed_email().of("transactional:2")).await;
    }
    t.until("2026-11-23T06:08").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn of_many_sources_each_is_routed_as_if_it_were_the_only_one() {
    let by_source = "[[routes]]\nmatch = { source = \"campaign:*\" }\nreceivers = [\"chat\"]\n[[routes]]\nmatch = { source = \"transactional:*\" }\nreceivers = [\"pager\"]\n";
    let t = Timeline::new("2026-11-23T06:00", "")
        .await
        .renamed("[[routes]]\nreceivers = [\"pager\", \"chat\"]\n", by_source)
        .reconfigured("")
        .await;
    t.until("2026-11-23T06:02").await;
    t.event(failed_email().of("campaign:5")).await;
    t.event(failed_email().of("transactional:2")).await;
    t.event(failed_email().of("campaign:6")).await;
    t.until("2026-11-23T06:05").await;
    assert_snapshot!(t.said());
}
