//! Where in the file a value stands that the valid configuration no longer knows the place of.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::reader::{Problem, Report};

/// One step from a table or list to what is in it.
#[derive(Clone, Copy)]
pub enum Step<'s> {
    Key(&'s str),
    Nth(usize),
}

/// The file, for looking up places.
pub struct Places<'t> {
    root: &'t DeTable<'t>,
    report: &'t Report<'t>,
}

impl<'t> Places<'t> {
    pub fn new(root: &'t DeTable<'t>, report: &'t Report<'t>) -> Self {
        Self { root, report }
    }

    /// Whether the file has this section.
    pub fn has(&self, section: &str) -> bool {
        self.root.contains_key(section)
    }

    /// Whether the `index`-th table of a section has this key.
    pub fn has_key(&self, section: &str, index: usize, key: &str) -> bool {
        let path = [Step::Key(section), Step::Nth(index), Step::Key(key)];
        self.find(&path).is_some_and(|(_, whole)| whole)
    }

    /// The `index`-th table of a section.
    pub fn nth(&self, section: &str, index: usize) -> usize {
        self.offset(&[Step::Key(section), Step::Nth(index)])
    }

    /// The line of the `index`-th table of a section.
    pub fn line(&self, section: &str, index: usize) -> usize {
        self.report.position(self.nth(section, index)).0
    }

    /// A key of the `index`-th table of a section; the table itself when the key is not there.
    pub fn key(&self, section: &str, index: usize, key: &str) -> usize {
        self.offset(&[Step::Key(section), Step::Nth(index), Step::Key(key)])
    }

    /// The byte offset of what the path leads to, or of the last thing on the way that is there.
    pub fn offset(&self, path: &[Step<'_>]) -> usize {
        self.find(path).map_or(0, |(at, _)| at)
    }

    /// Reports a problem at a byte offset.
    pub fn report(&self, at: usize, problem: Problem) {
        self.report.push(at, problem);
    }

    /// The offset of the last thing there is on a path, and whether that is all of it.
    fn find(&self, path: &[Step<'_>]) -> Option<(usize, bool)> {
        let (first, rest) = path.split_first()?;
        let Step::Key(section) = first else { return None };
        let mut value: &Spanned<DeValue<'t>> = self.root.get(*section)?;
        for step in rest {
            let next = match step {
                Step::Key(key) => value.get_ref().as_table().and_then(|table| table.get(*key)),
                Step::Nth(index) => value.get_ref().as_array().and_then(|list| list.get(*index)),
            };
            match next {
                Some(next) => value = next,
                None => return Some((value.span().start, false)),
            }
        }
        Some((value.span().start, true))
    }
}
