//! Puts the figures into `docs/rates.md`, between its markers, and draws the plots beside it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::cores;
use super::plot::{Axis, Line, svg};
use super::trials::{self, Outcome, Paged, Reached};
use super::watch::Closes;

const BEGIN: &str = "<!-- cargo bench --bench rates writes from here -->";
const END: &str = "<!-- to here -->";

pub struct Figures {
    pub seed: u64,
    pub harmless: Vec<Paged>,
    /// Messages, exact, simulated.
    pub power: Vec<(u32, f64, f64)>,
    pub steps: Vec<Reached>,
    pub outages: Vec<Outcome>,
    pub took: Duration,
}

pub fn write(figures: &Figures) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = docs.join("rates.md");
    let text = std::fs::read_to_string(&page).expect("docs/rates.md is there");
    let (head, rest) = text.split_once(BEGIN).expect("the first marker");
    let (_, tail) = rest.split_once(END).expect("the second marker");
    let tables = tables(figures);
    println!("{tables}");
    std::fs::write(&page, format!("{head}{BEGIN}\n\n{tables}\n{END}{tail}")).expect("docs/rates.md can be written");
    for (name, picture) in
        [("rates-power.svg", power()), ("rates-time.svg", time(figures)), ("rates-close.svg", close(figures))]
    {
        std::fs::write(docs.join(name), picture).expect("a plot can be written");
    }
}

fn tables(figures: &Figures) -> String {
    let date = Timestamp::now().strftime("%Y-%m-%d");
    let mut out = format!(
        "Seed {}, {date}, {} cores, {} s.\n\n### Pages for nothing\n\n\
         | a source that is well | source-years | pages | pages a year | naive rule, pages a year |\n|---|---|---|---|---|\n",
        figures.seed,
        cores(),
        figures.took.as_secs()
    );
    for Paged { name, years, judge, naive } in &figures.harmless {
        let a_year = |pages: usize| {
            let rate = pages as f64 / *years as f64;
            if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.2}") }
        };
        out += &format!("| {name} | {years} | {judge} | {} | {} |\n", a_year(*judge), a_year(*naive));
    }
    out += "\n### Pages for something\n\n| messages at 15 % within an hour | it pages, exact | simulated |\n|---|---|---|\n";
    for (of, exact, simulated) in &figures.power {
        out += &format!("| {of} | {exact:.3} | {simulated:.3} |\n");
    }
    out += "\n| a source that falls ill | runs | paged | half of them after | 9 of 10 after |\n|---|---|---|---|---|\n";
    for reached in &figures.steps {
        let Reached { name, runs, days, minutes } = reached;
        out += &format!(
            "| {name} | {runs} | {} in {days} d | {} | {} |\n",
            minutes.len(),
            after(minutes, *runs, 0.5),
            after(minutes, *runs, 0.9)
        );
    }
    out += "\n### Open and closed\n\n\
            | an outage of 12 h | quiet from | outages that paged | episodes an outage | closed while ill | recovery to close, half / 9 of 10 |\n\
            |---|---|---|---|---|---|\n";
    for Outcome { name, by } in &figures.outages {
        for (way, closed) in by {
            let episodes = closed.episodes as f64 / closed.outages.max(1) as f64;
            let open = closed.outages - closed.too_soon;
            let (half, most) = (after(&closed.minutes, open, 0.5), after(&closed.minutes, open, 0.9));
            let too_soon = 100.0 * closed.too_soon as f64 / closed.outages.max(1) as f64;
            out += &format!(
                "| {name} | {} | {} | {episodes:.2} | {too_soon:.0} % | {half} / {most} |\n",
                way_name(*way),
                closed.outages
            );
        }
    }
    out
}

fn way_name(way: Closes) -> &'static str {
    match way {
        Closes::BelowItsOwnLimit => "the limit to close at",
        Closes::NoLongerOpening => "the limit to open at",
        Closes::NoFailure => "the last failure",
    }
}

/// The minutes after which this share of all runs was done.
fn after(minutes: &[usize], runs: usize, share: f64) -> String {
    let place = (runs as f64 * share).ceil() as usize;
    match minutes.get(place.saturating_sub(1)) {
        None => "-".to_owned(),
        Some(minutes) if *minutes < 180 => format!("{minutes} min"),
        Some(minutes) => format!("{:.1} h", *minutes as f64 / 60.0),
    }
}

fn power() -> String {
    let x = Axis {
        title: "messages within the window",
        marks: [20, 50, 100, 200, 500, 1000].map(|n| (f64::from(n), n.to_string())).into(),
        logarithmic: true,
    };
    let y = Axis {
        title: "probability of a page",
        marks: [0, 25, 50, 75, 100].map(|n| (f64::from(n), format!("{n} %"))).into(),
        logarithmic: false,
    };
    let lines = [0.30, 0.20, 0.15, 0.10, 0.08, 0.05].map(|rate| Line {
        name: format!("true rate {:.0} %", rate * 100.0),
        points: (20..=1_000).step_by(10).map(|of| (f64::from(of), 100.0 * trials::power(of, rate))).collect(),
    });
    svg("A limit of 5 %: how surely it pages", &x, &y, Some((95.0, "95 %")), &lines)
}

fn volumes() -> Axis {
    Axis {
        title: "messages an hour",
        marks: [20, 50, 100, 300, 1_000, 10_000].map(|n| (f64::from(n), n.to_string())).into(),
        logarithmic: true,
    }
}

/// `15 %, 1,000 an hour` or the other way round.
fn volume_of(name: &str) -> Option<f64> {
    let part = name.split(", ").find(|part| part.ends_with("an hour"))?;
    part.trim_end_matches(" an hour").replace(',', "").parse().ok()
}

fn time(figures: &Figures) -> String {
    let y = Axis {
        title: "time to the page",
        marks: [(5, "5 min"), (15, "15 min"), (60, "1 h"), (240, "4 h"), (1_440, "1 d"), (5_760, "4 d")]
            .map(|(m, name)| (f64::from(m), name.to_owned()))
            .into(),
        logarithmic: true,
    };
    let line = |share: f64, ill: &str, name: &str| {
        let of = |r: &Reached| {
            let place = (r.runs as f64 * share).ceil() as usize;
            let minutes = *r.minutes.get(place.saturating_sub(1))?;
            Some((volume_of(r.name)?, minutes.max(1) as f64))
        };
        let mut points: Vec<_> = figures.steps.iter().filter(|r| r.name.starts_with(ill)).filter_map(of).collect();
        points.retain(|(volume, _)| *volume >= 20.0);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line { name: name.to_owned(), points }
    };
    let lines = [
        line(0.5, "15 %", "15 %, half of them"),
        line(0.9, "15 %", "15 %, 9 of 10"),
        line(0.9, "100 %", "100 %, 9 of 10"),
    ];
    svg("From a step to the page (limit 5 %, within 1 h, 1 % before)", &volumes(), &y, None, &lines)
}

fn close(figures: &Figures) -> String {
    let y = Axis {
        title: "recovery to close, 9 of 10",
        marks: [(60, "1 h"), (120, "2 h"), (240, "4 h"), (480, "8 h"), (1_440, "1 d"), (2_880, "2 d")]
            .map(|(m, name)| (f64::from(m), name.to_owned()))
            .into(),
        logarithmic: true,
    };
    let line = |wanted: Closes, outages: &str, name: &str| {
        let of = |o: &Outcome| {
            let (_, closed) = o.by.iter().find(|(way, _)| *way == wanted)?;
            let place = ((closed.outages - closed.too_soon) as f64 * 0.9).ceil() as usize;
            Some((volume_of(o.name)?, *closed.minutes.get(place.saturating_sub(1))? as f64))
        };
        let mut points: Vec<_> = figures.outages.iter().filter(|o| o.name.ends_with(outages)).filter_map(of).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line { name: name.to_owned(), points }
    };
    let lines = [
        line(Closes::BelowItsOwnLimit, " 15 %", "limit to close at"),
        line(Closes::BelowItsOwnLimit, "nothing late", "the same, nothing late"),
        line(Closes::NoLongerOpening, " 15 %", "limit to open at"),
        line(Closes::NoFailure, " 15 %", "last failure: never above 300"),
    ];
    svg("From recovery to the close (1 % goes on failing)", &volumes(), &y, Some((120.0, "window + quiet_for")), &lines)
}
