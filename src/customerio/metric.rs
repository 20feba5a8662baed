//! The metric table: what each metric of a reporting webhook means for a rule. Source: the vendor's webhook
//! specification (journeys-webhooks.json) and the App API's `events[]` enumeration.

/// Channels (`object_type`), the ones with an underscore first so that splitting a name finds the longest.
pub const CHANNELS: [&str; 8] = ["in_app", "email", "sms", "push", "slack", "webhook", "whatsapp", "customer"];

/// What a metric says about its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Rendered and waiting for a human.
    Waiting,
    /// Handed to the provider, or confirmed by it.
    Success,
    /// Failed for now; Customer.io or the provider tries again.
    Transient,
    /// Failed for good.
    Failure,
    /// What people did with the message, or with their preferences.
    Engagement,
}

/// One metric.
#[derive(Debug)]
pub struct MetricRow {
    pub name: &'static str,
    pub class: Class,
    /// The metric that shows the trouble is over (design, law 6).
    pub paired_success: Option<&'static str>,
    /// The metric of the same channel that a rate is best taken of: all messages that could have failed so.
    pub rate_of: Option<&'static str>,
    /// Ends "N messages ..." in a sentence.
    pub verb: &'static str,
}

const fn row_(
    name: &'static str,
    class: Class,
    paired_success: Option<&'static str>,
    rate_of: Option<&'static str>,
    verb: &'static str,
) -> MetricRow {
    MetricRow { name, class, paired_success, rate_of, verb }
}

/// Every metric of the specification.
#[rustfmt::skip]
pub const METRICS: &[MetricRow] = &[
    row_("drafted",       Class::Waiting,    Some("sent"),      None,              "wait as drafts"),
    row_("attempted",     Class::Transient,  Some("sent"),      Some("sent"),      "could not be handed over yet"),
    row_("sent",          Class::Success,    None,              None,              "sent"),
    row_("delivered",     Class::Success,    None,              None,              "delivered"),
    row_("failed",        Class::Failure,    Some("sent"),      Some("sent"),      "failed"),
    row_("bounced",       Class::Failure,    Some("delivered"), Some("sent"),      "bounced"),
    row_("dropped",       Class::Failure,    Some("sent"),      Some("sent"),      "dropped"),
    row_("undeliverable", Class::Failure,    Some("sent"),      Some("sent"),      "undeliverable"),
    row_("deferred",      Class::Transient,  Some("delivered"), Some("sent"),      "deferred"),
    row_("spammed",       Class::Failure,    Some("delivered"), Some("delivered"), "reported as spam"),
    row_("opened",        Class::Engagement, None,              None,              "opened"),
    row_("clicked",       Class::Engagement, None,              None,              "clicked"),
    row_("converted",     Class::Engagement, None,              None,              "converted"),
    row_("replied",       Class::Engagement, None,              None,              "replied"),
    row_("subscribed",    Class::Engagement, None,              None,              "subscribed"),
    row_("unsubscribed",  Class::Engagement, None,              None,              "unsubscribed"),
    row_("subscription_preferences_changed",     Class::Engagement, None, None, "changed preferences"),
    row_("cio_subscription_preferences_changed", Class::Engagement, None, None, "changed preferences"),
];

/// The row of a metric name.
pub fn row(name: &str) -> Option<&'static MetricRow> {
    METRICS.iter().find(|m| m.name == name)
}

/// Whether a message of this metric is in trouble, for now or for good, so that its text has a cause.
pub fn has_cause(name: &str) -> bool {
    row(name).is_none_or(|m| matches!(m.class, Class::Transient | Class::Failure))
}
