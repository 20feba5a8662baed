//! Customer.io's Track API, as far as the canary needs it: one event of one person.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::json;

use super::{Sent, Track};
use crate::clock::Clock;
use crate::config::schema::{Canary, Region};
use crate::config::secrets::{SecretError, Secrets};
use crate::customerio::app_api::encoded;
use crate::receivers::http::{Client, Failure, address};

/// The longest wait for an answer; it is tried twice.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Regions have their own hosts. Source: <https://docs.customer.io/integrations/api/track>.
const fn host(region: Region) -> &'static str {
    match region {
        Region::Us => "https://track.customer.io",
        Region::Eu => "https://track-eu.customer.io",
    }
}

/// Why an event was not taken. No text holds a credential or anything that was answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// A credential has no value, or none that can be one.
    #[error("{0}")]
    Key(String),
    /// 401 or 403.
    #[error(
        "it answered {status}: are site_id and api_key those of the workspace's Track API, and is the region right?"
    )]
    Refused { status: u16 },
    #[error("it answered {status}")]
    Status { status: u16 },
    #[error("{0}")]
    NoAnswer(#[from] Failure),
    #[error("the url of [canary] is no address")]
    Address,
}

impl TrackError {
    /// Whether the next second may bring another answer.
    const fn may_pass(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Status { status: 429 | 500.. })
    }
}

impl From<SecretError> for TrackError {
    fn from(error: SecretError) -> Self {
        Self::Key(error.to_string())
    }
}

/// The Track API of one workspace, for the canary's profile and event.
pub struct TrackApi {
    canary: Canary,
    base: String,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    client: Client,
}

impl TrackApi {
    /// Reads no secret yet.
    pub fn new(canary: Canary, region: Region, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        let base = canary.url.as_deref().unwrap_or(host(region)).trim_end_matches('/').to_owned();
        Self { canary, base, secrets, clock, client: Client::new() }
    }

    fn url(&self) -> Result<Uri, TrackError> {
        let url = format!("{}/api/v1/customers/{}/events", self.base, encoded(&self.canary.profile));
        address(&url).map_err(|_| TrackError::Address)
    }

    /// Basic authentication with the site's id and the Track API's key.
    async fn authorization(&self) -> Result<(HeaderName, HeaderValue), TrackError> {
        let site = self.secrets.get(&self.canary.site_id).await?;
        let key = self.secrets.get(&self.canary.api_key).await?;
        let pair = STANDARD.encode(format!("{}:{}", site.reveal().trim(), key.reveal().trim()));
        let value = HeaderValue::from_str(&format!("Basic {pair}"));
        let mut value = value.map_err(|_| TrackError::Key(format!("{} holds no key", self.canary.api_key)))?;
        value.set_sensitive(true);
        Ok((AUTHORIZATION, value))
    }

    async fn once(&self, url: &Uri, headers: &[(HeaderName, HeaderValue)], id: &str) -> Result<(), TrackError> {
        // No data: some keys of it change how the workflow sends. Its time is when it is received.
        let body = json!({ "name": self.canary.event, "id": id, "data": {} }).to_string().into_bytes();
        let answer = self.client.post_json(url, headers, body, ANSWER_WITHIN, self.clock.now()).await?;
        match answer.status {
            200..=299 => Ok(()),
            status @ (401 | 403) => Err(TrackError::Refused { status }),
            status => Err(TrackError::Status { status }),
        }
    }
}

#[async_trait]
impl Track for TrackApi {
    async fn send(&self, id: &str) -> Sent {
        let begun = self.clock.now();
        let ready = async { Ok::<_, TrackError>((self.url()?, [self.authorization().await?])) };
        let (url, headers) = match ready.await {
            Ok(ready) => ready,
            Err(error) => return Sent { at: begun, taken: Err(error.to_string()) },
        };
        let at = self.clock.now();
        let mut taken = self.once(&url, &headers, id).await;
        if taken.as_ref().is_err_and(TrackError::may_pass) {
            taken = self.once(&url, &headers, id).await;
        }
        Sent { at, taken: taken.map_err(|error| error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::config::secrets::{Secret, SecretRef};
    use crate::incident::Severity;
    use crate::receivers::testing::{StandIn, now};

    struct TwoKeys;

    #[async_trait]
    impl Secrets for TwoKeys {
        async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
            match at.to_string().as_str() {
                "env:SITE" => Ok(Secret::new("site-s3cret")),
                "env:KEY" => Ok(Secret::new("key-s3cret\n")),
                _ => Err(SecretError::NotSet(at.clone())),
            }
        }
    }

    fn canary(url: Option<String>, key: &str) -> Canary {
        Canary {
            profile: "canary 1/ü".into(),
            campaign: 42,
            event: "bridge_canary".into(),
            every: jiff::SignedDuration::from_mins(5),
            site_id: "env:SITE".parse().expect("a reference"),
            api_key: key.parse().expect("a reference"),
            url,
            severity: Severity::Warning,
        }
    }

    fn api(url: Option<String>, key: &str, region: Region) -> TrackApi {
        TrackApi::new(canary(url, key), region, Arc::new(TwoKeys), Arc::new(ManualClock::at(now())))
    }

    #[test]
    fn each_region_has_its_host_and_the_profile_is_encoded() {
        let url = |region| api(None, "env:KEY", region).url().map(|url| url.to_string());
        let path = "/api/v1/customers/canary%201%2F%C3%BC/events";
        assert_eq!(url(Region::Us), Ok(format!("https://track.customer.io{path}")));
        assert_eq!(url(Region::Eu), Ok(format!("https://track-eu.customer.io{path}")));
    }

    #[tokio::test]
    async fn the_event_goes_out_with_basic_authentication_its_name_and_its_id() {
        let server = StandIn::start().await;
        server.answer(200, &[], "{}");
        let sent = api(Some(server.url("/")), "env:KEY", Region::Eu).send("01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
        assert_eq!(sent, Sent { at: now(), taken: Ok(()) });
        let seen = server.requests();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].path, "/api/v1/customers/canary%201%2F%C3%BC/events");
        // site-s3cret:key-s3cret
        assert_eq!(seen[0].header("authorization"), Some("Basic c2l0ZS1zM2NyZXQ6a2V5LXMzY3JldA=="));
        let body: serde_json::Value = serde_json::from_str(&seen[0].body).expect("JSON");
        assert_eq!(body, json!({ "name": "bridge_canary", "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "data": {} }));
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_twice_and_no_reason_holds_a_secret_or_an_address() {
        let server = StandIn::start().await;
        let track = api(Some(server.url("")), "env:KEY", Region::Us);
        for (status, tries, said) in [
            (401, 1, "it answered 401: are site_id and api_key"),
            (403, 1, "it answered 403: are site_id and api_key"),
            (400, 1, "it answered 400"),
            (302, 1, "it answered 302"),
            (429, 2, "it answered 429"),
            (503, 2, "it answered 503"),
        ] {
            let before = server.requests().len();
            server.answer(status, &[("location", "/elsewhere")], "key-s3cret is wrong");
            let why = track.send("x").await.taken.expect_err("not taken");
            assert!(why.starts_with(said) && !why.contains("s3cret"), "{why}");
            assert_eq!(server.requests().len() - before, tries, "{status}");
        }
        let gone = api(Some("http://127.0.0.1:1".into()), "env:KEY", Region::Us).send("x").await;
        assert_eq!(gone.taken, Err("could not connect (connection refused)".into()));
        let unset = api(Some(server.url("")), "env:OTHER", Region::Us).send("x").await.taken.expect_err("no key");
        assert!(unset.contains("env:OTHER") && !unset.contains("s3cret"), "{unset}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_given_up_in_time() {
        let server = StandIn::start().await;
        server.hang();
        let begun = std::time::Instant::now();
        let sent = api(Some(server.url("")), "env:KEY", Region::Us).send("x").await;
        assert_eq!(sent.taken, Err("no answer within 3 s".into()));
        assert!(begun.elapsed() >= ANSWER_WITHIN * 2, "tried twice");
    }
}
