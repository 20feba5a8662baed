//! tick: everything that time alone makes due. Runs once a minute; twice at once, or not for an hour, is harmless.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::open::{self, Opening};
use super::{digest, evaluate, heartbeats, names, resolve, sweep};
use crate::clock::Minute;
use crate::config::Config;
use crate::customerio::app_api::Directory;
use crate::queue::Outbox;
use crate::rules::judge;
use crate::store::{Store, StoreError};

/// Expired items deleted at a time: one short write of many, so that others get between.
const PURGE_AT_ONCE: usize = 2_000;

/// Such writes per tick; what is left waits for the next one.
const PURGES_PER_TICK: usize = 25;

/// The step's surroundings.
pub struct Tick<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub config: &'a Config,
    /// Where names are asked for; `None` without a key for it.
    pub directory: Option<&'a dyn Directory>,
}

/// The parts of a tick that failed, and why. Their work stays due.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct TickFailed(Vec<String>);

impl Tick<'_> {
    /// Does what is due at `now`. A part that fails or panics does not keep the others from theirs.
    pub async fn run(&self, now: Timestamp) -> Result<(), TickFailed> {
        let mut failed = Vec::new();
        part(&mut failed, "heartbeats", heartbeats::judge_due(self, now)).await;
        part(&mut failed, "blindness", heartbeats::watch_blindness(self, now)).await;
        part(&mut failed, "resolve", resolve::due(self, now)).await;
        part(&mut failed, "rules", self.judge_again(now)).await;
        part(&mut failed, "sweep", sweep::due(self, now)).await;
        part(&mut failed, "digest", digest::send_due(self, now)).await;
        part(&mut failed, "purge", self.purge(now)).await;
        // Last: it waits for somebody else, and nothing here waits for it.
        part(&mut failed, "names", names::refresh_due(self, now)).await;
        if failed.is_empty() { Ok(()) } else { Err(TickFailed(failed)) }
    }

    /// Every rule over its latest window, after resolves: a failure that was counted while its incident was being
    /// resolved was dropped by evaluate as part of that incident, and opens the next one here.
    async fn judge_again(&self, now: Timestamp) -> Result<(), StoreError> {
        let minute = Minute::of(now);
        for rule in &self.config.rules {
            let span = judge::span_around(rule, minute, minute);
            let found = evaluate::findings(self.store, self.config, rule, span, now).await?;
            for (incident, finding) in &found.open {
                open::widen(self.store, self.outbox, self.config, incident, finding, now).await?;
            }
            for finding in found.new {
                let opening = Opening::of_rule(self.config, rule, &finding, Vec::new());
                open::open(self.store, self.outbox, self.config, opening, now).await?;
            }
        }
        Ok(())
    }

    async fn purge(&self, now: Timestamp) -> Result<(), StoreError> {
        for _ in 0..PURGES_PER_TICK {
            if self.store.purge(now, PURGE_AT_ONCE).await? < PURGE_AT_ONCE {
                break;
            }
        }
        Ok(())
    }
}

async fn part(failed: &mut Vec<String>, name: &str, work: impl Future<Output = Result<(), StoreError>>) {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => failed.push(format!("{name}: {error}")),
        Err(_) => failed.push(format!("{name}: panicked")),
    }
}
