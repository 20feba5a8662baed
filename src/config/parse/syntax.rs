//! What the TOML parser says, in sentences that help. Its own words never hold a piece of the file.

use std::collections::BTreeSet;

use toml::de::Error;

use crate::config::reader::{Problem, Report};

/// A phrase of the TOML parser and what to say for it. Source: the descriptions in the crate `toml_parser`.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("duplicate key", "this key or table is there twice", "each once; a table that may repeat is written [[name]]"),
    ("string values must be quoted", "a text stands here without quotes", "key = \"text\""),
    ("key with no value", "this key has no value", "key = value"),
    ("missing value for key", "this key has no value", "key = value"),
    ("extra `=`", "there is one = too many", "key = value"),
    ("unclosed array table", "the header [[...]] is not closed", "[[name]]"),
    ("unclosed table", "the header [...] is not closed", "[name]"),
    ("unclosed array", "the list is not closed", "[\"a\", \"b\"]"),
    ("unclosed inline table", "the table { ... } is not closed", "{ key = value, other = value }"),
    ("invalid basic string", "the text is not closed, or holds an escape that TOML does not know", "\"text\""),
    (
        "missing escaped value",
        "a \\ begins an escape that TOML does not know",
        "\\\\ for a backslash, or the text in 'single quotes'",
    ),
    ("missing comma between", "there is a comma missing before this", "[\"a\", \"b\"]"),
    ("max recursion", "brackets are nested too deeply", "at most 80 levels"),
];

/// For what no sentence is about.
const TOML: &str = "[section], [[section]] and key = value, one a line; texts in quotes (https://toml.io)";

/// Reports what is wrong with the TOML, the first problem of each line: the rest of a line is mostly its echo.
pub fn report(errors: &[Error], report: &Report<'_>) {
    let mut lines = BTreeSet::new();
    for error in errors {
        let span = error.span().unwrap_or_default();
        let at = span.start;
        if !lines.insert(report.position(at).0) {
            continue;
        }
        // The parser calls a value that is not there a text without quotes.
        let nothing = report.text().get(span).is_some_and(|found| found.trim().is_empty());
        let message = match error.message() {
            message if nothing && message.contains("must be quoted") => "key with no value",
            message => message,
        };
        let known = SENTENCES.iter().find(|(phrase, ..)| message.contains(phrase));
        let problem = match known {
            Some((_, what, allowed)) => Problem::error(format!("not valid TOML: {what}")).allowed(*allowed),
            None => Problem::error(format!("not valid TOML: {}", error.message())).allowed(TOML),
        };
        report.push(at, problem);
    }
}
