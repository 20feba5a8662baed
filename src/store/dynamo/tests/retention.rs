//! No item is kept for ever, but those that are few by nature: one for coverage, and what is open now.

use std::sync::Arc;

use jiff::SignedDuration;

use super::super::item::{EXPIRES, PARTITION, SORT, number_of, text_of};
use super::*;
use crate::customerio::app_api::names::NameList;
use crate::customerio::event::{Fate, SourceKind};
use crate::heartbeat::{Judged, Period, Verdict};
use crate::incident::Severity;
use crate::incident::told::{Stage, Told};
use crate::silence::{Conditions, Silence};
use crate::store::HISTORY_DAYS;
use crate::tally::coverage::Heard;

/// Everything of the workspace, expired or not: `pk`, `sk`, and when it expires.
async fn all(fresh: &Fresh) -> Vec<(String, String, Option<i64>)> {
    let mut found = Vec::new();
    let mut start = None;
    loop {
        let request = fresh.client().scan().table_name(server::TABLE).consistent_read(true);
        let page = request.set_exclusive_start_key(start).send().await.expect("scans");
        found.extend(page.items().iter().filter_map(|item| {
            let (pk, sk) = (text_of(item, PARTITION)?, text_of(item, SORT)?);
            let pk = pk.strip_prefix(&format!("{}#", fresh.workspace))?;
            Some((pk.to_owned(), sk.to_owned(), number_of(item, EXPIRES)))
        }));
        start = page.last_evaluated_key().cloned();
        if start.is_none() {
            return found;
        }
    }
}

/// The kinds of items that never expire.
fn for_ever(items: &[(String, String, Option<i64>)]) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        items.iter().filter(|item| item.2.is_none()).filter_map(|item| item.0.split('#').next()).collect();
    kinds.sort_unstable();
    kinds
}

/// One of everything that a store is asked to write.
async fn busy(store: &DynamoStore) {
    let events: Vec<Entry> = (0..600).map(|id| failed(id, id % 7, second(i64::from(id) / 10))).collect();
    for batch in events.chunks(100) {
        store.count(batch, t("14:05")).await.expect("counts");
    }
    let event = serde_json::json!({
        "identity": identity(1), "kind": SENT, "source": "campaign:5", "at": t("14:02"), "arrived": t("14:02"),
        "fate": Fate::Counted, "provider": "gmail",
    });
    store.hear(&Heard::of([&serde_json::from_value(event).expect("an event")])).await.expect("hears");
    for name in ["tick", "heartbeat/a"] {
        assert_eq!(store.move_cursor(name, None, "1").await.expect("moves"), Write::Done);
        assert_eq!(store.move_cursor(name, Some("1"), "2").await.expect("moves"), Write::Done);
    }
    let silence = Silence {
        id: "a".into(),
        matchers: Conditions::parse(&["rule=bounces".to_owned()]).expect("a condition"),
        start: t("14:00"),
        end: t("20:00"),
        author: "ada".into(),
        reason: "deploy".into(),
        created_at: t("14:00"),
    };
    store.keep_silence(&silence).await.expect("keeps");
    let request = Quarantined {
        id: "q".into(),
        reason: "not JSON".into(),
        received_at: t("14:00"),
        length: 5,
        head: b"{\"a\":".to_vec(),
    };
    store.quarantine(&request).await.expect("keeps");
    let list = NameList { fetched_at: t("14:00"), names: [("5".to_owned(), "Activation".to_owned())].into() };
    store.keep_names(SourceKind::Campaign, &list).await.expect("keeps");
    let judged = Judged {
        heartbeat: "Activation".into(),
        period: Period { start: t("13:00"), due: t("14:00"), end: t("14:00") },
        verdict: Verdict::Low,
        count: 3,
        at: t("14:02"),
        covered: 60,
        minutes: 60,
        usual: None,
    };
    store.keep_verdict(&judged).await.expect("keeps");
    for name in ["open", "over"] {
        let incident = incident(name, t("14:02"));
        assert_eq!(store.write_incident(&incident).await.expect("writes"), Write::Done);
        let key = &incident.key;
        for receiver in ["on-call", "lifecycle"] {
            store.lease(key, receiver, "us", t("14:03"), t("14:04")).await.expect("leases");
            let told = Told { stage: Stage::Opened { severity: Severity::Critical }, ..Told::nothing(1) };
            assert_eq!(store.record_told(key, receiver, "us", &told).await.expect("records"), Write::Done);
            store.release(key, receiver, "us").await.expect("releases");
        }
    }
}

async fn end(store: &DynamoStore, name: &str, version: u64) {
    let state = State::Resolved { at: t("16:00"), how: How::Quiet };
    let over = Incident { state, version, ..incident(name, t("14:02")) };
    assert_eq!(store.write_incident(&over).await.expect("writes"), Write::Done);
    let settled = Incident { settled: true, version: version + 1, ..over };
    assert_eq!(store.write_incident(&settled).await.expect("writes"), Write::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_item_of_a_busy_history_has_an_expiry_that_reads_go_by() {
    let Some(fresh) = fresh().await else { return };
    let store = &fresh.store;
    busy(store).await;
    end(store, "over", 1).await;
    let items = all(&fresh).await;
    // The open incident, and what points to it.
    assert_eq!(for_ever(&items), ["coverage", "incident", "live", "opened"], "{items:?}");
    end(store, "open", 1).await;
    let items = all(&fresh).await;
    assert_eq!(for_ever(&items), ["coverage"], "{items:?}");
    let mut kinds: Vec<&str> = items.iter().filter_map(|item| item.0.split('#').next()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let every_kind = [
        "coverage",
        "cursor",
        "incident",
        "kinds",
        "names",
        "opened",
        "quarantine",
        "quarantined",
        "reg",
        "resolved",
        "seen",
        "series",
        "silence",
        "told",
        "verdict",
    ];
    assert_eq!(kinds, every_kind);

    // Long after, with nothing deleted: no read shows any of it.
    let last = t("20:00") + SignedDuration::from_hours(24 * (HISTORY_DAYS + 1));
    assert!(items.iter().all(|item| item.2.is_none_or(|at| at < last.as_second())), "{items:?}");
    fresh.clock.set(last);
    let handle: Arc<dyn Store> = Arc::new(fresh.handle());
    let (from, to) = (t("00:00") - SignedDuration::from_hours(24), last);
    let key = incident("over", t("14:02")).key;
    assert!(handle.totals(None, minute()).await.expect("reads").is_empty());
    assert!(handle.cells(&[FAILED], minute()).await.expect("reads").is_empty());
    assert!(!handle.heard(&FAILED, Minute::of(from)).await.expect("reads"));
    assert!(handle.unsettled().await.expect("reads").is_empty());
    assert!(handle.incidents_between(from, to).await.expect("reads").is_empty());
    assert!(handle.episodes(&key).await.expect("reads").is_empty());
    assert!(handle.told(&key).await.expect("reads").is_empty());
    assert!(handle.quarantined(from, to).await.expect("reads").is_empty());
    assert_eq!(handle.quarantined_head("q").await.expect("reads"), None);
    assert!(handle.silences().await.expect("reads").is_empty());
    assert_eq!(handle.cursor("tick").await.expect("reads"), None);
    assert!(handle.verdicts(from, to).await.expect("reads").is_empty());
    assert_eq!(handle.names().await.expect("reads"), Default::default());
    assert_eq!(all(&fresh).await.len(), items.len());
}
