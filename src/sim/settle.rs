//! After the faults: everything works again, and everything must come out right.

use super::drive::Drive;
use super::effects::complete;
use super::traffic::{Item, Place, What, webhook};
use super::world::{Faults, HOUR, MINUTE, SECOND, Todo};

/// So often is looked, mostly every 50 minutes, before what is not settled never will be: a receiver that nobody repairs
/// is given up a day after its incident.
const MOST_SETTLES: i64 = 120;

impl Drive {
    pub(super) fn faults_end(&mut self) {
        {
            let mut state = self.world.state();
            state.faults = Faults::default();
            state.receivers.trouble = 0;
            state.say(|| "FAULTS end".into());
            let most = state.scenario.setups.len() - 1;
            self.epoch = most;
            state.after(MINUTE, Todo::Settle);
        }
        if self.process.as_ref().is_none_or(|p| p.epoch != self.epoch) {
            self.configure();
        }
    }

    /// Shows that everything works, lets tick look, and sees whether anything is left to do.
    pub(super) fn settle(&mut self) {
        self.settles += 1;
        let live = complete(self.adapter.store.unsettled()).expect("reads");
        let mut state = self.world.state();
        let idle = state.sender.is_idle() && state.queues.is_empty() && self.tasks.is_empty();
        let redrive = state.scenario.extras.redrives.iter().min().copied();
        if idle && live.is_empty() && self.settles > 1 && redrive.is_none() {
            self.settled = true;
            return;
        }
        let parked = state.queues.events.values().map(|q| q.visible_at).chain(redrive).min();
        let parked = parked.filter(|at| *at > state.now + HOUR);
        if self.settles > MOST_SETTLES {
            let line = format!(
                "not settled after all faults ended: {} incidents live ({:?}), {} events, {} hints, sender idle: {}",
                live.len(),
                live.iter().map(|i| (i.id(), i.subject.kind(), i.state, &i.receivers)).take(3).collect::<Vec<_>>(),
                state.queues.events.len(),
                state.queues.hints.len(),
                state.sender.is_idle()
            );
            state.truth.wrong.push(line);
            self.settled = true;
            return;
        }
        let wait = match (self.settles, parked) {
            // Nothing is left but what is parked for days, or waits for somebody.
            (_, Some(at)) if live.is_empty() && state.queues.hints.is_empty() => at - state.now - MINUTE,
            (1, _) => 8 * MINUTE,
            (..10, _) => 33 * MINUTE,
            _ => 50 * MINUTE,
        };
        if parked.is_some() && wait > HOUR {
            self.settles = 1;
        }
        state.after(wait, Todo::Settle);
        let places = if self.settles % 3 < 2 { failing_places(&state.scenario.items) } else { Vec::new() };
        let covering = Place { channel: "email", metric: "failed", success: "sent", source: 0 };
        let now = state.now;
        for place in places.into_iter().chain([covering]) {
            let number = state.scenario.items.len();
            let (body, spec) = webhook(number, place, None, now / SECOND, false);
            state.scenario.items.push(Item {
                at: now,
                body,
                what: What::Event(spec),
                again_at: None,
                parked: None,
                strange: false,
            });
            state.offer(number);
        }
        // When they have been counted.
        state.after(MINUTE, Todo::Look);
    }
}

/// Every place that failed.
fn failing_places(items: &[Item]) -> Vec<Place> {
    let mut places: Vec<Place> = items.iter().filter_map(|item| Place::of(&item.what)).collect();
    places.sort();
    places.dedup();
    places
}
