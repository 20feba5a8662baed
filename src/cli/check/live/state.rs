//! Are store and queues there, and whose are they?

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::{CheckArgs, Looked};
use crate::cli::place::{Opened, Place};
use crate::config::Config;
use crate::message::text;
use crate::store::embedded::FILE;

pub(super) async fn look(args: &CheckArgs, config: &Config, looked: &mut Looked) {
    looked.begin("Store and queues");
    if args.stack.is_none() && !args.data.join(FILE).is_file() {
        return match writable(&args.data) {
            Ok(()) => looked.line(&format!("no {FILE} in {} yet: `bridge serve` makes it", args.data.display())),
            Err(why) => looked.wrong(&format!("the folder {} cannot be written: {why}", args.data.display())),
        };
    }
    let place = Place { config: Some(args.config.clone()), data: args.data.clone(), stack: args.stack.clone() };
    match place.open().await {
        Ok(opened) => ask(args, config, &opened, looked).await,
        Err(error) => looked.wrong(&format!("the store cannot be opened: {error:#}")),
    }
}

async fn ask(args: &CheckArgs, config: &Config, opened: &Opened, looked: &mut Looked) {
    if args.stack.is_none()
        && let Err(why) = writable(&args.data)
    {
        looked.wrong(&format!("the folder {} cannot be written: {why}", args.data.display()));
    }
    match opened.store.coverage().await {
        Err(error) => looked.wrong(&format!("the store: {error}")),
        Ok(coverage) => {
            let (zone, now) = (&config.workspace.zone, Timestamp::now());
            looked.line(&match coverage.last_timely() {
                Some(last) => format!("the store answers; the last event is of {}", text::clock(last, zone, now)),
                None => "the store answers; no event has ever arrived".to_owned(),
            });
        }
    }
    match opened.outbox.reach().await {
        Ok(()) => looked.line("the queues answer"),
        Err(error) => looked.wrong(&format!("the queues: {error}")),
    }
}

/// Tries it: rights alone do not tell of a full or read-only disk.
fn writable(folder: &Path) -> Result<(), std::io::ErrorKind> {
    let existing = folder.ancestors().find(|ancestor| ancestor.is_dir() || ancestor.as_os_str().is_empty());
    let existing = existing.filter(|found| !found.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = existing.join(format!(".bridge-check-{}", std::process::id()));
    fs::write(&name, b"x").and_then(|()| fs::remove_file(&name)).map_err(|error| error.kind())
}
