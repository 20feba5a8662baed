//! The page of one incident: what it is, who was told, what people did, and the forms to act with.

use maud::{Markup, html};

use super::frame;
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, Severity};
use crate::message::{Message, text};
use crate::receivers::plain;
use crate::steps::act::{Deed, NAME_CHARS};

/// What the page shows.
pub struct IncidentPage<'a> {
    pub incident: &'a Incident,
    /// What a receiver would be told now.
    pub message: &'a Message,
    pub told: &'a [(String, Told)],
    /// What people did, in words, oldest first.
    pub acts: &'a [String],
    /// How instants are written.
    pub clock: &'a dyn Fn(jiff::Timestamp) -> String,
    /// To the whole page.
    pub status: &'a str,
    pub form: Option<Form<'a>>,
    /// Said on top: what was done just now, or why nothing was.
    pub note: Option<&'a str>,
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
        let title = plain::title(message);
        let body = html! {
            nav { a href=(self.status) { "All workflows" } }
            @if let Some(note) = self.note { p.note role="status" { (note) } }
            header.verdict.(tone(self.incident)) {
                p.state { (plain::state(message)) }
                h1 { (message.headline) }
                p.quiet { (plain::footer(message)) }
            }
            @if let Some(form) = &self.form { (forms(form)) }
            section {
                h2 { "What is known" }
                dl { @for field in &message.fields { dt { (field.name) } dd { (field.value) } } }
                @if !message.lines.is_empty() { ul { @for line in &message.lines { li { (line) } } } }
            }
            @if !message.steps.is_empty() {
                section { h2 { "Check first" } ol { @for step in &message.steps { li { (step) } } } }
            }
            @if !message.samples.is_empty() {
                section { h2 { "It said" } @for sample in &message.samples { p.said { (plain::quoted(sample)) } } }
            }
            section {
                h2 { "Who was told" }
                @if self.incident.receivers.is_empty() { p { "Nobody: no route takes it." } }
                ul { @for receiver in &self.incident.receivers { li { strong { (receiver) } " " (self.heard(receiver)) } } }
            }
            @if !self.acts.is_empty() {
                section { h2 { "What people did" } ul { @for act in self.acts { li { (act) } } } }
            }
            @if !message.links.is_empty() {
                section {
                    h2 { "Elsewhere" }
                    ul { @for link in &message.links { li { a href=(link.href) rel="noreferrer" { (link.text) } } } }
                }
            }
        };
        frame::page(&text::cut(&title, 120), body)
    }

    /// How far a receiver's knowledge of this episode goes.
    fn heard(&self, receiver: &str) -> String {
        let episode = self.incident.episode;
        let told = self.told.iter().find(|(name, _)| name == receiver).map(|(_, told)| told);
        let Some(told) = told.filter(|told| told.episode >= episode) else { return "not yet".to_owned() };
        if told.episode > episode {
            return "knows how it ended".to_owned();
        }
        let last = told.last_at.map(|at| format!(", last at {}", (self.clock)(at))).unwrap_or_default();
        let trouble = told.trouble.as_deref().map(|why| format!("; the last try failed: {why}")).unwrap_or_default();
        let knows = match &told.stage {
            Stage::Nothing => "not yet".to_owned(),
            Stage::Opened { .. } => format!("knows that it is open{last}"),
            Stage::RolledUp { .. } => format!("knows of it by a list of incidents{last}"),
            Stage::Silenced { .. } => "not told: a silence mutes it".to_owned(),
            Stage::Finished => format!("knows how it ended{last}"),
            Stage::Skipped => "not told: it was over before, and this receiver can only page".to_owned(),
            Stage::Undeliverable { reason } => format!("did not take it: {reason}"),
            Stage::Dropped { by, .. } => format!("not told: {by} gave up on it"),
            Stage::Newer => "told by a later version of the bridge".to_owned(),
        };
        format!("{knows}{trouble}")
    }
}

const fn tone(incident: &Incident) -> &'static str {
    match (incident.state, incident.severity) {
        (crate::incident::State::Resolved { .. }, _) => "ok",
        (_, Severity::Critical) => "bad",
        (_, Severity::Warning | Severity::Info) => "warn",
    }
}

/// One form, a button for each deed: a name is typed once.
fn forms(form: &Form<'_>) -> Markup {
    html! {
        form.act method="post" action=(form.link) {
            input type="hidden" name="token" value=(form.token);
            label for="name" { "Your name" }
            input #name name="name" required maxlength=(NAME_CHARS) autocomplete="name" placeholder="shown to the team, not verified";
            div.buttons {
                @for deed in Deed::ALL { button name="deed" value=(deed.as_str()) { (words(deed)) } }
            }
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
