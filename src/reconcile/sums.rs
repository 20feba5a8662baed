//! Counts that somebody else keeps by the hour: where they are asked for.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::schema::MetricSum;

/// What origin such counts have, where the configuration names none.
pub const CLOUDWATCH: &str = "cloudwatch";

/// Who keeps sums of metrics.
#[async_trait]
pub trait Sums: Send + Sync {
    /// The sums of the hours that begin in [from, to), as far as there are any; or why they are not known.
    async fn by_hour(&self, of: &MetricSum, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, u64)>, String>;
}
