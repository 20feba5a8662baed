//! Counting into seen sets, and registers: what rules, heartbeats and people read.
//!
//! A register belongs to one item of a seen set, a kind and a minute, and is a pure function of that item. It is
//! replaced only by one of a later version of the item, which is a superset: so a count only rises, a retry is a no-op,
//! and whoever dies between the two writes leaves a register that the event's next delivery mends. Reading sums over
//! items. All counts of a batch cost two writes a bucket and kind, however many series it has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::item::{
    EXPIRES, Item, SORT, TO_DAY, TO_MINUTE, VERSION, attributes, days_after, number, part_of, parts_between, text,
    text_of,
};
use super::register;
use super::request::{If, Key, Sorts, Update};
use super::seen::{Admitted, Bucket, Digest, Member, SetItem, admit};
use super::series::{Catalog, SeriesId, kind_hash};
use super::table::Table;
use super::trouble;
use crate::clock::{Minute, Span};
use crate::customerio::event::Kind;
use crate::store::{REGISTER_DAYS, SEEN_DAYS, StoreError, Write};
use crate::tally::{Cell, Class, Counted, Entry, Series, Total};

/// Requests under way at a time.
const AT_ONCE: usize = 8;

/// The latest day with a register of a kind.
const LAST_DAY: &str = "last_day";

/// Events may lie this far ahead of our clock and more: 5 min are counted at their own time (design, law 3).
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Counts, and reads counts.
pub struct Tally {
    table: Arc<Table>,
    catalog: Catalog,
    /// The latest day that each kind is known to be marked with.
    marked: Mutex<HashMap<Kind, String>>,
}

/// Entries of one bucket.
#[derive(Default)]
struct Group {
    /// Each identity once, with what it would be counted as.
    wanted: BTreeMap<Digest, Member>,
    places: Vec<(usize, Digest)>,
}

impl Tally {
    pub fn of(table: Arc<Table>) -> Self {
        Self { table, catalog: Catalog::default(), marked: Mutex::default() }
    }

    pub async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        let ids = self.catalog.ids(&self.table, entries, now).await?;
        let mut groups: BTreeMap<Bucket, Group> = BTreeMap::new();
        let mut latest = now;
        for (place, (entry, series)) in entries.iter().zip(ids).enumerate() {
            let group = groups.entry(Bucket::of(entry.stamp, &entry.identity)).or_default();
            let digest = Digest::of(&entry.identity);
            let member = Member { series, at: entry.class.at.as_second() };
            group.wanted.entry(digest.clone()).or_insert(member);
            group.places.push((place, digest));
            latest = latest.max(entry.class.at);
        }
        let expires = days_after(latest, SEEN_DAYS);
        let mut admitting = Vec::with_capacity(groups.len());
        for (bucket, group) in &groups {
            admitting.push(admit(&self.table, bucket, &group.wanted, now, expires));
        }
        let admitted: Vec<Admitted> = stream::iter(admitting).buffered(AT_ONCE).try_collect().await?;
        let admitted: Vec<_> = groups.iter().zip(admitted).map(|((bucket, group), of)| (bucket, group, of)).collect();
        let mut series = BTreeSet::new();
        for (_, group, admitted) in &admitted {
            series.extend(group.wanted.keys().filter_map(|digest| Some(admitted.member(digest)?.series)));
        }
        let named = self.catalog.named(&self.table, series).await?;
        self.raise(&admitted, &named).await?;
        counted(entries.len(), &admitted, &named)
    }

    /// Raises the registers of all that was admitted: also of duplicates, whose first try may have died before this.
    async fn raise(
        &self,
        admitted: &[(&Bucket, &Group, Admitted)],
        named: &HashMap<SeriesId, Arc<Series>>,
    ) -> Result<(), StoreError> {
        let mut writes: Vec<(&Bucket, &SetItem, &Kind, Minute)> = Vec::new();
        let mut days: BTreeMap<&Kind, Minute> = BTreeMap::new();
        for (bucket, group, admitted) in admitted {
            for item in &admitted.items {
                let members = group.wanted.keys().filter_map(|digest| item.members.get(digest));
                let of = |member: &Member| Some((&named.get(&member.series)?.kind, member.at.div_euclid(60)));
                for (kind, minute) in members.filter_map(of).collect::<BTreeSet<_>>() {
                    writes.push((bucket, item, kind, Minute(minute)));
                    let day = days.entry(kind).or_insert(Minute(minute));
                    *day = Minute(minute).max(*day);
                }
            }
        }
        // A register that nobody would look for must not be all there is.
        for (kind, minute) in days {
            self.mark(kind, minute).await?;
        }
        let mut writing = Vec::with_capacity(writes.len());
        for (bucket, item, kind, minute) in writes {
            writing.push(self.register(bucket, item, kind, minute));
        }
        stream::iter(writing).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn register(&self, bucket: &Bucket, item: &SetItem, kind: &Kind, minute: Minute) -> Result<(), StoreError> {
        let start = minute.start();
        let key = Key {
            pk: self.table.partition(&["reg", &kind.to_string(), &part_of(start, TO_DAY)]),
            sk: format!("{}#{}", part_of(start, TO_MINUTE), item.name(bucket)),
        };
        let counts = register::of(item, kind_hash(kind), minute.0);
        let row = attributes([(VERSION, number(item.version)), (register::COUNTS, register::encode(&counts))]);
        let expires = days_after(start, REGISTER_DAYS);
        // A conflict: it is as high already, or higher.
        let (Write::Done | Write::Conflict) =
            self.table.put(&key, row, Some(expires), If::Below(VERSION, number(item.version))).await?;
        Ok(())
    }

    /// Puts a kind on the list of kinds, with its latest day.
    async fn mark(&self, kind: &Kind, minute: Minute) -> Result<(), StoreError> {
        let day = part_of(minute.start(), TO_DAY);
        let marked = self.marked.lock().unwrap_or_else(|e| e.into_inner()).get(kind).cloned();
        if marked.is_some_and(|marked| marked >= day) {
            return Ok(());
        }
        let key = Key { pk: self.table.partition(&["kinds"]), sk: kind.to_string() };
        let expires = days_after(minute.start(), REGISTER_DAYS + 1);
        let update = Update::new(
            "SET #d = :d, #x = :x",
            "attribute_not_exists(#d) OR #d < :d",
            [("d", LAST_DAY), ("x", EXPIRES)],
            [("d", text(day.clone())), ("x", number(expires))],
        );
        self.table.update(&key, update).await?;
        self.marked.lock().unwrap_or_else(|e| e.into_inner()).insert(kind.clone(), day);
        Ok(())
    }

    /// Registers, by kind, minute and series.
    pub async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        let kinds: BTreeSet<String> = kinds.iter().map(Kind::to_string).collect();
        self.summed(kinds, span).await
    }

    pub async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        let cells = match kinds {
            Some(kinds) => self.cells(kinds, span).await?,
            None => self.summed(self.kinds(span.from).await?, span).await?,
        };
        let mut totals: BTreeMap<Arc<Series>, Total> = BTreeMap::new();
        for Cell { series, minute, count, last } in cells {
            let total =
                totals.entry(Arc::clone(&series)).or_insert(Total { series, count: 0, first_minute: minute, last });
            total.count = total.count.saturating_add(count);
            total.first_minute = total.first_minute.min(minute);
            total.last = total.last.max(last);
        }
        Ok(totals.into_values().collect())
    }

    /// Whether anything of a kind was counted in a minute from `since` on.
    pub async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        let key = Key { pk: self.table.partition(&["kinds"]), sk: kind.to_string() };
        let Some(row) = self.table.get(&key).await? else { return Ok(false) };
        let (last, first) = (text_of(&row, LAST_DAY).unwrap_or_default(), part_of(since.start(), TO_DAY));
        if last != first {
            return Ok(last > first.as_str());
        }
        let to = since.start().checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        Ok(!self.cells(std::slice::from_ref(kind), Span::new(since, Minute::of(to))).await?.is_empty())
    }

    /// The kinds that were counted on the minute's day or later.
    async fn kinds(&self, from: Minute) -> Result<BTreeSet<String>, StoreError> {
        let day = part_of(from.start(), TO_DAY);
        let rows = self.table.query(&self.table.partition(&["kinds"]), Sorts::All).await?;
        let since = |row: &&Item| text_of(row, LAST_DAY).is_some_and(|last| last >= day.as_str());
        Ok(rows.iter().filter(since).filter_map(|row| text_of(row, SORT)).map(str::to_owned).collect())
    }

    /// Registers summed over the items that they belong to.
    async fn summed(&self, kinds: BTreeSet<String>, span: Span) -> Result<Vec<Cell>, StoreError> {
        if span.is_empty() || kinds.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.table.now();
        let kept = now.checked_sub(SignedDuration::from_hours(24 * (REGISTER_DAYS + 1))).unwrap_or(Timestamp::MIN);
        let ahead = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let days = parts_between(span.from.start().max(kept), span.to.start().min(ahead), TO_DAY);
        let (from, to) = (part_of(span.from.start(), TO_MINUTE), part_of(span.to.start(), TO_MINUTE));
        let mut partitions = Vec::new();
        for kind in &kinds {
            partitions.extend(days.iter().map(|day| (kind.as_str(), self.table.partition(&["reg", kind, day]))));
        }
        let mut querying = Vec::with_capacity(partitions.len());
        for (_, pk) in &partitions {
            querying.push(self.table.query(pk, Sorts::Between(&from, &to)));
        }
        let pages: Vec<Vec<Item>> = stream::iter(querying).buffered(AT_ONCE).try_collect().await?;
        let rows = partitions.iter().zip(&pages).flat_map(|((kind, _), rows)| rows.iter().map(|row| (*kind, row)));
        let mut sums: BTreeMap<(&str, Minute, SeriesId), (u64, u8)> = BTreeMap::new();
        for (kind, row) in rows {
            let minute = minute_of(row)?;
            for (series, counted) in register::decode(row)? {
                let (count, last) = sums.entry((kind, minute, series)).or_insert((0, 0));
                *count = count.saturating_add(u64::from(counted.count));
                *last = counted.last.max(*last);
            }
        }
        let named = self.catalog.named(&self.table, sums.keys().map(|(_, _, series)| *series).collect()).await?;
        let mut cells = Vec::with_capacity(sums.len());
        for ((kind, minute, id), (count, last)) in sums {
            // Another kind may share this one's hash.
            if let Some(series) = named.get(&id).filter(|series| series.kind.to_string() == kind) {
                let last = seconds(minute.0.saturating_mul(60).saturating_add(i64::from(last)))?;
                cells.push(Cell { series: Arc::clone(series), minute, count, last });
            }
        }
        Ok(cells)
    }
}

/// The answers, in the order of the entries.
fn counted(
    entries: usize,
    admitted: &[(&Bucket, &Group, Admitted)],
    named: &HashMap<SeriesId, Arc<Series>>,
) -> Result<Vec<Counted>, StoreError> {
    let lost = || StoreError::Unavailable("an identity was written and is not there".into());
    let mut answers = BTreeMap::new();
    for (_, group, admitted) in admitted {
        let mut first: BTreeSet<&Digest> = admitted.first.iter().collect();
        for (place, digest) in &group.places {
            let member = admitted.member(digest).ok_or_else(lost)?;
            let series = named.get(&member.series).ok_or_else(lost)?;
            let class = Class { series: (**series).clone(), at: seconds(member.at)? };
            answers.insert(*place, Counted { class, first: first.remove(digest) });
        }
    }
    if answers.len() == entries { Ok(answers.into_values().collect()) } else { Err(lost()) }
}

/// The minute that a register's key begins with.
fn minute_of(row: &Item) -> Result<Minute, StoreError> {
    let text = text_of(row, SORT).and_then(|sk| sk.split('#').next()).map(|minute| format!("{minute}:00Z"));
    let at = text.and_then(|text| text.parse().ok()).ok_or_else(|| trouble::unreadable("a register's minute"))?;
    Ok(Minute::of(at))
}

fn seconds(at: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(at).map_err(|_| trouble::unreadable("a time"))
}
