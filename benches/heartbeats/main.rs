//! How soon a heartbeat notices a fault, and how often it cries wolf: simulates workflows through years with the crate's
//! own test, other tests beside it, and writes what comes out into `docs/heartbeats.md` and its plots.
//!
//!     cargo bench --no-default-features --bench heartbeats
//!
//! `HEARTBEAT_YEARS` and `HEARTBEAT_TRIALS` (a row) make it longer and surer; `HEARTBEAT_SEED` makes it another world.

#[path = "../chance.rs"]
mod chance;
#[path = "../rates/plot.rs"]
mod plot;
mod product;
mod report;
mod rivals;
mod shapes;
mod trials;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use trials::{Alarms, Delay, Row};
use world::{Fault, Workload};

/// Another seed, other figures, the same conclusions.
pub fn seed() -> u64 {
    from_env("HEARTBEAT_SEED", 20_261_124)
}

/// Mean messages a day.
pub const SIZES: [f64; 7] = [3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0];

/// From here on a stop is promised to be known nearly as soon as can be.
pub const LEAST_PROMISED: f64 = 30.0;

/// What goes wrong.
pub const FAULTS: [(&str, Fault); 5] = [
    ("total stop", Fault::Leaves(0.0)),
    ("90 % drop", Fault::Leaves(0.1)),
    ("50 % drop", Fault::Leaves(0.5)),
    ("20 % drop", Fault::Leaves(0.8)),
    ("doubling", Fault::Leaves(2.0)),
];

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let began = Instant::now();
    let (years, trials) = (from_env("HEARTBEAT_YEARS", 1), from_env("HEARTBEAT_TRIALS", 40));
    let (loads, others) = (shapes::known(), shapes::held_out());
    let all: Vec<&Workload> = loads.iter().chain(&others).collect();
    let mut well: Vec<(&Workload, f64)> = SIZES.iter().flat_map(|s| all.iter().map(move |l| (*l, *s))).collect();
    // The largest take longest.
    well.reverse();
    let alarms: Vec<Alarms> = parallel("well", &well, |(load, size)| trials::alarms(load, *size, years));
    let a_year = |size: f64| {
        let of: Vec<&Alarms> = alarms.iter().filter(|a| a.size == size && a.counts_for_rate()).collect();
        let pages: usize = of.iter().map(|a| a.low + a.high).sum();
        // With none seen, half of one.
        (pages as f64).max(0.5) / of.iter().map(|a| a.years).sum::<f64>()
    };
    let mut rows = Vec::new();
    for (place, load) in all.iter().enumerate() {
        for (fault, what) in FAULTS.iter().filter(|(_, what)| place == 0 || *what == Fault::Leaves(0.0)) {
            let of = SIZES.iter().filter(|size| place < 2 || (place >= loads.len() && **size >= LEAST_PROMISED));
            rows.extend(of.map(|size| Row { load, fault, what: *what, size: *size, rate: a_year(*size) }));
        }
    }
    let delays: Vec<Delay> = parallel("ill", &rows, |row| trials::delays(row, trials));
    let darkness = parallel("vendor", &SIZES, |size| trials::vendor_delays(&loads[0], *size, trials));
    let alone = parallel("alone", &SIZES, |size| trials::alone(&loads[0], *size, trials));
    let rates: Vec<(f64, f64)> = SIZES.iter().map(|size| (*size, a_year(*size))).collect();
    let held_out = others.iter().map(|load| load.name).collect();
    let costs = product::costs(&loads[0]);
    report::write(&report::Figures {
        alarms,
        delays,
        held_out,
        darkness,
        alone,
        rates,
        costs,
        took: began.elapsed(),
        trials,
    });
}

fn from_env<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn parallel<T: Sync, R: Send + std::fmt::Debug>(what: &str, trials: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                while let Some((place, trial)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, trials.get(n)?)))
                {
                    let began = Instant::now();
                    let result = run(trial);
                    eprintln!(
                        "{what} {} of {}: {:.1} s, {result:?}",
                        place + 1,
                        trials.len(),
                        began.elapsed().as_secs_f64()
                    );
                    results.lock().unwrap_or_else(|e| e.into_inner()).push((place, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// How many threads the trials run on.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
