//! What people in Customer.io call their senders, as far as we were told.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::schema::Privacy;
use crate::customerio::event::{Source, SourceKind};
use crate::customerio::mask::{EMAIL, LINK, NUMBER, mask};
use crate::message::text::cut;

/// Longest name that is kept, in characters.
pub const NAME_CHARS: usize = 100;

/// Most of one list that is kept, in bytes of ids and names: a store's item has a limit (DynamoDB: 400 KB).
pub const LIST_BYTES: usize = 200_000;

/// The names of the sources of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameList {
    pub fetched_at: Timestamp,
    /// By the source's id, each as [`tidy`] leaves it.
    pub names: BTreeMap<String, String>,
}

/// All names that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<SourceKind, NameList>);

impl Names {
    pub fn of(lists: impl IntoIterator<Item = (SourceKind, NameList)>) -> Self {
        Self(lists.into_iter().collect())
    }

    /// The name of a source; `None` when nobody told.
    pub fn get(&self, source: &Source) -> Option<&str> {
        self.0.get(&source.kind)?.names.get(&source.id).map(String::as_str)
    }

    /// What is known of the sources of one kind.
    pub fn list(&self, of: SourceKind) -> Option<&NameList> {
        self.0.get(&of)
    }

    /// The names as they may be shown now, whatever was allowed when they were read.
    pub fn tidied(mut self, privacy: Privacy) -> Self {
        for list in self.0.values_mut() {
            list.names = std::mem::take(&mut list.names)
                .into_iter()
                .filter_map(|(id, n)| Some((id, tidy(&n, privacy)?)))
                .collect();
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(|list| list.names.is_empty())
    }
}

impl NameList {
    /// What is known once these names were read: a new name replaces the old one, and what is no longer listed keeps
    /// its name, since its failures may come for days. Over [`LIST_BYTES`] the oldest ids go first.
    pub fn renewed(before: Option<&Self>, read: BTreeMap<String, String>, privacy: Privacy, now: Timestamp) -> Self {
        // The kept ones too: what may be shown may have changed since.
        let before = before.map_or_else(BTreeMap::new, |list| list.names.clone());
        let tidied = |(id, name): (String, String)| Some((id, tidy(&name, privacy)?));
        let mut names: BTreeMap<String, String> = before.into_iter().chain(read).filter_map(tidied).collect();
        let mut bytes: usize = names.iter().map(|(id, name)| id.len() + name.len()).sum();
        if bytes > LIST_BYTES {
            let mut ids: Vec<String> = names.keys().cloned().collect();
            // Ids are numbers that only rise, written without leading zeros.
            ids.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            for id in ids {
                if bytes <= LIST_BYTES {
                    break;
                }
                bytes -= names.remove(&id).map_or(0, |name| id.len() + name.len());
            }
        }
        Self { fetched_at: now, names }
    }
}

/// A name fit to be shown: one line without control characters, at most [`NAME_CHARS`] long. A name that holds an
/// address, a phone number or a link is masked as any text of the sender's (design, law 8); any other is left as it
/// is, since what looks like an id in it (`welcome-day3-email2`) is how people know it. `None` when nothing is left.
pub fn tidy(name: &str, privacy: Privacy) -> Option<String> {
    let spaced: String = name.chars().map(|c| if c.is_control() || is_break(c) { ' ' } else { c }).collect();
    let shown: String = spaced.chars().filter(|c| !turns_text(*c)).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let masked = if privacy.show_personal_data { line.clone() } else { mask(&line, &[]) };
    let personal = [EMAIL, NUMBER, LINK].iter().any(|placeholder| masked.contains(placeholder));
    let name = if personal { masked } else { line };
    (!name.is_empty()).then(|| cut(&name, NAME_CHARS).into_owned())
}

/// Line and paragraph separator.
const fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters that show nothing and turn the text around them: a name must not rewrite the sentence it stands in.
/// Source: Unicode Standard Annex 9, "Directional Formatting Characters".
const fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HIDE: Privacy = Privacy { show_personal_data: false };

    fn t(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn names(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn a_name_is_one_short_line_and_holds_nobodys_address() {
        let long = "x".repeat(101);
        let cut = format!("{}…", "x".repeat(99));
        for (name, want) in [
            ("Welcome series", Some("Welcome series")),
            ("  Welcome\r\n\tseries\u{0} ", Some("Welcome series")),
            ("welcome-day3-email2_v2-2026q4", Some("welcome-day3-email2_v2-2026q4")),
            ("Black Friday 2026-11-27", Some("Black Friday 2026-11-27")),
            ("Test for ada@example.test only", Some("Test for [email] only")),
            ("Call +49 151 23456789", Some("Call [number]")),
            ("abc\u{202e}def", Some("abcdef")),
            ("Ünïcode 🦀", Some("Ünïcode 🦀")),
            (long.as_str(), Some(cut.as_str())),
            ("\u{2028} \n", None),
            ("", None),
        ] {
            assert_eq!(tidy(name, HIDE).as_deref(), want, "{name:?}");
        }
        let shown = tidy("Test for ada@example.test", Privacy { show_personal_data: true });
        assert_eq!(shown.as_deref(), Some("Test for ada@example.test"));
    }

    #[test]
    fn a_new_name_replaces_the_old_one_and_what_is_gone_keeps_its_name() {
        let first =
            NameList::renewed(None, names(&[("5", "Activation"), ("7", "Old")]), HIDE, t("2026-11-23T08:00:00Z"));
        let now = t("2026-11-24T08:00:00Z");
        let second = NameList::renewed(Some(&first), names(&[("7", "New"), ("8", "\n")]), HIDE, now);
        assert_eq!(second, NameList { fetched_at: now, names: names(&[("5", "Activation"), ("7", "New")]) });
        let known = Names::of([(SourceKind::Campaign, second)]);
        assert_eq!(known.get(&Source::new(SourceKind::Campaign, "7")), Some("New"));
        assert_eq!(known.get(&Source::new(SourceKind::Newsletter, "7")), None);
        assert_eq!(known.get(&Source::none()), None);
    }

    #[test]
    fn a_list_that_is_too_long_loses_its_oldest_ids() {
        let many: BTreeMap<String, String> = (1..=3_000).map(|id| (id.to_string(), "n".repeat(100))).collect();
        let list = NameList::renewed(None, many, HIDE, t("2026-11-24T08:00:00Z"));
        let bytes: usize = list.names.iter().map(|(id, name)| id.len() + name.len()).sum();
        assert!(bytes <= LIST_BYTES && bytes > LIST_BYTES - 200, "{bytes}");
        assert!(list.names.contains_key("3000") && !list.names.contains_key("1") && !list.names.contains_key("999"));
    }

    proptest! {
        #[test]
        fn any_name_is_a_short_line_without_an_address(name in any::<String>(), around in "[a-z ]{0,120}") {
            for name in [name.clone(), format!("{around} ada.lovelace@example.test {name}")] {
                if let Some(tidy) = tidy(&name, HIDE) {
                    prop_assert!(tidy.chars().count() <= NAME_CHARS);
                    prop_assert!(!tidy.chars().any(|c| c.is_control() || is_break(c) || turns_text(c)));
                    prop_assert!(!tidy.contains("lovelace"));
                }
            }
        }
    }
}
