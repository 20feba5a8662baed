//! The store as plain maps: what the trait says and nothing else. Fast, and honest about the one thing that a store
//! without transactions may leave behind: a seen set without its registers ([`Model::tear`]).

mod kept;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use self::kept::{Kept, Register, Seen, bare, days, young};
use super::mutant::Mutant;
use crate::clock::{Clock, Minute, Span};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::{Day, Slot};
use crate::heartbeat::learned::local::day_of;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey, State};
use crate::reconcile::day::Compared;
use crate::reconcile::fired::{FIRED_DAYS, Fired, FiredHour};
use crate::silence::Silence;
use crate::store::{HISTORY_DAYS, Lease, QUARANTINE_DAYS, Quarantined, SEEN_DAYS, Store, StoreError, Write};
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Class, Counted, Entry, Total};

/// Episodes answered of one incident at most, as the trait says.
const EPISODES: usize = 500;

pub struct Model {
    kept: Mutex<Kept>,
    torn: AtomicBool,
    mutant: Option<Mutant>,
    clock: Arc<dyn Clock>,
}

impl Model {
    pub fn new(mutant: Option<Mutant>, clock: Arc<dyn Clock>) -> Self {
        Self { kept: Mutex::default(), torn: AtomicBool::default(), mutant, clock }
    }

    /// The next count dies between the seen set and its registers.
    pub fn tear(&self) {
        self.torn.store(true, Ordering::Relaxed);
    }

    /// From this event time on (Unix seconds) a bucket of the seen set is so wide, in seconds.
    pub fn lay_out(&self, from: i64, width: i64) {
        self.kept().layouts.push((from, width));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[async_trait]
impl Store for Model {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        let torn = self.torn.swap(false, Ordering::Relaxed);
        let remembered = if self.is(Mutant::ShortMemory) { days(3) } else { days(SEEN_DAYS) };
        let mut kept = self.kept();
        let mut counted = Vec::with_capacity(entries.len());
        for Entry { identity, class, stamp } in entries {
            let at = Timestamp::from_second(class.at.as_second()).unwrap_or(class.at);
            let class = Class { at, series: class.series.clone() };
            let cause = || class.series.cause.as_ref().map_or_else(String::new, |c| c.as_str().to_owned());
            let key =
                (kept.bucket(*stamp), *identity, if self.is(Mutant::CountByCause) { cause() } else { String::new() });
            match kept.seen.get_mut(&key) {
                Some(seen) if now.duration_since(seen.since) < remembered => {
                    let class = if self.is(Mutant::LastClass) { class } else { seen.class.clone() };
                    counted.push(Counted { class, first: false });
                }
                _ => {
                    let since = now.max(class.at);
                    kept.seen.insert(key, Seen { class: class.clone(), since });
                    let register = kept.register(&class);
                    register.members += 1;
                    register.last_member = at.max(register.last_member);
                    counted.push(Counted { class, first: true });
                }
            }
        }
        if torn {
            return Err(StoreError::Unavailable("died between two writes".into()));
        }
        for Counted { class, first } in &counted {
            // A duplicate raises its register too: the first try may have died between the two writes.
            if *first || !self.is(Mutant::DuplicateLeavesRegisters) {
                let register = kept.register(class);
                if self.is(Mutant::LastClass) && !first {
                    register.members += 1;
                    register.last_member = class.at.max(register.last_member);
                }
                (register.count, register.last) = (register.members, register.last_member);
            }
        }
        Ok(counted)
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        let kept = self.kept();
        let cell =
            |(minute, r): (Minute, &Register)| Cell { series: r.series.clone(), minute, count: r.count, last: r.last };
        Ok(kept.in_span(kinds, span, self.clock.now()).map(cell).collect())
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        let kept = self.kept();
        let all: Vec<Kind> = match kinds {
            Some(kinds) => kinds.to_vec(),
            None => kept.registers.keys().map(|(kind, _)| kind.clone()).collect(),
        };
        let mut totals: Vec<Total> = Vec::new();
        for (minute, r) in kept.in_span(&all, span, self.clock.now()) {
            match totals.iter_mut().find(|t| t.series == r.series) {
                Some(total) => {
                    total.count += r.count;
                    total.first_minute = total.first_minute.min(minute);
                    total.last = total.last.max(r.last);
                }
                None => {
                    totals.push(Total { series: r.series.clone(), count: r.count, first_minute: minute, last: r.last })
                }
            }
        }
        Ok(totals)
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        let span = Span::new(since, Minute(i64::MAX));
        Ok(self.kept().in_span(std::slice::from_ref(kind), span, self.clock.now()).next().is_some())
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        let mut kept = self.kept();
        kept.coverage = kept.coverage.clone().hearing(heard);
        Ok(kept.coverage.clone())
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        Ok(self.kept().coverage.clone())
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        let kept = self.kept();
        let episodes = kept.episodes(key, self.clock.now());
        let older = episodes.len().saturating_sub(EPISODES);
        Ok(episodes.into_iter().skip(older).cloned().collect())
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        let mut kept = self.kept();
        if incident.version == 0 {
            // It may take the place of one that has expired.
            kept.forget(self.clock.now());
        }
        let episodes = kept.incidents.entry(incident.key.clone()).or_default();
        let stored = episodes.get(&incident.episode).map_or(0, |i| i.version);
        if stored != incident.version && !self.is(Mutant::UnconditionalIncidents) {
            return Ok(Write::Conflict);
        }
        episodes.insert(incident.episode, Incident { version: stored + 1, ..incident.clone() });
        Ok(Write::Done)
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        Ok(Kept::sorted(self.kept().live(self.clock.now())))
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        Ok(self.kept().all(self.clock.now()).filter(|i| i.is_open()).take(at_most).count())
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        let within = |at: Timestamp| from <= at && at < to;
        let ended = |i: &Incident| matches!(i.state, State::Resolved { at, .. } if within(at));
        Ok(Kept::sorted(self.kept().all(self.clock.now()).filter(|i| within(i.opened_at) || ended(i))))
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        let mut kept = self.kept();
        let place = (key.clone(), receiver.to_owned());
        if kept.pairs.get(&place).is_some_and(|pair| !kept.is_told_of(key, pair, self.clock.now())) {
            kept.pairs.remove(&place);
        }
        let pair = kept.pairs.entry(place).or_default();
        match &pair.held {
            Some((_, held)) if now < *held && !self.is(Mutant::LeaseForAll) => Ok(Lease::HeldUntil(*held)),
            _ => {
                pair.held = Some((owner.to_owned(), until));
                pair.touched = now;
                Ok(Lease::Granted(pair.told.clone().filter(|_| !self.is(Mutant::ToldForgotten))))
            }
        }
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        let mut kept = self.kept();
        let pair = kept.pairs.entry((key.clone(), receiver.to_owned())).or_default();
        let ours = pair.held.as_ref().is_some_and(|(holder, _)| holder == owner);
        if !ours && !self.is(Mutant::LeaseForAll) {
            return Ok(Write::Conflict);
        }
        pair.told = Some(told.clone());
        Ok(Write::Done)
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let pair = kept.pairs.entry((key.clone(), receiver.to_owned())).or_default();
        if pair.held.as_ref().is_some_and(|(holder, _)| holder == owner) {
            pair.held = None;
        }
        Ok(())
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        self.kept().pairs.values_mut().for_each(|pair| pair.held = None);
        Ok(())
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        let kept = self.kept();
        let pairs = kept.pairs.range((key.clone(), String::new())..).take_while(|((of, _), _)| of == key);
        let pairs = pairs.filter(|(_, pair)| kept.is_told_of(key, pair, self.clock.now()));
        Ok(pairs.filter_map(|((_, receiver), pair)| Some((receiver.clone(), pair.told.clone()?))).collect())
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        let mut kept = self.kept();
        kept.quarantine.retain(|id, old| *id != item.id || young(old.received_at, QUARANTINE_DAYS, self.clock.now()));
        kept.quarantine.entry(item.id.clone()).or_insert_with(|| item.clone());
        Ok(())
    }

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let kept = self.kept();
        let item = kept.quarantine.get(id).filter(|q| young(q.received_at, QUARANTINE_DAYS, self.clock.now()));
        Ok(item.map(|item| item.head.clone()))
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.kept().quarantine.remove(&item.id);
        Ok(())
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        self.kept().silences.insert(silence.id.clone(), silence.clone());
        Ok(())
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        let (kept, now) = (self.kept(), self.clock.now());
        let mut found: Vec<Silence> = kept.silences.values().filter(|s| !s.is_expired(now)).cloned().collect();
        found.sort_by(|a, b| (a.end, &a.id).cmp(&(b.end, &b.id)));
        Ok(found)
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let known = kept.summaries.entry(summary.date).or_insert_with(|| summary.clone());
        if known.made_at <= summary.made_at {
            known.clone_from(summary);
        }
        Ok(())
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        let oldest = Slot::of(self.clock.now()).day() - HISTORY_DAYS;
        let kept = self.kept();
        let within = kept.summaries.range(from..until.max(from)).map(|(_, summary)| summary);
        Ok(within.filter(|summary| i64::from(day_of(summary.date)) >= oldest).cloned().collect())
    }

    async fn keep_fired(&self, fired: &[Fired]) -> Result<(), StoreError> {
        let kept = &mut self.kept().fired;
        for Fired { event, origin, hour, id, count } in fired {
            let known = kept.entry((*hour, event.clone(), origin.clone(), id.clone())).or_default();
            *known = (*known).max(*count);
        }
        Ok(())
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        let from = from.max(self.clock.now() - days(FIRED_DAYS));
        let mut sums: BTreeMap<(String, String, Timestamp), u64> = BTreeMap::new();
        for ((hour, event, origin, _), count) in &self.kept().fired {
            if (from..to).contains(hour) {
                *sums.entry((event.clone(), origin.clone(), *hour)).or_default() += count;
            }
        }
        let hour = |((event, origin, hour), count)| FiredHour { event, origin, hour, count };
        Ok(sums.into_iter().map(hour).collect())
    }

    async fn keep_compared(&self, day: &Compared) -> Result<(), StoreError> {
        let key = (day.date, day.event.clone(), day.campaign.clone());
        self.kept().compared.insert(key, day.clone());
        Ok(())
    }

    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
        let oldest = Slot::of(self.clock.now() - days(HISTORY_DAYS)).day();
        let kept = self.kept();
        let within = kept.compared.values().filter(|day| from <= day.date && day.date < to);
        Ok(within.filter(|day| Compared::day_of(day.date) >= oldest).cloned().collect())
    }

    async fn names(&self) -> Result<Names, StoreError> {
        Ok(Names::of(self.kept().names.clone()))
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        self.kept().names.insert(of, list.clone());
        Ok(())
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        let kept = self.kept();
        let is_kept = |q: &&Quarantined| young(q.received_at, QUARANTINE_DAYS, self.clock.now());
        let within = kept.quarantine.values().filter(|q| from <= q.received_at && q.received_at < to);
        let mut found: Vec<_> = within.filter(is_kept).map(bare).collect();
        found.sort_by_key(|q| std::cmp::Reverse(q.received_at));
        Ok(found)
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        let kept = self.kept();
        let cursor = kept.cursors.get(name).filter(|(_, moved_at)| young(*moved_at, HISTORY_DAYS, self.clock.now()));
        Ok(cursor.map(|(value, _)| value.clone()))
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        let mut kept = self.kept();
        let now = self.clock.now();
        let stands = kept.cursors.get(name).filter(|(_, moved_at)| young(*moved_at, HISTORY_DAYS, now));
        if stands.map(|(value, _)| value.as_str()) != from {
            return Ok(Write::Conflict);
        }
        kept.cursors.insert(name.to_owned(), (to.to_owned(), now));
        Ok(Write::Done)
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        let key = (judged.period.end, judged.heartbeat.clone(), judged.period.start);
        self.kept().verdicts.insert(key, judged.clone());
        Ok(())
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        let kept = self.kept();
        let is_kept = |j: &&Judged| young(j.period.end, HISTORY_DAYS, self.clock.now());
        let within = kept.verdicts.values().filter(|j| from <= j.period.end && j.period.end < to);
        Ok(within.filter(is_kept).cloned().collect())
    }

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        let mut kept = self.kept();
        kept.days.entry((of.to_owned(), day.day)).or_insert_with(|| Day::unseen(day.day)).learn(day);
        Ok(())
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        let kept = self.kept();
        let oldest = Slot::of(self.clock.now()).day() - HISTORY_DAYS;
        let days = kept.days.range((of.to_owned(), from.max(oldest))..(of.to_owned(), until.max(from.max(oldest))));
        Ok(days.map(|(_, day)| day.clone()).collect())
    }

    async fn purge(&self, now: Timestamp, _limit: usize) -> Result<usize, StoreError> {
        self.kept().forget(now);
        Ok(0)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
