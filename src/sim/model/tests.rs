//! The model store does what every store must do.

use super::*;
use crate::clock::ManualClock;
use crate::store::conformance::{World, conformance};
use crate::store::testing::t;

struct Fresh {
    model: Arc<Model>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl World for Fresh {
    fn any(&self) -> &dyn Store {
        self.model.as_ref()
    }

    fn again(&self) -> Arc<dyn Store> {
        self.model.clone()
    }

    async fn at(&self, now: Timestamp) {
        self.clock.set(now);
        let _ = self.model.purge(now, 1_000).await.expect("purges");
    }

    async fn clock_at(&self, now: Timestamp) {
        self.clock.set(now);
    }
}

async fn fresh() -> Option<Fresh> {
    let clock = Arc::new(ManualClock::at(t("17:00")));
    Some(Fresh { model: Arc::new(Model::new(None, clock.clone())), clock })
}

conformance!(fresh);
