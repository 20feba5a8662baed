//! A message that nobody can process holds up no other, and does not vanish: it was answered 2xx (laws 1 and 2).

use serde_json::json;

use crate::support::lambda::{EVENTS_BATCH, call, deliver, post, webhook};
use crate::support::serve::SIGNING_KEY;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{PATIENCE, Stack, Step, World, failed_email};

/// Names a part of a message that makes a debug build panic while it processes it.
const PLANT: &str = "BRIDGE_PLANT_PANIC";
const POISON: &str = "poison-pill";

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_entry_of_a_batch_is_given_back_alone_and_quarantined_in_the_end() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    let sender = stack.start(Step::Deliver).await;
    let malformed = ["not JSON", "{\"kind\":1}", "null", "{\"at\":\"2026-11-24T"];
    for body in malformed {
        stack.events.send(body).await;
    }
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    let mut messages = stack.events.receive(EVENTS_BATCH).await;
    messages.sort_by_key(|m| !malformed.contains(&m.body.as_str()));
    let answer = evaluate.invoke(&stack.events.batch(&messages)).await.expect("an answer, not a failure of the batch");
    let mut failed: Vec<_> = answer["batchItemFailures"].as_array().expect("a list").iter().collect();
    failed.sort_by_key(|f| messages.iter().position(|m| f["itemIdentifier"] == m.id.as_str()));
    let want: Vec<_> = messages[..malformed.len()].iter().map(|m| json!({ "itemIdentifier": m.id })).collect();
    assert_eq!(failed, want.iter().collect::<Vec<_>>());
    stack.events.delete(&messages[malformed.len()..]).await;
    stack.settle(&evaluate, &sender).await;
    world.pager.wait_for(1, PATIENCE).await;

    // After a few tries they are kept where a person can look at them, and leave the queue.
    let before = stack.table.items().await.len();
    for message in &mut messages[..malformed.len()] {
        message.receives = 5;
    }
    let passed = stack.events.hand_over(&evaluate, &messages[..malformed.len()]).await;
    assert_eq!(passed.deleted, malformed.len());
    assert!(stack.table.items().await.len() > before, "kept in quarantine");
    assert_eq!(stack.events.dead_letters().await, 0);
    assert_eq!(world.pager.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(debug_assertions), ignore = "only debug builds have the planted panic")]
async fn a_panic_in_ingest_is_a_503_and_the_same_process_goes_on() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.function(Step::Ingest).env(PLANT, POISON).start().await;
    for _ in 0..2 {
        let answer = post(&ingest, &failed_email().message(POISON)).await;
        assert_eq!(answer.status, 503, "{}\n{}", answer.text(), ingest.log());
        assert!(answer.header("retry-after").is_some());
        deliver(&ingest, &failed_email()).await;
    }
    assert_eq!(stack.events.depth().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(debug_assertions), ignore = "only debug builds have the planted panic")]
async fn a_panic_in_evaluate_fails_that_one_message() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.start(Step::Ingest).await;
    let evaluate = stack.function(Step::Evaluate).env(PLANT, POISON).start().await;
    let sender = stack.start(Step::Deliver).await;
    for text in ["Variable 'a' is missing", POISON, "Variable 'a' is missing", "Variable 'a' is missing"] {
        let event = failed_email().of("transactional:2").message(text);
        let signed = webhook(SIGNING_KEY, ingest.clock.now(), &event.bytes());
        assert_eq!(call(&ingest, &signed).await.status, 200);
    }
    let messages = stack.events.receive(EVENTS_BATCH).await;
    let passed = stack.events.hand_over(&evaluate, &messages).await;
    assert_eq!((passed.received, passed.deleted), (4, 3), "{}", evaluate.log());
    stack.settle(&evaluate, &sender).await;
    let page = world.pager.wait_for(1, PATIENCE).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3, "each once, though the batch was tried twice");

    // Once repaired, the one that was left is counted too.
    let poisoned: Vec<_> = messages.iter().filter(|m| m.body.contains(POISON)).cloned().collect();
    stack.events.put_back(&poisoned).await;
    let repaired = stack.start(Step::Evaluate).await;
    assert_eq!(stack.events.pass(&repaired, EVENTS_BATCH).await.deleted, 1);
    assert_eq!(stack.events.depth().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_cannot_be_read_holds_up_no_other() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    let sender = stack.start(Step::Deliver).await;
    stack.hints.send("not JSON").await;
    stack.hints.send(r#"{"incident":"nobody knows it","receiver":"on-call"}"#).await;
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    stack.settle(&evaluate, &sender).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
    assert_eq!(stack.hints.depth().await, 0, "nothing is lost with a hint: tick makes a new one");
}

#[test]
fn release_builds_unwind() {
    // The tool that builds functions would choose abort, and a panic would be the platform's 502.
    let manifest = include_str!("../Cargo.toml");
    let release = manifest.split("\n[").find(|section| section.starts_with("profile.release]")).expect("a profile");
    assert!(release.lines().any(|line| line.starts_with("panic = \"unwind\"")), "{release}");
}
