//! The store in one SQLite file, `<data>/bridge.db`: WAL, synced on every commit, one batching writer.
//!
//! `writer` commits for all who wait; `database` opens the file and reads; `schema` is its layout; `retention`
//! says how long things stay. The other files hold one kind of item each. Commands may open the file while `serve`
//! runs on it: every condition is checked inside the transaction that writes.

mod compared;
mod count;
mod database;
mod fired;
mod incidents;
mod names;
mod quarantine;
mod reclaim;
mod retention;
mod schema;
mod series;
mod silences;
mod summaries;
mod tally;
mod timeline;
mod told;
mod trouble;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

pub(crate) use self::database::Database;
pub use self::database::{Durability, FILE};
pub use self::reclaim::make_reclaimable;
use self::retention::cutoff;
use self::tally::Tally;
pub(crate) use self::trouble::unwritable;
use super::{HISTORY_DAYS, Lease, QUARANTINE_DAYS, Quarantined, REGISTER_DAYS, Store, StoreError, Write};
use crate::clock::{Clock, Minute, Span, SystemClock};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey};
use crate::queue::embedded::EmbeddedQueue;
use crate::reconcile::day::Compared;
use crate::reconcile::fired::{FIRED_DAYS, Fired, FiredHour};
use crate::silence::Silence;
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// The store of `bridge serve` and of the commands that read its data folder.
#[derive(Clone)]
pub struct EmbeddedStore {
    database: Arc<Database>,
    tally: Arc<Tally>,
    /// Decides only what has expired.
    clock: Arc<dyn Clock>,
}

impl EmbeddedStore {
    /// Opens the data folder, making it when it is missing. The error says what to do: the folder is not writable,
    /// the file is another workspace's, newer than this version, or damaged. Blocks for up to some seconds while
    /// another process opens the same folder.
    pub fn open(folder: &Path, workspace: &str, durability: Durability) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(folder, workspace, durability)?);
        Ok(Self { tally: Arc::new(Tally::of(Arc::clone(&database))), database, clock: Arc::new(SystemClock) })
    }

    /// With another clock: it decides only what has expired.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The queue in the same file.
    pub fn queue(&self) -> EmbeddedQueue {
        EmbeddedQueue::of(Arc::clone(&self.database))
    }

    /// What is older than this many days has expired, in microseconds.
    fn kept_since(&self, days: i64) -> i64 {
        cutoff(self.clock.now(), days)
    }

    fn oldest_kept(&self, days: i64) -> Timestamp {
        let kept = SignedDuration::from_hours(24).saturating_mul(i32::try_from(days).unwrap_or(i32::MAX));
        self.clock.now().checked_sub(kept).unwrap_or(Timestamp::MIN)
    }

    /// Without the minutes whose registers have expired.
    fn kept(&self, span: Span) -> Span {
        Span::new(span.from.max(self.first_minute()), span.to)
    }

    fn first_minute(&self) -> Minute {
        Minute::of(self.clock.now()).plus(-REGISTER_DAYS * 24 * 60)
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        self.tally.count(entries, now).await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        self.tally.cells(kinds, self.kept(span)).await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.tally.heard(kind, since.max(self.first_minute())).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        self.tally.totals(kinds, self.kept(span)).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        timeline::hear(&self.database, heard.clone()).await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        self.database.read(timeline::coverage).await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        incidents::episodes(&self.database, key, self.kept_since(HISTORY_DAYS)).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        incidents::write(&self.database, incident, self.kept_since(HISTORY_DAYS)).await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        incidents::unsettled(&self.database, self.kept_since(HISTORY_DAYS)).await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        incidents::open(&self.database, at_most).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        incidents::between(&self.database, from, to, self.kept_since(HISTORY_DAYS)).await
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        told::lease(&self.database, key, receiver, owner, now, until).await
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        told::record(&self.database, key, receiver, owner, told).await
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        told::release(&self.database, key, receiver, owner).await
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        told::void(&self.database).await
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        told::of(&self.database, key, self.kept_since(HISTORY_DAYS)).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        quarantine::keep(&self.database, item).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        quarantine::between(&self.database, from, to, self.kept_since(QUARANTINE_DAYS)).await
    }

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        quarantine::head(&self.database, id, self.kept_since(QUARANTINE_DAYS)).await
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        quarantine::forget(&self.database, &item.id).await
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        silences::keep(&self.database, silence).await
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        silences::all(&self.database, self.clock.now()).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        timeline::cursor(&self.database, name, self.kept_since(HISTORY_DAYS)).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        timeline::move_cursor(&self.database, name, from, to, self.clock.now()).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        timeline::keep_verdict(&self.database, judged).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        timeline::verdicts(&self.database, from, to, self.kept_since(HISTORY_DAYS)).await
    }

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        timeline::keep_day(&self.database, of, day).await
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        timeline::days(&self.database, of, from, until, self.oldest_kept(HISTORY_DAYS)).await
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        summaries::keep(&self.database, summary).await
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        summaries::between(&self.database, from, until, self.clock.now()).await
    }

    async fn keep_fired(&self, reports: &[Fired]) -> Result<(), StoreError> {
        fired::keep(&self.database, reports).await
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        fired::between(&self.database, micros(from).max(self.kept_since(FIRED_DAYS)), micros(to)).await
    }

    async fn keep_compared(&self, day: &Compared) -> Result<(), StoreError> {
        compared::keep(&self.database, day).await
    }

    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
        compared::between(
            &self.database,
            from,
            to,
            crate::heartbeat::history::Slot::of(self.oldest_kept(HISTORY_DAYS)).day(),
        )
        .await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        names::read(&self.database).await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        names::keep(&self.database, of, list).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let purged = self.database.write(move |connection| retention::purge(connection, now, limit)).await?;
        reclaim::truncate_log(&self.database, reclaim::LOG_BYTES).await;
        Ok(purged)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.database
            .write(|connection| {
                // A random value: a write that changes nothing never reaches the disk.
                let touch = "INSERT OR REPLACE INTO meta (name, value) VALUES ('ready', hex(randomblob(8)))";
                connection.prepare_cached(touch)?.execute(params![])?;
                Ok(())
            })
            .await
    }
}

/// An instant as it is stored. Rounding down keeps the order, so half-open spans still share no instant.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_nanosecond().div_euclid(1_000).try_into().unwrap_or(i64::MAX)
}

/// A stored instant.
fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| trouble::no_instant())
}

/// A conditional write's outcome, from the number of rows that it changed.
fn outcome(changed: usize) -> Write {
    if changed == 0 { Write::Conflict } else { Write::Done }
}
