use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

/// Set to anything, a test run writes the page instead of comparing it.
const WRITE: &str = "WRITE_RUNBOOK_PAGE";

fn page() -> String {
    let mut page = String::from(
        "# Runbook\n\nWhat to do about each thing that an alert can be about. Alerts link their section once \
         `base_url` or `runbook_url` of [`[page]`](configuration.md#page) is set; the bridge shows the same at `/runbook`. \
         `bridge incident ID --markdown` writes down what happened. This page is made from `src/runbook` and `src/customerio/cause_table`; do not edit it.\n\nWhat a cause's text looks like and \
         whose it is to repair stands in [causes](causes.md).\n",
    );
    for (name, sections) in groups() {
        let _ = write!(page, "\n## {name}\n");
        for (section, row) in sections {
            let symptoms = row.map_or_else(|| section.symptoms.to_owned(), example);
            let _ = write!(page, "\n### {}\n\n{}.\n\n", section.key, capital(section.title));
            for (name, text) in [("Symptoms", symptoms.as_str()), ("Meaning", section.meaning)] {
                let _ = write!(page, "**{name}.** {text}\n\n");
            }
            page.push_str("**Confirm.**\n\n");
            for (n, step) in section.confirm.iter().enumerate() {
                let _ = writeln!(page, "{}. {step}", n + 1);
            }
            let _ = write!(page, "\n**Fix.** {}\n\n**Prevent.** {}\n", section.fix, section.prevent);
        }
    }
    page
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[test]
fn the_runbook_says_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, &page).expect(path);
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stands == page, "docs/runbook.md is stale: {WRITE}=1 cargo test --lib the_runbook_says rewrites it");
}

#[test]
fn every_section_is_whole_and_found_by_a_key_of_its_own() {
    let mut keys = BTreeSet::new();
    for (section, row) in groups().flat_map(|(_, sections)| sections) {
        assert!(keys.insert(section.key), "{} stands twice", section.key);
        let is_key = section.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(is_key, "{} is no anchor that every page makes of a heading", section.key);
        assert!(row.is_some() || !section.symptoms.is_empty(), "{}", section.key);
        for text in [section.meaning, section.fix, section.prevent] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", section.key);
        }
        assert!(!section.confirm.is_empty(), "{}", section.key);
    }
}
