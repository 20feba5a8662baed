//! Open incidents: what, since when, what to do, who knows.

use maud::{Markup, html};

use super::{Doors, class, symbol};
use crate::page::incidents::{Full, Open};
use crate::page::verdict::{Level, capital};
use crate::runbook;

pub fn open(open: &[Open], doors: Option<&Doors<'_>>) -> Markup {
    let (full, rest): (Vec<&Open>, Vec<&Open>) = open.iter().partition(|open| open.full.is_some());
    html! {
        @if !open.is_empty() {
            section {
                h2 { "Open incidents" small { (open.len()) } }
                div.cards { @for (at, open) in full.iter().enumerate() { (card(open, at == 0, doors)) } }
                @if !rest.is_empty() {
                    ul.rest { @for open in rest { li { (severity(open)) " " (named(&open.title, &open.path, doors)) " " small { (open.age) } } } }
                }
            }
        }
    }
}

/// A title that leads to its incident, where there are doors.
pub(super) fn named(title: &str, path: &str, doors: Option<&Doors<'_>>) -> Markup {
    html! {
        @if let Some(doors) = doors { a href=((doors.to)(path)) { (title) } } @else { (title) }
    }
}

fn severity(open: &Open) -> Markup {
    let level = Level::from(open.severity);
    html! {
        span class=(format!("st {}", class(level))) {
            svg aria-hidden="true" { use href=(format!("#{}", symbol(level))) {} }
            (capital(open.severity.as_str()))
        }
    }
}

/// The worst one is open from the beginning.
fn card(open: &Open, is_first: bool, doors: Option<&Doors<'_>>) -> Markup {
    html! {
        details class=(format!("card {}", class(Level::from(open.severity)))) id=(format!("i-{}", open.id)) open[is_first] {
            summary { (severity(open)) b { (open.title) } i { (open.age) } }
            @if let Some(full) = &open.full { (told(full, &open.id)) @if let Some(doors) = doors { p.in { a href=((doors.to)(&open.path)) { "Open this incident" } } } }
        }
    }
}

pub(in crate::page) fn told(full: &Full, id: &str) -> Markup {
    let telling = &full.telling;
    html! {
        div.in {
            @if !telling.steps.is_empty() {
                div.do {
                    h3 { "What to do" }
                    ol { @for step in &telling.steps { li { (step) } } }
                    @for (text, href) in &telling.links {
                        @if href.starts_with("https://") || href.starts_with(runbook::PATH) { p { a href=(href) rel="noreferrer" { (text) } } }
                    }
                }
            }
            div {
                h3 { "What is known" }
                dl { @for (name, value) in &telling.fields { dt { (name) } dd { (value) } } }
                @for line in &telling.lines { p { (line) } }
                @for sample in &telling.samples { blockquote { (sample) } }
            }
            div {
                h3 { "Who was told" }
                ul { @for line in &telling.told { li { (line) } } }
                h3 { "Timeline" }
                ul { @for (at, what) in &full.timeline { li { (at) ": " (what) } } }
                p.id { "Incident " code { (id) } }
            }
        }
    }
}
