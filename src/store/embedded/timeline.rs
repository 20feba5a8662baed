//! What is known of time: coverage, cursors, and the verdicts on past periods.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Database;
use super::retention::cutoff;
use super::{micros, outcome, trouble};
use crate::heartbeat::Judged;
use crate::heartbeat::history::{Day, Slot};
use crate::store::{HISTORY_DAYS, StoreError, Write};
use crate::tally::coverage::{Coverage, Heard};

pub async fn hear(database: &Database, heard: Heard) -> Result<Coverage, StoreError> {
    if heard.is_empty() {
        return database.read(coverage).await;
    }
    database
        .write(move |tx| {
            let known = coverage(tx)?;
            let coverage = known.clone().hearing(&heard);
            if coverage != known {
                let json = serde_json::to_string(&coverage).map_err(|_| trouble::unwritable("coverage"))?;
                let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('coverage', ?1)";
                tx.prepare_cached(sql)?.execute([json])?;
            }
            Ok(coverage)
        })
        .await
}

pub fn coverage(tx: &Connection) -> Result<Coverage, StoreError> {
    let mut find = tx.prepare_cached("SELECT value FROM meta WHERE name = 'coverage'")?;
    let json: Option<String> = find.query_row([], |row| row.get(0)).optional()?;
    let parse = |json: String| serde_json::from_str(&json).map_err(|e| trouble::unreadable("coverage", &e));
    json.map(parse).transpose().map(Option::unwrap_or_default)
}

/// One that nobody moved since `kept_since` (in microseconds) has expired; without an instant it was moved by a version
/// that kept none.
pub async fn cursor(database: &Database, name: &str, kept_since: i64) -> Result<Option<String>, StoreError> {
    let name = name.to_owned();
    database
        .read(move |tx| {
            let sql = "SELECT value FROM cursors WHERE name = ?1 AND (moved_at IS NULL OR moved_at >= ?2)";
            Ok(tx.prepare_cached(sql)?.query_row(params![name, kept_since], |row| row.get(0)).optional()?)
        })
        .await
}

pub async fn move_cursor(
    database: &Database,
    name: &str,
    from: Option<&str>,
    to: &str,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let (name, from, to) = (name.to_owned(), from.map(str::to_owned), to.to_owned());
    let (moved_at, kept_since) = (micros(now), cutoff(now, HISTORY_DAYS));
    database
        .write(move |tx| {
            let changed = match from {
                None => tx
                    .prepare_cached(
                        "INSERT INTO cursors (name, value, moved_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET value = ?2, moved_at = ?3 WHERE moved_at < ?4",
                    )?
                    .execute(params![name, to, moved_at, kept_since])?,
                Some(from) => tx
                    .prepare_cached(
                        "UPDATE cursors SET value = ?2, moved_at = ?3
                         WHERE name = ?1 AND value = ?5 AND (moved_at IS NULL OR moved_at >= ?4)",
                    )?
                    .execute(params![name, to, moved_at, kept_since, from])?,
            };
            Ok(outcome(changed))
        })
        .await
}

pub async fn keep_verdict(database: &Database, judged: &Judged) -> Result<(), StoreError> {
    let json = serde_json::to_string(judged).map_err(|_| trouble::unwritable("a verdict"))?;
    let heartbeat = judged.heartbeat.clone();
    let (start, ended) = (micros(judged.period.start), micros(judged.period.end));
    database
        .write(move |tx| {
            let sql = "INSERT OR REPLACE INTO verdicts (heartbeat, start, ended, json) VALUES (?1, ?2, ?3, ?4)";
            tx.prepare_cached(sql)?.execute(params![heartbeat, start, ended, json])?;
            Ok(())
        })
        .await
}

/// By their end, then by name; those of periods that ended before `kept_since` (in microseconds) have expired.
pub async fn verdicts(
    database: &Database,
    from: Timestamp,
    to: Timestamp,
    kept_since: i64,
) -> Result<Vec<Judged>, StoreError> {
    let (from, to) = (micros(from).max(kept_since), micros(to));
    database
        .read(move |tx| {
            let sql = "SELECT json FROM verdicts WHERE ended >= ?1 AND ended < ?2 ORDER BY ended, heartbeat, start";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([from, to], |row| row.get::<_, String>(0))?;
            let parse = |json: String| serde_json::from_str(&json).map_err(|e| trouble::unreadable("a verdict", &e));
            rows.map(|row| row.map_err(StoreError::from).and_then(parse)).collect()
        })
        .await
}

/// Reading, adding and writing are one transaction: counts only rise, whoever looks.
pub async fn keep_day(database: &Database, of: &str, day: &Day) -> Result<(), StoreError> {
    let (of, day) = (of.to_owned(), day.clone());
    database
        .write(move |tx| {
            let sql = "SELECT json FROM days WHERE counted_as = ?1 AND day = ?2";
            let stored: Option<String> =
                tx.prepare_cached(sql)?.query_row(params![of, day.day], |row| row.get(0)).optional()?;
            let mut known = match &stored {
                Some(json) => serde_json::from_str(json).map_err(|e| trouble::unreadable("a day", &e))?,
                None => Day::unseen(day.day),
            };
            known.learn(&day);
            let json = serde_json::to_string(&known).map_err(|_| trouble::unwritable("a day"))?;
            if stored.as_ref() != Some(&json) {
                let sql = "INSERT OR REPLACE INTO days (counted_as, day, json) VALUES (?1, ?2, ?3)";
                tx.prepare_cached(sql)?.execute(params![of, day.day, json])?;
            }
            Ok(())
        })
        .await
}

/// Those before `kept_since` have expired.
pub async fn days(
    database: &Database,
    of: &str,
    from: i64,
    until: i64,
    kept_since: Timestamp,
) -> Result<Vec<Day>, StoreError> {
    let (of, from) = (of.to_owned(), from.max(Slot::of(kept_since).day()));
    database
        .read(move |tx| {
            let sql = "SELECT json FROM days WHERE counted_as = ?1 AND day >= ?2 AND day < ?3 ORDER BY day";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map(params![of, from, until], |row| row.get::<_, String>(0))?;
            let parse = |json: String| serde_json::from_str(&json).map_err(|e| trouble::unreadable("a day", &e));
            rows.map(|row| row.map_err(StoreError::from).and_then(parse)).collect()
        })
        .await
}
