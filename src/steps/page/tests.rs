//! The page through a store that counts how often it is asked, of a bridge that tick has looked after.

use super::*;
use crate::cli::preview::made_up::{Day, MadeUp};
use crate::config::secrets::Secret;
use crate::page::link::{Grant, LinkKeys, May};
use crate::page::links::STATUS;
use crate::store::counting::Counting;
use crate::store::embedded::{Durability, EmbeddedStore};

fn t(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().expect("a time")
}

async fn page_of(day: Day, workflows: usize, days: usize, filters: &Filters) -> (String, u64) {
    let mut pages = pages_of(day, workflows, days, std::slice::from_ref(filters)).await;
    pages.pop().expect("a page")
}

/// Pages of a made-up bridge, and how often the store was asked for each.
async fn pages_of(day: Day, workflows: usize, days: usize, filters: &[Filters]) -> Vec<(String, u64)> {
    let made = MadeUp::new(day, workflows, days, t("2026-11-24T13:05"));
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
    made.keep(&store).await.expect("kept");
    let counting = Counting::of(store);
    let keys = LinkKeys::new("acme", [&Secret::new("a-link-key-of-good-length")]).expect("a key");
    let grant = Grant { may: May::Read, until: t("2026-11-25T13:05"), to: None };
    let to = |path: &str| keys.link(path, &[], &grant);
    let doors = Doors { form: &to(STATUS), to: &to };
    let mut pages = Vec::new();
    for filters in filters {
        let html = status(&counting, &made.config, filters, Some(&doors), made.now).await.expect("a page");
        pages.push((html, counting.take().values().sum()));
    }
    pages
}

/// What a reader sees on top.
fn headline(html: &str) -> &str {
    let (_, rest) = html.split_once("<h1>").expect("a headline");
    rest.split_once("</h1>").expect("its end").0
}

#[tokio::test]
async fn five_queries_are_enough_however_much_there_is() {
    for (workflows, days) in [(1, 1), (200, 400)] {
        let filters = [14, 400].map(|days| Filters { days, ..Filters::default() });
        for (html, asked) in pages_of(Day::Trouble, workflows, days, &filters).await {
            assert_eq!(asked, QUERIES as u64, "{workflows} workflows, {days} days");
            assert!(html.len() < 300_000, "{workflows} workflows, {days} days: {} bytes", html.len());
        }
    }
}

#[tokio::test]
async fn the_worst_stands_on_top_and_a_calm_day_says_so_in_a_sentence() {
    let (html, _) = page_of(Day::Calm, 6, 30, &Filters::default()).await;
    assert_eq!(headline(&html), "All 6 workflows fired as expected; we hear everything");
    let (html, _) = page_of(Day::Trouble, 6, 30, &Filters::default()).await;
    assert_eq!(headline(&html), "Password reset (transactional 2): 14 of 29 emails failed since 12:58");
    assert!(html.contains("Also critical: Activation is low: 0 of about 17 since 09:00"), "what else is wrong");
}

#[tokio::test]
async fn a_strict_policy_holds_and_nothing_comes_from_outside() {
    let (html, _) = page_of(Day::Trouble, 6, 30, &Filters::default()).await;
    for forbidden in ["<script", " style=", "onclick", "src=", "<link", "@import", "url("] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let (_, style) = html.split_once("<style>").expect("a style");
    let style = style.split_once("</style>").expect("its end").0;
    use base64::Engine as _;
    use sha2::Digest as _;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = crate::page::frame::HEADERS.iter().find(|(name, _)| *name == "content-security-policy");
    assert!(policy.is_some_and(|(_, policy)| policy.contains(&format!("style-src 'sha256-{hash}'"))));
}

#[tokio::test]
async fn every_plot_has_a_name_and_its_numbers() {
    let (html, _) = page_of(Day::Trouble, 6, 30, &Filters::default()).await;
    let plots = html.matches("role=\"img\"").count();
    assert!(plots > 12, "{plots}");
    assert_eq!((html.matches("<title>").count() - 1, html.matches("<desc>").count()), (plots, plots));
}

#[tokio::test]
async fn a_history_is_asked_for_by_name_severity_and_days_of_a_form() {
    let parts = [("days", "90"), ("about", "Activation"), ("severity", "critical"), ("days2", "x")];
    let filters = Filters::of(parts);
    let (html, _) = page_of(Day::Calm, 6, 90, &filters).await;
    let (_, history) = html.split_once("id=\"history\"").expect("a history");
    assert!(history.contains("Activation was low") && !history.contains("emails bounced"), "{history}");
    assert!(history.contains("<option value=\"90\" selected>"));
    // What nobody can have meant is left out.
    assert_eq!(Filters::of([("days", "12345"), ("severity", "dire")]), Filters::default());
}
