//! Tests only: a store that counts how often it is asked, by what it is asked for.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;

/// Another store, and how often each of its operations was called.
pub struct Counting<S> {
    pub store: S,
    calls: Mutex<BTreeMap<&'static str, u64>>,
}

impl<S> Counting<S> {
    pub fn of(store: S) -> Self {
        Self { store, calls: Mutex::default() }
    }

    /// The calls since the last time.
    pub fn take(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut *self.calls.lock().expect("no panic"))
    }

    fn saw(&self, call: &'static str) {
        *self.calls.lock().expect("no panic").entry(call).or_default() += 1;
    }
}

#[async_trait]
impl<S: Store> Store for Counting<S> {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        self.saw("count");
        self.store.count(entries, now).await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        self.saw("cells");
        self.store.cells(kinds, span).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        self.saw("totals");
        self.store.totals(kinds, span).await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.saw("heard");
        self.store.heard(kind, since).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        self.saw("hear");
        self.store.hear(heard).await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        self.saw("coverage");
        self.store.coverage().await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        self.saw("episodes");
        self.store.episodes(key).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        self.saw("write_incident");
        self.store.write_incident(incident).await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        self.saw("unsettled");
        self.store.unsettled().await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        self.saw("open_incidents");
        self.store.open_incidents(at_most).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        self.saw("incidents_between");
        self.store.incidents_between(from, to).await
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        self.saw("lease");
        self.store.lease(key, receiver, owner, now, until).await
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        self.saw("record_told");
        self.store.record_told(key, receiver, owner, told).await
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        self.saw("release");
        self.store.release(key, receiver, owner).await
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        self.saw("void_leases");
        self.store.void_leases().await
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        self.saw("told");
        self.store.told(key).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.saw("quarantine");
        self.store.quarantine(item).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        self.saw("quarantined");
        self.store.quarantined(from, to).await
    }

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.saw("quarantined_head");
        self.store.quarantined_head(id).await
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.saw("drop_quarantined");
        self.store.drop_quarantined(item).await
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        self.saw("keep_silence");
        self.store.keep_silence(silence).await
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        self.saw("silences");
        self.store.silences().await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.saw("cursor");
        self.store.cursor(name).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        self.saw("move_cursor");
        self.store.move_cursor(name, from, to).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        self.saw("keep_verdict");
        self.store.keep_verdict(judged).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        self.saw("verdicts");
        self.store.verdicts(from, to).await
    }

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        self.saw("keep_day");
        self.store.keep_day(of, day).await
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        self.saw("days");
        self.store.days(of, from, until).await
    }

    async fn keep_fired(&self, fired: &[Fired]) -> Result<(), StoreError> {
        self.saw("keep_fired");
        self.store.keep_fired(fired).await
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        self.saw("fired");
        self.store.fired(from, to).await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        self.saw("names");
        self.store.names().await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        self.saw("keep_names");
        self.store.keep_names(of, list).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.saw("purge");
        self.store.purge(now, limit).await
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.saw("keep_summary");
        self.store.keep_summary(summary).await
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        self.saw("summaries");
        self.store.summaries(from, until).await
    }

    async fn keep_compared(&self, compared: &Compared) -> Result<(), StoreError> {
        self.saw("keep_compared");
        self.store.keep_compared(compared).await
    }

    async fn compared(&self, from: Date, to: Date) -> Result<Vec<Compared>, StoreError> {
        self.saw("compared");
        self.store.compared(from, to).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.saw("ready");
        self.store.ready().await
    }
}
