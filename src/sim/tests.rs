//! What the simulator promises in CI, and the seeds it once failed on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::mutant::Mutant;
use super::{Ended, Kill, Over, Simulator, Way};

/// Seeds tried in CI over the model, and over the embedded store (whose threads make a seed ten times slower).
const SEEDS: u64 = 2_000;
const SEEDS_EMBEDDED: u64 = 40;

/// A broken law is caught within so many seeds.
const CAUGHT_WITHIN: u64 = 2_000;

/// Seeds that failed once, whether people and updates were simulated, and what they showed.
const REGRESSIONS: &[(u64, bool, &str)] = &[
    (100, false, "a page that was taken unheard, of an incident over before the next try, stayed open for ever"),
    (356, false, "time before the first event that was heard counted as covered and quiet"),
    (39, false, "failures counted while their incident was being resolved were judged within the latest window only"),
    (99, false, "the same when the tick that resolved could not judge"),
    (74694, false, "a late arrival while a tick was at work did not un-cover anything for it"),
    (7135, false, "a roll-up of a later episode hid an earlier one that was never told"),
    (27741, false, "the oracle took what was counted while tick resolved for unspoken of, though it had opened again"),
    (432, true, "a layout counted an event twice that claimed to be later than the layout's first event time"),
    (645, true, "a message that was taken unheard, and silenced until its incident was over, never got its end"),
    (202371, true, "the oracle forgot that somebody may give up a roll-up"),
    (205014, true, "the oracle forgot that an opening may be written down as begun and never be sent"),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What went wrong with a seed, with its whole history.
fn shown(seed: u64, way: Way) -> String {
    let Ended { wrong, history, .. } = Simulator::new().run(seed, Way { history: true, ..way });
    format!("{}\nseed {seed}, {way:?}:\n{}\n", history.join("\n"), wrong.join("\n"))
}

struct Tried {
    effects: u64,
    failed: BTreeMap<u64, Vec<String>>,
    took: Duration,
}

/// Tries seeds on as many threads as there are processors, at most four.
fn try_all(seeds: Range<u64>, way: Way, said_every: Option<u64>) -> Tried {
    let (began, next, effects) = (Instant::now(), AtomicU64::new(seeds.start), AtomicU64::new(0));
    let failed = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let simulator = Simulator::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let ended = simulator.run(seed, way);
                    effects.fetch_add(ended.effects, Ordering::Relaxed);
                    if said_every.is_some_and(|every| (seed - seeds.start) % every == every - 1) {
                        eprintln!("{} seeds, {:.0?}", seed - seeds.start + 1, began.elapsed());
                    }
                    if !ended.wrong.is_empty() {
                        eprintln!("seed {seed}: {}", ended.wrong.join(" | "));
                        failed.lock().expect("no panic").insert(seed, ended.wrong);
                    }
                }
            });
        }
    });
    Tried { effects: effects.into_inner(), failed: failed.into_inner().expect("no panic"), took: began.elapsed() }
}

fn all_hold(seeds: Range<u64>, way: Way) {
    let count = seeds.end - seeds.start;
    let tried = try_all(seeds, way, None);
    let each = tried.took.as_secs_f64() * 1000.0 / count as f64;
    println!("{count} seeds {way:?}: {} effects, {each:.1} ms a seed", tried.effects);
    if let Some(seed) = tried.failed.keys().next() {
        panic!("{}", shown(*seed, way));
    }
}

#[test]
fn seeds_that_failed_once_hold() {
    for (seed, extras, what) in REGRESSIONS {
        for over in [Over::Model, Over::Embedded] {
            let way = Way { extras: *extras, ..Way::over(over) };
            let ended = Simulator::new().run(*seed, way);
            assert!(ended.wrong.is_empty(), "{what}\n{}", shown(*seed, way));
        }
    }
}

#[test]
fn the_laws_hold_in_every_history() {
    all_hold(0..SEEDS, Way::over(Over::Model));
}

#[test]
fn the_laws_hold_over_the_embedded_store() {
    all_hold(0..SEEDS_EMBEDDED, Way::over(Over::Embedded));
}

#[test]
fn a_seed_makes_one_history() {
    let simulator = Simulator::new();
    for seed in 0..20 {
        let way = Way { history: true, ..Way::over(Over::Model) };
        let (one, other) = (simulator.run(seed, way), Simulator::new().run(seed, way));
        assert_eq!((one.history, one.mark), (other.history, other.mark), "seed {seed}");
    }
}

/// Of a history in which nothing else goes wrong, each effect in turn is the last one: before it is made, and after.
#[test]
fn every_effect_can_be_the_last_of_its_process() {
    let simulator = Simulator::new();
    let way = Way { calm: true, ..Way::over(Over::Model) };
    let mut runs = 0;
    for seed in 0..2 {
        let undisturbed = simulator.run(seed, way);
        assert_eq!(undisturbed.wrong, Vec::<String>::new());
        for effect in 1..=undisturbed.effects {
            for after in [false, true] {
                let way = Way { kill: Some(Kill { effect, after }), ..way };
                runs += 1;
                assert!(simulator.run(seed, way).wrong.is_empty(), "{}", shown(seed, way));
            }
        }
    }
    println!("{runs} deaths survived");
}

/// How many seeds it takes until a broken law is caught, and what gave it away.
fn caught(mutant: Mutant) -> Option<(u64, String)> {
    let simulator = Simulator::new();
    let way = Way { mutant: Some(mutant), ..Way::over(Over::Model) };
    (0..CAUGHT_WITHIN).find_map(|seed| {
        let wrong = simulator.run(seed, way).wrong.into_iter().next()?;
        Some((seed + 1, wrong))
    })
}

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");

/// The table in docs/reliability.md is what is found here; `BRIDGE_BLESS=1` writes it.
#[test]
fn every_broken_law_is_caught() {
    let mut table = "| law | broken on purpose | seeds until caught |\n|---|---|---|\n".to_owned();
    for (mutant, law, what) in Mutant::ALL {
        let Some((seeds, wrong)) = caught(*mutant) else { panic!("{mutant:?} survived {CAUGHT_WITHIN} seeds") };
        println!("{mutant:?} after {seeds}: {wrong}");
        table.push_str(&format!("| {law} | {what} | {seeds} |\n"));
    }
    let docs = std::fs::read_to_string(DOCS).expect("docs/reliability.md");
    let (head, rest) = docs.split_once("<!-- mutants -->\n").expect("a place for the table");
    let (old, tail) = rest.split_once("<!-- /mutants -->").expect("the table's end");
    if std::env::var_os("BRIDGE_BLESS").is_some() {
        std::fs::write(DOCS, format!("{head}<!-- mutants -->\n{table}<!-- /mutants -->{tail}")).expect("writes");
    } else {
        assert_eq!(old, table, "run with BRIDGE_BLESS=1 to write it");
    }
}

/// `scripts/simulate`.
#[test]
#[ignore = "as many seeds as BRIDGE_SIMULATE says"]
fn simulate() {
    let first = number("BRIDGE_SIMULATE_FIRST").unwrap_or(0);
    let count = number("BRIDGE_SIMULATE").unwrap_or(SEEDS);
    let over_model = try_all(first..first + count, Way::over(Over::Model), Some(10_000));
    let over_embedded = try_all(first..first + count / 100, Way::over(Over::Embedded), None);
    let failed = over_model.failed.len() + over_embedded.failed.len();
    for (tried, over) in [(&over_model, Over::Model), (&over_embedded, Over::Embedded)] {
        if let Some(seed) = tried.failed.keys().next() {
            println!("{}", shown(*seed, Way::over(over)));
        }
    }
    println!("{} effects", over_model.effects + over_embedded.effects);
    println!("simulated: {} s, {failed} failed", (over_model.took + over_embedded.took).as_secs());
    assert_eq!(failed, 0);
}

/// Prints one history: `BRIDGE_SIMULATE_SHOW=seed`, and `BRIDGE_SIMULATE_MUTANT=name` for a broken law.
#[test]
#[ignore = "prints the history of the seed in BRIDGE_SIMULATE_SHOW"]
fn show() {
    let Some(seed) = number("BRIDGE_SIMULATE_SHOW") else { return };
    let named = std::env::var("BRIDGE_SIMULATE_MUTANT").unwrap_or_default();
    let mutant = Mutant::ALL.iter().map(|(mutant, ..)| *mutant).find(|mutant| format!("{mutant:?}") == named);
    println!("{}", shown(seed, Way { mutant, ..Way::over(Over::Model) }));
}
