//! `docs/causes.md`, made from the table.

use std::fmt::Write as _;

use super::*;

/// Set to anything, a test run writes the page instead of comparing it.
const WRITE: &str = "WRITE_CAUSES_PAGE";

fn page() -> String {
    let mut page = String::from(
        "# Causes\n\nWhat a failure's text can mean, as alerts name it. This page is made from \
         `src/customerio/cause_table`; do not edit it.\n\nA text that no line of the table knows for certain is \
         `unknown`: a wrong cause sends people to the wrong place.\n",
    );
    for (name, rows) in GROUPS {
        let _ = write!(
            page,
            "\n## {name}\n\n| cause | meaning | at fault | how soon | check first | for example | source |\n"
        );
        page.push_str("|---|---|---|---|---|---|---|\n");
        for row in *rows {
            let example = match row.example {
                "" => format!("any `{}`", row.example_kind),
                text => format!("`{}`: `{text}`", row.example_kind),
            };
            let cells = [
                format!("`{}`<br>{}", row.key, row.title),
                row.meaning.to_owned(),
                fault(row.fault).to_owned(),
                urgency(row.urgency).to_owned(),
                row.check_first.join("<br>"),
                example,
                row.source.to_owned(),
            ];
            let _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
        }
    }
    page
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Template => "our message",
        Fault::Configuration => "our settings",
        Fault::Provider => "a provider or the network",
        Fault::Recipient => "the recipient's address, number or device",
        Fault::Reputation => "our reputation",
        Fault::Policy => "a limit or switch set on purpose",
        Fault::Unknown => "not known",
    }
}

fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Now => "now: all fail until somebody acts",
        Urgency::Today => "today",
        Urgency::Digest => "in the digest: ordinary traffic",
    }
}

#[test]
fn the_page_of_causes_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/causes.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, &page).expect(path);
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stands == page, "docs/causes.md is stale: {WRITE}=1 cargo test --lib the_page_of_causes rewrites it");
}
