//! The tables and keys that the schema describes, found by walking it, and how each is written in TOML.

use serde_json::Value;

/// One table of the file.
pub struct KeyTable {
    /// `rules`, `rules.count`, `receivers.slack` (a type of receiver); empty for the file itself.
    pub path: String,
    /// Text before and behind the keys of such a table.
    before: String,
    behind: String,
    pub keys: Vec<Key>,
}

/// One key of a table.
pub struct Key {
    pub name: String,
    pub is_required: bool,
    /// The property, references followed.
    pub schema: Value,
    /// The doc comment, one line.
    pub description: String,
    pub default: Option<Value>,
}

impl KeyTable {
    /// The file with such a table and nothing else, holding these keys.
    pub fn with(&self, keys: &[&str]) -> String {
        let separator = if self.behind.is_empty() { "\n" } else { ", " };
        format!("{}{}{}\n", self.before, keys.join(separator), self.behind)
    }

    /// A type of receiver has its own keys; `type` says which.
    pub fn is_variant(&self) -> bool {
        self.path.starts_with("receivers.")
    }
}

/// All tables, the file itself first.
pub fn tables(schema: &Value) -> Vec<KeyTable> {
    let mut all = Vec::new();
    walk(
        schema,
        schema,
        KeyTable { path: String::new(), before: String::new(), behind: String::new(), keys: vec![] },
        &mut all,
    );
    all
}

fn walk(root: &Value, table: &Value, empty: KeyTable, all: &mut Vec<KeyTable>) {
    if let Some(variants) = table.get("oneOf").and_then(Value::as_array).filter(|_| table.get("properties").is_none()) {
        for variant in variants {
            let name = variant["properties"]["type"]["const"].as_str().expect("a type");
            let before = format!("{}type = \"{name}\"\n", empty.before);
            let path = format!("{}.{name}", empty.path);
            walk(root, variant, KeyTable { path, before, behind: String::new(), keys: vec![] }, all);
        }
        return;
    }
    let Some(properties) = table.get("properties").and_then(Value::as_object) else { return };
    let required = |name: &str| table["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name));
    let keys = properties.iter().map(|(name, property)| Key {
        name: name.clone(),
        is_required: required(name),
        schema: followed(root, property).clone(),
        description: property["description"].as_str().unwrap_or_default().replace('\n', " "),
        default: property.get("default").cloned(),
    });
    let place = all.len();
    all.push(KeyTable { keys: keys.collect(), ..empty });
    for (name, property) in properties {
        let table = followed(root, property);
        let is_list = table["type"] == "array";
        let below = if is_list { followed(root, &table["items"]) } else { table };
        let parent = &all[place];
        let (before, behind) = match (parent.path.is_empty(), is_list) {
            (true, false) => (format!("[{name}]\n"), String::new()),
            (true, true) => (format!("[[{name}]]\n"), String::new()),
            (false, false) => (format!("{}{name} = {{ ", parent.before), " }".into()),
            (false, true) => (format!("{}{name} = [{{ ", parent.before), " }]".into()),
        };
        let path = if parent.path.is_empty() { name.clone() } else { format!("{}.{name}", parent.path) };
        walk(root, below, KeyTable { path, before, behind, keys: vec![] }, all);
    }
}

/// A reference followed, also one that stands alone in `allOf`.
pub fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let alone = schema["allOf"].as_array().filter(|all| all.len() == 1 && schema.get("properties").is_none());
    let schema = alone.and_then(|all| all.first()).unwrap_or(schema);
    match schema["$ref"].as_str().and_then(|reference| root.pointer(reference.trim_start_matches('#'))) {
        Some(definition) => followed(root, definition),
        None => schema,
    }
}

/// The words that a schema allows, if it allows nothing else.
pub fn words(schema: &Value) -> Option<Vec<String>> {
    let texts = |values: &[Value]| values.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    match (schema["enum"].as_array(), schema["oneOf"].as_array()) {
        (Some(values), _) => texts(values),
        (None, Some(choices)) => texts(&choices.iter().map(|choice| choice["const"].clone()).collect::<Vec<_>>()),
        (None, None) => schema["const"].as_str().map(|word| vec![word.to_owned()]),
    }
}
