//! A local day of the workspace in one item: what the page draws, so that it reads a day as one thing, however many
//! workflows there are. Pure; `steps/summary.rs` writes it, and every number in it follows from registers, verdicts and
//! incidents.

pub mod hours;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use self::hours::{Hours, LONGEST_DAY};
use crate::clock::{Minute, Span};
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Fate, Kind, Source};
use crate::customerio::metric::{self, Class};
use crate::customerio::provider::Provider;
use crate::heartbeat::{Heartbeat, Verdict, period};
use crate::message::{Link, Message, providers};
use crate::reconcile::day::Compared;
use crate::runbook;
use crate::tally::Total;

/// A local day. Of several made of one day the latest stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub date: Date,
    pub made_at: Timestamp,
    /// Minutes of the day, or of what of it is over, that were covered, and how many there are.
    pub covered: i64,
    pub minutes: i64,
    /// By heartbeat, in the configuration's order.
    pub workflows: Vec<Workflow>,
    /// Of channels and metrics that fail or are what failures are taken of.
    pub kinds: Vec<Row<()>>,
    /// Failures by cause.
    pub causes: Vec<Row<CauseKey>>,
    /// What mailbox providers decide on, and what it is taken of.
    pub providers: Vec<Row<Provider>>,
    /// Of today: what is told of incidents that are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Telling>,
    /// Of today: each event's day that was compared last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<Compared>,
}

/// A heartbeat's day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    #[serde(rename = "n")]
    pub name: String,
    /// Beats.
    #[serde(rename = "h")]
    pub hours: Hours,
    /// What is learned: between what 95 % of such days are.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<(u64, u64)>,
    /// What is learned: expected by hour, in tenths.
    #[serde(rename = "e", default, skip_serializing_if = "Hours::is_empty")]
    pub expected_tenths: Hours,
    /// Of periods that were due on the day: the worst; while the day goes on the latest. `None` before the first.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// While what is usual is being learned: covered days so far, and how many are needed.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<(u32, u32)>,
}

/// Counts of a kind by hour, and of what else tells them apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row<T> {
    #[serde(rename = "k")]
    pub kind: Kind,
    #[serde(rename = "b")]
    pub by: T,
    #[serde(rename = "h")]
    pub hours: Hours,
}

/// What is said of an open incident, and to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    pub incident: String,
    /// When it was composed.
    pub composed_at: Timestamp,
    pub headline: String,
    /// Name and value.
    pub fields: Vec<(String, String)>,
    pub samples: Vec<String>,
    pub lines: Vec<String>,
    pub steps: Vec<String>,
    /// Text and address.
    pub links: Vec<(String, String)>,
    /// A line a receiver: what it knows.
    pub told: Vec<String>,
}

impl Telling {
    pub fn of(message: Message, told: Vec<String>, now: Timestamp) -> Self {
        Self {
            incident: message.incident,
            composed_at: now,
            headline: message.headline,
            fields: message.fields.into_iter().map(|field| (field.name.to_owned(), field.value)).collect(),
            samples: message.samples,
            lines: message.lines,
            steps: message.steps,
            links: links(message.runbook, message.links),
            told,
        }
    }
}

/// The links of a message; the runbook's is the bridge's own page where nothing else is configured.
fn links(section: Option<&str>, links: Vec<Link>) -> Vec<(String, String)> {
    let is_linked = links.iter().any(|link| link.text == runbook::TEXT);
    let own = section.filter(|_| !is_linked);
    let own = own.map(|section| (runbook::TEXT.to_owned(), format!("{}#{section}", runbook::PATH)));
    own.into_iter().chain(links.into_iter().map(|link| (link.text, link.href))).collect()
}

impl Summary {
    /// A day of which nothing is known.
    pub fn unseen(date: Date, made_at: Timestamp) -> Self {
        Self {
            date,
            made_at,
            covered: 0,
            minutes: 0,
            workflows: Vec::new(),
            kinds: Vec::new(),
            causes: Vec::new(),
            providers: Vec::new(),
            open: Vec::new(),
            compared: Vec::new(),
        }
    }

    /// Whether it says the same as another one, made at another time.
    pub fn says_the_same(&self, other: &Self) -> bool {
        *self == Self { made_at: self.made_at, ..other.clone() }
    }

    pub fn workflow(&self, name: &str) -> Option<&Workflow> {
        self.workflows.iter().find(|workflow| workflow.name == name)
    }

    /// With what was counted in these hours in place of what it had of them.
    pub fn counting(&mut self, heartbeats: &[Heartbeat], hours: &[Hour<'_>]) {
        let mut beats = Grid::of(self.workflows.iter().map(|w| (w.name.clone(), &w.hours)));
        let mut kinds = Grid::of(self.kinds.iter().map(|row| ((row.kind.clone(), ()), &row.hours)));
        let mut causes = Grid::of(self.causes.iter().map(|row| ((row.kind.clone(), row.by.clone()), &row.hours)));
        let mut providers = Grid::of(self.providers.iter().map(|row| ((row.kind.clone(), row.by.clone()), &row.hours)));
        let of_source = by_source(heartbeats);
        for Hour { at, totals } in hours {
            beats.clear(*at);
            kinds.clear(*at);
            causes.clear(*at);
            providers.clear(*at);
            for total in totals.iter().filter(|total| total.series.fate == Fate::Counted) {
                let (series, count) = (&total.series, total.count);
                for heartbeat in of_source.get(&series.source).into_iter().flatten() {
                    if heartbeat.counts(series) {
                        beats.add(heartbeat.name.clone(), *at, count);
                    }
                }
                let kind = &series.kind;
                if !is_kept(kind) {
                    continue;
                }
                kinds.add((kind.clone(), ()), *at, count);
                if let (Some(cause), true) = (&series.cause, is_failure(kind)) {
                    causes.add((kind.clone(), cause.clone()), *at, count);
                }
                let mail = kind.channel == "email" && matches!(&*kind.metric, "sent" | "delivered");
                if (mail || providers::decides(kind)) && series.provider.is_known() {
                    providers.add((kind.clone(), folded(&series.provider)), *at, count);
                }
            }
        }
        self.kinds = kinds.rows();
        self.causes = causes.rows();
        self.providers = providers.rows();
        let mut known: HashMap<String, Workflow> = self.workflows.drain(..).map(|w| (w.name.clone(), w)).collect();
        let workflow = |heartbeat: &Heartbeat| {
            let hours = beats.hours(&heartbeat.name);
            match known.remove(&heartbeat.name) {
                Some(known) => Workflow { hours, ..known },
                None => Workflow {
                    name: heartbeat.name.clone(),
                    hours,
                    usual: None,
                    expected_tenths: Hours::default(),
                    verdict: None,
                    learning: None,
                },
            }
        };
        self.workflows = heartbeats.iter().map(workflow).collect();
    }
}

/// All domains that are on no list are one row.
fn folded(provider: &Provider) -> Provider {
    if provider.title().is_some() { provider.clone() } else { Provider::unlisted() }
}

/// What was counted in an hour of a day.
pub struct Hour<'t> {
    /// Since the day began.
    pub at: usize,
    pub totals: &'t [Total],
}

fn by_source(heartbeats: &[Heartbeat]) -> HashMap<&Source, Vec<&Heartbeat>> {
    let mut of: HashMap<&Source, Vec<&Heartbeat>> = HashMap::new();
    for heartbeat in heartbeats {
        of.entry(&heartbeat.source).or_default().push(heartbeat);
    }
    of
}

/// Whether a message of this kind is in trouble for good.
pub fn is_failure(kind: &Kind) -> bool {
    kind.row().is_some_and(|row| row.class == Class::Failure)
}

/// Trouble, for good or for now, and what it is taken of.
fn is_kept(kind: &Kind) -> bool {
    metric::row(&kind.metric).is_some_and(|row| matches!(row.class, Class::Failure | Class::Transient | Class::Success))
}

/// Counts by key and hour.
struct Grid<K>(BTreeMap<K, [u64; LONGEST_DAY]>);

impl<K: Ord> Grid<K> {
    fn of<'h>(rows: impl Iterator<Item = (K, &'h Hours)>) -> Self {
        Self(rows.map(|(key, hours)| (key, hours.padded())).collect())
    }

    fn clear(&mut self, hour: usize) {
        self.0.values_mut().filter_map(|hours| hours.get_mut(hour)).for_each(|count| *count = 0);
    }

    fn add(&mut self, key: K, hour: usize, count: u64) {
        if let Some(known) = self.0.entry(key).or_insert([0; LONGEST_DAY]).get_mut(hour) {
            *known = known.saturating_add(count);
        }
    }

    fn hours<Q: Ord + ?Sized>(&self, key: &Q) -> Hours
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key).map(|hours| Hours::of(hours)).unwrap_or_default()
    }
}

impl<T> Grid<(Kind, T)> {
    fn rows(self) -> Vec<Row<T>> {
        let rows = self.0.into_iter().map(|((kind, by), hours)| Row { kind, by, hours: Hours::of(&hours) });
        rows.filter(|row| !row.hours.is_empty()).collect()
    }
}

/// The first instant of a local day, and of the next.
pub fn ends(date: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    (period::midnight(date, zone), period::midnight(date.saturating_add(1.day()), zone))
}

/// Which hour of a local day an instant lies in.
pub fn hour_of(at: Timestamp, date: Date, zone: &TimeZone) -> usize {
    let hours = at.duration_since(ends(date, zone).0).as_hours();
    usize::try_from(hours).unwrap_or_default().min(LONGEST_DAY - 1)
}

/// The minutes of an hour of a local day; none after the day's end.
pub fn span_of(hour: usize, date: Date, zone: &TimeZone) -> Span {
    let (from, to) = ends(date, zone);
    let start = from + SignedDuration::from_hours(hour as i64);
    Span::new(Minute::of(start.min(to)), Minute::of((start + SignedDuration::from_hours(1)).min(to)))
}

#[cfg(test)]
mod tests;
