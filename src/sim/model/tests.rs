//! The model store does what every store must do.

use super::*;
use crate::store::conformance::{World, conformance};

struct Fresh(Arc<Model>);

#[async_trait]
impl World for Fresh {
    fn any(&self) -> &dyn Store {
        self.0.as_ref()
    }

    fn again(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn at(&self, now: Timestamp) {
        let _ = self.0.purge(now, 1_000).await.expect("purges");
    }
}

async fn fresh() -> Option<Fresh> {
    Some(Fresh(Arc::new(Model::default())))
}

conformance!(fresh);
