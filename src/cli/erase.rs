//! `bridge erase`: takes one person's traces out of the quarantine.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use super::place::{Place, refused};
use crate::clock::{Clock, SystemClock};
use crate::message::text;
use crate::steps::erase::{self, Trace};

/// Remove one person's traces
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge erase --person ada@example.com          what would go; nothing is changed
  bridge erase --person ada@example.com --yes    removes it
  bridge erase --person 4711 --json

Only the quarantine holds personal data (docs/security.md says what is stored where). Requests go as a whole that hold \
the id or address as a whole word, or the address, id, phone number or delivery ids that the same requests name for this \
person. An id of fewer than 6 characters is looked for only in fields that hold ids.

Exit code: 0 no trace is left, 1 traces were found and are still there, 2 bad arguments.")]
pub struct EraseArgs {
    /// The person's id or e-mail address
    #[arg(long, value_name = "ID_OR_EMAIL")]
    person: String,

    /// Remove what is found
    #[arg(long)]
    yes: bool,

    /// Print an array of {id, reason, event_id, received_at, preview, others, erased}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// Runs the command.
pub async fn run(args: &EraseArgs) -> anyhow::Result<ExitCode> {
    Ok(erase(args, SystemClock.now()).await.unwrap_or_else(|error| refused(&error)))
}

async fn erase(args: &EraseArgs, now: Timestamp) -> anyhow::Result<ExitCode> {
    if args.person.trim().is_empty() {
        bail!("--person takes an id or an e-mail address");
    }
    let opened = args.place.open().await?;
    let found = erase::find(opened.store.as_ref(), &args.person, now).await?;
    if args.yes {
        erase::erase(opened.store.as_ref(), &found).await?;
    }
    if args.json {
        let shown = |trace: &Trace| {
            json!({
                "id": trace.request.id, "reason": trace.request.reason, "event_id": trace.event_id,
                "received_at": trace.request.received_at, "preview": trace.preview, "others": trace.others,
                "erased": args.yes,
            })
        };
        println!("{}", json!(found.iter().map(shown).collect::<Vec<_>>()));
    } else {
        let zone = &opened.config.workspace.zone;
        for trace in &found {
            let at = text::clock(trace.request.received_at, zone, now);
            let others = if trace.others { "  (holds events of others, too: `bridge redrive` first)" } else { "" };
            let id = trace.request.id.get(..12).unwrap_or(&trace.request.id);
            println!("{id}  {at}  {}{others}\n    {}", trace.request.reason, trace.preview);
        }
        let requests = text::count("quarantined request", found.len() as u64);
        match (found.is_empty(), args.yes) {
            (true, _) => println!("No trace."),
            (false, true) => println!("{requests} removed."),
            (false, false) => println!("{requests} would be removed; --yes does it."),
        }
    }
    Ok(if found.is_empty() || args.yes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
