//! The one thread that writes. It commits for everybody who waits (group commit): one fsync a batch, so that many
//! small durable writes cost little more than one. A job fails alone; a batch that cannot be committed fails whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Most jobs in one commit: an answer never waits for more than this many others.
const BATCH: usize = 512;

/// Most jobs that wait; more are refused at once, so that an overloaded or stuck disk shows as a 503 and not as
/// memory (design, law 2).
const WAITING: usize = 8_192;

/// Hands jobs to the writing thread. Dropping it lets the thread finish what waits, then ends it.
pub struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `reopen` makes a new connection after one failed: a full disk or a lost mount needs no restart.
    pub fn start(
        connection: Connection,
        reopen: impl Fn() -> Result<Connection, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(WAITING);
        let thread = Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(&waiting, connection, &reopen))
            .map_err(|e| StoreError::Unavailable(format!("no thread for the writer: {e}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does the work in the next batch; what it wrote is durable when this returns `Ok`. Work that answers an error
    /// leaves nothing behind. Work goes on when the caller stops waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Task { work: Some(work), result: None, answer });
        match self.jobs.as_ref().ok_or_else(stopped)?.try_send(job) {
            Ok(()) => answered.await.map_err(|_| stopped())?,
            Err(TrySendError::Full(_)) => {
                Err(StoreError::Unavailable(format!("{WAITING} writes are waiting already: the disk is too slow")))
            }
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

trait Job: Send {
    /// Does the work; the error, if any, is kept for the answer as well.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Says how it went, now that the batch is committed (`None`) or lost.
    fn answer(self: Box<Self>, lost: Option<&StoreError>);
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, StoreError> + Send> Job for Task<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(StoreError::Unavailable("a write panicked: please report this".into())));
        let kept = result.as_ref().map(|_| ()).map_err(StoreError::clone);
        self.result = Some(result);
        kept
    }

    fn answer(self: Box<Self>, lost: Option<&StoreError>) {
        let answer = match (self.result, lost) {
            // It failed by itself; that says more than the batch.
            (Some(Err(own)), _) => Err(own),
            (_, Some(lost)) => Err(lost.clone()),
            (Some(Ok(done)), None) => Ok(done),
            (None, None) => Err(StoreError::Unavailable("a write was never begun".into())),
        };
        // The caller may have stopped waiting: nobody to tell.
        let _ = self.answer.send(answer);
    }
}

fn write_all(
    jobs: &Receiver<Box<dyn Job>>,
    connection: Connection,
    reopen: &impl Fn() -> Result<Connection, StoreError>,
) {
    let mut connection = Some(connection);
    let mut batch = Vec::with_capacity(BATCH);
    while let Ok(job) = jobs.recv() {
        batch.push(job);
        let written = connection.take().map_or_else(reopen, Ok).and_then(|open| {
            let healthy = write_batch(&open, jobs, &mut batch)?;
            connection = healthy.then_some(open);
            Ok(())
        });
        let lost = written.err();
        batch.drain(..).for_each(|job| job.answer(lost.as_ref()));
    }
}

/// Runs and commits the batch, joined by what waits. `Ok(false)`: committed, but the connection had trouble.
fn write_batch(
    connection: &Connection,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<bool, StoreError> {
    // IMMEDIATE: other processes write to the same file, and what a job read must still hold when it writes.
    execute(connection, "BEGIN IMMEDIATE")?;
    let mut healthy = true;
    let mut begun = 0;
    while let Some(job) = batch.get_mut(begun) {
        healthy &= run_alone(connection, job.as_mut())?;
        begun += 1;
        if begun < BATCH {
            batch.extend(jobs.try_recv());
        }
    }
    execute(connection, "COMMIT")?;
    Ok(healthy)
}

/// Runs a job so that it fails alone. `Err` when its failure took the whole batch with it.
fn run_alone(connection: &Connection, job: &mut dyn Job) -> Result<bool, StoreError> {
    execute(connection, "SAVEPOINT job")?;
    let result = job.run(connection);
    let Err(error) = result else {
        execute(connection, "RELEASE job")?;
        return Ok(true);
    };
    // A full disk or a failed read makes SQLite roll everything back (sqlite.org/lang_transaction.html).
    if connection.is_autocommit() {
        return Err(error);
    }
    execute(connection, "ROLLBACK TO job")?;
    execute(connection, "RELEASE job")?;
    Ok(!matches!(error, StoreError::Unavailable(_)))
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
