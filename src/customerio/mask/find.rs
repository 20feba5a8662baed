//! What each pass of [`super::mask`] looks for. A finder sees one gap between earlier spans, whose edges end words,
//! and goes over it once.

use std::borrow::Cow;

use super::{EMAIL, ID, IDENTIFIER_CHARS, LINK, LONG_RUN_DIGITS, NUMBER, PLACEHOLDERS, TOKEN_CHARS};

/// A span of a gap, in bytes, and what stands in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub with: Cow<'static, str>,
}

fn found(start: usize, end: usize, with: &'static str) -> Found {
    Found { start, end, with: Cow::Borrowed(with) }
}

/// Links keep scheme and host; user info, path, query and fragment may hold tokens.
pub fn links(gap: &str) -> Vec<Found> {
    let mut spans: Vec<Found> = Vec::new();
    for (colon, _) in gap.match_indices("://") {
        let from = spans.last().map_or(0, |s| s.end);
        if colon < from {
            continue;
        }
        let before = gap.get(from..colon).unwrap_or_default();
        let scheme = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        if scheme == 0 {
            continue;
        }
        let after = gap.get(colon + 3..).unwrap_or_default();
        let rest = after.get(..link_end(after)).unwrap_or_default();
        let (start, end) = (colon - scheme, colon + 3 + rest.len());
        let kept = gap.get(start..colon + 3).unwrap_or_default();
        spans.push(Found { start, end, with: Cow::Owned(format!("{kept}{}", without_tokens(rest))) });
    }
    spans
}

/// Length of the rest of a link: up to white space, a quote or a bracket. One that was masked before ends behind its
/// own placeholder, or before another that followed it.
fn link_end(after: &str) -> usize {
    let end = after.char_indices().find_map(|(at, c)| match c {
        '[' => {
            let here = after.get(at..).unwrap_or_default();
            let placeholder = PLACEHOLDERS.into_iter().find(|p| here.starts_with(p))?;
            Some(if placeholder == LINK { at + LINK.len() } else { at })
        }
        c => (c.is_whitespace() || "\"'`<>".contains(c)).then_some(at),
    });
    end.unwrap_or(after.len())
}

/// `user:pass@host:443/path?query` as `host:443/[...]`.
fn without_tokens(rest: &str) -> String {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    let place = authority.rsplit('@').next().unwrap_or_default();
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let (host, junk) = place.split_at(place.find(|c| !is_host(c)).unwrap_or(place.len()));
    // A one-word host may be an id of ours or a person's (`app://u_122/`), a long number a telephone.
    let named = host.trim_matches('.').contains('.') || host.split(':').next() == Some("localhost");
    if !named || numbers(host).iter().any(|f| f.start < f.end) {
        return LINK.to_owned();
    }
    let harmless = junk.chars().chain(path.chars()).all(|c| "/,.;!)".contains(c));
    if harmless { format!("{host}{junk}{path}") } else { format!("{host}/{LINK}") }
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

/// E-mail addresses, also with `%40` for `@`, with a quoted local part, or cut off after the `@`.
pub fn emails(gap: &str) -> Vec<Found> {
    let mut spans: Vec<Found> = Vec::new();
    for (at, sign) in gap.char_indices().filter_map(|(at, c)| match c {
        '@' => Some((at, 1)),
        '%' if gap.get(at..at + 3) == Some("%40") => Some((at, 3)),
        _ => None,
    }) {
        let from = spans.last().map_or(0, |s| s.end);
        if at < from {
            continue;
        }
        let before = gap.get(from..at).unwrap_or_default();
        let local = local_part(before);
        let end = at + sign + domain(gap.get(at + sign..).unwrap_or_default());
        match spans.last_mut() {
            // `a@b@c`: the second half of one address, not the start of another.
            Some(last) if before.is_empty() => last.end = end,
            _ if local > 0 => spans.push(found(at - local, end, EMAIL)),
            _ => {}
        }
    }
    spans
}

/// Length of the local part that ends this text, in bytes.
fn local_part(before: &str) -> usize {
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted.rfind('"').map_or(0, |open| before.len() - open);
    }
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let run = before.len() - before.trim_end_matches(is_local).len();
    let local = before.get(before.len() - run..).unwrap_or_default();
    local.trim_start_matches(|c: char| !c.is_alphanumeric()).len()
}

/// Length of the domain that begins this text, in bytes; `[10.0.0.1]` is one.
fn domain(after: &str) -> usize {
    if let Some(literal) = after.strip_prefix('[') {
        let inner = literal.find(|c: char| !c.is_ascii_hexdigit() && !".:".contains(c)).unwrap_or(literal.len());
        let closed = inner > 0 && literal.get(inner..).is_some_and(|rest| rest.starts_with(']'));
        return if closed { inner + 2 } else { 0 };
    }
    let run = after.find(|c: char| !c.is_alphanumeric() && !".-_".contains(c)).unwrap_or(after.len());
    after.get(..run).unwrap_or_default().trim_end_matches(['.', '-', '_']).len()
}

/// Delivery ids, device tokens, message ids of providers: long, base64url-like, letters and digits mixed.
pub fn tokens(gap: &str) -> Vec<Found> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(ahead) = gap.get(at..).and_then(|rest| rest.find(is_token)) {
        let start = at + ahead;
        let here = gap.get(start..).unwrap_or_default();
        let run = here.get(..here.find(|c| !is_token(c)).unwrap_or(here.len())).unwrap_or_default();
        let after = here.get(run.len()..).unwrap_or_default();
        let padding = after.len() - after.trim_start_matches('=').len();
        // `key=value` is no padding.
        let padding = if after.trim_start_matches('=').starts_with(char::is_alphanumeric) { 0 } else { padding };
        let has_digit = run.bytes().any(|b| b.is_ascii_digit());
        let has_letter = run.bytes().any(|b| b.is_ascii_alphabetic());
        at = start + run.len() + padding;
        if run.len() >= TOKEN_CHARS && has_letter && has_digit {
            spans.push(found(start, at, ID));
        }
    }
    spans
}

/// Phone numbers and long digit runs.
pub fn numbers(gap: &str) -> Vec<Found> {
    if !gap.contains(char::is_numeric) {
        return Vec::new();
    }
    let digits = Digits { text: gap, chars: gap.char_indices().collect() };
    let mut spans = Vec::new();
    let mut at = 0;
    while at < digits.chars.len() {
        let run = digits.run(at);
        let end = digits.international(at).or_else(|| digits.national(at)).or_else(|| digits.north_american(at));
        match end.or((run >= LONG_RUN_DIGITS).then_some(at + run)) {
            Some(end) => {
                spans.push(found(digits.byte(at), digits.byte(end), NUMBER));
                at = end;
            }
            None => at += run.max(1),
        }
    }
    spans
}

/// A gap as characters; positions are in characters.
struct Digits<'a> {
    text: &'a str,
    chars: Vec<(usize, char)>,
}

impl Digits<'_> {
    fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|(_, c)| *c)
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.text.len(), |(byte, _)| *byte)
    }

    /// How many digits stand here, of whatever script.
    fn run(&self, at: usize) -> usize {
        self.chars.iter().skip(at).take_while(|(_, c)| c.is_numeric()).count()
    }

    /// `+1 (555) 010-0123`: 7 digits or more after a plus sign.
    fn international(&self, at: usize) -> Option<usize> {
        if self.at(at)? != '+' || !self.at(at + 1).is_some_and(|c| c.is_numeric() || c == '(') {
            return None;
        }
        self.groups(at + 1, 2, 10, usize::MAX).filter(|(digits, _)| *digits >= LONG_RUN_DIGITS).map(|(_, end)| end)
    }

    /// `06 12 34 56 78`, `0151-234 5678`: 9 to 15 digits that begin with a 0, as no SMTP or provider code does.
    fn national(&self, at: usize) -> Option<usize> {
        if self.at(at)? != '0' || self.run(at) < 2 {
            return None;
        }
        self.groups(at, 1, 9, 15).filter(|(digits, _)| *digits >= 9).map(|(_, end)| end)
    }

    /// Digits in groups, at most `between` separators between two: how many digits, and where they end. A group
    /// that looks like an SMTP code is left out once there are `enough` digits, and what would pass `most` too.
    fn groups(&self, start: usize, between: usize, enough: usize, most: usize) -> Option<(usize, usize)> {
        let (mut digits, mut end, mut at) = (0, start, start);
        while at <= end + between {
            let run = self.run(at);
            let code = run == 3 && at > start && digits >= enough && matches!(self.at(at), Some('4' | '5'));
            if code || digits + run > most {
                break;
            }
            if run > 0 {
                digits += run;
                (at, end) = (at + run, at + run);
            } else if matches!(self.at(at), Some(' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}')) {
                at += 1;
            } else {
                break;
            }
        }
        (digits > 0).then_some((digits, end))
    }

    /// `(555) 010-0123`, `1-555-010-0123`, `555.010.0123`.
    fn north_american(&self, at: usize) -> Option<usize> {
        let separator = |at: usize| usize::from(matches!(self.at(at), Some('-' | '.' | ' ')));
        let mut here = at;
        if self.at(here)? == '1' && self.run(here) == 1 && separator(here + 1) == 1 {
            here += 2;
        }
        let open = usize::from(self.at(here)? == '(');
        here += open;
        for group in [3, 3, 4] {
            if self.run(here) != group {
                return None;
            }
            here += group;
            if group == 4 {
                return Some(here);
            }
            let close = usize::from(open == 1 && self.at(here) == Some(')'));
            let gap = separator(here + close);
            if close + gap == 0 {
                return None;
            }
            here += close + gap;
        }
        None
    }
}

/// The identifiers of one event, ready to be found.
pub struct Identifiers(Vec<Vec<char>>);

/// More identifiers than this are not looked for: a person with more devices has them masked as long tokens.
const MOST_IDENTIFIERS: usize = 64;

impl Identifiers {
    pub fn of(identifiers: &[&str]) -> Self {
        let bare = identifiers.iter().map(|i| i.trim_matches(|c: char| !c.is_alphanumeric()));
        let lower = bare.map(|i| i.chars().flat_map(char::to_lowercase).collect::<Vec<char>>());
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

/// The length in bytes of `identifier` (lower case) at the start of `text`, when a word ends with it.
fn starts_with_word(text: &str, identifier: &[char]) -> Option<usize> {
    let mut wanted = identifier.iter();
    let mut chars = text.char_indices();
    while !wanted.as_slice().is_empty() {
        let (_, c) = chars.next()?;
        if !c.to_lowercase().all(|c| wanted.next() == Some(&c)) {
            return None;
        }
    }
    match chars.next() {
        None => Some(text.len()),
        Some((at, next)) => (!next.is_alphanumeric()).then_some(at),
    }
}
