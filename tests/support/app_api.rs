//! A stand-in for Customer.io's App API: the lists of everything that sends, in pages, as its reference shows them
//! (listCampaigns, listBroadcasts, listTransactional, listNewsletters). Other paths are 404, another key is 401.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const APP_KEY: &str = "app-api-key-s3cret-0001";

/// Newsletters on a page, whatever is asked for.
const PER_PAGE: usize = 2;

struct State {
    /// `campaign:7` and its name.
    names: BTreeMap<String, String>,
    /// Requests as `path?query`, in order.
    asked: Vec<String>,
    /// The next request whose `path?query` holds this is answered 429, once.
    limit: Option<&'static str>,
    hangs: bool,
}

pub struct AppApi {
    url: String,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl AppApi {
    /// Knows these sources by these names.
    pub async fn start(names: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let names = names.iter().map(|(source, name)| ((*source).to_owned(), (*name).to_owned())).collect();
        let state = Arc::new(Mutex::new(State { names, asked: Vec::new(), limit: None, hangs: false }));
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| {
                    let state = state.clone();
                    async move { Ok::<_, Infallible>(answer(&request, &state).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, state, accepting }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers 429 with a `Retry-After` to the next request whose path and query hold this.
    pub fn limit_once(&self, what: &'static str) {
        self.state.lock().expect("no panic while it is held").limit = Some(what);
    }

    /// Takes requests and never answers.
    pub fn hang(&self) {
        self.state.lock().expect("no panic while it is held").hangs = true;
    }

    pub fn asked(&self) -> Vec<String> {
        self.state.lock().expect("no panic while it is held").asked.clone()
    }
}

impl Drop for AppApi {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(request: &Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let asked = request.uri().path_and_query().expect("a path").to_string();
    let key = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let allowed = key == Some(&format!("Bearer {APP_KEY}"));
    let (names, limited, hangs) = {
        let mut state = state.lock().expect("no panic while it is held");
        state.asked.push(asked.clone());
        let limited = state.limit.is_some_and(|what| asked.contains(what));
        if limited {
            state.limit = None;
        }
        (state.names.clone(), limited, state.hangs)
    };
    if hangs {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let error =
        |status: u16, detail: &str| (status, json!({"errors": [{"detail": detail, "status": status.to_string()}]}));
    let (status, body) = match (allowed, limited) {
        (false, _) => error(401, "unauthorized"),
        (_, true) => error(429, "rate limited to 10 requests per 1s (reference a1b2c3)"),
        _ => page(request, &names).map_or_else(|| error(404, "not found"), |body| (200, body)),
    };
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if status == 429 {
        response = response.header("retry-after", "1");
    }
    response.body(Full::new(Bytes::from(body.to_string()))).expect("a response")
}

fn page(request: &Request<Incoming>, names: &BTreeMap<String, String>) -> Option<Value> {
    let uri = request.uri();
    let (kind, wrapper, per_page) = match uri.path() {
        "/v1/campaigns" => ("campaign:", "campaigns", usize::MAX),
        "/v1/broadcasts" => ("broadcast:", "broadcasts", usize::MAX),
        "/v1/transactional" => ("transactional:", "messages", usize::MAX),
        "/v1/newsletters" => ("newsletter:", "newsletters", PER_PAGE),
        _ => return None,
    };
    let mut all: Vec<(u64, &String)> =
        names.iter().filter_map(|(id, name)| Some((id.strip_prefix(kind)?.parse().ok()?, name))).collect();
    all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    // Tokens hold what must be encoded in a query.
    let start = uri.query().and_then(|query| query.split('&').find_map(|part| part.strip_prefix("start=at%2B")));
    let start: usize = start.map_or(0, |at| at.trim_end_matches("%3D").parse().expect("our own token"));
    let entries: Vec<Value> = all
        .iter()
        .skip(start)
        .take(per_page)
        .map(|(id, name)| json!({"id": id, "name": name, "created": 1_481_653_919, "tags": null, "deduplicate_id": format!("{id}:1")}))
        .collect();
    let next = start.saturating_add(per_page);
    let next = if next < all.len() { format!("at+{next}=") } else { String::new() };
    Some(json!({ wrapper: entries, "next": next }))
}
