//! Names that are nearly the one that was meant: another case, another way to join words, a slip of the finger.

/// How a name differs from the one that was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// White space at an end.
    Blanks,
    /// Capitals.
    Case,
    /// The same words, joined differently: `userActivated`, `user-activated`, `User Activated`.
    Joined,
    /// A few letters.
    Spelling,
}

impl Differs {
    /// Ends "differs ...".
    pub const fn how(self) -> &'static str {
        match self {
            Self::Blanks => "in white space at its ends",
            Self::Case => "in upper and lower case",
            Self::Joined => "in how its words are joined",
            Self::Spelling => "in its spelling",
        }
    }
}

/// How `name` differs from `meant`; `None` when it is the same, or another name altogether.
pub fn differs(name: &str, meant: &str) -> Option<Differs> {
    if name == meant {
        return None;
    }
    let (trimmed, wanted) = (name.trim(), meant.trim());
    if trimmed == wanted {
        return Some(Differs::Blanks);
    }
    if trimmed.to_lowercase() == wanted.to_lowercase() {
        return Some(Differs::Case);
    }
    let (letters, wanted) = (letters(trimmed), letters(wanted));
    if letters.is_empty() || wanted.is_empty() {
        return None;
    }
    if letters == wanted {
        return Some(Differs::Joined);
    }
    let length = letters.chars().count().max(wanted.chars().count());
    // One slip in five letters, and never in very short names.
    (strsim::damerau_levenshtein(&letters, &wanted) <= length / 5).then_some(Differs::Spelling)
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_near_a_name_is_told_from_what_is_another() {
        for (name, want) in [
            ("user_activated", None),
            ("user_activated ", Some(Differs::Blanks)),
            ("User_Activated", Some(Differs::Case)),
            ("User Activated", Some(Differs::Joined)),
            ("userActivated", Some(Differs::Joined)),
            ("user_activted", Some(Differs::Spelling)),
            ("usre_activated", Some(Differs::Spelling)),
            ("user_deleted", None),
            ("", None),
            ("___", None),
        ] {
            assert_eq!(differs(name, "user_activated"), want, "{name:?}");
        }
        assert_eq!(differs("Account Crated", "Account Created"), Some(Differs::Spelling));
        assert_eq!(differs("paid", "said"), None);
    }

    proptest! {
        #[test]
        fn nearness_has_no_side(one in ".{0,20}", other in ".{0,20}") {
            prop_assert_eq!(differs(&one, &other), differs(&other, &one));
            prop_assert_eq!(differs(&one, &one), None);
        }
    }
}
