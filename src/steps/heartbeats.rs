//! tick's work on heartbeats: reads counts, asks for verdicts, opens incidents.

use jiff::{SignedDuration, Timestamp};

use super::asking::Asking;
use super::learned;
use super::open::{self, Opening};
use super::tick::Tick;
use crate::clock::{Minute, Span, minutes};
use crate::heartbeat::why::Why;
use crate::heartbeat::{Expect, Heartbeat, Judged, Period, Verdict, period, verdict};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::store::{StoreError, Write};

/// A verdict overdue by more than this goes to the digest, not to a pager (design, law 10).
const TOO_OLD_TO_PAGE: SignedDuration = SignedDuration::from_hours(24);

/// Periods judged per tick and heartbeat: after a long pause the rest waits for the next tick.
const PERIODS_PER_TICK: usize = 50;

/// Judges every period that is due; the cursor moves after the work.
pub async fn judge_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut asking = Asking::default();
    for heartbeat in tick.config.heartbeats.iter().filter(|h| h.expect != Expect::Learned) {
        judge_one(tick, heartbeat, &mut asking, now).await?;
    }
    Ok(())
}

async fn judge_one(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    asking: &mut Asking,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let cursor = format!("heartbeat/{}", heartbeat.name);
    let mut stored = tick.store.cursor(&cursor).await?;
    // The cursor holds the start of the first period not judged yet; a new heartbeat begins with the current one.
    let from = stored.as_deref().and_then(|text| text.parse().ok()).unwrap_or(now);
    let mut current = period::containing(heartbeat.every, from, zone);
    if stored.is_none() {
        // Remembered at once: this period is judged even if we are down when it ends.
        let start = current.start.to_string();
        if tick.store.move_cursor(&cursor, None, &start).await? == Write::Conflict {
            return Ok(());
        }
        stored = Some(start);
    }
    for _ in 0..PERIODS_PER_TICK {
        if current.start > now {
            break;
        }
        if !heartbeat.except.contains(&period::date_of(current, zone)) {
            let Some(judged) = judge(tick, heartbeat, current, now).await? else { break };
            act(tick, heartbeat, &judged, asking, now).await?;
        }
        let next = period::after(heartbeat.every, current, zone);
        let to = next.start.to_string();
        if tick.store.move_cursor(&cursor, stored.as_deref(), &to).await? == Write::Conflict {
            break;
        }
        (stored, current) = (Some(to), next);
    }
    Ok(())
}

async fn judge(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    period: Period,
    now: Timestamp,
) -> Result<Option<Judged>, StoreError> {
    let span = verdict::judged_span(period);
    // Coverage before counts: a beat that comes in between is counted, and never covers what is not (law 5).
    let coverage = tick.store.coverage().await?;
    let count = beats(tick, heartbeat, span).await?;
    let verdict = verdict::verdict(heartbeat, period, count, &coverage, now);
    Ok(verdict.map(|verdict| Judged {
        heartbeat: heartbeat.name.clone(),
        period,
        verdict,
        count,
        at: now,
        covered: coverage.minutes_covered(span, now),
        minutes: span.len(),
        usual: None,
    }))
}

/// How often a workflow beat in a span.
pub async fn beats(tick: &Tick<'_>, heartbeat: &Heartbeat, span: Span) -> Result<u64, StoreError> {
    let totals = tick.store.totals(Some(std::slice::from_ref(&heartbeat.event)), span).await?;
    Ok(totals.iter().filter(|t| heartbeat.counts(&t.series)).map(|t| t.count).sum())
}

async fn act(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    judged: &Judged,
    asking: &mut Asking,
    now: Timestamp,
) -> Result<(), StoreError> {
    tick.store.keep_verdict(judged).await?;
    tracing::info!(
        event = "verdict",
        heartbeat = judged.heartbeat,
        period = %judged.period.start,
        verdict = ?judged.verdict,
        count = judged.count,
        covered = judged.covered,
        minutes = judged.minutes,
    );
    let Expect::Between { at_least, at_most } = heartbeat.expect else { return Ok(()) };
    let expected = match judged.verdict {
        Verdict::Low => at_least,
        Verdict::High => at_most,
        Verdict::Ok | Verdict::Unknown => None,
    };
    let overdue = now.duration_since(judged.period.due);
    let Some(expected) = expected.filter(|_| overdue <= TOO_OLD_TO_PAGE) else { return Ok(()) };
    let why = match judged.verdict {
        Verdict::Low => asking.why(tick, heartbeat, judged, expected).await,
        _ => None,
    };
    let opening = Opening::of_heartbeat(tick.config, heartbeat, judged, expected, why);
    match open::open(tick.store, tick.outbox, tick.config, opening.clone(), now).await? {
        Some(_) => Ok(()),
        None => runs_again(tick, heartbeat, opening, now).await,
    }
}

/// An open incident that was put down to a workflow somebody stopped: low for another reason now, it is one like any
/// other.
async fn runs_again(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    opening: Opening,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = IncidentKey::new(&tick.config.workspace.name, &opening.subject);
    let Some(open) = tick.store.episodes(&key).await?.pop().filter(Incident::is_open) else { return Ok(()) };
    let Subject::Heartbeat { why, .. } = &opening.subject else { return Ok(()) };
    if !open.is_deliberate() || why.as_ref().is_none_or(Why::is_deliberate) {
        return Ok(());
    }
    worsen(tick, heartbeat, &open, opening, now).await
}

/// An open incident that was a warning becomes what the heartbeat says of this opening.
pub(super) async fn worsen(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    open: &Incident,
    opening: Opening,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Subject::Heartbeat { why, .. } = &opening.subject else { return Ok(()) };
    let worse = open::routed(tick.config, open, heartbeat.severity_of(why.as_ref()), now);
    let worse = Incident { subject: opening.subject, numbers: opening.numbers, ..worse };
    match tick.store.write_incident(&worse).await? {
        Write::Done => open::hint(tick.outbox, &worse, now).await,
        Write::Conflict => Ok(()),
    }
}

/// From when on an open heartbeat incident is over, if it is: its period caught up, or a later one is fine.
pub async fn beats_again(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    incident: &Incident,
    opened_for: Period,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let Expect::Between { at_least, at_most } = heartbeat.expect else {
        return learned::beats_again(tick, heartbeat, incident, now).await;
    };
    let zone = &tick.config.workspace.zone;
    let current = period::containing(heartbeat.every, now, zone);
    if let (Some(least), None) = (at_least, at_most) {
        for period in [opened_for, current] {
            let whole = minutes(period.end.duration_since(period.start));
            let start = Minute::of(period.start);
            if beats(tick, heartbeat, Span::new(start, start.plus(whole))).await? >= least {
                return Ok(Some(incident.last));
            }
        }
    }
    let later = tick.store.verdicts(opened_for.end, now).await?;
    let fine =
        |j: &Judged| j.heartbeat == heartbeat.name && j.verdict == Verdict::Ok && j.period.start > opened_for.start;
    Ok(later.iter().any(fine).then_some(incident.last))
}
