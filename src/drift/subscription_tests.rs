use proptest::prelude::*;

use super::*;

const OURS: &str = "https://bridge.example.test/webhooks/customerio";

fn wanted(names: &[&str]) -> Wanted {
    names.iter().map(|name| ((*name).to_owned(), "rule r".to_owned())).collect()
}

fn webhook(id: &str, endpoint: &str, events: &[&str]) -> ReportingWebhook {
    ReportingWebhook {
        id: id.to_owned(),
        settings: Settings {
            name: "ops".to_owned(),
            endpoint: Endpoint::new(endpoint),
            events: events.iter().map(|name| (*name).to_owned()).collect(),
            disabled: false,
            full_resolution: true,
            with_content: false,
        },
        is_script: false,
    }
}

fn disabled(mut webhook: ReportingWebhook) -> ReportingWebhook {
    webhook.settings.disabled = true;
    webhook
}

fn named(mut webhook: ReportingWebhook, name: &str) -> ReportingWebhook {
    webhook.settings.name = name.to_owned();
    webhook
}

/// The change in one line, with the webhook it is about.
fn planned(webhooks: &[ReportingWebhook]) -> String {
    let wanted = wanted(&["email_failed", "email_sent"]);
    let plan = plan(webhooks, &Endpoint::new(OURS), "acme", &wanted);
    let what = match &plan.change {
        Change::Nothing(webhook) => format!("nothing {}", webhook.id),
        Change::Create(_) => "create".to_owned(),
        Change::Repair { webhook, .. } => format!("repair {}", webhook.id),
    };
    let lines = plan.change.lines(&wanted);
    [vec![what], lines, plan.notes].concat().join(" | ")
}

#[test]
fn nothing_there_is_created_with_all_that_is_wanted() {
    let created = "create | + name \"cio-alert-bridge acme\" | + endpoint https://bridge.example.test/webhooks/customerio | + with_content off | + email_failed  (rule r) | + email_sent  (rule r)";
    assert_eq!(planned(&[]), created);
    let script = ReportingWebhook { is_script: true, ..webhook("1", OURS, &[]) };
    assert_eq!(planned(&[script]), created);
    assert_eq!(planned(&[webhook("1", "https://segment.example.test/in", &["email_failed"])]), created);
}

#[test]
fn what_is_right_is_left_alone_however_its_address_is_written() {
    let both = ["email_failed", "email_sent", "email_opened"];
    assert_eq!(planned(&[webhook("4", &format!("{OURS}/"), &both)]), "nothing 4");
    assert_eq!(planned(&[webhook("4", "https://BRIDGE.example.test:443/webhooks/customerio", &both)]), "nothing 4");
}

#[test]
fn what_is_wrong_is_named_and_the_rest_kept() {
    let mut broken = disabled(webhook("4", OURS, &["email_failed", "email_opened"]));
    broken.settings.with_content = true;
    assert_eq!(
        planned(std::slice::from_ref(&broken)),
        "repair 4 | - disabled | + enabled | - with_content on | + with_content off | + email_sent  (rule r)"
    );
    let plan = plan(&[broken], &Endpoint::new(OURS), "acme", &wanted(&["email_failed", "email_sent"]));
    let becomes = plan.change.settings().expect("a change");
    assert_eq!(becomes.name, "ops");
    assert_eq!(becomes.events, ["email_failed", "email_opened", "email_sent"]);
    assert!(becomes.full_resolution && !becomes.disabled && !becomes.with_content);
}

#[test]
fn a_webhook_of_ours_that_posts_elsewhere_is_moved_and_somebody_elses_is_not() {
    let both = ["email_failed", "email_sent"];
    let moved = |from: &str| format!("repair 4 | - endpoint {from} | + endpoint {OURS}");
    let old = "https://old.example.test/webhooks/customerio";
    assert_eq!(planned(&[named(webhook("4", old, &both), "cio-alert-bridge acme")]), moved(old));
    let plain = "http://bridge.example.test:80/webhooks/customerio";
    assert!(planned(&[webhook("4", plain, &both)]).starts_with("create"), "another port is another server");
    let prefixed = "https://bridge.example.test/v1/webhooks/customerio";
    assert_eq!(planned(&[webhook("4", prefixed, &both)]), moved(prefixed));
    let others = planned(&[named(webhook("4", old, &both), "staging")]);
    assert!(others.starts_with("create") && others.ends_with(
        "webhook 4 \"staging\" posts to https://old.example.test/webhooks/customerio, another bridge's by its path: it is left as it is"
    ), "{others}");
}

#[test]
fn of_several_that_post_here_the_one_that_is_on_and_has_most_is_ours() {
    let both = ["email_failed", "email_sent"];
    let off = disabled(webhook("1", OURS, &both));
    assert_eq!(planned(&[off.clone(), webhook("2", OURS, &both)]), "nothing 2");
    let twice = planned(&[webhook("2", OURS, &["email_sent"]), webhook("3", OURS, &both)]);
    assert_eq!(
        twice,
        "nothing 3 | webhook 2 \"ops\" posts to the same address: each event comes twice and is counted once"
    );
    assert!(planned(&[off, webhook("2", "https://x.example.test/y", &both)]).starts_with("repair 1"));
}

#[test]
fn no_text_holds_a_token_of_an_address() {
    let secret = "https://me:s3cret@bridge.example.test/s3cret0a1b/webhooks/customerio?key=s3cret";
    let webhooks = [named(webhook("4", secret, &[]), "cio-alert-bridge acme")];
    let wanted = wanted(&["email_failed"]);
    let plan =
        plan(&webhooks, &Endpoint::new("https://bridge.example.test/webhooks/customerio?t=s3cret"), "acme", &wanted);
    let words: Vec<String> = match &plan.change {
        Change::Repair { differences, .. } => differences.iter().map(Difference::words).collect(),
        other => panic!("{other:?}"),
    };
    let all = format!("{:?} {:?} {words:?} {:?}", plan.change.lines(&wanted), plan.notes, plan.change);
    assert!(!all.contains("s3cret"), "{all}");
}

#[test]
fn without_an_address_the_best_one_of_that_path_is_compared() {
    let wanted = wanted(&["email_failed"]);
    let found = |webhooks: &[ReportingWebhook]| match look(webhooks, &wanted) {
        Found::Webhook { webhook, differences } => format!("{} {differences:?}", webhook.id),
        Found::None { others } => format!("none of {others}"),
    };
    assert_eq!(found(&[]), "none of 0");
    assert_eq!(found(&[webhook("1", "https://segment.example.test/in", &[])]), "none of 1");
    let good = webhook("2", "https://a.example.test/x/webhooks/customerio", &["email_failed"]);
    assert_eq!(found(&[disabled(good.clone()), webhook("3", OURS, &["email_failed"])]), "3 []");
    assert_eq!(found(&[disabled(good)]), "2 [Disabled]");
}

proptest! {
    /// Applying a change leaves nothing to change.
    #[test]
    fn a_repair_repairs(
        events in proptest::collection::vec("[ab]_[cd]", 0..5), off in any::<bool>(), content in any::<bool>(),
        made in any::<bool>(), here in any::<bool>(),
    ) {
        let wanted = wanted(&["a_c", "b_d"]);
        let mut before = webhook("4", if here { OURS } else { "https://old.example.test/webhooks/customerio" }, &[]);
        before.settings.events = events.clone();
        before.settings.with_content = content;
        before.settings.disabled = off;
        if made {
            before.settings.name = name("acme");
        }
        let ours = Endpoint::new(OURS);
        let first = plan(std::slice::from_ref(&before), &ours, "acme", &wanted);
        let mut after = vec![before.clone()];
        match (&first.change, first.change.settings()) {
            (Change::Create(_), Some(settings)) => {
                after.push(ReportingWebhook { id: "5".into(), settings, is_script: false });
            }
            (_, Some(settings)) => {
                prop_assert!(events.iter().all(|event| settings.events.contains(event)));
                after[0].settings = settings;
            }
            (_, None) => {}
        }
        prop_assert!(matches!(plan(&after, &ours, "acme", &wanted).change, Change::Nothing(_)));
    }
}
