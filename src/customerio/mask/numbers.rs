//! Phone numbers and long digit runs.

use super::find::{Found, found, is_invisible};
use super::{LONG_RUN_DIGITS, NUMBER};

/// Phone numbers and long digit runs.
pub fn numbers(gap: &str) -> Vec<Found> {
    if !gap.contains(char::is_numeric) {
        return Vec::new();
    }
    let digits = Digits { text: gap, chars: gap.char_indices().collect() };
    let mut spans = Vec::new();
    let mut at = 0;
    while at < digits.chars.len() {
        let run = digits.run(at);
        if let Some(end) = digits.date(at) {
            at = end;
            continue;
        }
        let end = digits.international(at).or_else(|| digits.national(at)).or_else(|| digits.north_american(at));
        let end = end.or_else(|| digits.in_fours(at));
        match end.or((run >= LONG_RUN_DIGITS).then_some(at + run)) {
            Some(end) => {
                spans.push(found(digits.byte(at), digits.byte(end), NUMBER));
                at = end;
            }
            None => at += run.max(1),
        }
    }
    spans
}

/// A gap as characters; positions are in characters.
struct Digits<'a> {
    text: &'a str,
    chars: Vec<(usize, char)>,
}

impl Digits<'_> {
    fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|(_, c)| *c)
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.text.len(), |(byte, _)| *byte)
    }

    /// How many digits stand here, of whatever script.
    fn run(&self, at: usize) -> usize {
        self.chars.iter().skip(at).take_while(|(_, c)| c.is_numeric()).count()
    }

    /// `+1 (555) 010-0123`: 7 digits or more after a plus sign.
    fn international(&self, at: usize) -> Option<usize> {
        if self.at(at)? != '+' || !self.at(at + 1).is_some_and(|c| c.is_numeric() || c == '(') {
            return None;
        }
        self.groups(at + 1, 2, 10, usize::MAX).filter(|(digits, _)| *digits >= LONG_RUN_DIGITS).map(|(_, end)| end)
    }

    /// `06 12 34 56 78`, `(0151) 2345678`: 9 to 15 digits that begin with a 0, as no SMTP or provider code does.
    fn national(&self, at: usize) -> Option<usize> {
        let open = usize::from(self.at(at)? == '(');
        if self.at(at + open)? != '0' || self.run(at + open) < 2 {
            return None;
        }
        self.groups(at, 1 + open, 9, 15).filter(|(digits, _)| *digits >= 9).map(|(_, end)| end)
    }

    /// Digits in groups, at most `between` separators between two: how many digits, and where they end. A group
    /// that looks like an SMTP code is left out once there are `enough` digits, and what would pass `most` too.
    fn groups(&self, start: usize, between: usize, enough: usize, most: usize) -> Option<(usize, usize)> {
        let (mut digits, mut end, mut at) = (0, start, start);
        while at <= end + between {
            let run = self.run(at);
            let code = run == 3 && at > start && digits >= enough && matches!(self.at(at), Some('4' | '5'));
            if code || digits + run > most {
                break;
            }
            if run > 0 {
                digits += run;
                (at, end) = (at + run, at + run);
            } else if self.at(at).is_some_and(is_separator) {
                at += 1;
            } else {
                break;
            }
        }
        (digits > 0).then_some((digits, end))
    }

    /// `4111 1111 1111 1111`, `3704 0044 0532 0130 00`: three groups of four or more, as cards and accounts have them.
    fn in_fours(&self, at: usize) -> Option<usize> {
        let (mut groups, mut end) = (0, at);
        loop {
            let start = if groups == 0 { at } else { end + usize::from(matches!(self.at(end), Some(' ' | '-'))) };
            let run = self.run(start);
            if run == 0 || run > 4 || run < 4 && groups < 3 {
                return (groups >= 3).then_some(end);
            }
            (groups, end) = (groups + 1, start + run);
            if run < 4 {
                return Some(end);
            }
        }
    }

    /// The end of a date, `2026-11-09` or `09.11.2026`, that no more digits hang on.
    fn date(&self, at: usize) -> Option<usize> {
        let first = self.run(at);
        let (lengths, year) = match first {
            4 => ([4, 2, 2], 0),
            2 => ([2, 2, 4], 2),
            _ => return None,
        };
        let separator = self.at(at + first).filter(|c| matches!(c, '-' | '.' | '/' | '\u{2010}' | '\u{2011}'))?;
        let (mut here, mut parts) = (at, [0; 3]);
        for (index, (length, part)) in lengths.into_iter().zip(&mut parts).enumerate() {
            if index > 0 {
                here += usize::from(self.at(here)? == separator);
            }
            if self.run(here) != length {
                return None;
            }
            *part = self.value(here, length)?;
            here += length;
        }
        let [a, b, c] = parts;
        let (year, two) = if year == 0 { (a, [b, c]) } else { (c, [a, b]) };
        let is_date =
            (1900..2100).contains(&year) && two.iter().all(|n| (1..=31).contains(n)) && two.iter().any(|n| *n <= 12);
        let goes_on = self.at(here).is_some_and(|c| is_separator(c) && c != ' ') && self.run(here + 1) > 0;
        (is_date && !goes_on).then_some(here)
    }

    fn value(&self, at: usize, length: usize) -> Option<u32> {
        let digits = self.chars.get(at..at + length)?;
        digits.iter().try_fold(0, |value, (_, c)| Some(value * 10 + c.to_digit(10)?))
    }

    /// `(555) 010-0123`, `1-555-010-0123`, `555.010.0123`.
    fn north_american(&self, at: usize) -> Option<usize> {
        let separator = |at: usize| usize::from(self.at(at).is_some_and(|c| is_separator(c) && !"/()".contains(c)));
        let mut here = at;
        if self.at(here)? == '1' && self.run(here) == 1 && separator(here + 1) == 1 {
            here += 2;
        }
        let open = usize::from(self.at(here)? == '(');
        here += open;
        for group in [3, 3, 4] {
            if self.run(here) != group {
                return None;
            }
            here += group;
            if group == 4 {
                return Some(here);
            }
            let close = usize::from(open == 1 && self.at(here) == Some(')'));
            let gap = separator(here + close);
            if close + gap == 0 {
                return None;
            }
            here += close + gap;
        }
        None
    }
}

/// What people put between the digits of a number, in all the ways that text processors write a dash or a space.
fn is_separator(c: char) -> bool {
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let space = matches!(c, ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}');
    dash || space || matches!(c, '.' | '/' | '(' | ')') || is_invisible(c)
}

/// The digits of the event's own phone numbers, ready to be found in any grouping.
pub struct OwnNumbers(Vec<Vec<u32>>);

/// More separators than this between two digits end a number.
const MOST_SEPARATORS: usize = 3;

/// Digits of the longest number, twice that of E.164: longer ones are ids and found as long runs.
const MOST_DIGITS: usize = 30;

/// More numbers of one person than this are not looked for.
const MOST_NUMBERS: usize = 8;

impl OwnNumbers {
    /// Those of `identifiers` that are numbers, also behind a scheme as in `whatsapp:+15550100123`.
    pub fn of(identifiers: &[&str]) -> Self {
        let bare = identifiers.iter().map(|text| text.rsplit(':').next().unwrap_or_default());
        let numbers = bare.filter(|text| text.chars().all(|c| c.is_ascii_digit() || c == '+' || is_separator(c)));
        let digits = numbers.map(|text| text.chars().filter_map(|c| c.to_digit(10)).collect::<Vec<u32>>());
        let mut own: Vec<_> =
            digits.filter(|d| (LONG_RUN_DIGITS..=MOST_DIGITS).contains(&d.len())).take(MOST_NUMBERS).collect();
        own.dedup();
        Self(own)
    }

    /// Digit groups that end as one of them does, over seven digits or more, and what belongs to it in front.
    pub fn find(&self, gap: &str) -> Vec<Found> {
        let mut spans: Vec<Found> = Vec::new();
        if self.0.is_empty() {
            return spans;
        }
        let text = Digits { text: gap, chars: gap.char_indices().collect() };
        // Positions and values of the digits that may belong together.
        let mut run: Vec<(usize, u32)> = Vec::new();
        let mut done = 0;
        for (at, (_, c)) in text.chars.iter().enumerate() {
            let Some(digit) = c.to_digit(10) else {
                let near = run.last().is_some_and(|(last, _)| at - last <= MOST_SEPARATORS);
                if !near || !is_separator(*c) {
                    run.clear();
                }
                continue;
            };
            run.push((at, digit));
            let ends = text.run(at + 1) == 0;
            let Some(length) = self.0.iter().filter(|_| ends).filter_map(|own| tail(&run, own)).max() else { continue };
            let first = |length: usize| run.get(run.len() - length).map_or(at, |(start, _)| *start);
            let mut start = first(length);
            // The last digit of `5.1.1` is the code's, though it may stand before a number that has a 1 there.
            let hangs = |at: usize| at > 1 && text.at(at - 1) == Some('.') && text.run(at - 2) > 0;
            if hangs(start) {
                start = (LONG_RUN_DIGITS..length).rev().map(first).find(|at| !hangs(*at)).unwrap_or(start);
            }
            while start > done && text.at(start - 1).is_some_and(|c| c.is_numeric() || matches!(c, '+' | '(')) {
                start -= 1;
            }
            done = at + 1;
            spans.push(found(text.byte(start), text.byte(done), NUMBER));
            run.clear();
        }
        spans
    }
}

/// How many digits at the end of `run` are the end of `own`, if seven or more are; a `0` before them, as people dial
/// inside their country, is one more.
fn tail(run: &[(usize, u32)], own: &[u32]) -> Option<usize> {
    let same = run.iter().rev().zip(own.iter().rev()).take_while(|((_, a), b)| a == *b).count();
    let before = run.len().checked_sub(same + 1).and_then(|at| run.get(at)).map(|(_, digit)| *digit);
    (same >= LONG_RUN_DIGITS).then_some(same + usize::from(same < own.len() && before == Some(0)))
}
