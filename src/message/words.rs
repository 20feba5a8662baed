//! Names and nouns as people read them.

use crate::config::Config;
use crate::config::reader::show_duration;
use crate::customerio::event::{Kind, Source, SourceKind};
use crate::rules::{Condition, Rule};

/// `Activation (campaign 5)`, or `campaign 5` when nobody named it.
pub fn source(config: &Config, source: &Source) -> String {
    let plain = match source.kind {
        SourceKind::None => return "no source in the event".to_owned(),
        kind => format!("{} {}", kind.as_str(), source.id),
    };
    match config.named(source).and_then(|s| s.name.as_ref()) {
        Some(name) => format!("{name} ({plain})"),
        None => plain,
    }
}

/// A few sources in a row, and how many more there are.
pub fn sources(config: &Config, all: &[Source]) -> String {
    match all {
        [] => "no source in the event".to_owned(),
        [one] => source(config, one),
        [a, b] => format!("{} and {}", source(config, a), source(config, b)),
        [a, b, rest @ ..] => format!("{}, {} and {} more", source(config, a), source(config, b), rest.len()),
    }
}

/// What one message of a channel is called.
pub fn noun(channel: &str) -> &str {
    match channel {
        "email" => "email",
        "sms" => "SMS message",
        "push" => "push message",
        "in_app" => "in-app message",
        "slack" => "Slack message",
        "webhook" => "webhook",
        "whatsapp" => "WhatsApp message",
        _ => "message",
    }
}

/// What a metric did to its messages: `failed`, `bounced`; the metric's own name when nothing better is known.
pub fn verb(kind: &Kind) -> String {
    kind.row().map_or_else(|| kind.metric.replace('_', " "), |row| row.verb.to_owned())
}

/// Where in Customer.io's own pages to look at a source.
pub fn where_to_click(config: &Config, source: &Source) -> Option<String> {
    let place = match source.kind {
        SourceKind::Campaign => "Journeys > Campaigns",
        SourceKind::Broadcast | SourceKind::Newsletter => "Journeys > Broadcasts",
        SourceKind::Transactional => "Journeys > Transactional",
        SourceKind::None => return None,
    };
    Some(format!("{place} > {}", self::source(config, source)))
}

/// What makes a rule true: `more than 5 % email_bounced of email_sent within 1h, until 4 % or less`.
pub fn condition(rule: &Rule) -> String {
    let events = kinds(&rule.events);
    match &rule.condition {
        Condition::Count { at_least, within } => {
            format!("{at_least} or more of {events} within {}", show_duration(*within))
        }
        Condition::Rate { of, above, below, within, .. } => {
            let (of, within) = (kinds(of), show_duration(*within));
            format!(
                "more than {} % {events} of {of} within {within}, until {} % or less",
                percent(*above),
                percent(*below)
            )
        }
    }
}

/// `0.3` for 0.003.
fn percent(fraction: f64) -> String {
    let digits = format!("{:.3}", fraction * 100.0);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `*_failed (7 channels)` rather than seven names.
fn kinds(kinds: &[Kind]) -> String {
    let same = kinds.first().map(|f| f.metric.clone()).filter(|m| kinds.iter().all(|k| k.metric == *m));
    match same {
        Some(metric) if kinds.len() > 3 => format!("*_{metric} ({} channels)", kinds.len()),
        _ => kinds.iter().map(Kind::to_string).collect::<Vec<_>>().join(", "),
    }
}
