//! What Customer.io said, as far as it said it: typed, unmasked, unjudged.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::customerio::app_api::campaign::{Action, Detail};
use crate::customerio::app_api::message::{Activity, Delivery};
use crate::customerio::app_api::person::{Identifiers, OptOut, Preferences, Profile};
use crate::customerio::app_api::senders::Sender;
use crate::customerio::app_api::suppression::Suppression;

/// Why something is not known, and what would help. Holds nothing personal and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    pub why: String,
    pub advice: Option<String>,
}

impl NotKnown {
    pub fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), advice: None }
    }
}

/// An answer, or why there is none.
pub type Known<T> = Result<T, NotKnown>;

/// What the question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The person as asked for.
    pub person: String,
    pub campaign: String,
}

/// The profiles that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The one that everything else is about; `None` when there is none.
    pub profile: Option<Profile>,
    /// Others with the same address, and whether the trigger event is on their timeline.
    pub others: Vec<(Identifiers, Known<bool>)>,
}

/// The trigger event on the person's timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Events of exactly the trigger's name, newest first.
    pub exact: Vec<Activity>,
    /// Other events: each name with its newest; empty while there are exact ones.
    pub others: BTreeMap<String, Timestamp>,
    /// Events of that name, or like it, that Customer.io took and refused.
    pub failed: Vec<Activity>,
    /// Whether the timeline was read to its end.
    pub complete: bool,
}

/// Segments by id, with their names where they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    pub member_of: Vec<String>,
    pub names: BTreeMap<String, String>,
}

/// The messages of the campaign to the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Newest first.
    pub of_campaign: Vec<Delivery>,
    /// How many the person got of anything, and the newest of those from elsewhere.
    pub in_all: usize,
    pub since: Option<Timestamp>,
    pub complete: bool,
}

/// Everything that was asked. A part that no chosen check needs is not known, and nobody looks at it.
#[derive(Clone, Debug)]
pub struct Facts {
    pub subject: Subject,
    pub found: Known<Found>,
    /// `None`: there is no such campaign.
    pub campaign: Known<Option<Detail>>,
    pub actions: Known<Vec<Action>>,
    pub timeline: Known<Timeline>,
    pub segments: Known<Segments>,
    pub messages: Known<Messages>,
    pub suppressions: Known<Vec<Suppression>>,
    pub preferences: Known<Preferences>,
    pub opt_outs: Known<Vec<OptOut>>,
    /// Sender identities by id; `None`: gone.
    pub senders: Known<BTreeMap<String, Option<Sender>>>,
}

impl Facts {
    /// Nothing is known of it yet.
    pub fn of(subject: Subject) -> Self {
        fn unasked<T>() -> Known<T> {
            Err(NotKnown::because("not asked"))
        }
        Self {
            subject,
            found: unasked(),
            campaign: unasked(),
            actions: unasked(),
            timeline: unasked(),
            segments: unasked(),
            messages: unasked(),
            suppressions: unasked(),
            preferences: unasked(),
            opt_outs: unasked(),
            senders: unasked(),
        }
    }

    /// The profile, when there is one.
    pub fn profile(&self) -> Option<&Profile> {
        self.found.as_ref().ok()?.profile.as_ref()
    }

    /// The campaign, when there is one.
    pub fn detail(&self) -> Option<&Detail> {
        self.campaign.as_ref().ok()?.as_ref()
    }

    /// Whether the campaign sends by this channel; `None` when its steps are not known.
    pub fn sends(&self, channel: &str) -> Option<bool> {
        let actions = self.actions.as_ref().ok()?;
        Some(actions.iter().any(|action| action.channel == channel))
    }

    /// The campaign's messages to the person, as far as they are known.
    pub fn deliveries(&self) -> &[Delivery] {
        self.messages.as_ref().map_or(&[], |messages| &messages.of_campaign)
    }
}
