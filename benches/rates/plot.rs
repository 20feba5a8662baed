//! Small line plots as SVG, in colours that read on white and on black.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// One axis: what it shows, its marks with their text, and whether each doubling takes as much room.
pub struct Axis {
    pub title: &'static str,
    pub marks: Vec<(f64, String)>,
    pub logarithmic: bool,
}

/// One line of a plot.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Axis {
    /// 0 to 1 along the axis.
    fn place(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.logarithmic { v.ln() } else { v };
        let ends = self.marks.iter().map(|(v, _)| *v);
        let (low, high) = (ends.clone().fold(f64::MAX, f64::min), ends.fold(f64::MIN, f64::max));
        ((scale(value) - scale(low)) / (scale(high) - scale(low))).clamp(0.0, 1.0)
    }
}

/// The whole picture; `guide` is a horizontal line with its text.
pub fn svg(title: &str, x: &Axis, y: &Axis, guide: Option<(f64, &str)>, lines: &[Line]) -> String {
    let across = |v: f64| LEFT + x.place(v) * (WIDTH - LEFT - RIGHT);
    let up = |v: f64| HEIGHT - BOTTOM - y.place(v) * (HEIGHT - TOP - BOTTOM);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, fill: &str, text: &str| {
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{text}</text>");
    };
    text(LEFT, 20.0, "start", "#222222", title);
    text((LEFT + right) / 2.0, HEIGHT - 15.0, "middle", "#222222", x.title);
    for (value, mark) in &x.marks {
        text(across(*value), bottom + 18.0, "middle", "#555555", mark);
    }
    for (value, mark) in &y.marks {
        text(LEFT - 8.0, up(*value) + 4.0, "end", "#555555", mark);
    }
    if let Some((value, name)) = guide {
        text(right + 6.0, up(value) + 4.0, "start", "#555555", name);
    }
    let mut taken: Vec<f64> = guide.iter().map(|(value, _)| up(*value)).collect();
    for (line, colour) in lines.iter().zip(COLOURS) {
        let Some((_, last)) = line.points.last() else { continue };
        // Names that would lie on one another move down.
        let mut at = up(*last);
        while taken.iter().any(|other| (other - at).abs() < 14.0) {
            at += 1.0;
        }
        taken.push(at);
        text(right + 6.0, at + 4.0, "start", colour, &line.name);
    }
    let _ = writeln!(
        out,
        "<text x=\"16\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#222222\" transform=\"rotate(-90 16 {0:.1})\">{}</text>",
        (TOP + bottom) / 2.0,
        y.title
    );
    let mut rule = |x1: f64, y1: f64, x2: f64, y2: f64, style: &str| {
        let _ = writeln!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>");
    };
    for (value, _) in &y.marks {
        rule(LEFT, up(*value), right, up(*value), "stroke=\"#dddddd\"");
    }
    if let Some((value, _)) = guide {
        rule(LEFT, up(value), right, up(value), "stroke=\"#777777\" stroke-dasharray=\"4 4\"");
    }
    rule(LEFT, bottom, right, bottom, "stroke=\"#222222\"");
    rule(LEFT, TOP, LEFT, bottom, "stroke=\"#222222\"");
    for (line, colour) in lines.iter().zip(COLOURS) {
        let points: Vec<String> =
            line.points.iter().map(|(px, py)| format!("{:.1},{:.1}", across(*px), up(*py))).collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        );
    }
    out + "</svg>\n"
}
