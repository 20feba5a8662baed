//! What is asked of one person and one campaign: a table of questions, and who answers them.

use async_trait::async_trait;

use super::person::Identifiers;
use super::{AppApiError, ListRow, encoded};

/// How a person is named in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub value: String,
    pub kind: NameKind,
}

/// The `id_type` of a person's name. With a wrong one a person who is there reads as 404; `email` and `phone` are a 400
/// where the workspace does not identify people by them. Source: the page `getPersonAttributes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Id,
    Email,
    Phone,
    CioId,
}

impl NameKind {
    /// As the query has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CioId => "cio_id",
        }
    }
}

impl Named {
    pub fn new(value: &str, kind: NameKind) -> Self {
        Self { value: value.to_owned(), kind }
    }

    /// The name that works in every workspace: Customer.io's own id, else the id, else the address.
    pub fn of(person: &Identifiers) -> Option<Self> {
        let cio_id = person.cio_id.as_ref().map(|id| Self { value: id.clone(), kind: NameKind::CioId });
        let id = || person.id.as_ref().map(|id| Self { value: id.clone(), kind: NameKind::Id });
        let email = || person.email.as_ref().map(|email| Self { value: email.clone(), kind: NameKind::Email });
        cio_id.or_else(id).or_else(email)
    }

    fn place(&self) -> String {
        match self.kind {
            // A value of this kind begins so in an address, whatever answers write.
            NameKind::CioId => format!("cio_{}", encoded(self.value.strip_prefix("cio_").unwrap_or(&self.value))),
            _ => encoded(&self.value),
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub enum Question<'a> {
    ProfilesOf {
        email: &'a str,
    },
    Profile(&'a Named),
    /// The timeline's events: those of one name (the answer may hold others), or all; a page.
    Events {
        of: &'a Named,
        name: Option<&'a str>,
        start: Option<&'a str>,
    },
    /// Events that Customer.io took and refused.
    FailedEvents {
        of: &'a Named,
    },
    /// Messages that were made since then, in Unix seconds; a page.
    Messages {
        of: &'a Named,
        since: i64,
        until: i64,
        start: Option<&'a str>,
    },
    Segments(&'a Named),
    Preferences(&'a Named),
    OptOuts(&'a Named),
    Suppressions {
        email: &'a str,
    },
    Campaign(&'a str),
    Actions {
        campaign: &'a str,
        start: Option<&'a str>,
    },
    Segment(&'a str),
    Sender(&'a str),
    /// One message, by its delivery id.
    Message(&'a str),
    /// The workspace's reporting webhooks.
    ReportingWebhooks,
    /// Everybody's events, of one name or of all; a page. Source: the page `getActivities`.
    Activities {
        name: Option<&'a str>,
        start: Option<&'a str>,
    },
    /// What a campaign's runs came to, by the hour of their beginning, in [from, to) of Unix seconds.
    JourneyMetrics {
        campaign: &'a str,
        from: i64,
        to: i64,
    },
    /// The first page of a list of senders.
    List(&'static ListRow),
}

impl Question<'_> {
    /// The path as errors name it: without what it is asked of.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::ProfilesOf { .. } => "/v1/customers",
            Self::Profile(_) => "/v1/customers/{id}/attributes",
            Self::Events { .. } | Self::FailedEvents { .. } => "/v1/customers/{id}/activities",
            Self::Messages { .. } => "/v1/customers/{id}/messages",
            Self::Segments(_) => "/v1/customers/{id}/segments",
            Self::Preferences(_) => "/v1/customers/{id}/subscription_preferences",
            Self::OptOuts(_) => "/v1/customers/{id}/optouts",
            Self::Suppressions { .. } => "/v1/esp/search_suppression/{email}",
            Self::Campaign(_) => "/v1/campaigns/{id}",
            Self::Actions { .. } => "/v1/campaigns/{id}/actions",
            Self::Segment(_) => "/v1/segments/{id}",
            Self::Sender(_) => "/v1/sender_identities/{id}",
            Self::Message(_) => "/v1/messages/{id}",
            Self::ReportingWebhooks => "/v1/reporting_webhooks",
            Self::Activities { .. } => "/v1/activities",
            Self::JourneyMetrics { .. } => "/v1/campaigns/{id}/journey_metrics",
            Self::List(row) => row.path,
        }
    }

    /// The path and the query to ask.
    pub fn address(&self) -> (String, String) {
        let place = |id: &str| self.path().replace("{id}", id).replace("{email}", id);
        let person = |of: &Named, query: String| {
            let and = if query.is_empty() { "" } else { "&" };
            (place(&of.place()), format!("id_type={}{and}{query}", of.kind.as_str()))
        };
        match self {
            Self::ProfilesOf { email } => (place(""), format!("email={}", encoded(email))),
            Self::Profile(of) | Self::Segments(of) | Self::Preferences(of) | Self::OptOuts(of) => {
                person(of, String::new())
            }
            Self::Events { of, name, start } => {
                let name = name.map_or_else(String::new, |name| format!("&name={}", encoded(name)));
                person(of, format!("type=event{name}&limit={PAGE}{}", from(*start)))
            }
            Self::FailedEvents { of } => person(of, format!("type=failed_event&limit={PAGE}")),
            Self::Messages { of, since, until, start } => {
                person(of, format!("start_ts={since}&end_ts={until}&limit={MESSAGES}{}", from(*start)))
            }
            Self::Suppressions { email } => (place(&encoded(email)), String::new()),
            Self::Actions { campaign, start } => {
                (place(&encoded(campaign)), from(*start).trim_start_matches('&').to_owned())
            }
            Self::Campaign(id) | Self::Segment(id) | Self::Sender(id) | Self::Message(id) => {
                (place(&encoded(id)), String::new())
            }
            Self::ReportingWebhooks => (place(""), String::new()),
            Self::Activities { name, start } => {
                let name = name.map_or_else(String::new, |name| format!("&name={}", encoded(name)));
                (place(""), format!("type=event{name}&limit={PAGE}{}", from(*start)))
            }
            // All three are required, or it is a 400.
            Self::JourneyMetrics { campaign, from, to } => {
                (place(&encoded(campaign)), format!("start={from}&end={to}&resolution=hours"))
            }
            Self::List(row) => (place(""), row.query.to_owned()),
        }
    }
}

/// Activities on a page, at most. Source: the page `getPersonActivities`.
pub const PAGE: u32 = 100;

/// Messages on a page: of one person in a month there are seldom more. Source: the page `getPersonMessages`: at most 1,000.
const MESSAGES: u32 = 200;

fn from(start: Option<&str>) -> String {
    start.map_or_else(String::new, |start| format!("&start={}", encoded(start)))
}

/// Who knows about people and campaigns.
#[async_trait]
pub trait Records: Send + Sync {
    /// The answer's text; the readers of this folder read it.
    ///
    /// # Errors
    /// Why there is none. Holds nothing of the question and nothing of the answer.
    async fn ask(&self, question: &Question<'_>) -> Result<String, AppApiError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_names_a_person_is_encoded_and_says_what_it_is() {
        let named = |value, kind| Named::new(value, kind);
        let ask = |question: Question<'_>| {
            let (place, query) = question.address();
            format!("{place}?{query}")
        };
        let email = named("ada+x@example.test", NameKind::Email);
        for (asked, want) in [
            (ask(Question::ProfilesOf { email: "a+b@c.d" }), "/v1/customers?email=a%2Bb%40c.d"),
            (ask(Question::Profile(&email)), "/v1/customers/ada%2Bx%40example.test/attributes?id_type=email"),
            (
                ask(Question::Profile(&named("cio_d9", NameKind::CioId))),
                "/v1/customers/cio_d9/attributes?id_type=cio_id",
            ),
            (ask(Question::Segments(&named("d9", NameKind::CioId))), "/v1/customers/cio_d9/segments?id_type=cio_id"),
            (ask(Question::OptOuts(&named("+1555", NameKind::Phone))), "/v1/customers/%2B1555/optouts?id_type=phone"),
            (
                ask(Question::Events { of: &named("a/../b", NameKind::Id), name: Some("a b&c"), start: Some("n+=") }),
                "/v1/customers/a%2F..%2Fb/activities?id_type=id&type=event&name=a%20b%26c&limit=100&start=n%2B%3D",
            ),
            (
                ask(Question::Messages { of: &email, since: 1, until: 2, start: None }),
                "/v1/customers/ada%2Bx%40example.test/messages?id_type=email&start_ts=1&end_ts=2&limit=200",
            ),
            (ask(Question::Suppressions { email: "a@b.c" }), "/v1/esp/search_suppression/a%40b.c?"),
            (ask(Question::Actions { campaign: "5", start: Some("x") }), "/v1/campaigns/5/actions?start=x"),
            (
                ask(Question::Activities { name: Some("a b&c"), start: Some("n+") }),
                "/v1/activities?type=event&name=a%20b%26c&limit=100&start=n%2B",
            ),
            (
                ask(Question::JourneyMetrics { campaign: "5", from: 1, to: 2 }),
                "/v1/campaigns/5/journey_metrics?start=1&end=2&resolution=hours",
            ),
            (ask(Question::Message("dg-_=")), "/v1/messages/dg-_%3D?"),
        ] {
            assert_eq!(asked, want);
        }
    }
}
