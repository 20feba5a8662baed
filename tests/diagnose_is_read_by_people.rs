//! What `bridge diagnose` prints for people: the page as a whole, who is named in it, and what it says when it may not or
//! cannot ask.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::AppApi;
use crate::support::app_api::Traps;
use crate::support::app_api::people::{self, message};
use crate::support::diagnosis::{ADDRESS, now, run, run_in};

/// Times differ from run to run.
fn timeless(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut words: Vec<&str> = Vec::new();
        for word in line.split(' ') {
            if word.starts_with("UTC") && words.last().is_some_and(|w| w.len() == 5 && w.contains(':')) {
                words.pop();
                while words.last().is_some_and(|w| is_date(w)) {
                    words.pop();
                }
                words.push(if word.len() > 3 { "[time]." } else { "[time]" });
                continue;
            }
            words.push(word);
        }
        out.push(words.join(" "));
    }
    out.join("\n")
}

fn is_date(word: &str) -> bool {
    const NAMES: &str = "yesterday Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    !word.is_empty() && (NAMES.split(' ').any(|name| name == word) || word.chars().all(|c| c.is_ascii_digit()))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_a_page_a_step_a_line() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    let fine = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(fine.code, 0);
    insta::assert_snapshot!("diagnose_all_fine", timeless(&fine.out));
    assert!(fine.err.contains("asking for the timeline"), "{}", fine.err);

    let mut world = people::world(now());
    world.people[0].messages = vec![message(
        now(),
        json!({"created": now() - 600, "failed": now() - 590}),
        Some("Variable 'customer.city' is missing for ada+news@example.test"),
    )];
    world.people[0].topics.push(json!({"id": 3, "subscribed": false, "name": "Tips"}));
    let api = AppApi::knowing(world, Traps::default()).await;
    api.refuse("/esp/", 403);
    let failing = run(api.url(), &["--person", ADDRESS, "--campaign", "campaign:5"]).await;
    assert_eq!(failing.code, 1);
    insta::assert_snapshot!("diagnose_does_not_render", timeless(&failing.out));
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_shown_to_who_asks_for_it() {
    let mut world = people::world(now());
    world.people[0].messages = vec![message(
        now(),
        json!({"sent": now() - 600, "bounced": now() - 590}),
        Some("550 5.1.1 <ada+news@example.test> unknown"),
    )];
    let api = AppApi::knowing(world, Traps::default()).await;
    for more in [&["--json"][..], &[]] {
        let args = [&["--person", ADDRESS, "--campaign", "5", "--show-personal-data"], more].concat();
        let ran = run(api.url(), &args).await;
        for shown in [ADDRESS, "u_lovelace_117", "d9c106000075", "dgSYNTH0001", "550 5.1.1 <ada+news@example.test>"] {
            assert!(ran.out.contains(shown), "no {shown} in {}", ran.out);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_not_known_and_the_rest_goes_on() {
    for (status, said) in [
        (403, "The key may not read /v1/customers/{id}/messages (403)"),
        (401, "does not take the key (401"),
        (500, "it answered 500"),
    ] {
        let api = AppApi::knowing(people::world(now()), Traps::default()).await;
        api.refuse("/messages", status);
        let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("not known    Message") && ran.out.contains(said), "{}", ran.out);
        assert!(ran.out.contains("ok           Sender") && ran.out.contains("Not known: Message."), "{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_or_missing_is_said_and_found_nothing() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    api.refuse("/v1/", 401);
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("nothing could be asked") && ran.err.contains("--region eu"), "{}", ran.err);

    let dir = TempDir::new().expect("a folder");
    let ran = run_in(&dir, &["--person", "u_1", "--campaign", "5"], None).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("env:CIO_APP_API_KEY is not set"), "{}", ran.err);
    // Without a configuration it says what it asks with; a key that is none is never sent.
    let ran = run_in(&dir, &["--person", "u_1", "--campaign", "5"], Some("s3cret\nkey")).await;
    assert_eq!(ran.code, 2);
    let note =
        "note: there is no bridge.toml here: asking with env:CIO_APP_API_KEY, region us (--region eu for the other)";
    assert!(ran.err.contains(note) && ran.err.contains("holds no key"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_or_hangs_is_given_up_soon() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    api.hang();
    let began = Instant::now();
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no answer within 5 s"), "{}", ran.err);
    // Two questions of 5 s, not a dozen.
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert_eq!(api.asked().len(), 2);

    let ran = run("http://127.0.0.1:1", &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("could not connect"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_arguments_are_said_and_nothing_is_asked() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    for (args, said) in [
        (&["--person", " ", "--campaign", "5"][..], "--person takes"),
        (&["--person", "u_1", "--campaign", "five"], "named by its number"),
        (&["--person", "u_1", "--campaign", "0"], "named by its number"),
        (&["--person", "u_1"], "--campaign"),
        (&["--persn", "u_1", "--campaign", "5"], "'--person'"),
        (&["--person", "u_1", "--campaign", "5", "--region", "apac"], "us or eu"),
        (
            &["--person", "u_1", "--campaign", "5", "--app-api-key", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
            "never the key itself",
        ),
        (&["--person", "u_1", "--campaign", "5", "--config", "none.toml"], "no such file"),
    ] {
        let ran = run(api.url(), args).await;
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains("0a1b2c3d"), "{args:?}: {}", ran.err);
    }
    assert!(api.asked().is_empty());
}
