use serde_json::{Value, json};

use super::*;
use crate::config::secrets::Secret;
use crate::customerio::signature::{Keys, Refused, sign};
use crate::lambda::testing::{FUNCTION_URL, KEY};

fn t(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn sample() -> Value {
    serde_json::from_str(FUNCTION_URL).expect("json")
}

fn verified(envelope: &Value) -> Result<Vec<u8>, String> {
    let text = envelope.to_string();
    let request = Request::read(&text, t("2026-11-24T09:00:09Z")).map_err(|e| e.to_string())?;
    let head = request.head();
    let mut verifier = Keys::new([&Secret::new(KEY)]).begin(head.headers).map_err(|e| e.to_string())?;
    request.feed(|bytes| verifier.update(bytes)).map_err(|e| e.to_string())?;
    verifier.finish().map(|authentic| authentic.head().to_vec()).map_err(|e: Refused| e.to_string())
}

/// The sample with another body, signed, in base64 or as text.
fn carrying(body: &[u8], is_base64: bool) -> Value {
    let mut envelope = sample();
    let stamp = "1795510808";
    envelope["headers"]["x-cio-signature"] = json!(sign(&Secret::new(KEY), stamp, body));
    envelope["isBase64Encoded"] = json!(is_base64);
    envelope["body"] = match is_base64 {
        true => json!(BASE64.encode(body)),
        false => json!(std::str::from_utf8(body).expect("text")),
    };
    envelope
}

#[test]
fn the_sample_is_signed_as_the_sender_signs() {
    let sample = sample();
    let body = sample["body"].as_str().expect("a body");
    let stamp = sample["headers"]["x-cio-timestamp"].as_str().expect("a stamp");
    assert_eq!(sample["headers"]["x-cio-signature"], sign(&Secret::new(KEY), stamp, body.as_bytes()));
    assert_eq!(verified(&sample).as_deref(), Ok(body.as_bytes()));
}

#[test]
fn the_head_is_what_the_platform_saw() {
    let text = sample().to_string();
    let request = Request::read(&text, t("2026-11-24T09:00:09Z")).expect("a request");
    let head = request.head();
    assert_eq!((head.method, head.path), (&Method::POST, "/webhooks/customerio"));
    assert_eq!(head.peer, Some("35.188.196.183".parse().expect("an address")));
    assert_eq!(head.arrived, t("2026-11-24T09:00:08.12Z"));
    assert!(request.is_signed());
}

#[test]
fn a_body_is_verified_as_the_bytes_it_is() {
    let long = vec![b'x'; 3 * BASE64_AT_ONCE + 1];
    for body in ["", "{}", "Grüße \u{1f600} \\/ \"\n", "\u{0}\u{7f}"].map(str::as_bytes).into_iter().chain([&long[..]])
    {
        for is_base64 in [true, false] {
            assert_eq!(verified(&carrying(body, is_base64)).as_deref(), Ok(body), "{is_base64}");
        }
    }
    let not_text = [0xff, 0xfe, 0x00];
    assert_eq!(verified(&carrying(&not_text, true)).as_deref(), Ok(&not_text[..]));
    let mut without_padding = carrying(b"four", true);
    without_padding["body"] = json!("Zm91cg");
    assert_eq!(verified(&without_padding).as_deref(), Ok(&b"four"[..]));
    let mut no_body = carrying(b"", false);
    no_body["body"] = json!(null);
    assert_eq!(verified(&no_body).as_deref(), Ok(&b""[..]));
}

#[test]
fn header_names_are_read_in_any_case_and_a_doubled_header_is_malformed() {
    let with = |headers: &[(&str, &str)]| {
        let mut envelope = carrying(b"{}", false);
        let signature = envelope["headers"]["x-cio-signature"].as_str().expect("one").to_owned();
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value.replace("SIG", &signature))));
        envelope["headers"] = Value::Object(headers.collect());
        verified(&envelope).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(with(&[("X-CIO-Timestamp", "1795510808"), ("X-Cio-Signature", "SIG")]), Ok(()));
    for (headers, want) in [
        (vec![("x-cio-timestamp", "1795510808"), ("x-cio-signature", "SIG,SIG")], "signature is not 64 hex digits"),
        (vec![("x-cio-timestamp", "1795510808,1795510808"), ("x-cio-signature", "SIG")], "is not 1 to 12 digits"),
        (
            vec![("x-cio-timestamp", "1795510808"), ("x-cio-signature", "SIG"), ("X-CIO-SIGNATURE", "SIG")],
            "a header is there twice",
        ),
        (vec![("x-cio-timestamp", "1795510808"), ("x-cio-signature", "a\nb")], "signature is not 64 hex digits"),
        (vec![("x-cio-timestamp", "1795510808")], "no signature header"),
        (vec![("host", "h")], "unsigned"),
    ] {
        assert!(with(&headers).is_err_and(|error| error.ends_with(want)), "{headers:?}");
    }
}

#[test]
fn arrival_is_the_platforms_unless_its_clock_is_off() {
    let now = t("2026-11-24T09:00:20Z");
    let arrived = |epoch: Value| {
        let mut envelope = sample();
        envelope["requestContext"]["timeEpoch"] = epoch;
        Request::read(&envelope.to_string(), now).expect("a request").arrived
    };
    assert_eq!(arrived(json!(now.as_millisecond() - 2_300)), now - SignedDuration::from_millis(2_300));
    for off in [json!(null), json!(0), json!(now.as_millisecond() - 10_001), json!(now.as_millisecond() + 1)] {
        assert_eq!(arrived(off.clone()), now, "{off}");
    }
}

#[test]
fn what_is_no_request_is_said_without_repeating_it() {
    for envelope in ["null", "[]", "{}", r#"{"Records":[]}"#, r#"{"requestContext":{"http":{"method":"G T"}}}"#] {
        let error = Request::read(envelope, t("2026-11-24T09:00:00Z")).err().expect("no request");
        assert!(error.to_string().starts_with("not a Function URL request (column "), "{error}");
    }
    let mut envelope = carrying(b"{}", true);
    envelope["body"] = json!("{!");
    assert_eq!(verified(&envelope), Err("the body is not base64".into()));
}

#[test]
fn answers_are_the_platforms_json() {
    let shown = |answer: Answer| serde_json::to_string(&Reply::from(answer)).expect("json");
    insta::assert_snapshot!(shown(Answer::Taken), @r#"{"statusCode":200,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"","isBase64Encoded":false}"#);
    insta::assert_snapshot!(shown(Answer::Unavailable), @r#"{"statusCode":503,"headers":{"content-type":"text/plain; charset=utf-8","retry-after":"5"},"body":"","isBase64Encoded":false}"#);
    insta::assert_snapshot!(shown(Answer::MethodNotAllowed), @r#"{"statusCode":405,"headers":{"content-type":"text/plain; charset=utf-8","allow":"POST"},"body":"","isBase64Encoded":false}"#);
    for answer in [Answer::NotAuthentic, Answer::NotFound, Answer::TooLarge] {
        assert_eq!(Reply::from(answer).status(), answer.status());
    }
}
