//! `[[receivers]]`, `[[routes]]` and `[digest]`: who hears.

use schemars::JsonSchema;

use super::texts::{Hours, Name, OneOrMany, Secret, SourcePattern, Time, Url};

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SnsFormat {
    Text,
    Chat,
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
        /// A reference to a bot's token, with `channel`: one message an incident, kept up to date, its history in its
        /// thread.
        bot_token: Option<Secret>,
        /// Where the bot posts: a name such as `#alerts` or, better, an id such as `C0123456789`.
        channel: Option<Name>,
        /// Another base address: replaces the webhook's scheme and host, or that of the bot's `/api/chat.postMessage` and
        /// `/api/chat.update`. Default: the webhook's own, or `https://slack.com`.
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
        /// What is published: `text` for e-mail and queues, or `chat`, the JSON that Amazon Q Developer in chat
        /// applications shows in Slack or Teams.
        #[schemars(extend("default" = "text"))]
        format: Option<SnsFormat>,
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
    /// `rule`, `heartbeat`, `blindness`, `canary`, `lag`, `drafts`, `drift` or `reconciliation`; a blindness has the labels of the most severe heartbeat or rule besides.
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
