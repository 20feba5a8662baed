//! `[[heartbeats]]`: what a workflow must do.

use jiff::civil::{Time, Weekday};

use super::hours::{DAY_TIME_FORM, meant_day_time, parse_day_time};
use super::rules::severity;
use super::{kinds, sources};
use crate::config::reader::{Item, Problem, Table, Unique, quoted};
use crate::customerio::event::Kind;
use crate::heartbeat::{Every, Expect, Heartbeat};
use crate::tally::journeys::JOURNEY;

/// Largest number of beats: more than any sender has in a week.
const MOST_BEATS: u64 = 10_000_000_000;

/// `[[heartbeats]]`.
pub fn heartbeats(file: &mut Table<'_>) -> Vec<Heartbeat> {
    let mut names = Unique::new("heartbeat");
    file.tables("heartbeats").into_iter().filter_map(|table| heartbeat(table, &mut names)).collect()
}

fn heartbeat(mut table: Table<'_>, names: &mut Unique) -> Option<Heartbeat> {
    let name = table.need("name", |item| {
        let name = item.name()?;
        names.note(&name, item);
        Some(name)
    });
    let source = table.need("source", sources::exact);
    let event = beat(&mut table);
    let action = table.get("action", Item::name);
    let expect = expect(&mut table);
    let every = every(&mut table);
    let severity = severity(&mut table);
    let except = table.list("except", Item::date).unwrap_or_default();
    let must_run = table.get("must_run", Item::boolean).unwrap_or(false);
    table.finish();
    Some(Heartbeat {
        name: name?,
        source: source?,
        event: event?,
        action,
        expect: expect?,
        every: every?,
        severity,
        except,
        must_run,
    })
}

fn beat(table: &mut Table<'_>) -> Option<Kind> {
    const FORMS: &str = "event = \"email_sent\", or distinct = \"journey\"";
    match (table.has("event"), table.has("distinct")) {
        (true, true) => {
            table.error_at(
                "distinct",
                Problem::error("a heartbeat counts an event or journeys, not both").allowed(FORMS),
            );
        }
        (false, false) => table.error(Problem::error("a heartbeat needs something to count").allowed(FORMS)),
        (true, false) | (false, true) => {}
    }
    let event = table.get("event", kinds::one);
    let distinct = table.get("distinct", |item| item.one_of(&["journey"], |name| name));
    event.or_else(|| distinct.map(|_| JOURNEY))
}

fn expect(table: &mut Table<'_>) -> Option<Expect> {
    const FORMS: &str = "at_least = 40, at_most = 500 or both; or expect = \"learned\"";
    let learned = table.get("expect", |item| item.one_of(&["learned"], |name| name)).is_some();
    let at_least = table.get("at_least", |item| item.integer(1..=MOST_BEATS));
    let at_most = table.get("at_most", |item| item.integer(0..=MOST_BEATS));
    let fixed = table.has("at_least") || table.has("at_most");
    if table.has("expect") && fixed {
        let what = "a heartbeat expects fixed numbers or what is usual, not both";
        table.error_at("expect", Problem::error(what).allowed(FORMS));
    } else if !table.has("expect") && !fixed {
        table.error(Problem::error("a heartbeat needs a number to expect").allowed(FORMS));
        return None;
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        let what = format!("at_least is {least} and at_most only {most}: no count would be right");
        table.error_at("at_most", Problem::error(what).allowed(format!("{least} or more")));
    }
    Some(if learned { Expect::Learned } else { Expect::Between { at_least, at_most } })
}

fn every(table: &mut Table<'_>) -> Option<Every> {
    let every = if table.has("every") {
        table.get("every", |item| item.one_of(&["hour", "day", "week"], |name| name))
    } else {
        table.item("every");
        Some("day")
    };
    let by = table.item("by");
    match (every?, by) {
        ("hour", None) => Some(Every::Hour),
        ("hour", Some(by)) => {
            let what = "an hourly heartbeat has no \"by\": it is due at each hour's end";
            by.error(Problem::error(what).allowed("every = \"day\" or \"week\" with by, or no by"));
            None
        }
        ("week", None) => Some(Every::Week { by: None }),
        ("week", Some(by)) => Some(Every::Week { by: Some(day_time(&by)?) }),
        (_, None) => Some(Every::Day { by: None }),
        (_, Some(by)) => Some(Every::Day { by: Some(time(&by)?) }),
    }
}

fn time(item: &Item<'_>) -> Option<Time> {
    let time = item.time()?;
    if time == Time::midnight() {
        item.error(
            Problem::error("a day that is due at 00:00 has no time to beat")
                .allowed("00:01 to 23:59, or no by for the day's end"),
        );
        return None;
    }
    Some(time)
}

fn day_time(item: &Item<'_>) -> Option<(Weekday, Time)> {
    let text = item.text()?;
    let parsed = parse_day_time(text);
    if parsed.is_none() {
        let what = format!("{} is no day and time of a week: {}", item.place(), quoted(text));
        item.error(Problem::error(what).allowed(DAY_TIME_FORM).did_you_mean(meant_day_time(text)));
        return None;
    }
    if parsed == Some((Weekday::Monday, Time::midnight())) {
        item.error(
            Problem::error("a week begins on mon 00:00; one that is due then has no time to beat")
                .allowed("a later time, or no by for the week's end"),
        );
        return None;
    }
    parsed
}
