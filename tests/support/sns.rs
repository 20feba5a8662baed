//! A topic of a fake SNS, and a queue that hears it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::moto::{ACCOUNT, Moto, REGION, unique};

pub struct Sns {
    moto: Moto,
    topic: String,
    queue: String,
    /// Each message once, as SNS hands it to a queue: `Subject`, `Message`, `MessageAttributes`.
    seen: Mutex<Vec<Value>>,
}

impl Sns {
    pub async fn start() -> Self {
        let (moto, name) = (Moto::shared(), unique("alerts"));
        let queue = moto.sqs("CreateQueue", json!({ "QueueName": name })).await;
        let queue = queue["QueueUrl"].as_str().expect("a queue").to_owned();
        let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}");
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        moto.query("sns", &format!("Action=CreateTopic&Name={name}")).await;
        moto.query("sns", &format!("Action=Subscribe&TopicArn={topic}&Protocol=sqs&Endpoint={arn}")).await;
        // Its first message is slow (imports); a bridge under a fast clock would not wait for it.
        moto.query("sns", &format!("Action=Publish&TopicArn={topic}&Message=warm")).await;
        let sns = Self { moto, topic, queue, seen: Mutex::new(Vec::new()) };
        sns.wait_for(1, Duration::from_secs(10)).await;
        sns.seen.lock().expect("no panic while it is held").clear();
        sns
    }

    pub fn url(&self) -> &str {
        self.moto.url()
    }

    pub fn topic_arn(&self) -> &str {
        &self.topic
    }

    /// All messages so far.
    pub async fn messages(&self) -> Vec<Value> {
        loop {
            let ask = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600 });
            let got = self.moto.sqs("ReceiveMessage", ask).await;
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
}
