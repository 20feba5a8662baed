//! What the reader takes the schema takes, and nearly the reverse.

use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::*;
use crate::config::parse::{Level, parse};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const EXAMPLE: &str = include_str!("../../../bridge.toml");
const DEPLOYED: &str = include_str!("../../../deploy/config/bridge.toml");
const CONTRACT: &str = include_str!("../parse/contract.toml");
const ERRORS: &str = include_str!("../../cli/check/cases/errors.txt");
const WARNINGS: &str = include_str!("../../cli/check/cases/warnings.txt");

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
