//! `bridge diagnose`: why did this person not get this campaign's message?

mod place;
mod print;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::place::BAD_ARGUMENTS;
use crate::clock::{Clock, SystemClock};
use crate::config::schema::Region;
use crate::config::secrets::{EnvSecrets, SecretError, Secrets};
use crate::customerio::app_api::{AppApi, PATIENCE};
use crate::diagnose::facts::Subject;
use crate::diagnose::{CHECKS, Check, View, found, judge};
use crate::steps::diagnose::gather;

/// Questions of one diagnosis, at most: a usual one asks about a dozen.
const BUDGET: usize = 60;

/// Say why a person did not get a campaign's message
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge diagnose --person ada@example.com --campaign 5
  bridge diagnose --person u_4711 --campaign 5 --json | jq '.steps[] | select(.verdict == \"cause\")'
  bridge diagnose --person cio_d9c106000075 --campaign 5 --show-personal-data
  bridge diagnose --person u_4711 --campaign 5 --app-api-key env:EU_APP_KEY --region eu

It asks Customer.io's App API only, at most 3 requests a second, and changes nothing; a deployed bridge is not needed. \
The key is app_api_key of the configuration, else env:CIO_APP_API_KEY. A key must be allowed to read customers, \
activities, campaigns, segments, messages, ESP suppressions and sender identities; a step whose scope it lacks is \"not \
known\", and the rest goes on. Output is masked: it names nobody, unless --show-personal-data.

Exit code: 0 no cause was found, 1 a cause was found, 2 bad arguments or configuration, or nothing could be asked.")]
pub struct DiagnoseArgs {
    /// The person's id, e-mail address, phone number (+49...) or Customer.io id (cio_...)
    #[arg(long, value_name = "ID_OR_EMAIL")]
    person: String,

    /// The campaign's number, as in its address in Customer.io
    #[arg(long, value_name = "N", value_parser = campaign)]
    campaign: u64,

    /// The bridge's configuration [default: bridge.toml, when there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The App API key: a reference, never the key itself. Default: that of the configuration, else env:CIO_APP_API_KEY
    #[arg(long, value_name = "env:NAME")]
    app_api_key: Option<String>,

    /// Where the workspace is [default: that of the configuration, else us]
    #[arg(long, value_name = "us|eu", value_parser = region)]
    region: Option<Region>,

    /// Show addresses, ids and texts as they are
    #[arg(long)]
    show_personal_data: bool,

    /// Print one object: {person, campaign, cause_found, steps: [{check, title, verdict, evidence, advice}],
    /// not_shown, link, requests}
    #[arg(long)]
    json: bool,
}

/// A campaign's number, also as the bridge writes it: `campaign:5`.
fn campaign(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix("campaign:").unwrap_or(text);
    let parsed = number.parse().ok().filter(|number| *number > 0);
    parsed.ok_or_else(|| "a campaign is named by its number, as in its address in Customer.io: 5".to_owned())
}

fn region(text: &str) -> Result<Region, String> {
    match text {
        "us" => Ok(Region::Us),
        "eu" => Ok(Region::Eu),
        _ => Err("a region is us or eu".to_owned()),
    }
}

/// Runs the command.
pub async fn run(args: &DiagnoseArgs) -> anyhow::Result<ExitCode> {
    Ok(diagnose(args).await.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(BAD_ARGUMENTS)
    }))
}

async fn diagnose(args: &DiagnoseArgs) -> anyhow::Result<ExitCode> {
    let person = args.person.trim();
    if person.is_empty() {
        bail!("--person takes an id or an e-mail address");
    }
    let place = place::of(args)?;
    if let Err(error) = EnvSecrets.get(&place.key).await {
        let fix = match &error {
            SecretError::NotSet(_) => {
                "; make an App API key in Customer.io (Settings > Account settings > API credentials), and name \
                     another variable with --app-api-key env:NAME"
            }
            SecretError::Unreadable(..) => "",
        };
        bail!("{error}{fix}");
    }
    for note in &place.notes {
        eprintln!("note: {note}");
    }
    let clock = Arc::new(SystemClock);
    let now = clock.now();
    let Some(api) = AppApi::of(&place.customerio(), Arc::new(EnvSecrets), clock) else {
        bail!("there is no App API key")
    };
    let api = api.patient(PATIENCE);
    let subject = Subject { person: person.to_owned(), campaign: args.campaign.to_string() };
    let checks: Vec<Check> = CHECKS.iter().map(|row| row.check).collect();
    let progress = |what: &str| eprintln!("asking for {what}");
    let (facts, asking) = gather(&api, subject, &checks, BUDGET, now, &progress).await;
    if asking.answered == 0 {
        let why = asking.refused.as_ref();
        let advice = why.and_then(|why| why.advice.as_deref()).map_or_else(String::new, |advice| format!(" {advice}"));
        bail!("nothing could be asked: {}{advice}", why.map_or("no answer", |why| why.why.as_str()));
    }
    let view = View::of(&facts, place.privacy, &place.zone, now);
    let steps = judge(&facts, &checks, &view);
    let shown = print::Shown { facts: &facts, view: &view, steps: &steps, link: place.link(), requests: asking.asked };
    print!("{}", if args.json { shown.json()? } else { shown.text() });
    Ok(if found(&steps) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
