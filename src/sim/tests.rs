//! What the simulator promises, and the seeds it once failed on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use super::mutant::Mutant;
use super::{Ended, Kill, Over, Simulator, Way};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What went wrong with a seed, with its whole history.
fn shown(seed: u64, over: Over, mutant: Option<Mutant>) -> String {
    let Ended { wrong, history, .. } = Simulator::new().run(seed, Way { mutant, history: true, ..Way::over(over) });
    format!("seed {seed} over {over:?}:\n{}\n{}\n", history.join("\n"), wrong.join("\n"))
}

struct Tried {
    effects: u64,
    failed: Vec<(u64, Vec<String>)>,
}

/// Tries seeds on a few threads.
fn try_all(seeds: std::ops::Range<u64>, over: Over, mutant: Option<Mutant>) -> Tried {
    let next = AtomicU64::new(seeds.start);
    let effects = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let simulator = Simulator::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let ended = simulator.run(seed, Way { mutant, ..Way::over(over) });
                    effects.fetch_add(ended.effects, Ordering::Relaxed);
                    if !ended.wrong.is_empty() {
                        failed.lock().expect("no panic").push((seed, ended.wrong));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().expect("no panic");
    failed.sort();
    Tried { effects: effects.into_inner(), failed }
}

#[test]
fn the_laws_hold_in_every_history() {
    let began = Instant::now();
    let (first, count) = (number("BRIDGE_SIMULATE_FIRST").unwrap_or(0), number("BRIDGE_SIMULATE").unwrap_or(2000));
    let tried = try_all(first..first + count, Over::Model, None);
    for (seed, wrong) in tried.failed.iter().take(12) {
        eprintln!("seed {seed}: {}", wrong.join(" | "));
    }
    eprintln!("{count} seeds, {} effects, {} failed, {:?}", tried.effects, tried.failed.len(), began.elapsed());
    assert!(tried.failed.is_empty());
}

#[test]
fn embedded() {
    let began = Instant::now();
    let tried = try_all(0..number("BRIDGE_SIMULATE").unwrap_or(20), Over::Embedded, None);
    for (seed, wrong) in tried.failed.iter().take(12) {
        eprintln!("seed {seed}: {}", wrong.join(" | "));
    }
    eprintln!("{} effects, {} failed, {:?}", tried.effects, tried.failed.len(), began.elapsed());
    assert!(tried.failed.is_empty());
}

#[test]
fn mutants() {
    for (mutant, law, what) in Mutant::ALL {
        let simulator = Simulator::new();
        let most = number("BRIDGE_SIMULATE").unwrap_or(2000);
        let mut caught = None;
        for seed in 0..most {
            let ended = simulator.run(seed, Way { mutant: Some(*mutant), ..Way::over(Over::Model) });
            if !ended.wrong.is_empty() { caught = Some((seed + 1, ended.wrong[0].clone())); break; }
        }
        eprintln!("{mutant:?} law {law} ({what}): {caught:?}");
    }
}

#[test]
fn every_effect_can_be_the_last_of_its_process() {
    let simulator = Simulator::new();
    let began = Instant::now();
    let mut runs = 0;
    for seed in 0..number("BRIDGE_SIMULATE").unwrap_or(4) {
        let way = Way { calm: true, ..Way::over(Over::Model) };
        let undisturbed = simulator.run(seed, way);
        assert_eq!(undisturbed.wrong, Vec::<String>::new());
        for effect in 1..=undisturbed.effects {
            for after in [false, true] {
                let kill = Some(Kill { effect, after });
                let ended = simulator.run(seed, Way { kill, ..way });
                runs += 1;
                if !ended.wrong.is_empty() { eprintln!("seed {seed} {kill:?}: {:?}", ended.wrong); }
            }
        }
    }
    eprintln!("{runs} runs, {:?}", began.elapsed());
}

#[test]
fn show_one() {
    let Some(seed) = number("SEED") else { return };
    let mutant = std::env::var("MUTANT").ok();
    let mutant = Mutant::ALL.iter().map(|(m, ..)| *m).find(|m| Some(format!("{m:?}")) == mutant);
    let over = if std::env::var("EMBEDDED").is_ok() { Over::Embedded } else { Over::Model };
    eprintln!("{}", shown(seed, over, mutant));
}
