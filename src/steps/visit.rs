//! visit: a person opens a signed link. Check the link, show the page it is about, do what a form asks for.

use std::sync::Arc;

use hyper::Method;
use jiff::Timestamp;

use super::act::{Deed, Undone, Who, act};
use super::facts;
use super::names::Known;
use super::{page, summary};
use crate::clock::Clock;
use crate::config::Config;
use crate::incident::Incident;
use crate::message::{Phase, compose, text};
use crate::page::html::Doors;
use crate::page::incident::{Form, IncidentPage};
use crate::page::incidents::{self, Full};
use crate::page::link::{Grant, LinkKeys, May, Refused, parameter, parameters};
use crate::page::links::{STATUS, incident_at};
use crate::page::{Filters, frame, runbook as page_runbook};
use crate::queue::Outbox;
use crate::runbook;
use crate::store::{Store, StoreError};
use crate::summary::Telling;

/// The largest form, in bytes: a name, a token and a word.
pub const FORM_BYTES: usize = 4096;

/// The step's surroundings.
pub struct Visits {
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub config: Arc<Config>,
    /// `None`: there are no links, so nothing can be opened.
    pub keys: Option<LinkKeys>,
    pub names: Known,
    pub clock: Arc<dyn Clock>,
}

/// What a browser sends.
pub struct Asked<'a> {
    pub method: &'a Method,
    /// As it came, not decoded: it is what was signed.
    pub path_and_query: &'a str,
    /// The body of a form.
    pub form: &'a str,
    /// What the browser says of where the request comes from (`Sec-Fetch-Site`).
    pub from: Option<&'a str>,
}

/// What is answered, with [`frame::HEADERS`].
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub html: String,
    /// Where the browser is to go instead.
    pub location: Option<String>,
}

impl Page {
    fn shown(html: String) -> Self {
        Self { status: 200, html, location: None }
    }

    fn refused(status: u16, title: &str, lines: &[&str]) -> Self {
        Self { status, html: frame::notice(title, lines), location: None }
    }
}

/// Whether a request without a signature of the webhook scheme is a visit.
pub fn is_visit(path: &str) -> bool {
    path == STATUS || path.starts_with("/status/") || path == runbook::PATH
}

impl Visits {
    /// Answers a visit; never fails.
    pub async fn answer(&self, asked: &Asked<'_>) -> Page {
        if asked.path_and_query == runbook::PATH {
            return Page::shown(page_runbook::html().to_owned());
        }
        let now = self.clock.now();
        let Some(keys) = &self.keys else {
            return Page::refused(404, "There is no page here", &["No link key is configured: set [page] link_keys."]);
        };
        let grant = match keys.open(asked.path_and_query, now) {
            Ok(grant) => grant,
            Err(refused) => return self.no_entry(asked, refused, now),
        };
        let path = asked.path_and_query.split_once('?').map_or(asked.path_and_query, |(path, _)| path);
        let answered = match (incident_at(path), asked.method) {
            (_, method) if method != Method::GET && method != Method::HEAD && method != Method::POST => {
                return Page::refused(405, "A page is looked at", &["Only GET, HEAD and POST are answered here."]);
            }
            (Some((key, episode)), method) => match self.stored(&key, episode).await {
                Ok(Some(incident)) if method == Method::POST => {
                    return self.posted(keys, &grant, asked, &incident, now).await;
                }
                Ok(Some(incident)) => self.incident(keys, &grant, asked, &incident, now).await,
                Ok(None) => return gone(),
                Err(error) => Err(error),
            },
            (None, _) if path == STATUS => self.status(keys, &grant, asked, now).await,
            (None, _) => return gone(),
        };
        answered.map_or_else(|error| unavailable(&error), Page::shown)
    }

    async fn stored(&self, key: &crate::incident::IncidentKey, episode: u32) -> Result<Option<Incident>, StoreError> {
        Ok(self.store.episodes(key).await?.into_iter().find(|i| i.episode == episode))
    }

    /// A form was sent: it acts only if it stood on a page that we made for this link, and not long ago.
    async fn posted(
        &self,
        keys: &LinkKeys,
        grant: &Grant,
        asked: &Asked<'_>,
        incident: &Incident,
        now: Timestamp,
    ) -> Page {
        let link = asked.path_and_query;
        let said = |name| parameter(asked.form, name).unwrap_or_default();
        let elsewhere = asked.from.is_some_and(|from| !matches!(from, "same-origin" | "none"));
        if grant.may < May::Act || elsewhere {
            return Page::refused(
                403,
                "Nothing was done",
                &["This link is to read only. Links in alerts let people act."],
            );
        }
        let deed = Deed::ALL.into_iter().find(|deed| deed.as_str() == said("deed"));
        let (Some(deed), Ok(())) = (deed, keys.check_token(link, &said("token"), now)) else {
            return Page::refused(
                403,
                "Nothing was done",
                &["The page had been open for over an hour, or the form did not come from it. Open the link again."],
            );
        };
        let who = Who { name: said("name"), via: grant.to.clone() };
        let at = (self.store.as_ref(), self.outbox.as_ref(), self.config.as_ref());
        let (status, why) = match act(at, incident, deed, &who, now).await {
            // The page itself, so that a reload sends nothing again.
            Ok(_) => return Page { status: 303, html: String::new(), location: Some(link.to_owned()) },
            Err(Undone::Store(error)) => return unavailable(&error),
            Err(why @ Undone::Unknown) => (404, why),
            Err(why @ Undone::Nameless) => (400, why),
            Err(why) => (409, why),
        };
        Page::refused(
            status,
            "Nothing was done",
            &[&sentence(&why.to_string()), "Open the link again to see how it stands."],
        )
    }

    async fn incident(
        &self,
        keys: &LinkKeys,
        grant: &Grant,
        asked: &Asked<'_>,
        incident: &Incident,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let zone = &self.config.workspace.zone;
        let mut facts = facts::gather(self.store.as_ref(), &self.config, incident, now).await?;
        facts.names = self.names.get(self.store.as_ref(), &self.config, now).await;
        let phase = if incident.is_open() { Phase::Updated } else { Phase::Resolved };
        let message = compose::message(incident, phase, &facts, &self.config, now);
        let told = summary::who_knows(self.store.as_ref(), zone, incident, now).await?;
        let acts = incident.acts.iter().map(|act| format!("{} by {}", act.done(zone, now), act.who(zone, now)));
        let acts: Vec<String> = acts.collect();
        let full = Full {
            telling: Telling::of(message.clone(), told, now),
            timeline: incidents::timeline(&self.config, incident, now),
        };
        let token = keys.token(asked.path_and_query, now);
        let may_act = grant.may == May::Act && incident.is_open() && super::act::may_act_on(&incident.subject);
        let status = keys.link(STATUS, &[], grant);
        let page = IncidentPage {
            workspace: &self.config.workspace.name,
            incident,
            message: &message,
            full: &full,
            acts: &acts,
            status: &status,
            form: may_act.then_some(Form { link: asked.path_and_query, token: &token }),
        };
        Ok(page.html())
    }

    /// The whole page. A form asks for another stretch of its history.
    async fn status(
        &self,
        keys: &LinkKeys,
        grant: &Grant,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let wanted: Vec<(&str, String)> = parameters(asked.form).collect();
        let filters = Filters::of(wanted.iter().map(|(name, value)| (*name, value.as_str())));
        let to = |path: &str| keys.link(path, &[], grant);
        let doors = Doors { form: asked.path_and_query, to: &to };
        page::status(self.store.as_ref(), &self.config, &filters, Some(&doors), now).await
    }

    /// A link that opens nothing. That it has expired is said only of one that was good.
    fn no_entry(&self, asked: &Asked<'_>, refused: Refused, now: Timestamp) -> Page {
        let fresh = match incident_at(asked.path_and_query.split('?').next().unwrap_or_default()) {
            Some((key, episode)) => format!("A fresh one: bridge link --incident {key}-{episode}"),
            None => "A fresh one: bridge link".to_owned(),
        };
        match refused {
            Refused::Invalid => Page::refused(
                403,
                "This page opens by a signed link",
                &[
                    "The link is not whole, was changed, or was made with a key that is used no more. Every alert and digest carries a good one.",
                    &fresh,
                ],
            ),
            Refused::Expired { at } => {
                let at = text::clock_in_zone(at, &self.config.workspace.zone, now);
                Page::refused(403, "This link has expired", &[&format!("It was good until {at}."), &fresh])
            }
        }
    }
}

fn gone() -> Page {
    Page::refused(404, "There is nothing here", &["No such page, or the incident is no longer kept (400 days)."])
}

fn unavailable(error: &StoreError) -> Page {
    tracing::error!(event = "visit_failed", %error);
    Page::refused(
        503,
        "The bridge cannot read its store now",
        &["Alerts are not affected by this page. Try again in a minute."],
    )
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests;
