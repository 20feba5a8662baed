//! Two workers that each see half of a burst at the same time: neither half is enough, the sum is, and it fires once
//! (law 4).

use std::time::Duration;

use crate::support::lambda::{EVENTS_BATCH, HINTS_BATCH, deliver};
use crate::support::{PATIENCE, Stack, Step, World, failed_email};

const RULE: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#;

/// Races are lost seldom: this many are run.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn twin_evaluators_on_the_halves_of_one_burst_page_once() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(RULE)).await;
    let ingest = stack.start(Step::Ingest).await;
    let twins = [stack.start(Step::Evaluate).await, stack.start(Step::Evaluate).await];
    let senders = [stack.start(Step::Deliver).await, stack.start(Step::Deliver).await];
    for round in 1..=ROUNDS {
        let source = format!("transactional:{round}");
        for _ in 0..4 {
            deliver(&ingest, &failed_email().of(&source)).await;
        }
        let messages = stack.events.receive(EVENTS_BATCH).await;
        let (left, right) = messages.split_at(2);
        assert_eq!(right.len(), 2);
        let queue = &stack.events;
        let (left, right) = tokio::join!(queue.hand_over(&twins[0], left), queue.hand_over(&twins[1], right));
        assert_eq!((left.deleted, right.deleted), (2, 2), "{}{}", twins[0].log(), twins[1].log());

        // Every hint twice, to two senders at once: the lease lets one of them speak.
        let hints = stack.hints.receive(HINTS_BATCH).await;
        assert!(!hints.is_empty(), "round {round}: nobody saw the sum");
        let batch = stack.hints.batch(&hints);
        let (a, b) = tokio::join!(senders[0].invoke(&batch), senders[1].invoke(&batch));
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
        stack.hints.delete(&hints).await;
        let pages = world.pager.exactly(round, PATIENCE, Duration::ZERO).await;
        let details = &pages[round - 1].json()["payload"]["custom_details"];
        assert_eq!(details["source"], source);
        assert!(details["count"].as_u64().is_some_and(|n| (3..=4).contains(&n)), "{details:#}");
    }
    assert_eq!(world.slack.seen().len(), ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_with_overlapping_batches_count_each_event_once() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(RULE)).await;
    let ingest = stack.start(Step::Ingest).await;
    let twins = [stack.start(Step::Evaluate).await, stack.start(Step::Evaluate).await];
    for source in ["transactional:1", "transactional:2"] {
        for _ in 0..2 {
            deliver(&ingest, &failed_email().of(source)).await;
        }
    }
    let messages = stack.events.receive(EVENTS_BATCH).await;
    let (front, back) = (stack.events.batch(&messages[..3]), stack.events.batch(&messages[1..]));
    for _ in 0..3 {
        let (a, b) = tokio::join!(twins[0].invoke(&front), twins[1].invoke(&back));
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    }
    assert_eq!(stack.hints.depth().await, 0, "two failures each, twelve deliveries");
    stack.events.delete(&messages).await;
    deliver(&ingest, &failed_email().of("transactional:2")).await;
    let sender = stack.start(Step::Deliver).await;
    stack.settle(&twins[0], &sender).await;
    let page = world.pager.exactly(1, PATIENCE, Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
}
