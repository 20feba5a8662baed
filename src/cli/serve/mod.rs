//! `bridge serve`: the whole bridge in one process, on the embedded store.
//!
//! It listens before anything else works, and goes on listening whatever breaks: a refused connection would make
//! the sender hold everything back for an hour (law 2).

mod http;
mod workers;

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[cfg(feature = "aws")]
use crate::aws::cloudwatch::CloudWatch;
use crate::canary::{Track, TrackApi};
#[cfg(feature = "aws")]
use crate::cli::place;
use crate::cli::place::link_key;
use crate::clock::{Clock, SystemClock};
use crate::config::secrets::{EnvSecrets, Secrets};
use crate::config::{Config, parse};
use crate::customerio::app_api::{AppApi, Directory};
use crate::deadman::{HttpPulse, Pulse};
use crate::page::links::Links;
use crate::queue::embedded::EmbeddedQueue;
use crate::receivers;
use crate::reconcile::sums::Sums;
use crate::steps::budget::Budget;
use crate::steps::deliver::Deliver;
use crate::steps::ingest::{Ingest, KeyRing, Refusals};
use crate::steps::visit::Visits;
use crate::store::embedded::{Durability, EmbeddedStore, make_reclaimable};
use crate::store::{Store, StoreError};

/// How long a store that cannot be opened rests before the next try.
const REOPEN_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bridge serve
  bridge serve --config /etc/bridge.toml --listen 0.0.0.0:9000 --data /var/lib/bridge

Export the secrets that the configuration refers to, and point the reporting webhook of Customer.io at
https://YOUR-HOST/webhooks/customerio: a proxy that speaks TLS passes it on. Logs go to stderr, an event a line.")]
pub struct ServeArgs {
    /// The configuration.
    #[arg(long, default_value = "bridge.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Where to listen: an address or a name, and a port; port 0 picks a free one, which the first line of output names.
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "HOST:PORT")]
    pub listen: String,
    /// Where the bridge keeps what it remembers.
    #[arg(long, default_value = "./bridge-data", value_name = "FOLDER")]
    pub data: PathBuf,
}

/// What the listener can do by now.
#[derive(Default)]
struct Front {
    /// Set once configuration, store and keys are there; until then every webhook is answered 503.
    running: OnceLock<Running>,
    /// Why it is not set yet, for whoever asks for readiness.
    waits_for: Mutex<Option<String>>,
}

impl Front {
    fn waits_for(&self, what: String) {
        *self.waits_for.lock().unwrap_or_else(|e| e.into_inner()) = Some(what);
    }

    fn why_not_ready(&self) -> String {
        let what = self.waits_for.lock().unwrap_or_else(|e| e.into_inner()).clone();
        what.unwrap_or_else(|| "it is starting".to_owned())
    }
}

/// A bridge at work.
struct Running {
    ingest: Ingest,
    store: Arc<dyn Store>,
    visits: Visits,
}

/// Runs until SIGTERM or SIGINT, then drains.
pub async fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let listener =
        TcpListener::bind(&args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let _stays_alive = outlive_size_limits();
    let front = Arc::new(Front::default());
    let (stop, stopping) = watch::channel(false);
    let server = tokio::spawn(http::serve(listener, front.clone(), stopping.clone()));
    let workers = tokio::spawn(start(args.config.clone(), args.data.clone(), front.clone(), stopping, address));

    terminated().await;
    tracing::info!(event = "draining");
    let _ = stop.send(true);
    server.await.context("the listener died")?;
    workers.await.context("the workers died")?;
    tracing::info!(event = "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Reads the configuration, opens the store and works; returns when told to stop and drained.
async fn start(
    config: PathBuf,
    data: PathBuf,
    front: Arc<Front>,
    mut stopping: watch::Receiver<bool>,
    address: SocketAddr,
) {
    let config = match read_config(&config) {
        Some(config) => Arc::new(config),
        None => {
            front.waits_for("the configuration is broken, see the log".to_owned());
            announce(address);
            let _ = stopping.wait_for(|stop| *stop).await;
            return;
        }
    };
    let mut announced = false;
    let (store, queue, _lock) = loop {
        match open(&data, &config).await {
            Ok(opened) => break opened,
            Err(error) => {
                tracing::error!(event = "store_not_opened", data = %data.display(), %error);
                // Anybody may ask for readiness: where the folder is is nobody's business.
                front.waits_for(error.to_string().replace(&data.display().to_string(), "<data>"));
                if !announced {
                    announce(address);
                    announced = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(REOPEN_EVERY) => {}
                    _ = stopping.wait_for(|stop| *stop) => return,
                }
            }
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secrets: Arc<dyn Secrets> = Arc::new(EnvSecrets);
    let keys = KeyRing::load(config.customerio.signing_keys.clone(), secrets.clone(), clock.now()).await;
    // Alerts do without links rather than not to be sent.
    let link_keys = link_key::of(&config, secrets.as_ref(), Some(&data)).await;
    let link_keys = link_keys.inspect_err(|error| tracing::error!(event = "no_links", %error)).ok();
    let base_url = config.page.as_ref().and_then(|page| page.base_url.clone());
    let visits = Visits {
        store: store.clone(),
        outbox: queue.clone(),
        config: config.clone(),
        keys: link_keys.clone(),
        names: Default::default(),
        clock: clock.clone(),
    };
    let deliver = Arc::new(Deliver {
        store: store.clone(),
        outbox: queue.clone(),
        receivers: receivers::build::all(&config.receivers, secrets.as_ref(), &clock).await,
        config: config.clone(),
        clock: clock.clone(),
        process: format!("serve-{}-{}", std::process::id(), clock.now().as_nanosecond()),
        leases: AtomicU64::new(0),
        names: Default::default(),
        links: base_url.zip(link_keys.clone()).map(|(base, keys)| Links::new(&base, keys)),
    });
    let deadman = config.deadman.clone();
    let pulse = deadman.map(|d| Arc::new(HttpPulse::new(d, secrets.clone(), clock.clone())) as Arc<dyn Pulse>);
    let canary = config.canary.clone();
    let track = canary.map(|canary| {
        let region = config.customerio.region;
        Arc::new(TrackApi::new(canary, region, secrets.clone(), clock.clone())) as Arc<dyn Track>
    });
    let budget = Arc::new(Budget { store: store.clone(), clock: clock.clone() });
    let directory = AppApi::of(&config.customerio, secrets.clone(), clock.clone())
        .map(|api| Arc::new(api.sharing(budget)) as Arc<dyn Directory>);
    let counts = match &config.counts {
        Some(counts) => Some(KeyRing::load(counts.signing_keys.clone(), secrets.clone(), clock.now()).await),
        None => None,
    };
    let ingest = Ingest {
        store: store.clone(),
        outbox: queue.clone(),
        config: config.clone(),
        keys,
        counts,
        refusals: Refusals::default(),
    };
    tracing::info!(event = "started", workspace = config.workspace.name, config = config.hash, %address);
    let _ = front.running.set(Running { ingest, store, visits });
    if !announced {
        announce(address);
    }
    let sums = sums(&config).await;
    workers::Workers { queue, deliver, config, clock, directory, pulse, track, sums }.run(stopping).await;
}

/// Where metrics are summed up, if the configuration names any.
async fn sums(config: &Config) -> Option<Arc<dyn Sums>> {
    config.metrics().first()?;
    #[cfg(feature = "aws")]
    return Some(Arc::new(CloudWatch::new(&place::sdk().await)));
    #[cfg(not(feature = "aws"))]
    {
        tracing::warn!(
            event = "configuration",
            "this build reads no CloudWatch metrics: build it with the default features"
        );
        None
    }
}

/// Output that cannot be written, to a full disk for instance, is no reason to die.
fn announce(address: SocketAddr) {
    let _ = writeln!(io::stdout(), "listening on http://{address}");
}

/// A write beyond the largest file that the system allows us (`ulimit -f`, LimitFSIZE of systemd) is to fail, as one to
/// a full disk does: left alone, the signal would end the process, and with it all answers (law 2). It stays caught for as
/// long as the process lives.
#[cfg(unix)]
fn outlive_size_limits() -> Option<tokio::signal::unix::Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    /// Everywhere but on MIPS and PA-RISC. Source: signal(7) of the Linux manual; sys/signal.h of macOS.
    const SIGXFSZ: i32 = 25;
    signal(SignalKind::from_raw(SIGXFSZ)).ok()
}

#[cfg(not(unix))]
fn outlive_size_limits() {}

fn read_config(path: &Path) -> Option<Config> {
    match parse::load(path) {
        Ok((config, problems)) => {
            for problem in &problems {
                tracing::warn!(event = "configuration", problem = %problem.in_file(&path.display().to_string()));
            }
            Some(config)
        }
        Err(error) => {
            tracing::error!(event = "configuration_broken", "answering 503 until it is repaired and serve restarted");
            let _ = writeln!(io::stderr(), "{error}");
            None
        }
    }
}

/// An open data folder, ours while the lock lives.
type Opened = (Arc<dyn Store>, Arc<EmbeddedQueue>, File);

async fn open(data: &Path, config: &Config) -> Result<Opened, StoreError> {
    let (folder, workspace) = (data.to_owned(), config.workspace.name.clone());
    let opening = tokio::task::spawn_blocking(move || EmbeddedStore::open(&folder, &workspace, Durability::Full));
    let store = opening.await.map_err(|e| StoreError::Unavailable(e.to_string()))??;
    let lock = only_one(data)?;
    let folder = data.to_owned();
    match tokio::task::spawn_blocking(move || make_reclaimable(&folder)).await {
        Ok(Ok(false)) => {}
        Ok(Ok(true)) => tracing::info!(event = "store_rewritten", "the data file gives free pages back from now on"),
        Ok(Err(error)) => tracing::warn!(event = "store_not_rewritten", %error, "the data file will not shrink"),
        Err(error) => tracing::warn!(event = "store_not_rewritten", %error),
    }
    let queue = Arc::new(store.queue());
    // Whoever held leases or messages in this folder is dead: one serve a folder.
    store.void_leases().await?;
    queue.requeue_in_flight(SystemClock.now()).await?;
    Ok((Arc::new(store), queue, lock))
}

/// One `serve` a folder: a second one would void the first one's leases. Commands need no lock.
fn only_one(data: &Path) -> Result<File, StoreError> {
    let path = data.join("serve.lock");
    let unavailable = |why: String| StoreError::Unavailable(format!("{}: {why}", path.display()));
    let lock = File::create(&path).map_err(|e| unavailable(e.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(unavailable("another `bridge serve` works on this folder; stop it, or give --data another one".into()))
        }
        Err(TryLockError::Error(error)) => Err(unavailable(error.to_string())),
    }
}

async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
