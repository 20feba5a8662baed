//! Writes down, at the moment an effect is made, what it did: for the oracle, and for whoever reads the history.

use super::effects::Adapter;
use super::receivers::short;
use super::truth::{First, Written};
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey, Subject};
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
            };
            state.truth.writes.push(written);
        }
    }

    pub(super) fn saw_told(&self, key: &IncidentKey, receiver: &str, told: &Told, write: Write, step: u64) {
        let mut state = self.world.state();
        state.say(|| format!("told {receiver} {}-{}: {:?} {write:?}", short(&key.0), told.episode, told.stage));
        let current = state.current;
        if write == Write::Done
            && let Some(running) = state.running.get_mut(&current)
        {
            for place in std::mem::take(&mut running.attempts) {
                state.truth.attempts[place].recorded = Some(step);
            }
        }
    }
}
