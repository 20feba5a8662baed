//! The identifiers of one event, as whole words.

use super::find::{Found, found};
use super::{ID, IDENTIFIER_CHARS};

/// The identifiers of one event, ready to be found.
pub struct Identifiers(Vec<Vec<char>>);

/// More identifiers than this are not looked for: a person with more devices has them masked as long tokens.
const MOST_IDENTIFIERS: usize = 64;

impl Identifiers {
    pub fn of(identifiers: &[&str]) -> Self {
        let names = identifiers.iter().flat_map(|i| std::iter::once(*i).chain(parts(i)));
        let bare = names.map(|i| i.trim_matches(|c: char| !c.is_alphanumeric()));
        let lower = bare.map(lower_case);
        let mut kept: Vec<_> = lower.filter(|i| i.len() >= IDENTIFIER_CHARS).take(MOST_IDENTIFIERS).collect();
        // The longest first: `u_122-eu` before `u_122`.
        kept.sort_by_key(|i| std::cmp::Reverse(i.len()));
        kept.dedup();
        Self(kept)
    }

    pub fn find(&self, gap: &str) -> Vec<Found> {
        let mut spans = Vec::new();
        if self.0.is_empty() {
            return spans;
        }
        let (mut done, mut in_word) = (0, false);
        for (at, c) in gap.char_indices() {
            let starts = c.is_alphanumeric() && !in_word;
            in_word = c.is_alphanumeric();
            if !starts || at < done {
                continue;
            }
            let here = gap.get(at..).unwrap_or_default();
            if let Some(length) = self.0.iter().find_map(|identifier| starts_with_word(here, identifier)) {
                done = at + length;
                spans.push(found(at, done, ID));
            }
        }
        spans
    }
}

/// What names the person in an address: the display name, the part before the `@`, and that without its `+tag`.
fn parts(identifier: &str) -> impl Iterator<Item = &str> {
    let address = identifier.rsplit_once('@').map(|(before, _)| before);
    let (name, local) = address.map_or(("", ""), |before| before.rsplit_once('<').unwrap_or(("", before)));
    let untagged = local.split('+').next().unwrap_or_default();
    [name, local, untagged].into_iter()
}

/// Nearly every identifier is ASCII, which needs no table.
fn lower_case(identifier: &str) -> Vec<char> {
    match identifier.is_ascii() {
        true => identifier.bytes().map(|b| char::from(b.to_ascii_lowercase())).collect(),
        false => identifier.chars().flat_map(char::to_lowercase).collect(),
    }
}

/// The length in bytes of `identifier` (lower case) at the start of `text`, when a word ends with it.
fn starts_with_word(text: &str, identifier: &[char]) -> Option<usize> {
    let mut wanted = identifier.iter();
    let mut chars = text.char_indices();
    while !wanted.as_slice().is_empty() {
        let (_, c) = chars.next()?;
        let is_wanted = match c.is_ascii() {
            true => wanted.next() == Some(&c.to_ascii_lowercase()),
            false => c.to_lowercase().all(|c| wanted.next() == Some(&c)),
        };
        if !is_wanted {
            return None;
        }
    }
    match chars.next() {
        None => Some(text.len()),
        Some((at, next)) => (!next.is_alphanumeric()).then_some(at),
    }
}
