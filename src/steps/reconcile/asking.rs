//! Asks Customer.io what it received and who entered, a few questions a tick.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::state::Look;
use crate::config::schema::DeclaredEvent;
use crate::customerio::app_api::ask::Question;
use crate::customerio::app_api::budget::Urgency;
use crate::customerio::app_api::{activity, campaign};
use crate::reconcile::day::Span;
use crate::steps::drift::passes;
use crate::steps::tick::Tick;

/// Questions a tick, and how long they take at most: as for drift, the next minute must not wait, and the workspace's 10
/// a second are shared by all that use it.
const QUESTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(10);

/// After a failure nothing is asked for this long; a tick that died in its work is as good as one.
pub const AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(15);

/// Pages of everybody's newest events that are read for their names.
const NAME_PAGES: u32 = 3;

/// How far the questions got.
pub enum Asked {
    Wholly,
    /// There was no time for more.
    Partly,
    Failed {
        after: SignedDuration,
    },
}

/// One thing to ask.
enum Next<'a> {
    Page(&'a DeclaredEvent),
    Campaign(&'a DeclaredEvent),
    Started(&'a DeclaredEvent),
    Names,
}

/// Asks what was not asked yet.
pub async fn ask(tick: &Tick<'_>, look: &mut Look, events: &[&DeclaredEvent], span: Span) -> Asked {
    let Some(directory) = tick.directory else { return Asked::Wholly };
    look.keep_only(events);
    let begun = Instant::now();
    for _ in 0..QUESTIONS {
        let Some(next) = next(look, events) else { return Asked::Wholly };
        let left = TIME.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Asked::Partly;
        }
        let start = match next {
            Next::Page(event) => look.found.get(&Look::key(event)).and_then(|found| found.counting.start.clone()),
            _ => look.names.start.clone(),
        };
        let start = start.as_deref();
        let question = match &next {
            Next::Page(event) => Question::Activities { name: Some(&event.name), start },
            Next::Names => Question::Activities { name: None, start },
            Next::Campaign(event) => Question::Campaign(&event.campaign.id),
            Next::Started(event) => Question::JourneyMetrics {
                campaign: &event.campaign.id,
                from: span.from.as_second(),
                to: span.to.as_second(),
            },
        };
        let answer = match directory.answer(&question, Urgency::CanWait, left).await {
            Ok(body) => Some(body),
            Err(error) => {
                tracing::warn!(event = "reconcile_not_asked", path = question.path(), %error);
                if let Some(after) = passes(&error) {
                    return Asked::Failed { after };
                }
                None
            }
        };
        take(tick, look, next, answer.as_deref(), span);
    }
    match next(look, events) {
        Some(_) => Asked::Partly,
        None => Asked::Wholly,
    }
}

fn next<'a>(look: &Look, events: &[&'a DeclaredEvent]) -> Option<Next<'a>> {
    for event in events.iter().filter(|event| look.is_of(event)) {
        match look.found.get(&Look::key(event)) {
            Some(found) if !found.counting.is_done() => return Some(Next::Page(event)),
            Some(found) if !found.asked_campaign => return Some(Next::Campaign(event)),
            Some(found) if !found.asked_started => return Some(Next::Started(event)),
            Some(_) => {}
            None => return Some(Next::Page(event)),
        }
    }
    (!look.names.is_done() && look.second.is_none()).then_some(Next::Names)
}

/// Takes an answer in; `None` is one that asking again does not change.
fn take(tick: &Tick<'_>, look: &mut Look, asked: Next<'_>, body: Option<&str>, span: Span) {
    let ignored = &tick.config.ignore.recipients;
    let is_test = |email: &str| ignored.iter().any(|glob| glob.matches(&email.to_lowercase()));
    match asked {
        Next::Page(event) => {
            let counting = &mut look.found.entry(Look::key(event)).or_default().counting;
            match body.and_then(activity::page) {
                Some(page) => counting.take(&page, &event.name, span, is_test),
                None => counting.stop(),
            }
        }
        Next::Names => {
            match body.and_then(activity::page) {
                // No event has an empty name: all of them are others.
                Some(page) => look.names.take(&page, "", span, is_test),
                None => look.names.stop(),
            }
            if look.names.pages >= NAME_PAGES {
                look.names.stop();
            }
        }
        Next::Campaign(event) => {
            let found = look.found.entry(Look::key(event)).or_default();
            found.asked_campaign = true;
            if let Some(detail) = body.and_then(campaign::detail) {
                found.filters = detail.filter_segments.len() as u64;
                (found.state, found.trigger) = (detail.state, detail.event_name);
            }
        }
        Next::Started(event) => {
            let found = look.found.entry(Look::key(event)).or_default();
            found.asked_started = true;
            // One hour more than was asked for is the next one's beginning; fewer, and nobody knows which.
            let hours = span.hours();
            let series = body.and_then(|body| campaign::series(body, "started"));
            let series = series.filter(|series| (hours..=hours + 1).contains(&series.len()));
            found.started = series.map(|series| series.iter().take(hours).sum());
        }
    }
}
