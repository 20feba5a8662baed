//! Where a command finds the bridge's state: a configuration, and the store and queue that go with it. The commands know
//! the traits only, so that another place needs a change here and nowhere else.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::config::{Config, parse};
use crate::queue::Outbox;
use crate::store::embedded::{Durability, EmbeddedStore, FILE};
use crate::store::{Store, StoreError};

/// Exit code: bad arguments or configuration.
pub const BAD_ARGUMENTS: u8 = 2;

#[derive(Debug, clap::Args)]
pub struct Place {
    /// The bridge's configuration
    #[arg(long, value_name = "FILE", default_value = "bridge.toml")]
    pub config: PathBuf,

    /// The data folder of `bridge serve`, which may be running on it
    #[arg(long, value_name = "FOLDER", default_value = "./bridge-data")]
    pub data: PathBuf,
}

/// A bridge's state, open.
pub struct Opened {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
}

impl Place {
    /// Opens it.
    ///
    /// # Errors
    /// What to show the person: a broken configuration, or no data where it is looked for.
    pub async fn open(&self) -> anyhow::Result<Opened> {
        let (config, _) = parse::load(&self.config)?;
        if !self.data.join(FILE).is_file() {
            anyhow::bail!(
                "there is no {FILE} in {}: has `bridge serve` run there? Name its folder with --data",
                self.data.display()
            );
        }
        let (folder, workspace) = (self.data.clone(), config.workspace.name.clone());
        let opening = tokio::task::spawn_blocking(move || EmbeddedStore::open(&folder, &workspace, Durability::Full));
        let store = opening.await??;
        let outbox = Arc::new(store.queue());
        Ok(Opened { config: Arc::new(config), store: Arc::new(store), outbox })
    }
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
