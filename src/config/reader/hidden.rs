//! Texts that may be secrets: a problem never repeats them, wherever in the file they stand.

/// How tokens of well-known services begin. Sources: Slack ("Token types"), Stripe, AWS (access key ids), GitHub
/// ("token formats"), RFC 7519 (a JSON Web Token is Base64 of `{"`), Standard Webhooks.
const BEGINNINGS: [&str; 14] = [
    "xoxb-",
    "xoxp-",
    "xapp-",
    "xoxe",
    "sk_live",
    "sk-",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "github_pat_",
    "eyJ",
    "whsec_",
    "-----BEGIN",
];

/// Shortest text that is taken for a random token, in letters and digits: people's names are shorter or plainer.
const TOKEN_CHARS: usize = 16;

/// How often a random token at least changes between letters and digits.
const CHANGES: usize = 4;

/// Whether a well-known service's token begins in a text.
pub fn begins_like_a_token(text: &str) -> bool {
    BEGINNINGS.iter().any(|begin| text.contains(begin))
}

/// Whether a text looks like a token, a key, or an address that carries one.
pub fn may_be_secret(text: &str) -> bool {
    begins_like_a_token(text) || carries_more_than_a_host(text) || text.split(char::is_whitespace).any(is_random)
}

fn carries_more_than_a_host(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    rest.contains(['@', '?']) || rest.split_once('/').is_some_and(|(_, path)| !path.is_empty())
}

/// Long, and a mixture of letters and digits that no word has. Separators do not count: they group keys too.
fn is_random(word: &str) -> bool {
    let kept: Vec<bool> = word.chars().filter(|c| c.is_alphanumeric()).map(char::is_numeric).collect();
    let changes = kept.iter().zip(kept.iter().skip(1)).filter(|(a, b)| a != b).count();
    kept.len() >= TOKEN_CHARS && changes >= CHANGES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keys_and_addresses_with_tokens_are_seen() {
        for secret in [
            "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "9f8e7d6c-5b4a-4f3e-8d2c-1b0a9f8e7d6c",
            "xoxb-not-a-real-one",
            "https://hooks.slack.com/services/T0/B0/abc",
            "https://me:pw@x.test",
            "Bearer q83vEjRWeJq83vEjRWeJ1q2w",
            "arn:aws:sns:eu-central-1:123456789012:alerts4you",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
    }

    #[test]
    fn names_events_and_plain_addresses_are_not() {
        for plain in [
            "transactional-failing-since-2026-11",
            "subscription_preferences_changed",
            "campaign:1234567890",
            "https://events.eu.pagerduty.com",
            "Europe/Belrin",
            "mon-fri 08:00-20:00",
            "Activation of new customers, step 2 of 3",
        ] {
            assert!(!may_be_secret(plain), "{plain}");
        }
    }
}
