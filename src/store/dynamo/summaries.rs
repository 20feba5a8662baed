//! Summaries: an item a local day, all in one partition, so that a year is one query. Compressed (zlib): a write bills
//! the whole item, and JSON of many workflows shrinks to a quarter.

use jiff::civil::Date;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::item::{Item, attributes, bytes, bytes_of, days_after, micros, number};
use super::request::{If, Key, Sorts};
use super::table::Table;
use super::trouble;
use crate::heartbeat::period;
use crate::store::{HISTORY_DAYS, StoreError};
use crate::summary::Summary;

const BODY: &str = "body";

/// When it was made: of two ticks the later one's stands.
const MADE: &str = "made";

/// zlib's level: past it a summary shrinks little more.
const LEVEL: u8 = 5;

/// Longest summary that is read, in bytes: an item has at most 400 KB, and text shrinks to a tenth at best.
const LONGEST: usize = 4_000_000;

pub async fn keep(table: &Table, summary: &Summary) -> Result<(), StoreError> {
    let json = serde_json::to_vec(summary).map_err(|_| trouble::unwritable("a summary"))?;
    let key = Key { pk: table.partition(&["summary"]), sk: summary.date.to_string() };
    let made = || number(micros(summary.made_at));
    let item = attributes([(BODY, bytes(compress_to_vec_zlib(&json, LEVEL))), (MADE, made())]);
    let began = period::midnight(summary.date, &jiff::tz::TimeZone::UTC);
    let expires = days_after(began, HISTORY_DAYS);
    table.put(&key, item, Some(expires), If::Below(MADE, made())).await.map(drop)
}

pub async fn between(table: &Table, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
    if until <= from {
        return Ok(Vec::new());
    }
    let (from, until) = (from.to_string(), until.to_string());
    let items = table.query(&table.partition(&["summary"]), Sorts::Between(&from, &until)).await?;
    let mut summaries: Vec<Summary> = Vec::with_capacity(items.len());
    for item in &items {
        match read(item) {
            Some(summary) => summaries.push(summary),
            None => tracing::error!(event = "summary_unreadable"),
        }
    }
    // The query's end is included.
    summaries.retain(|summary| summary.date.to_string() < until);
    Ok(summaries)
}

fn read(item: &Item) -> Option<Summary> {
    let json = decompress_to_vec_zlib_with_limit(bytes_of(item, BODY)?, LONGEST).ok()?;
    serde_json::from_slice(&json).ok()
}
