//! Laws of all steps at once: nobody is named, and nothing is claimed of what was not asked.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::facts::{Found, Messages, Subject, Timeline};
use super::*;
use crate::config::schema::Privacy;
use crate::customerio::app_api::campaign::{Action, Detail};
use crate::customerio::app_api::message::{Activity, Delivery};
use crate::customerio::app_api::person::{Device, Identifiers, OptOut, Preferences, Profile};
use crate::customerio::app_api::suppression::Suppression;

const PERSONAL: [&str; 6] = [
    "ada.lovelace@example.test",
    "u_lovelace_117",
    "d9c106000075",
    "+15550100117",
    "dgSYNTH0001aaaa",
    "tokenAAAA1111bbbb",
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Facts in which everything that can hold a text holds this one.
fn full(text: &str, state: &str) -> Facts {
    let text = text.to_owned();
    let [email, id, cio_id, phone, delivery, token] = PERSONAL.map(str::to_owned);
    let identifiers = Identifiers { id: Some(id.clone()), email: Some(email.clone()), cio_id: Some(cio_id) };
    let attributes = [("phone".to_owned(), phone), ("note".to_owned(), text.clone())].into();
    let device =
        Device { token, platform: Some("ios".into()), last_status: Some("bounced".into()), push_enabled: None };
    let profile =
        Profile { identifiers: identifiers.clone(), attributes, unsubscribed: true, devices: Some(vec![device]) };
    let event = Activity { id: "x".into(), kind: "event".into(), name: text.clone(), at: at(900) };
    let message = Delivery {
        id: delivery,
        channel: "email".into(),
        person: identifiers.clone(),
        campaign: Some("5".into()),
        action: Some("96".into()),
        created: Some(at(900)),
        failure: Some(text.clone()),
        recipient: Some(email),
        reached: [(state.to_owned(), at(950))].into(),
    };
    let action = |channel: &str| Action { id: "96".into(), channel: channel.into(), ..Action::default() };
    Facts {
        found: Ok(Found { profile: Some(profile), others: vec![(identifiers, Ok(true))] }),
        campaign: Ok(Some(Detail {
            name: Some(text.clone()),
            state: Some("running".into()),
            event_name: Some("user_activated".into()),
            ..Detail::default()
        })),
        actions: Ok(["email", "sms", "push"].map(action).to_vec()),
        timeline: Ok(Timeline {
            others: [(text.clone(), at(900))].into(),
            failed: vec![event],
            complete: true,
            ..Timeline::default()
        }),
        messages: Ok(Messages { of_campaign: vec![message], complete: true, ..Messages::default() }),
        suppressions: Ok(vec![Suppression { reason: Some(text), ..Suppression::default() }]),
        preferences: Ok(Preferences::default()),
        opt_outs: Ok(vec![OptOut { channel: "sms".into(), from: Some("+15559990000".into()) }]),
        ..Facts::of(Subject { person: id, campaign: "5".into() })
    }
}

fn all() -> Vec<Check> {
    CHECKS.iter().map(|row| row.check).collect()
}

fn steps(facts: &Facts) -> Vec<Step> {
    let view = View::of(facts, Privacy { show_personal_data: false }, &TimeZone::UTC, at(1_000));
    judge(facts, &all(), &view)
}

#[test]
fn what_was_not_asked_is_not_known_and_no_cause() {
    let steps = steps(&Facts::of(Subject { person: "u_1".into(), campaign: "5".into() }));
    assert_eq!(steps.len(), CHECKS.len());
    assert!(steps.iter().all(|step| step.verdict == Verdict::NotKnown), "{steps:#?}");
}

#[test]
fn every_cause_says_what_to_do() {
    for step in steps(&full("550 5.1.1 unknown", "bounced")) {
        assert!(step.verdict != Verdict::Cause || !step.advice.is_empty(), "{step:#?}");
        assert!(!step.evidence.is_empty() && !step.title.is_empty());
    }
}

proptest! {
    #[test]
    fn no_step_names_the_person(
        before in "[a-z ]{0,20}",
        after in "[a-z ]{0,20}",
        who in 0..PERSONAL.len(),
        state in prop::sample::select(vec!["failed", "bounced", "drafted", "attempted", "sent", "spammed", "created", "x"]),
    ) {
        let text = format!("{before} {} {after}", PERSONAL[who]);
        let said = serde_json::to_string(&steps(&full(&text, state))).expect("JSON");
        for personal in PERSONAL {
            prop_assert!(!said.contains(personal), "{} in {}", personal, said);
        }
    }

    #[test]
    fn any_text_is_judged(text in any::<String>(), state in "[a-z]{0,8}") {
        prop_assert_eq!(steps(&full(&text, &state)).len(), CHECKS.len());
    }
}
