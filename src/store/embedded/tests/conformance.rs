use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::clock::{Minute, Span};
use crate::heartbeat::{Judged, Period, Verdict};
use crate::incident::How;
use crate::incident::told::{Stage, Told};
use crate::store::{Lease, QUARANTINE_BYTES, QUARANTINE_DAYS, Quarantined, Write};
use crate::tally::coverage::Heard;

fn span(from: &str, to: &str) -> Span {
    Span::new(Minute::of(t(from)), Minute::of(t(to)))
}

/// All registers of failures, as (campaign, minute) -> count.
async fn tally(store: &dyn Store) -> BTreeMap<(String, i64), u64> {
    let cells = store.cells(&[FAILED], span("00:00", "23:59")).await.expect("reads");
    cells.into_iter().map(|c| ((c.series.source.id.clone(), c.minute.0), c.count)).collect()
}

#[tokio::test]
async fn a_duplicate_counts_once_within_a_batch_and_across_batches() {
    let fresh = Fresh::store();
    let batch = [failed(1, 5, t("14:02")), failed(2, 5, t("14:02")), failed(1, 5, t("14:02"))];
    let first: Vec<bool> =
        fresh.any().count(&batch, t("14:03")).await.expect("counts").iter().map(|c| c.first).collect();
    assert_eq!(first, [true, true, false]);
    let again = fresh.any().count(&batch, t("15:00")).await.expect("counts");
    assert!(again.iter().all(|c| !c.first && c.class == batch[0].class));
    assert_eq!(tally(fresh.any()).await, BTreeMap::from([(("5".into(), Minute::of(t("14:02")).0), 2)]));
}

#[tokio::test]
async fn the_class_is_frozen_at_first_acceptance() {
    let fresh = Fresh::store();
    let (was, looks) = (failed(1, 5, t("14:02")), failed(1, 7, t("15:30")));
    for store in [fresh.store.clone(), fresh.again()] {
        let _ = store.count(std::slice::from_ref(&was), t("14:03")).await.expect("counts");
        let counted = store.count(std::slice::from_ref(&looks), t("15:31")).await.expect("counts");
        assert_eq!((counted[0].first, &counted[0].class), (false, &was.class));
    }
    assert_eq!(tally(fresh.any()).await, BTreeMap::from([(("5".into(), Minute::of(t("14:02")).0), 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_workers_with_the_same_events_make_one_tally() {
    let fresh = Arc::new(Fresh::store());
    let other = fresh.again();
    let workers = (0..16_u32).map(|worker| {
        let store = if worker % 2 == 0 { fresh.store.clone() } else { other.clone() };
        tokio::spawn(async move {
            let entries: Vec<Entry> = (0..100).map(|n| failed((n * 7 + worker) % 100, 5, t("14:02"))).collect();
            let mut first = 0;
            for batch in entries.chunks(10) {
                first += store.count(batch, t("14:03")).await.expect("counts").iter().filter(|c| c.first).count();
            }
            first
        })
    });
    let firsts = futures_util::future::join_all(workers).await;
    assert_eq!(firsts.into_iter().map(|first| first.expect("joins")).sum::<usize>(), 100);
    assert_eq!(tally(fresh.any()).await.into_values().collect::<Vec<_>>(), [100]);
}

#[tokio::test]
async fn cells_and_totals_are_of_the_kinds_and_minutes_asked_for() {
    let fresh = Fresh::store();
    let entries = [
        failed(1, 5, t("14:02")),
        failed(2, 5, t("14:04")),
        failed(3, 7, t("14:04")),
        failed(4, 5, t("14:05")),
        sent(5, t("14:03")),
    ];
    let _ = fresh.any().count(&entries, t("14:06")).await.expect("counts");
    let asked = span("14:02", "14:05");
    let cells = fresh.any().cells(&[FAILED, SENT, FAILED], asked).await.expect("reads");
    let cells: Vec<_> = cells.iter().map(|c| (c.series.kind.to_string(), c.minute, c.count, c.last)).collect();
    let cell = |kind: &str, at| (kind.to_owned(), Minute::of(t(at)), 1, t(at));
    let failures = [cell("email_failed", "14:02"), cell("email_failed", "14:04"), cell("email_failed", "14:04")];
    assert_eq!(cells, [&failures[..], &[cell("email_sent", "14:03")]].concat());

    let totals = fresh.any().totals(None, asked).await.expect("reads");
    let total = |entry: &Entry| totals.iter().find(|t| *t.series == entry.class.series).expect("a total");
    assert_eq!(totals.len(), 3);
    assert_eq!((total(&entries[0]).count, total(&entries[0]).last), (2, t("14:04")));
    assert_eq!((total(&entries[2]).count, total(&entries[2]).first_minute), (1, Minute::of(t("14:04"))));
    assert_eq!(fresh.any().totals(Some(&[SENT]), asked).await.expect("reads"), [total(&entries[4]).clone()]);
    assert_eq!(fresh.any().cells(&[], asked).await.expect("reads"), []);
}

#[tokio::test]
async fn an_identity_is_remembered_for_23_days_after_the_later_of_event_and_arrival() {
    let fresh = Fresh::store();
    let old = failed(1, 5, t("14:02") - days(30));
    let seen = |after: i64| {
        let (store, entry) = (fresh.store.clone(), old.clone());
        async move {
            let now = t("14:02") + days(after);
            let _ = store.purge(now, 100).await.expect("purges");
            store.count(&[entry], now).await.expect("counts")[0].first
        }
    };
    assert_eq!((seen(0).await, seen(22).await, seen(23).await), (true, false, true));
}

#[tokio::test]
async fn purging_is_bounded_and_leaves_what_is_still_kept() {
    let fresh = Fresh::store();
    let entries: Vec<Entry> = (0..30).map(|n| failed(n, n, t("14:02"))).collect();
    let _ = fresh.any().count(&entries, t("14:03")).await.expect("counts");
    assert_eq!(fresh.any().purge(t("14:00") + days(23), 10).await.expect("purges"), 0);
    for _ in 0..3 {
        assert_eq!(fresh.any().purge(t("14:04") + days(24), 10).await.expect("purges"), 10);
    }
    assert_eq!(tally(fresh.any()).await.len(), 30);
    assert_eq!(fresh.any().purge(t("14:04") + days(80), 100).await.expect("purges"), 60);
    assert!(tally(fresh.any()).await.is_empty());
    assert!(fresh.any().count(&entries, t("14:04") + days(80)).await.expect("counts").iter().all(|c| c.first));
}

#[tokio::test]
async fn an_incident_is_written_only_over_the_version_that_was_read() {
    let fresh = Fresh::store();
    let store = fresh.any();
    let mut new = incident("bounces", t("14:02"));
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Done);
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Conflict);
    new.version = 1;
    assert_eq!(store.episodes(&new.key).await.expect("reads"), [new.clone()]);
    new.state = State::Resolved { at: t("15:00"), how: How::Quiet };
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Done);
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Conflict);
    let missing = Incident { episode: 2, version: 1, ..new.clone() };
    assert_eq!(store.write_incident(&missing).await.expect("writes"), Write::Conflict);
    assert_eq!(store.episodes(&new.key).await.expect("reads"), [Incident { version: 2, ..new }]);
}

#[tokio::test]
async fn the_last_episodes_are_answered_oldest_first() {
    let fresh = Fresh::store();
    let one = incident("bounces", t("14:02"));
    for episode in 1..=505 {
        let _ = fresh.any().write_incident(&Incident { episode, ..one.clone() }).await.expect("writes");
    }
    let episodes = fresh.any().episodes(&one.key).await.expect("reads");
    assert_eq!(episodes.iter().map(|i| i.episode).collect::<Vec<_>>(), (6..=505).collect::<Vec<_>>());
}

#[tokio::test]
async fn open_or_untold_incidents_are_unsettled_and_a_span_finds_those_that_began_or_ended_in_it() {
    let fresh = Fresh::store();
    let store = fresh.any();
    let over = State::Resolved { at: t("16:00"), how: How::Quiet };
    let open = Incident { settled: true, ..incident("open", t("15:00")) };
    let untold = Incident { state: over, ..incident("untold", t("14:00")) };
    let settled = Incident { state: over, settled: true, ..incident("settled", t("13:00")) };
    for i in [&open, &untold, &settled] {
        assert_eq!(store.write_incident(i).await.expect("writes"), Write::Done);
    }
    let keys = |found: Vec<Incident>| found.into_iter().map(|i| i.key).collect::<Vec<_>>();
    assert_eq!(keys(store.unsettled().await.expect("reads")), [untold.key.clone(), open.key.clone()]);
    for (from, to, expected) in [
        ("13:00", "14:00", vec![&settled]),
        ("14:00", "15:00", vec![&untold]),
        ("16:00", "16:01", vec![&settled, &untold]),
        ("13:00", "16:00", vec![&settled, &untold, &open]),
        ("16:01", "23:00", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|i| i.key.clone()).collect();
        assert_eq!(keys(store.incidents_between(t(from), t(to)).await.expect("reads")), expected, "{from} to {to}");
    }
}

#[tokio::test]
async fn a_lease_is_held_by_one_until_it_ends_or_is_given_back() {
    let fresh = Fresh::store();
    let store = fresh.any();
    let key = incident("bounces", t("14:02")).key;
    let lease = |owner: &'static str, now: &'static str, until: &'static str| {
        let (store, key) = (fresh.store.clone(), key.clone());
        async move { store.lease(&key, "on-call", owner, t(now), t(until)).await.expect("leases") }
    };
    assert_eq!(lease("a", "14:00", "14:10").await, Lease::Granted(None));
    assert_eq!(lease("b", "14:09", "14:19").await, Lease::HeldUntil(t("14:10")));
    assert_eq!(lease("a", "14:09", "14:19").await, Lease::HeldUntil(t("14:10")));

    let told = Told { stage: Stage::Opened { severity: Severity::Critical }, ..Told::nothing(1) };
    assert_eq!(store.record_told(&key, "on-call", "b", &told).await.expect("writes"), Write::Conflict);
    assert_eq!(store.record_told(&key, "on-call", "a", &told).await.expect("writes"), Write::Done);
    assert_eq!(store.told(&key).await.expect("reads"), [("on-call".to_owned(), told.clone())]);

    assert_eq!(lease("b", "14:10", "14:20").await, Lease::Granted(Some(told.clone())));
    assert_eq!(store.record_told(&key, "on-call", "a", &Told::nothing(2)).await.expect("writes"), Write::Conflict);
    store.release(&key, "on-call", "a").await.expect("writes");
    assert_eq!(lease("c", "14:11", "14:21").await, Lease::HeldUntil(t("14:20")));
    store.release(&key, "on-call", "b").await.expect("writes");
    assert_eq!(lease("c", "14:11", "14:21").await, Lease::Granted(Some(told.clone())));
    store.void_leases().await.expect("writes");
    assert_eq!(lease("d", "14:12", "14:22").await, Lease::Granted(Some(told)));
    assert_eq!(
        store.lease(&key, "audit", "e", t("14:12"), t("14:22")).await.expect("leases"),
        Lease::Granted(None),
        "another receiver is another lease"
    );
}

#[tokio::test]
async fn a_cursor_moves_only_from_where_it_stands() {
    let fresh = Fresh::store();
    let store = fresh.any();
    assert_eq!(store.cursor("digest").await.expect("reads"), None);
    for (from, to, expected, stands) in [
        (Some("a"), "b", Write::Conflict, None),
        (None, "a", Write::Done, Some("a")),
        (None, "b", Write::Conflict, Some("a")),
        (Some("a"), "b", Write::Done, Some("b")),
        (Some("a"), "c", Write::Conflict, Some("b")),
    ] {
        assert_eq!(store.move_cursor("digest", from, to).await.expect("writes"), expected, "{from:?} to {to}");
        assert_eq!(store.cursor("digest").await.expect("reads").as_deref(), stands);
    }
}

#[tokio::test]
async fn the_last_verdict_on_a_period_stands() {
    let fresh = Fresh::store();
    let judged = |verdict, start, end| Judged {
        heartbeat: "Activation".into(),
        period: Period { start: t(start), due: t(end), end: t(end) },
        verdict,
        count: 3,
        at: t(end),
        covered: 60,
        minutes: 60,
    };
    let last = judged(Verdict::Ok, "13:00", "14:00");
    for j in [&judged(Verdict::Unknown, "13:00", "14:00"), &last, &judged(Verdict::Low, "14:00", "15:00")] {
        fresh.any().keep_verdict(j).await.expect("writes");
    }
    assert_eq!(fresh.any().verdicts(t("14:00"), t("15:00")).await.expect("reads"), [last]);
}

#[tokio::test]
async fn a_quarantined_request_is_one_item_and_is_listed_without_its_body() {
    let fresh = Fresh::store();
    let item = |id: &str, at| Quarantined {
        id: id.into(),
        reason: "not JSON".into(),
        received_at: t(at),
        length: u64::from(u32::MAX),
        head: b"{".repeat(QUARANTINE_BYTES + 1),
    };
    for (id, at) in [("a", "14:00"), ("b", "15:00"), ("a", "16:00")] {
        fresh.any().quarantine(&item(id, at)).await.expect("writes");
    }
    let bare = |id, at| Quarantined { head: Vec::new(), ..item(id, at) };
    let listed = fresh.any().quarantined(t("14:00"), t("17:00")).await.expect("reads");
    assert_eq!(listed, [bare("b", "15:00"), bare("a", "14:00")]);
    assert_eq!(fresh.any().purge(t("15:00") + days(QUARANTINE_DAYS), 10).await.expect("purges"), 1);
    assert_eq!(fresh.any().quarantined(t("14:00"), t("17:00")).await.expect("reads"), [bare("b", "15:00")]);
}

#[tokio::test]
async fn coverage_adds_up_over_handles() {
    let fresh = Fresh::store();
    let heard = |at: &str| {
        let json = serde_json::json!({
            "identity": identity(1), "kind": SENT, "source": "campaign:5", "at": t(at), "arrived": t(at),
            "fate": Fate::Counted, "provider": "gmail",
        });
        Heard::of([&serde_json::from_value(json).expect("an event")])
    };
    assert_eq!(fresh.any().hear(&Heard::default()).await.expect("hears").began(), None);
    let _ = fresh.any().hear(&heard("10:00")).await.expect("hears");
    let both = fresh.again().hear(&heard("12:00")).await.expect("hears");
    assert_eq!((both.began(), both.covered_until(t("13:00"))), (Some(t("10:00")), Some(Minute::of(t("12:00")))));
    assert_eq!(fresh.any().coverage().await.expect("reads"), both);
    assert_eq!(fresh.any().hear(&Heard::default()).await.expect("hears"), both);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Law 4: any number of times, in any order, cut into any batches: the tally of the distinct events.
    #[test]
    fn any_order_and_repetition_makes_the_same_tally(
        ids in proptest::collection::vec(0..40_u32, 1..120),
        cut in 1..20_usize,
    ) {
        let entry = |id: u32| failed(id, id % 3, t("14:02") + SignedDuration::from_secs(i64::from(id) * 7));
        let mut expected = BTreeMap::new();
        for id in ids.iter().collect::<std::collections::BTreeSet<_>>() {
            let class = entry(*id).class;
            *expected.entry((class.series.source.id, Minute::of(class.at).0)).or_insert(0) += 1;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let found = runtime.block_on(async {
            let fresh = Fresh::store();
            for batch in ids.chunks(cut) {
                let batch: Vec<Entry> = batch.iter().map(|id| entry(*id)).collect();
                let _ = fresh.any().count(&batch, t("14:10")).await.expect("counts");
            }
            tally(fresh.any()).await
        });
        prop_assert_eq!(found, expected);
    }
}
