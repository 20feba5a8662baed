//! What a profile can see: how soon it would notice a stop, and the smallest loss that it notices at all.

use super::local::{Place, SLOTS_A_DAY, weekday};
use super::profile::Profile;
use super::windows::Window;

/// How soon a fault is noticed, were counts to be as expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detectability {
    /// Hours from a total stop to the verdict, half of the stops sooner. `None`: not within four weeks.
    pub stop_hours: Option<f64>,
    /// The same after half of the events go missing.
    pub half_hours: Option<f64>,
    /// The smallest share of events that, missing for a week, is noticed by then.
    pub smallest_loss: Option<f64>,
}

impl Profile {
    /// For `bridge check`: from the model alone, without chance in the counts.
    pub fn detectability(&self) -> Detectability {
        let median = |left: f64| {
            // Starts spread over the week, weighted alike.
            let mut hours: Vec<f64> =
                (0..42).filter_map(|i| self.noticed_after(i * 4 * 12 + i % 4, left, 28)).collect();
            hours.sort_by(f64::total_cmp);
            hours.get(21).copied()
        };
        let week = |loss: &f64| (0..7).all(|day| self.noticed_after(day * SLOTS_A_DAY, 1.0 - loss, 7).is_some());
        let losses = [0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
        Detectability {
            stop_hours: median(0.0),
            half_hours: median(0.5),
            smallest_loss: losses.into_iter().find(|loss| week(loss)),
        }
    }

    /// Hours until a drop to this share, from this slot of the week on, is low.
    fn noticed_after(&self, slot_of_week: i64, left: f64, days: i64) -> Option<f64> {
        let monday = self.made_for - weekday(self.made_for) as i32;
        let (mut mean, mut hours_vary, mut days_vary) = (0.0, 0.0, 0.0);
        let (mut of_hour, mut of_day) = (0.0, 0.0);
        for ran in 0..days * SLOTS_A_DAY {
            let slot = slot_of_week + ran;
            let day = monday + (slot / SLOTS_A_DAY % 7) as i32;
            let of = slot % SLOTS_A_DAY;
            let place = Place { day, weekday: weekday(day), hour: (of / 12) as usize, part: (of % 12) as usize };
            let m = self.level * self.hour_share(place) * self.part_share(place);
            if place.part == 0 {
                hours_vary += self.vary.hour * of_hour * of_hour;
                of_hour = 0.0;
            }
            if of == 0 {
                days_vary += self.vary.day * of_day * of_day;
                of_day = 0.0;
            }
            mean += m;
            of_hour += m;
            of_day += m;
            hours_vary += if self.in_batches() { 0.0 } else { self.vary.part * m * m };
            // Within a short while the day's rate is known from the hours before.
            let day_now = if left < 0.05 { 0.0 } else { self.vary.day * of_day * of_day };
            let all = hours_vary + self.vary.hour * of_hour * of_hour + days_vary + day_now;
            let vary = all / (mean * mean).max(1e-12) + self.level_doubt;
            let count = (left * mean).floor();
            let hours = (ran + 1) as f64 / 12.0;
            let window = Window {
                hours,
                count,
                mean,
                lowered: mean,
                clump: 1.0 + self.vary.clumps,
                vary_lowered: vary,
                ..Window::default()
            };
            if self.too_few(&window).is_some() {
                return Some(hours);
            }
        }
        None
    }
}
