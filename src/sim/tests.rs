//! What the simulator promises, and the seeds it once failed on.

use std::time::Instant;

use super::mutant::Mutant;
use super::{Over, Simulator};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn show(simulator: &Simulator, seed: u64, over: Over, mutant: Option<Mutant>) -> String {
    let ended = simulator.run(seed, over, mutant, true);
    format!("seed {seed} over {over:?}:\n{}\n{}\n", ended.wrong.join("\n"), ended.history.join("\n"))
}

#[test]
fn the_laws_hold_in_every_history() {
    let simulator = Simulator::new();
    let began = Instant::now();
    let (mut effects, mut failed) = (0, 0);
    let (first, count) = (number("BRIDGE_SIMULATE_FIRST").unwrap_or(0), number("BRIDGE_SIMULATE").unwrap_or(200));
    for seed in first..first + count {
        let ended = simulator.run(seed, Over::Model, None, false);
        effects += ended.effects;
        if number("SLOW").is_some_and(|n| ended.effects > n) { eprintln!("seed {seed}: {} effects", ended.effects); }
        if !ended.wrong.is_empty() {
            failed += 1;
            if failed <= 10 { eprintln!("seed {seed}: {}", ended.wrong.join(" | ")); }
        }
    }
    eprintln!("{count} seeds, {effects} effects, {failed} failed, {:?}", began.elapsed());
    assert_eq!(failed, 0);
}

#[test]
fn show_one() {
    let Some(seed) = number("SEED") else { return };
    eprintln!("{}", show(&Simulator::new(), seed, Over::Model, None));
}
