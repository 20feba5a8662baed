//! tick's sweep: hints for every pair that is not up to date. It mends hints lost in a crash, carries retries that are
//! longer than a queue may hold them, finds what is to be rolled up, and says when everybody knows how an incident
//! ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::roll_up::{self, Waiting};
use super::silences;
use super::tick::Tick;
use crate::config::schema::ReceiverConfig;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, Member, Subject};
use crate::queue::Hint;
use crate::silence::Silence;
use crate::store::{StoreError, Write};

/// Looks at every incident that somebody has still to hear about. Only those that were `judged` after they were resolved
/// are settled.
pub async fn due(tick: &Tick<'_>, judged: &BTreeSet<Member>, now: Timestamp) -> Result<(), StoreError> {
    let live = tick.store.unsettled().await?;
    let stored = tick.store.silences().await?;
    let mut waiting: BTreeMap<&str, Vec<Waiting<'_>>> = BTreeMap::new();
    let mut all_hints = Vec::new();
    for incident in &live {
        let told = tick.store.told(&incident.key).await?;
        let silence = silences::muting(tick.store, tick.config, &stored, incident, now).await?;
        let mut all_know = !incident.is_open();
        for name in &incident.receivers {
            // One that is configured no longer cannot hear; the incident was routed again (see resolve).
            let Some(receiver) = tick.config.receiver(name) else { continue };
            let told = told.iter().find(|(of, _)| of == name).map(|(_, told)| told);
            let standing = standing(tick, incident, receiver, told, silence, now);
            all_know &= standing == Standing::KnowsTheEnd;
            if standing == Standing::Due {
                all_hints.push(Hint { incident: incident.key.clone(), receiver: name.clone() });
            }
            // What is silenced is named in no roll-up.
            if silence.is_none()
                && is_waiting(tick, incident, receiver, told, now)
                && !live.iter().any(|i| comes_before(i, incident, name, told))
            {
                waiting.entry(name).or_default().push(Waiting { incident, told: told.cloned() });
            }
        }
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
    // After the roll-ups: what these tell is told by them.
    tick.outbox.send_hints(&all_hints, now, Duration::ZERO).await
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
    silence: Option<&Silence>,
    now: Timestamp,
) -> Standing {
    let nothing = Told::nothing(incident.episode);
    let told = match told {
        Some(told) if told.episode > incident.episode => return Standing::KnowsTheEnd,
        // For whoever can read it.
        Some(Told { stage: Stage::Newer, .. }) => return Standing::Due,
        // It may still owe an earlier episode's end, which comes first.
        Some(told) if told.episode < incident.episode && !told.is_final() => return Standing::Due,
        Some(told) if told.episode == incident.episode => told,
        _ => &nothing,
    };
    let policy = Policy { abilities: receiver.kind.abilities(), storm: tick.config.storm };
    match notify::next_notification(incident, told, &policy, silence, now) {
        Notify::No(Quiet::Finished) => Standing::KnowsTheEnd,
        Notify::No(Quiet::UpToDate { .. } | Quiet::Waiting { .. } | Quiet::Crowded | Quiet::Muted) => Standing::NotNow,
        _ => Standing::Due,
    }
}

/// Whether a receiver has still to hear of this earlier episode of an incident: what is told of the later one would hide
/// it.
fn comes_before(earlier: &Incident, incident: &Incident, receiver: &String, told: Option<&Told>) -> bool {
    let same = earlier.key == incident.key && earlier.episode < incident.episode;
    same && earlier.receivers.contains(receiver) && told.is_none_or(|told| told.episode < earlier.episode)
}

/// What is due for less may be on its way this moment: no backlog yet.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(15);

/// Whether a receiver should have been told of an opening and was not, for whatever reason, though it may be over by
/// now; only of what a roll-up may tell as well.
fn is_waiting(
    tick: &Tick<'_>,
    incident: &Incident,
    receiver: &ReceiverConfig,
    told: Option<&Told>,
    now: Timestamp,
) -> bool {
    let may_be_rolled_up = matches!(incident.subject, Subject::Rule { .. } | Subject::Heartbeat { .. });
    let untold = match told {
        None => true,
        Some(told) if told.episode == incident.episode => told.is_untold(),
        Some(told) => told.episode < incident.episode && told.is_final(),
    };
    let was_tried = told.is_some_and(|told| told.next_attempt_at.is_some());
    let due = notify::opening_due(incident, &tick.config.storm);
    let is_due = incident.crowded || was_tried && due <= now || due + ON_ITS_WAY <= now;
    // What ended while it was muted is owed to nobody.
    let is_silenced = told.is_some_and(|told| matches!(told.stage, Stage::Silenced { .. }));
    let is_owed = incident.is_open() || receiver.kind.abilities().posts && !is_silenced;
    may_be_rolled_up && is_owed && untold && is_due
}
