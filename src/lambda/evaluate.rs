//! The `evaluate` function: a batch of the events queue in, the messages to give again out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::Error;

use super::bridge::{self, Bridge};
use super::meter::{self, Meter};
use super::sqs::{Answer, Batch};
use super::{Failed, serve, time_left};
use crate::clock::Clock;
use crate::config::Config;
use crate::queue::Outbox;
use crate::steps::evaluate::Evaluate;
use crate::store::Store;

/// What one message that is processed alone may take.
const ONE_MESSAGE: Duration = Duration::from_secs(3);

/// The function in its environment.
pub struct Function {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub meter: Meter,
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
    let (store, outbox) = (bridge.store()?, bridge.hints()?);
    bridge::warm_up("store", store.cursor(bridge::WARM_UP_CURSOR)).await;
    Ok(Function { store, outbox, config: bridge.config, clock: bridge.clock, meter: Meter::of_this_function() })
}

impl Function {
    /// Evaluates a batch.
    ///
    /// # Errors
    /// The store is down, or time is up: the whole batch comes again, which counts nothing twice.
    pub async fn batch(&self, envelope: &str, deadline: Timestamp) -> Result<Answer, Failed> {
        let now = self.clock.now();
        let batch = Batch::read(envelope)?;
        let left = time_left(deadline, now);
        // One message's work fits into what is left then.
        let stop_by = Some(Instant::now() + left.saturating_sub(ONE_MESSAGE));
        let step = Evaluate { store: self.store.as_ref(), outbox: self.outbox.as_ref(), config: &self.config, stop_by };
        let handled = tokio::time::timeout(left, step.batch(&batch.messages, now))
            .await
            .map_err(|_| Failed("time is up: the batch comes again".to_owned()))?
            .map_err(|error| Failed(error.to_string()))?;
        let answer = batch.answer(&handled)?;
        self.meter.count(meter::MESSAGES_FAILED, answer.failures() as u64);
        self.meter.say_all(now);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
