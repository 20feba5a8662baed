//! A rate pages when there is something to see, once, and is over when it is: though a little goes on failing, though
//! leftovers trickle in for days, though the source is small.

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::support::timeline::Timeline;
use crate::support::{event, sent_email};

const HALF_AN_HOUR: &str = r#"
[[rules]]
name = "bounce-rate"
events = ["email_bounced"]
rate = { of = "email_sent", above = 0.05, within = "30m", lag = "10m" }
severity = "warning"
"#;

const ONE_HOUR: &str = r#"
[[rules]]
name = "bounce-rate"
events = ["email_bounced"]
rate = { of = "email_sent", above = 0.05, within = "1h" }
severity = "warning"
"#;

async fn bounces(t: &Timeline, source: &str, count: usize) {
    for _ in 0..count {
        t.event(event("email", "bounced").of(source).message("550 5.1.1 user unknown")).await;
    }
}

async fn sends(t: &Timeline, source: &str, count: usize) {
    for _ in 0..count {
        t.event(sent_email().of(source)).await;
    }
}

async fn minutes(t: &Timeline, count: i64) {
    let end = t.now() + SignedDuration::from_mins(count);
    t.until(&end.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M").to_string()).await;
}

/// Ten messages a minute until then; in each minute so many bounce, and in every tenth one more.
async fn busy_until(t: &Timeline, clock: &str, bounced: usize) {
    let end = format!("2026-11-23T{clock}:00Z").parse().unwrap();
    while t.now() < end {
        sends(t, "campaign:5", 10).await;
        t.event(event("email", "delivered").of("campaign:5")).await;
        let everyday = usize::from(t.now().as_second() % 600 == 0);
        bounces(t, "campaign:5", bounced + everyday).await;
        minutes(t, 1).await;
    }
}

#[tokio::test]
async fn a_busy_source_opens_once_closes_though_one_percent_goes_on_and_opens_again_for_a_new_burst() {
    let t = Timeline::new("2026-11-23T06:00", HALF_AN_HOUR).await;
    busy_until(&t, "06:40", 0).await;
    busy_until(&t, "07:00", 2).await;
    busy_until(&t, "08:20", 0).await;
    busy_until(&t, "08:30", 4).await;
    busy_until(&t, "09:50", 0).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_left_of_a_blast_opens_nothing_hours_later() {
    let t = Timeline::new("2026-11-23T06:00", "").await; // the default rules
    sends(&t, "newsletter:10", 1_200).await;
    bounces(&t, "newsletter:10", 12).await;
    minutes(&t, 7 * 60).await;
    for _ in 0..9 {
        bounces(&t, "newsletter:10", 1).await;
        minutes(&t, 5).await;
    }
    // And when a few more are sent to those who came late.
    sends(&t, "newsletter:10", 20).await;
    bounces(&t, "newsletter:10", 3).await;
    minutes(&t, 5).await;
    assert_eq!(t.said(), "");
}

#[tokio::test]
async fn a_small_batch_that_bounces_wholly_pages_though_hours_later() {
    let t = Timeline::new("2026-11-23T06:00", "").await;
    sends(&t, "newsletter:10", 12).await;
    minutes(&t, 4 * 60).await;
    bounces(&t, "newsletter:10", 12).await;
    minutes(&t, 2).await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn the_leftovers_of_a_blast_that_paged_do_not_keep_it_open() {
    let t = Timeline::new("2026-11-23T06:00", HALF_AN_HOUR).await;
    sends(&t, "newsletter:10", 300).await;
    bounces(&t, "newsletter:10", 60).await;
    for _ in 0..20 {
        bounces(&t, "newsletter:10", 1).await;
        t.event(event("email", "delivered").of("newsletter:10")).await;
        minutes(&t, 10).await;
    }
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_low_volume_source_does_not_flap() {
    let t = Timeline::new("2026-11-23T06:00", ONE_HOUR).await;
    // A message every 3 minutes; hour by hour so many of the twenty bounce, then none but one in three hours.
    for failing in [0, 9, 3, 8, 2, 3, 7, 0, 0, 1, 0, 0, 1, 0] {
        for n in 0..20 {
            sends(&t, "campaign:5", 1).await;
            t.event(event("email", "delivered").of("campaign:5")).await;
            bounces(&t, "campaign:5", usize::from((n * failing) % 20 < failing)).await;
            minutes(&t, 3).await;
        }
    }
    assert_snapshot!(t.said());
}
