//! Laws 1, 6 and 7: every receiver hears of every incident that is its own, in order, once, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use super::silencing;
use crate::incident::told::Stage;
use crate::incident::{Incident, Subject};
use crate::message::Phase;
use crate::sim::effects::complete;
use crate::sim::receivers::short;
use crate::sim::truth::{Attempt, Muted, Truth, Written, ends};
use crate::sim::world::{MINUTE, SECOND, State};
use crate::store::Store;

/// What a receiver took of one condition, in time.
type Pairs<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Attempt>>;

pub fn judge(state: &State, store: &dyn Store, wrong: &mut Vec<String>) {
    let truth = &state.truth;
    let mut pairs: Pairs = BTreeMap::new();
    for attempt in &truth.attempts {
        pairs.entry((&attempt.receiver, &attempt.key)).or_default().push(attempt);
    }
    after_it_was_dropped(truth, wrong);
    let named = named(truth);
    for ((receiver, key), attempts) in &pairs {
        in_order(truth, receiver, key, attempts, &named, wrong);
        as_it_can(receiver, key, attempts, wrong);
        once(receiver, key, attempts, wrong);
        reminders(receiver, key, attempts, wrong);
    }
    let episodes = episodes(truth);
    for episode in &episodes {
        if let Some(written) = episode.lost {
            let (id, role) = (written.incident.id(), written.role);
            wrong.push(format!("law 10: {role:?} wrote {id} over what it had not read"));
        }
        told(state, store, &pairs, &episodes, episode, wrong);
        if state.scenario.calm && state.is_undisturbed() {
            promptly(state, &pairs, episode, wrong);
        }
    }
}

/// An episode: as it was opened, and as it was written last.
struct Episode<'a> {
    opened: &'a Written,
    last: &'a Incident,
    /// A write over one that its writer had not read, or that forgot a receiver.
    lost: Option<&'a Written>,
}

fn episodes(truth: &Truth) -> Vec<Episode<'_>> {
    let mut places: BTreeMap<(&str, u32), Episode<'_>> = BTreeMap::new();
    for written in &truth.writes {
        let id = (written.incident.key.0.as_str(), written.incident.episode);
        let episode = places.entry(id).or_insert(Episode { opened: written, last: &written.incident, lost: None });
        let (before, after) = (episode.last, &written.incident);
        let first = std::ptr::eq(before, after);
        if !first
            && (after.version != before.version + 1 || before.receivers.iter().any(|r| !after.receivers.contains(r)))
        {
            episode.lost = Some(written);
        }
        episode.last = after;
    }
    places.into_values().collect()
}

/// (receiver, key, episode) of what roll-ups name.
type Named<'a> = BTreeSet<(&'a str, &'a str, u32)>;

fn named(truth: &Truth) -> Named<'_> {
    let roll_ups = truth.writes.iter().filter_map(|w| match &w.incident.subject {
        Subject::RollUp { receiver, members } => Some((receiver, members)),
        _ => None,
    });
    roll_ups.flat_map(|(of, members)| members.iter().map(move |m| (of.as_str(), m.key.0.as_str(), m.episode))).collect()
}

/// Episodes one after the other; an opening before its resolve, nothing after it.
fn in_order(truth: &Truth, receiver: &str, key: &str, attempts: &[&Attempt], named: &Named, wrong: &mut Vec<String>) {
    let dropped = |of: u32| truth.dropped.iter().any(|(_, k, r, episode)| k == key && r == receiver && *episode == of);
    let mut taken: Vec<&&Attempt> = attempts.iter().filter(|a| a.taken.is_some()).collect();
    taken.sort_by_key(|a| a.taken);
    let (mut episode, mut opened, mut over) = (0, false, false);
    let at = |a: &Attempt| format!("{receiver} {}-{} {:?}", short(key), a.episode, a.phase);
    for attempt in taken {
        if attempt.episode < episode {
            wrong.push(format!("law 7: {} after episode {episode}", at(attempt)));
            continue;
        }
        if attempt.episode > episode {
            if opened && !over && !dropped(episode) && !attempts.iter().any(|a| a.episode == episode && gives_up(a)) {
                wrong.push(format!("law 7: {} while episode {episode} is open there", at(attempt)));
            }
            (episode, opened, over) = (attempt.episode, false, false);
        }
        match attempt.phase {
            Phase::Digest | Phase::Test => {}
            Phase::OpenedAndResolved => over = true,
            Phase::Resolved => {
                let opens = |a: &Attempt| matches!(a.phase, Phase::Opened | Phase::StillOpen);
                let tried = |a: &&&Attempt| a.episode == episode && opens(a) && a.step < attempt.step;
                // To close what may be open, though the process died before it was sent, does no harm.
                let begun = truth.begun.contains(&(key.to_owned(), receiver.to_owned(), episode));
                if !opened && !begun && !attempts.iter().any(|a| tried(&a)) {
                    wrong.push(format!("law 7: {} without its opening", at(attempt)));
                }
                over = true;
            }
            Phase::Opened | Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted if over => {
                wrong.push(format!("law 7: {} after it was over", at(attempt)));
            }
            Phase::Opened => opened = true,
            // The roll-up told it of the opening.
            Phase::StillOpen if named.contains(&(receiver, key, episode)) => opened = true,
            Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted if !opened => {
                wrong.push(format!("law 7: {} without its opening", at(attempt)));
            }
            Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted => {}
        }
    }
}

/// Whether the receiver said that it will never take what matters of an episode.
fn gives_up(attempt: &Attempt) -> bool {
    attempt.refused && decides(attempt)
}

/// Whether it says what must not be missed.
fn decides(attempt: &Attempt) -> bool {
    matches!(attempt.phase, Phase::Opened | Phase::Resolved | Phase::OpenedAndResolved | Phase::Digest)
}

/// A pager hears what opens and closes a page, and a worse one only when it is worse.
fn as_it_can(receiver: &str, key: &str, attempts: &[&Attempt], wrong: &mut Vec<String>) {
    for (place, attempt) in attempts.iter().enumerate() {
        let at = || format!("{receiver} {}-{} {:?}", short(key), attempt.episode, attempt.phase);
        let opens_or_closes = matches!(attempt.phase, Phase::Opened | Phase::Worsened | Phase::Resolved);
        if receiver == "pager" && !opens_or_closes {
            wrong.push(format!("law 7: {} to one that only pages", at()));
        }
        let before = attempts.iter().take(place).filter(|a| a.episode == attempt.episode && a.is_clean());
        if attempt.phase == Phase::Worsened && before.map(|a| a.severity).max() >= Some(attempt.severity) {
            wrong.push(format!("law 7: {} and it was as bad before", at()));
        }
    }
}

/// What was taken, answered and written down is not said again.
fn once(receiver: &str, key: &str, attempts: &[&Attempt], wrong: &mut Vec<String>) {
    for (place, clean) in attempts.iter().enumerate() {
        if !clean.is_clean() || matches!(clean.phase, Phase::StillOpen | Phase::Updated) {
            continue;
        }
        let recorded = clean.recorded.unwrap_or(u64::MAX);
        let same = |a: &&&Attempt| {
            a.episode == clean.episode && a.phase == clean.phase && a.severity == clean.severity && a.taken.is_some()
        };
        // Another one that was clean as well, or one that began after this was known.
        let others = attempts.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, a)| a);
        if others.filter(same).any(|a| a.is_clean() || a.step > recorded) {
            let what = format!("{receiver} {}-{} {:?}", short(key), clean.episode, clean.phase);
            wrong.push(format!("law 1: {what} was said again though it was known to be taken"));
            return;
        }
    }
}

/// Reminders and rewritten messages keep their distance: an hour and 5 min in every configuration of the simulator.
fn reminders(receiver: &str, key: &str, attempts: &[&Attempt], wrong: &mut Vec<String>) {
    let known: Vec<&&Attempt> = attempts.iter().filter(|a| a.is_clean()).collect();
    for pair in known.windows(2) {
        if pair[1].phase == Phase::Updated && pair[1].began - pair[0].began < 5 * MINUTE - 20 * SECOND {
            wrong.push(format!("law 6: {receiver} rewrote {}-{} too soon", short(key), pair[1].episode));
        }
    }
    let speaks = |a: &&&Attempt| a.is_clean() && a.phase != Phase::Updated;
    let clean: Vec<&&Attempt> = attempts.iter().filter(speaks).collect();
    for pair in clean.windows(2) {
        let reminder = pair[1];
        let early = reminder.began - pair[0].began < 60 * MINUTE - 20 * SECOND;
        if reminder.phase == Phase::StillOpen && reminder.episode == pair[0].episode && early && !reminder.noted {
            wrong.push(format!("law 6: {receiver} was reminded of {}-{} too soon", short(key), reminder.episode));
        }
    }
}

/// What a receiver knows of an episode in the end.
fn told(
    state: &State,
    store: &dyn Store,
    pairs: &Pairs,
    episodes: &[Episode],
    episode: &Episode,
    wrong: &mut Vec<String>,
) {
    let (incident, opened) = (episode.last, episode.opened);
    let digest = matches!(incident.subject, Subject::Digest { .. });
    let Some(setup) = state.scenario.setups.last() else { return };
    let mut receivers: BTreeSet<&str> = incident.receivers.iter().map(String::as_str).collect();
    if matches!(incident.subject, Subject::Rule { .. } | Subject::Heartbeat { .. }) {
        let routed = state.scenario.setups[opened.epoch].routed(opened.incident.severity);
        receivers.extend(routed);
    }
    for receiver in receivers.into_iter().filter(|receiver| setup.has(receiver)) {
        if is_dropped(&state.truth, receiver, incident) {
            continue;
        }
        let none = Vec::new();
        let ours = pairs.get(&(receiver, incident.key.0.as_str())).unwrap_or(&none);
        let ours: Vec<&&Attempt> = ours.iter().filter(|a| a.episode == incident.episode).collect();
        let took = |phases: &[Phase]| ours.iter().any(|a| a.taken.is_some() && phases.contains(&a.phase));
        let id = format!("{} {}-{}", incident.subject.kind(), short(&incident.key.0), incident.episode);
        // What it says last counts: somebody may have repaired it.
        let refused = ours.iter().rfind(|a| decides(a)).is_some_and(|a| a.refused);
        let pages_only = receiver == "pager";
        if took(&[Phase::Opened, Phase::Worsened]) {
            let knows = took(&[Phase::Resolved]) || !pages_only && took(&[Phase::OpenedAndResolved]);
            if ends(incident) && !knows && !refused && !digest {
                wrong.push(format!("law 7: {receiver} was never told that {id} is over"));
            }
            continue;
        }
        if took(&[Phase::OpenedAndResolved, Phase::Digest]) {
            continue;
        }
        // Its opening may have been taken before it was silenced, so its end was told: and the receiver knows.
        if ours.iter().any(|a| a.phase == Phase::Resolved && a.taken.is_some() && silencing::is_muted_then(state, a)) {
            continue;
        }
        if rolled_up(&state.truth, pairs, episodes, incident, receiver) || pages_only && ends(incident) && !refused {
            continue;
        }
        if silencing::accounts_for(&state.truth, receiver, incident) {
            in_the_store(store, receiver, incident, wrong);
            continue;
        }
        // Its fallback heard of it, if it has one.
        let heard = |fallback: &str| {
            let key = (fallback, incident.key.0.as_str());
            let spared = silencing::accounts_for(&state.truth, fallback, incident)
                || is_dropped(&state.truth, fallback, incident)
                || rolled_up(&state.truth, pairs, episodes, incident, fallback);
            spared
                || pairs.get(&key).is_some_and(|all| {
                    all.iter().any(|a| a.episode == incident.episode && (a.taken.is_some() || a.refused))
                })
        };
        match state.scenario.setups.iter().find_map(|s| s.fallback_of(receiver)) {
            Some(fallback) if refused && heard(fallback) => {}
            Some(fallback) if refused => {
                wrong.push(format!("law 7: {receiver} refused {id} and {fallback} never heard of it"));
            }
            None if refused => {}
            _ => wrong.push(format!("law 1: {receiver} never heard of {id}")),
        }
    }
}

/// Somebody gave it up: nothing is owed, and nothing may be said any more.
fn is_dropped(truth: &Truth, receiver: &str, incident: &Incident) -> bool {
    truth
        .dropped
        .iter()
        .any(|(_, key, of, episode)| *key == incident.key.0 && of == receiver && *episode == incident.episode)
}

fn after_it_was_dropped(truth: &Truth, wrong: &mut Vec<String>) {
    for (step, key, receiver, episode) in &truth.dropped {
        let is_it = |a: &&Attempt| a.key == *key && a.receiver == *receiver && a.episode == *episode;
        if let Some(again) = truth.attempts.iter().filter(is_it).find(|a| a.step > *step) {
            wrong.push(format!("redrive: {receiver} {}-{episode} was given up, then {:?}", short(key), again.phase));
        }
    }
}

/// What is recorded against a silence is recorded.
fn in_the_store(store: &dyn Store, receiver: &str, incident: &Incident, wrong: &mut Vec<String>) {
    let told = complete(store.told(&incident.key)).expect("what was told is read");
    let kept = told.iter().find(|(of, _)| of == receiver).map(|(_, told)| told);
    let recorded = kept.is_some_and(|told| {
        told.episode > incident.episode
            || told.episode == incident.episode && matches!(told.stage, Stage::Silenced { over: true, .. })
    });
    if !recorded {
        wrong.push(format!("law 1: that {receiver} was not told of {} is recorded against no silence", incident.id()));
    }
}

/// Whether a roll-up that this receiver took names it, or one that it did not have to take.
fn rolled_up(truth: &Truth, pairs: &Pairs, episodes: &[Episode], incident: &Incident, receiver: &str) -> bool {
    episodes.iter().any(|e| match &e.last.subject {
        Subject::RollUp { receiver: of, members } => {
            let names = members.iter().any(|m| m.key == incident.key && m.episode == incident.episode);
            let took = pairs
                .get(&(receiver, e.last.key.0.as_str()))
                .is_some_and(|all| all.iter().any(|a| a.taken.is_some() || a.refused));
            of == receiver
                && names
                && (took || is_dropped(truth, receiver, e.last) || receiver == "pager" && ends(e.last))
        }
        _ => false,
    })
}

/// Where nothing went wrong, an opening is told within a minute of being written, and its group's wait.
fn promptly(state: &State, pairs: &Pairs, episode: &Episode, wrong: &mut Vec<String>) {
    let (opened, incident) = (episode.opened, &episode.opened.incident);
    if incident.crowded || !matches!(incident.subject, Subject::Rule { .. }) {
        return;
    }
    let setup = &state.scenario.setups[opened.epoch];
    // A group that waits is told by the next tick's hint at the latest.
    let silenced = |receiver: &str| {
        let ours = |m: &&Muted| m.key == incident.key.0 && m.receiver == receiver && m.episode == incident.episode;
        state.truth.muted.iter().find(ours).is_some()
    };
    let limit =
        MINUTE + if setup.group_wait_s > 0 { setup.group_wait_s * SECOND + state.scenario.tick_every } else { 0 };
    for receiver in setup.routed(incident.severity).into_iter().filter(|receiver| !silenced(receiver)) {
        let all = pairs.get(&(receiver, incident.key.0.as_str()));
        let first = all.into_iter().flatten().filter(|a| a.episode == incident.episode).find_map(|a| a.taken);
        if first.is_none_or(|(_, at)| at - opened.at > limit) {
            wrong.push(format!("law 1: nothing was wrong, and {receiver} heard of {} too late", incident.id()));
        }
    }
}
