//! `bridge check` says where a configuration is wrong, what is allowed, and what was probably meant.

use std::process::{Command, Output};

use tempfile::TempDir;

const GOOD: &str = r#"[workspace]
name = "acme"
timezone = "Europe/Berlin"

[customerio]
signing_keys = ["env:CIO_SIGNING_KEY"]

[[receivers]]
name = "on-call"
type = "pagerduty"
routing_key = "env:PAGERDUTY_ROUTING_KEY"

[[routes]]
match = { severity = "critical" }
receivers = ["on-call"]

[[rules]]
name = "transactional-failing"
events = ["email_failed"]
count = { at_least = 3, within = "10m" }
severity = "critical"

[[heartbeats]]
name = "Activation"
source = "campaign:5"
event = "email_sent"
at_least = 40
every = "day"
by = "18:00"
"#;

/// Runs it on a file of this text, with no secret in the environment.
fn check(text: &str) -> (Output, String) {
    let dir = TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("bridge.toml"), text).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_bridge"))
        .args(["check", "--config", "bridge.toml"])
        .current_dir(dir.path())
        .env_clear()
        .output()
        .expect("the bridge command");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

/// The line of the good file that holds `text`.
fn line_of(text: &str) -> usize {
    GOOD.lines().position(|line| line.contains(text)).expect("a line of the good file") + 1
}

/// Whether `said` names the line, with a column.
fn names_line(said: &str, line: usize) -> bool {
    let place = format!("bridge.toml:{line}:");
    said.match_indices(&place).any(|(at, _)| said[at + place.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn a_good_file_is_fine() {
    let (output, said) = check(GOOD);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn each_mistake_is_named_with_its_place_and_what_was_meant() {
    // What is in the good file, what stands there instead, and what the report must hold besides the place.
    let cases: &[(&str, &str, &[&str])] = &[
        ("signing_keys = [", "signing_key = [", &["signing_key", "signing_keys"]),
        ("[[routes]]", "[[route]]", &["routes"]),
        ("at_least = 3", "atleast = 3", &["atleast", "at_least"]),
        ("timezone = \"Europe/Berlin\"", "timezone = \"Europe/Berln\"", &["Europe/Berln"]),
        ("type = \"pagerduty\"", "type = \"pagerdty\"", &["pagerdty", "pagerduty", "slack"]),
        ("receivers = [\"on-call\"]", "receivers = [\"on-cal\"]", &["on-cal", "on-call"]),
        ("events = [\"email_failed\"]", "events = [\"email_fialed\"]", &["email_fialed", "email_failed"]),
        ("within = \"10m\"", "within = \"10 fortnights\"", &["10 fortnights"]),
        ("severity = \"critical\" }", "severity = \"criticle\" }", &["criticle", "critical"]),
        ("source = \"campaign:5\"", "source = \"campain:5\"", &["campain:5", "campaign"]),
        ("by = \"18:00\"", "by = \"25:00\"", &["25:00"]),
        ("every = \"day\"", "every = \"dya\"", &["dya", "day"]),
        ("name = \"acme\"", "name = ", &[]),
    ];
    for (good, bad, must_hold) in cases {
        let line = line_of(good);
        let (output, said) = check(&GOOD.replacen(good, bad, 1));
        assert_eq!(output.status.code(), Some(2), "{bad}: {said}");
        assert!(names_line(&said, line), "{bad}: line {line} is not named: {said}");
        for text in *must_hold {
            assert!(said.contains(text), "{bad}: {text} is not named: {said}");
        }
    }
}

#[test]
fn a_secret_put_into_the_file_is_refused_and_not_repeated() {
    let (output, said) = check(&GOOD.replace("env:PAGERDUTY_ROUTING_KEY", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"));
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(names_line(&said, line_of("routing_key")), "{said}");
    assert!(said.contains("env:"), "says what a reference looks like: {said}");
    assert!(!said.contains("0a1b2c3d4e5f"), "repeats the secret: {said}");
}

#[test]
fn what_must_be_there_is_asked_for() {
    for (section, what) in [("[customerio]", "customerio"), ("[workspace]", "workspace")] {
        let from = GOOD.find(section).expect("a section");
        let to = GOOD[from..].find("\n\n").map_or(GOOD.len(), |at| from + at);
        let (output, said) = check(&format!("{}{}", &GOOD[..from], &GOOD[to..]));
        assert_eq!(output.status.code(), Some(2), "without {section}: {said}");
        assert!(said.contains(what), "without {section}: {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_a_bad_argument() {
    let output = Command::new(env!("CARGO_BIN_EXE_bridge"))
        .args(["check", "--config", "/nowhere/bridge.toml"])
        .output()
        .expect("the bridge command");
    assert_eq!(output.status.code(), Some(2));
    let said = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("/nowhere/bridge.toml"));
}
