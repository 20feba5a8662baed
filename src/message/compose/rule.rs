//! What a rule's incident says.

use jiff::Timestamp;

use super::{Facts, Parts, field, label};
use crate::config::Config;
use crate::customerio::cause::CauseKey;
use crate::customerio::cause_table::CauseRow;
use crate::customerio::event::{Kind, Source};
use crate::incident::{Incident, Numbers};
use crate::message::{About, Phase, text, words};
use crate::route::Label;

pub(super) fn parts(
    incident: &Incident,
    rule: &str,
    phase: Phase,
    facts: &Facts,
    config: &Config,
    now: Timestamp,
) -> Parts {
    let numbers = numbers(incident, facts, phase);
    let of_is_known = facts.sends_heard || numbers.of > numbers.count;
    let mut sources: Vec<Source> = facts.ranked(|t| t.series.source.clone()).into_iter().map(|(s, _)| s).collect();
    if sources.is_empty() {
        sources = label(incident, Label::Source).iter().filter_map(|s| s.parse().ok()).collect();
    }
    let mut kinds: Vec<Kind> = facts.ranked(|t| t.series.kind.clone()).into_iter().map(|(k, _)| k).collect();
    if kinds.is_empty() {
        kinds = label(incident, Label::Metric).iter().filter_map(|k| k.parse().ok()).collect();
    }
    let causes = facts.ranked(|t| t.series.cause.clone().unwrap_or(CauseKey::UNKNOWN));
    let cause = causes.first().map(|(c, _)| c.clone()).or_else(|| {
        let stored = label(incident, Label::Cause).first()?;
        serde_json::from_value(serde_json::Value::String(stored.clone())).ok()
    });
    let row: Option<&'static CauseRow> = cause.as_ref().map(CauseKey::row);
    let zone = &config.workspace.zone;
    let since = text::clock(incident.since, zone, now);
    let until =
        if phase.is_over() { format!(", last {}", text::clock(incident.last, zone, now)) } else { String::new() };
    let why = row.map_or_else(String::new, |row| format!(" ({})", row.title));
    let what = what_happened(&kinds, numbers, of_is_known);
    let headline = format!("{}: {what} since {since}{until}{why}", words::sources(config, &facts.names, &sources));

    let mut fields = vec![field("Where", words::sources(config, &facts.names, &sources))];
    if sources.len() > 2 {
        let named: Vec<String> = sources.iter().take(8).map(|s| words::source(config, &facts.names, s)).collect();
        let more = sources.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        fields.push(field("Sources", format!("{}{more}", named.join(", "))));
    }
    let ago = text::duration(now.duration_since(incident.since));
    fields.push(field("Since", format!("{} ({ago} ago)", text::clock_in_zone(incident.since, zone, now))));
    let count = text::number(numbers.count);
    let how_many = match of_is_known {
        true => format!("{count} of {} ({})", text::number(numbers.of), text::percent(numbers.count, numbers.of)),
        false => format!("{count}; of how many is not known: no sends arrive"),
    };
    fields.push(field("How many", how_many));
    if let Some(row) = row {
        fields.push(field("Cause", format!("{} ({})", row.title, row.key)));
        fields.push(field("Meaning", row.meaning.to_owned()));
    }
    if causes.len() > 1 {
        let named: Vec<String> =
            causes.iter().take(4).map(|(c, n)| format!("{} {}", c.row().title, text::number(*n))).collect();
        fields.push(field("Causes", named.join(", ")));
    }
    let condition = config.rule(rule).map_or_else(String::new, |r| format!(": {}", words::condition(r)));
    fields.push(field("Rule", format!("{rule}{condition}")));
    if let Some(click) = sources.first().and_then(|s| words::where_to_click(config, &facts.names, s)) {
        fields.push(field("In Customer.io", click));
    }
    if !facts.unheard.is_empty() && !phase.is_over() {
        let names: Vec<String> = facts.unheard.iter().map(Kind::to_string).collect();
        let names = names.join(", ");
        let hint = format!(
            "no {names} has arrived in 7 days: unless the reporting webhook subscribes to it, recovery cannot be seen"
        );
        fields.push(field("Recovery", hint));
    }
    let metrics: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    let about = About {
        sources: sources.iter().map(Source::to_string).collect(),
        rule: Some(rule.to_owned()),
        heartbeat: None,
        metric: (!metrics.is_empty()).then(|| metrics.join(",")),
        cause: cause.map(|c| c.as_str().to_owned()),
        count: numbers.count,
        of: numbers.of,
    };
    let steps = row.map_or(&[][..], |row| row.check_first).iter().map(|s| (*s).to_owned()).collect();
    Parts { headline, about, fields, steps }
}

/// The opening's own numbers say why it opened; later messages count on, and never back.
fn numbers(incident: &Incident, facts: &Facts, phase: Phase) -> Numbers {
    let stored = incident.numbers;
    match facts.numbers() {
        Some(now) if now.count >= stored.count => Numbers { count: now.count, of: now.of.max(stored.of) },
        _ if phase.is_over() => stored,
        Some(now) => Numbers { count: stored.count, of: stored.of.max(now.of) },
        None => stored,
    }
}

fn what_happened(kinds: &[Kind], numbers: Numbers, of_is_known: bool) -> String {
    let one_channel = kinds.first().filter(|first| kinds.iter().all(|k| k.channel == first.channel));
    let noun = one_channel.map_or("message", |k| words::noun(&k.channel));
    let one_metric = kinds.first().filter(|first| kinds.iter().all(|k| k.metric == first.metric));
    let verb = one_metric.map_or_else(|| "in trouble".to_owned(), words::verb);
    match of_is_known {
        true => format!("{} of {} {verb}", text::number(numbers.count), text::count(noun, numbers.of)),
        false => format!("{} {verb}", text::count(noun, numbers.count)),
    }
}
