//! How dear the status page is: CPU, bytes and store queries, of 200 workflows and 400 days. docs/performance.md has the
//! figures.
//!
//! Run: `cargo bench --no-default-features --bench page`

use std::time::{Duration, Instant};

use cio_alert_bridge::cli::preview::made_up::{Day, MadeUp};
use cio_alert_bridge::config::secrets::Secret;
use cio_alert_bridge::page::Filters;
use cio_alert_bridge::page::html::Doors;
use cio_alert_bridge::page::link::{Grant, LinkKeys, May};
use cio_alert_bridge::steps::page::{self, QUERIES};
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use jiff::Timestamp;

const WORKFLOWS: usize = 200;
const DAYS: usize = 400;
const ROUNDS: usize = 40;

/// CPU that this process has used, in user and kernel, all threads together (Linux: in hundredths of a second).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; the 14th and 15th fields are ticks.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let now: Timestamp = "2026-11-24T13:05:00Z".parse().expect("a time");
    let folder = std::env::temp_dir().join(format!("bridge-bench-page-{}", std::process::id()));
    // Links are signed like those of a real page.
    let keys = LinkKeys::new("acme", [&Secret::new("a-link-key-of-good-length")]).expect("a key");
    let grant = Grant { may: May::Read, until: now + jiff::SignedDuration::from_hours(12), to: None };
    let to = |path: &str| keys.link(path, &[], &grant);
    let doors = Doors { form: &to("/status"), to: &to };
    println!("{WORKFLOWS} workflows, {DAYS} days, {QUERIES} store queries, embedded store, {ROUNDS} rounds\n");
    println!("| day | days asked for | CPU, ms | p50, ms | p99, ms | KB |\n|---|---|---|---|---|---|");
    for day in [Day::Calm, Day::Trouble] {
        let made = MadeUp::new(day, WORKFLOWS, DAYS, now);
        let store = EmbeddedStore::open(&folder.join(format!("{day:?}")), "acme", Durability::Off).expect("a store");
        runtime.block_on(made.keep(&store)).expect("kept");
        for days in [14, 400] {
            let filters = Filters { days, ..Filters::default() };
            let page =
                || runtime.block_on(page::status(&store, &made.config, &filters, Some(&doors), now)).expect("a page");
            let bytes = page().len();
            let (began, mut took) = (cpu(), Vec::new());
            for _ in 0..ROUNDS {
                let at = Instant::now();
                assert_eq!(page().len(), bytes);
                took.push(at.elapsed().as_secs_f64() * 1e3);
            }
            let cpu_ms = (cpu() - began).as_secs_f64() * 1e3 / ROUNDS as f64;
            took.sort_by(f64::total_cmp);
            let at = |share: f64| took.get((share * (ROUNDS - 1) as f64) as usize).copied().unwrap_or_default();
            let (p50, p99, kb) = (at(0.5), at(0.99), bytes as f64 / 1e3);
            println!("| {day:?} | {days} | {cpu_ms:.1} | {p50:.1} | {p99:.1} | {kb:.0} |");
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
}
