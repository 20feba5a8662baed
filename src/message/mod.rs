//! One message model for every receiver: what, where, since when, how bad, why, what to check first.
//! [`compose`] makes it from an incident; receivers only render it.

pub mod catalogue;
pub mod compose;
pub mod providers;
pub mod roll_up;
pub mod text;
pub mod words;

use jiff::Timestamp;
use serde::Serialize;

use crate::incident::{How, Severity};
use crate::route::{Label, Labels};

/// Why this message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Opened,
    /// The severity rose.
    Worsened,
    StillOpen,
    /// The numbers of an open incident changed: what was said is rewritten, nobody is called.
    Updated,
    /// Somebody acknowledged or silenced it: what was said is rewritten, a pager hears of an acknowledgement.
    Acted,
    Resolved,
    /// It was over before this receiver could be told.
    OpenedAndResolved,
    Digest,
    /// A marked test, sent by a person.
    Test,
}

impl Phase {
    /// Whether the condition is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::OpenedAndResolved)
    }
}

/// What a receiver is to say. All text in it is plain (not escaped) and free of personal data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    pub phase: Phase,
    pub severity: Severity,
    pub workspace: String,
    /// Stable for a condition and group, over all its episodes: the receivers' dedup key is made of it.
    pub key: String,
    pub episode: u32,
    /// What people call the incident.
    pub incident: String,
    /// How it ended, when it is over.
    pub ended: Option<How>,
    /// One line: what, where, since when, how bad; receivers put the state before it. At most [`HEADLINE_CHARS`]
    /// characters.
    pub headline: String,
    pub labels: Labels,
    pub about: About,
    /// Name and value, in reading order: where, since, how many, cause, rule ...
    pub fields: Vec<Field>,
    /// Masked failure texts, at most three.
    pub samples: Vec<String>,
    /// What to do, first thing first.
    pub steps: Vec<String>,
    /// The lines of a digest.
    pub lines: Vec<String>,
    /// The section of the [runbook](crate::runbook) that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<&'static str>,
    pub links: Vec<Link>,
    /// When the trouble began (a digest: when it was made).
    pub since: Timestamp,
    /// What somebody did last: `Acknowledged by Ada (...) at 14:05`.
    pub acted: Option<String>,
    /// Why it comes to this receiver and not to another.
    pub note: Option<String>,
}

/// The value of the label `cause` of a digest in which nothing needs a look: a chat shows its first line alone.
pub const ALL_FINE: &str = "all_fine";

impl Message {
    /// Whether it is a digest in which nothing needs a look: one line is enough where people chat.
    pub fn is_all_fine(&self) -> bool {
        let causes = self.labels.get(&Label::Cause);
        self.phase == Phase::Digest && causes.is_some_and(|causes| causes.iter().any(|cause| cause == ALL_FINE))
    }
}

/// Longest headline, in characters; every receiver's own limit is checked besides.
pub const HEADLINE_CHARS: usize = 240;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    pub name: &'static str,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub text: String,
    pub href: String,
}

/// The numbers and names behind the text, for machines (PagerDuty's `custom_details`, SNS attributes).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// `campaign:5`, most affected first.
    pub sources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
    /// `email_failed`; several are joined by a comma.
    pub metric: Option<String>,
    pub cause: Option<String>,
    pub count: u64,
    pub of: u64,
}
