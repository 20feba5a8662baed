//! The registers of a seen set's item: per kind and minute, the members of each series and the latest second.
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, bytes, bytes_of};
use super::seen::SetItem;
use super::series::{ID_BYTES, SeriesId};
use super::trouble;
use crate::store::StoreError;

/// Attribute with the counts.
pub const COUNTS: &str = "c";

/// A series, its count, and the second of the minute of the latest event.
const ENTRY_BYTES: usize = ID_BYTES + 5;

/// Of one series in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub count: u32,
    /// Second of the minute.
    pub last: u8,
}

/// Counts the members of an item that are of this kind and minute.
pub fn of(item: &SetItem, kind: [u8; 2], minute: i64) -> BTreeMap<SeriesId, Count> {
    let mut counts = BTreeMap::new();
    for member in item.members.values() {
        if member.series.kind() == kind && member.at.div_euclid(60) == minute {
            let last = u8::try_from(member.at.rem_euclid(60)).unwrap_or_default();
            let count = counts.entry(member.series).or_insert(Count { count: 0, last });
            count.count = count.count.saturating_add(1);
            count.last = count.last.max(last);
        }
    }
    counts
}

pub fn encode(counts: &BTreeMap<SeriesId, Count>) -> AttributeValue {
    let mut code = Vec::with_capacity(counts.len() * ENTRY_BYTES);
    for (series, Count { count, last }) in counts {
        code.extend(series.0);
        code.extend(count.to_be_bytes());
        code.push(*last);
    }
    bytes(code)
}

pub fn decode(item: &Item) -> Result<Vec<(SeriesId, Count)>, StoreError> {
    let unreadable = || trouble::unreadable("a register");
    let code = bytes_of(item, COUNTS).ok_or_else(unreadable)?;
    let entry = |entry: &[u8]| {
        let (series, rest) = entry.split_first_chunk::<ID_BYTES>()?;
        let (count, last) = rest.split_first_chunk::<4>()?;
        let [last] = last else { return None };
        Some((SeriesId(*series), Count { count: u32::from_be_bytes(*count), last: *last }))
    };
    code.chunks(ENTRY_BYTES).map(|chunk| entry(chunk).ok_or_else(unreadable)).collect()
}
