//! A workflow of an office's day, which expects what is usual.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sent_email;
use super::timeline::{Timeline, at};

/// Activation sends as it usually does, or somebody hears of it.
pub const AS_USUAL: &str = r#"
rules = []
[[heartbeats]]
name = "Activation"
source = "campaign:5"
event = "email_sent"
expect = "learned"
severity = "critical"
"#;

/// Twelve an hour from 8:00 to 20:00 in Berlin.
pub fn by_day(at: Timestamp) -> u32 {
    u32::from((7..19).contains(&at.to_zoned_datetime(TimeZone::UTC).hour()))
}

/// An e-mail of the campaign every so many minutes.
pub async fn beats_until(t: &Timeline, every: i64, end: &str) {
    while t.now() < at(end) {
        t.event(sent_email().of("campaign:5")).await;
        let next = (t.now() + SignedDuration::from_mins(every)).to_zoned_datetime(TimeZone::UTC);
        t.until(&next.strftime("%Y-%m-%dT%H:%M").to_string()).await;
    }
}
