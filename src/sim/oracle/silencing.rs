//! Silences: what is recorded against one was muted by it, nothing is told under one but an end that is owed, and what
//! is still open after it is told. Labels and conditions are worked out anew from what was counted.

use std::collections::{BTreeMap, BTreeSet};

use super::demand::{Failure, Failures, is_of};
use crate::incident::{Incident, Subject};
use crate::message::Phase;
use crate::sim::receivers::short;
use crate::sim::truth::{Attempt, Hush, Muted, Truth, ends};
use crate::sim::world::{MINUTE, SECOND, State};

/// How far ahead of ours the sender's clock may run.
const AHEAD_MINUTES: i64 = 10;

type Labels = BTreeMap<&'static str, BTreeSet<String>>;

pub fn judge(state: &State, wrong: &mut Vec<String>) {
    let truth = &state.truth;
    if truth.hushes.is_empty() && truth.muted.is_empty() {
        return;
    }
    let failures = Failures::of(truth);
    let view = View { state, failures: &failures };
    for muted in &truth.muted {
        if let Some(why) = view.not_muted(muted) {
            let id = format!("{} {}-{}", muted.receiver, short(&muted.key), muted.episode);
            wrong.push(format!("law 1: {id} was recorded against silence {}, {why}", muted.silence));
        }
    }
    for attempt in &truth.attempts {
        view.told_under_one(attempt, wrong);
    }
    view.rolled_up_under_one(wrong);
    if state.scenario.calm && state.is_undisturbed() {
        view.told_afterwards(wrong);
    }
}

/// Whether a pair's episode is recorded as over while it was muted, in the log and in the store.
pub fn accounts_for(truth: &Truth, receiver: &str, incident: &Incident) -> bool {
    let mut of_it = truth.muted.iter().filter(|m| m.receiver == receiver && is_about(m, incident));
    of_it.any(|m| m.over)
}

/// Whether a silence kept the opening from this receiver, or mutes the incident as it hears of its end.
pub fn is_muted_then(state: &State, attempt: &Attempt) -> bool {
    let failures = Failures::of(&state.truth);
    let view = View { state, failures: &failures };
    let recorded = state.truth.muted.iter().any(|m| {
        m.key == attempt.key && m.receiver == attempt.receiver && m.episode == attempt.episode && m.step < attempt.step
    });
    let now = attempt.silences_read.zip(view.most_labels(&attempt.key, attempt.episode, attempt.step));
    let mutes = |((read, asked), labels): ((u64, i64), Labels)| {
        view.standing(read).any(|hush| hush.start <= asked && asked < hush.end && any_label(hush, &labels))
    };
    recorded || now.is_some_and(mutes)
}

fn is_about(muted: &Muted, incident: &Incident) -> bool {
    muted.key == incident.key.0 && muted.episode == incident.episode
}

struct View<'a> {
    state: &'a State,
    failures: &'a Failures,
}

impl View<'_> {
    fn truth(&self) -> &Truth {
        &self.state.truth
    }

    /// The silences as they stood at a place in time.
    fn standing(&self, step: u64) -> impl Iterator<Item = &Hush> {
        let all = &self.truth().hushes;
        all.iter()
            .enumerate()
            .filter(move |(place, hush)| {
                let replaced = all.iter().skip(place + 1).any(|later| later.id == hush.id && later.step < step);
                hush.step < step && !replaced
            })
            .map(|(_, hush)| hush)
    }

    fn versions(&self, key: &str, episode: u32) -> impl Iterator<Item = (u64, &Incident)> {
        let writes = self.truth().writes.iter();
        writes.filter(move |w| w.incident.key.0 == key && w.incident.episode == episode).map(|w| (w.step, &w.incident))
    }

    /// Failures of an incident's group.
    fn failures_of<'b>(&'b self, incident: &'b Incident) -> impl Iterator<Item = &'b Failure> {
        let rules = self.state.scenario.setups.iter().flat_map(|setup| &setup.rules);
        let rule =
            rules.into_iter().find(|r| matches!(&incident.subject, Subject::Rule { name, .. } if name == r.name));
        let of_rule = move |f: &&Failure| {
            rule.is_some_and(|rule| {
                rule.events.contains(&f.kind.as_str()) && is_of(incident, rule, super::demand::group_of(rule, f))
            })
        };
        self.failures.0.iter().filter(of_rule)
    }

    /// All labels that it can have had before a place in time.
    fn most_labels(&self, key: &str, episode: u32, before: u64) -> Option<Labels> {
        let versions: Vec<&Incident> = self.versions(key, episode).filter(|(s, _)| *s < before).map(|v| v.1).collect();
        let last = *versions.last()?;
        let mut labels = fixed(last)?;
        labels.insert("severity", versions.iter().map(|i| i.severity.as_str().to_owned()).collect());
        for failure in self.failures_of(last).filter(|f| f.frozen < before) {
            add(&mut labels, failure);
        }
        Some(labels)
    }

    /// Those that it must have had for whoever asked then.
    fn least_labels(&self, key: &str, episode: u32, (read, asked): (u64, i64), epoch: usize) -> Option<Labels> {
        let (_, last) = self.versions(key, episode).filter(|(step, _)| *step < read).last()?;
        let mut labels = fixed(last)?;
        let configured = match &last.subject {
            Subject::Rule { name, .. } => self.state.scenario.setups[epoch].rule(name).is_some(),
            _ => true,
        };
        let since = last.since.as_second().div_euclid(60);
        let until = asked.div_euclid(MINUTE) + AHEAD_MINUTES;
        let seen = |f: &&Failure| configured && f.step < read && since <= f.minute && f.minute < until;
        for failure in self.failures_of(last).filter(seen) {
            add(&mut labels, failure);
        }
        Some(labels)
    }

    fn not_muted(&self, muted: &Muted) -> Option<String> {
        // What ended while it was muted stays recorded against that silence.
        let before = self.truth().muted.iter().filter(|m| {
            m.step < muted.step && m.key == muted.key && m.receiver == muted.receiver && m.episode == muted.episode
        });
        if muted.over && before.clone().any(|m| m.silence == muted.silence && !m.over) {
            return None;
        }
        let Some((read, asked)) = muted.silences_read else { return Some("which nobody had read".into()) };
        let Some(hush) = self.standing(read).find(|hush| hush.id == muted.silence) else {
            return Some("which there is not".into());
        };
        if asked < hush.start || hush.end <= asked {
            return Some("which was not active".into());
        }
        let Some(labels) = self.least_labels(&muted.key, muted.episode, (read, asked), muted.epoch) else {
            return Some("which cannot mute that".into());
        };
        // The severity may have been read before it was raised.
        let holds = hush.conditions.iter().all(|c| c.starts_with("severity=")) || covers(hush, &labels, true);
        (!holds).then(|| format!("which does not match {labels:?}"))
    }

    /// The silence that certainly covered an incident for whoever asked then.
    fn certain(&self, key: &str, episode: u32, (read, asked): (u64, i64), before: u64) -> Option<&Hush> {
        let labels = self.most_labels(key, episode, before)?;
        self.standing(read).find(|hush| hush.start <= asked && asked < hush.end && covers(hush, &labels, false))
    }

    fn told_under_one(&self, attempt: &Attempt, wrong: &mut Vec<String>) {
        let Some(read) = attempt.silences_read else { return };
        let (what, id) = (attempt.phase, format!("{} {}-{}", attempt.receiver, short(&attempt.key), attempt.episode));
        let ends_it = matches!(what, Phase::Resolved | Phase::Digest | Phase::Test);
        if !ends_it && let Some(hush) = self.certain(&attempt.key, attempt.episode, read, attempt.step) {
            wrong.push(format!("silences: {id} was told {what:?} under silence {}", hush.id));
        }
        // It was over while it was muted: nobody is told afterwards, unless it was tried in between.
        if what == Phase::OpenedAndResolved {
            let ours = |key: &str, receiver: &str, episode: u32| {
                key == attempt.key && receiver == attempt.receiver && episode == attempt.episode
            };
            let muted = self.truth().muted.iter().filter(|m| ours(&m.key, &m.receiver, m.episode));
            let muted = muted.map(|m| m.step).filter(|step| *step < attempt.step).max();
            let tried = self.truth().attempts.iter().filter(|a| ours(&a.key, &a.receiver, a.episode));
            let tried = tried.map(|a| a.step).filter(|step| *step < attempt.step).max();
            if muted.is_some_and(|muted| tried.is_none_or(|tried| tried < muted)) {
                wrong.push(format!("silences: {id} was told {what:?} though it was over while it was muted"));
            }
        }
    }

    fn rolled_up_under_one(&self, wrong: &mut Vec<String>) {
        for written in self.truth().writes.iter().filter(|w| w.incident.version == 0) {
            let (Subject::RollUp { members, .. }, Some(read)) = (&written.incident.subject, written.silences_read)
            else {
                continue;
            };
            for member in members {
                if let Some(hush) = self.certain(&member.key.0, member.episode, read, written.step) {
                    let (id, roll_up) = (short(&member.key.0), written.incident.id());
                    wrong.push(format!("silences: {id} is named in {roll_up} under silence {}", hush.id));
                }
            }
        }
    }

    /// Where nothing goes wrong, what is still open when no silence covers it any more is told by the next ticks.
    fn told_afterwards(&self, wrong: &mut Vec<String>) {
        let truth = self.truth();
        for muted in truth.muted.iter().filter(|m| !m.over) {
            let Some(ended) = truth.writes.iter().find(|w| is_about(muted, &w.incident) && ends(&w.incident)) else {
                continue;
            };
            let limit = self.state.scenario.tick_every + 2 * MINUTE;
            let labels = self.most_labels(&muted.key, muted.episode, u64::MAX);
            let Some((opened, labels)) = self.versions(&muted.key, muted.episode).next().zip(labels) else { continue };
            // Anything that could have muted it in that time; a matching one in any version counts.
            let may_mute = truth.hushes.iter().filter(|hush| covers(hush, &labels, true) || any_label(hush, &labels));
            let last_end = may_mute.map(|hush| hush.end).max().unwrap_or(0);
            let told = truth.attempts.iter().any(|a| {
                a.key == muted.key && a.episode == muted.episode && a.receiver == muted.receiver && a.taken.is_some()
            });
            let in_time = ended.at <= self.state.scenario.faults_end;
            if in_time && !told && !opened.1.crowded && last_end + limit < ended.at {
                let id = format!("{} {}-{}", muted.receiver, short(&muted.key), muted.episode);
                wrong.push(format!("silences: {id} was open {} s after its silence", (ended.at - last_end) / SECOND));
            }
        }
    }
}

/// Labels that do not depend on what failed; `None` for what no silence of ours mutes.
fn fixed(incident: &Incident) -> Option<Labels> {
    let one = |text: &str| BTreeSet::from([text.to_owned()]);
    let severity = ("severity", one(incident.severity.as_str()));
    match &incident.subject {
        Subject::Rule { name, .. } => Some(Labels::from([severity, ("kind", one("rule")), ("rule", one(name))])),
        Subject::Heartbeat { name, .. } => Some(Labels::from([
            severity,
            ("kind", one("heartbeat")),
            ("rule", one(name)),
            ("source", one("campaign:5")),
            ("channel", one("email")),
            ("metric", one("email_sent")),
        ])),
        Subject::Lag { .. } => Some(Labels::from([severity, ("kind", one("lag"))])),
        Subject::Blindness
        | Subject::Drafts { .. }
        | Subject::Drift { .. }
        | Subject::Reconciliation { .. }
        | Subject::Canary { .. }
        | Subject::Digest { .. }
        | Subject::RollUp { .. } => None,
    }
}

fn add(labels: &mut Labels, failure: &Failure) {
    let channel = failure.kind.split('_').next().unwrap_or_default();
    for (label, value) in [
        ("source", failure.source.as_str()),
        ("channel", channel),
        ("metric", &failure.kind),
        ("cause", &failure.cause),
    ] {
        labels.entry(label).or_default().insert(value.to_owned());
    }
}

/// Whether every label that is named has values, and all of them are matched. `leniently`: a label of which nothing is
/// known holds, and of severities one is enough.
fn covers(hush: &Hush, labels: &Labels, leniently: bool) -> bool {
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for condition in &hush.conditions {
        let (label, glob) = condition.split_once('=').unwrap_or_default();
        named.entry(label).or_default().push(glob);
    }
    named.iter().all(|(label, globs)| {
        let matched = |value: &String| globs.iter().any(|glob| is_like(glob, value));
        match labels.get(label) {
            None => leniently,
            Some(values) if leniently && *label == "severity" => values.iter().any(matched),
            Some(values) => !values.is_empty() && values.iter().all(matched),
        }
    })
}

/// Whether it matches some value of each label that it names.
fn any_label(hush: &Hush, labels: &Labels) -> bool {
    hush.conditions.iter().any(|condition| {
        let (label, glob) = condition.split_once('=').unwrap_or_default();
        labels.get(label).is_none_or(|values| values.iter().any(|value| is_like(glob, value)))
    })
}

/// The globs of the simulator end with a star, or have none.
fn is_like(glob: &str, value: &str) -> bool {
    glob.strip_suffix('*').map_or(glob == value, |begin| value.starts_with(begin))
}

impl State {
    /// For a broken law: whether a silence that is active would mute this attempt if it muted ends as well.
    pub fn mutes_resolve(&self, place: usize) -> bool {
        let attempt = &self.truth.attempts[place];
        let failures = Failures::of(&self.truth);
        let view = View { state: self, failures: &failures };
        let certain = |read| view.certain(&attempt.key, attempt.episode, read, attempt.step);
        attempt.phase == Phase::Resolved && attempt.silences_read.is_some_and(|read| certain(read).is_some())
    }
}
