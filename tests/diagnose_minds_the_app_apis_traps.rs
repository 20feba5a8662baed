//! The documented traps of the App API, and the test that walks into each:
//!
//! | trap | test |
//! |---|---|
//! | an error's status is a text or a number | `an_errors_status_may_be_a_text_or_a_number` |
//! | the key that wraps an answer is not there (`journey_metrics`, `metric`, `series`: unit tests of `app_api::campaign`) | `a_wrapping_key_may_be_missing` |
//! | ids and times are numbers or texts | `ids_and_times_may_be_texts` |
//! | an unencoded address is an empty 200 | `an_address_is_encoded` |
//! | 429 with and without `Retry-After` | `a_limit_is_waited_out`, `a_limit_that_stays_is_said` |
//! | a page leads to itself | `pages_that_lead_in_a_circle_end` |
//! | activities come in no order, a page at a time | `activities_may_come_in_any_order_and_in_pages` |
//! | more pages than are read | `a_timeline_that_is_too_long_is_incomplete_and_not_empty` |
//! | `cio_` stands before an id, or does not | `customer_ios_own_ids_are_taken_with_and_without_their_prefix` |
//! | an `id_type` that is wrong is a 404 | `customer_ios_own_ids_are_taken_with_and_without_their_prefix`, `a_phone_number_is_asked_for_as_one` |
//! | `email` and `phone` are a 400 where people are not identified by them | `a_workspace_that_identifies_people_by_id_is_asked_by_customer_ios_own` |
//! | lists are `null` | `an_empty_list_may_be_null` |
//! | the id of a person, or the address, is empty | `a_person_may_have_no_id_or_no_address` |
//! | the EU has a host of its own | unit test of `cli::diagnose::place` |
//! | `twilio` stands for SMS, `suppressed` for dropped | `the_apis_own_words_are_those_of_webhooks` |
//! | the name filter of activities is no promise | `only_the_exact_name_counts` |
//! | messages of more than the look-back are not asked for | `messages_are_asked_for_within_the_allowed_span` |

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::AppApi;
use crate::support::app_api::Traps;
use crate::support::app_api::people::{self, World, action, event, message};
use crate::support::diagnosis::{ADDRESS, Diagnosis, diagnose, now, run};

fn world() -> World {
    people::world(now())
}

fn is_fine(diagnosis: &Diagnosis) {
    assert_eq!((diagnosis.code, diagnosis.with("ok").len()), (0, 12), "{:#}", diagnosis.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_errors_status_may_be_a_text_or_a_number() {
    for numeric_status in [false, true] {
        let traps = Traps { numeric_status, ..Traps::default() };
        let gone = diagnose(world(), traps, "u_nobody_1").await;
        assert_eq!((gone.code, gone.with("cause")), (1, vec!["profile"]), "{:#}", gone.json);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapping_key_may_be_missing() {
    is_fine(&diagnose(world(), Traps { unwrapped: true, ..Traps::default() }, ADDRESS).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_times_may_be_texts() {
    is_fine(&diagnose(world(), Traps { texts: true, ..Traps::default() }, ADDRESS).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_encoded() {
    let found = diagnose(world(), Traps::default(), ADDRESS).await;
    is_fine(&found);
    assert!(
        found.asked.iter().any(|asked| asked == "/v1/customers?email=ada%2Bnews%40example.test"),
        "{:?}",
        found.asked
    );
    assert!(found.asked.iter().all(|asked| !asked.contains(['@', '+'])), "{:?}", found.asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_waited_out() {
    for retry_after in [Some(1), None] {
        let api = AppApi::knowing(world(), Traps::default()).await;
        api.limit("/segments", 1, retry_after);
        let began = Instant::now();
        let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5", "--json"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(!ran.out.contains("not_known"), "{}", ran.out);
        assert!(began.elapsed() >= Duration::from_secs(1));
        let asked = api.asked();
        let of_segments = |asked: &&String| asked.starts_with("/v1/customers/") && asked.contains("/segments");
        assert_eq!(asked.iter().filter(of_segments).count(), 2, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_stays_is_said() {
    let api = AppApi::knowing(world(), Traps::default()).await;
    api.limit("/subscription_preferences", 100, Some(3_600));
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert!(
        ran.out.contains("429 to /v1/customers/{id}/subscription_preferences") && ran.out.contains("3600 s"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("ok           Sender"), "{}", ran.out);
    // Longer than a command waits: it is not asked again.
    let times = api.asked().iter().filter(|asked| asked.contains("subscription_preferences")).count();
    assert_eq!(times, 1);
    // A day's quota: no header. Three tries more, then it is said.
    let api = AppApi::knowing(world(), Traps::default()).await;
    api.limit("/subscription_preferences", 100, None);
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert!(ran.out.contains("quota"), "{}", ran.out);
    let times = api.asked().iter().filter(|asked| asked.contains("subscription_preferences")).count();
    assert_eq!(times, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_lead_in_a_circle_end() {
    let circle = diagnose(world(), Traps { circle: true, ..Traps::default() }, ADDRESS).await;
    assert_eq!(circle.code, 0, "{:#}", circle.json);
    assert!(circle.asked.len() < 25, "{:?}", circle.asked);
    // What was read twice counts once.
    assert!(circle.says("trigger").contains("came once"), "{}", circle.says("trigger"));
}

#[tokio::test(flavor = "multi_thread")]
async fn activities_may_come_in_any_order_and_in_pages() {
    let mut world = world();
    world.people[0].activities =
        [5_000, 900, 7_000].into_iter().map(|ago| event("user_activated", now() - ago)).collect();
    let found = diagnose(world, Traps { per_page: Some(1), ..Traps::default() }, ADDRESS).await;
    is_fine(&found);
    let newest = jiff::Timestamp::from_second(now() - 900).expect("a time");
    let clocks = [newest, newest - jiff::SignedDuration::from_secs(20)].map(|at| at.strftime("%H:%M UTC").to_string());
    let says = found.says("trigger");
    assert!(says.contains("came 3 times") && clocks.iter().any(|clock| says.contains(clock)), "{says}");
    assert_eq!(
        found.asked.iter().filter(|asked| asked.contains("name=user_activated")).count(),
        3,
        "{:?}",
        found.asked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_that_is_too_long_is_incomplete_and_not_empty() {
    let mut world = world();
    world.people[0].messages.clear();
    world.people[0].activities = (0..9).map(|n| event(&format!("other {n}"), now() - n)).collect();
    let long = diagnose(world, Traps { per_page: Some(1), ..Traps::default() }, ADDRESS).await;
    assert_eq!(long.step("trigger")["verdict"], "not_known", "{:#}", long.json);
    assert_eq!(long.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_ios_own_ids_are_taken_with_and_without_their_prefix() {
    for name in ["cio_d9c106000075", "d9c106000075"] {
        let found = diagnose(world(), Traps::default(), name).await;
        is_fine(&found);
        assert_eq!(found.json["person"], "[id]");
        assert!(
            found.asked.iter().any(|asked| asked.contains("/cio_d9c106000075/attributes?id_type=cio_id")),
            "{:?}",
            found.asked
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_number_is_asked_for_as_one() {
    let found = diagnose(world(), Traps::default(), "+1 555 0100117").await;
    is_fine(&found);
    assert_eq!(found.json["person"], "[number]");
    assert!(
        found.asked.iter().any(|asked| asked.contains("/%2B15550100117/attributes?id_type=phone")),
        "{:?}",
        found.asked
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_identifies_people_by_id_is_asked_by_customer_ios_own() {
    let traps = Traps { ids_only: true, ..Traps::default() };
    is_fine(&diagnose(world(), traps, ADDRESS).await);
    // By phone number there is no other way: it is said.
    let refused = diagnose(world(), traps, "+15550100117").await;
    assert_eq!(refused.step("profile")["verdict"], "not_known", "{:#}", refused.json);
    assert!(refused.says("profile").contains("ask with --person ID"), "{}", refused.says("profile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_may_be_null() {
    let mut world = world();
    world.people[0].topics.clear();
    world.people[0].devices.clear();
    is_fine(&diagnose(world, Traps { null_lists: true, ..Traps::default() }, ADDRESS).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_have_no_id_or_no_address() {
    let mut by_address = world();
    by_address.people[0].id = None;
    is_fine(&diagnose(by_address, Traps::default(), ADDRESS).await);
    let mut by_id = world();
    by_id.people[0].email = None;
    by_id.people[0].attributes = json!({"phone": "+15550100117"});
    by_id.actions.insert(5, vec![action(97, "twilio", "Text")]);
    let found = diagnose(by_id, Traps::default(), "u_lovelace_117").await;
    assert_eq!((found.code, found.with("not_known")), (0, vec!["suppression"]), "{:#}", found.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apis_own_words_are_those_of_webhooks() {
    let mut world = world();
    let mut text = message(now(), json!({"created": now() - 600, "suppressed": now() - 590}), None);
    text["type"] = json!("twilio");
    world.people[0].messages = vec![text];
    world.actions.insert(5, vec![action(96, "twilio", "Text")]);
    let dropped = diagnose(world, Traps::default(), ADDRESS).await;
    assert_eq!(dropped.with("cause"), ["message"], "{:#}", dropped.json);
    assert!(dropped.says("message").starts_with("The SMS \"Text\" was not sent: the recipient is suppressed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_exact_name_counts() {
    let mut world = world();
    world.people[0].messages.clear();
    world.people[0].activities = vec![event("USER_ACTIVATED", now() - 60)];
    let near = diagnose(world, Traps::default(), ADDRESS).await;
    assert_eq!(near.with("cause"), ["trigger"], "{:#}", near.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_asked_for_within_the_allowed_span() {
    let found = diagnose(world(), Traps::default(), ADDRESS).await;
    let asked = found.asked.iter().find(|asked| asked.contains("/messages?")).expect("asked");
    let time = |key: &str| -> i64 {
        let value = asked.split(['?', '&']).find_map(|part| part.strip_prefix(key)).expect("a time");
        value.parse().expect("seconds")
    };
    let span = time("end_ts=") - time("start_ts=");
    // At most six months are allowed.
    assert_eq!(span, 30 * 86_400);
    assert!(found.json["steps"].as_array().is_some_and(|steps| steps.iter().all(|step| step["title"] != Value::Null)));
}
