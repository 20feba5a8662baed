//! Runs through a workflow that waits before its first message, with the steps and the store that serve has.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::clock::ManualClock;
use crate::config::Config;
use crate::config::testing::smallest_with;
use crate::customerio::event::Event;
use crate::incident::Numbers;
use crate::queue::embedded::EmbeddedQueue;
use crate::steps::history as looks;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::tally::coverage::Heard;
use crate::tally::journeys;

const RUNS: &str = r#"
[[heartbeats]]
name = "Runs"
source = "campaign:5"
distinct = "journey"
expect = "learned"
"#;

const DAYS: i64 = 60;
const STEP: SignedDuration = SignedDuration::from_mins(30);
const MINUTES_A_DAY: i64 = 24 * 60;

/// A run in so many minutes, by chance.
const ONE_IN_MINUTES: u64 = 6;

struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
    chance: u64,
}

/// When a run's message is heard, when it was sent, and its id.
type Message = (Timestamp, Timestamp, String);

fn start() -> Timestamp {
    "2026-09-01T00:00:00Z".parse().expect("a time")
}

/// A ULID of that time.
fn run(began: Timestamp, nth: u64) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digits = |of: u64, n: u32| -> String {
        (0..n).rev().map(|place| char::from(ALPHABET[(of >> (5 * place) & 31) as usize])).collect()
    };
    digits(began.as_millisecond() as u64, 10) + &digits(nth, 12) + "AAAA"
}

fn event(source: &str, at: Timestamp, arrived: Timestamp, journey: Option<&str>) -> Event {
    serde_json::from_value(serde_json::json!({
        "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": source, "at": at,
        "arrived": arrived, "fate": "counted", "provider": "none", "journey_id": journey,
    }))
    .expect("an event")
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let clock = Arc::new(ManualClock::at(start()));
        let store = store.with_clock(Arc::<ManualClock>::clone(&clock));
        Self { clock, queue: store.queue(), _folder: folder, store, config: smallest_with(RUNS), chance: 20_261_201 }
    }

    /// The next of splitmix64's numbers.
    fn chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Runs from the start until `stop`, whose first messages are sent `wait` after they began.
    fn runs(&mut self, wait: impl Fn(u64) -> SignedDuration, stop: Timestamp) -> Vec<Message> {
        let minutes = stop.duration_since(start()).as_mins();
        let mut messages = Vec::new();
        for minute in 0..minutes {
            if self.chance().is_multiple_of(ONE_IN_MINUTES) {
                let began = start() + SignedDuration::from_mins(minute);
                let nth = self.chance();
                let sent = began + wait(nth) + SignedDuration::from_secs((nth % 90) as i64);
                messages.push((sent, sent, run(began, nth)));
            }
        }
        messages.sort();
        messages
    }

    /// Ticks from the start on; says when an incident opened first, and its numbers. Another workflow is heard all the
    /// time, but while the sender holds everything back.
    async fn first_page(
        &self,
        messages: &[Message],
        held_back: Option<(Timestamp, Timestamp)>,
        days: i64,
    ) -> Option<(Timestamp, Numbers)> {
        let (store, outbox, config) = (&self.store, &self.queue, &self.config);
        let tick = Tick { store, outbox, config, directory: None, pulse: None, track: None, sums: None };
        let holds = |at: Timestamp| held_back.is_some_and(|(from, until)| from <= at && at < until);
        let mut messages = messages.iter().peekable();
        let (mut now, end) = (start(), start() + SignedDuration::from_mins(days * MINUTES_A_DAY));
        let mut others: Vec<Timestamp> = Vec::new();
        while now < end {
            now += STEP;
            self.clock.set(now);
            others.extend((0..6).map(|n| now - SignedDuration::from_mins(1 + 5 * n)));
            if holds(now) {
                continue;
            }
            let mut events: Vec<Event> = Vec::new();
            while let Some((_, sent, journey)) = messages.next_if(|(heard, ..)| *heard < now) {
                let arrived = if holds(*sent) { now } else { *sent };
                events.push(event("campaign:5", *sent, arrived, Some(journey)));
            }
            events.extend(others.drain(..).map(|at| {
                let arrived = if holds(at) { now } else { at };
                event("campaign:9", at, arrived, None)
            }));
            store.hear(&Heard::of(&events)).await.expect("heard");
            store.count(&journeys::entries(&events, &config.heartbeats), now).await.expect("counted");
            looks::due(&tick, now).await.expect("a tick");
            if let Some(open) = store.unsettled().await.expect("reads").pop() {
                return Some((now, open.numbers));
            }
        }
        None
    }
}

const fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn day(n: i64) -> Timestamp {
    start() + hours(24 * n)
}

#[tokio::test]
async fn a_workflow_that_waits_six_hours_pages_for_nothing_never_and_for_a_stop_seven_hours_late() {
    let mut world = World::new();
    let stop = day(DAYS);
    let messages = world.runs(|_| hours(6), stop);
    let page = world.first_page(&messages, None, DAYS + 2).await;
    let (at, numbers) = page.expect("the stop is paged");
    assert_eq!(numbers.count, 0, "{at}");
    // Ten an hour: the same stop of a workflow that does not wait is seen after about two hours.
    let late = at.duration_since(stop);
    assert!((hours(7)..hours(11)).contains(&late), "{late}");
}

#[tokio::test]
async fn a_workflow_that_does_not_wait_is_judged_within_minutes() {
    let mut world = World::new();
    let stop = day(24);
    let messages = world.runs(|_| SignedDuration::ZERO, stop);
    let (at, _) = world.first_page(&messages, None, 26).await.expect("the stop is paged");
    let late = at.duration_since(stop);
    assert!((hours(0)..hours(4)).contains(&late), "{late}");
}

#[tokio::test]
async fn what_the_sender_held_back_is_no_stop_of_the_runs_it_would_have_named() {
    let mut world = World::new();
    let messages = world.runs(|_| hours(6), day(30));
    let held_back = (day(25) + hours(10), day(25) + hours(15));
    assert_eq!(world.first_page(&messages, Some(held_back), 27).await, None);
}

#[tokio::test]
async fn where_three_of_a_hundred_wait_four_days_nothing_is_judged_and_it_says_so() {
    let mut world = World::new();
    let wait = |nth: u64| if nth % 1_000 < 50 { hours(96) } else { SignedDuration::ZERO };
    let messages = world.runs(wait, day(22));
    assert_eq!(world.first_page(&messages, None, 24).await, None);
    let settling = settling(&world.store, &world.config.heartbeats[0], day(24)).await.expect("reads");
    assert_eq!(settling, Some(Settling::TooLong));
}
