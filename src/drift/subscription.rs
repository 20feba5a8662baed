//! The reporting webhook as the bridge needs it, beside those that the workspace has: what is to be created or repaired.

use super::wanted::Wanted;
use crate::config::schema::Privacy;
use crate::customerio::app_api::names::tidy;
use crate::customerio::app_api::reporting_webhook::{Endpoint, ReportingWebhook, Settings};
use crate::message::text::cut;

/// The path that the bridge takes webhooks at (design, HTTP surface).
pub const PATH: &str = "/webhooks/customerio";

/// One thing about a webhook that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    Endpoint {
        from: Endpoint,
        to: Endpoint,
    },
    Disabled,
    /// Messages carry their content.
    WithContent,
    /// Events it is not subscribed to, each with what it is needed for.
    Missing(Vec<(String, String)>),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Nothing(ReportingWebhook),
    Create(Settings),
    Repair { webhook: ReportingWebhook, differences: Vec<Difference> },
}

/// A change, and what else stands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub change: Change,
    pub notes: Vec<String>,
}

/// What a webhook that this bridge made is called: bridges of other workspaces have other names.
pub fn name(workspace: &str) -> String {
    format!("cio-alert-bridge {workspace}")
}

/// The change that makes one webhook post all that is wanted to `endpoint`. Ours is the one that posts there; else one
/// that we made, or that posts to another path of the same host. Another host's is somebody else's, and stays.
pub fn plan(webhooks: &[ReportingWebhook], endpoint: &Endpoint, workspace: &str, wanted: &Wanted) -> Plan {
    let posting = || webhooks.iter().filter(|webhook| !webhook.is_script);
    let here = |webhook: &&ReportingWebhook| webhook.settings.endpoint.is(endpoint);
    let made = |webhook: &&ReportingWebhook| webhook.settings.name == name(workspace);
    let near = |webhook: &&ReportingWebhook| {
        let settings = &webhook.settings;
        settings.endpoint.shares_host(endpoint) && settings.endpoint.ends_with(PATH)
    };
    let ours = best(posting().filter(here), wanted)
        .or_else(|| best(posting().filter(made), wanted))
        .or_else(|| best(posting().filter(near), wanted));
    let is_ours = |webhook: &ReportingWebhook| ours.is_some_and(|ours| ours.id == webhook.id);
    let mut notes = Vec::new();
    for other in posting().filter(|webhook| !is_ours(webhook)) {
        let (shown, called) = (other.settings.endpoint.shown(), called(other));
        if here(&other) {
            if other.settings.disabled {
                continue;
            }
            notes.push(format!("{called} posts to the same address: each event comes twice and is counted once"));
        } else if other.settings.endpoint.ends_with(PATH) {
            notes.push(format!("{called} posts to {shown}, another bridge's by its path: it is left as it is"));
        }
    }
    let Some(ours) = ours else {
        let settings = Settings {
            name: name(workspace),
            endpoint: endpoint.clone(),
            events: wanted.keys().cloned().collect(),
            disabled: false,
            full_resolution: false,
            with_content: false,
        };
        return Plan { change: Change::Create(settings), notes };
    };
    let mut differences = Vec::new();
    if !ours.settings.endpoint.is(endpoint) {
        differences.push(Difference::Endpoint { from: ours.settings.endpoint.clone(), to: endpoint.clone() });
    }
    differences.extend(compare(&ours.settings, wanted));
    let change = match differences.is_empty() {
        true => Change::Nothing(ours.clone()),
        false => Change::Repair { webhook: ours.clone(), differences },
    };
    Plan { change, notes }
}

/// The webhook with most of what is wanted, one that is on before one that is off.
fn best<'w>(webhooks: impl Iterator<Item = &'w ReportingWebhook>, wanted: &Wanted) -> Option<&'w ReportingWebhook> {
    let fit = |webhook: &ReportingWebhook| {
        let events = webhook.settings.events.iter().filter(|name| wanted.contains_key(*name)).count();
        (!webhook.settings.disabled, events)
    };
    // The first of equals: the answer's order is stable.
    webhooks.reduce(|best, next| if fit(next) > fit(best) { next } else { best })
}

/// What is wrong with a webhook, but for where it posts.
fn compare(settings: &Settings, wanted: &Wanted) -> Vec<Difference> {
    let mut differences = Vec::new();
    if settings.disabled {
        differences.push(Difference::Disabled);
    }
    if settings.with_content {
        differences.push(Difference::WithContent);
    }
    let missing = wanted.iter().filter(|(name, _)| !settings.events.contains(name));
    let missing: Vec<_> = missing.map(|(name, why)| (name.clone(), why.clone())).collect();
    if !missing.is_empty() {
        differences.push(Difference::Missing(missing));
    }
    differences
}

/// What stands where nobody says which address is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The best of those that post to [`PATH`].
    Webhook { webhook: ReportingWebhook, differences: Vec<Difference> },
    /// None posts to [`PATH`]; `others` post elsewhere, and one of them may be ours behind a proxy.
    None { others: usize },
}

/// Looks for our webhook by its path alone.
pub fn look(webhooks: &[ReportingWebhook], wanted: &Wanted) -> Found {
    let posting = || webhooks.iter().filter(|webhook| !webhook.is_script);
    match best(posting().filter(|webhook| webhook.settings.endpoint.ends_with(PATH)), wanted) {
        Some(webhook) => Found::Webhook { webhook: webhook.clone(), differences: compare(&webhook.settings, wanted) },
        None => Found::None { others: posting().count() },
    }
}

impl Change {
    /// What the webhook becomes; `None` when nothing changes. Name, event subscriptions that we do not need and
    /// `full_resolution` stay as they are.
    pub fn settings(&self) -> Option<Settings> {
        match self {
            Self::Nothing(_) => None,
            Self::Create(settings) => Some(settings.clone()),
            Self::Repair { webhook, differences } => {
                let mut settings = webhook.settings.clone();
                for difference in differences {
                    match difference {
                        Difference::Endpoint { to, .. } => settings.endpoint = to.clone(),
                        Difference::Disabled => settings.disabled = false,
                        Difference::WithContent => settings.with_content = false,
                        Difference::Missing(events) => {
                            settings.events.extend(events.iter().map(|(name, _)| name.clone()))
                        }
                    }
                }
                Some(settings)
            }
        }
    }

    /// A line a change, as `diff` writes them.
    pub fn lines(&self, wanted: &Wanted) -> Vec<String> {
        match self {
            Self::Nothing(_) => Vec::new(),
            Self::Create(settings) => {
                let mut lines = vec![
                    format!("+ name {:?}", settings.name),
                    format!("+ endpoint {}", settings.endpoint.shown()),
                    "+ with_content off".to_owned(),
                ];
                lines.extend(wanted.iter().map(|(name, why)| format!("+ {name}  ({why})")));
                lines
            }
            Self::Repair { differences, .. } => differences.iter().flat_map(Difference::lines).collect(),
        }
    }
}

impl Difference {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Endpoint { from, to } => {
                vec![format!("- endpoint {}", from.shown()), format!("+ endpoint {}", to.shown())]
            }
            Self::Disabled => vec!["- disabled".to_owned(), "+ enabled".to_owned()],
            Self::WithContent => vec!["- with_content on".to_owned(), "+ with_content off".to_owned()],
            Self::Missing(events) => events.iter().map(|(name, why)| format!("+ {name}  ({why})")).collect(),
        }
    }

    /// In words, for a finding.
    pub fn words(&self) -> String {
        match self {
            Self::Endpoint { from, .. } => format!("it posts to {}", from.shown()),
            Self::Disabled => "it is disabled: nothing is sent".to_owned(),
            Self::WithContent => {
                "with_content is on: every message's content comes along, personal data and all".to_owned()
            }
            Self::Missing(events) => {
                let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).take(NAMED).collect();
                let more = events.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("it is not subscribed to {}{more}", names.join(", "))
            }
        }
    }
}

/// Events that a finding names.
const NAMED: usize = 6;

/// How a webhook is named: `webhook 4 "ops"`.
pub fn called(webhook: &ReportingWebhook) -> String {
    // Typed by somebody: an address or a link in it is masked, whatever the configuration says.
    match tidy(&webhook.settings.name, Privacy::default()) {
        None => format!("webhook {}", webhook.id),
        Some(name) => format!("webhook {} {:?}", webhook.id, cut(&name, NAME_CHARS)),
    }
}

/// The longest name that is shown, in characters.
const NAME_CHARS: usize = 40;

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
