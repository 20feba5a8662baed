//! Made-up senders: how they send, how often it fails, and how long after.

use super::chance::Chance;

pub const HOUR: usize = 60;
pub const DAY: usize = 24 * HOUR;
pub const YEAR: usize = 365 * DAY;

/// How a source sends.
#[derive(Clone, Copy, Debug)]
pub enum Sending {
    /// As many an hour at any time, one by one.
    Steady(f64),
    /// The same on average, 19 of 20 of it between 8:00 and 20:00.
    Daytime(f64),
    /// In batches of this many at once, each with a rate of its own that scatters by as much as the mean.
    Batches { per_hour: f64, of: u32 },
    /// All at once, over half an hour, beside a steady trickle.
    Blasts { every: usize, of: u32, trickle: f64 },
}

/// How long after its message a failure comes.
#[derive(Clone, Copy, Debug)]
pub enum Lags {
    /// 70 % within minutes; 24 % anywhere between 10 min and 72 h, each doubling as likely as the other, as retry
    /// intervals double; 3 % when a sender gives up after 8 h, 3 % after 72 h.
    Bounces,
    /// Within minutes, as what a server refuses at once.
    Refusals,
    /// Complaints: hours to days, half of them within 5 h.
    Complaints,
    /// Everything was deferred, and bounces together after these minutes.
    Deferred(usize),
}

/// A source over some time. `rate` is that of messages sent in a minute.
pub struct Source<'a> {
    pub sending: Sending,
    pub lags: Lags,
    pub rate: &'a dyn Fn(usize) -> f64,
}

/// What happened in each minute.
pub struct Events {
    pub sent: Vec<u32>,
    pub failed: Vec<u32>,
}

impl Lags {
    fn draw(self, chance: &mut Chance) -> usize {
        let minutes = match self {
            Self::Bounces => match chance.unit() {
                u if u <= 0.70 => chance.exponential(2.0),
                u if u <= 0.94 => chance.log_uniform(10.0, 72.0 * 60.0),
                u if u <= 0.97 => 8.0 * 60.0 + chance.unit() * 60.0,
                _ => 72.0 * 60.0 + chance.unit() * 60.0,
            },
            Self::Refusals => chance.exponential(2.0),
            Self::Complaints => chance.exponential(7.0 * 60.0),
            Self::Deferred(minutes) => minutes as f64 + chance.unit() * 20.0,
        };
        minutes as usize
    }
}

impl Source<'_> {
    /// Everything that happens in so many minutes.
    pub fn over(&self, minutes: usize, chance: &mut Chance) -> Events {
        let mut events = Events { sent: vec![0; minutes], failed: vec![0; minutes] };
        for minute in 0..minutes {
            match self.sending {
                Sending::Steady(per_hour) => self.send_some(&mut events, minute, per_hour, chance),
                Sending::Daytime(per_hour) => {
                    let is_day = (8 * HOUR..20 * HOUR).contains(&(minute % DAY));
                    self.send_some(&mut events, minute, per_hour * if is_day { 1.9 } else { 0.1 }, chance);
                }
                Sending::Batches { per_hour, of } => {
                    for _ in 0..chance.poisson(per_hour / f64::from(of) / 60.0) {
                        let rate = chance.scattered_rate((self.rate)(minute));
                        self.send(&mut events, minute, of, rate, chance);
                    }
                }
                Sending::Blasts { every, of, trickle } => {
                    if minute % every < 30 {
                        self.send(&mut events, minute, of / 30, (self.rate)(minute), chance);
                    }
                    self.send_some(&mut events, minute, trickle, chance);
                }
            }
        }
        events
    }

    fn send_some(&self, events: &mut Events, minute: usize, per_hour: f64, chance: &mut Chance) {
        let sent = chance.poisson(per_hour / 60.0);
        self.send(events, minute, sent, (self.rate)(minute), chance);
    }

    fn send(&self, events: &mut Events, minute: usize, sent: u32, rate: f64, chance: &mut Chance) {
        events.sent[minute] += sent;
        for _ in 0..chance.binomial(sent, rate) {
            if let Some(failed) = events.failed.get_mut(minute + self.lags.draw(chance)) {
                *failed += 1;
            }
        }
    }
}
