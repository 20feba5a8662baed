//! How facts are shown: masked unless the configuration or the person asking says otherwise.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::facts::Facts;
use crate::config::schema::Privacy;
use crate::customerio::app_api::names;
use crate::customerio::mask::mask;
use crate::message::text;

/// Longest sample of a sender's text, in characters.
const SAMPLE_CHARS: usize = 300;

/// Whose eyes a diagnosis is for.
pub struct View {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub privacy: Privacy,
    /// What names the person: taken out of every text.
    identifiers: Vec<String>,
}

impl View {
    pub fn of(facts: &Facts, privacy: Privacy, zone: &TimeZone, now: Timestamp) -> Self {
        let mut identifiers = vec![facts.subject.person.clone()];
        if let Ok(found) = &facts.found {
            let others = found.others.iter().map(|(person, _)| person);
            let people = found.profile.iter().map(|profile| &profile.identifiers).chain(others);
            identifiers.extend(people.flat_map(|p| [&p.id, &p.email, &p.cio_id].into_iter().flatten().cloned()));
            if let Some(profile) = &found.profile {
                identifiers.extend(["phone", "email"].iter().filter_map(|name| profile.attributes.get(*name).cloned()));
                identifiers.extend(profile.devices.iter().flatten().map(|device| device.token.clone()));
            }
        }
        for delivery in facts.deliveries() {
            identifiers.push(delivery.id.clone());
            let person = &delivery.person;
            identifiers.extend([&person.id, &person.email, &person.cio_id].into_iter().flatten().cloned());
            identifiers.extend(delivery.recipient.clone());
        }
        Self { now, zone: zone.clone(), privacy, identifiers }
    }

    /// Free text of somebody else's, on one line.
    pub fn text(&self, text: &str) -> String {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.privacy.show_personal_data {
            return text::cut(&line, SAMPLE_CHARS).into_owned();
        }
        let identifiers: Vec<&str> = self.identifiers.iter().map(String::as_str).collect();
        text::cut(&mask(&line, &identifiers), SAMPLE_CHARS).into_owned()
    }

    /// The name of something people made: an event, a segment, a campaign, an action.
    pub fn name(&self, name: &str) -> String {
        let tidy = names::tidy(name, self.privacy).unwrap_or_default();
        // A name may be made of the person's own: an event for one customer.
        let identifiers: Vec<&str> = self.identifiers.iter().map(String::as_str).collect();
        match self.privacy.show_personal_data {
            false if identifiers.iter().any(|id| id.len() >= 4 && tidy.contains(*id)) => mask(&tidy, &identifiers),
            _ => tidy,
        }
    }

    /// A name in quotes, to the letter: a blank at its end is seen.
    pub fn quoted(&self, name: &str) -> String {
        let blanks = name.len() - name.trim().len();
        match blanks {
            0 => format!("\"{}\"", self.name(name)),
            _ => format!("\"{}\" (with white space around it)", self.name(name)),
        }
    }

    /// What names a person or a message: an id, an address, a number, a token.
    pub fn personal(&self, value: &str, placeholder: &'static str) -> String {
        if self.privacy.show_personal_data { value.to_owned() } else { placeholder.to_owned() }
    }

    /// When, as short as a line has it: `14:02`.
    pub fn clock(&self, at: Timestamp) -> String {
        text::clock(at, &self.zone, self.now)
    }

    /// When, in the zone of whoever reads it.
    pub fn at(&self, at: Timestamp) -> String {
        text::clock_in_zone(at, &self.zone, self.now)
    }
}
