//! Which workspace is asked, with which key: from the arguments, a configuration, or neither.

use std::path::Path;

use anyhow::bail;
use jiff::tz::TimeZone;

use super::DiagnoseArgs;
use crate::config::parse;
use crate::config::schema::{CustomerIo, Privacy, Region};
use crate::config::secrets::SecretRef;
use crate::customerio::app_page;

/// The configuration that is read when there is one.
const CONFIG: &str = "bridge.toml";

/// The key without any.
const KEY: &str = "CIO_APP_API_KEY";

/// Where to ask, and how to show what is answered.
pub struct Where {
    pub key: SecretRef,
    pub region: Region,
    pub url: Option<String>,
    workspace_id: Option<u64>,
    pub zone: TimeZone,
    pub privacy: Privacy,
    /// What was chosen without being told.
    pub notes: Vec<String>,
}

impl Where {
    /// As a configuration has it.
    pub fn customerio(&self) -> CustomerIo {
        CustomerIo {
            region: self.region,
            workspace_id: self.workspace_id,
            signing_keys: Vec::new(),
            app_api_key: Some(self.key.clone()),
            app_api_url: self.url.clone(),
        }
    }

    /// The workspace's page; `None` when nobody knows which it is.
    pub fn link(&self) -> Option<String> {
        self.workspace_id.map(|_| app_page(&self.customerio()))
    }
}

/// Reads the configuration, if there is one, and fills in what is not said.
///
/// # Errors
/// What to show the person: a broken configuration, or a key that is no reference.
pub fn of(args: &DiagnoseArgs) -> anyhow::Result<Where> {
    let file = args.config.as_deref().or_else(|| Some(Path::new(CONFIG)).filter(|file| file.is_file()));
    let config = file.map(parse::load).transpose()?.map(|(config, _)| config);
    let told = args.app_api_key.as_deref().map(reference).transpose()?;
    let customerio = config.as_ref().map(|config| &config.customerio);
    let mut notes = Vec::new();
    let of_config = customerio.and_then(|customerio| customerio.app_api_key.clone());
    let region = args.region.or(customerio.map(|customerio| customerio.region));
    let key = told.or(of_config).unwrap_or_else(|| {
        let (why, region_name) = match (file, region) {
            (Some(file), _) => (format!("{} names no app_api_key", file.display()), ""),
            (None, None) => (format!("there is no {CONFIG} here"), ", region us (--region eu for the other)"),
            (None, Some(_)) => (format!("there is no {CONFIG} here"), ""),
        };
        notes.push(format!("{why}: asking with env:{KEY}{region_name}"));
        SecretRef::Env(KEY.to_owned())
    });
    // Another region than the configuration's has another address.
    let is_another = args.region.is_some_and(|region| customerio.is_some_and(|own| own.region != region));
    let show = args.show_personal_data || config.as_ref().is_some_and(|config| config.privacy.show_personal_data);
    Ok(Where {
        key,
        region: region.unwrap_or(Region::Us),
        url: customerio.filter(|_| !is_another).and_then(|customerio| customerio.app_api_url.clone()),
        workspace_id: customerio.filter(|_| !is_another).and_then(|customerio| customerio.workspace_id),
        zone: config.as_ref().map_or(TimeZone::UTC, |config| config.workspace.zone.clone()),
        privacy: Privacy { show_personal_data: show },
        notes,
    })
}

/// The error holds nothing of the text: it may be the key itself.
fn reference(text: &str) -> anyhow::Result<SecretRef> {
    match text.parse() {
        Ok(reference) => Ok(reference),
        Err(_) => bail!("--app-api-key takes a reference, env:NAME, never the key itself"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Bridge, Command};
    use crate::customerio::app_api::host;

    fn args(more: &[&str]) -> DiagnoseArgs {
        let all = [&["bridge", "diagnose", "--person", "u_1", "--campaign", "5"], more].concat();
        match Bridge::try_parse_from(all).map(|bridge| bridge.command) {
            Ok(Command::Diagnose(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_key_and_the_region_come_from_arguments_configuration_or_neither() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("b.toml");
        let config = |customerio: &str| {
            let text = format!(
                "[workspace]\nname = \"acme\"\n[customerio]\nsigning_keys = [\"env:K\"]\n{customerio}\n[[receivers]]\nname = \"c\"\ntype = \"console\"\n[[routes]]\nreceivers = [\"c\"]\n"
            );
            std::fs::write(&file, text).expect("written");
        };
        let path = file.display().to_string();
        let place = |more: &[&str]| of(&args(&[&["--config", &path], more].concat())).expect("a place");

        config("region = \"eu\"\napp_api_key = \"env:THEIRS\"\nworkspace_id = 7");
        let own = place(&[]);
        assert_eq!((own.key.to_string().as_str(), host(own.region)), ("env:THEIRS", "https://api-eu.customer.io"));
        assert_eq!(own.link().as_deref(), Some("https://eu.fly.customer.io/workspaces/7"));
        assert!(own.notes.is_empty());
        let told = place(&["--region", "us", "--app-api-key", "env:MINE"]);
        assert_eq!((told.key.to_string().as_str(), told.region, told.link()), ("env:MINE", Region::Us, None));

        config("");
        let neither = place(&[]);
        assert_eq!((neither.key.to_string().as_str(), neither.region), ("env:CIO_APP_API_KEY", Region::Us));
        assert!(neither.notes[0].contains("names no app_api_key"), "{:?}", neither.notes);
        assert_eq!(neither.link(), None);
    }

    #[test]
    fn a_key_in_place_of_a_reference_is_refused_and_not_repeated() {
        let error =
            of(&args(&["--app-api-key", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"])).err().expect("refused").to_string();
        assert_eq!(error, "--app-api-key takes a reference, env:NAME, never the key itself");
    }
}
