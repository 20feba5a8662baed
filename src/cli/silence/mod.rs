//! `bridge silence`: mutes by labels, for a time, with a reason.

pub(super) mod when;

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::place::{Opened, Place, refused, whoami};
use crate::clock::{Clock, SystemClock};
use crate::config::reader::quoted;
use crate::incident::Incident;
use crate::message::text;
use crate::route::Label;
use crate::silence::{AUTHOR_CHARS, Conditions, LONGEST_DAYS, REASON_CHARS, Silence, Standing, fresh_id};
use crate::steps::{open, silences};

/// Mute alerts by labels, for a time, with a reason
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge silence add rule=bounce-rate 'source=campaign:*' --for 2h --reason 'moving to another mail provider'
  bridge silence add severity=warning --start 22:00 --for 8h --reason 'load test' --author ada
  bridge silence list
  bridge silence end 3f9a2c11
  bridge silence list --stack cio-alert-bridge   on AWS

A silence takes effect within a minute, also while `bridge serve` runs. What it covers is not told; what is still open \
when it ends is told then; what is over by then is named in the digest. What was told before gets its end told.")]
pub struct SilenceArgs {
    #[command(subcommand)]
    command: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Mute what matches all of these labels
    #[command(after_help = "\
Labels are those of routes: severity, kind, rule, source, owner, channel, metric, cause; * stands for any text. Of a \
label that is given twice either may match. An incident that also has a source, cause, ... that is not named is told. \
Blindness (nothing arrives any more) is muted only by kind=blindness.

Examples:
  bridge silence add rule=bounce-rate --for 2h --reason 'known, provider ticket 4711'
  bridge silence add source=campaign:5 source=campaign:6 --for 3d --reason 'paused'")]
    Add(AddArgs),
    /// Show silences: those to come, those at work, and those that ended in the last 30 days
    List(ListArgs),
    /// End a silence now
    End(EndArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// What is muted, as label=value
    #[arg(value_name = "LABEL=VALUE")]
    matchers: Vec<String>,

    /// How long: 30m, 2h, 1d
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    length: Option<String>,

    /// Until when: 16:30, '2026-11-27 08:00' (in the workspace's time zone) or 2026-11-27T08:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// From when on, written as for --until; default now
    #[arg(long, value_name = "TIME")]
    start: Option<String>,

    /// Why; alerts that come after it and the digest say so
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Who; default the user's name
    #[arg(long, value_name = "NAME")]
    author: Option<String>,

    /// Print the silence as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Print an array of {id, matchers, start, end, author, reason, created_at, state}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct EndArgs {
    /// The silence's id
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    place: Place,
}

/// As `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    silence: &'a Silence,
    state: Standing,
}

/// Runs the command.
pub async fn run(args: &SilenceArgs) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let done = match &args.command {
        Do::Add(args) => add(args, now).await,
        Do::List(args) => list(args, now).await,
        Do::End(args) => end(args, now).await,
    };
    Ok(done.map_or_else(|error| refused(&error), |()| ExitCode::SUCCESS))
}

async fn add(args: &AddArgs, now: Timestamp) -> anyhow::Result<()> {
    let matchers = Conditions::parse(&args.matchers)?;
    let opened = args.place.open().await?;
    let zone = &opened.config.workspace.zone;
    let (start, end) = span(args, zone, now)?;
    let silence = Silence {
        id: fresh_id(&opened.store.silences().await?),
        matchers,
        start,
        end,
        author: line("--author", &args.author.clone().unwrap_or_else(whoami), AUTHOR_CHARS)?,
        reason: line("--reason", &args.reason, REASON_CHARS)?,
        created_at: now,
    };
    for hint in unknown_names(&opened, &silence) {
        eprintln!("note: {hint}");
    }
    opened.store.keep_silence(&silence).await?;
    if args.json {
        println!("{}", serde_json::to_string(&Shown { silence: &silence, state: silence.standing(now) })?);
        return Ok(());
    }
    println!("{}", described(&silence, zone, now));
    // So that a slip is seen at once.
    match muted_by(&opened, &silence, now).await?.as_slice() {
        [] => println!("Nothing that is open now matches it."),
        some => println!("Of what is open it covers {}.", ids(some)),
    }
    Ok(())
}

async fn list(args: &ListArgs, now: Timestamp) -> anyhow::Result<()> {
    let opened = args.place.open().await?;
    let silences = opened.store.silences().await?;
    if args.json {
        let shown: Vec<Shown> =
            silences.iter().map(|silence| Shown { silence, state: silence.standing(now) }).collect();
        println!("{}", serde_json::to_string(&shown)?);
        return Ok(());
    }
    if silences.is_empty() {
        println!("Nothing is silenced.");
    }
    for standing in [Standing::Active, Standing::Pending, Standing::Ended] {
        for silence in silences.iter().filter(|s| s.standing(now) == standing) {
            println!("{}", described(silence, &opened.config.workspace.zone, now));
        }
    }
    Ok(())
}

async fn end(args: &EndArgs, now: Timestamp) -> anyhow::Result<()> {
    let opened = args.place.open().await?;
    let silences = opened.store.silences().await?;
    let Some(silence) = silences.iter().find(|s| s.id.eq_ignore_ascii_case(args.id.trim())) else {
        bail!("there is no silence {}; `bridge silence list` shows them", quoted(&args.id));
    };
    if silence.standing(now) == Standing::Ended {
        println!("It had ended before: {}", described(silence, &opened.config.workspace.zone, now));
        return Ok(());
    }
    let ended = silence.ended(now);
    let muted = muted_by(&opened, silence, now).await?;
    opened.store.keep_silence(&ended).await?;
    println!("{}", described(&ended, &opened.config.workspace.zone, now));
    // tick would find them within a minute; people who end a silence wait for what they see.
    for incident in &muted {
        open::hint(opened.outbox.as_ref(), incident, now).await?;
    }
    match muted.as_slice() {
        [] => println!("It muted nothing that is open."),
        some => println!("Told now, unless another silence covers it: {}.", ids(some)),
    }
    Ok(())
}

/// From when until when.
fn span(args: &AddArgs, zone: &TimeZone, now: Timestamp) -> anyhow::Result<(Timestamp, Timestamp)> {
    let start = args.start.as_deref().map(|text| when::instant("--start", text, zone, now)).transpose()?.unwrap_or(now);
    let end = match (&args.length, &args.until) {
        (Some(length), _) => start + when::length("--for", length)?,
        (None, Some(until)) => when::instant("--until", until, zone, now)?,
        (None, None) => bail!("say how long: --for 2h, or --until 16:30"),
    };
    if end <= start || end <= now {
        bail!("it would be over before it begins: from {} until {}", show(start, zone, now), show(end, zone, now));
    }
    if end.duration_since(start) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
        bail!("a silence lasts {LONGEST_DAYS} days at most; what is never to be told belongs into bridge.toml");
    }
    Ok((start, end))
}

fn line(option: &str, text: &str, most: usize) -> anyhow::Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        bail!("{option} is one line of 1 to {most} characters");
    }
    Ok(text.to_owned())
}

/// Names that nothing in the configuration has: allowed, and most likely a slip.
fn unknown_names(opened: &Opened, silence: &Silence) -> Vec<String> {
    let config = &opened.config;
    let known = |glob: &str| {
        let glob = wildmatch::WildMatch::new(glob);
        let mut names = config.rules.iter().map(|r| &r.name).chain(config.heartbeats.iter().map(|h| &h.name));
        names.any(|name| glob.matches(name))
    };
    let unknown = silence.matchers.of(Label::Rule).iter().filter(|glob| !known(glob));
    unknown.map(|glob| format!("no rule or heartbeat is called {} now", quoted(glob))).collect()
}

/// `3f9a2c11  active until 16:02 (1 h 58 min)  rule=bounce-rate source=campaign:*  ada: new mail provider`
fn described(silence: &Silence, zone: &TimeZone, now: Timestamp) -> String {
    let long = |of: SignedDuration| text::duration(of);
    let when = match silence.standing(now) {
        Standing::Active => {
            format!("active until {} ({})", show(silence.end, zone, now), long(silence.end.duration_since(now)))
        }
        Standing::Pending => format!(
            "from {} until {} ({})",
            show(silence.start, zone, now),
            show(silence.end, zone, now),
            long(silence.end.duration_since(silence.start))
        ),
        Standing::Ended => format!("ended {}", show(silence.end, zone, now)),
    };
    let matchers: Vec<String> = silence.matchers.texts().collect();
    format!("{}  {when}  {}  {}", silence.id, matchers.join(" "), crate::silence::words::by(silence))
}

fn show(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    text::clock_in_zone(at, zone, now)
}

/// What is open and covered by it while it is active.
async fn muted_by(opened: &Opened, silence: &Silence, now: Timestamp) -> anyhow::Result<Vec<Incident>> {
    let at = now.max(silence.start);
    let mut muted = Vec::new();
    for incident in opened.store.unsettled().await? {
        let alone = std::slice::from_ref(silence);
        let covers = silences::muting(opened.store.as_ref(), &opened.config, alone, &incident, at).await?.is_some();
        if covers && incident.is_open() {
            muted.push(incident);
        }
    }
    Ok(muted)
}

fn ids(incidents: &[Incident]) -> String {
    incidents.iter().map(Incident::id).collect::<Vec<_>>().join(", ")
}
