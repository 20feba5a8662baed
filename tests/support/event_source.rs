//! A queue of the fake SQS, and what Lambda's event source mapping does between it and a function.

use serde_json::{Value, json};

use super::moto::{ACCOUNT, Moto, REGION, unique};
use super::runtime_api::{InvocationError, Lambda};

/// How long a received message is out of sight, in seconds. Short, so that a test need not wait for a second try;
/// the template's is far longer.
const VISIBILITY_SECONDS: u32 = 4;

/// A queue with a dead-letter queue, and what Lambda's event source mapping does with it.
pub struct Queue {
    moto: Moto,
    name: String,
    pub url: String,
    pub dead: String,
}

/// A received message.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    handle: String,
    pub body: String,
    pub receives: u32,
}

/// What one pass of the mapping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    pub received: usize,
    pub deleted: usize,
}

impl Queue {
    pub async fn create(name: &str, receives: u32) -> Self {
        let (moto, name) = (Moto::shared(), unique(name));
        let dead = moto.sqs("CreateQueue", json!({ "QueueName": format!("{name}-dead") })).await;
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead"),
            "maxReceiveCount": receives,
        });
        let attributes = json!({
            "VisibilityTimeout": VISIBILITY_SECONDS.to_string(),
            "RedrivePolicy": redrive.to_string(),
        });
        let live = moto.sqs("CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
        let url = |made: Value| made["QueueUrl"].as_str().expect("a queue").to_owned();
        Self { moto, name, url: url(live), dead: url(dead) }
    }

    pub async fn send(&self, body: &str) {
        self.moto.sqs("SendMessage", json!({ "QueueUrl": self.url, "MessageBody": body })).await;
    }

    /// Up to `most` messages that are in sight now.
    pub async fn receive(&self, most: usize) -> Vec<Received> {
        let mut messages = Vec::new();
        while messages.len() < most {
            let ask = json!({
                "QueueUrl": self.url,
                "MaxNumberOfMessages": (most - messages.len()).min(10),
                "AttributeNames": ["All"],
            });
            let got = self.moto.sqs("ReceiveMessage", ask).await;
            let Some(batch) = got["Messages"].as_array().filter(|batch| !batch.is_empty()) else { break };
            messages.extend(batch.iter().map(Received::read));
        }
        messages
    }

    pub async fn delete(&self, messages: &[Received]) {
        for message in messages {
            let ask = json!({ "QueueUrl": self.url, "ReceiptHandle": message.handle });
            self.moto.sqs("DeleteMessage", ask).await;
        }
    }

    /// Puts received messages back in sight.
    pub async fn put_back(&self, messages: &[Received]) {
        for message in messages {
            let ask = json!({ "QueueUrl": self.url, "ReceiptHandle": message.handle, "VisibilityTimeout": 0 });
            self.moto.sqs("ChangeMessageVisibility", ask).await;
        }
    }

    /// How many messages there are: in sight, received and delayed.
    pub async fn depth(&self) -> u64 {
        depth(&self.moto, &self.url).await
    }

    /// How many messages were given up.
    pub async fn dead_letters(&self) -> u64 {
        depth(&self.moto, &self.dead).await
    }

    /// The event that Lambda makes of received messages.
    pub fn batch(&self, messages: &[Received]) -> Value {
        let mut event: Value =
            serde_json::from_str(include_str!("../../events/lambda/sqs_events.json")).expect("the sample");
        let sample = event["Records"][0].take();
        let record = |message: &Received| {
            let mut record = sample.clone();
            record["messageId"] = message.id.as_str().into();
            record["receiptHandle"] = message.handle.as_str().into();
            record["body"] = message.body.as_str().into();
            record["attributes"]["ApproximateReceiveCount"] = message.receives.to_string().into();
            record["awsRegion"] = REGION.into();
            record["eventSourceARN"] = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.name).into();
            record
        };
        event["Records"] = messages.iter().map(record).collect();
        event
    }

    /// One batch: receive, invoke, delete what succeeded. What failed stays out of sight until its visibility ends.
    pub async fn pass(&self, function: &Lambda, most: usize) -> Passed {
        let messages = self.receive(most).await;
        self.hand_over(function, &messages).await
    }

    /// Invokes the function with received messages and deletes what succeeded.
    pub async fn hand_over(&self, function: &Lambda, messages: &[Received]) -> Passed {
        let failed = Passed { received: messages.len(), deleted: 0 };
        self.try_hand_over(function, messages).await.unwrap_or(failed)
    }

    /// The same, and says why the invocation failed; nothing is deleted then.
    pub async fn try_hand_over(&self, function: &Lambda, messages: &[Received]) -> Result<Passed, InvocationError> {
        if messages.is_empty() {
            return Ok(Passed::default());
        }
        let answer = function.invoke(&self.batch(messages)).await?;
        let ids: Vec<&str> = messages.iter().map(|m| m.id.as_str()).collect();
        let failed = failed(&answer, &ids);
        let done: Vec<Received> = messages.iter().filter(|m| !failed.contains(&m.id.as_str())).cloned().collect();
        self.delete(&done).await;
        Ok(Passed { received: messages.len(), deleted: done.len() })
    }
}

impl Received {
    fn read(message: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let receives = message["Attributes"]["ApproximateReceiveCount"].as_str().and_then(|n| n.parse().ok());
        Self {
            id: text(&message["MessageId"]),
            handle: text(&message["ReceiptHandle"]),
            body: text(&message["Body"]),
            receives: receives.expect("a receive count"),
        }
    }
}

async fn depth(moto: &Moto, url: &str) -> u64 {
    let names = ["", "NotVisible", "Delayed"].map(|kind| format!("ApproximateNumberOfMessages{kind}"));
    let got = moto.sqs("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": names })).await;
    let count = |name: &String| got["Attributes"][name].as_str().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    names.iter().map(count).sum()
}

/// The messages of a batch that Lambda takes for failed, from the answer of a function whose mapping reports single
/// failures. Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>: an answer that
/// cannot be read, or that names a message that is none of the batch, fails all of them.
fn failed<'a>(answer: &Value, ids: &[&'a str]) -> Vec<&'a str> {
    let all = ids.to_vec();
    let failures = match answer {
        Value::Null => return Vec::new(),
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(failures)) => failures,
            Some(_) => return all,
        },
        _ => return all,
    };
    let id = |failure: &Value| ids.iter().copied().find(|id| failure["itemIdentifier"] == *id);
    failures.iter().map(id).collect::<Option<Vec<_>>>().unwrap_or(all)
}

#[test]
fn an_answer_fails_what_lambda_would_take_for_failed() {
    let ids = ["a", "b"];
    let none: &[&str] = &[];
    for (answer, want) in [
        (json!(null), none),
        (json!({}), none),
        (json!({ "batchItemFailures": [] }), none),
        (json!({ "batchItemFailures": null }), none),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] }), &["b"]),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "b" }, { "itemIdentifier": "a" }] }), &["b", "a"]),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }), &ids),
        (json!({ "batchItemFailures": [{ "itemIdentifier": null }] }), &ids),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "c" }] }), &ids),
        (json!({ "batchItemFailures": [{ "item_identifier": "a" }] }), &ids),
        (json!({ "batchItemFailures": "a" }), &ids),
        (json!("no JSON"), &ids),
    ] {
        assert_eq!(failed(&answer, &ids), want, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_counts_receives_and_gives_up_in_the_end() {
    let queue = Queue::create("tries", 2).await;
    queue.send("hello").await;
    for receives in [1, 2] {
        let got = queue.receive(100).await;
        assert_eq!(got.iter().map(|m| (m.body.as_str(), m.receives)).collect::<Vec<_>>(), [("hello", receives)]);
        assert!(queue.receive(100).await.is_empty(), "out of sight");
        queue.put_back(&got).await;
    }
    assert!(queue.receive(100).await.is_empty());
    assert_eq!((queue.depth().await, queue.dead_letters().await), (0, 1));
}
