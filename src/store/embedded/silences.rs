//! Silences, one row each.

use jiff::Timestamp;
use rusqlite::params;

use super::database::Database;
use super::{micros, trouble};
use crate::silence::Silence;
use crate::store::StoreError;

pub async fn keep(database: &Database, silence: &Silence) -> Result<(), StoreError> {
    let json = serde_json::to_string(silence).map_err(|_| trouble::unwritable("a silence"))?;
    let (id, ends) = (silence.id.clone(), micros(silence.end));
    database
        .write(move |tx| {
            let sql = "INSERT OR REPLACE INTO silences (id, ends, json) VALUES (?1, ?2, ?3)";
            tx.prepare_cached(sql)?.execute(params![id, ends, json])?;
            Ok(())
        })
        .await
}

pub async fn all(database: &Database, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let rows: Vec<String> = database
        .read(|tx| {
            let mut statement = tx.prepare_cached("SELECT json FROM silences ORDER BY ends, id")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .await?;
    let readable = |json: &String| match serde_json::from_str::<Silence>(json) {
        Ok(silence) => Some(silence),
        Err(error) => {
            tracing::error!(event = "silence_unreadable", line = error.line(), column = error.column());
            None
        }
    };
    Ok(rows.iter().filter_map(readable).filter(|silence| !silence.is_expired(now)).collect())
}
