//! Incidents, one row an episode. The columns beside the JSON are what is asked by.

use rusqlite::types::ToSql;
use rusqlite::{Connection, params};

use jiff::Timestamp;

use super::database::Database;
use super::{micros, outcome, trouble};
use crate::incident::{Incident, IncidentKey, State};
use crate::store::{StoreError, Write};

/// Most episodes that are answered of one incident.
const EPISODES: usize = 500;

/// What expired (it resolved before `kept_since`, in microseconds) is in nobody's way.
pub async fn write(database: &Database, incident: &Incident, kept_since: i64) -> Result<Write, StoreError> {
    let expected = incident.version;
    let incident = Incident { version: expected.saturating_add(1), ..incident.clone() };
    let json = serde_json::to_string(&incident).map_err(|_| trouble::unwritable("an incident"))?;
    let resolved_at = match incident.state {
        State::Open => None,
        State::Resolved { at, .. } => Some(micros(at)),
    };
    let live = incident.is_open() || !incident.settled;
    database
        .write(move |tx| {
            let sql = match expected {
                0 => {
                    "INSERT INTO incidents (key, episode, version, live, opened_at, resolved_at, json)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?8 = 0
                     ON CONFLICT DO UPDATE SET version = ?3, live = ?4, opened_at = ?5, resolved_at = ?6, json = ?7
                     WHERE resolved_at < ?9"
                }
                _ => {
                    "UPDATE incidents SET version = ?3, live = ?4, opened_at = ?5, resolved_at = ?6, json = ?7
                     WHERE key = ?1 AND episode = ?2 AND version = ?8 AND (resolved_at IS NULL OR resolved_at >= ?9)"
                }
            };
            let changed = tx.prepare_cached(sql)?.execute(params![
                incident.key.0,
                incident.episode,
                incident.version,
                live,
                micros(incident.opened_at),
                resolved_at,
                json,
                expected,
                kept_since
            ])?;
            if changed > 0 && expected == 0 && incident.episode == 1 {
                // What was told of an incident long forgotten is not about this one.
                let forget = "DELETE FROM told WHERE key = ?1 AND touched < ?2";
                tx.prepare_cached(forget)?.execute(params![incident.key.0, kept_since])?;
            }
            Ok(outcome(changed))
        })
        .await
}

/// Here and below, incidents that resolved before `kept_since` (in microseconds) have expired.
pub async fn episodes(database: &Database, key: &IncidentKey, kept_since: i64) -> Result<Vec<Incident>, StoreError> {
    let key = key.0.clone();
    let read = move |tx: &Connection| {
        let sql = "SELECT json FROM incidents WHERE key = ?1 AND (resolved_at IS NULL OR resolved_at >= ?3)
                   ORDER BY episode DESC LIMIT ?2";
        find(tx, sql, &[&key, &EPISODES, &kept_since])
    };
    let mut episodes = database.read(read).await?;
    episodes.reverse();
    Ok(episodes)
}

pub async fn unsettled(database: &Database, kept_since: i64) -> Result<Vec<Incident>, StoreError> {
    let sql = "SELECT json FROM incidents WHERE live = 1 AND (resolved_at IS NULL OR resolved_at >= ?1)
               ORDER BY opened_at, key, episode";
    let all = move |tx: &Connection| {
        let mut statement = tx.prepare_cached(sql)?;
        let rows = statement.query_map([kept_since], |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    };
    let readable = |json: &String| match serde_json::from_str(json) {
        Ok(incident) => Some(incident),
        Err(error) => {
            tracing::error!(event = "incident_unreadable", line = error.line(), column = error.column());
            None
        }
    };
    Ok(database.read(all).await?.iter().filter_map(readable).collect())
}

pub async fn open(database: &Database, at_most: usize) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM incidents WHERE live = 1 AND resolved_at IS NULL LIMIT ?1)";
    database.read(move |tx| Ok(tx.prepare_cached(sql)?.query_row([at_most], |row| row.get(0))?)).await
}

pub async fn between(
    database: &Database,
    from: Timestamp,
    to: Timestamp,
    kept_since: i64,
) -> Result<Vec<Incident>, StoreError> {
    let sql = "SELECT json FROM incidents
               WHERE (opened_at >= ?1 AND opened_at < ?2 OR resolved_at >= ?1 AND resolved_at < ?2)
                 AND (resolved_at IS NULL OR resolved_at >= ?3)
               ORDER BY opened_at, key, episode";
    let (from, to) = (micros(from), micros(to));
    database.read(move |tx| find(tx, sql, &[&from, &to, &kept_since])).await
}

fn find(tx: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Incident>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let json = row.get_ref(0)?.as_bytes().map_err(rusqlite::Error::from)?;
        found.push(serde_json::from_slice(json).map_err(|e| trouble::unreadable("an incident", &e))?);
    }
    Ok(found)
}
