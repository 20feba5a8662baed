//! What needs hours or days to show: exactly these messages, at these minutes, and nothing else.

use cio_alert_bridge::heartbeat::why::Said;
use cio_alert_bridge::receivers::Outcome;
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::support::timeline::{Timeline, at};
use crate::support::usual::{AS_USUAL, beats_until, by_day};
use crate::support::{event, failed_email, sent_email};

const THREE: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
"#;

async fn three_failures(timeline: &Timeline) {
    for _ in 0..3 {
        timeline.event(failed_email().of("campaign:5")).await;
    }
}

#[tokio::test]
async fn an_incident_repeats_where_one_can_post_and_expires_without_a_success() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T06:10").await;
    three_failures(&t).await;
    t.until("2026-11-24T08:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn nothing_resolves_while_we_are_blind_and_blindness_pages_once_and_ends() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T08:00").await;
    three_failures(&t).await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T08:02").await;
    t.event(sent_email().of("campaign:5")).await;
    t.silence_until("2026-11-23T14:00").await;
    t.until("2026-11-23T15:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn late_events_open_an_incident_that_says_so_and_do_not_open_it_again() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T12:00").await;
    for _ in 0..3 {
        t.late(failed_email().of("campaign:5").at(at("2026-11-23T08:30"))).await;
    }
    t.until("2026-11-23T12:10").await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T12:30").await;
    // More of the same outage, later still: it was told already.
    t.late(failed_email().of("campaign:5").at(at("2026-11-23T08:30"))).await;
    t.until("2026-11-23T13:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_rule_that_is_gone_closes_its_incidents() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T06:10").await;
    three_failures(&t).await;
    t.until("2026-11-23T06:12").await;
    let t = t.reconfigured("rules = []\n").await;
    t.until("2026-11-23T06:15").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_rule_that_became_more_severe_tells_those_who_heard_of_it() {
    let warning = format!("{THREE}severity = \"warning\"\n");
    let t = Timeline::new("2026-11-23T06:00", &warning).await;
    t.until("2026-11-23T06:10").await;
    three_failures(&t).await;
    t.until("2026-11-23T06:12").await;
    let t = t.reconfigured(THREE).await;
    t.until("2026-11-23T06:15").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_was_over_before_it_could_be_told_pages_nobody_and_is_in_the_digest() {
    let digest = "\n[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T06:00", &format!("{THREE}{digest}")).await;
    t.until("2026-11-23T07:30").await;
    t.pager_answers(Some(Outcome::Retry { after: None, why: "500".into() }));
    three_failures(&t).await;
    t.until("2026-11-23T07:35").await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T08:30").await;
    t.pager_answers(None);
    t.until("2026-11-24T07:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_receiver_that_will_never_take_it_hands_over_to_its_fallback() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T06:10").await;
    t.pager_answers(Some(Outcome::BadReceiver("404: no such service".into())));
    three_failures(&t).await;
    t.until("2026-11-23T06:20").await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T07:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_fallback_that_knows_already_hears_that_it_is_the_only_one() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    let t = t.renamed("fallback = \"audit\"", "fallback = \"chat\"").reconfigured(THREE).await;
    t.until("2026-11-23T06:10").await;
    t.pager_answers(Some(Outcome::BadReceiver("403".into())));
    three_failures(&t).await;
    t.until("2026-11-23T06:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn of_how_many_counts_the_window_and_only_the_sources_that_fail() {
    let t = Timeline::new("2026-11-23T06:00", "").await; // the default rules: by cause
    t.until("2026-11-23T06:10").await;
    for _ in 0..40 {
        t.event(sent_email().of("campaign:5")).await;
    }
    t.until("2026-11-23T06:13").await;
    three_failures(&t).await;
    t.until("2026-11-23T06:15").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn without_any_sends_of_how_many_is_not_claimed() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    three_failures(&t).await;
    t.silence_until("2026-11-23T06:02").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_second_episode_is_told_apart_from_the_first() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    for begin in ["06:10", "07:10"] {
        t.until(&format!("2026-11-23T{begin}")).await;
        three_failures(&t).await;
        t.until(&format!("2026-11-23T{}", begin.replace(":10", ":15"))).await;
        t.event(sent_email().of("campaign:5")).await;
    }
    t.until("2026-11-23T08:00").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_bounce_rate_is_a_rate_and_never_one_bounce() {
    let t = Timeline::new("2026-11-23T06:00", "").await; // the default rules
    t.until("2026-11-23T06:30").await;
    for n in 0..100 {
        t.event(sent_email().of("campaign:5")).await;
        if n % 25 == 0 {
            t.event(event("email", "bounced").of("campaign:5").message("550 5.1.1 user unknown")).await;
        }
    }
    t.until("2026-11-23T06:40").await;
    for _ in 0..12 {
        t.event(event("email", "bounced").of("campaign:5").message("550 5.1.1 user unknown")).await;
    }
    t.until("2026-11-23T06:45").await;
    assert_snapshot!(t.said());
}

const DAILY: &str = r#"
rules = []
[[heartbeats]]
name = "Activation"
source = "campaign:5"
event = "email_sent"
at_least = 3
every = "day"
by = "18:00"
severity = "critical"
[digest]
at = "08:00"
receivers = ["chat"]
"#;

#[tokio::test]
async fn a_low_day_pages_at_its_time_and_recovers_and_an_uncovered_day_is_unknown() {
    let t = Timeline::new("2026-11-22T22:50", DAILY).await;
    t.until("2026-11-23T10:00").await;
    t.event(sent_email().of("campaign:5")).await;
    t.until("2026-11-23T19:00").await;
    for _ in 0..2 {
        t.event(sent_email().of("campaign:5")).await;
    }
    t.until("2026-11-24T12:00").await;
    t.silence_until("2026-11-24T13:50").await; // too much of the day is dark when it is judged
    t.until("2026-11-24T15:50").await;
    t.silence_until("2026-11-24T17:40").await;
    t.until("2026-11-25T07:10").await;
    assert_snapshot!(t.said());
}

const HOURLY: &str = r#"
rules = []
[[heartbeats]]
name = "Activation hourly"
source = "campaign:5"
event = "email_sent"
at_least = 2
every = "hour"
severity = "critical"
"#;

fn campaign(state: &str, started: u64, started_before: u64, sent: u64) -> Option<Said> {
    let counts = [started, started_before, sent].map(Some);
    let [started, started_before, sent] = counts;
    Some(Said { state: Some(state.to_owned()), started, started_before, sent })
}

#[tokio::test]
async fn a_low_page_says_why_as_far_as_customer_io_tells() {
    for (said, expected) in [
        (campaign("running", 9, 10, 0), "Activation hourly is low (started but not sent): 0 emails sent"),
        (campaign("running", 1, 10, 0), "Activation hourly is low (fewer people enter): 0 emails sent"),
        (
            campaign("running", 9, 10, 9),
            "Activation hourly is low (we are blind: it was sent, and we did not hear of it)",
        ),
        (None, "Activation hourly is low: 0 emails sent"),
    ] {
        let t = Timeline::new("2026-11-23T06:00", HOURLY).await;
        t.campaign_says(said);
        t.until("2026-11-23T07:04").await;
        assert!(t.said().contains("pager opened"), "it pages: {}", t.said());
        assert!(t.said().contains(expected), "{expected}: {}", t.said());
    }
}

#[tokio::test]
async fn a_workflow_that_somebody_stopped_is_a_warning_that_is_not_repeated_until_it_runs_again() {
    let warns =
        "[[routes]]\nmatch = { severity = \"warning\" }\nreceivers = [\"chat\"]\n[[routes]]\nreceivers = [\"pager\"";
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    let t = t.renamed("[[routes]]\nreceivers = [\"pager\"", warns).reconfigured(HOURLY).await;
    t.campaign_says(campaign("stopped", 0, 10, 0));
    // Half a day of low hours: one warning to the chat, no page, no repeat after four hours.
    t.until("2026-11-23T18:04").await;
    // It runs, and still nobody enters: a page.
    t.campaign_says(campaign("running", 0, 10, 0));
    t.until("2026-11-23T19:04").await;
    for _ in 0..2 {
        t.event(sent_email().of("campaign:5")).await;
    }
    t.until("2026-11-23T19:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_must_run_pages_though_somebody_stopped_it() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{HOURLY}must_run = true\n")).await;
    t.campaign_says(campaign("stopped", 0, 10, 0));
    t.until("2026-11-23T07:04").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn hours_are_judged_one_by_one_and_one_incident_speaks_for_a_run_of_them() {
    let hourly = r#"
rules = []
[[heartbeats]]
name = "Receipts"
source = "transactional:2"
event = "email_sent"
at_least = 1
every = "hour"
"#;
    let t = Timeline::new("2026-11-23T06:00", hourly).await;
    for hour in [6, 7] {
        t.until(&format!("2026-11-23T{hour:02}:30")).await;
        t.event(sent_email().of("transactional:2")).await;
    }
    t.until("2026-11-23T10:30").await;
    t.event(sent_email().of("transactional:2")).await;
    t.until("2026-11-23T11:30").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_run_of_many_messages_is_one_run_of_its_own_hour() {
    let runs = r#"
rules = []
[[heartbeats]]
name = "Activation runs"
source = "campaign:5"
distinct = "journey"
at_least = 3
every = "hour"
"#;
    let t = Timeline::new("2026-11-23T06:00", runs).await;
    t.until("2026-11-23T06:30").await;
    // Of 06:30, 06:31 and 06:32: three runs of two messages each, the last of them in the next hour.
    let began = ["01M83HHQJ0", "01M83HKJ50", "01M83HNCR0"].map(|time| format!("{time}AAAAAAAAAAAAAAAA"));
    for hour in [6, 7] {
        t.until(&format!("2026-11-23T{hour:02}:40")).await;
        for journey in &began {
            t.event(sent_email().of("campaign:5").with("journey_id", journey.as_str())).await;
        }
    }
    t.until("2026-11-23T08:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn one_straggler_among_timely_events_is_no_silence() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.until("2026-11-23T12:00").await;
    t.late(sent_email().of("campaign:5").at(at("2026-11-23T08:00"))).await;
    t.until("2026-11-23T12:10").await;
    assert_eq!(t.said(), "");
}

#[tokio::test]
async fn a_digest_is_sent_once_though_its_cursor_was_lost() {
    let t = Timeline::new("2026-11-23T06:50", "rules = []\n[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n").await;
    t.until("2026-11-23T07:05").await;
    t.forget("digest", "2026-11-22").await;
    t.until("2026-11-23T07:10").await;
    assert_eq!(t.said().matches("chat digest").count(), 1, "{}", t.said());
}

#[tokio::test]
async fn a_renamed_receiver_does_not_lose_what_was_not_told() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    t.until("2026-11-23T06:10").await;
    t.pager_answers(Some(Outcome::Retry { after: None, why: "500".into() }));
    three_failures(&t).await;
    t.until("2026-11-23T06:12").await;
    t.pager_answers(None);
    let t = t.renamed("pager", "duty").reconfigured(THREE).await;
    t.until("2026-11-23T06:15").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_broken_receiver_without_a_fallback_is_tried_again_until_it_is_repaired() {
    let t = Timeline::new("2026-11-23T06:00", THREE).await;
    let t = t.renamed("fallback = \"audit\"", "").reconfigured(THREE).await;
    t.until("2026-11-23T06:10").await;
    t.pager_answers(Some(Outcome::BadReceiver("403".into())));
    three_failures(&t).await;
    t.until("2026-11-23T07:00").await;
    t.pager_answers(None);
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn the_first_period_is_judged_though_we_were_down_when_it_ended() {
    let t = Timeline::new("2026-11-22T22:59", DAILY).await;
    t.until("2026-11-23T15:00").await;
    let t = t.reconfigured(DAILY).await;
    t.jump("2026-11-24T00:30");
    t.until("2026-11-24T07:05").await;
    assert_snapshot!(t.said());
}

/// A week or more of an office's stream: four events an hour from 8 to 18 o'clock in Berlin on workdays, and nothing at
/// other times.
async fn office_hours_until(t: &Timeline, end: &str) {
    while t.now() < at(end) {
        let local = t.now().in_tz("Europe/Berlin").unwrap();
        let workday = local.weekday().to_monday_one_offset() <= 5;
        if workday && (8..18).contains(&local.hour()) {
            t.event(sent_email().of("campaign:5")).await;
        }
        t.silence_for(15).await;
    }
}

#[tokio::test]
async fn a_stop_pages_within_hours_of_what_is_usual_and_its_end_is_told_once() {
    let digest = "[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T06:00", &format!("{AS_USUAL}{digest}")).await;
    t.remembers("campaign:5//email_sent", 28, by_day).await;
    t.until("2026-11-23T07:00").await;
    beats_until(&t, 5, "2026-11-23T11:00").await;
    t.until("2026-11-23T14:00").await; // the stop
    beats_until(&t, 5, "2026-11-23T19:00").await;
    t.until("2026-11-24T07:05").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_not_heard_is_neither_low_nor_news_when_it_comes_late() {
    let t = Timeline::new("2026-11-23T06:00", AS_USUAL).await;
    t.remembers("campaign:5//email_sent", 28, by_day).await;
    t.until("2026-11-23T07:00").await;
    beats_until(&t, 5, "2026-11-23T09:00").await;
    // The sender's delay of an hour and a half: nothing arrives, then all of it with its own times.
    t.silence_until("2026-11-23T10:30").await;
    for minutes in (0..90).step_by(5) {
        t.late(sent_email().of("campaign:5").at(at("2026-11-23T09:00") + SignedDuration::from_mins(minutes))).await;
    }
    beats_until(&t, 5, "2026-11-23T13:00").await;
    // That they come late is told, and nothing of the workflow.
    assert!(!t.said().contains("Activation"), "{}", t.said());
}

#[tokio::test]
async fn without_two_weeks_of_history_nothing_is_claimed() {
    let t = Timeline::new("2026-11-23T06:00", AS_USUAL).await;
    t.remembers("campaign:5//email_sent", 9, by_day).await;
    t.until("2026-11-23T12:00").await;
    assert_eq!(t.said(), "");
}

#[tokio::test]
async fn on_the_first_day_what_is_usual_is_what_customer_io_remembers() {
    let t = Timeline::new("2026-11-23T06:00", AS_USUAL).await;
    t.campaign_remembers(vec![1_440; 56]);
    // Sixty an hour from the first minute on; then nothing.
    beats_until(&t, 1, "2026-11-23T08:00").await;
    t.until("2026-11-24T23:30").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn no_quiet_night_or_weekend_is_blindness_and_a_stop_in_office_hours_is() {
    let t = Timeline::new("2026-10-26T06:00", "rules = []\n").await;
    // From the first night and the first weekend on.
    office_hours_until(&t, "2026-11-17T10:01").await;
    assert_eq!(t.said(), "");
    // A stop on a Tuesday after 11:00 in Berlin: by three weeks before enough are missing after three hours.
    t.silence_until("2026-11-17T14:00").await;
    assert_snapshot!(t.said());
}
