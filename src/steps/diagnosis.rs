//! tick asks Customer.io about some failures of an incident that opened, once an episode and after the page: what they have
//! in common is written into the incident, and those whose message can be edited see it there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

use super::diagnose::samples;
use super::tick::Tick;
use super::{facts, open};
use crate::customerio::app_api::ask::{Question, Records};
use crate::customerio::app_api::budget::Urgency;
use crate::customerio::app_api::{AppApiError, Directory};
use crate::customerio::event::{Source, SourceKind};
use crate::diagnose::View;
use crate::diagnose::in_common::{Counted, in_common};
use crate::incident::Incident;
use crate::incident::diagnosis::{Diagnosis, TRIES};
use crate::receivers::http::Failure;
use crate::route::Label;
use crate::store::{StoreError, Write};

/// Incidents that one tick asks about, the worst first.
const INCIDENTS: usize = 3;

/// Questions about one incident: three messages, their campaign, its steps and sender, three addresses.
const QUESTIONS: usize = 9;

/// What one tick takes for all of it: the next minute must not wait.
const TIME: Duration = Duration::from_secs(20);

/// Tries to change an incident that others change too.
const WRITES_AT_MOST: usize = 5;

/// Asks about what opened. What Customer.io does not answer is not said.
pub async fn ask_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(directory) = tick.directory else { return Ok(()) };
    let until = Instant::now() + TIME;
    let mut due = tick.store.unsettled().await?;
    due.retain(|incident| incident.is_open() && matches!(incident.diagnosis, Some(Diagnosis::Due { .. })));
    due.sort_by_key(|incident| std::cmp::Reverse(incident.severity));
    for incident in due.into_iter().take(INCIDENTS) {
        let within = Within { directory, until, limited: AtomicBool::new(false) };
        if !within.left().is_zero() {
            ask(tick, &within, incident, now).await?;
        }
        if within.limited.into_inner() {
            break;
        }
    }
    Ok(())
}

async fn ask(tick: &Tick<'_>, within: &Within<'_>, incident: Incident, now: Timestamp) -> Result<(), StoreError> {
    let Some(Diagnosis::Due { deliveries, tries }) = &incident.diagnosis else { return Ok(()) };
    // Claimed before the work: a twin, or a tick after a crash, must not ask the same again.
    let claimed = Incident { diagnosis: Some(Diagnosis::Asked), ..incident.clone() };
    if tick.store.write_incident(&claimed).await? == Write::Conflict {
        return Ok(());
    }
    let (found, asked) = samples::gather(within, deliveries, campaign_of(&incident), QUESTIONS).await;
    let diagnosis = if within.limited.load(Ordering::Relaxed) && tries + 1 < TRIES {
        Diagnosis::Due { deliveries: deliveries.clone(), tries: tries + 1 }
    } else {
        let failing = facts::gather(tick.store, tick.config, &incident, now).await?.failing;
        let texts: BTreeSet<u64> = failing.iter().map(|total| total.series.fingerprint).collect();
        let counted = Counted {
            count: failing.iter().map(|total| total.count).sum(),
            // 0: without a text.
            one_text: texts.len() == 1 && !texts.contains(&0),
            since: incident.since,
            samples: incident.samples.clone(),
        };
        let view = View::of(&found.facts, tick.config.privacy, &tick.config.workspace.zone, now);
        match in_common(&found.facts, found.suppressed, &counted, &view).filter(|_| asked.answered > 0) {
            Some(text) => Diagnosis::Known { text, at: now },
            None => Diagnosis::Asked,
        }
    };
    tracing::info!(
        event = "diagnosed",
        incident = incident.id(),
        asked = asked.asked,
        answered = asked.answered,
        known = matches!(diagnosis, Diagnosis::Known { .. }),
    );
    keep(tick, &incident, diagnosis, now).await
}

/// Writes it into the incident, whatever else changed meanwhile, and has those who were told look.
async fn keep(tick: &Tick<'_>, of: &Incident, diagnosis: Diagnosis, now: Timestamp) -> Result<(), StoreError> {
    if diagnosis == Diagnosis::Asked {
        return Ok(());
    }
    for _ in 0..WRITES_AT_MOST {
        let episodes = tick.store.episodes(&of.key).await?;
        let Some(mut stored) = episodes.into_iter().find(|stored| stored.episode == of.episode) else { break };
        stored.diagnosis = Some(diagnosis.clone());
        if tick.store.write_incident(&stored).await? == Write::Done {
            let is_news = stored.is_open() && stored.diagnosis().is_some();
            return if is_news { open::hint(tick.outbox, &stored, now).await } else { Ok(()) };
        }
    }
    Ok(())
}

/// The campaign of an incident of one source.
fn campaign_of(incident: &Incident) -> Option<&str> {
    let [source] = incident.labels.get(&Label::Source)?.as_slice() else { return None };
    let is_campaign = source.parse().is_ok_and(|source: Source| source.kind == SourceKind::Campaign);
    source.split_once(':').map(|(_, id)| id).filter(|_| is_campaign)
}

/// The App API until an instant; what it takes no more of is remembered.
struct Within<'a> {
    directory: &'a dyn Directory,
    until: Instant,
    limited: AtomicBool,
}

impl Within<'_> {
    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

#[async_trait]
impl Records for Within<'_> {
    async fn ask(&self, question: &Question<'_>) -> Result<String, AppApiError> {
        let left = self.left();
        // After a limit nothing more is asked.
        if self.limited.load(Ordering::Relaxed) {
            return Err(AppApiError::Limited { after: None });
        }
        let answer = match left.is_zero() {
            true => Err(AppApiError::NoAnswer(Failure::Timeout { after: left })),
            false => tokio::time::timeout(left, self.directory.answer(question, Urgency::Urgent, left))
                .await
                .unwrap_or(Err(AppApiError::NoAnswer(Failure::Timeout { after: left }))),
        };
        if let Err(AppApiError::Limited { .. }) = answer {
            self.limited.store(true, Ordering::Relaxed);
        }
        answer
    }
}
