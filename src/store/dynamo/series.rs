//! Series and the ids they are referred to by. An id is a hash of what it names, so there is nothing to agree on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::item::{EXPIRES, JSON, days_after, document, json, number_of};
use super::request::{If, Key};
use super::table::Table;
use super::trouble;
use crate::customerio::event::Kind;
use crate::store::{REGISTER_DAYS, SEEN_DAYS, StoreError, Write};
use crate::tally::{Entry, Series};

/// Length of an id.
pub const ID_BYTES: usize = 10;

/// Days that a series is kept for when it is written: it is written again only when what refers to it would outlive it.
const AHEAD_DAYS: i64 = 30;

/// Most series remembered in memory, at a few hundred bytes each; beyond, all is forgotten and read again.
const KNOWN: usize = 20_000;

/// 2 bytes of the kind's hash, 8 of the series'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesId(pub [u8; ID_BYTES]);

impl SeriesId {
    fn of(kind: [u8; 2], json: &str) -> Self {
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(kind.into_iter().chain(Sha256::digest(json))).for_each(|(byte, hash)| *byte = hash);
        Self(id)
    }

    /// The part that tells kinds apart. Two kinds may share it: who reads a register asks the series itself.
    pub fn kind(&self) -> [u8; 2] {
        let [a, b, ..] = self.0;
        [a, b]
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The part of a series' id that is its kind's.
pub fn kind_hash(kind: &Kind) -> [u8; 2] {
    let hash: [u8; 32] = Sha256::digest(kind.to_string()).into();
    let [a, b, ..] = hash;
    [a, b]
}

/// Series that are stored. They never change, so this can be incomplete but not wrong.
#[derive(Default)]
pub struct Catalog {
    known: Mutex<HashMap<SeriesId, Known>>,
}

struct Known {
    series: Arc<Series>,
    /// Stored until then, in Unix seconds.
    until: i64,
}

impl Catalog {
    /// The ids of the entries' series, in their order; each series is stored when this returns.
    pub async fn ids(&self, table: &Table, entries: &[Entry], now: Timestamp) -> Result<Vec<SeriesId>, StoreError> {
        let mut of: HashMap<&Series, SeriesId> = HashMap::new();
        let mut needed: HashMap<SeriesId, (&Series, i64)> = HashMap::new();
        let mut ids = Vec::with_capacity(entries.len());
        for entry in entries {
            let series = &entry.class.series;
            let id = match of.get(series) {
                Some(id) => *id,
                None => {
                    let text = serde_json::to_string(series).map_err(|_| trouble::unwritable("a series"))?;
                    *of.entry(series).or_insert(SeriesId::of(kind_hash(&series.kind), &text))
                }
            };
            let until = days_after(now.max(entry.class.at), SEEN_DAYS + REGISTER_DAYS);
            let (_, needed) = needed.entry(id).or_insert((series, until));
            *needed = until.max(*needed);
            ids.push(id);
        }
        self.store(table, needed).await?;
        Ok(ids)
    }

    async fn store(&self, table: &Table, mut needed: HashMap<SeriesId, (&Series, i64)>) -> Result<(), StoreError> {
        self.drop_known(&mut needed)?;
        if needed.is_empty() {
            return Ok(());
        }
        self.read(table, needed.keys().copied().collect()).await?;
        self.drop_known(&mut needed)?;
        for (id, (series, until)) in needed {
            let until = until.saturating_add(AHEAD_DAYS * 86_400);
            let item = [(JSON.to_owned(), json(series, "a series")?)].into();
            let (Write::Done | Write::Conflict) = table.put(&key(table, &id), item, Some(until), If::Always).await?;
            self.learn(id, Known { series: Arc::new(series.clone()), until });
        }
        Ok(())
    }

    /// Leaves what is not known to be stored for long enough.
    fn drop_known(&self, needed: &mut HashMap<SeriesId, (&Series, i64)>) -> Result<(), StoreError> {
        let known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        let differs = |(id, (series, _)): (&SeriesId, &(&Series, i64))| {
            known.get(id).is_some_and(|known| *known.series != **series)
        };
        if needed.iter().any(differs) {
            return Err(StoreError::Corrupt("two series share an id".into()));
        }
        needed.retain(|id, (_, until)| known.get(id).is_none_or(|known| known.until < *until));
        Ok(())
    }

    /// The series of these ids.
    pub async fn named(
        &self,
        table: &Table,
        ids: BTreeSet<SeriesId>,
    ) -> Result<HashMap<SeriesId, Arc<Series>>, StoreError> {
        let mut named = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        {
            let known = self.known.lock().unwrap_or_else(|e| e.into_inner());
            for id in &ids {
                match known.get(id) {
                    Some(known) => drop(named.insert(*id, Arc::clone(&known.series))),
                    None => missing.push(*id),
                }
            }
        }
        if !missing.is_empty() {
            named.extend(self.read(table, missing).await?);
        }
        match ids.iter().find(|id| !named.contains_key(id)) {
            Some(id) => Err(StoreError::Corrupt(format!("series {} is counted but not named", id.hex()))),
            None => Ok(named),
        }
    }

    async fn read(&self, table: &Table, ids: Vec<SeriesId>) -> Result<HashMap<SeriesId, Arc<Series>>, StoreError> {
        let keys = ids.iter().map(|id| key(table, id)).collect();
        let mut items = table.get_all(keys).await?;
        let mut found = HashMap::with_capacity(ids.len());
        for id in ids {
            let Some(item) = items.remove(&key(table, &id)) else { continue };
            let series: Arc<Series> = Arc::new(document(&item, "a series")?);
            self.learn(id, Known { series: Arc::clone(&series), until: number_of(&item, EXPIRES).unwrap_or(i64::MAX) });
            found.insert(id, series);
        }
        Ok(found)
    }

    fn learn(&self, id: SeriesId, series: Known) {
        let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        if known.len() >= KNOWN && !known.contains_key(&id) {
            known.clear();
        }
        known.insert(id, series);
    }
}

fn key(table: &Table, id: &SeriesId) -> Key {
    table.single(&["series", &id.hex()])
}
