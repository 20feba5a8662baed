//! The conditions of a silence: the labels and globs of routes, written `label=glob`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::config::reader::{nearest, quoted};
use crate::incident::{Severity, Subject};
use crate::route::{Label, Labels};

/// Globs by label, never empty. All labels must hold; of one label every value the incident has must be matched by one
/// of the globs, and it must have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(BTreeMap<Label, Vec<String>>);

/// Why conditions cannot be used, in words for the person who typed them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unclear(pub String);

impl Conditions {
    /// Reads `rule=bounce-rate`, `source=campaign:*`, ...; a label given twice may be either.
    ///
    /// # Errors
    /// None is given, or one can never hold.
    pub fn parse(texts: &[String]) -> Result<Self, Unclear> {
        let mut conditions: BTreeMap<Label, Vec<String>> = BTreeMap::new();
        for text in texts {
            let (label, glob) = condition(text)?;
            let globs = conditions.entry(label).or_default();
            if !globs.contains(&glob) {
                globs.push(glob);
            }
        }
        if conditions.is_empty() {
            return Err(Unclear(format!("what is to be silenced? Say it as label=value; labels are {}", all_labels())));
        }
        Ok(Self(conditions))
    }

    /// Those that hold for just these labels. The owner is no condition of its own: it follows from the source. `None`
    /// where nothing is left to tell it by.
    pub fn of_labels(labels: &Labels) -> Option<Self> {
        let told = labels.iter().filter(|(label, values)| **label != Label::Owner && !values.is_empty());
        let conditions: BTreeMap<_, _> = told.map(|(label, values)| (*label, values.clone())).collect();
        (!conditions.is_empty()).then_some(Self(conditions))
    }

    /// Whether they hold for these labels.
    pub fn hold(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(label, globs)| {
            let globs: Vec<WildMatch> = globs.iter().map(|glob| WildMatch::new(glob)).collect();
            let values = labels.get(label).map_or(&[][..], Vec::as_slice);
            !values.is_empty() && values.iter().all(|value| globs.iter().any(|glob| glob.matches(value)))
        })
    }

    /// Whether blindness itself is named: a pattern that happens to match it is not enough.
    pub fn name_blindness(&self) -> bool {
        self.of(Label::Kind).iter().any(|glob| glob == "blindness")
    }

    /// The globs of a label.
    pub fn of(&self, label: Label) -> &[String] {
        self.0.get(&label).map_or(&[], Vec::as_slice)
    }

    /// As they are typed: `rule=bounce-rate`, ...
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|(label, globs)| globs.iter().map(move |glob| format!("{}={glob}", label.as_str())))
    }
}

fn condition(text: &str) -> Result<(Label, String), Unclear> {
    let form = "a condition is label=value, for example rule=bounce-rate or source=campaign:*";
    let Some((name, glob)) = text.split_once('=') else {
        return Err(Unclear(format!("{} has no `=`: {form}", quoted(text))));
    };
    let (name, glob) = (name.trim(), glob.trim());
    let Some(label) = Label::ALL.into_iter().find(|label| label.as_str() == name) else {
        let meant = nearest(name, Label::ALL.into_iter().map(Label::as_str));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
        return Err(Unclear(format!("there is no label {}; labels are {}{meant}", quoted(name), all_labels())));
    };
    if glob.is_empty() || glob.chars().any(char::is_control) {
        return Err(Unclear(format!("{name} is given no value that could match: {form}; * stands for any text")));
    }
    match label {
        Label::Severity => one_of(label, glob, &Severity::ALL.map(Severity::as_str))?,
        Label::Kind => one_of(label, glob, &Subject::KINDS)?,
        _ => {}
    }
    Ok((label, glob.to_owned()))
}

fn one_of(label: Label, glob: &str, possible: &[&str]) -> Result<(), Unclear> {
    let pattern = WildMatch::new(glob);
    if possible.iter().any(|value| pattern.matches(value)) {
        return Ok(());
    }
    let meant = nearest(glob, possible.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    let what = format!("{} is never {}: it is {}{meant}", label.as_str(), quoted(glob), possible.join(", "));
    let why = match (label, glob) {
        (Label::Kind, "digest" | "roll_up") => "; a digest or a roll-up is never silenced",
        _ => "",
    };
    Err(Unclear(format!("{what}{why}")))
}

fn all_labels() -> String {
    Label::ALL.map(Label::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Vec<String>, String> {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        Conditions::parse(&texts).map(|c| c.texts().collect()).map_err(|e| e.0)
    }

    #[test]
    fn conditions_are_read_as_they_are_typed() {
        let typed = ["source=campaign:5", "severity=warning", "source=campaign:6", "source=campaign:5"];
        let read = parse(&typed);
        assert_eq!(
            read.as_deref(),
            Ok(&["severity=warning", "source=campaign:5", "source=campaign:6"].map(str::to_owned)[..])
        );
    }

    #[test]
    fn what_can_never_hold_is_refused_with_what_was_meant() {
        let refused = |text| parse(&[text]).expect_err("refused");
        assert!(parse(&[]).expect_err("refused").contains("what is to be silenced?"));
        for (text, part) in [
            ("bounce-rate", "has no `=`"),
            ("ruel=bounce-rate", "did you mean rule?"),
            ("rule=", "no value"),
            ("severity=high", "critical, warning, info"),
            ("severity=criticl", "did you mean critical?"),
            ("kind=digest", "never silenced"),
            ("kind=roll_up", "never silenced"),
        ] {
            assert!(refused(text).contains(part), "{text}: {}", refused(text));
        }
    }
}
