//! The store in one DynamoDB table: `pk` and `sk` are strings, `expires_at` is its time to live.
//!
//! Every key begins with the workspace, `#` parts the rest:
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | seen set | `ws#seen#<begin of its bucket>` | place in the chain |
//! | register | `ws#reg#<kind>#<day>` | minute, seen set |
//! | series | `ws#series#<id>` | `-` |
//! | kinds that were counted | `ws#kinds` | kind |
//! | incident | `ws#incident#<key>` | episode |
//! | pointers to incidents | `ws#live`, `ws#opened#<month>`, `ws#resolved#<month>` | time, key, episode |
//! | told and lease | `ws#told#<key>` | receiver |
//! | names | `ws#names` | kind of source |
//! | coverage, cursor | `ws#coverage`, `ws#cursor#<name>` | `-` |
//! | verdict | `ws#verdict#<month>` | end, begin, heartbeat |
//! | day of a workflow | `ws#days#<what is counted>` | day |
//! | fired count | `ws#fired#<day>` | hour, hash of event, origin and id |
//! | compared day | `ws#compared#<month>` | date, hash of event and campaign |
//! | silence | `ws#silence` | id |
//! | quarantined request, list of them | `ws#quarantine#<id>`, `ws#quarantined#<day>` | `-`; time, id |
//!
//! All reads are consistent, and leave out what has expired but is not deleted yet. There are no transactions: the
//! order of writes is such that a crash leaves nothing that a reader would take for something else.

mod compared;
mod fired;
mod incidents;
mod item;
mod names;
mod quarantine;
mod register;
mod request;
mod seen;
mod series;
mod silences;
mod summaries;
mod table;
mod tally;
mod timeline;
mod told;
mod trouble;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use jiff::Timestamp;
use jiff::civil::Date;

use self::request::If;
pub use self::table::Capacity;
use self::table::Table;
use self::tally::Tally;
use super::{Lease, Quarantined, Store, StoreError, Write};
use crate::clock::{Clock, Minute, Span, SystemClock};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey};
use crate::reconcile::day::Compared;
use crate::reconcile::fired::{Fired, FiredHour};
use crate::silence::Silence;
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// The store of the Lambda functions and of the commands that name a stack.
#[derive(Clone)]
pub struct DynamoStore {
    table: Arc<Table>,
    tally: Arc<Tally>,
}

impl DynamoStore {
    pub fn new(client: Client, table: String, workspace: &str) -> Self {
        Self::with_clock(client, table, workspace, Arc::new(SystemClock))
    }

    /// With another clock: it decides only what has expired.
    pub fn with_clock(client: Client, table: String, workspace: &str, clock: Arc<dyn Clock>) -> Self {
        let table = Arc::new(Table::new(client, table, workspace, clock));
        Self { tally: Arc::new(Tally::of(Arc::clone(&table))), table }
    }

    /// What this handle's requests were billed so far, in read and write units.
    pub fn capacity(&self) -> Capacity {
        self.table.capacity()
    }
}

/// Makes the table that the template makes, for tests and for a stand-in: billed by request, with its time to live
/// where the endpoint knows of it. A table that is there already is left as it is.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let unbuildable = |_| StoreError::Unavailable("the table's definition cannot be built".into());
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in [(item::PARTITION, KeyType::Hash), (item::SORT, KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
        request = request.attribute_definitions(attribute.build().map_err(unbuildable)?);
        request = request.key_schema(key.build().map_err(unbuildable)?);
    }
    match request.send().await {
        Ok(_) => {}
        Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => return Ok(()),
        Err(e) => return Err(trouble::unavailable("making", table, &e)),
    }
    let ttl = TimeToLiveSpecification::builder().attribute_name(item::EXPIRES).enabled(true);
    let ttl = ttl.build().map_err(unbuildable)?;
    // Reads do not depend on it, and dynalite has none.
    if client.update_time_to_live().table_name(table).time_to_live_specification(ttl).send().await.is_err() {
        tracing::warn!(event = "no_time_to_live", table);
    }
    Ok(())
}

#[async_trait]
impl Store for DynamoStore {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        self.tally.count(entries, now).await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        self.tally.cells(kinds, span).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        self.tally.totals(kinds, span).await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.tally.heard(kind, since).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        timeline::hear(&self.table, heard).await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        timeline::coverage(&self.table).await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        incidents::episodes(&self.table, key).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        incidents::write(&self.table, incident).await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        incidents::unsettled(&self.table).await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        incidents::open(&self.table, at_most).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        incidents::between(&self.table, from, to).await
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        told::lease(&self.table, key, receiver, owner, now, until).await
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        told::record(&self.table, key, receiver, owner, told).await
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        told::release(&self.table, key, receiver, owner).await
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        told::void(&self.table).await
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        told::of(&self.table, key).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        quarantine::keep(&self.table, item).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        quarantine::between(&self.table, from, to).await
    }

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        quarantine::head(&self.table, id).await
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        quarantine::forget(&self.table, item).await
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        silences::keep(&self.table, silence).await
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        silences::all(&self.table).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        timeline::cursor(&self.table, name).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        timeline::move_cursor(&self.table, name, from, to).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        timeline::keep_verdict(&self.table, judged).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        timeline::verdicts(&self.table, from, to).await
    }

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        timeline::keep_day(&self.table, of, day).await
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        timeline::days(&self.table, of, from, until).await
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        summaries::keep(&self.table, summary).await
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        summaries::between(&self.table, from, until).await
    }

    async fn keep_fired(&self, reports: &[Fired]) -> Result<(), StoreError> {
        fired::keep(&self.table, reports).await
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        fired::between(&self.table, from, to).await
    }

    async fn keep_compared(&self, day: &Compared) -> Result<(), StoreError> {
        compared::keep(&self.table, day).await
    }

    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
        compared::between(&self.table, from, to).await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        names::read(&self.table).await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        names::keep(&self.table, of, list).await
    }

    /// The table deletes what has expired by itself.
    async fn purge(&self, _now: Timestamp, _limit: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let item = item::attributes([("token", item::text(self.table.token()))]);
        self.table.put(&self.table.single(&["ready"]), item, None, If::Always).await.map(drop)
    }
}
