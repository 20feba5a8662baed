//! The `bridge` command.

use std::process::ExitCode;

use cio_alert_bridge::cli;
use clap::Parser;

fn main() -> ExitCode {
    cli::run(cli::Bridge::parse())
}
