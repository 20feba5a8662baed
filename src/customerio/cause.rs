//! Causes: the normalised reason of a failure, read from the sender's free text.
//!
//! There is no machine-readable code in a webhook, so the text decides, by one table of matchers
//! ([`super::cause_table`]). A text that no matcher knows for sure is `unknown`: a wrong cause sends people to the
//! wrong place.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::cause_table::missing_variable;
use super::cause_table::{self, CauseRow};
use super::event::Kind;
use super::mask::PLACEHOLDERS;

/// The name of a cause, for example `mailbox_unknown`; [`CauseKey::row`] has its meaning.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CauseKey(Cow<'static, str>);

impl CauseKey {
    pub const UNKNOWN: CauseKey = CauseKey(Cow::Borrowed("unknown"));

    pub(super) const fn known(key: &'static str) -> Self {
        Self(Cow::Borrowed(key))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is known of it; the row of `unknown` for a key of another version.
    pub fn row(&self) -> &'static CauseRow {
        cause_table::row(&self.0)
    }
}

impl fmt::Display for CauseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CauseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cause that a failure's text tells, read as the text of its channel: a five-digit number is Twilio's only in a
/// text message, `5.1.1` is SMTP's only in an e-mail. Without a text the metric may tell.
pub fn classify(kind: &Kind, text: Option<&str>) -> CauseKey {
    // A complaint is one whatever its report says.
    let key = match text.filter(|_| kind.metric != "spammed") {
        Some(text) => cause_table::of_text(kind, text),
        None => cause_table::of_metric(&kind.metric),
    };
    key.map_or(CauseKey::UNKNOWN, CauseKey::known)
}

/// The same for texts that differ in numbers, quoted values, placeholders, case or white space only. Give it masked
/// text. Stable for ever (FNV-1a, 64 bits): it stands in stored keys.
pub fn fingerprint(text: &str) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    let mut rest = text.trim();
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        let (eaten, written) = match c {
            '[' => match PLACEHOLDERS.into_iter().find(|p| rest.starts_with(p)) {
                Some(placeholder) => (placeholder.len(), '#'),
                None => (1, '['),
            },
            '"' | '\'' | '`' if !previous.is_alphanumeric() => match quoted(rest, c) {
                Some(length) => (length, '#'),
                None => (c.len_utf8(), c),
            },
            c if c.is_numeric() => (run(rest, char::is_numeric), '#'),
            c if c.is_whitespace() => (run(rest, char::is_whitespace), ' '),
            c => (c.len_utf8(), c),
        };
        written.to_lowercase().for_each(|c| hash.write(c));
        previous = c;
        rest = rest.get(eaten..).unwrap_or_default();
    }
    hash.0
}

/// Longest quoted value, in bytes: beyond it the mark is an apostrophe or a stray quote.
const QUOTED_BYTES: usize = 200;

/// Length of the quoted value that begins this text: its closing mark ends a word.
fn quoted(text: &str, mark: char) -> Option<usize> {
    let closing = text.char_indices().skip(1).take_while(|(at, _)| *at < QUOTED_BYTES).find(|(at, c)| {
        let next = text.get(at + c.len_utf8()..).and_then(|after| after.chars().next());
        *c == mark && !next.is_some_and(char::is_alphanumeric)
    });
    closing.map(|(at, c)| at + c.len_utf8())
}

fn run(text: &str, of: fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// FNV-1a over characters as UTF-8.
struct Fnv(u64);

impl Fnv {
    fn write(&mut self, c: char) {
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_fault_has_the_same_fingerprint() {
        for (one, other) in [
            ("Variable 'customer.name' is missing", "variable  'customer.city' is missing\n"),
            ("550 5.1.1 <[email]>: no", "552 5.22.1 <[id]>: no"),
            ("HTTP 404 Not Found []", "http 410 not found []"),
            ("The 'To' number [number] is off", "the 'From' number 12 is off"),
            ("value \"a b\" bad", "value \"c\" bad"),
        ] {
            assert_eq!(fingerprint(one), fingerprint(other), "{one}");
        }
    }

    #[test]
    fn another_fault_has_another_fingerprint() {
        for (one, other) in [
            ("recipient's mailbox isn't there", "recipient's quota isn't there"),
            ("timeout", "time out"),
            ("mailbox full", "mailbox unknown"),
            ("'open", "'closed"),
        ] {
            assert_ne!(fingerprint(one), fingerprint(other), "{one}");
        }
    }

    #[test]
    fn a_fingerprint_never_changes_between_versions() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    }

    proptest! {
        #[test]
        fn any_text_has_a_cause_and_a_fingerprint(text in any::<String>(), channel in "[a-z_]{0,8}") {
            let cause = classify(&Kind::new(&channel, "failed"), Some(&text));
            prop_assert_eq!(cause.row().key, cause.as_str());
            prop_assert_eq!(fingerprint(&text), fingerprint(&format!("  {text} ")));
        }
    }
}
