//! What people call their senders: one item a kind of source, all of them read at once.

use super::item::{JSON, SORT, attributes, days_after, document, json, text_of};
use super::request::{If, Key, Sorts};
use super::table::Table;
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::SourceKind;
use crate::store::{HISTORY_DAYS, StoreError};

const PARTITION: [&str; 1] = ["names"];

pub async fn read(table: &Table) -> Result<Names, StoreError> {
    let mut lists = Vec::new();
    for item in table.query(&table.partition(&PARTITION), Sorts::All).await? {
        let of = text_of(&item, SORT).unwrap_or_default();
        // A kind of another version is nothing to us.
        if let Some(kind) = SourceKind::ALL.into_iter().find(|kind| kind.as_str() == of) {
            lists.push((kind, document(&item, "names")?));
        }
    }
    Ok(Names::of(lists))
}

pub async fn keep(table: &Table, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
    let key = Key { pk: table.partition(&PARTITION), sk: of.as_str().to_owned() };
    let item = attributes([(JSON, json(list, "names")?)]);
    table.put(&key, item, Some(days_after(list.fetched_at, HISTORY_DAYS)), If::Always).await.map(drop)
}
