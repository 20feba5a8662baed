//! Days as reconciliation compared them, one row an event and day.

use jiff::civil::Date;
use rusqlite::params;

use super::database::Database;
use crate::reconcile::day::Compared;
use crate::store::StoreError;

pub async fn keep(database: &Database, compared: &Compared) -> Result<(), StoreError> {
    let key = (compared.event.clone(), compared.campaign.clone(), Compared::day_of(compared.date));
    let json = serde_json::to_string(compared).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    database
        .write(move |tx| {
            let sql = "INSERT INTO compared (event, campaign, day, json) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET json = excluded.json";
            tx.prepare_cached(sql)?.execute(params![key.0, key.1, key.2, json])?;
            Ok(())
        })
        .await
}

/// Those of days in [from, to) that are not older than `oldest`, in days since the Unix epoch.
pub async fn between(database: &Database, from: Date, to: Date, oldest: i64) -> Result<Vec<Compared>, StoreError> {
    let days = (Compared::day_of(from).max(oldest), Compared::day_of(to));
    let rows = database
        .read(move |tx| {
            let sql = "SELECT json FROM compared WHERE day >= ?1 AND day < ?2 ORDER BY day, event, campaign";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([days.0, days.1], |row| row.get::<_, String>(0))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .await?;
    let read = |json: &String| {
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("a compared day: {error}")))
    };
    rows.iter().map(read).collect()
}
