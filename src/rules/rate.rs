//! What failures are a rate of, and whether that rate is too high: one limit to open at, a lower one to close at.
//!
//! Failures come later than the sends that they belong to, and nothing in an event says how much later. So a rate's
//! denominator is chosen, never matched. Most failures follow their sends closely: the *near* sends are the larger of
//! those in the window and in the one `lag` earlier. But a message that a mailbox defers is tried again at growing
//! intervals, and bounces up to three days later, when nothing may be sent any more: seven leftovers of a newsletter of
//! 100,000 then look like 100 % of next to nothing. So before a rate opens anything, the judge looks back:
//!
//! * More failures than near sends cannot all belong to those. They are taken of the fullest window of the look-back:
//!   the leftovers of 100,000 are few of 100,000, but a small batch of which all bounces late is still all of it.
//! * Otherwise they may still be a tail beside a trickle of new sends. They must be a rate of every earlier window too,
//!   each counting the less the longer ago it was: as retries thin out, so does what they leave behind.
//! * No sends at all in the look-back: we do not hear sends. The failures are a count (design, Configuration).
//!
//! The price: where one source sends both blasts and a trickle, trouble of the trickle alone is seen only when it is
//! large beside what the last blast may leave behind. `docs/rates.md` has the figures.

use jiff::SignedDuration;

use super::Condition;
use super::counts::Counts;
use super::wilson;
use crate::clock::{Minute, minutes};

/// How much later than its message a bounce may come. SendGrid tries deferred mail for 72 hours
/// (<https://sendgrid.com/docs/for-developers/sending-email/smtp-errors-and-troubleshooting/>), Mailgun for 8
/// (<https://help.mailgun.com/hc/en-us/articles/28956111811355>). Four hours more, which is Mailgun's longest interval,
/// for the last try and the time that a blast takes: those who give up do so together. RFC 5321, 4.5.4.1, would have 4
/// to 5 days; large senders do not wait that long, and every hour more is read from the store.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(72 + 4);

/// Fewer failures than this in a window are calm, however few messages they are of. Measured at 20 messages an hour: with
/// 1, a harmless 1 % keeps every tenth incident open for 3.4 h or more after recovery, with 2 for 2 h. The price is that
/// 3 failures an hour may look over before they are (`docs/rates.md`, "closed while ill").
pub const MIN_LINGERING: u64 = 2;

/// Where the default of `below` lies under `above`. Opening takes much more than the limit (see [`wilson`]), so that
/// the two limits need not be far apart; and a source whose usual rate lies not far under the limit must close too.
pub const BELOW: f64 = 0.8;

/// A rate's condition; lengths in minutes.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    above: f64,
    below: f64,
    window: i64,
    lag: i64,
}

/// The sends of a group, as far as they were read.
pub struct Sends<'a> {
    pub counts: &'a Counts,
    /// Whether they were read over the look-back too.
    pub looked_back: bool,
}

/// How a window stands to the limit to close at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Calm,
    Above,
    /// Above it as far as the near sends tell, but these are fewer than the failures: only a look back can tell.
    Unclear,
}

impl Rate {
    /// `None` for a count.
    pub fn of(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Count { .. } => None,
            Condition::Rate { above, below, within, lag, .. } => {
                Some(Self { above: *above, below: *below, window: minutes(*within), lag: minutes(*lag) })
            }
        }
    }

    /// How far before a window's end the near sends begin.
    pub fn near_reach(&self) -> i64 {
        self.window + self.lag
    }

    /// How far before a window's end the look-back begins.
    pub fn far_reach(&self) -> i64 {
        self.window + self.lag.max(minutes(LOOK_BACK))
    }

    /// Of how many messages these failures are, if that is too high a rate: beyond chance, and of near and far sends.
    pub fn opens(&self, failures: u64, sends: &Sends, end: Minute) -> Option<u64> {
        let of = self.of_how_many(failures, sends, end);
        if !wilson::is_above(failures, of, self.above) {
            return None;
        }
        let earlier = if sends.looked_back { self.thinned(sends.counts, end) } else { 0.0 };
        wilson::is_above(failures, of.max(earlier as u64), self.above).then_some(of)
    }

    /// Whether a window is still above the limit to close at: the plain rate, since a bound that gives a few messages
    /// the benefit of the doubt would call every pause the end. Whatever opens is above it.
    pub fn stands(&self, failures: u64, sends: &Sends, end: Minute) -> Window {
        let is_above = |of: u64| failures >= MIN_LINGERING && failures as f64 > self.below * of as f64;
        if !is_above(self.of_how_many(failures, sends, end)) {
            Window::Calm
        } else if !sends.looked_back && failures > self.near(sends.counts, end) {
            Window::Unclear
        } else {
            Window::Above
        }
    }

    /// Never fewer than there are failures.
    pub fn of_how_many(&self, failures: u64, sends: &Sends, end: Minute) -> u64 {
        let near = self.near(sends.counts, end);
        let of = if sends.looked_back && failures > near { self.fullest(sends.counts, end) } else { near };
        of.max(failures)
    }

    fn near(&self, sent: &Counts, end: Minute) -> u64 {
        let ending = |end: Minute| sent.sum(end.plus(-self.window), end);
        ending(end).max(ending(end.plus(-self.lag)))
    }

    /// The most that any window of the look-back holds.
    fn fullest(&self, sent: &Counts, end: Minute) -> u64 {
        self.windows(sent, end).map(|(_, held)| held).max().unwrap_or_default()
    }

    /// The most that any window of the look-back holds, where one that begins twice as far back as the lagged one
    /// counts for half. Servers try again at intervals that double (Mailgun after 10, 15, 30 min, 1 h, 2 h, 4 h), so
    /// that about as many give up between 2 and 4 hours as between 1 and 2: an hour's share falls as 1/age.
    fn thinned(&self, sent: &Counts, end: Minute) -> f64 {
        let share = |begin: Minute| self.near_reach() as f64 / (end.0 - begin.0).max(self.near_reach()).max(1) as f64;
        self.windows(sent, end).map(|(begin, held)| share(begin) * held as f64).fold(0.0, f64::max)
    }

    /// Every window of the look-back that begins with a send, by its first minute: no other holds more.
    fn windows<'a>(&'a self, sent: &'a Counts, end: Minute) -> impl Iterator<Item = (Minute, u64)> + 'a {
        sent.windows(end.plus(-self.far_reach()), end.plus(-self.window), self.window)
    }
}
