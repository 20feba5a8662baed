//! One value of the file and what it can be read as. Every reader reports what it found and what is allowed.

use std::ops::RangeInclusive;

use hyper::Uri;
use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wildmatch::WildMatch;

use super::hidden::may_be_secret;
use super::problem::{Problem, Report, nearest, quoted};
use super::{Table, meant, parse_duration, show_duration};
use crate::config::secrets::{SECRET_FORMS, SecretRef};

/// Longest name of a workspace, receiver, rule, source or owner, in characters: they go into headlines and keys.
const NAME_CHARS: usize = 100;

/// One value.
pub struct Item<'a> {
    key: &'static str,
    /// The title of its table.
    of: String,
    value: &'a DeValue<'a>,
    /// Byte offset.
    at: usize,
    report: &'a Report<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn new(key: &'static str, of: String, value: &'a Spanned<DeValue<'a>>, report: &'a Report<'a>) -> Self {
        Self { key, of, at: value.span().start, value: value.get_ref(), report }
    }

    /// `"at_least" in count of [[rules]]`.
    pub fn place(&self) -> String {
        format!("{} in {}", quoted(self.key), self.of)
    }

    pub fn line(&self) -> usize {
        self.report.position(self.at).0
    }

    /// Reports a problem at this value.
    pub fn error(&self, problem: Problem) {
        self.report.push(self.at, problem);
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// The entries of a list.
    pub fn entries(&self) -> Option<Vec<Item<'a>>> {
        let Some(entries) = self.value.as_array() else {
            self.wrong_shape("a list", &format!("{} = [...]", self.key));
            return None;
        };
        Some(entries.iter().map(|e| Item::new(self.key, self.of.clone(), e, self.report)).collect())
    }

    /// A table below this value's table.
    pub fn table(&self, title: String) -> Option<Table<'a>> {
        let Some(entries): Option<&'a DeTable<'a>> = self.value.as_table() else {
            self.wrong_shape("a table", &format!("{} = {{ ... }}", self.key));
            return None;
        };
        Some(Table::new(title, self.at, entries, self.report))
    }

    /// Any text.
    pub fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            // Numbers and dates only lack their quotes; show them with these.
            let example = match self.value {
                DeValue::Integer(n) => format!("{} = \"{n}\"", self.key),
                DeValue::Float(n) => format!("{} = \"{n}\"", self.key),
                DeValue::Datetime(at) => format!("{} = \"{at}\"", self.key),
                _ => format!("{} = \"...\"", self.key),
            };
            self.wrong_type("a text in quotes", &example);
        }
        text
    }

    /// A text that people will read as a name.
    pub fn name(&self) -> Option<String> {
        let text = self.text()?;
        if may_be_secret(text) {
            let what = format!("{} looks like a secret, and would be shown", self.place());
            self.error(
                Problem::error(what).allowed("a name that people may read; a secret stands where its reference goes"),
            );
            return None;
        }
        let fine = !text.trim().is_empty()
            && text.trim() == text
            && text.chars().count() <= NAME_CHARS
            && !text.chars().any(char::is_control);
        if !fine {
            self.error(
                Problem::error(format!("{} is no name: {}", self.place(), quoted(text)))
                    .allowed(format!("1 to {NAME_CHARS} characters on one line, without spaces at either end")),
            );
        }
        fine.then(|| text.to_owned())
    }

    pub fn boolean(&self) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.wrong_type("true or false", &format!("{} = true", self.key));
        }
        value
    }

    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(number) = self.value else {
            let meant = self.value.as_str().map(str::trim).filter(|s| s.parse::<u64>().is_ok());
            self.wrong_type("a whole number", &format!("{} = {}", self.key, meant.unwrap_or("3")));
            return None;
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if value.is_none() {
            self.out_of_range(&number.to_string(), &format!("{} to {}", range.start(), range.end()));
        }
        value
    }

    /// A fraction between 0 and 1, neither included.
    pub fn fraction(&self) -> Option<f64> {
        const FORM: &str = "a fraction between 0 and 1, for example 0.05 for 5 %";
        let (shown, value) = match self.value {
            DeValue::Float(number) => (number.to_string(), number.as_str().parse::<f64>().ok()),
            DeValue::Integer(number) => (number.to_string(), None),
            DeValue::String(text) => {
                let what = format!("{} must be a number, found the text {}", self.place(), quoted(text));
                self.error(Problem::error(what).allowed(FORM).did_you_mean(meant::fraction(text)));
                return None;
            }
            _ => {
                self.wrong_type("a number", FORM);
                return None;
            }
        };
        let value = value.filter(|v| *v > 0.0 && *v < 1.0);
        if value.is_none() {
            let what = format!("{} is out of range: {shown}", self.place());
            self.error(Problem::error(what).allowed(FORM).did_you_mean(meant::fraction(&shown)));
        }
        value
    }

    pub fn duration(&self, range: RangeInclusive<SignedDuration>) -> Option<SignedDuration> {
        const FORM: &str = "a whole number with d, h, m or s, for example \"10m\", \"24h\", \"1h30m\"";
        let Some(text) = self.value.as_str() else {
            self.wrong_type("a duration in quotes", &format!("{} = \"10m\"", self.key));
            return None;
        };
        let Some(duration) = parse_duration(text) else {
            let what = format!("{} is no duration: {}", self.place(), quoted(text));
            self.error(Problem::error(what).allowed(FORM).did_you_mean(meant::duration(text)));
            return None;
        };
        let fits = range.contains(&duration);
        if !fits {
            let allowed = format!("{} to {}", show_duration(*range.start()), show_duration(*range.end()));
            self.out_of_range(&quoted(text), &allowed);
        }
        fits.then_some(duration)
    }

    /// One of a fixed list of names.
    pub fn one_of<T: Copy>(&self, all: &[T], name_of: impl Fn(T) -> &'static str) -> Option<T> {
        let text = self.text()?;
        let found = all.iter().copied().find(|v| name_of(*v) == text);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|v| name_of(*v)).collect();
            self.error(
                Problem::error(format!("{} cannot be {}", self.place(), quoted(text)))
                    .allowed(names.join(", "))
                    .did_you_mean(nearest(text, names)),
            );
        }
        found
    }

    /// A reference to a secret. Whatever else stands there may be the secret itself and is not repeated.
    pub fn secret(&self) -> Option<SecretRef> {
        let reference = self.value.as_str().and_then(|text| text.parse().ok());
        if reference.is_none() {
            let what = format!("{} is not a reference; secrets are references, never values", self.place());
            self.error(Problem::error(what).allowed(SECRET_FORMS));
        }
        reference
    }

    /// A base address, without the slash at its end. It may carry a token, so it is not repeated.
    pub fn url(&self) -> Option<String> {
        let text = self.text()?;
        let fine = text.parse::<Uri>().is_ok_and(|uri| {
            let host = uri.host().unwrap_or_default();
            let authority = uri.authority().map_or("", |a| a.as_str());
            // What follows the host is a port or nothing: no user name, no port that is none.
            let after_host = authority.strip_prefix(host);
            let port_is_fine = after_host == Some("") || (after_host.is_some() && uri.port_u16().is_some());
            matches!(uri.scheme_str(), Some("http" | "https"))
                && !host.is_empty()
                && port_is_fine
                && uri.query().is_none()
                && !text.contains('#')
        });
        if !fine {
            self.error(Problem::error(format!("{} is no base address", self.place())).allowed(
                "http:// or https://, a host, perhaps a port and a path, without user name and query, for example \
                 \"https://events.eu.pagerduty.com\"",
            ));
        }
        fine.then(|| text.trim_end_matches('/').to_owned())
    }

    /// A local time of day, `18:00`.
    pub fn time(&self) -> Option<Time> {
        if let DeValue::Datetime(found) = self.value
            && let Some(time) = found.time.filter(|_| found.date.is_none())
        {
            let meant = format!("{} = \"{:02}:{:02}\"", self.key, time.hour, time.minute);
            self.wrong_type("a time in quotes", &meant);
            return None;
        }
        let text = self.text()?;
        let time = parse_time(text);
        if time.is_none() {
            self.error(
                Problem::error(format!("{} is no time of day: {}", self.place(), quoted(text)))
                    .allowed("00:00 to 23:59, as HH:MM")
                    .did_you_mean(meant::time(text)),
            );
        }
        time
    }

    /// A local date, `2026-12-25`, in quotes or not.
    pub fn date(&self) -> Option<Date> {
        let unquoted = match self.value {
            DeValue::Datetime(at) if at.time.is_none() => Some(at.to_string()),
            _ => None,
        };
        let text = match unquoted {
            Some(text) => text,
            None => self.text()?.to_owned(),
        };
        // The parser also takes a date with a time behind it; that is not what was asked for.
        let date = text.parse::<Date>().ok().filter(|d| d.to_string() == text);
        if date.is_none() {
            let what = format!("{} is no date: {}", self.place(), quoted(&text));
            self.error(Problem::error(what).allowed("YYYY-MM-DD").did_you_mean(meant::date(&text)));
        }
        date
    }

    /// A pattern in which `*` stands for any text and `?` for one character.
    pub fn glob(&self) -> Option<WildMatch> {
        self.name().map(|pattern| WildMatch::new(&pattern))
    }

    /// Like [`Item::wrong_type`], but without the value: what a list or table was to hold may be secrets.
    fn wrong_shape(&self, wanted: &str, example: &str) {
        let found = match self.value {
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::String(_) => "a text",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(Problem::error(format!("{} must be {wanted}, found {found}", self.place())).allowed(example));
    }

    fn wrong_type(&self, wanted: &str, example: &str) {
        let found = match self.value {
            DeValue::String(text) => format!("the text {}", quoted(text)),
            DeValue::Integer(number) => format!("the number {number}"),
            DeValue::Float(number) => format!("the number {number}"),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(at) => format!("the date or time {at}"),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        };
        self.error(Problem::error(format!("{} must be {wanted}, found {found}", self.place())).allowed(example));
    }

    fn out_of_range(&self, found: &str, allowed: &str) {
        self.error(Problem::error(format!("{} is out of range: {found}", self.place())).allowed(allowed));
    }
}

/// `HH:MM`, two digits each.
pub fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let fine = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        fine.then(|| part.parse::<i8>().ok())?
    };
    Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok()
}
