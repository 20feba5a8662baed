use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::config::secrets::Secret;
use crate::customerio::signature::sign;
use crate::lambda::testing::{FUNCTION_URL, KEY, Mood, Vault, World};
use crate::store::Store as _;

/// A function over the world's store and queue, with these secrets.
async fn function(world: &World, vault: Arc<Vault>) -> Function {
    let keys = KeyRing::load(world.config.customerio.signing_keys.clone(), vault, world.clock.now()).await;
    let ingest = Ingest {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        keys,
        counts: None,
        refusals: Refusals::default(),
    };
    Function { ingest: Ok(ingest), clock: world.clock.clone(), meter: Meter::new("test".into()) }
}

async fn with_key(world: &World) -> Function {
    function(world, Vault::holding(&[("/new", KEY), ("/old", "")])).await
}

/// The sample request with another body, signed by another key, maybe.
fn request(key: &str, body: &str) -> Value {
    let mut envelope: Value = serde_json::from_str(FUNCTION_URL).expect("json");
    let stamp = envelope["headers"]["x-cio-timestamp"].as_str().expect("a stamp").to_owned();
    envelope["headers"]["x-cio-signature"] = json!(sign(&Secret::new(key), &stamp, body.as_bytes()));
    envelope["body"] = json!(body);
    envelope
}

fn sample_body() -> String {
    let envelope: Value = serde_json::from_str(FUNCTION_URL).expect("json");
    envelope["body"].as_str().expect("a body").to_owned()
}

/// What an alarm would see: counts by name, of all that was counted.
fn counted(function: &Function) -> String {
    let mut lines = Vec::new();
    for line in function.meter.take_all(Timestamp::UNIX_EPOCH) {
        let mut line: serde_json::Map<String, Value> = serde_json::from_str(&line).expect("json");
        line.remove("_aws");
        line.remove("FunctionName");
        lines.extend(line.iter().map(|(name, n)| format!("{name} {n}")));
    }
    lines.join(", ")
}

#[tokio::test]
async fn a_signed_webhook_is_enqueued_and_answered_200() {
    let world = World::new();
    let function = with_key(&world).await;
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Taken.into());
    let events = world.events().await;
    let seen: Vec<_> = events.iter().map(|e| (e.kind.to_string(), e.source.to_string(), e.key)).collect();
    assert_eq!(seen, [("email_failed".to_owned(), "campaign:5".to_owned(), 0)]);
}

#[tokio::test]
async fn the_same_body_in_base64_is_the_same_event() {
    let world = World::new();
    let function = with_key(&world).await;
    let mut envelope = request(KEY, &sample_body());
    envelope["body"] = json!(BASE64_STANDARD.encode(sample_body()));
    envelope["isBase64Encoded"] = json!(true);
    assert_eq!(function.answer(&envelope.to_string()).await.status(), 200);
    assert_eq!(function.answer(FUNCTION_URL).await.status(), 200);
    let events = world.events().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].identity, events[1].identity);
}

#[tokio::test]
async fn a_large_body_is_kept_in_part_and_counted() {
    let world = World::new();
    let function = with_key(&world).await;
    let body = format!("{{\"metric\":\"sent\",\"padding\":\"{}\"}}", "x".repeat(300 * 1024));
    assert_eq!(function.answer(&request(KEY, &body).to_string()).await.status(), 200);
    let now = world.clock.now();
    let kept = world.store.quarantined(now - SignedDuration::from_hours(1), now + SignedDuration::from_hours(1)).await;
    assert_eq!(kept.expect("read").iter().map(|item| item.length).collect::<Vec<_>>(), [body.len() as u64]);
}

#[tokio::test]
async fn what_cannot_be_read_or_decoded_is_our_trouble() {
    let world = World::new();
    let function = with_key(&world).await;
    let mut bad_base64 = request(KEY, "{}");
    bad_base64["isBase64Encoded"] = json!(true);
    for envelope in ["null", "{}", r#"{"Records":[]}"#, &bad_base64.to_string()] {
        assert_eq!(function.answer(envelope).await, Answer::Unavailable.into(), "{envelope}");
    }
}

#[tokio::test]
async fn without_a_configuration_everything_is_503_and_the_health_check_is_not() {
    let world = World::new();
    let broken = Err(Failed("bridge.toml:1:1: error".into()));
    let function = Function { ingest: broken, clock: world.clock.clone(), meter: Meter::new("test".into()) };
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Unavailable.into());
    let mut health = request(KEY, "");
    health["rawPath"] = json!("/healthz");
    health["requestContext"]["http"]["method"] = json!("GET");
    // Signed, it is a webhook on an odd path, and no answer may promise what is not stored.
    assert_eq!(function.answer(&health.to_string()).await.status(), 503);
    health["headers"] = json!({});
    assert_eq!(function.answer(&health.to_string()).await.status(), 200);
}

#[tokio::test]
async fn a_panic_is_a_503_and_the_next_request_is_fine() {
    let world = World::new();
    let function = with_key(&world).await;
    world.outbox.is(Mood::Panics);
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Unavailable.into());
    world.outbox.is(Mood::Fine);
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Taken.into());
    assert_eq!(world.events().await.len(), 1);
}

#[tokio::test]
async fn a_queue_that_hangs_is_a_503_in_time_counted_from_the_platforms_arrival() {
    let world = World::new();
    let function = with_key(&world).await;
    world.outbox.is(Mood::Hangs);
    // The sample arrived 80 ms ago, and its own stamp is of the same second.
    let began = std::time::Instant::now();
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Unavailable.into());
    assert!((2_420..2_600).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    world.outbox.is(Mood::Refuses);
    assert_eq!(function.answer(FUNCTION_URL).await, Answer::Unavailable.into());
}

#[tokio::test]
async fn keys_that_could_not_be_read_are_read_again_after_a_minute() {
    let world = World::new();
    let vault = Vault::holding(&[("/old", "")]);
    let function = function(&world, vault.clone()).await;
    assert_eq!(function.answer(FUNCTION_URL).await.status(), 503);
    vault.set("/new", KEY);
    assert_eq!(function.answer(FUNCTION_URL).await.status(), 503);
    world.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(function.answer(FUNCTION_URL).await.status(), 200);
}

#[tokio::test]
async fn keys_in_hand_go_on_verifying_while_they_cannot_be_read_again() {
    let world = World::new();
    let vault = Vault::holding(&[("/new", KEY), ("/old", "")]);
    let function = function(&world, vault.clone()).await;
    vault.lose("/new");
    world.clock.advance(SignedDuration::from_secs(61));
    let forged = request("forged", "{}").to_string();
    assert_eq!(function.answer(&forged).await.status(), 503, "nobody can tell: it may be signed with a new key");
    assert_eq!(function.answer(FUNCTION_URL).await.status(), 200);
}

#[tokio::test]
async fn what_alarms_and_people_wait_for_is_counted() {
    let world = World::new();
    let function = function(&world, Vault::holding(&[("/new", "new-key"), ("/old", KEY)])).await;
    let answer = async |envelope: Value| {
        function.caught(&envelope.to_string(), world.clock.now()).await;
        counted(&function)
    };
    let body = sample_body();
    insta::assert_snapshot!(answer(request("new-key", &body)).await, @"Answer200 1, Verified 1, VerifiedByKey0 1");
    insta::assert_snapshot!(answer(request(KEY, &body)).await, @"Answer200 1, Verified 1, VerifiedByKey1 1");
    insta::assert_snapshot!(answer(request(KEY, "not json")).await, @"Answer200 1, Quarantined 1, Verified 1, VerifiedByKey1 1");
    insta::assert_snapshot!(answer(request(KEY, &"x".repeat(300 * 1024))).await, @"Answer200 1, Quarantined 1, TooLarge 1, Verified 1, VerifiedByKey1 1");
    insta::assert_snapshot!(answer(request("forged", &body)).await, @"Answer503 1, SignatureFailures 1, SignatureFailuresFromSender 1");
    let mut forged = request("forged", &body);
    forged["requestContext"]["http"]["sourceIp"] = json!("192.0.2.1");
    insta::assert_snapshot!(answer(forged).await, @"Answer401 1, SignatureFailures 1");
    let mut unsigned = request(KEY, &body);
    unsigned["headers"] = json!({});
    insta::assert_snapshot!(answer(unsigned).await, @"Answer401 1");
    assert_eq!(world.events().await.iter().map(|event| event.key).collect::<Vec<_>>(), [0, 1]);
}
