//! What a rule's incident says.

use std::collections::BTreeMap;

use super::{FOUND_LATE, Facts, Parts, Telling, field, label};
use crate::customerio::cause::{CauseKey, missing_variable};
use crate::customerio::cause_table::{CauseRow, Fault};
use crate::customerio::event::{Kind, Source};
use crate::customerio::mask::PLACEHOLDERS;
use crate::customerio::provider::PROVIDERS;
use crate::incident::{Dimension, Incident, Numbers, Subject};
use crate::message::providers::{self, Blame, ByProvider};
use crate::message::{About, HEADLINE_CHARS, Phase, text, words};
use crate::route::Label;
use crate::rules::Condition;
use crate::runbook;

/// Lengths, in characters, that names are cut to until the headline fits: how many of how many must not be cut off.
const NAME_LENGTHS: [usize; 4] = [usize::MAX, 60, 36, 20];

pub(super) fn parts(telling: &Telling<'_>, rule: &str) -> Parts {
    let Telling { incident, phase, facts, config, .. } = *telling;
    let seen = Seen::of(incident, phase, facts);
    let Seen { sources, kinds, causes, .. } = &seen;
    let row: Option<&'static CauseRow> = seen.cause.as_ref().map(CauseKey::row);
    let name = |source: &Source| words::source(config, &facts.names, source);

    let mut fields = vec![field("Where", words::sources(config, &facts.names, sources))];
    if sources.len() > 2 {
        let named: Vec<String> = sources.iter().take(8).map(name).collect();
        let more = sources.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        fields.push(field("Sources", format!("{}{more}", named.join(", "))));
    }
    if let Some(within) = &seen.within {
        fields.push(field("Group", within.clone()));
    }
    fields.push(field("Since", telling.since()));
    fields.push(field("How many", seen.how_many()));
    if let Some(list) = seen.providers.list() {
        fields.push(field("Mailbox providers", list));
    }
    if let Some(row) = row {
        fields.push(field("Cause", format!("{} ({})", row.title, row.key)));
        fields.push(field("Meaning", row.meaning.to_owned()));
    }
    if !seen.variables.is_empty() {
        fields.push(field("Variable", seen.variables.join(", ")));
    }
    if causes.len() > 1 {
        let named: Vec<String> =
            causes.iter().take(4).map(|(c, n)| format!("{} {}", c.row().title, text::number(*n))).collect();
        fields.push(field("Causes", named.join(", ")));
    }
    if seen.cause == Some(CauseKey::UNKNOWN)
        && let Some(texts) = different_texts(facts)
    {
        fields.push(field("Texts", texts));
    }
    let condition = config.rule(rule).map_or_else(String::new, |r| format!(": {}", words::condition(r)));
    fields.push(field("Rule", format!("{rule}{condition}")));
    if let Some(click) = sources.first().and_then(|s| words::where_to_click(config, &facts.names, s)) {
        fields.push(field("In Customer.io", click));
    }
    if !facts.unheard.is_empty() && !phase.is_over() {
        let names: Vec<String> = facts.unheard.iter().map(|kind| format!("no {kind}")).collect();
        let hint = format!(
            "{} in the last 7 days: unless the reporting webhook subscribes to that, recovery cannot be seen",
            names.join(" and ")
        );
        fields.push(field("Recovery", hint));
    }
    let metrics: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    let about = About {
        sources: sources.iter().map(Source::to_string).collect(),
        rule: Some(rule.to_owned()),
        heartbeat: None,
        metric: (!metrics.is_empty()).then(|| metrics.join(",")),
        cause: seen.cause.as_ref().map(|c| c.as_str().to_owned()),
        count: seen.numbers.count,
        of: seen.numbers.of,
    };
    let steps = row.map_or(&[][..], |row| row.check_first).iter().map(|s| (*s).to_owned()).collect();
    let is_rate = config.rule(rule).is_some_and(|rule| matches!(rule.condition, Condition::Rate { .. }));
    let general = if is_rate { runbook::kinds::RATES } else { runbook::kinds::FAILURES };
    let section = Some(row.map_or(general.key, |row| row.key));
    Parts {
        headline: seen.headline(telling),
        about,
        fields,
        steps,
        more: seen.more(incident),
        lines: None,
        runbook: section,
    }
}

/// What is known of the failures, as the words need it.
struct Seen {
    /// Most affected first, like all that follows.
    sources: Vec<Source>,
    kinds: Vec<Kind>,
    causes: Vec<(CauseKey, u64)>,
    cause: Option<CauseKey>,
    numbers: Numbers,
    /// "Of how many" can be said.
    of_is_known: bool,
    providers: ByProvider,
    /// What the samples say is missing, when that is why it does not render.
    variables: Vec<String>,
    /// Every sample names the same one.
    one_variable: bool,
    /// What tells its group apart besides source and cause: `action 41`, `to Gmail`.
    within: Option<String>,
}

impl Seen {
    fn of(incident: &Incident, phase: Phase, facts: &Facts) -> Self {
        let numbers = numbers(incident, facts, phase);
        let mut sources: Vec<Source> = facts.ranked(|t| t.series.source.clone()).into_iter().map(|(s, _)| s).collect();
        if sources.is_empty() {
            sources = label(incident, Label::Source).iter().filter_map(|s| s.parse().ok()).collect();
        }
        let mut kinds: Vec<Kind> = facts.ranked(|t| t.series.kind.clone()).into_iter().map(|(k, _)| k).collect();
        if kinds.is_empty() {
            kinds = label(incident, Label::Metric).iter().filter_map(|k| k.parse().ok()).collect();
        }
        // An opt-out or an opening has no cause.
        let causes = facts.ranked(|t| t.series.cause.clone());
        let causes: Vec<_> = causes.into_iter().filter_map(|(cause, count)| Some((cause?, count))).collect();
        let cause = causes.first().map(|(c, _)| c.clone()).or_else(|| {
            let stored = label(incident, Label::Cause).first()?;
            serde_json::from_value(serde_json::Value::String(stored.clone())).ok()
        });
        let does_not_render = cause.as_ref().is_some_and(|cause| cause.as_str() == RENDER_ERROR);
        let samples = if does_not_render { incident.samples.as_slice() } else { &[] };
        let named: Vec<Option<String>> = samples.iter().map(|text| variable(text)).collect();
        let mut variables: Vec<String> = Vec::new();
        for name in named.iter().flatten() {
            if !variables.contains(name) {
                variables.push(name.clone());
            }
        }
        // What our own template broke is no mailbox provider's doing, wherever it was to go.
        let is_ours = cause.as_ref().is_some_and(|cause| cause.row().fault == Fault::Template);
        let providers = if is_ours { ByProvider::default() } else { ByProvider::of(&facts.failing, &facts.others) };
        Self {
            sources,
            kinds,
            causes,
            cause,
            of_is_known: facts.of_is_known() || numbers.of > numbers.count,
            numbers,
            providers,
            within: within(incident),
            one_variable: variables.len() == 1 && named.iter().all(Option::is_some),
            variables,
        }
    }

    /// `Activation (campaign 5): only Gmail refuses us: 41 of 200 emails to it bounced since 14:02 (...)`.
    fn headline(&self, telling: &Telling<'_>) -> String {
        let Telling { incident, phase, facts, config, .. } = *telling;
        let what = self.what_happened(phase.is_over());
        let when = match phase {
            phase if phase.is_over() => {
                format!("since {}, last {}", telling.clock(incident.since), telling.clock(incident.last))
            }
            // "Since" alone would say that it goes on.
            _ if incident.found_late && telling.last() < incident.opened_at => {
                telling.between(incident.since, telling.last())
            }
            _ => format!("since {}", telling.clock(incident.since)),
        };
        let open = telling.still_open_for(self.more(incident));
        let title = self.cause.as_ref().map(|cause| cause.row().title).filter(|title| *title != self.verb());
        let all: u64 = self.causes.iter().map(|(_, count)| count).sum();
        let most = self.causes.first().map_or(0, |(_, count)| *count);
        let title = match (self.causes.len(), title) {
            (2.., Some(title)) if most * 2 > all => Some(format!("mostly {title}")),
            (n @ 2.., _) => Some(format!("{n} causes")),
            (_, title) => title.map(str::to_owned),
        };
        let why = match (title, self.variables.first().filter(|_| self.one_variable)) {
            (Some(title), Some(variable)) => format!(" ({title}: {variable} is missing)"),
            (Some(title), None) => format!(" ({title})"),
            (None, _) => String::new(),
        };
        let within = self.within.as_ref().map_or_else(String::new, |within| format!(", {within}"));
        let rest = format!("{within}: {what} {when}{open}{why}");
        let room = HEADLINE_CHARS.saturating_sub(rest.chars().count() + FOUND_LATE.chars().count());
        let mut names = String::new();
        for chars in NAME_LENGTHS {
            names = words::sources_within(config, &facts.names, &self.sources, chars);
            if names.chars().count() <= room {
                break;
            }
        }
        format!("{names}{rest}")
    }

    fn what_happened(&self, is_over: bool) -> String {
        let Numbers { count, of } = self.numbers;
        let (kinds, verb) = (&self.kinds, self.verb());
        match self.providers.blame() {
            Blame::Only { provider, failed, of } if self.of_is_known => {
                let only = providers::only(provider, kinds, is_over);
                format!("{only}: {} of {} to it {verb}", text::number(failed), text::count("email", of))
            }
            // Without a comparison it is worth a word only where the provider decides.
            Blame::Most { .. } if !kinds.iter().all(providers::decides) => self.counted(count, of),
            Blame::Most { provider, all: true, .. } => format!("{}, all to {provider},", self.counted(count, of)),
            Blame::Most { provider, failed, all: false } => {
                format!("{}, {} of them to {provider},", self.counted(count, of), text::number(failed))
            }
            Blame::Only { .. } | Blame::Nobody => self.counted(count, of),
        }
    }

    fn counted(&self, count: u64, of: u64) -> String {
        let one_channel = self.kinds.first().filter(|first| self.kinds.iter().all(|k| k.channel == first.channel));
        let noun = one_channel.map_or("message", |k| words::noun(&k.channel));
        match self.of_is_known {
            true => format!("{} of {} {}", text::number(count), text::count(noun, of), self.verb()),
            false => format!("{} {}", text::count(noun, count), self.verb()),
        }
    }

    fn verb(&self) -> String {
        let one_metric = self.kinds.first().filter(|first| self.kinds.iter().all(|k| k.metric == first.metric));
        one_metric.map_or_else(|| "in trouble".to_owned(), words::verb)
    }

    fn how_many(&self) -> String {
        let Numbers { count, of } = self.numbers;
        match self.of_is_known {
            true => format!("{} of {} ({})", text::number(count), text::number(of), text::percent(count, of)),
            false => format!("{}; of how many is not known", text::number(count)),
        }
    }

    /// How many more than when it opened: the stored numbers are the opening's.
    fn more(&self, incident: &Incident) -> u64 {
        self.numbers.count.saturating_sub(incident.numbers.count)
    }
}

/// What tells a rule's group apart, where neither the sources nor the cause nor the noun says it.
fn within(incident: &Incident) -> Option<String> {
    let Subject::Rule { group, .. } = &incident.subject else { return None };
    let said = |(dimension, value): (&Dimension, &String)| match dimension {
        Dimension::Action => Some(if value.is_empty() { "no action".to_owned() } else { format!("action {value}") }),
        Dimension::Provider => Some(match PROVIDERS.iter().find(|row| row.name == value) {
            Some(row) => format!("to {}", row.title),
            // Domains on no list share a few buckets: which one tells groups apart, and names nobody.
            None => format!("to other providers ({value})"),
        }),
        Dimension::Metric | Dimension::Channel | Dimension::Cause | Dimension::Source => None,
    };
    let parts: Vec<String> = group.iter().filter_map(said).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `3 different; the most frequent came 30 of 41 times`: whether an unknown cause is one fault or many. `None` when no
/// failure of unknown cause has a text.
fn different_texts(facts: &Facts) -> Option<String> {
    let mut texts: BTreeMap<u64, u64> = BTreeMap::new();
    let unknown = facts.failing.iter().filter(|t| t.series.cause.as_ref().is_none_or(|c| *c == CauseKey::UNKNOWN));
    // 0: the failure came without a text.
    for total in unknown.filter(|t| t.series.fingerprint != 0) {
        *texts.entry(total.series.fingerprint).or_default() += total.count;
    }
    let most = *texts.values().max()?;
    let all: u64 = texts.values().sum();
    Some(match texts.len() {
        1 if all == 1 => return None,
        n if most == 1 => format!("{n} different"),
        1 => format!("all the same, {}", text::count("time", all)),
        n => format!("{n} different; the most frequent came {} of {}", text::number(most), text::count("time", all)),
    })
}

const RENDER_ERROR: &str = "render_error";

/// Longest variable's name that is said, in characters.
const VARIABLE_CHARS: usize = 60;

/// The variable that a masked text says is missing; none when the mask took its name.
fn variable(text: &str) -> Option<String> {
    let name = missing_variable(text)?;
    let plain = !name.chars().any(char::is_control) && !PLACEHOLDERS.iter().any(|masked| name.contains(masked));
    plain.then(|| text::cut(name, VARIABLE_CHARS).into_owned())
}

/// The opening's own numbers say why it opened; later messages count on, and never back.
fn numbers(incident: &Incident, facts: &Facts, phase: Phase) -> Numbers {
    let stored = incident.numbers;
    match facts.numbers() {
        Some(now) if now.count >= stored.count => Numbers { count: now.count, of: now.of.max(stored.of) },
        _ if phase.is_over() => stored,
        Some(now) => Numbers { count: stored.count, of: stored.of.max(now.of) },
        None => stored,
    }
}
