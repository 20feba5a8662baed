use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::message::Phase;
use crate::receivers::testing::{StandIn, kind_of, message, now};

const PATH: &str = "/services/T0000/B0000/s3cretpart";

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(now()))
}

fn webhook(server: &StandIn) -> SlackWebhook {
    SlackWebhook::new(Client::new(), clock(), Secret::new(server.url(PATH)), None).unwrap()
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
