//! Is every secret set that the configuration refers to?

use super::{Looked, Wrong};
use crate::config::Config;
use crate::config::schema::ReceiverKind;
use crate::config::secrets::{SecretRef, Secrets};

/// Resolves every secret.
pub async fn look(config: &Config, secrets: &dyn Secrets) -> Looked {
    let mut problems = Vec::new();
    let mut lines = Vec::new();
    for Needed { what, at, may_be_missing } in needed(config) {
        match resolve(secrets, at).await {
            Ok(()) => lines.push(format!("{at} is set ({what})")),
            Err(why) if may_be_missing => lines.push(format!("{why} ({what}); that is fine")),
            Err(why) => {
                lines.push(format!("{why} ({what}): PROBLEM"));
                problems.push(Wrong { at: Some(at.to_string()), message: format!("{why}; it is needed for {what}") });
            }
        }
    }
    let mut summary = String::from("\nSecrets\n");
    lines.iter().for_each(|line| summary.push_str(&format!("  {line}\n")));
    Looked { problems, summary }
}

/// A secret that the configuration refers to.
pub struct Needed<'c> {
    what: String,
    pub at: &'c SecretRef,
    may_be_missing: bool,
}

/// Every secret of a configuration.
pub fn needed(config: &Config) -> Vec<Needed<'_>> {
    let mut needed = Vec::new();
    for (index, at) in config.customerio.signing_keys.iter().enumerate() {
        // Later keys are there for rotation (design, Configuration).
        let later = index > 0;
        let what = if later { "a later signing key" } else { "the signing key" };
        needed.push(Needed { what: what.into(), at, may_be_missing: later });
    }
    for (index, at) in config.counts.iter().flat_map(|counts| &counts.signing_keys).enumerate() {
        needed.push(Needed { what: "counts".into(), at, may_be_missing: index > 0 });
    }
    for (index, at) in config.page.iter().flat_map(|page| &page.link_keys).enumerate() {
        needed.push(Needed { what: "links to the page".into(), at, may_be_missing: index > 0 });
    }
    if let Some(at) = &config.customerio.app_api_key {
        needed.push(Needed { what: "the App API".into(), at, may_be_missing: false });
    }
    for receiver in &config.receivers {
        let at = match &receiver.kind {
            ReceiverKind::PagerDuty { routing_key, .. } => routing_key,
            ReceiverKind::SlackWebhook { webhook_url, .. } => webhook_url,
            ReceiverKind::SlackBot { bot_token, .. } => bot_token,
            ReceiverKind::Sns { topic_arn, .. } => topic_arn,
            ReceiverKind::Console => continue,
        };
        needed.push(Needed { what: format!("the receiver {}", receiver.name), at, may_be_missing: false });
    }
    if let Some(deadman) = &config.deadman {
        needed.push(Needed { what: "the dead-man".into(), at: &deadman.url, may_be_missing: false });
    }
    if let Some(canary) = &config.canary {
        for at in [&canary.site_id, &canary.api_key] {
            needed.push(Needed { what: "the canary".into(), at, may_be_missing: false });
        }
    }
    needed
}

async fn resolve(secrets: &dyn Secrets, at: &SecretRef) -> Result<(), String> {
    secrets.get(at).await.map(drop).map_err(|error| error.to_string())
}
