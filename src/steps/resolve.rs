//! tick's work on open incidents: what is over, what became worse, whom nobody hears any more (laws 5, 6 and 10).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::tick::Tick;
use super::{canary, facts, heartbeats, lag, open, roll_up, troubles};
use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::customerio::event::Fate;
use crate::drift::Drift;
use crate::heartbeat::blindness;
use crate::incident::{How, Incident, Member, Numbers, State, Subject};
use crate::rules::resolve::{self, Standing};
use crate::rules::{Condition, Rule, judge};
use crate::store::{Store, StoreError, Write};
use crate::tally::Total;
use crate::tally::coverage::Coverage;

/// Looks at every open incident once.
pub async fn due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    // Coverage before counts: a failure that comes in between is seen, and nothing counts as quiet that was not (law 5).
    let coverage = tick.store.coverage().await?;
    let mut incidents = tick.store.unsettled().await?;
    incidents.retain(Incident::is_open);
    let open: BTreeSet<Member> = incidents.iter().map(Incident::member).collect();
    let mut of_rules: BTreeMap<&str, (&Rule, Vec<Incident>)> = BTreeMap::new();
    for incident in incidents {
        let Some(incident) = adjusted(tick, incident, now).await? else { continue };
        let over = match &incident.subject {
            Subject::Rule { name, .. } => match tick.config.rule(name) {
                Some(rule) => {
                    of_rules.entry(&rule.name).or_insert((rule, Vec::new())).1.push(incident);
                    continue;
                }
                None => Some((How::RuleGone, incident.last)),
            },
            Subject::Heartbeat { name, period, .. } => match tick.config.heartbeat(name) {
                Some(heartbeat) => heartbeats::beats_again(tick, heartbeat, &incident, *period, now)
                    .await?
                    .map(|since| (How::Recovered, since)),
                None => Some((How::RuleGone, incident.last)),
            },
            Subject::Blindness => match blindness::silent_since(&coverage, now) {
                Some(_) => None,
                None => Some((How::Recovered, coverage.last_timely().unwrap_or(now))),
            },
            Subject::Canary { .. } => match &tick.config.canary {
                Some(_) => canary::comes_back(tick.store, incident.since, now).await?.map(|at| (How::Recovered, at)),
                None => Some((How::RuleGone, incident.last)),
            },
            Subject::Lag { .. } => lag::is_over(&coverage, now).then_some((How::Recovered, now)),
            // The look that opens them ends them too.
            Subject::Drafts { .. } => None,
            // A change is told once, and is what holds from then on; the rest is ended by the look that opens it.
            Subject::Drift { what: Drift::Trigger } => Some((How::Recovered, incident.last)),
            Subject::Drift { .. } => None,
            // A later day's comparison ends it, while the event is compared.
            Subject::Reconciliation { event, source, .. } => {
                let compared = tick.config.compared();
                let is_gone = !compared.iter().any(|e| e.name == *event && e.campaign == *source);
                is_gone.then_some((How::RuleGone, incident.last))
            }
            // Written once and told by deliver: there is nothing to wait for.
            Subject::Digest { .. } => Some((How::Quiet, incident.last)),
            Subject::RollUp { members, .. } if members.iter().any(|m| open.contains(m)) => None,
            Subject::RollUp { members, .. } => {
                roll_up::how_they_ended(tick.store, members).await?.map(|how| (how, now))
            }
        };
        if let Some((how, last)) = over {
            end(tick, &incident, how, last, now).await?;
        }
    }
    for (rule, incidents) in of_rules.into_values() {
        of_rule(tick, rule, &incidents, &coverage, now).await?;
    }
    Ok(())
}

/// An open incident of a rule.
struct Watched<'a> {
    incident: &'a Incident,
    /// Its last failure, as far as its trouble went.
    last: Timestamp,
    /// It has been quiet from then on.
    quiet_from: Timestamp,
}

impl<'a> Watched<'a> {
    fn of_rate(trouble: troubles::Ended<'a>) -> Self {
        Self { incident: trouble.incident, last: trouble.last, quiet_from: trouble.at }
    }

    fn of_count(incident: &'a Incident) -> Self {
        Self { incident, last: incident.last, quiet_from: incident.last }
    }

    /// A count is quiet from its last failure on.
    fn heed(&mut self, rule: &Rule, totals: &[Total]) {
        if let Some(last) = self.ours(rule, totals).map(|t| t.last).max() {
            (self.last, self.quiet_from) = (last, last);
        }
    }

    fn ours<'t>(&self, rule: &Rule, totals: &'t [Total]) -> impl Iterator<Item = &'t Total> {
        let incident = self.incident;
        let group = match &incident.subject {
            Subject::Rule { group, .. } => Some(group),
            _ => None,
        };
        let is_ours = move |t: &&Total| {
            t.last >= incident.since && group.is_some_and(|group| judge::in_group(rule, group, &t.series))
        };
        totals.iter().filter(is_ours)
    }

    /// Its failures among those of its rule. What a place failed after the trouble is everyday: a success after the
    /// trouble's last failure shows that it works.
    fn failing(&self, rule: &Rule, totals: &[Total]) -> Vec<Total> {
        let before = self.ours(rule, totals).filter(|t| t.first_minute <= Minute::of(self.last));
        before.map(|t| Total { last: t.last.min(self.last), ..t.clone() }).collect()
    }
}

/// One read of failures and at most one of successes for all open incidents of a rule, and for a rate first of its
/// latest windows: most ticks end there.
async fn of_rule(
    tick: &Tick<'_>,
    rule: &Rule,
    incidents: &[Incident],
    coverage: &Coverage,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_quiet = |w: &Watched| coverage.quiet_since(w.quiet_from, now) >= rule.quiet_for();
    let is_rate = matches!(rule.condition, Condition::Rate { .. });
    let mut watched: Vec<Watched> = if is_rate {
        troubles::ends(tick.store, rule, incidents, now)
            .await?
            .into_iter()
            .map(Watched::of_rate)
            .filter(is_quiet)
            .collect()
    } else {
        incidents.iter().map(Watched::of_count).collect()
    };
    let Some(begin) = watched.iter().map(|w| Minute::of(w.incident.since)).min() else { return Ok(()) };
    let end_minute = Minute::of(now).plus(facts::AHEAD_MINUTES);
    let totals = tick.store.totals(Some(&rule.events), Span::new(begin, end_minute)).await?;
    if !is_rate {
        watched.iter_mut().for_each(|w| w.heed(rule, &totals));
        watched.retain(is_quiet);
    }
    let watched: Vec<(Watched, Vec<Total>)> = watched
        .into_iter()
        .map(|w| {
            let failing = w.failing(rule, &totals);
            (w, failing)
        })
        .collect();
    let mut successes = match watched.iter().flat_map(|(_, failing)| failing).map(|t| Minute::of(t.last)).min() {
        Some(from) => tick.store.totals(Some(&resolve::paired_kinds(rule)), Span::new(from, end_minute)).await?,
        None => Vec::new(),
    };
    successes.retain(|t| t.series.fate == Fate::Counted);
    for (Watched { incident, last, quiet_from }, failing) in watched {
        let opened = incident.opened_at;
        if let Standing::Over(how) = resolve::standing(rule, &failing, &successes, quiet_from, opened, coverage, now) {
            end(tick, incident, how, last, now).await?;
        }
    }
    Ok(())
}

/// The incident when it is over: with the last numbers, for the registers behind them expire.
pub(super) async fn over(
    store: &dyn Store,
    config: &Config,
    incident: Incident,
    how: How,
    now: Timestamp,
) -> Result<Incident, StoreError> {
    let known = facts::gather(store, config, &incident, now).await?.numbers().unwrap_or(incident.numbers);
    let numbers = Numbers { count: known.count.max(incident.numbers.count), of: known.of };
    Ok(Incident { state: State::Resolved { at: now, how }, numbers, ..incident })
}

/// Writes down that an incident is over.
pub(super) async fn end(
    tick: &Tick<'_>,
    incident: &Incident,
    how: How,
    last: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let over = over(tick.store, tick.config, Incident { last, ..incident.clone() }, how, now).await?;
    match tick.store.write_incident(&over).await? {
        Write::Done => tracing::info!(event = "incident_resolved", incident = over.id(), how = ?how),
        // Somebody else changed it: the next tick looks again.
        Write::Conflict => {}
    }
    Ok(())
}

/// Follows a changed configuration: a condition that is called worse now is worse for those who heard of it (severity
/// never falls while an incident is open), and one with a receiver that is gone is routed again, as is every one where
/// routes have hours. `None` when somebody
/// else changed it: the next tick looks again.
async fn adjusted(tick: &Tick<'_>, incident: Incident, now: Timestamp) -> Result<Option<Incident>, StoreError> {
    let severity = match &incident.subject {
        Subject::Rule { name, .. } => tick.config.rule(name).map(|r| r.severity),
        Subject::Heartbeat { name, why, .. } => tick.config.heartbeat(name).map(|h| h.severity_of(why.as_ref())),
        Subject::Canary { .. } => tick.config.canary.as_ref().map(|canary| canary.severity),
        _ => None,
    };
    let severity = severity.filter(|s| *s > incident.severity);
    let unheard = incident.receivers.iter().any(|name| tick.config.receiver(name).is_none());
    // What opened at night is told to those of the day when it is still open then.
    let routed = !matches!(incident.subject, Subject::Digest { .. } | Subject::RollUp { .. });
    let by_hours = routed && tick.config.routes.iter().any(|route| !route.hours.is_empty());
    if severity.is_none() && !unheard && !by_hours {
        return Ok(Some(incident));
    }
    let routed = open::routed(tick.config, &incident, severity.unwrap_or(incident.severity), now);
    if routed == incident {
        return Ok(Some(incident));
    }
    match tick.store.write_incident(&routed).await? {
        Write::Done => Ok(Some(Incident { version: incident.version + 1, ..routed })),
        Write::Conflict => Ok(None),
    }
}
