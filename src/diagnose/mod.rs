//! Why did this person not get this campaign's message? From what Customer.io says ([`facts`]) to steps with a verdict,
//! evidence and advice; pure, `now` is handed in. The path is the one that experienced people walk by hand: is the person
//! there, is the campaign live, did its trigger come, what became of the message, may it be sent, can it be.
//!
//! [`crate::steps::diagnose`] asks; [`CHECKS`] is the table of steps, and [`not_shown`] says what no API tells.

pub mod facts;
pub mod in_common;
mod message;
pub mod near;
pub mod not_shown;
mod profile;
mod reach;
#[cfg(test)]
mod tests;
mod trigger;
mod view;

use serde::Serialize;

pub use facts::{Facts, Known, NotKnown};
pub use view::View;

/// One step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Profile,
    Attributes,
    Campaign,
    Trigger,
    Segments,
    Message,
    Suppression,
    Unsubscribed,
    Preferences,
    OptOuts,
    Devices,
    Sender,
}

/// A step and the question it answers.
#[derive(Debug)]
pub struct CheckRow {
    pub check: Check,
    /// A few words for a headline.
    pub title: &'static str,
    judge: fn(&Facts, &View) -> Step,
}

/// Every step, in the order of the way.
#[rustfmt::skip]
pub const CHECKS: [CheckRow; 12] = [
    CheckRow { check: Check::Profile,      title: "Profile",                  judge: profile::profile },
    CheckRow { check: Check::Attributes,   title: "Attributes",               judge: profile::attributes },
    CheckRow { check: Check::Campaign,     title: "Campaign live",            judge: trigger::campaign },
    CheckRow { check: Check::Trigger,      title: "Trigger event",            judge: trigger::event },
    CheckRow { check: Check::Segments,     title: "Segments",                 judge: trigger::segments },
    CheckRow { check: Check::Message,      title: "Message",                  judge: message::message },
    CheckRow { check: Check::Suppression,  title: "Suppression list",         judge: reach::suppression },
    CheckRow { check: Check::Unsubscribed, title: "Unsubscribed",             judge: reach::unsubscribed },
    CheckRow { check: Check::Preferences,  title: "Subscription preferences", judge: reach::preferences },
    CheckRow { check: Check::OptOuts,      title: "SMS and WhatsApp opt-outs", judge: reach::opt_outs },
    CheckRow { check: Check::Devices,      title: "Devices",                  judge: reach::devices },
    CheckRow { check: Check::Sender,       title: "Sender",                   judge: reach::sender },
];

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing wrong here.
    Ok,
    /// This alone is a reason for no message.
    Cause,
    /// It may be a reason, or will be one.
    Warning,
    /// It could not be asked, or was not answered.
    NotKnown,
}

/// A step with what it found. All text is masked already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub check: Check,
    pub title: &'static str,
    pub verdict: Verdict,
    pub evidence: Vec<String>,
    /// What to do, the first thing first.
    pub advice: Vec<String>,
    /// The key of our own cause table, where a message failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// The Liquid variable that a message misses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

impl Step {
    fn new(check: Check, verdict: Verdict, evidence: impl Into<String>) -> Self {
        let title = CHECKS.iter().find(|row| row.check == check).map_or("", |row| row.title);
        Self { check, title, verdict, evidence: vec![evidence.into()], advice: Vec::new(), cause: None, variable: None }
    }

    fn ok(check: Check, evidence: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, evidence)
    }

    fn cause(check: Check, evidence: impl Into<String>) -> Self {
        Self::new(check, Verdict::Cause, evidence)
    }

    fn warning(check: Check, evidence: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, evidence)
    }

    fn not_known(check: Check, why: &NotKnown) -> Self {
        let mut step = Self::new(check, Verdict::NotKnown, why.why.clone());
        step.advice.extend(why.advice.clone());
        step
    }

    fn saying(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// The steps that were chosen, in the order of the way.
pub fn judge(facts: &Facts, checks: &[Check], view: &View) -> Vec<Step> {
    let chosen = CHECKS.iter().filter(|row| checks.contains(&row.check));
    chosen.map(|row| (row.judge)(facts, view)).collect()
}

/// Whether a step names a reason.
pub fn found(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.verdict == Verdict::Cause)
}
