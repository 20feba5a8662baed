//! What a function works with, made once when its environment starts. Start-up never fails: what is broken is said
//! in the log, and by each invocation (design, law 2).

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;

use super::{Failed, aws};
use crate::aws::cloudwatch::CloudWatch;
use crate::canary::{Track, TrackApi};
use crate::clock::{Clock, SystemClock};
use crate::config::aws_secrets::AwsSecrets;
use crate::config::secrets::Secrets;
use crate::config::{Config, parse};
use crate::customerio::app_api::{AppApi, Directory};
use crate::deadman::{HttpPulse, Pulse};
use crate::page::keys;
use crate::page::links::Links;
use crate::queue::Outbox;
use crate::queue::sqs::SqsOutbox;
use crate::reconcile::sums::Sums;
use crate::steps::budget::Budget;
use crate::store::Store;
use crate::store::dynamo::DynamoStore;

/// Where the configuration is looked for unless `BRIDGE_CONFIG` says where it is: a layer, then the function itself.
const CONFIG_PLACES: [&str; 2] = ["/opt/bridge.toml", "bridge.toml"];

/// How long the first call on a connection may take while the function starts.
const WARM_UP: Duration = Duration::from_secs(1);

/// A cursor that nobody keeps: reading it is a store's cheapest call.
pub const WARM_UP_CURSOR: &str = "warm-up";

/// A valid configuration and what it takes to reach AWS.
pub struct Bridge {
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    sdk: SdkConfig,
}

impl Bridge {
    /// Reads the configuration and says in the log which one it is.
    ///
    /// # Errors
    /// It is broken: nothing but a new deployment will mend it.
    pub async fn load() -> Result<Self, Failed> {
        let path = config_path();
        let (mut config, problems) = parse::load(&path).map_err(|error| {
            let failed = Failed(format!("the configuration is broken: {error}"));
            tracing::error!(event = "configuration_broken", error = failed.0);
            failed
        })?;
        for problem in &problems {
            tracing::warn!(event = "configuration", problem = %problem.in_file(&path.display().to_string()));
        }
        let of_the_stack = std::env::var("BRIDGE_PAGE_URL").ok().filter(|url| !url.is_empty());
        if let Some(page) = &mut config.page {
            page.base_url = page.base_url.take().or(of_the_stack);
        }
        tracing::info!(event = "started", workspace = config.workspace.name, config = config.hash);
        Ok(Self { config: Arc::new(config), clock: Arc::new(SystemClock), sdk: aws::sdk().await })
    }

    pub fn store(&self) -> Result<Arc<dyn Store>, Failed> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        Ok(Arc::new(DynamoStore::new(client, variable("BRIDGE_TABLE")?, &self.config.workspace.name)))
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk)
    }

    /// Puts events into a queue.
    pub fn events(&self, sqs: aws_sdk_sqs::Client) -> Result<Arc<dyn Outbox>, Failed> {
        Ok(Arc::new(SqsOutbox::new(sqs, Some(events_queue()?), None)))
    }

    /// Puts hints into a queue.
    pub fn hints(&self) -> Result<Arc<SqsOutbox>, Failed> {
        Ok(Arc::new(SqsOutbox::new(self.sqs(), None, Some(variable("BRIDGE_HINTS_QUEUE")?))))
    }

    /// Puts hints and probes into their queues.
    pub fn both_queues(&self) -> Result<Arc<SqsOutbox>, Failed> {
        Ok(Arc::new(SqsOutbox::new(self.sqs(), Some(events_queue()?), Some(variable("BRIDGE_HINTS_QUEUE")?))))
    }

    /// Who outside hears that we live, if the configuration says who. Reads nothing yet.
    pub fn pulse(&self) -> Option<Arc<dyn Pulse>> {
        let deadman = self.config.deadman.clone()?;
        Some(Arc::new(HttpPulse::new(deadman, self.secrets(), self.clock.clone())))
    }

    /// Where the canary's events go, if the configuration has one. Reads nothing yet.
    pub fn track(&self) -> Option<Arc<dyn Track>> {
        let canary = self.config.canary.clone()?;
        Some(Arc::new(TrackApi::new(canary, self.config.customerio.region, self.secrets(), self.clock.clone())))
    }

    /// Where metrics are summed up.
    pub fn sums(&self) -> Option<Arc<dyn Sums>> {
        Some(Arc::new(CloudWatch::new(&self.sdk)))
    }

    /// Where names are asked for, if the configuration has a key for it. Reads nothing yet.
    pub fn directory(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Directory>> {
        let api = AppApi::of(&self.config.customerio, self.secrets(), self.clock.clone())?;
        Some(Arc::new(api.sharing(Arc::new(Budget { store, clock: self.clock.clone() }))))
    }

    /// Links for alerts, if there is a page and keys to sign links to it. Alerts do without rather than not to be sent.
    pub async fn links(&self) -> Option<Links> {
        let base_url = self.config.page.as_ref()?.base_url.clone()?;
        let keys = keys::configured(&self.config, self.secrets().as_ref()).await;
        let keys = keys.inspect_err(|error| tracing::error!(event = "no_links", %error)).ok()?;
        Some(Links::new(&base_url, keys?))
    }

    pub fn secrets(&self) -> Arc<dyn Secrets> {
        Arc::new(AwsSecrets::new(&self.sdk))
    }
}

/// The events queue's URL.
pub fn events_queue() -> Result<String, Failed> {
    variable("BRIDGE_EVENTS_QUEUE")
}

/// Opens the connection that a function always uses, by a call whose answer nobody needs: the first handshake costs
/// hundreds of milliseconds in an invocation and little before one. A failure is only said.
pub async fn warm_up<T, E: Display>(what: &str, call: impl Future<Output = Result<T, E>>) {
    match tokio::time::timeout(WARM_UP, call).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(event = "warm_up_failed", what, %error),
        Err(_) => tracing::warn!(event = "warm_up_failed", what, error = "no answer within 1 s"),
    }
}

fn config_path() -> PathBuf {
    if let Some(path) = std::env::var_os("BRIDGE_CONFIG") {
        return path.into();
    }
    let [first, second] = CONFIG_PLACES.map(Path::new);
    if first.exists() { first.into() } else { second.into() }
}

fn variable(name: &str) -> Result<String, Failed> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
        let failed = Failed(format!("the environment variable {name} is not set"));
        tracing::error!(event = "configuration_broken", error = failed.0);
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_warm_up_that_fails_or_hangs_holds_up_nobody() {
        let began = std::time::Instant::now();
        warm_up("x", async { Err::<(), _>("refused") }).await;
        warm_up("x", std::future::pending::<Result<(), &str>>()).await;
        assert!((WARM_UP..WARM_UP * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}
