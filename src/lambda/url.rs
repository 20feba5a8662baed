//! The Function URL's envelope, payload format 2.0: a request in, an answer out. Read is only what ingest needs; a
//! body in base64 is decoded before it is verified, for the signature is over the bytes (design, law 3).
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::customerio::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::steps::ingest::{Answer, Head};

/// Characters of base64 decoded at a time; a multiple of 4. 16 KiB at most are held twice.
const BASE64_AT_ONCE: usize = 16 * 1024;

/// An envelope older than this has a wrong clock: the sender gives up after 4 s, and the platform after 15 min.
const OLDEST: SignedDuration = SignedDuration::from_secs(10);

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A request as it came in its envelope.
pub struct Request<'a> {
    pub method: Method,
    path: Cow<'a, str>,
    headers: HeaderMap,
    peer: Option<IpAddr>,
    arrived: Timestamp,
    body: Cow<'a, str>,
    is_base64: bool,
}

/// What should be an envelope, or the body in it, is none. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    #[error("not a Function URL request (column {column})")]
    NotARequest { column: usize },
    #[error("the body is not base64")]
    NotBase64,
}

impl<'a> Request<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    /// It is not one of a Function URL.
    pub fn read(envelope: &'a str, now: Timestamp) -> Result<Self, BadEnvelope> {
        let Envelope { raw_path, headers, request_context, body, is_base64_encoded } =
            serde_json::from_str(envelope).map_err(|error| BadEnvelope::NotARequest { column: error.column() })?;
        let Http { method, source_ip } = request_context.http;
        let arrived = Timestamp::from_millisecond(request_context.time_epoch.unwrap_or_default()).unwrap_or(now);
        let age = now.duration_since(arrived);
        Ok(Self {
            method: Method::from_bytes(method.0.as_bytes()).map_err(|_| BadEnvelope::NotARequest { column: 0 })?,
            path: raw_path.0,
            headers: headers.unwrap_or_default().0,
            peer: source_ip.and_then(|ip| ip.0.parse().ok()),
            // It counts from when the platform took it: starting an environment takes of the sender's patience too.
            arrived: if (SignedDuration::ZERO..=OLDEST).contains(&age) { arrived } else { now },
            body: body.unwrap_or_default().0,
            is_base64: is_base64_encoded,
        })
    }

    /// The request before its body.
    pub fn head(&self) -> Head<'_> {
        Head { method: &self.method, path: &self.path, headers: &self.headers, peer: self.peer, arrived: self.arrived }
    }

    /// Whether it carries a signature header of the scheme: then it may be a webhook, whatever its path.
    pub fn is_signed(&self) -> bool {
        !self.headers.is_empty()
    }

    /// Hands the body's bytes to whoever verifies them.
    ///
    /// # Errors
    /// It should be base64 and is not.
    pub fn feed(&self, mut update: impl FnMut(&[u8])) -> Result<(), BadEnvelope> {
        if !self.is_base64 {
            update(self.body.as_bytes());
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(BASE64_AT_ONCE);
        for chunk in self.body.as_bytes().chunks(BASE64_AT_ONCE) {
            bytes.clear();
            BASE64.decode_vec(chunk, &mut bytes).map_err(|_| BadEnvelope::NotBase64)?;
            update(&bytes);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    raw_path: Text<'a>,
    headers: Option<Signed>,
    #[serde(borrow)]
    request_context: RequestContext<'a>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    #[serde(borrow)]
    http: Http<'a>,
    /// Unix milliseconds.
    time_epoch: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow)]
    source_ip: Option<Text<'a>>,
}

/// A text that is borrowed where nothing in it was escaped; an `Option<Cow<str>>` would always be copied.
#[derive(Default, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The two headers of the signature; no other is kept. The platform joins a header that came twice by a comma,
/// which makes neither a time stamp nor a signature.
#[derive(Default)]
struct Signed(HeaderMap);

impl<'de> Deserialize<'de> for Signed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Headers)
    }
}

struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = Signed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Signed, A::Error> {
        let mut headers = HeaderMap::new();
        while let Some(Text(name)) = map.next_key()? {
            let kept = [TIMESTAMP_HEADER, SIGNATURE_HEADER].into_iter().find(|kept| name.eq_ignore_ascii_case(kept));
            match kept {
                Some(kept) => {
                    let Text(value) = map.next_value()?;
                    // What no header can hold is as malformed as an empty one.
                    let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
                    headers.append(HeaderName::from_static(kept), value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Signed(headers))
    }
}

/// What the platform is told to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    headers: ReplyHeaders,
    body: Cow<'static, str>,
    is_base64_encoded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReplyHeaders {
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<&'static str>,
}

impl Reply {
    /// The answer to `GET /healthz`.
    pub fn healthy() -> Self {
        Self { body: "ok\n".into(), ..Self::from(Answer::Taken) }
    }

    /// With a text in JSON.
    pub fn with_json(self, text: String) -> Self {
        let headers = ReplyHeaders { content_type: "application/json", ..self.headers };
        Self { headers, body: text.into(), ..self }
    }

    pub fn status(&self) -> u16 {
        self.status_code
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let headers = ReplyHeaders {
            content_type: "text/plain; charset=utf-8",
            retry_after: answer.retry_after().map(|seconds| seconds.to_string()),
            allow: (answer == Answer::MethodNotAllowed).then_some("POST"),
        };
        Self { status_code: answer.status(), headers, body: "".into(), is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests;
