//! The `bridge` command: one file a subcommand.

pub mod check;
pub mod demo;
pub mod send;
pub mod serve;
