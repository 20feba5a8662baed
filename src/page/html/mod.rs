//! The view as HTML: a section a file, the state of things on top.

mod failures;
mod history;
pub(super) mod incidents;
mod workflows;

use maud::{Markup, html};

use super::verdict::Level;
use super::view::{Reconciliation, View};
use super::workflows::Standing;
use super::{frame, plot};

/// Where a page leads: links within it are signed like the one that opened it.
pub struct Doors<'a> {
    /// Where the form of the history is sent: the link itself.
    pub form: &'a str,
    /// The link to a path.
    pub to: &'a (dyn Fn(&str) -> String + Sync),
}

/// The whole page; without doors nothing in it leads to another.
pub fn page(view: &View, doors: Option<&Doors<'_>>) -> String {
    let title = format!("{}: {}", view.verdict.level.word(), view.workspace);
    let body = html! {
        (symbols())
        header.top {
            strong { (view.workspace) }
            span { "Customer.io messages" }
            span.at { (view.at) }
        }
        main {
            (verdict(view.verdict.level, view.verdict.level.word(), &view.verdict.sentence, &view.verdict.more))
            (incidents::open(&view.open, doors))
            (workflows::section(&view.workflows))
            (failures::channels(&view.channels))
            div.two {
                (failures::causes(&view.causes))
                (failures::providers(&view.providers))
            }
            (reconciliation(&view.reconciliation))
            (history::section(&view.history, doors))
        }
        footer { "Counts are lower bounds: what has not arrived is not counted. " (view.heard) "." }
    };
    frame::page(&title, &body)
}

/// What must be seen from across the room.
pub(super) fn verdict(level: Level, word: &str, sentence: &str, more: &[String]) -> Markup {
    html! {
        section class=(format!("verdict {}", class(level))) aria-label="State of things" {
            svg.icon aria-hidden="true" { use href=(format!("#{}", symbol(level))) {} }
            div {
                p.word { (word) }
                h1 { (sentence) }
                @if !more.is_empty() {
                    p.more { @for line in more { span { (line) } " " } }
                }
            }
        }
    }
}

const fn class(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Unknown => "unknown",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

/// Each state has a shape of its own.
const fn symbol(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Unknown => "unknown",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

/// Class and shape of a workflow's standing.
const fn mark(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Low => ("critical", "low"),
        Standing::High => ("critical", "high"),
        Standing::Unknown => ("unknown", "unknown"),
        Standing::Learning => ("quiet", "learning"),
        Standing::Pending => ("quiet", "pending"),
        Standing::Ok => ("ok", "ok"),
        Standing::Off => ("quiet", "off"),
    }
}

/// Shapes, once a page.
pub(super) fn symbols() -> Markup {
    let shapes = [
        ("ok", "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.4 14.6-4.2-4.2 1.7-1.7 2.5 2.5 5.3-5.6 1.7 1.7z"),
        ("warning", "M12 2 23 21H1zm-1.2 7v6h2.4V9zm0 7.3v2.4h2.4v-2.4z"),
        ("critical", "M7.5 1.5h9l6 6v9l-6 6h-9l-6-6v-9zM10.7 6v7.6h2.6V6zm0 9.4V18h2.6v-2.6z"),
        (
            "unknown",
            "M2 2h20v20H2zm8.7 13.6h2.5c0-2.4 3.6-2.7 3.6-6A4.6 4.6 0 0 0 12 5 4.7 4.7 0 0 0 7.2 9.5h2.6A2.2 2.2 0 0 1 12 7.3c1.2 0 2.2.9 2.2 2.2 0 2-3.5 2.4-3.5 6.1zm0 1.4v2.5h2.5v-2.5z",
        ),
        ("low", "M1 4h22L12 22z"),
        ("high", "M1 20h22L12 2z"),
        ("learning", "M4 14h4v6H4zm6-5h4v11h-4zm6-5h4v16h-4z"),
        (
            "pending",
            "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zM10.8 7v6l4.4 2.6 1.1-1.9-3.2-1.9V7z",
        ),
        ("off", "M3 10.5h18v3H3z"),
    ];
    html! {
        svg.defs aria-hidden="true" width="0" height="0" {
            defs {
                @for (id, path) in shapes {
                    symbol id=(id) viewBox="0 0 24 24" { path fill-rule="evenodd" d=(path) {} }
                }
                (plot::axes())
            }
        }
    }
}

fn reconciliation(rows: &[Reconciliation]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Fired and received" small { "the last day of each event that was compared" } }
                div.scroll tabindex="0" role="region" aria-label="Fired and received" {
                    table {
                        thead { tr {
                            th { "Event" } th { "Day" } th.n { "Fired" } th.n { "Received" } th.n { "Started" }
                            th.n { "Messages" } th { "Comparison" }
                        } }
                        tbody {
                            @for row in rows {
                                tr {
                                    td { (row.name) }
                                    td { (row.date) }
                                    td.n { (row.fired) }
                                    td.n { (row.received) }
                                    td.n { (row.started) }
                                    td.n { (row.messages) }
                                    td {
                                        @if row.is_lost { strong.critical { (row.verdict) } } @else { (row.verdict) }
                                        @for other in &row.others { br; i { (other) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
