//! The schema and the reader know the same keys, words and defaults, and so does the documentation.

use std::collections::BTreeSet;

use super::documented::refreshed;
use super::keys::{KeyTable, followed, tables, words};
use super::*;
use crate::config::parse::{Problem, parse};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const DOCUMENTATION: &str = include_str!("../../../docs/configuration.md");

/// Writes files that are made of the types instead of comparing them.
const REFRESH: &str = "BRIDGE_REFRESH=1 cargo test --no-default-features --lib config::file";

/// The keys that the reader knows in such a table, in its order.
fn known_to_the_reader(table: &KeyTable) -> Vec<String> {
    let problems = parse(&table.with(&["nokey = 1"])).problems;
    let unknown = problems.iter().find(|p| p.what.contains("unknown key \"nokey\""));
    let allowed = unknown.and_then(|p| p.allowed.as_ref()).unwrap_or_else(|| panic!("{}: {problems:?}", table.path));
    allowed.split(", ").map(str::to_owned).collect()
}

fn all_tables() -> Vec<(KeyTable, Vec<String>)> {
    tables(&schema())
        .into_iter()
        .map(|table| {
            let known = known_to_the_reader(&table);
            (table, known)
        })
        .collect()
}

/// A file that is made of the types is as they make it.
fn holds(path: &str, made: &str) {
    let file = format!("{ROOT}/{path}");
    if std::env::var_os("BRIDGE_REFRESH").is_some() {
        std::fs::write(&file, made).expect("written");
    }
    let is = std::fs::read_to_string(&file).expect("a file");
    assert!(is == made, "{path} is not what src/config/file.rs says: refresh it with\n  {REFRESH}");
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    holds("docs/bridge.schema.json", &text());
}

#[test]
fn the_documented_keys_are_those_of_the_types() {
    let tables = all_tables();
    for (table, _) in tables.iter().filter(|(table, _)| !table.path.is_empty()) {
        assert!(DOCUMENTATION.contains(&format!("<!-- keys: {} -->", table.path)), "{} is not documented", table.path);
    }
    holds("docs/configuration.md", &refreshed(DOCUMENTATION, &schema(), &tables));
}

#[test]
fn the_reader_knows_exactly_the_keys_of_the_schema() {
    let tables = all_tables();
    assert!(tables.len() >= 20, "{}", tables.len());
    for (table, known) in tables {
        let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
        let described: BTreeSet<&str> = table.keys.iter().map(|k| k.name.as_str()).collect();
        assert_eq!(described, known, "[{}]", table.path);
        for key in &table.keys {
            assert!(!key.description.is_empty() || key.name == "type", "{}.{} says nothing", table.path, key.name);
        }
    }
}

#[test]
fn the_reader_requires_exactly_the_keys_that_the_schema_requires() {
    for (table, _) in all_tables().into_iter().filter(|(table, _)| !table.path.is_empty()) {
        let problems = parse(&table.with(&[])).problems;
        // `"name" is missing in [[rules]]`: of this table, not of the file.
        let missing = |p: &Problem| {
            p.what
                .strip_prefix('"')
                .and_then(|rest| rest.split_once("\" is missing in "))
                .map(|(key, _)| key.to_owned())
        };
        let missing: BTreeSet<String> = problems.iter().filter_map(missing).collect();
        let required: BTreeSet<String> = table
            .keys
            .iter()
            .filter(|k| k.is_required && !(table.is_variant() && k.name == "type"))
            .map(|k| k.name.clone())
            .collect();
        // A condition's table stands in a rule, which lacks its own keys too.
        let inherited = |key: &String| table.path.contains('.') && !table.keys.iter().any(|k| k.name == *key);
        let missing: BTreeSet<String> = missing.into_iter().filter(|key| !inherited(key)).collect();
        let outer = |key: &String| required.contains(key) || table.path.starts_with("rules.") && key == "name";
        assert!(missing.iter().all(outer), "[{}] {missing:?} {required:?}", table.path);
        assert!(required.is_subset(&missing), "[{}] {missing:?} {required:?}", table.path);
    }
}

#[test]
fn the_reader_takes_exactly_the_words_that_the_schema_lists() {
    let schema = schema();
    let mut looked_at = 0;
    for (table, _) in all_tables() {
        for key in &table.keys {
            let is_list = key.schema["type"] == "array";
            let one = if is_list { followed(&schema, &key.schema["items"]) } else { &key.schema };
            let Some(mut words) = words(one) else { continue };
            if table.is_variant() && key.name == "type" {
                words = vec!["pagerduty".into(), "slack".into(), "sns".into(), "console".into()];
            }
            let wrong = if is_list { format!("{} = [\"?\"]", key.name) } else { format!("{} = \"?\"", key.name) };
            let text = table.with(&[&wrong]);
            let text = if key.name == "type" {
                text.replacen(&format!("type = \"{}\"\n", table.path.trim_start_matches("receivers.")), "", 1)
            } else {
                text
            };
            let problems = parse(&text).problems;
            let refused = problems
                .iter()
                .find(|p| p.what.contains(&format!("\"{}\" in", key.name)) && p.what.contains("cannot be"));
            let allowed = refused.and_then(|p| p.allowed.clone()).unwrap_or_else(|| panic!("{text}{problems:?}"));
            let allowed: BTreeSet<_> = allowed.split(", ").map(str::to_owned).collect();
            assert_eq!(allowed, words.into_iter().collect(), "{}.{}", table.path, key.name);
            looked_at += 1;
        }
    }
    assert!(looked_at >= 10, "{looked_at}");
}

#[test]
fn a_default_in_the_schema_is_what_holds_without_the_key() {
    // One of everything, each with what it needs.
    let base = "[workspace]\nname = \"a\"\n[customerio]\nsigning_keys = [\"env:K\"]\n[storm]\n[digest]\nreceivers = [\"c\"]\n\
                [privacy]\n[reconciliation]\n[[reconciliation.metrics]]\nevent = \"e\"\nnamespace = \"n\"\nmetric = \"m\"\n[deadman]\nurl = \"env:D\"\n[canary]\nprofile = \"p\"\ncampaign = 42\nsite_id = \"env:S\"\napi_key = \"env:T\"\n[[receivers]]\nname = \"c\"\ntype = \"console\"\n[[receivers]]\nname = \"p\"\n\
                type = \"pagerduty\"\nrouting_key = \"env:P\"\n[[receivers]]\nname = \"s\"\n\
                type = \"sns\"\ntopic_arn = \"env:T\"\n[[routes]]\nreceivers = [\"c\"]\n[[heartbeats]]\nname = \"h\"\n\
                source = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 40\n[[rules]]\nname = \"r\"\n\
                events = [\"email_failed\"]\nrate = { of = \"email_sent\", above = 0.1, within = \"1h\" }\n";
    let meant = |text: &str| {
        let config = parse(text).config.unwrap_or_else(|| panic!("{text}\n{:?}", parse(text).problems));
        let shown = format!("{config:?}");
        shown.split_once(", hash: ").map(|(before, _)| before.to_owned()).expect("the hash comes last")
    };
    let mut looked_at = 0;
    for (table, _) in all_tables() {
        for key in &table.keys {
            let Some(default) = &key.default else { continue };
            let line = format!("{} = {default}", key.name);
            let (after, with) = match table.path.as_str() {
                "rules.rate" => ("within = \"1h\"".to_owned(), format!("within = \"1h\", {line}")),
                path if table.is_variant() => {
                    let kind = format!("type = \"{}\"", path.trim_start_matches("receivers."));
                    (kind.clone(), format!("{kind}\n{line}"))
                }
                path => {
                    let header = if base.contains(&format!("[[{path}]]\n")) {
                        format!("[[{path}]]")
                    } else {
                        format!("[{path}]")
                    };
                    (header.clone(), format!("{header}\n{line}"))
                }
            };
            assert!(base.contains(&after), "{} is not in the base", table.path);
            assert_eq!(meant(&base.replacen(&after, &with, 1)), meant(base), "{}.{}", table.path, key.name);
            looked_at += 1;
        }
    }
    assert!(looked_at >= 12, "{looked_at}");
}

#[test]
fn a_secret_is_repeated_at_no_key_of_any_table() {
    const SECRET: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
    let mut looked_at = 0;
    for (table, _) in all_tables() {
        let keys = table.keys.iter().map(|k| k.name.as_str()).chain(["nokey", SECRET]);
        for key in keys.filter(|key| !(table.is_variant() && *key == "type")) {
            for value in [
                format!("\"{SECRET}\""),
                format!("[\"{SECRET}\"]"),
                format!("[[\"{SECRET}\"]]"),
                format!("{{ x = \"{SECRET}\" }}"),
            ] {
                for problem in parse(&table.with(&[&format!("{key} = {value}")])).problems {
                    assert!(!format!("{problem} {problem:?}").contains(SECRET), "{}.{key}: {problem}", table.path);
                    looked_at += 1;
                }
            }
        }
    }
    assert!(looked_at > 1_000, "{looked_at}");
}
