//! The seen set and the registers. Both are written in one transaction, so a duplicate finds its register complete.
//!
//! A series is written once and then known by a number: rows are small, and the writer handles no JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::count::{Entering, Row, Seen, count_all};
use super::database::Database;
use super::retention::cutoff;
use super::series::{Known, Number, json_of, no_series, series_of};
use super::{micros, trouble};
use crate::clock::{Minute, Span};
use crate::customerio::event::Kind;
use crate::store::{SEEN_DAYS, StoreError};
use crate::tally::{Cell, Class, Counted, Entry, Series, Total};

/// A series with three numbers read from its registers.
type Register = (Arc<Series>, [i64; 3]);

/// Counts, and reads counts.
pub struct Tally {
    database: Arc<Database>,
    known: Arc<Mutex<Known>>,
}

/// What the writer has to do.
struct Plan<'a> {
    rows: Vec<Row>,
    entering: Vec<Entering>,
    /// The series of `entering`.
    order: Vec<&'a Series>,
}

impl Tally {
    pub fn of(database: Arc<Database>) -> Self {
        Self { database, known: Arc::default() }
    }

    pub async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let Plan { rows, entering, order } = self.plan(entries, now)?;
        let expired = cutoff(now, SEEN_DAYS);
        let (seen, numbers) = self.database.write(move |tx| count_all(tx, &rows, &entering, expired)).await?;
        let mut named = self.learn(&order, &numbers);
        // A duplicate that now looks different is counted as what it was at first.
        let missing: Vec<i64> = seen.iter().map(|s| s.series).filter(|id| !named.contains_key(id)).collect();
        if !missing.is_empty() {
            named.extend(self.database.read(move |tx| series_of(tx, &missing)).await?);
        }
        let counted = |seen: &Seen| {
            let series = named.get(&seen.series).cloned().ok_or_else(|| no_series(seen.series))?;
            Ok(Counted { class: Class { series: (*series).clone(), at: seconds(seen.at_s)? }, first: seen.first })
        };
        seen.iter().map(counted).collect()
    }

    /// Registers, by kind, minute and series.
    pub async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        let (sql, values) = select("series, minute, count, last_s", Some(kinds), span, "ORDER BY kind, minute, series");
        let cell = |(series, [minute, count, last_s]): Register| {
            Ok(Cell { series, minute: Minute(minute), count: unsigned(count), last: seconds(last_s)? })
        };
        self.rows(sql, values).await?.into_iter().map(cell).collect()
    }

    pub async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        let columns = "series, min(minute), sum(count), max(last_s)";
        let (sql, values) = select(columns, kinds, span, "GROUP BY series ORDER BY series");
        let total = |(series, [first, count, last_s]): Register| {
            Ok(Total { series, count: unsigned(count), first_minute: Minute(first), last: seconds(last_s)? })
        };
        self.rows(sql, values).await?.into_iter().map(total).collect()
    }

    /// Whether anything of a kind was counted in a minute from `since` on.
    pub async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        let kind = kind.to_string();
        let sql = "SELECT 1 FROM registers WHERE kind = ?1 AND minute >= ?2 LIMIT 1";
        self.database.read(move |tx| Ok(tx.prepare_cached(sql)?.exists((kind, since.0))?)).await
    }

    /// Rows of the registers with their series, all of one snapshot.
    async fn rows(&self, sql: String, values: Vec<Value>) -> Result<Vec<Register>, StoreError> {
        let known = Arc::clone(&self.known);
        let read = move |tx: &Connection| {
            let mut statement = tx.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), |row| {
                Ok((row.get::<_, i64>(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]))
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let ids = || rows.iter().map(|(id, _)| *id);
            let mut named = known.lock().unwrap_or_else(|e| e.into_inner()).named(ids());
            let missing: Vec<i64> = ids().filter(|id| !named.contains_key(id)).collect();
            if !missing.is_empty() {
                let found = series_of(tx, &missing)?;
                known.lock().unwrap_or_else(|e| e.into_inner()).name(&found);
                named.extend(found);
            }
            let row = |(id, numbers)| Ok((named.get(&id).cloned().ok_or_else(|| no_series(id))?, numbers));
            rows.iter().copied().map(row).collect()
        };
        self.database.read(read).await
    }

    /// Makes all text ready here, so that the writer handles none.
    fn plan<'a>(&self, entries: &'a [Entry], now: Timestamp) -> Result<Plan<'a>, StoreError> {
        let mut places: HashMap<&Series, usize> = HashMap::new();
        let mut order = Vec::new();
        let mut latest: Vec<i64> = Vec::new();
        let mut rows = Vec::with_capacity(entries.len());
        for Entry { identity, class, .. } in entries {
            let place = *places.entry(&class.series).or_insert_with(|| {
                order.push(&class.series);
                latest.push(i64::MIN);
                order.len() - 1
            });
            let since = micros(now.max(class.at));
            if let Some(latest) = latest.get_mut(place) {
                *latest = since.max(*latest);
            }
            rows.push(Row { identity: identity.0, place, at_s: class.at.as_second(), since });
        }
        let known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        let entering = |(series, since): (&&Series, i64)| {
            let entering = match known.number(series).filter(|number| number.since >= since) {
                Some(Number { id, .. }) => Entering::Known { id, kind: series.kind.to_string() },
                None => Entering::New { kind: series.kind.to_string(), json: json_of(series)?, since },
            };
            Ok(entering)
        };
        let entering = order.iter().zip(latest).map(entering).collect::<Result<_, StoreError>>()?;
        Ok(Plan { rows, entering, order })
    }

    /// Remembers the numbers, now that they are committed; answers the series of each.
    fn learn(&self, order: &[&Series], numbers: &[Number]) -> HashMap<i64, Arc<Series>> {
        let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        for (series, number) in order.iter().zip(numbers) {
            known.learn(series, *number);
        }
        order.iter().zip(numbers).map(|(series, number)| (number.id, Arc::new((*series).clone()))).collect()
    }
}

/// A query over the registers of these kinds in the span; kind by kind, as the primary key is.
fn select(columns: &str, kinds: Option<&[Kind]>, span: Span, tail: &str) -> (String, Vec<Value>) {
    let mut values = vec![Value::Integer(span.from.0), Value::Integer(span.to.0)];
    let among = match kinds {
        None => "SELECT DISTINCT kind FROM series".to_owned(),
        Some(kinds) => {
            values.extend(kinds.iter().map(|kind| Value::Text(kind.to_string())));
            vec!["?"; kinds.len()].join(", ")
        }
    };
    (format!("SELECT {columns} FROM registers WHERE minute >= ?1 AND minute < ?2 AND kind IN ({among}) {tail}"), values)
}

fn seconds(at_s: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(at_s).map_err(|_| trouble::no_instant())
}

fn unsigned(count: i64) -> u64 {
    count.try_into().unwrap_or_default()
}
