//! The watcher is watched (law 9): somebody outside hears from the bridge every minute, and only while a probe passes
//! the events queue, evaluate, the hints queue and deliver.

use std::time::Duration;

use jiff::SignedDuration;

use crate::support::{Faketime, Reply, StandIn, World, ts};

/// The secret part of a dead-man's address.
const SECRET: &str = "b5f9aa21-secret-of-the-check";

const PING: &str = "\n[deadman]\nurl = \"env:DEADMAN_URL\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_running_bridge_pings_every_minute() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (world, outside) = (World::new().await, StandIn::answering(Reply::ok()).await);
    let url = format!("{}/ping/{SECRET}", outside.url());
    let serve = world.setup(PING).env("DEADMAN_URL", &url).under(fake).start().await;
    let began = serve.clock.now();
    let pings = outside.wait_for(3, Duration::from_secs(30)).await;
    assert!(pings.iter().all(|ping| ping.path == format!("/ping/{SECRET}") && ping.body.is_empty()));
    let took = serve.clock.latest(pings[2].at).duration_since(began);
    assert!(took >= SignedDuration::from_mins(2), "three pings of three minutes, within {took}");
    assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty(), "nobody else hears of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentry_monitor_is_checked_in_with_and_made_where_there_is_none() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (world, outside) = (World::new().await, StandIn::answering(Reply::status(202, "")).await);
    let url = format!("{}/api/7/cron/bridge/{SECRET}/", outside.url());
    let setup = world.setup(&format!("{PING}type = \"sentry\"\n")).env("DEADMAN_URL", &url);
    let _serve = setup.under(fake).start().await;
    let check_ins = outside.wait_for(1, Duration::from_secs(30)).await;
    assert_eq!(check_ins[0].path, format!("/api/7/cron/bridge/{SECRET}/"));
    assert_eq!(check_ins[0].query.as_deref(), Some("status=ok"));
    let monitor = &check_ins[0].json()["monitor_config"];
    assert_eq!((&monitor["schedule"]["unit"], &monitor["checkin_margin"]), (&"minute".into(), &5.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadman_that_refuses_is_logged_without_its_address_and_stops_nothing() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let (world, outside) = (World::new().await, StandIn::answering(Reply::status(404, "no such check")).await);
    let url = format!("{}/ping/{SECRET}", outside.url());
    let serve = world.setup(PING).env("DEADMAN_URL", &url).under(fake).start().await;
    // Each sign is tried twice.
    outside.wait_for(4, Duration::from_secs(30)).await;
    serve.clock.reach(ts("2026-11-23T06:06:00Z")).await;
    let log = serve.stderr();
    assert!(log.contains("deadman_not_reached") && log.contains("it answered 404"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[cfg(feature = "aws")]
mod on_aws {
    use super::*;
    use crate::support::lambda::tick;
    use crate::support::{Stack, Step};

    #[tokio::test(flavor = "multi_thread")]
    async fn only_a_probe_that_passed_all_functions_feeds_it() {
        let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 1) else { return };
        let (world, outside) = (World::new().await, StandIn::answering(Reply::ok()).await);
        let stack = Stack::new(world.setup(PING).env("DEADMAN_URL", &format!("{}/ping", outside.url()))).await;

        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:00:00Z").await).await;
        assert!(outside.seen().is_empty(), "no probe has passed yet");
        let evaluate = stack.start_at(Step::Evaluate, &fake, "2026-11-23T06:00:20Z").await;
        stack.events.pass(&evaluate, 10).await;
        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:01:00Z").await).await;
        assert!(outside.seen().is_empty(), "it waits before deliver");

        let deliver = stack.start_at(Step::Deliver, &fake, "2026-11-23T06:01:20Z").await;
        stack.hints.pass(&deliver, 10).await;
        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:02:00Z").await).await;
        assert_eq!(outside.seen().len(), 1, "the probe of 06:00 passed within 5 min");

        // Nobody evaluates any more: the probes of these minutes wait.
        tick(&stack.start_at(Step::Tick, &fake, "2026-11-23T06:05:30Z").await).await;
        assert_eq!(outside.seen().len(), 1, "the last one to pass was sent over 5 min ago");
        assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty());
    }
}
