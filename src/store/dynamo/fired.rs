//! Fired counts: one item a report, a partition a day of UTC.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::item::{
    JSON, TO_DAY, attributes, days_after, document, json, number, number_of, part_of, parts_between, sortable,
};
use super::request::{If, Key, Sorts};
use super::table::Table;
use crate::hash::Parts;
use crate::reconcile::fired::{FIRED_DAYS, Fired, FiredHour};
use crate::store::StoreError;

/// The count: it only rises.
const COUNT: &str = "c";

/// Writes at once: a request of a thousand reports has two seconds.
const AT_ONCE: usize = 32;

pub async fn keep(table: &Table, fired: &[Fired]) -> Result<(), StoreError> {
    let writes = fired.iter().cloned().map(|report| async move { keep_one(table, &report).await });
    stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await
}

async fn keep_one(table: &Table, report: &Fired) -> Result<(), StoreError> {
    let count = || number(report.count);
    let item = attributes([(JSON, json(report, "a fired count")?), (COUNT, count())]);
    let expires = days_after(report.hour, FIRED_DAYS);
    table.put(&key(table, report), item, Some(expires), If::Below(COUNT, count())).await.map(drop)
}

fn key(table: &Table, report: &Fired) -> Key {
    let named = Parts::of([&report.event, &report.origin, &report.id]).hex(16);
    Key {
        pk: table.partition(&["fired", &part_of(report.hour, TO_DAY)]),
        sk: format!("{}#{named}", sortable(report.hour)),
    }
}

pub async fn between(table: &Table, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
    let day = SignedDuration::from_hours(24);
    let kept = table.now().checked_sub(day.saturating_mul(FIRED_DAYS as i32 + 1)).unwrap_or(Timestamp::MIN);
    let ahead = table.now().checked_add(day).unwrap_or(Timestamp::MAX);
    let (begin, end) = (sortable(from), sortable(to));
    let mut hours: BTreeMap<(String, String, Timestamp), u64> = BTreeMap::new();
    for day in parts_between(from.max(kept), to.min(ahead), TO_DAY) {
        let pk = table.partition(&["fired", &day]);
        for item in table.query(&pk, Sorts::Between(&begin, &end)).await? {
            let Fired { event, origin, hour, .. } = document(&item, "a fired count")?;
            let count = number_of(&item, COUNT).and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
            let sum = hours.entry((event, origin, hour)).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    let hour = |((event, origin, hour), count)| FiredHour { event, origin, hour, count };
    Ok(hours.into_iter().map(hour).collect())
}
