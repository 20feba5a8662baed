//! Finds all phrases of the table in one walk over a text's words, however many phrases there are.

use std::collections::HashMap;

use super::text::BREAK;

/// 64-bit words of a set of phrases. A test holds the table to it.
const SET_WORDS: usize = 32;

/// How many phrases there may be.
#[cfg(test)]
pub const MOST_PHRASES: usize = SET_WORDS * 64;

/// A phrase by its place in the index.
pub type PhraseId = u16;

/// Every phrase, found by its first word.
#[derive(Debug, Default)]
pub struct Phrases {
    by_first_word: HashMap<&'static str, Vec<(&'static str, PhraseId)>>,
    count: PhraseId,
}

impl Phrases {
    /// The id of a phrase, which is added when it is new.
    pub fn id(&mut self, phrase: &'static str) -> PhraseId {
        let first = phrase.split(' ').next().unwrap_or_default();
        let of_word = self.by_first_word.entry(first).or_default();
        if let Some((_, id)) = of_word.iter().find(|(known, _)| *known == phrase) {
            return *id;
        }
        let id = self.count;
        of_word.push((phrase, id));
        self.count = self.count.saturating_add(1);
        id
    }

    /// How many there are.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// The phrases that `words` says, and those that are a whole sentence of it. What stands behind a "not" is not said.
    pub fn find(&self, words: &str) -> Found {
        let mut found = Found::default();
        let mut sentence_starts = true;
        let mut at = 1;
        while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
            let word = rest.split(' ').next().unwrap_or_default();
            for (phrase, id) in self.by_first_word.get(word).into_iter().flatten() {
                let Some(behind) = rest.strip_prefix(phrase).and_then(|behind| behind.strip_prefix(' ')) else {
                    continue;
                };
                if denied(words.get(..at).unwrap_or_default()) {
                    continue;
                }
                found.said.insert(*id);
                if sentence_starts && (behind.is_empty() || behind.starts_with(BREAK)) {
                    found.alone.insert(*id);
                }
            }
            sentence_starts = word.starts_with(BREAK);
            at += word.len() + 1;
        }
        found
    }
}

/// Whether these words end with a negation: "not spam", "isn't on our block list", "not considered spam".
fn denied(before: &str) -> bool {
    const NOT: [&str; 8] = ["not", "no", "isnt", "wasnt", "arent", "never", "without", "neither"];
    const BETWEEN: [&str; 18] = [
        "a",
        "an",
        "any",
        "as",
        "at",
        "be",
        "classified",
        "considered",
        "currently",
        "detected",
        "flagged",
        "identified",
        "in",
        "listed",
        "marked",
        "on",
        "our",
        "the",
    ];
    let mut words = before.trim_end().rsplit(' ').take(5).skip_while(|word| BETWEEN.contains(word));
    words.next().is_some_and(|word| NOT.contains(&word))
}

/// Phrases of one text.
#[derive(Debug, Default)]
pub struct Found {
    /// Said anywhere.
    pub said: Set,
    /// A sentence of their own.
    pub alone: Set,
}

/// A set of phrases.
#[derive(Debug, Default)]
pub struct Set([u64; SET_WORDS]);

impl Set {
    fn insert(&mut self, id: PhraseId) {
        if let Some(word) = self.0.get_mut(usize::from(id) / 64) {
            *word |= 1 << (id % 64);
        }
    }

    /// Whether it has one of these.
    pub fn has_any(&self, ids: &[PhraseId]) -> bool {
        ids.iter().any(|id| self.0.get(usize::from(*id) / 64).is_some_and(|word| word >> (id % 64) & 1 == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_as_whole_words_that_nobody_denies() {
        let mut phrases = Phrases::default();
        let spam = phrases.id("as spam");
        let full = phrases.id("mailbox full");
        let list = phrases.id("block list");
        assert_eq!((phrases.id("as spam"), phrases.count()), (spam, 3));
        for (words, want) in [
            (" rejected as spam ", (true, false, false)),
            (" rejected as spams ", (false, false, false)),
            (" rejected not as spam ", (false, false, false)),
            (" mailbox | full ", (false, false, false)),
            (" sorry | mailbox full | bye ", (false, true, false)),
            (" we are not on a block list | rejected as spam ", (true, false, false)),
            (" is on our block list ", (false, false, true)),
            (" not delivered block list ", (false, false, true)),
            (" ", (false, false, false)),
            ("", (false, false, false)),
        ] {
            let found = phrases.find(words);
            let said = |id| found.said.has_any(&[id]);
            assert_eq!((said(spam), said(full), said(list)), want, "{words}");
        }
        assert!(phrases.find(" mailbox full ").alone.has_any(&[full]));
        assert!(!phrases.find(" a mailbox full ").alone.has_any(&[full]));
    }
}
