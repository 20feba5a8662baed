//! Fake AWS services (moto, from .cache/venv): SNS, SQS, Secrets Manager and SSM. All tests share one, so whoever
//! makes something in it gives it a name of his own ([`unique`]).

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Request;
use serde_json::Value;

use super::http::Http;
use super::service::Service;

pub const REGION: &str = "us-east-1";
pub const ACCOUNT: &str = "123456789012";

static SHARED: LazyLock<Service> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".cache/venv/bin/python");
    assert!(python.exists(), "no {}: run scripts/test, which installs it", python.display());
    let mut command = Command::new(python);
    command.arg(root.join("tests/support/fake_aws.py"));
    Service::start(command)
});

/// A name that nobody else uses in the shared services.
pub fn unique(name: &str) -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    format!("{name}-{}", SERIAL.fetch_add(1, Ordering::Relaxed))
}

/// A client of the shared services; a test has its own, because connections belong to its runtime.
pub struct Moto {
    url: &'static str,
    http: Http,
}

impl Moto {
    pub fn shared() -> Self {
        Self { url: SHARED.url(), http: Http::new() }
    }

    pub fn url(&self) -> &'static str {
        self.url
    }

    /// Calls by the query protocol.
    pub async fn query(&self, service: &str, form: &str) {
        self.query_of(service, form, "2010-03-31").await;
    }

    /// The same, of another version of a service.
    pub async fn query_of(&self, service: &str, form: &str, version: &str) {
        let request = self
            .request(service)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{form}&Version={version}").replace(':', "%3A").into_bytes());
        let answer = self.http.send(request.expect("a request")).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
    }

    /// Calls by the JSON protocol; `target` is the service's own name and the action: `AmazonSQS.SendMessage`.
    pub async fn call(&self, service: &str, target: &str, ask: Value) -> Value {
        let request = self
            .request(service)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .body(ask.to_string().into_bytes());
        let answer = self.http.send(request.expect("a request")).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).expect("JSON") }
    }

    pub async fn sqs(&self, action: &str, ask: Value) -> Value {
        self.call("sqs", &format!("AmazonSQS.{action}"), ask).await
    }

    /// moto finds the service by the signature's scope, and checks nothing else of it.
    fn request(&self, service: &str) -> hyper::http::request::Builder {
        let scope = format!("Credential=test/20260101/{REGION}/{service}/aws4_request");
        Request::post(format!("{}/", self.url))
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
    }
}
