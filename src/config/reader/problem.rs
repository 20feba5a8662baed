//! What can be wrong with a configuration file, and where.

use std::cell::RefCell;
use std::fmt;

use super::hidden::may_be_secret;

/// Whether the bridge can run with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The configuration is not used.
    Error,
    /// It is used; this part of it does not do what its author may think.
    Warning,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem of a configuration file. Holds no value of a key that is meant for a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub level: Level,
    pub what: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// The name that was probably meant, without quotes.
    pub suggestion: Option<String>,
    /// Of a warning: what to do about it.
    pub fix: Option<String>,
}

impl Problem {
    pub fn error(what: impl Into<String>) -> Self {
        Self { line: 1, column: 1, level: Level::Error, what: what.into(), allowed: None, suggestion: None, fix: None }
    }

    pub fn warning(what: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(what) }
    }

    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub fn did_you_mean(mut self, suggestion: Option<impl Into<String>>) -> Self {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    /// What to do about it.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The problem as one line of text that editors and terminals can jump to.
    pub fn in_file(&self, file: &str) -> String {
        format!("{file}:{}:{}: {self}", self.line, self.column)
    }
}

/// Level, what, what is allowed, what to do and a suggestion; without the place.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.level.as_str(), self.what)?;
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {allowed}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "; fix: {fix}")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {}?", quoted(suggestion))?;
        }
        Ok(())
    }
}

/// Collects the problems of one text.
pub struct Report<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Report<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::new(Vec::new()) }
    }

    /// Adds a problem that lies at a byte offset of the text.
    pub fn push(&self, at: usize, problem: Problem) {
        let (line, column) = self.position(at);
        self.problems.borrow_mut().push(Problem { line, column, ..problem });
    }

    pub fn position(&self, at: usize) -> (usize, usize) {
        position(self.text, at)
    }

    /// The text itself, for what a byte range of it holds.
    pub const fn text(&self) -> &'t str {
        self.text
    }

    pub fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|p| p.level == Level::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// All problems in the order of the text.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| (p.line, p.column));
        problems
    }
}

/// Line and column, in characters and from 1, of a byte offset; past the end is the end.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let at = text.floor_char_boundary(at.min(text.len()));
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().filter(|c| *c != '\u{feff}').count() + 1;
    (line, column)
}

/// Longest piece of the file that is repeated in a problem, in characters.
const QUOTE_CHARS: usize = 60;

/// A text in quotes, on one line and not endless. What may be a secret is described instead.
pub fn quoted(text: &str) -> String {
    if may_be_secret(text) {
        return format!("({} characters, not shown: it may be a secret)", text.chars().count());
    }
    let mut shown: String = text.chars().take(QUOTE_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().count() > QUOTE_CHARS {
        shown.push_str("...");
    }
    format!("\"{}\"", shown.replace("\\'", "'"))
}

/// The candidate that a name was probably meant to be; `None` when nothing is near.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let name = name.to_lowercase();
    let length = name.chars().count();
    // A third of the letters may be wrong; of a short word hardly any, else everything is near everything.
    let limit = match length {
        0..=3 => 1,
        4..=6 => 2,
        _ => (length / 3).min(5),
    };
    if length > QUOTE_CHARS {
        return None;
    }
    let distance = |candidate: &str| {
        let other = candidate.to_lowercase();
        let begins = length >= 3 && (other.starts_with(&name) || name.starts_with(&other));
        let distance = strsim::damerau_levenshtein(&name, &other);
        (begins || distance <= limit).then_some(distance)
    };
    candidates.into_iter().filter_map(|c| Some((distance(c)?, c))).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "a = 1\nname = \"Grüße\" # x\n";
        let at = text.find('#').expect("a comment");
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, at), (2, 16));
        assert_eq!(position(text, 9_999), (3, 1));
        assert_eq!(position("\u{feff}ab", 4), (1, 2), "a byte order mark is no column");
    }

    #[test]
    fn the_nearest_name_is_one_a_person_would_see_as_a_slip() {
        let names = ["severity", "sources", "events", "us", "eu"];
        for (typed, meant) in
            [("sevrity", Some("severity")), ("Source", Some("sources")), ("ux", Some("us")), ("zzz", None), ("", None)]
        {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
    }

    #[test]
    fn a_problem_reads_as_one_line() {
        let problem = Problem::error("unknown key \"sevrity\" in [[rules]]")
            .allowed("name, severity")
            .did_you_mean(Some("severity"));
        insta::assert_snapshot!(
            Problem { line: 12, column: 3, ..problem }.in_file("bridge.toml"),
            @r#"bridge.toml:12:3: error: unknown key "sevrity" in [[rules]]; allowed: name, severity; did you mean "severity"?"#
        );
    }
}
