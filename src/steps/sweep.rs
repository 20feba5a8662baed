//! tick's sweep: hints for every pair that is not up to date. It mends hints lost in a crash, carries retries that are
//! longer than a queue may hold them, finds what is to be rolled up, and says when everybody knows how an incident
//! ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::roll_up::{self, Waiting};
use super::tick::Tick;
use crate::config::schema::ReceiverConfig;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, Member, Subject};
use crate::queue::Hint;
use crate::store::{StoreError, Write};

/// Looks at every incident that somebody has still to hear about. Only those that were `judged` after they were resolved
/// are settled.
pub async fn due(tick: &Tick<'_>, judged: &BTreeSet<Member>, now: Timestamp) -> Result<(), StoreError> {
    let live = tick.store.unsettled().await?;
    let mut waiting: BTreeMap<&str, Vec<Waiting<'_>>> = BTreeMap::new();
    for incident in &live {
        let told = tick.store.told(&incident.key).await?;
        let mut hints = Vec::new();
        let mut all_know = !incident.is_open();
        for name in &incident.receivers {
            // One that is configured no longer cannot hear; the incident was routed again (see resolve).
            let Some(receiver) = tick.config.receiver(name) else { continue };
            let told = told.iter().find(|(of, _)| of == name).map(|(_, told)| told);
            let standing = standing(tick, incident, receiver, told, now);
            all_know &= standing == Standing::KnowsTheEnd;
            if standing == Standing::Due {
                hints.push(Hint { incident: incident.key.clone(), receiver: name.clone() });
            }
            if is_waiting(tick, incident, told, now) && !live.iter().any(|i| comes_before(i, incident, name, told)) {
                waiting.entry(name).or_default().push(Waiting { incident, told: told.cloned() });
            }
        }
        tick.outbox.send_hints(&hints, now, Duration::ZERO).await?;
        if all_know && judged.contains(&incident.member()) {
            match tick.store.write_incident(&Incident { settled: true, ..incident.clone() }).await? {
                // A conflict only means that the next tick does it.
                Write::Done | Write::Conflict => {}
            }
        }
    }
    for (name, waiting) in waiting {
        if let Some(receiver) = tick.config.receiver(name) {
            roll_up::due(tick, receiver, waiting, &live, now).await?;
        }
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Standing {
    Due,
    NotNow,
    KnowsTheEnd,
}

fn standing(
    tick: &Tick<'_>,
    incident: &Incident,
    receiver: &ReceiverConfig,
    told: Option<&Told>,
    now: Timestamp,
) -> Standing {
    let nothing = Told::nothing(incident.episode);
    let told = match told {
        Some(told) if told.episode > incident.episode => return Standing::KnowsTheEnd,
        // It may still owe an earlier episode's end, which comes first.
        Some(told) if told.episode < incident.episode && !told.is_final() => return Standing::Due,
        Some(told) if told.episode == incident.episode => told,
        _ => &nothing,
    };
    let policy = Policy { abilities: receiver.kind.abilities(), storm: tick.config.storm };
    match notify::next_notification(incident, told, &policy, now) {
        Notify::No(Quiet::Finished) => Standing::KnowsTheEnd,
        Notify::No(Quiet::UpToDate { .. } | Quiet::Waiting { .. } | Quiet::Crowded) => Standing::NotNow,
        _ => Standing::Due,
    }
}

/// Whether a receiver has still to hear of this earlier episode of an incident: what is told of the later one would hide
/// it.
fn comes_before(earlier: &Incident, incident: &Incident, receiver: &String, told: Option<&Told>) -> bool {
    let same = earlier.key == incident.key && earlier.episode < incident.episode;
    same && earlier.receivers.contains(receiver) && told.is_none_or(|told| told.episode < earlier.episode)
}

/// Whether a receiver should have been told of an opening and was not, for whatever reason; only of what a roll-up may
/// tell as well.
fn is_waiting(tick: &Tick<'_>, incident: &Incident, told: Option<&Told>, now: Timestamp) -> bool {
    let may_be_rolled_up = matches!(incident.subject, Subject::Rule { .. } | Subject::Heartbeat { .. });
    let untold = match told {
        None => true,
        Some(told) if told.episode == incident.episode => told.stage == Stage::Nothing,
        Some(told) => told.episode < incident.episode && told.is_final(),
    };
    let is_due = incident.crowded || notify::opening_due(incident, &tick.config.storm) <= now;
    may_be_rolled_up && incident.is_open() && untold && is_due
}
