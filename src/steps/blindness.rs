//! tick's work on blindness: whether a silence is longer than chance explains.

use jiff::{SignedDuration, Timestamp};

use super::facts;
use super::open::{self, Opening};
use super::tick::Tick;
use crate::clock::{Minute, Span};
use crate::heartbeat::blindness;
use crate::incident::{Incident, IncidentKey, Numbers, Severity, Subject};
use crate::route::{Label, Labels};
use crate::store::{StoreError, Write};
use crate::tally::coverage::Coverage;
use crate::tally::journeys;

/// What silence was looked at last, and when.
const CURSOR: &str = "blindness";

/// How often a silence is looked at, from [`blindness::BLIND_AFTER`] on.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Pages once when nothing has arrived for longer than chance explains.
pub async fn watch(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let coverage = tick.store.coverage().await?;
    let Some(since) = blindness::silent_since(&coverage, now) else { return Ok(()) };
    let key = IncidentKey::new(&tick.config.workspace.name, &Subject::Blindness);
    if tick.store.episodes(&key).await?.last().is_some_and(Incident::is_open) {
        return Ok(());
    }
    // The counts of four weeks are read for it: too dear to read every minute of a quiet night.
    let stored = tick.store.cursor(CURSOR).await?;
    if stored.as_deref().is_some_and(|last| is_fresh(last, since, now)) {
        return Ok(());
    }
    let missing = missing(tick, &coverage, since, now).await?;
    if !blindness::is_more_than_chance(missing, now.duration_since(since)) {
        return match tick.store.move_cursor(CURSOR, stored.as_deref(), &format!("{since} {now}")).await? {
            Write::Done | Write::Conflict => Ok(()),
        };
    }
    let (severity, mut labels) = most_severe(tick);
    // Its own kind too, so that a route can tell it apart.
    labels.entry(Label::Kind).or_default().insert(0, Subject::Blindness.kind().to_owned());
    let opening = Opening {
        subject: Subject::Blindness,
        severity,
        labels,
        since,
        last: now,
        numbers: Numbers::default(),
        samples: Vec::new(),
        lines: Vec::new(),
        deliveries: Vec::new(),
        receivers: None,
    };
    open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
    Ok(())
}

/// Whether the same silence was looked at just now.
fn is_fresh(last: &str, since: Timestamp, now: Timestamp) -> bool {
    let Some((of, at)) = last.split_once(' ') else { return false };
    let (Ok(of), Ok(at)) = (of.parse::<Timestamp>(), at.parse::<Timestamp>()) else { return false };
    of == since && at <= now && now.duration_since(at) < LOOK_EVERY
}

/// How many events a silence should have brought: as many as the same hours before, day by day; at the mean rate where
/// there are none to compare with.
async fn missing(tick: &Tick<'_>, coverage: &Coverage, since: Timestamp, now: Timestamp) -> Result<f64, StoreError> {
    let zone = &tick.config.workspace.zone;
    let (mut missing, mut is_first) = (0.0, true);
    for part in blindness::parts(coverage, since, now, zone) {
        let (mut weeks, mut days) = (Vec::new(), Vec::new());
        for (counts, spans) in [(&mut weeks, part.weeks), (&mut days, part.days)] {
            for span in spans {
                counts.push(arrived(tick, span).await?);
            }
        }
        missing += match (blindness::expected(&weeks, &days), coverage.began(), blindness::by_day(since, now, zone)) {
            (Some(expected), ..) => expected,
            (None, Some(from), Some(until)) if is_first => {
                let heard = Span::new(Minute::of(from), Minute::of(now).plus(facts::AHEAD_MINUTES));
                blindness::expected_at_the_mean(arrived(tick, heard).await?, from, since, until)
            }
            (None, ..) => 0.0,
        };
        if blindness::is_more_than_chance(missing, now.duration_since(since)) {
            break;
        }
        is_first = false;
    }
    Ok(missing)
}

/// How many events of any kind there were in a span; runs are no events of their own.
async fn arrived(tick: &Tick<'_>, span: Span) -> Result<u64, StoreError> {
    let totals = tick.store.totals(None, span).await?;
    Ok(totals.iter().filter(|t| !journeys::is_beside(&t.series.kind)).map(|t| t.count).sum())
}

/// Blindness takes the route of the most severe heartbeat or rule, heartbeats first (design, Coverage).
fn most_severe(tick: &Tick<'_>) -> (Severity, Labels) {
    let heartbeats = tick.config.heartbeats.iter().map(|h| (h.severity, open::heartbeat_labels(tick.config, h)));
    let rules = tick.config.rules.iter().map(|r| (r.severity, open::rule_labels(tick.config, r)));
    let mut best: Option<(Severity, Labels)> = None;
    for (severity, labels) in heartbeats.chain(rules) {
        if best.as_ref().is_none_or(|(s, _)| severity > *s) {
            best = Some((severity, labels));
        }
    }
    best.unwrap_or_else(|| {
        (Severity::Critical, Labels::from([(Label::Severity, vec![Severity::Critical.as_str().to_owned()])]))
    })
}

#[cfg(test)]
mod tests;
