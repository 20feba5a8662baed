//! A thin layer over the TOML parser that finds every problem of a file, each with its line and column.
//!
//! [`Table`] hands out the values of one table and remembers which keys were asked for, so that what is left over is
//! an unknown key; [`Item`] turns one value into a type or says what it should have been. Both return `None` after
//! they have reported: the caller goes on reading, and the configuration is only used when nothing was reported.

mod duration;
mod hidden;
mod item;
pub mod meant;
mod problem;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use duration::{parse_duration, show_duration};
pub use hidden::{begins_like_a_token, may_be_secret};
pub use item::{Item, parse_time};
pub use problem::{Level, Problem, Report, nearest, position, quoted};

/// One table of the file.
pub struct Table<'a> {
    /// How people know it: `[[rules]]`, `count of [[rules]]`.
    title: String,
    /// Byte offset of its header or brace.
    at: usize,
    entries: &'a DeTable<'a>,
    known: Vec<&'static str>,
    report: &'a Report<'a>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub fn root(entries: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self { title: "the configuration".into(), at: 0, entries, known: Vec::new(), report }
    }

    pub(super) fn new(title: String, at: usize, entries: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self { title, at, entries, known: Vec::new(), report }
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    /// Says more about the table in the problems to come, for example its type.
    pub fn retitle(&mut self, title: String) {
        self.title = title;
    }

    /// Whether the key is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// How many keys it has, known or not.
    pub fn key_count(&self) -> usize {
        self.entries.len()
    }

    /// The value of a key, which counts as known from now on.
    pub fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let value: &'a Spanned<DeValue<'a>> = self.entries.get(key)?;
        Some(Item::new(key, self.title.clone(), value, self.report))
    }

    /// A value that may be left out.
    pub fn get<T>(&mut self, key: &'static str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Option<T> {
        read(&self.item(key)?)
    }

    /// A value that must be there.
    pub fn need<T>(&mut self, key: &'static str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.missing(key);
        }
        self.get(key, read)
    }

    /// A list that may be left out; entries that are wrong are reported and left out of it.
    pub fn list<T>(&mut self, key: &'static str, read: impl FnMut(&Item<'a>) -> Option<T>) -> Option<Vec<T>> {
        let entries = self.item(key)?.entries()?;
        Some(entries.iter().filter_map(read).collect())
    }

    /// A list that must be there with at least one entry.
    pub fn some<T>(&mut self, key: &'static str, read: impl FnMut(&Item<'a>) -> Option<T>) -> Vec<T> {
        if !self.has(key) {
            self.missing(key);
        }
        let Some(item) = self.item(key) else { return Vec::new() };
        let Some(entries) = item.entries() else { return Vec::new() };
        if entries.is_empty() {
            item.error(Problem::error(format!("{} needs at least one entry", item.place())).allowed(example_of(key)));
        }
        entries.iter().filter_map(read).collect()
    }

    /// One text or a list of texts.
    pub fn one_or_many<T>(&mut self, key: &'static str, mut read: impl FnMut(&Item<'a>) -> Option<T>) -> Vec<T> {
        match self.item(key) {
            None => Vec::new(),
            Some(item) if item.is_list() => self.some(key, read),
            Some(item) => read(&item).into_iter().collect(),
        }
    }

    /// A table below this one, `[key]` at the top of the file.
    pub fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        let title = if self.is_root() { format!("[{key}]") } else { format!("{key} of {}", self.title) };
        self.item(key)?.table(title)
    }

    /// The tables `[[key]]` at the top of the file, or a list of inline tables.
    pub fn tables(&mut self, key: &'static str) -> Vec<Table<'a>> {
        let title = if self.is_root() { format!("[[{key}]]") } else { format!("{key} of {}", self.title) };
        let Some(item) = self.item(key) else { return Vec::new() };
        if item.is_table() {
            item.error(
                Problem::error(format!("{title} is a list of tables, found one table"))
                    .allowed(format!("write [[{key}]], once for each")),
            );
            return Vec::new();
        }
        let entries = item.entries().unwrap_or_default();
        entries.iter().filter_map(|entry| entry.table(title.clone())).collect()
    }

    /// The line of its header or brace.
    pub fn line(&self) -> usize {
        self.report.position(self.at).0
    }

    /// Reports a problem of the table itself.
    pub fn error(&self, problem: Problem) {
        self.report.push(self.at, problem);
    }

    /// Reports a problem at a key of the table.
    pub fn error_at(&self, key: &str, problem: Problem) {
        let at = self.entries.get_key_value(key).map_or(self.at, |(key, _)| key.span().start);
        self.report.push(at, problem);
    }

    /// Reports that a key is not there.
    pub fn missing(&self, key: &str) {
        self.error(Problem::error(format!("{} is missing in {}", quoted(key), self.title)).allowed(example_of(key)));
    }

    /// Reports every key that nobody asked for.
    pub fn finish(mut self) {
        self.known.dedup();
        for (key, _) in self.entries.iter() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let problem = Problem::error(format!("unknown key {} in {}", quoted(name), self.title))
                .allowed(self.known.join(", "))
                .did_you_mean(nearest(name, self.known.iter().copied()));
            self.report.push(key.span().start, problem);
        }
    }

    fn is_root(&self) -> bool {
        self.title == "the configuration"
    }
}

/// How a key that must be there is written, for whoever left it out.
const EXAMPLES: &[(&str, &str)] = &[
    ("above", "above = 0.05"),
    ("at_least", "at_least = 3"),
    ("campaign", "campaign = 5"),
    ("events", "events = [\"email_failed\"]"),
    ("id", "id = \"campaign:5\""),
    ("of", "of = \"email_sent\""),
    ("receivers", "receivers = [\"NAME\"], names of [[receivers]]"),
    ("routing_key", "routing_key = \"env:NAME\""),
    ("signing_keys", "signing_keys = [\"env:NAME\"]"),
    ("source", "source = \"campaign:5\""),
    ("topic_arn", "topic_arn = \"env:NAME\""),
    ("type", "type = \"pagerduty\", \"slack\", \"sns\" or \"console\""),
    ("url", "url = \"env:NAME\""),
    ("within", "within = \"10m\""),
];

fn example_of(key: &str) -> String {
    let example = EXAMPLES.iter().find(|(name, _)| *name == key);
    example.map_or_else(|| format!("{key} = \"...\""), |(_, example)| (*example).to_owned())
}

/// Names of one sort, each of which may be given once.
pub struct Unique {
    sort: &'static str,
    seen: BTreeMap<String, usize>,
}

impl Unique {
    pub fn new(sort: &'static str) -> Self {
        Self { sort, seen: BTreeMap::new() }
    }

    /// Reports the second use of a name, and says where the first one is.
    pub fn note(&mut self, name: &str, item: &Item<'_>) {
        match self.seen.get(name) {
            Some(line) => item.error(
                Problem::error(format!(
                    "the {} {} is there twice; the first is on line {line}",
                    self.sort,
                    quoted(name)
                ))
                .allowed(format!("each {} once", self.sort)),
            ),
            None => {
                self.seen.insert(name.to_owned(), item.line());
            }
        }
    }
}
