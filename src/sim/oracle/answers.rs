//! Law 2: an authentic request is answered 200 or 503, in time, and the sender gets rid of everything.

use crate::sim::sender::{HOUR_HOLD, Sender};
use crate::sim::traffic::Item;
use crate::sim::truth::Truth;
use crate::sim::world::SECOND;

/// Every request of the simulated sender is stamped when it is sent, so nothing shortens this.
const DEADLINE: i64 = 2 * SECOND + SECOND / 2;

pub fn judge(items: &[Item], truth: &Truth, sender: &Sender, wrong: &mut Vec<String>) {
    for answer in &truth.answers {
        let item = answer.item;
        if answer.status != 200 && answer.status != 503 {
            let hour = if HOUR_HOLD.contains(&answer.status) { ", which costs an hour" } else { "" };
            wrong.push(format!("law 2: item {item} was answered {}{hour}", answer.status));
        }
        if answer.answered - answer.arrived > DEADLINE {
            wrong.push(format!("law 2: item {item} was answered after {} us", answer.answered - answer.arrived));
        }
    }
    let lost = (0..items.len()).filter(|i| !sender.accepted.contains_key(i) && !sender.given_up.contains(i));
    for item in lost {
        wrong.push(format!("law 2: the sender never got rid of item {item}"));
    }
}
