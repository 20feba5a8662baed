//! `bridge check`: is the configuration right, and what does it do?

mod learned;
pub(super) mod live;
mod runs;
mod summary;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::place::BAD_ARGUMENTS;
use crate::cli::subscribe;
use crate::config::Config;
use crate::config::parse::{self, LoadError, Parsed, Problem};

const EXAMPLES: &str = "\
Examples:
  bridge check                              validate bridge.toml and say what it does
  bridge check --config staging.toml        validate another file
  bridge check --data /var/lib/bridge       also what learned heartbeats know, and would notice, and runs
  bridge check --live                       also ask: secrets, receivers, App API, webhook, clock, store
  bridge check --live --to https://bridge.example.com
                                            the webhook must post there
  bridge check --live --stack cio-alert-bridge
                                            table and queues of a bridge on AWS
  bridge check --json | jq '.[].message'    findings for machines

Every problem is one line, file:line:column: what is wrong and why; what is allowed, or what to do;
what was probably meant. A warning is about what the bridge does and you may not have meant: it runs
all the same.

Exit codes:
  0  fine; there may be warnings
  1  --live found a problem
  2  the configuration is broken, or there is none";

/// Validate the configuration and say what it does
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "bridge.toml")]
    pub config: PathBuf,
    /// The data folder of `bridge serve`: what heartbeats with expect = "learned" know, and would notice
    #[arg(long, value_name = "FOLDER", default_value = "./bridge-data")]
    pub data: PathBuf,
    /// Also ask whether secrets are set, receivers accept, the App API key may read what it must, the reporting webhook
    /// is right, clock, store and queues are fine; sends nothing and pages nobody
    #[arg(long)]
    pub live: bool,
    /// With --live: the bridge's public address, which the reporting webhook must post to. Default: any that posts to
    /// /webhooks/customerio
    #[arg(long, value_name = "URL", requires = "live")]
    pub to: Option<String>,
    /// With --live: the bridge on AWS, by its CloudFormation stack, in place of the data folder
    #[arg(long, value_name = "NAME", requires = "live", conflicts_with = "data")]
    pub stack: Option<String>,
    /// Print the findings as a JSON array instead of text
    #[arg(long)]
    pub json: bool,
}

/// One thing to know, as `--json` prints it. Without line and column it is about the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    level: &'static str,
    message: String,
    allowed: Option<String>,
    fix: Option<String>,
    suggestion: Option<String>,
}

/// What a check found, before it is printed.
struct Checked {
    findings: Vec<Finding>,
    /// What the configuration does and, with `--live`, what was looked at; `None` when it is broken.
    summary: Option<String>,
    /// 0, 1 or 2 as in the help.
    exit: u8,
    /// What was read, and the file's text, for what is asked besides.
    read: Option<(Config, String)>,
}

/// Runs the command: findings and summary go to standard output.
pub async fn run(args: &CheckArgs) -> ExitCode {
    if let Some(Err(error)) = args.to.as_deref().map(subscribe::endpoint) {
        eprintln!("error: {error:#}");
        return ExitCode::from(BAD_ARGUMENTS);
    }
    let mut checked = check(args, Timestamp::now()).await;
    if let (true, Some((config, content))) = (args.live, checked.read.take()) {
        let mut looked = live::look(&config, crate::cli::place::secrets(&config).await.as_ref()).await;
        live::look_outside(args, &config, &mut looked).await;
        checked.add(looked, &args.config.display().to_string(), &content);
    }
    print!("{}", if args.json { json(&checked.findings) } else { text(&checked) });
    ExitCode::from(checked.exit)
}

/// What the file, and the data folder, say.
async fn check(args: &CheckArgs, now: Timestamp) -> Checked {
    let file = args.config.display().to_string();
    let content = match parse::read_text(&args.config) {
        Ok(content) => content,
        Err(error) => {
            let findings = vec![unreadable(&args.config, &error)];
            return Checked { findings, summary: None, exit: 2, read: None };
        }
    };
    let (mut checked, config) = read(&file, &content, now);
    if let (Some(config), Some(summary)) = (&config, checked.summary.as_mut()) {
        summary.push_str(&learned::summary(config, &args.data, now).await);
        summary.push_str(&runs::summary(config, &args.data, now).await);
    }
    checked.read = config.map(|config| (config, content));
    checked
}

impl Checked {
    fn add(&mut self, looked: live::Looked, file: &str, content: &str) {
        self.exit = u8::from(!looked.problems.is_empty());
        self.findings.extend(looked.problems.into_iter().map(|p| p.located(file, content)));
        self.summary.get_or_insert_default().push_str(&looked.summary);
    }
}

/// What the text alone says.
fn read(file: &str, content: &str, now: Timestamp) -> (Checked, Option<Config>) {
    let Parsed { config, problems } = parse::check(content);
    let findings = problems.into_iter().map(|p| finding(file, p)).collect();
    let summary = config.as_ref().map(|config| summary::of(config, now));
    (Checked { findings, exit: if summary.is_some() { 0 } else { 2 }, summary, read: None }, config)
}

fn finding(file: &str, problem: Problem) -> Finding {
    Finding {
        file: file.to_owned(),
        line: Some(problem.line),
        column: Some(problem.column),
        level: problem.level.as_str(),
        message: problem.what,
        allowed: problem.allowed,
        fix: problem.fix,
        suggestion: problem.suggestion,
    }
}

fn unreadable(path: &Path, error: &LoadError) -> Finding {
    let file = path.display().to_string();
    let (line, column) = match error {
        LoadError::NotUtf8 { line, column, .. } => (Some(*line), Some(*column)),
        _ => (None, None),
    };
    Finding { file, line, column, level: "error", message: error.what(), allowed: None, fix: None, suggestion: None }
}

impl Finding {
    fn line(&self) -> String {
        let mut place = self.file.clone();
        if let (Some(line), Some(column)) = (self.line, self.column) {
            let _ = write!(place, ":{line}:{column}");
        }
        let mut text = format!("{place}: {}: {}", self.level, self.message);
        if let Some(allowed) = &self.allowed {
            let _ = write!(text, "; allowed: {allowed}");
        }
        if let Some(fix) = &self.fix {
            let _ = write!(text, "; fix: {fix}");
        }
        if let Some(suggestion) = &self.suggestion {
            let _ = write!(text, "; did you mean \"{suggestion}\"?");
        }
        text
    }
}

fn text(checked: &Checked) -> String {
    let mut text: String = checked.findings.iter().map(|f| f.line() + "\n").collect();
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(summary) = &checked.summary {
        let _ = writeln!(text, "{summary}");
    }
    let count = |level: &str| checked.findings.iter().filter(|f| f.level == level).count();
    let (errors, warnings) = (count("error"), count("warning"));
    let counts = match (errors, warnings) {
        (0, 0) => "No errors, no warnings".to_owned(),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    let runs =
        if checked.summary.is_some() { "the bridge runs with this" } else { "the bridge will not run with this" };
    let _ = writeln!(text, "{counts}: {runs}");
    text
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn json(findings: &[Finding]) -> String {
    // Strings and numbers only: there is nothing in it that could fail to serialise.
    serde_json::to_string_pretty(findings).map(|json| json + "\n").unwrap_or_else(|error| format!("{error}\n"))
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
