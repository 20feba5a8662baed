//! A fake SNS (moto, from .cache/venv) with one topic, and a queue that hears it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hyper::Request;
use serde_json::{Value, json};

use super::http::Http;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";

pub struct Sns {
    child: Child,
    _stdin: Option<ChildStdin>,
    url: String,
    queue: String,
    http: Http,
    /// Each message once, as SNS hands it to a queue: `Subject`, `Message`, `MessageAttributes`.
    seen: Mutex<Vec<Value>>,
}

impl Sns {
    pub async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join(".cache/venv/bin/python");
        assert!(python.exists(), "no {}: run scripts/test, which installs it", python.display());
        let mut child = Command::new(python)
            .arg(root.join("tests/support/sns.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("its address");
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://"), "moto did not start: {line:?}; run scripts/setup");
        let http = Http::new();
        let mut sns = Self { child, _stdin: stdin, url, queue: String::new(), http, seen: Mutex::new(Vec::new()) };
        sns.set_up().await;
        sns
    }

    async fn set_up(&mut self) {
        let queue = self.sqs("CreateQueue", json!({ "QueueName": "heard" })).await;
        self.queue = queue["QueueUrl"].as_str().expect("a queue").to_owned();
        self.query("Action=CreateTopic&Name=alerts").await;
        let arn = "arn:aws:sqs:us-east-1:123456789012:heard";
        self.query(&format!("Action=Subscribe&TopicArn={TOPIC}&Protocol=sqs&Endpoint={arn}")).await;
        // Its first message is slow (imports); a bridge under a fast clock would not wait for it.
        self.query(&format!("Action=Publish&TopicArn={TOPIC}&Message=warm")).await;
        self.wait_for(1, Duration::from_secs(10)).await;
        self.seen.lock().expect("no panic while it is held").clear();
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn topic_arn(&self) -> &'static str {
        TOPIC
    }

    /// All messages so far.
    pub async fn messages(&self) -> Vec<Value> {
        loop {
            let ask = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600 });
            let got = self.sqs("ReceiveMessage", ask).await;
            let Some(batch) = got["Messages"].as_array().filter(|b| !b.is_empty()) else { break };
            let bodies = batch.iter().map(|m| {
                let body = m["Body"].as_str().expect("a body");
                serde_json::from_str::<Value>(body).expect("SNS's envelope")
            });
            self.seen.lock().expect("no panic while it is held").extend(bodies);
        }
        self.seen.lock().expect("no panic while it is held").clone()
    }

    /// Waits until `n` messages have arrived in all, and returns all that have.
    pub async fn wait_for(&self, n: usize, patience: Duration) -> Vec<Value> {
        let until = Instant::now() + patience;
        loop {
            let messages = self.messages().await;
            if messages.len() >= n {
                return messages;
            }
            assert!(Instant::now() < until, "{} of {n} messages after {patience:?}: {messages:#?}", messages.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn query(&self, form: &str) {
        let request = self
            .request("sns")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{form}&Version=2010-03-31").replace(':', "%3A").into_bytes());
        let answer = self.http.send(request.expect("a request")).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
    }

    async fn sqs(&self, action: &str, ask: Value) -> Value {
        let request = self
            .request("sqs")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            .body(ask.to_string().into_bytes());
        let answer = self.http.send(request.expect("a request")).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// moto finds the service by the signature's scope, and checks nothing else of it.
    fn request(&self, service: &str) -> hyper::http::request::Builder {
        let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        Request::post(format!("{}/", self.url))
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
    }
}

impl Drop for Sns {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
