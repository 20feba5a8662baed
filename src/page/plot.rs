//! Plots as SVG: a bar a day with the band of what is expected behind, the hours of a day, a rate with its limit. Each
//! has a name and its numbers for who cannot see it; colours come from the style sheet, and never say anything alone.
//!
//! A page holds hundreds of them, so each series is one path: bars are strokes, coordinates are whole numbers.

use std::fmt::Write as _;

use jiff::civil::Date;
use maud::{Markup, html};

use super::DAYS;
use super::failures::Share;
use super::workflows::{Day, Hour};
use crate::heartbeat::Verdict;
use crate::message::text::number;

/// Left of the plot is room for the highest number.
const GUTTER: usize = 30;

/// How far apart the days of a workflow's row are.
pub const ROW_DAY: usize = 10;

/// Where the lines of a day's bars stand.
const BASE: u64 = 38;
const TOP: u64 = 5;

/// `y` of a count, from [`BASE`] for none up to [`TOP`] for `most`; one is told from none.
fn height(count: u64, most: u64) -> u64 {
    let above = (count * (BASE - TOP)).checked_div(most.max(1)).unwrap_or_default();
    BASE - above.max(u64::from(count > 0)).min(BASE - TOP)
}

/// A bar a day. Days are `width` apart.
///
/// Bars are written as day and height alone: a transform makes bars of them, that of a row's in the style sheet.
pub fn days(days: &[Day], what: &str, width: usize) -> Markup {
    let most = days.iter().map(|day| day.count.unwrap_or_default().max(day.band.top())).max().unwrap_or_default();
    let (mut bars, mut bad, mut unknown) = (String::new(), String::new(), String::new());
    for (at, day) in days.iter().enumerate() {
        let is_bad = matches!(day.verdict, Some(Verdict::Low | Verdict::High));
        let _ = match day.count {
            None => write!(unknown, "M{} {}h2", GUTTER + at * width + width / 2 - 1, BASE - 1),
            Some(count) => {
                let path = if is_bad { &mut bad } else { &mut bars };
                // A day without any is a foot of its own, so that it is told from a day that nobody counted.
                write!(path, "M{at} 0V{}", (BASE - height(count, most)).max(1))
            }
        };
    }
    let right = GUTTER + days.len() * width;
    let is_row = width == ROW_DAY && days.len() == DAYS;
    let transform = (!is_row).then(|| format!("translate({} {BASE}) scale({width} -1)", GUTTER + width / 2));
    html! {
        svg.p viewBox=(format!("0 0 {right} 40")) role="img" {
            title { (what) }
            desc { (said(days)) }
            @let band = band(days, most, width);
            @if !band.is_empty() { path.band d=(band) {} }
            @let least = least(days, most, width);
            @if !least.is_empty() { path.least d=(least) {} }
            path.bar transform=[&transform] d=(bars) {}
            @if !bad.is_empty() { path.bad transform=[&transform] d=(bad) {} }
            @if !unknown.is_empty() { path.none d=(unknown) {} }
            @if is_row { use href="#dx" {} } @else { path.axis d=(format!("M{GUTTER} {BASE}.5H{right}")) {} }
            text x="26" y="9" { (short(most)) }
        }
    }
}

/// Oldest first: `41 38 ? 12; expected 35 to 52`
fn said(days: &[Day]) -> String {
    let counts: Vec<String> = days.iter().map(|day| day.count.map_or("?".to_owned(), |n| n.to_string())).collect();
    let expected = days.last().map(|day| day.band.words()).filter(|words| !words.is_empty());
    let expected = expected.map(|words| format!("; expected {words}")).unwrap_or_default();
    format!("{}{expected}", counts.join(" "))
}

/// The area between both ends of what is expected, day by day; without an upper end it has none.
fn band(days: &[Day], most: u64, width: usize) -> String {
    let mut path = String::new();
    let mut at = 0;
    while let Some(day) = days.get(at) {
        let (Some(low), Some(high)) = (day.band.low, day.band.high) else {
            at += 1;
            continue;
        };
        // As long as it stays, it is one rectangle.
        let same = days.iter().skip(at).take_while(|other| other.band == day.band).count();
        let (left, top, bottom) = (GUTTER + at * width, height(high, most), height(low, most));
        let long = same * width;
        let _ = write!(path, "M{left} {top}h{long}v{}h-{long}z", (bottom.saturating_sub(top)).max(1));
        at += same;
    }
    path
}

/// A line where only one end is expected.
fn least(days: &[Day], most: u64, width: usize) -> String {
    let mut path = String::new();
    let mut at = 0;
    while let Some(day) = days.get(at) {
        let same = days.iter().skip(at).take_while(|other| other.band == day.band).count();
        let only = match (day.band.low, day.band.high) {
            (Some(only), None) | (None, Some(only)) => Some(only),
            _ => None,
        };
        if let Some(only) = only {
            let _ = write!(path, "M{} {}h{}", GUTTER + at * width, height(only, most), same * width);
        }
        at += same;
    }
    path
}

/// The hours of today, beside what is usual in each. The hour that goes on is paler.
pub fn hours(hours: &[Hour], so_far: usize) -> Markup {
    let usual_most = hours.iter().map(|hour| hour.usual.ceil() as u64).max().unwrap_or_default();
    let most = hours.iter().map(|hour| hour.count).max().unwrap_or_default().max(usual_most);
    let (mut bars, mut now, mut usual) = (String::new(), String::new(), String::new());
    let (mut last, mut run) = (None, 0);
    for (at, hour) in hours.iter().enumerate() {
        let x = GUTTER + at * 10;
        let y = height(hour.usual.round() as u64, most);
        match last {
            None => {
                let _ = write!(usual, "M{x} {y}");
            }
            Some(before) if before == y => {}
            Some(_) => {
                let _ = write!(usual, "h{}V{y}", run * 10);
                run = 0;
            }
        }
        run += 1;
        last = Some(y);
        if hour.count > 0 {
            let path = if at + 1 == so_far { &mut now } else { &mut bars };
            let _ = write!(path, "M{at} 0V{}", BASE - height(hour.count, most));
        }
    }
    let _ = write!(usual, "h{}", run * 10);
    let counts: Vec<String> = hours.iter().take(so_far).map(|hour| hour.count.to_string()).collect();
    html! {
        svg.p.hours viewBox="0 0 284 52" role="img" {
            title { "Today by hour" }
            desc { (counts.join(" ")) }
            path.bar d=(bars) {}
            @if !now.is_empty() { path.bar.now d=(now) {} }
            path.usual d=(usual) {}
            use href="#hx" {}
            text x="26" y="9" { (short(most)) }
        }
    }
}

/// What plots of hours have in common, and those of a row's days, once a page.
pub fn axes() -> Markup {
    html! {
        path.axis id="dx" d=(format!("M{GUTTER} {BASE}.5h{}", DAYS * ROW_DAY)) {}
        g id="hx" {
            path.axis d=(format!("M{GUTTER} {BASE}.5h240")) {}
            @for hour in [0, 6, 12, 18, 24] {
                text.x x=(GUTTER + hour * 10) y="50" { (hour) @if hour == 24 { " h" } }
            }
        }
    }
}

/// Width and height of a rate's plot, and where its lines lie.
const RATE_WIDTH: f64 = 300.0;
const RATE_LEFT: f64 = 40.0;
const RATE_BASE: f64 = 62.0;
const RATE_TOP: f64 = 8.0;

/// Of so many messages a share is one.
const ENOUGH: u64 = 30;

/// A rate over time, its limit, and what its ends are called.
pub fn rate(shares: &[Share], limit: Option<f64>, what: &str, ends: (&str, &str)) -> Markup {
    // One of three at night is no peak: what is taken of few is cut off at the top, unless there is nothing else.
    let highest = |least: u64| {
        shares.iter().filter(|share| share.of >= least).filter_map(|share| share.rate()).fold(0.0, f64::max)
    };
    let highest = if shares.iter().any(|share| share.of >= ENOUGH) { highest(ENOUGH) } else { highest(1) };
    let top = nice((highest * 1.15).max(limit.unwrap_or(0.0) * 1.4));
    let step = (RATE_WIDTH - RATE_LEFT - 4.0) / (shares.len().max(2) - 1) as f64;
    let y = |rate: f64| RATE_BASE - (RATE_BASE - RATE_TOP) * (rate / top).min(1.0);
    let mut line = String::new();
    let (mut drawing, mut last) = (false, None);
    for (at, share) in shares.iter().enumerate() {
        let Some(rate) = share.rate() else {
            drawing = false;
            continue;
        };
        let (x, y) = (RATE_LEFT + step * at as f64, y(rate));
        let _ = write!(line, "{}{x:.0} {y:.1}", if drawing { "L" } else { "M" });
        if !drawing {
            // A point that stands alone is seen too.
            line.push_str("h.1");
        }
        (drawing, last) = (true, Some((x, y)));
    }
    let said: Vec<String> = shares.iter().map(|share| format!("{}/{}", share.count, share.of)).collect();
    html! {
        svg.p.rate viewBox="0 0 300 76" role="img" {
            title { (what) }
            desc { "From " (ends.0) " to " (ends.1) ": " (said.join(" ")) }
            path.axis d=(format!("M{RATE_LEFT} {RATE_BASE}.5H{RATE_WIDTH}")) {}
            @if let Some(limit) = limit {
                path.limit d=(format!("M{RATE_LEFT} {:.1}H{RATE_WIDTH}", y(limit))) {}
                text.lim x=(RATE_LEFT + 3.0) y=(format!("{:.0}", y(limit) - 2.5)) { "limit " (percent(limit)) }
            }
            @if line.is_empty() {
                text.mid x="170" y="40" { "nothing sent" }
            } @else {
                path.line d=(line) {}
                @if let Some((x, y)) = last { circle.dot cx=(format!("{x:.0}")) cy=(format!("{y:.1}")) r="3" {} }
            }
            text x="36" y=(RATE_TOP + 4.0) { (percent(top)) }
            text x="36" y=(RATE_BASE) { "0" }
            text.s x=(RATE_LEFT) y="75" { (ends.0) }
            text x=(RATE_WIDTH) y="75" { (ends.1) }
        }
    }
}

/// The next of 1, 2, 5 times a power of ten: an axis that can be read.
fn nice(top: f64) -> f64 {
    let top = top.clamp(0.001, 1.0);
    let power = 10_f64.powf(top.log10().floor());
    let steps = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|nice| *nice >= top * 0.999).unwrap_or(top).min(1.0)
}

/// `5 %`, `0.3 %`
pub fn percent(fraction: f64) -> String {
    let digits = format!("{:.2}", fraction * 100.0);
    format!("{} %", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// How far apart so many days are on a plot as wide as the page.
pub fn wide(days: usize) -> usize {
    (960 / days.max(1)).clamp(2, 68)
}

/// Failures a day, as many days as there are.
pub fn failures(days: &[(Date, Option<u64>)]) -> Markup {
    let most = days.iter().filter_map(|(_, count)| *count).max().unwrap_or_default();
    let width = wide(days.len());
    let mut bars = String::new();
    let mut none = String::new();
    for (at, (_, count)) in days.iter().enumerate() {
        let x = GUTTER + at * width + width / 2;
        match count {
            None => {
                let _ = write!(none, "M{} {}h2", x - 1, BASE - 1);
            }
            Some(0) => {}
            Some(count) => {
                let _ = write!(bars, "M{x} {BASE}V{}", height(*count, most));
            }
        }
    }
    let right = GUTTER + days.len() * width;
    let (first, total) = (days.first().map(|(date, _)| *date), days.iter().filter_map(|(_, count)| *count).sum());
    html! {
        svg.p.long viewBox=(format!("0 0 {right} 52")) role="img" {
            title { "Messages that failed for good, a bar a day" }
            desc { (number(total)) " in " (days.len()) " days, at most " (number(most)) " in one" }
            g stroke-width=((width * 2 / 3).max(1)) { path.bar.fail d=(bars) {} }
            @if !none.is_empty() { path.none d=(none) {} }
            path.axis d=(format!("M{GUTTER} {BASE}.5H{right}")) {}
            text x="26" y="9" { (short(most)) }
            @if let Some(first) = first {
                text.s x=(GUTTER) y="50" { (first.strftime("%-d %b %Y").to_string()) }
                text x=(right) y="50" { "today" }
            }
        }
    }
}

/// `952`, `1.2k`, `34k`, `1.5M`: an axis has room for four characters.
fn short(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..10_000 => format!("{:.1}k", n as f64 / 1_000.0),
        10_000..1_000_000 => format!("{}k", n / 1_000),
        _ => format!("{:.1}M", n as f64 / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::band::Band;

    #[test]
    fn one_is_told_from_none_and_the_most_stays_inside() {
        assert_eq!((height(0, 500), height(1, 500), height(500, 500)), (BASE, BASE - 1, TOP));
        assert_eq!(height(0, 0), BASE);
        assert_eq!(height(9, 3), TOP);
    }

    #[test]
    fn axes_end_at_numbers_that_can_be_read() {
        let shown: Vec<String> = [0.0, 0.004, 0.07, 0.41, 0.97, 3.0].into_iter().map(|t| percent(nice(t))).collect();
        assert_eq!(shown, ["0.1 %", "0.5 %", "8 %", "50 %", "100 %", "100 %"]);
        assert_eq!([952, 1_249, 34_900, 1_500_000].map(short), ["952", "1.2k", "34k", "1.5M"]);
    }

    #[test]
    fn plots_of_nothing_are_plots() {
        let day = Day { date: Date::constant(2026, 11, 24), count: None, band: Band::default(), verdict: None };
        for plot in [
            days(&[day; 14], "Activation", 10),
            days(&[], "Activation", 10),
            hours(&[Hour { count: 0, usual: 0.0 }; 24], 3),
            rate(&[Share::default(); 24], Some(0.05), "bounced", ("24 h ago", "now")),
            failures(&[]),
        ] {
            let svg = plot.into_string();
            assert!(svg.contains("role=\"img\"") && svg.contains("<title>") && svg.contains("<desc>"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
