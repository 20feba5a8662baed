//! Hours and weekdays as people write them: `mon-fri 08:00-20:00`, `fri 18:00`.

use jiff::civil::{Time, Weekday};

use crate::config::reader::{meant, parse_time};
use crate::route::Hours;

/// Weekdays from Monday.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// What [`parse_hours`] takes, for error texts.
pub const HOURS_FORM: &str = "days and a span of local time: \"mon-fri 08:00-20:00\", \"daily 22:00-06:00\" (into the next \
                              day), \"sat,sun\" (all day); several as a list";

/// What [`parse_day_time`] takes, for error texts.
pub const DAY_TIME_FORM: &str = "mon, tue, wed, thu, fri, sat or sun and a time: \"fri 18:00\"";

/// Days (`daily`, names, spans of names) and a span of time; `24:00` is the day's end, a span that ends before it
/// begins goes on into the next day, and days alone are whole days.
pub fn parse_hours(text: &str) -> Option<Hours> {
    let (days, span) = text.trim().split_once(' ').unwrap_or((text.trim(), WHOLE_DAY));
    let (from, to) = span.trim().split_once('-')?;
    let from = parse_time(from.trim())?;
    let whole_day_end = to.trim() == "24:00";
    let to = if whole_day_end { Time::midnight() } else { parse_time(to.trim())? };
    // The same time twice is no span, unless it is written as the whole day.
    if from == to && !whole_day_end {
        return None;
    }
    Some(Hours { days: parse_days(days)?, from, to })
}

const WHOLE_DAY: &str = "00:00-24:00";

/// What hours that [`parse_hours`] refuses were probably meant to be: `mo-fr 8-20`, `08:00-20:00`, `weekdays`.
pub fn meant_hours(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (days, span) = text.split_at(at);
    let days = match days.trim().trim_end_matches([',', ':']) {
        "" | "every day" | "all days" | "always" => "daily".to_owned(),
        "weekdays" | "workdays" => "mon-fri".to_owned(),
        "weekend" | "weekends" => "sat,sun".to_owned(),
        days => {
            let parts: Vec<_> = days.split(',').map(|part| meant_days(part.trim())).collect::<Option<_>>()?;
            parts.join(",")
        }
    };
    let better = if span.is_empty() { days } else { format!("{days} {}", meant::span(span)?) };
    parse_hours(&better).map(|_| better)
}

fn meant_days(part: &str) -> Option<String> {
    let names = DAYS.map(|(name, _)| name);
    let Some((first, last)) = part.split_once('-') else { return meant::weekday(part, &names).map(str::to_owned) };
    Some(format!("{}-{}", meant::weekday(first, &names)?, meant::weekday(last, &names)?))
}

/// What a day and a time that [`parse_day_time`] refuses were probably meant to be: `friday 18:00`, `fri 6pm`.
pub fn meant_day_time(text: &str) -> Option<String> {
    let (day, time) = text.trim().split_once(' ')?;
    let better = format!("{} {}", meant::weekday(day, &DAYS.map(|(name, _)| name))?, meant::time(time)?);
    parse_day_time(&better).map(|_| better)
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    if text == "daily" {
        return Some(DAYS.iter().map(|(_, day)| *day).collect());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        // A span may go over Sunday: fri-mon.
        let length = last.since(first);
        days.extend((0..=length).map(|n| first.wrapping_add(n)));
    }
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    Some(days)
}

/// A weekday and a time, `fri 18:00`.
pub fn parse_day_time(text: &str) -> Option<(Weekday, Time)> {
    let (name, time) = text.trim().split_once(' ')?;
    Some((day(name)?, parse_time(time.trim())?))
}

fn day(name: &str) -> Option<Weekday> {
    DAYS.iter().find(|(n, _)| *n == name).map(|(_, day)| *day)
}

/// The short name of a weekday.
pub fn day_name(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, d)| *d == day).map_or("", |(name, _)| name)
}

/// Hours as they are written, days from Monday: `mon,tue,wed 08:00-20:00`, `sat,sun`.
pub fn show_hours(hours: &Hours) -> String {
    let days: Vec<_> = hours.days.iter().map(|day| day_name(*day)).collect();
    let end = if hours.to == Time::midnight() { "24:00".into() } else { hours.to.strftime("%H:%M").to_string() };
    let days = match days.as_slice() {
        days if days.len() == DAYS.len() => "daily".into(),
        ["mon", "tue", "wed", "thu", "fri"] => "mon-fri".into(),
        days => days.join(","),
    };
    let span = format!("{}-{end}", hours.from.strftime("%H:%M"));
    if span == WHOLE_DAY { days } else { format!("{days} {span}") }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::route::{self, Labels, Route};

    fn shown(text: &str) -> Option<String> {
        parse_hours(text).as_ref().map(show_hours)
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, meant) in [
            ("mon-fri 08:00-20:00", "mon-fri 08:00-20:00"),
            ("sat,sun 10:00-12:00", "sat,sun 10:00-12:00"),
            ("daily 08:00-20:00", "daily 08:00-20:00"),
            ("mon-sun 22:00-06:00", "daily 22:00-06:00"),
            ("fri-mon 00:00-24:00", "mon,fri,sat,sun"),
            ("sat,sun", "sat,sun"),
            ("daily 00:00-24:00", "daily"),
            ("mon-fri 18:00-24:00", "mon-fri 18:00-24:00"),
            ("mon,mon,wed 08:00 - 09:00", "mon,wed 08:00-09:00"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_of_hours_is_refused() {
        for wrong in [
            "",
            "08:00-20:00",
            "mon-fri 8-20",
            "weekend",
            "mon-fri 08:00",
            "mon-fri 08:00-25:00",
            "funday 08:00-20:00",
            "mon-fri 08:00-08:00",
            "mon- 08:00-20:00",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_slip_leads_to_the_hours_that_were_meant() {
        for (typed, meant) in [
            ("08:00-20:00", Some("daily 08:00-20:00")),
            ("mo-fr 8-20", Some("mon-fri 08:00-20:00")),
            ("Monday, Wednesday 9am-5pm", Some("mon,wed 09:00-17:00")),
            ("weekend", Some("sat,sun")),
            ("weekdays 08:00 to 20:00", Some("mon-fri 08:00-20:00")),
            ("mon-fri 08:00-25:00", None),
            ("funday 08:00-20:00", None),
            ("", Some("daily")),
        ] {
            assert_eq!(meant_hours(typed).as_deref(), meant, "{typed}");
        }
        assert_eq!(meant_day_time("Friday 6pm").as_deref(), Some("fri 18:00"));
        assert_eq!(meant_day_time("18:00"), None);
    }

    #[test]
    fn hours_follow_the_clock_on_the_wall_when_clocks_change() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let routes = |hours: &str| {
            let hours = vec![parse_hours(hours).expect("hours")];
            [Route { matchers: Vec::new(), hours, receivers: vec!["a".into()], goes_on: false }]
        };
        let holds = |hours: &str, at: &str| {
            let at: Timestamp = at.parse().expect("a time");
            !route::receivers(&routes(hours), &Labels::new(), at, &zone).is_empty()
        };
        // On 29 March 2026 the hour from 02:00 does not come: 00:59 UTC is 01:59, 01:00 UTC is 03:00.
        for at in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"] {
            assert!(!holds("sun 02:00-03:00", at) && holds("sun 00:00-24:00", at), "{at}");
        }
        assert!(holds("sat 22:00-06:00", "2026-03-29T03:59:00Z") && !holds("sat 22:00-06:00", "2026-03-29T04:00:00Z"));
        // On 25 October 2026 it comes twice.
        for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert!(holds("sun 02:00-03:00", at), "{at}");
        }
        assert!(!holds("sun 02:00-03:00", "2026-10-25T02:00:00Z"));
    }

    #[test]
    fn a_week_is_met_by_a_day_and_a_time() {
        assert_eq!(parse_day_time("fri 18:00"), Some((Weekday::Friday, Time::constant(18, 0, 0, 0))));
        assert!(["friday 18:00", "18:00", "fri", "fri 24:00"].iter().all(|t| parse_day_time(t).is_none()));
    }
}
