use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::*;
use crate::config::parse;
use crate::customerio::app_api::ListRow;
use crate::customerio::event::{Source, SourceKind};
use crate::heartbeat::why::Said;
use crate::queue::embedded::EmbeddedQueue;
use crate::store::embedded::{Durability, EmbeddedStore, FILE};

const CONFIG: &str = r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
app_api_key = "env:APP_KEY"
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
"#;

type Answer = Result<BTreeMap<String, String>, AppApiError>;

/// An App API whose answers can be flipped; it writes down what it was asked.
struct Shelf {
    answers: Mutex<BTreeMap<&'static str, Answer>>,
    asked: Mutex<Vec<&'static str>>,
}

impl Shelf {
    fn new() -> Self {
        let list = |name: &str| Ok(BTreeMap::from([("7".to_owned(), name.to_owned())]));
        let answers = LISTS.iter().map(|row| (row.path, list("Welcome series"))).collect();
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    fn answers(&self, path: &'static str, answer: Answer) {
        self.answers.lock().expect("answers").insert(path, answer);
    }

    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.asked.lock().expect("asked"))
    }
}

#[async_trait]
impl Directory for Shelf {
    async fn list(&self, row: &'static ListRow, _: Duration) -> Answer {
        self.asked.lock().expect("asked").push(row.path);
        tokio::task::yield_now().await;
        self.answers.lock().expect("answers")[row.path].clone()
    }

    async fn by_day(
        &self,
        _: &str,
        _: &str,
        _: Range<Date>,
        _: &TimeZone,
        _: Duration,
    ) -> Result<Vec<u64>, AppApiError> {
        panic!("names ask for no campaign")
    }

    async fn campaign(&self, _: &str, _: Timestamp, _: Timestamp, _: Duration) -> Result<Said, AppApiError> {
        panic!("names ask for no campaign")
    }
}

struct World {
    folder: tempfile::TempDir,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
    shelf: Shelf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let config = parse::parse(CONFIG).config.expect("valid");
        Self { queue: store.queue(), folder, store, config, shelf: Shelf::new() }
    }

    fn tick(&self) -> Tick<'_> {
        Tick {
            store: &self.store,
            outbox: &self.queue,
            config: &self.config,
            directory: Some(&self.shelf),
            pulse: None,
            track: None,
            sums: None,
        }
    }

    /// A tick at this time; what the App API was asked.
    async fn ticks(&self, at: &str) -> Vec<&'static str> {
        self.tick().run(t(at)).await.expect("no failure of ours");
        self.shelf.asked()
    }

    async fn name_of(&self, kind: SourceKind) -> Option<String> {
        let names = self.store.names().await.expect("reads");
        names.get(&Source::new(kind, "7")).map(str::to_owned)
    }
}

fn t(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().expect("a time")
}

fn all() -> Vec<&'static str> {
    LISTS.iter().map(|row| row.path).collect()
}

#[tokio::test]
async fn names_are_read_once_a_day_and_by_one_of_two_ticks() {
    let world = World::new();
    let (one, other) = (world.tick(), world.tick());
    let (one, other) = tokio::join!(one.run(t("23T08:00:00")), other.run(t("23T08:00:00")));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(world.shelf.asked(), all());
    for row in &LISTS {
        assert_eq!(world.name_of(row.of).await.as_deref(), Some("Welcome series"));
    }
    assert_eq!(world.ticks("23T08:01:00").await, [""; 0]);
    assert_eq!(world.ticks("24T07:59:59").await, [""; 0]);
    assert_eq!(world.ticks("24T08:00:00").await, all());
    // A clock that was a year ahead for a moment stops nothing for a year.
    let stored = world.store.cursor(CURSOR).await.expect("reads");
    let moved = world.store.move_cursor(CURSOR, stored.as_deref(), "2027-11-25T08:00:00Z").await.expect("writes");
    assert_eq!(moved, Write::Done);
    assert_eq!(world.ticks("25T08:00:00").await, all());
}

#[tokio::test]
async fn without_a_key_nothing_is_asked_or_read() {
    let mut world = World::new();
    world.ticks("23T08:00:00").await;
    let tick = Tick { directory: None, ..world.tick() };
    tick.run(t("25T08:00:00")).await.expect("ticked");
    assert_eq!(world.shelf.asked(), [""; 0]);
    world.config.customerio.app_api_key = None;
    assert!(kept(&world.store, &world.config).await.is_empty());
    assert!(Known::default().get(&world.store, &world.config, t("25T08:00:00")).await.is_empty());
}

#[tokio::test]
async fn a_failure_keeps_the_old_names_and_is_repeated_after_an_hour() {
    let world = World::new();
    world.ticks("23T08:00:00").await;
    world.shelf.answers("/v1/campaigns", Err(AppApiError::Status { status: 500, path: "/v1/campaigns" }));
    world.shelf.answers("/v1/broadcasts", Ok(BTreeMap::from([("7".into(), "New".into())])));
    assert_eq!(world.ticks("24T08:00:00").await, all(), "the other lists are read all the same");
    assert_eq!(world.name_of(SourceKind::Campaign).await.as_deref(), Some("Welcome series"));
    assert_eq!(world.name_of(SourceKind::Broadcast).await.as_deref(), Some("New"));
    assert_eq!(world.ticks("24T08:59:00").await, [""; 0]);
    assert_eq!(world.ticks("24T09:00:00").await, ["/v1/campaigns"], "what was read today is not asked for again");
}

#[tokio::test]
async fn too_many_requests_are_answered_by_waiting_for_a_later_tick() {
    let world = World::new();
    let limited = |after: Option<u64>| Err(AppApiError::Limited { after: after.map(Duration::from_secs) });
    world.shelf.answers("/v1/transactional", limited(Some(30)));
    assert_eq!(world.ticks("23T08:00:00").await, ["/v1/campaigns", "/v1/broadcasts", "/v1/transactional"]);
    assert_eq!(world.ticks("23T08:00:29").await, [""; 0]);
    // A day's quota is used up: nothing says until when.
    world.shelf.answers("/v1/transactional", limited(None));
    assert_eq!(world.ticks("23T08:01:00").await, ["/v1/transactional"]);
    assert_eq!(world.ticks("23T08:30:00").await, [""; 0]);
    world.shelf.answers("/v1/transactional", Ok(BTreeMap::new()));
    assert_eq!(world.ticks("23T09:01:00").await, ["/v1/transactional", "/v1/newsletters"]);
}

#[tokio::test]
async fn what_an_app_api_that_is_down_costs_is_one_question_an_hour() {
    let world = World::new();
    let down = AppApiError::NoAnswer(crate::receivers::http::Failure::Reset);
    world.shelf.answers("/v1/campaigns", Err(down));
    let mut asked = 0;
    for minute in 0..120 {
        asked += world.ticks(&format!("23T{:02}:{:02}:00", 8 + minute / 60, minute % 60)).await.len();
    }
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_refused_key_is_said_once_a_day() {
    let world = World::new();
    for row in &LISTS {
        world.shelf.answers(row.path, Err(AppApiError::Refused { status: 401, path: row.path }));
    }
    let logged = Logged::default();
    let into = logged.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || into.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for hour in 0..30 {
        world.ticks(&format!("{}T{:02}:00:00", 23 + (8 + hour) / 24, (8 + hour) % 24)).await;
    }
    let log = String::from_utf8(logged.0.lock().expect("a log").clone()).expect("text");
    assert_eq!(log.matches("app_api_refused").count(), 2, "{log}");
    assert!(log.contains("may it read /v1/campaigns?") && log.contains("ERROR"), "{log}");
}

#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_process_reads_every_five_minutes_and_goes_on_with_what_it_knew() {
    let world = World::new();
    let known = Known::default();
    let name = async |at: &str| {
        let names = known.get(&world.store, &world.config, t(at)).await;
        names.get(&Source::new(SourceKind::Campaign, "7")).map(str::to_owned)
    };
    assert_eq!(name("23T08:00:00").await, None);
    world.ticks("23T08:00:01").await;
    assert_eq!(name("23T08:00:29").await, None);
    assert_eq!(name("23T08:00:30").await.as_deref(), Some("Welcome series"), "the first names are looked for sooner");
    let list = |name: &str| NameList {
        fetched_at: t("23T08:01:00"),
        names: BTreeMap::from([("7".to_owned(), name.to_owned())]),
    };
    world.store.keep_names(SourceKind::Campaign, &list("New")).await.expect("writes");
    assert_eq!(name("23T08:05:29").await.as_deref(), Some("Welcome series"));
    assert_eq!(name("23T08:05:30").await.as_deref(), Some("New"));
    // Names that cannot be read any more hold up nothing.
    let file = rusqlite::Connection::open(world.folder.path().join(FILE)).expect("the file");
    file.execute("UPDATE meta SET value = '{' WHERE name = 'names/campaign'", []).expect("broken");
    assert!(world.store.names().await.is_err());
    assert_eq!(name("23T09:00:00").await.as_deref(), Some("New"));
    assert!(kept(&world.store, &world.config).await.is_empty());
    world.ticks("24T08:00:01").await;
    assert_eq!(world.name_of(SourceKind::Campaign).await.as_deref(), Some("Welcome series"), "read anew, and mended");
}
