//! What is written and what `bridge check` prints, case by case: `cases/*.txt` hold what is written, the snapshots both.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::*;

const ERRORS: &str = include_str!("cases/errors.txt");
const WARNINGS: &str = include_str!("cases/warnings.txt");

/// What a case leaves out, behind it: lines count from the case's own first.
const REST: [(&str, &str); 4] = [
    ("[workspace]", "[workspace]\nname = \"acme\"\ntimezone = \"UTC\"\n"),
    ("[customerio]", "[customerio]\nsigning_keys = [\"env:KEY\"]\n"),
    ("[[receivers]]", "[[receivers]]\nname = \"screen\"\ntype = \"console\"\n"),
    ("[[routes]]", "[[routes]]\nreceivers = [\"screen\"]\n"),
];

struct Case {
    title: &'static str,
    text: &'static str,
    checked: Checked,
}

/// The cases of a file: `=== title`, then what is written. A title that begins with `whole:` is a whole file.
fn cases(of: &'static str) -> Vec<Case> {
    let now: Timestamp = "2026-11-23T11:00:00Z".parse().expect("a time");
    let case = |case: &'static str| {
        let (title, text) = case.split_once('\n').expect("a title and a text");
        let mut whole = text.to_owned();
        let missing = REST.iter().filter(|(header, _)| !title.starts_with("whole:") && !text.contains(header));
        missing.for_each(|(_, section)| whole.push_str(section));
        Case { title, text, checked: read("bridge.toml", &whole, now).0 }
    };
    of.split("=== ").skip(1).map(case).collect()
}

/// What was written, what is said, and the last line; what a valid file does is for other tests.
fn shown(cases: &[Case]) -> String {
    let mut all = String::new();
    for Case { title, text, checked } in cases {
        let said = super::text(checked);
        let findings: String = checked.findings.iter().map(|f| f.line() + "\n").collect();
        let last = said.lines().last().unwrap_or_default();
        let _ = write!(all, "=== {title}\n{}\n---\n{findings}{last}\n\n", text.trim_end());
    }
    all
}

#[test]
fn a_broken_configuration_is_explained() {
    let cases = cases(ERRORS);
    insta::assert_snapshot!("errors", shown(&cases));
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for Case { title, checked, .. } in &cases {
        assert_eq!(checked.exit, 2, "{title}");
        for finding in checked.findings.iter().filter(|f| f.level == "error") {
            assert!(finding.line.is_some() && finding.column.is_some(), "{title}");
            assert!(finding.allowed.is_some(), "{title} does not say what is allowed: {}", finding.message);
        }
    }
}

#[test]
fn a_warning_says_why_and_what_to_do() {
    let cases = cases(WARNINGS);
    insta::assert_snapshot!("warnings", shown(&cases));
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for Case { title, checked, .. } in &cases {
        assert_eq!(checked.exit, 0, "{title}: {:?}", checked.findings);
        assert_eq!(checked.findings.is_empty(), title.starts_with("fine:"), "{title}: {:?}", checked.findings);
        for finding in &checked.findings {
            let says_what_to_do = finding.fix.is_some() || finding.suggestion.is_some();
            assert!(says_what_to_do, "{title}: {}", finding.message);
        }
    }
}

#[test]
fn no_case_repeats_what_may_be_a_secret() {
    for Case { title, checked, .. } in cases(ERRORS).iter().chain(&cases(WARNINGS)) {
        let said = super::text(checked) + &json(&checked.findings);
        for secret in ["0a1b2c3d4e5f60718293a4b5c6d7e8f9", "xoxb-1-a", "hooks.slack.com/services", "hunter2"] {
            assert!(!said.contains(secret), "{title}: {said}");
        }
    }
}
