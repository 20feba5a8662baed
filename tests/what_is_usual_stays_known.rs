//! Heartbeats that expect what is usual: what a stop, a pause of tick and late events leave of what is known.

use cio_alert_bridge::heartbeat::why::Said;

use crate::support::timeline::Timeline;
use crate::support::usual::{AS_USUAL, beats_until, by_day};

fn state(state: &str) -> Option<Said> {
    Some(Said { state: Some(state.to_owned()), started: Some(0), started_before: Some(90), sent: Some(0) })
}

#[tokio::test]
async fn a_workflow_that_is_started_again_and_stays_silent_pages_though_its_stop_was_a_warning() {
    let warns =
        "[[routes]]\nmatch = { severity = \"warning\" }\nreceivers = [\"chat\"]\n[[routes]]\nreceivers = [\"pager\"";
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    let t = t.renamed("[[routes]]\nreceivers = [\"pager\"", warns).reconfigured(AS_USUAL).await;
    t.remembers("campaign:5//email_sent", 28, by_day).await;
    t.campaign_says(state("stopped"));
    t.until("2026-11-23T12:00").await;
    assert!(t.said().contains("chat opened: Activation is low (stopped in Customer.io)"), "{}", t.said());
    assert!(!t.said().contains("pager"), "{}", t.said());
    let warned = t.said().lines().count();
    t.campaign_says(state("running"));
    // Not at once: what it did not send while it was stopped is no fault of it now.
    t.until("2026-11-23T12:30").await;
    assert_eq!(t.said().lines().count(), warned, "{}", t.said());
    t.until("2026-11-23T15:00").await;
    assert!(t.said().contains("pager opened: Activation is low (fewer people enter): 0 emails sent"), "{}", t.said());
    assert_eq!(t.said().matches("pager").count(), 1, "{}", t.said());
}

#[tokio::test]
async fn a_workflow_that_is_started_again_and_sends_pages_nobody() {
    let t = Timeline::new("2026-11-23T06:00", AS_USUAL).await;
    t.remembers("campaign:5//email_sent", 28, by_day).await;
    t.campaign_says(state("stopped"));
    t.until("2026-11-23T12:00").await;
    t.campaign_says(state("running"));
    beats_until(&t, 5, "2026-11-23T15:00").await;
    assert!(!t.said().contains("worsened"), "{}", t.said());
    assert!(t.said().contains("resolved (Recovered)"), "{}", t.said());
}
