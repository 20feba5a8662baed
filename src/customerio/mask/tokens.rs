//! Long tokens: delivery ids, device tokens, message ids of providers.

use super::find::{Found, found};
use super::{ID, TOKEN_CHARS};

/// How the second half of a Firebase registration token begins.
const FIREBASE_KEY: &str = "APA91";

/// A run of hex digits of this length is a token even when it is letters only.
const HEX_CHARS: usize = 32;

/// An APNs token has eight groups; half of one is a token too.
const HEX_GROUPS: usize = 4;

/// Delivery ids, device tokens, message ids of providers: long, base64url-like, letters and digits mixed.
pub fn tokens(gap: &str) -> Vec<Found> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(ahead) = gap.get(at..).and_then(|rest| rest.find(is_token)) {
        let start = at + ahead;
        let here = gap.get(start..).unwrap_or_default();
        let length = |text: &str| text.find(|c| !is_token(c)).unwrap_or(text.len());
        let mut run = here.get(..length(here)).unwrap_or_default();
        let after = here.get(run.len()..).unwrap_or_default();
        // Firebase: the instance's id, a colon, and the key to it.
        if let Some(key) = after.strip_prefix(':').filter(|key| key.starts_with(FIREBASE_KEY)) {
            run = here.get(..run.len() + 1 + length(key)).unwrap_or_default();
        }
        let after = here.get(run.len()..).unwrap_or_default();
        let padding = after.len() - after.trim_start_matches('=').len();
        // `key=value` is no padding.
        let padding = if after.trim_start_matches('=').starts_with(char::is_alphanumeric) { 0 } else { padding };
        let has_digit = run.bytes().any(|b| b.is_ascii_digit());
        let has_letter = run.bytes().any(|b| b.is_ascii_alphabetic());
        let is_hex = run.len() >= HEX_CHARS && run.bytes().all(|b| b.is_ascii_hexdigit());
        at = start + run.len() + padding;
        if let Some(groups) = hex_groups(here) {
            at = start + groups;
            spans.push(found(start, at, ID));
        } else if is_hex || run.len() >= TOKEN_CHARS && has_letter && has_digit {
            spans.push(found(start, at, ID));
        }
    }
    spans
}

/// Length of the groups of eight hex digits that begin this text, if there are [`HEX_GROUPS`] or more: the way in which
/// an APNs token is printed.
fn hex_groups(text: &str) -> Option<usize> {
    let group = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len() == 8;
    let (mut groups, mut end) = (0, 0);
    loop {
        let here = text.get(end..).unwrap_or_default();
        let here = if groups == 0 { here } else { here.strip_prefix(' ').unwrap_or_default() };
        let ends_word = !here.chars().nth(8).is_some_and(char::is_alphanumeric);
        if !group(here) || !ends_word {
            return (groups >= HEX_GROUPS).then_some(end);
        }
        end = text.len() - here.len() + 8;
        groups += 1;
    }
}
