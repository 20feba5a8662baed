//! The file: opened, kept private, written by one thread and read by two connections.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Notify, Semaphore};

use super::schema::{self, Refusal};
use super::writer::Writer;
use crate::store::StoreError;

/// The file's name in the data folder.
pub const FILE: &str = "bridge.db";

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read at the same time; each costs a page cache of up to 8 MB.
const READERS: usize = 2;

/// Whether a write that was answered survives a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is synced to the disk (`synchronous = FULL`): a 2xx is a promise (design, law 1).
    Full,
    /// Nothing is synced: for the demo, whose data nobody misses.
    Off,
}

/// One open data file, shared by the store and the queue.
pub struct Database {
    readers: Arc<Readers>,
    reading: Arc<Semaphore>,
    // Last, so that the writer closes the file and folds the log back into it.
    writer: Writer,
    /// Rung after something was put into a lane of the queue, by [`crate::queue::embedded::Lane`].
    pub bells: [Notify; 2],
}

struct Readers {
    path: PathBuf,
    durability: Durability,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens `<folder>/bridge.db`, making both when they are missing.
    pub fn open(folder: &Path, workspace: &str, durability: Durability) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        make_private(folder, &path).map_err(|e| {
            StoreError::Unavailable(format!(
                "data folder {} cannot be used: {e}; let this user write to it, or name another one with --data",
                folder.display()
            ))
        })?;
        let connection = open_ours(&path, workspace, durability)?;
        let reopen = {
            let (path, workspace) = (path.clone(), workspace.to_owned());
            move || open_ours(&path, &workspace, durability)
        };
        Ok(Self {
            readers: Arc::new(Readers { path, durability, idle: Mutex::new(Vec::new()) }),
            reading: Arc::new(Semaphore::new(READERS)),
            writer: Writer::start(connection, reopen)?,
            bells: [Notify::new(), Notify::new()],
        })
    }

    /// Writes through the one writer: durable when this returns, or nothing of it happened.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(work).await
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.readers.path
    }

    /// Reads one snapshot, with everything in it that was committed before the call.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = |_| StoreError::Unavailable("reading has stopped".into());
        let permit = self.reading.clone().acquire_owned().await.map_err(stopped)?;
        let readers = Arc::clone(&self.readers);
        let reading = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = readers.take()?;
            let snapshot = connection.unchecked_transaction()?;
            let result = work(&snapshot)?;
            snapshot.rollback()?;
            readers.idle.lock().unwrap_or_else(|e| e.into_inner()).push(connection);
            Ok(result)
        });
        reading.await.map_err(|_| StoreError::Unavailable("a read panicked or was cut short".into()))?
    }
}

impl Readers {
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(|e| e.into_inner()).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = connect(&self.path, self.durability)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

/// Makes the folder and the file readable by nobody else: the quarantine holds personal data. What exists keeps the
/// rights that its owner gave it. SQLite gives its log the rights of the file.
fn make_private(folder: &Path, path: &Path) -> io::Result<()> {
    let mut make = fs::DirBuilder::new();
    let mut open = fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        make.mode(0o700);
        open.mode(0o600);
    }
    make.recursive(true).create(folder)?;
    open.write(true).create(true).truncate(false).open(path)?;
    Ok(())
}

fn open_ours(path: &Path, workspace: &str, durability: Durability) -> Result<Connection, StoreError> {
    let prepared = connect(path, durability).map_err(Refusal::from).and_then(|mut connection| {
        schema::prepare(&mut connection, workspace)?;
        Ok(connection)
    });
    prepared.map_err(|refusal| match refusal {
        Refusal::Trouble(StoreError::Corrupt(why)) => StoreError::Corrupt(format!("{}: {why}", path.display())),
        Refusal::Trouble(StoreError::Unavailable(why)) => StoreError::Unavailable(format!("{}: {why}", path.display())),
        refusal => StoreError::Unavailable(format!("{} is {refusal}", path.display())),
    })
}

/// Opens the file, which must exist: a file that vanished under us must not come back empty.
pub fn connect(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Only an empty file takes it, before the log is turned on; any other would be locked for it.
    if connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    let journal = write_ahead(&connection)?;
    if journal != "wal" {
        return Err(StoreError::Unavailable(format!(
            "its file system allows no write-ahead log (journal mode is `{journal}`): a network share? use a local disk"
        )));
    }
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Off => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // On macOS an fsync leaves data in the disk's own cache; ignored elsewhere.
    connection.pragma_update(None, "fullfsync", durability == Durability::Full)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    // 4,000 pages (16 MB) of log between checkpoints: hot pages are written back once, not every megabyte or so.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(connection)
}

/// Turns the log on. The change itself does not wait for other processes' locks (sqlite.org/wal.html): try again.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let mut tries = 0;
    loop {
        let journal = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match journal {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && tries < 100 => {
                tries += 1;
                std::thread::sleep(BUSY_TIMEOUT / 100);
            }
            journal => return journal,
        }
    }
}
