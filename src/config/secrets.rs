//! Secrets are references, never values: `env:NAME`, `secret:NAME#field`, `ssm:NAME`.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

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

fn is_env_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
