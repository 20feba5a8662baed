//! `bridge fire`: a marked test through the real routes to the real receivers: an opening, then its end.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use serde::Serialize;

use super::place::{self, refused, whoami};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::schema::ReceiverConfig;
use crate::incident::told::Receipt;
use crate::incident::{How, Severity};
use crate::message::{About, Field, Message, Phase, text};
use crate::receivers::{Outcome, Receiver, build};
use crate::route::{self, Label, Labels};
use crate::silence::{AUTHOR_CHARS, Conditions};

/// Send a marked test notification through the real routes, and its end
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge fire                                          what a critical alert of a rule would reach
  bridge fire --route severity=warning --route source=campaign:5
  bridge fire --route kind=heartbeat --route owner=growth --dry-run
  bridge fire --receiver on-call                       one receiver, whatever the routes say
  bridge fire --stack cio-alert-bridge                 with the configuration that is deployed

It pages whoever is on call there: PagerDuty gets a trigger and, right after it, its resolve. Nothing is counted and no \
incident is opened in the bridge. Secrets are read where the command runs.

Exit code: 0 every receiver took both, 1 one did not or none was found, 2 bad arguments or configuration.")]
pub struct FireArgs {
    /// What the test is to look like, as label=value; default severity=critical and kind=rule
    #[arg(long = "route", value_name = "LABEL=VALUE")]
    labels: Vec<String>,

    /// This receiver only, whatever the routes say (several times for several)
    #[arg(long = "receiver", value_name = "NAME")]
    only: Vec<String>,

    /// Say who would hear it, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Send the opening and leave it open
    #[arg(long)]
    keep_open: bool,

    /// Print an array of {receiver, type, opening, end}, each of the last two {outcome, why, duration_ms}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: place::Place,
}

/// What a receiver said to one message.
#[derive(Debug, Serialize)]
struct Said {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    duration_ms: u64,
}

/// What came of one receiver.
#[derive(Debug, Serialize)]
struct Fired<'a> {
    receiver: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening: Option<Said>,
    /// Not sent after an opening that was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<&'a str>,
}

/// Runs the command.
pub async fn run(args: &FireArgs) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(fire(args, &clock).await.unwrap_or_else(|error| refused(&error)))
}

async fn fire(args: &FireArgs, clock: &Arc<dyn Clock>) -> anyhow::Result<ExitCode> {
    let labels = labels(&args.labels)?;
    let config = args.place.configuration().await?;
    let now = clock.now();
    let chosen = chosen(&config, &labels, &args.only, now)?;
    if chosen.is_empty() {
        eprintln!("error: no route matches {} at this hour: nobody would hear of it", shown(&labels));
        return Ok(ExitCode::FAILURE);
    }
    let receivers = match args.dry_run {
        true => BTreeMap::new(),
        false => build::all(&chosen, place::secrets(&config).await.as_ref(), clock).await,
    };
    let opening = message(&config, &labels, now);
    if !args.json {
        println!("{}\n", opening.headline);
    }
    let mut all = Vec::new();
    for config in &chosen {
        let mut fired = Fired {
            receiver: &config.name,
            kind: config.kind.type_name(),
            opening: None,
            end: None,
            fallback: config.fallback.as_deref(),
        };
        if let Some(receiver) = receivers.get(&config.name) {
            let (said, receipt) = send(receiver.as_ref(), &opening, None).await;
            fired.opening = Some(said);
            if let Some(receipt) = receipt.filter(|_| !args.keep_open) {
                fired.end = Some(send(receiver.as_ref(), &ended(&opening), Some(&receipt)).await.0);
            }
        }
        if !args.json {
            print(&fired);
        }
        all.push(fired);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    let taken = |said: &Option<Said>| said.as_ref().is_none_or(|said| said.outcome == ACCEPTED);
    Ok(ExitCode::from(u8::from(!all.iter().all(|fired| taken(&fired.opening) && taken(&fired.end)))))
}

/// The labels that were asked for, over those of a critical rule.
fn labels(asked: &[String]) -> anyhow::Result<Labels> {
    let mut labels = Labels::from([
        (Label::Severity, vec![Severity::Critical.as_str().to_owned()]),
        (Label::Kind, vec!["rule".to_owned()]),
    ]);
    if asked.is_empty() {
        return Ok(labels);
    }
    let conditions = Conditions::parse(asked)?;
    for label in Label::ALL {
        let values = conditions.of(label);
        if values.iter().any(|value| value.contains(['*', '?'])) {
            bail!("--route {}= takes a value, not a pattern: it is what a test alert has", label.as_str());
        }
        if !values.is_empty() {
            labels.insert(label, values.to_vec());
        }
    }
    if labels.get(&Label::Severity).is_some_and(|values| values.len() > 1) {
        bail!("--route severity= is given twice: an alert has one");
    }
    Ok(labels)
}

fn chosen(config: &Config, labels: &Labels, only: &[String], now: Timestamp) -> anyhow::Result<Vec<ReceiverConfig>> {
    let names = match only {
        [] => route::receivers(&config.routes, labels, now, &config.workspace.zone),
        only => only.to_vec(),
    };
    let find = |name: &String| {
        let all = || config.receivers.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = config.receivers.iter().find(|receiver| receiver.name == *name);
        found.cloned().ok_or_else(|| anyhow!("there is no receiver {name}; there are {}", all()))
    };
    names.iter().map(find).collect()
}

fn shown(labels: &Labels) -> String {
    let pairs = labels.iter().flat_map(|(label, values)| values.iter().map(|v| format!("{}={v}", label.as_str())));
    pairs.collect::<Vec<_>>().join(", ")
}

fn message(config: &Config, labels: &Labels, now: Timestamp) -> Message {
    let severity = labels.get(&Label::Severity).and_then(|values| values.first());
    let severity = Severity::ALL.into_iter().find(|one| severity.is_some_and(|s| s == one.as_str()));
    let who = text::cut(&whoami(), AUTHOR_CHARS).into_owned();
    let key = format!("test-{:x}", now.as_microsecond());
    Message {
        phase: Phase::Test,
        severity: severity.unwrap_or(Severity::Critical),
        workspace: config.workspace.name.clone(),
        incident: key.clone(),
        key,
        episode: 1,
        ended: None,
        headline: format!("Test of the alert routes by {who}: nothing is wrong"),
        labels: labels.clone(),
        about: About { sources: labels.get(&Label::Source).cloned().unwrap_or_default(), ..About::default() },
        fields: vec![Field { name: "Labels", value: shown(labels) }],
        samples: Vec::new(),
        steps: vec!["Nothing is to be done: somebody ran `bridge fire`.".to_owned()],
        lines: Vec::new(),
        runbook: None,
        links: Vec::new(),
        since: now,
        acted: None,
        note: None,
    }
}

fn ended(opening: &Message) -> Message {
    Message {
        phase: Phase::Resolved,
        ended: Some(How::Recovered),
        headline: format!("{}; this is its end", opening.headline),
        steps: Vec::new(),
        ..opening.clone()
    }
}

const ACCEPTED: &str = "accepted";

async fn send(receiver: &dyn Receiver, message: &Message, previous: Option<&Receipt>) -> (Said, Option<Receipt>) {
    let begun = Instant::now();
    let outcome = receiver.send(message, previous).await;
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (outcome, why, receipt) = match outcome {
        Outcome::Delivered(receipt) => (ACCEPTED, None, Some(receipt)),
        Outcome::Retry { why, .. } => ("try_again", Some(why), None),
        Outcome::Lost(why) => ("answer_lost", Some(why), None),
        Outcome::BadMessage(why) => ("refused", Some(why), None),
        Outcome::BadReceiver(why) => ("broken", Some(why), None),
    };
    (Said { outcome, why, duration_ms }, receipt)
}

fn print(fired: &Fired<'_>) {
    println!("{} ({})", fired.receiver, fired.kind);
    for (what, said) in [("opening", &fired.opening), ("end", &fired.end)] {
        let Some(Said { outcome, why, duration_ms }) = said else { continue };
        match why {
            None => println!("  {what}: {outcome} in {duration_ms} ms"),
            Some(why) => println!("  {what}: {}: {why}", outcome.replace('_', " ")),
        }
        let what_to_do = match *outcome {
            "broken" => "repair the receiver in bridge.toml or at its vendor",
            "try_again" => "an alert would be tried again by itself; fire again in a minute",
            "answer_lost" => "it may have arrived: look there",
            "refused" => "the test is not what it takes; that is a fault of the bridge, please report it",
            _ => continue,
        };
        println!("    {what_to_do}");
        if let ("broken", Some(fallback)) = (*outcome, fired.fallback) {
            println!("    an alert would go to its fallback {fallback}, with the reason");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(texts: &[&str]) -> Result<String, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        labels(&texts).map(|labels| shown(&labels)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_test_looks_like_what_was_asked_for() {
        assert_eq!(asked(&[]).as_deref(), Ok("severity=critical, kind=rule"));
        let want = "severity=warning, kind=rule, source=campaign:5, source=campaign:6";
        assert_eq!(asked(&["source=campaign:5", "severity=warning", "source=campaign:6"]).as_deref(), Ok(want));
        for (wrong, said) in [
            (&["severity=loud"][..], "it is critical, warning, info"),
            (&["source=campaign:*"], "takes a value, not a pattern"),
            (&["severity=info", "severity=warning"], "an alert has one"),
            (&["colour=red"], "there is no label"),
        ] {
            assert!(asked(wrong).is_err_and(|error| error.contains(said)), "{wrong:?}");
        }
    }
}
