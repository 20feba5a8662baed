//! What is personal in the sender's free text, and how it is taken out (design, law 8).
//!
//! The text is cut into spans by passes over what earlier passes left: addresses on the web, placeholders that are
//! there already, e-mail addresses, secrets, long tokens, numbers, and last the identifiers of the event. The edge of a span
//! ends a word as a bracket does, so masking a masked text changes nothing.

mod emails;
mod find;
mod identifiers;
mod links;
mod numbers;
mod tokens;

use find::Found;

pub(super) const EMAIL: &str = "[email]";
pub(super) const NUMBER: &str = "[number]";
const ID: &str = "[id]";
pub(super) const LINK: &str = "[...]";

/// What [`mask`] writes in place of something personal; `[...]` stands for the rest of a link.
pub const PLACEHOLDERS: [&str; 4] = [EMAIL, NUMBER, ID, LINK];

/// A run of at least this many digits is masked (design, law 8).
pub const LONG_RUN_DIGITS: usize = 7;

/// A base64url-like token with letters and digits is masked from this length on, in characters: delivery ids, device
/// tokens and provider message ids are longer, words and error names have no digits.
pub const TOKEN_CHARS: usize = 16;

/// An identifier of the event is masked from this length on, in characters (design, law 8): shorter ones would take
/// SMTP codes and words with them.
pub const IDENTIFIER_CHARS: usize = 4;

/// The text without what is personal in it: e-mail addresses, phone numbers and long digit runs, what follows the
/// host of a link, values of keys and passwords, long tokens, and what names the person: whole words equal to one of
/// `identifiers` or to the local part of an address among them, whatever their case, and the end of a phone number
/// among them, however it is grouped. SMTP codes, provider error numbers, dates and words stay. Takes time linear in
/// the text.
pub fn mask(text: &str, identifiers: &[&str]) -> String {
    let mut masked = masked_once(text, identifiers);
    // What is left beside a placeholder can look personal only now; texts that people write settle at once.
    for _ in 0..SETTLES_WITHIN {
        let again = masked_once(&masked, identifiers);
        if again == masked {
            break;
        }
        masked = again;
    }
    masked
}

/// Rounds after which masking has nothing left to find, by a wide margin.
const SETTLES_WITHIN: usize = 8;

fn masked_once(text: &str, identifiers: &[&str]) -> String {
    let mut spans = Vec::new();
    pass(text, &mut spans, links::links);
    pass(text, &mut spans, find::placeholders);
    pass(text, &mut spans, emails::emails);
    pass(text, &mut spans, links::bare_links);
    pass(text, &mut spans, links::secrets);
    pass(text, &mut spans, tokens::tokens);
    let own_numbers = numbers::OwnNumbers::of(identifiers);
    pass(text, &mut spans, |gap| own_numbers.find(gap));
    pass(text, &mut spans, numbers::numbers);
    let identifiers = identifiers::Identifiers::of(identifiers);
    pass(text, &mut spans, |gap| identifiers.find(gap));
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for span in &spans {
        masked.push_str(text.get(done..span.start).unwrap_or_default());
        masked.push_str(&span.with);
        done = span.end;
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    masked
}

/// Runs a finder over every gap that earlier passes left and keeps the spans in order.
fn pass(text: &str, spans: &mut Vec<Found>, find: impl Fn(&str) -> Vec<Found>) {
    let earlier = std::mem::take(spans);
    let mut from = 0;
    let add = |spans: &mut Vec<Found>, from: usize, to: usize| {
        let gap = text.get(from..to).unwrap_or_default();
        spans.extend(find(gap).into_iter().map(|f| Found { start: f.start + from, end: f.end + from, ..f }));
    };
    for span in earlier {
        add(spans, from, span.start);
        from = span.end;
        spans.push(span);
    }
    add(spans, from, text.len());
}

#[cfg(test)]
mod tests;
