//! The layer around every effect of a step: it takes time, may be refused, may be made with its answer lost, and the
//! task may die before or after it. What was made is written down for the oracle.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::model::Model;
use super::mutant::Mutant;
use super::world::{Role, World};
use crate::store::{Store, StoreError};

/// Store and queue as the steps know them.
pub struct Adapter {
    pub world: Arc<World>,
    pub store: Arc<dyn Store>,
    /// The same store, where it is the model: it can be torn.
    pub model: Option<Arc<Model>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Throttled,
    Lost,
    DiesBefore,
    DiesAfter,
    Torn,
}

/// Runs a future that waits for nothing simulated to its end: the model's at once, the embedded store's threads are
/// waited for.
pub fn complete<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn refused() -> StoreError {
    StoreError::Unavailable("throttled".into())
}

impl Adapter {
    fn plan(&self, name: &'static str) -> (i64, Fault, i64) {
        let mut state = self.world.state();
        let (before, after) = (state.latency(), state.latency());
        let faults = state.faults;
        let roll = state.random.below(1000);
        let limits = [
            (faults.throttle, Fault::Throttled),
            (faults.lose, Fault::Lost),
            (faults.kill, if roll.is_multiple_of(2) { Fault::DiesBefore } else { Fault::DiesAfter }),
            (if name == "count" && self.model.is_some() { faults.tear } else { 0 }, Fault::Torn),
        ];
        let mut sum = 0;
        let fault = limits.into_iter().find_map(|(limit, fault)| {
            sum += limit;
            (roll < sum).then_some(fault)
        });
        let fault = match state.next_effect() {
            Some(kill) if kill.after => Some(Fault::DiesAfter),
            Some(_) => Some(Fault::DiesBefore),
            None => fault,
        };
        (before, fault.unwrap_or(Fault::None), after)
    }

    /// Makes an effect, or not. `seen` is told at the moment it is made what it did.
    pub(super) async fn effect<T>(
        &self,
        name: &'static str,
        make: impl Future<Output = Result<T, StoreError>>,
        seen: impl FnOnce(&T, u64),
    ) -> Result<T, StoreError> {
        let (before, fault, after) = self.plan(name);
        self.world.pause(before).await;
        match fault {
            Fault::Throttled => {
                self.world.say(|| format!("{name} throttled"));
                return Err(refused());
            }
            Fault::DiesBefore => {
                self.world.say(|| format!("DIES before {name}"));
                self.world.die().await;
            }
            Fault::Torn => {
                self.world.say(|| format!("{name} torn"));
                if let Some(model) = &self.model {
                    model.tear();
                }
            }
            Fault::None | Fault::Lost | Fault::DiesAfter => {}
        }
        let made = complete(make);
        if let Ok(made) = &made {
            let step = self.world.state().truth.next_step();
            seen(made, step);
        }
        if fault == Fault::DiesAfter {
            self.world.say(|| format!("DIES after {name}"));
            self.world.die().await;
        }
        self.world.pause(after).await;
        if fault == Fault::Lost {
            self.world.say(|| format!("answer to {name} lost"));
            return Err(refused());
        }
        made
    }

    /// Whether the process dies between a roll-up and the marks of what it names.
    pub(super) fn falls_into_the_gap(&self) -> bool {
        let mut state = self.world.state();
        let (deaths, over) = (state.scenario.extras.roll_up_deaths, state.now >= state.scenario.faults_end);
        deaths > 0 && !over && state.random.chance(deaths)
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.world.is(mutant)
    }

    pub(super) fn role(&self) -> Option<Role> {
        let state = self.world.state();
        state.running.get(&state.current).map(|r| r.role)
    }
}
