//! The format of `bridge.toml` as types, once more: for `bridge schema`, which editors complete and check with, and for
//! the tables of keys in docs/configuration.md. A doc comment here is the reference's text; one that ends in
//! `Default: ...` says what holds without the key where that is no plain value.
//!
//! [`super::parse`] alone decides what is valid. It knows exactly these keys, which tests hold together; what a schema
//! cannot say (names that must exist, circles, how long a duration may be) only it says.

#[cfg(test)]
mod documented;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod tests;
mod texts;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use self::texts::{
    Date, Due, Duration, Event, EventOrPattern, Hours, Name, OneOrMany, Secret, Source, SourcePattern, Time, Url, Zone,
};

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
    /// A reference to a key of the App API; what needs it says so without it.
    pub app_api_key: Option<Secret>,
    /// Another base address of the App API. Default: the region's.
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

/// Where alerts go.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Receiver {
    /// Can only page: it hears trigger and resolve.
    PagerDuty {
        /// What routes, the digest and fallbacks call it; each once.
        name: Name,
        /// The receiver that hears, with the reason, what this one will never take; no circles.
        fallback: Option<Name>,
        /// A reference to the routing key of an Events API v2 integration.
        routing_key: Secret,
        /// Base address; `/v2/enqueue` is appended.
        #[schemars(extend("default" = "https://events.pagerduty.com"))]
        url: Option<Url>,
    },
    /// By an incoming webhook, which posts but cannot edit what it posted, or by a bot, which can.
    #[schemars(extend("oneOf" = [
        { "required": ["webhook_url"], "not": { "anyOf": [{ "required": ["bot_token"] }, { "required": ["channel"] }] } },
        { "required": ["bot_token", "channel"], "not": { "required": ["webhook_url"] } },
    ]))]
    Slack {
        /// What routes, the digest and fallbacks call it; each once.
        name: Name,
        /// The receiver that hears, with the reason, what this one will never take; no circles.
        fallback: Option<Name>,
        /// A reference to the address of an incoming webhook; this, or `bot_token` and `channel`.
        webhook_url: Option<Secret>,
        /// A reference to a bot's token, with `channel`.
        bot_token: Option<Secret>,
        /// Where the bot posts, such as `#alerts`.
        channel: Option<Name>,
        /// Another base address: replaces the webhook's scheme and host. Default: the webhook's own, or
        /// `https://slack.com`.
        url: Option<Url>,
    },
    /// A topic of AWS SNS.
    Sns {
        /// What routes, the digest and fallbacks call it; each once.
        name: Name,
        /// The receiver that hears, with the reason, what this one will never take; no circles.
        fallback: Option<Name>,
        /// A reference to the topic's ARN.
        topic_arn: Secret,
        /// Another endpoint. Default: AWS's own.
        url: Option<Url>,
    },
    /// Prints; for trying things out.
    Console {
        /// What routes, the digest and fallbacks call it; each once.
        name: Name,
        /// The receiver that hears, with the reason, what this one will never take; no circles.
        fallback: Option<Name>,
    },
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Route {
    /// Labels and what they must be: one text or a list, patterns allowed. All labels must match, of a list any.
    /// Default: everything.
    #[schemars(rename = "match")]
    pub matches: Option<Match>,
    /// Days and a span of local time in which the route holds, or a list of them: `"mon-fri 08:00-20:00"`. A span that
    /// ends before it begins goes on into the next day; days alone are whole days; `24:00` is the day's end. Default:
    /// always.
    pub hours: Option<OneOrMany<Hours>>,
    /// Names of receivers.
    #[schemars(length(min = 1))]
    pub receivers: Vec<Name>,
    /// Whether the routes after it are looked at too when it matched.
    #[schemars(rename = "continue", extend("default" = false))]
    pub goes_on: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Match {
    /// `critical`, `warning` or `info`.
    pub severity: Option<OneOrMany<Name>>,
    /// `rule`, `heartbeat` or `blindness`; a blindness has the labels of the most severe heartbeat or rule besides.
    pub kind: Option<OneOrMany<Name>>,
    /// The name of a rule or heartbeat.
    pub rule: Option<OneOrMany<Name>>,
    /// Sources, such as `campaign:5` or `transactional:*`.
    pub source: Option<OneOrMany<SourcePattern>>,
    /// The owner of a source in `[[sources]]`.
    pub owner: Option<OneOrMany<Name>>,
    /// `email`, `sms`, `push`, `in_app`, `slack`, `webhook`, `whatsapp` or `customer`.
    pub channel: Option<OneOrMany<Name>>,
    /// Events, such as `email_failed` or `*_bounced`.
    pub metric: Option<OneOrMany<Name>>,
    /// Why messages fail, such as `mailbox_unknown`.
    pub cause: Option<OneOrMany<Name>>,
}

/// Opens an incident for each group in which its condition becomes true.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = [{ "required": ["count"] }, { "required": ["rate"] }]))]
pub struct Rule {
    /// What people call it; each once.
    pub name: Name,
    /// What is counted: events or patterns such as `*_failed`.
    #[schemars(length(min = 1))]
    pub events: Vec<EventOrPattern>,
    /// Patterns over sources, such as `transactional:*`. Default: every source.
    pub sources: Option<Vec<SourcePattern>>,
    /// What incidents are told apart by; `[]` for one incident in all. Default: `["cause"]`, for a rate `["source"]`.
    pub group_by: Option<Vec<Dimension>>,
    /// True once there are so many events within a window; this or `rate`.
    pub count: Option<Count>,
    /// True once more than a fraction of what was sent fails within a window; this or `count`.
    pub rate: Option<Rate>,
    /// How bad it is. Who leaves it out is not told more quietly for that.
    #[schemars(extend("default" = "critical"))]
    pub severity: Option<Severity>,
    /// An incident resolves after so much quiet time in which we could hear, `1m` to `7d`. Default: the longer of the
    /// window and 30 minutes.
    pub quiet_for: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Count {
    /// How many events make it true.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub at_least: u64,
    /// Within which time, `1m` to `7d`.
    pub within: Duration,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rate {
    /// What the rate is taken of; each of `events` needs one of its own channel here.
    pub of: OneOrMany<EventOrPattern>,
    /// The fraction that is too much: `0.05` is 5 %.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub above: f64,
    /// Within which time, `1m` to `7d`.
    pub within: Duration,
    /// How much later than their sends failures come, at most `7d`.
    #[schemars(extend("default" = "1h"))]
    pub lag: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Severity {
    Critical,
    Warning,
    Info,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Dimension {
    Cause,
    Source,
    Action,
    Channel,
    Metric,
    Provider,
}

/// What a workflow must do in a period.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = [
    { "oneOf": [{ "required": ["event"] }, { "required": ["distinct"] }] },
    { "oneOf": [
        { "required": ["expect"] },
        { "anyOf": [{ "required": ["at_least"] }, { "required": ["at_most"] }] },
    ] },
    {
        "if": { "properties": { "every": { "const": "hour" } }, "required": ["every"] },
        "then": { "not": { "required": ["by"] } },
    },
]))]
pub struct Heartbeat {
    /// What people call it; each once.
    pub name: Name,
    /// Whose messages are counted.
    pub source: Source,
    /// What is counted; this or `distinct`.
    pub event: Option<Event>,
    /// What is counted instead of an event.
    pub distinct: Option<Distinct>,
    /// Only what this action of the workflow sent, such as `"97"`. Default: every action.
    pub action: Option<Name>,
    /// What is expected instead of numbers.
    pub expect: Option<Expect>,
    /// Fewer are too few.
    #[schemars(range(min = 1, max = 10_000_000_000_u64))]
    pub at_least: Option<u64>,
    /// More are too many.
    #[schemars(range(min = 0, max = 10_000_000_000_u64))]
    pub at_most: Option<u64>,
    /// The period, local; weeks begin on Monday.
    #[schemars(extend("default" = "day"))]
    pub every: Option<Every>,
    /// When it must be met, local: `"18:00"`; for a week `"fri 18:00"`; an hour has none. Default: the period's end.
    pub by: Option<Due>,
    /// How bad it is.
    #[schemars(extend("default" = "critical"))]
    pub severity: Option<Severity>,
    /// Dates whose periods are not judged: days, or the Mondays of weeks. Default: none.
    pub except: Option<Vec<Date>>,
    /// The workflow must be running.
    #[schemars(extend("default" = false))]
    pub must_run: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Distinct {
    Journey,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Expect {
    Learned,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Every {
    Hour,
    Day,
    Week,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Storm {
    /// How long an opening waits for its group to fill, at most `1h`; critical never waits.
    #[schemars(extend("default" = "0s"))]
    pub group_wait: Option<Duration>,
    /// A message that can be edited is brought up to date this often, `1s` to `24h`.
    #[schemars(extend("default" = "5m"))]
    pub update_every: Option<Duration>,
    /// An open incident is spoken of again after this, `1s` to `7d`, where the receiver can post.
    #[schemars(extend("default" = "4h"))]
    pub repeat_every: Option<Duration>,
    /// Beyond so many open incidents one roll-up names the others.
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
    /// How the names of test events begin. Default: none.
    pub event_prefixes: Option<Vec<Name>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Digest {
    /// When it comes, local.
    #[schemars(extend("default" = "08:00"))]
    pub at: Option<Time>,
    /// Names of receivers; not of type `pagerduty`, which can only page.
    #[schemars(length(min = 1))]
    pub receivers: Vec<Name>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Page {
    /// Where people reach the bridge, for links in alerts. Default: no links.
    pub base_url: Option<Url>,
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
pub struct Reconciliation {
    /// The fraction that is too much.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub divergence: Option<f64>,
    /// How long to wait for late events, at most `7d`.
    pub settle: Option<Duration>,
    /// What is compared.
    pub events: Option<Vec<Fired>>,
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
    /// A reference to the address.
    pub url: Secret,
}
