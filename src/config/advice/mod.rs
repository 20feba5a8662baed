//! What a valid configuration does that its author may not have meant: warnings, each with a reason and what to do.
//!
//! `bridge check` asks for them; the steps do not, they only read. Each file is about the sections of its name.

mod chance;
mod globs;
mod heartbeats;
mod incidents;
mod others;
mod places;
mod receivers;
mod repeated;
mod routes;
mod rules;
mod sources;
mod week;

use toml::de::DeTable;

use self::places::Places;
use super::reader::Report;
use super::schema::Config;

/// Adds the warnings about a configuration that was read from `root` without an error.
pub fn advise(config: &Config, root: &DeTable<'_>, report: &Report<'_>) {
    let places = Places::new(root, report);
    receivers::advise(config, &places);
    routes::advise(config, &places);
    rules::advise(config, &places);
    heartbeats::advise(config, &places);
    sources::advise(config, &places);
    others::advise(config, &places);
    repeated::advise(root, &places);
}
