//! Every row of the table "Answers on the webhook path": a wrong status stalls the sender for an hour (law 2).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Request;

use crate::support::http::raw_signature;
use crate::support::serve::{SIGNING_KEY, WEBHOOK};
use crate::support::{Answer, Serve, Setup, World, failed_email, signature};

fn assert_taken(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{what}");
}

fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}");
    let seconds = answer.header("retry-after").and_then(|v| v.parse::<u32>().ok());
    assert!(seconds.is_some_and(|s| s > 0), "{what}: Retry-After in seconds, not {:?}", answer.headers);
}

/// A post with these headers and nothing else.
async fn post(serve: &Serve, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = Request::post(serve.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    serve.http.send(request.body(body.to_vec()).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentic_request_is_taken_on_any_path() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    for path in [WEBHOOK, "/", "/webhooks/customerio/", "/counts-of-old", "/wh?x=1", "/a%20b/%ff"] {
        let body = failed_email().bytes();
        assert_taken(&serve.http.send(serve.signed(path, SIGNING_KEY, &body)).await, path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentic_request_is_taken_whatever_it_holds() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    let event = String::from_utf8(failed_email().bytes()).expect("UTF-8");
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested_event = event.replacen("\"data\":", &format!("\"deep\":{nested},\"data\":"), 1);
    let large = event.replacen("\"data\":", &format!("\"content\":\"{}\",\"data\":", "x".repeat(10 << 20)), 1);
    let numbers = r#"{"event_id":123456789012345678901234567890,"object_type":"email","metric":"failed",
        "timestamp":1e400,"data":{"campaign_id":-99999999999999999999999,"action_id":0.1}}"#;
    let far_away = r#"{"event_id":"far","object_type":"email","metric":"failed","timestamp":9223372036854775807}"#;
    let cases: &[(&str, &[u8])] = &[
        ("an event", event.as_bytes()),
        ("the same again", event.as_bytes()),
        ("cut short", &event.as_bytes()[..event.len() / 2]),
        ("not UTF-8", b"{\"event_id\":\"\xff\xfe\",\"object_type\":\"email\",\"metric\":\"failed\"}"),
        ("empty", b""),
        ("zero bytes", &[0; 64]),
        ("no JSON at all", b"<html>hello</html>"),
        ("a number", b"7"),
        ("null", b"null"),
        ("an empty object", b"{}"),
        ("an array of events and rubbish", format!("[{event},7,null,[]]").leak().as_bytes()),
        ("deeply nested", nested.as_bytes()),
        ("deeply nested inside an event", nested_event.as_bytes()),
        ("10 MB", large.as_bytes()),
        ("huge numbers", numbers.as_bytes()),
        ("the end of time", far_away.as_bytes()),
        ("a metric nobody knows", br#"{"event_id":"m","object_type":"fax","metric":"jammed","timestamp":1}"#),
        ("a time before time", br#"{"event_id":"n","object_type":"email","metric":"failed","timestamp":-1}"#),
    ];
    for (what, body) in cases {
        let answer = serve.http.try_send(serve.signed(WEBHOOK, SIGNING_KEY, body)).await;
        assert_taken(&answer.unwrap_or_else(|error| panic!("{what}: {error}")), what);
    }
    assert_taken(&serve.post(&failed_email()).await, "and an event after all that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_authentic_by_its_bytes_not_by_its_age() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    for (what, stamp) in [("six days ago", -6 * 86_400), ("a year ago", -365 * 86_400), ("tomorrow", 86_400)] {
        let stamp = (serve.clock.now().as_second() + stamp).to_string();
        let body = failed_email().bytes();
        let signed = signature(SIGNING_KEY, &stamp, &body);
        let headers = [("x-cio-timestamp", stamp.as_str()), ("x-cio-signature", signed.as_str())];
        assert_taken(&post(&serve, WEBHOOK, &headers, &body).await, what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_refused() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    let body = failed_email().bytes();
    let stamp = serve.clock.now().as_second().to_string();
    let good = signature(SIGNING_KEY, &stamp, &body);
    let next_second = (serve.clock.now().as_second() + 1).to_string();
    let changed = [&body[..], b" "].concat();
    let base64 = STANDARD.encode(raw_signature(SIGNING_KEY, &stamp, &body));
    let other_key = signature("another-key", &stamp, &body);
    let prefixed = format!("v0={good}");
    let not_hex = "z".repeat(64);
    let (t, s) = ("x-cio-timestamp", "x-cio-signature");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Headers, &[u8])] = &[
        ("another key", &[(t, &stamp), (s, &other_key)], &body),
        ("one byte more", &[(t, &stamp), (s, &good)], &changed),
        ("another second", &[(t, &next_second), (s, &good)], &body),
        ("base64", &[(t, &stamp), (s, &base64)], &body),
        ("a prefix", &[(t, &stamp), (s, &prefixed)], &body),
        ("cut short", &[(t, &stamp), (s, &good[..40])], &body),
        ("an odd length", &[(t, &stamp), (s, &good[..63])], &body),
        ("not hex", &[(t, &stamp), (s, &not_hex)], &body),
        ("an empty signature", &[(t, &stamp), (s, "")], &body),
        ("no signature", &[(t, &stamp)], &body),
        ("no time stamp", &[(s, &good)], &body),
        ("two signatures that differ", &[(t, &stamp), (s, &good), (s, &other_key)], &body),
        ("neither header", &[], &body),
    ];
    for (what, headers, body) in cases {
        assert_eq!(post(&serve, WEBHOOK, headers, body).await.status, 401, "{what}");
    }
    assert_eq!(post(&serve, "/somewhere/else", &[], &body).await.status, 404, "unsigned, wrong path");
    assert_eq!(serve.get("/somewhere/else").await.status, 404, "unsigned, wrong path");
    assert_eq!(serve.get(WEBHOOK).await.status, 405, "unsigned, wrong method");
    assert_eq!(post(&serve, WEBHOOK, &[], &vec![b'x'; 10 << 20]).await.status, 401, "unsigned, 10 MB");
    assert_taken(&serve.post(&failed_email()).await, "and an authentic one after all that");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_previous_key_still_verifies() {
    let world = World::new().await;
    let serve = world.setup("").env("CIO_SIGNING_KEY_PREVIOUS", "the-old-key").start().await;
    for key in [SIGNING_KEY, "the-old-key"] {
        let body = failed_email().bytes();
        assert_taken(&serve.http.send(serve.signed(WEBHOOK, key, &body)).await, key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_it_starts_and_answers_503() {
    let world = World::new().await;
    let serve = world.setup("").without("CIO_SIGNING_KEY").start().await;
    assert_unavailable(&serve.post(&failed_email()).await, "no key loaded");
    assert_eq!(serve.get("/healthz").await.status, 200);
    assert!(serve.stderr().contains("CIO_SIGNING_KEY"), "says which one is missing:\n{}", serve.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_broken_configuration_it_starts_and_answers_503() {
    for broken in ["[workspace]\nname = \n", "[workspace]\nname = \"acme\"\nnonsense = 1\n"] {
        let serve = Setup::new(broken).start().await;
        assert_unavailable(&serve.post(&failed_email()).await, broken);
        assert_eq!(serve.get("/healthz").await.status, 200);
        assert_ne!(serve.get("/readyz").await.status, 200);
        assert!(serve.stderr().contains("bridge.toml:"), "says where it is broken:\n{}", serve.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_well() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    assert_eq!(serve.get("/healthz").await.status, 200);
    assert_eq!(serve.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_well_before_the_sender_gives_up() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    for _ in 0..50 {
        let began = Instant::now();
        assert_taken(&serve.post(&failed_email()).await, "an event");
        assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_within_a_second() {
    let world = World::new().await;
    let setup = world.setup("");
    let mut best = Duration::MAX; // of three: the other tests keep the machine busy
    for _ in 0..3 {
        let serve = setup.start().await;
        best = best.min(serve.clock.ready.duration_since(serve.clock.spawned));
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}
