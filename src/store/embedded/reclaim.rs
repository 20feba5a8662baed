//! Disk space: what purging has freed goes back to the disk in small steps, and the log is cut.
//!
//! Sources: sqlite.org/pragma.html (auto_vacuum, incremental_vacuum, wal_checkpoint), sqlite.org/wal.html (how a log
//! grows).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::database::{Database, Durability, FILE, connect};
use crate::store::StoreError;

/// Pages (of 4 KiB) given back at a time: a few milliseconds of the writer's time.
const STEP_PAGES: i64 = 1_000;

/// Free pages that are kept: one in so many, and at least [`SPARE_LEAST`]. The next day's rows need them.
const SPARE_ONE_IN: i64 = 8;
const SPARE_LEAST: i64 = 256;

/// A log longer than this is cut, in bytes. It grows beyond only while something reads for long.
pub const LOG_BYTES: u64 = 8 * 1024 * 1024;

/// How long cutting waits for those who read or write: it is tried again with every purge.
const PATIENCE: Duration = Duration::from_millis(200);

/// The value of `PRAGMA auto_vacuum` that [`some_pages`] needs.
const INCREMENTAL: i64 = 2;

/// Gives some of the free pages back, when many are free. A file of an older version keeps them until
/// [`make_reclaimable`].
pub fn some_pages(connection: &Connection) -> Result<(), StoreError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (free, pages) = (number("freelist_count")?, number("page_count")?);
    let spare = (pages / SPARE_ONE_IN).max(SPARE_LEAST);
    let give = free.saturating_sub(spare).min(STEP_PAGES);
    if give > 0 && number("auto_vacuum")? == INCREMENTAL {
        // Each row that is stepped over is a page given back.
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({give})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// Folds a log of more than so many bytes back into the file and cuts it. Others are not held up: whoever is busy makes it
/// give up, until the next time.
pub async fn truncate_log(database: &Database, longer_than: u64) {
    let path = database.path().to_owned();
    let cut = tokio::task::spawn_blocking(move || {
        let log = PathBuf::from(format!("{}-wal", path.display()));
        if std::fs::metadata(log).map_or(0, |meta| meta.len()) <= longer_than {
            return Ok(());
        }
        let connection = connect(&path, Durability::Full)?;
        connection.busy_timeout(PATIENCE)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok::<_, StoreError>(())
    });
    if let Ok(Err(error)) = cut.await {
        tracing::warn!(event = "log_not_cut", %error);
    }
}

/// Makes a file of an older version able to shrink, by writing it anew, once: takes about a second for 100 MB, as much
/// room again on the disk, and nobody else may use the file meanwhile. Says whether there was anything to do.
///
/// # Errors
/// Not enough room, or somebody uses the file: it goes on growing and never shrinks, nothing else is worse.
pub fn make_reclaimable(folder: &Path) -> Result<bool, StoreError> {
    let connection = connect(&folder.join(FILE), Durability::Full)?;
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(false);
    }
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.execute_batch("VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(true)
}
