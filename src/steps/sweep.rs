//! tick's sweep: hints for every pair that is not up to date. It mends hints lost in a crash, carries retries that are
//! longer than a queue may hold them, and says when everybody knows how an incident ended.

use std::time::Duration;

use jiff::Timestamp;

use super::tick::Tick;
use crate::incident::Incident;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::Told;
use crate::queue::Hint;
use crate::store::{StoreError, Write};

/// Looks at every incident that somebody has still to hear about.
pub async fn due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    for incident in tick.store.unsettled().await? {
        let told = tick.store.told(&incident.key).await?;
        let mut hints = Vec::new();
        let mut all_know = !incident.is_open();
        for receiver in &incident.receivers {
            let told = told.iter().find(|(name, _)| name == receiver).map(|(_, told)| told);
            let standing = standing(tick, &incident, receiver, told, now);
            all_know &= standing == Standing::KnowsTheEnd;
            if standing == Standing::Due {
                hints.push(Hint { incident: incident.key.clone(), receiver: receiver.clone() });
            }
        }
        tick.outbox.send_hints(&hints, now, Duration::ZERO).await?;
        if all_know {
            match tick.store.write_incident(&Incident { settled: true, ..incident }).await? {
                // A conflict only means that the next tick does it.
                Write::Done | Write::Conflict => {}
            }
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

fn standing(tick: &Tick<'_>, incident: &Incident, receiver: &str, told: Option<&Told>, now: Timestamp) -> Standing {
    // One that is configured no longer cannot hear; the incident was routed again (see resolve).
    let Some(receiver) = tick.config.receiver(receiver) else { return Standing::KnowsTheEnd };
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
