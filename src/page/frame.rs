//! What every page has around it: the head, the one style sheet, and the headers it is sent with. No inline style and no
//! script, so that a strict `Content-Security-Policy` holds.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// Everything that styles a page; nothing is loaded from anywhere.
const STYLE: &str = include_str!("html/style.css");

/// The headers of every answer. The style sheet is allowed by its hash, and nothing else is: no script, no picture, no
/// frame around the page. A link grants what it says to whoever holds it, so no page may leak its own address.
pub static HEADERS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let fixed = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex, nofollow"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
    fixed.into_iter().chain([("content-security-policy", policy)]).collect()
});

/// A whole page.
pub fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

/// A page that says one thing and what to do about it.
pub fn notice(title: &str, lines: &[&str]) -> String {
    let body = html! {
        main.notice {
            h1 { (title) }
            @for line in lines { p { (line) } }
        }
    };
    page(title, &body)
}
