//! Over dynalite, which sizes and refuses as AWS documents; scripts/test says where it is. Without it they say so.

mod breaking;
mod measure;
mod retention;
mod server;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};

use self::server::Server;
use super::DynamoStore;
use super::request::{If, Key, Sorts};
use crate::clock::{ManualClock, Minute, Span};
use crate::incident::{How, Incident, State};
use crate::store::conformance::{World, conformance};
use crate::store::testing::*;
use crate::store::{Lease, Quarantined, Store, StoreError, Write};
use crate::tally::Entry;

/// A workspace of its own in the table of a shared stand-in.
struct Fresh {
    store: DynamoStore,
    clock: Arc<ManualClock>,
    workspace: String,
    server: Arc<Server>,
}

impl Fresh {
    fn handle(&self) -> DynamoStore {
        let clock = Arc::<ManualClock>::clone(&self.clock);
        DynamoStore::with_clock(self.server.client(), server::TABLE.into(), &self.workspace, clock)
    }

    fn client(&self) -> Client {
        self.server.client()
    }
}

async fn fresh() -> Option<Fresh> {
    let server = Server::shared().await?;
    let clock = Arc::new(ManualClock::at(t("17:00")));
    let workspace = server.workspace();
    let handle = Arc::<ManualClock>::clone(&clock);
    let store = DynamoStore::with_clock(server.client(), server::TABLE.into(), &workspace, handle);
    Some(Fresh { store, clock, workspace, server })
}

#[async_trait]
impl World for Fresh {
    fn any(&self) -> &dyn Store {
        &self.store
    }

    fn again(&self) -> Arc<dyn Store> {
        Arc::new(self.handle())
    }

    async fn at(&self, now: Timestamp) {
        self.clock.set(now);
    }

    async fn clock_at(&self, now: Timestamp) {
        self.clock.set(now);
    }
}

conformance!(fresh);

fn second(n: i64) -> Timestamp {
    t("14:02") + SignedDuration::from_secs(n)
}

fn minute() -> Span {
    Span::new(Minute::of(t("14:02")), Minute::of(t("14:03")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_many_items_counts_each_identity_once() {
    let Some(fresh) = fresh().await else { return };
    // 2,000 events of one second, from four workers that share half of what they deliver.
    let workers = (0..4_u32).map(|worker| {
        let store = fresh.handle();
        tokio::spawn(async move {
            let mut first = 0;
            for batch in 0..8 {
                let from = worker * 400 + batch * 100;
                let entries: Vec<Entry> = (from..from + 100).map(|id| failed(id, id % 2, second(3))).collect();
                let counted = store.count(&entries, t("14:03")).await.expect("counts");
                first += counted.iter().filter(|counted| counted.first).count();
            }
            first
        })
    });
    let firsts = futures_util::future::join_all(workers).await;
    assert_eq!(firsts.into_iter().map(|first| first.expect("joins")).sum::<usize>(), 2_000);
    let cells = fresh.store.cells(&[FAILED], minute()).await.expect("reads");
    assert_eq!(cells.iter().map(|cell| cell.count).collect::<Vec<_>>(), [1_000, 1_000]);
    let seen = fresh.store.table.partition(&["seen", "2026-11-24T14:02:00Z"]);
    let items = fresh.store.table.query_any(&seen, Sorts::All, None).await.expect("reads");
    assert!((6..=8).contains(&items.len()), "{} items", items.len());
}

#[tokio::test]
async fn a_duplicate_mends_the_register_of_a_first_try_that_died_before_it() {
    let Some(fresh) = fresh().await else { return };
    let batch = [failed(1, 5, second(1)), failed(2, 5, second(2))];
    let _ = fresh.store.count(&batch, t("14:03")).await.expect("counts");
    let table = &fresh.store.table;
    for row in table.query(&table.partition(&["reg", "email_failed", "2026-11-24"]), Sorts::All).await.expect("reads") {
        let key = Key::of(&row).expect("a key");
        table.delete(&key, If::Always).await.expect("deletes");
    }
    assert!(fresh.store.cells(&[FAILED], minute()).await.expect("reads").is_empty());
    let again = fresh.store.count(&batch[..1], t("14:04")).await.expect("counts");
    assert!(!again[0].first);
    let cells = fresh.store.cells(&[FAILED], minute()).await.expect("reads");
    assert_eq!(cells.iter().map(|cell| (cell.count, cell.last)).collect::<Vec<_>>(), [(2, second(2))]);
}

#[tokio::test]
async fn events_without_a_time_stamp_of_their_own_count_once_whenever_they_come() {
    let Some(fresh) = fresh().await else { return };
    for (at, first) in [("14:02", true), ("14:07", false), ("16:00", false)] {
        let entry = Entry { stamp: None, ..failed(1, 5, t(at)) };
        let counted = fresh.store.count(&[entry], t(at)).await.expect("counts");
        assert_eq!((counted[0].first, counted[0].class.at), (first, t("14:02")), "{at}");
    }
}

#[tokio::test]
async fn an_incident_whose_index_a_crash_left_behind_is_settled_and_forgotten() {
    let Some(fresh) = fresh().await else { return };
    let table = &fresh.store.table;
    let open = incident("bounces", t("14:02"));
    assert_eq!(fresh.store.write_incident(&open).await.expect("writes"), Write::Done);
    let index = table.partition(&["live"]);
    let live = || table.query_any(&index, Sorts::All, None);
    let pointer = live().await.expect("reads").remove(0);
    let over = State::Resolved { at: t("15:00"), how: How::Quiet };
    let over = Incident { version: 1, state: over, settled: true, ..open };
    assert_eq!(fresh.store.write_incident(&over).await.expect("writes"), Write::Done);
    assert!(live().await.expect("reads").is_empty());
    // As if the process had died before it took the pointer away.
    let key = Key::of(&pointer).expect("a key");
    let _ = table.put(&key, pointer, None, If::Always).await.expect("writes");
    assert!(fresh.store.unsettled().await.expect("reads").is_empty());
    assert!(live().await.expect("reads").is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_compress_is_kept_whole() {
    let Some(fresh) = fresh().await else { return };
    // A linear congruence, top byte: nothing to compress.
    let head: Vec<u8> =
        (0..262_144_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ (n >> 7) as u8).collect();
    let item = Quarantined {
        id: "a".into(),
        reason: "not JSON".into(),
        received_at: t("14:00"),
        length: 300_000,
        head: head.clone(),
    };
    fresh.store.quarantine(&item).await.expect("writes");
    assert_eq!(fresh.store.quarantined_head("a").await.expect("reads"), Some(head));
    assert_eq!(fresh.store.quarantined_head("b").await.expect("reads"), None);
}

#[tokio::test]
async fn a_workspace_sees_nothing_of_another() {
    let Some(fresh) = fresh().await else { return };
    let _ = fresh.store.count(&[failed(1, 5, second(1))], t("14:03")).await.expect("counts");
    for other in [format!("{}#seen", fresh.workspace), format!("{}x", fresh.workspace)] {
        let clock = Arc::<ManualClock>::clone(&fresh.clock);
        let store = DynamoStore::with_clock(fresh.client(), server::TABLE.into(), &other, clock);
        assert!(store.totals(None, minute()).await.expect("reads").is_empty(), "{other}");
        assert!(store.count(&[failed(1, 5, second(1))], t("14:03")).await.expect("counts")[0].first, "{other}");
    }
}

#[tokio::test]
async fn a_table_that_is_missing_or_an_endpoint_that_is_down_is_unavailable() {
    let Some(fresh) = fresh().await else { return };
    let missing = DynamoStore::new(fresh.client(), "missing".into(), "acme");
    let down = DynamoStore::new(server::client("http://127.0.0.1:1"), server::TABLE.into(), "acme");
    for (store, why) in [(missing, "ResourceNotFoundException"), (down, "no connection")] {
        let error = store.count(&[failed(1, 5, second(1))], t("14:03")).await.expect_err("fails");
        assert!(matches!(&error, StoreError::Unavailable(text) if text.contains(why)), "{error}");
        assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
    }
}

#[tokio::test]
async fn an_item_that_is_not_readable_is_corrupt() {
    let Some(fresh) = fresh().await else { return };
    let table = &fresh.store.table;
    let bad = super::item::attributes([(super::item::JSON, super::item::text("{"))]);
    let _ = table.put(&table.single(&["coverage"]), bad, None, If::Always).await.expect("writes");
    assert!(matches!(fresh.store.coverage().await, Err(StoreError::Corrupt(_))));
}
