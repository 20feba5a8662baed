//! Puts the figures into `docs/heartbeats.md`, between its markers, and draws the plots beside it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::plot::{Axis, Line, svg};
use super::product::Cost;
use super::trials::{Alarms, Darkness, Delay, WITHIN_DAYS, share};
use super::{LEAST_PROMISED, SIZES, cores, seed};

const BEGIN: &str = "<!-- cargo bench --bench heartbeats writes from here -->";
const END: &str = "<!-- to here -->";

pub struct Figures {
    pub alarms: Vec<Alarms>,
    pub delays: Vec<Delay>,
    /// Names of the workflows that nobody looked at.
    pub held_out: Vec<&'static str>,
    pub darkness: Vec<Darkness>,
    /// Size, hours to the page on blindness.
    pub alone: Vec<(f64, Vec<f64>)>,
    /// Size, the pages for nothing a workflow-year that the others' thresholds are set to.
    pub rates: Vec<(f64, f64)>,
    pub costs: Vec<Cost>,
    pub trials: usize,
    pub took: Duration,
}

pub fn write(figures: &Figures) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = docs.join("heartbeats.md");
    let text = std::fs::read_to_string(&page).expect("docs/heartbeats.md is there");
    let (head, rest) = text.split_once(BEGIN).expect("the first marker");
    let (_, tail) = rest.split_once(END).expect("the second marker");
    let tables = tables(figures);
    println!("{tables}");
    std::fs::write(&page, format!("{head}{BEGIN}\n\n{tables}\n{END}{tail}"))
        .expect("docs/heartbeats.md can be written");
    std::fs::write(docs.join("heartbeats-stop.svg"), stop(figures)).expect("a plot can be written");
    std::fs::write(docs.join("heartbeats-faults.svg"), faults(figures)).expect("a plot can be written");
}

fn tables(figures: &Figures) -> String {
    let date = Timestamp::now().strftime("%Y-%m-%d");
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut out = format!(
        "Seed {}, {date}, {} cores, {} GB of memory, {} s; {} trials a row.\n\n### Pages for nothing, a workflow-year\n\n\
         Low + high, as counted.\n",
        seed(),
        cores(),
        (kib + 512 * 1024) / (1024 * 1024),
        figures.took.as_secs(),
        figures.trials
    );
    let is_held_out = |name: &str| figures.held_out.contains(&name);
    out += &well(figures, |name| !is_held_out(name));
    out += "| the others' thresholds are set to |";
    figures.rates.iter().for_each(|(_, rate)| out += &format!(" {rate:.2} |"));
    out += "\n| share of the time unknown, at most |";
    for size in SIZES {
        let most = figures.alarms.iter().filter(|a| a.size == size).map(|a| a.unknown).fold(0.0, f64::max);
        out += &format!(" {:.2} % |", 100.0 * most);
    }
    out += &format!(
        "\n\n### From fault to page\n\nAmong other workflows, or alone with the App API. Median / 90th percentile; missed: no page \
         within {WITHIN_DAYS} days.\n\n| fault | a day | this | best possible | ratio of medians | missed: this, best | EWMA | \
         day's end |\n|---|---|---|---|---|---|---|---|\n"
    );
    figures.delays.iter().filter(|d| !is_held_out(d.load)).for_each(|d| out += &row(d));
    out += &held_out(figures);
    out += "\n### Alone, without the App API: the page on blindness after a total stop\n\n| a day | median / 90th | missed |\n|---|---|---|\n";
    for (size, hours) in &figures.alone {
        out += &format!("| {} | {} | {:.0} % |\n", number(*size), both(hours), missed(hours));
    }
    out += "\n### Vendor delays of 40 min to 3 h\n\n| a day | delays | with a page | called unknown |\n|---|---|---|---|\n";
    for Darkness { size, delays, pages, unknown } in &figures.darkness {
        out += &format!("| {} | {delays} | {pages} | {unknown} |\n", number(*size));
    }
    out += "\n### What it costs\n\nOne core, optimised; learning is once a local day, judging every five minutes.\n\n| a day | to learn | to judge |\n|---|---|---|\n";
    for Cost { size, learn_us, judge_us } in &figures.costs {
        out += &format!("| {} | {:.1} ms | {judge_us:.0} us |\n", number(*size), learn_us / 1e3);
    }
    out
}

/// Pages for nothing of these workflows, by size, and their mean.
fn well(figures: &Figures, of: impl Fn(&str) -> bool) -> String {
    let mut out = "\n| a workflow that is well |".to_owned();
    SIZES.iter().for_each(|size| out += &format!(" {} a day |", number(*size)));
    out += &format!("\n|---|{}\n", "---|".repeat(SIZES.len()));
    let alarms: Vec<&Alarms> = figures.alarms.iter().filter(|a| of(a.load)).collect();
    let mut names: Vec<&str> = Vec::new();
    alarms.iter().filter(|a| a.size == SIZES[0]).for_each(|a| names.push(a.load));
    names.reverse();
    for name in names {
        out += &format!("| {name} |");
        for size in SIZES {
            let of = alarms.iter().find(|a| a.load == name && a.size == size);
            out += &of.map_or("|".to_owned(), |a| {
                format!(" {:.1} + {:.1} |", a.low as f64 / a.years, a.high as f64 / a.years)
            });
        }
        out += "\n";
    }
    out += "| **a workflow-year, but for the unlisted 30 %** |";
    for size in SIZES {
        let of: Vec<&&Alarms> = alarms.iter().filter(|a| a.size == size && a.counts_for_rate()).collect();
        let pages: usize = of.iter().map(|a| a.low + a.high).sum();
        out += &format!(" **{:.2}** |", pages as f64 / of.iter().map(|a| a.years).sum::<f64>());
    }
    out + "\n"
}

fn row(d: &Delay) -> String {
    format!(
        "| {}, {} | {} | {} | {} | {} | {:.0} %, {:.0} % | {} | {} |\n",
        d.fault,
        d.load,
        number(d.size),
        both(&d.product),
        both(&d.best),
        ratio(d),
        missed(&d.product),
        missed(&d.best),
        both(&d.ewma),
        both(&d.day_end)
    )
}

fn ratio(d: &Delay) -> String {
    let ratio = share(&d.product, 0.5) / share(&d.best, 0.5);
    if ratio.is_finite() { format!("{ratio:.2}") } else { "-".to_owned() }
}

/// The workflows that nobody looked at: pages for nothing, and from a total stop to the page.
fn held_out(figures: &Figures) -> String {
    let is_held_out = |name: &str| figures.held_out.contains(&name);
    let mut out = "\n### Shapes that were not looked at when the thresholds were chosen\n\nTwo were looked at afterwards: \
         clumps of three, which are learned since, and days that vary by 50 %, for which the variance between days is taken \
         one standard error larger.\n\nPages for nothing, a workflow-year.\n"
        .to_owned();
    out += &well(figures, is_held_out);
    let sizes: Vec<f64> = SIZES.into_iter().filter(|size| *size >= LEAST_PROMISED).collect();
    out += "\nFrom a total stop to the page: median of this / of the best possible, and their ratio.\n\n| a total stop of |";
    sizes.iter().for_each(|size| out += &format!(" {} a day |", number(*size)));
    out += &format!("\n|---|{}\n", "---|".repeat(sizes.len()));
    for name in &figures.held_out {
        out += &format!("| {name} |");
        for d in sizes.iter().filter_map(|size| figures.delays.iter().find(|d| d.load == *name && d.size == *size)) {
            let (this, best) = (time(share(&d.product, 0.5)), time(share(&d.best, 0.5)));
            out += &format!(" {this} / {best}, {} |", ratio(d));
        }
        out += "\n";
    }
    out
}

fn both(hours: &[f64]) -> String {
    format!("{} / {}", time(share(hours, 0.5)), time(share(hours, 0.9)))
}

fn time(hours: f64) -> String {
    match hours {
        h if h.is_infinite() => "-".to_owned(),
        h if h < 3.0 => format!("{:.0} min", h * 60.0),
        h if h < 72.0 => format!("{h:.1} h"),
        h => format!("{:.1} d", h / 24.0),
    }
}

fn missed(hours: &[f64]) -> f64 {
    100.0 * hours.iter().filter(|h| h.is_infinite()).count() as f64 / hours.len().max(1) as f64
}

fn number(n: f64) -> String {
    let whole = format!("{n:.0}");
    if whole.len() < 4 { whole } else { format!("{},{}", &whole[..whole.len() - 3], &whole[whole.len() - 3..]) }
}

fn sizes() -> Axis {
    Axis { title: "messages a day", marks: SIZES.map(|n| (n, number(n))).into(), logarithmic: true }
}

fn times(title: &'static str) -> Axis {
    let marks = [(0.25, "15 min"), (1.0, "1 h"), (4.0, "4 h"), (24.0, "1 d"), (96.0, "4 d"), (336.0, "14 d")];
    Axis { title, marks: marks.map(|(h, name)| (h, name.to_owned())).into(), logarithmic: true }
}

fn line(figures: &Figures, name: &str, fault: &str, hours: impl Fn(&Delay) -> f64) -> Line {
    let load = figures.delays.first().map_or("", |d| d.load);
    let of = figures.delays.iter().filter(|d| d.fault == fault && d.load == load);
    let points = of.map(|d| (d.size, hours(d))).filter(|(_, h)| h.is_finite()).collect();
    Line { name: name.to_owned(), points }
}

fn stop(figures: &Figures) -> String {
    let lines = [
        line(figures, "this, median", "total stop", |d| share(&d.product, 0.5)),
        line(figures, "this, 9 of 10", "total stop", |d| share(&d.product, 0.9)),
        line(figures, "best possible, median", "total stop", |d| share(&d.best, 0.5)),
        line(figures, "EWMA, median", "total stop", |d| share(&d.ewma, 0.5)),
        line(figures, "day's end, median", "total stop", |d| share(&d.day_end, 0.5)),
    ];
    svg("From a total stop to the page", &sizes(), &times("time to the page"), Some((24.0, "1 day")), &lines)
}

fn faults(figures: &Figures) -> String {
    let names = ["total stop", "90 % drop", "50 % drop", "20 % drop", "doubling"];
    let lines = names.map(|name| line(figures, name, name, |d| share(&d.product, 0.5)));
    svg("From a fault to the page, median", &sizes(), &times("time to the page"), Some((24.0, "1 day")), &lines)
}
