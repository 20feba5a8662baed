//! Days in seconds: the product's steps over its store, a clock set by hand, and receivers that write down what they
//! are told. For what needs hours; what crosses a process is tested on [`super::Serve`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cio_alert_bridge::canary::{Sent, Track};
use cio_alert_bridge::cli::demo::stage::Stage as Bridge;
use cio_alert_bridge::clock::{Clock, ManualClock};
use cio_alert_bridge::config::parse;
use cio_alert_bridge::config::schema::ReceiverConfig;
use cio_alert_bridge::customerio::app_api::ask::Question;
use cio_alert_bridge::customerio::app_api::budget::Urgency;
use cio_alert_bridge::customerio::app_api::{AppApiError, Directory, ListRow};
use cio_alert_bridge::heartbeat::why::Said;
use cio_alert_bridge::incident::told::{Receipt, Stage, Told};
use cio_alert_bridge::message::Message;
use cio_alert_bridge::receivers::{Outcome, Receiver};
use cio_alert_bridge::reconcile::fired::Fired;
use cio_alert_bridge::silence::{Conditions, Silence};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use super::history::remember;
use super::{Event, failed_email, sent_email};

const HEAD: &str = r#"
[workspace]
name = "acme"
timezone = "Europe/Berlin"
[customerio]
signing_keys = ["env:KEY"]
[[sources]]
id = "campaign:5"
name = "Activation"
[[receivers]]
name = "pager"
type = "pagerduty"
routing_key = "env:KEY"
fallback = "audit"
[[receivers]]
name = "chat"
type = "slack"
webhook_url = "env:KEY"
[[receivers]]
name = "audit"
type = "console"
[[routes]]
receivers = ["pager", "chat"]
"#;

/// Not even the default rules.
const NO_RULES: &str = "rules = []";

type Heard = Arc<Mutex<Vec<String>>>;
/// What a receiver answers; `None`: it takes everything.
type Mood = Arc<Mutex<Option<Outcome>>>;

/// A bridge that lives in simulated time.
pub struct Timeline {
    stage: Bridge,
    /// The part of the configuration that all timelines share.
    head: String,
    folder: TempDir,
    heard: Heard,
    pager: Mood,
    chat: Mood,
    campaign: Campaign,
    track: Tracked,
    clock: Arc<ManualClock>,
}

/// The canary's events that went out and wait for an answer, and why the Track API takes none; `None`: it does.
#[derive(Clone)]
struct Tracked {
    waiting: Arc<Mutex<Vec<String>>>,
    refusal: Arc<Mutex<Option<String>>>,
    clock: Arc<ManualClock>,
}

impl Tracked {
    fn new(clock: &Arc<ManualClock>) -> Self {
        Self { waiting: Arc::default(), refusal: Arc::default(), clock: clock.clone() }
    }
}

#[async_trait]
impl Track for Tracked {
    async fn send(&self, id: &str) -> Sent {
        let taken = self.refusal.lock().unwrap().clone().map_or(Ok(()), Err);
        if taken.is_ok() {
            self.waiting.lock().unwrap().push(id.to_owned());
        }
        Sent { at: self.clock.now(), taken }
    }
}

/// What the App API says of every campaign; `None`: it answers nothing.
#[derive(Clone, Default)]
struct Campaign {
    /// Answers by path; others are 404. `None`: none at all.
    answers: Arc<Mutex<Option<BTreeMap<String, serde_json::Value>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    said: Arc<Mutex<Option<Said>>>,
    days: Arc<Mutex<Option<Vec<u64>>>>,
}

#[async_trait]
impl Directory for Campaign {
    async fn list(&self, _: &'static ListRow, _: Duration) -> Result<BTreeMap<String, String>, AppApiError> {
        Ok(BTreeMap::new())
    }

    async fn by_day(
        &self,
        _: &str,
        _: &str,
        _: Range<Date>,
        _: &TimeZone,
        _: Duration,
    ) -> Result<Vec<u64>, AppApiError> {
        self.days.lock().unwrap().clone().ok_or(AppApiError::Address)
    }

    async fn answer(&self, question: &Question<'_>, _: Urgency, _: Duration) -> Result<String, AppApiError> {
        let (place, query) = question.address();
        self.asked.lock().unwrap().push(place.clone());
        let answers = self.answers.lock().unwrap();
        let answers = answers.as_ref().ok_or(AppApiError::Limited { after: None })?;
        match answers.get(&format!("{place}?{query}")).or_else(|| answers.get(&place)) {
            Some(serde_json::Value::Number(limit)) if limit.as_u64() == Some(429) => {
                Err(AppApiError::Limited { after: Some(Duration::from_secs(120)) })
            }
            Some(serde_json::Value::Number(status)) => {
                let status = u16::try_from(status.as_u64().unwrap()).unwrap();
                Err(AppApiError::Refused { status, path: question.path() })
            }
            Some(answer) => Ok(answer.to_string()),
            None => Err(AppApiError::Status { status: 404, path: question.path() }),
        }
    }

    async fn campaign(&self, _: &str, _: Timestamp, _: Timestamp, _: Duration) -> Result<Said, AppApiError> {
        self.said.lock().unwrap().clone().ok_or(AppApiError::Address)
    }
}

struct Notes {
    name: String,
    heard: Heard,
    mood: Mood,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Receiver for Notes {
    async fn send(&self, message: &Message, _: Option<&Receipt>) -> Outcome {
        if let Some(outcome) = self.mood.lock().unwrap().clone() {
            return outcome;
        }
        let at = self.clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%d %H:%M").to_string();
        let phase = serde_json::to_value(message.phase).unwrap();
        let phase = phase.as_str().unwrap();
        let ended = message.ended.map_or_else(String::new, |how| format!(" ({how:?})"));
        let mut said = format!("{at} {} {phase}{ended}: {}", self.name, message.headline);
        for line in &message.lines {
            said += &format!("\n      {line}");
        }
        if let Some(note) = &message.note {
            said += &format!("\n      ({note})");
        }
        self.heard.lock().unwrap().push(said);
        Outcome::Delivered(Receipt::default())
    }
}

impl Timeline {
    /// Begins at a UTC instant, `2026-11-23T06:00`, with these rules, heartbeats, ...
    pub async fn new(start: &str, rest: &str) -> Self {
        let clock = Arc::new(ManualClock::at(at(start)));
        let (heard, pager, chat) = (Heard::default(), Mood::default(), Mood::default());
        let folder = tempfile::tempdir().unwrap();
        let stage = stage(HEAD, rest, &clock, &folder, &heard, [&pager, &chat]).await;
        let campaign = Campaign::default();
        let track = Tracked::new(&clock);
        let stage = stage.asking(Arc::new(campaign.clone())).tracking(Arc::new(track.clone()));
        Self { stage, head: HEAD.to_owned(), folder, heard, pager, chat, campaign, track, clock }
    }

    /// Another wording in the shared part of the configuration, from the next [`Self::reconfigured`] on.
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        self.head = match from.contains('"') {
            true => self.head.replace(from, to),
            false => self.head.replace(&format!("\"{from}\""), &format!("\"{to}\"")),
        };
        self
    }

    /// The same data under another configuration, as after a restart.
    pub async fn reconfigured(self, rest: &str) -> Self {
        let Self { stage: old, head, folder, heard, pager, chat, campaign, track, clock } = self;
        drop(old);
        let stage = stage(&head, rest, &clock, &folder, &heard, [&pager, &chat]).await;
        let stage = stage.asking(Arc::new(campaign.clone())).tracking(Arc::new(track.clone()));
        Self { stage, head, folder, heard, pager, chat, campaign, track, clock }
    }

    /// Nobody was there until then.
    pub fn jump(&self, to: &str) {
        self.clock.set(at(to));
    }

    /// Nobody was there until then.
    pub fn jump_to(&self, to: Timestamp) {
        self.clock.set(to);
    }

    /// Time passes, minute by minute, for so long.
    pub async fn until_after(&self, time: SignedDuration) {
        let end = self.now() + time;
        while self.now() < end {
            self.event(sent_email().of("newsletter:99")).await;
            self.minute().await;
        }
    }

    /// A crash lost the last move of a cursor.
    pub async fn forget(&self, cursor: &str, back_to: &str) {
        let now = self.stage.store.cursor(cursor).await.unwrap();
        let moved = self.stage.store.move_cursor(cursor, now.as_deref(), back_to).await.unwrap();
        assert_eq!(moved, cio_alert_bridge::store::Write::Done);
    }

    /// A crash came before one incident was marked as told to a receiver by its roll-up.
    pub async fn unmark(&self, receiver: &str) {
        let (store, now) = (&self.stage.store, self.now());
        for incident in store.unsettled().await.unwrap() {
            let told = store.told(&incident.key).await.unwrap();
            let marked = |(of, told): &(String, Told)| of == receiver && matches!(told.stage, Stage::RolledUp { .. });
            if told.iter().any(marked) {
                store.lease(&incident.key, receiver, "test", now, now).await.unwrap();
                let nothing = Told::nothing(incident.episode);
                let done = store.record_told(&incident.key, receiver, "test", &nothing).await.unwrap();
                assert_eq!(done, cio_alert_bridge::store::Write::Done);
                return store.release(&incident.key, receiver, "test").await.unwrap();
            }
        }
        panic!("{receiver} has nothing marked");
    }

    /// Silences what these conditions match, from now on until a UTC instant.
    pub async fn silence(&self, id: &str, conditions: &[&str], until: &str) {
        let conditions: Vec<String> = conditions.iter().map(|c| (*c).to_owned()).collect();
        let silence = Silence {
            id: id.to_owned(),
            matchers: Conditions::parse(&conditions).unwrap(),
            start: self.now(),
            end: at(until),
            author: "ada".to_owned(),
            reason: "new mail provider".to_owned(),
            created_at: self.now(),
        };
        self.stage.store.keep_silence(&silence).await.unwrap();
    }

    /// Somebody ends a silence now.
    pub async fn unsilence(&self, id: &str) {
        let silences = self.stage.store.silences().await.unwrap();
        let silence = silences.iter().find(|s| s.id == id).unwrap();
        self.stage.store.keep_silence(&silence.ended(self.now())).await.unwrap();
    }

    /// What the pager answers from now on.
    pub fn pager_answers(&self, outcome: Option<Outcome>) {
        *self.pager.lock().unwrap() = outcome;
    }

    /// From now on the App API says so of the campaign; `None`: it cannot be reached.
    pub fn campaign_says(&self, said: Option<Said>) {
        *self.campaign.said.lock().unwrap() = said;
    }

    /// From now on the App API answers this to a path, or to a path with just this query; a number: it refuses with that
    /// status, and with a 429 for two minutes.
    pub fn app_api_answers(&self, path: &str, answer: serde_json::Value) {
        self.campaign.answers.lock().unwrap().get_or_insert_default().insert(path.to_owned(), answer);
    }

    /// The backend reports what it fired.
    pub async fn fires(&self, reports: &[Fired]) {
        self.stage.store.keep_fired(reports).await.unwrap();
    }

    /// Paths that were asked for since the last time.
    pub fn app_api_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.campaign.asked.lock().unwrap())
    }

    /// The App API knows so many sends of each day before.
    pub fn campaign_remembers(&self, days: Vec<u64>) {
        *self.campaign.days.lock().unwrap() = Some(days);
    }

    /// What the chat answers from now on.
    pub fn chat_answers(&self, outcome: Option<Outcome>) {
        *self.chat.lock().unwrap() = outcome;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The registers of the days before are gone, and the history of what is counted as `of` is not: so many UTC days up to
    /// now, fully heard, with as many events in each slot of five minutes as `count` says.
    pub async fn remembers(&self, of: &str, days: i64, count: impl Fn(Timestamp) -> u32) {
        remember(self.stage.store.as_ref(), of, days, self.now(), count).await;
    }

    /// An event that happens and arrives now.
    pub async fn event(&self, event: Event) {
        self.late(event.at(self.now())).await;
    }

    /// An event that happened at its own time and arrives now.
    pub async fn late(&self, event: Event) {
        assert_eq!(self.stage.post(&event.bytes()).await.unwrap().status(), 200);
    }

    /// Time passes, minute by minute, with a sign of life of another source in each.
    pub async fn until(&self, end: &str) {
        while self.now() < at(end) {
            self.event(sent_email().of("newsletter:99")).await;
            self.minute().await;
        }
    }

    /// Time passes, and nothing arrives.
    pub async fn silence_until(&self, end: &str) {
        while self.now() < at(end) {
            self.minute().await;
        }
    }

    /// The Track API refuses from now on, for this reason; `None`: it takes the canary's events.
    pub fn track_says(&self, refusal: Option<&str>) {
        *self.track.refusal.lock().unwrap() = refusal.map(str::to_owned);
    }

    /// Time passes, and nothing arrives but what the canary's workflow makes of its events, so many seconds after each:
    /// a message to the canary's profile that fails.
    pub async fn canaries_until(&self, end: &str, seconds: i64) {
        while self.now() < at(end) {
            let minute = self.now();
            self.stage.work_at(minute).await.unwrap();
            let waiting = std::mem::take(&mut *self.track.waiting.lock().unwrap());
            let slow = if waiting.is_empty() { 0 } else { seconds / 60 };
            for passed in 1..=slow {
                self.stage.work_at(minute + SignedDuration::from_mins(passed)).await.unwrap();
            }
            for id in waiting {
                self.clock.set(minute + SignedDuration::from_secs(seconds));
                let answer = failed_email().of("campaign:42").with("trigger_event_id", id);
                self.event(answer.with("identifiers", json!({ "id": "canary" }))).await;
            }
            self.stage.work_at(minute + SignedDuration::from_mins(slow + 1)).await.unwrap();
        }
    }

    /// What the workflow did not answer so far it never does.
    pub fn lose_canaries(&self) {
        self.track.waiting.lock().unwrap().clear();
    }

    /// A minute passes, and nothing arrives in it.
    pub async fn silence_for_a_minute(&self) {
        self.minute().await;
    }

    /// So many minutes pass at once, with one tick at their end.
    pub async fn silence_for(&self, minutes: i64) {
        self.stage.work_at(self.now()).await.unwrap();
        self.stage.work_at(self.now() + SignedDuration::from_mins(minutes)).await.unwrap();
    }

    async fn minute(&self) {
        self.stage.work_at(self.now()).await.unwrap();
        self.stage.work_at(self.now() + SignedDuration::from_mins(1)).await.unwrap();
    }

    /// All that was said so far, in order, one message after the other.
    pub fn said(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }
}

async fn stage(
    head: &str,
    rest: &str,
    clock: &Arc<ManualClock>,
    folder: &TempDir,
    heard: &Heard,
    [pager, chat]: [&Mood; 2],
) -> Bridge {
    // The one key that stands above all tables.
    let (top, rest) = match rest.trim_start().strip_prefix(NO_RULES) {
        Some(rest) => (NO_RULES, rest),
        None => ("", rest),
    };
    let parsed = parse::parse(&format!("{top}\n{head}{rest}"));
    let config = Arc::new(parsed.config.unwrap_or_else(|| panic!("{:?}", parsed.problems)));
    let receiver = |config: &ReceiverConfig| -> Arc<dyn Receiver> {
        Arc::new(Notes {
            name: config.name.clone(),
            heard: heard.clone(),
            mood: match config.kind.type_name() {
                "pagerduty" => pager.clone(),
                "slack" => chat.clone(),
                _ => Mood::default(),
            },
            clock: clock.clone(),
        })
    };
    Bridge::set(config, clock.clone(), folder.path(), receiver).await.unwrap()
}

/// `2026-11-23T06:00` in UTC.
pub fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}
