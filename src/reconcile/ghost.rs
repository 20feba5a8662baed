//! Ghosts: names that are seen and nobody declared, and names that are declared and nobody ever saw.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::diagnose::near::{Differs, differs};

/// Ghosts that are named at most: a workspace may have hundreds of events that start nothing.
pub const NAMED: usize = 20;

/// An event name that is on one side only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Ghost {
    /// Declared, and never fired nor received.
    NeverSeen { declared: String },
    /// Seen, and close to what was declared.
    Undeclared { seen: String, meant: Option<String> },
}

/// The ghosts among what is declared and what was seen, those with a near name first. Names that begin with one of
/// `ignored` are nobody's concern.
pub fn ghosts(declared: &BTreeSet<String>, seen: &BTreeSet<String>, ignored: &[String]) -> Vec<Ghost> {
    let of_tests = |name: &str| ignored.iter().any(|prefix| name.starts_with(prefix.as_str()));
    let undeclared = seen.iter().filter(|name| !declared.contains(*name) && !of_tests(name));
    let mut found: Vec<Ghost> = undeclared
        .map(|seen| Ghost::Undeclared { seen: seen.clone(), meant: meant(seen, declared).map(str::to_owned) })
        .collect();
    found.extend(declared.difference(seen).map(|declared| Ghost::NeverSeen { declared: declared.clone() }));
    found.sort_by_key(|ghost| matches!(ghost, Ghost::Undeclared { meant: None, .. }));
    found.truncate(NAMED);
    found
}

/// The declared name that is nearest to one that was seen.
pub fn meant<'d>(seen: &str, declared: &'d BTreeSet<String>) -> Option<&'d str> {
    let near = declared.iter().filter_map(|name| Some((differs(seen, name)?, name.as_str())));
    near.min_by_key(|(how, _): &(Differs, &str)| *how).map(|(_, name)| name)
}

/// The undeclared names that are nearest to this declared one.
pub fn alike(event: &str, found: &[Ghost]) -> Vec<String> {
    let of = |ghost: &Ghost| match ghost {
        Ghost::Undeclared { seen, meant: Some(meant) } if meant == event => Some(seen.clone()),
        _ => None,
    };
    found.iter().filter_map(of).collect()
}

impl Ghost {
    /// One line for a person.
    pub fn words(&self) -> String {
        match self {
            Self::NeverSeen { declared } => format!("`{declared}` is declared and was never seen"),
            Self::Undeclared { seen, meant: Some(meant) } => {
                let how = differs(seen, meant).map_or("", Differs::how);
                format!("`{seen}` is not declared; `{meant}` is, and differs {how}")
            }
            Self::Undeclared { seen, meant: None } => format!("`{seen}` is not declared"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn ghosts_are_named_with_what_was_meant() {
        let declared = set(&["Account Created", "Subscription Started", "Trial Ended"]);
        let seen = set(&["Account Crated", "Trial Ended", "subscription_started", "Page Viewed", "__test_Account"]);
        let found = ghosts(&declared, &seen, &["__test_".to_owned()]);
        let lines: Vec<String> = found.iter().map(Ghost::words).collect();
        assert_eq!(
            lines,
            [
                "`Account Crated` is not declared; `Account Created` is, and differs in its spelling",
                "`subscription_started` is not declared; `Subscription Started` is, and differs in how its words are joined",
                "`Account Created` is declared and was never seen",
                "`Subscription Started` is declared and was never seen",
                "`Page Viewed` is not declared",
            ]
        );
        assert_eq!(alike("Account Created", &found), ["Account Crated"]);
    }
}
