//! What the model keeps, and what of it has expired.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Minute, Span};
use crate::customerio::app_api::names::NameList;
use crate::customerio::event::{Identity, Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::{Day, Slot};
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey, State};
use crate::reconcile::day::Compared;
use crate::silence::Silence;
use crate::store::{HISTORY_DAYS, QUARANTINE_DAYS, Quarantined, REGISTER_DAYS, SEEN_DAYS};
use crate::summary::Summary;
use crate::tally::coverage::Coverage;
use crate::tally::{Class, Series};

/// An identity's place in the seen set: its bucket and itself; the last part is empty but where a mutant counts by cause
/// as well.
pub type Place = (i64, Identity, String);

#[derive(Default)]
pub struct Kept {
    /// From which event time on buckets are how wide, both in seconds; before the first, 10 s.
    pub layouts: Vec<(i64, i64)>,
    pub seen: BTreeMap<Place, Seen>,
    pub registers: BTreeMap<(Kind, Minute), Vec<Register>>,
    pub coverage: Coverage,
    pub incidents: BTreeMap<IncidentKey, BTreeMap<u32, Incident>>,
    pub pairs: BTreeMap<(IncidentKey, String), Pair>,
    pub quarantine: BTreeMap<String, Quarantined>,
    pub silences: BTreeMap<String, Silence>,
    /// With when it was moved.
    pub cursors: BTreeMap<String, (String, Timestamp)>,
    pub verdicts: BTreeMap<(Timestamp, String, Timestamp), Judged>,
    pub days: BTreeMap<(String, i64), Day>,
    pub summaries: BTreeMap<Date, Summary>,
    /// By hour, event, origin and id.
    pub compared: BTreeMap<(Date, String, String), Compared>,
    pub fired: BTreeMap<(Timestamp, String, String, String), u64>,
    pub names: BTreeMap<SourceKind, NameList>,
}

pub struct Seen {
    pub class: Class,
    pub since: Timestamp,
}

/// Members of the seen set of one series and minute, and what the register says of them.
pub struct Register {
    pub series: Arc<Series>,
    pub members: u64,
    pub last_member: Timestamp,
    pub count: u64,
    pub last: Timestamp,
}

#[derive(Default)]
pub struct Pair {
    pub told: Option<Told>,
    pub held: Option<(String, Timestamp)>,
    pub touched: Timestamp,
}

pub fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

/// Whether something of this age is still kept.
pub fn young(since: Timestamp, kept_days: i64, now: Timestamp) -> bool {
    now.duration_since(since) < days(kept_days)
}

fn is_kept(incident: &Incident, now: Timestamp) -> bool {
    !matches!(incident.state, State::Resolved { at, .. } if !young(at, HISTORY_DAYS, now))
}

impl Kept {
    /// Which bucket an event's own time falls into.
    pub fn bucket(&self, stamp: Option<Timestamp>) -> i64 {
        let Some(at) = stamp.map(Timestamp::as_second) else { return 0 };
        let width = self.layouts.iter().rev().find(|(from, _)| *from <= at).map_or(10, |(_, width)| *width);
        at.div_euclid(width) * width
    }

    pub fn register(&mut self, class: &Class) -> &mut Register {
        let slots = self.registers.entry((class.series.kind.clone(), Minute::of(class.at))).or_default();
        let place = slots.iter().position(|r| *r.series == class.series).unwrap_or(slots.len());
        if place == slots.len() {
            let series = Arc::new(class.series.clone());
            let first = Timestamp::MIN;
            slots.push(Register { series, members: 0, last_member: first, count: 0, last: first });
        }
        &mut slots[place]
    }

    pub fn in_span<'a>(
        &'a self,
        kinds: &'a [Kind],
        span: Span,
        now: Timestamp,
    ) -> impl Iterator<Item = (Minute, &'a Register)> {
        let mut kinds: Vec<&Kind> = kinds.iter().collect();
        kinds.sort();
        kinds.dedup();
        let kept_from = Minute::of(now - days(REGISTER_DAYS)).plus(1).max(span.from);
        kinds.into_iter().filter(move |_| kept_from < span.to).flat_map(move |kind| {
            let range = self.registers.range((kind.clone(), kept_from)..(kind.clone(), span.to));
            range.flat_map(|((_, minute), slots)| {
                slots.iter().filter(|r| r.count > 0).map(move |register| (*minute, register))
            })
        })
    }

    /// Every incident that is kept.
    pub fn all(&self, now: Timestamp) -> impl Iterator<Item = &Incident> {
        self.incidents.values().flat_map(BTreeMap::values).filter(move |incident| is_kept(incident, now))
    }

    pub fn sorted<'a>(found: impl Iterator<Item = &'a Incident>) -> Vec<Incident> {
        let mut found: Vec<Incident> = found.cloned().collect();
        found.sort_by(|a, b| (a.opened_at, &a.key, a.episode).cmp(&(b.opened_at, &b.key, b.episode)));
        found
    }

    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Incident> {
        self.all(now).filter(|i| i.is_open() || !i.settled)
    }

    pub fn episodes(&self, key: &IncidentKey, now: Timestamp) -> Vec<&Incident> {
        let all = self.incidents.get(key).into_iter().flat_map(BTreeMap::values);
        all.filter(|incident| is_kept(incident, now)).collect()
    }

    /// Whether what is known of a pair is still kept.
    pub fn is_told_of(&self, key: &IncidentKey, pair: &Pair, now: Timestamp) -> bool {
        young(pair.touched, HISTORY_DAYS, now) || !self.episodes(key, now).is_empty()
    }

    /// Deletes what has expired.
    pub fn forget(&mut self, now: Timestamp) {
        self.seen.retain(|_, seen| young(seen.since, SEEN_DAYS, now));
        self.registers.retain(|(_, minute), _| young(minute.start(), REGISTER_DAYS, now));
        self.quarantine.retain(|_, q| young(q.received_at, QUARANTINE_DAYS, now));
        self.verdicts.retain(|(end, ..), _| young(*end, HISTORY_DAYS, now));
        self.days.retain(|(_, day), _| Slot::of(now).day() - day <= HISTORY_DAYS);
        self.cursors.retain(|_, (_, moved_at)| young(*moved_at, HISTORY_DAYS, now));
        self.silences.retain(|_, silence| !silence.is_expired(now));
        self.incidents.values_mut().for_each(|episodes| episodes.retain(|_, incident| is_kept(incident, now)));
        let Self { incidents, pairs, .. } = self;
        pairs.retain(|(key, _), pair| {
            incidents.get(key).is_some_and(|e| !e.is_empty()) || young(pair.touched, HISTORY_DAYS, now)
        });
    }
}

pub fn bare(item: &Quarantined) -> Quarantined {
    Quarantined { head: Vec::new(), ..item.clone() }
}
