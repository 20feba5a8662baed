//! How far a rate can be trusted: simulates sources through years, minute by minute, with the crate's own judge, and
//! writes what comes out into `docs/rates.md` and its plots.
//!
//!     cargo bench --no-default-features --bench rates

#[path = "../chance.rs"]
mod chance;
mod plot;
mod report;
mod trials;
mod watch;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use trials::{Harmless, ILL, LIMIT, Outages, Step, WELL};
use world::{DAY, Lags, Sending};

/// Another seed, other figures, the same conclusions.
const SEED: u64 = 20_261_124;

fn main() {
    let began = Instant::now();
    let harmless = parallel("harmless", &harmless(), |trial| trial.run(SEED));
    let power: Vec<(u32, f64, f64)> = [50, 100, 200]
        .map(|of| (of, trials::power(of, ILL), trials::power_of_a_new_source(of as usize, ILL, 2_000, SEED)))
        .into();
    let steps = parallel("steps", &steps(), |trial| trial.run(SEED));
    let outages = parallel("outages", &outages(), |trial| trial.run(SEED));
    report::write(&report::Figures { seed: SEED, harmless, power, steps, outages, took: began.elapsed() });
}

/// Sources that are well: 1 % against a limit of 5 % within an hour, and complaints of 0.1 % against 0.3 % in a day.
fn harmless() -> Vec<Harmless> {
    let bounces = |name, sending, years| Harmless {
        name,
        sending,
        lags: Lags::Bounces,
        rate: WELL,
        above: LIMIT,
        within_hours: 1,
        years,
    };
    let spam = |name, sending, years| Harmless {
        name,
        sending,
        lags: Lags::Complaints,
        rate: 0.001,
        above: 0.003,
        within_hours: 24,
        years,
    };
    let blasts = |every, of, trickle| Sending::Blasts { every, of, trickle };
    // The long ones first, so that both cores end together.
    vec![
        bounces("steady, 10,000 an hour", Sending::Steady(10_000.0), 3),
        bounces("steady, 1,000 an hour", Sending::Steady(1_000.0), 8),
        bounces("steady, 300 an hour", Sending::Steady(300.0), 20),
        bounces("steady, 100 an hour", Sending::Steady(100.0), 20),
        bounces("steady, 50 an hour", Sending::Steady(50.0), 20),
        bounces("steady, 20 an hour", Sending::Steady(20.0), 40),
        bounces("steady, 5 an hour", Sending::Steady(5.0), 40),
        bounces("by day, 1,000 an hour on average", Sending::Daytime(1_000.0), 4),
        bounces("by day, 300 an hour on average", Sending::Daytime(300.0), 8),
        bounces("by day, 50 an hour on average", Sending::Daytime(50.0), 20),
        bounces("daily blast of 2,000", blasts(DAY, 2_000, 0.0), 20),
        bounces("daily blast of 20,000", blasts(DAY, 20_000, 0.0), 8),
        bounces("weekly blast of 100,000", blasts(7 * DAY, 100_000, 0.0), 8),
        bounces("weekly blast of 100,000 beside 20 an hour", blasts(7 * DAY, 100_000, 20.0), 8),
        bounces("daily blast of 20,000 beside 100 an hour", blasts(DAY, 20_000, 100.0), 8),
        bounces("batches of 50, 50 an hour", Sending::Batches { per_hour: 50.0, of: 50 }, 20),
        bounces("batches of 50, 300 an hour", Sending::Batches { per_hour: 300.0, of: 50 }, 20),
        bounces("batches of 50, 1,000 an hour", Sending::Batches { per_hour: 1_000.0, of: 50 }, 8),
        spam("complaints, steady, 100 an hour", Sending::Steady(100.0), 20),
        spam("complaints, steady, 1,000 an hour", Sending::Steady(1_000.0), 8),
        spam("complaints, weekly blast of 100,000", blasts(7 * DAY, 100_000, 0.0), 10),
    ]
}

/// Sources that fall ill.
fn steps() -> Vec<Step> {
    let steady = |name, per_hour, ill, runs, days| Step {
        name,
        sending: Sending::Steady(per_hour),
        lags: Lags::Bounces,
        hours: 0,
        ill,
        runs,
        days,
    };
    let beside = |name, trickle, hours| Step {
        name,
        sending: Sending::Blasts { every: 7 * DAY, of: 20_000, trickle },
        lags: Lags::Bounces,
        hours,
        ill: 1.0,
        runs: 10,
        days: 4,
    };
    vec![
        beside("20 an hour, all failing from 12 hours after a blast of 20,000", 20.0, 12),
        beside("100 an hour, all failing from 12 hours after a blast of 20,000", 100.0, 12),
        steady("15 %, 10,000 an hour", 10_000.0, ILL, 60, 1),
        steady("15 %, 1,000 an hour", 1_000.0, ILL, 100, 1),
        steady("15 %, 300 an hour", 300.0, ILL, 100, 1),
        steady("15 %, 100 an hour", 100.0, ILL, 200, 2),
        steady("15 %, 50 an hour", 50.0, ILL, 200, 7),
        steady("15 %, 20 an hour", 20.0, ILL, 200, 14),
        steady("100 %, 1,000 an hour", 1_000.0, 1.0, 60, 1),
        steady("100 %, 100 an hour", 100.0, 1.0, 100, 1),
        steady("100 %, 20 an hour", 20.0, 1.0, 200, 2),
        steady("100 %, 5 an hour", 5.0, 1.0, 200, 7),
        Step {
            name: "a blast of 2,000, all deferred, all bounced 8 hours later",
            sending: Sending::Blasts { every: 5 * DAY, of: 2_000, trickle: 0.0 },
            lags: Lags::Deferred(8 * 60),
            hours: 0,
            ill: 1.0,
            runs: 60,
            days: 1,
        },
        Step {
            name: "20 an hour at night, 200 an hour on average by day, all failing from 22:00",
            sending: Sending::Daytime(200.0),
            lags: Lags::Bounces,
            hours: 22,
            ill: 1.0,
            runs: 60,
            days: 1,
        },
    ]
}

/// Sources that fall ill and recover.
fn outages() -> Vec<Outages> {
    let outages = |name, per_hour, ill, years| Outages { name, per_hour, ill, lags: Lags::Bounces, years };
    let refusals = |name, per_hour, years| Outages { name, per_hour, ill: ILL, lags: Lags::Refusals, years };
    vec![
        outages("10,000 an hour, 15 %", 10_000.0, ILL, 1),
        outages("1,000 an hour, 15 %", 1_000.0, ILL, 2),
        outages("300 an hour, 15 %", 300.0, ILL, 4),
        outages("100 an hour, 15 %", 100.0, ILL, 4),
        outages("100 an hour, 8 %", 100.0, 0.08, 4),
        outages("50 an hour, 15 %", 50.0, ILL, 4),
        outages("20 an hour, 15 %", 20.0, ILL, 8),
        refusals("1,000 an hour, 15 %, nothing late", 1_000.0, 1),
        refusals("300 an hour, 15 %, nothing late", 300.0, 4),
        refusals("100 an hour, 15 %, nothing late", 100.0, 4),
        refusals("50 an hour, 15 %, nothing late", 50.0, 4),
        refusals("20 an hour, 15 %, nothing late", 20.0, 8),
        outages("20 an hour, 30 %", 20.0, 0.30, 4),
    ]
}

/// Runs trials on all cores; the results in the trials' order.
fn parallel<T: Sync, R: Send>(what: &str, trials: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
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
                    eprintln!("{what} {} of {}: {:.1} s", place + 1, trials.len(), began.elapsed().as_secs_f64());
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
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
