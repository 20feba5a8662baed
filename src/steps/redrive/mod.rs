//! redrive: what was promised and could not be kept yet, listed, tried again or given up. Requests that nobody
//! understood (quarantine), incidents that a receiver would not take, and messages that a queue gave up on ([`dead`]).

pub mod dead;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::config::Config;
use crate::customerio::app_api::names::Names;
use crate::customerio::event::Event;
use crate::customerio::parse::{self, Normalised};
use crate::customerio::traces;
use crate::incident::notify;
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, IncidentKey};
use crate::message::roll_up;
use crate::queue::dead_letters::{DeadLetter, DeadLetters};
use crate::queue::{Hint, Outbox};
use crate::store::{Lease, QUARANTINE_DAYS, Quarantined, SEEN_DAYS, Store, StoreError, Write};

/// Items that a store lists at once at most; a span with so many is asked for in halves.
const LISTED: usize = 1_000;

/// How long a pair is ours while it is changed.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// Tries to change an incident that others change too.
const WRITES_AT_MOST: usize = 5;

/// Why something is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An authentic request that was not understood.
    Quarantined,
    /// An incident that a receiver has not taken.
    Undeliverable,
    /// A message that its queue gave up on.
    DeadLetter,
}

/// One thing that waits for a person.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    pub id: String,
    pub kind: Kind,
    pub reason: String,
    pub event_id: Option<String>,
    /// An undeliverable one: when its incident opened.
    pub received_at: Timestamp,
    /// What it is about; text of the sender's is masked.
    pub preview: String,
    #[serde(skip)]
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Request(Quarantined),
    Pair { key: IncidentKey, episode: u32, receiver: String },
    Dead(DeadLetter),
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent(String),
    Dropped,
    /// It stays as it is, for this reason.
    Kept(String),
}

/// The step's surroundings.
pub struct Redrive<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub config: &'a Config,
    /// Where there are any.
    pub dead_letters: Option<&'a dyn DeadLetters>,
    /// Names this process in leases.
    pub process: String,
}

/// Every quarantined request that is kept, newest first, however many.
pub async fn quarantined(store: &dyn Store, now: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
    let day = SignedDuration::from_hours(24);
    let mut spans = vec![(now - day * (QUARANTINE_DAYS as i32 + 1), now + day)];
    let mut found = Vec::new();
    // The later half of a span is on top, so that the newest come first.
    while let Some((from, to)) = spans.pop() {
        let items = store.quarantined(from, to).await?;
        let half = to.duration_since(from) / 2;
        if items.len() >= LISTED && half > SignedDuration::from_millis(1) {
            spans.push((from, from + half));
            spans.push((from + half, to));
        } else {
            found.extend(items);
        }
    }
    Ok(found)
}

/// What was received last comes first.
pub fn sort(items: &mut [Item]) {
    items.sort_by(|a, b| b.received_at.cmp(&a.received_at).then_with(|| a.id.cmp(&b.id)));
}

impl Redrive<'_> {
    /// All that the store knows of, sorted ([`sort`]); dead letters are held, not listed ([`dead::hold`]).
    pub async fn list(&self, now: Timestamp) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for request in quarantined(self.store, now).await? {
            let head = self.store.quarantined_head(&request.id).await?.unwrap_or_default();
            items.push(Item {
                id: request.id.clone(),
                kind: Kind::Quarantined,
                reason: request.reason.clone(),
                event_id: traces::event_id(&head),
                received_at: request.received_at,
                preview: traces::preview(&head),
                what: What::Request(request),
            });
        }
        items.extend(self.undeliverable(now).await?);
        sort(&mut items);
        Ok(items)
    }

    async fn undeliverable(&self, now: Timestamp) -> Result<Vec<Item>, StoreError> {
        let day = SignedDuration::from_hours(24);
        let mut incidents = self.store.incidents_between(now - day * QUARANTINE_DAYS as i32, now + day).await?;
        for live in self.store.unsettled().await? {
            if !incidents.iter().any(|i| i.member() == live.member()) {
                incidents.push(live);
            }
        }
        let mut items = Vec::new();
        for incident in incidents {
            for (receiver, told) in self.store.told(&incident.key).await? {
                let Some(reason) = stuck(&incident, &told) else { continue };
                items.push(Item {
                    id: format!("{}@{receiver}", incident.id()),
                    kind: Kind::Undeliverable,
                    reason: format!("{receiver}: {reason}"),
                    event_id: None,
                    received_at: incident.opened_at,
                    preview: roll_up::lines(self.config, &Names::default(), &[&incident], traces::PREVIEW_CHARS)
                        .join("; "),
                    what: What::Pair { key: incident.key.clone(), episode: incident.episode, receiver },
                });
            }
        }
        Ok(items)
    }

    /// Tries it again: a request is read by this version as if it arrived when it did, a receiver is told what is true
    /// now, a dead letter goes back into its queue.
    pub async fn send(&self, item: &Item, now: Timestamp) -> Result<Outcome, StoreError> {
        match &item.what {
            What::Request(request) => self.read_again(request, now).await,
            What::Pair { key, episode, receiver } => self.tell_again(key, *episode, receiver, now).await,
            What::Dead(letter) => self.put_back(letter, now).await,
        }
    }

    /// Gives it up: a request or dead letter is deleted, a receiver is told nothing more of the episode.
    pub async fn give_up(&self, item: &Item, by: &str, now: Timestamp) -> Result<Outcome, StoreError> {
        match &item.what {
            What::Request(request) => {
                self.store.drop_quarantined(request).await?;
                tracing::warn!(event = "quarantine_dropped", id = request.id, by);
                Ok(Outcome::Dropped)
            }
            What::Dead(letter) => self.discard(letter, by).await,
            What::Pair { key, episode, receiver } => {
                let dropped = |_: &Incident, told: &Told| Told {
                    stage: Stage::Dropped { by: by.to_owned(), at: now },
                    next_attempt_at: None,
                    trouble: None,
                    ..told.clone()
                };
                let changed = self.change(key, *episode, receiver, dropped, now).await?;
                Ok(changed.map_or(Outcome::Dropped, Outcome::Kept))
            }
        }
    }

    async fn read_again(&self, request: &Quarantined, now: Timestamp) -> Result<Outcome, StoreError> {
        let kept = |why: String| Ok(Outcome::Kept(why));
        let Some(body) = self.store.quarantined_head(&request.id).await? else {
            return kept("it is gone".to_owned());
        };
        if request.length > body.len() as u64 {
            return kept(format!("only the first {} of its {} bytes were kept", body.len(), request.length));
        }
        let Normalised { events, tests, unreadable } = match self.read(&body, request) {
            Ok(normalised) => normalised,
            Err(why) => return kept(format!("still not understood: {why}")),
        };
        let age = now.duration_since(request.received_at);
        if events.len() > 1 && age > SignedDuration::from_hours(24 * (SEEN_DAYS - 1)) {
            // What could be read of it was counted then, and is remembered for 23 days.
            return kept(format!(
                "it is over {} days old: a part may have been counted, and would be again",
                SEEN_DAYS - 1
            ));
        }
        self.outbox.send_events(&events, now).await?;
        if let Some(why) = unreadable {
            return kept(format!("sent what is understood; still not understood: {why}"));
        }
        // After the events: a crash in between sends them twice, which counts once.
        self.store.drop_quarantined(request).await?;
        tracing::info!(event = "quarantine_sent", id = request.id, events = events.len());
        Ok(Outcome::Sent(match (events.len(), tests) {
            (0, _) => "it is the vendor's sample event, which is never counted".to_owned(),
            (n, _) => crate::message::text::count("event", n as u64),
        }))
    }

    /// By the same code as ingest, or as one of our own events that evaluate could not count.
    fn read(&self, body: &[u8], request: &Quarantined) -> Result<Normalised, String> {
        if let Ok(event) = serde_json::from_slice::<Event>(body) {
            return Ok(Normalised { events: vec![event], ..Normalised::default() });
        }
        let context = parse::Context::of(self.config, request.received_at);
        parse::normalise(body, &context).map_err(|unreadable| unreadable.0)
    }

    async fn tell_again(
        &self,
        key: &IncidentKey,
        episode: u32,
        receiver: &str,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let Some(configured) = self.config.receiver(receiver) else {
            return Ok(Outcome::Kept(format!("the receiver {receiver} is not configured any more: drop it")));
        };
        let Some(incident) = self.unsettle(key, episode).await? else {
            return Ok(Outcome::Kept("its incident is gone, or is being changed by others".to_owned()));
        };
        if let Some(why) = self.change(key, episode, receiver, notify::again, now).await? {
            return Ok(Outcome::Kept(why));
        }
        let hint = Hint { incident: key.clone(), receiver: receiver.to_owned() };
        self.outbox.send_hints(&[hint], now, std::time::Duration::ZERO).await?;
        tracing::info!(event = "told_again", incident = incident.id(), receiver);
        Ok(Outcome::Sent(match (incident.is_open(), configured.kind.abilities().posts) {
            (false, false) => format!("{receiver} can only page, and it is over: only an end that is owed is told"),
            (false, true) => format!("{receiver} is told that it is over"),
            (true, _) => format!("{receiver} is told"),
        }))
    }

    /// Somebody has to hear of it again, so that tick looks at it; before told says so.
    async fn unsettle(&self, key: &IncidentKey, episode: u32) -> Result<Option<Incident>, StoreError> {
        for _ in 0..WRITES_AT_MOST {
            let episodes = self.store.episodes(key).await?;
            let Some(stored) = episodes.into_iter().find(|i| i.episode == episode) else { return Ok(None) };
            if !stored.settled {
                return Ok(Some(stored));
            }
            let unsettled = Incident { settled: false, ..stored };
            if self.store.write_incident(&unsettled).await? == Write::Done {
                return Ok(Some(unsettled));
            }
        }
        Ok(None)
    }

    /// Changes what a receiver was told, under the pair's lease; says why it could not.
    async fn change(
        &self,
        key: &IncidentKey,
        episode: u32,
        receiver: &str,
        to: impl Fn(&Incident, &Told) -> Told,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let episodes = self.store.episodes(key).await?;
        let Some(incident) = episodes.iter().find(|i| i.episode == episode) else {
            return Ok(Some("its incident is gone".to_owned()));
        };
        let owner = format!("redrive/{}/{now}", self.process);
        let told = match self.store.lease(key, receiver, &owner, now, now + LEASE).await? {
            Lease::Granted(told) => told,
            Lease::HeldUntil(_) => return Ok(Some("it is being told this moment: try again".to_owned())),
        };
        let changed = match told.filter(|told| stuck(incident, told).is_some()) {
            Some(told) => match self.store.record_told(key, receiver, &owner, &to(incident, &told)).await? {
                Write::Done => None,
                Write::Conflict => Some("somebody else tells it now".to_owned()),
            },
            None => Some("meanwhile it was told".to_owned()),
        };
        self.store.release(key, receiver, &owner).await?;
        Ok(changed)
    }
}

/// Failed attempts after which a receiver that should come back counts as one that does not.
const MANY_ATTEMPTS: u32 = 4;

/// Why a receiver has not taken what it should know of an episode; `None` when it has, or may any moment.
fn stuck(incident: &Incident, told: &Told) -> Option<String> {
    if told.episode != incident.episode {
        return None;
    }
    if let Stage::Undeliverable { reason } = &told.stage {
        return Some(reason.clone());
    }
    let owed = told.is_untold() || (!incident.is_open() && matches!(told.stage, Stage::Opened { .. }));
    // Without a failed attempt of ours it was refused, and rests.
    let rests = told.attempts == 0 || told.attempts >= MANY_ATTEMPTS;
    let trouble = told.trouble.as_ref().filter(|_| owed && rests)?;
    Some(format!("{trouble} (it is tried again by itself)"))
}
