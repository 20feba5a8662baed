//! ingest: authenticate, normalise, enqueue, answer. Never stalls the sender (law 2): an authentic request is 200
//! once stored, understood or not; our own trouble is 503 before the sender gives up. Counts of what the backend fired
//! come in by the same door, with keys of their own: see [`counts`].

mod counts;
mod keys;
mod note;
mod refusals;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

pub use self::counts::COUNTS_PATH;
pub use self::keys::KeyRing;
use self::keys::Refreshed;
pub use self::note::Note;
pub use self::refusals::Refusals;
use super::canary;
use super::guardian::Failed;
use crate::canary::log::Arrival;
use crate::config::Config;
use crate::customerio::addresses;
use crate::customerio::parse::{self, Normalised};
use crate::customerio::signature::{Authentic, Refused, Verifier};
use crate::queue::Outbox;
use crate::store::{QUARANTINE_BYTES, Quarantined, Store, StoreError};

/// The path of the reporting webhook; an authentic request is taken on any other too.
pub const WEBHOOK_PATH: &str = "/webhooks/customerio";

/// The largest body that is hashed, in bytes (design, Answers).
pub const LARGEST_BODY: u64 = 32 * 1024 * 1024;

/// Our own trouble is answered this long after arrival at the latest (law 2): the sender waits 4 s in all.
const DEADLINE: SignedDuration = SignedDuration::from_millis(2500);

/// The oldest time stamp that shortens the deadline, in seconds (law 2).
const STAMP_AGE_COUNTED: i64 = 4;

/// What is left at least, whatever the stamp says: a sender whose clock is a few seconds behind must not be
/// answered 503 for ever.
const SHORTEST: SignedDuration = SignedDuration::from_millis(500);

/// What the sender is asked to wait after a 503, in seconds.
const RETRY_AFTER: u32 = 5;

/// Every answer on the webhook path, with the status code of the design's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Stored. A promise (law 1).
    Taken,
    /// Authentic counts that cannot be read; the text says why. No webhook is ever answered so.
    Malformed,
    NotAuthentic,
    NotFound,
    MethodNotAllowed,
    /// Over [`LARGEST_BODY`]; nobody can tell whether it is authentic.
    TooLarge,
    /// Our own trouble.
    Unavailable,
}

impl Answer {
    pub const fn status(self) -> u16 {
        match self {
            Self::Taken => 200,
            Self::Malformed => 400,
            Self::NotAuthentic => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
        }
    }

    /// Seconds for a `Retry-After` header.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Unavailable => Some(RETRY_AFTER),
            _ => None,
        }
    }
}

/// The step's surroundings.
pub struct Ingest {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    pub keys: KeyRing,
    /// Keys of those who report what was fired; `None` where the configuration takes no counts.
    pub counts: Option<KeyRing>,
    pub refusals: Refusals,
}

/// An answer, and what was seen of the request: an entry point counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    pub answer: Answer,
    /// What counts are answered, as JSON; webhooks get an empty body.
    pub text: Option<String>,
    pub seen: Seen,
    /// What is to be written down once the answer is sure.
    pub note: Option<Note>,
}

impl Conclusion {
    fn of(answer: Answer, seen: Seen) -> Self {
        Self { answer, text: None, seen, note: None }
    }
}

/// What became of an authentic request that was stored.
#[derive(Default)]
struct Stored {
    /// It went to quarantine, or a part of it.
    quarantined: bool,
    came: Option<Arrival>,
}

/// What a signed request turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One of our keys signed it: the one at this position of `signing_keys`, from 0.
    Verified {
        key: usize,
        quarantined: bool,
        /// Longer than [`QUARANTINE_BYTES`].
        large: bool,
    },
    /// Well-formed, and no key of ours matches.
    NoMatch {
        /// It came from an address that Customer.io lists.
        from_sender: bool,
    },
    /// Nobody can tell: keys could not be read.
    NoKey,
    /// Counts.
    Counts,
}

/// A request before its body.
pub struct Head<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    /// Where it came from, if known.
    pub peer: Option<IpAddr>,
    pub arrived: Timestamp,
}

/// A request whose body is being read.
pub struct Reading {
    /// As a webhook; or what is answered when it is none.
    webhook: Result<Verifier, Answer>,
    /// As counts, where it may be.
    counts: Option<Verifier>,
}

impl Reading {
    /// The next bytes of the body, as they came.
    pub fn update(&mut self, chunk: &[u8]) {
        self.webhook.iter_mut().chain(&mut self.counts).for_each(|verifier| verifier.update(chunk));
    }
}

impl Ingest {
    /// Whether a request without a signature is told that it needs one.
    fn is_ours(&self, path: &str) -> bool {
        path == WEBHOOK_PATH || path == COUNTS_PATH && self.counts.is_some()
    }

    /// Looks at the head; a request that can still be authentic is read.
    pub fn begin(&self, head: &Head<'_>) -> Result<Reading, Answer> {
        let counts = self.begin_counts(head);
        match self.begin_webhook(head) {
            Err(answer) if counts.is_none() => Err(answer),
            webhook => Ok(Reading { webhook, counts }),
        }
    }

    fn begin_webhook(&self, head: &Head<'_>) -> Result<Verifier, Answer> {
        let (keys, complete) = self.keys.current();
        match keys.begin(head.headers) {
            Ok(_) if keys.is_empty() => Err(self.no_key(head)),
            Ok(verifier) => Ok(verifier),
            Err(Refused::Unsigned) if !self.is_ours(head.path) => Err(Answer::NotFound),
            Err(Refused::Unsigned) if head.method != Method::POST => Err(Answer::MethodNotAllowed),
            Err(_) if !complete => Err(self.no_key(head)),
            Err(refused) => Err(self.refuse(&refused, head)),
        }
    }

    /// When an answer must be out, seen from `now`.
    pub fn time_left(head: &Head<'_>, now: Timestamp) -> Duration {
        let stamp = head.headers.get("x-cio-timestamp").and_then(|v| v.to_str().ok()?.parse::<i64>().ok());
        let age = stamp.map(|s| head.arrived.as_second() - s).filter(|age| (0..=STAMP_AGE_COUNTED).contains(age));
        let whole = (DEADLINE - SignedDuration::from_secs(age.unwrap_or(0))).max(SHORTEST);
        let left = whole - now.duration_since(head.arrived).max(SignedDuration::ZERO);
        Duration::try_from(left).unwrap_or(Duration::ZERO)
    }

    /// Reads the keys again if the last time failed, at most once a minute: without them nothing gets as far as to a
    /// signature that does not match.
    pub async fn mend_keys(&self, now: Timestamp) {
        for keys in std::iter::once(&self.keys).chain(&self.counts) {
            if !keys.current().1 {
                keys.refresh(now).await;
            }
        }
    }

    /// As [`Self::conclude`], and notes what is to be noted.
    pub async fn finish(&self, reading: Reading, head: &Head<'_>) -> Answer {
        let concluded = self.conclude(reading, head).await;
        self.note(&concluded, DEADLINE.unsigned_abs()).await;
        concluded.answer
    }

    /// Notes what came, within the time that is left until the answer must be out. No answer depends on it.
    pub async fn note(&self, concluded: &Conclusion, left: Duration) {
        if let Some(note) = &concluded.note {
            note.keep(self.store.as_ref(), &self.config, left).await;
        }
    }

    /// Answers a request whose body has been read, and says what it saw.
    pub async fn conclude(&self, reading: Reading, head: &Head<'_>) -> Conclusion {
        if let Some(Ok(authentic)) = reading.counts.map(Verifier::finish) {
            return self.take_counts(&authentic, head.arrived).await;
        }
        let authentic = match reading.webhook.map(Verifier::finish) {
            Ok(Ok(authentic)) => authentic,
            Ok(Err(refused)) => return self.not_verified(&refused, head).await,
            Err(answer) => return Conclusion::of(answer, Seen::NoKey),
        };
        let key = self.keys.position(authentic.key_index());
        let (answer, Stored { quarantined, came }) = match self.store(&authentic, key, head.arrived).await {
            Ok(stored) => (Answer::Taken, stored),
            Err(error) => {
                tracing::error!(event = "not_stored", %error);
                (Answer::Unavailable, Stored::default())
            }
        };
        let seen = Seen::Verified { key, quarantined, large: !authentic.is_whole() };
        Conclusion { note: came.map(Note::Canary), ..Conclusion::of(answer, seen) }
    }

    async fn store(&self, authentic: &Authentic, key: usize, arrived: Timestamp) -> Result<Stored, StoreError> {
        super::planted(authentic.head());
        let understood = if authentic.is_whole() {
            let context = parse::Context::of(&self.config, arrived);
            parse::normalise(authentic.head(), &context).map_err(|unreadable| unreadable.0)
        } else {
            Err(format!("larger than {} KiB", QUARANTINE_BYTES / 1024))
        };
        let Normalised { mut events, tests, unreadable } = match understood {
            Ok(normalised) => normalised,
            Err(why) => Normalised { events: Vec::new(), tests: 0, unreadable: Some(why) },
        };
        let quarantined = unreadable.is_some();
        if let Some(reason) = unreadable {
            let id: String = authentic.sha256().iter().map(|b| format!("{b:02x}")).collect();
            tracing::warn!(event = "quarantined", id, reason, length = authentic.length());
            let item = Quarantined {
                id,
                reason,
                received_at: arrived,
                length: authentic.length(),
                head: authentic.head().to_vec(),
            };
            self.store.quarantine(&item).await?;
        }
        if tests > 0 {
            tracing::info!(event = "sample_event", tests, "the vendor's sample event arrived: it is never counted");
        }
        if !events.is_empty() {
            events.iter_mut().for_each(|event| event.key = u8::try_from(key).unwrap_or(u8::MAX));
            self.outbox.send_events(&events, arrived).await?;
        }
        Ok(Stored { quarantined, came: canary::latest(&events) })
    }

    /// No key matched: read the keys again, then decide whose fault it is.
    async fn not_verified(&self, refused: &Refused, head: &Head<'_>) -> Conclusion {
        let seen = Seen::NoMatch { from_sender: from_sender(head) };
        if head.path == COUNTS_PATH && self.counts_keys_may_match(head.arrived).await {
            return Conclusion::of(Answer::Unavailable, seen);
        }
        let refreshed = self.keys.refresh(head.arrived).await;
        if refreshed == Refreshed::Changed {
            // The next try is verified with the new keys; the sender comes back soon after a 503.
            return Conclusion::of(Answer::Unavailable, seen);
        }
        if !self.keys.current().1 {
            return Conclusion::of(self.no_key(head), Seen::NoKey);
        }
        let answer = self.refuse(refused, head);
        let mut note = None;
        if answer == Answer::Unavailable {
            let to_count = |requests| note = Some(Note::KeyFailed(Failed { at: head.arrived, requests }));
            self.refusals.to_count.note(head.arrived, to_count);
        }
        Conclusion { note, ..Conclusion::of(answer, seen) }
    }

    fn no_key(&self, head: &Head<'_>) -> Answer {
        self.refusals.no_key.note(head.arrived, |n| {
            tracing::error!(event = "no_signing_key", requests = n, "signing keys could not be read: answering 503");
        });
        Answer::Unavailable
    }

    fn refuse(&self, refused: &Refused, head: &Head<'_>) -> Answer {
        if *refused == Refused::NoMatch && from_sender(head) {
            self.refusals.key_changed.note(head.arrived, |n| {
                tracing::error!(event = "key_changed", requests = n, "Customer.io signs with a key we do not have");
            });
            return Answer::Unavailable;
        }
        let why = match refused {
            Refused::Unsigned => "unsigned",
            Refused::Malformed(what) => what,
            Refused::NoMatch => "no key matches",
        };
        self.refusals.refused.note(head.arrived, |n| tracing::warn!(event = "refused", requests = n, why));
        Answer::NotAuthentic
    }
}

fn from_sender(head: &Head<'_>) -> bool {
    head.peer.is_some_and(addresses::is_customerio)
}
