//! Years in which nothing is wrong, and faults at any hour of the week.

use cio_alert_bridge::heartbeat::learned::{HISTORY_DAYS, Verdict};
use jiff::SignedDuration;

use super::chance::Chance;
use super::product::{Product, is_alarm};
use super::rivals::{Rival, threshold};
use super::seed;
use super::world::{DAY, Fault, HOUR, Traffic, Workload};

/// Days from a fault within which a page counts; later is missed.
pub const WITHIN_DAYS: i64 = 14;

/// Simulated years that each other test's threshold is set on.
const CALIBRATION_YEARS: usize = 12;

const BEFORE: i64 = HISTORY_DAYS as i64;

/// Pages in years without a fault.
#[derive(Debug)]
pub struct Alarms {
    pub load: &'static str,
    pub size: f64,
    pub years: f64,
    pub low: usize,
    pub high: usize,
    /// Share of the time with verdict `unknown`.
    pub unknown: f64,
}

impl Alarms {
    /// Days at 30 % that nobody told us of are faults as good as any: they are shown, not counted.
    pub fn counts_for_rate(&self) -> bool {
        self.load != "holidays at 30 %, not listed"
    }
}

/// A page is the first alarm after an hour without one.
pub fn alarms(load: &Workload, size: f64, years: usize) -> Alarms {
    let mut chance = Chance::stream(seed(), &format!("well {} {size}", load.name));
    let mut alarms = Alarms { load: load.name, size, years: years as f64, low: 0, high: 0, unknown: 0.0 };
    for _ in 0..years {
        let traffic = Traffic::new(load, size, 365 + BEFORE, (0, Fault::None), &mut chance);
        let mut product = Product::new(&traffic, load.zone);
        let mut calm = HOUR;
        for index in BEFORE * DAY..traffic.counts.len() as i64 {
            let Some(reading) = product.after(index) else { continue };
            if reading.verdict == Verdict::Unknown {
                alarms.unknown += 1.0 / (365 * DAY * years as i64) as f64;
            }
            if !is_alarm(&reading) {
                calm += 1;
                continue;
            }
            if calm >= HOUR {
                if reading.verdict == Verdict::Low { alarms.low += 1 } else { alarms.high += 1 }
            }
            calm = 0;
        }
    }
    alarms
}

/// What is to be tried: a fault, of a size, and how often the others may page for nothing.
pub struct Row<'a> {
    pub load: &'a Workload,
    pub fault: &'static str,
    pub what: Fault,
    pub size: f64,
    pub rate: f64,
}

/// Hours from fault to page, sorted; `INFINITY` where there was none in time.
#[derive(Debug)]
pub struct Delay {
    pub load: &'static str,
    pub fault: &'static str,
    pub size: f64,
    pub product: Vec<f64>,
    pub best: Vec<f64>,
    pub ewma: Vec<f64>,
    pub day_end: Vec<f64>,
}

pub fn delays(row: &Row, trials: usize) -> Delay {
    let Row { load, fault, what, size, rate } = *row;
    let Fault::Leaves(left) = what else { unreachable!("rows are drops and rises") };
    let up = left > 1.0;
    let mut chance = Chance::stream(seed(), &format!("calibration {} {size}", load.name));
    let years: Vec<Traffic> =
        (0..CALIBRATION_YEARS).map(|_| Traffic::new(load, size, 365 + BEFORE, (0, Fault::None), &mut chance)).collect();
    let set = |rival: Rival| (rival, threshold(rival, load, size, &years, rate));
    let best: Vec<(Rival, f64)> = Rival::best(left).into_iter().map(set).collect();
    let (ewma, day_end) = (set(Rival::Ewma { up }), set(Rival::DayEnd { up }));
    drop(years);
    let mut chance = Chance::stream(seed(), &format!("ill {} {size} {fault}", load.name));
    let mut of_product = Vec::new();
    let mut of_best = vec![Vec::new(); best.len()];
    let (mut of_ewma, mut of_day_end) = (Vec::new(), Vec::new());
    for _ in 0..trials {
        let (at, traffic) = ill(load, size, what, &mut chance);
        let mut product = Product::new(&traffic, load.zone);
        let wanted = if up { Verdict::High } else { Verdict::Low };
        let last = traffic.counts.len() as i64;
        let found = (at..last).find(|index| product.after(*index).is_some_and(|r| r.verdict == wanted));
        of_product.push(hours(found, at));
        let first = |(rival, above): (Rival, f64)| {
            let scores = rival.scores(load, size, &traffic);
            hours((at..last).find(|index| scores[*index as usize] > above), at)
        };
        for (found, rival) in of_best.iter_mut().zip(&best) {
            found.push(first(*rival));
        }
        of_ewma.push(first(ewma));
        of_day_end.push(first(day_end));
    }
    of_best.iter_mut().for_each(|hours| hours.sort_by(f64::total_cmp));
    // The better of the tests that know everything.
    of_best.sort_by(|a, b| share(a, 0.5).total_cmp(&share(b, 0.5)));
    for hours in [&mut of_product, &mut of_ewma, &mut of_day_end] {
        hours.sort_by(f64::total_cmp);
    }
    let best = of_best.swap_remove(0);
    Delay { load: load.name, fault, size, product: of_product, best, ewma: of_ewma, day_end: of_day_end }
}

/// Eight weeks and some days of health, then the fault, at any hour of the week.
fn ill(load: &Workload, size: f64, what: Fault, chance: &mut Chance) -> (i64, Traffic) {
    let at = (BEFORE + 2) * DAY + chance.below(7 * DAY);
    (at, Traffic::new(load, size, BEFORE + 9 + WITHIN_DAYS, (at, what), chance))
}

fn hours(found: Option<i64>, at: i64) -> f64 {
    found.map_or(f64::INFINITY, |index| (index + 1 - at) as f64 / HOUR as f64)
}

/// What this share of sorted values is not above.
pub fn share(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
}

/// Nothing arrives for 40 min to 3 h, then all of it does.
#[derive(Debug)]
pub struct Darkness {
    pub size: f64,
    pub delays: usize,
    /// In the delay and the day after it.
    pub pages: usize,
    /// How many of them were called unknown at some time.
    pub unknown: usize,
}

pub fn vendor_delays(load: &Workload, size: f64, trials: usize) -> Darkness {
    let mut chance = Chance::stream(seed(), &format!("vendor {size}"));
    let mut darkness = Darkness { size, delays: trials, pages: 0, unknown: 0 };
    for _ in 0..trials {
        let (at, traffic) = ill(load, size, Fault::None, &mut chance);
        let mut product = Product::new(&traffic, load.zone);
        product.dark = Some((at, at + 8 + chance.below(29)));
        let verdicts: Vec<Verdict> =
            (at..at + DAY).filter_map(|index| product.after(index)).map(|reading| reading.verdict).collect();
        darkness.pages += usize::from(verdicts.iter().any(|v| matches!(v, Verdict::Low | Verdict::High)));
        darkness.unknown += usize::from(verdicts.contains(&Verdict::Unknown));
    }
    darkness
}

/// Hours from a total stop of all that we hear to the page on blindness, for one who has no other witness.
pub fn alone(load: &Workload, size: f64, trials: usize) -> (f64, Vec<f64>) {
    let mut chance = Chance::stream(seed(), &format!("alone {size}"));
    let mut found = Vec::new();
    for _ in 0..trials {
        let (at, traffic) = ill(load, size, Fault::Leaves(0.0), &mut chance);
        let mut product = Product::new(&traffic, load.zone);
        let last = traffic.counts.len() as i64;
        let two_hours = SignedDuration::from_hours(2);
        found.push(hours((at..last).find(|index| product.is_silent_after(*index, two_hours)), at));
    }
    found.sort_by(f64::total_cmp);
    (size, found)
}
