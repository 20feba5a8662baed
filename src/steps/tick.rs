//! tick: everything that time alone makes due. Runs once a minute; twice at once, or not for an hour, is harmless.

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};

use super::open::{self, Opening, Samples};
use super::{
    blindness, canary, deadman, diagnosis, digest, drafts, drift, evaluate, heartbeats, history, lag, names, reconcile,
    resolve, summary, sums, sweep,
};
use crate::canary::Track;
use crate::clock::Minute;
use crate::config::Config;
use crate::customerio::app_api::Directory;
use crate::deadman::Pulse;
use crate::incident::{Incident, Member, State, Subject};
use crate::queue::Outbox;
use crate::reconcile::sums::Sums;
use crate::rules::{Rule, judge};
use crate::store::{Store, StoreError};

/// Expired items deleted at a time: one short write of many, so that others get between.
const PURGE_AT_ONCE: usize = 2_000;

/// Such writes per tick; what is left waits for the next one.
const PURGES_PER_TICK: usize = 25;

/// How long after a resolve its failures are judged again, by every tick until it is settled: ticks may be missing for
/// hours (design, law 10), and a receiver that nobody repairs keeps it unsettled for a day.
const JUDGED_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// The step's surroundings.
pub struct Tick<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub config: &'a Config,
    /// Where names are asked for; `None` without a key for it.
    pub directory: Option<&'a dyn Directory>,
    /// Who outside hears that we live; `None` without a `[deadman]`.
    pub pulse: Option<&'a dyn Pulse>,
    /// Where the canary's events go; `None` without a `[canary]`.
    pub track: Option<&'a dyn Track>,
    /// Where metrics are summed up; `None` without AWS.
    pub sums: Option<&'a dyn Sums>,
}

/// The parts of a tick that failed, and why. Their work stays due.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct TickFailed(Vec<String>);

impl Tick<'_> {
    /// Does what is due at `now`. A part that fails or panics does not keep the others from theirs.
    pub async fn run(&self, now: Timestamp) -> Result<(), TickFailed> {
        let mut failed = Vec::new();
        part(&mut failed, "heartbeats", heartbeats::judge_due(self, now)).await;
        part(&mut failed, "blindness", blindness::watch(self, now)).await;
        part(&mut failed, "canary", canary::watch(self, now)).await;
        part(&mut failed, "lag", lag::watch(self, now)).await;
        part(&mut failed, "drafts", drafts::watch_due(self, now)).await;
        part(&mut failed, "resolve", resolve::due(self, now)).await;
        let judged = part(&mut failed, "rules", self.judge_again(now)).await.unwrap_or_default();
        part(&mut failed, "sweep", sweep::due(self, &judged, now)).await;
        // Long work on a first day: what is owed to somebody comes before it.
        part(&mut failed, "history", history::due(self, now)).await;
        part(&mut failed, "digest", digest::send_due(self, now)).await;
        part(&mut failed, "summary", summary::due(self, now)).await;
        part(&mut failed, "purge", self.purge(now)).await;
        // Last: they wait for somebody else, and nothing here waits for them.
        let fine = failed.is_empty();
        part(&mut failed, "deadman", deadman::beat(self, fine, now)).await;
        part(&mut failed, "canary", canary::send_due(self, now)).await;
        part(&mut failed, "diagnosis", diagnosis::ask_due(self, now)).await;
        part(&mut failed, "sums", sums::fetch_due(self, now)).await;
        part(&mut failed, "names", names::refresh_due(self, now)).await;
        // After names, which its own alerts use.
        part(&mut failed, "drift", drift::watch_due(self, now)).await;
        part(&mut failed, "reconciliation", reconcile::watch_due(self, now)).await;
        if failed.is_empty() { Ok(()) } else { Err(TickFailed(failed)) }
    }

    /// Every rule once more, after resolves: a failure that was counted while its incident was being resolved was
    /// dropped by evaluate as part of that incident, and opens the next one here. It may be older than the latest
    /// window, and the tick that resolved may have died: so back to the last failure that the incident spoke of.
    /// Answers the resolved incidents that were looked at; no other is settled.
    async fn judge_again(&self, now: Timestamp) -> Result<BTreeSet<Member>, StoreError> {
        let minute = Minute::of(now);
        let mut live = self.store.unsettled().await?;
        live.retain(|incident| !incident.is_open());
        for rule in &self.config.rules {
            let just_resolved = live.iter().filter(|incident| just_resolved(incident, rule, now));
            let first = just_resolved.map(|incident| Minute::of(incident.last)).min().unwrap_or(minute).min(minute);
            let span = judge::span_around(rule, first, minute);
            let found = evaluate::findings(self.store, self.config, rule, span, now).await?;
            for (incident, finding) in &found.open {
                open::widen(self.store, self.outbox, self.config, incident, finding, &Samples::default(), now).await?;
            }
            for finding in found.new {
                let opening = Opening::of_rule(self.config, rule, &finding, Samples::default());
                open::open(self.store, self.outbox, self.config, opening, now).await?;
            }
        }
        Ok(live.iter().map(Incident::member).collect())
    }

    async fn purge(&self, now: Timestamp) -> Result<(), StoreError> {
        for _ in 0..PURGES_PER_TICK {
            if self.store.purge(now, PURGE_AT_ONCE).await? < PURGE_AT_ONCE {
                break;
            }
        }
        Ok(())
    }
}

/// Whether failures may have been counted while this incident was being resolved that nobody has judged since.
fn just_resolved(incident: &Incident, rule: &Rule, now: Timestamp) -> bool {
    let ours = matches!(&incident.subject, Subject::Rule { name, .. } if *name == rule.name);
    ours && matches!(incident.state, State::Resolved { at, .. } if now.duration_since(at) < JUDGED_AGAIN)
}

async fn part<T>(failed: &mut Vec<String>, name: &str, work: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(error)) => failed.push(format!("{name}: {error}")),
        Err(_) => failed.push(format!("{name}: panicked")),
    }
    None
}
