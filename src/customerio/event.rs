//! The normalised event: what the rest of the bridge knows of one reporting webhook.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cause::CauseKey;
use super::metric::{self, MetricRow};
use super::provider::Provider;
use crate::hash::Parts;

/// `channel` + `metric`, written `email_bounced`. Unknown channels and metrics are kept as what they are, but an unknown
/// channel has no `_`: what was written is read back as the same kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    pub channel: Cow<'static, str>,
    pub metric: Cow<'static, str>,
}

/// Longest channel or metric name we keep, in characters; the longest known one has 35.
pub const NAME_CHARS: usize = 48;

impl Kind {
    pub const fn known(channel: &'static str, metric: &'static str) -> Self {
        Self { channel: Cow::Borrowed(channel), metric: Cow::Borrowed(metric) }
    }

    /// A kind from the sender's text: lower case, only `[a-z0-9_]`, at most [`NAME_CHARS`]; an empty name is `unknown`,
    /// and a channel that nobody knows has `-` for `_`.
    pub fn new(channel: &str, metric: &str) -> Self {
        let (channel, metric) = (name(channel), name(metric));
        // `in` and `app_failed` are written as `in_app` and `failed` are, so they are the same.
        let (channel, metric) = match split_known(&format!("{channel}_{metric}")) {
            Some((known, rest)) => (known.to_owned(), name(rest)),
            None => (channel.replace('_', "-"), metric),
        };
        Self { channel: Cow::Owned(channel), metric: Cow::Owned(metric) }
    }

    /// The same channel with another metric.
    pub fn with_metric(&self, metric: &'static str) -> Self {
        Self { channel: self.channel.clone(), metric: Cow::Borrowed(metric) }
    }

    /// What is known of the metric; `None` for one that this version has never heard of.
    pub fn row(&self) -> Option<&'static MetricRow> {
        metric::row(&self.metric)
    }

    /// The kind whose arrival shows that a failure of this kind is over (design, law 6).
    pub fn paired_success(&self) -> Option<Kind> {
        let paired = self.row()?.paired_success?;
        Some(self.with_metric(paired))
    }
}

fn name(text: &str) -> String {
    let kept = text.trim().chars().take(NAME_CHARS).map(|c| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '_') => c,
        _ => '_',
    });
    let kept: String = kept.collect();
    if kept.is_empty() { "unknown".to_owned() } else { kept }
}

/// A known channel, and the metric behind it.
fn split_known(text: &str) -> Option<(&'static str, &str)> {
    let metric = |channel: &str| text.strip_prefix(channel)?.strip_prefix('_').filter(|metric| !metric.is_empty());
    metric::CHANNELS.iter().find_map(|channel| Some((*channel, metric(channel)?)))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.channel, self.metric)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `email_bounced` split at a known channel (`in_app_failed` is `in_app` + `failed`), else at the first `_`.
impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (channel, metric) = split_known(text).or_else(|| text.split_once('_')).ok_or(())?;
        if channel.is_empty() || metric.is_empty() {
            return Err(());
        }
        Ok(Self::new(channel, metric))
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|()| serde::de::Error::custom("not <channel>_<metric>"))
    }
}

/// What sent the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    Campaign,
    Broadcast,
    Newsletter,
    Transactional,
    /// Profile events and anything that names no sender; its id is empty.
    None,
}

impl SourceKind {
    pub const ALL: [SourceKind; 5] =
        [Self::Campaign, Self::Broadcast, Self::Newsletter, Self::Transactional, Self::None];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
            Self::Transactional => "transactional",
            Self::None => "none",
        }
    }
}

/// The sender of a message, written `campaign:5`; `none` when the event names no sender.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    pub kind: SourceKind,
    pub id: String,
}

impl Source {
    pub fn new(kind: SourceKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }

    pub const fn none() -> Self {
        Self { kind: SourceKind::None, id: String::new() }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SourceKind::None => f.write_str("none"),
            kind => write!(f, "{}:{}", kind.as_str(), self.id),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "none" {
            return Ok(Self::none());
        }
        let (kind, id) = text.split_once(':').ok_or(())?;
        let kind = SourceKind::ALL.into_iter().find(|k| *k != SourceKind::None && k.as_str() == kind).ok_or(())?;
        if id.is_empty() { Err(()) } else { Ok(Self::new(kind, id)) }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|()| serde::de::Error::custom("not <kind>:<id>"))
    }
}

/// An event's identity: SHA-256 over (event_id, channel, metric), or over the body without an id; 128 bits kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; 16]);

impl Identity {
    /// The identity of an event that carries an id.
    pub fn of_event(event_id: &str, kind: &Kind) -> Self {
        Self::of_parts(&[b"event", event_id.as_bytes(), kind.channel.as_bytes(), kind.metric.as_bytes()])
    }

    /// The identity of the `index`-th event of a body that carries no id.
    pub fn of_body(body_sha256: &[u8; 32], index: usize) -> Self {
        Self::of_parts(&[b"body", body_sha256, index.to_string().as_bytes()])
    }

    /// The identity of a run through a workflow, as one that reached `action`; within `day` when its id holds no time.
    pub fn of_journey(id: &str, action: Option<&str>, day: &str) -> Self {
        Self::of_parts(&[b"journey", id.as_bytes(), action.unwrap_or_default().as_bytes(), day.as_bytes()])
    }

    /// Of an event that started a workflow of this source.
    pub fn of_trigger(source: &Source, id: &str) -> Self {
        Self::of_parts(&[b"trigger", source.to_string().as_bytes(), id.as_bytes()])
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let full = Parts::of(parts).finish();
        let mut kept = [0; 16];
        kept.copy_from_slice(&full[..16]);
        Self(kept)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Identity {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let wrong = || serde::de::Error::custom("not 32 hex digits");
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// What becomes of an authentic, understood event; decided once, at ingest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Counted, and rules and heartbeats see it.
    Counted,
    /// Over [`TOO_LATE_DAYS`] old at arrival: counted as that, alerts nobody (law 3).
    TooLate,
    /// Matches `[ignore]`: counted and shown, never alerts.
    Ignored,
    /// The canary came back: it covers, and is counted as nothing.
    Canary,
}

/// An event older than this at arrival is marked `too_late` (design, law 3): the sender retries for 7 days.
pub const TOO_LATE_DAYS: i64 = 8;

/// An event time further ahead of arrival than this is counted at arrival time (design, law 3).
pub const FUTURE_MINUTES: i64 = 5;

/// One reporting webhook, normalised; the body of a message in the events queue. Nothing personal in it unless
/// the configuration shows personal data, but for the id of a failed message, where the App API may be asked about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub identity: Identity,
    pub kind: Kind,
    pub source: Source,
    /// The action (step of a workflow) or content id that made the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The time it is counted at: its own, or the arrival's when that lies too far ahead.
    pub at: Timestamp,
    pub arrived: Timestamp,
    /// Its own time stamp was too far ahead of arrival to be a clock's fault, or could not be read: `at` is no proof of
    /// when it happened, so it never covers (design, Coverage).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub future: bool,
    /// Its own time stamp where `at` is not that: it is the same in every retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Timestamp>,
    pub fate: Fate,
    /// Where the key that signed it stands in `signing_keys`, from 0: the key guardian wants to know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub key: u8,
    /// Of a failure; `None` for every other metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The mailbox provider of an e-mail's recipient.
    pub provider: Provider,
    /// The sender's id of the event, for joining with its own records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journey_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_event_id: Option<String>,
}

fn is_zero(key: &u8) -> bool {
    *key == 0
}

/// Why a message failed, as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: CauseKey,
    /// Of the text with ids, addresses and numbers stripped: the same for the same fault.
    pub fingerprint: u64,
    /// The masked text, at most [`SAMPLE_CHARS`] characters; `None` when there was none.
    pub sample: Option<String>,
    /// The message's own id, kept only to ask the App API about it: never shown (design, law 8). `None` where there is no
    /// key to ask with.
    #[serde(default, rename = "delivery_id", skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
}

/// Longest failure text kept with an event, in characters: a queue body stays under 1 KB.
pub const SAMPLE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for (channel, metric, want) in [
            ("in_app", "failed", "in_app_failed"),
            ("in", "app_failed", "in_app_failed"),
            ("in", "app_", "in_app_"),
            ("Carrier Pigeon", "Lost ", "carrier-pigeon_lost"),
            ("carrier-pigeon", "lost", "carrier-pigeon_lost"),
            ("email", "a_b", "email_a_b"),
            ("", "", "unknown_unknown"),
            ("_", "_", "-__"),
        ] {
            let kind = Kind::new(channel, metric);
            assert_eq!(kind.to_string(), want);
            assert_eq!(want.parse(), Ok(kind), "{want}");
        }
    }

    proptest! {
        #[test]
        fn any_kind_survives_json(channel in "in|in_app|email_?|[a-z_]{0,9}|.{0,60}", metric in "app_|[a-z_]{0,9}|.{0,60}") {
            let kind = Kind::new(&channel, &metric);
            let json = serde_json::to_string(&kind).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Kind>(&json).unwrap(), &kind);
            prop_assert_eq!(Kind::new(&kind.channel, &kind.metric), kind);
        }
    }
}
