//! `bridge redrive`: what could not be understood, processed or delivered, listed; sent again or dropped.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;

use super::place::{Opened, Place, refused, whoami};
use crate::clock::{Clock, SystemClock};
use crate::config::reader::quoted;
use crate::message::text;
use crate::steps::redrive::{self, Item, Kind, Outcome, Redrive, dead};

/// Characters of a long id that are shown; so many also suffice on the command line, as does any unique beginning.
const ID_SHOWN: usize = 12;

/// Dead letters are out of everybody's sight for so long while they are looked at, at most ...
const LOOKED_AT: Duration = Duration::from_secs(60);

/// ... and while they are sent or dropped.
const ACTED_UPON: Duration = Duration::from_secs(300);

/// List what could not be understood or delivered; send it again, or drop it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge redrive                            what waits, and why; personal data is masked
  bridge redrive --json
  bridge redrive --send 9f86d081884c        read a request again, or tell a receiver again
  bridge redrive --drop 9f86d081884c 1a2b3c4d-1@on-call
  bridge redrive --send --all               everything; --all alone means the same
  bridge redrive --drop --all               give everything up
  bridge redrive --stack cio-alert-bridge   on AWS, with the dead letters of its queues

Nothing is changed without --send, --drop or --all. An id may be cut to any beginning that only it has. \
A request that is read again counts as of the time it first arrived, once, however often it is sent. \
It works on a folder that `bridge serve` is running on. On AWS at most 500 dead letters of each queue are read at once; \
nobody else sees them meanwhile.

Exit code: 0 nothing waits, or all that was asked for is done; 1 something waits or could not be sent; 2 bad arguments.")]
pub struct RedriveArgs {
    /// Send these again
    #[arg(long, value_name = "ID", num_args = 0..)]
    send: Option<Vec<String>>,

    /// Give these up: a request or dead letter is deleted, an alert is told to that receiver no more
    #[arg(long, value_name = "ID", num_args = 0..)]
    drop: Option<Vec<String>>,

    /// Everything that is listed (with --drop: drop it, else send it)
    #[arg(long)]
    all: bool,

    /// Print an array of {id, kind, reason, event_id, received_at, preview}; after --send or --drop with {outcome, note}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// What is to be done with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Send,
    Drop,
}

/// What became of an item, as `--json` prints it.
#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    item: &'a Item,
    outcome: &'static str,
    note: String,
}

/// Runs the command.
pub async fn run(args: &RedriveArgs) -> anyhow::Result<ExitCode> {
    Ok(redrive(args, SystemClock.now()).await.unwrap_or_else(|error| refused(&error)))
}

async fn redrive(args: &RedriveArgs, now: Timestamp) -> anyhow::Result<ExitCode> {
    let asked = asked(args)?;
    let opened = args.place.open().await?;
    let step = Redrive {
        store: opened.store.as_ref(),
        outbox: opened.outbox.as_ref(),
        config: &opened.config,
        dead_letters: opened.dead_letters.as_deref(),
        process: std::process::id().to_string(),
    };
    let mut items = step.list(now).await?;
    let mut notes = Vec::new();
    if let Some(letters) = step.dead_letters {
        let hold = if asked.is_some() { ACTED_UPON } else { LOOKED_AT };
        let (held, more) = dead::hold(letters, hold).await?;
        (items, notes) = ([items, held].concat(), more);
        redrive::sort(&mut items);
    }
    let mut done = Vec::new();
    let acted = match &asked {
        None => Ok(()),
        Some(asked) => act(&step, &items, asked, now, &mut done).await,
    };
    if let Some(letters) = step.dead_letters {
        let is_gone = |item: &Item| done.iter().any(|done: &Done<'_>| done.item.id == item.id && done.outcome != KEPT);
        dead::give_back(letters, &items, is_gone).await;
    }
    acted?;
    for note in &notes {
        eprintln!("note: {note}");
    }
    if asked.is_none() {
        show(&opened, &items, args.json, now)?;
        return Ok(exit(items.is_empty() && notes.is_empty()));
    }
    if args.json {
        println!("{}", serde_json::to_string(&done)?);
    } else {
        for Done { item, outcome, note } in &done {
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            println!("{outcome} {}{note}", short(&item.id));
        }
        if done.is_empty() {
            println!("Nothing waits.");
        }
    }
    // Of everything that was asked for, a part was not even read.
    let is_cut = args.all && !notes.is_empty();
    Ok(exit(!is_cut && done.iter().all(|done| done.outcome != KEPT)))
}

const KEPT: &str = "kept";

/// Sends and drops what is asked for; `done` says what came of it, also when the store fails before the end.
async fn act<'i>(
    step: &Redrive<'_>,
    items: &'i [Item],
    asked: &Asked<'_>,
    now: Timestamp,
    done: &mut Vec<Done<'i>>,
) -> anyhow::Result<()> {
    for (item, what) in chosen(items, asked)? {
        let outcome = match what {
            Do::Send => step.send(item, now).await?,
            Do::Drop => step.give_up(item, &whoami(), now).await?,
        };
        let (outcome, note) = match outcome {
            Outcome::Sent(note) => ("sent", note),
            Outcome::Dropped => ("dropped", String::new()),
            Outcome::Kept(why) => (KEPT, why),
        };
        done.push(Done { item, outcome, note });
    }
    Ok(())
}

/// Which ids for what; `None` in place of ids: all of them. `None` at all: only a list.
type Asked<'a> = Vec<(Do, Option<&'a [String]>)>;

fn asked(args: &RedriveArgs) -> anyhow::Result<Option<Asked<'_>>> {
    let given = |ids: &Option<Vec<String>>| ids.as_ref().map(|ids| !ids.is_empty());
    match (given(&args.send), given(&args.drop), args.all) {
        (None, None, false) => Ok(None),
        (None | Some(false), None, true) => Ok(Some(vec![(Do::Send, None)])),
        (None, Some(false), true) => Ok(Some(vec![(Do::Drop, None)])),
        (_, _, true) => bail!("--all means everything: name no ids, and one of --send and --drop"),
        (Some(false), _, false) => bail!("--send what? Name ids, or say --send --all"),
        (_, Some(false), false) => bail!("--drop what? Name ids, or say --drop --all"),
        (_, _, false) => {
            let both = [(Do::Send, &args.send), (Do::Drop, &args.drop)];
            Ok(Some(both.into_iter().filter_map(|(what, ids)| Some((what, Some(ids.as_deref()?)))).collect()))
        }
    }
}

/// The items that were asked for; nothing is done when one of the ids is not clear.
fn chosen<'i>(items: &'i [Item], asked: &Asked<'_>) -> anyhow::Result<Vec<(&'i Item, Do)>> {
    let mut chosen: Vec<(&Item, Do)> = Vec::new();
    for (what, ids) in asked {
        let Some(ids) = ids else {
            chosen.extend(items.iter().map(|item| (item, *what)));
            continue;
        };
        for id in *ids {
            let item = one(items, id)?;
            if let Some((_, other)) = chosen.iter().find(|(known, _)| known.id == item.id) {
                if other != what {
                    bail!("{} is to be sent and dropped: which?", short(&item.id));
                }
                continue;
            }
            chosen.push((item, *what));
        }
    }
    Ok(chosen)
}

fn one<'i>(items: &'i [Item], id: &str) -> anyhow::Result<&'i Item> {
    if let Some(item) = items.iter().find(|item| item.id == id) {
        return Ok(item);
    }
    let like: Vec<&Item> = items.iter().filter(|item| !id.is_empty() && item.id.starts_with(id)).collect();
    match like.as_slice() {
        [one] => Ok(one),
        [] => bail!("nothing that waits has the id {}; `bridge redrive` lists what does", quoted(id)),
        several => bail!("{} is the beginning of {} ids: give more of it", quoted(id), several.len()),
    }
}

fn show(opened: &Opened, items: &[Item], json: bool, now: Timestamp) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(items)?);
        return Ok(());
    }
    let zone = &opened.config.workspace.zone;
    for item in items {
        let kind = match item.kind {
            Kind::Quarantined => "quarantined",
            Kind::Undeliverable => "undeliverable",
            Kind::DeadLetter => "dead letter",
        };
        let event = item.event_id.as_deref().map_or_else(String::new, |id| format!("  event {id}"));
        let at = text::clock(item.received_at, zone, now);
        println!("{}  {kind}  {at}{event}  {}\n    {}", short(&item.id), item.reason, item.preview);
    }
    match items.len() {
        0 => println!("Nothing waits."),
        n => println!("\n{} to --send or --drop.", text::count("item", n as u64)),
    }
    Ok(())
}

/// The beginning of a long id; a pair's whole.
fn short(id: &str) -> &str {
    if id.contains('@') { id } else { id.get(..ID_SHOWN).unwrap_or(id) }
}

fn exit(fine: bool) -> ExitCode {
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
