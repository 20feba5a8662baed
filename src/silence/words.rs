//! How silences are spoken of, in alerts, digest and command.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Silence;
use crate::message::text;

/// Who silenced and why: `ada: deploy of the mailer`.
pub fn by(silence: &Silence) -> String {
    format!("{}: {}", silence.author, silence.reason)
}

/// What an alert says that is told though it was silenced: the silence is over, or covers it no more. `None`: it is known
/// no more.
pub fn was_silenced(silence: Option<&Silence>, zone: &TimeZone, now: Timestamp) -> String {
    match silence {
        Some(silence) if now < silence.end => {
            format!(
                "The silence until {} does not cover what it is now ({})",
                text::clock(silence.end, zone, now),
                by(silence)
            )
        }
        Some(silence) => format!("It was silenced until {} ({})", text::clock(silence.end, zone, now), by(silence)),
        None => "It was silenced until now".to_owned(),
    }
}

/// The digest's line on what a silence kept from its receivers: `2 incidents silenced by ada: deploy`.
pub fn digest_line(silence: &Silence, incidents: u64, zone: &TimeZone, now: Timestamp) -> String {
    let until = match now < silence.end {
        true => format!(", until {}", text::clock(silence.end, zone, now)),
        false => String::new(),
    };
    format!("{} silenced by {}{until} [silence {}]", text::count("incident", incidents), by(silence), silence.id)
}
