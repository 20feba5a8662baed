//! `bridge preview`: what people will see, of a made-up bridge.

pub mod made_up;
mod messages;
mod traffic;
mod trouble;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;

use self::made_up::{Day, MadeUp};
use crate::clock::{Clock, SystemClock};
use crate::page::Filters;
use crate::steps::page;
use crate::store::embedded::{Durability, EmbeddedStore};

/// Write the status page and every message of a made-up bridge, to look at
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge preview                      status-calm.html, status-trouble.html, messages.html and messages.json in ./preview
  bridge preview --out /tmp/look
  bridge preview --workflows 200      how it looks with many

Nothing is read of a bridge that runs, and nothing is sent.")]
pub struct PreviewArgs {
    /// The folder that the files go to; made when it is missing
    #[arg(long, value_name = "FOLDER", default_value = "./preview")]
    out: PathBuf,

    /// How many workflows are watched
    #[arg(long, value_name = "N", default_value_t = 12)]
    workflows: usize,

    /// Which moment it is, RFC 3339; default: now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Runs the command.
pub async fn run(args: &PreviewArgs) -> anyhow::Result<ExitCode> {
    let now = args.at.unwrap_or_else(|| SystemClock.now());
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let mut written = vec![("messages.html", messages::page())];
    written.push(("messages.json", serde_json::to_string_pretty(&messages::json())?));
    for (day, name) in [(Day::Calm, "status-calm.html"), (Day::Trouble, "status-trouble.html")] {
        written.push((name, status(day, args.workflows, now).await?));
    }
    for (name, text) in written {
        let file = args.out.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Through a store and the step, as the real one.
async fn status(day: Day, workflows: usize, now: Timestamp) -> anyhow::Result<String> {
    let made = MadeUp::new(day, workflows, 90, now);
    let folder = std::env::temp_dir().join(format!("bridge-preview-{}-{day:?}", std::process::id()));
    let html = async {
        let store = EmbeddedStore::open(&folder, &made.config.workspace.name, Durability::Off)?;
        made.keep(&store).await?;
        page::status(&store, &made.config, &Filters::default(), None, now).await
    }
    .await;
    // What is left behind is in the folder for what is temporary.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(html?)
}
