use super::*;
use crate::clock::ManualClock;
use crate::receivers::testing::{StandIn, kind_of, message, now};

const PATH: &str = "/services/T0000/B0000/s3cretpart";
const TOKEN: &str = "xoxb-s3cret-token";

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(now()))
}

fn webhook(server: &StandIn) -> SlackWebhook {
    SlackWebhook::new(Client::new(), clock(), Secret::new(server.url(PATH)), None).unwrap()
}

fn bot(server: &StandIn) -> SlackBot {
    SlackBot::new(Client::new(), clock(), &server.url(""), Secret::new(TOKEN), "C0123".into()).unwrap()
}

#[tokio::test]
async fn each_answer_to_a_webhook_means_what_slack_says_it_means() {
    let server = StandIn::start().await;
    let echo = format!("cannot POST {PATH}");
    for (status, body, want, calls) in [
        (200, "ok", "delivered", 1),
        (200, "", "delivered", 1),
        (204, "", "delivered", 1),
        (200, r#"{"ok":true}"#, "delivered", 1),
        (200, r#"{"ok":false,"error":"channel_not_found"}"#, "bad receiver", 1),
        (200, "invalid_token", "bad receiver", 1),
        (200, "some_new_code", "bad message", 1),
        (200, "<html>log in</html>", "bad receiver", 1),
        (302, "", "bad receiver", 1),
        (400, "invalid_payload", "bad message", 2),
        (400, "invalid_blocks", "bad message", 2),
        (400, "invalid_attachments", "bad message", 2),
        (400, "no_text", "bad message", 1),
        (400, "invalid_token", "bad receiver", 1),
        (400, echo.as_str(), "bad message", 1),
        (401, "", "bad receiver", 1),
        (403, "action_prohibited", "bad receiver", 1),
        (403, "s3cretpart", "bad receiver", 1),
        (404, "no_service", "bad receiver", 1),
        (404, echo.as_str(), "bad receiver", 1),
        (408, "", "retry", 1),
        (410, "channel_is_archived", "bad receiver", 1),
        (413, "", "bad message", 1),
        (429, r#"{"retry_after":1,"ok":false,"error":"rate_limited"}"#, "retry", 1),
        (500, "rollup_error", "retry", 1),
        (502, echo.as_str(), "retry", 1),
        (503, "no_service", "retry", 1),
    ] {
        server.answer(status, &[], body);
        let outcome = webhook(&server).send(&message(Phase::Opened), None).await;
        assert_eq!(kind_of(&outcome), want, "{status} {body}");
        let shown = format!("{outcome:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("127.0.0.1"), "{shown}");
        let requests = server.requests();
        assert_eq!(requests.len(), calls, "{status} {body}");
        assert_eq!(requests[0].path, PATH);
        if calls == 2 {
            assert!(requests[1].json().get("blocks").is_none(), "the second try is plain text");
        }
    }
}

#[tokio::test]
async fn each_answer_to_a_bot_means_what_slack_says_it_means() {
    let server = StandIn::start().await;
    for (status, body, want, calls) in [
        (200, r#"{"ok":true,"channel":"C0123","ts":"1.2"}"#, "delivered", 1),
        (200, r#"{"ok":false,"error":"ratelimited"}"#, "retry", 1),
        (200, r#"{"ok":false,"error":"internal_error"}"#, "retry", 1),
        (200, r#"{"ok":false,"error":"invalid_blocks"}"#, "bad message", 2),
        (200, r#"{"ok":false,"error":"msg_blocks_too_long"}"#, "bad message", 2),
        (200, r#"{"ok":false,"error":"invalid_auth"}"#, "bad receiver", 1),
        (200, r#"{"ok":false,"error":"not_in_channel"}"#, "bad receiver", 1),
        (200, r#"{"ok":false,"error":"xoxb-s3cret-token"}"#, "bad receiver", 1),
        (401, "", "bad receiver", 1),
        (429, "", "retry", 1),
        (503, "", "retry", 1),
    ] {
        server.answer(status, &[], body);
        let outcome = bot(&server).send(&message(Phase::Opened), None).await;
        assert_eq!(kind_of(&outcome), want, "{status} {body}");
        assert!(!format!("{outcome:?}").contains("s3cret"), "{outcome:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), calls, "{status} {body}");
        assert_eq!(requests[0].path, POST_MESSAGE);
        assert_eq!(requests[0].header("authorization"), Some("Bearer xoxb-s3cret-token"));
        assert_eq!(requests[0].json()["channel"], "C0123");
    }
}

#[tokio::test]
async fn what_slack_refuses_as_blocks_it_gets_once_more_as_text() {
    let server = StandIn::start().await;
    server.script(&[(400, "invalid_blocks"), (200, "ok")]);
    assert_eq!(kind_of(&webhook(&server).send(&message(Phase::Opened), None).await), "delivered");
    let sent = server.requests();
    assert!(sent[0].json()["blocks"].is_array());
    assert!(sent[1].json()["text"].as_str().is_some_and(|t| t.contains("Check first")));
}

#[tokio::test]
async fn a_limit_is_waited_out_and_nothing_is_sent_before() {
    let server = StandIn::start().await;
    for (headers, body, want) in [
        (&[("retry-after", "7")][..], "", 7),
        (&[], r#"{"retry_after":3,"ok":false,"error":"rate_limited"}"#, 3),
        (&[], "", 30),
    ] {
        server.answer(429, headers, body);
        let webhook = webhook(&server);
        for calls in [1, 0] {
            let Outcome::Retry { after, .. } = webhook.send(&message(Phase::Opened), None).await else {
                panic!("not a retry")
            };
            assert_eq!(after, Some(Duration::from_secs(want)));
            assert_eq!(server.requests().len(), calls);
        }
    }
}

#[tokio::test]
async fn a_burst_of_thirty_goes_out_and_the_next_waits_without_a_call() {
    let server = StandIn::start().await;
    server.answer(200, &[], "ok");
    let webhook = webhook(&server);
    for _ in 0..30 {
        assert_eq!(kind_of(&webhook.send(&message(Phase::Opened), None).await), "delivered");
    }
    let outcome = webhook.send(&message(Phase::Opened), None).await;
    assert!(matches!(outcome, Outcome::Retry { after: Some(wait), .. } if wait == Duration::from_secs(30)));
    assert_eq!(server.requests().len(), 30);
}

#[tokio::test]
async fn a_bot_keeps_an_incident_in_one_thread() {
    let server = StandIn::start().await;
    let bot = bot(&server);
    let sent = async |phase, previous: Option<&Receipt>| match bot.send(&message(phase), previous).await {
        Outcome::Delivered(receipt) => receipt,
        other => panic!("{other:?}"),
    };
    server.script(&[
        (200, r#"{"ok":true,"ts":"1.0"}"#),
        (200, r#"{"ok":true,"ts":"2.0"}"#),
        (200, r#"{"ok":true,"ts":"3.0"}"#),
        (200, r#"{"ok":true,"ts":"4.0"}"#),
        (200, r#"{"ok":false,"error":"thread_not_found"}"#),
        (200, r#"{"ok":true,"ts":"5.0"}"#),
        (200, r#"{"ok":true,"ts":"6.0"}"#),
    ]);
    let opened = sent(Phase::Opened, None).await;
    let reminded = sent(Phase::StillOpen, Some(&opened)).await;
    let resolved = sent(Phase::Resolved, Some(&reminded)).await;
    let again = sent(Phase::Opened, Some(&resolved)).await;
    let orphan = sent(Phase::Resolved, Some(&again)).await;
    let moved = Receipt { credential: Some("0000000000000000".into()), ..opened.clone() };
    sent(Phase::Resolved, Some(&moved)).await;
    let ids = [&opened, &reminded, &resolved, &again, &orphan].map(|r| r.id.as_deref().unwrap_or_default());
    assert_eq!(ids, ["1.0", "1.0", "1.0", "4.0", "5.0"]);
    let threads: Vec<(Value, Value)> =
        server.requests().iter().map(|r| (r.json()[THREAD].clone(), r.json()[BROADCAST].clone())).collect();
    let none = (Value::Null, Value::Null);
    let want = vec![
        none.clone(),
        (json!("1.0"), json!(false)),
        (json!("1.0"), json!(true)),
        none.clone(),
        (json!("4.0"), json!(true)),
        none.clone(),
        none,
    ];
    assert_eq!(threads, want);
}

#[test]
fn a_webhook_moves_to_another_host_and_a_bad_address_is_not_shown() {
    let hook = |url: &str, base| {
        SlackWebhook::new(Client::new(), clock(), Secret::new(url), base).map(|w| w.0.url.to_string())
    };
    assert_eq!(
        hook("https://hooks.slack.com/services/T/B/x", Some("http://127.0.0.1:9")).as_deref(),
        Ok("http://127.0.0.1:9/services/T/B/x")
    );
    assert_eq!(hook("s3cret", None).map_err(|e| e.to_string()), Err("not an http or https address".into()));
}
