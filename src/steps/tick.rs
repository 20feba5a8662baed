//! tick: everything that time alone makes due. Runs once a minute; twice at once, or not for an hour, is harmless.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::evaluate;
use super::open::{self, Opening};
use super::{deliver, facts, heartbeats};
use crate::clock::Minute;
use crate::config::Config;
use crate::incident::told::Stage;
use crate::incident::{How, Incident, Numbers, State, Subject};
use crate::queue::{Hint, Outbox};
use crate::rules::resolve::{self, Standing};
use crate::rules::{Condition, judge};
use crate::store::{Store, StoreError, Write};

/// Expired items deleted per tick and kind.
const PURGE_PER_TICK: usize = 5_000;

/// The step's surroundings.
pub struct Tick<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub config: &'a Config,
}

impl Tick<'_> {
    /// Does what is due at `now`. Work that fails stays due.
    pub async fn run(&self, now: Timestamp) -> Result<(), StoreError> {
        self.rates(now).await?;
        heartbeats::judge_due(self, now).await?;
        heartbeats::watch_blindness(self, now).await?;
        self.resolve_and_sweep(now).await?;
        crate::digest::send_due(self, now).await?;
        self.store.purge(now, PURGE_PER_TICK).await?;
        Ok(())
    }

    /// Rates can become true without an arrival: old sends leave the window before old failures do.
    async fn rates(&self, now: Timestamp) -> Result<(), StoreError> {
        let minute = Minute::of(now);
        for rule in self.config.rules.iter().filter(|r| matches!(r.condition, Condition::Rate { .. })) {
            let span = judge::span_around(rule, minute, minute);
            for finding in evaluate::findings(self.store, self.config, rule, span).await? {
                let opening = Opening::of_rule(self.config, rule, &finding, Vec::new());
                open::open(self.store, self.outbox, self.config, opening, now).await?;
            }
        }
        Ok(())
    }

    async fn resolve_and_sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        for incident in self.store.unsettled().await? {
            let incident = match self.how_over(&incident, now).await? {
                Some((how, last)) => match self.resolve(&incident, how, last, now).await? {
                    Some(resolved) => resolved,
                    None => continue,
                },
                None => incident,
            };
            self.sweep(&incident, now).await?;
        }
        Ok(())
    }

    /// Whether an open incident is over, and when its last trouble was.
    async fn how_over(&self, incident: &Incident, now: Timestamp) -> Result<Option<(How, Timestamp)>, StoreError> {
        if !incident.is_open() {
            return Ok(None);
        }
        match &incident.subject {
            Subject::Rule { name, .. } => {
                let Some(rule) = self.config.rule(name) else { return Ok(Some((How::RuleGone, incident.last))) };
                let span = facts::span_of(incident, now);
                let failing = facts::failing(self.store, rule, incident, span).await?;
                let successes = facts::successes(self.store, rule, span).await?;
                let coverage = self.store.coverage().await?;
                let last = failing.iter().map(|t| t.last).max().unwrap_or(incident.last);
                match resolve::standing(rule, &failing, &successes, last, &coverage, now) {
                    Standing::Over(how) => Ok(Some((how, last))),
                    Standing::NotQuiet | Standing::NotSeenFixed(_) => Ok(None),
                }
            }
            Subject::Heartbeat { name, period, .. } => {
                let Some(heartbeat) = self.config.heartbeat(name) else {
                    return Ok(Some((How::RuleGone, incident.last)));
                };
                let over = heartbeats::beats_again(self, heartbeat, *period, now).await?;
                Ok(over.then_some((How::Recovered, incident.last)))
            }
            Subject::Blindness => {
                let coverage = self.store.coverage().await?;
                let dark = crate::heartbeat::blindness::uncovered_since(&coverage, now);
                Ok(dark.is_none().then(|| (How::Recovered, coverage.covered_until(now).map_or(now, Minute::start))))
            }
            Subject::Digest { .. } => Ok(Some((How::Quiet, incident.last))),
        }
    }

    async fn resolve(
        &self,
        incident: &Incident,
        how: How,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Incident>, StoreError> {
        let numbers = match &incident.subject {
            Subject::Rule { .. } => {
                let facts = facts::gather(self.store, self.config, incident, now).await?;
                facts.numbers().unwrap_or(incident.numbers)
            }
            _ => incident.numbers,
        };
        let resolved = Incident {
            state: State::Resolved { at: now, how },
            last,
            numbers: Numbers { count: numbers.count.max(incident.numbers.count), of: numbers.of },
            ..incident.clone()
        };
        match self.store.write_incident(&resolved).await? {
            Write::Done => {
                tracing::info!(event = "incident_resolved", incident = resolved.id(), how = ?how);
                Ok(Some(Incident { version: incident.version + 1, ..resolved }))
            }
            // Somebody else changed it: the next tick looks again.
            Write::Conflict => Ok(None),
        }
    }

    /// Hints for every pair that is not up to date; mends hints lost in a crash and carries long retries.
    async fn sweep(&self, incident: &Incident, now: Timestamp) -> Result<(), StoreError> {
        let told = self.store.told(&incident.key).await?;
        let mut hints = Vec::new();
        let mut all_know = !incident.is_open();
        for receiver in deliver::audience(self.store, self.config, incident).await? {
            let told = told.iter().find(|(name, _)| *name == receiver).map(|(_, told)| told);
            let knows_the_end =
                told.is_some_and(|t| t.episode > incident.episode || (t.episode == incident.episode && t.is_final()));
            if knows_the_end {
                continue;
            }
            all_know = false;
            let waits = told.and_then(|t| t.next_attempt_at).is_some_and(|at| now < at);
            let repeat_due = told.and_then(|t| t.last_at).is_none_or(|at| at + self.config.storm.repeat_every <= now);
            let up_to_date = told.is_some_and(|t| {
                matches!(&t.stage, Stage::Opened { severity } if incident.is_open() && *severity >= incident.severity)
                    && t.episode == incident.episode
                    && !repeat_due
            });
            if !waits && !up_to_date {
                hints.push(Hint { incident: incident.key.clone(), receiver });
            }
        }
        self.outbox.send_hints(&hints, now, Duration::ZERO).await?;
        if all_know {
            // A conflict only means that the next tick does it.
            let _ = self.store.write_incident(&Incident { settled: true, ..incident.clone() }).await?;
        }
        Ok(())
    }
}

/// A verdict overdue by more than this goes to the digest, not to a pager (design, law 10).
pub const TOO_OLD_TO_PAGE: SignedDuration = SignedDuration::from_hours(24);
