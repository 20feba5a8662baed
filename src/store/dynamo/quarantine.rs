//! Requests that could not be understood: one item each, its body compressed (zlib), and a list by day without bodies.
//!
//! An item may have 400 KB (DynamoDB developer guide, "Service, account, and table quotas"). A head of 256 KiB that does
//! not compress grows by 5 bytes a 64 KiB, so it always fits.

use jiff::{SignedDuration, Timestamp};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::item::{
    JSON, TO_DAY, attributes, bytes, bytes_of, days_after, document, json, part_of, parts_between, sortable,
};
use super::request::{If, Key, Sorts};
use super::table::Table;
use super::trouble;
use crate::store::{QUARANTINE_BYTES, QUARANTINE_DAYS, Quarantined, StoreError, Write};

/// zlib's level: JSON shrinks to a fifth at 3 already, and an authentic sender may send many.
const LEVEL: u8 = 3;

/// Most items that are listed at once.
const LISTED: usize = 1_000;

const HEAD: &str = "head";

/// The same request again is the same item, as it was at first.
pub async fn keep(table: &Table, item: &Quarantined) -> Result<(), StoreError> {
    let head: Vec<u8> = item.head.iter().copied().take(QUARANTINE_BYTES).collect();
    let compressed = tokio::task::spawn_blocking(move || compress_to_vec_zlib(&head, LEVEL)).await;
    let head = compressed.map_err(|_| StoreError::Unavailable("compressing was cut short".into()))?;
    let key = table.single(&["quarantine", &item.id]);
    let row = attributes([(JSON, json(item, "a quarantined request")?), (HEAD, bytes(head))]);
    let expires = days_after(item.received_at, QUARANTINE_DAYS);
    let listed = match table.put(&key, row, Some(expires), If::Absent).await? {
        Write::Done => item.clone(),
        // Whoever kept it may have died before listing it.
        Write::Conflict => match table.get(&key).await? {
            Some(row) => document(&row, "a quarantined request")?,
            None => return Err(trouble::contended("a quarantined request")),
        },
    };
    let key = listing(table, &listed);
    let expires = days_after(listed.received_at, QUARANTINE_DAYS);
    let row = attributes([(JSON, json(&listed, "a quarantined request")?)]);
    table.put(&key, row, Some(expires), If::Always).await.map(drop)
}

/// Newest first.
pub async fn between(table: &Table, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
    let (now, day) = (table.now(), SignedDuration::from_hours(24));
    let kept = now.checked_sub(day.saturating_mul(QUARANTINE_DAYS as i32 + 1)).unwrap_or(Timestamp::MIN);
    let ahead = now.checked_add(day).unwrap_or(Timestamp::MAX);
    let (begin, end) = (sortable(from), sortable(to));
    let mut found: Vec<Quarantined> = Vec::new();
    for part in parts_between(from.max(kept), to.min(ahead), TO_DAY).iter().rev() {
        let pk = table.partition(&["quarantined", part]);
        let rows = table.query(&pk, Sorts::Between(&begin, &format!("{end}~"))).await?;
        for row in rows {
            let item: Quarantined = document(&row, "a quarantined request")?;
            if from <= item.received_at && item.received_at < to {
                found.push(item);
            }
        }
        if found.len() >= LISTED {
            break;
        }
    }
    found.sort_by(|a, b| b.received_at.cmp(&a.received_at).then_with(|| a.id.cmp(&b.id)));
    found.truncate(LISTED);
    Ok(found)
}

/// The kept part of a request's body; `None` when there is no such item.
pub async fn head(table: &Table, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(row) = table.get(&table.single(&["quarantine", id])).await? else { return Ok(None) };
    let head = bytes_of(&row, HEAD).ok_or_else(|| trouble::unreadable("a quarantined body"))?;
    let unpacked = decompress_to_vec_zlib_with_limit(head, QUARANTINE_BYTES);
    unpacked.map(Some).map_err(|_| trouble::unreadable("a quarantined body"))
}

/// The body first: a crash leaves it listed, and it can be dropped again.
pub async fn forget(table: &Table, item: &Quarantined) -> Result<(), StoreError> {
    table.delete(&table.single(&["quarantine", &item.id]), If::Always).await?;
    table.delete(&listing(table, item), If::Always).await
}

/// Where the list has it.
fn listing(table: &Table, item: &Quarantined) -> Key {
    let pk = table.partition(&["quarantined", &part_of(item.received_at, TO_DAY)]);
    Key { pk, sk: format!("{}#{}", sortable(item.received_at), item.id) }
}
