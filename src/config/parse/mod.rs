//! Reads `bridge.toml` into a [`Config`], or says everything that is wrong with it, with line and column.
//!
//! One file a group of sections; what is checked across sections is checked where the later of the two is read.

#[cfg(test)]
mod broken;
mod canary;
mod heartbeats;
pub mod hours;
pub mod kinds;
mod receivers;
mod routes;
mod rules;
mod sources;
mod syntax;
#[cfg(test)]
mod tests;
mod workspace;

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

pub use self::kinds::KINDS;
pub use self::rules::defaults as default_rules;
use super::advice;
pub use super::reader::{Level, Problem, position};
use super::reader::{Report, Table};
use super::schema::Config;

/// What a text says.
#[derive(Debug)]
pub struct Parsed {
    /// There when no problem is an error.
    pub config: Option<Config>,
    /// In the order of the text.
    pub problems: Vec<Problem>,
}

/// Why a file is no configuration. Its text names the file in every line and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{file}: error: {}", self.what())]
    Missing { file: String },
    #[error("{file}: error: {}", self.what())]
    Unreadable { file: String, why: io::Error },
    #[error("{file}:{line}:{column}: error: {}", self.what())]
    NotUtf8 { file: String, line: usize, column: usize },
    #[error("{}", lines(file, problems))]
    Invalid { file: String, problems: Vec<Problem> },
}

impl LoadError {
    /// What is wrong, without the place.
    pub fn what(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "there is no such file; name yours with --config, or start from the example bridge.toml".into()
            }
            Self::Unreadable { why, .. } => format!("cannot be read: {why}"),
            Self::NotUtf8 { .. } => "not UTF-8 from here on; save the file as UTF-8".into(),
            Self::Invalid { problems, .. } => format!("{} problems", problems.len()),
        }
    }
}

fn lines(file: &str, problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(|p| p.in_file(file)).collect();
    lines.join("\n")
}

/// Reads a configuration's text.
pub fn parse(text: &str) -> Parsed {
    parsed(text, |_, _, _| {})
}

/// Reads a configuration's text and, when it is valid, adds the warnings of [`advice`]: slower, for people.
pub fn check(text: &str) -> Parsed {
    parsed(text, advice::advise)
}

fn parsed(text: &str, advise: impl Fn(&Config, &DeTable<'_>, &Report<'_>)) -> Parsed {
    let report = Report::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    syntax::report(&errors, &report);
    // What is left of a text that is no TOML would only make more noise.
    let config = if report.is_empty() { read(root.get_ref(), text, &report) } else { None };
    let config = config.filter(|_| !report.has_errors());
    if let Some(config) = &config {
        advise(config, root.get_ref(), &report);
    }
    Parsed { config, problems: report.into_problems() }
}

/// Reads a file's text.
///
/// # Errors
/// The file is missing, cannot be read, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, LoadError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => LoadError::Missing { file: file.clone() },
        _ => LoadError::Unreadable { file: file.clone(), why },
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let (line, column) = position(&String::from_utf8_lossy(error.as_bytes()), valid);
        LoadError::NotUtf8 { file, line, column }
    })
}

/// Reads a file into a configuration and its warnings.
///
/// # Errors
/// As [`read_text`], or the configuration has errors.
pub fn load(path: &Path) -> Result<(Config, Vec<Problem>), LoadError> {
    let Parsed { config, problems } = parse(&read_text(path)?);
    match config {
        Some(config) => Ok((config, problems)),
        None => Err(LoadError::Invalid { file: path.display().to_string(), problems }),
    }
}

fn read(root: &DeTable<'_>, text: &str, report: &Report<'_>) -> Option<Config> {
    let mut file = Table::root(root, report);
    let workspace = workspace::workspace(&mut file);
    let customerio = workspace::customerio(&mut file);
    let sources = sources::named(&mut file);
    let (receivers, names) = receivers::receivers(&mut file);
    let rules = rules::rules(&mut file);
    let heartbeats = heartbeats::heartbeats(&mut file);
    let routes = routes::routes(&mut file, &names);
    let storm = workspace::storm(&mut file);
    let ignore = sources::ignore(&mut file);
    let digest = receivers::digest(&mut file, &names);
    let page = workspace::page(&mut file);
    let privacy = workspace::privacy(&mut file);
    let counts = workspace::counts(&mut file);
    let reconciliation = workspace::reconciliation(&mut file);
    let deadman = workspace::deadman(&mut file);
    let canary = canary::canary(&mut file, &heartbeats);
    file.finish();
    Some(Config {
        workspace: workspace?,
        customerio: customerio?,
        sources,
        receivers,
        routes,
        rules,
        heartbeats,
        storm,
        ignore,
        digest,
        page,
        counts,
        reconciliation,
        deadman,
        canary,
        privacy,
        hash: hash(text),
    })
}

/// SHA-256 of a configuration's text, first 12 hex digits: what [`Config::hash`] holds.
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).map(|b| format!("{b:02x}")).collect()
}
