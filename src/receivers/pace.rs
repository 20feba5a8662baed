//! Pacing: a sliding window that allows a full burst, never even spacing (design, law 7).

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// At most `burst` sends in any span of `per`.
#[derive(Debug)]
pub struct Pace {
    burst: usize,
    per: SignedDuration,
    sent: VecDeque<Timestamp>,
    /// The receiver asked for quiet until then.
    quiet_until: Option<Timestamp>,
}

impl Pace {
    /// `burst` sends may go out at once, and no more than that in any span of `per`.
    pub fn new(burst: usize, per: SignedDuration) -> Self {
        Self { burst, per, sent: VecDeque::with_capacity(burst.min(256)), quiet_until: None }
    }

    /// Takes one send at `now`, or says how long to wait for the next.
    pub fn try_take(&mut self, now: Timestamp) -> Result<(), Duration> {
        if let Some(until) = self.quiet_until {
            if now < until {
                return Err(between(now, until));
            }
            self.quiet_until = None;
        }
        // A send "in the future" means that the clock was set back: it is forgotten, or it would block for hours.
        self.sent.retain(|at| *at <= now && now.duration_since(*at) < self.per);
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.burst => {
                Err(between(now, oldest.saturating_add(self.per).unwrap_or(Timestamp::MAX)))
            }
            _ => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }

    /// The receiver asked us to wait `after` from `now`: nothing is sent before.
    pub fn quiet(&mut self, now: Timestamp, after: Duration) {
        let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(after).unwrap_or(Timestamp::MAX);
        self.quiet_until = self.quiet_until.max(Some(until));
    }
}

fn between(now: Timestamp, later: Timestamp) -> Duration {
    later.duration_since(now).unsigned_abs()
}

/// [`Pace::try_take`] behind a receiver's lock.
pub(super) fn take(pace: &Mutex<Pace>, now: Timestamp) -> Result<(), Duration> {
    pace.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).try_take(now)
}

/// [`Pace::quiet`] behind a receiver's lock.
pub(super) fn quiet(pace: &Mutex<Pace>, now: Timestamp, after: Duration) {
    pace.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).quiet(now, after);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn secs(n: i64) -> SignedDuration {
        SignedDuration::from_secs(n)
    }

    #[test]
    fn a_full_burst_goes_at_once_and_the_next_waits_for_the_oldest() {
        let mut pace = Pace::new(120, secs(60));
        for _ in 0..120 {
            assert_eq!(pace.try_take(at(0)), Ok(()));
        }
        assert_eq!(pace.try_take(at(0)), Err(Duration::from_secs(60)));
        assert_eq!(pace.try_take(at(59)), Err(Duration::from_secs(1)));
        assert_eq!(pace.try_take(at(60)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_blocks_nobody() {
        let mut pace = Pace::new(1, secs(60));
        assert_eq!(pace.try_take(at(3_600)), Ok(()));
        assert_eq!(pace.try_take(at(0)), Ok(()));
    }

    #[test]
    fn a_receiver_that_asked_for_quiet_gets_it() {
        let mut pace = Pace::new(30, secs(30));
        pace.quiet(at(0), Duration::from_secs(7));
        pace.quiet(at(0), Duration::from_secs(2));
        assert_eq!(pace.try_take(at(3)), Err(Duration::from_secs(4)));
        assert_eq!(pace.try_take(at(7)), Ok(()));
        pace.quiet(at(7), Duration::MAX);
        assert!(pace.try_take(at(8)).is_err());
    }

    proptest! {
        #[test]
        fn no_span_ever_holds_more_than_the_burst(
            burst in 1usize..8,
            per in 1i64..20,
            steps in proptest::collection::vec(0i64..5, 1..80),
        ) {
            let mut pace = Pace::new(burst, secs(per));
            let (mut now, mut sent) = (0, Vec::new());
            for step in steps {
                now += step;
                match pace.try_take(at(now)) {
                    Ok(()) => sent.push(now),
                    Err(wait) => prop_assert!(wait > Duration::ZERO && wait.as_secs() <= per as u64),
                }
                prop_assert!(sent.iter().filter(|t| now - **t < per).count() <= burst);
            }
        }
    }
}
