//! What is personal in the sender's free text, and how it is taken out (design, law 8).
//!
//! The text is cut into spans by passes over what earlier passes left: addresses on the web, placeholders that are
//! there already, e-mail addresses, long tokens, numbers, and last the identifiers of the event. The edge of a span
//! ends a word as a bracket does, so masking a masked text changes nothing.

mod find;

use find::Found;

const EMAIL: &str = "[email]";
const NUMBER: &str = "[number]";
const ID: &str = "[id]";
const LINK: &str = "[...]";

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
/// host of a link, long tokens, and whole tokens equal to one of `identifiers`, whatever their case. SMTP codes,
/// provider error numbers and words stay. Takes time linear in the text.
pub fn mask(text: &str, identifiers: &[&str]) -> String {
    let mut spans = Vec::new();
    pass(text, &mut spans, find::links);
    pass(text, &mut spans, find::placeholders);
    pass(text, &mut spans, find::emails);
    pass(text, &mut spans, find::tokens);
    pass(text, &mut spans, find::numbers);
    let identifiers = find::Identifiers::of(identifiers);
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_personal_is_masked() {
        for (text, want) in [
            ("550 5.1.1 <ada@example.test>: user unknown", "550 5.1.1 <[email]>: user unknown"),
            ("Ada L <ada.l+news@mail.example.test>", "Ada L <[email]>"),
            ("'ada@example.test' bounced", "'[email]' bounced"),
            ("mailbox o'brien@example.test.", "mailbox [email]."),
            ("\"ada l\"@example.test gone", "[email] gone"),
            ("jürgen@bücher.example", "[email]"),
            ("ada%40example.test", "[email]"),
            ("ada@[10.0.0.1] refused", "[email] refused"),
            ("cut off at ada@", "cut off at [email]"),
            ("SRS0=ab=cd=example.test=ada@fwd.test", "[email]"),
            ("To number: +15550100123", "To number: [number]"),
            ("To +1 (555) 010-0123 failed", "To [number] failed"),
            ("+49 151 234 56789 550 5.1.1 no", "[number] 550 5.1.1 no"),
            ("call (555) 010-0123 or 555-010-0123", "call [number] or [number]"),
            ("06 12 34 56 78 is off", "[number] is off"),
            ("0151-234 5678 is off", "[number] is off"),
            ("id 1234567, not 123456", "id [number], not 123456"),
            ("١٢٣٤٥٦٧", "[number]"),
            ("https://u:p@hooks.example.test:8443/T0/B1?x=1#y z", "https://hooks.example.test:8443/[...] z"),
            (
                "see https://example.test, or https://example.test/",
                "see https://example.test, or https://example.test/",
            ),
            ("app://u_122/home tel://15550100123", "app://[...] tel://[...]"),
            ("https:///x", "https://[...]"),
            ("https://example.test\"\"@a and ada://\"\"%40", "https://example.test[email] and ada://[...][email]"),
            ("delivery dgSYNTH0001-_aaaaBBBBccccDDDD= lost", "delivery [id] lost"),
            ("a_token_of_12345678_chars=value", "[id]=value"),
            ("justletters_and_words=https12345678", "justletters_and_words=https[number]"),
            ("123e4567-e89b-12d3-a456-426614174000", "[id]"),
            ("no profile U_122 (u_1225 is fine)", "no profile [id] (u_1225 is fine)"),
            ("id=u_122&x=Tok-1", "id=[id]&x=[id]"),
            ("abc of id abc", "abc of id abc"),
        ] {
            assert_eq!(mask(text, &["u_122", "tok-1", "abc", ""]), want, "{text}");
        }
    }

    #[test]
    fn codes_and_words_stay() {
        for text in [
            "550 5.1.1 The email account does not exist",
            "550-5.7.515 Access denied",
            "421 4.7.28 try again later",
            "Twilio Error 21211: The 'To' number is not a valid phone number.",
            "Variable 'customer.name' is missing",
            "HTTP 404 Not Found []",
            "InvalidProviderToken",
            "DeviceTokenNotForTopic",
            "host mx1.example.test[104.198.177.219] said no",
            "AuthenticationStatus=fail",
            "2026-11-24 12:00:01",
            "see #channel @here",
            "émoji 🙃 und Ümlaute",
            "",
        ] {
            assert_eq!(mask(text, &["u_122"]), text);
        }
    }

    #[test]
    fn a_placeholder_is_no_identifier() {
        let text = "https://example.test/[...] [email] [id] [number]";
        assert_eq!(mask(text, &["https", "email", "number", "example.test"]), text);
    }

    #[test]
    fn a_long_text_takes_linear_time() {
        for unit in ["@", "a@", "\"@", "+1-", "0-", "http://", "http://[id]", "[", "u_122 ", "%40", "=", "12 "] {
            let text = unit.repeat(200_000 / unit.len());
            let started = std::time::Instant::now();
            assert!(mask(&text, &["u_122"]).len() <= 10 * text.len());
            assert!(started.elapsed().as_secs() < 5, "{unit}");
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "ada",
            "@",
            "example",
            ".",
            "test",
            "://",
            "https",
            "/",
            "?",
            "1",
            "0",
            "23",
            "4567",
            "12345678",
            "+",
            "-",
            " ",
            "(",
            ")",
            "[",
            "]",
            "[email]",
            "[number]",
            "[id]",
            "[...]",
            "\"",
            "'",
            "<",
            ">",
            "=",
            "_",
            "%40",
            "u_122",
            "İ",
            "ß",
            "é",
            "🙃",
            "\u{a0}",
            "\n",
            "abcdefgh1234567",
            "555-010-0123",
            "06 12 34 56 78",
            "localhost",
            ":",
            "1.5",
        ]);
        prop_oneof![prop::collection::vec(pieces, 0..40).prop_map(|p| p.concat()), any::<String>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn masking_twice_changes_nothing(text in texts(), id in texts()) {
            let identifiers = ["u_122", "email", "ada", "https", id.as_str()];
            let once = mask(&text, &identifiers);
            prop_assert_eq!(mask(&once, &identifiers), once);
        }

        #[test]
        fn no_address_and_no_long_run_survives(local in "[a-z]{1,8}", digits in "[0-9]{7,20}", around in texts()) {
            let masked = mask(&format!("{around} {local}@secret.test {digits} {around}"), &[]);
            let address = format!("{local}@");
            prop_assert!(!masked.contains(&address) && !masked.contains(&digits), "{}", masked);
        }
    }
}
