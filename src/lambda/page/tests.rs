use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::config::secrets::Secret;
use crate::config::testing::smallest_with;
use crate::incident::Incident;
use crate::page::link::{Grant, LinkKeys, May};
use crate::page::links;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::testing::incident;
use crate::store::{Store, Write};

fn envelope(method: &str, link: &str, form: Option<&str>) -> String {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "sec-fetch-site": "same-origin", "host": "x.lambda-url.us-east-1.on.aws" },
        "requestContext": { "http": { "method": method, "path": path, "sourceIp": "192.0.2.1" } },
        // The platform takes a form for bytes.
        "body": form.map(|form| STANDARD.encode(form)),
        "isBase64Encoded": form.is_some(),
    })
    .to_string()
}

#[tokio::test]
async fn a_browser_looks_and_acts_through_the_function_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store"));
    let opened: Incident = incident("any", Timestamp::now());
    assert_eq!(store.write_incident(&opened).await.expect("stored"), Write::Done);
    let keys = LinkKeys::new("acme", &[Secret::new("a-link-key-of-good-length")]).expect("keys");
    let visits = Visits {
        outbox: Arc::new(store.queue()),
        store: store.clone(),
        config: Arc::new(smallest_with("")),
        keys: Some(keys.clone()),
        names: Default::default(),
        clock: Arc::new(SystemClock),
    };
    let function = Function { visits: Ok(visits) };
    let soon = Timestamp::now() + jiff::SignedDuration::from_mins(5);
    let grant = Grant { may: May::Act, until: soon, to: Some("Büro".into()) };
    let link = keys.link(&links::path_of(&opened), &[], &grant);

    let page = function.answer(&envelope("GET", &link, None), soon).await;
    assert_eq!(page.status_code, 200);
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let form = format!("name=Ada&deed=acknowledge&token={}", keys.token(&link, Timestamp::now()));
    let done = function.answer(&envelope("POST", &link, Some(&form)), soon).await;
    assert_eq!((done.status_code, &done.headers["location"]), (303, &link));
    let stored = store.episodes(&opened.key).await.expect("read").pop().expect("there");
    assert_eq!((stored.acts.len(), stored.acts[0].via.as_deref()), (1, Some("Büro")));
    assert_eq!(function.answer(&envelope("GET", "/status", None), soon).await.status_code, 403);
    assert_eq!(function.answer(&envelope("GET", "/runbook", None), soon).await.status_code, 200);
}

#[tokio::test]
async fn what_is_broken_is_a_503_that_says_so() {
    let function = Function { visits: Err(Failed("no alerts-prod".into())) };
    let soon = Timestamp::now() + jiff::SignedDuration::from_mins(5);
    for envelope in [envelope("GET", "/status", None), "{}".to_owned()] {
        let reply = function.answer(&envelope, soon).await;
        assert_eq!((reply.status_code, reply.headers.contains_key("retry-after")), (503, true));
        assert!(!reply.body.contains("alerts-prod"));
    }
}
