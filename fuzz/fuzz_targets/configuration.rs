//! Any text as a configuration: valid, or refused with a problem whose place is in the text. Never a panic.

#![no_main]

use cio_alert_bridge::config::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = parse::check(text);
    assert!(parsed.config.is_some() || !parsed.problems.is_empty(), "refused without a reason");
    let lines = text.lines().count() + 1;
    for problem in &parsed.problems {
        assert!((1..=lines).contains(&problem.line), "line {} of {lines}", problem.line);
        assert!(!problem.in_file("bridge.toml").is_empty());
    }
});
