//! A row a workflow; opened, its hours.

use maud::{Markup, html};

use super::mark;
use crate::message::text::number;
use crate::page::plot;
use crate::page::workflows::Row;

pub fn section(rows: &[Row]) -> Markup {
    html! {
        section {
            h2 { "Workflows" @if !rows.is_empty() { small { "today, and the last 14 days with what is expected behind; open one for its hours, with a line for what is usual" } } }
            @if rows.is_empty() {
                p.none { "No workflow is watched yet. A " code { "[[heartbeats]]" } " section says what must happen." }
            }
            div.rows { @for row in rows { (one(row)) } }
        }
    }
}

fn one(row: &Row) -> Markup {
    let (class, shape) = mark(row.standing);
    html! {
        details.w {
            summary {
                span class=(format!("st {class}")) {
                    svg aria-hidden="true" { use href=(format!("#{shape}")) {} }
                    (row.standing.word())
                }
                span.nm { b { (row.name) } i { (row.source) } }
                span.ct {
                    b { (number(row.count)) }
                    @if let Some(by_now) = row.by_now { " of about " (number(by_now)) " by now" }
                    i { (row.expected) }
                }
                (plot::days(&row.days, "Last 14 days", plot::ROW_DAY))
            }
            div.in {
                (plot::hours(&row.hours, row.hours_so_far))
            }
        }
    }
}
