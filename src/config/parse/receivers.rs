//! `[[receivers]]` and `[digest]`: who hears.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::Time;

use crate::config::reader::{Item, Problem, Table, Unique, nearest, quoted};
use crate::config::schema::{DigestConfig, ReceiverConfig, ReceiverKind, SnsFormat};

pub const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Where PagerDuty takes events. Source: "Events API v2 overview", PagerDuty developer documentation.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com";

/// Where Slack's Web API is. Source: "Using the Slack Web API", Slack developer documentation.
const SLACK_URL: &str = "https://slack.com";

/// When the digest comes if nobody says when, local time.
const DIGEST_AT: Time = Time::constant(8, 0, 0, 0);

#[derive(Clone, Copy)]
enum Type {
    PagerDuty,
    Slack,
    Sns,
    Console,
}

impl Type {
    const ALL: [Type; 4] = [Self::PagerDuty, Self::Slack, Self::Sns, Self::Console];

    const fn name(self) -> &'static str {
        match self {
            Self::PagerDuty => "pagerduty",
            Self::Slack => "slack",
            Self::Sns => "sns",
            Self::Console => "console",
        }
    }
}

/// The receivers there are, for whoever refers to one.
pub struct Names {
    /// With its type, if that could be read.
    known: BTreeMap<String, Option<&'static str>>,
}

impl Names {
    /// The name of a receiver that exists.
    pub fn refer(&self, item: &Item<'_>) -> Option<String> {
        let name = item.text()?;
        // Without any receiver that is the problem to solve first.
        if self.known.is_empty() || self.known.contains_key(name) {
            return Some(name.to_owned());
        }
        let names = || self.known.keys().map(String::as_str);
        item.error(
            Problem::error(format!("{} names a receiver that there is not: {}", item.place(), quoted(name)))
                .allowed(names().collect::<Vec<_>>().join(", "))
                .did_you_mean(nearest(name, names())),
        );
        None
    }

    fn type_of(&self, name: &str) -> Option<&'static str> {
        *self.known.get(name)?
    }
}

/// `[[receivers]]`.
pub fn receivers(file: &mut Table<'_>) -> (Vec<ReceiverConfig>, Names) {
    if !file.has("receivers") {
        file.error(
            Problem::error("there are no [[receivers]]; nobody would hear of anything")
                .allowed("at least one, for example [[receivers]] with name = \"screen\" and type = \"console\""),
        );
    }
    let mut tables = file.tables("receivers");
    let mut unique = Unique::new("receiver");
    let mut names = Names { known: BTreeMap::new() };
    // First all names: a fallback may stand before the receiver that it names.
    let heads: Vec<_> = tables.iter_mut().map(|table| head(table, &mut unique, &mut names)).collect();
    let mut receivers = Vec::new();
    let mut fallbacks = Vec::new();
    for (mut table, (name, kind)) in tables.into_iter().zip(heads) {
        let fallback = table.item("fallback");
        let fallback_name = fallback.as_ref().and_then(|item| names.refer(item));
        let Some(kind) = kind else { continue };
        table.retitle(format!("[[receivers]] of type {}", quoted(kind.name())));
        let kind = read_kind(kind, &mut table);
        table.finish();
        let (Some(name), Some(kind)) = (name, kind) else { continue };
        fallbacks.push(fallback);
        receivers.push(ReceiverConfig { name, kind, fallback: fallback_name });
    }
    report_circles(&receivers, &fallbacks);
    (receivers, names)
}

fn head(table: &mut Table<'_>, unique: &mut Unique, names: &mut Names) -> (Option<String>, Option<Type>) {
    let named = table.item("name");
    if named.is_none() {
        table.missing("name");
    }
    let kind = table.need("type", |item| item.one_of(&Type::ALL, Type::name));
    let Some(item) = named else { return (None, kind) };
    let name = item.name();
    if let Some(name) = &name {
        unique.note(name, &item);
        names.known.entry(name.clone()).or_insert(kind.map(Type::name));
    }
    (name, kind)
}

fn read_kind(kind: Type, table: &mut Table<'_>) -> Option<ReceiverKind> {
    match kind {
        Type::PagerDuty => {
            let routing_key = table.need("routing_key", Item::secret);
            let url = table.get("url", Item::url).unwrap_or_else(|| PAGERDUTY_URL.into());
            Some(ReceiverKind::PagerDuty { routing_key: routing_key?, url })
        }
        Type::Slack => slack(table),
        Type::Sns => {
            let topic_arn = table.need("topic_arn", Item::secret);
            let format = table.get("format", |item| item.one_of(&SnsFormat::ALL, SnsFormat::name)).unwrap_or_default();
            let url = table.get("url", Item::url);
            Some(ReceiverKind::Sns { topic_arn: topic_arn?, format, url })
        }
        Type::Console => Some(ReceiverKind::Console),
    }
}

fn slack(table: &mut Table<'_>) -> Option<ReceiverKind> {
    let webhook = table.item("webhook_url");
    let token = table.item("bot_token");
    let channel = table.item("channel");
    let url = table.get("url", Item::url);
    let both = "webhook_url = \"env:NAME\", or bot_token = \"env:NAME\" with channel = \"#name\"";
    match (webhook, token, channel) {
        (Some(webhook), None, None) => Some(ReceiverKind::SlackWebhook { webhook_url: webhook.secret()?, url }),
        (None, Some(token), Some(channel)) => {
            let (token, channel) = (token.secret(), channel.name());
            Some(ReceiverKind::SlackBot {
                bot_token: token?,
                channel: channel?,
                url: url.unwrap_or_else(|| SLACK_URL.into()),
            })
        }
        (None, Some(token), None) => {
            token.secret();
            table.error(Problem::error(format!("\"channel\" is missing in {}", table.title())).allowed(both));
            None
        }
        (None, None, _) => {
            table.error(Problem::error(format!("{} has no address", table.title())).allowed(both));
            None
        }
        (Some(webhook), ..) => {
            webhook.secret();
            webhook.error(
                Problem::error("a webhook has its own channel: webhook_url goes with neither bot_token nor channel")
                    .allowed(both),
            );
            None
        }
    }
}

/// Reports each circle of fallbacks once. `fallbacks` has the values of the receivers' `fallback`, in their order.
fn report_circles(receivers: &[ReceiverConfig], fallbacks: &[Option<Item<'_>>]) {
    let next = |at: usize| {
        let name = receivers.get(at)?.fallback.as_ref()?;
        receivers.iter().position(|r| r.name == *name)
    };
    for (start, receiver) in receivers.iter().enumerate() {
        // At most as many steps as there are receivers, else the walk has entered a circle that `start` is not in.
        let way: Vec<_> = std::iter::successors(next(start), |at| next(*at)).take(receivers.len()).collect();
        let Some(length) = way.iter().position(|at| *at == start) else { continue };
        let circle = way.get(..length).unwrap_or_default();
        if circle.iter().any(|at| *at < start) {
            continue;
        }
        let Some(Some(item)) = fallbacks.get(start) else { continue };
        let through: Vec<_> = circle.iter().filter_map(|at| Some(quoted(&receivers.get(*at)?.name))).collect();
        let what = if through.is_empty() {
            format!("the receiver {} falls back on itself", quoted(&receiver.name))
        } else {
            format!("the receiver {} falls back on itself through {}", quoted(&receiver.name), through.join(", "))
        };
        item.error(Problem::error(what).allowed("another receiver, or no fallback"));
    }
}

/// `[digest]`.
pub fn digest(file: &mut Table<'_>, names: &Names) -> Option<DigestConfig> {
    let mut table = file.table("digest")?;
    let at = table.get("at", Item::time).unwrap_or(DIGEST_AT);
    let mut receivers = table.some("receivers", |item| {
        let name = names.refer(item)?;
        if names.type_of(&name) == Some(Type::PagerDuty.name()) {
            item.error(
                Problem::error(format!("{} is of type \"pagerduty\", which can only page", quoted(&name)))
                    .allowed("receivers of another type"),
            );
        }
        Some(name)
    });
    table.finish();
    let mut seen = BTreeSet::new();
    receivers.retain(|name| seen.insert(name.clone()));
    Some(DigestConfig { at, receivers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;

    fn with(receiver: &str) -> (Option<SnsFormat>, Vec<String>) {
        let text = format!(
            "[workspace]\nname = \"acme\"\n[customerio]\nsigning_keys = [\"env:KEY\"]\n[[routes]]\nreceivers = [\"a\"]\n\
             [[receivers]]\nname = \"a\"\n{receiver}"
        );
        let parsed = parse(&text);
        let format = parsed.config.and_then(|c| match c.receiver("a")?.kind {
            ReceiverKind::Sns { format, .. } => Some(format),
            _ => None,
        });
        (format, parsed.problems.iter().map(|p| p.to_string()).collect())
    }

    #[test]
    fn a_topic_is_for_text_unless_it_says_chat() {
        let sns = "type = \"sns\"\ntopic_arn = \"env:TOPIC\"";
        assert_eq!(with(sns), (Some(SnsFormat::Text), vec![]));
        assert_eq!(with(&format!("{sns}\nformat = \"text\"")), (Some(SnsFormat::Text), vec![]));
        assert_eq!(with(&format!("{sns}\nformat = \"chat\"")), (Some(SnsFormat::Chat), vec![]));
    }

    #[test]
    fn another_format_or_another_type_with_one_is_an_error_that_says_what_is_allowed() {
        let sns = "type = \"sns\"\ntopic_arn = \"env:TOPIC\"\nformat = \"chatt\"";
        let slack = "type = \"slack\"\nwebhook_url = \"env:HOOK\"\nformat = \"chat\"";
        let said: Vec<String> = [sns, slack].iter().flat_map(|receiver| with(receiver).1).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        error: "format" in [[receivers]] of type "sns" cannot be "chatt"; allowed: text, chat; did you mean "chat"?
        error: unknown key "format" in [[receivers]] of type "slack"; allowed: name, type, fallback, webhook_url, bot_token, channel, url
        "#);
    }
}
