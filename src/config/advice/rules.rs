//! Rules: two that alert on the same failures, conditions that cannot mean what they say.

use super::globs;
use super::places::Places;
use crate::config::Config;
use crate::config::reader::{Problem, quoted};
use crate::customerio::event::Kind;
use crate::customerio::metric::{Class, has_cause};
use crate::incident::Dimension;
use crate::rules::{Condition, Rule};

const SECTION: &str = "rules";

/// Fewest failures that a rate counts from (design, Configuration), and so the fewest that are no accident.
const FEWEST: u64 = 7;

/// Most events that are named.
const NAMED: usize = 3;

pub fn advise(config: &Config, places: &Places<'_>) {
    // The rules that hold without any are ours.
    if !places.has(SECTION) {
        return;
    }
    for (index, rule) in config.rules.iter().enumerate() {
        for earlier in 0..index {
            if let Some(problem) =
                config.rules.get(earlier).and_then(|other| overlap(other, rule, places.line(SECTION, earlier)))
            {
                places.report(places.nth(SECTION, index), problem);
            }
        }
        let warn = |key: &str, problem: Option<Problem>| {
            if let Some(problem) = problem {
                places.report(places.key(SECTION, index, key), problem);
            }
        };
        warn("events", successes(rule));
        warn("count", forgeable(rule));
        warn("rate", rate_of_what(rule));
        if places.has_key(SECTION, index, "group_by") {
            warn("group_by", grouped_by_nothing(rule));
        }
    }
}

/// Whether two rules would alert twice on the same failures.
fn overlap(one: &Rule, other: &Rule, line: usize) -> Option<Problem> {
    let common: Vec<Kind> = one.events.iter().filter(|event| other.events.contains(event)).cloned().collect();
    let is_escalation = match (&one.condition, &other.condition) {
        (Condition::Count { at_least: a, .. }, Condition::Count { at_least: b, .. }) => escalates(one, *a, other, *b),
        (Condition::Rate { above: a, .. }, Condition::Rate { above: b, .. }) => escalates(one, *a, other, *b),
        _ => return None,
    };
    if common.is_empty() || is_escalation || !share_a_source(one, other) {
        return None;
    }
    let what = format!(
        "the rules {} (line {line}) and {} both alert on {} of the same sources: the same failures would be told twice",
        quoted(&one.name),
        quoted(&other.name),
        some(&common)
    );
    let fix = "give one of them other events or sources; to escalate, give the higher limit the higher severity";
    Some(Problem::warning(what).fix(fix))
}

/// More failures, more severe: told twice on purpose.
fn escalates<L: PartialOrd>(one: &Rule, limit: L, other: &Rule, other_limit: L) -> bool {
    (one.severity > other.severity && limit > other_limit) || (other.severity > one.severity && other_limit > limit)
}

fn share_a_source(one: &Rule, other: &Rule) -> bool {
    let any_pair = one.sources.iter().any(|a| other.sources.iter().any(|b| globs::intersect(a, b)));
    one.sources.is_empty() || other.sources.is_empty() || any_pair
}

fn class(kind: &Kind) -> Option<Class> {
    kind.row().map(|row| row.class)
}

fn successes(rule: &Rule) -> Option<Problem> {
    let successes: Vec<Kind> = rule.events.iter().filter(|e| class(e) == Some(Class::Success)).cloned().collect();
    if successes.is_empty() {
        return None;
    }
    let what = format!("this rule alerts when all is well: {} happens to every message that arrives", some(&successes));
    Some(Problem::warning(what).fix("for what must happen, or not too often, write [[heartbeats]]; else name failures"))
}

fn forgeable(rule: &Rule) -> Option<Problem> {
    let Condition::Count { at_least, .. } = rule.condition else { return None };
    let forgeable = |event: &&Kind| matches!(event.metric.as_ref(), "bounced" | "spammed");
    let events: Vec<Kind> = rule.events.iter().filter(forgeable).cloned().collect();
    if at_least >= FEWEST || events.is_empty() {
        return None;
    }
    let what = format!(
        "{at_least} of {} are everyday, more so the more is sent, and whoever holds a delivery id can forge them",
        some(&events)
    );
    let channel = events.first().map_or("email", |event| event.channel.as_ref());
    let fix = format!("write a rate: rate = {{ of = \"{channel}_sent\", above = 0.05, within = \"1h\" }}");
    Some(Problem::warning(what).fix(fix))
}

fn rate_of_what(rule: &Rule) -> Option<Problem> {
    let Condition::Rate { of, .. } = &rule.condition else { return None };
    let odd: Vec<Kind> = of.iter().filter(|o| class(o) != Some(Class::Success)).cloned().collect();
    if !odd.is_empty() {
        let what = format!("the rate is taken of {}, which is not what was sent: it says little", some(&odd));
        return Some(Problem::warning(what).fix("of = \"<channel>_sent\" or \"<channel>_delivered\""));
    }
    // A message that bounced was sent and never delivered.
    let wants = |event: &Kind| event.row().and_then(|row| row.rate_of);
    let of_channel = |event: &Kind| of.iter().find(|o| o.channel == event.channel);
    let odd = rule.events.iter().find_map(|event| {
        let (best, of) = (wants(event)?, of_channel(event)?);
        (best == "sent" && of.metric != "sent" && !of_has(&rule.condition, event, best)).then_some((event, of, best))
    });
    let (event, of, best) = odd?;
    let what = format!("{event} is taken of {of}, but a message that {} was never {}", past(event), of.metric);
    Some(Problem::warning(what).fix(format!("of = \"{}_{best}\"", event.channel)))
}

fn of_has(condition: &Condition, event: &Kind, metric: &str) -> bool {
    let Condition::Rate { of, .. } = condition else { return false };
    of.iter().any(|o| o.channel == event.channel && o.metric == metric)
}

fn past(event: &Kind) -> String {
    match event.metric.as_ref() {
        "dropped" => "was dropped".into(),
        "undeliverable" => "was undeliverable".into(),
        metric => metric.into(),
    }
}

fn grouped_by_nothing(rule: &Rule) -> Option<Problem> {
    let has_no_value = |dimension: &&Dimension| match dimension {
        Dimension::Cause => !rule.events.iter().any(|e| has_cause(&e.metric)),
        Dimension::Provider => !rule.events.iter().any(|e| e.channel == "email"),
        Dimension::Source | Dimension::Action | Dimension::Channel | Dimension::Metric => false,
    };
    let dimension = rule.group_by.iter().find(has_no_value)?;
    let why = match dimension {
        Dimension::Cause => "only failures have a cause",
        _ => "only the recipients of e-mail have a mailbox provider",
    };
    let what = format!("{} tells nothing apart here: {why}", quoted(dimension.as_str()));
    Some(Problem::warning(what).fix("group by source or action, or by nothing: []"))
}

/// A few events by name.
fn some(kinds: &[Kind]) -> String {
    let named: Vec<_> = kinds.iter().take(NAMED).map(Kind::to_string).collect();
    match kinds.len().saturating_sub(NAMED) {
        0 => named.join(" and "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
