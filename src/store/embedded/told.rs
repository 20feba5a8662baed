//! What receivers were told, and who may tell them now: one row an (incident, receiver).

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::database::Database;
use super::retention::cutoff;
use super::{instant, micros, outcome, trouble};
use crate::incident::IncidentKey;
use crate::incident::told::Told;
use crate::store::{HISTORY_DAYS, Lease, StoreError, Write};

pub async fn lease(
    database: &Database,
    key: &IncidentKey,
    receiver: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let (key, receiver, owner) = (key.0.clone(), receiver.to_owned(), owner.to_owned());
    let kept_since = cutoff(now, HISTORY_DAYS);
    let (now, until) = (micros(now), micros(until));
    let taken = database.write(move |tx| {
        // A lease is free from the instant that it ends at. All are of one length: one that ends over a minute
        // (in microseconds) after the one asked for was taken before the clock was set back, and would last that long.
        let mut take = tx.prepare_cached(
            "INSERT INTO told (key, receiver, owner, until, touched) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET owner = ?3, until = ?4, touched = ?5,
                json = CASE WHEN touched >= ?6 OR EXISTS (SELECT 1 FROM incidents
                       WHERE incidents.key = told.key AND (resolved_at IS NULL OR resolved_at >= ?6)) THEN json END
             WHERE owner IS NULL OR until <= ?5 OR until > ?4 + 60000000
             RETURNING json",
        )?;
        let granted: Option<Option<String>> =
            take.query_row(params![key, receiver, owner, until, now, kept_since], |row| row.get(0)).optional()?;
        match granted {
            Some(json) => Ok(Ok(json)),
            None => {
                let mut held = tx.prepare_cached("SELECT until FROM told WHERE key = ?1 AND receiver = ?2")?;
                Ok(Err(held.query_row(params![key, receiver], |row| row.get::<_, i64>(0))?))
            }
        }
    });
    match taken.await? {
        Ok(json) => Ok(Lease::Granted(json.map(|json| parse(&json)).transpose()?)),
        Err(until) => Ok(Lease::HeldUntil(instant(until)?)),
    }
}

pub async fn record(
    database: &Database,
    key: &IncidentKey,
    receiver: &str,
    owner: &str,
    told: &Told,
) -> Result<Write, StoreError> {
    let (key, receiver, owner) = (key.0.clone(), receiver.to_owned(), owner.to_owned());
    let json = serde_json::to_string(told).map_err(|_| trouble::unwritable("what a receiver was told"))?;
    database
        .write(move |tx| {
            let sql = "UPDATE told SET json = ?4 WHERE key = ?1 AND receiver = ?2 AND owner = ?3";
            Ok(outcome(tx.prepare_cached(sql)?.execute(params![key, receiver, owner, json])?))
        })
        .await
}

pub async fn release(database: &Database, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
    let (key, receiver, owner) = (key.0.clone(), receiver.to_owned(), owner.to_owned());
    database
        .write(move |tx| {
            let sql = "UPDATE told SET owner = NULL, until = NULL WHERE key = ?1 AND receiver = ?2 AND owner = ?3";
            tx.prepare_cached(sql)?.execute(params![key, receiver, owner])?;
            Ok(())
        })
        .await
}

pub async fn void(database: &Database) -> Result<(), StoreError> {
    database
        .write(|tx| {
            tx.prepare_cached("UPDATE told SET owner = NULL, until = NULL WHERE owner IS NOT NULL")?.execute([])?;
            Ok(())
        })
        .await
}

/// Without what expired: nothing touched it since `kept_since`, and no incident is left that it could be about.
pub async fn of(database: &Database, key: &IncidentKey, kept_since: i64) -> Result<Vec<(String, Told)>, StoreError> {
    let key = key.0.clone();
    database
        .read(move |tx| {
            let sql = "SELECT receiver, json FROM told WHERE key = ?1 AND json IS NOT NULL
                         AND (touched >= ?2 OR EXISTS (SELECT 1 FROM incidents
                              WHERE incidents.key = told.key AND (resolved_at IS NULL OR resolved_at >= ?2)))
                       ORDER BY receiver";
            let mut statement = tx.prepare_cached(sql)?;
            let rows =
                statement.query_map(params![key, kept_since], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            rows.map(|row| row.map_err(StoreError::from).and_then(|(name, json)| Ok((name, parse(&json)?)))).collect()
        })
        .await
}

fn parse(json: &str) -> Result<Told, StoreError> {
    serde_json::from_str(json).map_err(|e| trouble::unreadable("what a receiver was told", &e))
}
