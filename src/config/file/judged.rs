//! `[[rules]]` and `[[heartbeats]]`: what is bad, and what must happen.

use schemars::JsonSchema;

use super::texts::{Date, Due, Duration, Event, EventOrPattern, Name, OneOrMany, Source, SourcePattern};

/// Opens an incident for each group in which its condition becomes true.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = [{ "required": ["count"] }, { "required": ["rate"] }]))]
pub struct Rule {
    /// What people call it; each once.
    pub name: Name,
    /// What is counted: events or patterns such as `*_failed`.
    #[schemars(length(min = 1))]
    pub events: Vec<EventOrPattern>,
    /// Patterns over sources, such as `transactional:*`. Default: every source.
    pub sources: Option<Vec<SourcePattern>>,
    /// What incidents are told apart by; `[]` for one incident in all. Default: `["cause"]`, for a rate `["source"]`.
    pub group_by: Option<Vec<Dimension>>,
    /// True once there are so many events within a window; this or `rate`.
    pub count: Option<Count>,
    /// True once more than a fraction of what was sent fails within a window; this or `count`.
    pub rate: Option<Rate>,
    /// How bad it is. Who leaves it out is not told more quietly for that.
    #[schemars(extend("default" = "critical"))]
    pub severity: Option<Severity>,
    /// An incident resolves after so much quiet time in which we could hear, `1m` to `7d`. Default: the longer of the
    /// window and 30 minutes.
    pub quiet_for: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Count {
    /// How many events make it true.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub at_least: u64,
    /// Within which time, `1m` to `7d`.
    pub within: Duration,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rate {
    /// What the rate is taken of; each of `events` needs one of its own channel here.
    pub of: OneOrMany<EventOrPattern>,
    /// The fraction that is too much: `0.05` is 5 %.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub above: f64,
    /// The fraction at or under which an incident is quiet again, at most `above`. Default: four fifths of `above`.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub below: Option<f64>,
    /// Within which time, `1m` to `7d`.
    pub within: Duration,
    /// How much later than their sends failures come, at most `7d`.
    #[schemars(extend("default" = "1h"))]
    pub lag: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Severity {
    Critical,
    Warning,
    Info,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Dimension {
    Cause,
    Source,
    Action,
    Channel,
    Metric,
    Provider,
}

/// What a workflow must do in a period.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = [
    { "oneOf": [{ "required": ["event"] }, { "required": ["distinct"] }] },
    { "oneOf": [
        { "required": ["expect"] },
        { "anyOf": [{ "required": ["at_least"] }, { "required": ["at_most"] }] },
    ] },
    {
        "if": { "properties": { "every": { "const": "hour" } }, "required": ["every"] },
        "then": { "not": { "required": ["by"] } },
    },
]))]
pub struct Heartbeat {
    /// What people call it; each once.
    pub name: Name,
    /// Whose messages are counted.
    pub source: Source,
    /// What is counted; this or `distinct`.
    pub event: Option<Event>,
    /// What is counted instead of an event: runs of people through the workflow, each once, when it began. A run is heard
    /// of with its first message, so this suits workflows whose first message leaves at once. Ids
    /// that are no ULIDs count once a UTC day, about: page, digest and `check --data` say so then.
    pub distinct: Option<Distinct>,
    /// Only what this action of the workflow sent, such as `"97"`. Default: every action.
    pub action: Option<Name>,
    /// What is expected instead of numbers.
    pub expect: Option<Expect>,
    /// Fewer are too few.
    #[schemars(range(min = 1, max = 10_000_000_000_u64))]
    pub at_least: Option<u64>,
    /// More are too many.
    #[schemars(range(min = 0, max = 10_000_000_000_u64))]
    pub at_most: Option<u64>,
    /// The period, local; weeks begin on Monday.
    #[schemars(extend("default" = "day"))]
    pub every: Option<Every>,
    /// When it must be met, local: `"18:00"`; for a week `"fri 18:00"`; an hour has none. Default: the period's end.
    pub by: Option<Due>,
    /// How bad it is.
    #[schemars(extend("default" = "critical"))]
    pub severity: Option<Severity>,
    /// Dates whose periods are not judged: days, or the Mondays of weeks. Default: none.
    pub except: Option<Vec<Date>>,
    /// That somebody stopped the workflow is no excuse. Without it a campaign that Customer.io calls stopped is a warning,
    /// told once, until it runs again (needs `app_api_key`).
    #[schemars(extend("default" = false))]
    pub must_run: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Distinct {
    Journey,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Expect {
    Learned,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Every {
    Hour,
    Day,
    Week,
}
