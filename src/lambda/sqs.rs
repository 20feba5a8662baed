//! The SQS event's envelope: a batch in, the messages to give again out. Read record by record: one that cannot be
//! read must neither fail the others nor be taken for done.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Failed;
use crate::queue::{Handled, Message};

/// A batch as it came in its envelope. A message's id is its place in the batch.
pub struct Batch {
    pub messages: Vec<Message>,
    /// By place.
    labels: Vec<Label>,
}

/// What SQS knows a message by.
#[derive(Default)]
struct Label {
    id: Option<String>,
    receipt: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    message_id: Option<Text<'a>>,
    #[serde(borrow)]
    receipt_handle: Option<Text<'a>>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    #[serde(borrow)]
    attributes: Option<Attributes<'a>>,
}

#[derive(Deserialize)]
struct Attributes<'a> {
    #[serde(borrow, rename = "ApproximateReceiveCount")]
    receives: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn into_some(self) -> Option<String> {
        Some(self.0.into_owned()).filter(|text| !text.is_empty())
    }
}

impl Batch {
    /// Reads an envelope.
    ///
    /// # Errors
    /// It holds no list of records; single records that cannot be read are messages that no step can read.
    pub fn read(envelope: &str) -> Result<Self, Failed> {
        let Envelope { records } = serde_json::from_str(envelope)
            .map_err(|error| Failed(format!("not an SQS event (column {})", error.column())))?;
        let mut batch = Self { messages: Vec::with_capacity(records.len()), labels: Vec::with_capacity(records.len()) };
        for (place, record) in (0..).zip(records) {
            let (message, label) = message(place, record);
            batch.messages.push(message);
            batch.labels.push(label);
        }
        Ok(batch)
    }

    /// What SQS wants to be shown when it is told something about this message.
    pub fn receipt(&self, id: i64) -> Option<&str> {
        self.label(id)?.receipt.as_deref()
    }

    fn label(&self, id: i64) -> Option<&Label> {
        self.labels.get(usize::try_from(id).ok()?)
    }

    /// The answer that gives again what is not done. A message that nothing was said of is not done.
    ///
    /// # Errors
    /// One that is not done has no id: the platform would take it for done, so the whole batch is to come again.
    pub fn answer(&self, handled: &[(i64, Handled)]) -> Result<Answer, Failed> {
        let said: HashMap<i64, &Handled> = handled.iter().map(|(id, handled)| (*id, handled)).collect();
        let mut failures = Vec::new();
        for message in self.messages.iter().filter(|m| said.get(&m.id) != Some(&&Handled::Done)) {
            let id = self.label(message.id).and_then(|label| label.id.clone());
            let id = id.ok_or_else(|| Failed("a message without an id is to come again, so all are".to_owned()))?;
            failures.push(Failure { item_identifier: id });
        }
        Ok(Answer { batch_item_failures: failures })
    }
}

fn message(place: i64, record: &RawValue) -> (Message, Label) {
    match serde_json::from_str(record.get()) {
        Ok(Record { message_id, receipt_handle, body: Some(body), attributes }) => {
            let receives = attributes.and_then(|a| a.receives).and_then(|n| n.0.parse().ok()).unwrap_or(1);
            let label =
                Label { id: message_id.and_then(Text::into_some), receipt: receipt_handle.and_then(Text::into_some) };
            (Message { id: place, body: body.0.into_owned(), receives }, label)
        }
        // Not a message of SQS. Received for ever, so that the step sets it aside at once: without an id it could
        // not be given again alone.
        Ok(_) | Err(_) => {
            tracing::error!(event = "record_not_readable", place);
            (Message { id: place, body: record.get().to_owned(), receives: u32::MAX }, Label::default())
        }
    }
}

/// Partial batch response.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    batch_item_failures: Vec<Failure>,
}

impl Answer {
    /// How many messages are to come again.
    pub fn failures(&self) -> usize {
        self.batch_item_failures.len()
    }
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

#[cfg(test)]
mod tests;
