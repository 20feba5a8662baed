//! deliver: lease a pair (incident, receiver), compare with what was told, send what is due, record it (law 7).
//!
//! Level-triggered: a hint says only "look". Whatever happened since, the pair ends up right, and a resolve can
//! never overtake its opening.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::names::Known;
use super::{deadman, facts, silences};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::schema::SEND_TIMEOUT;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, Numbers, State, Subject};
use crate::message::{Phase, compose};
use crate::page::links::Links;
use crate::queue::{Handled, Hint, Outbox};
use crate::receivers::{Outcome, Receiver};
use crate::silence::words;
use crate::store::{Lease, Store, StoreError, Write};

/// How long a pair is ours (design, law 7): longer than a send may take.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// A broken receiver without a fallback is tried again this often (the longest wait of law 7) ...
const REPAIR: Duration = Duration::from_secs(15 * 60);

/// ... until its incident has been over for this long.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

/// Tries to change an incident that others change too.
const WRITES_AT_MOST: usize = 5;

/// Messages sent under one lease at most: an opening and a resolve of each of a few episodes.
const SENDS_PER_HINT: usize = 8;

/// The step's surroundings.
pub struct Deliver {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    pub receivers: BTreeMap<String, Arc<dyn Receiver>>,
    pub clock: Arc<dyn Clock>,
    /// Names this process in leases; no two processes share it.
    pub process: String,
    /// Leases asked for by this process so far: no two hints share a lease's owner.
    pub leases: AtomicU64,
    /// What sources are called, as this process knows it.
    pub names: Known,
    /// Without it messages carry no link to the page.
    pub links: Option<Links>,
}

/// A hint whose pair is ours until then.
struct Held<'a> {
    hint: &'a Hint,
    owner: String,
    until: Timestamp,
}

/// Why a receiver will not take a message, and whether a repair of the receiver would help.
struct Refusal {
    why: String,
    may_be_repaired: bool,
}

impl Deliver {
    /// Handles one hint. An error means that our own storage failed.
    pub async fn hint(&self, hint: &Hint) -> Result<Handled, StoreError> {
        if let Some(probe) = hint.probe() {
            deadman::arrived(self.store.as_ref(), probe).await?;
            return Ok(Handled::Done);
        }
        let owner = format!("{}/{}", self.process, self.leases.fetch_add(1, Ordering::Relaxed));
        let now = self.clock.now();
        let held = Held { hint, owner, until: now + LEASE };
        let lease = self.store.lease(&hint.incident, &hint.receiver, &held.owner, now, held.until).await?;
        let mut told = match lease {
            Lease::Granted(told) => told,
            // The holder re-reads after recording; this hint only covers the holder's death.
            Lease::HeldUntil(until) => return Ok(Handled::Again(span(until.duration_since(now)))),
        };
        let mut handled = Handled::Again(Duration::ZERO);
        for _ in 0..SENDS_PER_HINT {
            match self.once(&held, told.as_ref()).await? {
                Next::Told(new) => told = Some(new),
                Next::Wait(wait) => {
                    handled = Handled::Again(wait);
                    break;
                }
                Next::Nothing => {
                    handled = Handled::Done;
                    break;
                }
            }
        }
        self.store.release(&hint.incident, &hint.receiver, &held.owner).await?;
        Ok(handled)
    }

    /// Says the next thing that is due, and records it.
    async fn once(&self, held: &Held<'_>, told: Option<&Told>) -> Result<Next, StoreError> {
        let hint = held.hint;
        let now = self.clock.now();
        if told.is_some_and(|told| told.stage == Stage::Newer) {
            tracing::warn!(event = "told_by_a_later_version", incident = %hint.incident, receiver = hint.receiver);
            return Ok(Next::Wait(notify::LATER_VERSION));
        }
        let Some(incident) = self.episode_due(hint, told).await? else { return Ok(Next::Nothing) };
        let told = match told {
            Some(told) if told.episode == incident.episode => told.clone(),
            _ => Told::nothing(incident.episode),
        };
        let configured = self.config.receiver(&hint.receiver);
        let (Some(receiver), Some(configured)) = (self.receivers.get(&hint.receiver), configured) else {
            let reason = "it is no longer configured, or could not be set up".to_owned();
            let refusal = Refusal { why: reason, may_be_repaired: false };
            return self.refused(held, &incident, &told, Notify::Opened, refusal).await;
        };
        let policy = Policy { abilities: configured.kind.abilities(), storm: self.config.storm };
        let refusal = self.refusal_to_tell(&incident, &hint.receiver, &told).await?;
        let stored = self.store.silences().await?;
        let silence = silences::muting(self.store.as_ref(), &self.config, &stored, &incident, now).await?;
        let due = match notify::next_notification(&incident, &told, &policy, silence, now) {
            // It knows of the incident, but not that it is the only one to know.
            Notify::No(Quiet::UpToDate { .. }) if refusal.is_some() && policy.abilities.posts && told.is_opened() => {
                Notify::StillOpen
            }
            due => due,
        };
        let phase = match due {
            Notify::Opened => Phase::Opened,
            Notify::Worsened { .. } => Phase::Worsened,
            Notify::StillOpen => Phase::StillOpen,
            Notify::Compare => Phase::Updated,
            Notify::Acted { .. } => Phase::Acted,
            Notify::Resolved => Phase::Resolved,
            Notify::OpenedAndResolved => Phase::OpenedAndResolved,
            Notify::Digest => Phase::Digest,
            Notify::No(Quiet::Waiting { until }) => return Ok(Next::Wait(span(until.duration_since(now)))),
            Notify::No(Quiet::NothingLeftToSay) => {
                let stage = match told.stage {
                    Stage::RolledUp { .. } => Stage::Finished,
                    _ => Stage::Skipped,
                };
                return self.record(held, Told { stage, ..told }).await;
            }
            Notify::No(Quiet::Silenced) => {
                let told = notify::silenced(&incident, &told, silence);
                tracing::info!(event = "silenced", incident = incident.id(), receiver = hint.receiver, told = ?told.stage);
                return self.record(held, told).await;
            }
            Notify::No(Quiet::UpToDate { .. } | Quiet::Crowded | Quiet::Muted | Quiet::Finished) => {
                return Ok(Next::Nothing);
            }
        };
        let mut facts = facts::gather(self.store.as_ref(), &self.config, &incident, now).await?;
        facts.names = self.names.get(self.store.as_ref(), &self.config, now).await;
        let mut message = compose::message(&incident, phase, &facts, &self.config, now);
        let said = Numbers { count: message.about.count, of: message.about.of };
        let is_told = told.said == Some(said) && told.diagnosed == incident.diagnosis().is_some();
        if due == Notify::Compare && is_told {
            return self.record(held, notify::compared(&told, now)).await;
        }
        if let Some(links) = &self.links {
            let link = match incident.subject {
                Subject::Digest { .. } => links.to_status(&hint.receiver, now),
                _ => links.to_incident(&incident, &hint.receiver, now),
            };
            message.links.insert(0, link);
        }
        if let Stage::Silenced { silence, .. } = &told.stage {
            let by = stored.iter().find(|s| s.id == *silence);
            message.note = Some(words::was_silenced(by, &self.config.workspace.zone, now));
        }
        if let Some((name, reason)) = &refusal {
            message.note = Some(format!("Sent here because the receiver \"{name}\" did not take it: {reason}"));
        }
        let mut told = told;
        let was_begun = told.begun;
        if let Some(begun) = notify::begun(&told, due, &policy) {
            match self.record(held, begun).await? {
                Next::Told(begun) => told = begun,
                next => return Ok(next),
            }
        }
        // A send must end within the lease, or somebody else may send the same.
        if self.clock.now() + SEND_TIMEOUT > held.until {
            return Ok(Next::Wait(Duration::ZERO));
        }
        let sending = receiver.send(&message, told.receipt.as_deref());
        let outcome = tokio::time::timeout(SEND_TIMEOUT, sending)
            .await
            .unwrap_or_else(|_| Outcome::Lost("no answer in time".to_owned()));
        // It said that it did not take it: this attempt leaves nothing open there.
        if matches!(outcome, Outcome::Retry { .. }) {
            told.begun = was_begun;
        }
        if let (Outcome::Delivered(_), Some((name, _))) = (&outcome, refusal) {
            told.stood_in_for.push(name);
        }
        self.conclude(held, &incident, &told, due, (outcome, said)).await
    }

    async fn conclude(
        &self,
        held: &Held<'_>,
        incident: &Incident,
        told: &Told,
        due: Notify,
        (outcome, said): (Outcome, Numbers),
    ) -> Result<Next, StoreError> {
        let now = self.clock.now();
        let log = |result: &str, why: &str| {
            tracing::info!(
                event = "notification",
                incident = incident.id(),
                receiver = held.hint.receiver,
                notify = ?due,
                result,
                why
            );
        };
        match outcome {
            Outcome::Delivered(receipt) => {
                log("delivered", "");
                self.record(held, notify::delivered(incident, told, due, (receipt, said), now)).await
            }
            // New numbers can wait for the next look; what is said to somebody must not wait for them.
            Outcome::Retry { why, .. } | Outcome::Lost(why) if due == Notify::Compare => {
                log("later", &why);
                self.record(held, notify::compared(told, now)).await
            }
            Outcome::Retry { after, why } => {
                log("retry", &why);
                self.later(held, notify::failed(told, after, why, now), now).await
            }
            Outcome::Lost(why) => {
                log("lost", &why);
                self.later(held, notify::failed(told, None, why, now), now).await
            }
            Outcome::BadMessage(why) => {
                log("refused", &why);
                self.refused(held, incident, told, due, Refusal { why, may_be_repaired: false }).await
            }
            Outcome::BadReceiver(why) => {
                log("refused", &why);
                self.refused(held, incident, told, due, Refusal { why, may_be_repaired: true }).await
            }
        }
    }

    async fn later(&self, held: &Held<'_>, told: Told, now: Timestamp) -> Result<Next, StoreError> {
        let wait = told.next_attempt_at.map_or(Duration::ZERO, |at| span(at.duration_since(now)));
        match self.record(held, told).await? {
            Next::Told(_) => Ok(Next::Wait(wait)),
            next => Ok(next),
        }
    }

    /// The receiver will never take this message. If it is all the receiver would know, its fallback is to hear it;
    /// without one it is tried again, slowly, for as long as it matters: somebody may repair it.
    async fn refused(
        &self,
        held: &Held<'_>,
        incident: &Incident,
        told: &Told,
        due: Notify,
        outcome: Refusal,
    ) -> Result<Next, StoreError> {
        let (hint, now) = (held.hint, self.clock.now());
        let Refusal { why, may_be_repaired } = outcome;
        tracing::error!(event = "undeliverable", incident = incident.id(), receiver = hint.receiver, why);
        let fallback = self.config.receiver(&hint.receiver).and_then(|r| r.fallback.clone());
        let matters = match incident.state {
            State::Open => true,
            State::Resolved { at, .. } => now.duration_since(at) < GIVE_UP,
        };
        if may_be_repaired && fallback.is_none() && matters {
            return self.record(held, notify::failed(told, Some(REPAIR), why, now)).await;
        }
        let told = notify::refused(told, due, why, now);
        let fallback = fallback.filter(|_| told.is_final());
        if let Some(receiver) = &fallback {
            // Before it is recorded here: after a crash in between we only come by again.
            self.add_receiver(incident, receiver).await?;
        }
        let next = self.record(held, told).await?;
        if let Some(receiver) = fallback {
            let hint = Hint { incident: hint.incident.clone(), receiver };
            self.outbox.send_hints(&[hint], now, Duration::ZERO).await?;
        }
        Ok(next)
    }

    /// Makes a receiver one of the incident's own, whatever else changes it meanwhile.
    async fn add_receiver(&self, incident: &Incident, receiver: &str) -> Result<(), StoreError> {
        for _ in 0..WRITES_AT_MOST {
            let episodes = self.store.episodes(&incident.key).await?;
            let Some(mut stored) = episodes.into_iter().find(|i| i.episode == incident.episode) else { break };
            if stored.receivers.iter().any(|r| r == receiver) {
                break;
            }
            stored.receivers.push(receiver.to_owned());
            stored.settled = false;
            if self.store.write_incident(&stored).await? == Write::Done {
                break;
            }
        }
        Ok(())
    }

    async fn record(&self, held: &Held<'_>, told: Told) -> Result<Next, StoreError> {
        let hint = held.hint;
        match self.store.record_told(&hint.incident, &hint.receiver, &held.owner, &told).await? {
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
        Ok(episodes.into_iter().find(|incident| incident.receivers.contains(&hint.receiver)))
    }

    /// A receiver that did not take this episode and whose fallback this one is, if it was not told so: name and
    /// reason.
    async fn refusal_to_tell(
        &self,
        incident: &Incident,
        receiver: &str,
        told: &Told,
    ) -> Result<Option<(String, String)>, StoreError> {
        if !self.config.receivers.iter().any(|r| r.fallback.as_deref() == Some(receiver)) {
            return Ok(None);
        }
        let refused = self.store.told(&incident.key).await?.into_iter().find_map(|(name, other)| match other.stage {
            Stage::Undeliverable { reason }
                if other.episode == incident.episode
                    && self.config.receiver(&name)?.fallback.as_deref() == Some(receiver)
                    && !told.stood_in_for.contains(&name) =>
            {
                Some((name, reason))
            }
            _ => None,
        });
        Ok(refused)
    }
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
