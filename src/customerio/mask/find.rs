//! What a pass of [`super::mask`] finds. A finder sees one gap between earlier spans, whose edges end words, and goes
//! over it once.

use std::borrow::Cow;

use super::PLACEHOLDERS;

/// A span of a gap, in bytes, and what stands in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub with: Cow<'static, str>,
}

pub fn found(start: usize, end: usize, with: &'static str) -> Found {
    Found { start, end, with: Cow::Borrowed(with) }
}

/// What an earlier masking wrote.
pub fn placeholders(gap: &str) -> Vec<Found> {
    let starts = gap.match_indices('[').map(|(at, _)| at);
    let at = |at: usize| {
        let here = gap.get(at..)?;
        PLACEHOLDERS.into_iter().find(|p| here.starts_with(p)).map(|p| found(at, at + p.len(), p))
    };
    starts.filter_map(at).collect()
}

/// Characters that take no room: who hides them in an address or a number changes nothing that people see.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether it has a dot with a word behind it, as the name of a host does and a number or a version does not. More text
/// at either end changes no yes into a no.
pub fn has_domain(text: &str) -> bool {
    text.match_indices('.').any(|(dot, _)| {
        let mut next = text.get(dot + 1..).unwrap_or_default().chars();
        dot > 0 && next.next().is_some_and(char::is_alphabetic) && next.next().is_some_and(char::is_alphabetic)
    })
}
