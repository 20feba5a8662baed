//! Durations as people write them: `10m`, `1h30m`, `7d`.

use jiff::SignedDuration;

/// Units from the longest, in seconds.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads `10m`, `0s`, `24h`, `7d`, `1h30m`: whole numbers with units from the longest to the shortest, each once.
/// A day is 24 hours. `None` for everything else.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let mut units = UNITS.iter();
    let mut seconds: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = after.chars().next()?;
        let (_, worth) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<i64>().ok()?.checked_mul(*worth)?;
        seconds = seconds.checked_add(part)?;
        rest = after.get(unit.len_utf8()..)?;
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(seconds))
}

/// The shortest text that [`parse_duration`] reads back, below 2 days in hours: `1h30m`, `24h`, `7d`.
pub fn show_duration(duration: SignedDuration) -> String {
    let mut seconds = duration.as_secs();
    let mut text = String::new();
    for (name, worth) in UNITS {
        let count = seconds / worth;
        if count == 0 || (name == 'd' && seconds < 2 * worth) {
            continue;
        }
        text.push_str(&format!("{count}{name}"));
        seconds -= count * worth;
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("0s", 0), ("10m", 600), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5_400)] {
            assert_eq!(parse_duration(text), Some(SignedDuration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "10", "m", "10 m", "10min", "-5m", "1.5h", "30m1h", "1h1h", "10M", "99999999999999999d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_back(seconds in 0i64..100_000_000) {
            let duration = SignedDuration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Some(duration));
        }
    }
}
