//! `[[sources]]` and `[ignore]`: the names people know senders by, and the senders that do not matter.

use wildmatch::WildMatch;

use crate::config::reader::{Item, Problem, Table, Unique, nearest, quoted};
use crate::config::schema::{Ignore, NamedSource};
use crate::customerio::event::{Source, SourceKind};

const FORM: &str = "campaign:ID, broadcast:ID, newsletter:ID or transactional:ID";

/// `[[sources]]`.
pub fn named(file: &mut Table<'_>) -> Vec<NamedSource> {
    let mut ids = Unique::new("source");
    let mut sources = Vec::new();
    for mut table in file.tables("sources") {
        let id = table.need("id", |item| {
            let source = exact(item)?;
            ids.note(&source.to_string(), item);
            Some(source)
        });
        let name = table.get("name", Item::name);
        let owner = table.get("owner", Item::name);
        table.finish();
        sources.extend(id.map(|id| NamedSource { id, name, owner }));
    }
    sources
}

/// `[ignore]`.
pub fn ignore(file: &mut Table<'_>) -> Ignore {
    let Some(mut table) = file.table("ignore") else { return Ignore::default() };
    let recipients = table.list("recipients", |item| {
        let pattern = item.name()?;
        let (before, after) = pattern.split_once('@').unwrap_or(("", &pattern));
        if before.is_empty() && !pattern.contains(['*', '?']) {
            let what = format!("{} matches no address: {}", item.place(), quoted(&pattern));
            let problem = Problem::warning(what).allowed("a whole address, or a pattern over one");
            item.error(problem.did_you_mean(Some(format!("*@{after}"))));
        }
        // Addresses are compared in lower case.
        Some(WildMatch::new(&pattern.to_lowercase()))
    });
    let sources = table.list("sources", glob);
    let event_prefixes = table.list("event_prefixes", Item::name).unwrap_or_default();
    table.finish();
    Ignore { recipients: recipients.unwrap_or_default(), sources: sources.unwrap_or_default(), event_prefixes }
}

/// One source, `campaign:5`.
pub fn exact(item: &Item<'_>) -> Option<Source> {
    let text = item.text()?;
    let source = text.parse::<Source>().ok().filter(|s| s.kind != SourceKind::None);
    let source = source.filter(|s| !s.id.contains(|c: char| matches!(c, '*' | '?' | ':') || c.is_whitespace()));
    if source.is_none() {
        let what = format!("{} is no source: {}", item.place(), quoted(text));
        item.error(Problem::error(what).allowed(FORM).did_you_mean(meant(text)));
    }
    source
}

/// A pattern over sources, `transactional:*`; one that can match no source is an error.
pub fn glob(item: &Item<'_>) -> Option<WildMatch> {
    let text = item.text()?;
    let can_match = match text.split_once(':') {
        Some((kind, id)) => !id.is_empty() && kinds().any(|k| WildMatch::new(kind).matches(k)),
        None => text == SourceKind::None.as_str() || text.contains('*'),
    };
    if !can_match {
        let what = format!("{} matches no source: {}", item.place(), quoted(text));
        let allowed = format!("{FORM}, with * for any text, for example \"transactional:*\"");
        item.error(Problem::error(what).allowed(allowed).did_you_mean(meant(text)));
    }
    can_match.then(|| WildMatch::new(text))
}

fn kinds() -> impl Iterator<Item = &'static str> {
    SourceKind::ALL.into_iter().filter(|k| *k != SourceKind::None).map(SourceKind::as_str)
}

/// `campain:5` was meant to be `campaign:5`, `transactional` all of them.
fn meant(text: &str) -> Option<String> {
    let (kind, id) = text.split_once([':', ' ', '-', '_']).unwrap_or((text, "*"));
    let kind = nearest(kind, kinds())?;
    let id = if id.is_empty() { "*" } else { id };
    Some(format!("{kind}:{id}")).filter(|better| better != text)
}
