//! What the README shows is what one gets.

use std::process::Command;

#[test]
fn every_line_of_the_transcript_is_printed_by_the_demo() {
    let readme = include_str!("../README.md");
    let transcript = readme.split("```\n").find(|block| block.contains("--- Mon")).expect("a transcript");
    let demo = Command::new(env!("CARGO_BIN_EXE_bridge")).arg("demo").output().expect("the bridge command");
    assert!(demo.status.success());
    let printed = String::from_utf8_lossy(&demo.stdout);
    for line in transcript.lines().map(|line| line.trim_end_matches("...")).filter(|line| !line.trim().is_empty()) {
        assert!(printed.contains(line), "the demo does not print: {line}");
    }
}
