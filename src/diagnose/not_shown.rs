//! What the App API does not tell: said plainly, with where to look in Customer.io.

/// Something to look at by hand.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotShown {
    pub what: &'static str,
    /// The way through the app, from the workspace.
    pub look: &'static str,
}

/// All of it. Sources: the schemas of the App API's reference, which have no field for any of these;
/// <https://docs.customer.io/journeys/send/timezones/message-limits> for limits,
/// <https://docs.customer.io/journeys/campaign-triggers/> for triggers, filters and frequency.
pub const NOT_SHOWN: [NotShown; 8] = [
    NotShown {
        what: "where in the workflow the person is: waiting in a delay or time window, in which branch, or out early",
        look: "People > the person > Journeys",
    },
    NotShown {
        what: "conditions of the trigger on the event's data, and filters on attributes",
        look: "the campaign > Trigger & filters",
    },
    NotShown {
        what: "how often one person may enter the campaign",
        look: "the campaign > Trigger & filters > Frequency",
    },
    NotShown {
        what: "message limits, unless one has stopped a message",
        look: "Settings > Workspace settings > Message limits",
    },
    NotShown { what: "exit conditions and the goal that ends a journey", look: "the campaign > Goal & exit" },
    NotShown {
        what: "which topic the campaign belongs to, and whether it sends to people who are unsubscribed",
        look: "the campaign > the message > Settings",
    },
    NotShown { what: "hold-outs, random cohorts and A/B tests in the workflow", look: "the campaign > Workflow" },
    NotShown {
        what: "whether somebody suppressed and deleted the person: such a profile reads as one that never was",
        look: "Settings > Workspace settings > Suppressed people",
    },
];
