//! When most events come late, alerts do too: that is one warning, which ends when they come in time again, and a line
//! of the digest.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::support::timeline::{Timeline, at};
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Faketime, World, sent_email, ts};

const DIGEST: &str = "rules = []\n[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n";

/// Time passes, and in each minute so many events come that are so late.
async fn late_until(t: &Timeline, end: &str, a_minute: u32, minutes_late: i64) {
    while t.now() < at(end) {
        for _ in 0..a_minute {
            t.late(sent_email().of("campaign:5").at(t.now() - SignedDuration::from_mins(minutes_late))).await;
        }
        t.silence_for_a_minute().await;
    }
}

#[tokio::test]
async fn a_median_above_two_minutes_warns_once_and_ends_when_events_come_in_time() {
    let t = Timeline::new("2026-11-23T06:30", DIGEST).await;
    t.until("2026-11-23T08:00").await;
    late_until(&t, "2026-11-23T08:30", 20, 4).await;
    late_until(&t, "2026-11-23T09:30", 20, 0).await;
    t.until("2026-11-24T07:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn few_late_events_and_copies_of_one_are_no_lag() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.until("2026-11-23T08:00").await;
    let one = sent_email().of("campaign:5").at(t.now() - SignedDuration::from_mins(4));
    for _ in 0..60 {
        t.late(one.clone()).await;
    }
    // One a minute is fewer than twenty in fifteen minutes.
    late_until(&t, "2026-11-23T09:00", 1, 4).await;
    assert_eq!(t.said(), "");
}

#[tokio::test]
async fn what_blindness_said_is_not_said_again() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.until("2026-11-23T08:00").await;
    t.silence_until("2026-11-23T10:30").await;
    // All that was held back comes at once, then everything is as usual.
    for minute in 0..150 {
        t.late(sent_email().of("campaign:5").at(at("2026-11-23T08:00") + SignedDuration::from_mins(minute))).await;
    }
    t.until("2026-11-23T11:30").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn lag_is_routed_and_silenced_by_its_kind() {
    let t = Timeline::new("2026-11-23T06:00", "rules = []\n").await;
    t.silence("aaaa0001", &["kind=lag"], "2026-11-23T12:00").await;
    t.until("2026-11-23T07:00").await;
    late_until(&t, "2026-11-23T07:30", 20, 4).await;
    assert_eq!(t.said(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_are_one_warning_from_outside_too() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).under(fake).start().await;
    serve.carry_traffic_until(ts("2026-11-23T06:03:00Z")).await;
    for _ in 0..60 {
        let late = serve.clock.now() - SignedDuration::from_mins(30);
        serve.deliver(&sent_email().of("campaign:5").at(late)).await;
    }
    let posts = world.slack.wait_for(1, Duration::from_secs(30)).await;
    assert!(posts[0].text().contains("Events arrive about"), "{}", posts[0].text());
    assert!(posts[0].text().contains("late (median of"), "{}", posts[0].text());

    // A quarter of an hour and a few minutes later nothing but timely events is left.
    serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_mins(22)).await;
    let posts = world.slack.exactly(2, Duration::from_secs(10), Duration::ZERO).await;
    assert!(posts[1].text().contains("Events arrive in time again"), "{}", posts[1].text());
    assert!(world.pager.seen().is_empty(), "a warning pages nobody");
}
