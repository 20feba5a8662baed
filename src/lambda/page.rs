//! The `page` function: a browser's request to its own Function URL in, a page out. It shares nothing with `ingest` but
//! the table: a flood of visits takes no capacity from webhooks.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use hyper::Method;
use jiff::Timestamp;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};

use super::bridge::{self, Bridge};
use super::{Failed, serve, time_left};
use crate::page::frame::{HEADERS, notice};
use crate::page::keys;
use crate::steps::visit::{Asked, FORM_BYTES, Page, Visits};

/// The function in its environment.
pub struct Function {
    /// Without it every visit is answered 503.
    pub visits: Result<Visits, Failed>,
}

/// Runs the function until the platform stops it.
pub async fn run() -> Result<(), Error> {
    let function = Function { visits: load().await };
    serve(async |envelope, deadline| Ok(function.answer(envelope, deadline).await)).await
}

async fn load() -> Result<Visits, Failed> {
    let bridge = Bridge::load().await?;
    let (store, outbox) = (bridge.store()?, bridge.hints()?);
    let secrets = bridge.secrets();
    let keys = async { keys::configured(&bridge.config, secrets.as_ref()).await };
    let (keys, ()) = tokio::join!(keys, bridge::warm_up("store", store.cursor(bridge::WARM_UP_CURSOR)));
    let keys = keys.map_err(|error| {
        tracing::error!(event = "no_links", %error);
        Failed(error.to_string())
    })?;
    Ok(Visits { store, outbox, config: bridge.config, keys, names: Default::default(), clock: bridge.clock })
}

/// What is read of a Function URL's envelope, payload format 2.0.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// What the platform is told to answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub status_code: u16,
    pub headers: BTreeMap<&'static str, String>,
    pub body: String,
}

impl From<Page> for Reply {
    fn from(page: Page) -> Self {
        let mut headers: BTreeMap<_, _> = HEADERS.iter().cloned().collect();
        headers.extend(page.location.map(|location| ("location", location)));
        headers.extend((page.status == 503).then(|| ("retry-after", "60".to_owned())));
        Self { status_code: page.status, headers, body: page.html }
    }
}

impl Function {
    /// Answers a visit; never fails, for the platform's own 502 says nothing.
    pub async fn answer(&self, envelope: &str, deadline: Timestamp) -> Reply {
        let now = Timestamp::now();
        let visiting = AssertUnwindSafe(self.visit(envelope)).catch_unwind();
        match tokio::time::timeout(time_left(deadline, now), visiting).await {
            Ok(Ok(page)) => page.into(),
            Ok(Err(_)) | Err(_) => {
                tracing::error!(event = "visit_failed", "it panicked or took too long");
                not_now().into()
            }
        }
    }

    async fn visit(&self, envelope: &str) -> Page {
        let Ok(visits) = &self.visits else { return not_now() };
        let Ok(envelope) = serde_json::from_str::<Envelope>(envelope) else {
            tracing::error!(event = "envelope_not_readable");
            return not_now();
        };
        let Ok(method) = Method::from_bytes(envelope.request_context.http.method.as_bytes()) else { return not_now() };
        let body = envelope.body.filter(|body| body.len() <= 2 * FORM_BYTES).unwrap_or_default();
        let form = match envelope.is_base64_encoded {
            true => STANDARD.decode(body).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default(),
            false => body,
        };
        let path_and_query = match envelope.raw_query_string.is_empty() {
            true => envelope.raw_path,
            false => format!("{}?{}", envelope.raw_path, envelope.raw_query_string),
        };
        let from = envelope.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-fetch-site"));
        let from = from.map(|(_, from)| from.as_str());
        visits.answer(&Asked { method: &method, path_and_query: &path_and_query, form: &form, from }).await
    }
}

fn not_now() -> Page {
    let html = notice("The page cannot be shown now", &["Alerts are not affected. Try again in a minute."]);
    Page { status: 503, html, location: None }
}

#[cfg(test)]
mod tests;
