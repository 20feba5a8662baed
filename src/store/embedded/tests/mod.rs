//! What every store must do, and what this one adds: [`file`].

mod file;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Durability, EmbeddedStore};
use crate::store::Store;
use crate::store::conformance::{World, conformance};
use crate::store::testing::*;

/// A store in a folder of its own, which goes when the value does.
struct Fresh {
    store: EmbeddedStore,
    folder: tempfile::TempDir,
}

impl Fresh {
    fn store() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store: open(folder.path()), folder }
    }

    fn any(&self) -> &dyn Store {
        &self.store
    }

    /// Another handle on the same file, as another process has it.
    fn again(&self) -> EmbeddedStore {
        open(self.folder.path())
    }
}

fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, "acme", Durability::Off).expect("opens")
}

#[async_trait]
impl World for Fresh {
    fn any(&self) -> &dyn Store {
        &self.store
    }

    fn again(&self) -> Arc<dyn Store> {
        Arc::new(Fresh::again(self))
    }

    async fn at(&self, now: Timestamp) {
        while self.store.purge(now, 1_000).await.expect("purges") > 0 {}
    }
}

async fn fresh() -> Option<Fresh> {
    Some(Fresh::store())
}

conformance!(fresh);
