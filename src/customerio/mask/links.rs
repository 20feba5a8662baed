//! Links and what opens doors: only scheme and host of an address on the web, and no value of a key or password.

use std::borrow::Cow;

use super::find::{Found, found, has_domain};
use super::numbers::numbers;
use super::{ID, LINK, PLACEHOLDERS};

/// Links keep scheme and host; user info, path, query and fragment may hold tokens.
pub fn links(gap: &str) -> Vec<Found> {
    let mut spans: Vec<Found> = Vec::new();
    for (colon, _) in gap.char_indices().filter(|(_, c)| matches!(c, ':' | '%')) {
        let from = spans.last().map_or(0, |s| s.end);
        let Some(separator) = gap.get(colon..).and_then(separator).filter(|_| colon >= from) else { continue };
        let before = gap.get(from..colon).unwrap_or_default();
        let scheme = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
        if scheme == 0 {
            continue;
        }
        let behind = colon + separator;
        let after = gap.get(behind..).unwrap_or_default();
        let rest = after.get(..link_end(after)).unwrap_or_default();
        let (start, end) = (colon - scheme, behind + rest.len());
        let kept = gap.get(start..behind).unwrap_or_default();
        spans.push(Found { start, end, with: Cow::Owned(format!("{kept}{}", without_tokens(rest))) });
    }
    spans
}

/// Length of the `://` that begins this text, plain or escaped.
fn separator(text: &str) -> Option<usize> {
    const SEPARATORS: [&str; 5] = ["://", ":\\/\\/", ":\\\\/\\\\/", "%3A%2F%2F", "%253A%252F%252F"];
    let begins = |s: &&str| text.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s));
    SEPARATORS.iter().find(|s| begins(s)).map(|s| s.len())
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
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\', '%']).unwrap_or(rest.len()));
    let place = authority.rsplit('@').next().unwrap_or_default();
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let (host, junk) = place.split_at(place.find(|c| !is_host(c)).unwrap_or(place.len()));
    // A one-word host may be an id of ours or a person's (`app://u_122/`), a long number a telephone.
    let named = host.trim_matches('.').contains('.') || host.split(':').next() == Some("localhost");
    if !named || !numbers(host).is_empty() {
        return LINK.to_owned();
    }
    // An escaped character that begins no path may be the end of user info.
    let path_starts = ["%2F", "%3F", "%23", "%252F", "%253F", "%2523"];
    let is_path = |s: &&str| path.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s));
    if path.starts_with('%') && !path_starts.iter().any(is_path) {
        return LINK.to_owned();
    }
    let harmless = junk.chars().chain(path.chars()).all(|c| "/,.;!)".contains(c));
    if harmless { format!("{host}{junk}{path}") } else { format!("{host}/{LINK}") }
}

/// `api.example.test/path?query` without a scheme: the path and what follows it.
pub fn bare_links(gap: &str) -> Vec<Found> {
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let mut spans: Vec<Found> = Vec::new();
    for (at, c) in gap.char_indices().filter(|(_, c)| matches!(c, '/' | '?' | '\\')) {
        let from = spans.last().map_or(0, |s| s.end);
        let here = gap.get(at..).unwrap_or_default();
        if at < from || c == '\\' && !here.starts_with("\\/") {
            continue;
        }
        let before = gap.get(from..at).unwrap_or_default();
        let host = before.get(before.trim_end_matches(is_host).len()..).unwrap_or_default();
        if !has_domain(host) {
            continue;
        }
        let path = here.get(..link_end(here)).unwrap_or_default();
        if !path.chars().all(|c| "/\\,.;:!?)".contains(c)) {
            spans.push(Found { start: at, end: at + path.len(), with: Cow::Owned(format!("/{LINK}")) });
        }
    }
    spans
}

/// Names whose value is a secret; what ends like one is one, such as `api_key` and `X-Amz-Signature`.
const SECRETS: [&str; 10] = ["token", "key", "password", "passwd", "pwd", "secret", "sig", "signature", "jwt", "/cn"];

/// Length of the shortest credential behind `Bearer `.
const CREDENTIAL_CHARS: usize = 8;

/// Values of secrets: `token=...`, `"token":"..."`, `Bearer ...`.
pub fn secrets(gap: &str) -> Vec<Found> {
    let mut spans: Vec<Found> = Vec::new();
    for (at, c) in gap.char_indices().filter(|(_, c)| matches!(c, '=' | '%' | ':' | ' ')) {
        let from = spans.last().map_or(0, |s| s.end);
        if at < from {
            continue;
        }
        let (before, here) = (gap.get(from..at).unwrap_or_default(), gap.get(at..).unwrap_or_default());
        if let Some((start, length)) = value(before, here, c) {
            spans.push(found(at + start, at + start + length, ID));
        }
    }
    spans
}

/// Start and length of the value at the beginning of `here` behind its `sign`, when what stands before names a secret.
fn value(before: &str, here: &str, sign: char) -> Option<(usize, usize)> {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '\\');
    let name = before.trim_end_matches(is_quote);
    let ends = |name: &str, end: &str| {
        let at = name.len().checked_sub(end.len());
        at.and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let rest = match sign {
        ' ' if ends(before, "bearer") => return here.get(1..).and_then(credential).map(|length| (1, length)),
        '=' => here.get(1..)?,
        '%' => ["%3D", "%253D"].iter().find_map(|s| {
            here.get(..s.len()).filter(|start| start.eq_ignore_ascii_case(s)).and_then(|_| here.get(s.len()..))
        })?,
        // Only as in JSON: behind a colon in prose stands prose.
        ':' if name.len() < before.len() => here.get(1..)?.trim_start_matches(' '),
        _ => return None,
    };
    let unescaped = rest.trim_start_matches('\\');
    let quoted = unescaped.strip_prefix(['"', '\'']);
    if quoted.is_none() && sign == ':' || !SECRETS.iter().any(|secret| ends(name, secret)) {
        return None;
    }
    let value = quoted.unwrap_or(rest);
    let end = value.find(|c: char| match quoted {
        Some(_) => is_quote(c),
        None => c.is_whitespace() || "\"'`&,;<>)}]".contains(c),
    });
    let length = end.unwrap_or(value.len());
    (length > 0).then_some((here.len() - value.len(), length))
}

/// Length of what follows `Bearer `, if it is no word.
fn credential(text: &str) -> Option<usize> {
    let run = text.find(|c: char| !c.is_ascii_alphanumeric() && !"._~+/=-".contains(c)).unwrap_or(text.len());
    let run = text.get(..run).unwrap_or_default().trim_end_matches('.');
    let is_word = run.len() < CREDENTIAL_CHARS || !run.contains(|c: char| c.is_ascii_digit() || c == '.');
    (!is_word).then_some(run.len())
}
