//! The key that signs links where the configuration names none: `bridge serve` makes one in its data folder.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::config::Config;
use crate::config::secrets::{Secret, Secrets};
use crate::page::keys;
use crate::page::link::LinkKeys;

/// The key's file. Deleting it and starting again revokes every link.
const FILE: &str = "link.key";

/// The keys of the configuration, or the folder's own, which is made when there is none yet.
///
/// # Errors
/// What to show the person, or the log; no key in it.
pub async fn of(config: &Config, secrets: &dyn Secrets, folder: Option<&Path>) -> anyhow::Result<LinkKeys> {
    if let Some(keys) = keys::configured(config, secrets).await? {
        return Ok(keys);
    }
    let Some(folder) = folder else {
        anyhow::bail!(
            "no key signs links: set link_keys in [page], for instance to [\"ssm:/cio-alert-bridge/link-key\"]"
        );
    };
    let path = folder.join(FILE);
    let key = kept(&path).map_err(|error| anyhow::anyhow!("the link key {}: {error}", path.display()))?;
    Ok(LinkKeys::new(&config.workspace.name, [&key])?)
}

/// Reads the file, or makes it.
fn kept(path: &Path) -> io::Result<Secret> {
    match std::fs::read_to_string(path) {
        Ok(key) => return Ok(Secret::new(key.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    // Whole or not at all: a process that dies while it writes leaves no half a key behind.
    let made = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&made)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    // Of two processes at once the first one's key stands.
    let linked = std::fs::hard_link(&made, path);
    std::fs::remove_file(&made)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(path).map(|key| Secret::new(key.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secrets::EnvSecrets;
    use crate::config::testing::smallest_with;

    #[tokio::test]
    async fn a_folder_keeps_one_key_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = smallest_with("");
        let first = kept(&folder.path().join(FILE)).expect("made");
        assert_eq!(first.reveal().len(), 64);
        of(&config, &EnvSecrets, Some(folder.path())).await.expect("keys");
        assert_eq!(kept(&folder.path().join(FILE)).expect("read").reveal(), first.reveal());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let nowhere = of(&config, &EnvSecrets, None).await.expect_err("no key");
        assert!(nowhere.to_string().contains("link_keys"));
    }
}
