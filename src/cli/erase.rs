//! `bridge erase`: takes one person's traces out of the quarantine, and out of dead letters.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use super::place::{Opened, Place, refused};
use crate::clock::{Clock, SystemClock};
use crate::message::text;
use crate::queue::dead_letters::{DeadLetter, Held};
use crate::steps::erase::{self, Place as At, Trace};

/// Dead letters are out of everybody's sight for so long at most.
const HELD: Duration = Duration::from_secs(300);

/// Remove one person's traces
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge erase --person ada@example.com          what would go; nothing is changed
  bridge erase --person ada@example.com --yes    removes it
  bridge erase --person 4711 --json
  bridge erase --person ada@example.com --stack cio-alert-bridge

Only the quarantine holds personal data, and dead letters on AWS may (docs/security.md says what is stored where). Requests go as a whole that hold \
the id or address as a whole word, or the address, id, phone number or delivery ids that the same requests name for this \
person. An id of fewer than 6 characters is looked for only in fields that hold ids. A dead letter was not counted, and is not after that: `bridge redrive --send` it first.

Not reached: backups, the recovery of a table on AWS (35 days), messages that are on their way, what receivers were sent.

Exit code: 0 no trace is left, 1 traces were found and are still there, 2 bad arguments.")]
pub struct EraseArgs {
    /// The person's id or e-mail address
    #[arg(long, value_name = "ID_OR_EMAIL")]
    person: String,

    /// Remove what is found
    #[arg(long)]
    yes: bool,

    /// Print an array of {id, kind, reason, event_id, received_at, preview, others, erased}
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
    let Held { letters, rest } = match &opened.dead_letters {
        Some(dead_letters) => dead_letters.hold(HELD).await?,
        None => Held::default(),
    };
    for rest in &rest {
        let more = text::count("dead letter", rest.more + rest.with_others);
        eprintln!("note: about {more} could not be looked at now: run it again later");
    }
    let done = look(&opened, &letters, args, now).await;
    if let Some(dead_letters) = &opened.dead_letters {
        let gone: HashSet<&str> = done.iter().flat_map(|done| &done.erased).map(String::as_str).collect();
        let kept: Vec<&DeadLetter> = letters.iter().filter(|letter| !gone.contains(letter.id.as_str())).collect();
        dead_letters.give_back(&kept).await;
    }
    let Done { found, erased } = done?;
    if args.json {
        let shown: Vec<_> = found.iter().map(|trace| shown(trace, erased.contains(&trace.id))).collect();
        println!("{}", json!(shown));
    } else {
        print(&opened, &found, args.yes.then_some(&erased), now);
    }
    let all = found.len() == erased.len() && rest.is_empty();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was found, and the ids of what is erased.
struct Done {
    found: Vec<Trace>,
    erased: HashSet<String>,
}

async fn look(opened: &Opened, letters: &[DeadLetter], args: &EraseArgs, now: Timestamp) -> anyhow::Result<Done> {
    let store = opened.store.as_ref();
    let found = erase::find(store, letters, &args.person, now).await?;
    let mut erased = HashSet::new();
    if args.yes {
        let left = erase::erase(store, opened.dead_letters.as_deref(), &found).await?;
        erased = found.iter().map(|trace| trace.id.clone()).filter(|id| !left.contains(id)).collect();
    }
    Ok(Done { found, erased })
}

fn shown(trace: &Trace, erased: bool) -> serde_json::Value {
    let kind = match trace.place {
        At::Quarantine(_) => "quarantined",
        At::DeadLetter(_) => "dead_letter",
    };
    json!({
        "id": trace.id, "kind": kind, "reason": trace.reason, "event_id": trace.event_id,
        "received_at": trace.received_at, "preview": trace.preview, "others": trace.others, "erased": erased,
    })
}

/// `erased`: the ids of what is gone, if anything was to go.
fn print(opened: &Opened, found: &[Trace], erased: Option<&HashSet<String>>, now: Timestamp) {
    let zone = &opened.config.workspace.zone;
    for trace in found {
        let at = text::clock(trace.received_at, zone, now);
        let others = match (&trace.place, trace.others) {
            (At::DeadLetter(_), _) => "  (not counted yet: `bridge redrive` first)",
            (At::Quarantine(_), true) => "  (holds events of others, too: `bridge redrive` first)",
            (At::Quarantine(_), false) => "",
        };
        let id = trace.id.get(..12).unwrap_or(&trace.id);
        println!("{id}  {at}  {}{others}\n    {}", trace.reason, trace.preview);
    }
    let dead = |trace: &&Trace| matches!(trace.place, At::DeadLetter(_));
    let letters = found.iter().filter(dead).count() as u64;
    let requests = text::count("quarantined request", found.len() as u64 - letters);
    let what = match letters {
        0 => requests,
        n => format!("{requests} and {}", text::count("dead letter", n)),
    };
    match (found.len(), erased.map(HashSet::len)) {
        (0, _) => println!("No trace."),
        (_, None) => println!("{what} would be removed; --yes does it."),
        (all, Some(gone)) if gone < all => {
            println!("Of {what} {gone} removed; somebody else may hold the rest: run it again.");
        }
        _ => println!("{what} removed."),
    }
}
