//! The oracle: what must be true of a history, worked out by brute force from what was sent, answered and done, and
//! never with the code that it judges.

mod answers;
mod counting;
mod demand;
mod rates;
mod resolving;
mod silencing;
mod telling;

use super::effects::complete;
use super::world::State;
use crate::store::Store;

/// Everything that is wrong with a history that has ended.
pub fn judge(state: &mut State, store: &dyn Store) -> Vec<String> {
    let mut wrong = std::mem::take(&mut state.truth.wrong);
    let last = state.now;
    let items = &state.scenario.items;
    answers::judge(items, &state.truth, &state.sender, &mut wrong);
    let registers = complete(counting::registers(store, last)).expect("registers are read");
    let quarantined = complete(counting::quarantined(store, last)).expect("the quarantine is read");
    counting::judge(items, &state.truth, &state.sender, &registers, &quarantined, &mut wrong);
    let history = demand::Failures::of(&state.truth);
    history.judge(&state.scenario, &state.truth, &mut wrong);
    resolving::judge(&state.scenario, &state.truth, &mut wrong);
    telling::judge(state, store, &mut wrong);
    silencing::judge(state, &mut wrong);
    wrong
}
