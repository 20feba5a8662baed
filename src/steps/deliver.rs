//! deliver: lease a pair (incident, receiver), compare with what was told, send what is due, record it (law 7).
//!
//! Level-triggered: a hint says only "look". Whatever happened since, the pair ends up right, and a resolve can
//! never overtake its opening.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::facts;
use crate::clock::Clock;
use crate::config::Config;
use crate::incident::Incident;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::{Stage, Told};
use crate::message::{Phase, compose};
use crate::queue::{Handled, Hint, Outbox};
use crate::receivers::{Outcome, Receiver};
use crate::store::{Lease, Store, StoreError, Write};

/// How long a pair is ours (design, law 7): longer than a send may take.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// Messages sent for one hint at most: an opening and a resolve of each of a few episodes.
const SENDS_PER_HINT: usize = 8;

/// The step's surroundings.
pub struct Deliver {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    pub receivers: BTreeMap<String, Arc<dyn Receiver>>,
    pub clock: Arc<dyn Clock>,
    /// Names this worker in leases; no two workers share it.
    pub owner: String,
}

impl Deliver {
    /// Handles one hint. An error means that our own storage failed.
    pub async fn hint(&self, hint: &Hint) -> Result<Handled, StoreError> {
        let now = self.clock.now();
        let lease = self.store.lease(&hint.incident, &hint.receiver, &self.owner, now, now + LEASE).await?;
        let mut told = match lease {
            Lease::Granted(told) => told,
            // The holder re-reads after recording; this hint only covers the holder's death.
            Lease::HeldUntil(until) => return Ok(Handled::Again(span(until.duration_since(now)))),
        };
        let mut handled = Handled::Done;
        for _ in 0..SENDS_PER_HINT {
            match self.once(hint, told.as_ref()).await? {
                Next::Told(new) => told = Some(new),
                Next::Wait(wait) => {
                    handled = Handled::Again(wait);
                    break;
                }
                Next::Nothing => break,
            }
        }
        self.store.release(&hint.incident, &hint.receiver, &self.owner).await?;
        Ok(handled)
    }

    /// Says the next thing that is due, and records it.
    async fn once(&self, hint: &Hint, told: Option<&Told>) -> Result<Next, StoreError> {
        let now = self.clock.now();
        let Some(incident) = self.episode_due(hint, told).await? else { return Ok(Next::Nothing) };
        let told = match told {
            Some(told) if told.episode == incident.episode => told.clone(),
            _ => Told::nothing(incident.episode),
        };
        let Some(receiver) = self.receivers.get(&hint.receiver) else {
            let reason = "it is no longer configured, or could not be set up".to_owned();
            return self.undeliverable(hint, &incident, &told, reason).await;
        };
        let policy = Policy {
            posts: receiver.abilities().posts,
            group_wait: self.config.storm.group_wait,
            repeat_every: self.config.storm.repeat_every,
        };
        let due = notify::next_notification(&incident, &told, &policy, now);
        let phase = match due {
            Notify::Opened => Phase::Opened,
            Notify::Worsened { .. } => Phase::Worsened,
            Notify::StillOpen => Phase::StillOpen,
            Notify::Resolved => Phase::Resolved,
            Notify::OpenedAndResolved => Phase::OpenedAndResolved,
            Notify::Digest => Phase::Digest,
            Notify::No(Quiet::Waiting { until }) => return Ok(Next::Wait(span(until.duration_since(now)))),
            Notify::No(Quiet::NothingLeftToPage) => {
                let told = Told { stage: Stage::Skipped, ..told };
                return self.record(hint, told).await;
            }
            Notify::No(Quiet::UpToDate { .. } | Quiet::Finished) => return Ok(Next::Nothing),
        };
        let facts = facts::gather(self.store.as_ref(), &self.config, &incident, now).await?;
        let mut message = compose::message(&incident, phase, &facts, &self.config, now);
        message.note = self.stands_in_for(&incident, &hint.receiver).await?;
        let outcome = receiver.send(&message, told.receipt.as_ref()).await;
        self.conclude(hint, &incident, &told, due, outcome).await
    }

    async fn conclude(
        &self,
        hint: &Hint,
        incident: &Incident,
        told: &Told,
        due: Notify,
        outcome: Outcome,
    ) -> Result<Next, StoreError> {
        let now = self.clock.now();
        let log = |result: &str, why: &str| {
            tracing::info!(
                event = "notification",
                incident = incident.id(),
                receiver = hint.receiver,
                notify = ?due,
                result,
                why
            );
        };
        match outcome {
            Outcome::Delivered(receipt) => {
                log("delivered", "");
                self.record(hint, notify::delivered(incident, told, due, receipt, now)).await
            }
            Outcome::Retry { after, why } => {
                log("retry", &why);
                let told = notify::failed(told, after, why, now);
                let wait = told.next_attempt_at.map_or(Duration::ZERO, |at| span(at.duration_since(now)));
                match self.record(hint, told).await? {
                    Next::Told(_) => Ok(Next::Wait(wait)),
                    next => Ok(next),
                }
            }
            Outcome::BadMessage(why) | Outcome::BadReceiver(why) => {
                log("undeliverable", &why);
                self.undeliverable(hint, incident, told, why).await
            }
        }
    }

    /// The receiver will never take it: its fallback hears it, with the reason.
    async fn undeliverable(
        &self,
        hint: &Hint,
        incident: &Incident,
        told: &Told,
        reason: String,
    ) -> Result<Next, StoreError> {
        if told.is_final() {
            return Ok(Next::Nothing);
        }
        tracing::error!(event = "undeliverable", incident = incident.id(), receiver = hint.receiver, reason);
        let told = Told { stage: Stage::Undeliverable { reason }, next_attempt_at: None, ..told.clone() };
        let next = self.record(hint, told).await?;
        if let Some(fallback) = self.config.receiver(&hint.receiver).and_then(|r| r.fallback.clone()) {
            let hint = Hint { incident: hint.incident.clone(), receiver: fallback };
            self.outbox.send_hints(&[hint], self.clock.now(), Duration::ZERO).await?;
        }
        Ok(next)
    }

    async fn record(&self, hint: &Hint, told: Told) -> Result<Next, StoreError> {
        match self.store.record_told(&hint.incident, &hint.receiver, &self.owner, &told).await? {
            Write::Done => Ok(Next::Told(told)),
            // Our lease ran out and somebody else goes on.
            Write::Conflict => Ok(Next::Nothing),
        }
    }

    /// The earliest episode that this receiver has not heard the end of.
    async fn episode_due(&self, hint: &Hint, told: Option<&Told>) -> Result<Option<Incident>, StoreError> {
        let from = match told {
            Some(told) if told.is_final() => told.episode + 1,
            Some(told) => told.episode,
            None => 0,
        };
        let mut episodes = self.store.episodes(&hint.incident).await?;
        episodes.retain(|i| i.episode >= from && !(told.is_none() && i.settled));
        for incident in episodes {
            if audience(self.store.as_ref(), &self.config, &incident).await?.contains(&hint.receiver) {
                return Ok(Some(incident));
            }
        }
        Ok(None)
    }

    /// Why this receiver hears of it though no route chose it.
    async fn stands_in_for(&self, incident: &Incident, receiver: &str) -> Result<Option<String>, StoreError> {
        if incident.receivers.iter().any(|r| r == receiver) {
            return Ok(None);
        }
        let told = self.store.told(&incident.key).await?;
        let broken = told.iter().find_map(|(name, told)| match &told.stage {
            Stage::Undeliverable { reason } if self.config.receiver(name)?.fallback.as_deref() == Some(receiver) => {
                Some(format!("Sent here because the receiver \"{name}\" did not take it: {reason}"))
            }
            _ => None,
        });
        Ok(broken)
    }
}

/// Everybody who is to hear of an incident: its receivers, and the fallbacks of those that will never take it.
pub async fn audience(store: &dyn Store, config: &Config, incident: &Incident) -> Result<Vec<String>, StoreError> {
    let mut audience = incident.receivers.clone();
    if audience.iter().all(|name| config.receiver(name).is_some_and(|r| r.fallback.is_none())) {
        return Ok(audience);
    }
    let told = store.told(&incident.key).await?;
    let gave_up = |name: &str| {
        told.iter().any(|(receiver, told)| {
            receiver == name && told.episode == incident.episode && matches!(told.stage, Stage::Undeliverable { .. })
        })
    };
    let mut next = 0;
    while let Some(name) = audience.get(next).cloned() {
        next += 1;
        let fallback = config.receiver(&name).and_then(|r| r.fallback.clone());
        if let Some(fallback) = fallback.filter(|f| gave_up(&name) && !audience.contains(f)) {
            audience.push(fallback);
        }
    }
    Ok(audience)
}

enum Next {
    /// Something changed; look again.
    Told(Told),
    /// Not before this long.
    Wait(Duration),
    Nothing,
}

fn span(of: SignedDuration) -> Duration {
    Duration::try_from(of).unwrap_or(Duration::ZERO).max(Duration::from_millis(50))
}
