//! Runs whose ids hold no time are counted, and every text that shows such a count says that it is approximate.

use crate::support::sent_email;
use crate::support::timeline::Timeline;

const RUNS: &str = r#"
rules = []
[digest]
at = "08:00"
receivers = ["audit"]
[[heartbeats]]
name = "Activation runs"
source = "campaign:5"
distinct = "journey"
at_least = 4
"#;

/// Three runs of two messages each, on one day.
async fn a_day_of(runs: [&str; 3]) -> String {
    let t = Timeline::new("2026-11-22T22:30", RUNS).await;
    t.until("2026-11-23T09:00").await;
    for run in runs.iter().chain(&runs) {
        t.event(sent_email().of("campaign:5").with("journey_id", *run)).await;
    }
    t.until("2026-11-24T07:01").await;
    t.said()
}

#[tokio::test]
async fn page_and_digest_say_about() {
    let said = a_day_of(["run-1", "01M83HHQJ0AAAAAAAAAAAAAAAA", "run-2"]).await;
    for words in [
        "pager opened: Activation runs is low: about 3 runs started on Mon 23 Nov, expected at least 4",
        "LOW, about 3 counted, expected at least 4",
        "Activation runs, about 3 of 4 expected",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn what_is_exact_is_not_said_to_be_approximate() {
    let ids = ["01M83HHQJ0AAAAAAAAAAAAAAAA", "01M83HKJ50AAAAAAAAAAAAAAAA", "01M83HNCR0AAAAAAAAAAAAAAAA"];
    let said = a_day_of(ids).await;
    assert!(said.contains("is low: 3 runs started on Mon 23 Nov") && !said.contains("about"), "{said}");
}
