//! The runbook: what to do about each thing that an alert can be about, in one table that alerts, the bridge's own page
//! `/runbook` and `docs/runbook.md` read. A section for each cause comes of the cause table, those for kinds of incidents
//! of [`kinds`].

pub mod kinds;

use crate::config::Config;
use crate::customerio::cause_table::{self, CauseRow};
use crate::message::Link;

/// Where the bridge shows it, open to everybody: it says nothing about anybody.
pub const PATH: &str = "/runbook";

/// What to know and do about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its anchor; never changes, since links in old alerts lead to it.
    pub key: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What people see of it.
    pub symptoms: &'static str,
    pub meaning: &'static str,
    /// What to look at first, in the imperative. Alerts say the same.
    pub confirm: &'static [&'static str],
    /// What puts it right, and how that shows.
    pub fix: &'static str,
    /// What keeps it from coming back.
    pub prevent: &'static str,
}

impl Section {
    fn of(row: &'static CauseRow) -> Self {
        let CauseRow { key, title, meaning, check_first: confirm, fix, prevent, .. } = *row;
        Self { key, title, symptoms: "", meaning, confirm, fix, prevent }
    }
}

/// A group's name and its sections, kinds of incidents first.
pub fn groups() -> impl Iterator<Item = (&'static str, Vec<(Section, Option<&'static CauseRow>)>)> {
    let kinds = kinds::GROUPS.iter().map(|(name, sections)| (*name, sections.iter().map(|s| (**s, None)).collect()));
    let causes = cause_table::GROUPS.iter().map(|(name, rows)| {
        let rows: &'static [CauseRow] = rows;
        (*name, rows.iter().map(|row| (Section::of(row), Some(row))).collect())
    });
    kinds.chain(causes)
}

/// What people see of a failure of this cause: its example, as the sender words it.
pub fn example(row: &CauseRow) -> String {
    match row.example {
        "" => format!("Any {}.", row.example_kind),
        text => format!("For example {}: \"{text}\".", row.example_kind),
    }
}

/// Where alerts find a section: at `runbook_url`, else at the bridge's own page; `None` when neither is known.
pub fn link(config: &Config, key: &str) -> Option<Link> {
    let page = config.page.as_ref()?;
    let own = || page.base_url.as_ref().map(|base| format!("{}{PATH}", base.trim_end_matches('/')));
    let url = page.runbook_url.clone().or_else(own)?;
    Some(Link { text: TEXT.to_owned(), href: format!("{url}#{key}") })
}

/// What the link says.
pub const TEXT: &str = "Runbook";

#[cfg(test)]
mod tests;
