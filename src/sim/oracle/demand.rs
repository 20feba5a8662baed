//! Law 1: whatever makes a rule true is spoken of by an incident, and no incident is without a reason. Windows are
//! recomputed naively over what was counted.

use std::collections::{BTreeMap, BTreeSet};

use super::rates::{self, Sends};
use crate::clock::Minute;
use crate::customerio::event::{Fate, Identity};
use crate::incident::{Dimension, How, Incident, State, Subject};
use crate::sim::scenario::Scenario;
use crate::sim::setup::{By, RuleSetup};
use crate::sim::truth::{Truth, Written, ends};

/// A failure that counts.
pub struct Failure {
    pub identity: Identity,
    pub kind: String,
    pub source: String,
    pub cause: String,
    pub minute: i64,
    /// Unix seconds.
    pub at_s: i64,
    /// From when on it may be seen, and must be.
    pub frozen: u64,
    pub step: u64,
}

pub struct Failures(pub Vec<Failure>);

impl Failures {
    pub fn of(truth: &Truth) -> Self {
        let mut failures = Vec::new();
        for (identity, first) in &truth.first {
            let series = &first.class.series;
            let Some(cause) = series.cause.as_ref().filter(|_| series.fate == Fate::Counted) else { continue };
            failures.push(Failure {
                identity: *identity,
                kind: series.kind.to_string(),
                source: series.source.to_string(),
                cause: cause.as_str().to_owned(),
                minute: Minute::of(first.class.at).0,
                at_s: first.class.at.as_second(),
                frozen: first.frozen,
                step: first.step,
            });
        }
        Self(failures)
    }

    /// Those that a rule looks at, by group.
    pub fn by_group(&self, rule: &RuleSetup) -> BTreeMap<String, Vec<&Failure>> {
        let mut groups: BTreeMap<String, Vec<&Failure>> = BTreeMap::new();
        for failure in self.0.iter().filter(|f| rule.events.contains(&f.kind.as_str())) {
            groups.entry(group_of(rule, failure).to_owned()).or_default().push(failure);
        }
        groups
    }

    pub fn judge(&self, scenario: &Scenario, truth: &Truth, wrong: &mut Vec<String>) {
        let mut rules: BTreeMap<&str, &RuleSetup> = BTreeMap::new();
        for rule in scenario.setups.iter().flat_map(|s| &s.rules) {
            rules.insert(rule.name, rule);
        }
        let sends = Sends::of(truth);
        for rule in rules.into_values() {
            for (group, failures) in self.by_group(rule) {
                let episodes = episodes(truth, rule, &group);
                self.unspoken(scenario, truth, rule, &group, &failures, &sends, &episodes, wrong);
                for episode in &episodes {
                    unreasoned(rule, &group, &failures, &sends, episode, wrong);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn unspoken(
        &self,
        scenario: &Scenario,
        truth: &Truth,
        rule: &RuleSetup,
        group: &str,
        failures: &[&Failure],
        sends: &Sends,
        episodes: &[Episode<'_>],
        wrong: &mut Vec<String>,
    ) {
        let spoken = |f: &&&Failure| {
            let again = episodes.windows(2).any(|pair| opened_again(&pair[0], &pair[1], f));
            again || episodes.iter().any(|e| e.speaks_of(rule, f, truth))
        };
        let news: Vec<&&Failure> = failures.iter().filter(|f| !spoken(f)).collect();
        for end in &news {
            let window: Vec<&&&Failure> =
                news.iter().filter(|f| end.minute - rule.within <= f.minute && f.minute <= end.minute).collect();
            let of_rate = |rate| rates::must_open(rule, rate, window.len() as u64, sends, group);
            if window.len() < rule.at_least || !rule.rate.is_none_or(of_rate) {
                continue;
            }
            // It became true when the last of them was counted; whoever evaluated that one must have seen it.
            let Some(last) = window.iter().max_by_key(|f| f.step) else { continue };
            let seen = |done: &&crate::sim::truth::Done| {
                done.identity == last.identity && scenario.setups[done.epoch].rule(rule.name).is_some()
            };
            if truth.done.iter().any(|done| seen(&done)) {
                wrong.push(format!(
                    "law 1: {} of {} {group} within {} min to {} made a rule true and no incident speaks of them",
                    window.len(),
                    rule.name,
                    rule.within,
                    Minute(end.minute).start(),
                ));
                return;
            }
        }
    }
}

pub fn group_of<'a>(rule: &RuleSetup, failure: &'a Failure) -> &'a str {
    match rule.by {
        By::Cause => &failure.cause,
        By::Source => &failure.source,
    }
}

/// An episode from its opening to what was written last.
pub struct Episode<'a> {
    pub opened: &'a Written,
    pub resolved: Option<&'a Written>,
    pub settled: Option<&'a Written>,
}

impl Episode<'_> {
    /// Whether it is enough that this episode was.
    fn speaks_of(&self, rule: &RuleSetup, failure: &Failure, truth: &Truth) -> bool {
        let incident = &self.opened.incident;
        let since = Minute::of(incident.since).0;
        let last = self.resolved.map_or(i64::MAX, |r| Minute::of(r.incident.last).0);
        if since - rule.within <= failure.minute && failure.minute <= last {
            return true;
        }
        // While one is open, older failures of its group are the same problem. One that ended because its rule was
        // gone ended without looking.
        let unasked =
            self.resolved.is_some_and(|r| matches!(r.incident.state, State::Resolved { how: How::RuleGone, .. }));
        let counted_before = self.resolved.is_none_or(|r| failure.step < r.step);
        let judged_after =
            || truth.done.iter().any(|done| done.identity == failure.identity && done.step > self.opened.step);
        (failure.minute < since || unasked) && counted_before && judged_after()
    }
}

/// Whether a failure that was counted while an episode was being resolved came before the next one, which opened before
/// anybody could judge again: the group is told of.
fn opened_again(before: &Episode, next: &Episode, failure: &Failure) -> bool {
    let counted_before = before.resolved.is_some_and(|r| failure.frozen < r.step);
    let unsettled = before.settled.is_none_or(|s| next.opened.step < s.step);
    counted_before && unsettled && failure.minute < Minute::of(next.opened.incident.since).0
}

pub fn is_of(incident: &Incident, rule: &RuleSetup, of: &str) -> bool {
    let Subject::Rule { name, group } = &incident.subject else { return false };
    let dimension = match rule.by {
        By::Cause => Dimension::Cause,
        By::Source => Dimension::Source,
    };
    name == rule.name && group.get(&dimension).is_some_and(|value| value == of)
}

fn episodes<'a>(truth: &'a Truth, rule: &RuleSetup, group: &str) -> Vec<Episode<'a>> {
    let mut episodes: Vec<Episode<'a>> = Vec::new();
    for written in truth.writes.iter().filter(|w| is_of(&w.incident, rule, group)) {
        if written.incident.version == 0 {
            episodes.push(Episode { opened: written, resolved: None, settled: None });
            continue;
        }
        let of = episodes.iter_mut().find(|e| e.opened.incident.episode == written.incident.episode);
        if let (Some(episode), true) = (of, ends(&written.incident)) {
            episode.resolved.get_or_insert(written);
            if written.incident.settled {
                episode.settled.get_or_insert(written);
            }
        }
    }
    episodes
}

fn unreasoned(
    rule: &RuleSetup,
    group: &str,
    failures: &[&Failure],
    sends: &Sends,
    episode: &Episode,
    wrong: &mut Vec<String>,
) {
    let opened = &episode.opened.incident;
    let since = Minute::of(opened.since).0;
    let known: Vec<&&Failure> = failures.iter().filter(|f| f.frozen < episode.opened.step).collect();
    let minutes: BTreeSet<i64> = known.iter().map(|f| f.minute).collect();
    let is_true = |end: &i64| {
        let from = end - rule.within;
        let within = known.iter().filter(|f| from <= f.minute && f.minute <= *end).count();
        let read = episode.opened.failures_read.unwrap_or(u64::MAX);
        let of_rate = |rate| rates::may_open(rule, rate, within as u64, sends, (group, *end, read));
        from <= since && since <= *end && within >= rule.at_least && rule.rate.is_none_or(of_rate)
    };
    if !minutes.iter().any(is_true) {
        wrong.push(format!("law 1: {} {group} was opened without a reason ({})", rule.name, opened.id()));
    }
    // It may not claim to speak of more than was there.
    if let Some(resolved) = episode.resolved {
        let last = resolved.incident.last.as_second();
        if !failures.iter().any(|f| f.at_s == last && f.frozen < resolved.step) {
            wrong.push(format!("law 1: {} says that its last failure was at {}", opened.id(), resolved.incident.last));
        }
    }
}
