//! Drift: what somebody changed in Customer.io that the bridge depends on. No event announces it, so it is asked for and
//! compared. Pure: answers and configuration in, differences out.

pub mod subscription;
pub mod wanted;
pub mod workflow;

use serde::{Deserialize, Serialize};

/// What has drifted. Each is one incident, whatever number of findings it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// The reporting webhook is gone, disabled, lacks events, or sends contents.
    Subscription,
    /// Campaigns with a heartbeat do not run.
    Stopped,
    /// What starts a campaign with a heartbeat, or whom it takes, changed: told once.
    Trigger,
    /// Transactional messages queue drafts.
    QueueDraft,
}

impl Drift {
    pub const ALL: [Self; 4] = [Self::Subscription, Self::Stopped, Self::Trigger, Self::QueueDraft];

    /// In keys and fields.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Stopped => "stopped",
            Self::Trigger => "trigger",
            Self::QueueDraft => "queue_draft",
        }
    }
}
