//! The table: reads that go on to the last page and leave out what has expired, and conditional writes.
//!
//! Limits of a request are from the DynamoDB developer guide, "Service, account, and table quotas".

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity};
use jiff::Timestamp;

use super::item::{EXPIRES, Item, PARTITION, SORT, is_expired, number, text, text_of};
use super::request::{If, Key, Sorts, Update};
use super::trouble::{contended, is_condition_failed, unavailable};
use crate::clock::Clock;
use crate::store::{StoreError, Write};

/// Items that one batched read may ask for.
const BATCH: usize = 100;

/// Pages (of up to 1 MB) that one query reads at most: beyond it something is wrong.
const PAGES: usize = 200;

/// Tries to get what a batched read left out.
const BATCH_TRIES: u32 = 8;

/// Marks a conditional write as ours: one that timed out may have succeeded.
const TOKEN: &str = "write_token";

/// Units that requests were billed, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capacity {
    pub read: f64,
    pub write: f64,
}

/// One workspace's items in one table.
pub struct Table {
    client: Client,
    name: String,
    workspace: String,
    clock: Arc<dyn Clock>,
    process: u64,
    tokens: AtomicU64,
    /// In tenths of a unit.
    read: AtomicU64,
    written: AtomicU64,
}

impl Table {
    pub fn new(client: Client, name: String, workspace: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            name,
            workspace: escaped(workspace),
            clock,
            // Seeded by the system's randomness: no two processes make the same tokens.
            process: RandomState::new().build_hasher().finish(),
            tokens: AtomicU64::new(0),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn capacity(&self) -> Capacity {
        let units = |tenths: &AtomicU64| tenths.load(Ordering::Relaxed) as f64 / 10.0;
        Capacity { read: units(&self.read), write: units(&self.written) }
    }

    /// A partition key: the workspace, then these parts.
    pub fn partition(&self, parts: &[&str]) -> String {
        let mut pk = self.workspace.clone();
        for part in parts {
            pk.push('#');
            pk.push_str(&escaped(part));
        }
        pk
    }

    /// The key of an item that has a partition to itself.
    pub fn single(&self, parts: &[&str]) -> Key {
        Key { pk: self.partition(parts), sk: "-".to_owned() }
    }

    /// A value that no other write has.
    pub fn token(&self) -> String {
        format!("{:016x}{:08x}", self.process, self.tokens.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(self.get_any(key).await?.filter(|item| !is_expired(item, self.now())))
    }

    /// The same, also when it has expired.
    pub async fn get_any(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        let sent = request.consistent_read(true).return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
        let output = sent.map_err(|e| unavailable("reading", &self.name, &e))?;
        spend(&self.read, output.consumed_capacity());
        Ok(output.item)
    }

    /// The items of a partition, by their sort key.
    pub async fn query(&self, pk: &str, sorts: Sorts<'_>) -> Result<Vec<Item>, StoreError> {
        let now = self.now();
        let mut items = self.query_any(pk, sorts, None).await?;
        items.retain(|item| !is_expired(item, now));
        Ok(items)
    }

    /// The last items of a partition, the last one first.
    pub async fn last(&self, pk: &str, at_most: usize) -> Result<Vec<Item>, StoreError> {
        let now = self.now();
        let mut items = self.query_any(pk, Sorts::All, Some(at_most)).await?;
        items.retain(|item| !is_expired(item, now));
        Ok(items)
    }

    /// With those that have expired; with `last`, that many from the end.
    pub async fn query_any(&self, pk: &str, sorts: Sorts<'_>, last: Option<usize>) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        for _ in 0..PAGES {
            let mut request = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .expression_attribute_names("#p", PARTITION)
                .expression_attribute_values(":p", text(pk))
                .set_exclusive_start_key(start);
            request = match sorts {
                Sorts::All => request.key_condition_expression("#p = :p"),
                Sorts::Between(from, to) => request
                    .key_condition_expression("#p = :p AND #s BETWEEN :f AND :t")
                    .expression_attribute_names("#s", SORT)
                    .expression_attribute_values(":f", text(from))
                    .expression_attribute_values(":t", text(to)),
            };
            if let Some(last) = last {
                let left = last.saturating_sub(items.len()).max(1);
                request = request.scan_index_forward(false).limit(i32::try_from(left).unwrap_or(i32::MAX));
            }
            let output = request.send().await.map_err(|e| unavailable("querying", &self.name, &e))?;
            spend(&self.read, output.consumed_capacity());
            items.extend(output.items.unwrap_or_default());
            start = output.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || last.is_some_and(|last| items.len() >= last) {
                return Ok(items);
            }
        }
        Err(StoreError::Unavailable(format!("a query of the table {} has more than {PAGES} pages", self.name)))
    }

    /// These items, in no order; those that are missing or expired are left out.
    pub async fn get_all(&self, keys: Vec<Key>) -> Result<HashMap<Key, Item>, StoreError> {
        let now = self.now();
        let mut found = HashMap::new();
        let unique: std::collections::BTreeSet<Key> = keys.into_iter().collect();
        let unique: Vec<Item> = unique.iter().map(Key::attributes).collect();
        for chunk in unique.chunks(BATCH) {
            let mut wanted = chunk.to_vec();
            let mut tries = 0;
            while !wanted.is_empty() {
                if tries == BATCH_TRIES {
                    return Err(contended("the table"));
                }
                if tries > 0 {
                    tokio::time::sleep(Duration::from_millis(10 << tries)).await;
                }
                tries += 1;
                let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let keys = keys.map_err(|_| StoreError::Unavailable("a batched read cannot be built".into()))?;
                let request = self.client.batch_get_item().request_items(&self.name, keys);
                let sent = request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
                let output = sent.map_err(|e| unavailable("reading", &self.name, &e))?;
                output.consumed_capacity().iter().for_each(|capacity| spend(&self.read, Some(capacity)));
                for item in output.responses.unwrap_or_default().into_values().flatten() {
                    if let Some(key) = Key::of(&item).filter(|_| !is_expired(&item, now)) {
                        found.insert(key, item);
                    }
                }
                let left = output.unprocessed_keys.unwrap_or_default().remove(&self.name);
                wanted = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// Writes a whole item if the condition holds. `Done` also when it was an earlier try of this same write that
    /// made the condition fail.
    pub async fn put(&self, key: &Key, mut item: Item, expires: Option<i64>, when: If) -> Result<Write, StoreError> {
        let token = matches!(when, If::Absent | If::Is(..)).then(|| self.token());
        item.extend(key.attributes());
        item.extend(token.clone().map(|token| (TOKEN.to_owned(), text(token))));
        item.extend(expires.map(|at| (EXPIRES.to_owned(), number(at))));
        let (condition, names, values) = self.condition(when);
        let request = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let request = request.set_condition_expression(condition).set_expression_attribute_names(names);
        match request.set_expression_attribute_values(values).send().await {
            Ok(output) => {
                spend(&self.written, output.consumed_capacity());
                Ok(Write::Done)
            }
            Err(e) if is_condition_failed(&e) => {
                let Some(token) = token else { return Ok(Write::Conflict) };
                let stored = self.get_any(key).await?;
                let ours = stored.is_some_and(|item| text_of(&item, TOKEN) == Some(&token));
                Ok(if ours { Write::Done } else { Write::Conflict })
            }
            Err(e) => Err(unavailable("writing to", &self.name, &e)),
        }
    }

    /// Deletes an item if the condition holds.
    pub async fn delete(&self, key: &Key, when: If) -> Result<(), StoreError> {
        let (condition, names, values) = self.condition(when);
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes()));
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let request = request.set_condition_expression(condition).set_expression_attribute_names(names);
        match request.set_expression_attribute_values(values).send().await {
            Ok(output) => {
                spend(&self.written, output.consumed_capacity());
                Ok(())
            }
            Err(e) if is_condition_failed(&e) => Ok(()),
            Err(e) => Err(unavailable("deleting from", &self.name, &e)),
        }
    }

    /// Changes an item; `None` when the condition does not hold, else the attributes asked for (none: it was new).
    pub async fn update(&self, key: &Key, update: Update) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .update_expression(update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .return_values(update.returns)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match request.send().await {
            Ok(output) => {
                spend(&self.written, output.consumed_capacity());
                Ok(Some(output.attributes.unwrap_or_default()))
            }
            Err(e) if is_condition_failed(&e) => Ok(None),
            Err(e) => Err(unavailable("writing to", &self.name, &e)),
        }
    }

    fn condition(&self, when: If) -> Condition {
        let attribute = |expression: &str, name: &str, value| {
            let names = HashMap::from([("#c".to_owned(), name.to_owned())]);
            (Some(expression.to_owned()), Some(names), Some(HashMap::from([(":c".to_owned(), value)])))
        };
        match when {
            If::Always => (None, None, None),
            If::Absent => attribute("attribute_not_exists(pk) OR #c <= :c", EXPIRES, number(self.now().as_second())),
            If::Is(name, value) => attribute("#c = :c", name, value),
            If::Below(name, value) => attribute("attribute_not_exists(#c) OR #c < :c", name, value),
            If::AtMost(name, value) => attribute("#c <= :c", name, value),
        }
    }
}

type Condition = (Option<String>, Option<HashMap<String, String>>, Option<HashMap<String, AttributeValue>>);

/// `#` parts keys; a name that holds one must not reach into another's keys.
fn escaped(part: &str) -> String {
    part.replace('%', "%25").replace('#', "%23")
}

fn spend(on: &AtomicU64, capacity: Option<&ConsumedCapacity>) {
    let units = capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or_default();
    on.fetch_add((units * 10.0).round() as u64, Ordering::Relaxed);
}
