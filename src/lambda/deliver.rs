//! The `deliver` function: a batch of the hints queue in, the messages to give again out. Hints are looked after at
//! once, not one after the other: a slow receiver's trouble stays its own (design, law 7).

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::Timestamp;
use lambda_runtime::Error;

use super::bridge::{self, Bridge};
use super::meter::Meter;
use super::receiver::{self, Parts};
use super::sqs::{Answer, Batch};
use super::{Failed, serve, time_left};
use crate::queue::sqs::SqsOutbox;
use crate::queue::{Handled, Hint, Message};
use crate::steps::deliver::Deliver;
use crate::store::StoreError;

/// A wait up to this long is the queue's: a message out of sight. A longer one is tick's, which sees from what was
/// told when it is over and sends a new hint (design, State). Each time a message comes back is one of the receives
/// after which it counts as one that makes us crash.
pub const LONGEST_HIDDEN: Duration = Duration::from_secs(60);

/// How long a hint rests that failed by itself: longer than the lease it may have left behind.
const REST: Duration = Duration::from_secs(30);

/// The function in its environment.
pub struct Function {
    pub deliver: Deliver,
    pub queue: Arc<dyn Hide>,
    pub meter: Arc<Meter>,
}

/// A queue that keeps a received message out of sight for a while.
#[async_trait]
pub trait Hide: Send + Sync {
    /// `receipt`: what SQS knows this receive of the message by.
    async fn hide(&self, receipt: &str, wait: Duration) -> Result<(), StoreError>;
}

#[async_trait]
impl Hide for SqsOutbox {
    async fn hide(&self, receipt: &str, wait: Duration) -> Result<(), StoreError> {
        // Rounded up: a message must not come back before it is due.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.change_visibility(receipt, u32::try_from(seconds).unwrap_or(u32::MAX)).await
    }
}

/// Runs the function until the platform stops it.
pub async fn run() -> Result<(), Error> {
    let function = load().await;
    serve(async |envelope, deadline| match &function {
        Ok(function) => function.batch(envelope, deadline).await,
        Err(failed) => Err(failed.clone()),
    })
    .await
}

async fn load() -> Result<Function, Failed> {
    let bridge = Bridge::load().await?;
    let (store, queue) = (bridge.store()?, bridge.hints()?);
    let meter = Arc::new(Meter::of_this_function());
    let warm_up = bridge::warm_up("store", store.cursor(bridge::WARM_UP_CURSOR));
    let (links, ()) = tokio::join!(bridge.links(), warm_up);
    let parts = Parts { secrets: bridge.secrets(), clock: bridge.clock.clone(), meter: meter.clone() };
    // The log stream is one environment's; an environment that starts anew keeps it.
    let stream = std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default();
    let deliver = Deliver {
        store,
        outbox: queue.clone(),
        receivers: receiver::all(&bridge.config.receivers, &parts),
        config: bridge.config,
        process: format!("{stream}-{}-{}", std::process::id(), bridge.clock.now().as_nanosecond()),
        clock: bridge.clock,
        leases: AtomicU64::new(0),
        links,
        names: Default::default(),
    };
    Ok(Function { deliver, queue, meter })
}

impl Function {
    /// Looks after a batch of hints.
    ///
    /// # Errors
    /// The store is down: the whole batch comes again, which tells nobody twice.
    pub async fn batch(&self, envelope: &str, deadline: Timestamp) -> Result<Answer, Failed> {
        let now = self.deliver.clock.now();
        let batch = Batch::read(envelope)?;
        let left = time_left(deadline, now);
        let mut pairs = HashSet::new();
        let (mut handled, mut looked_after) = (Vec::new(), Vec::new());
        for message in &batch.messages {
            match hint_of(message) {
                Some(hint) if pairs.insert(hint.clone()) => looked_after.push(self.one(message.id, hint, left)),
                // The same pair twice: the first hint looks at all there is. Or not a hint: tick makes a new one.
                Some(_) | None => handled.push((message.id, Handled::Done)),
            }
        }
        let looked_after: Result<Vec<_>, StoreError> = join_all(looked_after).await.into_iter().collect();
        self.meter.say_all(now);
        for (id, done) in looked_after.map_err(|error| Failed(error.to_string()))? {
            handled.push((id, self.settled(&batch, id, done).await));
        }
        batch.answer(&handled)
    }

    /// An error means that the store is down.
    async fn one(&self, id: i64, hint: Hint, left: Duration) -> Result<(i64, Handled), StoreError> {
        let looking = AssertUnwindSafe(self.deliver.hint(&hint)).catch_unwind();
        let why = match tokio::time::timeout(left, looking).await {
            Ok(Ok(Ok(handled))) => return Ok((id, handled)),
            Ok(Ok(Err(error @ StoreError::Unavailable(_)))) => return Err(error),
            Ok(Ok(Err(error @ StoreError::Corrupt(_)))) => error.to_string(),
            Ok(Err(_)) => "panicked".to_owned(),
            Err(_) => "time is up".to_owned(),
        };
        tracing::error!(event = "deliver_failed", receiver = hint.receiver, why);
        Ok((id, Handled::Again(REST)))
    }

    /// Makes a message come back when it is due.
    async fn settled(&self, batch: &Batch, id: i64, handled: Handled) -> Handled {
        let Handled::Again(wait) = handled else { return Handled::Done };
        if wait > LONGEST_HIDDEN {
            return Handled::Done;
        }
        if let Some(receipt) = batch.receipt(id)
            && let Err(error) = self.queue.hide(receipt, wait).await
        {
            // It comes back when the queue's own time is over, or by tick.
            tracing::warn!(event = "hint_not_hidden", %error);
        }
        Handled::Again(wait)
    }
}

fn hint_of(message: &Message) -> Option<Hint> {
    match serde_json::from_str(&message.body) {
        Ok(hint) => Some(hint),
        Err(error) => {
            tracing::error!(event = "hint_not_readable", %error);
            None
        }
    }
}

#[cfg(test)]
mod tests;
