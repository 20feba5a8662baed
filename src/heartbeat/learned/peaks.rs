//! The largest excesses of the past: what comes every month is not called high.

use super::grid::Day;
use super::judge;
use super::profile::WINDOWS_H;

/// Days before today that set no precedent.
const RECENT_DAYS: i32 = 14;

/// The largest excess in windows of each length, each day without its two largest hours.
///
/// The last [`RECENT_DAYS`] are left out: what is high since yesterday must not be its own precedent.
pub fn of(days: &[Day], expected: impl Fn(&Day, usize) -> f64) -> Vec<f64> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return vec![0.0; WINDOWS_H.len()] };
    let mut hours = vec![(0.0, 0.0); (last.number - first.number + 1) as usize * 24];
    for day in days.iter().filter(|day| day.number <= last.number - RECENT_DAYS) {
        let mut of_day: Vec<(f64, f64)> =
            (0..).zip(&day.hours).map(|(h, cell)| (cell.count, expected(day, h) * cell.covered)).collect();
        if let Some(cell) = day.whole {
            let mean: f64 = (0..24).map(|h| expected(day, h)).sum::<f64>() * cell.covered;
            of_day.iter_mut().for_each(|hour| *hour = (cell.count / 24.0, mean / 24.0));
        }
        let mut ranks: Vec<usize> = (0..of_day.len()).collect();
        let excess = |h: &usize| of_day.get(*h).map_or(0.0, |(count, mean)| count - mean);
        ranks.sort_by(|a, b| excess(b).total_cmp(&excess(a)));
        for largest in ranks.iter().take(2) {
            if let Some(hour) = of_day.get_mut(*largest) {
                *hour = (0.0, 0.0);
            }
        }
        let start = (day.number - first.number) as usize * 24;
        hours.iter_mut().skip(start).zip(of_day).for_each(|(hour, of)| *hour = of);
    }
    let largest = |length: &usize| {
        let sums = hours.windows(*length).map(|w| w.iter().fold((0.0, 0.0), |sum, h| (sum.0 + h.0, sum.1 + h.1)));
        sums.map(|(count, mean)| judge::excess(count, mean)).fold(0.0, f64::max)
    };
    WINDOWS_H.iter().map(largest).collect()
}
