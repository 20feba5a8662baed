//! The queues on SQS, standard ones: at least once, in no order.
//! Source of the numbers: Amazon SQS API reference, SendMessageBatch and ChangeMessageVisibility.

pub mod dead;
#[cfg(test)]
pub(crate) mod moto;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry as Entry};
use futures_util::{TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::{Hint, Outbox, Probe};
use crate::customerio::event::Event;
use crate::store::StoreError;

/// SQS: entries in one SendMessageBatch.
pub const BATCH_ENTRIES: usize = 10;

/// SQS: the bodies of one SendMessageBatch together, in bytes. Newer queues take 1 MiB; every queue takes this.
pub const BATCH_BYTES: usize = 256 * 1024;

/// SQS: the longest DelaySeconds, in seconds.
pub const DELAY_SECONDS_MOST: u64 = 900;

/// The longest visibility timeout that is asked for, in seconds. SQS hides a message for 12 h at most, counted from when
/// it was received, which is less than a function's longest run (15 min) ago.
pub const VISIBILITY_SECONDS_MOST: u32 = 12 * 3600 - 15 * 60;

/// Calls under way at once: a request of a thousand events must be stored before its sender gives up.
const CALLS_AT_ONCE: usize = 8;

/// The whole of one send, a second try of refused entries included: ingest answers within 2.5 s (design, law 2).
const SEND_WITHIN: Duration = Duration::from_millis(2500);

/// Where ingest puts events and evaluate puts hints. A function knows only the queues that it needs.
#[derive(Clone)]
pub struct SqsOutbox {
    client: Client,
    events_url: Option<String>,
    hints_url: Option<String>,
}

/// One of the two queues, as it is named in errors.
#[derive(Clone, Copy)]
enum Queue {
    Events,
    Hints,
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Events => "events queue",
            Self::Hints => "hints queue",
        })
    }
}

impl SqsOutbox {
    /// `None`: this function never sends to that queue; doing so all the same is an error, never a loss.
    pub fn new(client: Client, events_url: Option<String>, hints_url: Option<String>) -> Self {
        Self { client, events_url, hints_url }
    }

    /// Hides a received hint for this many seconds from now, at most [`VISIBILITY_SECONDS_MOST`]. Whoever calls this
    /// reports the message as failed, or it is deleted.
    pub async fn change_visibility(&self, receipt: &str, seconds: u32) -> Result<(), StoreError> {
        let seconds = i32::try_from(seconds.min(VISIBILITY_SECONDS_MOST)).unwrap_or(i32::MAX);
        let request = self
            .client
            .change_message_visibility()
            .queue_url(self.url(Queue::Hints)?)
            .receipt_handle(receipt)
            .visibility_timeout(seconds);
        request.send().await.map_err(|error| unavailable(Queue::Hints, &why(&error)))?;
        Ok(())
    }

    fn url(&self, queue: Queue) -> Result<&str, StoreError> {
        let (url, variable) = match queue {
            Queue::Events => (&self.events_url, "BRIDGE_EVENTS_QUEUE"),
            Queue::Hints => (&self.hints_url, "BRIDGE_HINTS_QUEUE"),
        };
        url.as_deref().ok_or_else(|| unavailable(queue, &format!("this function has no {variable}")))
    }

    /// All or an error. An error may leave some sent: a duplicate is harmless, a loss is not.
    async fn send(&self, queue: Queue, bodies: Vec<String>, delay_seconds: Option<i32>) -> Result<(), StoreError> {
        if bodies.is_empty() {
            return Ok(());
        }
        let url = self.url(queue)?;
        let calls = batches(bodies, delay_seconds).map_err(|why| unavailable(queue, why))?;
        let sending = stream::iter(calls.into_iter().map(Ok))
            .try_for_each_concurrent(CALLS_AT_ONCE, |entries| self.send_batch(queue, url, entries));
        match tokio::time::timeout(SEND_WITHIN, sending).await {
            Ok(sent) => sent,
            Err(_) => Err(unavailable(queue, &format!("no answer within {} ms", SEND_WITHIN.as_millis()))),
        }
    }

    /// One call; entries that SQS could not take are sent once more.
    async fn send_batch(&self, queue: Queue, url: &str, mut entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut refusal = String::new();
        for _ in 0..2 {
            let call = self.client.send_message_batch().queue_url(url).set_entries(Some(entries.clone()));
            let answer = call.send().await.map_err(|error| unavailable(queue, &why(&error)))?;
            // Not "which failed?": what is not named as taken is not taken.
            entries.retain(|entry| !answer.successful().iter().any(|taken| taken.id() == entry.id()));
            if entries.is_empty() {
                return Ok(());
            }
            if let Some(failed) = answer.failed().first() {
                refusal = code(Some(failed.code())).unwrap_or("an unnamed reason").to_owned();
            }
            if answer.failed().iter().any(|failed| failed.sender_fault()) {
                break;
            }
        }
        Err(unavailable(queue, &format!("{} of a batch not taken: {refusal}", entries.len())))
    }
}

#[async_trait]
impl Outbox for SqsOutbox {
    async fn send_events(&self, events: &[Event], _now: Timestamp) -> Result<(), StoreError> {
        self.send(Queue::Events, bodies(Queue::Events, events)?, None).await
    }

    async fn send_probe(&self, probe: Probe, _now: Timestamp) -> Result<(), StoreError> {
        self.send(Queue::Events, bodies(Queue::Events, &[probe])?, None).await
    }

    /// A hint for later than [`DELAY_SECONDS_MOST`] is not sent: tick's sweep makes it when it is due.
    async fn send_hints(&self, hints: &[Hint], _now: Timestamp, after: Duration) -> Result<(), StoreError> {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        if seconds > DELAY_SECONDS_MOST {
            return Ok(());
        }
        // Always said: without it the queue's own default would hold.
        let delay = i32::try_from(seconds).unwrap_or_default();
        self.send(Queue::Hints, bodies(Queue::Hints, hints)?, Some(delay)).await
    }

    async fn reach(&self) -> Result<(), StoreError> {
        for (queue, url) in [(Queue::Events, &self.events_url), (Queue::Hints, &self.hints_url)] {
            let Some(url) = url else { continue };
            let asked = self.client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
            asked
                .send()
                .await
                .map_err(|error| unavailable(queue, &format!("{} (this needs sqs:GetQueueAttributes)", why(&error))))?;
        }
        Ok(())
    }
}

/// JSON that SQS takes: it refuses two characters that JSON allows, and they can only stand inside a text (SQS API
/// reference, SendMessage, MessageBody).
fn bodies<T: Serialize>(queue: Queue, items: &[T]) -> Result<Vec<String>, StoreError> {
    let body = |item| match serde_json::to_string(item) {
        Ok(json) if json.contains(['\u{fffe}', '\u{ffff}']) => {
            Ok(json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
        }
        Ok(json) => Ok(json),
        Err(_) => Err(unavailable(queue, "a message could not be written as JSON")),
    };
    items.iter().map(body).collect()
}

/// The fewest calls in order of arrival: at most [`BATCH_ENTRIES`] entries and [`BATCH_BYTES`] each.
fn batches(bodies: Vec<String>, delay_seconds: Option<i32>) -> Result<Vec<Vec<Entry>>, &'static str> {
    let mut calls: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        let length = body.len();
        let full = |call: &Vec<Entry>| call.len() >= BATCH_ENTRIES || bytes + length > BATCH_BYTES;
        let call = match calls.pop_if(|call| !full(call)) {
            Some(call) => call,
            None => {
                bytes = 0;
                Vec::new()
            }
        };
        let entry = Entry::builder()
            .id(call.len().to_string())
            .message_body(body)
            .set_delay_seconds(delay_seconds)
            .build()
            .map_err(|_| "a batch could not be built")?;
        bytes += length;
        calls.push(call.into_iter().chain([entry]).collect());
    }
    Ok(calls)
}

fn unavailable(queue: Queue, why: &str) -> StoreError {
    StoreError::Unavailable(format!("{queue}: {why}"))
}

/// Only SQS's code and status: its texts may repeat what was sent.
fn why<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let status = error.raw_response().map(|r| r.status().as_u16());
    match (error, status) {
        (SdkError::TimeoutError(_), _) => "no answer in time".to_owned(),
        (SdkError::DispatchFailure(failure), _) if failure.is_timeout() => "could not connect in time".to_owned(),
        (SdkError::DispatchFailure(_), _) => "could not connect".to_owned(),
        (_, Some(status)) => match code(error.code()) {
            Some(code) => format!("SQS answered {status} {code}"),
            None => format!("SQS answered {status}"),
        },
        _ => "the request could not be made".to_owned(),
    }
}

/// An error code, if it looks like one.
fn code(text: Option<&str>) -> Option<&str> {
    text.filter(|c| (1..=80).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
}
