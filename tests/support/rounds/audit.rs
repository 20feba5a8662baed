//! What must be true after a round: each event counted once, each alert told, nothing else told.

use std::collections::{BTreeMap, BTreeSet};

use cio_alert_bridge::clock::{Minute, Span};
use cio_alert_bridge::config::Config;
use cio_alert_bridge::customerio::event::Kind;
use cio_alert_bridge::customerio::parse::{self, Context};
use cio_alert_bridge::store::Store;
use cio_alert_bridge::tally::Entry;
use jiff::Timestamp;

use super::Figures;
use super::plan::{AT_LEAST, Place, Plan, kinds};
use crate::support::stand_in::Seen;

/// Most entries that are counted together: as many as a function does.
const BATCH: usize = 100;

/// Reads the registers, then asks the seen set for every event.
pub async fn counts(figures: &mut Figures, plan: &Plan, store: &dyn Store, config: &Config) {
    let (first, last) = plan.minutes();
    let kinds: Vec<Kind> = kinds().map(|(channel, metric)| Kind::known(channel, metric)).collect();
    let cells = store.cells(&kinds, Span::new(Minute(first - 60), Minute(last + 61))).await.expect("a store");
    let mut found: BTreeMap<Place, u64> = BTreeMap::new();
    for cell in cells {
        let place = (cell.series.kind.to_string(), cell.series.source.to_string(), cell.minute.0);
        *found.entry(place).or_default() += cell.count;
    }
    let places: BTreeSet<&Place> = plan.counts.keys().chain(found.keys()).collect();
    for place in places {
        let count = |of: &BTreeMap<Place, u64>| of.get(place).copied().unwrap_or(0);
        let (want, got) = (count(&plan.counts), count(&found));
        figures.missing += want.saturating_sub(got);
        figures.doubled += got.saturating_sub(want);
        if want != got {
            figures.breach(format!("{place:?} counts {got} of {want}"));
        }
    }
    // A register could be right by chance: one event too many, another one too few.
    let context = Context::of(config, Timestamp::now());
    let entries = plan.bodies.iter().flat_map(|body| {
        parse::normalise(body, &context).expect("our own event").events.iter().map(Entry::of).collect::<Vec<_>>()
    });
    for batch in entries.collect::<Vec<_>>().chunks(BATCH) {
        let counted = store.count(batch, Timestamp::now()).await.expect("a store");
        let unseen = counted.iter().filter(|counted| counted.first).count();
        if unseen > 0 {
            figures.missing += unseen as u64;
            figures.breach(format!("{unseen} events were never seen"));
        }
    }
}

/// A message as a receiver understands it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    pub source: String,
    pub over: bool,
}

/// What PagerDuty was sent, in order.
pub fn paged(seen: &[Seen]) -> Vec<Said> {
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let read = |seen: &Seen| {
        let page = seen.json();
        let key = page["dedup_key"].as_str().unwrap_or_default().to_owned();
        let over = page["event_action"] == "resolve";
        if let Some(source) = page["payload"]["custom_details"]["source"].as_str() {
            sources.insert(key.clone(), source.to_owned());
        }
        // A resolve names the page by its key alone.
        let source = sources.get(&key).cloned().unwrap_or_else(|| format!("nobody knows what: {}", seen.text()));
        Said { source, over }
    };
    seen.iter().map(read).collect()
}

/// No page speaks of more failures than there are, nor of fewer than its rule asks for.
pub fn page_counts(figures: &mut Figures, plan: &Plan, seen: &[Seen]) {
    for page in seen.iter().map(Seen::json).filter(|page| page["event_action"] == "trigger") {
        let details = &page["payload"]["custom_details"];
        let failures = details["source"].as_str().and_then(|source| plan.paging.get(source)).copied().unwrap_or(0);
        if !details["count"].as_u64().is_some_and(|count| (AT_LEAST..=failures).contains(&count)) {
            figures.breach(format!("a page of {failures} failures says {details}"));
        }
    }
}

/// What Slack was sent, in order.
pub fn posted(seen: &[Seen]) -> Vec<Said> {
    let read = |seen: &Seen| {
        let text = seen.text();
        let over = text.contains("no longer watched");
        let id = text.split("transactional ").nth(1).unwrap_or_default();
        let id: String = id.chars().take_while(char::is_ascii_digit).collect();
        let source = if id.is_empty() { format!("nobody knows what: {text}") } else { format!("transactional:{id}") };
        Said { source, over }
    };
    seen.iter().map(read).collect()
}

/// Whether every opening, and every end that is due, was heard.
pub fn complete(plan: &Plan, heard: &[Said], with_ends: bool) -> bool {
    let opened = plan.paging.keys().map(|source| Said { source: source.clone(), over: false });
    let ended = plan.passing.iter().filter(|_| with_ends).map(|source| Said { source: source.clone(), over: true });
    opened.chain(ended).all(|due| heard.contains(&due))
}

/// Judges what one receiver heard. A message may come again once for each process that died: nobody knows then whether
/// it had heard the answer.
pub fn told(figures: &mut Figures, plan: &Plan, who: &str, heard: &[Said], deaths: &Deaths) {
    figures.told += heard.len() as u64;
    let mut places: BTreeMap<&Said, Vec<usize>> = BTreeMap::new();
    for (place, message) in heard.iter().enumerate() {
        places.entry(message).or_default().push(place);
    }
    for source in plan.paging.keys() {
        let opening = Said { source: source.clone(), over: false };
        let end = Said { source: source.clone(), over: true };
        let due = plan.passing.contains(source);
        match (places.get(&opening), places.get(&end)) {
            (None, _) => figures.breach(format!("{who} never heard of {source}")),
            (_, None) if due => figures.breach(format!("{who} never heard that {source} is over")),
            (_, Some(_)) if !due => figures.breach(format!("{who} heard that {source} is over")),
            (Some(opened), Some(ended)) if ended.first() < opened.last() => {
                figures.breach(format!("{who} heard the end of {source} before its opening"));
            }
            _ => {}
        }
    }
    for (message, places) in places {
        if !plan.paging.contains_key(&message.source) {
            figures.breach(format!("{who} heard {message:?}, which nobody asked for"));
        }
        figures.copies += places.len() as u64 - 1;
        let unexplained = match deaths {
            Deaths::OneByOne(taken) => {
                let process = |place: &usize| taken.iter().filter(|&&taken| taken <= *place).count();
                places.len() - places.iter().map(process).collect::<BTreeSet<_>>().len()
            }
            #[cfg(feature = "aws")]
            Deaths::Among(deaths) => places.len().saturating_sub(1 + deaths),
        };
        if unexplained > 0 {
            figures.breach(format!("{who} heard {message:?} {unexplained} times without a reason"));
        }
    }
}

/// How those who send to a receiver died.
pub enum Deaths {
    /// One process at a time: how many messages the receiver had taken at the end of each.
    OneByOne(Vec<usize>),
    /// Of several at once so many died.
    #[cfg(feature = "aws")]
    Among(usize),
}
