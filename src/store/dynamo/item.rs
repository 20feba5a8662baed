//! Items and their attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::trouble;
use crate::store::StoreError;

/// An item, with or without its key.
pub type Item = HashMap<String, AttributeValue>;

/// The key's attributes, and the time to live in Unix seconds (an operator names it when making the table).
pub const PARTITION: &str = "pk";
pub const SORT: &str = "sk";
pub const EXPIRES: &str = "expires_at";

/// The document of an item that is read as a whole.
pub const JSON: &str = "json";

/// A number that only rises with every change of an item.
pub const VERSION: &str = "n";

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// An item's attributes, from names and values.
pub fn attributes<const N: usize>(of: [(&str, AttributeValue); N]) -> Item {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub fn bytes_of<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}

/// The document of an item; `what` names it in the error.
pub fn document<T: DeserializeOwned>(item: &Item, what: &str) -> Result<T, StoreError> {
    let json = text_of(item, JSON).ok_or_else(|| trouble::unreadable(what))?;
    serde_json::from_str(json).map_err(|_| trouble::unreadable(what))
}

pub fn json(of: &impl Serialize, what: &str) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(of).map(text).map_err(|_| trouble::unwritable(what))
}

/// Whether an item is to be taken as deleted: time to live deletes days late.
pub fn is_expired(item: &Item, now: Timestamp) -> bool {
    number_of(item, EXPIRES).is_some_and(|at| at <= now.as_second())
}

/// When something of this age ends, in Unix seconds.
pub fn days_after(at: Timestamp, days: i64) -> i64 {
    at.as_second().saturating_add(days.saturating_mul(86_400))
}

/// An instant as microseconds since the Unix epoch, rounded down.
pub fn micros(at: Timestamp) -> i64 {
    at.as_nanosecond().div_euclid(1_000).try_into().unwrap_or(i64::MAX)
}

/// An instant as text that sorts by time, to the microsecond: `2026-11-24T14:02:00.000000Z`.
pub fn sortable(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// Length of [`sortable`] that names a minute, a day, a month.
pub const TO_MINUTE: usize = 16;
pub const TO_DAY: usize = 10;
pub const TO_MONTH: usize = 7;

/// The partition that an instant lies in: the beginning of its text.
pub fn part_of(at: Timestamp, length: usize) -> String {
    let mut text = sortable(at);
    text.truncate(length);
    text
}

/// The partitions from one instant to another, both included, oldest first.
pub fn parts_between(from: Timestamp, to: Timestamp, length: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut at = from;
    while at <= to {
        let part = part_of(at, length);
        if parts.last() != Some(&part) {
            parts.push(part);
        }
        let Ok(next) = at.checked_add(SignedDuration::from_hours(24)) else { return parts };
        at = next;
    }
    let last = part_of(to, length);
    if from <= to && parts.last() != Some(&last) {
        parts.push(last);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_cover_both_ends() {
        let t = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (from, to) = (t("2026-11-30T23:59:59.9999999Z"), t("2026-12-02T00:00:00Z"));
        assert_eq!(parts_between(from, to, TO_DAY), ["2026-11-30", "2026-12-01", "2026-12-02"]);
        assert_eq!(parts_between(from, to, TO_MONTH), ["2026-11", "2026-12"]);
        assert_eq!(parts_between(from, from, TO_MINUTE), ["2026-11-30T23:59"]);
        assert!(parts_between(to, from, TO_DAY).is_empty());
    }
}
