//! The format of `bridge.toml` as types, once more: for `bridge schema`, which editors complete and check with, and for
//! the tables of keys in docs/configuration.md. A doc comment here is the reference's text; one that ends in
//! `Default: ...` says what holds without the key where that is no plain value.
//!
//! [`super::parse`] alone decides what is valid. It knows exactly these keys, which tests hold together; what a schema
//! cannot say (names that must exist, circles, how long a duration may be) only it says.

#[cfg(test)]
mod documented;
pub mod judged;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod taken;
#[cfg(test)]
mod tests;
pub mod texts;
pub mod told;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use self::judged::{Heartbeat, Rule, Severity};
use self::texts::{Duration, Name, Secret, Source, SourcePattern, Url, Zone};
use self::told::{Digest, Receiver, Route};

/// The JSON Schema of the file. Draft 7, which TOML editors (Even Better TOML, Tombi) understand.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(plain);
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".into(), json!("bridge.toml"));
    schema.to_value()
}

/// The schema as `bridge schema` prints it and docs/bridge.schema.json holds it.
pub fn text() -> String {
    // A value that was built in memory: there is nothing in it that could fail to serialise.
    serde_json::to_string_pretty(&schema()).map(|json| json + "\n").unwrap_or_else(|error| format!("{error}\n"))
}

/// TOML has no null, doc comments are broken into lines for us only, and how many bits a number has is no matter of the file's.
fn plain(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|t| t != "null"));
        if choices.len() == 1
            && let Some(only) = schema.remove("anyOf")
        {
            schema.insert("allOf".into(), only);
        }
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    schema.remove("format");
    transform_subschemas(&mut plain, schema);
}

/// The configuration of cio-alert-bridge: who sends, what is bad, who hears of it. `bridge check` says what a file does.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct File {
    /// Who we are.
    pub workspace: Workspace,
    /// Whose webhooks are taken.
    pub customerio: CustomerIo,
    /// The names people know senders by.
    pub sources: Option<Vec<NamedSource>>,
    /// Who can hear.
    #[schemars(length(min = 1))]
    pub receivers: Vec<Receiver>,
    /// What is bad. Without any, the default rules hold; an empty list is no rule at all.
    pub rules: Option<Vec<Rule>>,
    /// What must happen.
    pub heartbeats: Option<Vec<Heartbeat>>,
    /// Who hears what: the first route that matches, and those after it as long as they say `continue`.
    #[schemars(length(min = 1))]
    pub routes: Vec<Route>,
    /// How often an open incident is spoken of.
    pub storm: Option<Storm>,
    /// Test traffic: counted and shown, never an alert.
    pub ignore: Option<Ignore>,
    /// The daily summary, and the proof that the bridge is alive. Without this section there is none.
    pub digest: Option<Digest>,
    /// The page that people look at.
    pub page: Option<Page>,
    /// What is shown of people.
    pub privacy: Option<Privacy>,
    /// What the backend fired, posted to the bridge.
    pub counts: Option<Counts>,
    /// Compares what was fired with what was received.
    pub reconciliation: Option<Reconciliation>,
    /// An outside address that is pinged while the bridge works.
    pub deadman: Option<Deadman>,
    /// An event that is sent through Customer.io to see whether it comes back.
    pub canary: Option<Canary>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Workspace {
    /// Begins every key in the store and is named in alerts; a new name is a new, empty workspace.
    pub name: Name,
    /// An IANA name. Days, hours, heartbeats and the digest are local.
    #[schemars(extend("default" = "UTC"))]
    pub timezone: Option<Zone>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CustomerIo {
    /// Where the workspace is.
    #[schemars(extend("default" = "us"))]
    pub region: Option<Region>,
    /// The workspace's number, for links into Customer.io. Default: no links.
    #[schemars(range(min = 1))]
    pub workspace_id: Option<u64>,
    /// References to all keys that may have signed a webhook. The first must be set, later ones may be missing: while you
    /// rotate, put the new key first and keep the old one behind it.
    #[schemars(length(min = 1))]
    pub signing_keys: Vec<Secret>,
    /// A reference to a key of the App API, from which names are read once a day: `Activation (campaign 5)` instead of
    /// `campaign 5`. A name in `[[sources]]` wins. Give it the scopes that read campaigns, broadcasts, newsletters and
    /// transactional messages; without one of them those sources are shown by id. Once a day it is asked
    /// for what somebody may have changed (`kind = "drift"`), which needs reporting webhooks, too. When a rule's incident
    /// opens it is asked about up to three of the failed messages, after the page, and the alert gets a `Diagnosis`, as far
    /// as the key may read messages, campaigns, sender identities and the suppression list. `bridge subscribe` and
    /// `bridge diagnose` use it and want more scopes (docs/operations.md, docs/diagnose.md). Default: no names but those here.
    pub app_api_key: Option<Secret>,
    /// Another base address of the App API; `/v1/...` is appended. Default: the region's.
    pub app_api_url: Option<Url>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Region {
    Us,
    Eu,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NamedSource {
    /// The source; each once.
    pub id: Source,
    /// What people call it. Default: `campaign 5`.
    pub name: Option<Name>,
    /// Whose it is: a label that routes can match.
    pub owner: Option<Name>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Storm {
    /// How long an opening waits for its group to fill, at most `1h`; critical never waits.
    #[schemars(extend("default" = "0s"))]
    pub group_wait: Option<Duration>,
    /// How often new numbers are written into what was said, where the receiver can edit (a Slack bot), `1s` to `24h`;
    /// looked at once a minute.
    #[schemars(extend("default" = "5m"))]
    pub update_every: Option<Duration>,
    /// An open incident is spoken of again after this, `1s` to `7d`, where the receiver can post.
    #[schemars(extend("default" = "4h"))]
    pub repeat_every: Option<Duration>,
    /// When so many are open, further openings are named together in a roll-up, at most a minute later.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 200))]
    pub open_incidents: Option<u64>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ignore {
    /// Patterns over addresses, in either case: `*@example.com`. Default: none.
    pub recipients: Option<Vec<Name>>,
    /// Patterns over sources. Default: none.
    pub sources: Option<Vec<SourcePattern>>,
    /// How the names of test events begin: they are not compared, and no ghosts. Default: none.
    pub event_prefixes: Option<Vec<Name>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Page {
    /// Where people reach the bridge, for links in alerts. Default: no links.
    pub base_url: Option<Url>,
    /// Where alerts find the runbook, such as your own copy; `#` and a section's key are added. Default: `/runbook` of
    /// the bridge itself.
    pub runbook_url: Option<Url>,
    /// References to the keys that sign links. Default: under `serve` one is made in the data folder.
    pub link_keys: Option<Vec<Secret>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Privacy {
    /// Addresses, numbers and ids in texts that came from the sender are masked unless this is `true`.
    #[schemars(extend("default" = false))]
    pub show_personal_data: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Counts {
    /// References to the backend's own keys.
    #[schemars(length(min = 1))]
    pub signing_keys: Vec<Secret>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricSum {
    /// The event that the metric counts.
    pub event: Name,
    /// Its namespace in CloudWatch.
    pub namespace: Name,
    /// The metric's name; its hourly sums are taken.
    pub metric: Name,
    /// `["Service=billing"]`: all of the metric's dimensions, as CloudWatch wants it.
    pub dimensions: Option<Vec<String>>,
    /// Another region than the bridge's own.
    pub region: Option<Name>,
    /// Who counts, as in a report.
    #[schemars(extend("default" = "cloudwatch"))]
    pub origin: Option<Name>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reconciliation {
    /// The fraction between fired and received that is too much.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "default" = 0.05))]
    pub divergence: Option<f64>,
    /// A day is compared this long after its end, at most `7d`.
    #[schemars(extend("default" = "6h"))]
    pub settle: Option<Duration>,
    /// What is compared.
    pub events: Option<Vec<Fired>>,
    /// Counts of what was fired that are kept as CloudWatch metrics.
    pub metrics: Option<Vec<MetricSum>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fired {
    /// The event's name.
    pub name: Name,
    /// The campaign that it starts.
    #[schemars(range(min = 1))]
    pub campaign: u64,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Deadman {
    /// A reference to the address: whoever knows it can keep the dead-man quiet.
    pub url: Secret,
    /// `ping` asks for the address by `GET` (Healthchecks, Cronitor, Dead Man's Snitch); `sentry` checks in with a cron
    /// monitor, whose address is `https://{ingest}/api/{project}/cron/{slug}/{public_key}/`.
    #[schemars(rename = "type", extend("default" = "ping"))]
    pub form: Option<DeadmanForm>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum DeadmanForm {
    Ping,
    Sentry,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Canary {
    /// The test profile's id in Customer.io.
    pub profile: Name,
    /// The one-step workflow that answers the event with a message. What it sends to this profile covers, and never
    /// counts.
    #[schemars(range(min = 1))]
    pub campaign: u64,
    /// The event that starts the workflow.
    #[schemars(extend("default" = "bridge_canary"))]
    pub event: Option<Name>,
    /// How often one is sent, `1m` to `1h`.
    #[schemars(extend("default" = "5m"))]
    pub every: Option<Duration>,
    /// A reference to the workspace's site id, under which the Track API knows it.
    pub site_id: Secret,
    /// A reference to the key of the Track API; it is another than that of the App API.
    pub api_key: Secret,
    /// How bad it is when three in a row are late. Customer.io's own delays make it so a few times a quarter.
    #[schemars(extend("default" = "warning"))]
    pub severity: Option<Severity>,
    /// Another base address of the Track API; `/api/v1/...` is appended. Default: the region's.
    pub url: Option<Url>,
}
