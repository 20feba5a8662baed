//! What failure texts mean: the [`causes`] and the lines of [`matchers`] that find them, as tables with their sources.
//! `docs/causes.md` is made from them.

mod causes;
mod liquid;
mod matchers;
mod phrases;
mod text;

use super::event::Kind;

pub use causes::{GROUPS, causes};
pub use liquid::missing_variable;

/// Who can put it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Our message's content or its Liquid.
    Template,
    /// Our settings in Customer.io, at a provider, or at the address a webhook posts to.
    Configuration,
    /// A provider, a carrier or the network; it may pass by itself.
    Provider,
    /// This recipient's address, number or device.
    Recipient,
    /// How mailbox providers and carriers judge our messages.
    Reputation,
    /// A limit or a switch that somebody set on purpose.
    Policy,
    Unknown,
}

/// How soon somebody should look, when it is more than a few messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Every further message fails until somebody acts.
    Now,
    /// It gets worse, or nobody knows.
    Today,
    /// Expected in ordinary traffic.
    Digest,
}

/// One cause, in words for the person on call.
#[derive(Debug)]
pub struct CauseRow {
    /// Stands in keys, labels and rules; never changes.
    pub key: &'static str,
    /// A few words for a headline.
    pub title: &'static str,
    /// One sentence.
    pub meaning: &'static str,
    pub fault: Fault,
    pub urgency: Urgency,
    /// What to look at first, in the imperative.
    pub check_first: &'static [&'static str],
    /// What puts it right once that has confirmed it, and how that shows.
    pub fix: &'static str,
    /// What keeps it from coming back.
    pub prevent: &'static str,
    /// A kind and a text that classify to this row; no text for a cause that the metric alone tells.
    pub example_kind: &'static str,
    pub example: &'static str,
    /// Where the meaning is documented.
    pub source: &'static str,
}

/// The row of a key, or that of `unknown`.
pub fn row(key: &str) -> &'static CauseRow {
    causes().find(|row| row.key == key).unwrap_or(&causes::UNKNOWN)
}

/// The cause of a text, read as that of its channel and metric. Takes time linear in the text.
pub fn of_text(kind: &Kind, text: &str) -> Option<&'static str> {
    matchers::find(kind, &text::Text::of(text))
}

/// What a metric tells by itself, without a text. Source: the metric descriptions of the vendor's webhook
/// specification: `dropped` is not sent because suppressed, `spammed` is a complaint.
pub fn of_metric(metric: &str) -> Option<&'static str> {
    match metric {
        "dropped" => Some("suppressed"),
        "spammed" => Some("spam_complaint"),
        _ => None,
    }
}

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
