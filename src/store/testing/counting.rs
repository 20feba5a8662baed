//! A store that counts how often it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::{Minute, Span};
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::{Kind, SourceKind};
use crate::heartbeat::Judged;
use crate::heartbeat::history::Day;
use crate::incident::told::Told;
use crate::incident::{Incident, IncidentKey};
use crate::reconcile::fired::{Fired, FiredHour};
use crate::silence::Silence;
use crate::store::{Lease, Quarantined, Store, StoreError, Write};
use crate::summary::Summary;
use crate::tally::coverage::{Coverage, Heard};
use crate::tally::{Cell, Counted, Entry, Total};

/// Any store, and how often it was asked.
pub struct Counting {
    pub store: Arc<dyn Store>,
    pub asked: Arc<AtomicUsize>,
}

impl Counting {
    fn ask(&self) -> &dyn Store {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.store.as_ref()
    }
}

#[async_trait]
impl Store for Counting {
    async fn count(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        self.ask().count(entries, now).await
    }

    async fn cells(&self, kinds: &[Kind], span: Span) -> Result<Vec<Cell>, StoreError> {
        self.ask().cells(kinds, span).await
    }

    async fn totals(&self, kinds: Option<&[Kind]>, span: Span) -> Result<Vec<Total>, StoreError> {
        self.ask().totals(kinds, span).await
    }

    async fn heard(&self, kind: &Kind, since: Minute) -> Result<bool, StoreError> {
        self.ask().heard(kind, since).await
    }

    async fn hear(&self, heard: &Heard) -> Result<Coverage, StoreError> {
        self.ask().hear(heard).await
    }

    async fn coverage(&self) -> Result<Coverage, StoreError> {
        self.ask().coverage().await
    }

    async fn episodes(&self, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
        self.ask().episodes(key).await
    }

    async fn write_incident(&self, incident: &Incident) -> Result<Write, StoreError> {
        self.ask().write_incident(incident).await
    }

    async fn unsettled(&self) -> Result<Vec<Incident>, StoreError> {
        self.ask().unsettled().await
    }

    async fn open_incidents(&self, at_most: usize) -> Result<usize, StoreError> {
        self.ask().open_incidents(at_most).await
    }

    async fn incidents_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
        self.ask().incidents_between(from, to).await
    }

    async fn lease(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        self.ask().lease(key, receiver, owner, now, until).await
    }

    async fn record_told(
        &self,
        key: &IncidentKey,
        receiver: &str,
        owner: &str,
        told: &Told,
    ) -> Result<Write, StoreError> {
        self.ask().record_told(key, receiver, owner, told).await
    }

    async fn release(&self, key: &IncidentKey, receiver: &str, owner: &str) -> Result<(), StoreError> {
        self.ask().release(key, receiver, owner).await
    }

    async fn void_leases(&self) -> Result<(), StoreError> {
        self.ask().void_leases().await
    }

    async fn told(&self, key: &IncidentKey) -> Result<Vec<(String, Told)>, StoreError> {
        self.ask().told(key).await
    }

    async fn quarantine(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.ask().quarantine(item).await
    }

    async fn quarantined(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Quarantined>, StoreError> {
        self.ask().quarantined(from, to).await
    }

    async fn quarantined_head(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask().quarantined_head(id).await
    }

    async fn drop_quarantined(&self, item: &Quarantined) -> Result<(), StoreError> {
        self.ask().drop_quarantined(item).await
    }

    async fn keep_silence(&self, silence: &Silence) -> Result<(), StoreError> {
        self.ask().keep_silence(silence).await
    }

    async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        self.ask().silences().await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.ask().cursor(name).await
    }

    async fn move_cursor(&self, name: &str, from: Option<&str>, to: &str) -> Result<Write, StoreError> {
        self.ask().move_cursor(name, from, to).await
    }

    async fn keep_verdict(&self, judged: &Judged) -> Result<(), StoreError> {
        self.ask().keep_verdict(judged).await
    }

    async fn verdicts(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Judged>, StoreError> {
        self.ask().verdicts(from, to).await
    }

    async fn keep_day(&self, of: &str, day: &Day) -> Result<(), StoreError> {
        self.ask().keep_day(of, day).await
    }

    async fn days(&self, of: &str, from: i64, until: i64) -> Result<Vec<Day>, StoreError> {
        self.ask().days(of, from, until).await
    }

    async fn keep_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.ask().keep_summary(summary).await
    }

    async fn summaries(&self, from: Date, until: Date) -> Result<Vec<Summary>, StoreError> {
        self.ask().summaries(from, until).await
    }

    async fn keep_fired(&self, fired: &[Fired]) -> Result<(), StoreError> {
        self.ask().keep_fired(fired).await
    }

    async fn fired(&self, from: Timestamp, to: Timestamp) -> Result<Vec<FiredHour>, StoreError> {
        self.ask().fired(from, to).await
    }

    async fn names(&self) -> Result<Names, StoreError> {
        self.ask().names().await
    }

    async fn keep_names(&self, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
        self.ask().keep_names(of, list).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.ask().purge(now, limit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.ask().ready().await
    }
}
