//! Where a command finds the bridge's state: a configuration, and the store and queues that go with it, in a folder of
//! `bridge serve` or in a stack on AWS. The commands know the traits only.

#[cfg(feature = "aws")]
mod layer;
pub mod link_key;
#[cfg(feature = "aws")]
mod stack;
#[cfg(feature = "aws")]
pub use stack::sdk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[cfg(feature = "aws")]
use crate::cli::check::live;
#[cfg(feature = "aws")]
use crate::config::aws_secrets::AwsSecrets;
#[cfg(feature = "aws")]
use crate::config::secrets::SecretRef;
use crate::config::secrets::{EnvSecrets, Secrets};
use crate::config::{Config, parse};
use crate::queue::Outbox;
use crate::queue::dead_letters::DeadLetters;
use crate::store::embedded::{Durability, EmbeddedStore, FILE};
use crate::store::{Store, StoreError};

/// Exit code: bad arguments or configuration.
pub const BAD_ARGUMENTS: u8 = 2;

/// The configuration that is read unless another is named.
const CONFIG: &str = "bridge.toml";

#[derive(Debug, clap::Args)]
pub struct Place {
    /// The bridge's configuration [default: bridge.toml; with --stack what is deployed]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The data folder of `bridge serve`, which may be running on it
    #[arg(long, value_name = "FOLDER", default_value = "./bridge-data")]
    pub data: PathBuf,

    /// The bridge on AWS, by its CloudFormation stack, in place of a folder; region and credentials are those of the AWS
    /// command
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    pub stack: Option<String>,
}

/// A bridge's state, open.
pub struct Opened {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    /// `None` where queues give nothing up: `bridge serve` sets aside what it cannot process, and tries the rest for ever.
    pub dead_letters: Option<Arc<dyn DeadLetters>>,
    /// Where the stack's page is, if it has one.
    pub page_url: Option<String>,
}

/// A configuration and the file it was read from.
struct Loaded {
    config: Config,
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only a stack's configuration is compared with it"))]
    file: String,
}

impl Place {
    /// Opens it.
    ///
    /// # Errors
    /// What to show the person: a broken configuration, or no data where it is looked for.
    pub async fn open(&self) -> anyhow::Result<Opened> {
        match &self.stack {
            Some(name) => self.open_stack(name).await,
            None => self.open_folder().await,
        }
    }

    /// Whether there is any state to open.
    pub fn is_there(&self) -> bool {
        self.stack.is_some() || self.data.join(FILE).is_file()
    }

    /// The configuration alone, for what needs no state.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn configuration(&self) -> anyhow::Result<Arc<Config>> {
        match &self.stack {
            Some(name) => Ok(self.open_stack(name).await?.config),
            None => Ok(Arc::new(load(self.config.as_deref().unwrap_or(Path::new(CONFIG)))?.config)),
        }
    }

    async fn open_folder(&self) -> anyhow::Result<Opened> {
        let Loaded { config, .. } = load(self.config.as_deref().unwrap_or(Path::new(CONFIG)))?;
        if !self.data.join(FILE).is_file() {
            anyhow::bail!(
                "there is no {FILE} in {}: has `bridge serve` run there? Name its folder with --data, or a stack on AWS \
                 with --stack",
                self.data.display()
            );
        }
        let (folder, workspace) = (self.data.clone(), config.workspace.name.clone());
        let opening = tokio::task::spawn_blocking(move || EmbeddedStore::open(&folder, &workspace, Durability::Full));
        let store = opening.await??;
        let outbox = Arc::new(store.queue());
        Ok(Opened { config: Arc::new(config), store: Arc::new(store), outbox, dead_letters: None, page_url: None })
    }

    #[cfg(feature = "aws")]
    async fn open_stack(&self, name: &str) -> anyhow::Result<Opened> {
        stack::open(name, self.config.as_deref().map(load).transpose()?).await
    }

    #[cfg(not(feature = "aws"))]
    async fn open_stack(&self, _: &str) -> anyhow::Result<Opened> {
        anyhow::bail!(
            "this `bridge` was built without AWS (--no-default-features), so it cannot open a stack: build it with \
             `cargo build --release --bin bridge`"
        )
    }
}

/// Where a command reads secrets: AWS is asked only where the configuration refers to it.
pub async fn secrets(config: &Config) -> Arc<dyn Secrets> {
    #[cfg(feature = "aws")]
    if live::needed(config).iter().any(|needed| !matches!(needed.at, SecretRef::Env(_))) {
        return Arc::new(AwsSecrets::new(&stack::sdk().await));
    }
    #[cfg(not(feature = "aws"))]
    let _ = config;
    Arc::new(EnvSecrets)
}

fn load(path: &Path) -> anyhow::Result<Loaded> {
    let (config, _) = parse::load(path)?;
    Ok(Loaded { config, file: path.display().to_string() })
}

/// Says what is wrong: with what was asked for (exit code 2), or with the store (1).
pub fn refused(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    if error.is::<StoreError>() { ExitCode::FAILURE } else { ExitCode::from(BAD_ARGUMENTS) }
}

/// Who runs the command, as far as the system says.
pub fn whoami() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}
