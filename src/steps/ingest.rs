//! ingest: authenticate, normalise, enqueue, answer. Never stalls the sender (law 2): an authentic request is 200
//! once stored, understood or not; our own trouble is 503 before the sender gives up.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

use super::canary;
use crate::canary::log::Arrival;
use crate::config::Config;
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::customerio::addresses;
use crate::customerio::parse::{self, Normalised};
use crate::customerio::signature::{Authentic, Keys, Refused, SigningKey, Verifier};
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

/// Signing keys are read again at most this often when a signature does not match (law 3).
const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What the sender is asked to wait after a 503, in seconds.
const RETRY_AFTER: u32 = 5;

/// Every answer on the webhook path, with the status code of the design's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Stored. A promise (law 1).
    Taken,
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
    pub refusals: Refusals,
}

/// An answer, and what was seen of the request: an entry point counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    pub answer: Answer,
    pub seen: Seen,
    /// The canary's webhook came with it: [`Ingest::note`] is for after the answer is sure.
    pub came: Option<Arrival>,
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

impl Ingest {
    /// Looks at the head; a request that can still be authentic gets a verifier for its body.
    pub fn begin(&self, head: &Head<'_>) -> Result<Verifier, Answer> {
        let (keys, complete) = self.keys.current();
        match keys.begin(head.headers) {
            Ok(_) if keys.is_empty() => Err(self.no_key(head)),
            Ok(verifier) => Ok(verifier),
            Err(Refused::Unsigned) if head.path != WEBHOOK_PATH => Err(Answer::NotFound),
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
        if !self.keys.current().1 {
            self.keys.refresh(now).await;
        }
    }

    /// As [`Self::conclude`], and notes what is to be noted.
    pub async fn finish(&self, verifier: Verifier, head: &Head<'_>) -> Answer {
        let concluded = self.conclude(verifier, head).await;
        self.note(&concluded, DEADLINE.unsigned_abs()).await;
        concluded.answer
    }

    /// Notes what came, within the time that is left until the answer must be out. No answer depends on it.
    pub async fn note(&self, concluded: &Conclusion, left: Duration) {
        if let Some(arrival) = &concluded.came {
            canary::webhook_came(self.store.as_ref(), arrival, left).await;
        }
    }

    /// Answers a request whose body has been read, and says what it saw.
    pub async fn conclude(&self, verifier: Verifier, head: &Head<'_>) -> Conclusion {
        let authentic = match verifier.finish() {
            Ok(authentic) => authentic,
            Err(refused) => return self.not_verified(&refused, head).await,
        };
        let key = self.keys.position(authentic.key_index());
        let (answer, Stored { quarantined, came }) = match self.store(&authentic, key, head.arrived).await {
            Ok(stored) => (Answer::Taken, stored),
            Err(error) => {
                tracing::error!(event = "not_stored", %error);
                (Answer::Unavailable, Stored::default())
            }
        };
        Conclusion { answer, seen: Seen::Verified { key, quarantined, large: !authentic.is_whole() }, came }
    }

    async fn store(&self, authentic: &Authentic, key: usize, arrived: Timestamp) -> Result<Stored, StoreError> {
        super::planted(authentic.head());
        let understood = if authentic.is_whole() {
            let context = parse::Context::of(&self.config, arrived);
            parse::normalise(authentic.head(), authentic.sha256(), &context).map_err(|unreadable| unreadable.0)
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
        let refreshed = self.keys.refresh(head.arrived).await;
        if refreshed == Refreshed::Changed {
            // The next try is verified with the new keys; the sender comes back soon after a 503.
            return Conclusion { answer: Answer::Unavailable, seen, came: None };
        }
        if !self.keys.current().1 {
            return Conclusion { answer: self.no_key(head), seen: Seen::NoKey, came: None };
        }
        Conclusion { answer: self.refuse(refused, head), seen, came: None }
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

/// The signing keys, as last read.
pub struct KeyRing {
    refs: Vec<SecretRef>,
    secrets: Arc<dyn Secrets>,
    state: Mutex<RingState>,
}

struct RingState {
    keys: Arc<Keys>,
    /// Every key that must be there was read.
    complete: bool,
    values: Vec<Secret>,
    /// Of each usable key, where it stands in the configuration.
    positions: Vec<usize>,
    refreshed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refreshed {
    Changed,
    Same,
    NotYet,
}

impl KeyRing {
    /// Reads the keys. Never fails: without them every request is answered 503 until they can be read.
    pub async fn load(refs: Vec<SecretRef>, secrets: Arc<dyn Secrets>, now: Timestamp) -> Self {
        let state = read(&refs, secrets.as_ref(), now).await;
        Self { refs, secrets, state: Mutex::new(state) }
    }

    fn current(&self) -> (Arc<Keys>, bool) {
        let state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        (state.keys.clone(), state.complete)
    }

    /// Where the key that has this index among the usable ones stands in the configuration.
    fn position(&self, index: usize) -> usize {
        let state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        state.positions.get(index).copied().unwrap_or(index)
    }

    async fn refresh(&self, now: Timestamp) -> Refreshed {
        {
            let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
            if now.duration_since(state.refreshed_at) < REFRESH_EVERY {
                return Refreshed::NotYet;
            }
            // Claimed before the read: of many requests at once only one reads.
            state.refreshed_at = now;
        }
        let fresh = read(&self.refs, self.secrets.as_ref(), now).await;
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if !fresh.complete && !state.values.is_empty() {
            // What they verified is no less authentic now; what they do not verify is answered 503.
            state.complete = false;
            return Refreshed::Same;
        }
        let changed = fresh.values != state.values;
        *state = fresh;
        if changed { Refreshed::Changed } else { Refreshed::Same }
    }
}

/// A later key that is simply not set is fine: it is the previous one, rotated away.
async fn read(refs: &[SecretRef], secrets: &dyn Secrets, now: Timestamp) -> RingState {
    let (mut values, mut positions) = (Vec::new(), Vec::new());
    let mut complete = !refs.is_empty();
    for (position, reference) in refs.iter().enumerate() {
        match secrets.get(reference).await {
            // An empty one is no key: with it anybody could sign.
            Ok(value) if SigningKey::new(&value).is_none() => {}
            Ok(value) => {
                values.push(value);
                positions.push(position);
            }
            Err(SecretError::NotSet(_)) if position > 0 => {}
            Err(error) => {
                complete = false;
                tracing::error!(event = "signing_key_unreadable", %error);
            }
        }
    }
    let keys = Arc::new(Keys::new(&values));
    RingState { keys, complete, values, positions, refreshed_at: now }
}

/// What is said of refused requests, each kind by itself: noise of one must not hide another that an alarm waits for.
#[derive(Default)]
pub struct Refusals {
    no_key: OnceAMinute,
    key_changed: OnceAMinute,
    refused: OnceAMinute,
}

/// Says once a minute, not once a request, what happens over and over.
#[derive(Default)]
struct OnceAMinute(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    since: Option<Timestamp>,
    unsaid: u64,
}

impl OnceAMinute {
    fn note(&self, now: Timestamp, say: impl FnOnce(u64)) {
        let mut noted = self.0.lock().unwrap_or_else(|e| e.into_inner());
        noted.unsaid += 1;
        let quiet = noted.since.is_some_and(|at| now.duration_since(at) < REFRESH_EVERY);
        if !quiet {
            let n = std::mem::take(&mut noted.unsaid);
            noted.since = Some(now);
            drop(noted);
            say(n);
        }
    }
}
