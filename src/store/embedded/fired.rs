//! Fired counts, one row a report.

use rusqlite::params;

use super::database::Database;
use crate::reconcile::fired::{Fired, FiredHour};
use crate::store::StoreError;

pub async fn keep(database: &Database, fired: &[Fired]) -> Result<(), StoreError> {
    let fired = fired.to_vec();
    database
        .write(move |tx| {
            let sql = "INSERT INTO fired (hour, event, origin, id, count) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT DO UPDATE SET count = max(count, excluded.count)";
            let mut keep = tx.prepare_cached(sql)?;
            for Fired { event, origin, hour, id, count } in &fired {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                keep.execute(params![super::micros(*hour), event, origin, id, count])?;
            }
            Ok(())
        })
        .await
}

/// `from` and `to` in microseconds.
pub async fn between(database: &Database, from: i64, to: i64) -> Result<Vec<FiredHour>, StoreError> {
    database
        .read(move |tx| {
            let sql = "SELECT event, origin, hour, sum(count) FROM fired WHERE hour >= ?1 AND hour < ?2
                       GROUP BY event, origin, hour ORDER BY event, origin, hour";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([from, to], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })?;
            let mut hours = Vec::new();
            for row in rows {
                let (event, origin, hour, count) = row?;
                let hour = super::instant(hour)?;
                hours.push(FiredHour { event, origin, hour, count: u64::try_from(count).unwrap_or_default() });
            }
            Ok(hours)
        })
        .await
}
