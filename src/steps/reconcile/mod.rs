//! tick's comparison of what was fired, received and sent: once a local day, after it settled, a few questions a tick and
//! resumable. What diverges is counted a second time some hours later before anybody hears of it; a later day that agrees
//! ends the incident.

mod asking;
mod state;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use self::state::{Look, Second, State};
use super::open::{self, Opening};
use super::resolve;
use super::tick::Tick;
use crate::clock::{self, Minute};
use crate::config::schema::{DeclaredEvent, Reconciliation};
use crate::customerio::event::Fate;
use crate::incident::{How, Incident, IncidentKey, Numbers, Severity, Subject};
use crate::reconcile::compare::{Leg, Verdict, compare};
use crate::reconcile::day::{Compared, Counts, Received, Span, fired};
use crate::reconcile::fired::FiredHour;
use crate::reconcile::ghost::{self, Ghost};
use crate::reconcile::ratio;
use crate::reconcile::reason::{Evidence, Unsent, reasons};
use crate::route::Label;
use crate::store::{Store, StoreError, Write};
use crate::tally::Total;
use crate::tally::journeys::TRIGGER;

/// Where the cursor stands: the last day that was compared, the look that is under way, names that were seen.
pub const CURSOR: &str = "reconcile";

/// A second look comes this much later: by then late reports and slow lists have caught up.
const SECOND_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// Customer.io did not answer for this long: what is not counted by then stays unknown.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(18);

/// Days that are made up for after a pause; older ones are skipped.
const BEHIND: i8 = 3;

/// Of a day's minutes so many per cent must have been heard, or its messages are not known: as for a verdict.
const HEARD_PER_CENT: i64 = 95;

/// Works on the day that is due.
pub async fn watch_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(wanted) = &tick.config.reconciliation else { return Ok(()) };
    let events = tick.config.compared();
    if events.is_empty() {
        return Ok(());
    }
    let stored = tick.store.cursor(CURSOR).await?;
    // What cannot be read begins anew: one day is compared twice then.
    let mut state: State = stored.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    if state.waits(now) {
        return Ok(());
    }
    if state.look.is_none() {
        let Some(date) = due(tick, wanted, state.day, now) else { return Ok(()) };
        state.look = Some(Look::new(date, now));
    }
    // Moved before the work: a twin, or a tick after a crash, must not ask the same at once again.
    state.not_before = Some(now + asking::AFTER_FAILURE);
    let Ok(claimed) = serde_json::to_string(&state) else { return Ok(()) };
    if tick.store.move_cursor(CURSOR, stored.as_deref(), &claimed).await? == Write::Conflict {
        return Ok(());
    }
    state.not_before = None;
    if let Some(mut look) = state.look.take() {
        let span = Span::of(look.date, &tick.config.workspace.zone);
        if now > look.begun + GIVE_UP {
            look.give_up(&events);
        }
        match asking::ask(tick, &mut look, &events, span).await {
            asking::Asked::Wholly => {
                state.day = Some(look.date);
                settle(tick, wanted, &events, &mut state, look, span, now).await?;
            }
            asking::Asked::Partly => state.look = Some(look),
            asking::Asked::Failed { after } => {
                state.not_before = Some(now + after);
                state.look = Some(look);
            }
        }
    }
    let Ok(next) = serde_json::to_string(&state) else { return Ok(()) };
    match tick.store.move_cursor(CURSOR, Some(&claimed), &next).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// The day to compare next: the one after the last, or yesterday on a first run.
fn due(tick: &Tick<'_>, wanted: &Reconciliation, last: Option<Date>, now: Timestamp) -> Option<Date> {
    let zone = &tick.config.workspace.zone;
    let newest = (now - wanted.settle).to_zoned_datetime(zone.clone()).date().yesterday().ok()?;
    let next = match last {
        Some(last) => last.tomorrow().ok()?.max(newest.saturating_sub((BEHIND - 1).days())),
        None => newest,
    };
    (next <= newest).then_some(next)
}

/// Compares what was counted: writes it down, plans a second look, opens and ends.
async fn settle(
    tick: &Tick<'_>,
    wanted: &Reconciliation,
    events: &[&DeclaredEvent],
    state: &mut State,
    look: Look,
    span: Span,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reports = tick.store.fired(span.from, span.to).await?;
    let from = look.date.saturating_sub((ratio::DAYS as i64 + 7).days());
    let before = tick.store.compared(from, look.date).await?;
    let messages = Messages::read(tick, span, now).await?;
    note_names(tick, state, &look, &reports, events);
    let mut suspects = BTreeSet::new();
    for event in events.iter().filter(|event| look.is_of(event)) {
        let (counts, evidence) = gathered(&look, event, &reports, &messages, span, &state.ghosts);
        let ours = |day: &&Compared| day.event == event.name && day.campaign == event.campaign.id;
        let sound = before.iter().filter(ours).filter(|day| day.verdict.leg().is_none());
        let usual: Vec<Counts> = sound.map(|day| day.counts).collect();
        let verdict = compare(&counts, &usual, wanted.divergence);
        let compared = Compared {
            event: event.name.clone(),
            campaign: event.campaign.id.clone(),
            date: look.date,
            counts,
            others: fired(&reports, &event.name, span).1,
            verdict,
            reasons: reasons(verdict, &event.name, &counts, &evidence),
            at: now,
        };
        tick.store.keep_compared(&compared).await?;
        match verdict {
            Verdict::Diverges { leg, .. } if look.confirms(event, leg) => {
                warn(tick, event, &compared, span, now).await?;
            }
            // Another leg than at the first look, or the first look itself.
            Verdict::Diverges { leg, .. } if look.second.is_none() => {
                suspects.insert((Look::key(event), leg));
            }
            _ => end(tick, event, verdict, now).await?,
        }
    }
    if !suspects.is_empty() {
        let second = Second { due: now + SECOND_AFTER, suspects: suspects.into_iter().collect() };
        state.look = Some(Look { second: Some(second), ..Look::new(look.date, now + SECOND_AFTER) });
    }
    Ok(())
}

/// What was counted of an event, and what was found beside.
fn gathered(
    look: &Look,
    event: &DeclaredEvent,
    reports: &[FiredHour],
    messages: &Messages,
    span: Span,
    ghosts: &[Ghost],
) -> (Counts, Evidence) {
    let found = look.found.get(&Look::key(event)).cloned().unwrap_or_default();
    let (hours, _) = fired(reports, &event.name, span);
    let (sent, unsent) = messages.of(event);
    let counts = Counts {
        fired: hours.as_ref().map(|hours| hours.iter().sum()),
        received: found.counting.received().at_least(messages.triggers(event)),
        started: found.started,
        messages: sent,
    };
    let evidence = Evidence {
        fired: hours.unwrap_or_default(),
        received: found.counting.by_hour,
        nobody: found.counting.nobody,
        tests: found.counting.tests,
        too_old: found.counting.too_old,
        state: found.state,
        trigger: found.trigger,
        filters: found.filters,
        alike: ghost::alike(&event.name, ghosts),
        unsent,
    };
    (counts, evidence)
}

/// What our own webhooks counted in the day.
struct Messages {
    totals: Vec<Total>,
    is_heard: bool,
}

impl Messages {
    async fn read(tick: &Tick<'_>, span: Span, now: Timestamp) -> Result<Self, StoreError> {
        // Coverage before counts: a count can only be too high for it.
        let coverage = tick.store.coverage().await?;
        let minutes = clock::Span::new(Minute::of(span.from), Minute::of(span.to));
        let whole = clock::minutes(span.to.duration_since(span.from));
        let is_heard = coverage.minutes_covered(minutes, now) * 100 >= whole * HEARD_PER_CENT;
        Ok(Self { totals: tick.store.totals(None, minutes).await?, is_heard })
    }

    /// Events of the day that started the campaign, as its messages name them.
    fn triggers(&self, event: &DeclaredEvent) -> u64 {
        let ours = |t: &&Total| t.series.kind == TRIGGER && t.series.source == event.campaign;
        self.totals.iter().filter(ours).map(|t| t.count).sum()
    }

    /// Messages that an event's campaign sent, `None` where we did not hear all day; and those it made and did not send.
    fn of(&self, event: &DeclaredEvent) -> (Option<u64>, Unsent) {
        let ours = || {
            let all = self.totals.iter();
            all.filter(|t| t.series.source == event.campaign && t.series.fate == Fate::Counted)
        };
        let sum = |metric: &str| ours().filter(|t| t.series.kind.metric == metric).map(|t| t.count).sum::<u64>();
        let unsent = Unsent { drafted: sum("drafted"), failed: sum("failed"), undeliverable: sum("undeliverable") };
        (self.is_heard.then(|| sum("sent")), unsent)
    }
}

/// Adds the names that were seen, and looks for ghosts among them.
fn note_names(tick: &Tick<'_>, state: &mut State, look: &Look, reports: &[FiredHour], events: &[&DeclaredEvent]) {
    let fired = reports.iter().filter(|report| report.count > 0).map(|report| report.event.clone());
    let others = look.found.values().flat_map(|found| found.counting.others.iter().cloned());
    let received = events.iter().filter(|event| {
        let found = look.found.get(&Look::key(event));
        let count = found.map(|found| found.counting.received());
        matches!(count, Some(Received::Exactly(1..) | Received::AtLeast(1..)))
    });
    let names = look.names.others.iter().cloned().chain(fired).chain(others);
    state.see(names.chain(received.map(|event| event.name.clone())), look.date);
    let declared: BTreeSet<String> = events.iter().map(|event| event.name.clone()).collect();
    let seen: BTreeSet<String> = state.seen.keys().cloned().collect();
    state.ghosts = ghost::ghosts(&declared, &seen, &tick.config.ignore.event_prefixes);
}

/// The ghosts that the last comparison found.
pub async fn ghosts(store: &dyn Store) -> Result<Vec<Ghost>, StoreError> {
    let stored = store.cursor(CURSOR).await?;
    let state: Option<State> = stored.as_deref().and_then(|json| serde_json::from_str(json).ok());
    Ok(state.unwrap_or_default().ghosts)
}

fn subject(event: &DeclaredEvent, date: Date, leg: Leg) -> Subject {
    Subject::Reconciliation { event: event.name.clone(), source: event.campaign.clone(), date, leg }
}

/// The open incident of this event.
async fn opened(tick: &Tick<'_>, event: &DeclaredEvent) -> Result<Option<Incident>, StoreError> {
    // A key knows neither the day nor the leg.
    let subject = subject(event, Date::ZERO, Leg::Receiving);
    let key = IncidentKey::new(&tick.config.workspace.name, &subject);
    Ok(tick.store.episodes(&key).await?.pop().filter(Incident::is_open))
}

/// Opens a warning, or writes down what an open one is about by now.
async fn warn(
    tick: &Tick<'_>,
    event: &DeclaredEvent,
    compared: &Compared,
    span: Span,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Verdict::Diverges { leg, got, expected } = compared.verdict else { return Ok(()) };
    let reasons = compared.reasons.iter().map(|reason| reason.words(&event.name));
    let lines = reasons.chain(compared.others()).collect();
    let numbers = Numbers { count: got, of: expected };
    let subject = subject(event, compared.date, leg);
    if let Some(open) = opened(tick, event).await? {
        let changed = Incident { subject, lines, numbers, last: now, ..open };
        return match tick.store.write_incident(&changed).await? {
            Write::Done | Write::Conflict => Ok(()),
        };
    }
    let mut labels = open::own_labels(Severity::Warning, &subject);
    labels.insert(Label::Rule, vec![event.name.clone()]);
    labels.insert(Label::Source, vec![event.campaign.to_string()]);
    labels.insert(Label::Owner, open::owner(tick.config, &event.campaign).into_iter().collect());
    let opening = Opening {
        subject,
        severity: Severity::Warning,
        labels,
        since: span.from,
        // It may go on.
        last: now,
        numbers,
        samples: Vec::new(),
        lines,
        deliveries: Vec::new(),
        receivers: None,
    };
    open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
    Ok(())
}

/// Ends what a day has cleared. What may be chance, or is not known, ends nothing.
async fn end(tick: &Tick<'_>, event: &DeclaredEvent, verdict: Verdict, now: Timestamp) -> Result<(), StoreError> {
    let Some(open) = opened(tick, event).await? else { return Ok(()) };
    match open.subject {
        Subject::Reconciliation { leg, .. } if verdict.clears(leg) => {
            resolve::end(tick, &open, How::Recovered, now, now).await
        }
        _ => Ok(()),
    }
}
