//! `bridge send`: signs event files as Customer.io signs its reporting webhooks, and posts them.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::config::parse;
use crate::config::secrets::{EnvSecrets, Secret, SecretRef, Secrets};
use crate::customerio::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use crate::receivers::http::{self, Client, Failure};
use crate::steps::ingest::WEBHOOK_PATH;

/// Customer.io gives a call up after this long (journeys-webhooks.json, "Timeouts and failures").
const SENDER_PATIENCE: Duration = Duration::from_secs(4);

/// How long this command waits for an answer: longer than the sender would, so that a slow bridge is seen as slow.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sign event files as Customer.io does, and post them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge send events/email_failed.json --to http://127.0.0.1:9000
  bridge send events/*.json --now --to http://127.0.0.1:9000
  bridge send events/email_failed.json --now --repeat 3 --to http://127.0.0.1:9000
  bridge send day.jsonl --to https://bridge.example.com/webhooks/customerio --key env:STAGING_KEY
  jq -c '.' event.json | bridge send - --to http://127.0.0.1:9000

A file is one request, its bytes sent as they are; a .jsonl file is one request a line.
The same file sent twice is a duplicate and counts once; an event over 8 days old alerts nobody:
use --now for either.

Exit code: 0 every request was answered 2xx, 1 one was not, 2 bad arguments.")]
pub struct SendArgs {
    /// Event files: .json, .jsonl, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// Where to post; without a path, /webhooks/customerio is meant
    #[arg(long, value_name = "URL")]
    to: String,

    /// The key to sign with: a reference, never the key itself. Default: the first signing key of --config, else
    /// env:CIO_SIGNING_KEY
    #[arg(long, value_name = "env:NAME")]
    key: Option<String>,

    /// The bridge's configuration, for its signing key
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Make each event new: its `timestamp` becomes the current time and its `event_id` a fresh one, so that it is
    /// neither too late nor a duplicate
    #[arg(long)]
    now: bool,

    /// Send everything this many times (with --now as different events, else as duplicates)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Print the answers as one JSON array
    #[arg(long)]
    json: bool,
}

/// One request to make: its body, and the file (and line) it comes from.
#[derive(Debug, PartialEq, Eq)]
struct Post {
    origin: String,
    body: Vec<u8>,
}

/// What became of one request.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    /// The HTTP status; absent when there was no answer.
    status: Option<u16>,
    duration_ms: u64,
    ok: bool,
    /// What is wrong and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Runs the command. Nothing is sent unless every file could be read and the key is set.
pub async fn run(args: &SendArgs) -> anyhow::Result<ExitCode> {
    match prepare(args).await {
        Ok((uri, key, posts)) => send_all(args, &uri, &key, &posts).await,
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(2))
        }
    }
}

async fn prepare(args: &SendArgs) -> anyhow::Result<(Uri, Secret, Vec<Post>)> {
    let uri = target(&args.to, WEBHOOK_PATH)?;
    let at = key_of(args)?;
    let key = EnvSecrets
        .get(&at)
        .await
        .with_context(|| format!("nothing to sign with; the bridge at {} knows the right signing key", host(&uri)))?;
    let mut posts = Vec::new();
    for file in &args.files {
        posts.extend(read(file)?);
    }
    if posts.is_empty() {
        bail!("nothing to send: no request in {}", args.files.join(", "));
    }
    Ok((uri, key, posts))
}

/// The full address to post to: with `path` where `to` has none.
pub(super) fn target(to: &str, path: &'static str) -> anyhow::Result<Uri> {
    let hint = || format!("--to takes an address such as http://127.0.0.1:9000 or https://bridge.example.com{path}");
    let uri: Uri = to.parse().with_context(hint)?;
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else { bail!(hint()) };
    if authority.host().is_empty() {
        bail!(hint());
    }
    if !matches!(uri.path(), "" | "/") {
        return Ok(uri);
    }
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(hyper::http::uri::PathAndQuery::from_static(path));
    Ok(Uri::from_parts(parts)?)
}

/// Host and port, for texts: a path or query may hold a token.
pub(super) fn host(uri: &Uri) -> String {
    let port = uri.port().map(|p| format!(":{p}")).unwrap_or_default();
    format!("{}{port}", uri.host().unwrap_or("?"))
}

fn read(file: &str) -> anyhow::Result<Vec<Post>> {
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    }
    Ok(posts(file, bytes))
}

/// The requests of one file; lines of a `.jsonl` file that hold nothing are skipped.
fn posts(file: &str, bytes: Vec<u8>) -> Vec<Post> {
    if !file.ends_with(".jsonl") {
        return vec![Post { origin: file.to_owned(), body: bytes }];
    }
    let lines = bytes.split(|b| *b == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(at, line)| Post { origin: format!("{file}:{}", at + 1), body: line.trim_ascii_end().to_vec() })
        .collect()
}

fn key_of(args: &SendArgs) -> anyhow::Result<SecretRef> {
    if let Some(key) = &args.key {
        // The text may be the key itself, pasted by mistake: it is not repeated.
        return key.parse().map_err(|forms| anyhow::anyhow!("--key takes a reference: {forms}"));
    }
    let configured = match &args.config {
        Some(path) => parse::load(path)?.0.customerio.signing_keys.into_iter().next(),
        None => None,
    };
    Ok(configured.unwrap_or_else(|| SecretRef::Env("CIO_SIGNING_KEY".to_owned())))
}

async fn send_all(args: &SendArgs, uri: &Uri, key: &Secret, posts: &[Post]) -> anyhow::Result<ExitCode> {
    let client = Client::new();
    let mut answers = Vec::new();
    let mut serial = 0;
    'all: for _ in 0..args.repeat {
        for post in posts {
            serial += 1;
            let body = if args.now { renewed(&post.body, Timestamp::now(), serial) } else { None };
            if args.now && body.is_none() {
                eprintln!("{}: not a JSON object, so --now leaves it as it is", post.origin);
            }
            let answer = send(&client, uri, key, &post.origin, body.unwrap_or_else(|| post.body.clone())).await;
            if !args.json {
                print(&answer);
            }
            let unreachable = answer.status.is_none();
            answers.push(answer);
            if unreachable {
                break 'all; // the rest would fail alike, each after its own wait
            }
        }
    }
    let all = posts.len() * usize::try_from(args.repeat).unwrap_or(usize::MAX);
    if answers.len() < all {
        eprintln!("stopped: {} of {all} requests were not sent", all - answers.len());
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answers)?);
    }
    let fine = answers.len() == all && answers.iter().all(|a| a.ok);
    Ok(ExitCode::from(u8::from(!fine)))
}

fn print(answer: &Answer) {
    match answer.status {
        Some(status) => println!("{status} {}", answer.file),
        None => println!("--- {}", answer.file),
    }
    if let Some(problem) = &answer.problem {
        println!("    {problem}");
    }
}

async fn send(http: &Client, uri: &Uri, key: &Secret, origin: &str, body: Vec<u8>) -> Answer {
    let began = Instant::now();
    let outcome = post_signed(http, uri, key, body, PATIENCE).await;
    let took = began.elapsed();
    let (status, problem) = match outcome {
        Ok(answer) => (Some(answer.status), problem(answer.status, took)),
        Err(failure) => (None, Some(no_answer(failure, uri))),
    };
    Answer {
        file: origin.to_owned(),
        status,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        ok: status.is_some_and(|s| (200..300).contains(&s)),
        problem,
    }
}

/// Signs a body as Customer.io does, as of now, and posts it once.
pub(super) async fn post_signed(
    http: &Client,
    uri: &Uri,
    key: &Secret,
    body: Vec<u8>,
    patience: Duration,
) -> Result<http::Answer, Failure> {
    let now = Timestamp::now();
    let stamp = now.as_second().to_string();
    let signed = HeaderValue::from_str(&sign(key, &stamp, &body));
    let headers = [(TIMESTAMP_HEADER, HeaderValue::from_str(&stamp)), (SIGNATURE_HEADER, signed)];
    let headers: Vec<_> =
        headers.into_iter().filter_map(|(name, value)| Some((HeaderName::from_static(name), value.ok()?))).collect();
    http.post_json(uri, &headers, body, patience, now).await
}

fn no_answer(failure: Failure, uri: &Uri) -> String {
    let host = host(uri);
    match failure {
        Failure::Connect(_) => format!("no connection to {host}: is `bridge serve` running there?"),
        Failure::Timeout { .. } => {
            let limit = SENDER_PATIENCE.as_secs();
            format!("{failure}; Customer.io gives up after {limit} s and tries again")
        }
        Failure::Tls | Failure::Reset | Failure::Other => format!("{failure} ({host})"),
    }
}

/// What an answer means to the person who sent it; `None` when all is well.
fn problem(status: u16, took: Duration) -> Option<String> {
    let text = match status {
        200..300 if took < SENDER_PATIENCE => return None,
        200..300 => "taken, but slowly: Customer.io gives up after 4 s and sends the event again",
        300..=399 => "a redirect: Customer.io does not follow it; give the final address",
        401 | 403 => "no key of the bridge matches: --key names another key than `signing_keys` in its bridge.toml",
        404 | 405 => "that is not the bridge's webhook: check the address, its path is /webhooks/customerio",
        413 => "too large for what stands before the bridge (Lambda takes 6 MB)",
        503 => {
            "the bridge runs but cannot take events (no signing key, broken configuration, store not writable): \
             its log and GET /readyz say why; Customer.io would send it again"
        }
        500..600 => "a failure in the bridge or in what stands before it: see its log",
        _ => "not an answer of the bridge's webhook: check the address",
    };
    Some(text.to_owned())
}

/// The body with a fresh identity and the current time; `None` when it is no JSON object (or array of them).
fn renewed(body: &[u8], now: Timestamp, serial: u64) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let events = match &mut value {
        Value::Array(events) => events.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for (index, event) in events.iter_mut().enumerate() {
        let event = event.as_object_mut()?;
        event.insert("timestamp".into(), now.as_second().into());
        let id = format!("send-{:x}-{:x}-{serial}-{index}", now.as_microsecond(), std::process::id());
        event.insert("event_id".into(), id.into());
    }
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_means_the_webhook() {
        for (given, meant) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/webhooks/customerio"),
            ("https://bridge.example.com/", "https://bridge.example.com/webhooks/customerio"),
            ("https://bridge.example.com/in/cio?x=1", "https://bridge.example.com/in/cio?x=1"),
        ] {
            assert_eq!(target(given, WEBHOOK_PATH).expect(given).to_string(), meant);
        }
        for wrong in ["127.0.0.1:9000", "localhost", "ftp://x/", "", "/webhooks/customerio", "http:///x"] {
            assert!(target(wrong, WEBHOOK_PATH).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_one_request_and_a_jsonl_file_one_a_line() {
        let json = posts("a.json", b"{\n}\n".to_vec());
        assert_eq!(json, [Post { origin: "a.json".into(), body: b"{\n}\n".to_vec() }]);
        let jsonl = posts("a.jsonl", b"{\"a\":1}\r\n\n {\"b\":2}".to_vec());
        let want = [("a.jsonl:1", &b"{\"a\":1}"[..]), ("a.jsonl:3", b" {\"b\":2}")];
        assert_eq!(jsonl, want.map(|(origin, body)| Post { origin: origin.into(), body: body.to_vec() }));
    }

    #[test]
    fn now_makes_an_event_new_and_keeps_the_rest() {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().expect("a time");
        let body = br#"{"event_id":"old","timestamp":1,"metric":"failed","data":{"timestamp":5}}"#;
        let event = |serial| -> Value {
            serde_json::from_slice(&renewed(body, now, serial).expect("an object")).expect("valid JSON")
        };
        assert_eq!(event(1)["timestamp"], now.as_second());
        assert_eq!(event(1)["data"]["timestamp"], 5);
        assert_ne!(event(1)["event_id"], "old");
        assert_ne!(event(1)["event_id"], event(2)["event_id"]);
        for left_alone in [&b"{\"cut"[..], b"", b"7", b"[7]", b"\xff"] {
            assert_eq!(renewed(left_alone, now, 1), None);
        }
    }

    #[test]
    fn every_answer_but_a_quick_2xx_says_what_to_do() {
        for status in 300..600 {
            assert!(problem(status, Duration::ZERO).is_some());
        }
        assert_eq!(problem(200, Duration::from_millis(20)), None);
        assert!(problem(200, Duration::from_secs(5)).is_some_and(|p| p.contains("slowly")));
    }
}
