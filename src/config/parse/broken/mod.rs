//! Broken configurations: where the problem is and what is said of it.

mod rules;

use super::tests::SMALLEST;
use super::*;

/// The smallest configuration with something else; lines count from its first, which is line 10 of the text.
const MORE: usize = 9;

/// The problems of a text, one a line as `line:column: text`; lines of `more` count from 1.
fn problems_with(more: &str) -> Vec<String> {
    let problems = check(&format!("{SMALLEST}{more}")).problems;
    problems.iter().map(|p| format!("{}:{}: {p}", p.line as i64 - MORE as i64, p.column)).collect()
}

/// Each text, and how its only problem begins, with what else is in it.
fn each_has_one_problem(table: &[(&str, &str, &[&str])]) {
    for (more, start, phrases) in table {
        let problems = problems_with(more);
        let [problem] = problems.as_slice() else { panic!("{more}\nhas these problems:\n{}", problems.join("\n")) };
        assert!(problem.starts_with(start), "{more}\n{problem}");
        for phrase in *phrases {
            assert!(problem.contains(phrase), "{more}\n{problem}\nlacks {phrase}");
        }
    }
}

#[test]
fn a_text_that_is_no_toml_is_explained_where_it_breaks() {
    for (text, start, phrases) in [
        ("[workspace\nname = 1", "1:", &["not valid TOML", "header [...] is not closed"][..]),
        ("a = 1\na = 2\n", "2:1: error: not valid TOML: this key or table is there twice", &[]),
        ("[a]\nx = 1\n[a]\n", "3:2: error: not valid TOML: this key or table is there twice", &["[[name]]"]),
        ("name = acme\n", "1:8: error: not valid TOML", &["without quotes", "key = \"text\""]),
        ("name =\n", "1:7: error: not valid TOML: this key has no value", &[]),
        ("name = \"acme\n", "1:", &["not valid TOML", "not closed"]),
        ("grüße = [1, 2\n", "", &["not closed"]),
        ("x = \"\\q\"\n", "1:", &["escape"]),
    ] {
        let problems: Vec<_> = parse(text).problems.iter().map(|p| format!("{}:{}: {p}", p.line, p.column)).collect();
        let first = problems.first().unwrap_or_else(|| panic!("{text} has no problem"));
        assert!(first.starts_with(start), "{text}\n{first}");
        phrases.iter().for_each(|phrase| assert!(first.contains(phrase), "{text}\n{first}\nlacks {phrase}"));
    }
}

#[test]
fn an_empty_file_names_everything_that_is_missing() {
    insta::assert_snapshot!(lines("bridge.toml", &parse("").problems), @r#"
    bridge.toml:1:1: error: [workspace] is missing; allowed: [workspace] with name = "..."
    bridge.toml:1:1: error: [customerio] is missing; allowed: [customerio] with signing_keys = ["env:CIO_SIGNING_KEY"]
    bridge.toml:1:1: error: there are no [[receivers]]; nobody would hear of anything; allowed: at least one, for example [[receivers]] with name = "screen" and type = "console"
    bridge.toml:1:1: error: there are no [[routes]]; nobody would hear of anything; allowed: at least one, for example [[routes]] with receivers = ["..."]
    "#);
}

#[test]
fn all_problems_are_reported_at_once_and_in_order() {
    let text = "\
[workspace]
name = 5
timezone = \"Berlin\"
colour = \"red\"

[customerio]
region = \"uk\"
signing_keys = [\"not-a-reference\", \"env:FINE\"]

[[receivers]]
name = \"on-call\"
type = \"pagerduti\"

[[routes]]
match = { severty = \"critical\" }
receivers = [\"oncall\"]

[[rules]]
name = \"r\"
events = [\"email_boounced\"]
count = { at_least = \"3\", within = \"10 minutes\" }
sevrity = \"critical\"
";
    insta::assert_snapshot!(lines("bridge.toml", &parse(text).problems), @r#"
    bridge.toml:2:8: error: "name" in [workspace] must be a text in quotes, found the number 5; allowed: name = "5"
    bridge.toml:3:12: error: "timezone" in [workspace] is no time zone: "Berlin"; allowed: an IANA name such as "Europe/Berlin" or "UTC"; did you mean "Europe/Berlin"?
    bridge.toml:4:1: error: unknown key "colour" in [workspace]; allowed: name, timezone
    bridge.toml:7:10: error: "region" in [customerio] cannot be "uk"; allowed: us, eu; did you mean "us"?
    bridge.toml:8:17: error: "signing_keys" in [customerio] is not a reference; secrets are references, never values; allowed: env:NAME, secret:NAME, secret:NAME#field or ssm:NAME
    bridge.toml:12:8: error: "type" in [[receivers]] cannot be "pagerduti"; allowed: pagerduty, slack, sns, console; did you mean "pagerduty"?
    bridge.toml:15:11: error: unknown key "severty" in match of [[routes]]; allowed: severity, kind, rule, source, owner, channel, metric, cause; did you mean "severity"?
    bridge.toml:16:14: error: "receivers" in [[routes]] names a receiver that there is not: "oncall"; allowed: on-call; did you mean "on-call"?
    bridge.toml:20:11: error: "events" in [[rules]] is no event: "email_boounced"; allowed: <channel>_<metric>, or a pattern such as *_failed; metrics of email: drafted, attempted, sent, delivered, opened, clicked, converted, bounced, dropped, deferred, spammed, failed, unsubscribed, undeliverable; did you mean "email_bounced"?
    bridge.toml:21:22: error: "at_least" in count of [[rules]] must be a whole number, found the text "3"; allowed: at_least = 3
    bridge.toml:21:36: error: "within" in count of [[rules]] is no duration: "10 minutes"; allowed: a whole number with d, h, m or s, for example "10m", "24h", "1h30m"; did you mean "10m"?
    bridge.toml:22:1: error: unknown key "sevrity" in [[rules]]; allowed: name, events, sources, group_by, count, rate, severity, quiet_for; did you mean "severity"?
    "#);
}

#[test]
fn sections_and_sources_that_are_wrong() {
    each_has_one_problem(&[
        ("[rule]\n", "1:2: error: unknown key \"rule\" in the configuration", &["did you mean \"rules\"?", "storm"]),
        ("[rules]\nname = \"r\"\n", "1:1: error: [[rules]] is a list of tables", &["write [[rules]]"]),
        ("[[storm]]\n", "1:1: error: \"storm\" in the configuration must be a table, found a list", &[]),
        ("[[sources]]\nname = \"x\"\n", "1:1: error: \"id\" is missing in [[sources]]", &[]),
        (
            "[[sources]]\nid = \"campain:5\"\n",
            "2:6: error",
            &["no source: \"campain:5\"", "did you mean \"campaign:5\"?"],
        ),
        ("[[sources]]\nid = 5\n", "2:6: error", &["must be a text in quotes, found the number 5", "id = \"5\""]),
        ("[[sources]]\nid = \"campaign:*\"\n", "2:6: error: \"id\" in [[sources]] is no source", &[]),
        (
            "[[sources]]\nid = \"campaign:5\"\n[[sources]]\nid = \"campaign:5\"\n",
            "4:6: error: the source \"campaign:5\" is there twice; the first is on line 11",
            &[],
        ),
        ("[ignore]\nsources = [\"transactional\"]\n", "2:12: error", &["matches no source", "\"transactional:*\"?"]),
        ("[ignore]\nrecipients = \"*@x\"\n", "2:14: error", &["must be a list, found a text", "recipients = [...]"]),
        ("[privacy]\nshow_personal_data = \"no\"\n", "2:22: error", &["must be true or false, found the text \"no\""]),
        (
            "[page]\nbase_url = \"bridge.example.com\"\n",
            "2:12: error: \"base_url\" in [page] is no base address",
            &["https://"],
        ),
        ("[page]\nbase_url = \"https://me:pw@x.test\"\n", "2:12: error", &["without user name"]),
        ("[page]\nbase_url = \"https://x.test:port\"\n", "2:12: error", &["no base address"]),
        ("[page]\nbase_url = \"https://x.test/?a=1\"\n", "2:12: error", &["no base address"]),
    ]);
}

#[test]
fn receivers_and_digests_that_are_wrong() {
    let slack = "[[receivers]]\nname = \"s\"\ntype = \"slack\"\n";
    let used = "[digest]\nreceivers = [\"s\"]\n";
    let with = |keys: &str| format!("{used}{slack}{keys}");
    let (both, none, no_channel, hook_channel, foreign) = (
        with("webhook_url = \"env:A\"\nbot_token = \"env:B\"\n"),
        with(""),
        with("bot_token = \"env:B\"\n"),
        with("webhook_url = \"env:A\"\nchannel = \"#c\"\n"),
        with("webhook_url = \"env:A\"\nrouting_key = \"env:B\"\n"),
    );
    each_has_one_problem(&[
        (&both, "6:15: error: a webhook has its own channel", &[]),
        (&none, "3:1: error: [[receivers]] of type \"slack\" has no address", &["webhook_url", "bot_token"]),
        (&no_channel, "3:1: error: \"channel\" is missing", &[]),
        (&hook_channel, "6:15: error: a webhook has its own channel", &[]),
        (&foreign, "7:1: error: unknown key \"routing_key\" in [[receivers]] of type \"slack\"", &["webhook_url"]),
        (
            "[[receivers]]\nname = \"s\"\ntype = \"sms\"\n[digest]\nreceivers = [\"s\"]\n",
            "3:8: error",
            &["cannot be \"sms\"", "pagerduty, slack, sns, console", "did you mean \"sns\"?"],
        ),
        (
            "[[receivers]]\nname = \"screen\"\ntype = \"console\"\n",
            "2:8: error: the receiver \"screen\" is there twice",
            &["first is on line 6"],
        ),
        (
            "[[receivers]]\nname = \"s\"\ntype = \"console\"\nfallback = \"scren\"\n[digest]\nreceivers = [\"s\"]\n",
            "4:12: error: \"fallback\" in [[receivers]] names a receiver that there is not: \"scren\"",
            &["allowed: s, screen", "did you mean \"screen\"?"],
        ),
        (
            "[[receivers]]\nname = \"s\"\ntype = \"console\"\nfallback = \"s\"\n",
            "4:12: error: the receiver \"s\" falls back on itself",
            &[],
        ),
        (
            "[[receivers]]\nname = \"a\"\ntype = \"console\"\nfallback = \"b\"\n\
             [[receivers]]\nname = \"b\"\ntype = \"console\"\nfallback = \"c\"\n\
             [[receivers]]\nname = \"c\"\ntype = \"console\"\nfallback = \"b\"\n[digest]\nreceivers = [\"a\"]\n",
            "8:12: error: the receiver \"b\" falls back on itself through \"c\"",
            &[],
        ),
        (
            "[[receivers]]\nname = \"pd\"\ntype = \"pagerduty\"\nrouting_key = \"env:K\"\n[digest]\nreceivers = [\"pd\"]\n",
            "6:14: error: \"pd\" is of type \"pagerduty\", which can only page",
            &[],
        ),
        ("[digest]\nat = \"8:00\"\nreceivers = [\"screen\"]\n", "2:6: error", &["no time of day: \"8:00\"", "HH:MM"]),
        ("[digest]\nat = 08:00:00\nreceivers = [\"screen\"]\n", "2:6: error", &["a time in quotes", "at = \"08:00\""]),
        ("[digest]\nat = \"08:00\"\n", "1:1: error: \"receivers\" is missing in [digest]", &[]),
        ("[digest]\nreceivers = []\n", "2:13: error: \"receivers\" in [digest] needs at least one entry", &[]),
    ]);
}

#[test]
fn routes_that_are_wrong_or_never_match() {
    let base = "[workspace]\nname = \"a\"\n[customerio]\nsigning_keys = [\"env:K\"]\n\
                [[receivers]]\nname = \"s\"\ntype = \"console\"\n";
    let everything = "[[routes]]\nreceivers = [\"s\"]\n";
    let first = |keys: &str| format!("{base}[[routes]]\nreceivers = [\"s\"]\n{keys}\n{everything}");
    let texts = [
        base.to_owned(),
        format!("routes = []\n{base}"),
        format!("{base}[[routes]]\n"),
        format!("{base}[[routes]]\nreceivers = []\n"),
        format!("{base}[[routes]]\nreceivers = [\"t\"]\n"),
        format!("{base}[[routes]]\nreceivers = [\"s\"]\nmatch = {{ severity = \"critical\" }}\n"),
        first(""),
        first("match = { severety = \"critical\" }"),
        first("match = { severity = \"crticial\" }"),
        first("match = { severity = [\"crit*\", \"high\"] }"),
        first("match = { severity = [] }"),
        first("match = { kind = \"heart\" }"),
        first("match = { owner = \"growth\" }"),
        first("match = { rule = \"failure\" }"),
        first("match = { source = \"campain:*\" }"),
        first("match = { source = 5 }"),
        first("match = \"critical\""),
        first("hours = \"08:00-20:00\""),
        first("hours = \"mo-fr 08:00-20:00\""),
        first("continue = \"yes\""),
        first("continue = true"),
        first("match = {}"),
    ];
    let shown = |text: &String| {
        let problems = check(text).problems;
        let lines: Vec<_> = problems.iter().map(|p| format!("{}:{}: {p}", p.line, p.column)).collect();
        if lines.is_empty() { "fine".to_owned() } else { lines.join("\n  and ") }
    };
    insta::assert_snapshot!(texts.iter().map(shown).collect::<Vec<_>>().join("\n"), @r#"
    1:1: error: there are no [[routes]]; nobody would hear of anything; allowed: at least one, for example [[routes]] with receivers = ["..."]
    1:1: error: there are no [[routes]]; nobody would hear of anything; allowed: at least one, for example [[routes]] with receivers = ["..."]
    8:1: error: "receivers" is missing in [[routes]]; allowed: receivers = ["NAME"], names of [[receivers]]
    9:13: error: "receivers" in [[routes]] needs at least one entry; allowed: receivers = ["NAME"], names of [[receivers]]
    9:14: error: "receivers" in [[routes]] names a receiver that there is not: "t"; allowed: s; did you mean "s"?
    8:1: warning: nobody ever hears of warning incidents: no route takes them; fix: end with a [[routes]] without match and hours
    11:1: warning: this route is never reached: the one on line 8 takes all that it matches; fix: put it before them, or give them continue = true, or remove it
    10:11: error: unknown key "severety" in match of [[routes]]; allowed: severity, kind, rule, source, owner, channel, metric, cause; did you mean "severity"?
    10:11: error: this route never matches: severity is never "crticial"; allowed: critical, warning, info; did you mean "critical"?
    fine
    10:22: error: "severity" in match of [[routes]] needs at least one entry; allowed: severity = "..."
    10:11: error: this route never matches: kind is never "heart"; allowed: rule, heartbeat, blindness, canary, lag, drafts, drift, reconciliation; did you mean "heartbeat"?
    10:9: warning: this route never matches: owner is never "growth"; allowed: nothing: no configured source has an owner; fix: give a source of [[sources]] this owner, or write another one here
    10:9: warning: this route never matches: rule is never "failure"; allowed: failures, bounce-rate, spam-rate; fix: write the name of a rule or heartbeat of this file; did you mean "failures"?
    10:20: error: "source" in match of [[routes]] matches no source: "campain:*"; allowed: campaign:ID, broadcast:ID, newsletter:ID or transactional:ID, with * for any text, for example "transactional:*"; did you mean "campaign:*"?
    10:20: error: "source" in match of [[routes]] must be a text in quotes, found the number 5; allowed: source = "5"
    10:9: error: "match" in [[routes]] must be a table, found a text; allowed: match = { ... }
    10:9: error: "hours" in [[routes]] are no hours: "08:00-20:00"; allowed: days and a span of local time: "mon-fri 08:00-20:00", "daily 22:00-06:00" (into the next day), "sat,sun" (all day); several as a list; did you mean "daily 08:00-20:00"?
    10:9: error: "hours" in [[routes]] are no hours: "mo-fr 08:00-20:00"; allowed: days and a span of local time: "mon-fri 08:00-20:00", "daily 22:00-06:00" (into the next day), "sat,sun" (all day); several as a list; did you mean "mon-fri 08:00-20:00"?
    10:12: error: "continue" in [[routes]] must be true or false, found the text "yes"; allowed: continue = true
    11:1: warning: this route adds nobody: whoever it names has heard from a route before it that continues; fix: name other receivers, or remove it
    11:1: warning: this route is never reached: the one on line 8 takes all that it matches; fix: put it before them, or give them continue = true, or remove it
    "#);
}

#[test]
fn sections_without_effect_are_checked_all_the_same_and_others_have_their_limits() {
    let texts = [
        "[counts]\n",
        "[counts]\nsigning_keys = [\"letmein\"]\n",
        "[reconciliation]\ndivergence = 5\nsettle = \"6 h\"\nevents = [{ name = \"x\", campain = 5 }]\n",
        "[deadman]\nurl = \"https://hc.example/secret-uuid\"\n",
        "[canary]\nprofile = \"canary\"\ncampaign = 0\nevery = \"10s\"\nsite_id = \"0a1b\"\n",
        "[canary]\nprofile = \"c\"\ncampaign = 5\nsite_id = \"env:S\"\napi_key = \"env:T\"\n[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 40\n",
        "[storm]\ngroup_wait = \"2h\"\nrepeat_every = \"0s\"\nopen_incidents = 0\n",
        "[[receivers]]\nname = \"lonely\"\ntype = \"console\"\n",
        "[[rules]]\nname = \"r\"\nevents = [\"slack_bounced\"]\ncount = { at_least = 3, within = \"10m\" }\n",
        "[[rules]]\nname = \"r\"\nevents = [\"sms_bounced\"]\nrate = { of = \"email_sent\", above = 0.1, within = \"1h\" }\n",
    ];
    let told: Vec<_> = texts.iter().map(|text| problems_with(text).join("\n  and ")).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    1:1: error: "signing_keys" is missing in [counts]; allowed: signing_keys = ["env:NAME"]
    2:17: error: "signing_keys" in [counts] is not a reference; secrets are references, never values; allowed: env:NAME, secret:NAME, secret:NAME#field or ssm:NAME
    2:14: error: "divergence" in [reconciliation] is out of range: 5; allowed: a fraction between 0 and 1, for example 0.05 for 5 %; did you mean "0.05"?
      and 3:10: error: "settle" in [reconciliation] is no duration: "6 h"; allowed: a whole number with d, h, m or s, for example "10m", "24h", "1h30m"; did you mean "6h"?
      and 4:11: error: "campaign" is missing in events of [reconciliation]; allowed: campaign = 5
      and 4:25: error: unknown key "campain" in events of [reconciliation]; allowed: name, campaign; did you mean "campaign"?
    2:7: error: "url" in [deadman] is not a reference; secrets are references, never values; allowed: env:NAME, secret:NAME, secret:NAME#field or ssm:NAME
    1:1: error: "api_key" is missing in [canary]; allowed: api_key = "..."
      and 3:12: error: "campaign" in [canary] is out of range: 0; allowed: 1 to 18446744073709551615
      and 4:9: error: "every" in [canary] is out of range: "10s"; allowed: 1m to 1h
      and 5:11: error: "site_id" in [canary] is not a reference; secrets are references, never values; allowed: env:NAME, secret:NAME, secret:NAME#field or ssm:NAME
    3:12: error: "campaign" in [canary] is the source of the heartbeat "h", and what the canary's workflow sends never counts; allowed: a workflow of its own, which sends to the test profile only
    2:14: error: "group_wait" in [storm] is out of range: "2h"; allowed: 0s to 1h
      and 3:16: error: "repeat_every" in [storm] is out of range: "0s"; allowed: 1s to 7d
      and 4:18: error: "open_incidents" in [storm] is out of range: 0; allowed: 1 to 100000
    2:8: warning: the receiver "lonely" never hears anything: no route, digest or fallback names it; fix: name it in a route, in [digest] or as a fallback, or remove it
    3:11: warning: nothing ever sends "slack_bounced": Customer.io does not list it among the events of the channel "slack", which are drafted, attempted, sent, clicked, converted, failed, undeliverable; fix: one of these, or another channel
      and 4:9: warning: 3 of slack_bounced are everyday, more so the more is sent, and whoever holds a delivery id can forge them; fix: write a rate: rate = { of = "slack_sent", above = 0.05, within = "1h" }
    4:10: warning: the rate is taken of nothing on the channel "sms", so "sms_bounced" has nothing to be a rate of; did you mean "*_sent"?
    "#);
}
