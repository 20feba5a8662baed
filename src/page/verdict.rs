//! The one sentence on top: is anything wrong, and do we hear enough to say so.

use jiff::{SignedDuration, Timestamp};

use super::incidents::Open;
use super::workflows::{Row, Standing};
use crate::config::Config;
use crate::incident::{Incident, Severity, Subject};
use crate::message::text;
use crate::summary::Summary;
use crate::tally::coverage::Coverage;

/// How the page as a whole stands; the order is the order of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    /// We cannot say.
    Unknown,
    Warning,
    Critical,
}

impl Level {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "All well",
            Self::Unknown => "Unknown",
            Self::Warning => "Warning",
            Self::Critical => "Critical",
        }
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::Warning | Severity::Info => Self::Warning,
        }
    }
}

/// The sentence, and what is to be said beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub level: Level,
    pub sentence: String,
    pub more: Vec<String>,
}

/// Without an event for longer we do not say that all is well: as long as blindness takes to be one.
const STILL_HEARD: SignedDuration = SignedDuration::from_hours(2);

/// tick writes the summary every five minutes; older than this it has missed two.
const STALE: SignedDuration = SignedDuration::from_mins(12);

/// Of today's minutes so many per cent must have been heard to say that we hear everything: as for a heartbeat.
const EVERYTHING_PER_CENT: i64 = 95;

/// Incidents named beside the worst one.
const NAMED: usize = 2;

/// Longer sentences are read twice: what stands in brackets at their end goes beside them.
const LONG: usize = 60;

/// What the verdict is made of.
pub struct Facts<'a> {
    pub config: &'a Config,
    pub coverage: &'a Coverage,
    pub today: &'a Summary,
    /// When tick wrote it; `None` while it never has.
    pub made_at: Option<Timestamp>,
    pub rows: &'a [Row],
    pub incidents: &'a [Incident],
    pub open: &'a [Open],
    pub now: Timestamp,
}

impl Facts<'_> {
    pub fn verdict(&self) -> Verdict {
        let (level, sentence) = self.sentence();
        let (sentence, detail) = split(sentence);
        let mut more: Vec<String> = detail.into_iter().collect();
        more.extend(self.others());
        more.extend(self.clockwork());
        if level != Level::Ok || !more.is_empty() {
            more.push(self.heard());
        }
        Verdict { level, sentence, more }
    }

    fn sentence(&self) -> (Level, String) {
        if let Some(open) = self.worst() {
            return (Level::from(open.severity), open.title.clone());
        }
        if self.coverage.began().is_none() {
            return (Level::Unknown, "Nothing has ever arrived: is the reporting webhook set up?".to_owned());
        }
        if self.is_stale() {
            return (Level::Unknown, "No incident is open, but nobody has looked of late".to_owned());
        }
        if self.is_deaf() {
            let last = self.coverage.last_timely().map(|at| self.clock(at)).unwrap_or_default();
            return (Level::Unknown, format!("No incident is open, but we have heard nothing since {last}"));
        }
        self.workflows()
    }

    /// Blindness is worse than what it hides.
    fn worst(&self) -> Option<&Open> {
        let blind = self.incidents.iter().find(|incident| incident.subject == Subject::Blindness);
        let blind = blind.and_then(|blind| self.open.iter().find(|open| open.id == blind.id()));
        blind.or_else(|| self.open.first())
    }

    /// No incident is open: how the workflows do.
    fn workflows(&self) -> (Level, String) {
        let count = |standing| self.rows.iter().filter(|row| row.standing == standing).count() as u64;
        let all = self.rows.len() as u64;
        let hear = self.hearing();
        let as_expected = count(Standing::Ok) + count(Standing::Off);
        let wrong = count(Standing::Low) + count(Standing::High);
        if all == 0 {
            return (Level::Ok, format!("No incident is open; {hear}"));
        }
        let whole = text::count("workflow", all);
        if as_expected == all {
            let all_of_them = if all == 1 { "The 1 workflow".to_owned() } else { format!("All {whole}") };
            return (Level::Ok, format!("{all_of_them} fired as expected; {hear}"));
        }
        let mut parts = vec![format!("{as_expected} of {whole} fired as expected")];
        for (standing, words) in [
            (Standing::Low, "low"),
            (Standing::High, "high"),
            (Standing::Unknown, "cannot be judged"),
            (Standing::Pending, "not due yet"),
            (Standing::Learning, "still learning"),
        ] {
            let n = count(standing);
            if n > 0 {
                parts.push(format!("{n} {words}"));
            }
        }
        let level = match () {
            () if wrong > 0 => Level::Warning,
            () if count(Standing::Unknown) > 0 => Level::Unknown,
            () => Level::Ok,
        };
        (level, format!("{}; {hear}", parts.join(", ")))
    }

    fn others(&self) -> Vec<String> {
        let Some(worst) = self.worst() else { return Vec::new() };
        let others = || self.open.iter().filter(|open| open.id != worst.id);
        // One or two are named; more would bury the worst.
        if (1..=NAMED).contains(&others().count()) {
            let named = |open: &Open| format!("Also {}: {}", open.severity.as_str(), split(open.title.clone()).0);
            return others().map(named).collect();
        }
        let said: Vec<String> = Severity::ALL
            .into_iter()
            .filter_map(|severity| {
                let n = others().filter(|open| open.severity == severity).count();
                (n > 0).then(|| format!("{n} {}", severity.as_str()))
            })
            .collect();
        let count = others().count() as u64;
        if count == 0 {
            Vec::new()
        } else {
            vec![format!("{} open: {}", text::count("more incident", count), said.join(", "))]
        }
    }

    /// Whoever looks must know that what is shown is old.
    fn clockwork(&self) -> Option<String> {
        match self.made_at {
            _ if !self.is_stale() => None,
            Some(at) => Some(format!("The bridge's own clockwork (tick) last ran at {}", self.clock(at))),
            None => Some("The bridge's own clockwork (tick) has not run today".to_owned()),
        }
    }

    pub fn is_stale(&self) -> bool {
        // Just after midnight nobody has written today down yet.
        let day_began = crate::summary::ends(self.today.date, &self.config.workspace.zone).0;
        self.now.duration_since(self.made_at.unwrap_or(day_began)) > STALE
    }

    /// Whether the latest of what we hear is too old to speak of now.
    pub fn is_deaf(&self) -> bool {
        is_deaf(self.coverage, self.now)
    }

    fn hears_everything(&self) -> bool {
        let (covered, minutes) = (self.today.covered, self.today.minutes);
        covered * 100 >= minutes * EVERYTHING_PER_CENT
    }

    fn hearing(&self) -> String {
        if self.hears_everything() { "we hear everything".to_owned() } else { lower(&self.heard()) }
    }

    /// `Heard 14.1 of 14.1 h today, the last event at 14:04`
    pub fn heard(&self) -> String {
        let hours = |minutes: i64| {
            let text = format!("{:.1}", minutes as f64 / 60.0);
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        };
        let last = self.coverage.last_timely().map(|at| format!(", the last event at {}", self.clock(at)));
        let (covered, minutes) = (self.today.covered, self.today.minutes);
        format!("Heard {} of {} h today{}", hours(covered), hours(minutes), last.unwrap_or_default())
    }

    fn clock(&self, at: Timestamp) -> String {
        text::clock(at, &self.config.workspace.zone, self.now)
    }
}

/// Whether the latest of what we hear is too old to speak of now.
pub fn is_deaf(coverage: &Coverage, now: Timestamp) -> bool {
    coverage.last_timely().is_none_or(|last| now.duration_since(last) > STILL_HEARD)
}

/// A long sentence without the brackets at its end, and what stood in them.
pub fn split(sentence: String) -> (String, Option<String>) {
    let brackets = sentence.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    match brackets.filter(|_| sentence.chars().count() > LONG) {
        Some((short, detail)) => (short.to_owned(), Some(capital(detail))),
        None => (sentence, None),
    }
}

/// With a capital at its beginning.
pub fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
