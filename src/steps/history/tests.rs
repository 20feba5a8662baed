use std::fmt::Write as _;

use super::*;
use crate::config::Config;
use crate::config::testing::smallest_with;
use crate::customerio::event::{Event, Fate, Identity, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::heartbeat::Verdict;
use crate::heartbeat::history::Day;
use crate::queue::embedded::EmbeddedQueue;
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::tally::coverage::Heard;
use crate::tally::{Class, Entry, Series};

const SENT: Kind = Kind::known("email", "sent");

fn t(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().expect("a time")
}

fn arrival(at: Timestamp, arrived: Timestamp) -> Heard {
    let event: Event = serde_json::from_value(serde_json::json!({
        "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": "campaign:9",
        "at": at, "arrived": arrived, "fate": "counted", "provider": "none",
    }))
    .expect("an event");
    Heard::of(&[event])
}

struct World {
    _folder: tempfile::TempDir,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
}

impl World {
    /// Campaigns 1, 2, ..., each with a heartbeat of its own.
    fn of(campaigns: usize) -> Self {
        let mut config = String::new();
        for n in 1..=campaigns {
            let _ = writeln!(
                config,
                "[[heartbeats]]\nname = \"h{n}\"\nsource = \"campaign:{n}\"\nevent = \"email_sent\"\nexpect = \"learned\""
            );
        }
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let config = smallest_with(&config);
        Self { queue: store.queue(), _folder: folder, store, config }
    }

    fn tick(&self) -> Tick<'_> {
        let (store, outbox, config) = (&self.store, &self.queue, &self.config);
        Tick { store, outbox, config, directory: None, pulse: None, track: None, sums: None }
    }

    async fn sent(&self, campaign: usize, at: &[&str], now: &str) {
        let entry = |at: &&str| {
            let series = Series {
                kind: SENT,
                source: Source::new(SourceKind::Campaign, campaign.to_string()),
                action: None,
                cause: None,
                fingerprint: 0,
                provider: Provider::none(),
                fate: Fate::Counted,
            };
            let identity = Identity::of_event(&format!("{campaign} {at}"), &SENT);
            Entry { identity, stamp: Some(t(at)), class: Class { series, at: t(at) } }
        };
        let entries: Vec<Entry> = at.iter().map(entry).collect();
        self.store.count(&entries, t(now)).await.expect("counted");
    }

    async fn kept(&self) -> Vec<Vec<Day>> {
        let mut kept = Vec::new();
        for heartbeat in &self.config.heartbeats {
            kept.push(self.store.days(&heartbeat.counted_as(), 0, 100_000).await.expect("days"));
        }
        kept
    }

    async fn progress(&self) -> Progress {
        let text = self.store.cursor(CURSOR).await.expect("a cursor").expect("it was written");
        serde_json::from_str(&text).expect("progress")
    }
}

/// What was sent at a time, in the history of a campaign.
fn count_at(days: &[Day], at: &str) -> u32 {
    let slot = Slot::of(t(at));
    days.iter().flat_map(Day::slots).filter(|(known, ..)| *known == slot).map(|(_, count, _)| count).sum()
}

async fn eight_days(campaigns: usize) -> World {
    let world = World::of(campaigns);
    let coverage = [t("2026-11-10T00:00"), t("2026-11-24T11:59")];
    for at in coverage {
        world.store.hear(&arrival(at, at)).await.expect("heard");
    }
    for campaign in (1..=campaigns).step_by(37) {
        world.sent(campaign, &["2026-11-17T08:00", "2026-11-20T08:00", "2026-11-24T08:00"], "2026-11-24T11:59").await;
    }
    world
}

#[tokio::test]
async fn a_first_look_at_many_heartbeats_is_bounded_and_what_a_killed_tick_left_is_gone_on_with() {
    let (many, now) = (eight_days(200).await, t("2026-11-24T12:00"));
    let mut ticks = 0;
    loop {
        // Killed anywhere: after so many steps its work is dropped. Then the next tick.
        let tick = many.tick();
        let work = due(&tick, now + SignedDuration::from_secs(ticks));
        let killed = tokio::time::timeout(std::time::Duration::from_millis(3), work).await;
        drop(killed);
        due(&many.tick(), now).await.expect("a tick");
        ticks += 1;
        let progress = many.progress().await;
        if progress.whole {
            break;
        }
        assert!(progress.done.is_some(), "it goes on where it was: {progress:?}");
        assert!(ticks < 20, "it ends");
    }
    assert!(ticks >= 2, "no tick does all of it: {ticks}");
    // One heartbeat's first look is made in one go, and so is that of each of the others.
    let one = eight_days(1).await;
    due(&one.tick(), now).await.expect("a tick");
    assert!(one.progress().await.whole);
    let kept = many.kept().await;
    assert_eq!(kept.first(), one.kept().await.first());
    assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), vec![9; 200]);
    for (n, days) in kept.iter().enumerate() {
        for at in ["2026-11-17T08:00", "2026-11-20T08:00", "2026-11-24T08:00"] {
            assert_eq!(count_at(days, at), u32::from(n % 37 == 0), "{n} {at}");
        }
    }
}

#[tokio::test]
async fn a_tick_with_nothing_to_do_reads_one_cursor_and_a_cursor_of_another_version_is_looked_at_anew() {
    let world = eight_days(1).await;
    due(&world.tick(), t("2026-11-24T12:00")).await.expect("a tick");
    let before = world.progress().await;
    due(&world.tick(), t("2026-11-24T12:04")).await.expect("a tick");
    assert_eq!(world.progress().await, before);
    let stored = world.store.cursor(CURSOR).await.expect("a cursor");
    let moved = world.store.move_cursor(CURSOR, stored.as_deref(), "5953200").await.expect("moved");
    assert_eq!(moved, Write::Done);
    due(&world.tick(), t("2026-11-24T12:05")).await.expect("a tick");
    assert!(world.progress().await.whole);
}

#[tokio::test]
async fn what_comes_hours_late_is_in_history_with_the_next_slot() {
    let world = eight_days(1).await;
    due(&world.tick(), t("2026-11-24T12:00")).await.expect("a tick");
    world.sent(1, &["2026-11-24T03:00"], "2026-11-24T12:01").await;
    world.store.hear(&arrival(t("2026-11-24T03:00"), t("2026-11-24T12:01"))).await.expect("heard");
    due(&world.tick(), t("2026-11-24T12:05")).await.expect("a tick");
    let kept = world.kept().await;
    assert_eq!(kept.first().map(|days| count_at(days, "2026-11-24T03:00")), Some(1));
}

#[tokio::test]
async fn each_day_that_tick_was_away_for_gets_its_verdict_and_a_cursor_of_an_older_version_is_no_error() {
    let world = World::of(1);
    for at in [t("2026-10-20T00:00"), t("2026-11-24T11:59")] {
        world.store.hear(&arrival(at, at)).await.expect("heard");
    }
    let of = world.config.heartbeats.first().expect("a heartbeat").counted_as();
    for day in Slot::of(t("2026-10-20T00:00")).day()..Slot::of(t("2026-11-24T00:00")).day() {
        let json = serde_json::json!({ "day": day, "counts": vec![1; 288], "hearing": "1".repeat(288) });
        let day: Day = serde_json::from_value(json).expect("a day");
        world.store.keep_day(&of, &day).await.expect("kept");
    }
    for cursor in ["learned/h1", "usual/h1"] {
        let old = world.store.move_cursor(cursor, None, "5953200").await.expect("moved");
        assert_eq!(old, Write::Done);
    }
    due(&world.tick(), t("2026-11-21T12:00")).await.expect("a tick");
    let verdicts = || world.store.verdicts(t("2026-11-01T00:00"), t("2026-11-25T00:00"));
    assert_eq!(verdicts().await.expect("verdicts"), []);
    // Away for three days.
    due(&world.tick(), t("2026-11-24T12:00")).await.expect("a tick");
    let mut found = verdicts().await.expect("verdicts");
    found.sort_by_key(|judged| judged.period.start);
    let found: Vec<_> = found.iter().map(|j| (j.period.start, j.verdict, j.count, j.covered)).collect();
    let day = |start| (t(start), Verdict::Ok, 288, 1_440);
    assert_eq!(found, ["2026-11-21T00:00", "2026-11-22T00:00", "2026-11-23T00:00"].map(day));
    due(&world.tick(), t("2026-11-24T12:05")).await.expect("a tick");
    assert_eq!(verdicts().await.expect("verdicts").len(), 3, "each once");
}

/// Prints what ticks ask of the store and how long they take; docs/operations.md holds the numbers. By hand:
/// `cargo test --no-default-features --lib what_ticks_cost -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn what_ticks_cost() {
    for campaigns in [10, 200] {
        let world = World::of(campaigns);
        let now = t("2026-11-24T00:00");
        let slots = vec![1; 288];
        for heartbeat in &world.config.heartbeats {
            for day in Slot::of(now).day() - 57..Slot::of(now).day() {
                let json = serde_json::json!({"day": day, "counts": slots, "hearing": "1".repeat(288)});
                let day: Day = serde_json::from_value(json).expect("a day");
                world.store.keep_day(&heartbeat.counted_as(), &day).await.expect("kept");
            }
        }
        // 288 messages a day and workflow, of the last eight days.
        let first = now - SignedDuration::from_hours(8 * 24);
        let begin = arrival(now - SignedDuration::from_hours(57 * 24), now - SignedDuration::from_hours(57 * 24));
        world.store.hear(&begin).await.expect("heard");
        let times: Vec<Timestamp> = (0..9 * 288).map(|n| first + SignedDuration::from_mins(5 * n)).collect();
        for campaign in 1..=campaigns {
            let at: Vec<String> = times.iter().map(|at| at.strftime("%FT%H:%M").to_string()).collect();
            let at: Vec<&str> = at.iter().map(String::as_str).collect();
            world.sent(campaign, &at, "2026-11-24T23:59").await;
        }
        let store = crate::store::counting::Counting::of(world.store.clone());
        let tick = Tick { store: &store, ..world.tick() };
        let mut now = now;
        for _ in 0..6 {
            due(&tick, now - SignedDuration::from_mins(10)).await.expect("a first long look");
        }
        for what in ["the first tick of a day", "a tick between", "the first of five minutes", "the first of an hour"] {
            let later = match what {
                "the first tick of a day" => 0,
                "a tick between" => 1,
                "the first of five minutes" => 54,
                _ => 5,
            };
            now += SignedDuration::from_mins(later);
            store.hear(&arrival(now, now)).await.expect("heard");
            store.take();
            let begun = std::time::Instant::now();
            due(&tick, now).await.expect("a tick");
            println!("{campaigns} heartbeats, {what}: {:.2?}, {:?}", begun.elapsed(), store.take());
        }
    }
}
