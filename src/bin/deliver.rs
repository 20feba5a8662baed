//! The `deliver` Lambda function.

use std::process::ExitCode;

use cio_alert_bridge::lambda;

#[cfg(panic = "abort")]
compile_error!("a panic must unwind: the step catches it and answers (design, law 2)");

fn main() -> ExitCode {
    lambda::start(lambda::deliver::run())
}
