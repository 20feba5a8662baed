//! Everything has an end: the data file stays as small as what is kept, and one person's traces can be taken out.

use std::path::Path;
use std::sync::Arc;

use cio_alert_bridge::clock::{Clock, ManualClock};
use cio_alert_bridge::store::Store;
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore, FILE};
use cio_alert_bridge::tally::Entry;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::timeline::at;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{World, event, failed_email};

const EVENTS_A_DAY: u64 = 1_000;
const MINUTES_A_DAY: i64 = 24 * 60;

/// Events of a day, in ever new series, as a workspace that grows has them.
fn day(of: Timestamp) -> Vec<Entry> {
    let day = of.as_second() / 86_400;
    let entry = |n: u64| {
        let at = of + SignedDuration::from_secs(n as i64 * 80);
        let event = json!({
            "identity": format!("{day:016x}{n:016x}"), "kind": "email_failed", "source": format!("campaign:{}", n % 40),
            "action": format!("{}", day * 100 + n as i64 % 50), "at": at, "arrived": at, "fate": "counted",
            "provider": "gmail",
            "failure": { "cause": "render_error", "fingerprint": day as u64 * 50 + n % 50, "sample": null },
        });
        Entry::of(&serde_json::from_value(event).expect("an event"))
    };
    (0..EVENTS_A_DAY).map(entry).collect()
}

fn bytes(folder: &Path, file: &str) -> u64 {
    std::fs::metadata(folder.join(file)).map_or(0, |meta| meta.len())
}

/// The log is cut with every purge that finds it longer.
const LOG_BYTES: u64 = 8 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_data_file_does_not_grow_without_bound_and_shrinks_when_less_arrives() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(at("2026-01-01T00:00")));
    let handle: Arc<dyn Clock> = clock.clone();
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("opens").with_clock(handle);
    // As tick does it.
    let purge = async || while store.purge(clock.now(), 2_000).await.expect("purges") >= 2_000 {};
    let mut sizes = Vec::new();
    for _ in 0..140 {
        for batch in day(clock.now()).chunks(250) {
            store.count(batch, clock.now()).await.expect("counts");
        }
        clock.advance(SignedDuration::from_mins(MINUTES_A_DAY));
        for _ in 0..4 {
            purge().await;
        }
        sizes.push(bytes(folder.path(), FILE));
        let log = bytes(folder.path(), &format!("{FILE}-wal"));
        assert!(log <= LOG_BYTES, "a log of {log} bytes");
    }
    // Registers go after 40 days, series after 63 and two more: from then on it is as large as it gets.
    let (steady, end) = (sizes[69], *sizes.iter().max().expect("a size"));
    eprintln!("after 40, 70, 140 days: {}, {steady}, {} bytes; at most {end}", sizes[39], sizes[139]);
    assert!(end < steady + steady / 4, "{steady} bytes on day 70, and {end} later");

    // Nothing arrives for ten weeks.
    for _ in 0..70 {
        clock.advance(SignedDuration::from_mins(MINUTES_A_DAY));
        for _ in 0..10 {
            purge().await;
        }
    }
    let left = bytes(folder.path(), FILE);
    eprintln!("and {left} bytes when all of it expired");
    assert!(left < steady / 3, "{left} bytes are left of {steady}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_traces_are_listed_masked_and_taken_out_and_nobody_elses() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let broken = |bytes: Vec<u8>| bytes[..bytes.len() - 2].to_vec();
    let ada = failed_email().to("ada@analytical.example").with("delivery_id", "dgADA0001aaaaBBBB=");
    // Later, the provider's bounce knows the message only by its delivery id.
    let bounced = event("email", "bounced").with("delivery_id", "dgADA0001aaaaBBBB=");
    let bob = failed_email().to("bob@example.com");
    for one in [&ada, &bounced, &bob] {
        assert_eq!(serve.post_bytes(&broken(one.bytes())).await.status, 200);
    }
    let erase = async |args: &[&str]| {
        let person = ["erase", "--person", "ADA@analytical.example"];
        serve.setup().bridge(&[&person[..], args].concat()).await
    };
    let (code, said, _) = erase(&[]).await;
    assert_eq!(code, 1);
    assert!(said.contains("2 quarantined requests would be removed; --yes does it."), "{said}");
    assert!(!said.contains("ada@") && !said.contains("dgADA"), "{said}");
    let (code, said, _) = erase(&["--yes"]).await;
    assert_eq!((code, said.ends_with("2 quarantined requests removed.\n")), (0, true), "{said}");
    assert_eq!(erase(&[]).await.1, "No trace.\n");
    let (_, left, _) = serve.setup().bridge(&["redrive", "--json"]).await;
    let left: Vec<serde_json::Value> = serde_json::from_str(&left).expect("JSON");
    assert_eq!(left.len(), 1, "bob's stays: {left:?}");
}
