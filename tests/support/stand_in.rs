//! A stand-in for PagerDuty or Slack: records what it is sent, and answers as it is told to.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub delay: Duration,
}

impl Reply {
    pub fn status(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delay: Duration::ZERO }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// PagerDuty's yes.
    pub fn accepted() -> Self {
        Self::status(202, r#"{"status":"success","message":"Event processed","dedup_key":"as sent"}"#)
    }

    /// Slack's yes.
    pub fn ok() -> Self {
        Self::status(200, "ok")
    }
}

/// Answers by what it is asked; `None`: as it would without.
type Script = Box<dyn FnMut(&Seen) -> Option<Reply> + Send>;

pub struct StandIn {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

struct State {
    seen: Vec<Seen>,
    /// Answers for the next requests, before `always`.
    next: VecDeque<Reply>,
    script: Option<Script>,
    always: Reply,
    /// Connections that are open, and where all that were ever accepted came from.
    open: usize,
    met: HashSet<SocketAddr>,
}

impl StandIn {
    pub async fn answering(always: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State {
            seen: Vec::new(),
            next: VecDeque::new(),
            script: None,
            always,
            open: 0,
            met: HashSet::new(),
        }));
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Self { address, state, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers so.
    pub fn answer(&self, reply: Reply) {
        self.state().always = reply;
    }

    /// Its next answers, one a request; then as before.
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().next.extend(replies);
    }

    /// From now on it thinks: after `answer_next`, before `answer`.
    pub fn answer_by(&self, script: impl FnMut(&Seen) -> Option<Reply> + Send + 'static) {
        self.state().script = Some(Box::new(script));
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Waits until nobody is connected any more: what a process that died has sent is seen then. Says how much is.
    pub async fn hung_up(&self, patience: Duration) -> usize {
        // Whoever called before this one has been let in when this one is.
        let knock = TcpStream::connect(self.address).await.expect("the stand-in listens");
        let us = knock.local_addr().expect("an address");
        drop(knock);
        let until = Instant::now() + patience;
        loop {
            let (open, met, seen) = {
                let state = self.state();
                (state.open, state.met.contains(&us), state.seen.len())
            };
            if met && open == 0 {
                return seen;
            }
            assert!(Instant::now() < until, "{open} connections are open after {patience:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until `n` requests have arrived in all, and returns all that have.
    pub async fn wait_for(&self, n: usize, patience: Duration) -> Vec<Seen> {
        let until = Instant::now() + patience;
        loop {
            let seen = self.seen();
            if seen.len() >= n {
                return seen;
            }
            assert!(
                Instant::now() < until,
                "{} of {n} requests after {patience:?}: {:#?}",
                seen.len(),
                seen.iter().map(Seen::text).collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Exactly `n` requests in all: waits for them, then a while for one too many.
    pub async fn exactly(&self, n: usize, patience: Duration, quiet: Duration) -> Vec<Seen> {
        self.wait_for(n, patience).await;
        tokio::time::sleep(quiet).await;
        let seen = self.seen();
        assert_eq!(seen.len(), n, "{:#?}", seen.iter().map(Seen::text).collect::<Vec<_>>());
        seen
    }

    /// Nothing arrives that has not yet.
    pub async fn nothing_more_for(&self, quiet: Duration) {
        let n = self.seen().len();
        self.exactly(n, Duration::ZERO, quiet).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, from)) = listener.accept().await {
        {
            let mut state = state.lock().expect("no panic while it is held");
            state.open += 1;
            state.met.insert(from);
        }
        tokio::spawn(converse(stream, state.clone()));
    }
}

async fn converse(stream: TcpStream, state: Arc<Mutex<State>>) {
    let asked = state.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let state = asked.clone();
        async move { Ok::<_, Infallible>(answer(request, &state).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    state.lock().expect("no panic while it is held").open -= 1;
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let query = head.uri.query().map(str::to_owned);
    let reply = {
        let mut state = state.lock().expect("no panic while it is held");
        let seen = Seen { path, query, headers: head.headers, body, at };
        state.seen.push(seen.clone());
        let thought = |state: &mut State| state.script.as_mut()?(&seen);
        state.next.pop_front().or_else(|| thought(&mut state)).unwrap_or_else(|| state.always.clone())
    };
    tokio::time::sleep(reply.delay).await;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(Full::new(Bytes::from(reply.body))).expect("a valid reply")
}
