//! What is known of time: coverage, cursors, and the verdicts on past periods.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::item::{
    JSON, TO_MONTH, VERSION, attributes, days_after, document, json, number, number_of, part_of, parts_between,
    sortable, text, text_of,
};
use super::request::{If, Key, Sorts};
use super::table::Table;
use super::trouble;
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::store::{HISTORY_DAYS, StoreError, Write};
use crate::tally::coverage::{Coverage, Heard};

/// Tries to add to coverage while others do; merging is commutative, so the order does not matter.
const TRIES: u32 = 10;

const CURSOR: &str = "at";

/// What the coverage item says, and its version (0: there is none).
async fn stored(table: &Table) -> Result<(Coverage, i64), StoreError> {
    match table.get(&table.single(&["coverage"])).await? {
        Some(item) => Ok((document(&item, "coverage")?, number_of(&item, VERSION).unwrap_or_default())),
        None => Ok((Coverage::default(), 0)),
    }
}

pub async fn coverage(table: &Table) -> Result<Coverage, StoreError> {
    Ok(stored(table).await?.0)
}

pub async fn hear(table: &Table, heard: &Heard) -> Result<Coverage, StoreError> {
    for tried in 0..TRIES {
        if tried > 0 {
            tokio::time::sleep(Duration::from_millis(5 << tried.min(5))).await;
        }
        let (known, version) = stored(table).await?;
        let coverage = known.clone().hearing(heard);
        if coverage == known {
            return Ok(coverage);
        }
        let item = attributes([(JSON, json(&coverage, "coverage")?), (VERSION, number(version.saturating_add(1)))]);
        let when = if version == 0 { If::Absent } else { If::Is(VERSION, number(version)) };
        if table.put(&table.single(&["coverage"]), item, None, when).await? == Write::Done {
            return Ok(coverage);
        }
    }
    Err(trouble::contended("coverage"))
}

pub async fn cursor(table: &Table, name: &str) -> Result<Option<String>, StoreError> {
    let item = table.get(&table.single(&["cursor", name])).await?;
    Ok(item.and_then(|item| text_of(&item, CURSOR).map(str::to_owned)))
}

pub async fn move_cursor(table: &Table, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
    let when = match from {
        None => If::Absent,
        Some(from) => If::Is(CURSOR, text(from)),
    };
    let expires = days_after(table.now(), HISTORY_DAYS);
    table.put(&table.single(&["cursor", name]), attributes([(CURSOR, text(to))]), Some(expires), when).await
}

pub async fn keep_verdict(table: &Table, judged: &Judged) -> Result<(), StoreError> {
    let period = &judged.period;
    let key = Key {
        pk: table.partition(&["verdict", &part_of(period.end, TO_MONTH)]),
        sk: format!("{}#{}#{}", sortable(period.end), sortable(period.start), judged.heartbeat),
    };
    let item = attributes([(JSON, json(judged, "a verdict")?)]);
    table.put(&key, item, Some(days_after(period.end, HISTORY_DAYS)), If::Always).await.map(drop)
}

/// By their end, then by name.
pub async fn verdicts(table: &Table, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
    let (now, day) = (table.now(), SignedDuration::from_hours(24));
    let kept = now.checked_sub(day.saturating_mul(HISTORY_DAYS as i32 + 1)).unwrap_or(Timestamp::MIN);
    // A period's end may lie a week ahead of its verdict.
    let ahead = now.checked_add(day.saturating_mul(8)).unwrap_or(Timestamp::MAX);
    let (begin, end) = (sortable(from), sortable(to));
    let mut verdicts: Vec<Judged> = Vec::new();
    for month in parts_between(from.max(kept), to.min(ahead), TO_MONTH) {
        let pk = table.partition(&["verdict", &month]);
        for item in table.query(&pk, Sorts::Between(&begin, &format!("{end}~"))).await? {
            verdicts.push(document(&item, "a verdict")?);
        }
    }
    verdicts.retain(|judged| from <= judged.period.end && judged.period.end < to);
    verdicts.sort_by(|a, b| {
        (a.period.end, &a.heartbeat, a.period.start).cmp(&(b.period.end, &b.heartbeat, b.period.start))
    });
    Ok(verdicts)
}

fn day_key(table: &Table, of: &str, day: i64) -> Key {
    Key { pk: table.partition(&["days", of]), sk: sortable_day(day) }
}

/// Days in the order of their numbers, for the next 27,000 years.
fn sortable_day(day: i64) -> String {
    format!("{:07}", day.max(0))
}

/// Written only by whoever saw what it adds to: counts only rise.
pub async fn keep_day(table: &Table, of: &str, day: &Day) -> Result<(), StoreError> {
    let key = day_key(table, of, day.day);
    for _ in 0..TRIES {
        let (known, version) = match table.get(&key).await? {
            Some(item) => (document(&item, "a day")?, number_of(&item, VERSION).unwrap_or_default()),
            None => (Day::unseen(day.day), 0),
        };
        let mut learnt = known.clone();
        learnt.learn(day);
        if version > 0 && learnt == known {
            return Ok(());
        }
        let item = attributes([(JSON, json(&learnt, "a day")?), (VERSION, number(version.saturating_add(1)))]);
        let when = if version == 0 { If::Absent } else { If::Is(VERSION, number(version)) };
        let expires = days_after(table.now(), HISTORY_DAYS);
        if table.put(&key, item, Some(expires), when).await? == Write::Done {
            return Ok(());
        }
    }
    Err(trouble::contended("a day"))
}

pub async fn days(table: &Table, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
    let (from, last) = (sortable_day(from), sortable_day(until - 1));
    let items = table.query(&table.partition(&["days", of]), Sorts::Between(&from, &last)).await?;
    items.iter().map(|item| document(item, "a day")).collect()
}
