//! Routes: which are never reached, and which incidents reach nobody, hour by hour of the week.

use std::collections::{BTreeMap, BTreeSet};

use super::globs;
use super::incidents::{self, Possible};
use super::places::Places;
use super::week::{self, Slot};
use crate::config::Config;
use crate::config::reader::{Problem, nearest, quoted};
use crate::incident::Severity;
use crate::route::{Label, Matcher, Route};

const SECTION: &str = "routes";

/// Most steps that are gone through; a file beyond that (hundreds of routes, each with conditions of its own) is not
/// looked at, rather than looked at for minutes.
const MOST_STEPS: usize = 20_000_000;

/// Most values that are listed.
const LISTED: usize = 12;

/// What became of a route over all incidents and hours.
#[derive(Clone, Default)]
struct Seen {
    matches: bool,
    reached: bool,
    /// Somebody hears because of it who had not heard from a route before it.
    adds: bool,
    /// The routes that took what it matches.
    stoppers: BTreeSet<usize>,
}

pub fn advise(config: &Config, places: &Places<'_>) {
    if let Some(last) = config.routes.len().checked_sub(1)
        && config.routes.iter().next_back().is_some_and(|route| route.goes_on)
    {
        let what = "\"continue\" has no effect here: no route comes after this one";
        let fix = "remove it, or put this route before those that should hear too";
        places.report(places.key(SECTION, last, "continue"), Problem::warning(what).fix(fix));
    }
    let possible = incidents::possible(config);
    let slots = week::slots(&config.routes);
    if possible.len().saturating_mul(slots.len()).saturating_mul(config.routes.len()) > MOST_STEPS {
        return;
    }
    let mut seen = vec![Seen::default(); config.routes.len()];
    // The slots in which nobody hears, of each incident.
    let mut untold: Vec<BTreeSet<usize>> = Vec::new();
    for incident in &possible {
        let matches: Vec<bool> = config
            .routes
            .iter()
            .map(|r| meant(r, incident) && r.matchers.iter().all(|m| m.matches(&incident.labels)))
            .collect();
        let quiet = |(_, slot): &(usize, &Slot)| !walk(config, &matches, slot, &mut seen);
        untold.push(slots.iter().enumerate().filter(quiet).map(|(at, _)| at).collect());
    }
    for (index, seen) in seen.iter().enumerate() {
        if let Some(problem) = of_route(config, index, seen, &possible, places) {
            let key = if seen.matches { "" } else { "match" };
            places.report(places.key(SECTION, index, key), problem);
        }
    }
    report_gaps(config, &possible, &untold, &slots, places);
}

/// Whether a route may be about an incident. Drafts come of every source and channel: a route that names one of those
/// is meant for rules and heartbeats, unless it says the kind.
fn meant(route: &Route, incident: &Possible) -> bool {
    let anywhere = incident.unasked && incident.labels.contains_key(&Label::Source);
    !anywhere || route.matchers.iter().any(|m| m.label == Label::Kind)
}

/// Goes through the routes as the bridge does; whether anybody heard.
fn walk(config: &Config, matches: &[bool], slot: &Slot, seen: &mut [Seen]) -> bool {
    let mut heard: BTreeSet<&str> = BTreeSet::new();
    let mut stopper = None;
    let all = config.routes.iter().zip(seen).zip(matches.iter().zip(&slot.holds));
    for (index, ((route, seen), (matches, holds))) in all.enumerate() {
        if !matches {
            continue;
        }
        seen.matches = true;
        if !holds {
            continue;
        }
        if let Some(stopper) = stopper {
            seen.stoppers.insert(stopper);
            continue;
        }
        seen.reached = true;
        for receiver in &route.receivers {
            seen.adds |= heard.insert(receiver);
        }
        if !route.goes_on {
            stopper = Some(index);
        }
    }
    !heard.is_empty()
}

fn of_route(config: &Config, index: usize, seen: &Seen, possible: &[Possible], places: &Places<'_>) -> Option<Problem> {
    if !seen.matches {
        return Some(never_matches(config, index, possible));
    }
    if !seen.reached {
        let lines: Vec<_> = seen.stoppers.iter().map(|at| places.line(SECTION, *at).to_string()).collect();
        let what = match lines.as_slice() {
            [line] => format!("this route is never reached: the one on line {line} takes all that it matches"),
            lines => format!(
                "this route is never reached: those on lines {} together take all that it matches",
                lines.join(", ")
            ),
        };
        let fix = "put it before them, or give them continue = true, or remove it";
        return Some(Problem::warning(what).fix(fix));
    }
    let what = "this route adds nobody: whoever it names has heard from a route before it that continues";
    (!seen.adds).then(|| Problem::warning(what).fix("name other receivers, or remove it"))
}

fn never_matches(config: &Config, index: usize, possible: &[Possible]) -> Problem {
    let Some(route) = config.routes.get(index) else { return Problem::warning("this route never matches") };
    let alone = |m: &&Matcher| !possible.iter().any(|p| meant(route, p) && m.matches(&p.labels));
    let Some(matcher) = route.matchers.iter().find(alone) else {
        let what = "this route never matches: no rule or heartbeat makes an incident with all of these labels at once";
        return Problem::warning(what).fix("drop one of the conditions, or write two routes");
    };
    let wanted: Vec<String> = matcher.globs.iter().map(|g| g.pattern()).collect();
    let values = incidents::values(config, matcher.label);
    let meant = wanted.first().and_then(|glob| nearest(glob, values.iter().map(String::as_str)));
    let allowed = match values.len() {
        0 => "nothing: ".to_owned() + nothing(matcher.label),
        1..=LISTED => values.join(", "),
        more => format!("{} and {} more", values.get(..LISTED).unwrap_or_default().join(", "), more - LISTED),
    };
    let wanted: Vec<String> = wanted.iter().map(|w| quoted(w)).collect();
    let what = format!("this route never matches: {} is never {}", matcher.label.as_str(), wanted.join(" or "));
    Problem::warning(what).allowed(allowed).fix(makes(matcher.label)).did_you_mean(meant)
}

/// Why a label may have no value at all.
const fn nothing(label: Label) -> &'static str {
    match label {
        Label::Owner => "no configured source has an owner",
        Label::Cause => "no rule counts failures",
        _ => "no rule or heartbeat has one",
    }
}

/// What gives a label its values.
const fn makes(label: Label) -> &'static str {
    match label {
        Label::Severity => "write a rule or heartbeat of this severity, or another severity here",
        Label::Kind => "write a rule or heartbeat, or another kind here",
        Label::Rule => "write the name of a rule or heartbeat of this file",
        Label::Source => "write a rule or heartbeat about this source, or another source here",
        Label::Owner => "give a source of [[sources]] this owner, or write another one here",
        Label::Channel | Label::Metric => {
            "write a rule or heartbeat about such events, or others here: <channel>_<metric>"
        }
        Label::Cause => "write a cause of the list",
    }
}

/// Warns of incidents that reach nobody: first those of a whole severity, then single ones.
fn report_gaps(
    config: &Config,
    possible: &[Possible],
    untold: &[BTreeSet<usize>],
    slots: &[Slot],
    places: &Places<'_>,
) {
    let at = places.nth(SECTION, config.routes.len().saturating_sub(1));
    // `nobody hears of X from fri 20:00 to mon 08:00`, `nobody ever hears of X`.
    let nobody = |of: &str, gap: &BTreeSet<usize>, why: &str| match week::show(
        slots.iter().enumerate().filter(|(at, _)| gap.contains(at)).map(|(_, slot)| slot),
    ) {
        Some(when) => format!("nobody hears of {of} {when}: {why}"),
        None => format!("nobody ever hears of {of}: {why}"),
    };
    let fix = "end with a [[routes]] without match and hours";
    // Severities with the same gap are said together.
    let mut whole: BTreeMap<BTreeSet<usize>, Vec<&str>> = BTreeMap::new();
    let mut some: Vec<Problem> = Vec::new();
    for severity in Severity::ALL {
        let of_severity = || possible.iter().zip(untold).filter(|(p, _)| !p.unasked && p.severity == severity);
        let Some((_, first)) = of_severity().next() else { continue };
        let all = of_severity().fold(first.clone(), |all, (_, gap)| all.intersection(gap).copied().collect());
        if !all.is_empty() {
            whole.entry(all.clone()).or_default().push(severity.as_str());
        }
        // One example is enough: the incident that is left alone for longest besides that.
        let beyond = of_severity().map(|(p, gap)| (p, gap.difference(&all).copied().collect::<BTreeSet<_>>()));
        if let Some((example, gap)) = beyond.filter(|(_, gap)| !gap.is_empty()).max_by_key(|(_, gap)| gap.len()) {
            let example = format!("for example of {}", describe(config, example));
            let what = nobody(&format!("some {} incidents", severity.as_str()), &gap, &example);
            some.push(Problem::warning(what).fix(fix));
        }
    }
    for (gap, severities) in whole {
        let what = nobody(&format!("{} incidents", severities.join(" and ")), &gap, "no route takes them");
        places.report(at, Problem::warning(what).fix(fix));
    }
    some.into_iter().for_each(|problem| places.report(at, problem));
}

/// An incident by what makes it and by those of its labels that routes look at.
fn describe(config: &Config, incident: &Possible) -> String {
    let mut looked_at: Vec<Label> = config.routes.iter().flat_map(|r| &r.matchers).map(|m| m.label).collect();
    looked_at.sort();
    looked_at.dedup();
    looked_at.retain(|label| !matches!(label, Label::Severity | Label::Kind | Label::Rule));
    let labels = looked_at.iter().map(|label| match incident.labels.get(label).and_then(|values| values.first()) {
        Some(value) => format!(", {} {}", label.as_str(), globs::show(value)),
        None => format!(", without {}", label.as_str()),
    });
    incident.maker.clone() + &labels.collect::<String>()
}
