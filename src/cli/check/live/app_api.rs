//! May the App API key read what this configuration asks, and is the reporting webhook what it must be?

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{CheckArgs, Looked, Wrong};
use crate::cli::subscribe;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::secrets::Secrets;
use crate::customerio::app_api::ask::{Question, Records};
use crate::customerio::app_api::{AppApi, AppApiError, LISTS, PATIENCE, reporting_webhook};
use crate::customerio::event::SourceKind;
use crate::drift::subscription::{self, Change, Difference, Found, PATH, called};
use crate::drift::wanted::wanted;

pub(super) async fn look(args: &CheckArgs, config: &Config, secrets: Arc<dyn Secrets>, looked: &mut Looked) {
    looked.begin("Customer.io's App API");
    let Some(api) = AppApi::of(&config.customerio, secrets, Arc::new(SystemClock)) else {
        looked.line(
            "not asked: there is no app_api_key; sources have no names, and the reporting webhook is not looked at",
        );
        return;
    };
    let api = api.patient(PATIENCE);
    let names = LISTS.iter().map(|row| (Question::List(row), "names of sources".to_owned()));
    let campaigns: BTreeSet<&str> = config
        .heartbeats
        .iter()
        .filter(|heartbeat| heartbeat.source.kind == SourceKind::Campaign)
        .map(|heartbeat| heartbeat.source.id.as_str())
        .collect();
    let campaigns = campaigns.into_iter().map(|id| (Question::Campaign(id), format!("the heartbeat of campaign {id}")));
    for (question, what) in names.chain(campaigns) {
        let path = question.path();
        match api.ask(&question).await {
            Ok(_) => looked.line(&format!("may read {path} ({what})")),
            Err(AppApiError::Status { status: 404, .. }) if matches!(question, Question::Campaign(_)) => {
                looked.wrong(&format!("Customer.io knows nothing of what is needed for {what}"));
            }
            Err(error) => {
                refused(config, looked, &error, &what);
                if ends(&error) {
                    return;
                }
            }
        }
    }
    looked.begin("Reporting webhook");
    let webhooks = api.ask(&Question::ReportingWebhooks).await.and_then(|body| {
        reporting_webhook::list(&body).ok_or(AppApiError::NoList { path: Question::ReportingWebhooks.path() })
    });
    match webhooks {
        Ok(webhooks) => compare(args, config, &webhooks, looked),
        Err(error) => refused(config, looked, &error, "the reporting webhook"),
    }
}

/// Another question would fail the same way.
const fn ends(error: &AppApiError) -> bool {
    matches!(
        error,
        AppApiError::Key(_)
            | AppApiError::Address
            | AppApiError::NoAnswer(_)
            | AppApiError::Refused { status: 401, .. }
    )
}

fn refused(config: &Config, looked: &mut Looked, error: &AppApiError, what: &str) {
    let said = format!("{what}: {error}");
    looked.line(&format!("{said}: PROBLEM"));
    let at = config.customerio.app_api_key.as_ref().map(ToString::to_string);
    looked.problems.push(Wrong { at, message: format!("the App API: {said}") });
}

fn compare(args: &CheckArgs, config: &Config, webhooks: &[reporting_webhook::ReportingWebhook], looked: &mut Looked) {
    const REPAIR: &str = "`bridge subscribe --to URL` shows the change";
    let wanted = wanted(config);
    let (webhook, differences) = match args.to.as_deref().map(subscribe::endpoint) {
        Some(Ok(endpoint)) => {
            let plan = subscription::plan(webhooks, &endpoint, &config.workspace.name, &wanted);
            plan.notes.iter().for_each(|note| looked.line(note));
            match plan.change {
                Change::Nothing(webhook) => (webhook, Vec::new()),
                Change::Repair { webhook, differences } => (webhook, differences),
                Change::Create(_) => {
                    looked.wrong(&format!("no reporting webhook posts to {}: {REPAIR}", endpoint.shown()));
                    return;
                }
            }
        }
        // A wrong address was refused before anything was asked.
        Some(Err(_)) | None => match subscription::look(webhooks, &wanted) {
            Found::Webhook { webhook, differences } => (webhook, differences),
            Found::None { others } => {
                let others = if others == 0 {
                    "there is none at all"
                } else {
                    "is the bridge behind a proxy? Name it with --to"
                };
                looked.wrong(&format!("no reporting webhook posts to {PATH} ({others}): {REPAIR}"));
                return;
            }
        },
    };
    let (called, shown) = (called(&webhook), webhook.settings.endpoint.shown());
    if differences.is_empty() {
        looked.line(&format!("{called} posts to {shown}, is enabled and has all {} events", wanted.len()));
    }
    for difference in differences.iter().map(Difference::words) {
        looked.wrong(&format!("{called}: {difference}; {REPAIR}"));
    }
}
