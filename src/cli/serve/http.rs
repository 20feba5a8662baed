//! The HTTP surface of `serve`.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Front;
use crate::clock::{Clock, SystemClock};
use crate::customerio::signature::SIGNATURE_HEADER;
use crate::page::frame::HEADERS;
use crate::steps::ingest::{Answer, Conclusion, Head, Ingest, LARGEST_BODY, Reading};
use crate::steps::visit::{self, Asked, Visits};

/// Longest that a page may take.
const VISIT: Duration = Duration::from_secs(10);

/// How long open connections may finish their requests when told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Accepts until told to stop.
pub(super) async fn serve(listener: TcpListener, front: Arc<Front>, mut stopping: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: wait for some to close instead of spinning.
                tracing::error!(event = "accept_failed", %error);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let front = front.clone();
        let service = service_fn(move |request| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(respond(&front, request, peer).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that hangs up is its own affair: what it sent and we stored stays stored.
            let _ = connection.await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}

async fn respond(front: &Front, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    let arrived = SystemClock.now();
    let (parts, body) = request.into_parts();
    let running = front.running.get();
    match parts.uri.path() {
        "/healthz" => return plain(StatusCode::OK, "ok\n".into()),
        "/readyz" => return ready(front).await,
        _ => {}
    }
    let Some(running) = running else { return answer(Answer::Unavailable) };
    // What is signed as a webhook is one, whatever its path (law 2).
    if visit::is_visit(parts.uri.path()) && !parts.headers.contains_key(SIGNATURE_HEADER) {
        return visited(&running.visits, &parts, body).await;
    }
    let head = Head {
        method: &parts.method,
        path: parts.uri.path(),
        headers: &parts.headers,
        peer: Some(sender(peer.ip(), &parts.headers)),
        arrived,
    };
    let left = Ingest::time_left(&head, arrived);
    let webhook = AssertUnwindSafe(webhook(&running.ingest, &head, body)).catch_unwind();
    match tokio::time::timeout(left, webhook).await {
        Ok(Ok((said, text))) => answered(said, text),
        Ok(Err(_)) => {
            tracing::error!(event = "ingest_panicked");
            answer(Answer::Unavailable)
        }
        Err(_) => {
            tracing::error!(event = "deadline", "not stored in time");
            answer(Answer::Unavailable)
        }
    }
}

/// A person looks at the page.
async fn visited(visits: &Visits, parts: &Parts, body: Incoming) -> Response<Full<Bytes>> {
    let form = match Limited::new(body, visit::FORM_BYTES).collect().await {
        Ok(form) => form.to_bytes(),
        Err(_) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "too large for a form\n".into()),
    };
    let asked = Asked {
        method: &parts.method,
        path_and_query: parts.uri.path_and_query().map_or("", |link| link.as_str()),
        form: std::str::from_utf8(&form).unwrap_or_default(),
        from: parts.headers.get("sec-fetch-site").and_then(|from| from.to_str().ok()),
    };
    let page = tokio::time::timeout(VISIT, AssertUnwindSafe(visits.answer(&asked)).catch_unwind()).await;
    let Ok(Ok(page)) = page else {
        tracing::error!(event = "visit_failed", "it panicked or took too long");
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the page cannot be shown now\n".into());
    };
    let mut response = Response::builder().status(page.status);
    for (name, value) in HEADERS.iter() {
        response = response.header(*name, value);
    }
    if let Some(location) = page.location {
        response = response.header(hyper::header::LOCATION, location);
    }
    response.body(Full::from(page.html)).unwrap_or_else(|_| answer(Answer::Unavailable))
}

/// What is answered, and the text with it.
async fn webhook(ingest: &Ingest, head: &Head<'_>, body: Incoming) -> (Answer, Option<String>) {
    let reading = match ingest.begin(head) {
        Ok(reading) => reading,
        Err(answer) => {
            discard(body).await;
            return (answer, None);
        }
    };
    match read(reading, body).await {
        Ok(reading) => {
            let Conclusion { answer, text, note, .. } = ingest.conclude(reading, head).await;
            if let Some(note) = note {
                // The answer does not wait for it.
                let (store, config) = (ingest.store.clone(), ingest.config.clone());
                tokio::spawn(async move { note.keep(store.as_ref(), &config, Duration::MAX).await });
            }
            (answer, text)
        }
        Err(answer) => (answer, None),
    }
}

async fn read(mut reading: Reading, mut body: Incoming) -> Result<Reading, Answer> {
    let mut length = 0u64;
    while let Some(frame) = body.frame().await {
        // Cut off on the way: nobody is there to hear the answer, and nothing was promised.
        let frame = frame.map_err(|_| Answer::Unavailable)?;
        if let Some(chunk) = frame.data_ref() {
            length += chunk.len() as u64;
            if length > LARGEST_BODY {
                return Err(Answer::TooLarge);
            }
            reading.update(chunk);
        }
    }
    Ok(reading)
}

/// Reads what a refused request still sends: a client that is cut off while it writes never sees the answer.
async fn discard(mut body: Incoming) {
    let mut length = 0u64;
    while let Some(Ok(frame)) = body.frame().await {
        length += frame.data_ref().map_or(0, |chunk| chunk.len() as u64);
        if length > LARGEST_BODY {
            return;
        }
    }
}

/// Behind a proxy on this machine the last forwarded address is the proxy's own word; nobody else's is believed.
fn sender(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    last.and_then(|text| text.trim().parse().ok()).unwrap_or(peer)
}

async fn ready(front: &Front) -> Response<Full<Bytes>> {
    let why_not = match front.running.get() {
        None => front.why_not_ready(),
        Some(running) => match running.store.ready().await {
            Ok(()) => return plain(StatusCode::OK, "ready\n".into()),
            Err(error) => error.to_string(),
        },
    };
    plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why_not}\n"))
}

fn answer(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if let Some(seconds) = answer.retry_after() {
        response.headers_mut().insert(hyper::header::RETRY_AFTER, seconds.into());
    }
    if answer == Answer::MethodNotAllowed {
        response.headers_mut().insert(hyper::header::ALLOW, hyper::header::HeaderValue::from_static("POST"));
    }
    response
}

/// An answer that says something, as JSON.
fn answered(said: Answer, text: Option<String>) -> Response<Full<Bytes>> {
    let mut response = answer(said);
    if let Some(text) = text {
        *response.body_mut() = Full::from(text);
        let json = hyper::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    }
    response
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
