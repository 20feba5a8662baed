//! `bridge subscribe`: creates or repairs the reporting webhook in Customer.io.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use serde::Serialize;

use super::place::{self, Place, refused};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::reader::quoted;
use crate::customerio::app_api::reporting_webhook::Endpoint;
use crate::customerio::app_api::{AppApi, AppApiError, PATIENCE};
use crate::drift::subscription::{self, Change, PATH, Plan, called};
use crate::drift::wanted::{Wanted, not_offered, wanted};
use crate::receivers::http;

/// Create or repair the reporting webhook in Customer.io
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge subscribe --to https://bridge.example.com             show what would change
  bridge subscribe --to https://bridge.example.com --yes       change it, and read it back
  bridge subscribe --to https://bridge.example.com --stack cio-alert-bridge
  bridge subscribe --to https://bridge.example.com --json | jq .change

It asks the App API with app_api_key of the configuration, whose scopes must allow to read reporting webhooks and, with \
--yes, to write them. The webhook is to post to --to, to be enabled, to leave contents out, and to be subscribed to \
every event that rules, heartbeats, drafts, canary and digest need; its name, other events and the setting for repeated \
opens and clicks stay. A webhook that posts to another host is somebody else's, unless this command made it.

Exit code: 0 nothing is to be changed, or it was; 1 something is to be changed, or Customer.io refused; 2 bad arguments \
or configuration.")]
pub struct SubscribeArgs {
    /// The bridge's public address; without a path, /webhooks/customerio is appended
    #[arg(long, value_name = "URL")]
    to: String,

    /// Make the change
    #[arg(long)]
    yes: bool,

    /// Print one object: {change: "nothing" | "create" | "repair", webhook, endpoint, lines, notes, applied}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Said<'a> {
    change: &'static str,
    /// The webhook's id; none before it is created.
    webhook: Option<&'a str>,
    endpoint: String,
    /// The change, as `diff` writes it.
    lines: Vec<String>,
    notes: &'a [String],
    applied: bool,
}

/// Runs the command.
pub async fn run(args: &SubscribeArgs) -> anyhow::Result<ExitCode> {
    Ok(subscribe(args).await.unwrap_or_else(|error| match error.downcast_ref::<AppApiError>() {
        // What cannot be asked at all is a matter of the configuration; what is refused was asked.
        Some(AppApiError::Key(_) | AppApiError::Address) | None => refused(&error),
        Some(_) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }))
}

async fn subscribe(args: &SubscribeArgs) -> anyhow::Result<ExitCode> {
    let endpoint = endpoint(&args.to)?;
    let config = args.place.configuration().await?;
    let api = app_api(&config).await?;
    let wanted = wanted(&config);
    let mut plan = planned(&api, &config, &endpoint, &wanted).await?;
    plan.notes.extend(not_offered(&config).iter().map(|kind| format!("Customer.io offers no event {kind}")));
    let lines = plan.change.lines(&wanted);
    let Some(settings) = plan.change.settings() else {
        show(args, &plan, &endpoint, lines, false)?;
        return Ok(ExitCode::SUCCESS);
    };
    if !args.yes {
        show(args, &plan, &endpoint, lines, false)?;
        return Ok(ExitCode::FAILURE);
    }
    let id = match &plan.change {
        Change::Repair { webhook, .. } => Some(webhook.id.as_str()),
        _ => None,
    };
    match api.write_reporting_webhook(id, &settings).await {
        // It may have been taken: what is there now tells.
        Ok(_) | Err(AppApiError::NoAnswer(_) | AppApiError::NoList { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let after = planned(&api, &config, &endpoint, &wanted).await?;
    if !matches!(after.change, Change::Nothing(_)) {
        let left = after.change.lines(&wanted).join("\n  ");
        eprintln!("error: it was written, and what Customer.io answers since is not what was written:\n  {left}");
        show(args, &plan, &endpoint, lines, false)?;
        return Ok(ExitCode::FAILURE);
    }
    show(args, &plan, &endpoint, lines, true)?;
    Ok(ExitCode::SUCCESS)
}

/// The App API of a configuration, for a command.
///
/// # Errors
/// There is no key.
pub async fn app_api(config: &Config) -> anyhow::Result<AppApi> {
    let api = AppApi::of(&config.customerio, place::secrets(config).await, Arc::new(SystemClock));
    let api = api.ok_or_else(|| {
        anyhow!(
            "the configuration names no app_api_key: add it to [customerio], for example app_api_key = \
             \"env:CIO_APP_API_KEY\""
        )
    })?;
    Ok(api.patient(PATIENCE))
}

async fn planned(api: &AppApi, config: &Config, endpoint: &Endpoint, wanted: &Wanted) -> anyhow::Result<Plan> {
    let webhooks = api.reporting_webhooks().await?;
    Ok(subscription::plan(&webhooks, endpoint, &config.workspace.name, wanted))
}

/// The address that webhooks are to be posted to.
///
/// # Errors
/// It is none, or none that Customer.io could reach. Holds nothing of it.
pub fn endpoint(to: &str) -> anyhow::Result<Endpoint> {
    let Ok(uri) = http::address(to) else {
        bail!("--to takes the bridge's public address, such as https://bridge.example.com")
    };
    let host = uri.host().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    if host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified()) {
        bail!("--to takes the bridge's public address: Customer.io cannot reach {}", quoted(host));
    }
    let to = to.trim();
    Ok(match uri.path() {
        "" | "/" if uri.query().is_none() => Endpoint::new(&format!("{}{PATH}", to.trim_end_matches('/'))),
        _ => Endpoint::new(to),
    })
}

fn show(
    args: &SubscribeArgs,
    plan: &Plan,
    endpoint: &Endpoint,
    lines: Vec<String>,
    applied: bool,
) -> anyhow::Result<()> {
    let (change, webhook) = match &plan.change {
        Change::Nothing(webhook) => ("nothing", Some(webhook)),
        Change::Create(_) => ("create", None),
        Change::Repair { webhook, .. } => ("repair", Some(webhook)),
    };
    if args.json {
        let notes = plan.notes.as_slice();
        let id = webhook.map(|webhook| webhook.id.as_str());
        let said = Said { change, webhook: id, endpoint: endpoint.shown(), lines, notes, applied };
        println!("{}", serde_json::to_string_pretty(&said)?);
        return Ok(());
    }
    match (webhook, change) {
        (Some(webhook), "nothing") => println!("{} is as it should be: {}", called(webhook), endpoint.shown()),
        (Some(webhook), _) => println!("{} is to be repaired:", called(webhook)),
        (None, _) => println!("A reporting webhook is to be created:"),
    }
    for line in &lines {
        println!("  {line}");
    }
    for note in &plan.notes {
        println!("note: {note}");
    }
    match (applied, lines.is_empty()) {
        (true, _) => println!("\nDone, and read back."),
        (false, false) if !args.yes => println!("\nNothing was changed: run it again with --yes."),
        _ => {}
    }
    if applied && webhook.is_none() {
        println!(
            "Its signing key is shown in Customer.io only (Integrations > Reporting Webhooks): set it where the first of \
             signing_keys is read."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_ours_and_one_that_nobody_reaches_is_refused() {
        let shown = |to: &str| endpoint(to).map(|endpoint| endpoint.shown());
        for (to, want) in [
            ("https://b.example.test", "https://b.example.test/webhooks/customerio"),
            (" https://b.example.test/ ", "https://b.example.test/webhooks/customerio"),
            ("https://b.example.test/hooks", "https://b.example.test/hooks"),
        ] {
            assert_eq!(shown(to).expect(to), want);
        }
        for bad in
            ["b.example.test", "ftp://b.example.test", "http://localhost:9000", "http://127.0.0.1", "http://[::1]/"]
        {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }
}
