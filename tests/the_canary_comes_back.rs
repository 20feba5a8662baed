//! The canary: an event that goes out through the Track API comes back as a webhook, or a message says where it stopped.
//! It shows that we hear, and is no traffic.

use std::time::Duration;

use hyper::header::AUTHORIZATION;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::timeline::Timeline;
use crate::support::{Event, Faketime, Reply, Serve, Setup, StandIn, World, failed_email, sent_email};

const SITE: &str = "site-7f3a-s3cret";
const KEY: &str = "track-key-91bc-s3cret";

/// `site-7f3a-s3cret:track-key-91bc-s3cret` in base 64.
const BASIC: &str = "Basic c2l0ZS03ZjNhLXMzY3JldDp0cmFjay1rZXktOTFiYy1zM2NyZXQ=";

/// Everything that fails, also in the canary's workflow.
const ANY_FAILURE: &str = r#"
[[rules]]
name = "any-failure"
events = ["*_failed", "*_bounced"]
count = { at_least = 1, within = "10m" }
severity = "critical"
"#;

const CANARY: &str = r#"
[canary]
profile = "canary"
campaign = 42
site_id = "env:CIO_SITE_ID"
api_key = "env:CIO_TRACK_KEY"
"#;

fn setup(world: &World, track: &StandIn) -> Setup {
    world
        .setup(&format!("{ANY_FAILURE}{CANARY}url = \"{}\"\n", track.url()))
        .env("CIO_SITE_ID", SITE)
        .env("CIO_TRACK_KEY", KEY)
}

fn to_canary(event: Event, id: &str) -> Event {
    event.of("campaign:42").with("trigger_event_id", id).with("identifiers", json!({ "id": "canary" }))
}

/// The workflow: answers every event that the stand-in has seen since `from`, until `until` are answered.
async fn answer(serve: &Serve, track: &StandIn, from: usize, until: usize) {
    for n in from..until {
        let seen = track.wait_for(n + 1, Duration::from_secs(60)).await;
        let id = seen[n].json()["id"].as_str().expect("an id").to_owned();
        serve.deliver(&to_canary(failed_email(), &id).at(serve.clock.now())).await;
        serve.deliver(&to_canary(sent_email(), &id).at(serve.clock.now())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_sent_every_five_minutes_and_what_comes_back_alerts_nobody() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (world, track) = (World::new().await, StandIn::answering(Reply::status(200, "{}")).await);
    let serve = setup(&world, &track).under(fake).start().await;
    let began = serve.clock.now();
    answer(&serve, &track, 0, 4).await;
    let seen = track.seen();
    let took = serve.clock.latest(seen[3].at).duration_since(began);
    assert!(took >= SignedDuration::from_mins(14), "four within {took}");
    let mut ids: Vec<String> = Vec::new();
    for sent in &seen {
        assert_eq!(sent.path, "/api/v1/customers/canary/events");
        assert_eq!(sent.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()), Some(BASIC));
        let body = sent.json();
        assert_eq!(body["name"], "bridge_canary");
        ids.push(body["id"].as_str().expect("an id").to_owned());
        assert_eq!(ids.last().map(String::len), Some(26));
    }
    ids.dedup();
    assert_eq!(ids.len(), seen.len());
    serve.clock.reach(serve.clock.now() + SignedDuration::from_mins(2)).await;
    assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty(), "a canary's failure is no failure");
    // Anybody else whom that workflow sends to is traffic.
    serve.deliver(&failed_email().of("campaign:42").at(serve.clock.now())).await;
    world.pager.wait_for(1, Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_track_api_refuses_is_said_without_a_secret_and_ends_when_one_comes_back() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let refusal = Reply::status(401, &format!("{SITE} and {KEY} are unknown"));
    let (world, track) = (World::new().await, StandIn::answering(refusal).await);
    let serve = setup(&world, &track).under(fake).start().await;
    let began = serve.clock.now();
    let posts = world.slack.wait_for(1, Duration::from_secs(60)).await;
    let text = posts[0].text();
    assert!(text.contains("The canary is late") && text.contains("it answered 401"), "{text}");
    let took = serve.clock.latest(posts[0].at).duration_since(began);
    assert!(took >= SignedDuration::from_mins(14), "three in a row, within {took}");
    track.answer(Reply::status(200, "{}"));
    let before = track.seen().len();
    answer(&serve, &track, before, before + 1).await;
    let posts = world.slack.exactly(2, Duration::from_secs(60), Duration::from_secs(3)).await;
    let over = posts[1].text();
    assert!(over.contains("comes back again"), "{over}");
    assert!(world.pager.seen().is_empty(), "it is a warning");
    for text in [text, over, serve.stderr()] {
        assert!(!text.contains("s3cret") && !text.contains(&track.url()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_no_webhook_answers_is_late_and_stopped_behind_the_track_api() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (world, track) = (World::new().await, StandIn::answering(Reply::status(200, "{}")).await);
    let serve = setup(&world, &track).under(fake).start().await;
    let posts = world.slack.wait_for(1, Duration::from_secs(60)).await;
    let text = posts[0].text();
    assert!(text.contains("Customer.io took the event, and no webhook followed"), "{text}");
    // All that was late comes at once, as after a delay of the vendor's.
    let late = track.seen().len();
    answer(&serve, &track, 0, late).await;
    let posts = world.slack.exactly(2, Duration::from_secs(30), Duration::from_secs(3)).await;
    assert!(posts[1].text().contains("comes back again"), "{}", posts[1].text());
}

#[tokio::test]
async fn it_covers_every_minute_and_is_counted_nowhere() {
    let config = format!(
        "{ANY_FAILURE}{CANARY}\n[digest]\nat = \"08:00\"\nreceivers = [\"audit\"]\n\
         [[heartbeats]]\nname = \"Activation\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 1\n\
         severity = \"warning\"\n"
    );
    // In Berlin it is an hour later.
    let t = Timeline::new("2026-11-22T06:00", &config).await;
    t.canaries_until("2026-11-22T23:00", 3).await;
    // A day: most come back fast, some slowly, for an hour none does, for half an hour none goes out.
    t.canaries_until("2026-11-23T09:00", 3).await;
    t.silence_until("2026-11-23T10:00").await;
    t.lose_canaries();
    t.canaries_until("2026-11-23T12:00", 41).await;
    t.track_says(Some("it answered 503"));
    t.canaries_until("2026-11-23T12:30", 3).await;
    t.track_says(None);
    t.canaries_until("2026-11-24T07:30", 3).await;
    insta::assert_snapshot!(t.said());
}

#[tokio::test]
async fn slow_is_no_alert_and_each_loss_names_its_leg_and_ends_when_one_comes_back() {
    let config = format!("{ANY_FAILURE}{CANARY}\n[digest]\nat = \"08:00\"\nreceivers = [\"audit\"]\n");
    let t = Timeline::new("2026-11-22T22:50", &config).await;
    t.canaries_until("2026-11-23T02:00", 3).await;
    // Slow: over a minute each way, for hours.
    t.canaries_until("2026-11-23T05:00", 95).await;
    t.lose_canaries();
    t.silence_until("2026-11-23T06:00").await;
    t.lose_canaries();
    t.canaries_until("2026-11-23T06:30", 95).await;
    t.track_says(Some("it answered 401"));
    t.canaries_until("2026-11-23T07:10", 3).await;
    t.track_says(None);
    t.canaries_until("2026-11-24T07:10", 3).await;
    insta::assert_snapshot!(t.said());
}

#[cfg(feature = "aws")]
mod on_aws {
    use super::*;
    use crate::support::lambda::{self, tick};
    use crate::support::{Stack, Step, ts};

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_waits_before_evaluate_is_said_to_be_in_this_bridge() {
        let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 1) else { return };
        let (world, track) = (World::new().await, StandIn::answering(Reply::status(200, "{}")).await);
        let stack = Stack::new(setup(&world, &track)).await;
        for when in ["2026-11-23T06:00:00Z", "2026-11-23T06:05:00Z", "2026-11-23T06:10:00Z"] {
            tick(&stack.start_at(Step::Tick, &fake, when).await).await;
        }
        let sent = track.seen();
        assert_eq!(sent.len(), 3);
        assert_eq!(sent[0].headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()), Some(BASIC));
        let id = sent[0].json()["id"].as_str().expect("an id").to_owned();
        let ingest = stack.start_at(Step::Ingest, &fake, "2026-11-23T06:11:00Z").await;
        lambda::deliver(&ingest, &to_canary(failed_email(), &id).at(ts("2026-11-23T06:10:58Z"))).await;

        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:15:30Z").await).await;
        let deliver = stack.start_at(Step::Deliver, &fake, "2026-11-23T06:15:40Z").await;
        stack.hints.pass(&deliver, 10).await;
        let posts = world.slack.seen();
        assert_eq!(posts.len(), 1);
        assert!(posts[0].text().contains("this bridge did not process it"), "{}", posts[0].text());

        let evaluate = stack.start_at(Step::Evaluate, &fake, "2026-11-23T06:16:00Z").await;
        stack.events.pass(&evaluate, 10).await;
        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:16:30Z").await).await;
        let deliver = stack.start_at(Step::Deliver, &fake, "2026-11-23T06:16:40Z").await;
        stack.hints.pass(&deliver, 10).await;
        let posts = world.slack.seen();
        assert_eq!(posts.len(), 2);
        assert!(posts[1].text().contains("comes back again, after 10 min"), "{}", posts[1].text());
        assert!(world.pager.seen().is_empty(), "neither its failure nor its lateness pages");
    }
}
