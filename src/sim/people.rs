//! What people do beside the traffic: silences, `redrive`; and what an update brings: another layout, events that were
//! not understood before. Each command is a process of its own, with its own faults.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::drive::Drive;
use super::effects::Adapter;
use super::extras::SilencePlan;
use super::mutant::Mutant;
use super::process::Process;
use super::world::{MINUTE, Role, SECOND, State, Todo, instant};
use crate::clock::Clock;
use crate::incident::Incident;
use crate::silence::{Conditions, Silence};
use crate::steps::ingest::Answer;
use crate::steps::open;
use crate::steps::redrive::{Outcome, Redrive};
use crate::store::{Quarantined, Store, StoreError};

/// So often somebody tries a command that failed.
const TRIES: usize = 4;

impl State {
    /// Puts into the heap what people will do.
    pub fn plan_extras(&mut self) {
        let extras = self.scenario.extras.clone();
        for (place, plan) in extras.silences.iter().enumerate() {
            self.at(plan.at, Todo::Silence(place));
            if let Some(at) = plan.ended_at {
                self.at(at, Todo::Unsilence(place));
            }
        }
        extras.redrives.iter().for_each(|at| self.at(*at, Todo::Redrive));
        extras.layouts.iter().enumerate().for_each(|(place, plan)| self.at(plan.at, Todo::Layout(place)));
    }
}

impl State {
    /// One of the times that were planned has come.
    fn comes_by(&mut self) {
        let redrives = &mut self.scenario.extras.redrives;
        if let Some(earliest) = (0..redrives.len()).min_by_key(|place| redrives[*place]) {
            redrives.remove(earliest);
        }
    }
}

impl Drive {
    pub(super) fn besides(&mut self, todo: Todo) {
        let extras = self.world.state().scenario.extras.clone();
        let adapter = self.adapter.clone();
        match todo {
            Todo::Silence(place) => {
                let plan = extras.silences[place].clone();
                self.spawn(Role::Person, Vec::new(), None, Box::pin(silence(adapter, plan)));
            }
            Todo::Unsilence(place) => {
                let Some(config) = self.process.as_ref().map(|p| p.config.clone()) else {
                    return self.world.state().after(MINUTE, todo);
                };
                let plan = extras.silences[place].clone();
                let ends = async move {
                    for _ in 0..TRIES {
                        if end_silence(&adapter, &plan, &config).await.is_ok() {
                            return;
                        }
                        adapter.world.pause(5 * SECOND).await;
                    }
                };
                self.spawn(Role::Person, Vec::new(), None, Box::pin(ends));
            }
            Todo::Layout(place) => {
                let plan = extras.layouts[place];
                let past = self.world.is(Mutant::LayoutForThePast);
                if let Some(model) = &adapter.model {
                    self.world.say(|| format!("LAYOUT of {} s", plan.width));
                    model.lay_out(if past { i64::MIN } else { plan.from }, plan.width);
                }
            }
            _ => {
                let Some(process) = self.process.clone() else { return self.world.state().after(MINUTE, todo) };
                self.world.state().comes_by();
                self.spawn(Role::Person, Vec::new(), None, Box::pin(process.redrive()));
            }
        }
    }
}

fn planned(plan: &SilencePlan, now: Timestamp) -> Silence {
    Silence {
        id: plan.id.clone(),
        matchers: Conditions::parse(&plan.conditions).expect("conditions"),
        start: instant(plan.start),
        end: instant(plan.end),
        author: "ada".into(),
        reason: "deploy".into(),
        created_at: now,
    }
}

/// `bridge silence add`.
async fn silence(adapter: Arc<Adapter>, plan: SilencePlan) {
    let silence = planned(&plan, adapter.world.now());
    for _ in 0..TRIES {
        if adapter.keep_silence(&silence).await.is_ok() {
            return;
        }
        adapter.world.pause(5 * SECOND).await;
    }
}

/// `bridge silence end`, which tells deliver to look at what it may have muted.
async fn end_silence(adapter: &Adapter, plan: &SilencePlan, config: &crate::config::Config) -> Result<(), StoreError> {
    let now = adapter.world.now();
    let stored = adapter.silences().await?;
    let Some(silence) = stored.iter().find(|s| s.id == plan.id && now < s.end) else { return Ok(()) };
    let mut open = adapter.unsettled().await?;
    open.retain(Incident::is_open);
    adapter.keep_silence(&silence.ended(now)).await?;
    for incident in open.iter().filter(|i| i.receivers.iter().all(|r| config.receiver(r).is_some())) {
        open::hint(adapter, incident, now).await?;
    }
    Ok(())
}

impl Process {
    /// `bridge redrive`: somebody lists what waits, sends some of it, drops some, and leaves the rest.
    async fn redrive(self: Arc<Self>) {
        let (adapter, world) = (self.adapter.as_ref(), &self.adapter.world);
        let now = world.now();
        let step = Redrive {
            store: adapter,
            outbox: adapter,
            dead_letters: None,
            config: &self.config,
            process: format!("person/{now}"),
        };
        let Ok(items) = step.list(now).await else { return };
        for item in items {
            let choice = world.state().random.below(8);
            let now = world.now();
            let outcome = match choice {
                0..=4 => step.send(&item, now).await,
                5..=6 => {
                    self.gives_up(true);
                    let outcome = step.give_up(&item, "ada", now).await;
                    self.gives_up(false);
                    outcome
                }
                _ => Ok(Outcome::Kept("for later".into())),
            };
            world.say(|| format!("redrive {}: {outcome:?}", item.id.get(..8).unwrap_or(&item.id)));
        }
    }

    fn gives_up(&self, whether: bool) {
        if let Some(running) = self.adapter.world.state().running() {
            running.gives_up = whether;
        }
    }

    /// What a version does that cannot read this event yet: it is authentic, so it is kept, and answered 200.
    pub(super) async fn misunderstood(&self, body: &str, arrived: i64) -> Answer {
        let id = hash_of(body);
        let request = Quarantined {
            id,
            reason: "an event of a kind that is not known".into(),
            received_at: instant(arrived),
            length: body.len() as u64,
            head: body.as_bytes().to_vec(),
        };
        match self.adapter.quarantine(&request).await {
            Ok(()) => Answer::Taken,
            Err(_) => Answer::Unavailable,
        }
    }
}

/// The id of a quarantined body.
pub fn hash_of(body: &str) -> String {
    Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect()
}
