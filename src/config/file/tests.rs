//! The schema and the reader say the same, and so does the documentation.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::documented::refreshed;
use super::keys::{KeyTable, followed, tables, words};
use super::*;
use crate::config::parse::{Level, Problem, parse};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const EXAMPLE: &str = include_str!("../../../bridge.toml");
const DEPLOYED: &str = include_str!("../../../deploy/config/bridge.toml");
const CONTRACT: &str = include_str!("../parse/contract.toml");
const DOCUMENTATION: &str = include_str!("../../../docs/configuration.md");
const ERRORS: &str = include_str!("../../cli/check/cases/errors.txt");
const WARNINGS: &str = include_str!("../../cli/check/cases/warnings.txt");

/// Writes files that are made of the types instead of comparing them.
const REFRESH: &str = "BRIDGE_REFRESH=1 cargo test --no-default-features --lib config::file";

/// The compiled schema.
struct Checker {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Checker {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("bridge.schema.json", schema()).expect("a resource");
        let index = compiler.compile("bridge.schema.json", &mut schemas).expect("a valid schema");
        Self { schemas, index }
    }

    /// What the schema has against a TOML text; `None` when it takes it.
    fn against(&self, text: &str) -> Option<String> {
        let root = DeTable::parse(text).expect("TOML");
        let value = Value::Object(
            root.get_ref().iter().map(|(k, v)| (k.get_ref().to_string(), json_of(v.get_ref()))).collect(),
        );
        self.schemas.validate(&value, self.index).err().map(|error| format!("{error:#}"))
    }
}

fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).map_or_else(|_| json!(-1), |n| json!(n)),
        DeValue::Float(n) => json!(n.as_str().parse::<f64>().unwrap_or_default()),
        DeValue::Boolean(value) => json!(value),
        DeValue::Datetime(at) => json!(at.to_string()),
        DeValue::Array(entries) => entries.iter().map(|e| json_of(e.get_ref())).collect(),
        DeValue::Table(table) => {
            Value::Object(table.iter().map(|(k, v)| (k.get_ref().to_string(), json_of(v.get_ref()))).collect())
        }
    }
}

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
                [privacy]\n[[receivers]]\nname = \"c\"\ntype = \"console\"\n[[receivers]]\nname = \"p\"\n\
                type = \"pagerduty\"\nrouting_key = \"env:P\"\n[[routes]]\nreceivers = [\"c\"]\n[[heartbeats]]\nname = \"h\"\n\
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
                "receivers.pagerduty" => ("type = \"pagerduty\"".into(), format!("type = \"pagerduty\"\n{line}")),
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
fn every_configuration_of_this_project_is_taken_by_the_schema() {
    let checker = Checker::new();
    for (name, text) in [("bridge.toml", EXAMPLE), ("deploy/config/bridge.toml", DEPLOYED), ("contract.toml", CONTRACT)]
    {
        assert_eq!(checker.against(text), None, "{name}");
    }
    for (path, text) in [("docs/bridge.schema.json", EXAMPLE), ("../../docs/bridge.schema.json", DEPLOYED)] {
        assert_eq!(text.lines().next(), Some(format!("#:schema {path}").as_str()), "editors read the first line");
    }
}

/// What a file needs besides a piece of one.
const REST: [(&str, &str); 4] = [
    ("[workspace]", "[workspace]\nname = \"a\"\n"),
    ("[customerio]", "[customerio]\nsigning_keys = [\"env:K\"]\n"),
    ("[[receivers]]", "[[receivers]]\nname = \"screen\"\ntype = \"console\"\n"),
    ("[[routes]]", "[[routes]]\nreceivers = [\"screen\"]\n"),
];

fn completed(piece: &str) -> String {
    let missing = REST.iter().filter(|(header, _)| !piece.contains(header));
    missing.fold(format!("{piece}\n"), |text, (_, section)| text + section)
}

#[test]
fn every_example_of_the_documentation_is_taken_by_the_schema() {
    let checker = Checker::new();
    let mut looked_at = 0;
    for file in std::fs::read_dir(format!("{ROOT}/docs")).expect("docs").map(|entry| entry.expect("a file").path()) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for block in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            // Other files are TOML too.
            if !block.contains("stack_name") {
                assert_eq!(checker.against(&completed(block)), None, "{}\n{block}", file.display());
                looked_at += 1;
            }
        }
    }
    assert!(looked_at >= 13, "{looked_at}");
}

/// What only the reader can know: what must exist, be there once, be in a span, or make sense together.
const BEYOND_A_SCHEMA: &[&str] = &[
    "a city is no time zone",
    "a time zone that is nowhere",
    "a source twice",
    "two receivers of one name",
    "a fallback that there is not",
    "a fallback on itself",
    "fallbacks in a circle",
    "a route to a receiver that there is not",
    "a severity that there is not",
    "a kind that there is not",
    "two rules of one name",
    "a pattern that matches no event",
    "no quiet time at all",
    "at_least above at_most",
    "a day that is due when it begins",
    "a digest to a pager",
];

#[test]
fn the_schema_refuses_what_the_reader_refuses_unless_it_cannot_know() {
    let checker = Checker::new();
    for case in ERRORS.split("=== ").skip(1) {
        let (title, text) = case.split_once('\n').expect("a title");
        let text = if title.starts_with("whole:") { text.to_owned() } else { completed(text) };
        if DeTable::parse(&text).is_err() {
            continue;
        }
        let is_refused = checker.against(&text).is_some();
        assert_eq!(is_refused, !BEYOND_A_SCHEMA.contains(&title), "{title}");
    }
    for case in WARNINGS.split("=== ").skip(1) {
        let (title, text) = case.split_once('\n').expect("a title");
        assert_eq!(checker.against(&completed(text)), None, "{title}");
    }
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

thread_local! {
    static CHECKER: Checker = Checker::new();
}

proptest! {
    #[test]
    fn what_the_reader_takes_the_schema_takes(
        line in 0usize..200,
        value in prop::sample::select(&["5", "0.5", "\"x\"", "[]", "[\"a\"]", "{}", "true", "\"10m\"", "\"08:00\"", "\"campaign:5\"",
            "\"*\"", "\"*_failed\"", "[\"*\"]", "\"critical\"", "2026-12-25", "\"sat\"", "\"none\"", "\"\"", "\"http://a\""][..]),
        drop in any::<bool>(),
    ) {
        for whole in [EXAMPLE, CONTRACT] {
            let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
            let at = line % lines.len();
            match lines[at].split_once('=') {
                Some((key, _)) if !drop && !lines[at].starts_with('#') => lines[at] = format!("{key}= {value}"),
                _ => { lines.remove(at); }
            }
            let text = lines.join("\n");
            let parsed = parse(&text);
            if parsed.problems.iter().all(|p| p.level != Level::Error) {
                prop_assert_eq!(CHECKER.with(|c| c.against(&text)), None, "{}", text);
            }
        }
    }
}
