//! For tests: the least that a configuration has, and one with more in it.

use super::{Config, parse};

/// A workspace, a key, and one receiver that hears of everything.
pub const SMALLEST: &str = r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
"#;

/// The smallest configuration, and these sections.
pub fn smallest_with(sections: &str) -> Config {
    let parsed = parse::parse(&format!("{SMALLEST}{sections}"));
    parsed.config.unwrap_or_else(|| panic!("{:?}", parsed.problems))
}
