//! Counting, as the writer does it: into the seen set, and what is new into its register (design, law 4).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::series::Number;
use crate::clock::Minute;
use crate::store::StoreError;

const DAY_MICROS: i64 = 86_400_000_000;

/// A series that a batch counts into.
pub enum Entering {
    Known {
        id: i64,
        kind: String,
    },
    /// New, or its row has to be marked as used until later.
    New {
        kind: String,
        json: String,
        since: i64,
    },
}

/// An entry on its way into the seen set.
pub struct Row {
    pub identity: [u8; 16],
    /// Place of its series in the batch's list.
    pub place: usize,
    pub at_s: i64,
    /// The later of event time and arrival.
    pub since: i64,
}

/// What is in the seen set now.
pub struct Seen {
    pub series: i64,
    pub at_s: i64,
    pub first: bool,
}

/// Counts the rows; identities remembered since `expired` or earlier count as never seen. Answers the rows in order,
/// and the numbers of the series.
pub fn count_all(
    tx: &Connection,
    rows: &[Row],
    entering: &[Entering],
    expired: i64,
) -> Result<(Vec<Seen>, Vec<Number>), StoreError> {
    let numbers = entering.iter().map(|e| number(tx, e)).collect::<Result<Vec<_>, _>>()?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO seen (identity, series, at_s, since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (identity) DO UPDATE SET series = ?2, at_s = ?3, since = ?4 WHERE since <= ?5",
    )?;
    let mut find = tx.prepare_cached("SELECT series, at_s FROM seen WHERE identity = ?1")?;
    let mut registers: HashMap<(usize, Minute), (i64, i64)> = HashMap::new();
    let mut seen = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(number) = numbers.get(row.place) else { continue };
        if insert.execute(params![row.identity, number.id, row.at_s, row.since, expired])? == 1 {
            let minute = Minute(row.at_s.div_euclid(60));
            let (count, last_s) = registers.entry((row.place, minute)).or_insert((0, i64::MIN));
            *count += 1;
            *last_s = row.at_s.max(*last_s);
            seen.push(Seen { series: number.id, at_s: row.at_s, first: true });
        } else {
            let (series, at_s) = find.query_row([row.identity], |row| Ok((row.get(0)?, row.get(1)?)))?;
            seen.push(Seen { series, at_s, first: false });
        }
    }
    let mut add = tx.prepare_cached(
        "INSERT INTO registers (kind, minute, series, count, last_s) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET count = count + ?4, last_s = max(last_s, ?5)",
    )?;
    for ((place, minute), (count, last_s)) in registers {
        let (Some(number), Some(entering)) = (numbers.get(place), entering.get(place)) else { continue };
        add.execute(params![entering.kind(), minute.0, number.id, count, last_s])?;
    }
    Ok((seen, numbers))
}

impl Entering {
    fn kind(&self) -> &str {
        match self {
            Self::Known { kind, .. } | Self::New { kind, .. } => kind,
        }
    }
}

/// The number of a series, its row marked as used for a day more than asked: it is written once a day, not with
/// every event.
fn number(tx: &Connection, entering: &Entering) -> Result<Number, StoreError> {
    let (kind, json, since) = match entering {
        Entering::Known { id, .. } => return Ok(Number { id: *id, since: i64::MIN }),
        Entering::New { kind, json, since } => (kind, json, since.saturating_add(DAY_MICROS)),
    };
    let mut mark = tx.prepare_cached("UPDATE series SET since = max(since, ?2) WHERE json = ?1 RETURNING id, since")?;
    let found = |row: &rusqlite::Row<'_>| Ok(Number { id: row.get(0)?, since: row.get(1)? });
    if let Some(number) = mark.query_row(params![json, since], found).optional()? {
        return Ok(number);
    }
    let mut insert = tx.prepare_cached("INSERT INTO series (kind, since, json) VALUES (?1, ?2, ?3)")?;
    Ok(Number { id: insert.insert(params![kind, since, json])?, since })
}
