//! Slack: an incoming webhook, which can only post ([`webhook`]), or a bot, which keeps one message an incident
//! ([`bot`]). What is said is in [`blocks`] and [`history`]; how Slack is called, and what its answers mean, in
//! [`method`] and [`codes`].

mod blocks;
mod bot;
mod codes;
mod history;
mod method;
pub(super) mod mrkdwn;
mod webhook;

use std::time::Duration;

use jiff::SignedDuration;

pub(super) use blocks::headline;
pub use blocks::{ALL_CHARS, BLOCKS, FIELD_CHARS, FIELDS, HEADER_CHARS, SECTION_CHARS, payload, plain_payload};
pub use bot::SlackBot;
#[cfg(test)]
pub(crate) use history::{edited, reply};
pub use webhook::SlackWebhook;

/// One message a second with short bursts, for a webhook and for a bot's channel alike.
/// Source: docs.slack.dev, rate limits.
pub const PACE: (usize, SignedDuration) = (30, SignedDuration::from_secs(30));

/// Room for the names of a roll-up, in characters: they must fit beside headline and fields into the plain text too,
/// which is sent when Slack refuses the blocks.
pub const NAMES_CHARS: usize = 2_400;

const PACE_NAME: &str = "one message a second";

/// Updates of a bot: tier 3, which is "50 a minute or more". Source: docs.slack.dev, rate limits and chat.update.
pub const UPDATE_PACE: (usize, SignedDuration) = (50, SignedDuration::from_secs(60));
const UPDATE_PACE_NAME: &str = "50 updates a minute";

/// The wait after a 429 that names none. Slack may switch off an app that does not wait at all.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// Where a bot posts; appended to the base address.
pub const POST_MESSAGE: &str = "/api/chat.postMessage";

/// Where a bot edits what it posted; appended to the base address.
pub const UPDATE: &str = "/api/chat.update";

#[cfg(test)]
mod every_phase_tests;
