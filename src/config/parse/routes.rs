//! `[[routes]]`: which labels lead to which receivers.

use wildmatch::WildMatch;

use super::hours::{HOURS_FORM, parse_hours};
use super::receivers::Names;
use super::sources;
use crate::config::reader::{Item, Problem, Table, nearest, quoted};
use crate::config::schema::NamedSource;
use crate::heartbeat::Heartbeat;
use crate::incident::Severity;
use crate::route::{Hours, Label, Matcher, Route};
use crate::rules::Rule;

/// The values of the label `kind`. Source: `incident::Subject::kind`; a test holds the two
/// together. The digest goes to its own receivers, past the routes.
const KINDS: [&str; 3] = ["rule", "heartbeat", "blindness"];

/// What routes may refer to.
pub struct Known<'k, 'a> {
    pub names: &'k Names<'a>,
    pub rules: &'k [Rule],
    pub heartbeats: &'k [Heartbeat],
    pub sources: &'k [NamedSource],
}

/// `[[routes]]`.
pub fn routes(file: &mut Table<'_>, known: &Known<'_, '_>) -> Vec<Route> {
    if !file.has("routes") {
        file.error(
            Problem::error("there are no [[routes]]; nobody would hear of anything")
                .allowed("at least one, for example [[routes]] with receivers = [\"...\"]"),
        );
        file.tables("routes");
        return Vec::new();
    }
    let mut routes: Vec<Route> = Vec::new();
    let mut takes_all = None;
    let tables = file.tables("routes");
    if tables.is_empty() {
        file.error(Problem::error("there are no [[routes]]; nobody would hear of anything"));
    }
    let last = tables.len();
    for (index, mut table) in tables.into_iter().enumerate() {
        let matchers = matchers(&mut table, known);
        let hours = table.get("hours", hours);
        let is_always = !table.has("hours");
        let receivers = table.some("receivers", |item| known.names.refer(item));
        let goes_on = table.get("continue", Item::boolean).unwrap_or(false);
        if let Some(line) = takes_all {
            table.error(Problem::warning(format!(
                "this route is never reached: the one on line {line} takes everything and does not continue"
            )));
        }
        let everything = is_always && matchers.as_ref().is_some_and(Vec::is_empty);
        if everything && !goes_on && takes_all.is_none() {
            takes_all = Some(table.line());
        }
        if index + 1 == last && !everything && takes_all.is_none() {
            table.error(
                Problem::warning("no route takes everything: what none of them matches is told to nobody")
                    .allowed("a last [[routes]] without match and hours"),
            );
        }
        table.finish();
        routes.push(Route { matchers: matchers.unwrap_or_default(), hours, receivers, goes_on });
    }
    routes
}

/// The conditions of a route; `None` when not all of them could be read.
fn matchers(table: &mut Table<'_>, known: &Known<'_, '_>) -> Option<Vec<Matcher>> {
    if !table.has("match") {
        table.item("match");
        return Some(Vec::new());
    }
    let mut table = table.table("match")?;
    let given = table.key_count();
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
        check_for_no_match(&mut table, label, &globs, &values, known);
        matchers.push(Matcher { label, globs });
    }
    table.finish();
    (matchers.len() == given).then_some(matchers)
}

/// A label that can only have values that none of the globs matches: an error where the values are fixed words, a
/// warning where they are names of this file.
fn check_for_no_match(
    table: &mut Table<'_>,
    label: Label,
    globs: &[WildMatch],
    values: &[String],
    known: &Known<'_, '_>,
) {
    let possible: Vec<&str> = match label {
        Label::Severity => Severity::ALL.map(Severity::as_str).to_vec(),
        Label::Kind => KINDS.to_vec(),
        Label::Owner => known.sources.iter().filter_map(|s| s.owner.as_deref()).collect(),
        Label::Rule => {
            let heartbeats = known.heartbeats.iter().map(|h| h.name.as_str());
            known.rules.iter().map(|r| r.name.as_str()).chain(heartbeats).collect()
        }
        // What the sender may say is not ours to list.
        Label::Source | Label::Channel | Label::Metric | Label::Cause => return,
    };
    if possible.iter().any(|value| globs.iter().any(|glob| glob.matches(value))) {
        return;
    }
    let values: Vec<_> = values.iter().map(|v| quoted(v)).collect();
    let meant = globs.first().map(|g| g.pattern()).and_then(|g| nearest(&g, possible.iter().copied()));
    let possible =
        if possible.is_empty() { "nothing: no configured source has an owner".into() } else { possible.join(", ") };
    let what = format!("this route never matches: {} is never {}", label.as_str(), values.join(" or "));
    let problem = match label {
        Label::Severity | Label::Kind => Problem::error(what),
        _ => Problem::warning(what),
    };
    table.error_at(label.as_str(), problem.allowed(possible).did_you_mean(meant));
}

fn hours(item: &Item<'_>) -> Option<Hours> {
    let text = item.text()?;
    let hours = parse_hours(text);
    if hours.is_none() {
        let meant = parse_hours(&format!("daily {text}")).map(|_| format!("daily {text}"));
        let what = format!("{} are no hours: {}", item.place(), quoted(text));
        item.error(Problem::error(what).allowed(HOURS_FORM).did_you_mean(meant));
    }
    hours
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::customerio::event::{Source, SourceKind};
    use crate::heartbeat::Period;
    use crate::incident::Subject;

    #[test]
    fn every_subject_has_a_kind_that_routes_may_match() {
        let at = Timestamp::UNIX_EPOCH;
        let subjects = [
            Subject::Rule { name: String::new(), group: Default::default() },
            Subject::Heartbeat {
                name: String::new(),
                source: Source::new(SourceKind::Campaign, "5"),
                period: Period { start: at, due: at, end: at },
            },
            Subject::Blindness,
        ];
        assert_eq!(subjects.map(|s| s.kind()), KINDS);
    }
}
