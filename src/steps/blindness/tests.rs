use std::sync::Arc;

use super::*;
use crate::clock::ManualClock;
use crate::config::testing::smallest_with;
use crate::customerio::event::{Event, Fate, Identity, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::store::Store;
use crate::store::counting::Counting;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::tally::coverage::Heard;
use crate::tally::{Class, Entry, Series};

const SENT: Kind = Kind::known("email", "sent");

fn t(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().expect("a time")
}

fn arrival(at: Timestamp) -> Heard {
    let event: Event = serde_json::from_value(serde_json::json!({
        "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": "campaign:9",
        "at": at, "arrived": at, "fate": "counted", "provider": "none",
    }))
    .expect("an event");
    Heard::of(&[event])
}

fn sent(at: Timestamp) -> Entry {
    let series = Series {
        kind: SENT,
        source: Source::new(SourceKind::Campaign, "9".to_owned()),
        action: None,
        cause: None,
        fingerprint: 0,
        provider: Provider::none(),
        fate: Fate::Counted,
    };
    Entry { identity: Identity::of_event(&at.to_string(), &SENT), stamp: Some(at), class: Class { series, at } }
}

/// Ticks every minute of a silence that began at 20:00, after four weeks of one message in ten minutes by day and none by
/// night; says when it paged and how many sums of registers were read.
async fn silence(until: &str) -> (Option<Timestamp>, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let since = t("2026-11-24T20:00");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
    let queue = store.queue();
    let store = Counting::of(store.with_clock(Arc::new(ManualClock::at(since))));
    let tens = (0..29 * 24 * 6).map(|ten| t("2026-10-27T00:00") + SignedDuration::from_mins(10 * ten));
    let by_day = |at: &Timestamp| (8 * 3600..20 * 3600).contains(&at.as_second().rem_euclid(86_400));
    let entries: Vec<Entry> = tens.filter(by_day).filter(|at| *at < since).map(sent).collect();
    store.count(&entries, since).await.expect("counted");
    for at in [t("2026-10-27T00:00"), since] {
        store.hear(&arrival(at)).await.expect("heard");
    }
    store.take();
    let config = smallest_with("");
    let tick =
        Tick { store: &store, outbox: &queue, config: &config, directory: None, pulse: None, track: None, sums: None };
    let mut now = since;
    while now < t(until) {
        now += SignedDuration::from_mins(1);
        watch(&tick, now).await.expect("looks");
        if !store.unsettled().await.expect("reads").is_empty() {
            return (Some(now), store.take().get("totals").copied().unwrap_or_default());
        }
    }
    (None, store.take().get("totals").copied().unwrap_or_default())
}

#[tokio::test]
async fn a_quiet_night_reads_earlier_weeks_four_times_an_hour_and_a_silent_morning_pages() {
    let (paged, sums) = silence("2026-11-25T08:00").await;
    // 22:00 to 8:00: 41 looks, at four weeks each, and after midnight at another day's four.
    assert_eq!(paged, None);
    assert_eq!(sums, 41 * 4 + 32 * 4);
    let (paged, _) = silence("2026-11-25T12:00").await;
    let paged = paged.expect("it pages");
    assert!((t("2026-11-25T09:30")..=t("2026-11-25T10:00")).contains(&paged), "{paged}");
}
