//! The loops of `serve`: one evaluator, one lane a receiver, one ticker. Each drains before it stops.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::canary::Track;
use crate::clock::{Clock, Minute};
use crate::config::Config;
use crate::customerio::app_api::Directory;
use crate::deadman::Pulse;
use crate::queue::embedded::{self, EmbeddedQueue};
use crate::queue::{Handled, Hint, Message};
use crate::reconcile::sums::Sums;
use crate::steps::deliver::Deliver;
use crate::steps::evaluate::Evaluate;
use crate::steps::tick::Tick;
use crate::store::StoreError;

/// Events evaluated together at most.
const BATCH: usize = 500;

/// A message that was received and not settled comes back after this long.
const VISIBILITY: Duration = Duration::from_secs(60);

/// Sends under way to one receiver at once.
const SENDS_AT_ONCE: usize = 16;

/// Longest sleep of an idle loop. Other processes' messages are found by looking, and a clock that is moved from
/// outside (libfaketime) is noticed: it speeds up what we read, not how long we sleep.
const LONGEST_NAP: Duration = Duration::from_millis(250);

/// How long a loop rests when the store fails.
const REST: Duration = Duration::from_secs(1);

/// Draining ends after this long, done or not: what is left is on disk.
const DRAIN: SignedDuration = SignedDuration::from_secs(10);

pub(super) struct Workers {
    pub queue: Arc<EmbeddedQueue>,
    pub deliver: Arc<Deliver>,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub directory: Option<Arc<dyn Directory>>,
    pub pulse: Option<Arc<dyn Pulse>>,
    pub track: Option<Arc<dyn Track>>,
    pub sums: Option<Arc<dyn Sums>>,
}

/// Exit code when the process cannot go on (`EX_SOFTWARE` of sysexits.h).
const EXIT_BROKEN: u8 = 70;

/// What a loop works off.
enum Lane {
    Events,
    Hints { receiver: String },
}

type Stop = watch::Receiver<bool>;

/// How long a loop has been told to stop.
#[derive(Default)]
struct Draining(Option<Timestamp>);

impl Draining {
    fn is_over(&mut self, stop: &Stop, now: Timestamp) -> bool {
        *stop.borrow() && now.duration_since(*self.0.get_or_insert(now)) >= DRAIN
    }
}

async fn ended(loops: &mut JoinSet<()>) {
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            // Half a bridge would answer 200 and alert nobody: rather none, and a supervisor starts a whole one.
            tracing::error!(event = "loop_died", %error);
            std::process::exit(i32::from(EXIT_BROKEN));
        }
    }
}

impl Workers {
    /// Works until told to stop, then drains.
    pub async fn run(self, stop: Stop) {
        let this = Arc::new(self);
        // Lanes stop after those that fill them, so that a stop leaves as little as possible for the next start.
        let (stop_lanes, lanes_stopping) = watch::channel(false);
        let mut lanes = JoinSet::new();
        for receiver in this.lanes().await {
            lanes.spawn(this.clone().lane(receiver, lanes_stopping.clone()));
        }
        let mut fillers = JoinSet::new();
        fillers.spawn(this.clone().evaluate(stop.clone()));
        fillers.spawn(this.clone().tick(stop));
        ended(&mut fillers).await;
        let _ = stop_lanes.send(true);
        ended(&mut lanes).await;
    }

    /// The configured receivers, and those that hints from before still wait for.
    async fn lanes(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.config.receivers.iter().map(|r| r.name.clone()).collect();
        match self.queue.hinted_receivers().await {
            Ok(hinted) => names.extend(hinted),
            Err(error) => tracing::error!(event = "hints_not_read", %error),
        }
        names
    }

    async fn evaluate(self: Arc<Self>, mut stop: Stop) {
        let mut draining = Draining::default();
        // What a disk that refused kept us from giving back: out of sight for a minute, unless we do it later.
        let mut unsettled = Vec::new();
        while !draining.is_over(&stop, self.clock.now()) {
            match self.evaluate_once(&mut unsettled, self.clock.now()).await {
                Ok(0) if *stop.borrow() => return,
                Ok(0) => self.nap(&Lane::Events, &mut stop).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(event = "evaluate_failed", %error);
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn evaluate_once(&self, unsettled: &mut Vec<(i64, Handled)>, now: Timestamp) -> Result<usize, StoreError> {
        self.queue.settle(unsettled, now).await?;
        unsettled.clear();
        let messages = self.queue.receive_events(BATCH, now, VISIBILITY).await?;
        if messages.is_empty() {
            return Ok(0);
        }
        let store = self.deliver.store.as_ref();
        let step = Evaluate { store, outbox: self.queue.as_ref(), config: &self.config, stop_by: None };
        match step.batch(&messages, now).await {
            Ok(handled) => *unsettled = handled,
            Err(error) => {
                // The store failed, not a message: all of them again, after the loop's rest.
                *unsettled = messages.iter().map(|m| (m.id, Handled::Again(Duration::ZERO))).collect();
                return Err(error);
            }
        }
        self.queue.settle(unsettled, self.clock.now()).await?;
        unsettled.clear();
        Ok(messages.len())
    }

    /// One receiver's lane: its trouble stays its own (law 7).
    async fn lane(self: Arc<Self>, receiver: String, mut stop: Stop) {
        let lane = Lane::Hints { receiver: receiver.clone() };
        let slots = Arc::new(Semaphore::new(SENDS_AT_ONCE));
        let mut sends = JoinSet::new();
        let mut draining = Draining::default();
        while !draining.is_over(&stop, self.clock.now()) {
            while sends.try_join_next().is_some() {}
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            let now = self.clock.now();
            let free = 1 + slots.available_permits();
            match self.queue.receive_hints(&receiver, free, now, VISIBILITY).await {
                Ok(messages) if messages.is_empty() => {
                    drop(slot);
                    if *stop.borrow() {
                        break;
                    }
                    self.nap(&lane, &mut stop).await;
                }
                Ok(messages) => {
                    let mut slot = Some(slot);
                    for message in messages {
                        // The first message takes the slot in hand; no other task of this lane takes any.
                        let Some(slot) = slot.take().or_else(|| slots.clone().try_acquire_owned().ok()) else { break };
                        let this = self.clone();
                        sends.spawn(async move {
                            this.send(message).await;
                            drop(slot);
                        });
                    }
                }
                Err(error) => {
                    drop(slot);
                    tracing::error!(event = "lane_failed", %error);
                    if *stop.borrow() {
                        break;
                    }
                    tokio::time::sleep(REST).await;
                }
            }
        }
        while sends.join_next().await.is_some() {}
    }

    async fn send(&self, message: Message) {
        let handled = match serde_json::from_str::<Hint>(&message.body) {
            Ok(hint) => match AssertUnwindSafe(self.deliver.hint(&hint)).catch_unwind().await {
                Ok(Ok(handled)) => handled,
                Ok(Err(error)) => {
                    tracing::error!(event = "deliver_failed", %error);
                    Handled::Again(REST)
                }
                // Rest longer than the lease that the panic left behind.
                Err(_) => {
                    tracing::error!(event = "deliver_panicked", receiver = hint.receiver);
                    Handled::Again(Duration::from_secs(30))
                }
            },
            Err(error) => {
                // Nothing is lost with it: tick's sweep makes a new one.
                tracing::error!(event = "hint_not_readable", %error);
                Handled::Done
            }
        };
        if let Err(error) = self.queue.settle(&[(message.id, handled)], self.clock.now()).await {
            tracing::error!(event = "hint_not_settled", %error);
        }
    }

    async fn tick(self: Arc<Self>, mut stop: Stop) {
        let mut last: Option<Minute> = None;
        while !*stop.borrow() {
            let now = self.clock.now();
            let minute = Minute::of(now);
            let mut wait = LONGEST_NAP;
            if last != Some(minute) {
                let step = Tick {
                    store: self.deliver.store.as_ref(),
                    outbox: self.queue.as_ref(),
                    config: &self.config,
                    directory: self.directory.as_deref(),
                    pulse: self.pulse.as_deref(),
                    track: self.track.as_deref(),
                    sums: self.sums.as_deref(),
                };
                match step.run(now).await {
                    Ok(()) => last = Some(minute),
                    Err(error) => {
                        tracing::error!(event = "tick_failed", %error);
                        wait = REST;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Sleeps until something is sent to the lane, something in it comes due, or we are told to stop.
    async fn nap(&self, lane: &Lane, stop: &mut Stop) {
        // Listening begins before looking, so that nothing slips in between.
        let heard = self.queue.notified(match lane {
            Lane::Events => embedded::Lane::Events,
            Lane::Hints { .. } => embedded::Lane::Hints,
        });
        let now = self.clock.now();
        let due = match lane {
            Lane::Events => self.queue.next_visible(embedded::Lane::Events, now).await,
            Lane::Hints { receiver } => self.queue.next_visible_hint(receiver, now).await,
        };
        let wait = due.ok().flatten().map_or(LONGEST_NAP, |at| {
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO).min(LONGEST_NAP)
        });
        tokio::select! {
            () = heard => {}
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}
