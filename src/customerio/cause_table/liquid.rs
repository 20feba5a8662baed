//! What a Liquid error names.

/// Longest name that is told, in characters: a template's names are shorter, and what is longer may be a value.
const NAME_CHARS: usize = 80;

/// A run of this many digits in a name may be a phone number or an id (see `mask::LONG_RUN_DIGITS`).
const DIGITS: usize = 7;

/// The variable that a Liquid error says is missing, for example `customer.name` of
/// `Variable 'customer.name' is missing`. Only ever a path of identifiers (`event.items[0].sku`) of at most 80
/// characters without a long number, so that no personal data can pass for a name. Sources:
/// <https://docs.customer.io/journeys/message-failed>; "undefined variable" is the wording of Shopify's Liquid.
pub fn missing_variable(text: &str) -> Option<&str> {
    let behind = |marker: &str| find_ignoring_case(text, marker).and_then(|at| text.get(at + marker.len()..));
    let quoted = behind("variable '").or_else(|| behind("variable \"")).or_else(|| behind("variable `"));
    if let Some(rest) = quoted {
        let end = rest.find(['\'', '"', '`', '\n']).filter(|end| *end > 0)?;
        // In `customer['name']` the first mark ends no name.
        let name = rest.get(..end)?;
        let name = if name.ends_with('[') { name_at_start(rest).trim_end_matches(['\'', '"']) } else { name };
        return path(name);
    }
    [
        "undefined variable: ",
        "undefined variable ",
        "missing variable: ",
        "missing variable ",
        "unknown variable: ",
        "unknown variable ",
        "variable: ",
    ]
    .into_iter()
    .find_map(behind)
    .or_else(|| {
        // `Variable customer.name is missing`, `customer.name is undefined`.
        let at = find_ignoring_case(text, " is missing").or_else(|| find_ignoring_case(text, " is undefined"))?;
        let before = text.get(..at)?;
        let start = before.rfind(char::is_whitespace)?;
        let says = before.get(..start)?.to_ascii_lowercase();
        let of_liquid = says.ends_with("variable") || says.contains("liquid error");
        before.get(start..).map(str::trim_start).filter(|_| of_liquid)
    })
    .and_then(|rest| path(name_at_start(rest)))
}

/// What stands up to the next white space, without the sentence's end.
fn name_at_start(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | ')' | '}')).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches(['.', '!']).trim_matches(['`', '"'])
}

fn find_ignoring_case(text: &str, marker: &str) -> Option<usize> {
    text.as_bytes().windows(marker.len()).position(|window| window.eq_ignore_ascii_case(marker.as_bytes()))
}

/// The name itself, when it is a path of identifiers.
fn path(name: &str) -> Option<&str> {
    let mut rest = identifier(name)?;
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix('.') {
            identifier(after)?
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let bare = inside.trim_matches(['\'', '"']);
            let index = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
            let key = identifier(bare).is_some_and(str::is_empty);
            (index || key).then_some(after)?
        };
    }
    let digits = name.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    Some(name).filter(|name| name.len() <= NAME_CHARS && digits < DIGITS)
}

/// What follows an identifier.
fn identifier(text: &str) -> Option<&str> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(end..).filter(|_| starts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::missing_variable;

    #[test]
    fn a_missing_variable_is_named() {
        for (text, want) in [
            ("Variable 'customer.name' is missing", "customer.name"),
            ("variable  'x' is missing; Variable 'event.order_id' is missing", "event.order_id"),
            ("Variable \"event.items[0].sku\" is missing", "event.items[0].sku"),
            ("Variable 'customer['first_name']' is missing", "customer['first_name']"),
            ("Variable customer.plan is missing", "customer.plan"),
            ("Liquid error (line 3): undefined variable customer.plan", "customer.plan"),
            ("liquid rendering failed: Undefined variable: customer.plan.", "customer.plan"),
            ("Liquid error: undefined variable `trigger.total`, line 2", "trigger.total"),
            ("Liquid error: timeout is undefined", "timeout"),
            ("missing variable: event.url", "event.url"),
        ] {
            assert_eq!(missing_variable(text), Some(want), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_value_is_not_named() {
        for text in [
            "Variable 'ada@example.test' is missing",
            "Variable 'Ada Lovelace' is missing",
            "Variable '' is missing",
            "Variable 'customer.' is missing",
            "Variable 'customer.phone_4915112345678' is missing",
            "Variable 'orders[4915112345678]' is missing",
            "Variable 'customer['ada@example.test']' is missing",
            "Variable 'a.ümlaut' is missing",
            "Variable '12' is missing",
            "undefined variable +4915112345678",
            "the parcel is missing",
            "your name is undefined",
            "Liquid syntax error (line 4): Unknown tag 'foo'",
            "550 5.1.1 user unknown",
            "",
        ] {
            assert_eq!(missing_variable(text), None, "{text}");
        }
        let long = format!("Variable '{}' is missing", "a".repeat(81));
        assert_eq!(missing_variable(&long), None);
    }

    proptest! {
        #[test]
        fn a_name_is_a_short_path_of_identifiers(before in "(?i)(variable ['\"`]|undefined variable:? ?|liquid error: )?", text in any::<String>()) {
            if let Some(name) = missing_variable(&format!("{before}{text}' is missing")) {
                prop_assert!(name.len() <= 80 && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]'\"".contains(c)), "{}", name);
            }
        }
    }
}
