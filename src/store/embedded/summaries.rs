//! Summaries, one row a local day.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::params;

use super::database::Database;
use super::{micros, trouble};
use crate::heartbeat::history::Slot;
use crate::heartbeat::learned::local::day_of;
use crate::store::{HISTORY_DAYS, StoreError};
use crate::summary::Summary;

pub async fn keep(database: &Database, summary: &Summary) -> Result<(), StoreError> {
    let json = serde_json::to_string(summary).map_err(|_| trouble::unwritable("a summary"))?;
    let (day, made_at) = (day_of(summary.date), micros(summary.made_at));
    database
        .write(move |tx| {
            let sql = "INSERT INTO summaries (day, made_at, json) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET made_at = ?2, json = ?3 WHERE made_at <= ?2";
            tx.prepare_cached(sql)?.execute(params![day, made_at, json])?;
            Ok(())
        })
        .await
}

/// Those of dates too long before `now` have expired.
pub async fn between(database: &Database, from: Date, until: Date, now: Timestamp) -> Result<Vec<Summary>, StoreError> {
    let oldest = Slot::of(now).day().saturating_sub(HISTORY_DAYS);
    let (from, until) = (i64::from(day_of(from)).max(oldest), i64::from(day_of(until)));
    let rows: Vec<String> = database
        .read(move |tx| {
            let sql = "SELECT json FROM summaries WHERE day >= ?1 AND day < ?2 ORDER BY day";
            let mut statement = tx.prepare_cached(sql)?;
            Ok(statement.query_map([from, until], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .await?;
    let readable = |json: &String| match serde_json::from_str(json) {
        Ok(summary) => Some(summary),
        Err(error) => {
            tracing::error!(event = "summary_unreadable", line = error.line(), column = error.column());
            None
        }
    };
    Ok(rows.iter().filter_map(readable).collect())
}
