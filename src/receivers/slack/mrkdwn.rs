//! Slack's text: escaped, cut, and safe to put beside its markup.
//! Source: docs.slack.dev, "Formatting message text".

use crate::message::text::ELLIPSIS;

/// The length that Slack may count, in UTF-16 units: never less than the number of characters, whichever it means.
pub fn len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text` on one line with `&`, `<` and `>` as entities, at most `most` long (see [`len`]). A cut one ends in `…`; no
/// entity is ever cut.
pub fn escape(text: &str, most: usize) -> String {
    if most == 0 {
        return String::new();
    }
    let mut out = String::with_capacity(text.len().min(most) + 8);
    let (mut used, mut safe) = (0, 0);
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            // Line breaks, and what turns the direction of reading, have no business in a line.
            c if c.is_control() || is_directional(c) => " ",
            c => &*c.encode_utf8(&mut utf8),
        };
        used += len(piece);
        if used > most {
            out.truncate(safe);
            out.truncate(out.trim_end().len());
            out.push(ELLIPSIS);
            return out;
        }
        out.push_str(piece);
        if used < most {
            safe = out.len();
        }
    }
    out
}

const fn is_directional(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Longest address in a link, after encoding. Source: docs.slack.dev, button element, `url`.
const HREF_CHARS: usize = 2_000;

/// `<href|label>`, or `None` for an address that Slack would not make a link of. A `|` would let an address fake its
/// label, so it is encoded like `<` and `>`.
pub fn link(href: &str, label: &str) -> Option<String> {
    if !(href.starts_with("https://") || href.starts_with("http://")) {
        return None;
    }
    let mut safe = String::with_capacity(href.len());
    for c in href.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' | '>' | '|' | '"' | '`' | '\\' => safe.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_ascii_graphic() => safe.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| safe.push_str(&format!("%{b:02X}"))),
        }
    }
    let label = escape(label, 75);
    let label = if label.trim().is_empty() { "link".to_owned() } else { label };
    (safe.len() <= HREF_CHARS).then(|| format!("<{safe}|{label}>"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_in_a_text_is_only_text() {
        for (text, most, want) in [
            ("<!channel> & co", 100, "&lt;!channel&gt; &amp; co"),
            ("&lt;", 100, "&amp;lt;"),
            ("a\r\nb\u{202e}c", 100, "a  b c"),
            ("abcdef", 4, "abc…"),
            ("ab<cd", 5, "ab…"),
            ("ab<", 6, "ab&lt;"),
            ("🦀🦀🦀", 5, "🦀🦀…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(escape(text, most), want, "{text:?}");
        }
    }

    #[test]
    fn an_address_cannot_fake_its_label_or_end_its_link() {
        let linked = |href, label| link(href, label).unwrap_or_default();
        assert_eq!(
            linked("https://evil.example/|https://good.example>", "a <b>"),
            "<https://evil.example/%7Chttps://good.example%3E|a &lt;b&gt;>"
        );
        assert_eq!(linked("https://x.example/?a=1&b=ü", ""), "<https://x.example/?a=1&amp;b=%C3%BC|link>");
        assert_eq!(link("javascript:alert(1)", "x"), None);
        assert_eq!(link(&format!("https://x.example/{}", "a".repeat(3_000)), "x"), None);
    }

    proptest! {
        #[test]
        fn no_text_keeps_live_markup_or_exceeds_its_length(text in any::<String>(), most in 0usize..60) {
            let out = escape(&text, most);
            prop_assert!(len(&out) <= most);
            prop_assert!(!out.contains(['<', '>', '\n']));
            let rest = ["&amp;", "&lt;", "&gt;"].iter().fold(out, |rest, entity| rest.replace(entity, ""));
            prop_assert!(!rest.contains('&'), "{rest}");
        }
    }
}
