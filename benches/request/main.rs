//! What a webhook costs between the Function URL's envelope and the message for the queue, beside the floor: the HMAC of
//! its body with one key and a JSON scan that keeps nothing. docs/performance.md has the figures.
//!
//! `evaluate` is the step after: a hundred events of ten campaigns are tallied in an embedded store and judged.
//!
//! Run: `cargo bench --bench request`. With an event, a path and a number (`-- sent envelope 1000`) it does just that, for
//! whoever counts instructions (`scripts/instructions`).

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cio_alert_bridge::config::parse;
use cio_alert_bridge::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use cio_alert_bridge::customerio::event::Event;
use cio_alert_bridge::customerio::parse::{Context, normalise};
use cio_alert_bridge::customerio::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use cio_alert_bridge::lambda::url::Request;
use cio_alert_bridge::queue::{Handled, Hint, Message, Outbox, Probe};
use cio_alert_bridge::steps::evaluate::Evaluate;
use cio_alert_bridge::steps::ingest::{Answer, Head, Ingest, KeyRing, Refusals};
use cio_alert_bridge::store::StoreError;
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use hmac::{Hmac, KeyInit, Mac};
use hyper::{HeaderMap, Method};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use sha2::Sha256;

const KEY: &str = "cio-test-signing-key-0001";

const CONFIG: &str = r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
"#;

const NOW: i64 = 1_764_000_000;

/// Rounds of each path, interleaved; the least of them counts, since whatever else runs only adds.
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(150);

struct OneKey;

#[async_trait]
impl Secrets for OneKey {
    async fn get(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(KEY))
    }
}

/// Encodes as the queue wants it, and sends nothing.
struct Encoding;

#[async_trait]
impl Outbox for Encoding {
    async fn send_events(&self, events: &[Event], _: Timestamp) -> Result<(), StoreError> {
        for event in events {
            black_box(serde_json::to_string(event).expect("encodes"));
        }
        Ok(())
    }

    async fn send_probe(&self, _: Probe, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("a webhook is no probe")
    }

    async fn send_hints(&self, _: &[Hint], _: Timestamp, _: Duration) -> Result<(), StoreError> {
        unreachable!("ingest sends no hint")
    }
}

/// Takes hints and tells nobody.
struct Hushed;

#[async_trait]
impl Outbox for Hushed {
    async fn send_events(&self, _: &[Event], _: Timestamp) -> Result<(), StoreError> {
        unreachable!("evaluate sends no event")
    }

    async fn send_probe(&self, _: Probe, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("evaluate sends no probe")
    }

    async fn send_hints(&self, _: &[Hint], _: Timestamp, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Bench {
    ingest: Ingest,
    body: String,
    envelope: String,
    headers: HeaderMap,
    now: Timestamp,
    runtime: tokio::runtime::Runtime,
    /// An event as the queue holds it, and how many were made of it.
    queued: serde_json::Value,
    made: Cell<u64>,
}

fn mac(body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
    mac.update(format!("v0:{NOW}:").as_bytes());
    mac.update(body.as_bytes());
    mac
}

impl Bench {
    fn new(folder: &std::path::Path, event: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let now = Timestamp::from_second(NOW).expect("a time");
        let mut event: serde_json::Value = serde_json::from_str(event).expect("JSON");
        event["timestamp"] = NOW.into();
        let body = event.to_string();
        let signature: String = mac(&body).finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let envelope = serde_json::json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/webhooks/customerio", "rawQueryString": "",
            "headers": {
                "content-length": body.len().to_string(), "content-type": "application/json", "accept-encoding": "gzip",
                "host": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws", "x-forwarded-port": "443",
                "x-amzn-tls-version": "TLSv1.3", "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
                "x-amzn-trace-id": "Root=1-67000000-0123456789abcdef01234567", "x-forwarded-for": "192.0.2.7",
                "x-forwarded-proto": "https", "user-agent": "Customer.io Web Hooks 1.0",
                TIMESTAMP_HEADER: NOW.to_string(), SIGNATURE_HEADER: signature,
            },
            "requestContext": {
                "accountId": "anonymous", "apiId": "abcdefghijklmnopqrstuvwxyz012345",
                "domainName": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
                "domainPrefix": "abcdefghijklmnopqrstuvwxyz012345",
                "http": {
                    "method": "POST", "path": "/webhooks/customerio", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.7", "userAgent": "Customer.io Web Hooks 1.0",
                },
                "requestId": "01234567-89ab-cdef-0123-456789abcdef", "routeKey": "$default", "stage": "$default",
                "time": "24/Nov/2025:16:00:00 +0000", "timeEpoch": NOW * 1_000,
            },
            "body": body, "isBase64Encoded": false,
        });
        let config = parse::parse(CONFIG).config.expect("a configuration");
        let store = EmbeddedStore::open(folder, "acme", Durability::Off).expect("a store");
        let context = Context::of(&config, now);
        let read = normalise(body.as_bytes(), &context).expect("an event");
        let queued = serde_json::to_value(&read.events[0]).expect("encodes");
        let keys = runtime.block_on(KeyRing::load(config.customerio.signing_keys.clone(), Arc::new(OneKey), now));
        let ingest = Ingest {
            store: Arc::new(store),
            outbox: Arc::new(Encoding),
            config: Arc::new(config),
            keys,
            counts: None,
            refusals: Refusals::default(),
        };
        let envelope = envelope.to_string();
        let request = Request::read(&envelope, now).expect("an envelope");
        let headers = request.head().headers.clone();
        Self { ingest, body, envelope, headers, now, runtime, queued, made: Cell::new(0) }
    }

    fn floor_body(&self) {
        let mac = mac(black_box(&self.body)).finalize();
        black_box(mac);
        black_box(serde_json::from_str::<IgnoredAny>(black_box(&self.body)).expect("JSON"));
    }

    fn floor_envelope(&self) {
        black_box(serde_json::from_str::<IgnoredAny>(black_box(&self.envelope)).expect("JSON"));
        self.floor_body();
    }

    fn body(&self) {
        let (method, path) = (Method::POST, "/webhooks/customerio");
        let head = Head { method: &method, path, headers: &self.headers, peer: None, arrived: self.now };
        let Ok(mut reading) = self.ingest.begin(&head) else { panic!("authentic") };
        reading.update(black_box(self.body.as_bytes()));
        let concluded = self.runtime.block_on(self.ingest.conclude(reading, &head));
        assert_eq!(concluded.answer, Answer::Taken);
    }

    fn envelope(&self) {
        let request = Request::read(black_box(&self.envelope), self.now).expect("an envelope");
        let head = request.head();
        let Ok(mut reading) = self.ingest.begin(&head) else { panic!("authentic") };
        request.feed(|bytes| reading.update(bytes)).expect("a body");
        let concluded = self.runtime.block_on(self.ingest.conclude(reading, &head));
        assert_eq!(concluded.answer, Answer::Taken);
    }

    fn evaluate(&self) {
        let message = |n: u64| {
            let serial = self.made.get() + n;
            let mut event = self.queued.clone();
            event["identity"] =
                format!("{:032x}", u128::from(serial).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).into();
            event["source"] = format!("campaign:{}", n % 10).into();
            Message { id: n as i64, body: event.to_string(), receives: 1 }
        };
        let batch: Vec<Message> = (0..100).map(message).collect();
        self.made.set(self.made.get() + 100);
        let (store, config) = (self.ingest.store.as_ref(), self.ingest.config.as_ref());
        let evaluate = Evaluate { store, outbox: &Hushed, config, stop_by: None };
        let handled = self.runtime.block_on(evaluate.batch(&batch, self.now)).expect("stored");
        assert!(handled.iter().all(|(_, handled)| matches!(handled, Handled::Done)));
    }

    fn path(&self, name: &str) -> Option<Box<dyn Fn() + '_>> {
        Some(match name {
            "floor_body" => Box::new(|| self.floor_body()),
            "body" => Box::new(|| self.body()),
            "floor_envelope" => Box::new(|| self.floor_envelope()),
            "envelope" => Box::new(|| self.envelope()),
            "evaluate" => Box::new(|| self.evaluate()),
            _ => return None,
        })
    }
}

/// A success, as nearly all traffic is, and a failure, whose text is masked and read for its cause.
const EVENTS: [(&str, &str); 2] = [
    ("sent", include_str!("../../events/email_sent.json")),
    ("bounced", include_str!("../../events/email_bounced.json")),
];

fn main() {
    let folder = std::env::temp_dir().join(format!("bridge-bench-request-{}", std::process::id()));
    let benches = EVENTS.map(|(name, event)| (name, Bench::new(&folder.join(name), event)));
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [event, path, times] => {
            let (_, bench) = benches.iter().find(|(name, _)| name == event).expect("sent or bounced");
            let path = bench.path(path).expect("the name of a path");
            (0..times.parse::<u64>().expect("a number")).for_each(|_| path());
        }
        // `cargo test --benches` only wants to know that it starts.
        _ if std::env::args().any(|argument| argument == "--test") => {}
        _ => benches.iter().for_each(|(name, bench)| measure(name, bench)),
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

fn measure(name: &str, bench: &Bench) {
    let names = ["floor_body", "body", "floor_envelope", "envelope"];
    let mut least = [f64::INFINITY; 4];
    for _ in 0..ROUNDS {
        for (name, least) in names.iter().zip(&mut least) {
            let path = bench.path(name).expect("a path");
            let (begun, mut times) = (Instant::now(), 0_u32);
            while begun.elapsed() < ROUND {
                (0..100).for_each(|_| path());
                times += 100;
            }
            *least = least.min(begun.elapsed().as_secs_f64() * 1e6 / f64::from(times));
        }
    }
    let [floor_body, body, floor_envelope, envelope] = least;
    let row = |from: &str, bytes: usize, floor: f64, bridge: f64| {
        println!("| email_{name}, {from} | {bytes} | {floor:.2} | {bridge:.2} | {:.1} |", bridge / floor);
    };
    if name == EVENTS[0].0 {
        println!(
            "The least of {ROUNDS} rounds.\n\n| event | bytes | floor, µs | the bridge, µs | ratio |\n|---|---|---|---|---|"
        );
    }
    row("from the body", bench.body.len(), floor_body, body);
    row("from the envelope", bench.envelope.len(), floor_envelope, envelope);
}
