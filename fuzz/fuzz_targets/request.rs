//! Anything at all at the webhook's door: headers and body, once as they come and once signed with our key. Nothing
//! panics, a signature of ours is taken, and one for other bytes is not.

#![no_main]

use std::sync::LazyLock;

use cio_alert_bridge::config::secrets::Secret;
use cio_alert_bridge::customerio::signature::{Authentic, Keys, Refused, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

static SECRET: LazyLock<Secret> = LazyLock::new(|| Secret::new("the-signing-key-of-this-fuzzer"));
static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new([&Secret::new("an-older-key"), &*SECRET]));

fuzz_target!(|data: &[u8]| {
    #[cfg(feature = "aws")]
    envelope(data);

    // Header lines, an empty line, the body: as HTTP writes it.
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (&data[..0], data),
    };
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()))
        {
            headers.append(name, value);
        }
    }
    let _ = taken(&headers, &[body]);

    let stamp = headers.get(TIMESTAMP_HEADER).and_then(|value| value.to_str().ok()).unwrap_or("1764000000");
    let Ok(stamp) = HeaderValue::from_str(stamp) else { return };
    let text = stamp.to_str().unwrap_or_default().to_owned();
    let signature = sign(&SECRET, &text, body);
    let mut signed = HeaderMap::new();
    signed.insert(TIMESTAMP_HEADER, stamp);
    signed.insert(SIGNATURE_HEADER, signature.parse().expect("hex is a header"));
    let middle = body.len() / 2;
    match taken(&signed, &[&body[..middle], &body[middle..]]) {
        Ok(authentic) => assert_eq!(authentic.length(), body.len() as u64),
        Err(Refused::Malformed(_)) => return,
        Err(refused) => panic!("our own signature was refused: {refused}"),
    }
    assert!(matches!(taken(&signed, &[body, b" "]), Err(Refused::NoMatch)), "one byte more, and still authentic");
});

fn taken(headers: &HeaderMap, chunks: &[&[u8]]) -> Result<Authentic, Refused> {
    let mut verifier = KEYS.begin(headers)?;
    chunks.iter().for_each(|chunk| verifier.update(chunk));
    verifier.finish()
}

/// The envelope of a Function URL, its body in base64 perhaps.
#[cfg(feature = "aws")]
fn envelope(data: &[u8]) {
    use cio_alert_bridge::lambda::url::Request;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(request) = Request::read(text, jiff::Timestamp::UNIX_EPOCH) else { return };
    let head = request.head();
    if let Ok(mut verifier) = KEYS.begin(head.headers) {
        let _ = request.feed(|bytes| verifier.update(bytes));
        let _ = verifier.finish();
    }
}
