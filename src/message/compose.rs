//! From an incident and its numbers to the one message that every receiver renders. The first line says what, where,
//! since when and how bad.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{About, Field, HEADLINE_CHARS, Link, Message, Phase, text, words};
use crate::config::Config;
use crate::config::schema::Region;
use crate::customerio::cause::CauseKey;
use crate::customerio::cause_table::CauseRow;
use crate::customerio::event::{Kind, Source};
use crate::heartbeat::{Every, Heartbeat, Period};
use crate::incident::{How, Incident, Numbers, State, Subject};
use crate::route::Label;
use crate::tally::Total;

/// What a message says that is not in the incident itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The incident's failures by series.
    pub failing: Vec<Total>,
    /// What stood beside them: sends and deliveries of the same places.
    pub others: Vec<Total>,
    /// Metrics whose arrival would show the trouble over, but which never arrive.
    pub unheard: Vec<Kind>,
    /// Sends do arrive, so that "of how many" can be said.
    pub sends_heard: bool,
    /// About blindness: events are coming, but late.
    pub coming_late: bool,
    /// About a roll-up: how many of its incidents are open.
    pub members_open: Option<u64>,
}

impl Facts {
    /// How many failed, of how many; `None` without registers (they expire).
    pub fn numbers(&self) -> Option<Numbers> {
        let count = self.failing.iter().map(|t| t.count).sum();
        if count == 0 {
            return None;
        }
        let sent: u64 = self.others.iter().map(|t| t.count).sum();
        // What failed before it was sent is not among the sent; what bounced after is.
        let apart: u64 = self
            .failing
            .iter()
            .filter(|t| t.series.kind.paired_success().is_none_or(|p| p.metric == "sent"))
            .map(|t| t.count)
            .sum();
        Some(Numbers { count, of: (sent + apart).max(count) })
    }

    fn ranked<K: Ord>(&self, key: impl Fn(&Total) -> K) -> Vec<(K, u64)> {
        let mut counts: BTreeMap<K, u64> = BTreeMap::new();
        for total in &self.failing {
            *counts.entry(key(total)).or_default() += total.count;
        }
        let mut ranked: Vec<_> = counts.into_iter().collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }
}

/// Composes what a receiver is to say.
pub fn message(incident: &Incident, phase: Phase, facts: &Facts, config: &Config, now: Timestamp) -> Message {
    let parts = match &incident.subject {
        Subject::Rule { name, .. } => of_rule(incident, name, phase, facts, config, now),
        Subject::Heartbeat { name, source, period } => of_heartbeat(incident, name, source, *period, config, now),
        Subject::Blindness => of_blindness(incident, facts, config, now),
        Subject::RollUp { members, .. } => of_roll_up(incident, members.len() as u64, phase, facts, config, now),
        Subject::Digest { date } => Parts {
            headline: incident.lines.first().cloned().unwrap_or_else(|| format!("Digest of {date}")),
            ..Parts::default()
        },
    };
    let late = if incident.found_late && !phase.is_over() { "Found late: " } else { "" };
    let headline = format!("{late}{}", parts.headline);
    let ended = match incident.state {
        State::Resolved { how, .. } if phase.is_over() => Some(how),
        _ => None,
    };
    let mut links = Vec::new();
    if phase != Phase::Digest {
        links.push(customerio_link(config));
    }
    Message {
        phase,
        severity: incident.severity,
        workspace: config.workspace.name.clone(),
        key: incident.key.0.clone(),
        episode: incident.episode,
        incident: incident.id(),
        ended,
        headline: text::cut(&headline, HEADLINE_CHARS).into_owned(),
        labels: incident.labels.clone(),
        about: parts.about,
        fields: parts.fields,
        samples: incident.samples.clone(),
        steps: if phase.is_over() { Vec::new() } else { parts.steps },
        lines: match incident.subject {
            // Its first line is the headline.
            Subject::Digest { .. } => incident.lines.iter().skip(1).cloned().collect(),
            _ => incident.lines.clone(),
        },
        links,
        since: incident.since,
        note: None,
    }
}

#[derive(Default)]
struct Parts {
    headline: String,
    about: About,
    fields: Vec<Field>,
    steps: Vec<String>,
}

fn of_rule(incident: &Incident, rule: &str, phase: Phase, facts: &Facts, config: &Config, now: Timestamp) -> Parts {
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
    let headline = format!("{}: {what} since {since}{until}{why}", words::sources(config, &sources));

    let mut fields = vec![field("Where", words::sources(config, &sources))];
    if sources.len() > 2 {
        let named: Vec<String> = sources.iter().take(8).map(|s| words::source(config, s)).collect();
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
    if let Some(click) = sources.first().and_then(|s| words::where_to_click(config, s)) {
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

fn of_roll_up(
    incident: &Incident,
    members: u64,
    phase: Phase,
    facts: &Facts,
    config: &Config,
    now: Timestamp,
) -> Parts {
    let zone = &config.workspace.zone;
    let open = if phase.is_over() { 0 } else { facts.members_open.unwrap_or(members) };
    let opened = text::clock(incident.opened_at, zone, now);
    let what = match members {
        1 => "1 more incident".to_owned(),
        n => format!("{} more incidents", text::number(n)),
    };
    let first = incident.lines.first().map_or_else(String::new, |line| format!(": {line}"));
    let headline = match open {
        0 => format!("{what} of {opened}, told together: none is open any more"),
        n if n < members => format!("{what} of {opened}, told together: {} still open", text::number(n)),
        _ => format!("{what} opened by {opened}, told together{first}"),
    };
    let names = |label| self::label(incident, label).join(",");
    let about = About {
        sources: label(incident, Label::Source).to_vec(),
        rule: Some(label(incident, Label::Rule).join(", ")).filter(|rules| !rules.is_empty()),
        heartbeat: None,
        metric: Some(names(Label::Metric)).filter(|metrics| !metrics.is_empty()),
        cause: Some(names(Label::Cause)).filter(|causes| !causes.is_empty()),
        count: open,
        of: members,
    };
    let fields = vec![
        field("Open", format!("{} of {}", text::number(open), text::number(members))),
        field("First trouble", text::clock_in_zone(incident.since, zone, now)),
        field(
            "Why together",
            "more are open, or wait for this receiver, than can be told one by one (storm.open_incidents)".to_owned(),
        ),
    ];
    let steps = ROLL_UP_STEPS.iter().map(|s| (*s).to_owned()).collect();
    Parts { headline, about, fields, steps }
}

const ROLL_UP_STEPS: &[&str] = &[
    "Look for what these have in common: one provider, one cause, one change. One outage often looks like many.",
    "If each campaign is an incident of its own here, let the rule group by cause: group_by = [\"cause\"].",
];

fn of_heartbeat(
    incident: &Incident,
    name: &str,
    source: &Source,
    period: Period,
    config: &Config,
    now: Timestamp,
) -> Parts {
    let zone = &config.workspace.zone;
    let heartbeat = config.heartbeat(name);
    let Numbers { count, of } = incident.numbers;
    let low = count < of;
    let (bound, state) = if low { ("at least", "low") } else { ("at most", "high") };
    let beats = heartbeat.map_or_else(|| text::count("beat", count), |h| beats_in_words(h, count));
    // Too many is known before the period is due.
    let until = if low { period.due } else { period.due.min(incident.opened_at) };
    let when = period_in_words(heartbeat.map(|h| h.every), period, until, config, now);
    let counted = format!("{beats} {when}, expected {bound} {}", text::number(of));
    let headline = match incident.state {
        State::Open => format!("{name} is {state}: {counted}"),
        State::Resolved { how: How::RuleGone, .. } => format!("{name} was {state}: {counted}"),
        State::Resolved { .. } => format!("{name} beats as it should again; it was {state}: {counted}"),
    };
    let mut fields = vec![
        field("Where", words::source(config, source)),
        field("Counted", format!("{beats} {when}")),
        field("Expected", format!("{bound} {}", text::number(of))),
        field(
            "Period",
            format!("from {} to {}", text::clock(period.start, zone, now), text::clock_in_zone(until, zone, now)),
        ),
        field("Heartbeat", name.to_owned()),
    ];
    if let Some(click) = words::where_to_click(config, source) {
        fields.push(field("In Customer.io", click));
    }
    let steps = if low { LOW_STEPS } else { HIGH_STEPS };
    let about = About {
        sources: vec![source.to_string()],
        rule: None,
        heartbeat: Some(name.to_owned()),
        metric: heartbeat.map(|h| h.event.to_string()),
        cause: Some(if low { "too_few" } else { "too_many" }.to_owned()),
        count,
        of,
    };
    Parts { headline, about, fields, steps: steps.iter().map(|s| (*s).to_owned()).collect() }
}

/// The path that experienced people walk when a workflow is quiet.
const LOW_STEPS: &[&str] = &[
    "Open the workflow in Customer.io: is it running, or was it stopped or left in draft?",
    "Look at its people: do fewer enter than usual? Then the trigger event or a filter changed, or the event was renamed upstream.",
    "If people enter and nothing is sent: look for drafts that wait for approval, and for failed or undeliverable messages.",
    "Ask who deployed the backend since the last good period: does it still send the trigger event under the same name?",
];

const HIGH_STEPS: &[&str] = &[
    "Look at the workflow's people in Customer.io: does somebody enter more often than once?",
    "Look for an import or a back-fill that replays old events.",
];

fn of_blindness(incident: &Incident, facts: &Facts, config: &Config, now: Timestamp) -> Parts {
    let since = text::clock(incident.since, &config.workspace.zone, now);
    let headline = match incident.state {
        State::Open if facts.coming_late => {
            format!("Nothing has arrived in time since {since}: events come, but late, so nothing can be judged")
        }
        State::Open => format!("Nothing has arrived since {since}: everything stopped, or we no longer hear"),
        State::Resolved { .. } => {
            let until = text::clock(incident.last, &config.workspace.zone, now);
            format!("Events arrive again; nothing had arrived from {since} to {until}")
        }
    };
    let about = About {
        sources: vec!["all".to_owned()],
        rule: Some("blindness".to_owned()),
        heartbeat: None,
        metric: Some("all".to_owned()),
        cause: Some(if facts.coming_late { "coming_late" } else { "nothing_arrives" }.to_owned()),
        count: incident.numbers.count,
        of: incident.numbers.of,
    };
    let ago = text::duration(now.duration_since(incident.since));
    let since = text::clock_in_zone(incident.since, &config.workspace.zone, now);
    let mut fields = vec![field("Since", format!("{since} ({ago} ago)"))];
    if incident.is_open() {
        fields.push(field("Means", "No workflow can be judged meanwhile, and no incident resolves.".to_owned()));
    }
    let steps = BLIND_STEPS.iter().map(|s| (*s).to_owned()).collect();
    Parts { headline, about, fields, steps }
}

const BLIND_STEPS: &[&str] = &[
    "Customer.io > Integrations > Reporting Webhooks: is the webhook enabled and does it point here? Press Send Test.",
    "status.customer.io: is there a delay? Events that come late are counted when they come.",
    "Look at this bridge's log for refused signatures: was the signing key changed?",
    "If the webhook is fine, check whether any campaign is sending at all.",
];

fn beats_in_words(heartbeat: &Heartbeat, count: u64) -> String {
    format!("{} {}", text::count(words::noun(&heartbeat.event.channel), count), words::verb(&heartbeat.event))
}

/// The part of a period that was counted, in words.
fn period_in_words(every: Option<Every>, period: Period, until: Timestamp, config: &Config, now: Timestamp) -> String {
    let zone = &config.workspace.zone;
    let end = zone.to_datetime(until);
    match every {
        Some(Every::Hour) => format!("from {} to {}", text::clock(period.start, zone, now), end.strftime("%H:%M")),
        Some(Every::Week { .. }) => format!("in the week to {}", end.strftime("%a %-d %b %H:%M")),
        Some(Every::Day { .. }) | None => {
            let day = zone.to_datetime(period.start).strftime("%a %-d %b");
            let by = if until == period.end { String::new() } else { format!(" by {}", end.strftime("%H:%M")) };
            format!("on {day}{by}")
        }
    }
}

/// The workspace in Customer.io's app. Only this form of deep link is used consistently in public texts, so
/// everything below it is said in words.
fn customerio_link(config: &Config) -> Link {
    let host = match config.customerio.region {
        Region::Us => "fly.customer.io",
        Region::Eu => "eu.fly.customer.io",
    };
    let path = config.customerio.workspace_id.map_or_else(String::new, |id| format!("/workspaces/{id}"));
    Link { text: "Open Customer.io".to_owned(), href: format!("https://{host}{path}") }
}

fn field(name: &'static str, value: String) -> Field {
    Field { name, value }
}

fn label(incident: &Incident, label: Label) -> &[String] {
    incident.labels.get(&label).map_or(&[], Vec::as_slice)
}
