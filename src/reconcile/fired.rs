//! Counts of what somebody fired, as `POST /counts` takes them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many times an event was fired in an hour, as one reporter saw it.
///
/// `id` names the report: the same report again, any number of times and in any order, changes nothing. A report whose
/// count has grown since (of an hour that is not over) replaces the smaller one, never the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    pub event: String,
    /// Who counted: [`BACKEND`], or a tool of product analytics.
    pub origin: String,
    /// The beginning of the hour.
    pub hour: Timestamp,
    pub id: String,
    pub count: u64,
}

/// All reports of an event, an origin and an hour put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredHour {
    pub event: String,
    pub origin: String,
    pub hour: Timestamp,
    pub count: u64,
}

/// Who counts when a report does not say.
pub const BACKEND: &str = "backend";

/// Reports in one request at most.
pub const REPORTS: usize = 1_000;

/// Longest name of an event, in bytes. Source: Customer.io Track API, "Event limits".
pub const EVENT_BYTES: usize = 100;

/// Longest idempotency key, in bytes: a UUID, a ULID, or a name with both in it.
pub const ID_BYTES: usize = 128;

/// Longest name of an origin, in bytes.
pub const ORIGIN_BYTES: usize = 32;

/// Largest count of one report; sums of a day stay far from overflow.
pub const LARGEST_COUNT: u64 = 1_000_000_000_000;

/// Days a count is kept, and how old one may be when it comes.
pub const FIRED_DAYS: i64 = 40;

/// Hosts' clocks differ by seconds to minutes.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Why a request was not taken. Nothing of what it holds is repeated but the names of keys that we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Which of a list, from 0; `None` where the whole is meant.
    pub at: Option<usize>,
    pub why: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "counts[{at}]: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Reads a report or a list of them.
///
/// # Errors
/// The first thing that is wrong: then nothing of the request counts, so that it can be sent again as a whole.
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Fired>, Unusable> {
    let whole = |why: &str| Unusable { at: None, why: why.to_owned() };
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| whole(&format!("the body is not JSON (line {}, column {})", error.line(), error.column())))?;
    let reports = match value {
        Value::Array(reports) if reports.len() > REPORTS => {
            return Err(whole(&format!(
                "{} counts in one request; at most {REPORTS}: send them in parts",
                reports.len()
            )));
        }
        Value::Array(reports) => reports,
        report => vec![report],
    };
    let numbered = reports.into_iter().enumerate();
    numbered.map(|(at, report)| one(&report, now).map_err(|why| Unusable { at: Some(at), why })).collect()
}

const KEYS: [&str; 5] = ["event", "hour", "count", "id", "origin"];

fn one(report: &Value, now: Timestamp) -> Result<Fired, String> {
    let report = report.as_object().ok_or("not an object with event, hour, count and id")?;
    if report.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("there is a key that is none of {}", KEYS.join(", ")));
    }
    let count = report.get("count").ok_or("count is missing")?;
    let count = count.as_u64().filter(|count| *count <= LARGEST_COUNT);
    Ok(Fired {
        event: text(report, "event", EVENT_BYTES)?,
        origin: match report.get("origin") {
            None | Some(Value::Null) => BACKEND.to_owned(),
            Some(_) => origin(text(report, "origin", ORIGIN_BYTES)?)?,
        },
        hour: hour(&text(report, "hour", 40)?, now)?,
        id: text(report, "id", ID_BYTES)?,
        count: count.ok_or_else(|| format!("count is no whole number from 0 to {LARGEST_COUNT}"))?,
    })
}

fn text(report: &Map<String, Value>, key: &str, longest: usize) -> Result<String, String> {
    let text = match report.get(key) {
        None | Some(Value::Null) => return Err(format!("{key} is missing")),
        Some(value) => value.as_str().ok_or_else(|| format!("{key} is no text"))?,
    };
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(format!("{key} is empty or holds control characters"));
    }
    if text.len() > longest {
        return Err(format!("{key} is longer than {longest} bytes"));
    }
    Ok(text.to_owned())
}

fn origin(origin: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if origin.chars().all(plain) { Ok(origin) } else { Err("origin is a word of a-z, 0-9, - and _".to_owned()) }
}

fn hour(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let hour: Timestamp =
        text.parse().map_err(|_| "hour is no time such as 2026-11-23T14:00:00Z (RFC 3339)".to_owned())?;
    if hour.as_second().rem_euclid(3_600) != 0 || hour.subsec_nanosecond() != 0 {
        return Err("hour does not begin an hour of UTC".to_owned());
    }
    if hour.duration_since(now) > AHEAD {
        return Err("hour lies in the future".to_owned());
    }
    if now.duration_since(hour) > SignedDuration::from_hours(24 * FIRED_DAYS) {
        return Err(format!("hour is more than {FIRED_DAYS} days old"));
    }
    Ok(hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T15:20:00Z".parse().expect("a time")
    }

    fn refused(body: &str) -> String {
        read(body.as_bytes(), now()).expect_err(body).to_string()
    }

    const GOOD: &str = r#"{"event":"Subscription Started","hour":"2026-11-23T14:00:00Z","count":120,"id":"a-1"}"#;

    #[test]
    fn one_report_or_a_list_is_read() {
        let one = read(GOOD.as_bytes(), now()).expect("valid");
        let want = Fired {
            event: "Subscription Started".into(),
            origin: "backend".into(),
            hour: "2026-11-23T14:00:00Z".parse().expect("a time"),
            id: "a-1".into(),
            count: 120,
        };
        assert_eq!(one, [want]);
        assert_eq!(read(format!("[{GOOD},{GOOD}]").as_bytes(), now()).expect("valid").len(), 2);
        assert_eq!(read(b"[]", now()), Ok(Vec::new()));
        // The same hour in another offset.
        let other = GOOD.replace("14:00:00Z", "19:30:00+05:30");
        assert_eq!(read(other.as_bytes(), now()).expect("valid")[0].hour, one_hour());
    }

    fn one_hour() -> Timestamp {
        "2026-11-23T14:00:00Z".parse().expect("a time")
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_of_it_repeated() {
        let secret = "ada@example.test";
        for (from, to, said) in [
            ("\"event\":\"Subscription Started\",", "", "counts[0]: event is missing"),
            ("\"Subscription Started\"", "7", "counts[0]: event is no text"),
            ("\"Subscription Started\"", "\" \"", "counts[0]: event is empty or holds control characters"),
            ("120", "-1", "counts[0]: count is no whole number from 0 to 1000000000000"),
            ("120", "\"120\"", "counts[0]: count is no whole number from 0 to 1000000000000"),
            ("120", "1e18", "counts[0]: count is no whole number from 0 to 1000000000000"),
            (",\"count\":120", "", "counts[0]: count is missing"),
            ("14:00:00Z", "14:10:00Z", "counts[0]: hour does not begin an hour of UTC"),
            ("2026-11-23T14:00:00Z", secret, "counts[0]: hour is no time such as 2026-11-23T14:00:00Z (RFC 3339)"),
            ("14:00:00Z", "16:00:00Z", "counts[0]: hour lies in the future"),
            ("2026-11-23T14", "2026-10-01T14", "counts[0]: hour is more than 40 days old"),
            (
                "\"id\"",
                "\"ada@example.test\":1,\"id\"",
                "counts[0]: there is a key that is none of event, hour, count, id, origin",
            ),
            ("\"a-1\"", "\"a-1\",\"origin\":\"Ada Lovelace\"", "counts[0]: origin is a word of a-z, 0-9, - and _"),
            ("}", "", "the body is not JSON (line 1, column 84)"),
        ] {
            assert_eq!(refused(&GOOD.replace(from, to)), said, "{from} -> {to}");
        }
        assert_eq!(refused("7"), "counts[0]: not an object with event, hour, count and id");
        assert_eq!(refused(&format!("[{GOOD},{{}}]")), "counts[1]: count is missing");
        let many = format!("[{}]", vec![GOOD; 1_001].join(","));
        assert_eq!(refused(&many), "1001 counts in one request; at most 1000: send them in parts");
    }
}
