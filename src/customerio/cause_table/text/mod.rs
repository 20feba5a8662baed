//! A failure's text, read once: its words ([`words`]), and the codes of each protocol where that protocol puts them
//! ([`codes`]).

mod codes;
mod words;

use codes::Codes;
pub use words::BREAK;

/// Characters of a text that are read; what matters stands at its beginning.
const READ_CHARS: usize = 1_500;

/// A text prepared for matching.
pub struct Text<'a> {
    words: String,
    codes: Codes<'a>,
}

impl<'a> Text<'a> {
    /// Reads a text, of which the first 1,500 characters count.
    pub fn of(text: &'a str) -> Self {
        let end = text.char_indices().nth(READ_CHARS).map_or(text.len(), |(at, _)| at);
        let text = text.get(..end).unwrap_or_default();
        Self { words: words::words(text), codes: Codes::of(text) }
    }

    /// Lower case words with one space between, and one at either end; [`BREAK`] stands where a sentence ends.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether it ends with this run of words.
    pub fn ends(&self, phrase: &str) -> bool {
        let before = self.words.trim_end_matches([' ', BREAK]).strip_suffix(phrase);
        before.is_some_and(|before| before.ends_with(' '))
    }

    /// Whether it begins with the first run of words and has the second one behind it.
    pub fn begins(&self, first: &str, second: &str) -> bool {
        let behind = self.words.trim_start().strip_prefix(first).filter(|rest| rest.starts_with(' '));
        behind.is_some_and(|rest| whole(rest, second))
    }

    /// The SMTP reply code, for example `550`.
    pub fn reply(&self) -> Option<&'a str> {
        self.codes.reply
    }

    /// The SMTP enhanced status code, for example `5.1.1`; none when several disagree.
    pub fn enhanced(&self) -> Option<&'a str> {
        self.codes.enhanced
    }

    /// The number that stands where providers put their error numbers, for example `30007` or `131026`; none when
    /// several do.
    pub fn number(&self) -> Option<&'a str> {
        self.codes.number
    }

    /// The status of an HTTP answer, for example 404.
    pub fn http(&self) -> Option<u16> {
        self.codes.http
    }
}

/// Whether `phrase` stands as whole words in `words`, which has a space at either end of each word.
fn whole(words: &str, phrase: &str) -> bool {
    words.match_indices(phrase).any(|(at, _)| {
        let before = words.get(..at).is_some_and(|b| b.is_empty() || b.ends_with(' '));
        before && words.get(at + phrase.len()..).is_some_and(|after| after.starts_with(' '))
    })
}

/// Digits and nothing else.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A three-digit SMTP reply code of a failure.
fn is_reply(text: &str) -> bool {
    text.len() == 3 && text.starts_with(['4', '5']) && is_number(text)
}

/// `class.subject.detail` of RFC 3463, of a failure.
fn is_enhanced(text: &str) -> bool {
    let mut parts = text.split('.');
    let short = |part: Option<&str>| part.is_some_and(|p| is_number(p) && p.len() <= 3);
    matches!(parts.next(), Some("4" | "5")) && short(parts.next()) && short(parts.next()) && parts.next().is_none()
}
