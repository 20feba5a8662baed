//! tick's roll-ups: one message that names many openings, where telling them one by one would be too many at once
//! (`storm.open_incidents`) or would take a slow receiver too long.
//!
//! The roll-up is written before its members are marked as told by it, and a mark that is missing is made up for by the
//! next tick: what it names is named, whatever crashes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::names;
use super::open::{self, Opening};
use super::tick::Tick;
use crate::config::schema::ReceiverConfig;
use crate::customerio::app_api::names::Names;
use crate::incident::told::{Stage, Told};
use crate::incident::{How, Incident, Member, Numbers, Severity, State, Subject};
use crate::message::roll_up;
use crate::queue::Hint;
use crate::route::{Label, Labels};
use crate::store::{Lease, Store, StoreError, Write};

/// Roll-ups made for one receiver in one tick at most; the next tick goes on.
const ROLL_UPS_PER_TICK: usize = 5;

/// Values of one label at most: a roll-up's labels say where to look, not everything.
const LABEL_VALUES: usize = 50;

/// How long a pair is ours while it is marked.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// An opening that a receiver has still to hear of.
pub struct Waiting<'a> {
    pub incident: &'a Incident,
    pub told: Option<Told>,
}

/// Rolls up what waits for a receiver, if it is to be; `live` are all incidents somebody has still to hear about.
pub async fn due(
    tick: &Tick<'_>,
    receiver: &ReceiverConfig,
    waiting: Vec<Waiting<'_>>,
    live: &[Incident],
    now: Timestamp,
) -> Result<(), StoreError> {
    let named: BTreeSet<&Member> = live
        .iter()
        .filter_map(|i| match &i.subject {
            Subject::RollUp { receiver: of, members } if *of == receiver.name && i.is_open() => Some(members),
            _ => None,
        })
        .flatten()
        .collect();
    let (named, unnamed): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|waiting| named.contains(&waiting.incident.member()));
    mark(tick, receiver, &named, now).await?;
    let backlog = unnamed.len() > receiver.kind.abilities().burst;
    let mut unnamed: Vec<_> = unnamed.into_iter().filter(|w| backlog || w.incident.crowded).collect();
    unnamed.sort_by_key(|w| (std::cmp::Reverse(w.incident.severity), w.incident.opened_at, w.incident.key.clone()));
    // One alone is told by itself: a roll-up of one would say less and save nothing.
    if let [only] = unnamed.as_slice() {
        return tell_alone(tick, receiver, only.incident, now).await;
    }
    let names = names::kept(tick.store, tick.config).await;
    let room = receiver.kind.abilities().names_chars;
    let mut rest = unnamed.as_slice();
    for _ in 0..ROLL_UPS_PER_TICK {
        let all: Vec<&Incident> = rest.iter().map(|w| w.incident).collect();
        let (chunk, later) = rest.split_at(roll_up::how_many_fit(tick.config, &names, &all, room));
        rest = later;
        if chunk.is_empty() {
            break;
        }
        let incidents: Vec<&Incident> = chunk.iter().map(|w| w.incident).collect();
        let opening = opening(tick, receiver, &incidents, &names, now);
        if open::open(tick.store, tick.outbox, tick.config, opening, now).await?.is_some() {
            mark(tick, receiver, chunk, now).await?;
        }
    }
    Ok(())
}

async fn tell_alone(
    tick: &Tick<'_>,
    receiver: &ReceiverConfig,
    incident: &Incident,
    now: Timestamp,
) -> Result<(), StoreError> {
    if incident.crowded {
        match tick.store.write_incident(&Incident { crowded: false, ..incident.clone() }).await? {
            // Somebody else changed it: the next tick looks again.
            Write::Done | Write::Conflict => {}
        }
    }
    let hint = Hint { incident: incident.key.clone(), receiver: receiver.name.clone() };
    tick.outbox.send_hints(&[hint], now, Duration::ZERO).await
}

/// How the members of a roll-up ended; `None` as long as one has not, as far as we can read.
pub async fn how_they_ended(store: &dyn Store, members: &[Member]) -> Result<Option<How>, StoreError> {
    let mut ends = BTreeSet::new();
    for member in members {
        let episodes = store.episodes(&member.key).await?;
        match episodes.iter().find(|i| i.episode == member.episode).map(|i| i.state) {
            Some(State::Resolved { how, .. }) => ends.insert(if how == How::Recovered { How::Quiet } else { how }),
            _ => return Ok(None),
        };
    }
    let first = ends.first().copied();
    Ok(if ends.len() > 1 { Some(How::Various) } else { first })
}

fn opening(
    tick: &Tick<'_>,
    receiver: &ReceiverConfig,
    incidents: &[&Incident],
    names: &Names,
    now: Timestamp,
) -> Opening {
    let members: Vec<Member> = incidents.iter().map(|i| i.member()).collect();
    let severity = incidents.iter().map(|i| i.severity).max().unwrap_or(Severity::Info);
    let subject = Subject::RollUp { receiver: receiver.name.clone(), members };
    let count = incidents.len() as u64;
    Opening {
        severity,
        labels: labels(&subject, severity, incidents),
        subject,
        since: incidents.iter().map(|i| i.since).min().unwrap_or(now),
        last: now,
        numbers: Numbers { count, of: count },
        samples: Vec::new(),
        lines: roll_up::lines(tick.config, names, incidents, receiver.kind.abilities().names_chars),
        deliveries: Vec::new(),
        receivers: Some(vec![receiver.name.clone()]),
    }
}

fn labels(subject: &Subject, severity: Severity, incidents: &[&Incident]) -> Labels {
    let mut labels = open::own_labels(severity, subject);
    let theirs = incidents.iter().flat_map(|i| &i.labels).filter(|(l, _)| **l != Label::Severity && **l != Label::Kind);
    for (label, values) in theirs {
        let all = labels.entry(*label).or_default();
        for value in values {
            if all.len() < LABEL_VALUES && !all.contains(value) {
                all.push(value.clone());
            }
        }
    }
    labels
}

/// Records that the roll-up tells these. Whoever is being told of one this moment hears of it twice, which is
/// better than not at all.
async fn mark(
    tick: &Tick<'_>,
    receiver: &ReceiverConfig,
    waiting: &[Waiting<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    for Waiting { incident, told } in waiting {
        let owner = format!("roll-up/{}/{}", now, incident.id());
        let lease = tick.store.lease(&incident.key, &receiver.name, &owner, now, now + LEASE).await?;
        let Lease::Granted(stored) = lease else { continue };
        // Told meanwhile: then it needs no roll-up.
        if stored == *told {
            let stage = Stage::RolledUp { severity: incident.severity };
            let begun = stored.is_some_and(|told| told.episode == incident.episode && told.begun);
            let told = Told { stage, last_at: Some(now), begun, ..Told::nothing(incident.episode) };
            match tick.store.record_told(&incident.key, &receiver.name, &owner, &told).await? {
                Write::Done | Write::Conflict => {}
            }
        }
        tick.store.release(&incident.key, &receiver.name, &owner).await?;
    }
    Ok(())
}
