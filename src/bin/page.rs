//! The `page` Lambda function.

use std::process::ExitCode;

use cio_alert_bridge::lambda;

fn main() -> ExitCode {
    lambda::start(lambda::page::run())
}
