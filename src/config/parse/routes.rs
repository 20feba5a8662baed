//! `[[routes]]`: which labels lead to which receivers.

use wildmatch::WildMatch;

use super::hours::{HOURS_FORM, meant_hours, parse_hours};
use super::receivers::Names;
use super::sources;
use crate::config::reader::{Item, Problem, Table, nearest, quoted};
use crate::incident::{Severity, Subject};
use crate::route::{Hours, Label, Matcher, Route};

const ONE_ROUTE: &str = "at least one, for example [[routes]] with receivers = [\"...\"]";

/// `[[routes]]`.
pub fn routes(file: &mut Table<'_>, names: &Names) -> Vec<Route> {
    if !file.has("routes") {
        file.error(Problem::error("there are no [[routes]]; nobody would hear of anything").allowed(ONE_ROUTE));
        file.tables("routes");
        return Vec::new();
    }
    let mut routes: Vec<Route> = Vec::new();
    let tables = file.tables("routes");
    if tables.is_empty() {
        file.error(Problem::error("there are no [[routes]]; nobody would hear of anything").allowed(ONE_ROUTE));
    }
    for mut table in tables {
        let matchers = matchers(&mut table);
        let hours = table.one_or_many("hours", hours);
        let receivers = table.some("receivers", |item| names.refer(item));
        let goes_on = table.get("continue", Item::boolean).unwrap_or(false);
        table.finish();
        routes.push(Route { matchers, hours, receivers, goes_on });
    }
    routes
}

/// The conditions of a route.
fn matchers(table: &mut Table<'_>) -> Vec<Matcher> {
    let Some(mut table) = table.table("match") else { return Vec::new() };
    let mut matchers = Vec::new();
    for label in Label::ALL {
        let key = label.as_str();
        let mut values = Vec::new();
        let globs = table.one_or_many(key, |item| {
            let text = item.name()?;
            let glob = match label {
                Label::Source => sources::glob(item)?,
                _ => WildMatch::new(&text),
            };
            values.push(text);
            Some(glob)
        });
        if globs.is_empty() {
            continue;
        }
        check_words(&mut table, label, &globs, &values);
        matchers.push(Matcher { label, globs });
    }
    table.finish();
    matchers
}

/// Severity and kind are fixed words: a route that asks for another one never matches. Whether the other labels can
/// have the values that are asked for depends on the rest of the file: `advice` looks at that.
fn check_words(table: &mut Table<'_>, label: Label, globs: &[WildMatch], values: &[String]) {
    let possible: Vec<&str> = match label {
        Label::Severity => Severity::ALL.into_iter().map(Severity::as_str).collect(),
        Label::Kind => Subject::KINDS.to_vec(),
        Label::Rule | Label::Source | Label::Owner | Label::Channel | Label::Metric | Label::Cause => return,
    };
    if possible.iter().any(|value| globs.iter().any(|glob| glob.matches(value))) {
        return;
    }
    let values: Vec<_> = values.iter().map(|v| quoted(v)).collect();
    let meant = globs.first().map(|g| g.pattern()).and_then(|g| nearest(&g, possible.iter().copied()));
    let what = format!("this route never matches: {} is never {}", label.as_str(), values.join(" or "));
    table.error_at(label.as_str(), Problem::error(what).allowed(possible.join(", ")).did_you_mean(meant));
}

fn hours(item: &Item<'_>) -> Option<Hours> {
    let text = item.text()?;
    let hours = parse_hours(text);
    if hours.is_none() {
        let what = format!("{} are no hours: {}", item.place(), quoted(text));
        item.error(Problem::error(what).allowed(HOURS_FORM).did_you_mean(meant_hours(text)));
    }
    hours
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::canary::Leg;
    use crate::customerio::event::{Source, SourceKind};
    use crate::heartbeat::Period;

    #[test]
    fn every_subject_has_a_kind_that_routes_may_match() {
        let at = Timestamp::UNIX_EPOCH;
        let subjects = [
            Subject::Rule { name: String::new(), group: Default::default() },
            Subject::Heartbeat {
                name: String::new(),
                source: Source::new(SourceKind::Campaign, "5"),
                period: Period { start: at, due: at, end: at },
                why: None,
            },
            Subject::Blindness,
            Subject::Canary { leg: Leg::Workflow },
            Subject::Lag { median_s: 0 },
            Subject::Drafts { source: Source::new(SourceKind::Campaign, "5") },
            Subject::Drift { what: crate::drift::Drift::Subscription },
            Subject::Reconciliation {
                event: String::new(),
                source: Source::new(SourceKind::Campaign, "5"),
                date: jiff::civil::date(2026, 11, 23),
                leg: crate::reconcile::compare::Leg::Receiving,
            },
        ];
        assert_eq!(subjects.map(|s| s.kind()), Subject::KINDS);
    }
}
