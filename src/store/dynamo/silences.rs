//! Silences: a small partition that is read as a whole, whenever a notification may be due.

use super::item::{JSON, attributes, days_after, document, json};
use super::request::{If, Key, Sorts};
use super::table::Table;
use crate::silence::{SILENCE_DAYS, Silence};
use crate::store::StoreError;

pub async fn keep(table: &Table, silence: &Silence) -> Result<(), StoreError> {
    let key = Key { pk: table.partition(&["silence"]), sk: silence.id.clone() };
    let item = attributes([(JSON, json(silence, "a silence")?)]);
    table.put(&key, item, Some(days_after(silence.end, SILENCE_DAYS)), If::Always).await.map(drop)
}

pub async fn all(table: &Table) -> Result<Vec<Silence>, StoreError> {
    let mut silences: Vec<Silence> = Vec::new();
    for item in table.query(&table.partition(&["silence"]), Sorts::All).await? {
        match document::<Silence>(&item, "a silence") {
            Ok(silence) => silences.push(silence),
            Err(error) => tracing::error!(event = "silence_unreadable", %error),
        }
    }
    // The time to live is in whole seconds.
    silences.retain(|silence| !silence.is_expired(table.now()));
    silences.sort_by(|a, b| (a.end, &a.id).cmp(&(b.end, &b.id)));
    Ok(silences)
}
