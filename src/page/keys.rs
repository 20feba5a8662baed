//! The link keys that the configuration refers to.

use super::link::{LinkKeys, TooShort};
use crate::config::Config;
use crate::config::secrets::{SecretError, Secrets};

/// Why there are no links, for the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unusable {
    #[error(transparent)]
    Unreadable(#[from] SecretError),
    #[error(transparent)]
    TooShort(#[from] TooShort),
}

/// `None` when the configuration refers to none. The first must be there, later ones may be missing, as signing keys may.
///
/// # Errors
/// One cannot be read, or could be guessed.
pub async fn configured(config: &Config, secrets: &dyn Secrets) -> Result<Option<LinkKeys>, Unusable> {
    let refs = config.page.as_ref().map_or(&[][..], |page| &page.link_keys);
    let mut read = Vec::new();
    for (place, at) in refs.iter().enumerate() {
        match secrets.get(at).await {
            Ok(secret) => read.push(secret),
            Err(SecretError::NotSet(_)) if place > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
    if read.is_empty() { Ok(None) } else { Ok(Some(LinkKeys::new(&config.workspace.name, &read)?)) }
}
