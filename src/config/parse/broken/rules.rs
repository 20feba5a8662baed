//! Broken rules and heartbeats.

use super::problems_with;

const RULE: &str = "[[rules]]\nname = \"r\"\nevents = [\"email_failed\"]\n";
const COUNT: &str = "count = { at_least = 3, within = \"10m\" }\n";
const BEAT: &str = "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\n";

#[test]
fn rules_that_are_wrong() {
    let rule = |keys: &str| format!("{RULE}{keys}");
    let texts = [
        rule(""),
        rule(&format!("{COUNT}rate = {{ of = \"email_sent\", above = 0.05, within = \"1h\" }}\n")),
        rule("count = { at_least = \"3\", within = \"10m\" }\n"),
        rule("count = { at_least = 0, within = \"10m\" }\n"),
        rule("count = { at_least = 2.5, within = \"10m\" }\n"),
        rule("count = { within = \"10m\" }\n"),
        rule("count = { at_least = 3, within = \"10min\" }\n"),
        rule("count = { at_least = 3, within = 10 }\n"),
        rule("count = { at_least = 3, within = \"8d\" }\n"),
        rule("count = { at_least = 3, within = \"30s\" }\n"),
        rule("count = { at_least = 3, within = \"10m\", of = \"email_sent\" }\n"),
        rule("count = 3\n"),
        rule("rate = { of = \"email_sent\", above = 5, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = 1.0, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = \"5%\", within = \"1h\" }\n"),
        rule("rate = { of = \"email_snet\", above = 0.05, within = \"1h\" }\n"),
        rule("rate = { above = 0.05, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = 0.05, below = 0.06, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = 0.05, below = 0, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = 0.05, below = \"4%\", within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", below = 0.04, within = \"1h\" }\n"),
        rule("rate = { of = \"email_sent\", above = 0.05, bellow = 0.04, within = \"1h\" }\n"),
        rule(&format!("{COUNT}severity = \"crit\"\n")),
        rule(&format!("{COUNT}sevrity = \"critical\"\n")),
        rule(&format!("{COUNT}group_by = [\"cuase\"]\n")),
        rule(&format!("{COUNT}quiet_for = \"0s\"\n")),
        rule(&format!("{COUNT}sources = [\"campagn:*\"]\n")),
        format!("[[rules]]\nname = \"r\"\nevents = []\n{COUNT}"),
        format!("[[rules]]\nname = \"r\"\nevents = [\"emial_*\"]\n{COUNT}"),
        format!("[[rules]]\nname = \"r\"\nevents = [\"email_bounce\"]\n{COUNT}"),
        format!("[[rules]]\nname = \"r\"\nevents = \"email_failed\"\n{COUNT}"),
        format!("[[rules]]\nevents = [\"email_failed\"]\n{COUNT}"),
        format!("[[rules]]\nname = \" r\"\nevents = [\"email_failed\"]\n{COUNT}"),
        format!("{RULE}{COUNT}{RULE}{COUNT}"),
    ];
    let told: Vec<_> = texts.iter().map(|text| problems_with(text).join("\n  and ")).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    1:1: error: a rule needs a count or a rate; allowed: count = { at_least = 3, within = "10m" }, or rate = { of = "email_sent", above = 0.05, within = "1h" }
    5:1: error: a rule has a count or a rate, not both; allowed: count = { at_least = 3, within = "10m" }, or rate = { of = "email_sent", above = 0.05, within = "1h" }
    4:22: error: "at_least" in count of [[rules]] must be a whole number, found the text "3"; allowed: at_least = 3
    4:22: error: "at_least" in count of [[rules]] is out of range: 0; allowed: 1 to 1000000
    4:22: error: "at_least" in count of [[rules]] must be a whole number, found the number 2.5; allowed: at_least = 3
    4:9: error: "at_least" is missing in count of [[rules]]; allowed: at_least = 3
    4:34: error: "within" in count of [[rules]] is no duration: "10min"; allowed: a whole number with d, h, m or s, for example "10m", "24h", "1h30m"; did you mean "10m"?
    4:34: error: "within" in count of [[rules]] must be a duration in quotes, found the number 10; allowed: within = "10m"
    4:34: error: "within" in count of [[rules]] is out of range: "8d"; allowed: 1m to 7d
    4:34: error: "within" in count of [[rules]] is out of range: "30s"; allowed: 1m to 7d
    4:41: error: unknown key "of" in count of [[rules]]; allowed: at_least, within
    4:9: error: "count" in [[rules]] must be a table, found a number; allowed: count = { ... }
    4:37: error: "above" in rate of [[rules]] is out of range: 5; allowed: a fraction between 0 and 1, for example 0.05 for 5 %; did you mean "0.05"?
    4:37: error: "above" in rate of [[rules]] is out of range: 1.0; allowed: a fraction between 0 and 1, for example 0.05 for 5 %
    4:37: error: "above" in rate of [[rules]] must be a number, found the text "5%"; allowed: a fraction between 0 and 1, for example 0.05 for 5 %; did you mean "0.05"?
    4:15: error: "of" in rate of [[rules]] is no event: "email_snet"; allowed: <channel>_<metric>, or a pattern such as *_failed; metrics of email: drafted, attempted, sent, delivered, opened, clicked, converted, bounced, dropped, deferred, spammed, failed, unsubscribed, undeliverable; did you mean "email_sent"?
    4:8: error: "of" is missing in rate of [[rules]]; allowed: of = "email_sent"
    4:51: error: "below" in rate of [[rules]] lies over "above": 0.06 and 0.05; allowed: a fraction between 0 and 0.05; without it 0.04
    4:51: error: "below" in rate of [[rules]] is out of range: 0; allowed: a fraction between 0 and 1, for example 0.05 for 5 %
    4:51: error: "below" in rate of [[rules]] must be a number, found the text "4%"; allowed: a fraction between 0 and 1, for example 0.05 for 5 %; did you mean "0.04"?
    4:8: error: "above" is missing in rate of [[rules]]; allowed: above = 0.05
    4:43: error: unknown key "bellow" in rate of [[rules]]; allowed: of, above, below, within, lag; did you mean "below"?
    5:12: error: "severity" in [[rules]] cannot be "crit"; allowed: critical, warning, info; did you mean "critical"?
    5:1: error: unknown key "sevrity" in [[rules]]; allowed: name, events, sources, group_by, count, rate, severity, quiet_for; did you mean "severity"?
    5:13: error: "group_by" in [[rules]] cannot be "cuase"; allowed: cause, source, action, channel, metric, provider; did you mean "cause"?
    5:13: error: "quiet_for" in [[rules]] is out of range: "0s"; allowed: 1m to 7d
    5:12: error: "sources" in [[rules]] matches no source: "campagn:*"; allowed: campaign:ID, broadcast:ID, newsletter:ID or transactional:ID, with * for any text, for example "transactional:*"; did you mean "campaign:*"?
    3:10: error: "events" in [[rules]] needs at least one entry; allowed: events = ["email_failed"]
    3:11: error: "events" in [[rules]] matches no event: "emial_*"; allowed: <channel>_<metric>, or a pattern such as *_failed; channels: in_app, email, sms, push, slack, webhook, whatsapp, customer
    3:11: error: "events" in [[rules]] is no event: "email_bounce"; allowed: <channel>_<metric>, or a pattern such as *_failed; metrics of email: drafted, attempted, sent, delivered, opened, clicked, converted, bounced, dropped, deferred, spammed, failed, unsubscribed, undeliverable; did you mean "email_bounced"?
    3:10: error: "events" in [[rules]] must be a list, found a text; allowed: events = [...]
    1:1: error: "name" is missing in [[rules]]; allowed: name = "..."
    2:8: error: "name" in [[rules]] is no name: " r"; allowed: 1 to 100 characters on one line, without spaces at either end
    6:8: error: the rule "r" is there twice; the first is on line 11; allowed: each rule once
    "#);
}

#[test]
fn heartbeats_that_are_wrong() {
    let beat = |keys: &str| format!("{BEAT}{keys}");
    let texts = [
        beat(""),
        beat("at_least = 0\n"),
        beat("at_least = -4\n"),
        beat("at_least = 99999999999999999999999\n"),
        beat("at_least = 40\nat_most = 30\n"),
        beat("at_least = 40\nexpect = \"learned\"\n"),
        beat("expect = \"guessed\"\n"),
        beat("at_least = 40\ndistinct = \"journey\"\n"),
        beat("at_least = 40\nevery = \"month\"\n"),
        beat("at_least = 40\nevery = \"hour\"\nby = \"18:00\"\n"),
        beat("at_least = 40\nby = \"fri 18:00\"\n"),
        beat("at_least = 40\nby = \"00:00\"\n"),
        beat("at_least = 40\nevery = \"week\"\nby = \"18:00\"\n"),
        beat("at_least = 40\nevery = \"week\"\nby = \"mon 00:00\"\n"),
        beat("at_least = 40\nexcept = [\"2026-12-32\"]\n"),
        beat("at_least = 40\nexcept = [\"25.12.2026\"]\n"),
        beat("at_least = 40\naction = 97\n"),
        "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\nat_least = 1\n".into(),
        "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:*\"\nevent = \"email_sent\"\nat_least = 1\n".into(),
        "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\nevent = \"email_*\"\nat_least = 1\n".into(),
        "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\nevent = \"mail_sent\"\nat_least = 1\n".into(),
    ];
    let told: Vec<_> = texts.iter().map(|text| problems_with(text).join("\n  and ")).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    1:1: error: a heartbeat needs a number to expect; allowed: at_least = 40, at_most = 500 or both; or expect = "learned"
    5:12: error: "at_least" in [[heartbeats]] is out of range: 0; allowed: 1 to 10000000000
    5:12: error: "at_least" in [[heartbeats]] is out of range: -4; allowed: 1 to 10000000000
    5:12: error: "at_least" in [[heartbeats]] is out of range: 99999999999999999999999; allowed: 1 to 10000000000
    6:1: error: at_least is 40 and at_most only 30: no count would be right; allowed: 40 or more
    6:1: error: a heartbeat expects fixed numbers or what is usual, not both; allowed: at_least = 40, at_most = 500 or both; or expect = "learned"
    5:10: error: "expect" in [[heartbeats]] cannot be "guessed"; allowed: learned
    6:1: error: a heartbeat counts an event or journeys, not both; allowed: event = "email_sent", or distinct = "journey"
    6:9: error: "every" in [[heartbeats]] cannot be "month"; allowed: hour, day, week
    7:6: error: an hourly heartbeat has no "by": it is due at each hour's end; allowed: every = "day" or "week" with by, or no by
    6:6: error: "by" in [[heartbeats]] is no time of day: "fri 18:00"; allowed: 00:00 to 23:59, as HH:MM
    6:6: error: a day that is due at 00:00 has no time to beat; allowed: 00:01 to 23:59, or no by for the day's end
    7:6: error: "by" in [[heartbeats]] is no day and time of a week: "18:00"; allowed: mon, tue, wed, thu, fri, sat or sun and a time: "fri 18:00"
    7:6: error: a week begins on mon 00:00; one that is due then has no time to beat; allowed: a later time, or no by for the week's end
    6:11: error: "except" in [[heartbeats]] is no date: "2026-12-32"; allowed: YYYY-MM-DD
    6:11: error: "except" in [[heartbeats]] is no date: "25.12.2026"; allowed: YYYY-MM-DD; did you mean "2026-12-25"?
    6:10: error: "action" in [[heartbeats]] must be a text in quotes, found the number 97; allowed: action = "97"
    1:1: error: a heartbeat needs something to count; allowed: event = "email_sent", or distinct = "journey"
    3:10: error: "source" in [[heartbeats]] is no source: "campaign:*"; allowed: campaign:ID, broadcast:ID, newsletter:ID or transactional:ID
    4:9: error: "event" in [[heartbeats]] must be one event, not a pattern: "email_*"; allowed: <channel>_<metric>; metrics of email: drafted, attempted, sent, delivered, opened, clicked, converted, bounced, dropped, deferred, spammed, failed, unsubscribed, undeliverable
    4:9: error: "event" in [[heartbeats]] is no event: "mail_sent"; allowed: <channel>_<metric>; channels: in_app, email, sms, push, slack, webhook, whatsapp, customer; did you mean "email_sent"?
    "#);
}
