//! What a value was probably meant to be: `10 minutes` is `10m`, `6pm` is `18:00`, `mo-fr 8-20` is
//! `mon-fri 08:00-20:00`. A suggestion is always a value that would be taken.

use jiff::SignedDuration;
use jiff::civil::{Date, Time};

use super::show_duration;

/// Longest value that is looked at, in bytes: nobody slips that often in a short value.
const LONGEST: usize = 60;

/// Words for units of time, each by how it begins, in seconds.
const UNIT_WORDS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A duration in words: `10 minutes`, `1.5h`, `2 weeks`.
pub fn duration(text: &str) -> Option<String> {
    let text = short(text)?;
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let after = after.trim_start();
        let word_end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (word, behind) = after.split_at(word_end);
        // A month is no duration.
        let (_, worth) = UNIT_WORDS.iter().find(|(begins, _)| word.starts_with(begins) && !word.starts_with("mo"))?;
        seconds += number.parse::<f64>().ok()? * *worth as f64;
        rest = behind.trim_start_matches([' ', ',']);
    }
    let fits = seconds.fract() == 0.0 && (0.0..1e9).contains(&seconds);
    // Exact: whole and far below 2^53.
    (fits && !text.is_empty()).then(|| show_duration(SignedDuration::from_secs(seconds as i64)))
}

/// A time of day: `8:00`, `8`, `18.30`, `18h`, `6 pm`, `18:00:00`.
pub fn time(text: &str) -> Option<String> {
    let text = short(text)?;
    let plain = text.trim().trim_end_matches(['h', ' ']);
    let (plain, afternoon) = match (plain.strip_suffix("pm"), plain.strip_suffix("am")) {
        (Some(hour), _) => (hour.trim_end(), Some(true)),
        (None, Some(hour)) => (hour.trim_end(), Some(false)),
        (None, None) => (plain, None),
    };
    let mut parts = plain.split([':', '.', 'h']);
    let hour: i8 = digits(parts.next()?)?;
    let minute: i8 = parts.next().map_or(Some(0), digits)?;
    let hour = match afternoon {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(true) => hour % 12 + 12,
        Some(false) => hour % 12,
        None => hour,
    };
    Some(Time::new(hour, minute, 0, 0).ok()?.strftime("%H:%M").to_string())
}

/// A date in another order: `25.12.2026`, `2026/12/25`. `12/11/2026` may be two days, so it is none.
pub fn date(text: &str) -> Option<String> {
    let text = short(text)?;
    let parts: Vec<&str> = text.trim().split(['.', '/', '-', 'T', 't', ' ']).take(3).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let (year, month, day) = match (a.len(), c.len()) {
        (4, _) => (a, b, c),
        (_, 4) if text.contains('.') || a.parse::<u8>().is_ok_and(|first| first > 12) => (c, b, a),
        _ => return None,
    };
    Some(Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?.to_string())
}

/// A fraction that was given in percent: `5`, `5%`, `0.3 %`.
pub fn fraction(text: &str) -> Option<String> {
    let text = short(text)?;
    let is_percent = text.contains('%');
    let number: f64 = text.trim().trim_end_matches(['%', ' ']).parse().ok()?;
    // Without the sign, what is below 1 was a fraction already.
    let fraction = if is_percent || number > 1.0 { number / 100.0 } else { number };
    // Six places are enough for a share of messages, and hide what dividing by 100 leaves over.
    let shown = format!("{fraction:.6}");
    (1e-6..1.0).contains(&fraction).then(|| shown.trim_end_matches('0').to_owned())
}

/// A weekday: `monday`, `Mo`.
pub fn weekday<'d>(text: &str, days: &[&'d str]) -> Option<&'d str> {
    let name = text.trim().to_lowercase();
    let begins = |day: &&&str| name.starts_with(**day) || (name.len() >= 2 && day.starts_with(&name));
    days.iter().find(begins).copied()
}

/// A span of time: `8-20`, `08:00 to 20:00`; 24:00 is an end.
pub fn span(text: &str) -> Option<String> {
    let text = text.replace(" to ", "-").replace(['–', '—'], "-");
    let (from, to) = text.split_once('-')?;
    let to = match to.trim() {
        "24:00" | "24" => "24:00".to_owned(),
        to => time(to)?,
    };
    Some(format!("{}-{to}", time(from)?)).filter(|span| span.split_once('-').is_some_and(|(f, t)| f != t))
}

fn digits(text: &str) -> Option<i8> {
    let fine = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fine.then(|| text.parse().ok())?
}

fn short(text: &str) -> Option<String> {
    (text.len() <= LONGEST).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{parse_duration, parse_time};
    use super::*;

    #[test]
    fn what_people_write_leads_to_what_is_taken() {
        let table = [
            (duration("10 minutes"), "10m"),
            (duration("10min"), "10m"),
            (duration("6 h"), "6h"),
            (duration("1.5h"), "1h30m"),
            (duration("2 weeks"), "14d"),
            (duration("1 day, 2 hours"), "26h"),
            (time("8:00"), "08:00"),
            (time("8"), "08:00"),
            (time("6pm"), "18:00"),
            (time("12 am"), "00:00"),
            (time("18.30"), "18:30"),
            (time("18h"), "18:00"),
            (time("18:00:00"), "18:00"),
            (date("25.12.2026"), "2026-12-25"),
            (date("2026/12/25"), "2026-12-25"),
            (date("25/12/2026"), "2026-12-25"),
            (date("2026-12-25T10:00:00Z"), "2026-12-25"),
            (fraction("5"), "0.05"),
            (fraction("5%"), "0.05"),
            (fraction("0.3 %"), "0.003"),
            (span("8-20"), "08:00-20:00"),
            (span("9am to 5pm"), "09:00-17:00"),
            (span("22:00–24:00"), "22:00-24:00"),
        ];
        for (suggested, meant) in table {
            assert_eq!(suggested.as_deref(), Some(meant));
        }
    }

    #[test]
    fn what_may_mean_two_things_or_none_is_not_guessed() {
        for none in [
            duration("soon"),
            duration("3 months"),
            duration("10"),
            duration(""),
            time("25:00"),
            time("13 pm"),
            time("noon"),
            date("12/11/2026"),
            date("2026-12-32"),
            fraction("150"),
            fraction("0"),
            fraction("all"),
            span("8"),
            span("8-8"),
        ] {
            assert_eq!(none, None);
        }
    }

    proptest! {
        #[test]
        fn a_suggestion_is_always_taken(text in "[0-9]{0,3}[.: ]?[0-9]{0,2} ?[a-z]{0,7}|.{0,70}") {
            prop_assert!(duration(&text).is_none_or(|d| parse_duration(&d).is_some()));
            prop_assert!(time(&text).is_none_or(|t| parse_time(&t).is_some()));
            prop_assert!(date(&text).is_none_or(|d| d.parse::<Date>().is_ok()));
            prop_assert!(fraction(&text).is_none_or(|f| f.parse::<f64>().is_ok_and(|f| f > 0.0 && f < 1.0)), "{}", text);
            prop_assert!(span(&text).is_none_or(|s| s.len() == "00:00-00:00".len()));
        }
    }
}
