//! Patterns compared with each other: do two have a text in common, and which text stands for a pattern.

use wildmatch::WildMatch;

/// Stands for "any text" where a pattern has `*`; no pattern of a person matches it by accident.
const ANY: &str = "\u{1}anything-at-all-that-nobody-would-write\u{1}";

/// A text that a pattern matches and that no other pattern matches unless its own wildcards take in what the
/// wildcards of this one stand for.
pub fn witness(pattern: &str) -> String {
    pattern.replace('*', ANY).replace('?', "\u{1}")
}

/// A witness as people may read it: the pattern again.
pub fn show(witness: &str) -> String {
    witness.replace(ANY, "*").replace('\u{1}', "?")
}

/// Whether there is a text that both match.
pub fn intersect(a: &WildMatch, b: &WildMatch) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.pattern().chars().collect(), b.pattern().chars().collect());
    // reach[j]: a common text may begin with what a[..i] and b[..j] match.
    let mut reach = vec![false; b.len() + 1];
    for i in 0..=a.len() {
        let above = reach.clone();
        let mut left_above = false;
        for j in 0..=b.len() {
            let (x, y) = (i.checked_sub(1).and_then(|i| a.get(i)), j.checked_sub(1).and_then(|j| b.get(j)));
            let up = i > 0 && above.get(j).copied().unwrap_or(false);
            let left = j > 0 && reach.get(j - 1).copied().unwrap_or(false);
            let one_each = match (x, y) {
                (Some(x), Some(y)) => (x == y || *x == '?' || *y == '?') && *x != '*' && *y != '*',
                _ => false,
            };
            // A star takes in nothing, or whatever stands on the other side.
            let star = (x == Some(&'*') || y == Some(&'*')) && (up || left);
            let both_empty = i == 0 && j == 0;
            let now = both_empty || (one_each && left_above) || star;
            left_above = above.get(j).copied().unwrap_or(false);
            if let Some(cell) = reach.get_mut(j) {
                *cell = now;
            }
        }
    }
    reach.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn common(a: &str, b: &str) -> bool {
        intersect(&WildMatch::new(a), &WildMatch::new(b))
    }

    #[test]
    fn two_patterns_that_share_a_text_are_found() {
        for (a, b) in [
            ("campaign:*", "campaign:5"),
            ("*", "*"),
            ("*5", "campaign:?"),
            ("campaign:1*", "*:*2"),
            ("*:5", "transactional:*"),
            ("campaign:5", "campaign:5"),
            ("a*b*c", "*c"),
        ] {
            assert!(common(a, b) && common(b, a), "{a} {b}");
        }
        for (a, b) in
            [("campaign:*", "transactional:*"), ("campaign:5", "campaign:6"), ("a*b", "a*c"), ("??", "?"), ("", "a")]
        {
            assert!(!common(a, b) && !common(b, a), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn patterns_that_match_one_text_intersect(
            text in "[ab]{0,5}", a in "[ab*?]{0,5}", b in "[ab*?]{0,5}",
        ) {
            let (a, b) = (WildMatch::new(&a), WildMatch::new(&b));
            prop_assert!(!(a.matches(&text) && b.matches(&text)) || intersect(&a, &b));
            prop_assert_eq!(intersect(&a, &b), intersect(&b, &a));
        }

        #[test]
        fn a_witness_is_matched_by_its_pattern(pattern in "[a-c:*?]{1,8}") {
            prop_assert!(WildMatch::new(&pattern).matches(&witness(&pattern)));
        }
    }
}
