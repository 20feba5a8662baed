//! What is asked for which checks, and what a budget and a silent host leave out.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;

use super::*;
use crate::config::schema::Privacy;
use crate::customerio::app_api::AppApiError;
use crate::diagnose::{CHECKS, Verdict, View, judge};
use crate::receivers::http::Failure;

/// Answers by path; another path is a 404.
#[derive(Default)]
struct Answers {
    bodies: HashMap<&'static str, &'static str>,
    hangs: bool,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Records for Answers {
    async fn ask(&self, question: &Question<'_>) -> Result<String, AppApiError> {
        let (place, _) = question.address();
        let body = self.bodies.get(place.as_str());
        self.asked.lock().expect("no panic while it is held").push(place);
        if self.hangs {
            return Err(AppApiError::NoAnswer(Failure::Timeout { after: Duration::from_secs(5) }));
        }
        body.map(|body| (*body).to_owned()).ok_or(AppApiError::Status { status: 404, path: question.path() })
    }
}

impl Answers {
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic while it is held"))
    }
}

const MESSAGE: &str = r#"{"message":{"id":"dg1","type":"email","customer_identifiers":{"id":"u_4711","email":"ada@example.test","cio_id":"d9c1"},"recipient":"ada@example.test","created":1767225590,"failure_message":"Variable 'event.courseName' is missing for u_4711","metrics":{"failed":1767225600},"campaign_id":5,"action_id":96}}"#;
const TRANSACTIONAL: &str = r#"{"message":{"id":"dg2","type":"email","customer_identifiers":{"cio_id":"d9c1"},"failure_message":"550 5.1.1 unknown","metrics":{"bounced":1767225600},"transactional_message_id":2}}"#;

fn answers() -> Answers {
    let bodies = HashMap::from([
        ("/v1/messages/dg1", MESSAGE),
        ("/v1/messages/dg2", TRANSACTIONAL),
        ("/v1/campaigns/5", r#"{"campaign":{"id":5,"name":"Activation","state":"running"}}"#),
        ("/v1/campaigns/5/actions", r#"{"actions":[{"id":96,"type":"email","name":"Welcome"}]}"#),
        (
            "/v1/customers/cio_d9c1/attributes",
            r#"{"customer":{"identifiers":{"id":"u_4711","cio_id":"d9c1"},"devices":[]}}"#,
        ),
    ]);
    Answers { bodies, ..Answers::default() }
}

fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().expect("a time")
}

const HIDE: Privacy = Privacy { show_personal_data: false };

#[tokio::test]
async fn one_delivery_is_diagnosed_with_few_questions() {
    let records = answers();
    let (facts, asking) = gather_delivery(&records, "dg1", &[Check::Message], 3, now()).await;
    assert_eq!(records.asked(), ["/v1/messages/dg1", "/v1/campaigns/5/actions"]);
    assert_eq!(asking.asked, 2);
    let facts = facts.expect("a message");
    let view = View::of(&facts, HIDE, &TimeZone::UTC, now());
    let steps = judge(&facts, &[Check::Message], &view);
    assert_eq!(steps[0].variable.as_deref(), Some("event.courseName"));
    insta::assert_snapshot!(steps[0].evidence.join("\n"), @r#"
    The e-mail "Welcome" failed 00:00 UTC.
    Message does not render (render_error).
    Customer.io says: Variable 'event.courseName' is missing for [id]
    "#);

    // What no campaign sent is not asked for one.
    let (facts, _) = gather_delivery(&records, "dg2", &[Check::Message, Check::Campaign], 9, now()).await;
    assert_eq!(records.asked(), ["/v1/messages/dg2"]);
    let facts = facts.expect("a message");
    let view = View::of(&facts, HIDE, &TimeZone::UTC, now());
    assert_eq!(judge(&facts, &[Check::Message], &view)[0].cause, Some("mailbox_unknown"));

    let (gone, asking) = gather_delivery(&records, "dg3", &[Check::Message], 9, now()).await;
    assert!(gone.is_err_and(|why| why.why.contains("404 to /v1/messages/{id}")));
    assert_eq!((asking.asked, asking.answered), (1, 1));
}

#[tokio::test]
async fn a_budget_is_kept_and_what_it_leaves_out_is_not_known() {
    let records = answers();
    let all: Vec<Check> = CHECKS.iter().map(|row| row.check).collect();
    let (facts, asking) = gather_delivery(&records, "dg1", &all, 4, now()).await;
    assert_eq!((records.asked().len(), asking.asked), (4, 4));
    let facts = facts.expect("a message");
    let view = View::of(&facts, HIDE, &TimeZone::UTC, now());
    let steps = judge(&facts, &all, &view);
    assert_eq!(steps.len(), CHECKS.len());
    let unknown: Vec<&str> =
        steps.iter().filter(|step| step.verdict == Verdict::NotKnown).map(|step| step.title).collect();
    assert_eq!(unknown, ["Suppression list", "Subscription preferences"]);
}

#[tokio::test]
async fn who_does_not_answer_is_not_asked_on_and_on() {
    let records = Answers { hangs: true, ..Answers::default() };
    let all: Vec<Check> = CHECKS.iter().map(|row| row.check).collect();
    let subject = Subject { person: "ada@example.test".into(), campaign: "5".into() };
    let (facts, asking) = gather(&records, subject, &all, 60, now(), &|_| {}).await;
    assert_eq!((asking.asked, asking.answered), (2, 0));
    let view = View::of(&facts, HIDE, &TimeZone::UTC, now());
    let steps = judge(&facts, &all, &view);
    assert!(steps.iter().all(|step| step.verdict == Verdict::NotKnown), "{steps:#?}");
    let said: String = steps.iter().flat_map(|step| &step.evidence).cloned().collect();
    assert!(!said.contains("example.test"), "{said}");
}
