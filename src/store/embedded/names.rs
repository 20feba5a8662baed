//! What people call their senders: one row of `meta` a kind of source.

use rusqlite::params;

use super::database::Database;
use super::trouble;
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::event::SourceKind;
use crate::store::StoreError;

fn row_of(kind: SourceKind) -> String {
    format!("names/{}", kind.as_str())
}

pub async fn read(database: &Database) -> Result<Names, StoreError> {
    database
        .read(|tx| {
            let mut find = tx.prepare_cached("SELECT name, value FROM meta WHERE name LIKE 'names/%'")?;
            let rows = find.query_map(params![], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut lists = Vec::new();
            for row in rows {
                let (name, json) = row?;
                // A kind of another version is nothing to us.
                let Some(kind) = SourceKind::ALL.into_iter().find(|kind| row_of(*kind) == name) else { continue };
                let list = serde_json::from_str(&json).map_err(|e| trouble::unreadable("names", &e))?;
                lists.push((kind, list));
            }
            Ok(Names::of(lists))
        })
        .await
}

pub async fn keep(database: &Database, of: SourceKind, list: &NameList) -> Result<(), StoreError> {
    let json = serde_json::to_string(list).map_err(|_| trouble::unwritable("names"))?;
    database
        .write(move |tx| {
            let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
            tx.prepare_cached(sql)?.execute([row_of(of), json])?;
            Ok(())
        })
        .await
}
