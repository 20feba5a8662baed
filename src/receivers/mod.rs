//! Receivers: one file each. A receiver renders a [`Message`] (pure), sends it, and says what the answer means.
//! Its limits are named constants at the head of its file, with the vendor's page beside them.

pub mod build;
pub mod console;
mod credential;
pub mod http;
pub mod pace;
pub mod pagerduty;
pub(crate) mod plain;
pub mod slack;
#[cfg(feature = "aws")]
pub mod sns;
pub mod sns_chat;
pub mod sns_message;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

use async_trait::async_trait;

use crate::incident::told::Receipt;
use crate::message::Message;

/// What a receiver's answer means for this message. Texts hold no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered(Receipt),
    /// Not now. `after`: how long the receiver asked us to wait; `None`: by our own schedule.
    Retry {
        after: Option<Duration>,
        why: String,
    },
    /// Sent, and its answer was lost or came from something in between: it may have been taken. Tried again by our own
    /// schedule.
    Lost(String),
    /// It will never take this message.
    BadMessage(String),
    /// It will take no message until somebody repairs it (key revoked, channel gone).
    BadReceiver(String),
}

/// What a receiver can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// It can post: a message that asks nobody to get up. Without it, it only hears trigger and resolve.
    pub posts: bool,
    /// It keeps one message an incident, which later news rewrite.
    pub edits: bool,
    /// It knows who has taken an incident: an acknowledgement is passed on to it.
    pub acknowledges: bool,
    /// How many openings it takes at once; more that wait for it are told together, in a roll-up.
    pub burst: usize,
    /// Room that a roll-up may take for the names of its incidents, in characters: its message shows that much whole.
    pub names_chars: usize,
}

/// What a look at a receiver shows that sends it nothing. Texts hold no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// As far as can be seen it accepts; what was seen.
    Accepts(String),
    /// It could not be tried, and why: nothing is known.
    Untried(String),
    /// It would take nothing.
    Fails(String),
}

#[async_trait]
pub trait Receiver: Send + Sync {
    /// Sends once; `previous` is the receipt of the last message about the same incident. At most
    /// [`crate::config::schema::SEND_TIMEOUT`] long.
    async fn send(&self, message: &Message, previous: Option<&Receipt>) -> Outcome;

    /// Looks whether it would accept, without telling anybody anything. PagerDuty's Events API and Slack's incoming
    /// webhooks have no call that only looks.
    async fn probe(&self) -> Probe {
        Probe::Untried("only a message shows whether it accepts".to_owned())
    }
}
