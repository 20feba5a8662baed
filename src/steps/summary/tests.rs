use std::collections::BTreeMap;

use super::*;
use crate::config::Config;
use crate::config::testing::smallest_with;
use crate::customerio::event::{Event, Fate, Identity, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::queue::embedded::EmbeddedQueue;
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::testing::incident;
use crate::tally::coverage::Heard;
use crate::tally::{Class, Entry, Series};

const SENT: Kind = Kind::known("email", "sent");
const HEARTBEAT: &str = "[[heartbeats]]\nname = \"Activation\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 3\nevery = \"day\"\n";

fn t(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().expect("a time")
}

struct World {
    _folder: tempfile::TempDir,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        Self { queue: store.queue(), _folder: folder, store, config: smallest_with(HEARTBEAT) }
    }

    async fn tick(&self, now: &str) {
        let (store, outbox, config) = (&self.store, &self.queue, &self.config);
        let tick = Tick { store, outbox, config, directory: None, pulse: None, track: None, sums: None };
        due(&tick, t(now)).await.expect("written");
    }

    async fn sent(&self, at: &[&str], now: &str) {
        let entry = |at: &&str| {
            let series = Series {
                kind: SENT,
                source: Source::new(SourceKind::Campaign, "5".to_owned()),
                action: None,
                cause: None,
                fingerprint: 0,
                provider: Provider::none(),
                fate: Fate::Counted,
            };
            let identity = Identity::of_event(&format!("{at} {now}"), &SENT);
            Entry { identity, stamp: Some(t(at)), class: Class { series, at: t(at) } }
        };
        let entries: Vec<Entry> = at.iter().map(entry).collect();
        self.store.count(&entries, t(now)).await.expect("counted");
        let event = |at: &&str| {
            serde_json::from_value::<Event>(serde_json::json!({
                "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": "campaign:5",
                "at": t(at), "arrived": t(now), "fate": "counted", "provider": "none",
            }))
        };
        let events: Vec<Event> = at.iter().map(event).collect::<Result<_, _>>().expect("events");
        self.store.hear(&Heard::of(&events)).await.expect("heard");
    }

    /// By date, what Activation did hour by hour.
    async fn kept(&self) -> BTreeMap<String, Vec<u64>> {
        let (from, until) = ("2026-11-01".parse().expect("a date"), "2026-12-31".parse().expect("a date"));
        let kept = self.store.summaries(from, until).await.expect("reads");
        let hours = |day: &Summary| day.workflows.iter().flat_map(|w| w.hours.counts().collect::<Vec<_>>()).collect();
        kept.iter().map(|day| (day.date.to_string(), hours(day))).collect()
    }
}

#[tokio::test]
async fn today_is_written_down_every_five_minutes_and_late_events_are_found_within_the_hour() {
    let world = World::new();
    world.sent(&["2026-11-24T00:10", "2026-11-24T09:03"], "2026-11-24T09:03").await;
    world.tick("2026-11-24T09:05").await;
    assert_eq!(world.kept().await["2026-11-24"], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    world.sent(&["2026-11-24T03:30", "2026-11-24T09:06"], "2026-11-24T09:07").await;
    world.tick("2026-11-24T09:09").await;
    assert_eq!(world.kept().await["2026-11-24"][9], 1, "the same five minutes: nothing is read");
    world.tick("2026-11-24T09:10").await;
    assert_eq!(world.kept().await["2026-11-24"], [1, 0, 0, 0, 0, 0, 0, 0, 0, 2], "the last two hours");
    world.tick("2026-11-24T10:00").await;
    assert_eq!(world.kept().await["2026-11-24"], [1, 0, 0, 1, 0, 0, 0, 0, 0, 2], "all of the day, on the hour");
}

#[tokio::test]
async fn a_day_that_is_over_is_mended_and_one_that_nobody_wrote_down_is_made() {
    let world = World::new();
    world.sent(&["2026-11-20T12:00"], "2026-11-20T12:00").await;
    world.sent(&["2026-11-23T12:00"], "2026-11-23T12:00").await;
    world.tick("2026-11-24T08:00").await;
    let kept = world.kept().await;
    // Two at a time, newest first, and none from before we heard anything.
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["2026-11-22", "2026-11-23", "2026-11-24"]);
    world.tick("2026-11-24T08:05").await;
    world.tick("2026-11-24T08:10").await;
    assert_eq!(world.kept().await.len(), 5);
    world.sent(&["2026-11-23T13:00"], "2026-11-24T11:00").await;
    world.tick("2026-11-24T11:05").await;
    assert_eq!(world.kept().await["2026-11-23"].iter().sum::<u64>(), 1);
    world.tick("2026-11-24T12:00").await;
    assert_eq!(world.kept().await["2026-11-23"].iter().sum::<u64>(), 2, "yesterday, every six hours");
    let read: Vec<(i64, usize)> =
        (1..=14).flat_map(|ago| (0..24).map(move |hour| (ago, hour))).filter(|(a, h)| is_looked_at(*a, *h)).collect();
    assert!((1..=TOO_LATE_DAYS).all(|ago| read.iter().any(|(of, _)| *of == ago)), "{read:?}");
}

#[tokio::test]
async fn what_is_told_of_an_open_incident_is_there_within_a_minute_and_goes_with_it() {
    let world = World::new();
    world.sent(&["2026-11-24T09:03"], "2026-11-24T09:03").await;
    world.tick("2026-11-24T09:05").await;
    let opened = incident("transactional-failing", t("2026-11-24T09:06"));
    assert_eq!(world.store.write_incident(&opened).await.expect("writes"), crate::store::Write::Done);
    world.tick("2026-11-24T09:06").await;
    let today = async || {
        let date: Date = "2026-11-24".parse().expect("a date");
        world.store.summaries(date, date.saturating_add(1.day())).await.expect("reads").pop().expect("today")
    };
    let open = today().await.open;
    assert_eq!(open.iter().map(|telling| telling.told.clone()).collect::<Vec<_>>(), [["on-call: not told yet"]]);
    let state = crate::incident::State::Resolved { at: t("2026-11-24T09:07"), how: crate::incident::How::Recovered };
    let over = Incident { state, version: 1, ..opened };
    assert_eq!(world.store.write_incident(&over).await.expect("writes"), crate::store::Write::Done);
    world.tick("2026-11-24T09:07").await;
    assert_eq!(today().await.open, []);
}
