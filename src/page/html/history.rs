//! What was, and the form that asks for other days.

use maud::{Markup, html};

use super::Doors;
use super::incidents::named;
use crate::incident::Severity;
use crate::message::text::count;
use crate::page::history::{Bars, Filters, History, REACHES};
use crate::page::plot;

pub fn section(history: &History, doors: Option<&Doors<'_>>) -> Markup {
    html! {
        section id="history" {
            h2 { "History" }
            @if let Some(doors) = doors { (form(&history.filters, &history.abouts, doors.form)) }
            @match &history.days {
                Bars::Workflow { name, days } => {
                    @let width = plot::wide(days.len());
                    div.wide { (plot::days(days, &format!("{name}, a bar a day"), width)) }
                }
                Bars::Failures(days) => div.wide {
                    p { "Messages that failed for good, a bar a day" }
                    (plot::failures(days))
                }
            }
            @if history.incidents.is_empty() {
                p.none { "No incident opened." }
            } @else {
                table.past {
                    thead { tr { th { "Opened" } th { "Severity" } th { "What" } th { "Lasted" } th { "End" } } }
                    tbody {
                        @for past in &history.incidents {
                            tr {
                                td { (past.opened) }
                                td { (past.severity.as_str()) }
                                td { (named(&past.title, &past.path, doors)) " " code { (past.id) } }
                                td { (past.lasted) }
                                td { (past.ended) }
                            }
                        }
                    }
                }
                @if history.left_out > 0 {
                    p.none { "... and " (count("more incident", history.left_out as u64)) ": ask for fewer days, or for one workflow or rule." }
                }
            }
        }
    }
}

/// Sent by POST, though it changes nothing: a link's signature covers all of its query.
fn form(filters: &Filters, abouts: &[String], link: &str) -> Markup {
    html! {
        form method="post" action=(format!("{link}#history")) {
            label { "Days " select name="days" {
                @for days in REACHES { option value=(days) selected[days == filters.days] { (days) } }
            } }
            label { "About " select name="about" {
                option value="" { "everything" }
                @for about in abouts { option selected[filters.about.as_ref() == Some(about)] { (about) } }
            } }
            label { "Severity " select name="severity" {
                option value="" { "any" }
                @for severity in Severity::ALL {
                    option selected[filters.severity == Some(severity)] { (severity.as_str()) }
                }
            } }
            button { "Show" }
        }
    }
}
