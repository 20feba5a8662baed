//! Series and the numbers they are stored under.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::trouble;
use crate::store::StoreError;
use crate::tally::Series;

/// Most series remembered in memory, at a few hundred bytes each; beyond, all is forgotten and read again.
const KNOWN: usize = 20_000;

/// A series' number, and the instant up to which its row is known to be in use.
#[derive(Clone, Copy)]
pub struct Number {
    pub id: i64,
    pub since: i64,
}

/// Committed series. A number names one series for ever, so this can be incomplete but not wrong.
#[derive(Default)]
pub struct Known {
    numbers: HashMap<Series, Number>,
    named: HashMap<i64, Arc<Series>>,
}

impl Known {
    pub fn number(&self, series: &Series) -> Option<Number> {
        self.numbers.get(series).copied()
    }

    /// Those of these numbers whose series is known.
    pub fn named(&self, ids: impl Iterator<Item = i64>) -> HashMap<i64, Arc<Series>> {
        let mut found = HashMap::new();
        for id in ids {
            if let (false, Some(series)) = (found.contains_key(&id), self.named.get(&id)) {
                found.insert(id, series.clone());
            }
        }
        found
    }

    pub fn learn(&mut self, series: &Series, number: Number) {
        match self.numbers.get_mut(series) {
            // Numbers of concurrent jobs may arrive in any order.
            Some(known) if known.id == number.id => known.since = known.since.max(number.since),
            Some(known) if known.id > number.id => {}
            _ => {
                if self.numbers.len() >= KNOWN {
                    self.numbers.clear();
                }
                self.numbers.insert(series.clone(), number);
            }
        }
    }

    pub fn name(&mut self, found: &HashMap<i64, Arc<Series>>) {
        if self.named.len() + found.len() > KNOWN {
            self.named.clear();
        }
        self.named.extend(found.iter().map(|(id, series)| (*id, series.clone())));
    }
}

/// The text that makes a series unique: its fields in the order of the type.
pub fn json_of(series: &Series) -> Result<String, StoreError> {
    serde_json::to_string(series).map_err(|_| trouble::unwritable("a series"))
}

/// The series of these numbers.
pub fn series_of(tx: &Connection, ids: &[i64]) -> Result<HashMap<i64, Arc<Series>>, StoreError> {
    let mut find = tx.prepare_cached("SELECT json FROM series WHERE id = ?1")?;
    let mut found = HashMap::new();
    for id in ids {
        if found.contains_key(id) {
            continue;
        }
        let json: Option<String> = find.query_row([id], |row| row.get(0)).optional()?;
        let json = json.ok_or_else(|| no_series(*id))?;
        let series: Series = serde_json::from_str(&json).map_err(|e| trouble::unreadable("a series", &e))?;
        found.insert(*id, Arc::new(series));
    }
    Ok(found)
}

pub fn no_series(id: i64) -> StoreError {
    StoreError::Corrupt(format!("series {id} is counted but not named"))
}
