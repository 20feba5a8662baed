//! The forms that texts have in the file, as patterns of the schema. Each takes whatever [`crate::config::parse`] takes;
//! that knows more exactly.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::config::parse::KINDS;
use crate::customerio::metric::{CHANNELS, METRICS};

/// A text of one form.
macro_rules! text {
    ($(#[doc = $doc:literal])+ $name:ident, $pattern:literal, $examples:tt) => {
        $(#[doc = $doc])+
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let examples: &[&str] = &$examples;
                let mut schema = json_schema!({ "type": "string", "pattern": $pattern });
                if !examples.is_empty() {
                    schema.insert("examples".into(), examples.into());
                }
                schema
            }
        }
    };
}

text!(
    /// 1 to 100 characters on one line, without spaces at either end.
    Name, r"^\S(.{0,98}\S)?$", []
);
text!(
    /// A reference to a secret.
    Secret,
    r"^(env:[A-Za-z_][A-Za-z0-9_]*|secret:[^#]+(#.+)?|ssm:.+)$",
    ["env:NAME", "secret:NAME#field", "ssm:NAME"]
);
text!(
    /// A base address.
    Url, r"^https?://[^/#?@]+(/[^#?]*)?$", ["https://events.eu.pagerduty.com"]
);
text!(
    /// An IANA time zone; there are too many to list.
    Zone, r"^[A-Za-z0-9_+/-]+$", ["UTC", "Europe/Berlin", "America/New_York"]
);
text!(
    /// Whole numbers with units from the longest to the shortest.
    Duration, r"^(\d+[dhms])+$", ["10m", "1h30m", "24h", "7d"]
);
text!(
    /// A local time of day.
    Time, r"^([01]\d|2[0-3]):[0-5]\d$", ["18:00"]
);
text!(
    /// A local time of day, or a day of the week and a time.
    Due, r"^\s*((mon|tue|wed|thu|fri|sat|sun)\s+)?([01]\d|2[0-3]):[0-5]\d\s*$", ["18:00", "fri 18:00"]
);
text!(
    /// A local date.
    Date, r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", ["2026-12-25"]
);
text!(
    /// Days and a span of local time.
    Hours,
    r"^\s*(daily|(mon|tue|wed|thu|fri|sat|sun)([,-](mon|tue|wed|thu|fri|sat|sun))*)(\s+([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d:[0-5]\d|2[0-3]:[0-5]\d|24:00))?\s*$",
    ["mon-fri 08:00-20:00", "daily 22:00-06:00", "sat,sun"]
);
text!(
    /// One source.
    Source,
    r"^(campaign|broadcast|newsletter|transactional):[^*?:\s]+$",
    ["campaign:5", "broadcast:9", "newsletter:10", "transactional:2"]
);
text!(
    /// A pattern over sources: a kind or a pattern of one, and an id or a pattern of ids.
    SourcePattern, r"^([^:]+:.+|none|.*\*.*)$", ["campaign:5", "transactional:*"]
);
/// One text or a list with at least one.
pub struct OneOrMany<T>(std::marker::PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// One event.
pub struct Event;

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let listed: Vec<String> =
            KINDS.iter().flat_map(|(channel, metrics)| metrics.iter().map(move |m| format!("{channel}_{m}"))).collect();
        // Others are taken too, with a warning: nothing sends them.
        let metrics: Vec<&str> = METRICS.iter().map(|m| m.name).collect();
        let any = format!("^({})_({})$", CHANNELS.join("|"), metrics.join("|"));
        json_schema!({
            "description": "<channel>_<metric>",
            "anyOf": [{ "enum": listed }, { "type": "string", "pattern": any }],
        })
    }
}

/// One event, or a pattern over events.
pub struct EventOrPattern;

impl JsonSchema for EventOrPattern {
    fn schema_name() -> Cow<'static, str> {
        "EventOrPattern".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let event = generator.subschema_for::<Event>();
        json_schema!({
            "description": "<channel>_<metric>, or a pattern such as *_failed: * stands for any text, ? for one character",
            "anyOf": [event, { "type": "string", "pattern": "[*?]", "examples": ["*_failed", "email_*"] }],
        })
    }
}
