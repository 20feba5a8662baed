use jiff::SignedDuration;

use super::*;
use crate::lambda::testing::{Mood, SQS_EVENTS, World};

fn function(world: &World) -> Function {
    Function {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        clock: world.clock.clone(),
        meter: Meter::new("test".into()),
    }
}

async fn answered(world: &World, envelope: &str) -> Result<String, String> {
    let answer = function(world).batch(envelope, world.deadline()).await;
    answer.map(|a| serde_json::to_string(&a).expect("json")).map_err(|e| e.to_string())
}

#[tokio::test]
async fn of_a_batch_only_the_bad_message_comes_again() {
    let world = World::new();
    let want = r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975970003"}]}"#;
    assert_eq!(answered(&world, SQS_EVENTS).await.as_deref(), Ok(want));
    assert_eq!(world.hints().await.len(), 1);
}

#[tokio::test]
async fn a_queue_or_store_that_is_down_fails_the_whole_batch() {
    let world = World::new();
    world.outbox.is(Mood::Refuses);
    let error = answered(&world, SQS_EVENTS).await.expect_err("fails");
    assert_eq!(error, "store unavailable: the queue refuses");
}

#[tokio::test]
async fn near_the_deadline_the_batch_is_given_again() {
    let world = World::new();
    world.outbox.is(Mood::Hangs);
    let soon = world.clock.now() + SignedDuration::from_millis(700);
    let began = std::time::Instant::now();
    let error = function(&world).batch(SQS_EVENTS, soon).await.expect_err("no time");
    assert_eq!(error.to_string(), "time is up: the batch comes again");
    assert!(began.elapsed() < std::time::Duration::from_millis(600));
}

#[tokio::test]
async fn what_is_processed_alone_is_not_begun_when_time_is_short_and_comes_again_by_itself() {
    let world = World::new();
    let alone = SQS_EVENTS.replace("\"ApproximateReceiveCount\": \"1\"", "\"ApproximateReceiveCount\": \"3\"");
    assert_ne!(alone, SQS_EVENTS);
    let records = alone.matches("\"messageId\"").count();
    let short = world.clock.now() + SignedDuration::from_millis(2_500);
    let answer = function(&world).batch(&alone, short).await.expect("an answer, not a failed invocation");
    assert_eq!(answer.failures(), records);
    // With time, the same messages are done, all but the bad one.
    let answer = function(&world).batch(&alone, world.deadline()).await.expect("an answer");
    assert_eq!(answer.failures(), 1);
}
