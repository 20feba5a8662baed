//! The traits as the steps know them, each call an effect of [`super::effects`]; where a mutant breaks a law on this
//! side, it does so here.

use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::effects::Adapter;
use super::mutant::Mutant;
use super::receivers::short;
use super::world::{Role, SECOND, Todo};
use crate::clock::{Minute, Span};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Event, Kind, SourceKind};
use crate::customerio::metric;
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::queue::{Hint, Outbox, Probe};
use crate::reconcile::day::Compared;
use crate::reconcile::fired::{Fired, FiredHour};
use crate::silence::Silence;
use crate::store::{Lease, Quarantined, Store, StoreError, Write};
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

#[async_trait]
impl Store for Adapter {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        let make = async {
            let made = self.store.count(entries, now).await;
            if made.is_err() {
                self.saw_torn(entries);
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
        let late = self.is(Mutant::LateDenominators) && kinds.iter().any(|kind| kind.metric == "sent");
        let make = async {
            let mut cells = self.store.cells(kinds, span).await?;
            if stale {
                let now = self.world.state().instant();
                cells.retain(|c| now.duration_since(c.last) > SignedDuration::from_secs(8));
            }
            if late {
                let old = Minute::of(self.world.state().instant()).plus(-60);
                cells.retain(|c| c.minute < old);
            }
            Ok(cells)
        };
        let failures = kinds.iter().any(|kind| metric::has_cause(&kind.metric));
        self.effect("cells", make, |_, step| {
            if let Some(running) = self.world.state().running().filter(|_| failures) {
                running.failures_read = Some(step);
            }
        })
        .await
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
        self.effect("hear", self.store.hear(heard), |_, step| self.saw_heard(step)).await
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
        let written = self
            .effect("write_incident", self.store.write_incident(incident), |write, step| {
                self.saw_incident(incident, *write, step);
            })
            .await;
        if roll_up && by_tick && self.falls_into_the_gap() {
            self.world.say(|| "DIES beside a roll-up".into());
            self.world.die().await;
        }
        written
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        self.effect("unsettled", self.store.unsettled(), |_, _| {}).await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        self.effect("open_incidents", self.store.open_incidents(at_most), |_, _| {}).await
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
            match &told.stage {
                _ if self.is(Mutant::RecordNothing) => Ok(Write::Done),
                Stage::Silenced { .. } if self.is(Mutant::SilenceRecordsNothing) => Ok(Write::Done),
                Stage::Dropped { .. } if self.is(Mutant::DroppedIsTold) => {
                    let told = Told { stage: Stage::Nothing, ..told.clone() };
                    self.store.record_told(key, receiver, owner, &told).await
                }
                _ => self.store.record_told(key, receiver, owner, told).await,
            }
        };
        if matches!(told.stage, Stage::RolledUp { .. }) && self.falls_into_the_gap() {
            self.world.say(|| "DIES before a mark".into());
            self.world.die().await;
        }
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

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.effect("quarantined_head", self.store.quarantined_head(id), |_, _| {}).await
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.effect("drop_quarantined", self.store.drop_quarantined(item), |(), _| {
            let mut state = self.world.state();
            if state.running().is_some_and(|running| running.gives_up) {
                state.truth.thrown_away.insert(item.id.clone());
            }
        })
        .await
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        self.effect("keep_silence", self.store.keep_silence(silence), |(), step| self.saw_silence(silence, step)).await
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        let make = async {
            let mut silences = self.store.silences().await?;
            if self.is(Mutant::SilenceWithoutEnd) {
                silences.iter_mut().for_each(|s| s.end += SignedDuration::from_hours(1));
            }
            Ok(silences)
        };
        self.effect("silences", make, |_, step| {
            if let Some(running) = self.world.state().running() {
                running.silences_read = Some((step, running.asked));
            }
        })
        .await
    }

    async fn keep_fired(&self, fired: &[Fired]) -> Result<(), StoreError> {
        self.effect("keep_fired", self.store.keep_fired(fired), |(), _| {}).await
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        self.effect("fired", self.store.fired(from, to), |_, _| {}).await
    }

    async fn keep_compared(&self, day: &Compared) -> Result<(), StoreError> {
        self.effect("keep_compared", self.store.keep_compared(day), |(), _| {}).await
    }

    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
        self.effect("compared", self.store.compared(from, to), |_, _| {}).await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        self.effect("names", self.store.names(), |_, _| {}).await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        self.effect("keep_names", self.store.keep_names(of, list), |(), _| {}).await
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

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        self.effect("keep_day", self.store.keep_day(of, day), |(), _| {}).await
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        self.effect("days", self.store.days(of, from, until), |_, _| {}).await
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.effect("keep_summary", self.store.keep_summary(summary), |(), _| {}).await
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        self.effect("summaries", self.store.summaries(from, until), |_, _| {}).await
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
        let by_person = self.role() == Some(Role::Person);
        let made = self
            .effect(
                "send_events",
                async {
                    if by_person && self.is(Mutant::RedriveForgets) {
                        return Ok(());
                    }
                    if by_person && self.is(Mutant::RedriveAsOfNow) {
                        let now = self.world.state().instant();
                        let events: Vec<Event> = events.iter().map(|e| Event { arrived: now, ..e.clone() }).collect();
                        self.world.state().enqueue(&events, false);
                        return Ok(());
                    }
                    self.world.state().enqueue(events, self.is(Mutant::AgeIgnored));
                    Ok(())
                },
                |(), _| {},
            )
            .await;
        if self.is(Mutant::StoreNothing) { Ok(()) } else { made }
    }

    async fn send_probe(&self, _: Probe, _: Timestamp) -> Result<(), StoreError> {
        panic!("no scenario has a dead-man")
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
