//! The week as the routes' hours cut it: within a slot, each of them holds or does not.

use jiff::civil::{Time, Weekday};

use crate::config::parse::hours::day_name;
use crate::route::Route;

const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// A piece of the week.
#[derive(Debug)]
pub struct Slot {
    /// Minutes from Monday 00:00, the end not included.
    from: u16,
    to: u16,
    /// Whether each route's hours hold, in the routes' order.
    pub holds: Vec<bool>,
}

/// The slots of a week, in order and without a gap. Clocks that change make one hour a year shorter or longer; no slot
/// comes or goes for that for good.
pub fn slots(routes: &[Route]) -> Vec<Slot> {
    let ends = routes.iter().flat_map(|r| &r.hours).flat_map(|h| [h.from, h.to]);
    let of_day: Vec<u16> = ends.map(|time| time.hour() as u16 * 60 + time.minute() as u16).collect();
    let mut cuts: Vec<u16> = (0..7).flat_map(|day| of_day.iter().map(move |at| day * DAY + at)).collect();
    cuts.extend((0..=7).map(|day| day * DAY));
    cuts.sort_unstable();
    cuts.dedup();
    let mut slots: Vec<Slot> = Vec::new();
    for (from, to) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
        let (day, time) = local(from);
        let holds: Vec<bool> =
            routes.iter().map(|r| r.hours.is_empty() || r.hours.iter().any(|h| h.hold_at(day, time))).collect();
        match slots.last_mut() {
            Some(last) if last.holds == holds => last.to = to,
            _ => slots.push(Slot { from, to, holds }),
        }
    }
    slots
}

fn local(minute: u16) -> (Weekday, Time) {
    let minute = minute % WEEK;
    // Both are in range: a week has 7 days, a day 24 hours.
    let day = Weekday::from_monday_zero_offset((minute / DAY) as i8).unwrap_or(Weekday::Monday);
    let time = Time::new((minute % DAY / 60) as i8, (minute % 60) as i8, 0, 0).unwrap_or(Time::midnight());
    (day, time)
}

/// Most spans that are listed: who has more of them needs the number, not the list.
const LISTED: usize = 3;

/// Slots as people say them, the longest first: `from fri 20:00 to mon 08:00`; `None` when they are the whole week.
pub fn show<'s>(slots: impl Iterator<Item = &'s Slot>) -> Option<String> {
    let mut spans: Vec<(u16, u16)> = Vec::new();
    for slot in slots {
        match spans.last_mut() {
            Some((_, end)) if *end == slot.from => *end = slot.to,
            _ => spans.push((slot.from, slot.to)),
        }
    }
    // Sunday night goes on into Monday.
    if spans.len() > 1
        && let (Some((0, first_end)), Some((_, WEEK))) = (spans.first().copied(), spans.last().copied())
    {
        spans.remove(0);
        if let Some((_, end)) = spans.last_mut() {
            *end = WEEK + first_end;
        }
    }
    if spans == [(0, WEEK)] {
        return None;
    }
    let minutes: u32 = spans.iter().map(|(from, to)| u32::from(to - from)).sum();
    spans.sort_by_key(|(from, to)| (u16::MAX - (to - from), *from));
    let shown: Vec<_> =
        spans.iter().take(LISTED).map(|(from, to)| format!("{} to {}", point(*from), point(*to))).collect();
    Some(match spans.len().saturating_sub(LISTED) {
        0 => format!("from {}", shown.join(" and ")),
        more => format!("from {} and {more} more times ({} h of the week)", shown.join(", "), minutes / 60),
    })
}

fn point(minute: u16) -> String {
    let (day, time) = local(minute);
    format!("{} {}", day_name(day), time.strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::hours::parse_hours;

    fn gaps(hours: &[&str]) -> String {
        let routes = [Route {
            matchers: Vec::new(),
            hours: hours.iter().map(|h| parse_hours(h).expect("hours")).collect(),
            receivers: Vec::new(),
            goes_on: false,
        }];
        show(slots(&routes).iter().filter(|slot| slot.holds == [false])).expect("not the whole week")
    }

    #[test]
    fn what_hours_leave_out_is_said_from_the_longest_span_down() {
        for (hours, left_out) in [
            (
                &["mon-fri 08:00-20:00"][..],
                "from fri 20:00 to mon 08:00, mon 20:00 to tue 08:00, tue 20:00 to wed 08:00 and 2 more times (108 h of the week)",
            ),
            (&["mon-fri", "sat 10:00-14:00"], "from sat 14:00 to mon 00:00 and sat 00:00 to sat 10:00"),
            (&["daily 22:00-06:00", "mon-sat 06:00-22:00"], "from sun 06:00 to sun 22:00"),
        ] {
            assert_eq!(gaps(hours), left_out);
        }
    }

    #[test]
    fn the_slots_of_a_week_follow_each_other() {
        let routes = ["mon-fri 08:00-20:00", "fri 22:00-06:00"].map(|hours| Route {
            matchers: Vec::new(),
            hours: vec![parse_hours(hours).expect("hours")],
            receivers: Vec::new(),
            goes_on: false,
        });
        let slots = slots(&routes);
        assert_eq!((slots.first().map(|s| s.from), slots.last().map(|s| s.to)), (Some(0), Some(WEEK)));
        assert!(slots.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].holds != pair[1].holds));
    }
}
