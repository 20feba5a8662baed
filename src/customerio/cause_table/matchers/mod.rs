//! How a text is recognised: lines of phrases and codes, each with the cause it proves and how surely.
//!
//! Sure lines decide in their order: texts that only one thing can mean. Of the plain ones the first decides, unless
//! another one that matches blames somebody else: then the text says two things and its cause is `unknown`. The last
//! ones hold when no other does. A line whose key is `unknown` ends the search.

mod any;
mod email_codes;
mod email_sure;
mod email_vendors;
mod email_words;
mod push;
mod text_messages;
mod webhook;
mod whatsapp;

use std::sync::LazyLock;

use super::phrases::{Found, PhraseId, Phrases};
use super::text::Text;
use super::{Fault, row};
use crate::customerio::event::Kind;

pub const ANY: &[&str] = &[];
pub const EMAIL: &[&str] = &["email"];
pub const PUSH: &[&str] = &["push"];
pub const SLACK: &[&str] = &["slack"];
pub const WEBHOOK: &[&str] = &["webhook"];
pub const WHATSAPP: &[&str] = &["whatsapp"];
/// Channels whose provider is Twilio.
pub const TEXTING: &[&str] = &["sms", "whatsapp"];
/// Channels that a provider sends for us.
pub const SENT: &[&str] = &["email", "sms", "whatsapp", "push"];

/// Metrics after which the message is tried again.
pub const TRIED_AGAIN: &[&str] = &["attempted", "deferred"];
/// Metrics of a message that no provider took.
pub const NOT_TAKEN: &[&str] = &["attempted", "failed"];

/// What a text must have. Phrases are compared in lower case, as whole words of one sentence.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// One of these phrases.
    Says(&'static [&'static str]),
    /// One of these phrases, by somebody who is no mail server that refuses for good: a server that answers `554
    /// Connection refused` was reached.
    SaysUnrefused(&'static [&'static str]),
    /// One of these phrases, by a mail server that refuses for good.
    SaysRefused(&'static [&'static str]),
    /// One of the first phrases and one of the second.
    Both(&'static [&'static str], &'static [&'static str]),
    /// A sentence, or a part between semicolons, that is one of these phrases and nothing else.
    Is(&'static [&'static str]),
    /// The first phrase at its beginning, the second one anywhere behind.
    Begins(&'static str, &'static str),
    /// This phrase at its end.
    Ends(&'static str),
    /// One of these SMTP enhanced status codes, for example `5.1.1`.
    Enhanced(&'static [&'static str]),
    /// One of these SMTP enhanced status codes, and one of these phrases.
    EnhancedSaying(&'static [&'static str], &'static [&'static str]),
    /// `5.7.x` or `4.7.x` with x from the first up to and with the second.
    Policy(u16, u16),
    /// One of these SMTP reply codes, for example `452`.
    Reply(&'static [&'static str]),
    /// One of these error numbers of the provider.
    Number(&'static [&'static str]),
    /// An HTTP status from the first up to and with the second.
    Http(u16, u16),
}

/// How much a line proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    Sure,
    Plain,
    Last,
}

/// One line of the table.
#[derive(Debug)]
pub struct Matcher {
    /// Channels it speaks for; none: all.
    pub channels: &'static [&'static str],
    /// Metrics it speaks for; none: all.
    pub metrics: &'static [&'static str],
    pub when: When,
    /// Phrases with which the text means something else.
    pub unless: &'static [&'static str],
    pub strength: Strength,
    pub key: &'static str,
}

impl Matcher {
    /// The same for these metrics only.
    pub const fn only(self, metrics: &'static [&'static str]) -> Self {
        Self { metrics, ..self }
    }

    /// The same, but not for a text with one of these phrases.
    pub const fn unless(self, unless: &'static [&'static str]) -> Self {
        Self { unless, ..self }
    }

    fn speaks_for(&self, kind: &Kind) -> bool {
        let speaks = |list: &[&str], name: &str| list.is_empty() || list.contains(&name);
        speaks(self.channels, &kind.channel) && speaks(self.metrics, &kind.metric)
    }
}

/// A line that decides.
pub const fn sure(channels: &'static [&'static str], when: When, key: &'static str) -> Matcher {
    Matcher { channels, metrics: ANY, when, unless: ANY, strength: Strength::Sure, key }
}

/// A line that holds unless another one blames somebody else.
pub const fn plain(channels: &'static [&'static str], when: When, key: &'static str) -> Matcher {
    Matcher { channels, metrics: ANY, when, unless: ANY, strength: Strength::Plain, key }
}

/// A line that holds when no other does.
pub const fn last(channels: &'static [&'static str], when: When, key: &'static str) -> Matcher {
    Matcher { channels, metrics: ANY, when, unless: ANY, strength: Strength::Last, key }
}

/// All lines, in the order in which those of one strength are tried.
pub fn matchers() -> impl Iterator<Item = &'static Matcher> {
    let files: [&[Matcher]; 11] = [
        webhook::ANSWERS,
        any::CUSTOMER_IO,
        webhook::NO_ANSWER,
        whatsapp::LINES,
        text_messages::LINES,
        push::LINES,
        email_sure::LINES,
        email_vendors::LINES,
        email_words::LINES,
        email_codes::LINES,
        any::NETWORK,
    ];
    files.into_iter().flatten()
}

/// The cause that the lines find in a text of that kind.
pub fn find(kind: &Kind, text: &Text) -> Option<&'static str> {
    static INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(matchers()));
    INDEX.find(kind, text)
}

/// The lines by strength, with their phrases as numbers.
struct Index {
    phrases: Phrases,
    lines: Vec<Line>,
}

struct Line {
    matcher: &'static Matcher,
    fault: Fault,
    first: Vec<PhraseId>,
    second: Vec<PhraseId>,
    unless: Vec<PhraseId>,
}

impl Index {
    fn of(matchers: impl Iterator<Item = &'static Matcher>) -> Self {
        let mut phrases = Phrases::default();
        let mut lines: Vec<Line> = matchers
            .map(|matcher| {
                let mut ids = |list: &[&'static str]| list.iter().map(|phrase| phrases.id(phrase)).collect();
                let (first, second) = match matcher.when {
                    When::Says(of)
                    | When::SaysUnrefused(of)
                    | When::SaysRefused(of)
                    | When::Is(of)
                    | When::EnhancedSaying(_, of) => (ids(of), Vec::new()),
                    When::Both(one, other) => (ids(one), ids(other)),
                    _ => (Vec::new(), Vec::new()),
                };
                Line { matcher, fault: row(matcher.key).fault, first, second, unless: ids(matcher.unless) }
            })
            .collect();
        lines.sort_by_key(|line| line.matcher.strength);
        Self { phrases, lines }
    }

    fn find(&self, kind: &Kind, text: &Text) -> Option<&'static str> {
        let found = self.phrases.find(text.words());
        let mut plain: Option<&Line> = None;
        for line in self.lines.iter().filter(|line| line.matcher.speaks_for(kind)) {
            // What is already found by its words needs no line that holds only when no other does.
            if plain.is_some() && line.matcher.strength == Strength::Last {
                break;
            }
            if !line.matches(text, &found) {
                continue;
            }
            match (line.matcher.strength, plain) {
                (Strength::Plain, None) => plain = Some(line),
                (Strength::Plain, Some(first)) if first.fault != line.fault => return None,
                (Strength::Plain, Some(_)) => {}
                (Strength::Sure | Strength::Last, _) => return Some(line.matcher.key),
            }
        }
        plain.map(|line| line.matcher.key)
    }
}

impl Line {
    fn matches(&self, text: &Text, found: &Found) -> bool {
        let has = |code: Option<&str>, codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
        let holds = match self.matcher.when {
            When::Says(_) => found.said.has_any(&self.first),
            When::SaysUnrefused(_) => found.said.has_any(&self.first) && !refuses(text),
            When::SaysRefused(_) => found.said.has_any(&self.first) && refuses(text),
            When::Both(..) => found.said.has_any(&self.first) && found.said.has_any(&self.second),
            When::Is(_) => found.alone.has_any(&self.first),
            When::Begins(first, second) => text.begins(first, second),
            When::Ends(phrase) => text.ends(phrase),
            When::Enhanced(codes) => has(text.enhanced(), codes),
            When::EnhancedSaying(codes, _) => has(text.enhanced(), codes) && found.said.has_any(&self.first),
            When::Policy(from, to) => {
                let detail = text.enhanced().and_then(|code| code.get(1..)?.strip_prefix(".7.")?.parse::<u16>().ok());
                detail.is_some_and(|detail| (from..=to).contains(&detail))
            }
            When::Reply(codes) => has(text.reply(), codes),
            When::Number(numbers) => has(text.number(), numbers),
            When::Http(from, to) => text.http().is_some_and(|status| (from..=to).contains(&status)),
        };
        holds && !found.said.has_any(&self.unless)
    }
}

fn refuses(text: &Text) -> bool {
    text.reply().is_some_and(|code| code.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::super::phrases::MOST_PHRASES;
    use super::*;

    #[test]
    fn all_phrases_have_a_place_and_can_be_said() {
        let index = Index::of(matchers());
        assert!(index.phrases.count() <= MOST_PHRASES, "{} phrases", index.phrases.count());
        for matcher in matchers() {
            let mut phrases = matcher.unless.to_vec();
            match matcher.when {
                When::Says(of)
                | When::SaysUnrefused(of)
                | When::SaysRefused(of)
                | When::Is(of)
                | When::EnhancedSaying(_, of) => phrases.extend(of),
                When::Both(one, other) => phrases.extend(one.iter().chain(other)),
                When::Begins(first, second) => phrases.extend([first, second]),
                When::Ends(phrase) => phrases.push(phrase),
                _ => {}
            }
            for phrase in phrases {
                assert_eq!(format!(" {phrase} "), crate::customerio::cause_table::text::Text::of(phrase).words());
            }
        }
    }
}
