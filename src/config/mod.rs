//! The configuration: [`schema`] is what it means, [`parse`] reads `bridge.toml` into it with line and column for
//! every error, [`secrets`] resolves references.

#[cfg(feature = "aws")]
pub mod aws_secrets;
pub mod parse;
pub mod reader;
pub mod schema;
pub mod secrets;

pub use schema::Config;
