//! How soon a heartbeat notices a fault, and how often it cries wolf: simulates workflows through years with the crate's
//! own test, three others beside it, and writes what comes out into `docs/heartbeats.md` and its plots.
//!
//!     cargo bench --no-default-features --bench heartbeats

mod chance;
mod product;
mod world;

use std::time::Instant;
use cio_alert_bridge::heartbeat::learned::Verdict;
use chance::Chance;
use product::Product;
use world::*;

fn loads() -> Vec<Workload> {
    let p = Workload::plain;
    vec![
        p("plain"),
        Workload { day_vary: 0.0, hour_vary: 0.0, ..p("poisson") },
        Workload { weekdays: WORKING, hours: Hours::Office, ..p("office") },
        Workload { day_vary: 0.06, hour_vary: 0.1, ..p("varies") },
        Workload { day_vary: 0.15, lognormal: true, hour_vary: 0.1, ..p("lognormal") },
        Workload { weekdays: WEEKEND, hours: Hours::Evening, ..p("weekend") },
        Workload { growth: 0.05, ..p("growth") },
        Workload { growth: -0.05, ..p("decline") },
        Workload { holidays: 0.3, ..p("hol listed") },
        Workload { holidays: 0.6, listed: false, ..p("hol .6") },
        Workload { holidays: 0.3, listed: false, ..p("hol .3") },
        Workload { blasts: 6.0, ..p("blasts") },
        Workload { first_of_month: 2.5, ..p("monthly") },
        Workload { clump: 5, ..p("clumps") },
        Workload { hours: Hours::Batch { hour: 9, late: 0 }, weekdays: EVERY_DAY, ..p("batch") },
        Workload { hours: Hours::Batch { hour: 9, late: 40 }, weekdays: EVERY_DAY, ..p("batch late") },
    ]
}

fn main() {
    let years: i64 = std::env::var("YEARS").ok().and_then(|y| y.parse().ok()).unwrap_or(1);
    let only = std::env::var("ONLY").unwrap_or_default();
    for load in loads().iter().filter(|l| l.name.contains(&only)) {
        print!("{:12}", load.name);
        for a_day in [3.0, 30.0, 300.0, 3000.0] {
            let began = Instant::now();
            let mut chance = Chance::stream(1, &format!("{}{a_day}", load.name));
            let (mut low, mut high) = (0, 0);
            for _ in 0..years {
                let t = Traffic::new(load, a_day, 365 + 56, (0, Fault::None), &mut chance);
                let mut product = Product::new(&t, load.zone);
                let mut calm = i64::MAX / 2;
                for i in 56 * DAY..t.counts.len() as i64 {
                    let Some(r) = product.after(i) else { continue };
                    if product::is_alarm(&r) {
                        if calm >= 12 {
                            if r.verdict == Verdict::Low { low += 1 } else { high += 1 }
                            if std::env::var("SHOW").is_ok() { println!("{a_day} {:?} {:?} {:?} {:?}", r.verdict, r.evidence, cio_alert_bridge::heartbeat::learned::local::instant(t.from + i + 1), r.so_far); }
                        }
                        calm = 0;
                    } else { calm += 1 }
                }
            }
            let mut delays = vec![];
            for leaves in [0.0, 0.5] {
                let mut d = vec![];
                for _ in 0..15 {
                    let at = 60 * DAY + chance.below(7 * DAY);
                    let t = Traffic::new(load, a_day, 81, (at, Fault::Leaves(leaves)), &mut chance);
                    let mut product = Product::new(&t, load.zone);
                    let found = (at..t.counts.len() as i64).find(|i| product.after(*i).is_some_and(|r| r.verdict == Verdict::Low));
                    d.push(found.map_or(999.0, |f| (f + 1 - at) as f64 / 12.0));
                }
                d.sort_by(f64::total_cmp);
                delays.push(d[7]);
            }
            print!(" | {a_day:5}: {:.1}+{:.1} stop {:.1}h half {:.1}h ({:.0}s)", low as f64 / years as f64, high as f64 / years as f64, delays[0], delays[1], began.elapsed().as_secs_f64());
        }
        println!();
    }
}
