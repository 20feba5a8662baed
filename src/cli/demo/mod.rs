//! `bridge demo`: a day of made-up traffic at speed, through the real steps: signed webhooks in, messages out. Only
//! the clock is set by hand, and receivers print what they would have sent.

mod traffic;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use clap::Args;
use hyper::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, ManualClock};
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::config::{Config, parse};
use crate::customerio::signature;
use crate::digest;
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::queue::Hint;
use crate::queue::embedded::EmbeddedQueue;
use crate::receivers::{Abilities, Outcome, Receiver, console};
use crate::steps::deliver::Deliver;
use crate::steps::evaluate::Evaluate;
use crate::steps::ingest::{Answer, Head, Ingest, KeyRing, Refusals, WEBHOOK_PATH};
use crate::steps::tick::Tick;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::{Store, Write};

/// The example configuration, which the demo runs unless told otherwise.
const EXAMPLE: &str = include_str!("../../../bridge.toml");

const DEMO_KEY: &str = "demo-signing-key";

/// Messages taken from a queue at once.
const BATCH: usize = 500;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bridge demo
  bridge demo --config my.toml      # the same day under your own rules, routes and receivers

Nothing leaves this machine: receivers print what they would have sent. It needs no account and no secret.")]
pub struct DemoArgs {
    /// Another configuration than the built-in example; its secrets are not read.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Plays the day and prints what each receiver would have got.
pub async fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let config = match &args.config {
        Some(path) => match parse::load(path) {
            Ok((config, _)) => config,
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(2));
            }
        },
        None => parse::parse(EXAMPLE).config.context("the built-in example configuration is broken")?,
    };
    let folder = Folder::new()?;
    let mut stage = Stage::set(Arc::new(config), &folder).await?;
    stage.play().await?;
    Ok(ExitCode::SUCCESS)
}

/// A data folder that is gone when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("bridge-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Best effort: it lies in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct DemoSecrets;

#[async_trait]
impl Secrets for DemoSecrets {
    async fn get(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(DEMO_KEY))
    }
}

/// Prints what a receiver of some type would have got.
struct Shown {
    name: String,
    type_name: &'static str,
    posts: bool,
    clock: Arc<ManualClock>,
    config: Arc<Config>,
    count: Arc<AtomicUsize>,
    out: Arc<Mutex<std::io::Stdout>>,
}

#[async_trait]
impl Receiver for Shown {
    fn abilities(&self) -> Abilities {
        Abilities { posts: self.posts }
    }

    async fn send(&self, message: &Message, _: Option<&Receipt>) -> Outcome {
        use std::io::Write;
        let at = self.config.workspace.zone.to_datetime(self.clock.now()).strftime("%a %H:%M").to_string();
        let text = console::show(self.type_name, &self.name, message);
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        match writeln!(out, "--- {at} -> {} ({}) ---\n{}\n", self.name, self.type_name, text.trim_end()) {
            Ok(()) => Outcome::Delivered(Receipt::default()),
            Err(_) => Outcome::BadReceiver("standard output is closed".to_owned()),
        }
    }
}

struct Stage {
    config: Arc<Config>,
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    queue: Arc<EmbeddedQueue>,
    ingest: Ingest,
    deliver: Deliver,
    shown: Arc<AtomicUsize>,
    webhooks: usize,
}

impl Stage {
    async fn set(config: Arc<Config>, folder: &Folder) -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::at(traffic::begin(&config)));
        let embedded = EmbeddedStore::open(&folder.0, &config.workspace.name, Durability::Off)?;
        let queue = Arc::new(embedded.queue());
        let store: Arc<dyn Store> = Arc::new(embedded);
        let keys = KeyRing::load(config.customerio.signing_keys.clone(), Arc::new(DemoSecrets), clock.now()).await;
        let shown = Arc::new(AtomicUsize::new(0));
        let out = Arc::new(Mutex::new(std::io::stdout()));
        let mut receivers: BTreeMap<String, Arc<dyn Receiver>> = BTreeMap::new();
        for receiver in &config.receivers {
            let type_name = receiver.kind.type_name();
            let shown = Shown {
                name: receiver.name.clone(),
                type_name,
                posts: type_name != "pagerduty",
                clock: clock.clone(),
                config: config.clone(),
                count: shown.clone(),
                out: out.clone(),
            };
            receivers.insert(receiver.name.clone(), Arc::new(shown));
        }
        let ingest = Ingest {
            store: store.clone(),
            outbox: queue.clone(),
            config: config.clone(),
            keys,
            refusals: Refusals::default(),
        };
        let deliver = Deliver {
            store: store.clone(),
            outbox: queue.clone(),
            config: config.clone(),
            receivers,
            clock: clock.clone(),
            owner: "demo".to_owned(),
        };
        Ok(Self { config, clock, store, queue, ingest, deliver, shown, webhooks: 0 })
    }

    async fn play(&mut self) -> anyhow::Result<()> {
        let mut traffic = traffic::Traffic::new(&self.config);
        println!("{}\n", traffic.announcement());
        // Monday's own digest would speak of a Sunday that the demo does not have.
        let monday = self.config.workspace.zone.to_datetime(self.clock.now()).date().to_string();
        ensure!(
            self.store.move_cursor(digest::CURSOR, None, &monday).await? == Write::Done,
            "the demo's data is not new"
        );
        let begun = std::time::Instant::now();
        while let Some((minute, bodies)) = traffic.next_minute() {
            self.clock.set(minute + SignedDuration::from_secs(30));
            if let Some(remark) = traffic.remark() {
                println!("    {remark}\n");
            }
            for body in bodies {
                self.post(&body).await?;
            }
            self.work().await?;
            Tick { store: self.store.as_ref(), outbox: self.queue.as_ref(), config: &self.config }
                .run(self.clock.now())
                .await?;
            self.work().await?;
        }
        println!(
            "{} signed webhooks, each answered 200, became {} messages; {:.1} s for 33 hours.",
            self.webhooks,
            self.shown.load(Ordering::Relaxed),
            begun.elapsed().as_secs_f64()
        );
        println!("Next: `bridge serve` takes real webhooks; `bridge send events/*.json --to URL` makes some.");
        Ok(())
    }

    async fn post(&mut self, body: &str) -> anyhow::Result<()> {
        let now = self.clock.now();
        let stamp = now.as_second().to_string();
        let mut headers = HeaderMap::new();
        headers.insert("x-cio-signature", signature::sign(&Secret::new(DEMO_KEY), &stamp, body.as_bytes()).parse()?);
        headers.insert("x-cio-timestamp", stamp.parse()?);
        let head = Head { method: &Method::POST, path: WEBHOOK_PATH, headers: &headers, peer: None, arrived: now };
        let mut verifier = match self.ingest.begin(&head) {
            Ok(verifier) => verifier,
            Err(answer) => bail!("the bridge answered {} to a signed webhook", answer.status()),
        };
        verifier.update(body.as_bytes());
        let answer = self.ingest.finish(verifier, &head).await;
        ensure!(answer == Answer::Taken, "the bridge answered {} to a signed webhook", answer.status());
        self.webhooks += 1;
        Ok(())
    }

    /// Lets evaluate and deliver work until both queues are empty.
    async fn work(&self) -> anyhow::Result<()> {
        let (now, visibility) = (self.clock.now(), Duration::from_secs(60));
        loop {
            let messages = self.queue.receive_events(BATCH, now, visibility).await?;
            if messages.is_empty() {
                break;
            }
            let step = Evaluate { store: self.store.as_ref(), outbox: self.queue.as_ref(), config: &self.config };
            self.queue.settle(&step.batch(&messages, now).await?, now).await?;
        }
        for name in self.deliver.receivers.keys() {
            for message in self.queue.receive_hints(name, BATCH, now, visibility).await? {
                let hint: Hint = serde_json::from_str(&message.body)?;
                let handled = self.deliver.hint(&hint).await?;
                self.queue.settle(&[(message.id, handled)], now).await?;
            }
        }
        Ok(())
    }
}

/// The local midnight that the demo's day begins at: a Monday, so that the digest speaks of one.
fn midnight(config: &Config) -> Timestamp {
    crate::heartbeat::period::midnight(jiff::civil::date(2026, 11, 23), &config.workspace.zone)
}
