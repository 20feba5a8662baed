//! Heartbeats: numbers that chance alone breaks, times at which nobody looks, beats that are not counted.

use jiff::civil::{Time, Weekday};

use super::chance;
use super::places::{Places, Step};
use crate::config::Config;
use crate::config::reader::{Problem, quoted};
use crate::customerio::metric::Class;
use crate::heartbeat::{Every, Expect, Heartbeat};

const SECTION: &str = "heartbeats";

/// Before this hour a day has hardly begun, and people sleep.
const MORNING: i8 = 6;

pub fn advise(config: &Config, places: &Places<'_>) {
    for (index, heartbeat) in config.heartbeats.iter().enumerate() {
        let warn = |key: &str, problem: Option<Problem>| {
            if let Some(problem) = problem {
                places.report(places.key(SECTION, index, key), problem);
            }
        };
        warn("at_least", too_few(heartbeat));
        warn("by", at_night(heartbeat));
        for key in ["every", "by"] {
            warn(key, Some(heartbeat).filter(|_| places.has_key(SECTION, index, key)).and_then(|h| no_period(h, key)));
        }
        warn("event", failures(heartbeat));
        warn("name", named_like_a_rule(config, heartbeat));
        warn("source", ignored(config, heartbeat));
        let twin = config.heartbeats.iter().take(index).position(|other| is_twin(other, heartbeat));
        warn("", twin.map(|twin| twice(config, twin, places)));
        exceptions(heartbeat, index, places);
    }
    if !config.heartbeats.is_empty() && config.digest.is_none() {
        let what = "there is no [digest]: a heartbeat that could not be judged is named there only, and so is every \
                    verdict that came too late to page";
        let fix = "write [digest] with receivers = [\"...\"]";
        places.report(places.nth(SECTION, 0), Problem::warning(what).fix(fix));
    }
}

/// What people call a period and periods, and how many of them a year has.
const fn period(every: Every) -> (&'static str, &'static str, f64) {
    match every {
        Every::Hour => ("an hour", "hours", 8766.0),
        Every::Day { .. } => ("a day", "days", 365.25),
        Every::Week { .. } => ("a week", "weeks", 52.18),
    }
}

fn too_few(heartbeat: &Heartbeat) -> Option<Problem> {
    let Expect::Between { at_least: Some(least), .. } = heartbeat.expect else { return None };
    if least >= chance::ENOUGH {
        return None;
    }
    let (period, each, a_year) = period(heartbeat.every);
    let usual = chance::usual_for_one_a_year(least, a_year);
    let percent = (chance::fewer_than(least, least as f64) * 100.0).round();
    let are = if least == 1 { "is" } else { "are" };
    let night = match heartbeat.every {
        Every::Hour => "; and every hour counts, also those of the night",
        Every::Day { .. } | Every::Week { .. } => "",
    };
    let what = format!(
        "at_least = {least} {period} is too low to tell a stop from chance: if {least} {are} usual, chance alone leaves \
         fewer in {percent} % of the {each}, and only if {usual} or more are usual it does so at most once a year \
         (messages that come independently of each other, a Poisson process; about {} must be missing){night}",
        chance::ENOUGH
    );
    let fix = "count over a longer period or a busier event; keep it if these messages come by a schedule";
    Some(Problem::warning(what).fix(fix))
}

fn at_night(heartbeat: &Heartbeat) -> Option<Problem> {
    let (by, counted) = match heartbeat.every {
        Every::Hour => return None,
        Every::Day { by } => (by?, "only the hours since midnight count"),
        Every::Week { by: Some((Weekday::Monday, by)) } => (by, "only the hours since the week began count"),
        Every::Week { by } => (by?.1, "what comes later does not count"),
    };
    // A week that ends at midnight is due at its end.
    if by.hour() >= MORNING || by == Time::midnight() {
        return None;
    }
    let what = format!("due at {} local time: {counted}, and a page comes in the night", by.strftime("%H:%M"));
    Some(Problem::warning(what).fix("a time when the work is usually done, or no by for the period's end"))
}

/// What is usual is compared every five minutes, over windows of every length.
fn no_period(heartbeat: &Heartbeat, key: &str) -> Option<Problem> {
    let what = format!("{key} has no effect beside expect = \"learned\", which is judged every 5 minutes");
    let warning = Problem::warning(what).fix("leave it out, or expect at_least and at_most");
    (heartbeat.expect == Expect::Learned).then_some(warning)
}

fn failures(heartbeat: &Heartbeat) -> Option<Problem> {
    let wanted = matches!(heartbeat.expect, Expect::Between { at_least: Some(_), .. });
    let is_bad = heartbeat.event.row().is_some_and(|r| matches!(r.class, Class::Failure | Class::Transient));
    let what = format!("this heartbeat pages unless messages fail: {} is a failure", heartbeat.event);
    (wanted && is_bad).then(|| Problem::warning(what).fix("at_most for what must stay rare, or a rule of [[rules]]"))
}

fn named_like_a_rule(config: &Config, heartbeat: &Heartbeat) -> Option<Problem> {
    config.rule(&heartbeat.name)?;
    let what =
        format!("a rule is called {} too: routes that match rule cannot tell them apart", quoted(&heartbeat.name));
    Some(Problem::warning(what).fix("give one of them another name"))
}

fn ignored(config: &Config, heartbeat: &Heartbeat) -> Option<Problem> {
    let source = heartbeat.source.to_string();
    let glob = config.ignore.sources.iter().find(|glob| glob.matches(&source))?;
    let what = format!(
        "{source} is ignored as {} in [ignore]: its events are never counted, so this heartbeat is always low",
        quoted(&glob.pattern())
    );
    Some(Problem::warning(what).fix("take it out of [ignore], or remove the heartbeat"))
}

fn is_twin(one: &Heartbeat, other: &Heartbeat) -> bool {
    (&one.source, &one.event, &one.action, one.every) == (&other.source, &other.event, &other.action, other.every)
}

fn twice(config: &Config, twin: usize, places: &Places<'_>) -> Problem {
    let name = config.heartbeats.get(twin).map_or("", |h| h.name.as_str());
    let what = format!(
        "{} (line {}) counts the same events of the same source in the same period: a stop would page twice",
        quoted(name),
        places.line(SECTION, twin)
    );
    Problem::warning(what).fix("one heartbeat with at_least and at_most, or another period or action")
}

/// A week is left out by the date that it begins on.
fn exceptions(heartbeat: &Heartbeat, index: usize, places: &Places<'_>) {
    if !matches!(heartbeat.every, Every::Week { .. }) {
        return;
    }
    for (nth, date) in heartbeat.except.iter().enumerate() {
        if date.weekday() == Weekday::Monday {
            continue;
        }
        let monday = date.nth_weekday(-1, Weekday::Monday).ok().map(|monday| monday.to_string());
        let at = places.offset(&[Step::Key(SECTION), Step::Nth(index), Step::Key("except"), Step::Nth(nth)]);
        let what = format!("{date} leaves nothing out: a week is left out by the date of its Monday");
        places.report(at, Problem::warning(what).fix("the date of the week's Monday").did_you_mean(monday));
    }
}
