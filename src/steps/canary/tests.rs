use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::canary::{Leg, Track};
use crate::config::testing::smallest_with;
use crate::incident::State;
use crate::queue::embedded::EmbeddedQueue;
use crate::steps::evaluate::Evaluate;
use crate::steps::ingest::Note;
use crate::store::embedded::{Durability, EmbeddedStore};

const CONFIG: &str = r#"
[[rules]]
name = "any"
events = ["*_failed"]
count = { at_least = 1, within = "10m" }
[canary]
profile = "canary"
campaign = 42
every = "5m"
site_id = "env:S"
api_key = "env:T"
severity = "info"
"#;

/// Takes everything, and remembers it.
#[derive(Default)]
struct Taken(Mutex<Vec<String>>);

#[async_trait]
impl Track for Taken {
    async fn send(&self, id: &str) -> Sent {
        let mut ids = self.0.lock().expect("no panic");
        ids.push(id.to_owned());
        // A twin may be anywhere by now.
        Sent { at: t("00:00:00"), taken: Ok(()) }
    }
}

struct World {
    _folder: tempfile::TempDir,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
    track: Taken,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let config = smallest_with(CONFIG);
        Self { queue: store.queue(), _folder: folder, store, config, track: Taken::default() }
    }

    fn tick(&self) -> Tick<'_> {
        let (store, outbox, config) = (&self.store, &self.queue, &self.config);
        Tick { store, outbox, config, directory: None, pulse: None, track: Some(&self.track), sums: None }
    }

    async fn ticks(&self, clocks: &[&str]) {
        for clock in clocks {
            self.tick().run(t(clock)).await.expect("no failure of ours");
        }
    }

    fn sent(&self) -> Vec<String> {
        self.track.0.lock().expect("no panic").clone()
    }

    async fn evaluate(&self, events: &[Event]) {
        let message = |(id, event): (usize, &Event)| crate::queue::Message {
            id: id as i64,
            body: serde_json::to_string(event).expect("JSON"),
            receives: 1,
        };
        let messages: Vec<_> = events.iter().enumerate().map(message).collect();
        let step = Evaluate { store: &self.store, outbox: &self.queue, config: &self.config, stop_by: None };
        step.batch(&messages, t("10:30:00")).await.expect("no failure of ours");
    }

    async fn incident(&self) -> Option<(Subject, bool)> {
        let key = IncidentKey::new("acme", &Subject::Canary { leg: Leg::Workflow });
        let newest = self.store.episodes(&key).await.expect("reads").pop()?;
        Some((newest.subject, newest.state == State::Open))
    }
}

fn t(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}Z").parse().expect("a time")
}

fn webhook(trigger: &str, at: &str) -> Event {
    let json = serde_json::json!({
        "identity": format!("{:032x}", t(at).as_second()), "kind": "email_failed", "source": "campaign:42",
        "at": t(at), "arrived": t(at), "fate": "canary", "provider": "gmail", "trigger_event_id": trigger,
    });
    serde_json::from_value(json).expect("an event")
}

#[tokio::test]
async fn one_is_sent_when_it_is_due_by_one_of_two_ticks() {
    let world = World::new();
    let (one, other) = (world.tick(), world.tick());
    let (one, other) = tokio::join!(one.run(t("10:00:59")), other.run(t("10:00:59")));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(world.sent(), [canary::event_id("acme", t("10:00:59"))]);
    world.ticks(&["10:01:00", "10:04:59"]).await;
    assert_eq!(world.sent().len(), 1);
    // Ticks do not come to the second.
    world.ticks(&["10:05:00", "10:06:00"]).await;
    assert_eq!(world.sent().len(), 2);
    // A clock that was ahead for a moment stops nothing.
    world.ticks(&["23:00:00", "10:07:00", "10:11:00", "10:12:00"]).await;
    assert_eq!(world.sent().len(), 5);
}

#[tokio::test]
async fn a_webhook_that_came_and_was_not_processed_is_said_to_be_in_this_bridge() {
    let world = World::new();
    world.ticks(&["10:00:00", "10:05:00", "10:10:00"]).await;
    let sent = world.sent();
    let answer = webhook(&sent[0], "10:00:03");
    let came = Note::Canary(latest(std::slice::from_ref(&answer)).expect("the canary's"));
    // A note that has no time waits for the next webhook.
    came.keep(&world.store, &world.config, Duration::from_millis(599)).await;
    assert_eq!(super::webhook(&world.store).await.expect("reads"), None);
    came.keep(&world.store, &world.config, Duration::from_millis(600)).await;
    world.ticks(&["10:14:00"]).await;
    assert_eq!(world.incident().await, None);
    world.ticks(&["10:15:00"]).await;
    assert_eq!(world.incident().await, Some((Subject::Canary { leg: Leg::Processing }, true)));
    // Its own way goes on: that one is back, the others are not, and no webhook of theirs came.
    world.evaluate(&[answer]).await;
    world.ticks(&["10:16:00", "10:20:00"]).await;
    assert_eq!(world.incident().await, Some((Subject::Canary { leg: Leg::Workflow }, true)));
    let rest: Vec<Event> = world.sent()[1..].iter().map(|id| webhook(id, "10:20:03")).collect();
    world.evaluate(&rest).await;
    world.ticks(&["10:21:00"]).await;
    assert!(matches!(world.incident().await, Some((_, false))));
}

#[tokio::test]
async fn without_a_canary_nothing_is_sent_and_its_incident_is_closed() {
    let mut world = World::new();
    world.ticks(&["10:00:00", "10:05:00", "10:10:00", "10:15:00"]).await;
    assert_eq!(world.incident().await, Some((Subject::Canary { leg: Leg::Workflow }, true)));
    world.config.canary = None;
    world.ticks(&["10:20:00"]).await;
    assert_eq!(world.incident().await, Some((Subject::Canary { leg: Leg::Workflow }, false)));
    assert_eq!(world.sent().len(), 4);
    assert_eq!(standing(&world.store, &world.config, t("10:20:00")).await.expect("reads"), None);
    let date = jiff::civil::date(2026, 11, 24);
    assert_eq!(of_day(&world.store, &world.config, date).await.expect("reads"), None, "the digest has no line");
}

#[tokio::test]
async fn a_silence_of_its_kind_covers_it() {
    use crate::silence::{Conditions, Silence};
    let world = World::new();
    world.ticks(&["10:00:00", "10:05:00", "10:10:00", "10:15:00"]).await;
    let key = IncidentKey::new("acme", &Subject::Canary { leg: Leg::Workflow });
    let incident = world.store.episodes(&key).await.expect("reads").pop().expect("it is late");
    let covers = |condition: &str| {
        let silence = Silence {
            id: "s".into(),
            matchers: Conditions::parse(&[condition.to_owned()]).expect("a condition"),
            start: t("10:00:00"),
            end: t("12:00:00"),
            author: "ada".into(),
            reason: String::new(),
            created_at: t("10:00:00"),
        };
        silence.covers(&incident, &incident.labels)
    };
    assert!(covers("kind=canary") && covers("severity=info") && !covers("kind=rule"));
}

#[tokio::test]
async fn it_covers_like_any_event_and_no_register_knows_of_it() {
    let world = World::new();
    world.ticks(&["10:00:00"]).await;
    let [id] = &world.sent()[..] else { panic!("one was sent") };
    let answers = [webhook(id, "10:00:03"), webhook(id, "10:20:01")];
    world.evaluate(&answers).await;
    world.evaluate(&answers).await;
    let coverage = world.store.coverage().await.expect("reads");
    assert_eq!(coverage.covered_until(t("10:21:00")), Some(Minute::of(t("10:20:00"))));
    let day = crate::clock::Span::new(Minute::of(t("00:00:00")), Minute::of(t("23:59:00")));
    assert_eq!(world.store.totals(None, day).await.expect("reads"), []);
    assert!(world.store.unsettled().await.expect("reads").is_empty(), "its failure is none");
    world.ticks(&["10:21:00"]).await;
    let day = of_day(&world.store, &world.config, jiff::civil::date(2026, 11, 24)).await.expect("reads");
    assert_eq!(day.map(|day| day.line()).as_deref(), Some("Canary: 1 of 2 came back, median 3 s, slowest 3 s"));
}
