//! What a valid configuration holds: parsed once, into types that cannot be wrong.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use wildmatch::WildMatch;

use super::secrets::SecretRef;
use crate::customerio::event::{Source, SourceKind};
use crate::hash::Parts;
use crate::heartbeat::Heartbeat;
use crate::incident::Severity;
use crate::receivers::{Abilities, pagerduty, slack, sns_chat, sns_message};
use crate::route::Route;
use crate::rules::Rule;

/// A valid `bridge.toml`, defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    pub workspace: Workspace,
    pub customerio: CustomerIo,
    pub sources: Vec<NamedSource>,
    pub receivers: Vec<ReceiverConfig>,
    pub routes: Vec<Route>,
    pub rules: Vec<Rule>,
    pub heartbeats: Vec<Heartbeat>,
    pub storm: Storm,
    pub ignore: Ignore,
    pub digest: Option<DigestConfig>,
    pub page: Option<Page>,
    pub counts: Option<Counts>,
    pub reconciliation: Option<Reconciliation>,
    pub deadman: Option<Deadman>,
    pub canary: Option<Canary>,
    pub privacy: Privacy,
    /// SHA-256 of the file's text, first 12 hex digits: every entry point logs it (design, law 10).
    pub hash: String,
}

#[derive(Clone, Debug)]
pub struct Workspace {
    /// Begins every key in the store.
    pub name: String,
    /// IANA name, for showing.
    pub timezone: String,
    pub zone: TimeZone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Us,
    Eu,
}

#[derive(Clone, Debug)]
pub struct CustomerIo {
    pub region: Region,
    /// For deep links.
    pub workspace_id: Option<u64>,
    /// Keys that may have signed a webhook; the first one must be set, later ones may be missing.
    pub signing_keys: Vec<SecretRef>,
    pub app_api_key: Option<SecretRef>,
    pub app_api_url: Option<String>,
}

/// Who may report what was fired.
#[derive(Clone, Debug)]
pub struct Counts {
    /// The backend's own keys; the first one must be set.
    pub signing_keys: Vec<SecretRef>,
}

/// A CloudWatch metric whose sums are counts of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSum {
    pub event: String,
    /// Who counts, as in a report.
    pub origin: String,
    pub namespace: String,
    pub metric: String,
    /// Names and values, in the order of names.
    pub dimensions: Vec<(String, String)>,
    /// Another region than the bridge's own.
    pub region: Option<String>,
}

impl MetricSum {
    /// Names its reports among others of the same event and hour: metrics with other dimensions are added up.
    pub fn id(&self) -> String {
        let mut parts = Parts::of([&self.namespace, &self.metric].into_iter().chain(&self.region));
        self.dimensions.iter().flat_map(|(name, value)| [name, value]).for_each(|part| parts.add(part));
        format!("cloudwatch-{}", parts.hex(8))
    }
}

/// What is compared with what.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    /// The fraction that is too much.
    pub divergence: f64,
    /// A day is compared this long after its end.
    pub settle: SignedDuration,
    pub events: Vec<DeclaredEvent>,
    /// Counts of what was fired that are kept as metrics.
    pub metrics: Vec<MetricSum>,
}

/// An event that the backend fires, and the campaign that it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredEvent {
    pub name: String,
    pub campaign: Source,
}

/// A source with the name and owner people know it by.
#[derive(Clone, Debug)]
pub struct NamedSource {
    pub id: Source,
    pub name: Option<String>,
    pub owner: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    pub name: String,
    pub kind: ReceiverKind,
    /// The receiver that hears what this one will never take.
    pub fallback: Option<String>,
}

/// What a receiver is and how to reach it.
#[derive(Clone, Debug)]
pub enum ReceiverKind {
    PagerDuty {
        routing_key: SecretRef,
        /// Base address; `/v2/enqueue` is appended.
        url: String,
    },
    SlackWebhook {
        webhook_url: SecretRef,
        /// Replaces the scheme and host of the webhook's own address.
        url: Option<String>,
    },
    SlackBot {
        bot_token: SecretRef,
        channel: String,
        /// Base address; `/api/chat.postMessage` and `/api/chat.update` are appended.
        url: String,
    },
    Sns {
        topic_arn: SecretRef,
        format: SnsFormat,
        /// Another endpoint than AWS's own.
        url: Option<String>,
    },
    Console,
}

/// What the subscribers of a topic can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnsFormat {
    /// Plain text, for e-mail and queues.
    #[default]
    Text,
    /// The JSON that Amazon Q Developer in chat applications (once AWS Chatbot) shows in Slack or Teams.
    Chat,
}

impl SnsFormat {
    pub const ALL: [Self; 2] = [Self::Text, Self::Chat];

    /// As the configuration writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Chat => "chat",
        }
    }
}

impl ReceiverKind {
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::PagerDuty { .. } => "pagerduty",
            Self::SlackWebhook { .. } | Self::SlackBot { .. } => "slack",
            Self::Sns { .. } => "sns",
            Self::Console => "console",
        }
    }
}

impl ReceiverKind {
    /// What it can show.
    pub const fn abilities(&self) -> Abilities {
        let (posts, edits, burst, names_chars) = match self {
            Self::PagerDuty { .. } => (false, false, pagerduty::PACE.0, pagerduty::NAMES_CHARS),
            Self::SlackWebhook { .. } => (true, false, slack::PACE.0, slack::NAMES_CHARS),
            Self::SlackBot { .. } => (true, true, slack::PACE.0, slack::NAMES_CHARS),
            Self::Sns { format: SnsFormat::Chat, .. } => (true, false, sns_message::BURST, sns_chat::NAMES_CHARS),
            Self::Sns { .. } => (true, false, sns_message::BURST, sns_message::NAMES_CHARS),
            Self::Console => (true, false, usize::MAX, sns_message::NAMES_CHARS),
        };
        Abilities { posts, edits, acknowledges: matches!(self, Self::PagerDuty { .. }), burst, names_chars }
    }
}

/// How often an open incident is spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// An opening that is not critical waits this long for its group to fill.
    pub group_wait: SignedDuration,
    pub update_every: SignedDuration,
    pub repeat_every: SignedDuration,
    pub open_incidents: u64,
}

impl Default for Storm {
    fn default() -> Self {
        Self {
            group_wait: SignedDuration::ZERO,
            update_every: SignedDuration::from_mins(5),
            repeat_every: SignedDuration::from_hours(4),
            open_incidents: 200,
        }
    }
}

/// Test traffic: counted and shown, never alerts.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    pub recipients: Vec<WildMatch>,
    pub sources: Vec<WildMatch>,
    /// How the names of test events begin: they are compared with nothing.
    pub event_prefixes: Vec<String>,
}

impl Ignore {
    /// Whether an event's name is a test's.
    pub fn is_test_event(&self, name: &str) -> bool {
        self.event_prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

#[derive(Clone, Debug)]
pub struct DigestConfig {
    /// Local time.
    pub at: Time,
    pub receivers: Vec<String>,
}

/// Who outside hears that the bridge lives (design, law 9).
#[derive(Clone, Debug)]
pub struct Deadman {
    /// Where the sign goes; whoever knows the address can keep the dead-man quiet.
    pub url: SecretRef,
    pub form: DeadmanForm,
}

/// How a sign of life is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeadmanForm {
    /// The address is asked for by `GET`.
    #[default]
    Ping,
    /// A check-in of a Sentry cron monitor.
    Sentry,
}

impl DeadmanForm {
    pub const ALL: [Self; 2] = [Self::Ping, Self::Sentry];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Sentry => "sentry",
        }
    }
}

/// The event that is sent to see whether it comes back ([`crate::canary`]).
#[derive(Clone, Debug)]
pub struct Canary {
    /// The test profile's id in Customer.io.
    pub profile: String,
    /// The one-step workflow that answers.
    pub campaign: u64,
    /// The event's name.
    pub event: String,
    pub every: SignedDuration,
    pub site_id: SecretRef,
    pub api_key: SecretRef,
    /// Base address of the Track API instead of the region's.
    pub url: Option<String>,
    pub severity: Severity,
}

impl Canary {
    /// Whether a source is the workflow that answers.
    pub fn is_source(&self, source: &Source) -> bool {
        source.kind == SourceKind::Campaign && source.id == self.campaign.to_string()
    }
}

#[derive(Clone, Debug)]
pub struct Page {
    /// Without it messages carry no links.
    pub base_url: Option<String>,
    /// Where a section of the runbook is, but for `#` and its key; the bridge's own page else.
    pub runbook_url: Option<String>,
    /// Empty: `serve` makes one of its own.
    pub link_keys: Vec<SecretRef>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    pub show_personal_data: bool,
}

impl Config {
    /// Metrics that hold counts of what was fired.
    pub fn metrics(&self) -> &[MetricSum] {
        self.reconciliation.as_ref().map_or(&[], |reconciliation| &reconciliation.metrics)
    }

    /// The events that are compared: those that are declared and are no tests.
    pub fn compared(&self) -> Vec<&DeclaredEvent> {
        let declared = self.reconciliation.iter().flat_map(|reconciliation| &reconciliation.events);
        declared.filter(|event| !self.ignore.is_test_event(&event.name)).collect()
    }

    /// Campaigns that are compared by one event: whatever starts them is that event.
    pub fn compared_campaigns(&self) -> Vec<&Source> {
        let events = self.compared();
        let is_one = |campaign: &Source| events.iter().filter(|event| event.campaign == *campaign).count() == 1;
        events.iter().map(|event| &event.campaign).filter(|campaign| is_one(campaign)).collect()
    }

    pub fn receiver(&self, name: &str) -> Option<&ReceiverConfig> {
        self.receivers.iter().find(|r| r.name == name)
    }

    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|r| r.name == name)
    }

    pub fn heartbeat(&self, name: &str) -> Option<&Heartbeat> {
        self.heartbeats.iter().find(|h| h.name == name)
    }

    pub fn named(&self, source: &Source) -> Option<&NamedSource> {
        self.sources.iter().find(|s| s.id == *source)
    }
}

/// Longest time a receiver has to answer (design, law 7).
pub const SEND_TIMEOUT: Duration = Duration::from_secs(8);
