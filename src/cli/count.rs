//! `bridge count`: tells the bridge how often an event was fired, for cron jobs and scripts.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::Uri;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::send::{host, post_signed, target};
use crate::config::parse;
use crate::config::secrets::{EnvSecrets, Secret, SecretRef, Secrets};
use crate::receivers::http::{Answer, Client};
use crate::reconcile::fired::{self, BACKEND, Fired, REPORTS};
use crate::steps::ingest::COUNTS_PATH;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits before the tries after the first, where the bridge was not reachable or not able to take it.
const AGAIN_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10)];

/// The id of a report that names none: a repeated command is the same report.
const ID: &str = "bridge-count";

/// Report how often an event was fired, to be compared with what Customer.io received.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge count 'Subscription Started' 120 --to https://bridge.example.com
  bridge count 'Subscription Started' 118 --origin mixpanel --hour 2026-11-23T14:00:00Z --to http://127.0.0.1:9000
  5 * * * *  bridge count 'Subscription Started' \"$(psql -Atc \"select ...\")\" --to https://bridge.example.com
  bridge count --file counts.jsonl --to https://bridge.example.com
  jq -c '{event, hour, count, id}' report.json | bridge count --file - --to https://bridge.example.com

Without --hour it is the last hour that is over. Reporting the same hour again changes nothing, or raises the
count; several reporters of one event give --id each, and their counts are added up.

Exit code: 0 taken, 1 not taken, 2 bad arguments.")]
pub struct CountArgs {
    /// The event's name, exactly as it is fired
    #[arg(required_unless_present = "file", requires = "count")]
    event: Option<String>,

    /// How often it was fired in the hour
    count: Option<u64>,

    /// Where the bridge listens
    #[arg(long, value_name = "URL")]
    to: String,

    /// The beginning of the hour, RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "file")]
    hour: Option<Timestamp>,

    /// Who counted, where it is not the backend: mixpanel, amplitude, ...
    #[arg(long, value_name = "NAME", default_value = BACKEND, conflicts_with = "file")]
    origin: String,

    /// Names this report among others of the same event and hour
    #[arg(long, default_value = ID, conflicts_with = "file")]
    id: String,

    /// Reports as JSON, one object a line or one list; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "event")]
    file: Option<String>,

    /// The key to sign with, a reference; default: the first of [counts] signing_keys in --config, else env:COUNTS_KEY
    #[arg(long, value_name = "REF")]
    key: Option<String>,

    /// The bridge's configuration, for its key
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command. Nothing is sent unless all of it can be read.
pub async fn run(args: &CountArgs) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let prepared =
        async { Ok::<_, anyhow::Error>((target(&args.to, COUNTS_PATH)?, key(args).await?, reports(args, now)?)) };
    let (uri, key, reports) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("error: {error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let client = Client::new();
    let mut taken = 0;
    for part in reports.chunks(REPORTS) {
        if let Err(problem) = send(&client, &uri, &key, &serde_json::to_vec(part)?).await {
            eprintln!("error: {problem}");
            if taken > 0 {
                eprintln!("{taken} of {} counts were taken; sending all of them again changes nothing", reports.len());
            }
            return Ok(ExitCode::FAILURE);
        }
        taken += part.len();
    }
    match reports.as_slice() {
        [Fired { event, hour, count, .. }] => println!("taken: {event}, {count} in the hour from {hour}"),
        _ => println!("taken: {taken} counts"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn key(args: &CountArgs) -> anyhow::Result<Secret> {
    let reference = match (&args.key, &args.config) {
        // The text may be the key itself, pasted by mistake: it is not repeated.
        (Some(key), _) => key.parse().map_err(|forms| anyhow::anyhow!("--key takes a reference: {forms}"))?,
        (None, Some(path)) => {
            let counts = parse::load(path)?.0.counts;
            let first = counts.and_then(|counts| counts.signing_keys.into_iter().next());
            first.with_context(|| format!("{} has no [counts] with signing_keys", path.display()))?
        }
        (None, None) => SecretRef::Env("COUNTS_KEY".to_owned()),
    };
    let key = EnvSecrets.get(&reference).await;
    key.context("nothing to sign with: it is the key that [counts] signing_keys of the bridge names")
}

fn reports(args: &CountArgs, now: Timestamp) -> anyhow::Result<Vec<Fired>> {
    let body = match (&args.file, &args.event) {
        (Some(file), _) => list(&text_of(file)?),
        (None, Some(event)) => {
            let last = now.as_second() - now.as_second().rem_euclid(3_600);
            let last = Timestamp::from_second(last)? - SignedDuration::from_hours(1);
            serde_json::to_vec(&Fired {
                event: event.clone(),
                origin: args.origin.clone(),
                hour: args.hour.unwrap_or(last),
                id: args.id.clone(),
                count: args.count.context("how often was it fired? Give the count after the name")?,
            })?
        }
        (None, None) => bail!("give an event and its count, or --file"),
    };
    // What the bridge would refuse is refused here, part by part as it will be sent.
    let values: Vec<Value> = match serde_json::from_slice(&body) {
        Ok(Value::Array(values)) => values,
        Ok(value) => vec![value],
        Err(error) => bail!("line {}, column {}: not JSON", error.line(), error.column()),
    };
    ensure!(!values.is_empty(), "there is no count in it");
    let mut reports = Vec::with_capacity(values.len());
    for (part, values) in values.chunks(REPORTS).enumerate() {
        let read = fired::read(&serde_json::to_vec(values)?, now);
        reports.extend(read.map_err(|mut unusable| {
            unusable.at = unusable.at.map(|at| at + part * REPORTS);
            anyhow::anyhow!("{unusable}")
        })?);
    }
    Ok(reports)
}

fn text_of(file: &str) -> anyhow::Result<String> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))
}

/// One list of what is one object a line, or a list already.
fn list(text: &str) -> Vec<u8> {
    if serde_json::from_str::<Value>(text).is_ok() {
        return text.as_bytes().to_vec();
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    format!("[{}]", lines.join(",\n")).into_bytes()
}

async fn send(client: &Client, uri: &Uri, key: &Secret, body: &[u8]) -> Result<(), String> {
    let mut waits = AGAIN_AFTER.iter();
    loop {
        let problem = match post_signed(client, uri, key, body.to_vec(), PATIENCE).await {
            Ok(answer) if (200..300).contains(&answer.status) => return Ok(()),
            Ok(answer) if answer.status < 500 && answer.status != 429 => return Err(refused(&answer)),
            Ok(answer) => format!("the bridge at {} answers {}: see its log and GET /readyz", host(uri), answer.status),
            Err(failure) => format!("no answer from {}: {failure}; is the bridge running there?", host(uri)),
        };
        let Some(wait) = waits.next() else { return Err(problem) };
        eprintln!("{problem}; trying again in {} s", wait.as_secs());
        tokio::time::sleep(*wait).await;
    }
}

/// What an answer that no repetition changes means.
fn refused(answer: &Answer) -> String {
    let said = serde_json::from_str::<Value>(&answer.body).ok();
    match (answer.status, said.as_ref().and_then(|said| said["error"].as_str())) {
        (400 | 413, Some(said)) => format!("the bridge refuses it: {said}"),
        (401 | 403, _) => {
            "no key of the bridge matches: --key names another key than [counts] signing_keys there".into()
        }
        (404 | 405, _) => {
            "that address takes no counts: has the bridge [counts] signing_keys in its bridge.toml?".into()
        }
        (status, _) => format!("it answers {status}, which no bridge does: check the address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_or_an_object_a_line_is_read() {
        assert_eq!(list("{\"a\":1}\n\n{\"b\":2}\n"), b"[{\"a\":1},\n{\"b\":2}]");
        for whole in ["[{\"a\":1}]", "{\"a\":\n1}"] {
            assert_eq!(list(whole), whole.as_bytes());
        }
    }

    #[test]
    fn an_address_without_a_path_means_where_counts_go() {
        assert_eq!(target("https://b.example.com", COUNTS_PATH).expect("an address").path(), COUNTS_PATH);
        assert_eq!(target("https://b.example.com/in/counts", COUNTS_PATH).expect("an address").path(), "/in/counts");
        assert!(target("b.example.com", COUNTS_PATH).is_err());
    }
}
