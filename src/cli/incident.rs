//! `bridge incident`: what is open and was open lately, and the record of one incident.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::place::{Opened, Place, refused};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::reader::{nearest, quoted};
use crate::incident::Incident;
use crate::message::text;
use crate::runbook;
use crate::steps::act::may_act_on;
use crate::steps::find;
use crate::steps::record::{self, Record};

/// Show what is open and was open lately, or one incident's record
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge incident                          what is open, and what was in the last 7 days
  bridge incident 3f9a2c11-1               one incident: what, since when, who was told, who did what
  bridge incident 3f9a2c11-1 --markdown > 3f9a2c11-1.md      a post-mortem to fill in
  bridge incident 3f9a2c11-1 --stack cio-alert-bridge --json

The id stands at the end of every alert. Incidents are kept for 400 days.

Exit code: 0 shown, 1 there is no such incident, or the store could not be read; 2 bad arguments or configuration.")]
pub struct IncidentArgs {
    /// The incident's id; without it, a list
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Write the record as Markdown, with blanks for what was done
    #[arg(long, requires = "id", conflicts_with = "json")]
    markdown: bool,

    /// Print one object, or an array of {id, kind, severity, state, since, opened_at, ended_at, receivers}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// How far back the list goes.
const LISTED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs the command.
pub async fn run(args: &IncidentArgs) -> anyhow::Result<ExitCode> {
    Ok(incident(args, SystemClock.now()).await.unwrap_or_else(|error| refused(&error)))
}

async fn incident(args: &IncidentArgs, now: Timestamp) -> anyhow::Result<ExitCode> {
    let opened = args.place.open().await?;
    let Some(id) = &args.id else {
        list(&opened, args.json, now).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(found) = find::incident(opened.store.as_ref(), id, now).await? else {
        eprintln!("error: {}", unknown(&opened, id, now).await?);
        return Ok(ExitCode::FAILURE);
    };
    let record = record::of(opened.store.as_ref(), &opened.config, &found, now).await?;
    match (args.json, args.markdown) {
        (true, _) => println!("{}", serde_json::to_string_pretty(&record)?),
        (_, true) => print!("{}", markdown(&record, &opened.config, now)),
        _ => print!("{}", plain(&record, &opened.config, now)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Open ones, and those that began or ended in the last days, newest first.
async fn recent(opened: &Opened, now: Timestamp) -> anyhow::Result<Vec<Incident>> {
    let ahead = SignedDuration::from_hours(1);
    let mut all = opened.store.incidents_between(now - LISTED, now + ahead).await?;
    for incident in opened.store.unsettled().await? {
        if incident.is_open() && !all.iter().any(|known| known.member() == incident.member()) {
            all.push(incident);
        }
    }
    all.retain(|incident| may_act_on(&incident.subject));
    all.sort_by_key(|incident| (incident.is_open(), incident.opened_at));
    all.reverse();
    Ok(all)
}

async fn list(opened: &Opened, as_json: bool, now: Timestamp) -> anyhow::Result<()> {
    let zone = &opened.config.workspace.zone;
    let mut rows = Vec::new();
    for incident in recent(opened, now).await? {
        let record = record::of(opened.store.as_ref(), &opened.config, &incident, now).await?;
        if as_json {
            rows.push(json!({
                "id": record.id, "kind": record.kind, "severity": record.severity, "state": record.state,
                "headline": record.headline, "since": record.since, "opened_at": record.opened_at,
                "ended_at": record.ended_at, "receivers": incident.receivers,
            }));
            continue;
        }
        let at = text::clock(incident.opened_at, zone, now);
        println!("{:<12} {:<9} {at:<16} {}: {}", record.id, record.severity, record.state, record.headline);
    }
    match (as_json, rows.is_empty()) {
        (true, _) => println!("{}", serde_json::to_string(&rows)?),
        (false, _) if recent(opened, now).await?.is_empty() => println!("Nothing is open, and nothing was in 7 days."),
        _ => {}
    }
    Ok(())
}

async fn unknown(opened: &Opened, id: &str, now: Timestamp) -> anyhow::Result<String> {
    let ids: Vec<String> = recent(opened, now).await?.iter().map(Incident::id).collect();
    let near = nearest(id, ids.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
    Ok(format!("there is no incident {}{near}; `bridge incident` lists them", quoted(id)))
}

/// The record as text.
pub fn plain(record: &Record, config: &Config, now: Timestamp) -> String {
    let zone = &config.workspace.zone;
    let clock = |at| text::clock_in_zone(at, zone, now);
    let mut out = format!("{}: {}\n", record.state, record.headline);
    let _ = writeln!(out, "incident {} · {} · {}", record.id, record.kind, record.severity);
    let width = record.fields.iter().map(|field| field.name.chars().count()).max().unwrap_or(0);
    for field in &record.fields {
        let _ = write!(out, "\n  {:<width$}  {}", field.name, field.value);
    }
    out.push('\n');
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(
                out,
                "\n{title}\n{}\n",
                lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
            );
        }
    };
    part("Found", record.lines.clone());
    part("Timeline", record.timeline.iter().map(|moment| format!("{}  {}", clock(moment.at), moment.what)).collect());
    part("Who was told", record.receivers.iter().map(|heard| format!("{}: {}", heard.receiver, heard.knows)).collect());
    part("Check first", record.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect());
    part("It said", record.samples.clone());
    part("Links", record.links.iter().map(|link| format!("{}: {}", link.name, link.value)).collect());
    out
}

/// The record as a post-mortem to fill in. Texts from the sender stand in code, where Markdown means nothing.
fn markdown(record: &Record, config: &Config, now: Timestamp) -> String {
    let zone = &config.workspace.zone;
    let clock = |at: Timestamp| text::clock_in_zone(at, zone, now);
    let ended = record.ended_at.map_or_else(|| "not yet".to_owned(), clock);
    let long = record.ended_at.unwrap_or(now).duration_since(record.since);
    let mut out = format!("# {}\n\n", escaped(&record.headline));
    let _ = write!(
        out,
        "| | |\n|---|---|\n| Incident | `{}` |\n| Workspace | {} |\n| State | {} |\n| Severity | {} |\n| Began | {} |\n| \
         Opened | {} |\n| Over | {ended} |\n| Lasted | {} |\n",
        record.id,
        escaped(&config.workspace.name),
        record.state,
        record.severity,
        clock(record.since),
        clock(record.opened_at),
        text::duration(long),
    );
    for field in &record.fields {
        let _ = writeln!(out, "| {} | {} |", escaped(&field.name), escaped(&field.value));
    }
    out.push_str("\n## Summary\n\n_What happened, in two sentences, for somebody who was not there._\n");
    out.push_str("\n## Impact\n\n");
    let _ = writeln!(
        out,
        "{} of {} ({}).",
        text::number(record.count),
        text::number(record.of),
        text::percent(record.count, record.of)
    );
    if !record.sources.is_empty() {
        let _ = writeln!(
            out,
            "\nSources: {}.",
            record.sources.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ")
        );
    }
    out.push_str(
        "\n_Who did not get what, and what it meant for them._\n\n## Timeline\n\n| when | what |\n|---|---|\n",
    );
    for moment in &record.timeline {
        let _ = writeln!(out, "| {} | {} |", clock(moment.at), escaped(&moment.what));
    }
    out.push_str("| | _when it was changed that broke it_ |\n| | _when it was mended_ |\n\n## Who was told\n\n");
    for heard in &record.receivers {
        let _ = writeln!(out, "- {}: {}", escaped(&heard.receiver), escaped(&heard.knows));
    }
    out.push_str("\n## Cause\n\n");
    if !record.causes.is_empty() {
        let _ = writeln!(
            out,
            "As the failures tell: {}.\n",
            record.causes.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
        );
    }
    for line in &record.lines {
        let _ = writeln!(out, "- {}", escaped(line));
    }
    for sample in &record.samples {
        let _ = writeln!(out, "    {}\n", sample.replace(['\n', '\r'], " "));
    }
    if let Some(link) = record.links.iter().find(|link| link.name == runbook::TEXT) {
        let _ = writeln!(out, "What it usually is: <{}>\n", link.value);
    }
    out.push_str("_Why it really happened._\n\n## What was done\n\n");
    for step in &record.steps {
        let _ = writeln!(out, "- [ ] {}", escaped(step));
    }
    out.push_str("- [ ] _what else_\n\n## What will keep it from happening again\n\n- [ ] _who, what, until when_\n");
    out
}

/// Text in which nothing is Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
