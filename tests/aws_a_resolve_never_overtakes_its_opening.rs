//! Delivery is level-triggered: what is over while its opening waits is not opened any more, and nobody hears of an
//! end without a beginning (law 7).

use std::time::Duration;

use serde_json::Value;

use crate::support::lambda::{HINTS_BATCH, deliver, tick};
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Faketime, Reply, Stack, Step, World, failed_email, sent_email};

const START: &str = "2026-11-23T10:00:00Z";
/// Quiet for longer than the default 30 min.
const OVER: &str = "2026-11-23T10:40:00Z";
const LATER: &str = "2026-11-23T11:05:00Z";

/// The outage at [`START`]; its end is seen at [`OVER`] and told to nobody yet.
async fn outage_that_is_over(world: &World, stack: &Stack, fake: &Faketime) {
    let ingest = stack.start_at(Step::Ingest, fake, START).await;
    let evaluate = stack.start_at(Step::Evaluate, fake, START).await;
    let sender = stack.start_at(Step::Deliver, fake, START).await;
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2").at(ingest.clock.now())).await;
    }
    stack.settle(&evaluate, &sender).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1), "one attempt each");

    let ingest = stack.start_at(Step::Ingest, fake, OVER).await;
    deliver(&ingest, &sent_email().of("transactional:2").at(ingest.clock.now())).await;
    let evaluate = stack.start_at(Step::Evaluate, fake, OVER).await;
    stack.events.pass(&evaluate, 100).await;
    tick(&stack.start_at(Step::Tick, fake, "2026-11-23T10:41:00Z").await).await;
}

/// Hands over what hints there are to a deliver at this time, and no more: messages that wait, wait in real time.
async fn deliver_at(stack: &Stack, fake: &Faketime, when: &str) {
    let sender = stack.start_at(Step::Deliver, fake, when).await;
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_that_comes_while_the_trigger_waits_for_retry_after_sends_neither_too_early() {
    let Some(fake) = Faketime::at(START, 1) else { return };
    let world = World::new().await;
    let busy = || Reply::status(429, "").header("retry-after", "3600");
    world.pager.answer(busy());
    world.slack.answer(busy());
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    outage_that_is_over(&world, &stack, &fake).await;

    deliver_at(&stack, &fake, "2026-11-23T10:41:00Z").await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1), "the hour is not over");

    world.pager.answer(Reply::accepted());
    world.slack.answer(Reply::ok());
    for minute in ["2026-11-23T11:02:00Z", LATER] {
        tick(&stack.start_at(Step::Tick, &fake, minute).await).await;
        deliver_at(&stack, &fake, minute).await;
    }
    let pages: Vec<Value> = world.pager.seen().iter().map(|p| p.json()["event_action"].clone()).collect();
    assert_eq!(pages, ["trigger"], "the refused one: a pager is not woken for what is over, and resolves nothing");
    let posts = world.slack.exactly(2, Duration::ZERO, Duration::ZERO).await;
    let said = posts[1].text().to_lowercase();
    assert!(said.contains("resolved") && said.contains("transactional 2"), "both in one: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_is_resolved_once_under_the_same_key_and_a_doubled_tick_changes_nothing() {
    let Some(fake) = Faketime::at(START, 1) else { return };
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    outage_that_is_over(&world, &stack, &fake).await;
    let twins = [stack.start_at(Step::Tick, &fake, LATER).await, stack.start_at(Step::Tick, &fake, LATER).await];
    tokio::join!(tick(&twins[0]), tick(&twins[1]));
    deliver_at(&stack, &fake, LATER).await;
    let pages = world.pager.exactly(2, Duration::ZERO, Duration::ZERO).await;
    let (opened, resolved) = (pages[0].json(), pages[1].json());
    assert_eq!((&opened["event_action"], &resolved["event_action"]), (&"trigger".into(), &"resolve".into()));
    assert_eq!(opened["dedup_key"], resolved["dedup_key"]);
    assert_eq!(world.slack.seen().len(), 2);
}
