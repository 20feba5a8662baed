//! Requests that could not be understood, their bodies compressed (zlib).

use jiff::Timestamp;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Database;
use super::retention::cutoff;
use super::{instant, micros, reclaim};
use crate::store::{QUARANTINE_BYTES, QUARANTINE_DAYS, Quarantined, StoreError};

/// zlib's level: JSON shrinks to a fifth at 3 already, and an authentic sender may send many.
const LEVEL: u8 = 3;

/// Most items that are listed at once.
const LISTED: usize = 1_000;

/// The same request again is the same item, as it was at first.
pub async fn keep(database: &Database, item: &Quarantined) -> Result<(), StoreError> {
    let item = Quarantined { head: item.head.iter().copied().take(QUARANTINE_BYTES).collect(), ..item.clone() };
    let compress = move || (compress_to_vec_zlib(&item.head, LEVEL), item);
    let compressed = tokio::task::spawn_blocking(compress).await;
    let (head, item) = compressed.map_err(|_| StoreError::Unavailable("compressing was cut short".into()))?;
    let expired = cutoff(item.received_at, QUARANTINE_DAYS);
    database
        .write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO quarantine (id, received_at, reason, length, head) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET received_at = ?2, reason = ?3, length = ?4, head = ?5
                 WHERE received_at <= ?6",
            )?;
            insert.execute(params![item.id, micros(item.received_at), item.reason, item.length, head, expired])?;
            Ok(())
        })
        .await
}

/// Newest first; what was received before `kept_since` (in microseconds) has expired.
pub async fn between(
    database: &Database,
    from: Timestamp,
    to: Timestamp,
    kept_since: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    let (from, to) = (micros(from).max(kept_since), micros(to));
    database
        .read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id, reason, received_at, length FROM quarantine WHERE received_at >= ?1 AND received_at < ?2
                 ORDER BY received_at DESC, id LIMIT ?3",
            )?;
            let mut rows = statement.query(params![from, to, LISTED])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Quarantined {
                    id: row.get(0)?,
                    reason: row.get(1)?,
                    received_at: instant(row.get(2)?)?,
                    length: row.get(3)?,
                    head: Vec::new(),
                });
            }
            Ok(found)
        })
        .await
}

pub async fn head(database: &Database, id: &str, kept_since: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let id = id.to_owned();
    database
        .read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT head FROM quarantine WHERE id = ?1 AND received_at >= ?2")?;
            let head: Option<Vec<u8>> = statement.query_row(params![id, kept_since], |row| row.get(0)).optional()?;
            let damaged = |_| StoreError::Corrupt("a quarantined body that cannot be unpacked".into());
            head.map(|head| decompress_to_vec_zlib_with_limit(&head, QUARANTINE_BYTES).map_err(damaged)).transpose()
        })
        .await
}

/// Overwrites it, too: its pages in the file, and the log as soon as nobody reads it.
pub async fn forget(database: &Database, id: &str) -> Result<(), StoreError> {
    let id = id.to_owned();
    database
        .write(move |tx| {
            overwriting(tx, |tx| Ok(tx.prepare_cached("DELETE FROM quarantine WHERE id = ?1")?.execute([id])?))
                .map(drop)
        })
        .await?;
    reclaim::truncate_log(database, 0).await;
    Ok(())
}

/// Runs a deletion that leaves nothing behind in free pages (sqlite.org/pragma.html, secure_delete).
pub fn overwriting<T>(
    tx: &Connection,
    delete: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let set = |on: bool| tx.pragma_update_and_check(None, "secure_delete", on, |_| Ok(()));
    set(true)?;
    let deleted = delete(tx);
    set(false)?;
    deleted
}
