//! Which leg lost something: from fired to received, from received to started, from started to messages.

use serde::{Deserialize, Serialize};

use super::day::{Counts, Received};
use super::ratio::{self, Usual};
use crate::rules::wilson::lower_bound_at;

/// How sure the first leg's share must be above the limit, in standard deviations, one-sided: 1 in 1,000. Simulated
/// over years (below): with 1 % innocent loss, less than one false alarm a year at any volume.
const Z: f64 = 3.09;

/// Where something is lost, in the order of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Fired, and not received: like with like.
    Receiving,
    /// Received, and nobody entered.
    Entering,
    /// Entered, and no message was sent.
    Sending,
}

impl Leg {
    /// The label `cause` of pages, and what logs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "fired_to_received",
            Self::Entering => "received_to_started",
            Self::Sending => "started_to_messages",
        }
    }

    /// For a headline.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Receiving => "what was fired and what Customer.io received differ",
            Self::Entering => "fewer people than usual entered the workflow",
            Self::Sending => "fewer messages than usual came of those who entered",
        }
    }
}

/// What a day's comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// Every leg that could be judged is within its limit; which ones they were.
    Agrees { legs: [bool; 3] },
    /// A leg is over its limit, and chance may be why.
    Chance { leg: Leg },
    /// A leg is over its limit beyond chance.
    Diverges { leg: Leg, got: u64, expected: u64 },
    /// Nothing could be compared.
    Unknown,
}

impl Verdict {
    pub const fn leg(self) -> Option<Leg> {
        match self {
            Self::Diverges { leg, .. } => Some(leg),
            Self::Agrees { .. } | Self::Chance { .. } | Self::Unknown => None,
        }
    }

    /// Whether a leg was judged and is fine.
    pub fn clears(self, leg: Leg) -> bool {
        matches!(self, Self::Agrees { legs } if legs[leg as usize])
    }
}

/// One leg's own answer.
enum Judged {
    Fine,
    Chance,
    Lost { got: u64, expected: u64 },
    Unknown,
}

/// Compares a day. `before` are earlier days that agreed or were chance, oldest first: they teach what is usual.
pub fn compare(day: &Counts, before: &[Counts], divergence: f64) -> Verdict {
    let judged = [
        (Leg::Receiving, receiving(day, divergence)),
        (Leg::Entering, usual(entering(day), &teaching(before, entering))),
        (Leg::Sending, usual(sending(day), &teaching(before, sending))),
    ];
    // The first leg that lost something explains the ones after it.
    let lost = judged.iter().find_map(|(leg, judged)| match judged {
        Judged::Lost { got, expected } => Some(Verdict::Diverges { leg: *leg, got: *got, expected: *expected }),
        _ => None,
    });
    let chance = judged.iter().find_map(|(leg, judged)| matches!(judged, Judged::Chance).then_some(*leg));
    let legs = judged.map(|(_, judged)| matches!(judged, Judged::Fine));
    match (lost, chance) {
        (Some(lost), _) => lost,
        (None, Some(leg)) => Verdict::Chance { leg },
        (None, None) if legs.contains(&true) => Verdict::Agrees { legs },
        (None, None) => Verdict::Unknown,
    }
}

/// Like with like: the difference either way, of the larger of both.
fn receiving(day: &Counts, divergence: f64) -> Judged {
    let Some(fired) = day.fired else { return Judged::Unknown };
    let received = match day.received {
        Received::Exactly(received) => received,
        // A lower bound shows that enough came, and neither loss nor surplus.
        Received::AtLeast(least) if least as f64 >= fired as f64 * (1.0 - divergence) => return Judged::Fine,
        Received::AtLeast(_) | Received::Unknown => return Judged::Unknown,
    };
    let (off, of) = (fired.abs_diff(received), fired.max(received));
    if off as f64 <= divergence * of as f64 {
        Judged::Fine
    } else if lower_bound_at(Z, off, of) > divergence {
        Judged::Lost { got: received, expected: fired }
    } else {
        Judged::Chance
    }
}

/// What was received; where nobody counted that, what was fired.
fn entering(day: &Counts) -> Option<(u64, u64)> {
    let base = match day.received {
        Received::Exactly(received) => Some(received),
        Received::AtLeast(_) | Received::Unknown => day.fired,
    };
    Some((base?, day.started?))
}

fn sending(day: &Counts) -> Option<(u64, u64)> {
    Some((day.started?, day.messages?))
}

fn teaching(before: &[Counts], leg: impl Fn(&Counts) -> Option<(u64, u64)>) -> Vec<(u64, u64)> {
    before.iter().filter_map(leg).collect()
}

fn usual(day: Option<(u64, u64)>, before: &[(u64, u64)]) -> Judged {
    let (Some((base, outcome)), Some(usual)) = (day, ratio::learn(before)) else { return Judged::Unknown };
    let expected = Usual::expected(usual, base);
    if usual.is_fallen(base, outcome) {
        Judged::Lost { got: outcome, expected }
    } else if usual.is_low(base as f64, outcome as f64) {
        Judged::Chance
    } else {
        Judged::Fine
    }
}

#[cfg(test)]
mod tests;
