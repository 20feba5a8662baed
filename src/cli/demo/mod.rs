//! `bridge demo`: a day of made-up traffic at speed, through the real steps: signed webhooks in, messages out. Only
//! the clock is set by hand, and receivers print what they would have sent.

pub mod stage;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use clap::Args;
use jiff::{SignedDuration, Timestamp};

use self::stage::Stage;
use crate::clock::{Clock, ManualClock};
use crate::config::schema::ReceiverConfig;
use crate::config::{Config, parse};
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::receivers::{Outcome, Receiver, console};
use crate::steps::digest;
use crate::steps::ingest::Answer;
use crate::store::Write;

/// The example configuration, which the demo runs unless told otherwise.
const EXAMPLE: &str = include_str!("../../../bridge.toml");

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
            Ok((config, problems)) => {
                problems.iter().for_each(|p| eprintln!("{}", p.in_file(&path.display().to_string())));
                config
            }
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(2));
            }
        },
        None => parse::parse(EXAMPLE).config.context("the built-in example configuration is broken")?,
    };
    let folder = Folder::new()?;
    play(Arc::new(config), &folder).await?;
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

/// Prints what a receiver of some type would have got.
struct Shown {
    name: String,
    type_name: &'static str,
    clock: Arc<ManualClock>,
    config: Arc<Config>,
    count: Arc<AtomicUsize>,
    out: Arc<Mutex<std::io::Stdout>>,
}

#[async_trait]
impl Receiver for Shown {
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

async fn play(config: Arc<Config>, folder: &Folder) -> anyhow::Result<()> {
    let clock = Arc::new(ManualClock::at(midnight(&config)));
    let count = Arc::new(AtomicUsize::new(0));
    let out = Arc::new(Mutex::new(std::io::stdout()));
    let shown = |receiver: &ReceiverConfig| -> Arc<dyn Receiver> {
        Arc::new(Shown {
            name: receiver.name.clone(),
            type_name: receiver.kind.type_name(),
            clock: clock.clone(),
            config: config.clone(),
            count: count.clone(),
            out: out.clone(),
        })
    };
    let stage = Stage::set(config.clone(), clock.clone(), &folder.0, shown).await?;
    // Monday's own digest would speak of a Sunday that the demo does not have.
    let monday = config.workspace.zone.to_datetime(clock.now()).date().to_string();
    ensure!(stage.store.move_cursor(digest::CURSOR, None, &monday).await? == Write::Done, "the demo's data is not new");

    println!("A made-up Monday, played at speed through the real steps. Receivers print what they would have sent.\n");
    let begun = std::time::Instant::now();
    let mut webhooks = 0;
    let mut traffic = traffic::Traffic::new(midnight(&config));
    while let Some((minute, bodies)) = traffic.next_minute() {
        clock.set(minute + SignedDuration::from_secs(30));
        if let Some(remark) = traffic.remark() {
            println!("    {remark}\n");
        }
        webhooks += bodies.len();
        for body in bodies {
            let answer = stage.post(body.as_bytes()).await?;
            ensure!(answer == Answer::Taken, "the bridge answered {} to a signed webhook", answer.status());
        }
        stage.work_at(clock.now()).await?;
    }
    let messages = count.load(Ordering::Relaxed);
    let took = begun.elapsed().as_secs_f64();
    println!("{webhooks} signed webhooks, each answered 200, became {messages} messages; {took:.1} s for 33 hours.");
    println!("Next: `bridge serve` takes real webhooks; `bridge send events/*.json --to URL` makes some.");
    Ok(())
}

/// The local midnight that the demo's day begins at: a Monday, so that the digest speaks of one.
fn midnight(config: &Config) -> Timestamp {
    crate::heartbeat::period::midnight(jiff::civil::date(2026, 11, 23), &config.workspace.zone)
}
