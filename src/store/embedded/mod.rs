//! The store in one SQLite file, `<data>/bridge.db`: WAL, synced on every commit, one batching writer.
//!
//! `writer` commits for all who wait; `database` opens the file and reads; `schema` is its layout; `retention`
//! says how long things stay. The other files hold one kind of item each. Commands may open the file while `serve`
//! runs on it: every condition is checked inside the transaction that writes.

mod count;
mod database;
mod incidents;
mod names;
mod quarantine;
mod retention;
mod schema;
mod series;
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
use jiff::Timestamp;
use rusqlite::params;

pub(crate) use self::database::Database;
pub use self::database::{Durability, FILE};
use self::tally::Tally;
pub(crate) use self::trouble::unwritable;
use super::{Lease, Quarantined, Store, StoreError, Write};
use crate::clock::{Minute, Span};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey};
use crate::queue::embedded::EmbeddedQueue;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// The store of `bridge serve` and of the commands that read its data folder.
#[derive(Clone)]
pub struct EmbeddedStore {
    database: Arc<Database>,
    tally: Arc<Tally>,
}

impl EmbeddedStore {
    /// Opens the data folder, making it when it is missing. The error says what to do: the folder is not writable,
    /// the file is another workspace's, newer than this version, or damaged. Blocks for up to some seconds while
    /// another process opens the same folder.
    pub fn open(folder: &Path, workspace: &str, durability: Durability) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(folder, workspace, durability)?);
        Ok(Self { tally: Arc::new(Tally::of(Arc::clone(&database))), database })
    }

    /// The queue in the same file.
    pub fn queue(&self) -> EmbeddedQueue {
        EmbeddedQueue::of(Arc::clone(&self.database))
    }

    /// The kept part of a quarantined request's body; `None` when there is no such item.
    pub async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        quarantine::head(&self.database, id).await
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        self.tally.count(entries, now).await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        self.tally.cells(kinds, span).await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.tally.heard(kind, since).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        self.tally.totals(kinds, span).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        timeline::hear(&self.database, *heard).await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        self.database.read(timeline::coverage).await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        incidents::episodes(&self.database, key).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        incidents::write(&self.database, incident).await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        incidents::unsettled(&self.database).await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        incidents::open(&self.database, at_most).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        incidents::between(&self.database, from, to).await
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
        told::of(&self.database, key).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        quarantine::keep(&self.database, item).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        quarantine::between(&self.database, from, to).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        timeline::cursor(&self.database, name).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        timeline::move_cursor(&self.database, name, from, to).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        timeline::keep_verdict(&self.database, judged).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        timeline::verdicts(&self.database, from, to).await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        names::read(&self.database).await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        names::keep(&self.database, of, list).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.database.write(move |connection| retention::purge(connection, now, limit)).await
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
