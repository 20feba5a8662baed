//! How long after an hour its runs are known. A run counts when it began and is heard of with its first message, so where
//! a workflow waits before that message its last hours read low. How long it waits is measured, never assumed. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Heartbeat;
use super::history::{Day, Slot};
use crate::tally::journeys::{JOURNEY, WAITS};

/// So many of a hundred runs must be known when an hour is judged: what is still missing then is far below the least loss
/// that is called low ([`super::learned::judge::LEAST_LOSS`]).
const KNOWN_PERCENT: u64 = 98;

/// Fewer runs do not show how long the others wait: of 20, all of them heard in time, at most one in seven waits longer
/// (95 %), which is the least loss that is called low.
pub const ENOUGH: u64 = 20;

/// From so many hours on an hour more or less is no matter: then runs are judged by whole hours, once an hour.
const BY_THE_HOUR: SignedDuration = SignedDuration::from_hours(6);

const HOUR_SECONDS: i64 = 3600;

/// What is known of how long runs wait for their first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    /// Nearly all runs are known this long after they began.
    After(SignedDuration),
    /// Too few runs were heard of to tell; so many.
    Unknown { runs: u64 },
    /// Too many wait longer than the longest of [`WAITS`].
    TooLong,
}

impl Settling {
    /// Measured on these days. What no day says, nobody knows.
    pub fn of(days: &[Day]) -> Self {
        let waited = |place: usize| days.iter().map(|day| u64::from(day.waited(place))).sum::<u64>();
        let runs: u64 = (0..=WAITS.len()).map(waited).sum();
        if runs < ENOUGH {
            return Self::Unknown { runs };
        }
        let mut known = 0;
        let settled = WAITS.iter().enumerate().find(|(place, _)| {
            known += waited(*place);
            known * 100 >= runs * KNOWN_PERCENT
        });
        settled.map_or(Self::TooLong, |(_, wait)| Self::After(*wait))
    }

    pub fn is_by_the_hour(self) -> bool {
        matches!(self, Self::After(wait) if wait >= BY_THE_HOUR)
    }
}

impl Heartbeat {
    /// How long its counts rise after their time; events are counted at once.
    pub fn settling(&self, days: &[Day]) -> Settling {
        if self.event == JOURNEY { Settling::of(days) } else { Settling::After(SignedDuration::ZERO) }
    }

    /// Until when its counts can be compared with older ones, at `now`; `None` where nobody knows. `days` are its own, the
    /// last four weeks or so.
    ///
    /// A first message that we could not hear yet would have named a run of long ago, of a time that is covered. So runs
    /// are counted back from when we last heard, not from `now`.
    pub fn settled(&self, days: &[Day], now: Timestamp) -> Option<Timestamp> {
        if self.event != JOURNEY {
            return Some(now);
        }
        let settling = self.settling(days);
        let Settling::After(wait) = settling else { return None };
        let heard = days.iter().flat_map(Day::slots).filter(|(.., covered)| *covered).map(|(Slot(slot), ..)| slot);
        let heard = Slot(heard.max()? + 1).span().from.start();
        let settled = heard.min(now) - wait;
        if !settling.is_by_the_hour() {
            return Some(settled);
        }
        let hour = settled.as_second().div_euclid(HOUR_SECONDS) * HOUR_SECONDS;
        Timestamp::from_second(hour).ok()
    }
}

#[cfg(test)]
mod tests;
