//! The numbers behind a message, read from registers when it is composed.

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::customerio::event::{Fate, Kind};
use crate::incident::{Incident, Subject};
use crate::message::compose::Facts;
use crate::rules::{Rule, judge, resolve};
use crate::store::{Store, StoreError};
use crate::tally::Total;

/// A paired metric that has not arrived for this long is taken as not subscribed (design, law 6).
const UNHEARD_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Reads what a message about this incident says in numbers.
pub async fn gather(
    store: &dyn Store,
    config: &Config,
    incident: &Incident,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let Subject::Rule { name, group } = &incident.subject else { return Ok(Facts::default()) };
    let Some(rule) = config.rule(name) else { return Ok(Facts::default()) };
    let span = span_of(incident, now);
    let failing = failing(store, rule, incident, span).await?;
    let mut rate_kinds: Vec<Kind> =
        failing.iter().filter_map(|t| Some(t.series.kind.with_metric(t.series.kind.row()?.rate_of?))).collect();
    rate_kinds.sort();
    rate_kinds.dedup();
    let mut others = store.totals(Some(&rate_kinds), span).await?;
    others.retain(|t| judge::beside_group(rule, group, &t.series));
    let unheard = unheard_pairs(store, &failing, now).await?;
    Ok(Facts { failing, others, unheard })
}

/// The minutes that an incident's failures may lie in.
pub fn span_of(incident: &Incident, now: Timestamp) -> Span {
    // The sender's clock may run a few minutes ahead of ours.
    Span::new(Minute::of(incident.since), Minute::of(now).plus(10))
}

/// The failures of an incident's group, by series.
pub async fn failing(
    store: &dyn Store,
    rule: &Rule,
    incident: &Incident,
    span: Span,
) -> Result<Vec<Total>, StoreError> {
    let Subject::Rule { group, .. } = &incident.subject else { return Ok(Vec::new()) };
    let mut totals = store.totals(Some(&rule.events), span).await?;
    totals.retain(|t| judge::in_group(rule, group, &t.series));
    Ok(totals)
}

/// Successes that would show an incident is over.
pub async fn successes(store: &dyn Store, rule: &Rule, span: Span) -> Result<Vec<Total>, StoreError> {
    let mut totals = store.totals(Some(&resolve::paired_kinds(rule)), span).await?;
    totals.retain(|t| t.series.fate == Fate::Counted);
    Ok(totals)
}

/// Paired metrics of failing kinds that never arrive: nobody subscribed them, so nothing can show the trouble over.
async fn unheard_pairs(store: &dyn Store, failing: &[Total], now: Timestamp) -> Result<Vec<Kind>, StoreError> {
    let mut pairs: Vec<Kind> = failing.iter().filter_map(|t| t.series.kind.paired_success()).collect();
    pairs.sort();
    pairs.dedup();
    let span = Span::new(Minute::of(now - UNHEARD_AFTER), Minute::of(now).plus(10));
    let heard = store.totals(Some(&pairs), span).await?;
    pairs.retain(|pair| !heard.iter().any(|t| t.series.kind == *pair));
    Ok(pairs)
}
