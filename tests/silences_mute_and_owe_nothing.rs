//! A silence mutes what it covers, and only that; nobody is left with a page that never ends, nor gets the end of one
//! that never came.

use insta::assert_snapshot;

use crate::support::timeline::Timeline;
use crate::support::{failed_email, sent_email};

const FAILING: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
"#;

async fn fail(t: &Timeline, source: &str) {
    for _ in 0..3 {
        t.event(failed_email().of(source)).await;
    }
}

async fn work(t: &Timeline, source: &str) {
    t.event(sent_email().of(source)).await;
}

#[tokio::test]
async fn what_is_still_open_when_its_silence_ends_is_told_then_with_a_note() {
    let t = Timeline::new("2026-11-23T06:00", FAILING).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["rule=failing", "source=campaign:*"], "2026-11-23T06:30").await;
    fail(&t, "campaign:5").await;
    fail(&t, "transactional:2").await;
    t.until("2026-11-23T06:40").await;
    work(&t, "campaign:5").await;
    work(&t, "transactional:2").await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_over_when_its_silence_ends_is_named_in_the_digest_only() {
    let digest = "[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T05:00", &format!("{FAILING}{digest}")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:*"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    fail(&t, "campaign:6").await;
    t.until("2026-11-23T06:05").await;
    work(&t, "campaign:5").await;
    work(&t, "campaign:6").await;
    t.until("2026-11-23T09:30").await;
    // The same trouble again: another episode, and nobody silenced it.
    fail(&t, "campaign:5").await;
    t.until("2026-11-24T07:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_delivered_opening_gets_its_resolve_under_a_silence_and_nothing_else_meanwhile() {
    let storm = "[storm]\nrepeat_every = \"10m\"\n";
    let warning = format!("{FAILING}severity = \"warning\"\n{storm}");
    let t = Timeline::new("2026-11-23T06:00", &warning).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:04").await;
    t.silence("5113ace0", &["rule=failing"], "2026-11-23T09:00").await;
    t.until("2026-11-23T06:30").await;
    // It becomes critical: the silence asks for no severity.
    let t = t.reconfigured(&format!("{FAILING}{storm}")).await;
    t.until("2026-11-23T06:40").await;
    work(&t, "campaign:5").await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_becomes_worse_than_its_silence_speaks_of_is_told() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{FAILING}severity = \"warning\"\n")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["rule=failing", "severity=warning"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    let t = t.reconfigured(FAILING).await;
    t.until("2026-11-23T06:14").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_silence_for_one_source_does_not_hide_that_others_fail_too() {
    let by_cause = FAILING.replace("[\"source\"]", "[\"cause\"]");
    let t = Timeline::new("2026-11-23T06:00", &by_cause).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:5"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    fail(&t, "campaign:6").await;
    t.until("2026-11-23T06:14").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn ending_a_silence_early_takes_effect_within_a_minute() {
    let t = Timeline::new("2026-11-23T06:00", FAILING).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:5"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    t.unsilence("5113ace0").await;
    t.until("2026-11-23T06:11").await;
    assert_eq!(t.said().matches(" opened: ").count(), 2, "{}", t.said());
}

#[tokio::test]
async fn no_roll_up_names_what_is_silenced() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{FAILING}[storm]\nopen_incidents = 1\n")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:3"], "2026-11-23T06:20").await;
    for campaign in 1..=4 {
        fail(&t, &format!("campaign:{campaign}")).await;
    }
    t.until("2026-11-23T06:10").await;
    let storm = t.said();
    assert!(storm.contains("campaign 2; campaign 4") && !storm.contains("campaign 3"), "{storm}");
    // It waits for a roll-up of its own when it is silenced no more.
    t.until("2026-11-23T06:25").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn blindness_is_muted_only_by_its_name() {
    for (conditions, pages) in [(&["severity=critical"][..], 2), (&["kind=*"], 2), (&["kind=blindness"], 0), (&["kind=blindness", "kind=rule"], 0)] {
        let t = Timeline::new("2026-11-23T06:00", FAILING).await;
        t.until("2026-11-23T06:40").await;
        t.silence("5113ace0", conditions, "2026-11-23T23:00").await;
        t.silence_until("2026-11-23T11:00").await;
        assert_eq!(t.said().matches(" opened: Nothing has arrived").count(), pages, "{conditions:?}: {}", t.said());
    }
}
