use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::config::testing::smallest_with;
use crate::deadman::Pulse;
use crate::incident::Subject;
use crate::store::embedded::{Durability, EmbeddedStore};

/// Takes a sign of life, or refuses it.
struct Ears(Mutex<Result<(), String>>);

#[async_trait]
impl Pulse for Ears {
    async fn beat(&self) -> Result<(), String> {
        self.0.lock().expect("no panic").clone()
    }
}

fn t(text: &str) -> Timestamp {
    format!("2026-11-{text}:00Z").parse().expect("a time")
}

/// What the digest of 8:00 says of the dead-man, if probes came through and it answered so the evening before, and then
/// in the morning.
async fn digest_after(evening: Result<(), String>, morning: Result<(), String>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
    let queue = store.queue();
    let config =
        smallest_with("[deadman]\nurl = \"env:DEADMAN_URL\"\n[digest]\nat = \"08:00\"\nreceivers = [\"screen\"]\n");
    let ears = Ears(Mutex::new(evening));
    let (store, outbox) = (&store, &queue);
    let pulse: Option<&dyn Pulse> = Some(&ears);
    let tick = Tick { store, outbox, config: &config, directory: None, pulse, track: None, sums: None };
    for (at, answer) in [("23T20:00", None), ("24T07:55", Some(morning)), ("24T08:00", None)] {
        if let Some(answer) = answer {
            *ears.0.lock().expect("no panic") = answer;
        }
        // deliver wrote down the last minute's probe.
        arrived(store, Probe { sent_at: t(at) - SignedDuration::from_mins(1) }).await.expect("noted");
        tick.run(t(at)).await.expect("no failure of ours");
    }
    let digest = |incident: &crate::incident::Incident| matches!(incident.subject, Subject::Digest { .. });
    let digest = store.unsettled().await.expect("reads").into_iter().find(digest).expect("a digest");
    let said: Vec<String> = digest.lines.into_iter().filter(|line| line.contains("dead-man")).collect();
    said.join("\n")
}

#[tokio::test]
async fn a_ping_that_was_taken_is_in_the_digest_and_one_that_was_refused_is_not() {
    let refused = || Err("it answered 500".to_owned());
    assert_eq!(digest_after(Ok(()), Ok(())).await, "The dead-man hears us (last noted 07:55)");
    assert_eq!(
        digest_after(Ok(()), refused()).await,
        "The dead-man has not heard us since yesterday 20:00: did it page?"
    );
    let never = "The dead-man never heard us: is its address right? See `deadman_not_reached` in the log.";
    assert_eq!(digest_after(refused(), refused()).await, never);
}
