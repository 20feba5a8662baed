//! Mailbox providers: a fixed list and a few hashed `other` buckets, never raw domains.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// `gmail`, `microsoft`, ..., `other-3`; `none` when there is no e-mail recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provider(Cow<'static, str>);
