//! When SQS, DynamoDB, a secret or the configuration fails, the sender hears 503 in time and repeats it, messages stay
//! in their queue, and once it is repaired the same processes go on: nothing is lost, nothing counted twice.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::event_source::Passed;
use crate::support::lambda::{EVENTS_BATCH, call, deliver, post, try_tick, webhook};
use crate::support::moto::{Moto, unique};
use crate::support::serve::SIGNING_KEY;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Answer, Event, Faketime, PATIENCE, Reply, Setup, Stack, StandIn, Step, World, failed_email};

fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    let seconds = answer.header("retry-after").and_then(|v| v.parse::<u32>().ok());
    assert!(seconds.is_some_and(|s| s > 0), "{what}: Retry-After in seconds, not {:?}", answer.headers);
}

fn three_failures() -> [Event; 3] {
    [0; 3].map(|_| failed_email().of("transactional:2"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_down_or_hangs_is_a_503_in_time_and_the_repeated_request_counts_once() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.start(Step::Ingest).await;
    let failures = three_failures();
    // One connection is open and in use before.
    deliver(&ingest, &failures[0]).await;

    stack.sqs.shut();
    for failure in &failures {
        assert_unavailable(&post(&ingest, failure).await, "a queue that is down");
    }
    stack.sqs.hang();
    let began = Instant::now();
    assert_unavailable(&post(&ingest, &failures[1]).await, "a queue that hangs");
    assert!(began.elapsed() < Duration::from_secs(3), "answered after {:?}", began.elapsed());
    stack.sqs.open();

    for failure in &failures {
        deliver(&ingest, failure).await;
    }
    let (evaluate, sender) = (stack.start(Step::Evaluate).await, stack.start(Step::Deliver).await);
    stack.settle(&evaluate, &sender).await;
    let page = world.pager.exactly(1, PATIENCE, Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_down_fails_the_whole_batch_and_loses_nothing() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    let (sender, ticker) = (stack.start(Step::Deliver).await, stack.start(Step::Tick).await);

    stack.dynamo.shut();
    for failure in three_failures() {
        deliver(&ingest, &failure).await; // needs the queue alone
    }
    let unreadable = webhook(SIGNING_KEY, ingest.clock.now(), b"not an event");
    assert_unavailable(&call(&ingest, &unreadable).await, "quarantine is in the table");
    let messages = stack.events.receive(EVENTS_BATCH).await;
    let failed = evaluate.invoke(&stack.events.batch(&messages)).await;
    assert!(failed.is_err(), "a single failure each would not slow the poller down: {failed:?}");
    assert!(try_tick(&ticker).await.is_err(), "and its work stays due");
    assert!(world.pager.seen().is_empty());
    stack.dynamo.open();

    let passed = stack.events.hand_over(&evaluate, &messages).await;
    assert_eq!(passed, Passed { received: 3, deleted: 3 }, "{}", evaluate.log());

    // The same on the way out.
    stack.dynamo.shut();
    let hints = stack.hints.receive(10).await;
    assert_eq!(hints.len(), 2, "{hints:?}");
    assert_eq!(stack.hints.hand_over(&sender, &hints).await.deleted, 0);
    assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty());
    stack.dynamo.open();
    stack.hints.put_back(&hints).await;
    stack.settle(&evaluate, &sender).await;
    let page = world.pager.exactly(1, PATIENCE, Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
    assert_eq!(world.slack.seen().len(), 1);
    assert_eq!(call(&ingest, &unreadable).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_fails_the_batch_and_loses_nothing() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let throttle = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}"#;
    let throttled =
        StandIn::answering(Reply::status(400, throttle).header("content-type", "application/x-amz-json-1.0")).await;
    let ingest = stack.start(Step::Ingest).await;
    let evaluate = stack.function(Step::Evaluate).env("AWS_ENDPOINT_URL_DYNAMODB", &throttled.url()).start().await;
    for failure in three_failures() {
        deliver(&ingest, &failure).await;
    }
    let messages = stack.events.receive(EVENTS_BATCH).await;
    assert!(evaluate.invoke(&stack.events.batch(&messages)).await.is_err());
    assert!(!throttled.seen().is_empty());
    let evaluate = stack.start(Step::Evaluate).await;
    assert_eq!(stack.events.hand_over(&evaluate, &messages).await.deleted, 3);
    let sender = stack.start(Step::Deliver).await;
    stack.settle(&evaluate, &sender).await;
    world.pager.exactly(1, PATIENCE, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_that_cannot_be_read_is_a_503_until_it_can_in_the_same_process() {
    // Fast, so that the minute between two looks at the keys is a few seconds.
    let Some(fake) = Faketime::at("2026-11-23T12:00:00Z", 20) else { return };
    let (world, moto, secret) = (World::new().await, Moto::shared(), unique("bridge/customerio"));
    let plain = world.setup("");
    let config = std::fs::read_to_string(plain.config_file()).expect("a configuration");
    let setup = Setup::new(&config.replace("\"env:CIO_SIGNING_KEY\"", &format!("\"secret:{secret}\"")));
    let stack = Stack::new(setup.without("CIO_SIGNING_KEY")).await;
    let ingest = stack.function(Step::Ingest).under(fake).start().await;
    assert_unavailable(&post(&ingest, &failed_email()).await, "no key");
    assert!(ingest.log().contains(&secret), "says which one is missing:\n{}", ingest.log());

    let ask = json!({ "Name": secret, "SecretString": SIGNING_KEY, "ClientRequestToken": "0".repeat(32) });
    moto.call("secretsmanager", "secretsmanager.CreateSecret", ask).await;
    let until = Instant::now() + PATIENCE;
    while post(&ingest, &failed_email()).await.status != 200 {
        assert!(Instant::now() < until, "still no key after minutes of its clock:\n{}", ingest.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!ingest.log().contains(SIGNING_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_starts_answers_503_and_keeps_every_message() {
    let world = World::new().await;
    let good = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = good.start(Step::Ingest).await;
    for failure in three_failures() {
        deliver(&ingest, &failure).await;
    }
    for broken in ["[workspace]\nname = \n", "[workspace]\nname = \"acme\"\nnonsense = 1\n"] {
        let config = good.setup.folder().join("broken.toml");
        std::fs::write(&config, broken).expect("written");
        let config = config.to_str().expect("a path");
        let function = |step| good.function(step).env("BRIDGE_CONFIG", config);
        let ingest = function(Step::Ingest).start().await;
        for _ in 0..2 {
            assert_unavailable(&post(&ingest, &failed_email()).await, broken);
        }
        assert!(ingest.log().contains("broken.toml:"), "says where it is broken:\n{}", ingest.log());
        let evaluate = function(Step::Evaluate).start().await;
        let messages = good.events.receive(EVENTS_BATCH).await;
        assert_eq!(messages.len(), 3);
        assert_eq!(good.events.hand_over(&evaluate, &messages).await.deleted, 0);
        good.events.put_back(&messages).await;
        let ticker = function(Step::Tick).start().await;
        assert!(try_tick(&ticker).await.is_err());
    }
    let gone = good.function(Step::Ingest).env("BRIDGE_CONFIG", "/nowhere/bridge.toml").start().await;
    assert_unavailable(&post(&gone, &failed_email()).await, "no configuration");
    let (evaluate, sender) = (good.start(Step::Evaluate).await, good.start(Step::Deliver).await);
    good.settle(&evaluate, &sender).await;
    world.pager.exactly(1, PATIENCE, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_at_any_time_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.start(Step::Ingest).await;
    for failure in three_failures() {
        deliver(&ingest, &failure).await;
    }
    let messages = stack.events.receive(EVENTS_BATCH).await;
    let batch = stack.events.batch(&messages);
    // One dies between any two of its writes, as the time happens to fall.
    for after_ms in [0, 2, 4, 8, 16, 32] {
        let evaluate = stack.start(Step::Evaluate).await;
        let killed = async {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            evaluate.kill();
        };
        let _ = tokio::join!(evaluate.invoke(&batch), killed);
    }
    let (evaluate, sender) = (stack.start(Step::Evaluate).await, stack.start(Step::Deliver).await);
    assert_eq!(stack.events.hand_over(&evaluate, &messages).await.deleted, 3);
    // An opening whose hints were lost is told after the next tick.
    let ticker = stack.start(Step::Tick).await;
    crate::support::lambda::tick(&ticker).await;
    stack.settle(&evaluate, &sender).await;
    let page = world.pager.exactly(1, PATIENCE, Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
    assert_eq!(world.slack.seen().len(), 1);
}
