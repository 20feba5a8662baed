//! `bridge send` signs as Customer.io signs, and says what came of it.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::serve::{SIGNING_KEY, WEBHOOK};
use crate::support::{Reply, StandIn, failed_email, signature};

/// Runs it in a folder with `one.json` and `day.jsonl`: exit code, and all it printed.
async fn send(args: &[&str], to: &str) -> (i32, String) {
    let dir = TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("one.json"), b"{ \"event_id\": \"a\" }\n").expect("written");
    let lines = [failed_email().bytes(), failed_email().bytes()].join(&b'\n');
    std::fs::write(dir.path().join("day.jsonl"), lines).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.arg("send").args(args).args(["--to", to]).current_dir(dir.path()).env("CIO_SIGNING_KEY", SIGNING_KEY);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ran").expect("the bridge command");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains(SIGNING_KEY), "{said}");
    (output.status.code().expect("an exit code"), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_posted_as_they_are_and_signed() {
    let bridge = StandIn::answering(Reply::status(200, "")).await;
    let (code, said) = send(&["one.json", "day.jsonl"], &bridge.url()).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(said, "200 one.json\n200 day.jsonl:1\n200 day.jsonl:2\n");
    let seen = bridge.exactly(3, Duration::ZERO, Duration::ZERO).await;
    assert_eq!(&seen[0].body[..], b"{ \"event_id\": \"a\" }\n");
    for request in &seen {
        assert_eq!(request.path, WEBHOOK);
        let header = |name: &str| request.headers[name].to_str().expect("text").to_owned();
        assert_eq!(header("x-cio-signature"), signature(SIGNING_KEY, &header("x-cio-timestamp"), &request.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn now_makes_every_repeat_a_new_event() {
    let bridge = StandIn::answering(Reply::status(200, "")).await;
    let (code, said) = send(&["one.json", "--now", "--repeat", "3"], &bridge.url()).await;
    assert_eq!(code, 0, "{said}");
    let seen = bridge.exactly(3, Duration::ZERO, Duration::ZERO).await;
    let mut ids: Vec<_> = seen.iter().map(|s| s.json()["event_id"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let now = jiff::Timestamp::now().as_second();
    assert!(seen.iter().all(|s| s.json()["timestamp"].as_i64().is_some_and(|t| (now - 60..=now).contains(&t))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_said_with_what_to_do() {
    let bridge = StandIn::answering(Reply::status(401, "")).await;
    let (code, said) = send(&["one.json"], &bridge.url()).await;
    assert_eq!(code, 1);
    assert!(said.contains("401 one.json") && said.contains("key"), "{said}");

    let nobody = StandIn::answering(Reply::status(200, "")).await.url(); // dropped: nothing listens there
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (code, said) = send(&["one.json"], &nobody).await;
    assert_eq!(code, 1);
    assert!(said.contains("bridge serve"), "{said}");

    for bad in [&["missing.json"][..], &["one.json", "--key", "env:NOT_SET"], &["one.json", "--key", "a key"]] {
        let (code, said) = send(bad, &bridge.url()).await;
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("a key"), "{said}");
    }
    bridge.exactly(1, Duration::ZERO, Duration::ZERO).await;
}
