//! Asking Customer.io about a workflow, within bounds: a page waits for no longer, and comes without an answer too.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::tick::Tick;
use crate::customerio::app_api::AppApiError;
use crate::customerio::event::SourceKind;
use crate::heartbeat::why::{self, Why};
use crate::heartbeat::{Heartbeat, Judged, Period};

/// What one part of a tick takes to ask about its workflows, and one workflow of that.
const ALL: Duration = Duration::from_secs(10);
const ONE: Duration = Duration::from_secs(6);

/// What may still be taken.
pub struct Asking {
    left: Duration,
}

impl Default for Asking {
    fn default() -> Self {
        Self { left: ALL }
    }
}

impl Asking {
    /// What Customer.io's own numbers say of a low verdict.
    pub async fn why(&mut self, tick: &Tick<'_>, heartbeat: &Heartbeat, judged: &Judged, expected: u64) -> Option<Why> {
        let directory = tick.directory.filter(|_| heartbeat.source.kind == SourceKind::Campaign)?;
        let Period { start, due, .. } = judged.period;
        // Customer.io counts by the hour: only hours that lie wholly within the period speak of it.
        let (start, due) = (whole_hour(start + SignedDuration::from_secs(3599)), whole_hour(due));
        let asked = |time| directory.campaign(&heartbeat.source.id, start, due.max(start), time);
        why::why(heartbeat, expected, &self.ask(heartbeat, asked).await?)
    }

    /// Whether a campaign runs, as Customer.io says; `None` when it says nothing.
    pub async fn runs(&mut self, tick: &Tick<'_>, heartbeat: &Heartbeat, now: Timestamp) -> Option<bool> {
        let directory = tick.directory.filter(|_| heartbeat.source.kind == SourceKind::Campaign)?;
        let hour = whole_hour(now);
        let asked = |time| directory.campaign(&heartbeat.source.id, hour - SignedDuration::from_hours(1), hour, time);
        self.ask(heartbeat, asked).await?.state.map(|state| state == why::RUNNING)
    }

    /// Whether nothing more is asked.
    pub fn is_spent(&self) -> bool {
        self.left.is_zero()
    }

    /// Asks within what is left; a failure is logged, and nothing is known.
    pub async fn ask<T, F: Future<Output = Result<T, AppApiError>>>(
        &mut self,
        heartbeat: &Heartbeat,
        question: impl FnOnce(Duration) -> F,
    ) -> Option<T> {
        let time = self.left.min(ONE);
        if time.is_zero() {
            return None;
        }
        let begun = Instant::now();
        let answer = tokio::time::timeout(time, question(time)).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        match answer {
            Ok(Ok(said)) => return Some(said),
            Ok(Err(error)) => tracing::warn!(event = "campaign_not_asked", heartbeat = heartbeat.name, %error),
            Err(_) => tracing::warn!(event = "campaign_not_asked", heartbeat = heartbeat.name, error = "no answer"),
        }
        None
    }
}

/// The beginning of the hour that an instant lies in.
fn whole_hour(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_secs(at.as_second().rem_euclid(3600))
}
