//! Reads and writes the reporting webhooks of a workspace. Source: the pages `listWebhooks`, `createWebhook` and
//! `updateWebhook` of the App API's reference.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::loose::{entries, switch, text_at, unwrapped};
use crate::receivers::http;

/// Where a webhook posts to. Its path, query and user may hold a secret: `Debug` and [`Endpoint::shown`] have none of
/// those.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Endpoint(String);

impl Endpoint {
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// What two ways to write the same address have in common: case of the host, a default port and a slash at the end
    /// make no difference (RFC 3986, section 6.2).
    fn normal(&self) -> Option<(String, String, u16, String)> {
        let uri = http::address(&self.0).ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
        let user = uri.authority()?.as_str().rsplit_once('@').map_or("", |(user, _)| user);
        let query = uri.query().unwrap_or_default();
        let rest = format!("{user}@{}?{query}", uri.path().trim_end_matches('/'));
        Some((scheme, uri.host()?.to_ascii_lowercase(), port, rest))
    }

    /// Whether both are the same address.
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0 || self.normal().is_some_and(|own| other.normal() == Some(own))
    }

    /// Whether both lie on the same host.
    pub fn shares_host(&self, other: &Self) -> bool {
        let host = |of: &Self| of.normal().map(|(_, host, port, _)| (host, port));
        host(self).is_some_and(|own| host(other) == Some(own))
    }

    /// Whether its path ends with this one.
    pub fn ends_with(&self, path: &str) -> bool {
        http::address(&self.0).is_ok_and(|uri| uri.path().trim_end_matches('/').ends_with(path))
    }

    /// The address for people: without user and query, and without a path that could hold a token.
    pub fn shown(&self) -> String {
        let Ok(uri) = http::address(&self.0) else { return "an address that is none".to_owned() };
        let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
        let base = format!("{}://{}{port}", uri.scheme_str().unwrap_or("https"), uri.host().unwrap_or_default());
        let more = if uri.query().is_some() { "?..." } else { "" };
        match uri.path().split('/').all(is_plain) {
            true => format!("{base}{}{more}", uri.path().trim_end_matches('/')),
            false => format!("{base}/..."),
        }
    }
}

/// The longest word of a path that is shown.
const WORD_CHARS: usize = 20;

/// A word that people write: `webhooks`, `customer-io`, `v1`. Tokens are longer, or hold digits among letters.
fn is_plain(segment: &str) -> bool {
    let is_version = segment.strip_prefix('v').is_some_and(|n| n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()));
    let is_word = segment.len() <= WORD_CHARS && segment.bytes().all(|b| b.is_ascii_lowercase() || b"-_.".contains(&b));
    is_version || is_word
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What a webhook is to be, as `POST` and `PUT` take it: all of it, always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    pub name: String,
    pub endpoint: Endpoint,
    pub events: Vec<String>,
    pub disabled: bool,
    /// Every open and click instead of the first of each message.
    pub full_resolution: bool,
    /// Messages carry their content: personal data, and as large as it gets.
    pub with_content: bool,
}

/// A reporting webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportingWebhook {
    pub id: String,
    pub settings: Settings,
    /// It is JavaScript that runs in Customer.io, and posts nowhere.
    pub is_script: bool,
}

/// The webhooks of a list. Entries without an id are left out: nobody could change them.
pub fn list(body: &str) -> Option<Vec<ReportingWebhook>> {
    Some(entries(body, "reporting_webhooks")?.entries.iter().filter_map(read).collect())
}

/// The one webhook of an answer to `POST` and `PUT`.
pub fn one(body: &str) -> Option<ReportingWebhook> {
    read(&unwrapped(body, "reporting_webhook")?)
}

fn read(entry: &Value) -> Option<ReportingWebhook> {
    let on = |key: &str| entry.get(key).and_then(switch).unwrap_or(false);
    let events = entry.get("events").and_then(Value::as_array).into_iter().flatten();
    Some(ReportingWebhook {
        id: text_at(entry, "id")?,
        settings: Settings {
            name: text_at(entry, "name").unwrap_or_default(),
            endpoint: Endpoint::new(entry.get("endpoint").and_then(Value::as_str).unwrap_or_default()),
            events: events.filter_map(Value::as_str).map(str::to_owned).collect(),
            disabled: on("disabled"),
            full_resolution: on("full_resolution"),
            with_content: on("with_content"),
        },
        is_script: text_at(entry, "type").is_some_and(|kind| kind == "js"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_documented_and_null_is_an_empty_one() {
        let body = r#"{"reporting_webhooks":[{"id":4,"type":"webhook","name":"ops","endpoint":"https://x.example.test/cio","disabled":true,"full_resolution":true,"with_content":false,"events":["email_failed"]},{"id":"5","type":"js"},{"name":"no id"}]}"#;
        let read = list(body).expect("a list");
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].id.as_str(), read[0].settings.name.as_str(), read[0].is_script), ("4", "ops", false));
        assert!(read[0].settings.disabled && read[0].settings.full_resolution && !read[0].settings.with_content);
        assert_eq!(read[0].settings.events, ["email_failed"]);
        assert!(read[1].is_script);
        assert_eq!(list(r#"{"reporting_webhooks":null}"#), Some(Vec::new()));
        assert_eq!(list(r#"{"errors":[{"detail":"no"}]}"#), None);
        assert_eq!(one(r#"{"id":4,"name":"ops"}"#).map(|webhook| webhook.id).as_deref(), Some("4"));
        assert_eq!(one(r#"{"reporting_webhook":{"id":4}}"#).map(|webhook| webhook.id).as_deref(), Some("4"));
    }

    #[test]
    fn the_same_address_may_be_written_in_several_ways() {
        let is = |a: &str, b: &str| Endpoint::new(a).is(&Endpoint::new(b));
        let own = "https://b.example.test/webhooks/customerio";
        assert!(is(own, "https://B.example.test:443/webhooks/customerio/ "));
        for other in [
            "http://b.example.test/webhooks/customerio",
            "https://b.example.test/webhooks/other",
            "https://b.example.test:8443/webhooks/customerio",
            "https://b.example.test/webhooks/customerio?token=1",
            "https://me:secret@b.example.test/webhooks/customerio",
            "",
        ] {
            assert!(!is(own, other), "{other}");
        }
    }

    #[test]
    fn an_address_for_people_holds_no_token() {
        for (endpoint, shown) in [
            ("https://b.example.test/webhooks/customerio/", "https://b.example.test/webhooks/customerio"),
            ("https://b.example.test:8443/v1/hooks?token=s3cret", "https://b.example.test:8443/v1/hooks?..."),
            ("https://me:s3cret@b.example.test/hooks", "https://b.example.test/hooks"),
            ("https://b.example.test/s3cret0a1b2c/hook", "https://b.example.test/..."),
            ("https://b.example.test/abcdefghijklmnopqrstuvwxyz", "https://b.example.test/..."),
            ("s3cret", "an address that is none"),
        ] {
            let endpoint = Endpoint::new(endpoint);
            assert_eq!(endpoint.shown(), shown);
            assert_eq!(format!("{endpoint:?}"), shown);
        }
    }
}
