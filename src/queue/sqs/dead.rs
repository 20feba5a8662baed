//! Dead letters of SQS: to look at one is to receive it, so each is given back.
//! Source: Amazon SQS API reference, ReceiveMessage, ChangeMessageVisibilityBatch and GetQueueAttributes.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Entry, Message, MessageSystemAttributeName as Attribute,
    QueueAttributeName,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{BATCH_ENTRIES, why};
use crate::queue::dead_letters::{DeadLetter, DeadLetters, Held, Origin, Rest};
use crate::store::{StoreError, Write};

/// Messages of one queue that are held at once at most: a person looks at them, and an outage may leave 100,000.
pub const HELD_MOST: usize = 500;

/// How long one queue is read at most.
const READ_WITHIN: Duration = Duration::from_secs(15);

/// One receive asks all of SQS's servers (long polling): one that asks some may find none though there are.
const WAIT_SECONDS: i32 = 1;

/// A hold that ends within this is not relied on.
const MARGIN: Duration = Duration::from_secs(2);

/// Where a queue's dead letters are, and where they came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadQueue {
    pub origin: Origin,
    pub url: String,
    /// `None`: there is nowhere to send them.
    pub source_url: Option<String>,
}

/// All dead-letter queues of a stack.
pub struct SqsDeadLetters {
    client: Client,
    queues: Vec<DeadQueue>,
}

impl SqsDeadLetters {
    pub fn new(client: Client, queues: Vec<DeadQueue>) -> Self {
        Self { client, queues }
    }

    fn queue(&self, origin: Origin) -> Option<&DeadQueue> {
        self.queues.iter().find(|queue| queue.origin == origin)
    }

    /// Until nothing is in sight, or there is enough; `true` when there may be more. An error comes with what was
    /// taken before it.
    async fn take(&self, queue: &DeadQueue, hold: Duration) -> (Vec<DeadLetter>, Result<bool, StoreError>) {
        // By id: SQS may show one twice.
        let mut taken: HashMap<String, DeadLetter> = HashMap::new();
        let began = Instant::now();
        let seconds = i32::try_from(hold.as_secs()).unwrap_or(i32::MAX);
        let ended = loop {
            let wanted = HELD_MOST.saturating_sub(taken.len()).min(BATCH_ENTRIES);
            if wanted == 0 || began.elapsed() >= READ_WITHIN {
                break Ok(true);
            }
            let held_until = Instant::now() + hold;
            let request = self
                .client
                .receive_message()
                .queue_url(&queue.url)
                .max_number_of_messages(i32::try_from(wanted).unwrap_or(1))
                .visibility_timeout(seconds)
                .wait_time_seconds(WAIT_SECONDS)
                .message_system_attribute_names(Attribute::ApproximateReceiveCount)
                .message_system_attribute_names(Attribute::SentTimestamp);
            match request.send().await {
                Ok(answer) if answer.messages().is_empty() => break Ok(false),
                Ok(answer) => {
                    let letters = answer.messages.unwrap_or_default().into_iter();
                    let letters = letters.filter_map(|message| letter(queue.origin, message, held_until));
                    taken.extend(letters.map(|letter| (letter.id.clone(), letter)));
                }
                Err(error) => break Err(unavailable(queue.origin, &why(&error))),
            }
        };
        (taken.into_values().collect(), ended)
    }

    /// What is in sight, and what is not, by SQS's own guess.
    async fn depth(&self, queue: &DeadQueue) -> Result<(u64, u64), StoreError> {
        let (seen, hidden) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let request = self.client.get_queue_attributes().queue_url(&queue.url);
        let request = request.attribute_names(seen.clone()).attribute_names(hidden.clone());
        let answer = request.send().await.map_err(|error| unavailable(queue.origin, &why(&error)))?;
        let count = |name| answer.attributes().and_then(|of| of.get(name)?.parse().ok()).unwrap_or(0);
        Ok((count(&seen), count(&hidden)))
    }

    async fn delete(&self, url: &str, letter: &DeadLetter) -> Result<(), StoreError> {
        let request = self.client.delete_message().queue_url(url).receipt_handle(&letter.receipt);
        request.send().await.map(drop).map_err(|error| unavailable(letter.origin, &why(&error)))
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn hold(&self, hold: Duration) -> Result<Held, StoreError> {
        let taken = join_all(self.queues.iter().map(|queue| self.take(queue, hold))).await;
        let (mut held, mut broken) = (Held::default(), None);
        for (queue, (letters, ended)) in self.queues.iter().zip(taken) {
            let ours = letters.len() as u64;
            held.letters.extend(letters);
            let rest = match ended {
                Ok(is_cut) => self.depth(queue).await.map(|(seen, hidden)| Rest {
                    origin: queue.origin,
                    // The guess lags behind: of a queue that showed no more there is no more.
                    more: if is_cut { seen } else { 0 },
                    with_others: hidden.saturating_sub(ours),
                }),
                Err(error) => Err(error),
            };
            match rest {
                Ok(rest) if rest.more > 0 || rest.with_others > 0 => held.rest.push(rest),
                Ok(_) => {}
                Err(error) => broken = Some(error),
            }
        }
        match broken {
            None => Ok(held),
            Some(error) => {
                self.give_back(&held.letters.iter().collect::<Vec<_>>()).await;
                Err(error)
            }
        }
    }

    async fn send(&self, letter: &DeadLetter) -> Result<Write, StoreError> {
        let Some(DeadQueue { url, source_url: Some(source), .. }) = self.queue(letter.origin) else {
            return Ok(Write::Conflict);
        };
        if !is_held(letter) {
            return Ok(Write::Conflict);
        }
        let request = self.client.send_message().queue_url(source).message_body(&letter.body);
        request.send().await.map_err(|error| unavailable(letter.origin, &why(&error)))?;
        self.delete(url, letter).await?;
        Ok(Write::Done)
    }

    async fn discard(&self, letter: &DeadLetter) -> Result<Write, StoreError> {
        let Some(queue) = self.queue(letter.origin).filter(|_| is_held(letter)) else { return Ok(Write::Conflict) };
        self.delete(&queue.url, letter).await?;
        Ok(Write::Done)
    }

    async fn give_back(&self, letters: &[&DeadLetter]) {
        for queue in &self.queues {
            let theirs: Vec<&&DeadLetter> = letters.iter().filter(|letter| letter.origin == queue.origin).collect();
            for batch in theirs.chunks(BATCH_ENTRIES) {
                let entry = |(at, letter): (usize, &&&DeadLetter)| {
                    let entry = Entry::builder().id(at.to_string()).receipt_handle(&letter.receipt);
                    entry.visibility_timeout(0).build().ok()
                };
                let entries: Vec<Entry> = batch.iter().enumerate().filter_map(entry).collect();
                let request = self.client.change_message_visibility_batch().queue_url(&queue.url);
                if let Err(error) = request.set_entries(Some(entries)).send().await {
                    tracing::warn!(
                        event = "dead_letters_not_given_back",
                        queue = name(queue.origin),
                        why = why(&error)
                    );
                }
            }
        }
    }
}

fn letter(origin: Origin, message: Message, held_until: Instant) -> Option<DeadLetter> {
    let attribute = |name: &Attribute| message.attributes.as_ref()?.get(name);
    let sent = attribute(&Attribute::SentTimestamp).and_then(|ms| ms.parse().ok());
    let receives = attribute(&Attribute::ApproximateReceiveCount).and_then(|n| n.parse().ok());
    Some(DeadLetter {
        sent_at: sent.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::UNIX_EPOCH),
        receives: receives.unwrap_or(1),
        origin,
        held_until,
        // Without these it could be neither named nor given back; SQS always says them.
        id: message.message_id?,
        receipt: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
    })
}

fn is_held(letter: &DeadLetter) -> bool {
    Instant::now() + MARGIN < letter.held_until
}

/// As it is named in errors.
fn name(origin: Origin) -> &'static str {
    match origin {
        Origin::Events => "events dead letters",
        Origin::Hints => "hints dead letters",
        Origin::Tick => "tick dead letters",
    }
}

fn unavailable(origin: Origin, why: &str) -> StoreError {
    StoreError::Unavailable(format!("{}: {why}", name(origin)))
}
