//! What SNS is sent: a subject, a body for people, attributes for filter policies. Pure; the sending is in `sns`, the
//! body for chat in `sns_chat`.

use super::pagerduty::dedup_key;
use super::plain::{self, Set};
use crate::hash::Parts;
use crate::message::{Message, Phase};
use crate::route::Label;

/// Longest message, in bytes, the attributes' names, types and values included. Source: SNS API reference, Publish.
pub const MESSAGE_BYTES: usize = 262_144;

/// Longest subject, in characters; it must be ASCII, without control characters, and begin with a letter, digit or
/// punctuation. Source: SNS API reference, Publish ("less than 100 characters long").
pub const SUBJECT_CHARS: usize = 99;

/// Most attributes: SNS has no bound, but SQS takes at most ten with raw delivery. Source: SNS developer guide,
/// "Amazon SNS message attributes".
pub const ATTRIBUTES: usize = 10;

/// Messages at once that no e-mail subscription takes amiss: SNS sends an address at most ten a second, and above that
/// switches the subscription off. Source: AWS knowledge center, "sns-email-subscription-disabled".
pub const BURST: usize = 50;

/// Room for the names of a roll-up, in characters: an e-mail has more, but nobody reads it.
pub const NAMES_CHARS: usize = 6_000;

/// Longest value of an attribute, in characters: our own bound, far more than any name of ours needs.
const VALUE_CHARS: usize = 256;

/// The type of all our attributes; it counts towards the size.
pub const ATTRIBUTE_TYPE: &str = "String";

/// A message for SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsMessage {
    pub subject: Option<String>,
    /// Plain text, never empty.
    pub body: String,
    /// Name and value, for filter policies; the most useful first. They are never encrypted: no personal data.
    pub attributes: Vec<(String, String)>,
    /// `MessageGroupId` of a FIFO topic: one order for each incident.
    pub group_id: String,
    /// `MessageDeduplicationId` of a FIFO topic: differs for whatever is news, so that a resolve is never eaten.
    pub dedup_id: String,
}

impl SnsMessage {
    /// What SNS counts, in bytes.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(n, v)| n.len() + ATTRIBUTE_TYPE.len() + v.len());
        self.body.len() + attributes.sum::<usize>()
    }
}

/// The message for SNS, within its limits.
pub fn render(message: &Message) -> SnsMessage {
    let title = plain::title(message);
    let lines = plain::lines(message, Set::Flowing);
    let whole = std::iter::once(title.clone()).chain([String::new()]).chain(lines).collect::<Vec<_>>().join("\n");
    let body = whole.chars().filter(|c| is_allowed(*c)).collect();
    let mut sns = around(message, subject(&title), body);
    if sns.size() > MESSAGE_BYTES {
        // The workspace, the least useful one, makes way.
        sns.attributes.truncate(ATTRIBUTES - 1);
        sns.attributes.push(("truncated".to_owned(), "true".to_owned()));
        let room = MESSAGE_BYTES.saturating_sub(sns.size() - sns.body.len());
        cut_bytes(&mut sns.body, room);
    }
    sns
}

/// A body with what every format has around it: attributes, and the ids of a FIFO topic.
pub(super) fn around(message: &Message, subject: Option<String>, body: String) -> SnsMessage {
    let phase = format!("{:?} {}", message.phase, message.severity.as_str());
    SnsMessage {
        subject,
        body,
        attributes: attributes(message),
        group_id: hex(&[&message.key]),
        dedup_id: hex(&[&message.key, &message.episode.to_string(), &phase]),
    }
}

fn attributes(message: &Message) -> Vec<(String, String)> {
    let about = &message.about;
    let label = |label| message.labels.get(&label).and_then(|values| values.first()).map(String::as_str);
    let condition = match (&about.rule, &about.heartbeat) {
        (Some(rule), _) => ("rule", Some(rule.as_str())),
        (None, heartbeat) => ("heartbeat", heartbeat.as_deref()),
    };
    let key = dedup_key(&message.key);
    let named = [
        ("severity", Some(message.severity.as_str())),
        ("event_action", Some(action(message.phase))),
        ("kind", label(Label::Kind).or_else(|| (message.phase == Phase::Digest).then_some("digest"))),
        condition,
        ("source", about.sources.first().map(String::as_str)),
        ("metric", about.metric.as_deref()),
        ("cause", about.cause.as_deref()),
        ("owner", label(Label::Owner)),
        ("dedup_key", Some(key.as_str())),
        ("workspace", Some(message.workspace.as_str())),
    ];
    let named = named.into_iter().filter_map(|(name, value)| {
        let value: String = plain::one_line(value?).chars().filter(|c| is_allowed(*c)).take(VALUE_CHARS).collect();
        (!value.is_empty()).then(|| (name.to_owned(), value))
    });
    named.take(ATTRIBUTES).collect()
}

/// What the message does to the incident, in PagerDuty's words where they fit.
pub(super) const fn action(phase: Phase) -> &'static str {
    match phase {
        Phase::Opened | Phase::Test => "trigger",
        Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted => "update",
        Phase::Resolved | Phase::OpenedAndResolved => "resolve",
        Phase::Digest => "digest",
    }
}

/// The title in ASCII, fit for an e-mail's subject; `None` when nothing is left of it.
fn subject(title: &str) -> Option<String> {
    let mut ascii = String::with_capacity(title.len());
    for c in title.chars() {
        match c {
            ' '..='~' => ascii.push(c),
            c => ascii.push_str(ascii_for(c)),
        }
    }
    let line = plain::one_line(&ascii);
    let line = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if line.len() <= SUBJECT_CHARS {
        return (!line.is_empty()).then(|| line.to_owned());
    }
    // It is ASCII. Half a number would be another one, so it ends with a word, unless the last is very long.
    let kept = &line[..SUBJECT_CHARS - 3];
    let whole = kept.rfind(' ').filter(|at| 2 * at > SUBJECT_CHARS).map_or(kept, |at| &kept[..at]);
    Some(format!("{}...", whole.trim_end()))
}

/// The nearest ASCII for what European text and our own typography use; `?` for any other letter.
fn ascii_for(c: char) -> &'static str {
    match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'Ä' | 'Æ' => "Ae",
        'Ö' | 'Œ' => "Oe",
        'Ü' => "Ue",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ì'..='ï' | 'ı' | 'ī' | 'į' => "i",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='õ' | 'ø' | 'ő' => "o",
        'ù'..='û' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ś' | 'š' | 'ş' => "s",
        'ź' | 'ż' | 'ž' => "z",
        'ł' => "l",
        'ğ' => "g",
        'ř' => "r",
        'À'..='Å' => "A",
        'Ç' | 'Č' => "C",
        'È'..='Ë' => "E",
        'Ì'..='Ï' | 'İ' => "I",
        'Ñ' => "N",
        'Ò'..='Õ' | 'Ø' => "O",
        'Ù'..='Û' => "U",
        'Ś' | 'Š' | 'Ş' => "S",
        'Ż' | 'Ž' => "Z",
        'Ł' => "L",
        '–' | '—' | '·' | '•' => "-",
        '…' => "...",
        '‘' | '’' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '→' => "->",
        '×' => "x",
        c if c.is_control() || c.is_whitespace() => " ",
        c if c.is_alphanumeric() => "?",
        _ => "",
    }
}

/// What SQS, the strictest subscriber, accepts. Source: SQS API reference, SendMessage.
pub(super) const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Cuts at a character, with a mark at the end.
fn cut_bytes(text: &mut String, bytes: usize) {
    const MARK: &str = "\n[cut]";
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
}

fn hex(parts: &[&str]) -> String {
    Parts::of(parts).hex(32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::receivers::testing::{PHASES, any_message, message};

    /// SNS's limits, and those of its strictest subscriber.
    fn assert_valid(sns: &SnsMessage) {
        assert!((1..=MESSAGE_BYTES).contains(&sns.size()) && !sns.body.trim().is_empty());
        if let Some(subject) = &sns.subject {
            assert!((1..=SUBJECT_CHARS).contains(&subject.len()), "{subject}");
            assert!(subject.bytes().all(|b| (b' '..=b'~').contains(&b)), "{subject}");
            assert!(subject.starts_with(|c: char| c.is_ascii_alphanumeric()), "{subject}");
        }
        assert!(sns.attributes.len() <= ATTRIBUTES);
        for (i, (name, value)) in sns.attributes.iter().enumerate() {
            assert!(!name.is_empty() && !value.is_empty(), "{name}");
            assert!(!sns.attributes[..i].iter().any(|(other, _)| other == name), "{name} twice");
        }
        for text in sns.attributes.iter().map(|(_, v)| v).chain([&sns.body]) {
            assert!(text.chars().all(is_allowed));
        }
        for id in [&sns.group_id, &sns.dedup_id] {
            assert!((1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn an_opening_reads_well_as_an_e_mail() {
        let sns = render(&message(Phase::Opened));
        insta::assert_snapshot!(format!("{}\n---\n{}", sns.subject.unwrap_or_default(), sns.body), @"
        Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
        ---
        Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error

        Where: Password reset (transactional 2)
        How many: 12 of 400 (3.0 %)
        Cause: render_error: the template asks for data that is not there

        Check first:
        1. Open the message's editor and preview it with a failing person.
        2. Undo the last edit.

        It said:
        “liquid error: undefined <plan> & 'tier' for <masked>”

        Deliveries & drafts: https://fly.customer.io/env/12345/deliveries?type=failed&page=1

        acme · incident 0f3a9c1e-1 · rule transactional-failing
        ");
    }

    #[test]
    fn each_phase_has_its_subject_and_action() {
        let lines: Vec<String> = PHASES
            .iter()
            .map(|phase| {
                let sns = render(&message(*phase));
                assert_valid(&sns);
                let action = sns.attributes.iter().find(|(name, _)| name == "event_action");
                format!("{}: {}", action.map_or("-", |(_, value)| value), sns.subject.unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        trigger: Critical: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
        update: Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
        update: Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
        update: Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
        update: Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
        resolve: Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
        resolve: Opened and resolved: Password reset (transactional 2): 12 emails failed 14:02 to 14:09, over now
        digest: Digest: acme on Mon 23 Nov: 2 incidents, 12,040 messages sent
        trigger: Test: Password reset (transactional 2): 12 emails failed since 14:02, cause render_error
        ");
    }

    #[test]
    fn filter_policies_find_what_they_look_for() {
        let shown = |phase| {
            let pairs: Vec<String> =
                render(&message(phase)).attributes.into_iter().map(|(n, v)| format!("{n}={v}")).collect();
            pairs.join("\n")
        };
        insta::assert_snapshot!(shown(Phase::Opened), @r#"
        severity=critical
        event_action=trigger
        kind=rule
        rule=transactional-failing
        source=transactional:2
        metric=email_failed
        cause=render_error
        owner=platform
        dedup_key=cio-0f3a9c1e77b24d5580aa11bb22cc33dd
        workspace=acme
        "#);
        insta::assert_snapshot!(shown(Phase::Digest), @r#"
        severity=info
        event_action=digest
        kind=digest
        dedup_key=cio-0f3a9c1e77b24d5580aa11bb22cc33dd
        workspace=acme
        "#);
    }

    #[test]
    fn subjects_are_short_ascii_and_begin_with_a_letter() {
        for (title, want) in [
            (
                "Critical: Zahlungserinnerung überfällig – 3 Fehler…",
                Some("Critical: Zahlungserinnerung ueberfaellig - 3 Fehler..."),
            ),
            ("🔴 “Activation” → silent", Some("Activation\" -> silent")),
            ("a\r\nBcc: x@example.com", Some("a Bcc: x@example.com")),
            ("🔴 …", None),
            ("", None),
        ] {
            assert_eq!(subject(title).as_deref(), want, "{title}");
        }
        let long = subject(&"word ".repeat(40)).unwrap();
        assert!(long.len() <= 99 && long.ends_with("..."), "{long}");
    }

    #[test]
    fn news_of_one_incident_keeps_its_group_and_is_never_taken_for_a_repeat() {
        let phases =
            [Phase::Opened, Phase::Worsened, Phase::StillOpen, Phase::Resolved, Phase::OpenedAndResolved, Phase::Test];
        let sent: Vec<SnsMessage> = phases.iter().map(|p| render(&message(*p))).collect();
        for (i, one) in sent.iter().enumerate() {
            assert_eq!(one.group_id, sent[0].group_id);
            assert!(sent[..i].iter().all(|other| other.dedup_id != one.dedup_id));
        }
        let again = render(&Message { episode: 2, ..message(Phase::Opened) });
        assert_ne!(again.dedup_id, sent[0].dedup_id);
        assert_eq!(render(&message(Phase::Opened)).dedup_id, sent[0].dedup_id, "a retry is a repeat");
    }

    #[test]
    fn a_body_that_is_too_long_is_cut_between_characters_and_says_so() {
        let mut huge = message(Phase::Opened);
        huge.samples = vec!["ü🦀".repeat(100_000)];
        let sns = render(&huge);
        assert_valid(&sns);
        assert!(sns.size() > MESSAGE_BYTES - 8 && sns.body.ends_with("\n[cut]"));
        assert_eq!(sns.attributes.last(), Some(&("truncated".to_owned(), "true".to_owned())));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_message_exceeds_a_limit(message in any_message()) {
            assert_valid(&render(&message));
        }
    }
}
