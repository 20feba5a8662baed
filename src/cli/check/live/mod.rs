//! `--live`: what the configuration refers to, looked at: secrets, receivers, the App API, the reporting webhook, the
//! clock, store and queues. Nothing is sent and nobody is paged.

mod app_api;
mod clock;
mod receivers;
mod secrets;
mod state;

use crate::config::Config;
use crate::config::parse::position;
use crate::config::secrets::Secrets;

use super::{CheckArgs, Finding};

#[cfg(feature = "aws")]
pub use self::secrets::needed;

/// Something that is not as the configuration needs it.
pub struct Wrong {
    /// What to look for in the file: the finding stands there.
    at: Option<String>,
    message: String,
}

impl Wrong {
    fn new(message: String) -> Self {
        Self { at: None, message }
    }

    /// The finding, at the first place where the file names what it is about.
    pub(super) fn located(self, file: &str, content: &str) -> Finding {
        let place = self.at.and_then(|at| content.find(&format!("\"{at}\""))).map(|at| position(content, at));
        Finding {
            file: file.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            level: "error",
            message: self.message,
            allowed: None,
            fix: None,
            suggestion: None,
        }
    }
}

/// What was looked at.
#[derive(Default)]
pub struct Looked {
    pub problems: Vec<Wrong>,
    pub summary: String,
}

impl Looked {
    /// Another chapter.
    fn begin(&mut self, title: &str) {
        self.summary.push_str(&format!("\n{title}\n"));
    }

    fn line(&mut self, line: &str) {
        self.summary.push_str(&format!("  {line}\n"));
    }

    /// A line, and a finding that says the same.
    fn wrong(&mut self, line: &str) {
        self.line(&format!("{line}: PROBLEM"));
        self.problems.push(Wrong::new(line.to_owned()));
    }
}

/// Resolves every secret.
pub async fn look(config: &Config, secrets: &dyn Secrets) -> Looked {
    secrets::look(config, secrets).await
}

/// Asks everybody else.
pub async fn look_outside(args: &CheckArgs, config: &Config, looked: &mut Looked) {
    let secrets = crate::cli::place::secrets(config).await;
    receivers::look(config, secrets.as_ref(), looked).await;
    app_api::look(args, config, secrets, looked).await;
    clock::look(config, looked).await;
    state::look(args, config, looked).await;
}
