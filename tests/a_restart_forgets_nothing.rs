//! What was answered 200 survives any end of the process (law 1).

use std::time::Duration;

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{PATIENCE, Reply, Serve, World, failed_email};

const QUIET: Duration = Duration::from_secs(3);

async fn fail(serve: &Serve, times: usize) {
    for _ in 0..times {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_before_and_after_a_kill_add_up() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    fail(&serve, 2).await;
    let serve = serve.kill().await.start().await;
    world.pager.nothing_more_for(Duration::from_secs(1)).await;
    fail(&serve, 1).await;
    let page = world.pager.exactly(1, PATIENCE, QUIET).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_right_after_the_answers_loses_no_page() {
    for _ in 0..3 {
        let world = World::new().await;
        let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
        fail(&serve, 3).await;
        let _serve = serve.kill().await.start().await;
        world.pager.wait_for(1, PATIENCE).await;
        world.slack.wait_for(1, PATIENCE).await;
        tokio::time::sleep(QUIET).await;
        // Once, and once more only where the kill fell between the sending and the recording of its answer.
        for (who, seen) in [("PagerDuty", world.pager.seen()), ("Slack", world.slack.seen())] {
            assert!(seen.len() <= 2, "{who} heard it {} times", seen.len());
        }
        let pages = world.pager.seen();
        assert!(pages.iter().all(|p| p.json()["dedup_key"] == pages[0].json()["dedup_key"]));
        assert!(pages.iter().all(|p| p.json()["payload"]["custom_details"]["count"] == 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undelivered_page_arrives_after_the_restart_once() {
    let world = World::new().await;
    world.pager.answer(Reply::status(503, ""));
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    fail(&serve, 3).await;
    world.pager.wait_for(1, PATIENCE).await;
    world.slack.wait_for(1, PATIENCE).await;
    tokio::time::sleep(Duration::from_millis(500)).await; // Slack's answer is recorded
    let setup = serve.kill().await;
    let before = world.pager.seen().len();
    world.pager.answer(Reply::accepted());
    let _serve = setup.start().await;
    // The next try may be due as late as a minute after the last one.
    world.pager.exactly(before + 1, Duration::from_secs(70), QUIET).await;
    assert_eq!(world.slack.seen().len(), 1, "Slack had been told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_not_told_again() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    fail(&serve, 3).await;
    world.pager.wait_for(1, PATIENCE).await;
    world.slack.wait_for(1, PATIENCE).await;
    tokio::time::sleep(Duration::from_millis(500)).await; // both answers are recorded
    let serve = serve.kill().await.start().await;
    fail(&serve, 3).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_and_exits_0() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    fail(&serve, 3).await;
    let (status, setup) = serve.terminate().await;
    assert_eq!(status.code(), Some(0));
    let _serve = setup.start().await;
    world.pager.exactly(1, PATIENCE, QUIET).await;
    assert_eq!(world.slack.seen().len(), 1);
}
