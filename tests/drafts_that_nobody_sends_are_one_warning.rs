//! An action that was left in Queue Draft renders its messages and sends none: that is a warning within hours, once a
//! source, until one is sent.

use insta::assert_snapshot;

use crate::support::timeline::Timeline;
use crate::support::{event, sent_email};

async fn drafts(t: &Timeline, source: &str, n: u32) {
    for _ in 0..n {
        t.event(event("email", "drafted").of(source)).await;
    }
}

#[tokio::test]
async fn three_drafts_that_wait_for_four_hours_warn_once_and_a_send_ends_it() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.until("2026-11-23T08:10").await;
    drafts(&t, "campaign:5", 2).await;
    drafts(&t, "campaign:6", 2).await; // too few
    drafts(&t, "campaign:7", 9).await; // somebody approves them
    t.until("2026-11-23T09:30").await;
    t.event(sent_email().of("campaign:7")).await;
    drafts(&t, "campaign:5", 10).await;
    t.until("2026-11-23T13:00").await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T14:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn drafts_that_nobody_ever_sends_are_old_news_after_a_day_that_we_heard() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.until("2026-11-23T08:10").await;
    drafts(&t, "campaign:5", 4).await;
    t.until("2026-11-24T10:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn ignored_sources_and_silenced_ones_are_not_told() {
    let ignoring = "rules = []\n[ignore]\nsources = [\"campaign:6\"]\n";
    let t = Timeline::new("2026-11-23T06:00", ignoring).await;
    t.silence("aaaa0001", &["kind=drafts", "source=campaign:5"], "2026-11-23T20:00").await;
    drafts(&t, "campaign:5", 5).await;
    drafts(&t, "campaign:6", 5).await;
    t.until("2026-11-23T12:00").await;
    assert_eq!(t.said(), "");
}
