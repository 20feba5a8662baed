//! The deterministic simulator: the real steps (ingest, evaluate, deliver, tick) under every fault that their
//! surroundings can have, and an oracle that says whether the laws held.
//!
//! One seed makes one history: [`scenario`] (configurations, [`traffic`], faults), [`sender`] (Customer.io), [`queues`]
//! (SQS), [`receivers`], [`effects`] (the store and the queue as the steps see them: slow, refusing, forgetful of
//! answers, deadly), over the [`model`] store or the embedded one. [`drive`] lets things happen in the order of
//! simulated time; nothing waits, nothing is parallel, so the same seed makes the same history on every machine. What
//! really happened is [`truth`], and [`oracle`] judges it. [`mutant`] breaks each law once on purpose.

mod adapter;
mod drive;
mod effects;
mod extras;
mod model;
mod mutant;
mod oracle;
mod people;
mod process;
mod queues;
pub mod random;
mod receivers;
mod scenario;
mod sender;
mod settle;
mod setup;
mod traffic;
mod truth;
mod witness;
mod world;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::drive::Drive;
use self::effects::Adapter;
use self::model::Model;
use self::mutant::Mutant;
use self::random::Random;
use self::scenario::Scenario;
use self::world::World;
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore};

/// Over which store a history is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Model,
    Embedded,
}

/// How a history is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub over: Over,
    pub mutant: Option<Mutant>,
    /// Keep every effect as a line.
    pub history: bool,
    /// Nothing goes wrong, but for `kill`.
    pub calm: bool,
    /// With silences, `redrive`, rates and the like; without, a seed makes the history that it made before there were any.
    pub extras: bool,
    pub kill: Option<Kill>,
}

/// Death at one effect, counted from 1: before or after it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    pub effect: u64,
    pub after: bool,
}

impl Way {
    pub const fn over(over: Over) -> Self {
        Self { over, mutant: None, history: false, calm: false, extras: true, kill: None }
    }
}

/// How a history ended.
pub struct Ended {
    pub wrong: Vec<String>,
    /// Every effect in order, where asked for.
    pub history: Vec<String>,
    pub effects: u64,
    /// A number that tells histories apart: of the effects and what the receivers took.
    pub mark: u64,
}

/// A thread's means to make histories.
pub struct Simulator {
    runtime: tokio::runtime::Runtime,
}

impl Simulator {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        Self { runtime: runtime.expect("a runtime") }
    }

    /// Makes the history of a seed and judges it.
    pub fn run(&self, seed: u64, way: Way) -> Ended {
        let Way { over, mutant, .. } = way;
        let mut random = Random::new(seed);
        let mut scenario = Scenario::of(&mut random, way.calm);
        if way.extras {
            extras::add(&mut scenario, seed);
        }
        let world = World::new(scenario, random, way);
        let folder = (over == Over::Embedded).then(|| tempfile::tempdir().expect("a folder"));
        let model = folder.is_none().then(|| Arc::new(Model::new(mutant, world.time.clone())));
        let store: Arc<dyn Store> = match (&model, &folder) {
            (Some(model), _) => model.clone(),
            (None, Some(folder)) => {
                let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
                Arc::new(store.with_clock(world.time.clone()))
            }
            (None, None) => unreachable!("a folder is made where there is no model"),
        };
        let adapter = Arc::new(Adapter { world: world.clone(), store: store.clone(), model });
        let _entered = self.runtime.enter();
        let mut drive = Drive::new(adapter);
        drive.run(&self.runtime);
        if !drive.settled {
            world.state().truth.wrong.push("nothing is left to happen, and not all is told".into());
        }
        drop(drive);
        let mut state = world.state();
        let wrong = oracle::judge(&mut state, store.as_ref());
        let taken = state.truth.attempts.iter().filter_map(|a| a.taken);
        let mark = taken.fold(state.truth.effects, |mark, (step, at)| {
            mark.rotate_left(7) ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.unsigned_abs()
        });
        Ended { wrong, history: state.history(), effects: state.truth.effects, mark }
    }
}
