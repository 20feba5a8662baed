//! A diagnosis as text and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use crate::customerio::mask::PLACEHOLDERS;
use crate::diagnose::not_shown::NOT_SHOWN;
use crate::diagnose::{Facts, Step, Verdict, View, found};
use crate::message::text;

/// Everything that is shown.
pub struct Shown<'a> {
    pub facts: &'a Facts,
    pub view: &'a View,
    pub steps: &'a [Step],
    pub link: Option<String>,
    pub requests: usize,
}

/// A verdict at the beginning of a line.
const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Cause => "CAUSE FOUND",
        Verdict::Warning => "warning",
        Verdict::NotKnown => "not known",
    }
}

impl Shown<'_> {
    fn person(&self) -> String {
        let person = &self.facts.subject.person;
        let placeholder = match person {
            who if who.contains('@') => PLACEHOLDERS[0],
            who if who.starts_with('+') => PLACEHOLDERS[1],
            _ => PLACEHOLDERS[2],
        };
        self.view.personal(person, placeholder)
    }

    fn campaign_name(&self) -> Option<String> {
        let name = self.facts.detail()?.name.as_deref()?;
        Some(self.view.name(name)).filter(|name| !name.is_empty())
    }

    /// One object; its shape is documented in docs/diagnose.md.
    ///
    /// # Errors
    /// Never: there is nothing in it that could fail to serialise.
    pub fn json(&self) -> anyhow::Result<String> {
        let subject = &self.facts.subject;
        let shown = json!({
            "person": self.person(),
            "campaign": { "id": subject.campaign, "name": self.campaign_name() },
            "asked_at": self.view.now,
            "cause_found": found(self.steps),
            "steps": self.steps,
            "not_shown": NOT_SHOWN,
            "link": self.link,
            "requests": self.requests,
        });
        Ok(serde_json::to_string_pretty(&shown)? + "\n")
    }

    /// For people: a line a step, what is behind it, what to do; what is not shown; the sum.
    pub fn text(&self) -> String {
        let number = &self.facts.subject.campaign;
        let campaign = self
            .campaign_name()
            .map_or_else(|| format!("campaign {number}"), |name| format!("{name} (campaign {number})"));
        let mut out = format!("{campaign} for {}\n\n", self.person());
        for step in self.steps {
            let _ = writeln!(out, "{:<12} {}", word(step.verdict), step.title);
            for line in &step.evidence {
                let _ = writeln!(out, "             {line}");
            }
            for advice in &step.advice {
                let _ = writeln!(out, "             -> {advice}");
            }
        }
        out.push_str("\nCustomer.io's API does not show the following; look there by hand\n(menus may be named a little differently):\n");
        for hidden in &NOT_SHOWN {
            let _ = writeln!(out, "  - {}\n    {}", hidden.what, hidden.look);
        }
        if let Some(link) = &self.link {
            let _ = writeln!(out, "  Open {link}");
        }
        let _ = write!(out, "\n{}\n", self.sum());
        out
    }

    fn sum(&self) -> String {
        let with = |verdict: Verdict| self.steps.iter().filter(move |step| step.verdict == verdict);
        let titles = |verdict| with(verdict).map(|step| step.title).collect::<Vec<_>>().join(", ");
        let mut sum = match with(Verdict::Cause).count() as u64 {
            0 => "No cause found.".to_owned(),
            n => format!("{} found: {}.", text::count("cause", n), titles(Verdict::Cause)),
        };
        for (verdict, what) in [(Verdict::Warning, "Look at"), (Verdict::NotKnown, "Not known")] {
            if with(verdict).next().is_some() {
                let _ = write!(sum, " {what}: {}.", titles(verdict));
            }
        }
        sum
    }
}
