//! Writes down, at the moment an effect is made, what it did: for the oracle, and for whoever reads the history.

use super::effects::Adapter;
use super::receivers::short;
use super::truth::{First, Hush, Muted, Written};
use super::world::micros;
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::silence::Silence;
use crate::store::Write;
use crate::tally::{Counted, Entry};

impl Adapter {
    /// A torn count is an effect too: what it counts is frozen.
    pub(super) fn saw_torn(&self, entries: &[Entry]) {
        let mut state = self.world.state();
        let frozen = state.truth.next_step();
        for entry in entries {
            // Nobody need see it before a duplicate has raised its register.
            let first = First { frozen, step: u64::MAX, class: entry.class.clone() };
            state.truth.first.entry(entry.identity).or_insert(first);
        }
    }

    /// A batch's arrivals are known now: those that it counted just before.
    pub(super) fn saw_heard(&self, step: u64) {
        let mut state = self.world.state();
        let current = state.current;
        let copies: Vec<usize> = match state.running.get_mut(&current) {
            Some(running) => running.batch.drain(..running.counted.min(running.batch.len())).collect(),
            None => Vec::new(),
        };
        state.truth.heard.extend(copies.into_iter().map(|copy| (step, copy)));
    }

    pub(super) fn saw_count(&self, entries: &[Entry], counted: &[Counted], step: u64) {
        let mut state = self.world.state();
        let current = state.current;
        if let Some(running) = state.running.get_mut(&current) {
            running.counted = entries.len();
        }
        for (entry, counted) in entries.iter().zip(counted) {
            if let Some(first) = state.truth.first.get_mut(&entry.identity) {
                first.step = first.step.min(step);
                if first.class.series != counted.class.series {
                    let line = format!("{} changed its class", entry.identity);
                    state.truth.wrong.push(line);
                }
                continue;
            }
            let first = First { frozen: step, step, class: entry.class.clone() };
            state.truth.first.insert(entry.identity, first);
        }
    }

    pub(super) fn saw_incident(&self, incident: &Incident, write: Write, step: u64) {
        let mut state = self.world.state();
        let current = state.current;
        let line = || {
            let what = match &incident.subject {
                Subject::Rule { name, group } => format!("{name} {:?}", group.values().collect::<Vec<_>>()),
                other => other.kind().to_owned(),
            };
            let settled = if incident.settled { " settled" } else { "" };
            let crowded = if incident.crowded { " crowded" } else { "" };
            let key = short(&incident.key.0);
            format!("incident {key}-{} {what}: {:?}{settled}{crowded} {write:?}", incident.episode, incident.state)
        };
        state.say(line);
        let Some(running) = state.running.get(&current) else { return };
        if write == Write::Done {
            let written = Written {
                step,
                at: state.now,
                incident: incident.clone(),
                role: running.role,
                epoch: running.epoch,
                coverage_step: running.coverage_step,
                silences_read: running.silences_read,
                failures_read: running.failures_read,
            };
            state.truth.writes.push(written);
        }
    }

    pub(super) fn saw_told(&self, key: &IncidentKey, receiver: &str, told: &Told, write: Write, step: u64) {
        let mut state = self.world.state();
        state.say(|| format!("told {receiver} {}-{}: {:?} {write:?}", short(&key.0), told.episode, told.stage));
        if write != Write::Done {
            return;
        }
        let Some(running) = state.running() else { return };
        let (silences_read, epoch) = (running.silences_read, running.epoch);
        for place in std::mem::take(&mut running.attempts) {
            state.truth.attempts[place].recorded = Some(step);
        }
        let (key, receiver, episode) = (key.0.clone(), receiver.to_owned(), told.episode);
        if told.begun {
            state.truth.begun.insert((key.clone(), receiver.clone(), episode));
        }
        let stage = (episode, told.stage.clone());
        if state.truth.stages.insert((key.clone(), receiver.clone()), stage.clone()) == Some(stage) {
            // Only of what is tried, and how often.
            return;
        }
        match &told.stage {
            Stage::Silenced { silence, over } => {
                let (silence, over) = (silence.clone(), *over);
                state.truth.muted.push(Muted { step, key, receiver, episode, silence, over, silences_read, epoch });
            }
            Stage::Dropped { .. } => state.truth.dropped.push((step, key, receiver, episode)),
            _ => {}
        }
    }

    pub(super) fn saw_silence(&self, silence: &Silence, step: u64) {
        let mut state = self.world.state();
        let conditions: Vec<String> = silence.matchers.texts().collect();
        let (start, end) = (micros(silence.start), micros(silence.end));
        state.say(|| format!("silence {} {conditions:?} from {} until {}", silence.id, silence.start, silence.end));
        state.truth.hushes.push(Hush { step, id: silence.id.clone(), start, end, conditions });
    }
}
