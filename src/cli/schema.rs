//! `bridge schema`: the configuration's format, for editors.

use std::process::ExitCode;

use crate::config::file;

const EXAMPLES: &str = "\
Examples:
  bridge schema > bridge.schema.json        keep it beside bridge.toml

An editor with TOML support (Even Better TOML in VS Code, Taplo, Tombi) then completes keys and shows what they mean
when the first line of bridge.toml names it:

  #:schema bridge.schema.json

The schema says what a file may hold; whether it does what you mean says bridge check.";

/// Print the JSON Schema of the configuration, for editors
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn run(_: &SchemaArgs) -> ExitCode {
    print!("{}", file::text());
    ExitCode::SUCCESS
}
