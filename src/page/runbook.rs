//! The runbook as a page: what alerts lead to. It needs no link key, for it says nothing about anybody.

use std::sync::LazyLock;

use maud::html;

use super::frame;
use super::verdict::capital;
use crate::runbook::{example, groups};

/// It is the same for everybody, always.
static HTML: LazyLock<String> = LazyLock::new(|| {
    let body = html! {
        header.top { strong { "cio-alert-bridge" } span { "Runbook" } }
        main.book {
            h1 { "What to do about an alert" }
            @for (name, sections) in groups() {
                h2 { (name) }
                @for (section, row) in sections {
                    section id=(section.key) {
                        h3 { a href=(format!("#{}", section.key)) { (capital(section.title)) } " " code { (section.key) } }
                        dl {
                            dt { "Symptoms" }
                            dd { @match row { Some(row) => (example(row)), None => (section.symptoms) } }
                            dt { "Meaning" } dd { (section.meaning) }
                            dt { "Confirm" } dd { ol { @for step in section.confirm { li { (step) } } } }
                            dt { "Fix" } dd { (section.fix) }
                            dt { "Prevent" } dd { (section.prevent) }
                        }
                    }
                }
            }
        }
    };
    frame::page("Runbook", &body)
});

pub fn html() -> &'static str {
    &HTML
}
