//! Keys that the configuration knows and this version does not act on: their author must hear of it.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::config::reader::{Problem, Report, quoted};

/// A key that has no effect yet, as a path from the top of the file, and what happens instead.
pub const NOT_YET: &[(&str, &str)] = &[];

/// Warns of each of [`NOT_YET`] that the file sets.
pub fn warn(root: &DeTable<'_>, report: &Report<'_>) {
    for (path, instead) in NOT_YET {
        let (section, key) = path.split_once('.').unwrap_or((path, ""));
        let Some((section_key, value)) = entry(root, section) else { continue };
        let warn = |at: &Spanned<DeString<'_>>| {
            let problem = Problem::warning(format!("{} has no effect in this version: {instead}", quoted(path)));
            report.push(at.span().start, problem);
        };
        if key.is_empty() {
            warn(section_key);
            continue;
        }
        let tables = match value.get_ref() {
            DeValue::Array(entries) => entries.iter().filter_map(|e| e.get_ref().as_table()).collect(),
            DeValue::Table(table) => vec![table],
            _ => Vec::new(),
        };
        tables.iter().filter_map(|table| entry(table, key)).for_each(|(key, _)| warn(key));
    }
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<(&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
    table.iter().find(|(name, _)| name.get_ref() == key)
}
