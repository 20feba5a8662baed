//! Entries that are twice in one list.

use toml::de::{DeTable, DeValue};

use super::places::Places;
use crate::config::reader::{Problem, quoted};

/// Warns of each text that a list has already, in every list of the file.
pub fn advise(root: &DeTable<'_>, places: &Places<'_>) {
    root.iter().for_each(|(key, value)| look(key.get_ref(), value.get_ref(), places));
}

fn look(key: &str, value: &DeValue<'_>, places: &Places<'_>) {
    match value {
        DeValue::Table(table) => table.iter().for_each(|(key, value)| look(key.get_ref(), value.get_ref(), places)),
        DeValue::Array(entries) => {
            let mut seen: Vec<&str> = Vec::new();
            for entry in entries.iter() {
                let Some(text) = entry.get_ref().as_str() else {
                    look(key, entry.get_ref(), places);
                    continue;
                };
                if seen.contains(&text) {
                    let what = format!("{} is in {} twice: once is enough", quoted(text), quoted(key));
                    let fix = "remove one of them, or write what was meant instead";
                    places.report(entry.span().start, Problem::warning(what).fix(fix));
                }
                seen.push(text);
            }
        }
        _ => {}
    }
}
