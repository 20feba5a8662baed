//! Which events the reporting webhook must be subscribed to for this configuration, and what for.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::config::parse::kinds::KINDS;
use crate::customerio::event::Kind;
use crate::customerio::metric::{self, Class};
use crate::rules::Condition;
use crate::tally::journeys::JOURNEY;

/// Events by the name that the App API has for them, each with what it is needed for.
pub type Wanted = BTreeMap<String, String>;

/// Kinds that the webhook sends and the App API's `events[]` does not offer: nobody can subscribe to them.
/// Source: the App API's schema of reporting webhooks beside the webhooks' own specification (journeys-webhooks.json).
const NOT_OFFERED: [Kind; 1] = [Kind::known("slack", "undeliverable")];

/// The one kind that is delivered under another name than it is subscribed by. Source: as [`NOT_OFFERED`].
const DELIVERED_AS: (Kind, Kind) = (
    Kind::known("customer", "cio_subscription_preferences_changed"),
    Kind::known("customer", "subscription_preferences_changed"),
);

/// The name in `events[]`; `None` for what the App API does not offer.
pub fn api_name(kind: &Kind) -> Option<String> {
    let kind = if *kind == DELIVERED_AS.0 { &DELIVERED_AS.1 } else { kind };
    let sent = KINDS.iter().any(|(channel, metrics)| kind.channel == *channel && metrics.contains(&&*kind.metric));
    (sent && !NOT_OFFERED.contains(kind)).then(|| kind.to_string())
}

/// What this configuration needs. An event that is needed twice keeps the first reason: rules, heartbeats, the canary,
/// drafts, the digest.
pub fn wanted(config: &Config) -> Wanted {
    let mut wanted = Wanted::new();
    let mut add = |kind: &Kind, why: &str| {
        if let Some(name) = api_name(kind) {
            wanted.entry(name).or_insert_with(|| why.to_owned());
        }
    };
    for rule in &config.rules {
        let why = format!("rule {}", rule.name);
        rule.events.iter().for_each(|kind| add(kind, &why));
        if let Condition::Rate { of, .. } = &rule.condition {
            of.iter().for_each(|kind| add(kind, &format!("what rule {} is a rate of", rule.name)));
        }
        for kind in rule.events.iter().filter_map(Kind::paired_success) {
            add(&kind, &format!("shows that rule {} is over", rule.name));
        }
    }
    for heartbeat in &config.heartbeats {
        let why = format!("heartbeat {}", heartbeat.name);
        match heartbeat.event == JOURNEY {
            // Runs are known from their messages, of whichever channel.
            true => of_metric("sent").for_each(|kind| add(&kind, &why)),
            false => add(&heartbeat.event, &why),
        }
    }
    if config.canary.is_some() {
        of_metric("sent").for_each(|kind| add(&kind, "the canary's answer"));
    }
    // Drafts are always watched, and that they are sent shows that somebody approves them.
    of_metric("drafted").for_each(|kind| add(&kind, "drafts that nobody sends"));
    of_metric("sent").for_each(|kind| add(&kind, "shows that drafts are sent"));
    if config.digest.is_some() {
        let told = |kind: &Kind| {
            let class = kind.row().map(|row| row.class);
            kind.metric == "deferred" || matches!(class, Some(Class::Failure | Class::Success))
        };
        all().filter(told).for_each(|kind| add(&kind, "the digest"));
    }
    wanted
}

/// A metric of every channel that has it.
fn of_metric(name: &'static str) -> impl Iterator<Item = Kind> {
    all().filter(move |kind| kind.metric == name)
}

fn all() -> impl Iterator<Item = Kind> {
    KINDS.iter().flat_map(|(channel, metrics)| metrics.iter().map(|metric| Kind::known(channel, metric)))
}

/// Whether the App API offers nothing for a kind that some rule or heartbeat of the configuration names.
pub fn not_offered(config: &Config) -> Vec<Kind> {
    let named = config.rules.iter().flat_map(|rule| &rule.events);
    let named =
        named.chain(config.heartbeats.iter().map(|heartbeat| &heartbeat.event).filter(|kind| **kind != JOURNEY));
    let mut kinds: Vec<Kind> = named.filter(|kind| api_name(kind).is_none()).cloned().collect();
    kinds.retain(|kind| !NOT_OFFERED.contains(kind) && metric::row(&kind.metric).is_some());
    kinds.sort();
    kinds.dedup();
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    /// The smallest configuration, and more.
    pub fn config(rest: &str) -> Config {
        let text = format!(
            "{rest}\n[workspace]\nname = \"acme\"\n[customerio]\nsigning_keys = [\"env:K\"]\n[[receivers]]\nname = \"c\"\ntype = \"console\"\n[[routes]]\nreceivers = [\"c\"]\n"
        );
        let parsed = parse::parse(&text);
        parsed.config.unwrap_or_else(|| panic!("{:?}", parsed.problems))
    }

    fn names(config: &Config) -> Vec<String> {
        wanted(config).into_keys().collect()
    }

    #[test]
    fn without_rules_only_drafts_are_watched() {
        let wanted = names(&config("rules = []"));
        assert_eq!(wanted.len(), 14, "{wanted:?}");
        assert!(wanted.iter().all(|name| name.ends_with("_drafted") || name.ends_with("_sent")), "{wanted:?}");
    }

    #[test]
    fn a_rule_needs_its_events_what_they_are_taken_of_and_what_shows_that_they_are_over() {
        let rule = "[[rules]]\nname = \"b\"\nevents = [\"email_bounced\"]\nrate = { of = \"email_sent\", above = 0.05, within = \"1h\" }\n";
        let wanted = wanted(&config(rule));
        let why = |name: &str| wanted.get(name).map(String::as_str);
        assert_eq!(why("email_bounced"), Some("rule b"));
        assert_eq!(why("email_sent"), Some("what rule b is a rate of"));
        assert_eq!(why("email_delivered"), Some("shows that rule b is over"));
        assert_eq!([why("email_failed"), why("email_opened"), why("sms_delivered")], [None; 3]);
    }

    #[test]
    fn heartbeats_runs_canary_and_digest_need_theirs() {
        let beat = "rules = []\n[[heartbeats]]\nname = \"A\"\nsource = \"campaign:5\"\nevent = \"email_clicked\"\nat_least = 1\nevery = \"day\"\n";
        assert!(names(&config(beat)).contains(&"email_clicked".to_owned()));
        let runs = beat.replace("event = \"email_clicked\"", "distinct = \"journey\"");
        assert_eq!(wanted(&config(&runs)).get("webhook_sent").map(String::as_str), Some("heartbeat A"));
        let digest = config("rules = []\n[digest]\nat = \"08:00\"\nreceivers = [\"c\"]\n");
        let wanted = wanted(&digest);
        for name in ["email_dropped", "email_deferred", "sms_undeliverable", "email_spammed", "push_delivered"] {
            assert_eq!(wanted.get(name).map(String::as_str), Some("the digest"), "{name}");
        }
        assert!(!wanted.contains_key("email_attempted") && !wanted.contains_key("email_opened"));
    }

    #[test]
    fn names_are_those_that_the_app_api_offers() {
        assert_eq!(api_name(&Kind::known("in_app", "failed")).as_deref(), Some("in_app_failed"));
        assert_eq!(api_name(&Kind::known("slack", "undeliverable")), None);
        assert_eq!(
            api_name(&Kind::known("customer", "cio_subscription_preferences_changed")).as_deref(),
            Some("customer_subscription_preferences_changed")
        );
        assert_eq!(api_name(&Kind::known("email", "replied")), None);
        assert_eq!(api_name(&JOURNEY), None);
        assert!(!names(&config("")).contains(&"slack_undeliverable".to_owned()));
    }
}
