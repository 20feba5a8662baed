//! `bridge schema`: the configuration's format, for editors.

use std::process::ExitCode;

use crate::config::file;

const EXAMPLES: &str = "\
Examples:
  bridge schema > bridge.schema.json        keep it beside bridge.toml

Editors with TOML support (Even Better TOML in VS Code, Taplo, Tombi) then complete the keys and
show what they mean, once the first line of bridge.toml names it:

  #:schema bridge.schema.json

The schema knows what a file may hold; bridge check knows what it does.";

/// Print the JSON Schema of the configuration, for editors
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn run(_: &SchemaArgs) -> ExitCode {
    print!("{}", file::text());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_shows_how_an_editor_finds_it() {
        let mut command = <SchemaArgs as clap::Args>::augment_args(clap::Command::new("schema"));
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        assert!(help.contains("bridge schema > ") && help.contains("#:schema bridge.schema.json"), "{help}");
    }
}
