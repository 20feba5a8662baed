//! The two queues as SQS has them: at least once, in no order, out of sight for a while after each receive.

use std::collections::BTreeMap;

use super::world::{State, Todo};
use crate::queue::Hint;

#[derive(Default)]
pub struct Queues {
    next_id: i64,
    pub events: BTreeMap<i64, Queued>,
    pub hints: BTreeMap<i64, Queued>,
}

#[derive(Clone, Debug)]
pub struct Queued {
    pub body: String,
    /// An event: its place in the truth's copies.
    pub copy: usize,
    pub hint: Option<Hint>,
    pub visible_at: i64,
    pub receives: u32,
    /// Until a tick is ambushed.
    pub held: bool,
}

impl Queues {
    pub fn put_event(&mut self, body: String, copy: usize, visible_at: i64, held: bool) {
        self.next_id += 1;
        self.events.insert(self.next_id, Queued { body, copy, hint: None, visible_at, receives: 0, held });
    }

    pub fn put_hint(&mut self, hint: Hint, visible_at: i64) {
        self.next_id += 1;
        let queued = Queued { body: String::new(), copy: 0, hint: Some(hint), visible_at, receives: 0, held: false };
        self.hints.insert(self.next_id, queued);
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.hints.is_empty()
    }

    fn lane(&mut self, lane: Todo) -> &mut BTreeMap<i64, Queued> {
        if lane == Todo::Events { &mut self.events } else { &mut self.hints }
    }
}

impl State {
    /// What was held back is received now.
    pub fn ambush(&mut self) {
        let now = self.now;
        let mut held: Vec<&mut Queued> = self.queues.events.values_mut().filter(|q| q.held).collect();
        let any = !held.is_empty();
        held.iter_mut().for_each(|queued| (queued.held, queued.visible_at) = (false, now));
        if any {
            self.say(|| "AMBUSH".into());
            self.after(0, Todo::Events);
        }
    }

    /// Receives up to `most` messages of a lane; each is out of sight for `visibility`. Some are received by somebody
    /// else as well.
    pub fn receive(&mut self, lane: Todo, most: usize, visibility: i64) -> Vec<(i64, Queued)> {
        let now = self.now;
        let mut visible: Vec<i64> =
            self.queues.lane(lane).iter().filter(|(_, q)| q.visible_at <= now).map(|(id, _)| *id).collect();
        let mut received = Vec::new();
        while !visible.is_empty() && received.len() < most {
            let place = usize::try_from(self.random.below(visible.len() as u64)).unwrap_or(0);
            let id = visible.swap_remove(place);
            let again = self.random.chance(self.faults.duplicate);
            let hidden = if again { now + self.random.between(0, 2_000_000) } else { now + visibility };
            if let Some(queued) = self.queues.lane(lane).get_mut(&id) {
                queued.receives += 1;
                queued.visible_at = hidden;
                queued.held = false;
                received.push((id, queued.clone()));
            }
            self.at(hidden, lane);
        }
        if !visible.is_empty() {
            self.after(1_000, lane);
        }
        received
    }

    /// Deletes a message, or gives it back after a while.
    pub fn settle(&mut self, lane: Todo, id: i64, again: Option<i64>) {
        let now = self.now;
        match again {
            None => {
                // At least once means also after it was deleted.
                let returns = self.random.chance(self.faults.duplicate / 3);
                let later = now + self.random.between(0, 600_000_000);
                if !returns {
                    self.queues.lane(lane).remove(&id);
                } else if let Some(queued) = self.queues.lane(lane).get_mut(&id) {
                    queued.visible_at = later;
                    self.at(later, lane);
                }
            }
            Some(wait) => {
                if let Some(queued) = self.queues.lane(lane).get_mut(&id) {
                    queued.visible_at = now + wait;
                    self.at(now + wait, lane);
                }
            }
        }
    }
}
