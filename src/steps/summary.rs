//! tick's work on the page: writes the local day down in one item ([`Summary`]), so that who looks reads a few items.
//!
//! Every five minutes the last two hours are read again, and every hour all of today. A day that is over is read again
//! while late events may still change it: yesterday every six hours, each of the seven days before once a day.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::tick::Tick;
use super::{facts, learned, names};
use crate::clock::{Minute, Span};
use crate::customerio::event::TOO_LATE_DAYS;
use crate::heartbeat::history::Slot;
use crate::heartbeat::learned::{Learned, MIN_DAYS, Profile, local};
use crate::heartbeat::{Expect, Heartbeat, Judged, Verdict};
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, Subject};
use crate::message::{Phase, compose, text};
use crate::reconcile::day::Compared;
use crate::store::{Store, StoreError};
use crate::summary::hours::{Hours, LONGEST_DAY};
use crate::summary::{self, Hour, Summary, Telling, Workflow};
use crate::tally::coverage::Coverage;

/// Days before today that the page shows: those that are missing are written down, after an update for instance.
pub const SHOWN_DAYS: i64 = 14;

/// Missing days written down at a time: each is a day's reading.
const MISSING_AT_ONCE: usize = 2;

/// Open incidents of which more is kept than what they are: an item has a size.
pub const TOLD_IN_FULL: usize = 30;

/// Writes down what is new: every five minutes, and at once where incidents are open.
pub async fn due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let today = tick.config.workspace.zone.to_datetime(now).date();
    let known = tick.store.summaries(today, today.saturating_add(1.day())).await?.pop();
    let is_new = known.as_ref().is_none_or(|known| Slot::of(known.made_at) != Slot::of(now));
    let mut open = tick.store.unsettled().await?;
    open.retain(|incident| incident.is_open() && is_shown(incident));
    if !is_new && open.is_empty() && known.as_ref().is_none_or(|known| known.open.is_empty()) {
        return Ok(());
    }
    let coverage = tick.store.coverage().await?;
    let mut day = known.clone().unwrap_or_else(|| Summary::unseen(today, now));
    day.made_at = now;
    if is_new {
        let hour = summary::hour_of(now, today, &tick.config.workspace.zone);
        let before = known.as_ref().map(|known| summary::hour_of(known.made_at, today, &tick.config.workspace.zone));
        // A heartbeat that was configured since has nothing of the hours before.
        let is_new_hour =
            before != Some(hour) || tick.config.heartbeats.iter().any(|h| day.workflow(&h.name).is_none());
        let first = if is_new_hour { 0 } else { hour.saturating_sub(1) };
        look(tick, &mut day, first..hour + 1, &coverage, now).await?;
        if is_new_hour || !day.workflows.iter().any(|w| w.usual.is_some()) {
            expect(tick, &mut day).await?;
        }
        if is_new_hour && tick.config.reconciliation.is_some() {
            day.compared = compared(tick, today).await?;
        }
    }
    day.open = tellings(tick, known.as_ref(), open, is_new, now).await?;
    if known.as_ref().is_none_or(|known| !known.says_the_same(&day)) {
        tick.store.keep_summary(&day).await?;
    }
    if is_new {
        earlier_days(tick, known.as_ref(), today, &coverage, now).await?;
    }
    Ok(())
}

/// Days that are looked through for one that was compared: the wait for late events is at most seven.
const COMPARED_WITHIN: i64 = 10;

/// Each event's day that was compared last.
async fn compared(tick: &Tick<'_>, today: Date) -> Result<Vec<Compared>, StoreError> {
    let mut newest: BTreeMap<(String, String), Compared> = BTreeMap::new();
    for day in tick.store.compared(today.saturating_sub(COMPARED_WITHIN.days()), today).await? {
        newest.insert((day.event.clone(), day.campaign.clone()), day);
    }
    Ok(newest.into_values().collect())
}

/// Digests and roll-ups only tell of others.
pub fn is_shown(incident: &Incident) -> bool {
    !matches!(incident.subject, Subject::Digest { .. } | Subject::RollUp { .. })
}

/// Reads these hours of a day again, what is covered of it, and the verdicts.
async fn look(
    tick: &Tick<'_>,
    day: &mut Summary,
    hours: Range<usize>,
    coverage: &Coverage,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let (from, to) = summary::ends(day.date, zone);
    let mut read = Vec::new();
    for hour in hours.start..hours.end.min(LONGEST_DAY) {
        let span = summary::span_of(hour, day.date, zone);
        // A clock that runs ahead of ours: its events of the next minutes are of this hour's look already.
        let is_last = hour + 1 == hours.end && span.contains(Minute::of(now));
        let span = if is_last { Span::new(span.from, span.to.plus(facts::AHEAD_MINUTES)) } else { span };
        if !span.is_empty() {
            read.push((hour, tick.store.totals(None, span).await?));
        }
    }
    let read: Vec<Hour<'_>> = read.iter().map(|(at, totals)| Hour { at: *at, totals }).collect();
    day.counting(&tick.config.heartbeats, &read);
    let until = now.min(to);
    let span = Span::new(Minute::of(from), Minute::of(until));
    (day.covered, day.minutes) = (coverage.minutes_covered(span, now).min(span.len()), span.len());
    let verdicts = tick.store.verdicts(from, to + super::digest::LONGEST_PERIOD).await?;
    let is_over = to <= now;
    for workflow in &mut day.workflows {
        let ours = verdicts.iter().filter(|judged| judged.heartbeat == workflow.name);
        workflow.verdict = verdict(ours.filter(|j| from < j.period.due && j.period.due <= to), is_over);
    }
    Ok(())
}

/// Of a day that is over the worst, of one that goes on the latest.
fn verdict<'j>(of: impl Iterator<Item = &'j Judged>, is_over: bool) -> Option<Verdict> {
    let badness = |verdict: &Verdict| match verdict {
        Verdict::Ok => 0,
        Verdict::Unknown => 1,
        Verdict::High => 2,
        Verdict::Low => 3,
    };
    match is_over {
        true => of.map(|judged| judged.verdict).max_by_key(badness),
        false => of.max_by_key(|judged| judged.period.due).map(|judged| judged.verdict),
    }
}

/// What is expected of the day, of workflows of which that is learned.
async fn expect(tick: &Tick<'_>, day: &mut Summary) -> Result<(), StoreError> {
    for heartbeat in tick.config.heartbeats.iter().filter(|h| h.expect == Expect::Learned) {
        let learned = learned::known(tick.store, heartbeat).await?;
        let Some(workflow) = day.workflows.iter_mut().find(|w| w.name == heartbeat.name) else { continue };
        match learned {
            Some(Learned::Ready(profile)) => usual(tick, workflow, heartbeat, &profile, day.date),
            Some(Learned::Learning { covered_days, needed_days }) => {
                workflow.learning = Some((covered_days as u32, needed_days.ceil() as u32));
            }
            None => workflow.learning = Some((0, MIN_DAYS as u32)),
        }
    }
    Ok(())
}

fn usual(tick: &Tick<'_>, workflow: &mut Workflow, heartbeat: &Heartbeat, profile: &Profile, date: Date) {
    workflow.learning = None;
    if heartbeat.except.contains(&date) {
        (workflow.usual, workflow.expected_tenths) = (None, Hours::default());
        return;
    }
    let zone = &tick.config.workspace.zone;
    let band = profile.day_band(local::day_of(date));
    workflow.usual = Some((band.low, band.high));
    let tenths = |hour: usize| {
        let span = summary::span_of(hour, date, zone);
        (profile.expected(span.from.start(), span.to.start(), zone, &[]) * 10.0).round() as u64
    };
    workflow.expected_tenths = Hours::of(&(0..LONGEST_DAY).map(tenths).collect::<Vec<_>>());
}

/// Days before today that late events may have changed, and those that nobody has written down.
async fn earlier_days(
    tick: &Tick<'_>,
    known: Option<&Summary>,
    today: Date,
    coverage: &Coverage,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let Some(began) = coverage.began() else { return Ok(()) };
    let began = zone.to_datetime(began).date();
    let kept = tick.store.summaries(today.saturating_sub(SHOWN_DAYS.days()), today).await?;
    let hour = summary::hour_of(now, today, zone);
    let is_new_hour = known.is_none_or(|known| summary::hour_of(known.made_at, today, zone) != hour);
    let mut missing = 0;
    for ago in 1..=SHOWN_DAYS {
        let date = today.saturating_sub(ago.days());
        if date < began {
            break;
        }
        let stored = kept.iter().find(|summary| summary.date == date);
        if stored.is_none() {
            missing += 1;
        }
        let is_due = match stored {
            Some(_) => is_new_hour && is_looked_at(ago, hour),
            None => missing <= MISSING_AT_ONCE,
        };
        if is_due {
            let mut day = stored.cloned().unwrap_or_else(|| Summary::unseen(date, now));
            look(tick, &mut day, 0..LONGEST_DAY, coverage, now).await?;
            if stored.is_none() {
                expect(tick, &mut day).await?;
            }
            (day.made_at, day.open) = (now, Vec::new());
            if stored.is_none_or(|stored| !stored.says_the_same(&day)) {
                tick.store.keep_summary(&day).await?;
            }
        }
    }
    Ok(())
}

/// Which days before today are read again in which hour of it: together four days' reading a day and six hours.
const fn is_looked_at(days_ago: i64, hour: usize) -> bool {
    match days_ago {
        1 => hour.is_multiple_of(6),
        // The long looks are spread over the night.
        2..=TOO_LATE_DAYS => hour as i64 == days_ago - 1,
        _ => false,
    }
}

/// What is said of incidents: composed again every five minutes, and at once where one is new or became worse.
async fn tellings(
    tick: &Tick<'_>,
    known: Option<&Summary>,
    mut open: Vec<Incident>,
    is_new: bool,
    now: Timestamp,
) -> Result<Vec<Telling>, StoreError> {
    open.sort_by_key(|incident| (std::cmp::Reverse(incident.severity), incident.opened_at));
    let mut tellings = Vec::new();
    for incident in open.iter().take(TOLD_IN_FULL) {
        let told = who_knows(tick.store, &tick.config.workspace.zone, incident, now).await?;
        let stored = known.and_then(|known| known.open.iter().find(|telling| telling.incident == incident.id()));
        match stored.filter(|stored| !is_new && incident.last <= stored.composed_at) {
            Some(stored) => tellings.push(Telling { told, ..stored.clone() }),
            None => {
                let mut facts = facts::gather(tick.store, tick.config, incident, now).await?;
                facts.names = names::kept(tick.store, tick.config).await;
                let message = compose::message(incident, Phase::Updated, &facts, tick.config, now);
                tellings.push(Telling::of(message, told, now));
            }
        }
    }
    Ok(tellings)
}

/// A line a receiver: how far its knowledge of an incident goes.
pub async fn who_knows(
    store: &dyn Store,
    zone: &TimeZone,
    incident: &Incident,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let told = store.told(&incident.key).await?;
    let line = |receiver: &String| {
        let told = told.iter().find(|(of, _)| of == receiver).map(|(_, told)| told);
        format!("{receiver}: {}", what_it_knows(zone, incident, told, now))
    };
    Ok(incident.receivers.iter().map(line).collect())
}

/// How far a receiver's knowledge of an incident goes, in words that stay true while time passes.
fn what_it_knows(zone: &TimeZone, incident: &Incident, told: Option<&Told>, now: Timestamp) -> String {
    let Some(told) = told.filter(|told| told.episode == incident.episode) else { return "not told yet".to_owned() };
    let trouble = told.trouble.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    let at = told.last_at.map(|at| format!(" {}", text::clock(at, zone, now))).unwrap_or_default();
    match &told.stage {
        Stage::Nothing => format!("not told yet{trouble}"),
        Stage::Opened { .. } => format!("told{at}{trouble}"),
        Stage::RolledUp { .. } => format!("named in a roll-up{at}"),
        Stage::Silenced { silence, .. } => format!("silenced by {silence}"),
        Stage::Finished => format!("told{at}"),
        Stage::Skipped => "not told: it was over".to_owned(),
        Stage::Undeliverable { reason } => format!("will not take it: {reason}"),
        Stage::Dropped { by, .. } => format!("given up by {by}"),
        Stage::Newer => "told by a newer version".to_owned(),
    }
}

#[cfg(test)]
mod tests;
