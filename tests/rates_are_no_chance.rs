//! What `cargo bench --bench rates` shows over hundreds of source-years, small enough for every run: sources that are well
//! do not page, where a naive rule would page all the time, and sources that fall ill do.

#[path = "../benches/chance.rs"]
mod chance;
#[allow(dead_code, reason = "the bench uses more of it")]
#[path = "../benches/rates/watch.rs"]
mod watch;
#[allow(dead_code, reason = "the bench uses more of it")]
#[path = "../benches/rates/world.rs"]
mod world;

use chance::Chance;
use watch::{Closes, Opens, Watch, rule};
use world::{DAY, HOUR, Lags, Sending, Source};

const SEED: u64 = 7;

/// How many pages the product's rule and a naive one make of the same weeks at 1 % against a limit of 5 %.
fn pages_for_nothing(name: &str, sending: Sending, weeks: usize) -> (usize, usize) {
    let mut chance = Chance::stream(SEED, name);
    let events = Source { sending, lags: Lags::Bounces, rate: &|_| 0.01 }.over(weeks * 7 * DAY, &mut chance);
    let mut pages = |opens, closes| {
        let mut watch = Watch::new(rule(0.05, 1), opens, closes);
        watch.live(&events, 0, &mut chance, |_| false);
        watch.episodes.len()
    };
    (pages(Opens::Judge, Closes::BelowItsOwnLimit), pages(Opens::Naive, Closes::NoLongerOpening))
}

#[test]
fn sources_that_are_well_do_not_page_where_a_naive_rule_would() {
    let blasts = |of, trickle| Sending::Blasts { every: 7 * DAY, of, trickle };
    let sources = [
        ("steady", Sending::Steady(50.0), 12),
        ("by day", Sending::Daytime(300.0), 8),
        ("blasts", blasts(50_000, 0.0), 8),
        ("blasts beside a trickle", blasts(50_000, 20.0), 4),
        ("batches", Sending::Batches { per_hour: 100.0, of: 50 }, 8),
    ];
    for (name, sending, weeks) in sources {
        let (pages, naive) = pages_for_nothing(name, sending, weeks);
        assert_eq!(pages, 0, "{name}: pages in {weeks} weeks");
        assert!(naive >= 1, "{name}: the naive rule pages {naive} times, so this shows nothing");
    }
}

/// After how many minutes a steady source pages that fails at a rate from some hour on.
fn minutes_to_page(per_hour: f64, ill: f64) -> Option<usize> {
    let step = 75 * HOUR;
    let rate = |minute| if minute < step { 0.01 } else { ill };
    let mut chance = Chance::stream(SEED, "step");
    let events =
        Source { sending: Sending::Steady(per_hour), lags: Lags::Bounces, rate: &rate }.over(step + DAY, &mut chance);
    let mut watch = Watch::new(rule(0.05, 1), Opens::Judge, Closes::BelowItsOwnLimit);
    watch.live(&events, step, &mut chance, |watch| !watch.episodes.is_empty());
    watch.episodes.first().map(|episode| episode.opened - step)
}

#[test]
fn a_source_that_falls_ill_pages_within_the_hour_it_takes_to_be_sure() {
    for (per_hour, ill, most) in [(20.0, 1.0, 60), (100.0, 0.5, 40), (300.0, 0.15, 90), (1_000.0, 0.15, 60)] {
        let minutes = minutes_to_page(per_hour, ill);
        assert!(minutes.is_some_and(|m| m <= most), "{per_hour} an hour at {ill}: {minutes:?}");
    }
}
