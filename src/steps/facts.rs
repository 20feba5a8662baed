//! The numbers behind a message, read from registers when it is composed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{canary, learned};
use crate::clock::{Minute, Span, minutes};
use crate::config::Config;
use crate::customerio::event::{Kind, Source};
use crate::heartbeat::{Heartbeat, verdict};
use crate::incident::{Incident, Subject};
use crate::message::compose::Facts;
use crate::rules::{Rule, judge};
use crate::store::{Store, StoreError};
use crate::tally::Total;
use crate::tally::journeys::{self, JOURNEY};

/// A metric that has not arrived for this long is taken as not subscribed (design, law 6).
const UNHEARD_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Reads what a message about this incident says in numbers.
pub async fn gather(
    store: &dyn Store,
    config: &Config,
    incident: &Incident,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let (name, group) = match &incident.subject {
        Subject::Rule { name, group } => (name, group),
        Subject::Blindness => {
            let coming_late = store.coverage().await?.is_late(now);
            return Ok(Facts { coming_late, canary: canary::standing(store, config, now).await?, ..Facts::default() });
        }
        Subject::Canary { .. } => {
            return Ok(Facts { canary: canary::standing(store, config, now).await?, ..Facts::default() });
        }
        Subject::RollUp { members, .. } => {
            let mut open = store.unsettled().await?;
            open.retain(|i| i.is_open() && members.contains(&i.member()));
            return Ok(Facts { members_open: Some(open), ..Facts::default() });
        }
        Subject::Lag { .. } => {
            let window = store.coverage().await?.lag().window(Minute::of(now));
            return Ok(Facts { lag: Some(window), ..Facts::default() });
        }
        Subject::Drafts { source } => return super::drafts::facts(store, source, incident, now).await,
        Subject::Heartbeat { name, period, .. } => {
            let Some(heartbeat) = config.heartbeat(name) else { return Ok(Facts::default()) };
            let span = verdict::judged_span(*period);
            let approximate = approximate(store, heartbeat, span).await?;
            let settling = learned::settling(store, heartbeat, now).await?;
            return Ok(Facts { approximate, settling, ..Facts::default() });
        }
        Subject::Drift { .. } | Subject::Reconciliation { .. } => return Ok(Facts::default()),
        Subject::Digest { .. } => return Ok(Facts::default()),
    };
    let Some(rule) = config.rule(name) else { return Ok(Facts::default()) };
    let span = span_of(incident, now);
    let failing = failing(store, rule, incident, span).await?;
    let rate_of = |t: &Total| Some(t.series.kind.with_metric(t.series.kind.row()?.rate_of?));
    let rate_kinds: BTreeSet<Kind> = failing.iter().filter_map(rate_of).collect();
    // What they are taken of begins with the window that the first of them ended.
    let window = Span::new(span.from.plus(-minutes(rule.within())), span.to);
    let mut others = store.totals(Some(&Vec::from_iter(rate_kinds.iter().cloned())), window).await?;
    let sources: BTreeSet<&Source> = failing.iter().map(|t| &t.series.source).collect();
    others.retain(|t| judge::beside_group(rule, group, &t.series) && sources.contains(&t.series.source));
    let pairs: BTreeSet<Kind> = failing.iter().filter_map(|t| t.series.kind.paired_success()).collect();
    let sends_heard = unheard(store, &rate_kinds, now).await?.len() < rate_kinds.len();
    let unheard = unheard(store, &pairs, now).await?;
    Ok(Facts { failing, others, unheard, sends_heard, ..Facts::default() })
}

/// How many of the runs that a heartbeat counts in a span have ids that hold no time; of any other heartbeat none.
pub async fn approximate(store: &dyn Store, heartbeat: &Heartbeat, span: Span) -> Result<u64, StoreError> {
    if heartbeat.event != JOURNEY {
        return Ok(0);
    }
    Ok(journeys::approximate(&store.totals(Some(&[JOURNEY]), span).await?, heartbeat))
}

/// The sender's clock may run a few minutes ahead of ours: events of up to 5 min ahead keep their own time.
pub const AHEAD_MINUTES: i64 = 10;

/// The minutes that an incident's failures may lie in.
pub fn span_of(incident: &Incident, now: Timestamp) -> Span {
    Span::new(Minute::of(incident.since), Minute::of(now).plus(AHEAD_MINUTES))
}

/// The failures of an incident's group, by series.
async fn failing(store: &dyn Store, rule: &Rule, incident: &Incident, span: Span) -> Result<Vec<Total>, StoreError> {
    let Subject::Rule { group, .. } = &incident.subject else { return Ok(Vec::new()) };
    let mut totals = store.totals(Some(&rule.events), span).await?;
    totals.retain(|t| judge::in_group(rule, group, &t.series));
    Ok(totals)
}

/// Those of these kinds that have not arrived in a week: most likely nobody subscribed them.
pub(super) async fn unheard(
    store: &dyn Store,
    kinds: &BTreeSet<Kind>,
    now: Timestamp,
) -> Result<Vec<Kind>, StoreError> {
    let mut unheard = Vec::new();
    for kind in kinds {
        if !store.heard(kind, Minute::of(now - UNHEARD_AFTER)).await? {
            unheard.push(kind.clone());
        }
    }
    Ok(unheard)
}
