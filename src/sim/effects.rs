//! The layer around every effect of a step: it takes time, may be refused, may be made with its answer lost, and the
//! task may die before or after it. What was made is written down for the oracle.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::model::Model;
use super::mutant::Mutant;
use super::receivers::short;
use super::truth::{First, Written};
use super::world::{Role, SECOND, Todo, World};
use crate::clock::{Minute, Span};
use crate::customerio::event::{Event, Fate, Kind};
use crate::heartbeat::Judged;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey, State, Subject};
use crate::queue::{Hint, Outbox};
use crate::store::{Lease, Quarantined, Store, StoreError, Write};
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// Store and queue as the steps know them.
pub struct Adapter {
    pub world: Arc<World>,
    pub store: Arc<dyn Store>,
    /// The same store, where it is the model: it can be torn.
    pub model: Option<Arc<Model>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Throttled,
    Lost,
    DiesBefore,
    DiesAfter,
    Torn,
}

/// Runs a future that waits for nothing simulated to its end: the model's at once, the embedded store's threads are
/// waited for.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn refused() -> StoreError {
    StoreError::Unavailable("throttled".into())
}

impl Adapter {
    fn plan(&self, name: &'static str) -> (i64, Fault, i64) {
        let mut state = self.world.state();
        let (before, after) = (state.latency(), state.latency());
        let faults = state.faults;
        let roll = state.random.below(1000);
        let limits = [
            (faults.throttle, Fault::Throttled),
            (faults.lose, Fault::Lost),
            (faults.kill, if roll % 2 == 0 { Fault::DiesBefore } else { Fault::DiesAfter }),
            (if name == "count" && self.model.is_some() { faults.tear } else { 0 }, Fault::Torn),
        ];
        let mut sum = 0;
        let fault = limits.into_iter().find_map(|(limit, fault)| {
            sum += limit;
            (roll < sum).then_some(fault)
        });
        let fault = match state.next_effect() {
            Some(kill) if kill.after => Some(Fault::DiesAfter),
            Some(_) => Some(Fault::DiesBefore),
            None => fault,
        };
        (before, fault.unwrap_or(Fault::None), after)
    }

    /// Makes an effect, or not. `seen` is told at the moment it is made what it did.
    async fn effect<T>(
        &self,
        name: &'static str,
        make: impl Future<Output = Result<T, StoreError>>,
        seen: impl FnOnce(&T, u64),
    ) -> Result<T, StoreError> {
        let (before, fault, after) = self.plan(name);
        self.world.pause(before).await;
        match fault {
            Fault::Throttled => {
                self.world.say(|| format!("{name} throttled"));
                return Err(refused());
            }
            Fault::DiesBefore => {
                self.world.say(|| format!("DIES before {name}"));
                self.world.die().await;
            }
            Fault::Torn => {
                self.world.say(|| format!("{name} torn"));
                if let Some(model) = &self.model {
                    model.tear();
                }
            }
            Fault::None | Fault::Lost | Fault::DiesAfter => {}
        }
        let made = complete(make);
        if let Ok(made) = &made {
            let step = self.world.state().truth.next_step();
            seen(made, step);
        }
        if fault == Fault::DiesAfter {
            self.world.say(|| format!("DIES after {name}"));
            self.world.die().await;
        }
        self.world.pause(after).await;
        if fault == Fault::Lost {
            self.world.say(|| format!("answer to {name} lost"));
            return Err(refused());
        }
        made
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.world.is(mutant)
    }

    fn role(&self) -> Option<Role> {
        let state = self.world.state();
        state.running.get(&state.current).map(|r| r.role)
    }

    fn saw_count(&self, entries: &[Entry], counted: &[Counted], step: u64) {
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

    fn saw_incident(&self, incident: &Incident, write: Write, step: u64) {
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

    fn saw_told(&self, key: &IncidentKey, receiver: &str, told: &Told, write: Write, step: u64) {
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

#[async_trait]
impl Store for Adapter {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        // A torn count is an effect too: what it counts is frozen.
        let torn_first = || {
            let mut state = self.world.state();
            let frozen = state.truth.next_step();
            for entry in entries {
                // Nobody need see it before a duplicate has raised its register.
                let first = First { frozen, step: u64::MAX, class: entry.class.clone() };
                state.truth.first.entry(entry.identity).or_insert(first);
            }
        };
        let make = async {
            let made = self.store.count(entries, now).await;
            if made.is_err() {
                torn_first();
            }
            made
        };
        self.effect("count", make, |counted, step| {
            self.saw_count(entries, counted, step);
            self.world.say(|| format!("counts {} ({} new)", entries.len(), counted.iter().filter(|c| c.first).count()));
        })
        .await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        let stale = self.is(Mutant::StaleCells);
        let make = async {
            let mut cells = self.store.cells(kinds, span).await?;
            if stale {
                let now = self.world.state().instant();
                cells.retain(|c| now.duration_since(c.last) > SignedDuration::from_secs(8));
            }
            Ok(cells)
        };
        self.effect("cells", make, |_, _| {}).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        let by_tick = self.role() == Some(Role::Tick);
        self.effect("totals", self.store.totals(kinds, span), |_, _| {
            let mut state = self.world.state();
            // The worst moment: just after tick has looked.
            if by_tick && state.random.chance(500) {
                state.ambush();
            }
        })
        .await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.effect("heard", self.store.heard(kind, since), |_, _| {}).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        self.effect("hear", self.store.hear(heard), |_, step| {
            let mut state = self.world.state();
            let current = state.current;
            // Those that it counted just before.
            let copies: Vec<usize> = match state.running.get_mut(&current) {
                Some(running) => running.batch.drain(..running.counted.min(running.batch.len())).collect(),
                None => Vec::new(),
            };
            state.truth.heard.extend(copies.into_iter().map(|copy| (step, copy)));
        })
        .await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        let all = self.is(Mutant::AllCovered);
        let make = async {
            let coverage = self.store.coverage().await?;
            match coverage.began().filter(|_| all) {
                Some(began) => {
                    let now = self.world.state().instant();
                    Ok(crate::tally::testing::heard_at(&[began, now]))
                }
                None => Ok(coverage),
            }
        };
        self.effect("coverage", make, |_, step| {
            let mut state = self.world.state();
            let current = state.current;
            if let Some(running) = state.running.get_mut(&current) {
                running.coverage_step = Some(step);
            }
        })
        .await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        self.effect("episodes", self.store.episodes(key), |_, _| {}).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        let by_tick = self.role() == Some(Role::Tick);
        let fallback_only = self.role() == Some(Role::Deliver);
        let roll_up = matches!(incident.subject, Subject::RollUp { .. });
        let skipped = self.is(Mutant::MarkWithoutRollUp) && roll_up && incident.version == 0
            || self.is(Mutant::ForgetFallback) && fallback_only;
        if skipped {
            return Ok(Write::Done);
        }
        let rule = matches!(incident.subject, Subject::Rule { .. });
        if self.is(Mutant::ForgetJudgingAgain) && by_tick && rule && incident.version == 0 {
            return Ok(Write::Conflict);
        }
        self.effect("write_incident", self.store.write_incident(incident), |write, step| {
            self.saw_incident(incident, *write, step);
        })
        .await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        self.effect("unsettled", self.store.unsettled(), |_, _| {}).await
    }

    async fn live_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        self.effect("live_incidents", self.store.live_incidents(at_most), |_, _| {}).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        self.effect("incidents_between", self.store.incidents_between(from, to), |_, _| {}).await
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        let month = SignedDuration::from_hours(24 * 30);
        let until = if self.is(Mutant::LeaseWithoutEnd) { now + month } else { until };
        self.effect("lease", self.store.lease(key, receiver, owner, now, until), |lease, _| {
            self.world.say(|| {
                let granted = matches!(lease, Lease::Granted(_));
                format!("lease {receiver} {}: {}", short(&key.0), if granted { "granted" } else { "held" })
            });
        })
        .await
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        let make = async {
            match self.is(Mutant::RecordNothing) {
                true => Ok(Write::Done),
                false => self.store.record_told(key, receiver, owner, told).await,
            }
        };
        self.effect("record_told", make, |write, step| self.saw_told(key, receiver, told, *write, step)).await
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        self.effect("release", self.store.release(key, receiver, owner), |_, _| {}).await
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        self.effect("void_leases", self.store.void_leases(), |_, _| {}).await
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        self.effect("told", self.store.told(key), |_, _| {}).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        if self.is(Mutant::ForgetQuarantine) {
            return Ok(());
        }
        self.effect("quarantine", self.store.quarantine(item), |(), _| {}).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        self.effect("quarantined", self.store.quarantined(from, to), |_, _| {}).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.effect("cursor", self.store.cursor(name), |_, _| {}).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        self.effect("move_cursor", self.store.move_cursor(name, from, to), |_, _| {}).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        self.effect("keep_verdict", self.store.keep_verdict(judged), |(), _| {}).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        self.effect("verdicts", self.store.verdicts(from, to), |_, _| {}).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.effect("purge", self.store.purge(now, limit), |_, _| {}).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.effect("ready", self.store.ready(), |(), _| {}).await
    }
}

#[async_trait]
impl Outbox for Adapter {
    async fn send_events(&self, events: &[Event], _now: Timestamp) -> Result<(), StoreError> {
        let made = self
            .effect(
                "send_events",
                async {
                    self.world.state().enqueue(events, self.is(Mutant::AgeIgnored));
                    Ok(())
                },
                |(), _| {},
            )
            .await;
        if self.is(Mutant::StoreNothing) { Ok(()) } else { made }
    }

    async fn send_hints(&self, hints: &[Hint], _now: Timestamp, after: Duration) -> Result<(), StoreError> {
        if hints.is_empty() || self.is(Mutant::ForgetSweep) && self.role() == Some(Role::Tick) {
            return Ok(());
        }
        let make = async {
            let mut state = self.world.state();
            let wait = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
            for hint in hints {
                let visible_at = state.now + wait + state.random.between(0, SECOND / 5);
                state.queues.put_hint(hint.clone(), visible_at);
                state.at(visible_at, Todo::Hints);
                state.say(|| format!("hint {} {}", hint.receiver, short(&hint.incident.0)));
            }
            Ok(())
        };
        self.effect("send_hints", make, |(), _| {}).await
    }
}

/// The fate as the mutant has it.
pub fn aged(event: &mut Event) {
    if event.fate == Fate::TooLate {
        event.fate = Fate::Counted;
    }
}

/// Whether a write ends an incident.
pub fn ends(incident: &Incident) -> bool {
    matches!(incident.state, State::Resolved { .. })
}
