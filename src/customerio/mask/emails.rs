//! E-mail addresses, in every writing that an error text brings them in.

use super::EMAIL;
use super::find::{Found, found, has_domain, is_invisible};

/// How much a sign says that the text around it is an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `@` and what stands for nothing else, even before a domain that was cut off.
    Sure,
    /// Only between a name and a domain.
    Unsure,
}

/// The length of the sign that begins this text. Percent signs may be escaped many times over.
fn sign(text: &str) -> Option<(usize, Sign)> {
    const SURE: [&str; 7] = ["@", "＠", "﹫", "\\u0040", "&#64;", "&#x40;", "&commat;"];
    const UNSURE: [&str; 3] = ["=40", "(at)", "[at]"];
    let begins = |sign: &&str| text.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
    if let Some(escaped) = text.strip_prefix('%') {
        let rest = escaped.trim_start_matches("25");
        return rest.starts_with("40").then_some((text.len() - rest.len() + 2, Sign::Sure));
    }
    let sure = SURE.iter().find(|s| begins(s)).map(|s| (s.len(), Sign::Sure));
    sure.or_else(|| UNSURE.iter().find(|s| begins(s)).map(|s| (s.len(), Sign::Unsure)))
}

/// E-mail addresses, also with an escaped `@`, with a quoted local part, or cut off after the `@`.
pub fn emails(gap: &str) -> Vec<Found> {
    let mut spans: Vec<Found> = Vec::new();
    for (at, _) in gap.char_indices().filter(|(_, c)| "@＠﹫\\%&=([".contains(*c)) {
        let from = spans.last().map_or(0, |s| s.end);
        let Some((length, sign)) = gap.get(at..).and_then(sign).filter(|_| at >= from) else { continue };
        // `ada\@example.test`: the sign itself was escaped, perhaps more than once.
        let before = gap.get(from..at).unwrap_or_default().trim_end_matches('\\');
        let after = gap.get(at + length..).unwrap_or_default();
        let mut end = at + length + domain(after);
        let named = has_domain(after.get(..domain(after)).unwrap_or_default());
        if sign == Sign::Unsure && !named {
            continue;
        }
        let mut local = local_part(before);
        if local == 0 && before.ends_with(' ') {
            // `ada @ example.test`
            let (before, spaced) = (before.strip_suffix(' ').unwrap_or(before), after.strip_prefix(' ').unwrap_or(""));
            let domain = domain(spaced);
            if has_domain(spaced.get(..domain).unwrap_or_default()) {
                local = Some(local_part(before)).filter(|local| *local > 0).map_or(0, |local| local + 1);
                end = at + length + 1 + domain;
            }
        }
        match spans.last_mut() {
            // `a@b@c`: the second half of one address, not the start of another.
            Some(last) if before.is_empty() => last.end = end,
            _ if local > 0 => spans.push(found(from + before.len() - local, end, EMAIL)),
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
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || is_invisible(c);
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
    let run = after.find(|c: char| !c.is_alphanumeric() && !".-_".contains(c) && !is_invisible(c));
    let run = after.get(..run.unwrap_or(after.len())).unwrap_or_default();
    run.trim_end_matches(|c| ".-_".contains(c) || is_invisible(c)).len()
}
