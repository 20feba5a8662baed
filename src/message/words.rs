//! Names and nouns as people read them.

use jiff::SignedDuration;

use crate::config::Config;
use crate::config::reader::show_duration;
use crate::customerio::app_api::names::Names;
use crate::customerio::event::{Kind, Source, SourceKind};
use crate::heartbeat::settle::{ENOUGH, Settling};
use crate::message::text;
use crate::rules::{Condition, Rule};
use crate::tally::journeys::WAITS;

/// How late runs are judged, or why they are not; `None` where counts are whole at once.
pub fn settling(settling: Settling) -> Option<String> {
    let longest = WAITS.last().copied().unwrap_or_default();
    match settling {
        Settling::After(SignedDuration::ZERO) => None,
        Settling::After(wait) => Some(format!(
            "runs are judged {} late: so long until nearly all of them have had their first message",
            text::duration(wait)
        )),
        Settling::Unknown { runs } => Some(format!(
            "not judged yet: how long runs wait for their first message is known of {runs}, and {ENOUGH} are needed"
        )),
        Settling::TooLong => Some(format!(
            "not judged: more than 2 % of the runs wait over {} for their first message; count that message instead",
            text::duration(longest)
        )),
    }
}

/// `Activation (campaign 5)`, or `campaign 5` when nobody named it. The configuration's name wins over Customer.io's.
pub fn source(config: &Config, names: &Names, source: &Source) -> String {
    source_within(config, names, source, usize::MAX)
}

/// The same with a name of at most `chars` characters.
fn source_within(config: &Config, names: &Names, source: &Source, chars: usize) -> String {
    let plain = match source.kind {
        SourceKind::None => return "no source in the event".to_owned(),
        kind => format!("{} {}", kind.as_str(), source.id),
    };
    let configured = config.named(source).and_then(|s| s.name.as_deref());
    match configured.or_else(|| names.get(source)) {
        Some(name) => format!("{} ({plain})", text::cut(name, chars)),
        None => plain,
    }
}

/// A few sources in a row, and how many more there are.
pub fn sources(config: &Config, names: &Names, all: &[Source]) -> String {
    sources_within(config, names, all, usize::MAX)
}

/// The same with names of at most `chars` characters each.
pub fn sources_within(config: &Config, names: &Names, all: &[Source], chars: usize) -> String {
    let named = |source| source_within(config, names, source, chars);
    match all {
        [] => "no source in the event".to_owned(),
        [one] => named(one),
        [a, b] => format!("{} and {}", named(a), named(b)),
        [a, b, rest @ ..] => format!("{}, {} and {} more", named(a), named(b), rest.len()),
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
        "journey" => "run",
        _ => "message",
    }
}

/// How late events come, from their median lag: `about 4 min late`.
pub fn lateness(median: SignedDuration) -> String {
    let longest = SignedDuration::from_hours(12);
    if median >= longest {
        return format!("over {} late", text::duration(longest));
    }
    // To the nearest minute: it is read from a histogram.
    let median = if median.as_secs() < 60 { median } else { median + SignedDuration::from_secs(30) };
    format!("about {} late", text::duration(median))
}

/// What a metric did to its messages: `failed`, `bounced`; the metric's own name when nothing better is known.
pub fn verb(kind: &Kind) -> String {
    kind.row().map_or_else(|| kind.metric.replace('_', " "), |row| row.verb.to_owned())
}

/// Where in Customer.io's own pages to look at a source.
pub fn where_to_click(config: &Config, names: &Names, source: &Source) -> Option<String> {
    let place = match source.kind {
        SourceKind::Campaign => "Journeys > Campaigns",
        SourceKind::Broadcast | SourceKind::Newsletter => "Journeys > Broadcasts",
        SourceKind::Transactional => "Journeys > Transactional",
        SourceKind::None => return None,
    };
    Some(format!("{place} > {}", self::source(config, names, source)))
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
