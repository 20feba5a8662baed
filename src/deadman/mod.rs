//! The dead-man: somebody outside hears from us every minute, and pages when we fall silent (design, law 9). We speak
//! only while a probe passes the whole flow: a bridge whose queue is stuck is as dead as one that does not run.

mod http;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use http::{BadPulse, HttpPulse};

/// A probe that was sent longer ago proves nothing any more (design, law 9).
pub const PASSED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Whether the flow is known to flow: the latest probe that came through was sent lately enough. A probe from ahead of
/// our clock proves it as well.
pub fn flows(sent_at: Option<Timestamp>, now: Timestamp) -> bool {
    sent_at.is_some_and(|sent_at| now.duration_since(sent_at) <= PASSED_WITHIN)
}

/// Where the sign of life goes.
#[async_trait]
pub trait Pulse: Send + Sync {
    /// Gives one sign of life. It is not queued: a late one would be a lie.
    ///
    /// # Errors
    /// Why it was not taken, in words without the address.
    async fn beat(&self) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_probe_of_the_last_five_minutes_shows_that_alerts_flow() {
        let now: Timestamp = "2026-11-24T14:00:00Z".parse().expect("a time");
        let rows = [("13:54:59", false), ("13:55:00", true), ("13:59:58", true), ("14:00:03", true)];
        for (sent_at, expected) in rows {
            let sent_at = format!("2026-11-24T{sent_at}Z").parse().expect("a time");
            assert_eq!(flows(Some(sent_at), now), expected, "{sent_at}");
        }
        assert!(!flows(None, now));
    }
}
