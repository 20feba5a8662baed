//! Secrets are references, never values: `env:NAME`, `secret:NAME#field`, `ssm:NAME`.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use super::reader::{begins_like_a_token, may_be_secret};

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    Env(String),
    SecretsManager { name: String, field: Option<String> },
    Ssm(String),
}

/// A secret's value. It shows itself to nobody: no `Display`, and `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// Why a secret has no value. Names the reference, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("{0} is not set")]
    NotSet(SecretRef),
    #[error("{0} could not be read: {1}")]
    Unreadable(SecretRef, String),
}

/// Where references are resolved.
#[async_trait]
pub trait Secrets: Send + Sync {
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError>;
}

/// Secrets from the environment only: `serve` and `demo` without AWS.
pub struct EnvSecrets;

#[async_trait]
impl Secrets for EnvSecrets {
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
        match at {
            SecretRef::Env(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
                Ok(_) | Err(std::env::VarError::NotPresent) => Err(SecretError::NotSet(at.clone())),
                Err(std::env::VarError::NotUnicode(_)) => {
                    Err(SecretError::Unreadable(at.clone(), "not valid UTF-8".into()))
                }
            },
            SecretRef::SecretsManager { .. } | SecretRef::Ssm(_) => Err(SecretError::Unreadable(
                at.clone(),
                "this command reads env:NAME only; export the value and refer to it as env:NAME".into(),
            )),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::SecretsManager { name, field: Some(field) } => write!(f, "secret:{name}#{field}"),
            Self::SecretsManager { name, field: None } => write!(f, "secret:{name}"),
            Self::Ssm(name) => write!(f, "ssm:{name}"),
        }
    }
}

/// What a reference must look like, for error texts.
pub const SECRET_FORMS: &str = "env:NAME, secret:NAME, secret:NAME#field or ssm:NAME";

/// The error holds nothing of the text: it may be the secret itself.
impl FromStr for SecretRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parsed = match text.split_once(':') {
            // A key that was pasted behind the colon would be shown as the reference's name.
            Some((_, name)) if is_token(name) => return Err(SECRET_FORMS),
            Some(("env", name)) if is_env_name(name) => Self::Env(name.to_owned()),
            Some(("secret", rest)) => match rest.split_once('#') {
                Some((name, field)) if !name.is_empty() && !field.is_empty() => {
                    Self::SecretsManager { name: name.to_owned(), field: Some(field.to_owned()) }
                }
                None if !rest.is_empty() => Self::SecretsManager { name: rest.to_owned(), field: None },
                _ => return Err(SECRET_FORMS),
            },
            Some(("ssm", name)) if !name.is_empty() => Self::Ssm(name.to_owned()),
            _ => return Err(SECRET_FORMS),
        };
        Ok(parsed)
    }
}

/// Whether a name is a token of a well-known service, or has neither the parts of a variable's name nor of a path.
fn is_token(name: &str) -> bool {
    let is_one_word = !name.contains(['_', '-', '/', ':', '#']);
    begins_like_a_token(name) || is_one_word && may_be_secret(name)
}

fn is_env_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_three_places_of_a_secret_are_read_and_written_back() {
        for text in ["env:CIO_SIGNING_KEY", "env:_x1", "secret:alerts", "secret:prod/alerts#slack", "ssm:/alerts/key"] {
            assert_eq!(text.parse::<SecretRef>().map(|r| r.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn whatever_else_stands_there_is_refused_without_being_repeated() {
        for wrong in [
            "env:R015KJQ7ZP3WX9M2NB4T6VYC8HDL1FGS",
            "env:AKIAIOSFODNN7EXAMPLE",
            "secret:xoxb-1-2-abc",
            "secret:a#xoxb-1-2-abc",
            "secret:0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        ] {
            assert_eq!(wrong.parse::<SecretRef>(), Err(SECRET_FORMS), "{wrong}");
        }
        for wrong in
            ["", "hunter2", "env:", "env:1X", "env:A B", "ENV:A", "$A", "secret:", "secret:#f", "secret:a#", "ssm:"]
        {
            assert_eq!(wrong.parse::<SecretRef>(), Err(SECRET_FORMS), "{wrong}");
        }
    }

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(...)");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[tokio::test]
    async fn a_missing_secret_is_named_and_one_kept_elsewhere_says_what_to_do() {
        let get = async |text: &str| {
            let at: SecretRef = text.parse().expect("a reference");
            EnvSecrets.get(&at).await.map(|s| s.reveal().to_owned()).map_err(|e| e.to_string())
        };
        assert_eq!(get("env:BRIDGE_TEST_NEVER_SET").await, Err("env:BRIDGE_TEST_NEVER_SET is not set".into()));
        assert!(get("env:PATH").await.is_ok_and(|path| !path.is_empty()));
        insta::assert_snapshot!(
            get("ssm:/alerts/key").await.expect_err("not read here"),
            @"ssm:/alerts/key could not be read: this command reads env:NAME only; export the value and refer to it as env:NAME"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reference_that_reads_differently(text in any::<String>()) {
            if let Ok(reference) = text.parse::<SecretRef>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
