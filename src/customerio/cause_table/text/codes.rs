//! Codes, each only where its protocol puts it: a `5.1.1` in an address or a version is none, nor is a number in an id.

use super::{is_enhanced, is_number, is_reply};

/// The codes of one text.
#[derive(Debug, Default)]
pub struct Codes<'a> {
    pub reply: Option<&'a str>,
    pub enhanced: Option<&'a str>,
    pub number: Option<&'a str>,
    pub http: Option<u16>,
}

impl<'a> Codes<'a> {
    /// Reads all of them.
    pub fn of(text: &'a str) -> Self {
        let tokens = tokens(text);
        Self { reply: reply(&tokens), enhanced: enhanced(&tokens), number: number(&tokens), http: http(&tokens) }
    }
}

/// A run of letters, digits and `_`, with the dots between digits (`5.1.1` is one).
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    /// What stands between it and the token before, and the one behind.
    gap_before: &'a str,
    gap_behind: &'a str,
}

impl Token<'_> {
    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.text.eq_ignore_ascii_case(name))
    }
}

/// Words behind which a mail server's reply begins: `host mx said: 550`, `smtp; 550`, `Remote server returned '550`,
/// and Exim's `after end of data: 550`; Exim's `after RCPT TO:<...>: 550` has no such word.
const QUOTES_REPLY: &[&str] =
    &["said", "smtp", "status", "returned", "response", "responded", "reply", "error", "data"];

/// The first thing in the text, or in what another server said.
fn reply<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let first = tokens.first().filter(|t| is_reply(t.text));
    let quoted = || {
        tokens.windows(2).find_map(|pair| match pair {
            [name, code] if is_reply(code.text) && (name.is_one_of(QUOTES_REPLY) || code.gap_before.contains(">:")) => {
                Some(code)
            }
            _ => None,
        })
    };
    first.or_else(quoted).map(|t| t.text)
}

/// Behind a reply code or a name for it, at the beginning, or in `(#5.1.1)`. Of several the first, unless they say
/// different things; `5.0.0` says nothing.
fn enhanced<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let mut found: Option<&str> = None;
    let mut before: Option<&Token> = None;
    for token in tokens {
        let named = before.is_none_or(|b| is_reply(b.text) || b.is_one_of(&["dsn", "status", "code", "smtp"]));
        if is_enhanced(token.text) && (named || token.gap_before.ends_with('#')) && !token.text.ends_with(".0.0") {
            match found {
                Some(first) if first.get(1..) != token.text.get(1..) => return None,
                Some(_) => {}
                None => found = Some(token.text),
            }
        }
        before = Some(token);
    }
    found
}

/// Five or six digits that are called an error or a code, are the whole text, begin it before a colon or a dash, or end
/// it in brackets; any number in `(#190)`, as Meta writes it. Several different ones say nothing.
fn number<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    const NAMES: &[&str] = &["error", "errors", "code", "errorcode", "error_code"];
    let is_long = |t: &Token| matches!(t.text.len(), 5 | 6) && is_number(t.text);
    let (only, last) = (tokens.len() == 1, tokens.len().saturating_sub(1));
    let stands = |at: usize, token: &Token| {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let named = || before.is_some_and(|name| name.is_one_of(NAMES));
        let leads = || at == 0 && matches!(token.gap_behind.trim(), ":" | "-" | "–");
        let ends = || at == last && token.gap_before.ends_with('(') && token.gap_behind.starts_with(')');
        is_number(token.text) && token.gap_before.ends_with("(#")
            || is_long(token) && (only || named() || leads() || ends())
    };
    let mut found = tokens.iter().enumerate().filter(|(at, token)| stands(*at, token)).map(|(_, token)| token.text);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// `HTTP 404 Not Found`, `HTTP/1.1 404`, `404 Not Found`, `status code 404`.
fn http(tokens: &[Token]) -> Option<u16> {
    let is_version = |t: &Token| t.gap_before == "/" && matches!(t.text, "1.0" | "1.1" | "2" | "2.0" | "3");
    let status = match tokens {
        [http, version, status, ..] if http.is_one_of(&["http"]) && is_version(version) => status,
        [http, status, ..] if http.is_one_of(&["http"]) => status,
        [status, ..] if REASONS.iter().any(|reason| begins(tokens, reason)) => status,
        _ => tokens.windows(3).find_map(|three| match three {
            [status, code, number] if status.is_one_of(&["status", "response"]) && code.is_one_of(&["code"]) => {
                Some(number)
            }
            _ => None,
        })?,
    };
    Some(status.text).filter(|text| text.len() == 3 && is_number(text))?.parse().ok()
}

/// Statuses of failures with the first words of their reason phrases, RFC 9110, section 15: `550 Not our customer` and
/// `502 Bad command` are SMTP's.
const REASONS: &[&[&str]] = &[
    &["301", "moved"],
    &["302", "found"],
    &["307", "temporary", "redirect"],
    &["308", "permanent", "redirect"],
    &["400", "bad", "request"],
    &["401", "unauthorized"],
    &["403", "forbidden"],
    &["404", "not", "found"],
    &["405", "method", "not"],
    &["406", "not", "acceptable"],
    &["408", "request", "timeout"],
    &["409", "conflict"],
    &["410", "gone"],
    &["413", "content"],
    &["413", "payload"],
    &["413", "request", "entity"],
    &["415", "unsupported", "media"],
    &["422", "unprocessable"],
    &["429", "too", "many"],
    &["500", "internal", "server"],
    &["502", "bad", "gateway"],
    &["503", "service", "unavailable"],
    &["504", "gateway", "timeout"],
    &["504", "gateway", "time"],
];

fn begins(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.text.eq_ignore_ascii_case(word))
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut ranges: Vec<(usize, usize)> = Vec::with_capacity(text.len() / 6 + 1);
    let mut start = None;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let next_is_digit = || text.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let inside = c.is_alphanumeric()
            || c == '_'
            || c == '.' && before.is_some_and(|b: char| b.is_ascii_digit()) && next_is_digit();
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                ranges.push((from, at));
                start = None;
            }
            _ => {}
        }
        before = Some(c);
    }
    ranges.extend(start.map(|from| (from, text.len())));
    let slice = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let mut tokens = Vec::with_capacity(ranges.len());
    let mut end = 0;
    for (at, (from, to)) in ranges.iter().copied().enumerate() {
        let next = ranges.get(at + 1).map_or(text.len(), |(from, _)| *from);
        tokens.push(Token { text: slice(from, to), gap_before: slice(end, from), gap_behind: slice(to, next) });
        end = to;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::Codes;

    #[test]
    fn a_code_counts_only_where_its_protocol_puts_it() {
        for (text, want) in [
            ("550-5.1.1 no such user 550 5.1.1 bye", (Some("550"), Some("5.1.1"), None, None)),
            ("host mx said: 421 4.7.0 later", (Some("421"), Some("4.7.0"), None, None)),
            ("smtp; 552 5.2.2 full", (Some("552"), Some("5.2.2"), None, None)),
            ("smtp;550 #5.1.1 no", (Some("550"), Some("5.1.1"), None, None)),
            ("5.0.0 (undefined status); smtp; 550 5.1.1 no", (Some("550"), Some("5.1.1"), None, None)),
            ("550 5.4.1 x -> 550 5.1.1 y", (Some("550"), None, None, None)),
            ("our server 5.1.1 says 550", (None, None, None, None)),
            ("5.1.1.10 is an address", (None, None, None, None)),
            ("Twilio Error 30007: because of error 30005", (None, None, None, None)),
            ("{code: 21610, see: errors/21610}", (None, None, Some("21610"), None)),
            ("21211 - Invalid number", (None, None, Some("21211"), None)),
            ("30005: Unknown", (None, None, Some("30005"), None)),
            ("(#131026) Message undeliverable", (None, None, Some("131026"), None)),
            ("order #30007", (None, None, None, None)),
            ("21211 orders failed", (None, None, None, None)),
            ("violates a blacklist rule. (21610)", (None, None, Some("21610"), None)),
            ("HTTP/1.1 404 Not Found", (None, None, None, Some(404))),
            ("503 Service Unavailable", (Some("503"), None, None, Some(503))),
            ("unexpected status code 502", (None, None, None, Some(502))),
            ("550 mailbox", (Some("550"), None, None, None)),
            ("502 Bad command", (Some("502"), None, None, None)),
            ("550 Not found", (Some("550"), None, None, None)),
            ("404 Not Found", (Some("404"), None, None, Some(404))),
        ] {
            let found = Codes::of(text);
            assert_eq!((found.reply, found.enhanced, found.number, found.http), want, "{text}");
        }
    }
}
