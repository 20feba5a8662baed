//! Sources that were probably meant to be others, and test traffic that is more than test traffic.

use wildmatch::WildMatch;

use super::globs;
use super::places::{Places, Step};
use crate::config::Config;
use crate::config::reader::{Problem, quoted};
use crate::customerio::event::Source;
use crate::customerio::provider::PROVIDERS;
use crate::route::Label;

pub fn advise(config: &Config, places: &Places<'_>) {
    for (index, source) in config.sources.iter().enumerate() {
        if source.name.is_none() && source.owner.is_none() {
            let what = format!("{} is listed without a name and an owner: that says nothing", source.id);
            places.report(places.nth("sources", index), Problem::warning(what).fix("give it a name, or remove it"));
        }
    }
    near_misses(config, places);
    ignored(config, places);
}

/// Every place that names a source or a pattern over sources.
fn near_misses(config: &Config, places: &Places<'_>) {
    let check = |text: &str, path: &[Step<'_>]| {
        let Some(meant) = meant(config, text) else { return };
        let what = format!("{} is not in [[sources]], and one that looks much like it is", quoted(text));
        let fix = "write the one that was meant, or add this one to [[sources]] too";
        places.report(places.offset(path), Problem::warning(what).fix(fix).did_you_mean(Some(meant)));
    };
    for (index, rule) in config.rules.iter().enumerate() {
        for (nth, glob) in rule.sources.iter().enumerate() {
            check(&glob.pattern(), &[Step::Key("rules"), Step::Nth(index), Step::Key("sources"), Step::Nth(nth)]);
        }
    }
    for (index, heartbeat) in config.heartbeats.iter().enumerate() {
        let path = [Step::Key("heartbeats"), Step::Nth(index), Step::Key("source")];
        check(&heartbeat.source.to_string(), &path);
    }
    for (index, route) in config.routes.iter().enumerate() {
        let globs = route.matchers.iter().filter(|m| m.label == Label::Source).flat_map(|m| &m.globs);
        for (nth, glob) in globs.enumerate() {
            let source = [Step::Key("match"), Step::Key("source"), Step::Nth(nth)];
            check(&glob.pattern(), &[&[Step::Key("routes"), Step::Nth(index)][..], &source].concat());
        }
    }
    for (nth, glob) in config.ignore.sources.iter().enumerate() {
        check(&glob.pattern(), &[Step::Key("ignore"), Step::Key("sources"), Step::Nth(nth)]);
    }
}

/// Shortest id in which two digits the wrong way round are a slip and not another source.
const LONG_ID: usize = 3;

/// The declared source that an undeclared one was probably meant to be: the same id of another kind, or two digits the
/// wrong way round. Ids are counted up, so one digit that differs is most often simply another source.
fn meant(config: &Config, text: &str) -> Option<String> {
    let source = text.parse::<Source>().ok().filter(|s| !s.id.contains(['*', '?']))?;
    if config.named(&source).is_some() {
        return None;
    }
    let is_meant = |declared: &Source| {
        let swapped = strsim::damerau_levenshtein(&declared.id, &source.id) == 1
            && declared.id.len() == source.id.len()
            && strsim::levenshtein(&declared.id, &source.id) == 2;
        let of_other_kind = declared.id == source.id && declared.kind != source.kind;
        of_other_kind || (declared.kind == source.kind && source.id.len() >= LONG_ID && swapped)
    };
    config.sources.iter().map(|s| &s.id).find(|id| is_meant(id)).map(Source::to_string)
}

/// `[ignore]` that takes more than tests, and rules of which it leaves nothing.
fn ignored(config: &Config, places: &Places<'_>) {
    let warn = |key: &str, nth: usize, what: String, fix: &str| {
        let at = places.offset(&[Step::Key("ignore"), Step::Key(key), Step::Nth(nth)]);
        places.report(at, Problem::warning(what).fix(fix));
    };
    for (nth, glob) in config.ignore.recipients.iter().enumerate() {
        if let Some(whom) = whom(glob) {
            let what = format!("{} ignores {whom}: none of their messages ever alerts", quoted(&glob.pattern()));
            warn("recipients", nth, what, "the addresses of your own tests only, such as \"*@qa.example.com\"");
        }
    }
    for (nth, glob) in config.ignore.sources.iter().enumerate() {
        let kind = ["campaign", "broadcast", "newsletter", "transactional"]
            .into_iter()
            .filter(|kind| glob.matches(&globs::witness(&format!("{kind}:*"))))
            .collect::<Vec<_>>();
        if !kind.is_empty() {
            let what =
                format!("{} ignores every {}: none of them ever alerts", quoted(&glob.pattern()), kind.join(", "));
            warn("sources", nth, what, "the sources of your own tests only, such as \"campaign:99\"");
        }
    }
    for (index, rule) in config.rules.iter().enumerate() {
        let covered =
            |source: &WildMatch| config.ignore.sources.iter().any(|g| g.matches(&globs::witness(&source.pattern())));
        if !rule.sources.is_empty() && rule.sources.iter().all(covered) {
            let what = format!("the rule {} never fires: all of its sources are in [ignore]", quoted(&rule.name));
            let at = places.key("rules", index, "sources");
            places.report(at, Problem::warning(what).fix("take them out of [ignore], or remove the rule"));
        }
    }
}

/// Whose mail a pattern takes besides that of tests: everybody's, a whole ending's, a mailbox provider's.
fn whom(glob: &WildMatch) -> Option<String> {
    let address = |domain: &str| globs::witness(&format!("*@{domain}"));
    if glob.matches(&address("*")) {
        return Some("every recipient".into());
    }
    let ending = glob.pattern().rsplit_once('.').map(|(_, ending)| ending.to_owned()).unwrap_or_default();
    if !ending.is_empty() && !ending.contains(['*', '?', '@']) && glob.matches(&address(&format!("*.{ending}"))) {
        return Some(format!("every recipient whose address ends in .{ending}"));
    }
    // `yahoo.` stands for all of its countries.
    let domains = PROVIDERS.iter().flat_map(|row| row.domains);
    let taken = domains.map(|d| if d.ends_with('.') { format!("{d}com") } else { (*d).to_owned() });
    taken.into_iter().find(|domain| glob.matches(&address(domain))).map(|domain| format!("every recipient at {domain}"))
}
