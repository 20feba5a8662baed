//! The configuration: [`schema`] is what it means, [`parse`] reads `bridge.toml` into it with line and column for
//! every error, [`advice`] warns of what it does that nobody may have meant, [`secrets`] resolves references. [`file`]
//! describes the file's format once more, for editors and for the reference in docs/configuration.md.

pub mod advice;
#[cfg(feature = "aws")]
pub mod aws_secrets;
pub mod file;
pub mod parse;
pub mod reader;
pub mod schema;
pub mod secrets;
#[cfg(test)]
pub(crate) mod testing;

pub use schema::Config;
