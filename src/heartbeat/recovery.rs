//! When a workflow that was not as usual is so again. Pure.
//!
//! A sequential probability ratio test (Wald, Annals of Mathematical Statistics 16, 1945): what came of late must be
//! thousands of times likelier at the usual rate than at the rate of the trouble. So the end of a total stop is seen with
//! the third event, and the end of a small loss when it can be told from it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::history::{Day, Slot};
use super::learned::Profile;
use super::learned::local::Local;
use crate::incident::Numbers;

/// ln of how many times likelier: about 8,000.
const LIKELIER: f64 = 9.0;

/// The rate of a trouble, as a share of the usual one: none is taken for a stop without exceptions, or for too close to
/// the usual one ever to be told from it.
const SHARES: [(f64, f64); 2] = [(0.02, 0.85), (1.2, 50.0)];

/// Since when the counts are as usual; `None` while they are not, or nobody can tell. Only what came after `opened_at`
/// and what we heard of counts; `trouble` says how many there were of how many expected.
pub fn since(
    profile: &Profile,
    days: &[Day],
    zone: &TimeZone,
    opened_at: Timestamp,
    trouble: Numbers,
    now: Timestamp,
) -> Option<Timestamp> {
    let share = trouble.count as f64 / trouble.of.max(1) as f64;
    let [(least, most), (least_high, most_high)] = SHARES;
    let share = if share < 1.0 { share.clamp(least, most) } else { share.clamp(least_high, most_high) };
    let (first, last) = (Slot::of(opened_at), Slot::of(now));
    let mut slots: Vec<(Slot, u32)> = days
        .iter()
        .flat_map(Day::slots)
        .filter(|(slot, _, covered)| *covered && first <= *slot && *slot < last)
        .map(|(slot, count, _)| (slot, count))
        .collect();
    slots.sort_by_key(|(slot, _)| *slot);
    let mut clock = Local::new(zone);
    let mut likelier = 0.0;
    // From now backwards: the shortest stretch that shows it.
    for (slot, count) in slots.into_iter().rev() {
        let expected = profile.expected_in_slot(clock.place(slot.0));
        likelier += expected * (share - 1.0) - f64::from(count) * share.ln();
        if likelier >= LIKELIER {
            return Some(slot.span().from.start());
        }
    }
    None
}
