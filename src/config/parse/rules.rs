//! `[[rules]]`, and the rules that hold when there are none.

use jiff::SignedDuration;

use super::receivers::HOUR;
use super::{kinds, sources};
use crate::config::reader::{Item, Problem, Table, Unique, quoted};
use crate::customerio::event::Kind;
use crate::incident::{Dimension, Severity};
use crate::rules::rate::BELOW;
use crate::rules::{Condition, Rule};

/// Shortest window: tallies are kept by the minute (design, State).
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Longest window. Registers live for 23 days (design, State): two windows and a lag must fit.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far failures lag behind their sends unless the rule says otherwise (design, Configuration).
const LAG: SignedDuration = HOUR;

/// The rules of a configuration without `[[rules]]` (design, Configuration).
pub fn defaults() -> Vec<Rule> {
    let rule = |name: &str, events: &str, group_by: &[Dimension], condition, severity| Rule {
        name: name.into(),
        events: kinds::expand(events),
        sources: Vec::new(),
        group_by: group_by.to_vec(),
        condition,
        severity,
        quiet_for: None,
    };
    let rate = |of: &str, above, within| {
        let below = above * BELOW;
        Condition::Rate { of: kinds::expand(of), above, below, within, lag: LAG }
    };
    let three_failures = Condition::Count { at_least: 3, within: SignedDuration::from_mins(10) };
    // A source may send on several channels; a rate of a mixture would say little.
    let by_channel = [Dimension::Source, Dimension::Channel];
    vec![
        rule("failures", "*_failed", &[Dimension::Cause], three_failures, Severity::Critical),
        rule("bounce-rate", "*_bounced", &by_channel, rate("*_sent", 0.05, HOUR), Severity::Warning),
        rule("spam-rate", "*_spammed", &[Dimension::Source], rate("*_delivered", 0.003, HOUR * 24), Severity::Warning),
    ]
}

/// `[[rules]]`; an empty list of rules is none at all, not the defaults.
pub fn rules(file: &mut Table<'_>) -> Vec<Rule> {
    if !file.has("rules") {
        file.tables("rules");
        return defaults();
    }
    let mut names = Unique::new("rule");
    file.tables("rules").into_iter().filter_map(|table| rule(table, &mut names)).collect()
}

fn rule(mut table: Table<'_>, names: &mut Unique) -> Option<Rule> {
    let name = table.need("name", |item| {
        let name = item.name()?;
        names.note(&name, item);
        Some(name)
    });
    let events = distinct(table.some("events", kinds::some).into_iter().flatten());
    let sources = table.list("sources", sources::glob).unwrap_or_default();
    let group_by = table.list("group_by", |item| item.one_of(&Dimension::ALL, Dimension::as_str)).map(distinct);
    let condition = condition(&mut table, &events);
    let severity = severity(&mut table);
    let quiet_for = table.get("quiet_for", |item| item.duration(MINUTE..=WEEK));
    table.finish();
    let condition = condition?;
    let usual = match condition {
        Condition::Count { .. } => Dimension::Cause,
        Condition::Rate { .. } => Dimension::Source,
    };
    Some(Rule {
        name: name?,
        events,
        sources,
        group_by: group_by.unwrap_or_else(|| vec![usual]),
        condition,
        severity,
        quiet_for,
    })
}

/// Severity of a rule or heartbeat. Whoever leaves it out is not told more quietly for that.
pub fn severity(table: &mut Table<'_>) -> Severity {
    table.get("severity", |item| item.one_of(&Severity::ALL, Severity::as_str)).unwrap_or(Severity::Critical)
}

fn condition(table: &mut Table<'_>, events: &[Kind]) -> Option<Condition> {
    const FORMS: &str = "count = { at_least = 3, within = \"10m\" }, or \
                         rate = { of = \"email_sent\", above = 0.05, within = \"1h\" }";
    let both = table.has("count") && table.has("rate");
    if both {
        table.error_at("rate", Problem::error("a rule has a count or a rate, not both").allowed(FORMS));
    }
    let count = table.table("count").map(count);
    let rate = table.table("rate").map(|rate_table| rate(rate_table, events));
    if !table.has("count") && !table.has("rate") {
        table.error(Problem::error("a rule needs a count or a rate").allowed(FORMS));
    }
    count.or(rate)?
}

fn count(mut table: Table<'_>) -> Option<Condition> {
    let at_least = table.need("at_least", |item| item.integer(1..=1_000_000));
    let within = table.need("within", |item| item.duration(MINUTE..=WEEK));
    table.finish();
    Some(Condition::Count { at_least: at_least?, within: within? })
}

fn rate(mut table: Table<'_>, events: &[Kind]) -> Option<Condition> {
    if !table.has("of") {
        table.missing("of");
    }
    let of = distinct(table.one_or_many("of", kinds::some).into_iter().flatten());
    let above = table.need("above", Item::fraction);
    let below = table.get("below", |item| below(item, above));
    let within = table.need("within", |item| item.duration(MINUTE..=WEEK));
    let lag = table.get("lag", |item| item.duration(SignedDuration::ZERO..=WEEK)).unwrap_or(LAG);
    let alone = events.iter().find(|event| !of.iter().any(|o| o.channel == event.channel));
    if let (Some(event), false) = (alone, of.is_empty()) {
        let what = format!(
            "the rate is taken of nothing on the channel {}, so {} has nothing to be a rate of",
            quoted(&event.channel),
            quoted(&event.to_string())
        );
        let metric = of.first().map_or("sent", |o| o.metric.as_ref());
        table.error_at("of", Problem::warning(what).did_you_mean(Some(format!("*_{metric}"))));
    }
    table.finish();
    let above = above?;
    Some(Condition::Rate { of, above, below: below.unwrap_or(above * BELOW), within: within?, lag })
}

/// The limit to close at. Above the one to open at, an incident would be over while its rule is still true.
fn below(item: &Item<'_>, above: Option<f64>) -> Option<f64> {
    let below = item.fraction()?;
    if let Some(above) = above.filter(|above| below > *above) {
        let what = format!("{} lies over \"above\": {below} and {above}", item.place());
        item.error(
            Problem::error(what)
                .allowed(format!("a fraction between 0 and {above}; without it {}", shown(above * BELOW))),
        );
        return None;
    }
    Some(below)
}

/// Without the last digits of a product.
fn shown(fraction: f64) -> String {
    let digits = format!("{fraction:.6}");
    digits.trim_end_matches('0').to_owned()
}

/// Each value once, in the order of its first appearance.
fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rules_the_documented_ones_hold() {
        let shown: Vec<_> = defaults()
            .iter()
            .map(|rule| {
                let events: Vec<_> = rule.events.iter().map(Kind::to_string).collect();
                let by: Vec<_> = rule.group_by.iter().map(|d| d.as_str()).collect();
                format!("{} {} [{}] by {}", rule.name, rule.severity.as_str(), events.join(" "), by.join("+"))
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        failures critical [email_failed in_app_failed push_failed slack_failed sms_failed webhook_failed whatsapp_failed] by cause
        bounce-rate warning [email_bounced push_bounced sms_bounced whatsapp_bounced] by source+channel
        spam-rate warning [email_spammed] by source
        "#);
    }

    #[test]
    fn a_default_rate_always_has_something_to_be_a_rate_of() {
        for rule in defaults() {
            let Condition::Rate { of, lag, above, below, .. } = &rule.condition else { continue };
            assert_eq!((*lag, *below), (LAG, above * 0.8));
            assert!(rule.events.iter().all(|e| of.iter().any(|o| o.channel == e.channel)), "{}", rule.name);
        }
    }

    #[test]
    fn a_rate_may_close_at_the_limit_that_it_opens_at_or_at_any_lower_one() {
        let limits = |keys: &str| {
            let text = format!(
                "[workspace]\nname = \"acme\"\n[customerio]\nsigning_keys = [\"env:KEY\"]\n[[receivers]]\nname = \"screen\"\n\
                 type = \"console\"\n[[routes]]\nreceivers = [\"screen\"]\n[[rules]]\nname = \"r\"\n\
                 events = [\"email_bounced\"]\nrate = {{ of = \"email_sent\", within = \"1h\", {keys} }}\n"
            );
            let config = crate::config::parse::parse(&text).config.expect("a configuration");
            match config.rules[0].condition {
                Condition::Rate { above, below, .. } => (above, below),
                Condition::Count { .. } => panic!("a rate"),
            }
        };
        assert_eq!(limits("above = 0.05"), (0.05, 0.05 * 0.8));
        assert_eq!(limits("above = 0.05, below = 0.05"), (0.05, 0.05));
        assert_eq!(limits("below = 0.01, above = 0.05"), (0.05, 0.01));
    }
}
