//! The key guardian: may the previous signing key be removed? Ingest marks each event with the key that signed it,
//! evaluate keeps when an older key was last seen at work, the digest says what follows.
//!
//! The other half, a key that changed on the sender's side, is ingest's: it answers 503, and counts what an alarm
//! outside the bridge watches; the digest says how many there were.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeMap;

use crate::config::Config;
use crate::customerio::event::Event;
use crate::message::text;
use crate::store::{Store, StoreError, Write};
use crate::tally::coverage::Coverage;

/// A key that signed nothing for this long, while we heard, is not used any more (design, key guardian).
pub const UNUSED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// That it may go is said for this long: we see that it stands in the configuration, not whether it is set.
pub const SAID_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);

/// When a key was last used is written down at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Where the requests that no key of ours matched are counted: a number by local day.
const FAILED: &str = "key/failed";

/// Days of them that are kept.
const FAILED_DAYS: i32 = 8;

/// How often a count is tried against others who count too.
const TRIES: usize = 3;

/// What may be said of an older key that was used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It signed within [`UNUSED_FOR`]: removing it loses events.
    InUse,
    /// It signed nothing for [`UNUSED_FOR`] of the time in which we heard.
    SafeToRemove,
    /// It signed nothing, but we did not hear enough to tell (design, law 5).
    Unknown,
    /// Said for long enough.
    OldNews,
}

/// Decides what may be said of a key that signed last at `last_used`.
pub fn standing(last_used: Timestamp, coverage: &Coverage, now: Timestamp) -> Standing {
    let unused = now.duration_since(last_used);
    if unused < UNUSED_FOR {
        Standing::InUse
    } else if unused > UNUSED_FOR + SAID_FOR {
        Standing::OldNews
    } else if coverage.quiet_since(last_used, now) >= UNUSED_FOR {
        Standing::SafeToRemove
    } else {
        Standing::Unknown
    }
}

/// An older key that was seen at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// Where it stands in `signing_keys`, from 0.
    pub key: usize,
    pub last: Timestamp,
}

/// The digest's line on a key, if there is something to say.
pub fn line(used: &Use, coverage: &Coverage, config: &Config, now: Timestamp) -> Option<String> {
    let last = text::clock(used.last, &config.workspace.zone, now);
    let number = used.key + 1;
    match standing(used.last, coverage, now) {
        Standing::InUse => Some(format!("Signing key number {number} is still in use (last {last}): keep it")),
        Standing::SafeToRemove => {
            Some(format!("Signing key number {number} signed nothing since {last}: safe to remove from signing_keys"))
        }
        Standing::Unknown | Standing::OldNews => None,
    }
}

/// Keeps when older keys were used last. Costs nothing while the first key signs, and at most a write a minute and
/// key while an older one does.
pub async fn note(store: &dyn Store, events: &[Event]) -> Result<(), StoreError> {
    let mut latest: BTreeMap<u8, Timestamp> = BTreeMap::new();
    for event in events.iter().filter(|event| event.key > 0) {
        let last = latest.entry(event.key).or_insert(event.arrived);
        *last = event.arrived.max(*last);
    }
    for (key, last) in latest {
        let name = cursor(usize::from(key));
        let stored = store.cursor(&name).await?;
        let known: Option<Timestamp> = stored.as_deref().and_then(|text| text.parse().ok());
        if known.is_none_or(|known| last.duration_since(known) >= NOTED_EVERY) {
            // Whoever moved it meanwhile wrote as good a time.
            match store.move_cursor(&name, stored.as_deref(), &last.to_string()).await? {
                Write::Done | Write::Conflict => {}
            }
        }
    }
    Ok(())
}

/// The configured older keys that were seen at work.
pub async fn uses(store: &dyn Store, config: &Config) -> Result<Vec<Use>, StoreError> {
    let mut uses = Vec::new();
    for key in 1..config.customerio.signing_keys.len() {
        let stored = store.cursor(&cursor(key)).await?;
        uses.extend(stored.and_then(|text| Some(Use { key, last: text.parse().ok()? })));
    }
    Ok(uses)
}

/// Requests of the sender that no key of ours matched, since they were written down last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    pub at: Timestamp,
    pub requests: u64,
}

/// Counts them to their local day. They were answered 503 and come again, so the count is of requests, not of events.
///
/// # Errors
/// The store cannot be reached.
pub async fn count_failed(store: &dyn Store, zone: &TimeZone, failed: Failed) -> Result<(), StoreError> {
    let today = zone.to_datetime(failed.at).date();
    for _ in 0..TRIES {
        let stored = store.cursor(FAILED).await?;
        let mut days = read_failed(stored.as_deref());
        days.retain(|day, _| *day > today.saturating_sub(FAILED_DAYS.days()));
        let count = days.entry(today).or_default();
        *count = count.saturating_add(failed.requests);
        let to = serde_json::to_string(&days).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if store.move_cursor(FAILED, stored.as_deref(), &to).await? == Write::Done {
            return Ok(());
        }
    }
    Ok(())
}

/// How many there were on a local day, at least: a process that ended may have taken its last minute with it.
///
/// # Errors
/// The store cannot be reached.
pub async fn failed_on(store: &dyn Store, date: Date) -> Result<u64, StoreError> {
    Ok(read_failed(store.cursor(FAILED).await?.as_deref()).get(&date).copied().unwrap_or(0))
}

fn read_failed(stored: Option<&str>) -> BTreeMap<Date, u64> {
    stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn cursor(key: usize) -> String {
    format!("key/{key}/last")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::store::embedded::{Durability, EmbeddedStore};
    use crate::tally::coverage::Heard;

    fn t(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn config() -> Config {
        parse::parse(include_str!("../../bridge.toml")).config.expect("the example is valid")
    }

    fn event(arrived: &str, key: u8) -> Event {
        let json = serde_json::json!({
            "identity": format!("{:032x}", t(arrived).as_second()), "kind": "email_sent", "source": "campaign:5",
            "at": arrived, "arrived": arrived, "fate": "counted", "provider": "gmail", "key": key,
        });
        serde_json::from_value(json).expect("an event")
    }

    /// Heard without a break between two instants.
    fn heard(from: &str, to: &str) -> Coverage {
        Coverage::default().hearing(&Heard::of(&[event(from, 0), event(to, 0)]))
    }

    #[test]
    fn a_key_is_safe_to_remove_after_a_day_in_which_we_heard() {
        let last = t("2026-11-23T10:00:00Z");
        let whole = heard("2026-11-20T00:00:00Z", "2026-12-30T00:00:00Z");
        let broken = heard("2026-11-20T00:00:00Z", "2026-11-24T09:00:00Z");
        for (coverage, now, want) in [
            (&whole, "2026-11-24T09:59:59Z", Standing::InUse),
            (&whole, "2026-11-24T10:00:00Z", Standing::SafeToRemove),
            (&whole, "2026-12-02T10:00:00Z", Standing::SafeToRemove),
            (&whole, "2026-12-02T10:00:01Z", Standing::OldNews),
            (&broken, "2026-11-24T10:00:00Z", Standing::Unknown),
            (&Coverage::default(), "2026-11-24T10:00:00Z", Standing::Unknown),
        ] {
            assert_eq!(standing(last, coverage, t(now)), want, "{now}");
        }
    }

    #[test]
    fn the_digest_says_what_to_do_with_the_key() {
        let used = Use { key: 1, last: t("2026-11-23T10:00:00Z") };
        let coverage = heard("2026-11-20T00:00:00Z", "2026-12-30T00:00:00Z");
        let line = |now| line(&used, &coverage, &config(), t(now)).unwrap_or_default();
        insta::assert_snapshot!(
            line("2026-11-23T12:00:00Z"),
            @"Signing key number 2 is still in use (last 11:00): keep it"
        );
        insta::assert_snapshot!(
            line("2026-11-24T12:00:00Z"),
            @"Signing key number 2 signed nothing since yesterday 11:00: safe to remove from signing_keys"
        );
        assert_eq!(line("2026-12-24T12:00:00Z"), "");
    }

    #[tokio::test]
    async fn an_older_keys_use_is_kept_once_a_minute_and_the_first_keys_never() {
        let data = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(data.path(), "acme", Durability::Off).expect("a store");
        let last = async || uses(&store, &config()).await.expect("read").pop().map(|used| used.last);
        note(&store, &[event("2026-11-23T10:00:00Z", 0)]).await.expect("noted");
        assert_eq!(last().await, None);
        for (arrived, want) in [
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:59Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:01:00Z", "2026-11-23T10:01:00Z"),
            // Evaluated late, out of order: time does not run backwards.
            ("2026-11-23T09:00:00Z", "2026-11-23T10:01:00Z"),
        ] {
            note(&store, &[event(arrived, 1), event(arrived, 0)]).await.expect("noted");
            assert_eq!(last().await, Some(t(want)), "{arrived}");
        }
    }

    #[tokio::test]
    async fn requests_that_no_key_matched_are_counted_by_local_day_and_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        for (at, requests) in [("2026-11-23T12:00:00Z", 40), ("2026-11-23T22:59:00Z", 1), ("2026-11-23T23:00:00Z", 2)] {
            count_failed(&store, &zone, Failed { at: t(at), requests }).await.expect("counted");
        }
        let on = async |day| failed_on(&store, jiff::civil::date(2026, 11, day)).await.expect("read");
        assert_eq!((on(23).await, on(24).await, on(25).await), (41, 2, 0));
        count_failed(&store, &zone, Failed { at: t("2026-12-01T12:00:00Z"), requests: 1 }).await.expect("counted");
        assert_eq!((on(23).await, on(24).await), (0, 2));
    }
}
