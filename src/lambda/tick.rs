//! The `tick` function: once a minute, whatever the schedule's event says.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_runtime::Error;

use super::bridge::{self, Bridge};
use super::{Failed, serve, time_left};
use crate::canary::Track;
use crate::clock::Clock;
use crate::config::Config;
use crate::customerio::app_api::Directory;
use crate::deadman::Pulse;
use crate::queue::Outbox;
use crate::reconcile::sums::Sums;
use crate::steps::tick::Tick;
use crate::store::Store;

/// The function in its environment.
pub struct Function {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub directory: Option<Arc<dyn Directory>>,
    pub pulse: Option<Arc<dyn Pulse>>,
    pub track: Option<Arc<dyn Track>>,
    pub sums: Option<Arc<dyn Sums>>,
}

/// Runs the function until the platform stops it.
pub async fn run() -> Result<(), Error> {
    let function = load().await;
    serve(async |_, deadline| match &function {
        Ok(function) => function.tick(deadline).await,
        Err(failed) => Err(failed.clone()),
    })
    .await
}

async fn load() -> Result<Function, Failed> {
    let bridge = Bridge::load().await?;
    let (store, outbox) = (bridge.store()?, bridge.both_queues()?);
    bridge::warm_up("store", store.cursor(bridge::WARM_UP_CURSOR)).await;
    let (directory, pulse, track, sums) =
        (bridge.directory(store.clone()), bridge.pulse(), bridge.track(), bridge.sums());
    Ok(Function { store, outbox, config: bridge.config, clock: bridge.clock, directory, pulse, track, sums })
}

impl Function {
    /// Does what is due.
    ///
    /// # Errors
    /// The parts that failed; their work stays due.
    pub async fn tick(&self, deadline: Timestamp) -> Result<(), Failed> {
        let now = self.clock.now();
        let step = Tick {
            store: self.store.as_ref(),
            outbox: self.outbox.as_ref(),
            config: &self.config,
            directory: self.directory.as_deref(),
            pulse: self.pulse.as_deref(),
            track: self.track.as_deref(),
            sums: self.sums.as_deref(),
        };
        let done = tokio::time::timeout(time_left(deadline, now), step.run(now)).await;
        let done = done.map_err(|_| Failed("time is up: the rest stays due".to_owned()))?;
        done.map_err(|error| Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
