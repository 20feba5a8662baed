//! How long things are kept, in one table, and their removal. Reads never depend on removal: each leaves out by itself
//! what has expired.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::quarantine::overwriting;
use super::{micros, reclaim};
use crate::clock::Minute;
use crate::heartbeat::history::Slot;
use crate::reconcile::fired::FIRED_DAYS;
use crate::silence::SILENCE_DAYS;
use crate::store::{HISTORY_DAYS, QUARANTINE_DAYS, REGISTER_DAYS, SEEN_DAYS, StoreError};

const DAY_MICROS: i64 = 86_400_000_000;

/// How long rows of a table are kept.
struct Retention {
    table: &'static str,
    /// The primary key.
    key: &'static str,
    /// The column that age is measured from.
    since: &'static str,
    unit: Unit,
    days: i64,
    /// What must hold besides.
    also: &'static str,
}

/// What a column counts.
#[derive(Clone, Copy)]
enum Unit {
    Micros,
    Minutes,
    Days,
}

const fn keep(table: &'static str, key: &'static str, since: &'static str, days: i64) -> Retention {
    Retention { table, key, since, unit: Unit::Micros, days, also: "" }
}

/// Every table that grows. A series outlives the rows that refer to it.
const RETENTIONS: &[Retention] = &[
    keep("seen", "identity", "since", SEEN_DAYS),
    Retention {
        unit: Unit::Minutes,
        // Lets SQLite look into the primary key once a kind.
        also: "AND kind IN (SELECT DISTINCT kind FROM series)",
        ..keep("registers", "kind, minute, series", "minute", REGISTER_DAYS)
    },
    keep("series", "id", "since", REGISTER_DAYS + SEEN_DAYS),
    keep("quarantine", "id", "received_at", QUARANTINE_DAYS),
    keep("incidents", "key, episode", "resolved_at", HISTORY_DAYS),
    Retention {
        also: "AND NOT EXISTS (SELECT 1 FROM incidents WHERE incidents.key = told.key)",
        ..keep("told", "key, receiver", "touched", HISTORY_DAYS)
    },
    keep("verdicts", "heartbeat, start", "ended", HISTORY_DAYS),
    Retention { unit: Unit::Days, ..keep("days", "counted_as, day", "day", HISTORY_DAYS) },
    Retention { unit: Unit::Days, ..keep("summaries", "day", "day", HISTORY_DAYS) },
    Retention { unit: Unit::Days, ..keep("compared", "event, campaign, day", "day", HISTORY_DAYS) },
    keep("fired", "hour, event, origin, id", "hour", FIRED_DAYS),
    keep("silences", "id", "ends", SILENCE_DAYS),
    keep("cursors", "name", "moved_at", HISTORY_DAYS),
];

/// The instant that `days` before `now` is, in microseconds.
pub fn cutoff(now: Timestamp, days: i64) -> i64 {
    micros(now).saturating_sub(days.saturating_mul(DAY_MICROS))
}

/// Deletes what is older than its table's retention, at most `limit` rows a table, and gives pages that are free back to
/// the disk; says how many rows.
pub fn purge(connection: &Connection, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let mut deleted = 0;
    // Those of a version that kept no instant begin to age now.
    let undated = "UPDATE cursors SET moved_at = ?1 WHERE moved_at IS NULL";
    connection.prepare_cached(undated)?.execute([micros(now)])?;
    for Retention { table, key, since, unit, days, also } in RETENTIONS {
        let before = match unit {
            Unit::Micros => cutoff(now, *days),
            Unit::Minutes => Minute::of(now).0.saturating_sub(days * 24 * 60),
            Unit::Days => Slot::of(now).day().saturating_sub(*days),
        };
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {since} < ?1 {also} LIMIT ?2)"
        );
        let delete = |tx: &Connection| Ok(tx.prepare_cached(&sql)?.execute(params![before, limit])?);
        deleted += match *table {
            // It alone holds personal data.
            "quarantine" => overwriting(connection, delete)?,
            _ => delete(connection)?,
        };
    }
    reclaim::some_pages(connection)?;
    Ok(deleted)
}
