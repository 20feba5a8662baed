//! History on the local clock: counts and covered time by local day and hour.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::Bin;
use super::local::{Local, SLOTS_AN_HOUR};

/// Bins at least this long tell the day only: no profile is drawn from them.
const LONGER_THAN_HOURS: u16 = 13;

/// One hour of a local day.
#[derive(Clone, Copy, Default)]
pub struct Cell {
    pub count: f64,
    /// Covered share of an hour; 2 where the hour comes twice.
    pub covered: f64,
}

/// One local day.
#[derive(Clone)]
pub struct Day {
    pub number: i32,
    pub hours: [Cell; 24],
    /// Counts by five minutes, where known, each with its covered share.
    pub parts: Vec<(u16, Cell)>,
    /// Where only the day's count is known: that, and its covered share.
    pub whole: Option<Cell>,
}

/// Local days in order, without those that are excepted or empty of covered time.
pub fn days(bins: &[Bin], zone: &TimeZone, from: i32, until: i32, except: &[i32]) -> Vec<Day> {
    let mut local = Local::new(zone);
    let mut days: BTreeMap<i32, Day> = BTreeMap::new();
    for bin in bins.iter().filter(|bin| bin.covered > 0) {
        // The middle of a whole day lies in it whatever the clocks do.
        let day_only = bin.slots >= LONGER_THAN_HOURS;
        let place = local.place(if day_only { bin.from + i64::from(bin.slots) / 2 } else { bin.from });
        if place.day < from || place.day >= until || except.contains(&place.day) {
            continue;
        }
        let day = days.entry(place.day).or_insert_with(|| Day {
            number: place.day,
            hours: [Cell::default(); 24],
            parts: Vec::new(),
            whole: None,
        });
        if day_only {
            let covered = f64::from(bin.covered) / f64::from(bin.slots);
            day.whole = Some(Cell { count: f64::from(bin.count), covered });
            continue;
        }
        let share = f64::from(bin.covered) / SLOTS_AN_HOUR as f64;
        let Some(cell) = day.hours.get_mut(place.hour) else { continue };
        cell.count += f64::from(bin.count);
        cell.covered += share;
        if bin.slots == 1 {
            let index = place.hour * 12 + place.part;
            day.parts.push((index as u16, Cell { count: f64::from(bin.count), covered: 1.0 }));
        }
    }
    let mut days: Vec<Day> = days.into_values().collect();
    for day in &mut days {
        if day.hours.iter().map(|cell| cell.covered).sum::<f64>() > 12.0 {
            day.whole = None;
        } else if day.whole.is_some() {
            day.hours = [Cell::default(); 24];
            day.parts.clear();
        }
    }
    days
}
