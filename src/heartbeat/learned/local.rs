//! Five-minute slots on the local clock. Every zone of today is a multiple of five minutes from UTC, so a slot lies in
//! one local hour; where clocks change, a local hour comes twice or not at all.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Length of a slot in seconds.
pub const SLOT_SECONDS: i64 = 300;

/// Slots of an hour.
pub const SLOTS_AN_HOUR: i64 = 12;

/// Slots of a day of 24 hours.
pub const SLOTS_A_DAY: i64 = 288;

/// Where a slot lies on the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Local days since 1970-01-01.
    pub day: i32,
    /// 0 is Monday.
    pub weekday: usize,
    /// 0..24.
    pub hour: usize,
    /// 0..12: which five minutes of the hour.
    pub part: usize,
}

/// The local clock, remembering the offset from UTC between two changes of it.
pub struct Local<'a> {
    zone: &'a TimeZone,
    /// Slots for which `offset` (in seconds) holds.
    from: i64,
    to: i64,
    offset: i64,
}

impl<'a> Local<'a> {
    pub fn new(zone: &'a TimeZone) -> Self {
        Self { zone, from: 0, to: 0, offset: 0 }
    }

    pub fn place(&mut self, slot: i64) -> Place {
        if slot < self.from || slot >= self.to {
            self.look_up(slot);
        }
        let seconds = slot * SLOT_SECONDS + self.offset;
        let day = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        Place {
            day: day as i32,
            weekday: weekday(day as i32),
            hour: (of_day / 3_600) as usize,
            part: (of_day % 3_600 / SLOT_SECONDS) as usize,
        }
    }

    fn look_up(&mut self, slot: i64) {
        let at = instant(slot);
        self.offset = i64::from(self.zone.to_offset(at).seconds());
        // A month both ways is enough to be fast.
        (self.from, self.to) = (slot - 31 * SLOTS_A_DAY, slot + 31 * SLOTS_A_DAY);
        if let Some(change) = self.zone.following(at).next() {
            self.to = self.to.min(slot_of(change.timestamp()).max(slot + 1));
        }
        // The change at `slot` itself is not before it.
        if let Some(change) = self.zone.preceding(instant(slot + 1)).next() {
            self.from = self.from.max(slot_of(change.timestamp()).min(slot));
        }
    }
}

/// The slot that an instant falls in.
pub fn slot_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT_SECONDS)
}

/// A slot's first instant.
pub fn instant(slot: i64) -> Timestamp {
    Timestamp::from_second(slot * SLOT_SECONDS).unwrap_or(Timestamp::MAX)
}

/// 0 is Monday; 1970-01-01 was a Thursday.
pub fn weekday(day: i32) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// Local days since 1970-01-01.
pub fn day_of(date: Date) -> i32 {
    let days = date.duration_since(Date::constant(1970, 1, 1)).as_secs() / SignedDuration::from_hours(24).as_secs();
    days as i32
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn slots_lie_on_the_local_clock_through_both_changes() {
        for name in ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "Australia/Lord_Howe"] {
            let zone = TimeZone::get(name).expect("a zone");
            let mut local = Local::new(&zone);
            let from = slot_of("2026-01-01T00:00:00Z".parse().expect("a time"));
            for slot in (from..from + 400 * SLOTS_A_DAY).step_by(5) {
                let want = zone.to_datetime(instant(slot));
                let place = local.place(slot);
                assert_eq!(place.day, day_of(want.date()), "{name} {want}");
                assert_eq!(place.weekday, want.date().weekday().to_monday_zero_offset() as usize);
                assert_eq!((place.hour, place.part), (want.hour() as usize, want.minute() as usize / 5));
            }
        }
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(day_of(date(1970, 1, 2)), 1);
        assert_eq!(day_of(date(2026, 11, 24)), 20_781);
    }
}
