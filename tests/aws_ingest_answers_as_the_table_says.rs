//! The table "Answers on the webhook path" through the Function URL's envelope: a wrong status stalls the sender for
//! an hour (law 2).

use std::time::{Duration, Instant};

use cio_alert_bridge::store::Store;
use cio_alert_bridge::store::dynamo::DynamoStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::lambda::{call, in_base64, request, webhook};
use crate::support::serve::{SIGNING_KEY, WEBHOOK};
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Answer, Stack, Step, World, failed_email};

fn assert_taken(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentic_request_is_taken_whatever_it_holds_and_however_it_comes() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.start(Step::Ingest).await;
    let now = || ingest.clock.now();
    let foreign = failed_email().of("transactional:2").message("Größe \u{1f600} fehlt / \\u00e9").bytes();

    let signed = webhook(SIGNING_KEY, now(), &foreign);
    assert_taken(&call(&ingest, &signed).await, "text beyond ASCII");
    assert_taken(&call(&ingest, &in_base64(signed.clone(), &foreign)).await, "the same in base64");
    let escaped = String::from_utf8(foreign).expect("text").replace('/', "\\/");
    assert_taken(&call(&ingest, &webhook(SIGNING_KEY, now(), escaped.as_bytes())).await, "escaped slashes");
    for path in ["/", "/webhooks/customerio/", "/somewhere?x=1"] {
        let mut elsewhere = webhook(SIGNING_KEY, now(), &failed_email().bytes());
        elsewhere["rawPath"] = path.into();
        elsewhere["requestContext"]["http"]["path"] = path.into();
        assert_taken(&call(&ingest, &elsewhere).await, path);
    }
    let before = stack.events.depth().await;

    let nested = "[".repeat(10_000);
    for (what, body) in [
        ("cut short", &b"{\"event_id\":\"x\""[..]),
        ("empty", b""),
        ("null", b"null"),
        ("deeply nested", nested.as_bytes()),
    ] {
        assert_taken(&call(&ingest, &webhook(SIGNING_KEY, now(), body)).await, what);
    }
    let broken = b"{\"event_id\":\"\xff\xfe\"}";
    let mut signed = in_base64(webhook(SIGNING_KEY, now(), b""), broken);
    let stamp = signed["headers"]["x-cio-timestamp"].as_str().expect("a stamp").to_owned();
    signed["headers"]["x-cio-signature"] = crate::support::signature(SIGNING_KEY, &stamp, broken).into();
    assert_taken(&call(&ingest, &signed).await, "not UTF-8");
    let mut empty = webhook(SIGNING_KEY, now(), b"");
    empty.as_object_mut().expect("an object").remove("body");
    assert_taken(&call(&ingest, &empty).await, "no body at all");
    let large = String::from_utf8(failed_email().bytes()).expect("text");
    let large = large.replacen("\"data\":", &format!("\"content\":\"{}\",\"data\":", "x".repeat(5 << 20)), 1);
    assert_taken(&call(&ingest, &webhook(SIGNING_KEY, now(), large.as_bytes())).await, "5 MB");

    assert_eq!(stack.events.depth().await, before, "what cannot be understood is kept elsewhere");
    assert!(!stack.table.items().await.is_empty(), "in quarantine");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_refused() {
    let world = World::new().await;
    let stack = Stack::new(world.setup("")).await;
    let ingest = stack.start(Step::Ingest).await;
    let body = failed_email().bytes();
    let wrong_key = webhook("another-key", ingest.clock.now(), &body);
    assert_eq!(call(&ingest, &wrong_key).await.status, 401, "another key");
    let mut changed = webhook(SIGNING_KEY, ingest.clock.now(), &body);
    changed["body"] = format!("{} ", changed["body"].as_str().expect("text")).into();
    assert_eq!(call(&ingest, &changed).await.status, 401, "one byte more");
    assert_eq!(call(&ingest, &request("POST", WEBHOOK, &[], &body)).await.status, 401, "unsigned");
    assert_eq!(call(&ingest, &request("POST", "/else", &[], &body)).await.status, 404, "unsigned, wrong path");
    assert_eq!(call(&ingest, &request("GET", WEBHOOK, &[], b"")).await.status, 405, "unsigned, wrong method");
    let mut from_the_sender = wrong_key.clone();
    from_the_sender["requestContext"]["http"]["sourceIp"] = "35.188.196.183".into();
    let answer = call(&ingest, &from_the_sender).await;
    assert_eq!(answer.status, 503, "Customer.io itself signs with a key we do not have");
    assert!(answer.header("retry-after").is_some());
    let items = stack.table.items().await;
    let counted = |item: &&serde_json::Value| item.to_string().contains("key/failed");
    assert_eq!(items.iter().filter(counted).count(), 1, "for the digest: {items:#?}");
    assert_eq!(stack.events.depth().await, 0);
    assert_taken(&call(&ingest, &webhook(SIGNING_KEY, ingest.clock.now(), &body)).await, "an authentic one after all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_answers_well_before_the_sender_gives_up() {
    let world = World::new().await;
    let stack = Stack::new(world.setup("")).await;
    let mut best = Duration::MAX; // of three: the other tests keep the machine busy
    for _ in 0..3 {
        let ingest = stack.start(Step::Ingest).await;
        let began = Instant::now();
        let answer = call(&ingest, &webhook(SIGNING_KEY, ingest.clock.now(), &failed_email().bytes())).await;
        assert_taken(&answer, "the first one");
        best = best.min(ingest.first_next() + began.elapsed());
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fired_counts_come_in_by_the_backends_key() {
    let world = World::new().await;
    let counts = "[counts]\nsigning_keys = [\"env:COUNTS_KEY\"]\n";
    let stack = Stack::new(world.setup(counts).env("COUNTS_KEY", "counts-key-0001")).await;
    let ingest = stack.start(Step::Ingest).await;
    let now = ingest.clock.now();
    let hour = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(3_600)).expect("a time");
    let report = |n: u64| json!({ "event": "Started", "hour": hour, "count": n, "id": format!("{n}") });
    let list = json!((1..=300).map(report).collect::<Vec<_>>()).to_string();
    let posted = |key: &str, body: &str| {
        let mut posted = webhook(key, ingest.clock.now(), body.as_bytes());
        posted["rawPath"] = "/counts".into();
        posted
    };
    for _ in 0..2 {
        let answer = call(&ingest, &posted("counts-key-0001", &list)).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"taken\":300}\n"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let half = call(&ingest, &posted("counts-key-0001", "[{}]")).await;
    assert_eq!((half.status, half.text().as_str()), (400, "{\"error\":\"counts[0]: count is missing\"}\n"));
    assert_eq!(call(&ingest, &posted("another", &list)).await.status, 401);
    let kept = DynamoStore::new(stack.table.client(), stack.table.name.clone(), "acme")
        .fired(hour, now + SignedDuration::from_secs(1))
        .await
        .expect("reads");
    assert_eq!(kept.iter().map(|hour| hour.count).sum::<u64>(), 300 * 301 / 2);
    assert_eq!(stack.events.depth().await, 0);
}
