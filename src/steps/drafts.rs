//! tick's work on drafts that nobody sends: opens a warning a source, and ends it, four times an hour.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::open::{self, Opening};
use super::tick::Tick;
use super::{facts, resolve};
use crate::clock::{Minute, Span};
use crate::customerio::event::{Fate, Kind, Source};
use crate::heartbeat::drafts;
use crate::incident::{How, Incident, Numbers, Severity, Subject};
use crate::message::compose::Facts;
use crate::route::Label;
use crate::store::{Store, StoreError, Write};
use crate::tally::coverage::Coverage;
use crate::tally::{Series, Total};

/// Where the cursor stands: the last quarter of an hour in which somebody looked.
const CURSOR: &str = "drafts";

/// What waits for hours is found early enough.
const EVERY_MINUTES: i64 = 15;

/// What the look at an open incident goes back at most: beyond [`drafts::WITHIN`], to see its last drafts get old.
const BACK: SignedDuration = SignedDuration::from_hours(48);

/// Looks at the drafts of the last day, once in a quarter of an hour.
pub async fn watch_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let slot = Minute::of(now).0.div_euclid(EVERY_MINUTES).to_string();
    let stored = tick.store.cursor(CURSOR).await?;
    if stored.as_deref() == Some(&slot) {
        return Ok(());
    }
    // Coverage before counts: a draft that comes in between is seen, and never old because it was not.
    let coverage = tick.store.coverage().await?;
    let mut open = tick.store.unsettled().await?;
    open.retain(|i| i.is_open() && matches!(i.subject, Subject::Drafts { .. }));
    let waiting = Waiting::read(tick.store, drafts::WITHIN, now).await?;
    for (source, totals) in drafts::stuck(&waiting.unsent, now) {
        if !is_ignored(tick, &source) {
            open::open(tick.store, tick.outbox, tick.config, opening(tick, source, &totals, now), now).await?;
        }
    }
    for incident in &open {
        // From its own first draft on: what was sent before it says nothing of it.
        let back = now.duration_since(incident.since).min(BACK);
        let waiting = Waiting::read(tick.store, back, now).await?;
        if let Some((how, last)) = over(tick, incident, &waiting, &coverage, now) {
            resolve::end(tick, incident, how, last, now).await?;
        }
    }
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &slot).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// The drafts of some time, and those of them that wait.
#[derive(Default)]
struct Waiting {
    drafts: Vec<Total>,
    unsent: Vec<Total>,
}

impl Waiting {
    /// Most workspaces have no drafts: then it costs one small read a channel. What was sent is read only when there
    /// are some, of their channels, and from the first of them on.
    async fn read(store: &dyn Store, back: SignedDuration, now: Timestamp) -> Result<Self, StoreError> {
        let span = Span::new(Minute::of(now - back), Minute::of(now).plus(facts::AHEAD_MINUTES));
        let mut kinds: Vec<Kind> = Vec::new();
        for kind in drafts::kinds() {
            if store.heard(&kind, span.from).await? {
                kinds.push(kind);
            }
        }
        if kinds.is_empty() {
            return Ok(Self::default());
        }
        let mut drafts = store.totals(Some(&kinds), span).await?;
        drafts.retain(|t| t.series.fate == Fate::Counted);
        let Some(first) = drafts.iter().map(|t| t.first_minute).min() else { return Ok(Self::default()) };
        let sent: BTreeSet<Kind> = drafts.iter().filter_map(|t| t.series.kind.paired_success()).collect();
        let sent = store.totals(Some(&Vec::from_iter(sent)), Span::new(first, span.to)).await?;
        Ok(Self { unsent: drafts::unsent(&drafts, &sent), drafts })
    }
}

fn is_ignored(tick: &Tick<'_>, source: &Source) -> bool {
    let source = source.to_string();
    tick.config.ignore.sources.iter().any(|glob| glob.matches(&source))
}

fn opening(tick: &Tick<'_>, source: Source, totals: &[Total], now: Timestamp) -> Opening {
    let count = totals.iter().map(|t| t.count).sum();
    let series: Vec<Series> = totals.iter().map(|t| (*t.series).clone()).collect();
    let subject = Subject::Drafts { source };
    let mut labels = open::labels(tick.config, Severity::Warning, &subject, "", &series);
    labels.remove(&Label::Rule);
    Opening {
        subject,
        severity: Severity::Warning,
        labels,
        since: totals.iter().map(|t| t.first_minute.start()).min().unwrap_or(now),
        // It goes on: they wait still.
        last: now,
        numbers: Numbers { count, of: count },
        samples: Vec::new(),
        lines: Vec::new(),
        deliveries: Vec::new(),
        receivers: None,
    }
}

/// How and when the drafts of an open incident ended: sent, or none is left of a day that we heard.
fn over(
    tick: &Tick<'_>,
    incident: &Incident,
    waiting: &Waiting,
    coverage: &Coverage,
    now: Timestamp,
) -> Option<(How, Timestamp)> {
    let Subject::Drafts { source } = &incident.subject else { return None };
    if is_ignored(tick, source) {
        return Some((How::RuleGone, incident.last));
    }
    let last = |totals: &[Total]| totals.iter().filter(|t| t.series.source == *source).map(|t| t.last).max();
    match (last(&waiting.unsent), last(&waiting.drafts)) {
        (None, Some(last)) => Some((How::Recovered, last)),
        (unsent, _) => {
            let last = unsent.unwrap_or(incident.since);
            (coverage.quiet_since(last, now) >= drafts::WITHIN).then_some((How::Quiet, last))
        }
    }
}

/// The drafts that wait, for a message; and the metrics whose arrival would show that they are sent, where none comes.
pub async fn facts(
    store: &dyn Store,
    source: &Source,
    incident: &Incident,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let back = now.duration_since(incident.since).min(BACK);
    let mut failing = Waiting::read(store, back, now).await?.unsent;
    failing.retain(|t| t.series.source == *source);
    let pairs: BTreeSet<Kind> = failing.iter().filter_map(|t| t.series.kind.paired_success()).collect();
    let unheard = facts::unheard(store, &pairs, now).await?;
    Ok(Facts { failing, unheard, ..Facts::default() })
}
