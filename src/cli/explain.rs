//! `bridge explain`: why an event did or did not page, with the numbers.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;

use super::incident;
use super::place::{Opened, Place, refused};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::customerio::event::Event;
use crate::customerio::parse::{self, Normalised};
use crate::message::text;
use crate::steps::explain::{self, Explained, RuleSaid, Verdict};
use crate::steps::{find, record};
use crate::store::Store;

/// Say why an event did or did not page: classification, tallies, rules, receivers, what was sent
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge explain events/email_failed.json                     with what ./bridge-data has counted
  bridge explain event.json --stack cio-alert-bridge          on AWS
  pbpaste | bridge explain - --json
  bridge explain 3f9a2c11-1                                   why that incident paged

A file is one request as Customer.io sends it; it is read as if it had arrived at its own time stamp, unless --arrived \
says when it did. Instead of a file, an incident's id (it stands at the end of every alert). Numbers are those that the bridge has counted by now; where there is no data yet the event stands \
alone. Nothing is counted and nothing is sent.

Exit code: 0 explained, 1 the store could not be read, 2 bad arguments, configuration or file.")]
pub struct ExplainArgs {
    /// A file with one webhook's body, - for standard input, or an incident's id
    #[arg(value_name = "FILE|INCIDENT")]
    file: String,

    /// When it arrived, RFC 3339; default: at its own time stamp
    #[arg(long, value_name = "TIME")]
    arrived: Option<Timestamp>,

    /// Print {event, cause, verdict, why, rules, heartbeats, receivers}; an array for a request of several events
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// Runs the command.
pub async fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    Ok(match explain(args, SystemClock.now()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    })
}

async fn explain(args: &ExplainArgs, now: Timestamp) -> anyhow::Result<()> {
    if is_incident(&args.file) {
        return of_incident(args, now).await;
    }
    let body = read(&args.file)?;
    let (config, store) = match args.place.is_there() {
        true => {
            let Opened { config, store, .. } = args.place.open().await?;
            (config, Some(store))
        }
        false => (args.place.configuration().await?, None),
    };
    if store.is_none() {
        eprintln!("note: there is no data in {}: the event stands alone", args.place.data.display());
    }
    let normalised = match normalised(&body, &config, args.arrived, now) {
        Ok(normalised) => normalised,
        Err(why) => return print_none(args.json, "quarantined", &format!("It cannot be read: {why}.")),
    };
    let Normalised { events, tests, unreadable } = normalised;
    if let Some(why) = unreadable {
        eprintln!("note: a part of it cannot be read, and would go to quarantine: {why}");
    }
    if events.is_empty() {
        let why = if tests > 0 { "It is the vendor's sample event: never counted." } else { "It holds no event." };
        return print_none(args.json, "sample", why);
    }
    let mut all = Vec::new();
    for event in &events {
        let store: Option<&dyn Store> = store.as_deref();
        all.push(explain::event(store, &config, event, now).await?);
    }
    match (args.json, all.as_slice()) {
        (true, [one]) => println!("{}", serde_json::to_string_pretty(one)?),
        (true, all) => println!("{}", serde_json::to_string_pretty(all)?),
        (false, all) => all.iter().for_each(|one| print(one, &config, now)),
    }
    Ok(())
}

/// Whether it is written like an incident's id, and no file is called so.
fn is_incident(name: &str) -> bool {
    let id = name.rsplit_once('-');
    let like = id.is_some_and(|(key, episode)| {
        key.len() >= 8 && key.bytes().all(|b| b.is_ascii_hexdigit()) && episode.parse::<u32>().is_ok()
    });
    like && !std::path::Path::new(name).exists()
}

/// Why an incident paged: what it counts, by which rule, and who heard.
async fn of_incident(args: &ExplainArgs, now: Timestamp) -> anyhow::Result<()> {
    let Opened { config, store, .. } = args.place.open().await?;
    let Some(found) = find::incident(store.as_ref(), &args.file, now).await? else {
        bail!("there is no incident {}; `bridge incident` lists them", args.file);
    };
    let record = record::of(store.as_ref(), &config, &found, now).await?;
    if !args.json {
        print!("{}", incident::plain(&record, &config, now));
        return Ok(());
    }
    let verdict = if record.receivers.is_empty() { "alerted_nobody" } else { "alerted" };
    let rule = json!({
        "rule": record.rule, "severity": record.severity, "count": record.count, "of": record.of, "incident": record.id,
    });
    let said = json!({
        "event": null, "cause": record.causes.first(), "verdict": verdict, "why": record.headline, "rules": [rule],
        "receivers": record.receivers, "incident": record,
    });
    println!("{}", serde_json::to_string_pretty(&said)?);
    Ok(())
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    if file == "-" {
        std::io::stdin().lock().read_to_end(&mut body).context("cannot read standard input")?;
        return Ok(body);
    }
    std::fs::read(file).with_context(|| format!("cannot read {file}"))
}

/// As it was, or would be, taken at its arrival.
fn normalised(
    body: &[u8],
    config: &Config,
    arrived: Option<Timestamp>,
    now: Timestamp,
) -> Result<Normalised, parse::Unreadable> {
    let at = |arrived| parse::normalise(body, &parse::Context::of(config, arrived));
    let first = at(arrived.unwrap_or(now))?;
    let own = |event: &Event| event.stamp.unwrap_or(event.at);
    match (arrived, first.events.iter().map(own).max()) {
        (None, Some(own)) => at(own.min(now)),
        _ => Ok(first),
    }
}

fn print_none(json: bool, verdict: &str, why: &str) -> anyhow::Result<()> {
    if json {
        let none = json!({ "event": null, "cause": null, "verdict": verdict, "why": why, "rules": [], "heartbeats": [], "receivers": [] });
        println!("{}", serde_json::to_string_pretty(&none)?);
    } else {
        println!("{why}");
    }
    Ok(())
}

fn print(of: &Explained, config: &Config, now: Timestamp) {
    let event = &of.event;
    let action = event.action.as_ref().map_or_else(String::new, |action| format!(", action {action}"));
    let at = text::clock_in_zone(event.at, &config.workspace.zone, now);
    println!("{} of {}{action}, counted at {at}", event.kind, event.source);
    if let Some(cause) = &of.cause {
        println!("  cause {}: {}", cause.key, cause.meaning);
        if let Some(text) = &cause.text {
            println!("  \"{text}\"");
        }
    }
    println!("\n{}\n", of.why);
    let (concerned, others): (Vec<_>, Vec<_>) = of.rules.iter().partition(|rule| rule.concerns);
    for RuleSaid { rule, condition, severity, is_true, why, incident, diagnosis, .. } in concerned {
        let word = if *is_true { "TRUE" } else { "not true" };
        println!("Rule {rule} ({severity}): {word}");
        println!("  {condition}\n  {why}");
        if let Some(incident) = incident {
            println!("  incident {incident}");
        }
        if let Some(diagnosis) = diagnosis {
            println!("  {diagnosis}");
        }
    }
    if !others.is_empty() {
        println!("Rules that do not look at it");
        others.iter().for_each(|rule| println!("  {}: {}", rule.rule, rule.why));
    }
    if !of.heartbeats.is_empty() {
        println!("Heartbeats that count it: {}", of.heartbeats.join(", "));
    }
    if !of.receivers.is_empty() {
        println!("Receivers");
        for said in &of.receivers {
            let note = said.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
            println!("  {}: {}{note}", said.receiver, said.told.replace('_', " "));
        }
    }
    if of.verdict == Verdict::NoRule && of.rules.is_empty() {
        println!("There are no rules in this configuration.");
    }
    println!();
}
