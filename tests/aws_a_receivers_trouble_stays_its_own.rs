//! On AWS too a receiver that is slow, busy or down costs nobody else anything and loses nothing (law 7). A short wait
//! is the queue's; no tick is needed for it.

use std::time::{Duration, Instant};

use crate::support::lambda::{HINTS_BATCH, deliver};
use crate::support::runtime_api::Lambda;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{PATIENCE, Reply, Stack, Step, World, failed_email};

/// Three failures, evaluated; their hints wait in the queue.
async fn outage(stack: &Stack) {
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    assert_eq!(stack.events.pass(&evaluate, 100).await.deleted, 3, "{}", evaluate.log());
}

/// Hands over hints as they come in sight, until PagerDuty has been asked so often.
async fn hand_over_until(world: &World, stack: &Stack, sender: &Lambda, asked: usize) {
    let until = Instant::now() + PATIENCE;
    while world.pager.seen().len() < asked {
        assert!(Instant::now() < until, "{} attempts\n{}", world.pager.seen().len(), sender.log());
        stack.hints.pass(sender, HINTS_BATCH).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_receiver_is_asked_again_after_the_wait_it_asked_for_and_not_before() {
    let world = World::new().await;
    world.pager.answer_next([Reply::status(429, "").header("retry-after", "2"), Reply::status(503, "")]);
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let sender = stack.start(Step::Deliver).await;
    outage(&stack).await;
    hand_over_until(&world, &stack, &sender, 3).await;
    let pages = world.pager.seen();
    let waits = [pages[1].at - pages[0].at, pages[2].at - pages[1].at];
    assert!(waits[0] >= Duration::from_secs(2), "Retry-After: {waits:?}");
    assert!(waits[1] >= Duration::from_millis(900), "our own first wait: {waits:?}");
    assert_eq!(pages[0].json()["dedup_key"], pages[2].json()["dedup_key"]);
    // Whatever is still in the queue says nothing more.
    for _ in 0..3 {
        stack.hints.pass(&sender, HINTS_BATCH).await;
    }
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_delays_nobody_in_its_batch() {
    let world = World::new().await;
    world.pager.answer(Reply::accepted().after(Duration::from_secs(120)));
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let sender = stack.start(Step::Deliver).await;
    outage(&stack).await;
    let hints = stack.hints.receive(HINTS_BATCH).await;
    assert_eq!(hints.len(), 2);
    let began = Instant::now();
    let heard = async {
        let posts = world.slack.wait_for(1, PATIENCE).await;
        posts[0].at - began
    };
    let (passed, took) = tokio::join!(stack.hints.hand_over(&sender, &hints), heard);
    assert!(took < Duration::from_secs(2), "Slack waited {took:?} for PagerDuty");
    assert_eq!(passed.deleted, 1, "the one that hangs is given back\n{}", sender.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hints_queue_that_is_down_loses_no_page() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    let messages = stack.events.receive(100).await;
    stack.sqs.shut();
    assert_eq!(stack.events.hand_over(&evaluate, &messages).await.deleted, 0, "the batch comes again");
    stack.sqs.open();
    assert_eq!(stack.events.hand_over(&evaluate, &messages).await.deleted, 3, "{}", evaluate.log());
    // The incident was opened by the first try, and its hints are lost: tick makes them again.
    crate::support::lambda::tick(&stack.start(Step::Tick).await).await;
    let sender = stack.start(Step::Deliver).await;
    stack.settle(&evaluate, &sender).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
}
