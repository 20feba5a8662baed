//! What could not be understood or delivered waits for a person, who sends it again or drops it.

use std::time::Duration;

use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use cio_alert_bridge::store::{Quarantined, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Event, PATIENCE, Reply, Serve, World, failed_email, sent_email};

async fn bridge(serve: &Serve, args: &[&str]) -> (i32, String) {
    let (code, said, complaint) = serve.setup().bridge(&[&["redrive"], args].concat()).await;
    (code, format!("{said}{complaint}"))
}

/// What waits, and the exit code.
async fn listed(serve: &Serve) -> (i32, Vec<Value>) {
    let (code, said) = bridge(serve, &["--json"]).await;
    (code, serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}")))
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_else(|| panic!("no {field} in {item}"))
}

/// As an older version left it, that did not understand the body.
async fn quarantine(serve: &Serve, body: &[u8], length: u64, days_ago: i64) {
    let store = EmbeddedStore::open(&serve.setup().data(), "acme", Durability::Full).expect("opens");
    let item = Quarantined {
        id: Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect(),
        reason: "no metric".to_owned(),
        received_at: Timestamp::now() - SignedDuration::from_hours(24 * days_ago),
        length,
        head: body.to_vec(),
    };
    store.quarantine(&item).await.expect("kept");
}

fn list_of(events: &[Event]) -> Vec<u8> {
    serde_json::to_vec(&events.iter().map(Event::json).collect::<Vec<_>>()).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_not_understood_is_listed_masked_and_dropped() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    assert_eq!(listed(&serve).await, (0, vec![]));
    let whole = failed_email().to("ada.lovelace@analytical.example").with("customer_id", "person_4711").bytes();
    assert_eq!(serve.post_bytes(&whole[..whole.len() - 4]).await.status, 200);

    let (code, items) = listed(&serve).await;
    assert_eq!((code, items.len()), (1, 1));
    assert_eq!(text(&items[0], "kind"), "quarantined");
    assert!(text(&items[0], "reason").contains("ends too soon") && text(&items[0], "event_id").starts_with("01TEST"));
    assert!(text(&items[0], "received_at").parse::<Timestamp>().is_ok());
    let (code, shown) = bridge(&serve, &[]).await;
    assert_eq!(code, 1);
    for personal in ["lovelace", "analytical", "person_4711", "dgTEST"] {
        let all = format!("{shown}{items:?}");
        assert!(!all.contains(personal), "{personal} in {all}");
    }

    let id = text(&items[0], "id");
    let (code, said) = bridge(&serve, &["--send", &id[..12]]).await;
    assert!(code == 1 && said.contains("still not understood"), "{said}");
    assert_eq!(listed(&serve).await.1.len(), 1, "it stays");
    assert_eq!(bridge(&serve, &["--drop", &id[..12]]).await.0, 0);
    assert_eq!(listed(&serve).await, (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_version_understands_is_counted_once_as_of_when_it_came() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let failures: Vec<Event> = (0..3).map(|_| failed_email().of("transactional:2")).collect();
    let body = list_of(&failures);
    quarantine(&serve, &body, body.len() as u64, 0).await;
    // Two of them came again, and are counted by now.
    for failure in &failures[..2] {
        assert_eq!(serve.post(failure).await.status, 200);
    }
    world.pager.nothing_more_for(Duration::from_secs(1)).await;
    let (code, said) = bridge(&serve, &["--all"]).await;
    assert_eq!((code, said.contains("3 events")), (0, true), "{said}");
    let pages = world.pager.exactly(1, PATIENCE, Duration::from_secs(1)).await;
    assert_eq!(pages[0].json()["payload"]["custom_details"]["count"], 3);
    assert_eq!(listed(&serve).await, (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_or_might_count_twice_stays_and_says_why() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let cut = list_of(&[sent_email()]);
    quarantine(&serve, &cut, 400_000, 0).await;
    let old = list_of(&[sent_email(), sent_email()]);
    quarantine(&serve, &old, old.len() as u64, 25).await;
    let too_late = failed_email().of("transactional:2").bytes();
    quarantine(&serve, &too_late, too_late.len() as u64, 25).await;
    let (code, said) = bridge(&serve, &["--send", "--all"]).await;
    assert_eq!(code, 1);
    assert!(said.contains("of its 400000 bytes were kept"), "{said}");
    assert!(said.contains("a part may have been counted"), "{said}");
    // One event alone was never counted.
    assert!(said.contains("sent ") && said.contains("1 event"), "{said}");
    assert_eq!(listed(&serve).await.1.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_repaired_is_told_what_is_true_now() {
    let invalid_key = r#"{"status":"invalid event","errors":["Invalid routing key"]}"#;
    for refusal in [r#"{"status":"invalid event","errors":["Length of 'x' is too long"]}"#, invalid_key] {
        let world = World::new().await;
        world.pager.answer(Reply::status(400, refusal));
        let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
        for _ in 0..3 {
            assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
        }
        world.slack.wait_for(1, PATIENCE).await;
        let refused = world.pager.wait_for(1, PATIENCE).await.len();
        tokio::time::sleep(Duration::from_millis(500)).await;

        let (code, items) = listed(&serve).await;
        assert_eq!((code, items.len()), (1, 1), "{items:?}");
        assert_eq!((text(&items[0], "kind"), &items[0]["event_id"]), ("undeliverable", &Value::Null));
        assert!(text(&items[0], "reason").starts_with("on-call: "), "{items:?}");
        let id = text(&items[0], "id");
        assert!(id.ends_with("-1@on-call"), "{id}");

        world.pager.answer(Reply::accepted());
        let (code, said) = bridge(&serve, &["--send", id]).await;
        assert_eq!((code, said.contains("on-call is told")), (0, true), "{said}");
        let pages = world.pager.exactly(refused + 1, PATIENCE, Duration::from_secs(1)).await;
        assert_eq!(pages[refused].json()["event_action"], "trigger");
        assert_eq!(world.slack.seen().len(), 1, "who knew of it hears nothing");
        assert_eq!(listed(&serve).await, (0, vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_for_a_receiver_is_told_it_no_more() {
    let world = World::new().await;
    world.pager.answer(Reply::status(400, r#"{"errors":["Length of 'x' is too long"]}"#));
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    for _ in 0..3 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    world.pager.wait_for(1, PATIENCE).await;
    world.slack.wait_for(1, PATIENCE).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.pager.answer(Reply::accepted());
    assert_eq!(bridge(&serve, &["--drop", "--all"]).await.0, 0);
    world.pager.nothing_more_for(Duration::from_secs(2)).await;
    assert_eq!((world.pager.seen().len(), listed(&serve).await), (1, (0, vec![])));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_when_it_is_not_clear_what() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    for body in [b"{\"a\":".as_slice(), b"{\"b\":"] {
        assert_eq!(serve.post_bytes(body).await.status, 200);
    }
    let id = text(&listed(&serve).await.1[0], "id").to_owned();
    for (args, part) in [
        (&["--send"][..], "--send what?"),
        (&["--drop"], "--drop what?"),
        (&["--all", "--drop", &id], "name no ids"),
        (&["--all", "--drop", "--send"], "one of --send and --drop"),
        (&["--drop", &id, "nothing"], "has the id \"nothing\""),
        (&["--drop", ""], "has the id"),
        (&["--send", &id, "--drop", &id], "which?"),
    ] {
        let (code, said) = bridge(&serve, args).await;
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
    assert_eq!(listed(&serve).await.1.len(), 2);
    let empty = serve.setup().folder().join("empty");
    let config = serve.setup().config_file();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.arg("redrive").arg("--config").arg(config).arg("--data").arg(&empty);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("there is no bridge.db in") && !empty.exists());
}

#[cfg(not(feature = "aws"))]
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_built_without_aws_says_so() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(["redrive", "--stack", "cio-alert-bridge"]);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("built without AWS"), "{ran:?}");
}
