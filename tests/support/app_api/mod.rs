//! A stand-in for Customer.io's App API: the lists of everything that sends, in pages, as its reference shows them
//! (listCampaigns, listBroadcasts, listTransactional, listNewsletters), and what is known of people and campaigns
//! ([`people`]), with the traps of both ([`Traps`]). Other paths are 404, another key is 401.

pub mod people;
mod records;
pub mod webhooks;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
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
    /// Requests whose `path?query` holds this are answered 429, so many times, with this `Retry-After`.
    limit: Option<(&'static str, usize, Option<u32>)>,
    /// Requests whose `path?query` holds this are answered so.
    refuse: Option<(&'static str, u16)>,
    hangs: bool,
    world: people::World,
    traps: Traps,
    webhooks: webhooks::Webhooks,
}

/// What the vendor's answers do at times, or did in some version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traps {
    /// The key that should wrap an answer is missing.
    pub unwrapped: bool,
    /// An error's status is a number.
    pub numeric_status: bool,
    /// Empty lists are `null`.
    pub null_lists: bool,
    /// Ids and times are texts.
    pub texts: bool,
    /// The list's last page leads to itself.
    pub circle: bool,
    /// People are not identified by address or phone: asking by them is a 400.
    pub ids_only: bool,
    /// Entries on a page, whatever is asked for.
    pub per_page: Option<usize>,
}

pub struct AppApi {
    url: String,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl AppApi {
    /// Knows these sources by these names.
    pub async fn start(names: &[(&str, &str)]) -> Self {
        Self::start_with(names, people::World::default(), Traps::default()).await
    }

    /// Knows these people and campaigns, and answers with these traps.
    pub async fn knowing(world: people::World, traps: Traps) -> Self {
        Self::start_with(&[], world, traps).await
    }

    async fn start_with(names: &[(&str, &str)], world: people::World, traps: Traps) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let names = names.iter().map(|(source, name)| ((*source).to_owned(), (*name).to_owned())).collect();
        let state = Arc::new(Mutex::new(State {
            names,
            asked: Vec::new(),
            limit: None,
            refuse: None,
            hangs: false,
            world,
            traps,
            webhooks: webhooks::Webhooks::default(),
        }));
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| {
                    let state = state.clone();
                    async move { Ok::<_, Infallible>(answer(request, &state).await) }
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
        self.state.lock().expect("no panic while it is held").limit = Some((what, 1, Some(1)));
    }

    /// Answers 429 to so many requests whose path and query hold this.
    pub fn limit(&self, what: &'static str, times: usize, retry_after: Option<u32>) {
        self.state.lock().expect("no panic while it is held").limit = Some((what, times, retry_after));
    }

    /// Answers so to requests whose path and query hold this, from now on.
    pub fn refuse(&self, what: &'static str, status: u16) {
        self.state.lock().expect("no panic while it is held").refuse = Some((what, status));
    }

    /// Takes requests and never answers.
    pub fn hang(&self) {
        self.state.lock().expect("no panic while it is held").hangs = true;
    }

    /// Looks at, or changes, the reporting webhooks that it keeps.
    pub fn webhooks<T>(&self, with: impl FnOnce(&mut webhooks::Webhooks) -> T) -> T {
        with(&mut self.state.lock().expect("no panic while it is held").webhooks)
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

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let asked = request.uri().path_and_query().expect("a path").to_string();
    let key = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let allowed = key == Some(&format!("Bearer {APP_KEY}"));
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let (names, limited, refused, hangs, known, traps) = {
        let mut state = state.lock().expect("no panic while it is held");
        state.asked.push(asked.clone());
        let limited = state.limit.filter(|(what, times, _)| *times > 0 && asked.contains(what));
        if let (Some(_), Some((_, times, _))) = (limited, state.limit.as_mut()) {
            *times -= 1;
        }
        let refused = state.refuse.filter(|(what, _)| asked.contains(what)).map(|(_, status)| status);
        let traps = state.traps;
        let free = allowed && limited.is_none() && refused.is_none();
        let ours = free.then(|| state.webhooks.answer(head.method.as_str(), head.uri.path(), &body, traps)).flatten();
        let known = ours.or_else(|| records::answer(&asked, &state.world, traps));
        (state.names.clone(), limited, refused, state.hangs, known, state.traps)
    };
    if hangs {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let error = |status: u16, detail: &str| {
        let shown = if traps.numeric_status { json!(status) } else { json!(status.to_string()) };
        (status, json!({"errors": [{"detail": detail, "status": shown}]}))
    };
    let (status, body) = match (allowed, limited, refused) {
        (false, ..) => error(401, "unauthorized"),
        (_, Some(_), _) => error(429, "rate limited to 10 requests per 1s (reference a1b2c3)"),
        (.., Some(status)) => error(status, "no: ada@example.test"),
        _ => match page(&head.uri, &names).map(|body| (200, body)).or(known) {
            Some((200, body)) => (200, body),
            Some((status, _)) => error(status, "not like that"),
            None => error(404, "not found"),
        },
    };
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if let (429, Some((_, _, Some(seconds)))) = (status, limited) {
        response = response.header("retry-after", seconds.to_string());
    }
    response.body(Full::new(Bytes::from(body.to_string()))).expect("a response")
}

fn page(uri: &Uri, names: &BTreeMap<String, String>) -> Option<Value> {
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
