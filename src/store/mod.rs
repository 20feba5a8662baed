//! What the bridge remembers, in the domain's words. The store is one trait; [`embedded`] keeps it in one file.
//!
//! Every operation is durable when it returns. A step may be run again after any of them: each is idempotent, or
//! conditional and says when the condition failed.

#[cfg(feature = "aws")]
pub mod dynamo;
pub mod embedded;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod counting;
#[cfg(test)]
pub(crate) mod testing;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::clock::{Minute, Span};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey};
use crate::reconcile::day::Compared;
use crate::reconcile::fired::{Fired, FiredHour};
use crate::silence::Silence;
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// Why the store could not do it. Every one of these is our own trouble, never the sender's or a receiver's.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, full, read-only or too slow now; the same call may work later.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// A stored item that this version cannot read.
    #[error("stored item not readable: {0}")]
    Corrupt(String),
}

/// Outcome of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Write {
    Done,
    /// Somebody else wrote first: read again and decide again.
    Conflict,
}

/// Outcome of asking for a lease on (incident, receiver).
#[derive(Clone, Debug, PartialEq)]
pub enum Lease {
    /// Ours until the time asked for; with what the receiver was last told.
    Granted(Option<Told>),
    /// Somebody else's until then.
    HeldUntil(Timestamp),
}

/// An authentic request that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The SHA-256 of the whole body, in hex: the same request twice is one item.
    pub id: String,
    /// Why, in words that hold nothing of the body.
    pub reason: String,
    pub received_at: Timestamp,
    /// Length of the whole body, in bytes.
    pub length: u64,
    /// The first [`QUARANTINE_BYTES`] of the body.
    #[serde(skip)]
    pub head: Vec<u8>,
}

/// How much of a request that could not be understood is kept, in bytes (design, Words).
pub const QUARANTINE_BYTES: usize = 256 * 1024;

/// Days a quarantined request is kept (design, Words).
pub const QUARANTINE_DAYS: i64 = 30;

/// Days an identity is remembered, from the later of its event's time and its arrival (design, State): 7 days of the
/// sender's retries, 14 of queue retention, 2 to spare.
pub const SEEN_DAYS: i64 = 23;

/// Days the registers are kept, from their minute: past [`SEEN_DAYS`] so that a month can be looked back on.
pub const REGISTER_DAYS: i64 = 40;

/// Days incidents, what was told of them, verdicts and cursors that nobody moves are kept: a year and a bit, to compare with last year.
pub const HISTORY_DAYS: i64 = 400;

#[async_trait]
pub trait Store: Send + Sync {
    /// Counts entries, each identity once; answers in the order of `entries`.
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError>;

    /// Registers of these kinds in the span, as of all counting that returned before the call.
    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError>;

    /// Registers summed by series over the span; of all kinds when `kinds` is `None`.
    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError>;

    /// Whether anything of a kind was counted in a minute from `since` on.
    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError>;

    /// Adds arrivals to what is known of coverage.
    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError>;

    async fn coverage(&self) -> Result<Coverage, StoreError>;

    /// The episodes of an incident, oldest first; at most the last 500, which is more than flapping makes in the 8
    /// days that an event may be late.
    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError>;

    /// Writes an incident if the stored one still has `incident.version` (0: none stored yet), and raises the
    /// version by one.
    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError>;

    /// Incidents that some receiver has still to hear about, oldest first; open ones always. An item that cannot be
    /// read is logged and left out: it must not hold up the others.
    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError>;

    /// How many incidents are open, counted up to `at_most`; a crash may leave one counted that is not.
    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError>;

    /// Incidents that opened or resolved in [from, to), oldest first.
    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError>;

    /// Takes the lease on (incident, receiver) for `owner` until `until`, if it is free at `now`.
    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError>;

    /// Records what the receiver was told. `Conflict` when `owner` no longer holds the lease. The lease stays.
    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError>;

    /// Gives the lease back.
    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError>;

    /// Voids every lease: the process that held them is dead.
    async fn void_leases(&self) -> Result<(), StoreError>;

    /// What each receiver was told about an incident, by receiver name.
    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError>;

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError>;

    /// Quarantined requests received in [from, to), newest first, without their bodies; at most 1,000.
    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError>;

    /// The kept part of a quarantined request's body; `None` when there is no such item.
    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Deletes a quarantined request, as it was listed; one that is gone already is no error.
    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError>;

    /// Keeps a silence, over the one that has its id.
    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError>;

    /// The silences that are not expired ([`Silence::is_expired`]), those that end first first. One that cannot be read
    /// is logged and left out: rather an alert too many than none at all.
    async fn silences(&self) -> Result<Vec<Silence>, StoreError>;

    /// A named place in time up to which some planned work is done.
    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Moves a cursor if it still stands at `from`.
    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError>;

    /// Keeps a heartbeat's verdict; the last one written for a period stands.
    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError>;

    /// Verdicts of periods that ended in [from, to).
    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError>;

    /// Adds to what is kept of a day of what is counted as `of` ([`Day::learn`]).
    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError>;

    /// The days that are kept of what is counted as `of`, in [from, until), oldest first; days since the Unix epoch.
    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError>;

    /// Keeps a day's summary; of several the one that was made last stands.
    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError>;

    /// The summaries of dates in [from, until), oldest first. One that cannot be read is logged and left out: the page
    /// shows the others.
    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError>;

    /// Keeps counts of what was fired; of reports with one id the largest stands ([`Fired`]).
    async fn keep_fired(&self, fired: &[Fired]) -> Result<(), StoreError>;

    /// What was fired in hours that begin in [from, to), all reports put together, by event, origin and hour.
    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError>;

    /// Keeps a day as it was compared; the last one written for an event, its campaign and a day stands.
    async fn keep_compared(&self, compared: &Compared) -> Result<(), StoreError>;

    /// The days in [from, to) that were compared, by day, event and campaign.
    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError>;

    /// The names that were kept, of every kind of source.
    async fn names(&self) -> Result<Names, StoreError>;

    /// Keeps the names of one kind of source, in place of those kept before.
    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError>;

    /// Deletes items that expired before `now`, at most `limit` of each kind; says how many.
    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError>;

    /// Fails unless the store can be written to.
    async fn ready(&self) -> Result<(), StoreError>;
}
