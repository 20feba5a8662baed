use super::*;
use crate::config::secrets::Secret;
use crate::config::testing::smallest_with;
use crate::incident::act::What;
use crate::page::links;
use crate::store::Write;
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::testing::{incident, t};

/// A clock that stands still.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct World {
    _folder: tempfile::TempDir,
    visits: Visits,
    incident: Incident,
}

const KEY: &str = "a-link-key-of-good-length";

impl World {
    async fn at(clock: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        let incident = incident("any", t("14:00"));
        assert_eq!(store.write_incident(&incident).await.expect("stored"), Write::Done);
        let visits = Visits {
            outbox: Arc::new(store.queue()),
            store: Arc::new(store),
            config: Arc::new(smallest_with("")),
            keys: LinkKeys::new("acme", &[Secret::new(KEY)]).ok(),
            names: Known::default(),
            clock: Arc::new(At(t(clock))),
        };
        Self { _folder: folder, visits, incident }
    }

    fn link(&self, may: May) -> String {
        let grant = Grant { may, until: t("20:00"), to: Some("lifecycle".into()) };
        self.visits.keys.as_ref().expect("keys").link(&links::path_of(&self.incident), &[], &grant)
    }

    async fn ask(&self, method: Method, link: &str, form: &str, from: Option<&str>) -> Page {
        self.visits.answer(&Asked { method: &method, path_and_query: link, form, from }).await
    }

    async fn get(&self, link: &str) -> Page {
        self.ask(Method::GET, link, "", None).await
    }

    fn form(&self, link: &str, deed: &str) -> String {
        let token = self.visits.keys.as_ref().expect("keys").token(link, t("14:05"));
        format!("token={token}&name=Ada+L%C3%B6we&deed={deed}")
    }

    async fn stored(&self) -> Incident {
        self.visits.store.episodes(&self.incident.key).await.expect("read").pop().expect("there")
    }
}

#[tokio::test]
async fn looking_never_acts_and_a_form_from_the_page_does() {
    let world = World::at("14:06").await;
    let link = world.link(May::Act);
    let page = world.get(&link).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("Acknowledge") && page.html.contains("name=\"token\""), "{}", page.html);
    assert!(world.stored().await.acts.is_empty(), "a preview does not act");
    // Whoever only has the link, and no page of ours, does not act either.
    for (form, from) in [
        ("name=Eve&deed=close".to_owned(), None),
        (format!("token={}&name=Eve&deed=close", link.rsplit('=').next().expect("a signature")), None),
        (world.form(&link, "explode"), None),
        (world.form(&link, "close"), Some("cross-site")),
        (world.form(&world.link(May::Read), "close"), None),
    ] {
        let refused = world.ask(Method::POST, &link, &form, from).await;
        assert_eq!((refused.status, world.stored().await.acts.len()), (403, 0), "{form}");
    }
    let done = world.ask(Method::POST, &link, &world.form(&link, "acknowledge"), Some("same-origin")).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some(&*link)));
    let stored = world.stored().await;
    assert_eq!((stored.acts[0].by.as_str(), stored.acts[0].via.as_deref()), ("Ada Löwe", Some("lifecycle")));
    assert_eq!(stored.acts[0].what, What::Acknowledged);
    let shown = world.get(&link).await.html;
    assert!(
        shown.contains("Acknowledged by Ada Löwe (name not verified; link sent to &quot;lifecycle&quot;)"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_link_to_read_has_no_form_and_takes_none() {
    let world = World::at("14:06").await;
    let link = world.link(May::Read);
    assert!(!world.get(&link).await.html.contains("<form"));
    let refused = world.ask(Method::POST, &link, &world.form(&link, "close"), None).await;
    assert_eq!(refused.status, 403);
    assert!(world.stored().await.is_open());
}

#[tokio::test]
async fn every_answer_has_its_status() {
    let world = World::at("14:06").await;
    let late = World::at("20:00").await;
    let link = world.link(May::Act);
    let keys = world.visits.keys.as_ref().expect("keys");
    let grant = Grant { may: May::Act, until: t("20:00"), to: None };
    let nameless = world.form(&link, "close").replace("name=Ada", "name=&x=");
    for (method, link, form, status) in [
        (Method::GET, link.clone(), "", 200),
        (Method::HEAD, link.clone(), "", 200),
        (Method::DELETE, link.clone(), "", 405),
        (Method::GET, keys.link("/status", &[], &grant), "", 200),
        (Method::POST, keys.link("/status", &[], &grant), "days=90&about=any", 200),
        (Method::GET, keys.link("/status/incident/00ff-7", &[], &grant), "", 404),
        (Method::GET, keys.link("/status/nothing", &[], &grant), "", 404),
        (Method::GET, "/status".to_owned(), "", 403),
        (Method::GET, link[..link.len() - 1].to_owned(), "", 403),
        (Method::GET, link.replace("may=act", "may=read"), "", 403),
        (Method::POST, link.clone(), nameless.as_str(), 400),
    ] {
        assert_eq!(world.ask(method.clone(), &link, form, None).await.status, status, "{method} {link}");
    }
    let expired = late.get(&link).await;
    assert_eq!(expired.status, 403);
    assert!(expired.html.contains("has expired") && expired.html.contains("bridge link --incident"));
    let closed = world.ask(Method::POST, &link, &world.form(&link, "close"), None).await;
    assert_eq!(closed.status, 303);
    let again = world.ask(Method::POST, &link, &world.form(&link, "silence_hour"), None).await;
    assert_eq!(again.status, 409);
    assert!(again.html.contains("It is over already."), "{}", again.html);
}
