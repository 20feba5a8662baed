//! A link in an alert opens its incident, and whoever holds it can acknowledge, silence and close: by a form, never by
//! looking. What was done is kept, shown and passed on.

use hyper::Request;
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::http::Http;
use crate::support::serve::Serve;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Answer, PATIENCE, World, failed_email};

const BASE: &str = "https://bridge.example.com";
const PAGE: &str = "[page]\nbase_url = \"https://bridge.example.com/\"\n";

/// Path and query of the link to the bridge in a message.
fn link_in(message: &str) -> String {
    let start = message.find(BASE).unwrap_or_else(|| panic!("no link in {message}")) + BASE.len();
    let end = message[start..].find(['|', '"', '>', ' ', '\n', '\\']).map_or(message.len(), |end| start + end);
    message[start..end].replace("&amp;", "&")
}

/// The token of the page's form.
fn token(page: &Answer) -> String {
    let text = page.text();
    let start = text.find("name=\"token\" value=\"").expect("a token") + "name=\"token\" value=\"".len();
    text[start..].split('"').next().expect("ends").to_owned()
}

async fn submit(serve: &Serve, link: &str, form: String) -> Answer {
    let request = Request::post(serve.url(link)).header("content-type", "application/x-www-form-urlencoded");
    Http::new().send(request.body(form.into_bytes()).expect("a request")).await
}

async fn fail_three(serve: &Serve, ahead: SignedDuration) {
    for _ in 0..3 {
        serve.deliver(&failed_email().of("transactional:2").at(serve.clock.now() + ahead)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alerts_link_opens_its_incident_and_its_form_acknowledges_it_at_pagerduty_too() {
    let world = World::new().await;
    let serve = world.setup(&format!("{TRANSACTIONAL_FAILING}{PAGE}")).start().await;
    fail_three(&serve, SignedDuration::ZERO).await;
    let paged = world.pager.wait_for(1, PATIENCE).await;
    let posted = world.slack.wait_for(1, PATIENCE).await;
    let opening = paged[0].json();
    assert!(opening["client_url"].as_str().is_some_and(|url| url.starts_with(BASE)), "{opening}");
    let link = link_in(&posted[0].json()["blocks"].to_string());
    assert_ne!(link, link_in(opening["client_url"].as_str().expect("a link")), "each receiver has its own");
    let section = format!("{BASE}/runbook#render_error");
    assert!(posted[0].json().to_string().contains(&section), "{}", posted[0].json());
    assert!(opening["links"].to_string().contains(&section), "{opening}");
    // It says nothing about anybody, so it opens without a signature.
    let runbook = serve.get("/runbook").await;
    assert_eq!((runbook.status, runbook.header("referrer-policy")), (200, Some("no-referrer")));
    assert!(runbook.text().contains("<section id=\"render_error\">"), "{}", runbook.text());

    let page = serve.get(&link).await;
    assert_eq!(page.status, 200);
    for (header, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(page.header(header), Some(value), "{header}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.text().contains("Acknowledge") && page.text().contains("on-call"), "{}", page.text());

    // Looking did nothing; the form does.
    let done = submit(&serve, &link, format!("name=Ada&deed=acknowledge&token={}", token(&page))).await;
    assert_eq!((done.status, done.header("location")), (303, Some(&*link)));
    let paged = world.pager.wait_for(2, PATIENCE).await;
    let acknowledged = paged[1].json();
    assert_eq!(
        (&acknowledged["event_action"], &acknowledged["dedup_key"]),
        (&"acknowledge".into(), &opening["dedup_key"])
    );
    let shown = serve.get(&link).await.text();
    assert!(shown.contains("Acknowledged by Ada (name not verified; link sent to &quot;lifecycle&quot;)"), "{shown}");

    // Closed by hand: those who were told hear it, with who did it.
    let form = format!("name=Ada&deed=close&token={}", token(&serve.get(&link).await));
    assert_eq!(submit(&serve, &link, form).await.status, 303);
    let paged = world.pager.wait_for(3, PATIENCE).await;
    assert_eq!(paged[2].json()["event_action"], "resolve");
    let posted = world.slack.wait_for(2, PATIENCE).await;
    let said = posted[1].json().to_string();
    assert!(said.contains("Closed by hand") && said.contains("Ada (name not verified"), "{said}");
    assert!(!serve.get(&link).await.text().contains("<form"), "nothing is left to do");

    // Failures of a later minute are new.
    fail_three(&serve, SignedDuration::from_mins(1)).await;
    assert_eq!(world.pager.wait_for(4, PATIENCE).await[3].json()["event_action"], "trigger");
    assert!(!serve.stderr().contains("sig="), "no link in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn bridge_link_opens_the_page_and_a_changed_or_old_one_does_not() {
    let world = World::new().await;
    let setup = world.setup(&format!("{TRANSACTIONAL_FAILING}{PAGE}"));
    let serve = setup.start().await;
    fail_three(&serve, SignedDuration::ZERO).await;
    world.pager.wait_for(1, PATIENCE).await;
    let (code, said, note) = setup.bridge(&["link"]).await;
    assert_eq!(code, 0, "{note}");
    assert!(said.starts_with(&format!("{BASE}/status?")) && note.contains("to read, until"), "{said}{note}");
    let link = link_in(&said);
    let page = serve.get(&link).await;
    assert_eq!(page.status, 200, "{}", page.text());
    // From the whole page into the incident, under the same rights.
    let start = page.text().find("/status/incident/").expect("a link to the incident");
    let inner = page.text()[start..].split('"').next().expect("ends").replace("&amp;", "&");
    let inner = serve.get(&inner).await;
    assert_eq!((inner.status, inner.text().contains("<form")), (200, false));

    for bad in [link.replace("may=read", "may=act"), link[..link.len() - 2].to_owned(), "/status".to_owned()] {
        assert_eq!(serve.get(&bad).await.status, 403, "{bad}");
    }
    let id = {
        let (_, said, _) = setup.bridge(&["link", "--act", "--json", "--base", &serve.url("")]).await;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said["may"], "act");
        let alert = world.pager.seen()[0].json();
        alert["payload"]["custom_details"]["incident"].as_str().expect("an id").to_owned()
    };
    let (code, said, note) = setup.bridge(&["link", "--incident", &id, "--act", "--for", "1h"]).await;
    assert_eq!(code, 0, "{note}");
    assert!(serve.get(&link_in(&said)).await.text().contains("<form"));
    let (code, _, complaint) = setup.bridge(&["link", "--incident", "00000000-1"]).await;
    assert_eq!(code, 2);
    assert!(complaint.contains("there is no incident"), "{complaint}");
    let (code, _, complaint) = setup.bridge(&["link", "--for", "100d"]).await;
    assert_eq!(code, 2, "{complaint}");

    // A new key revokes every link.
    drop(serve);
    std::fs::remove_file(setup.data().join("link.key")).expect("a key");
    let serve = setup.start().await;
    assert_eq!(serve.get(&link).await.status, 403);
    let (_, said, _) = setup.bridge(&["link"]).await;
    assert_eq!(serve.get(&link_in(&said)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_to_the_pages_path_is_still_a_webhook() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let body = failed_email().of("transactional:2").at(serve.clock.now()).json().to_string();
    let signed = serve.signed("/status", crate::support::serve::SIGNING_KEY, body.as_bytes());
    assert_eq!(Http::new().send(signed).await.status, 200, "authentic on any path (law 2)");
}
