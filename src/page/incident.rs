//! The page of one incident: what it is, who was told, what people did, and the form to act with.

use maud::{Markup, html};

use super::frame;
use super::html::incidents::told;
use super::html::{symbols, verdict};
use super::incidents::Full;
use super::verdict::{Level, split};
use crate::incident::Incident;
use crate::message::{Message, text};
use crate::receivers::plain;
use crate::steps::act::{Deed, NAME_CHARS};

/// What the page shows.
pub struct IncidentPage<'a> {
    pub workspace: &'a str,
    pub incident: &'a Incident,
    /// What a receiver would be told now.
    pub message: &'a Message,
    pub full: &'a Full,
    /// What people did, in words, oldest first.
    pub acts: &'a [String],
    /// To the whole page.
    pub status: &'a str,
    pub form: Option<Form<'a>>,
}

/// What acting takes.
pub struct Form<'a> {
    /// Path and query that the form is sent to: the link itself.
    pub link: &'a str,
    pub token: &'a str,
}

impl IncidentPage<'_> {
    pub fn html(&self) -> String {
        let message = self.message;
        let level = if self.incident.is_open() { Level::from(self.incident.severity) } else { Level::Ok };
        let (sentence, detail) = split(message.headline.clone());
        let more: Vec<String> = detail.into_iter().chain(self.acts.iter().cloned()).collect();
        let body = html! {
            (symbols())
            header.top {
                strong { (self.workspace) }
                span { "Incident " (self.incident.id()) }
                span.at { a href=(self.status) { "All workflows" } }
            }
            main {
                (verdict(level, plain::state(message), &sentence, &more))
                @if let Some(form) = &self.form { (forms(form)) }
                div.card { (told(self.full, &self.incident.id())) }
            }
        };
        frame::page(&text::cut(&plain::title(message), 120), &body)
    }
}

/// One form, a button for each deed: a name is typed once.
fn forms(form: &Form<'_>) -> Markup {
    html! {
        form.act method="post" action=(form.link) {
            input type="hidden" name="token" value=(form.token);
            label { "Your name " input name="name" required maxlength=(NAME_CHARS) autocomplete="name"; }
            @for deed in Deed::ALL { button name="deed" value=(deed.as_str()) { (words(deed)) } }
            small { "Your name is shown to the team as not verified." }
        }
    }
}

/// What a button says.
const fn words(deed: Deed) -> &'static str {
    match deed {
        Deed::Acknowledge => "Acknowledge",
        Deed::SilenceHour => "Silence for 1 h",
        Deed::SilenceUntilTomorrow => "Silence until tomorrow",
        Deed::Close => "Close by hand",
    }
}
