//! The tables of keys in docs/configuration.md: made of the doc comments, between `<!-- keys: PATH -->` and
//! `<!-- end -->`.

use std::fmt::Write as _;

use serde_json::Value;

use super::keys::{Key, KeyTable, followed, words};

/// The documentation with every marked table as the schema has it.
pub fn refreshed(documentation: &str, root: &Value, tables: &[(KeyTable, Vec<String>)]) -> String {
    let mut text = String::new();
    let mut rest = documentation;
    while let Some((before, marked)) = rest.split_once("<!-- keys: ") {
        let (path, marked) = marked.split_once(" -->").expect("the marker's end");
        let (_, behind) = marked.split_once("<!-- end -->").expect("the table's end");
        let (table, order) = tables.iter().find(|(t, _)| t.path == path).unwrap_or_else(|| panic!("no table {path}"));
        let _ = write!(text, "{before}<!-- keys: {path} -->\n{}<!-- end -->", of(root, table, order));
        rest = behind;
    }
    text + rest
}

/// A table's keys in the order of the reader, which error texts have too.
fn of(root: &Value, table: &KeyTable, order: &[String]) -> String {
    let mut text = String::from("| key | default | meaning |\n|---|---|---|\n");
    for name in order {
        let key = table.keys.iter().find(|key| key.name == *name).unwrap_or_else(|| panic!("{name} has no text"));
        let (meaning, default) = key.description.split_once("Default: ").unwrap_or((&key.description, ""));
        let default = match (&key.default, key.is_required) {
            _ if !default.is_empty() => default.trim_end_matches('.').to_owned(),
            (_, true) => "required".into(),
            (Some(default), false) => format!("`{default}`"),
            (None, false) => "none".into(),
        };
        let _ =
            writeln!(text, "| `{name}` | {default} | {} |", format!("{} {}", meaning.trim(), values(root, key)).trim());
    }
    text
}

/// What a key can be, where that is a list of words or a span of numbers.
fn values(root: &Value, key: &Key) -> String {
    let one = if key.schema["type"] == "array" { followed(root, &key.schema["items"]) } else { &key.schema };
    if let Some(words) = words(one) {
        let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        return match words.as_slice() {
            [several @ .., last] if !several.is_empty() => format!("{} or {last}.", several.join(", ")),
            one => format!("{}.", one.join("")),
        };
    }
    match (one["minimum"].as_u64(), one["maximum"].as_u64()) {
        (Some(least), Some(most)) => format!("{least} to {most}."),
        _ => String::new(),
    }
}
