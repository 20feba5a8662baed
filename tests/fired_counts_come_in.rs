//! What the backend fired comes in at `POST /counts`, by keys of its own, once however often it is sent.

use std::process::Command;

use cio_alert_bridge::store::Store;
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::serve::SIGNING_KEY;
use crate::support::{Answer, Serve, Setup, World, failed_email};

const COUNTS_KEY: &str = "counts-key-0001";

const COUNTS: &str = "[counts]\nsigning_keys = [\"env:COUNTS_KEY\"]\n";

async fn taking(world: &World) -> (Setup, Serve) {
    let setup = world.setup(COUNTS).env("COUNTS_KEY", COUNTS_KEY);
    let serve = setup.start().await;
    (setup, serve)
}

fn hour(ago: i64) -> String {
    let now = Timestamp::now().as_second();
    Timestamp::from_second(now - now.rem_euclid(3_600) - ago * 3_600).expect("a time").to_string()
}

fn report(event: &str, ago: i64, count: u64, id: &str) -> Value {
    json!({ "event": event, "hour": hour(ago), "count": count, "id": id })
}

async fn post(serve: &Serve, key: &str, body: &[u8]) -> Answer {
    serve.http.send(serve.signed("/counts", key, body)).await
}

/// What the store holds, as `event origin count`, hours put together.
async fn kept(setup: &Setup) -> Vec<String> {
    let store = EmbeddedStore::open(&setup.data(), "acme", Durability::Full).expect("the data folder");
    let now = Timestamp::now();
    let hours = store.fired(now - SignedDuration::from_hours(200), now).await.expect("reads");
    hours.iter().map(|of| format!("{} {} {}", of.event, of.origin, of.count)).collect()
}

/// Runs `bridge count` against a running bridge: exit code, and all it printed.
async fn count(args: &[&str], to: &str, key: Option<&str>) -> (i32, String) {
    let dir = TempDir::new().expect("a folder");
    let lines = [report("Ended", 2, 7, "a"), report("Ended", 3, 8, "a")].map(|report| report.to_string());
    std::fs::write(dir.path().join("counts.jsonl"), lines.join("\n")).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.arg("count").args(args).args(["--to", to]).current_dir(dir.path()).env_remove("COUNTS_KEY");
    command.envs(key.map(|key| ("COUNTS_KEY", key)));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains(COUNTS_KEY), "{said}");
    (output.status.code().expect("an exit code"), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_is_taken_once_however_often_it_is_sent() {
    let world = World::new().await;
    let (setup, serve) = taking(&world).await;
    let list = json!([report("Started", 1, 120, "a"), report("Started", 2, 80, "a")]);
    for body in [list.clone(), list, report("Started", 1, 100, "a"), report("Started", 1, 5, "b")] {
        let answer = post(&serve, COUNTS_KEY, body.to_string().as_bytes()).await;
        let taken = body.as_array().map_or(1, Vec::len);
        assert_eq!((answer.status, answer.text()), (200, format!("{{\"taken\":{taken}}}\n")));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(kept(&setup).await, ["Started backend 80", "Started backend 125"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_whole_and_says_why() {
    let world = World::new().await;
    let (setup, serve) = taking(&world).await;
    let half = json!([report("Started", 1, 120, "a"), {"event": "Started"}]);
    let answer = post(&serve, COUNTS_KEY, half.to_string().as_bytes()).await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "{\"error\":\"counts[1]: count is missing\"}\n"));
    let large = format!("[{}]", " ".repeat(300 * 1024));
    let answer = post(&serve, COUNTS_KEY, large.as_bytes()).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("in parts"), "{}", answer.text());
    assert_eq!(kept(&setup).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_backends_key_reports_and_only_here() {
    let world = World::new().await;
    let (setup, serve) = taking(&world).await;
    let body = report("Started", 1, 1, "a").to_string();
    for (what, key, path, status) in [
        ("another key", "another", "/counts", 401),
        ("the backend's key on the webhook's path", COUNTS_KEY, "/webhooks/customerio", 401),
        // It is Customer.io's word, and that is never lost (law 2).
        ("Customer.io's key", SIGNING_KEY, "/counts", 200),
    ] {
        let answer = serve.http.send(serve.signed(path, key, body.as_bytes())).await;
        assert_eq!(answer.status, status, "{what}");
    }
    let webhook = serve.http.send(serve.signed("/counts", SIGNING_KEY, &failed_email().bytes())).await;
    assert_eq!((webhook.status, webhook.text().as_str()), (200, ""));
    for (method, status) in [("POST", 401), ("GET", 405)] {
        let request = hyper::Request::builder().method(method).uri(serve.url("/counts"));
        assert_eq!(serve.http.send(request.body(Vec::new()).expect("a request")).await.status, status, "{method}");
    }
    assert_eq!(kept(&setup).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_counts_in_the_configuration_there_is_no_such_path() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    let request = hyper::Request::post(serve.url("/counts")).body(Vec::new()).expect("a request");
    assert_eq!(serve.http.send(request).await.status, 404);
    let (code, said) = count(&["Started", "5"], &serve.url(""), Some(COUNTS_KEY)).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("[counts] signing_keys"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_read_is_our_trouble() {
    let world = World::new().await;
    let serve = world.setup(COUNTS).start().await;
    let answer = post(&serve, COUNTS_KEY, report("Started", 1, 1, "a").to_string().as_bytes()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(serve.post(&failed_email()).await.status, 200, "webhooks are taken all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_reports_with_one_command() {
    let world = World::new().await;
    let (setup, serve) = taking(&world).await;
    let to = serve.url("");
    for _ in 0..2 {
        let (code, said) = count(&["Subscription Started", "120"], &to, Some(COUNTS_KEY)).await;
        assert_eq!((code, said), (0, format!("taken: Subscription Started, 120 in the hour from {}\n", hour(1))));
    }
    let (code, said) = count(&["--file", "counts.jsonl"], &to, Some(COUNTS_KEY)).await;
    assert_eq!((code, said.as_str()), (0, "taken: 2 counts\n"));
    let (code, said) =
        count(&["Started", "3", "--origin", "mixpanel", "--hour", &hour(4)], &to, Some(COUNTS_KEY)).await;
    assert_eq!(code, 0, "{said}");
    let want = ["Ended backend 8", "Ended backend 7", "Started mixpanel 3", "Subscription Started backend 120"];
    assert_eq!(kept(&setup).await, want);

    let (code, said) = count(&["Started", "3"], &to, Some("another")).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no key of the bridge matches"), "{said}");
    for bad in [&["Started"][..], &["Started", "-3"], &["--file", "missing"], &["Started", "3", "--hour", "14:00"]] {
        let (code, said) = count(bad, &to, Some(COUNTS_KEY)).await;
        assert_eq!(code, 2, "{said}");
    }
    let (code, said) = count(&["Started", "3"], &to, None).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("COUNTS_KEY"), "{said}");
}
