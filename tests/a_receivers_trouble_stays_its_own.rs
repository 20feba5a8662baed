//! A receiver that is slow, busy or broken costs nobody else anything, and loses nothing (law 7).

use std::time::{Duration, Instant};

use crate::support::world::{ROUTES, TRANSACTIONAL_FAILING};
use crate::support::{PATIENCE, Reply, Serve, World, failed_email};

const QUIET: Duration = Duration::from_secs(3);

/// Three failures: one page, one post. Returns when the last one was answered.
async fn outage(serve: &Serve) -> Instant {
    for _ in 0..3 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    Instant::now()
}

/// Slack heard within a second, once.
async fn slack_heard_at_once(world: &World, since: Instant) {
    let posts = world.slack.wait_for(1, PATIENCE).await;
    let took = posts[0].at.saturating_duration_since(since);
    assert!(took < Duration::from_secs(1), "Slack waited {took:?} for PagerDuty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_tried_again_once() {
    let world = World::new().await;
    world.pager.answer_next([Reply::status(503, "")]);
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let since = outage(&serve).await;
    slack_heard_at_once(&world, since).await;
    let pages = world.pager.exactly(2, PATIENCE, QUIET).await;
    let waited = pages[1].at - pages[0].at;
    assert!(waited > Duration::from_millis(900) && waited < Duration::from_secs(4), "{waited:?}");
    assert_eq!(pages[0].json()["dedup_key"], pages[1].json()["dedup_key"]);
    assert_eq!(world.slack.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured() {
    let world = World::new().await;
    world.pager.answer_next([Reply::status(429, "").header("retry-after", "2")]);
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let since = outage(&serve).await;
    slack_heard_at_once(&world, since).await;
    let pages = world.pager.exactly(2, PATIENCE, QUIET).await;
    let waited = pages[1].at - pages[0].at;
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(6), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_receiver_will_never_take_goes_to_its_fallback_with_the_reason() {
    let invalid_key =
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}"#;
    for (reply, status) in [(Reply::status(400, invalid_key), "400"), (Reply::status(404, "Not Found"), "404")] {
        let world = World::new().await;
        world.pager.answer(reply);
        let backup = "\n[[receivers]]\nname = \"backup\"\ntype = \"slack\"\nwebhook_url = \"env:SLACK_BACKUP\"\n";
        let serve = world
            .setup_with_routes("fallback = \"backup\"", &format!("{backup}{ROUTES}"), TRANSACTIONAL_FAILING)
            .env("SLACK_BACKUP", &format!("{}/services/backup", world.slack.url()))
            .start()
            .await;
        let since = outage(&serve).await;
        slack_heard_at_once(&world, since).await;
        let posts = world.slack.exactly(2, PATIENCE, QUIET).await;
        let backup: Vec<_> = posts.iter().filter(|p| p.path == "/services/backup").collect();
        assert_eq!(backup.len(), 1, "the fallback hears it once, the team once");
        let text = backup[0].text();
        assert!(text.contains("on-call") && text.contains(status), "says why it comes here: {text}");
        assert_eq!(world.pager.seen().len(), 1, "and the broken receiver is left alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_delays_nobody() {
    let world = World::new().await;
    world.pager.answer(Reply::accepted().after(Duration::from_secs(120)));
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let since = outage(&serve).await;
    slack_heard_at_once(&world, since).await;
    // Nor the sender, nor other news for Slack.
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(serve.post(&failed_email().of("transactional:3").message("Invalid API key")).await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let posts = world.slack.wait_for(2, PATIENCE).await;
    assert!(posts[1].at - began < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_gets_it_when_it_is_back() {
    let world = World::new().await;
    world.slack.answer(Reply::status(500, "rollup_error"));
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    outage(&serve).await;
    world.slack.wait_for(2, PATIENCE).await;
    let before = world.slack.seen().len();
    world.slack.answer(Reply::ok());
    world.slack.wait_for(before + 1, PATIENCE).await;
    world.slack.nothing_more_for(QUIET).await;
    assert_eq!(world.pager.seen().len(), 1);
}
