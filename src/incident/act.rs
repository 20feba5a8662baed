//! What people did about an incident: acknowledged it, silenced it, closed it by hand.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Incident, State};
use crate::message::text;

/// How long an acknowledged incident is not spoken of again: who took it a day ago may have left it behind.
pub const ACKNOWLEDGED_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// The most acts an incident keeps; the newest are left out beyond, and whoever wants to act is told so.
pub const ACTS: usize = 50;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum What {
    Acknowledged,
    Silenced {
        /// The silence's id.
        silence: String,
        until: Timestamp,
    },
    Closed,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    #[serde(flatten)]
    pub what: What,
    /// The name that was typed: nobody checked it.
    pub by: String,
    /// The receiver whose link it was done with; `None` for a link that `bridge link` printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    pub at: Timestamp,
}

impl Act {
    /// `Acknowledged`, `Silenced until 15:00`, `Closed by hand`.
    pub fn done(&self, zone: &TimeZone, now: Timestamp) -> String {
        match &self.what {
            What::Acknowledged => "Acknowledged".to_owned(),
            What::Silenced { until, .. } => format!("Silenced until {}", text::clock(*until, zone, now)),
            What::Closed => "Closed by hand".to_owned(),
        }
    }

    /// `Ada (name not verified)`.
    pub fn name(&self) -> String {
        format!("{} (name not verified)", self.by)
    }

    /// `Ada (name not verified; link sent to "lifecycle") at 14:05`.
    pub fn who(&self, zone: &TimeZone, now: Timestamp) -> String {
        let link = match &self.via {
            Some(via) => format!("link sent to \"{via}\""),
            None => "link printed by `bridge link`".to_owned(),
        };
        format!("{} (name not verified; {link}) at {}", self.by, text::clock(self.at, zone, now))
    }
}

impl Incident {
    /// How many acts there are, as what was told counts them.
    pub fn acts_so_far(&self) -> u32 {
        u32::try_from(self.acts.len()).unwrap_or(u32::MAX)
    }

    /// Until when nobody is reminded of it, because somebody has taken it.
    pub fn acknowledged_until(&self) -> Option<Timestamp> {
        let taken = self.acts.iter().filter(|act| act.what == What::Acknowledged).map(|act| act.at).max();
        taken.map(|at| at + ACKNOWLEDGED_HOLDS)
    }

    /// When somebody closed it by hand, if that is how it ended.
    pub fn closed_by_hand_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Resolved { at, how: super::How::ByHand } => Some(at),
            _ => None,
        }
    }
}
