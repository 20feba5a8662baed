use std::time::Duration;

use serde_json::json;

use super::*;
use crate::lambda::testing::{SQS_EVENTS, SQS_HINTS};

fn shown(answer: &Answer) -> String {
    serde_json::to_string(answer).expect("json")
}

#[test]
fn a_batch_is_read_with_ids_receipts_and_receives() {
    let batch = Batch::read(SQS_EVENTS).expect("a batch");
    let receives: Vec<_> = batch.messages.iter().map(|m| (m.id, m.receives)).collect();
    assert_eq!(receives, [(0, 1), (1, 1), (2, 2)]);
    assert_eq!(batch.messages[2].body, "not an event");
    assert_eq!(batch.receipt(1), Some("AQEBexampleReceiptHandle2=="));
    assert_eq!(batch.receipt(3), None);
    assert_eq!(batch.receipt(-1), None);
    assert_eq!(Batch::read(SQS_HINTS).expect("a batch").messages.len(), 2);
}

#[test]
fn the_answer_names_exactly_what_is_not_done() {
    let batch = Batch::read(SQS_EVENTS).expect("a batch");
    let again = Handled::Again(Duration::ZERO);
    let answer = |handled: &[(i64, Handled)]| shown(&batch.answer(handled).expect("an answer"));
    let all_done = [(0, Handled::Done), (1, Handled::Done), (2, Handled::Done)];
    assert_eq!(answer(&all_done), r#"{"batchItemFailures":[]}"#);
    assert_eq!(
        answer(&[(2, again.clone()), (0, Handled::Done), (1, Handled::Done)]),
        r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975970003"}]}"#
    );
    // What nothing was said of is not done, and what there is none of does not matter.
    assert_eq!(batch.answer(&[(0, Handled::Done), (7, again)]).expect("an answer").failures(), 2);
}

#[test]
fn a_message_without_an_id_is_never_taken_for_done() {
    let id = |id: serde_json::Value| {
        let records =
            json!({"Records": [{"messageId": "m0", "body": "a"}, {"messageId": id, "body": "b"}]}).to_string();
        Batch::read(&records).expect("a batch")
    };
    for without in [json!(null), json!("")] {
        let batch = id(without);
        let done = [(0, Handled::Done), (1, Handled::Done)];
        assert_eq!(batch.answer(&done).expect("all done").failures(), 0);
        let failed = batch.answer(&[(0, Handled::Done)]).expect_err("the whole batch comes again");
        assert_eq!(failed.to_string(), "a message without an id is to come again, so all are");
    }
    assert_eq!(id(json!("m1")).answer(&[(0, Handled::Done)]).expect("an answer").failures(), 1);
}

#[test]
fn a_record_that_is_none_is_for_the_step_to_set_aside() {
    let records = json!({"Records": [{"messageId": "m0", "body": "a"}, 7, {"messageId": "m2"}, null]}).to_string();
    let batch = Batch::read(&records).expect("a batch");
    let read: Vec<_> = batch.messages.iter().map(|m| (m.body.as_str(), m.receives)).collect();
    assert_eq!(read, [("a", 1), ("7", u32::MAX), (r#"{"messageId":"m2"}"#, u32::MAX), ("null", u32::MAX)]);
}

#[test]
fn what_is_no_batch_fails_as_a_whole() {
    for envelope in ["{}", "[]", "null", r#"{"Records": 1}"#] {
        assert!(Batch::read(envelope).is_err(), "{envelope}");
    }
}
