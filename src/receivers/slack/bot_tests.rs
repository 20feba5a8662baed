use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::clock::ManualClock;
use crate::receivers::testing::{Seen, StandIn, kind_of, message, now};

const TOKEN: &str = "xoxb-s3cret-token";

/// What Slack answers to a post of the channel's first message.
const POSTED: (u16, &str) = (200, r#"{"ok":true,"channel":"C0123","ts":"1.0"}"#);
const ELSEWHERE: (u16, &str) = (200, r#"{"ok":true,"channel":"C0456","ts":"9.0"}"#);
const DONE: (u16, &str) = (200, r#"{"ok":true}"#);

fn bot_in(server: &StandIn, channel: &str, token: &str) -> SlackBot {
    let clock = Arc::new(ManualClock::at(now()));
    SlackBot::new(Client::new(), clock, &server.url(""), Secret::new(token), channel.into()).unwrap()
}

fn bot(server: &StandIn) -> SlackBot {
    bot_in(server, "#alerts", TOKEN)
}

fn refused(code: &str) -> String {
    format!(r#"{{"ok":false,"error":"{code}"}}"#)
}

/// The receipt of an opening that [`bot`] posted.
async fn opened(server: &StandIn, bot: &SlackBot) -> Receipt {
    server.script(&[POSTED]);
    let receipt = delivered(bot.send(&message(Phase::Opened), None).await);
    server.requests();
    receipt
}

fn delivered(outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Delivered(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

/// What a call was: `post`, `post plain`, `update`, `update plain`, `reply`, `reply to all`.
fn call(seen: &Seen) -> String {
    let body = seen.json();
    assert_eq!(seen.header("authorization"), Some("Bearer xoxb-s3cret-token"));
    assert!(body["text"].as_str().is_some_and(|t| !t.is_empty()), "the top-level text is always there");
    assert!(body.get("link_names").is_none());
    assert_eq!((&body["unfurl_links"], &body["unfurl_media"]), (&json!(false), &json!(false)));
    let has_blocks = body["blocks"].as_array().is_some_and(|b| !b.is_empty());
    match (seen.path.as_str(), &body["thread_ts"], &body["reply_broadcast"]) {
        (UPDATE, Value::Null, Value::Null) => {
            assert_eq!(body["parse"], "none");
            assert!(body["blocks"].is_array(), "an update without blocks keeps the old ones");
            if has_blocks { "update".into() } else { "update plain".into() }
        }
        (POST_MESSAGE, Value::Null, Value::Null) => {
            if has_blocks {
                "post".into()
            } else {
                "post plain".into()
            }
        }
        (POST_MESSAGE, Value::String(_), Value::Bool(to_all)) => {
            assert!(!has_blocks);
            if *to_all { "reply to all".into() } else { "reply".into() }
        }
        other => panic!("{other:?}"),
    }
}

fn calls(server: &StandIn) -> String {
    server.requests().iter().map(call).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn each_phase_makes_its_calls_and_keeps_the_one_message() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    assert_eq!((parent.id.as_deref(), parent.place.as_deref()), (Some("1.0"), Some("C0123")));
    for (phase, want) in [
        (Phase::Updated, "update"),
        (Phase::Worsened, "update, reply to all"),
        (Phase::StillOpen, "update, reply"),
        (Phase::Resolved, "update, reply"),
    ] {
        server.answer(200, &[], DONE.1);
        let receipt = delivered(bot.send(&message(phase), Some(&parent)).await);
        assert_eq!(receipt, parent, "{phase:?}");
        let seen = server.requests();
        assert_eq!(seen.iter().map(call).collect::<Vec<_>>().join(", "), want, "{phase:?}");
        assert_eq!((&seen[0].json()["channel"], &seen[0].json()["ts"]), (&json!("C0123"), &json!("1.0")));
        for reply in seen.iter().skip(1).map(Seen::json) {
            assert_eq!((&reply["channel"], &reply["thread_ts"]), (&json!("C0123"), &json!("1.0")));
        }
    }
    for phase in [Phase::Opened, Phase::OpenedAndResolved, Phase::Digest, Phase::Test] {
        server.script(&[ELSEWHERE]);
        let receipt = delivered(bot.send(&message(phase), Some(&parent)).await);
        assert_eq!((receipt.id.as_deref(), receipt.place.as_deref()), (Some("9.0"), Some("C0456")), "{phase:?}");
        assert_eq!(
            server.requests().iter().map(|s| (call(s), s.json()["channel"].clone())).collect::<Vec<_>>(),
            [("post".to_owned(), json!("#alerts"))]
        );
    }
}

/// What an answer means for a post, for an edit of new numbers, for an edit with news, and for a reply: the calls that
/// it leads to (the answer is given to the first post, to the update, or to the reply), and the outcome.
#[rustfmt::skip]
const ANSWERS: &[(u16, &str, &str, &str, &str, &str)] = &[
    (200, "ratelimited",             "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (200, "rate_limited",            "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (200, "internal_error",          "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (200, "fatal_error",             "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (200, "update_failed",           "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (200, "invalid_blocks",          "post, post plain: delivered",     "update, update plain: delivered", "update, update plain, reply: delivered", "update, reply: bad message"),
    (200, "msg_blocks_too_long",     "post, post plain: delivered",     "update, update plain: delivered", "update, update plain, reply: delivered", "update, reply: bad message"),
    (200, "message_not_found",       "post: bad message",               "update, post: anew",             "update, post: anew",             "update, reply, post: anew"),
    (200, "msg_not_found",           "post: bad message",               "update, post: anew",             "update, post: anew",             "update, reply, post: anew"),
    (200, "thread_not_found",        "post: bad message",               "update, post: anew",             "update, post: anew",             "update, reply, post: anew"),
    (200, "cant_update_message",     "post: bad message",               "update: delivered",              "update, post: anew",             "update, reply, post: anew"),
    (200, "edit_window_closed",      "post: bad message",               "update: delivered",              "update, post: anew",             "update, reply, post: anew"),
    (200, "block_mismatch",          "post: bad message",               "update: delivered",              "update, post: anew",             "update, reply, post: anew"),
    (200, "restricted_action_thread_locked", "post: bad message",       "update: delivered",              "update, post: anew",             "update, reply, post: anew"),
    (200, "a_new_word",              "post: bad message",               "update: delivered",              "update, post: anew",             "update, reply, post: anew"),
    (200, "channel_not_found",       "post: bad receiver",              "update, post: anew",             "update, post: anew",             "update, reply, post: anew"),
    (200, "is_archived",             "post: bad receiver",              "update, post: anew",             "update, post: anew",             "update, reply, post: anew"),
    (200, "no_text",                 "post: bad message",               "update: bad message",            "update: bad message",            "update, reply: bad message"),
    (200, "invalid_auth",            "post: bad receiver",              "update: bad receiver",           "update: bad receiver",           "update, reply: bad receiver"),
    (200, "missing_scope",           "post: bad receiver",              "update: bad receiver",           "update: bad receiver",           "update, reply: bad receiver"),
    (200, "xoxb-s3cret-token",       "post: bad receiver",              "update: bad receiver",           "update: bad receiver",           "update, reply: bad receiver"),
    (401, "",                        "post: bad receiver",              "update: bad receiver",           "update: bad receiver",           "update, reply: bad receiver"),
    (404, "",                        "post: bad receiver",              "update: bad receiver",           "update: bad receiver",           "update, reply: bad receiver"),
    (413, "",                        "post: bad message",               "update: bad message",            "update: bad message",            "update, reply: bad message"),
    (429, "",                        "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (500, "fatal_error",             "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
    (503, "",                        "post: retry",                     "update: retry",                  "update: retry",                  "update, reply: retry"),
];

#[tokio::test]
async fn each_answer_means_what_slack_says_it_means() {
    let server = StandIn::start().await;
    for (status, code, posting, updating, editing, replying) in ANSWERS {
        let answer = refused(code);
        let bad = (*status, if code.is_empty() { "" } else { &*answer });
        for (phase, script, want) in [
            (Phase::Opened, vec![bad, ELSEWHERE], posting),
            (Phase::Updated, vec![bad, ELSEWHERE], updating),
            (Phase::Resolved, vec![bad, ELSEWHERE, ELSEWHERE], editing),
            (Phase::Resolved, vec![DONE, bad, ELSEWHERE], replying),
        ] {
            let bot = bot(&server);
            let parent = opened(&server, &bot).await;
            server.script(&script);
            let outcome = bot.send(&message(phase), Some(&parent)).await;
            let shown = format!("{outcome:?}");
            assert!(!shown.contains("s3cret") && !shown.contains("127.0.0.1"), "{shown}");
            let kind = match &outcome {
                Outcome::Delivered(new) if phase != Phase::Opened && *new != parent => {
                    assert_eq!((new.id.as_deref(), new.place.as_deref()), (Some("9.0"), Some("C0456")));
                    "anew"
                }
                outcome => kind_of(outcome),
            };
            assert_eq!(&format!("{}: {kind}", calls(&server)), want, "{status} {code} {phase:?}");
        }
    }
}

#[tokio::test]
async fn a_reply_that_fails_is_tried_again_after_the_same_edit_and_never_makes_a_second_parent() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    server.script(&[DONE, (503, ""), DONE, DONE]);
    assert_eq!(kind_of(&bot.send(&message(Phase::Resolved), Some(&parent)).await), "retry");
    assert_eq!(delivered(bot.send(&message(Phase::Resolved), Some(&parent)).await), parent);
    let seen = server.requests();
    assert_eq!(seen.iter().map(call).collect::<Vec<_>>(), ["update", "reply", "update", "reply"]);
    assert_eq!(seen[0].json(), seen[2].json(), "an edit is the same however often it is made");
}

#[tokio::test]
async fn what_another_token_or_channel_posted_is_left_alone() {
    let server = StandIn::start().await;
    let parent = opened(&server, &bot(&server)).await;
    for (other, token) in [(bot_in(&server, "#other", TOKEN), TOKEN), (bot_in(&server, "#alerts", "xoxb-2"), "xoxb-2")]
    {
        for phase in [Phase::Updated, Phase::Worsened, Phase::StillOpen, Phase::Resolved] {
            server.script(&[ELSEWHERE]);
            let receipt = delivered(other.send(&message(phase), Some(&parent)).await);
            assert_eq!(receipt.id.as_deref(), Some("9.0"));
            let seen = server.requests();
            assert_eq!((seen.len(), seen[0].path.as_str()), (1, POST_MESSAGE));
            assert_eq!(seen[0].header("authorization"), Some(&*format!("Bearer {token}")));
        }
    }
}

#[tokio::test]
async fn a_receipt_without_a_place_is_looked_for_in_the_configured_channel() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = Receipt { place: None, ..opened(&server, &bot).await };
    server.script(&[(200, r#"{"ok":false,"error":"channel_not_found"}"#), POSTED]);
    assert_eq!(delivered(bot.send(&message(Phase::Updated), Some(&parent)).await).place.as_deref(), Some("C0123"));
    assert_eq!(server.requests()[0].json()["channel"], "#alerts");
}

#[tokio::test]
async fn a_limit_on_updates_is_waited_out_and_holds_up_no_post() {
    let server = StandIn::start().await;
    for (headers, body) in
        [(&[("retry-after", "7")][..], ""), (&[], r#"{"ok":false,"error":"ratelimited","retry_after":7}"#)]
    {
        let bot = bot(&server);
        let parent = opened(&server, &bot).await;
        server.answer(if body.is_empty() { 429 } else { 200 }, headers, body);
        for want in ["update", ""] {
            let outcome = bot.send(&message(Phase::Updated), Some(&parent)).await;
            assert!(matches!(outcome, Outcome::Retry { after: Some(wait), .. } if wait == Duration::from_secs(7)));
            assert_eq!(calls(&server), want, "nothing is sent before the time is over");
        }
        server.script(&[ELSEWHERE]);
        assert_eq!(kind_of(&bot.send(&message(Phase::Opened), None).await), "delivered");
    }
}

#[tokio::test]
async fn a_limit_on_posts_holds_up_a_resolve_before_its_edit_and_no_new_numbers() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    server.answer(429, &[("retry-after", "3")], "");
    assert_eq!(kind_of(&bot.send(&message(Phase::Opened), None).await), "retry");
    server.answer(200, &[], DONE.1);
    server.requests();
    let resolve = bot.send(&message(Phase::Resolved), Some(&parent)).await;
    assert!(matches!(resolve, Outcome::Retry { after: Some(wait), .. } if wait == Duration::from_secs(3)));
    assert_eq!(calls(&server), "");
    assert_eq!(delivered(bot.send(&message(Phase::Updated), Some(&parent)).await), parent);
}

#[tokio::test]
async fn fifty_updates_go_out_at_once_and_the_next_waits_without_a_call() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    server.answer(200, &[], DONE.1);
    for _ in 0..50 {
        assert_eq!(delivered(bot.send(&message(Phase::Updated), Some(&parent)).await), parent);
    }
    let outcome = bot.send(&message(Phase::Updated), Some(&parent)).await;
    assert!(matches!(outcome, Outcome::Retry { after: Some(wait), .. } if wait == Duration::from_secs(60)));
    assert_eq!(server.requests().len(), 50);
}

#[tokio::test]
async fn a_slack_that_hangs_is_given_up_in_time_and_tried_again() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    let earlier = bot.earlier(Phase::Resolved, Some(&parent)).unwrap();
    server.hang();
    let began = Instant::now();
    let outcome = bot.go_on(&message(Phase::Resolved), &earlier, began + Duration::from_millis(700)).await;
    assert!(matches!(&outcome, Err(Outcome::Retry { after: None, why }) if why.contains("no answer")), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(calls(&server), "update", "what was not heard is not gone on from");
}

#[tokio::test]
async fn a_reply_that_could_not_be_heard_out_is_not_begun() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    let earlier = bot.earlier(Phase::Resolved, Some(&parent)).unwrap();
    server.answer(200, &[], DONE.1);
    let outcome = bot.go_on(&message(Phase::Resolved), &earlier, Instant::now() + Duration::from_millis(400)).await;
    assert!(matches!(outcome, Err(Outcome::Retry { after: None, .. })), "{outcome:?}");
    assert_eq!(calls(&server), "");
}

#[tokio::test]
async fn who_hears_it_in_another_receivers_place_is_told_so_aloud() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let parent = opened(&server, &bot).await;
    server.answer(200, &[], DONE.1);
    let note = "Sent here because the receiver \"on-call\" did not take it: 400".to_owned();
    let message = Message { note: Some(note.clone()), ..message(Phase::StillOpen) };
    assert_eq!(delivered(bot.send(&message, Some(&parent)).await), parent);
    let seen = server.requests();
    assert_eq!(seen.iter().map(call).collect::<Vec<_>>(), ["update", "reply to all"]);
    assert!(seen[1].json()["text"].as_str().is_some_and(|t| t.contains(&note)));
}

#[test]
fn a_base_address_may_name_the_method_already() {
    let server = |base| {
        let clock = Arc::new(ManualClock::at(now()));
        let bot = SlackBot::new(Client::new(), clock, base, Secret::new(TOKEN), "C1".into()).unwrap();
        (bot.post.url.to_string(), bot.update.url.to_string())
    };
    let want = ("https://s.example/api/chat.postMessage".to_owned(), "https://s.example/api/chat.update".to_owned());
    for base in ["https://s.example", "https://s.example/", "https://s.example/api/chat.postMessage"] {
        assert_eq!(server(base), want, "{base}");
    }
}
