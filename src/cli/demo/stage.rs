//! A whole bridge in one process whose clock is set by hand: the real steps over a real store. The demo plays on it,
//! and so do tests that need days to pass.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use hyper::{HeaderMap, Method};
use jiff::Timestamp;

use crate::canary::Track;
use crate::clock::{Clock, ManualClock};
use crate::config::Config;
use crate::config::schema::ReceiverConfig;
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::customerio::app_api::Directory;
use crate::customerio::signature;
use crate::queue::Hint;
use crate::queue::embedded::EmbeddedQueue;
use crate::receivers::Receiver;
use crate::steps::deliver::Deliver;
use crate::steps::evaluate::Evaluate;
use crate::steps::ingest::{Answer, Head, Ingest, KeyRing, Refusals, WEBHOOK_PATH};
use crate::steps::tick::Tick;
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore};

/// Every secret has this value.
const KEY: &str = "stage-signing-key";

/// Messages taken from a queue at once.
const BATCH: usize = 500;

/// How long a message taken from a queue is out of sight.
const VISIBILITY: Duration = Duration::from_secs(60);

struct StageSecrets;

#[async_trait]
impl Secrets for StageSecrets {
    async fn get(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(KEY))
    }
}

/// The bridge and its clock.
pub struct Stage {
    pub config: Arc<Config>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    pub queue: Arc<EmbeddedQueue>,
    ingest: Ingest,
    deliver: Deliver,
    directory: Option<Arc<dyn Directory>>,
    track: Option<Arc<dyn Track>>,
}

impl Stage {
    /// Builds a bridge in a folder that other stages may have used before; `receiver` makes each receiver.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub async fn set(
        config: Arc<Config>,
        clock: Arc<ManualClock>,
        folder: &Path,
        receiver: impl Fn(&ReceiverConfig) -> Arc<dyn Receiver>,
    ) -> anyhow::Result<Self> {
        let embedded = EmbeddedStore::open(folder, &config.workspace.name, Durability::Off)?.with_clock(clock.clone());
        let queue = Arc::new(embedded.queue());
        let store: Arc<dyn Store> = Arc::new(embedded);
        store.void_leases().await?;
        queue.requeue_in_flight(clock.now()).await?;
        let keys = KeyRing::load(config.customerio.signing_keys.clone(), Arc::new(StageSecrets), clock.now()).await;
        let receivers: BTreeMap<String, Arc<dyn Receiver>> =
            config.receivers.iter().map(|r| (r.name.clone(), receiver(r))).collect();
        let ingest = Ingest {
            store: store.clone(),
            outbox: queue.clone(),
            config: config.clone(),
            keys,
            counts: None,
            refusals: Refusals::default(),
        };
        let deliver = Deliver {
            store: store.clone(),
            outbox: queue.clone(),
            config: config.clone(),
            receivers,
            clock: clock.clone(),
            process: "stage".to_owned(),
            leases: AtomicU64::new(0),
            links: None,
            names: Default::default(),
        };
        Ok(Self { config, clock, store, queue, ingest, deliver, directory: None, track: None })
    }

    /// With somebody who answers for the App API.
    pub fn asking(self, directory: Arc<dyn Directory>) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// With somebody who takes the canary's events.
    pub fn tracking(self, track: Arc<dyn Track>) -> Self {
        Self { track: Some(track), ..self }
    }

    /// Posts a body as Customer.io does, signed now.
    pub async fn post(&self, body: &[u8]) -> anyhow::Result<Answer> {
        let now = self.clock.now();
        let stamp = now.as_second().to_string();
        let mut headers = HeaderMap::new();
        let signed = signature::sign(&Secret::new(KEY), &stamp, body);
        headers.insert(signature::SIGNATURE_HEADER, signed.parse()?);
        headers.insert(signature::TIMESTAMP_HEADER, stamp.parse()?);
        let head = Head { method: &Method::POST, path: WEBHOOK_PATH, headers: &headers, peer: None, arrived: now };
        let mut verifier = match self.ingest.begin(&head) {
            Ok(verifier) => verifier,
            Err(answer) => return Ok(answer),
        };
        verifier.update(body);
        Ok(self.ingest.finish(verifier, &head).await)
    }

    /// Sets the clock, then works off everything that is due: queues, tick, queues.
    pub async fn work_at(&self, now: Timestamp) -> anyhow::Result<()> {
        self.clock.set(now);
        self.evaluate().await?;
        self.deliver().await?;
        let tick = Tick {
            store: self.store.as_ref(),
            outbox: self.queue.as_ref(),
            config: &self.config,
            directory: self.directory.as_deref(),
            pulse: None,
            track: self.track.as_deref(),
            sums: None,
        };
        tick.run(now).await?;
        self.deliver().await
    }

    async fn evaluate(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        loop {
            let messages = self.queue.receive_events(BATCH, now, VISIBILITY).await?;
            if messages.is_empty() {
                return Ok(());
            }
            let store = self.store.as_ref();
            let step = Evaluate { store, outbox: self.queue.as_ref(), config: &self.config, stop_by: None };
            self.queue.settle(&step.batch(&messages, now).await?, now).await?;
        }
    }

    /// One pass over every receiver's hints, and another for those that the first one sent to a fallback.
    async fn deliver(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        for _ in 0..2 {
            for name in self.deliver.receivers.keys() {
                for message in self.queue.receive_hints(name, BATCH, now, VISIBILITY).await? {
                    let hint: Hint = serde_json::from_str(&message.body).context("a hint of our own")?;
                    let handled = self.deliver.hint(&hint).await?;
                    self.queue.settle(&[(message.id, handled)], now).await?;
                }
            }
        }
        Ok(())
    }
}
