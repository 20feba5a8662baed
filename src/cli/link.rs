//! `bridge link`: prints a signed, expiring link to the page.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::SignedDuration;
use serde::Serialize;

use super::place::{self, Place, link_key, refused};
use super::silence::when;
use crate::clock::{Clock, SystemClock};
use crate::config::reader::quoted;
use crate::message::text;
use crate::page::link::{Grant, May};
use crate::page::links::{STATUS, path_of};
use crate::steps::find;

/// The longest that a link may hold: it cannot be taken back but by a new key.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 92);

/// Where `bridge serve` listens unless told otherwise.
const LOCAL: &str = "http://127.0.0.1:9000";

/// Print a signed, expiring link to the page
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bridge link                                    the status page, to read, for 12 h
  bridge link --incident 3f9a2c11-1 --act        one incident, to acknowledge, silence or close it
  bridge link --base https://bridge.example.com --for 30d    for a wall screen
  bridge link --stack cio-alert-bridge           on AWS

Whoever holds a link can open it until it expires. To revoke all links, replace the key: the first of link_keys in \
[page], or link.key in the data folder, and restart.")]
pub struct LinkArgs {
    /// The bridge's address [default: base_url in [page], else http://127.0.0.1:9000]
    #[arg(long, value_name = "URL")]
    base: Option<String>,

    /// Let its holder acknowledge, silence and close incidents, too
    #[arg(long)]
    act: bool,

    /// The page of one incident, by the id that alerts show
    #[arg(long, value_name = "ID")]
    incident: Option<String>,

    /// How long it holds, at most 92d
    #[arg(long = "for", value_name = "DURATION", default_value = "12h")]
    length: String,

    /// Print one object: {link, may, until}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Said {
    link: String,
    may: &'static str,
    until: jiff::Timestamp,
}

/// Runs the command.
pub async fn run(args: &LinkArgs) -> anyhow::Result<ExitCode> {
    Ok(link(args).await.unwrap_or_else(|error| refused(&error)))
}

async fn link(args: &LinkArgs) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let length = when::length("--for", &args.length)?;
    if length > LONGEST {
        bail!("--for is 92d at most: nothing but a new key takes a link back");
    }
    let opened = args.place.open().await?;
    let config = &opened.config;
    let folder: Option<&Path> = args.place.stack.is_none().then_some(&args.place.data);
    let keys = link_key::of(config, place::secrets(config).await.as_ref(), folder).await?;
    let path = match &args.incident {
        None => STATUS.to_owned(),
        Some(id) => match find::incident(opened.store.as_ref(), id, now).await? {
            Some(incident) => path_of(&incident),
            None => bail!("there is no incident {}; its id stands at the end of every alert", quoted(id)),
        },
    };
    let configured = config.page.as_ref().and_then(|page| page.base_url.clone());
    let base = args.base.clone().or(configured).or(opened.page_url);
    let base = base.unwrap_or_else(|| LOCAL.to_owned());
    base.parse::<hyper::Uri>()
        .ok()
        .filter(|uri| uri.scheme().is_some() && uri.query().is_none())
        .with_context(|| format!("--base {} is no address such as https://bridge.example.com", quoted(&base)))?;
    let grant = Grant { may: if args.act { May::Act } else { May::Read }, until: now + length, to: None };
    let link = format!("{}{}", base.trim_end_matches('/'), keys.link(&path, &[], &grant));
    let may = if args.act { "act" } else { "read" };
    if args.json {
        println!("{}", serde_json::to_string(&Said { link, may, until: grant.until })?);
    } else {
        println!("{link}");
        let until = text::clock_in_zone(grant.until, &config.workspace.zone, now);
        eprintln!("note: to {may}, until {until}; whoever holds it can open it");
    }
    Ok(ExitCode::SUCCESS)
}
