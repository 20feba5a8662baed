//! What every store must do, and what this one adds: [`file`].

mod file;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Durability, EmbeddedStore};
use crate::clock::ManualClock;
use crate::store::Store;
use crate::store::conformance::{World, conformance};
use crate::store::testing::*;

/// A store in a folder of its own, which goes when the value does.
struct Fresh {
    store: EmbeddedStore,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl Fresh {
    fn store() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(t("17:00")));
        Self { store: open(folder.path()).with_clock(clock.clone()), clock, folder }
    }

    fn any(&self) -> &dyn Store {
        &self.store
    }

    /// Another handle on the same file, as another process has it.
    fn again(&self) -> EmbeddedStore {
        open(self.folder.path()).with_clock(self.clock.clone())
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
        self.clock.set(now);
        while self.store.purge(now, 1_000).await.expect("purges") > 0 {}
    }

    async fn clock_at(&self, now: Timestamp) {
        self.clock.set(now);
    }
}

async fn fresh() -> Option<Fresh> {
    Some(Fresh::store())
}

conformance!(fresh);
