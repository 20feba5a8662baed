//! The words of a text, without what names a person, a machine or a message: no addresses, no IP numbers, no codes,
//! no paths of links, no subject and no other content of the message that a server quotes. So "user <ada@example.test> unknown" says "user unknown", and
//! a link to a page on spam says nothing of spam. A host is one word: `mx.spam.example` is not the word "spam".

use super::{is_enhanced, is_number, is_reply};

/// Stands as a word of its own where a sentence ends, a semicolon parts two texts or an `=` a name from its value
/// (`spf=fail` is a filter's note and no sentence): no phrase reaches across it.
pub const BREAK: char = '|';

/// What masking writes in square brackets (see `mask::PLACEHOLDERS`); `[...]` has no letters anyway.
const MASKED: [&str; 3] = ["[email]", "[number]", "[id]"];

/// Lower case words with one space between, and one at either end.
pub fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let done = text.get(..text.len() - rest.len()).unwrap_or_default();
        if let Some(behind) = behind_quoted_content(done, rest) {
            rest = behind;
        } else if let Some(masked) = MASKED.iter().find(|m| rest.starts_with(**m)) {
            rest = rest.get(masked.len()..).unwrap_or_default();
        } else if is_part(c) {
            let (part, after) = rest.split_at(part_length(rest));
            rest = after;
            if let Some(link) = after.strip_prefix("://") {
                push_host(&mut words, link);
                rest = link.trim_start_matches(|c: char| !ends_link(c));
            } else if let Some(domain) = after.strip_prefix('@') {
                rest = domain.get(part_length(domain)..).unwrap_or_default();
            } else {
                push_part(&mut words, part);
                if words.ends_with(" subject ") || words.ends_with(" subject of ") {
                    rest = behind_subject(rest);
                }
            }
        } else if let Some(domain) = rest.strip_prefix('@') {
            // Of an address whose name is no name: `<.@example.test>`.
            rest = domain.get(part_length(domain)..).unwrap_or_default();
        } else {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            if matches!(c, ';' | '=')
                || matches!(c, '.' | '!' | '?') && after.chars().next().is_none_or(char::is_whitespace)
            {
                push_break(&mut words);
            }
            rest = after;
        }
    }
    words
}

/// Letters, digits, and what joins them into a host, an address, a code or a word.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn joins(c: char) -> bool {
    matches!(c, '.' | '-' | '\'' | '’' | '+')
}

/// Length in bytes of the part that begins the text: it ends with a letter, a digit or `_`.
fn part_length(text: &str) -> usize {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        if is_part(c) {
            length = at + c.len_utf8();
        } else if !joins(c) || at > length {
            break;
        }
    }
    length
}

fn ends_link(c: char) -> bool {
    c.is_whitespace() || matches!(c, '>' | ')' | ']' | '"' | '\'' | ';' | ',')
}

/// The host of a link, without `www.`: lists and filters are known by theirs.
fn push_host(words: &mut String, link: &str) {
    let host = link.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-'))).next().unwrap_or_default();
    if is_host(&host.to_lowercase()) {
        push_word(words, bare_host(host));
    }
}

fn push_part(words: &mut String, part: &str) {
    if is_host(part) {
        return push_word(words, bare_host(part));
    }
    for piece in part.split(['-', '+']) {
        if is_reply(piece) || is_enhanced(piece) || is_ip(piece) {
            continue;
        }
        piece.split('.').filter(|word| !word.is_empty()).for_each(|word| push_word(words, word));
    }
}

/// All in one case, the last label of letters: `zen.spamhaus.org`. Exchange writes `RESOLVER.ADR.RecipientNotFound`.
fn is_host(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let last = text.rsplit('.').next().unwrap_or_default();
    let one_case = !text.bytes().any(|b| b.is_ascii_uppercase()) || !text.bytes().any(|b| b.is_ascii_lowercase());
    one_case
        && text.contains('.')
        && text.split('.').all(label)
        && last.len() >= 2
        && last.bytes().all(|b| b.is_ascii_alphabetic())
}

fn bare_host(host: &str) -> &str {
    host.strip_prefix("www.").or_else(|| host.strip_prefix("WWW.")).unwrap_or(host)
}

fn is_ip(text: &str) -> bool {
    text.split('.').count() == 4 && text.split('.').all(|part| is_number(part) && part.len() <= 3)
}

/// "doesn't" is one word, as in "recipient's"; accents go, since French servers write both ways.
fn push_word(words: &mut String, word: &str) {
    for c in word.chars().filter(|c| !matches!(c, '\'' | '’')).flat_map(char::to_lowercase) {
        words.push(plain(c));
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
}

fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        c => c,
    }
}

fn push_break(words: &mut String) {
    if words.len() > 1 && !words.ends_with("| ") {
        words.push(BREAK);
        words.push(' ');
    }
}

/// What follows a quotation of several words that stands behind a word: it is of the message, not of the server. A
/// server's own words are quoted behind a code, a colon or a dash.
fn behind_quoted_content<'a>(done: &str, rest: &'a str) -> Option<&'a str> {
    let content =
        rest.strip_prefix('"').filter(|_| done.ends_with(' ') && done.trim_end().ends_with(char::is_alphabetic))?;
    let (content, after) = content.split_once('"')?;
    content.contains(' ').then_some(after)
}

/// What follows a subject that a server repeats in brackets, in quotes, or behind a colon up to the line's end.
fn behind_subject(rest: &str) -> &str {
    let start = rest.trim_start_matches([' ', ':']);
    let close = match start.chars().next() {
        Some('(') => ')',
        Some('[') => ']',
        Some('<') => '>',
        Some(mark @ ('"' | '\'')) => mark,
        Some('“') => '”',
        _ if rest.starts_with(':') => '\n',
        _ => return rest,
    };
    let mut parts = start.char_indices().skip(1);
    parts.find(|(_, c)| *c == close).map_or("", |(at, c)| start.get(at + c.len_utf8()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_codes_and_links_are_no_words() {
        for (text, want) in [
            ("550-5.1.1 The email account\n550 5.1.1 does not exist", " the email account does not exist "),
            ("<.@gmail.test> is no address, @@ b", " is no address b "),
            ("<ada@spam.test>: User <o'x@b.test> unknown", " user unknown "),
            ("user [email] unknown [id]", " user unknown "),
            ("host mx.spam.test[192.0.2.3] said: no", " host mx.spam.test said no "),
            ("see https://www.example.test/spam?p=User_Unknown now", " see example.test now "),
            ("(https://a.test/spam) b", " a.test b "),
            ("Rejected. Spam; no", " rejected | spam | no "),
            ("the subject of (Your mailbox is full) matches", " the subject of matches "),
            ("Subject: mailbox full\nbad", " subject bad "),
            ("doesn't, 'To' recipient’s", " doesnt to recipients "),
            ("contains \"user unknown\" so no", " contains so no "),
            ("550 \"user unknown\"", " user unknown "),
            ("The \"To\" number", " the to number "),
            ("spf=fail", " spf | fail "),
            ("Boîte pleine", " boite pleine "),
            ("RESOLVER.ADR.RecipientNotFound", " resolver adr recipientnotfound "),
            ("to:a@b.test:said no", " to said no "),
            ("", " "),
            ("... ; !", " "),
        ] {
            assert_eq!(words(text), want, "{text}");
        }
    }
}
