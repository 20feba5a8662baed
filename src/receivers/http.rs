//! One small HTTP client for the receivers and the App API: posts JSON or gets, follows no redirect, reads a bounded
//! answer. Nothing it says about a failure holds an address or a secret.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::http::response::Parts;
use hyper::http::uri::{InvalidUri, PathAndQuery, Scheme};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::{SignedDuration, Timestamp};

/// Who we say we are.
pub const AGENT: &str = concat!("cio-alert-bridge/", env!("CARGO_PKG_VERSION"));

/// The most that is read of the answer to a post, in bytes: enough for any error list, too little to be a burden.
pub const ANSWER_BYTES: usize = 64 * 1024;

/// The longest `Retry-After` that is honoured; whoever asks for more is asked again then.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How long an idle connection is kept: shorter than the load balancers in front of the receivers keep theirs.
const IDLE: Duration = Duration::from_secs(20);

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// `Retry-After`, at most [`LONGEST_WAIT`].
    pub retry_after: Option<Duration>,
    /// Its beginning, as much as was to be read. May echo what was sent.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("no answer within {} s", .after.as_secs())]
    Timeout { after: Duration },
    #[error("could not connect ({0})")]
    Connect(Reason),
    #[error("the TLS handshake failed")]
    Tls,
    #[error("the connection broke before the answer was complete")]
    Reset,
    #[error("the request could not be made")]
    Other,
}

/// What the operating system says of a connection that did not come about; never with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Io(io::ErrorKind),
    Unknown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
        };
        match self {
            Self::Io(
                kind @ (ConnectionRefused | ConnectionReset | ConnectionAborted | HostUnreachable | NetworkUnreachable),
            ) => write!(f, "{kind}"),
            // A failed name look-up has no kind of its own.
            Self::Io(_) | Self::Unknown => f.write_str("is the host's name right?"),
        }
    }
}

/// A client; clones share its connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// With the built-in root certificates of Mozilla's programme; plain `http` is accepted (design, configuration).
    pub fn new() -> Self {
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(https);
        Self { inner }
    }

    /// Posts once; `timeout` covers everything from the look-up of the name to the last byte of the answer. `now` is
    /// what a `Retry-After` with a date is measured from.
    pub async fn post_json(
        &self,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        self.send_json(Method::POST, url, headers, body, timeout, now).await
    }

    /// The same by `PUT`.
    pub async fn put_json(
        &self,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        self.send_json(Method::PUT, url, headers, body, timeout, now).await
    }

    async fn send_json(
        &self,
        method: Method,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let headers = std::iter::once(&json).chain(headers);
        let request = request(method, url, headers, body)?;
        within(timeout, self.answer(request, ANSWER_BYTES, now)).await
    }

    /// Posts a form, with its content type among `headers`; reads at most `bytes` of the answer.
    pub async fn post_form(
        &self,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
        bytes: usize,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let request = request(Method::POST, url, headers, body)?;
        within(timeout, self.answer(request, bytes, now)).await
    }

    /// Gets once, and reads at most `bytes` of the answer; the rest as in [`Client::post_json`].
    pub async fn get(
        &self,
        url: &Uri,
        headers: &[(HeaderName, HeaderValue)],
        bytes: usize,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let request = request(Method::GET, url, headers, Vec::new())?;
        within(timeout, self.answer(request, bytes, now)).await
    }

    /// Gets once what is no text: the status, and at most `bytes` of what came with it.
    pub async fn download(&self, url: &Uri, bytes: usize, timeout: Duration) -> Result<(u16, Vec<u8>), Failure> {
        let request = request(Method::GET, url, &[], Vec::new())?;
        let reading = async {
            let (head, body) = self.read(request, bytes).await?;
            Ok((head.status.as_u16(), body))
        };
        tokio::time::timeout(timeout, reading).await.unwrap_or(Err(Failure::Timeout { after: timeout }))
    }

    /// The time that a server says it is, whatever else it answers; `None` when it does not say (RFC 9110, section 6.6.1).
    pub async fn date(&self, url: &Uri, timeout: Duration) -> Result<Option<Timestamp>, Failure> {
        let request = request(Method::GET, url, &[], Vec::new())?;
        let asking = async {
            let (head, _) = self.read(request, 0).await?;
            let date = head.headers.get(DATE).and_then(|date| date.to_str().ok());
            Ok(date.and_then(|date| Some(jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp())))
        };
        tokio::time::timeout(timeout, asking).await.unwrap_or(Err(Failure::Timeout { after: timeout }))
    }

    async fn answer(&self, request: Request<Full<Bytes>>, bytes: usize, now: Timestamp) -> Result<Answer, Failure> {
        let (head, start) = self.read(request, bytes).await?;
        Ok(Answer {
            status: head.status.as_u16(),
            retry_after: retry_after(&head.headers, now),
            body: String::from_utf8_lossy(&start).into_owned(),
        })
    }

    async fn read(&self, request: Request<Full<Bytes>>, bytes: usize) -> Result<(Parts, Vec<u8>), Failure> {
        let response = self.inner.request(request).await.map_err(|e| failure(&e))?;
        let (head, mut body) = response.into_parts();
        let mut start = Vec::new();
        while start.len() < bytes
            && let Some(frame) = body.frame().await
        {
            // A success whose answer breaks off is not one yet: a receiver may say no with a 200.
            let frame = frame.map_err(|_| Failure::Reset)?;
            let room = bytes - start.len();
            start.extend(frame.data_ref().into_iter().flatten().take(room));
        }
        Ok((head, start))
    }
}

fn request<'h>(
    method: Method,
    url: &Uri,
    headers: impl IntoIterator<Item = &'h (HeaderName, HeaderValue)>,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::builder().method(method).uri(url.clone()).header(USER_AGENT, AGENT);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(body))).map_err(|_| Failure::Other)
}

async fn within(timeout: Duration, answer: impl Future<Output = Result<Answer, Failure>>) -> Result<Answer, Failure> {
    tokio::time::timeout(timeout, answer).await.unwrap_or(Err(Failure::Timeout { after: timeout }))
}

fn failure(error: &legacy::Error) -> Failure {
    if !error.is_connect() {
        return Failure::Reset;
    }
    let kinds = io_kinds(error);
    // rustls speaks of a bad certificate or protocol as invalid data inside an I/O error.
    if kinds.contains(&io::ErrorKind::InvalidData) {
        return Failure::Tls;
    }
    Failure::Connect(kinds.last().map_or(Reason::Unknown, |kind| Reason::Io(*kind)))
}

/// The kinds of all I/O errors behind `error`; what an I/O error wraps is not in its chain of sources, so it is asked.
fn io_kinds(error: &legacy::Error) -> Vec<io::ErrorKind> {
    let mut kinds = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(e) = cause.downcast_ref::<io::Error>() {
            kinds.push(e.kind());
            kinds.extend(e.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()).map(io::Error::kind));
        }
        next = cause.source();
    }
    kinds
}

/// `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3), at most [`LONGEST_WAIT`].
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            at.duration_since(now).max(SignedDuration::ZERO).unsigned_abs()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// An address that cannot be used. Holds nothing of it: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https address")]
pub struct BadAddress;

impl From<InvalidUri> for BadAddress {
    fn from(_: InvalidUri) -> Self {
        Self
    }
}

/// An absolute `http` or `https` address with a host.
pub fn address(text: &str) -> Result<Uri, BadAddress> {
    let uri: Uri = text.trim().parse()?;
    let known = uri.scheme().is_some_and(|s| *s == Scheme::HTTP || *s == Scheme::HTTPS);
    let host = uri.host().is_some_and(|h| !h.is_empty());
    if known && host { Ok(uri) } else { Err(BadAddress) }
}

/// A base address with `path` after it; a base that ends in `path` already stays as it is.
pub fn under(base: &str, path: &str) -> Result<Uri, BadAddress> {
    let base = base.trim().trim_end_matches('/');
    if base.ends_with(path) { address(base) } else { address(&format!("{base}{path}")) }
}

/// `url` moved to the scheme and host of `base`; a path in `base` goes before its own.
pub fn moved(url: &Uri, base: &str) -> Result<Uri, BadAddress> {
    let base = address(base)?;
    let own = url.path_and_query().map_or("/", PathAndQuery::as_str);
    let path = format!("{}{own}", base.path().trim_end_matches('/'));
    let (Some(scheme), Some(authority)) = (base.scheme(), base.authority()) else { return Err(BadAddress) };
    address(&format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::testing::{StandIn, now};

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        for (text, want) in [
            ("2", Some(2)),
            (" 30 ", Some(30)),
            ("0", Some(0)),
            ("Tue, 24 Nov 2026 09:00:25 GMT", Some(25)),
            ("Tue, 24 Nov 2026 08:00:00 GMT", Some(0)),
            ("Wed, 24 Nov 2027 09:00:00 GMT", Some(3600)),
            ("18446744073709551615", Some(3600)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers, now), want.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn addresses_are_joined_and_moved() {
        let events = |base| under(base, "/v2/enqueue").map(|u| u.to_string());
        assert_eq!(events("https://events.pagerduty.com"), Ok("https://events.pagerduty.com/v2/enqueue".into()));
        assert_eq!(events("http://127.0.0.1:9/pd/"), Ok("http://127.0.0.1:9/pd/v2/enqueue".into()));
        assert_eq!(events("http://127.0.0.1:9/v2/enqueue"), Ok("http://127.0.0.1:9/v2/enqueue".into()));
        for bad in ["", "events.pagerduty.com", "ftp://events.pagerduty.com", "https://", "http://a b"] {
            assert_eq!(events(bad), Err(BadAddress), "{bad:?}");
        }
        let hook = address("https://hooks.slack.com/services/T0/B0/x").unwrap();
        let to = |base| moved(&hook, base).map(|u| u.to_string());
        assert_eq!(to("http://127.0.0.1:9"), Ok("http://127.0.0.1:9/services/T0/B0/x".into()));
        assert_eq!(to("http://127.0.0.1:9/slack/"), Ok("http://127.0.0.1:9/slack/services/T0/B0/x".into()));
    }

    #[tokio::test]
    async fn an_answer_is_bounded_redirects_are_not_followed_and_we_say_who_we_are() {
        let server = StandIn::start().await;
        let url = address(&server.url("/x?token=s3cret")).unwrap();
        let client = Client::new();
        let post = || client.post_json(&url, &[], b"{}".to_vec(), Duration::from_secs(8), now());
        server.answer(200, &[], &"x".repeat(ANSWER_BYTES + 1));
        assert_eq!(post().await.map(|a| a.body.len()), Ok(ANSWER_BYTES));
        server.answer(302, &[("location", "/elsewhere"), ("retry-after", "3")], "moved");
        let moved = Answer { status: 302, retry_after: Some(Duration::from_secs(3)), body: "moved".into() };
        assert_eq!(post().await, Ok(moved));
        let seen = server.requests();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].header("user-agent"), Some(AGENT));
        assert_eq!(seen[0].header("content-type"), Some("application/json"));
    }

    #[tokio::test]
    async fn a_get_sends_no_body_and_reads_as_much_as_it_may() {
        let server = StandIn::start().await;
        let url = address(&server.url("/v1/things?start=a")).unwrap();
        server.answer(200, &[], &"x".repeat(ANSWER_BYTES + 5));
        let got = Client::new().get(&url, &[], ANSWER_BYTES + 2, Duration::from_secs(8), now()).await;
        assert_eq!(got.map(|a| (a.status, a.body.len())), Ok((200, ANSWER_BYTES + 2)));
        let seen = server.requests();
        assert_eq!((seen[0].path.as_str(), seen[0].body.as_str()), ("/v1/things?start=a", ""));
        assert_eq!((seen[0].header("content-type"), seen[0].header("user-agent")), (None, Some(AGENT)));
    }

    #[tokio::test]
    async fn a_failure_names_its_kind_and_no_address() {
        let server = StandIn::start().await;
        let client = Client::new();
        let post = async |url: String, ms| {
            let url = address(&url).unwrap();
            client.post_json(&url, &[], b"{}".to_vec(), Duration::from_millis(ms), now()).await.unwrap_err()
        };
        server.hang();
        let timeout = post(server.url("/s3cret"), 50).await;
        assert!(matches!(timeout, Failure::Timeout { .. }));
        server.hang_up();
        let reset = post(server.url("/s3cret"), 4_000).await;
        assert_eq!(reset, Failure::Reset);
        let tls = post(server.url("/s3cret").replace("http:", "https:"), 4_000).await;
        assert!(matches!(tls, Failure::Tls | Failure::Connect(_)), "{tls:?}");
        let refused = post("http://127.0.0.1:1/s3cret".into(), 4_000).await;
        assert_eq!(refused, Failure::Connect(Reason::Io(io::ErrorKind::ConnectionRefused)));
        for failure in [timeout, reset, tls, refused] {
            let text = failure.to_string();
            assert!(!text.contains("s3cret") && !text.contains("127.0.0.1"), "{text}");
        }
    }
}
