//! A small HTTP client, and the sender's signature made anew: an independent check on the product's own.

use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::Sha256;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Keeps connections alive, as the sender does.
#[derive(Clone)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// The answer, or why there was none.
    pub async fn try_send(&self, request: Request<Vec<u8>>) -> Result<Answer, String> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let exchange = async {
            let response = self.0.request(request).await.map_err(|e| format!("{e:?}"))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err("no answer in 30 s".into()))
    }

    pub async fn send(&self, request: Request<Vec<u8>>) -> Answer {
        self.try_send(request).await.expect("an answer")
    }
}

/// HMAC-SHA256 in lower-case hex over `v0:`, the stamp, `:` and the body.
pub fn signature(key: &str, stamp: &str, body: &[u8]) -> String {
    raw_signature(key, stamp, body).iter().map(|b| format!("{b:02x}")).collect()
}

pub fn raw_signature(key: &str, stamp: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length of key");
    mac.update(&[b"v0:", stamp.as_bytes(), b":", body].concat());
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn the_tests_sign_as_the_vendors_own_test_does() {
    // customerio-node, test/webhooks.ts
    let body = br#"{"event_id":"abc","object_type":"email","metric":"delivered"}"#;
    let want = "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230";
    assert_eq!(signature("signing-secret", "1614265384", body), want);
}
