//! Names of events in the configuration: `email_failed`, `*_failed`, `email_*`.

use wildmatch::WildMatch;

use crate::config::reader::{Item, Problem, nearest, quoted};
use crate::customerio::event::Kind;
use crate::customerio::metric::{CHANNELS, METRICS};

const PREFERENCES: &str = "subscription_preferences_changed";

/// The metrics that each channel sends. Source: the vendor's reporting webhook specification
/// (journeys-webhooks.json) and the `events[]` enumeration of the App API, together.
#[rustfmt::skip]
pub const KINDS: &[(&str, &[&str])] = &[
    ("email",    &["drafted", "attempted", "sent", "delivered", "opened", "clicked", "converted", "bounced", "dropped",
                   "deferred", "spammed", "failed", "unsubscribed", "undeliverable"]),
    ("in_app",   &["drafted", "attempted", "sent", "opened", "clicked", "converted", "failed", "undeliverable"]),
    ("push",     &["drafted", "attempted", "sent", "delivered", "opened", "clicked", "converted", "bounced", "dropped",
                   "failed", "undeliverable"]),
    ("slack",    &["drafted", "attempted", "sent", "clicked", "converted", "failed", "undeliverable"]),
    ("sms",      &["drafted", "attempted", "sent", "delivered", "clicked", "converted", "bounced", "dropped", "failed",
                   "undeliverable", "replied"]),
    ("webhook",  &["drafted", "attempted", "sent", "clicked", "converted", "failed", "undeliverable"]),
    ("whatsapp", &["drafted", "attempted", "sent", "delivered", "opened", "clicked", "converted", "bounced", "dropped",
                   "failed", "undeliverable", "replied"]),
    ("customer", &["subscribed", "unsubscribed", PREFERENCES, "cio_subscription_preferences_changed"]),
];

fn all() -> impl Iterator<Item = Kind> {
    KINDS.iter().flat_map(|(channel, metrics)| metrics.iter().map(|metric| Kind::known(channel, metric)))
}

/// The kinds that a name or pattern stands for; a pattern for those that are sent, a name for itself.
pub fn expand(pattern: &str) -> Vec<Kind> {
    if is_pattern(pattern) {
        let glob = WildMatch::new(pattern);
        return all().filter(|kind| glob.matches(&kind.to_string())).collect();
    }
    known(pattern).into_iter().collect()
}

/// The kind of a full name whose channel and metric are known.
fn known(name: &str) -> Option<Kind> {
    let channel = CHANNELS.iter().find(|c| name.strip_prefix(**c).is_some_and(|rest| rest.starts_with('_')))?;
    let metric = METRICS.iter().find(|m| name.get(channel.len() + 1..) == Some(m.name))?;
    Some(Kind::known(channel, metric.name))
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The kinds of one entry of `events`.
pub fn some(item: &Item<'_>) -> Option<Vec<Kind>> {
    let text = item.text()?;
    let kinds = expand(text);
    if kinds.is_empty() {
        let what = if is_pattern(text) { "matches no event" } else { "is no event" };
        report_unknown(item, text, what, "<channel>_<metric>, or a pattern such as *_failed");
        return None;
    }
    kinds.iter().for_each(|kind| warn_never_sent(item, kind));
    Some(kinds)
}

/// Exactly one kind.
pub fn one(item: &Item<'_>) -> Option<Kind> {
    let text = item.text()?;
    let kind = known(text);
    match &kind {
        Some(kind) => warn_never_sent(item, kind),
        None if is_pattern(text) => {
            report_unknown(item, text, "must be one event, not a pattern", "<channel>_<metric>")
        }
        None => report_unknown(item, text, "is no event", "<channel>_<metric>"),
    }
    kind
}

fn report_unknown(item: &Item<'_>, text: &str, what: &str, form: &str) {
    let names: Vec<String> = all().map(|kind| kind.to_string()).collect();
    // Whoever has the channel right needs its metrics; everybody else the channels.
    let channel = KINDS.iter().find(|(c, _)| text.strip_prefix(c).is_some_and(|rest| rest.starts_with('_')));
    let allowed = match channel {
        Some((channel, metrics)) => format!("{form}; metrics of {channel}: {}", metrics.join(", ")),
        None => format!("{form}; channels: {}", CHANNELS.join(", ")),
    };
    let meant = nearest(text, names.iter().map(String::as_str));
    item.error(
        Problem::error(format!("{} {what}: {}", item.place(), quoted(text))).allowed(allowed).did_you_mean(meant),
    );
}

fn warn_never_sent(item: &Item<'_>, kind: &Kind) {
    if !all().any(|sent| sent == *kind) {
        let sent = KINDS.iter().find(|(channel, _)| *channel == kind.channel).map_or(&[][..], |(_, metrics)| metrics);
        let what = format!(
            "nothing ever sends {}: Customer.io does not list it among the events of the channel {}, which are {}",
            quoted(&kind.to_string()),
            quoted(&kind.channel),
            sent.join(", ")
        );
        item.error(Problem::warning(what).fix("one of these, or another channel"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<String> {
        expand(pattern).iter().map(Kind::to_string).collect()
    }

    #[test]
    fn every_kind_in_the_table_has_a_known_channel_and_metric() {
        for kind in all() {
            assert_eq!(known(&kind.to_string()), Some(kind.clone()), "{kind}");
        }
        assert_eq!(KINDS.len(), CHANNELS.len());
    }

    #[test]
    fn a_pattern_stands_for_the_events_that_are_sent() {
        assert_eq!(
            names("*_failed"),
            [
                "email_failed",
                "in_app_failed",
                "push_failed",
                "slack_failed",
                "sms_failed",
                "webhook_failed",
                "whatsapp_failed"
            ]
        );
        assert_eq!(names("*_spammed"), ["email_spammed"]);
        assert_eq!(names("*_bounced"), ["email_bounced", "push_bounced", "sms_bounced", "whatsapp_bounced"]);
        assert_eq!(names("in_app_f*"), ["in_app_failed"]);
        assert!(names("fax_*").is_empty());
    }

    #[test]
    fn a_name_stands_for_itself_even_when_it_is_never_sent() {
        assert_eq!(names("slack_bounced"), ["slack_bounced"]);
        assert!(names("email_boounced").is_empty());
        assert!(names("email").is_empty() && names("email_").is_empty() && names("").is_empty());
    }
}
