//! Mailbox providers: a fixed list and a few hashed `other` buckets, never raw domains.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// `gmail`, `microsoft`, ..., `other-3`; `none` when there is no e-mail recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provider(Cow<'static, str>);

/// One mailbox provider and the domains that it hands addresses out under.
#[derive(Debug)]
pub struct ProviderRow {
    /// Stands in stored keys; never changes.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Whole domains, lower case. An entry that ends in `.` stands for every country's: `yahoo.` is `yahoo.de` too.
    pub domains: &'static [&'static str],
}

const fn row(name: &'static str, title: &'static str, domains: &'static [&'static str]) -> ProviderRow {
    ProviderRow { name, title, domains }
}

/// The mailbox providers that consumer lists know. A company's own domain tells nothing of who runs its mail (that
/// stands in DNS), so it goes into a hashed bucket. Source: each provider's own sign-up and help pages.
#[rustfmt::skip]
pub const PROVIDERS: &[ProviderRow] = &[
    row("gmail",      "Gmail",        &["gmail.com", "googlemail.com", "google.com"]),
    row("microsoft",  "Microsoft",    &["outlook.", "hotmail.", "live.", "msn.com", "passport.com", "windowslive.com", "microsoft.com"]),
    row("yahoo",      "Yahoo",        &["yahoo.", "ymail.com", "rocketmail.com", "myyahoo.com", "aol.", "aim.com", "verizon.net"]),
    row("apple",      "Apple",        &["icloud.com", "me.com", "mac.com", "privaterelay.appleid.com", "apple.com"]),
    row("gmx-web-de", "GMX/WEB.DE",   &["gmx.", "web.de", "mail.com", "email.de", "1und1.de", "online.de"]),
    row("t-online",   "T-Online",     &["t-online.de", "magenta.de"]),
    row("freenet",    "freenet",      &["freenet.de"]),
    row("protonmail", "Proton Mail",  &["protonmail.com", "protonmail.ch", "proton.me", "pm.me"]),
    row("zoho",       "Zoho",         &["zoho.", "zohomail.", "zohomail.com"]),
    row("fastmail",   "Fastmail",     &["fastmail.com", "fastmail.fm", "fastmail.net", "sent.com", "messagingengine.com"]),
    row("yandex",     "Yandex",       &["yandex.", "ya.ru", "narod.ru"]),
    row("mail-ru",    "Mail.ru",      &["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"]),
    row("qq",         "QQ Mail",      &["qq.com", "vip.qq.com", "foxmail.com"]),
    row("netease",    "NetEase",      &["163.com", "126.com", "yeah.net", "vip.163.com"]),
    row("naver",      "Naver",        &["naver.com"]),
    row("daum",       "Daum",         &["daum.net", "hanmail.net", "kakao.com"]),
    row("comcast",    "Comcast",      &["comcast.net", "xfinity.com"]),
    row("charter",    "Spectrum",     &["charter.net", "spectrum.net", "rr.com", "twc.com"]),
    row("cox",        "Cox",          &["cox.net"]),
    row("att",        "AT&T",         &["att.net", "sbcglobal.net", "bellsouth.net", "ameritech.net", "pacbell.net"]),
    row("orange",     "Orange",       &["orange.fr", "wanadoo.fr", "orange.net"]),
    row("free-fr",    "Free.fr",      &["free.fr"]),
    row("sfr",        "SFR",          &["sfr.fr", "neuf.fr"]),
    row("laposte",    "La Poste",     &["laposte.net"]),
    row("libero",     "Libero",       &["libero.it", "virgilio.it", "iol.it", "inwind.it"]),
    row("seznam",     "Seznam",       &["seznam.cz", "email.cz"]),
    row("wp-pl",      "WP.pl",        &["wp.pl", "o2.pl"]),
    row("bt",         "BT",           &["btinternet.com", "btopenworld.com", "bt.com"]),
    row("uol",        "UOL",          &["uol.com.br", "bol.com.br"]),
];

/// How many buckets share the domains that are on no list.
pub const OTHERS: [&str; 8] = ["other-0", "other-1", "other-2", "other-3", "other-4", "other-5", "other-6", "other-7"];

impl Provider {
    /// There is no e-mail recipient.
    pub const fn none() -> Self {
        Self(Cow::Borrowed("none"))
    }

    /// All domains that are on no list, together: for sums, never a register's key.
    pub const fn unlisted() -> Self {
        Self(Cow::Borrowed("other"))
    }

    /// The provider of an address; `Name <address>` is understood, and a text without a domain is [`Provider::none`].
    pub fn of_address(address: &str) -> Self {
        let Some((_, domain)) = address.rsplit_once('@') else { return Self::none() };
        let domain = domain.trim_matches(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '.'));
        if domain.is_empty() {
            return Self::none();
        }
        let domain = domain.to_lowercase();
        let listed = PROVIDERS.iter().find(|row| row.domains.iter().any(|d| is_of(&domain, d)));
        Self(Cow::Borrowed(listed.map_or_else(|| other(&domain), |row| row.name)))
    }

    /// The name, as used in keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people call it; `None` for domains on no list, which are never named.
    pub fn title(&self) -> Option<&'static str> {
        PROVIDERS.iter().find(|row| row.name == self.0).map(|row| row.title)
    }

    /// There was an e-mail recipient, on the list or not.
    pub fn is_known(&self) -> bool {
        *self != Self::none()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `yahoo.` takes `yahoo.de` and `yahoo.co.uk`, but not `yahoo.example-shop.com`.
fn is_of(domain: &str, listed: &str) -> bool {
    if !listed.ends_with('.') {
        return domain == listed;
    }
    domain.strip_prefix(listed).is_some_and(|country| {
        let mut labels = country.split('.');
        match (labels.next(), labels.next(), labels.next()) {
            (Some("com"), None, None) => true,
            (Some(code), None, None) => code.len() == 2,
            (Some("com" | "co"), Some(code), None) => code.len() == 2,
            _ => false,
        }
    })
}

/// FNV-1a, 64 bits: stable for ever, since buckets stand in stored keys.
fn other(domain: &str) -> &'static str {
    let hash = domain.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let bucket = (hash % OTHERS.len() as u64) as usize;
    OTHERS.get(bucket).copied().unwrap_or("other-0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_its_mailbox_provider() {
        for (address, want) in [
            ("ada@gmail.com", "gmail"),
            ("Ada@GoogleMail.com", "gmail"),
            ("ada@hotmail.co.uk", "microsoft"),
            ("ada@outlook.de", "microsoft"),
            ("ada@yahoo.com.br", "yahoo"),
            ("ada@aol.com", "yahoo"),
            ("Ada L <ada@icloud.com>", "apple"),
            ("ada@gmx.net", "other-2"),
            ("ada@gmx.de", "gmx-web-de"),
            ("ada@web.de", "gmx-web-de"),
            ("ada@proton.me", "protonmail"),
            ("ada@163.com", "netease"),
            ("\"a@b\"@qq.com", "qq"),
            ("+15550100123", "none"),
            ("ada@", "none"),
            ("", "none"),
            ("@", "none"),
        ] {
            assert_eq!(Provider::of_address(address).as_str(), want, "{address}");
        }
    }

    #[test]
    fn a_domain_on_no_list_keeps_its_bucket_and_loses_its_name() {
        for address in ["ada@example.test", "bob@yahoo.example-shop.com", "eve@firma.example", "x@[10.0.0.1]"] {
            let provider = Provider::of_address(address);
            assert!(OTHERS.contains(&provider.as_str()), "{provider}");
            assert_eq!(provider, Provider::of_address(&address.to_uppercase()));
        }
        assert_eq!(Provider::of_address("ada@example.test").as_str(), "other-5");
        assert_eq!(Provider::of_address("ada@example.test").title(), None);
    }

    #[test]
    fn what_is_on_the_list_has_a_name_of_its_own() {
        let titles: std::collections::BTreeSet<&str> = PROVIDERS.iter().map(|row| row.title).collect();
        assert_eq!(titles.len(), PROVIDERS.len());
        assert_eq!(Provider::of_address("ada@googlemail.com").title(), Some("Gmail"));
        assert_eq!((Provider::none().title(), Provider::none().is_known()), (None, false));
    }
}
