//! Where everything of a figure stands on the sheet: lengths in pixels, y downwards.

use super::{Figure, FigureBand, FigureChart, FigureCurve, HEIGHT, LineStyle, ticks};

/// Where a text stands about its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Something on the sheet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    Line {
        points: Vec<[f64; 2]>,
        color: [u8; 3],
        width: f64,
        /// Lengths of dash and gap.
        dash: Option<[f64; 2]>,
        /// Left, top, right, bottom of what may be seen of it.
        clip: Option<[f64; 4]>,
    },
    /// A filled polygon; an opacity of 1 hides what is behind it.
    Polygon { points: Vec<[f64; 2]>, color: [u8; 3], opacity: f64 },
    Text {
        text: String,
        /// Of the base line.
        at: [f64; 2],
        anchor: Anchor,
        size: f64,
        is_bold: bool,
        /// Read from below to above.
        is_upright: bool,
        color: [u8; 3],
    },
}

const TEXT: [u8; 3] = [20, 24, 28];
const GREY: [u8; 3] = [96, 104, 112];
const AXIS: [u8; 3] = [110, 116, 122];
const GRID: [u8; 3] = [226, 228, 230];
const FLAG: [u8; 3] = [138, 90, 0];
const STAR: [u8; 3] = [11, 122, 105];

const LEFT: f64 = 130.0;
const RIGHT: f64 = 1_250.0;
const TOP: f64 = 130.0;
const BOTTOM: f64 = 895.0;
const BETWEEN: f64 = 56.0;
const LEGEND: f64 = RIGHT + 34.0;
const LEGEND_ROW: f64 = 34.0;
/// Characters of a name that fit beside the charts.
const LONGEST_NAME: usize = 22;

pub(super) fn marks(figure: &Figure) -> Vec<Mark> {
    let mut marks = Vec::new();
    text(&mut marks, &figure.title, [LEFT, 62.0], Anchor::Start, 32.0, true, TEXT);
    text(&mut marks, &figure.note, [LEFT, 98.0], Anchor::Start, 20.0, false, GREY);
    let count = figure.charts.len().max(1) as f64;
    let height = (BOTTOM - TOP - BETWEEN * (count - 1.0)) / count;
    for (index, chart) in figure.charts.iter().enumerate() {
        let top = TOP + index as f64 * (height + BETWEEN);
        let is_last = index + 1 == figure.charts.len();
        Sheet::new(figure, chart, top, top + height).draw(&mut marks, is_last);
    }
    let middle = (LEFT + RIGHT) / 2.0;
    text(&mut marks, &figure.x_label, [middle, f64::from(HEIGHT) - 32.0], Anchor::Middle, 22.0, false, TEXT);
    marks
}

fn text(marks: &mut Vec<Mark>, text: &str, at: [f64; 2], anchor: Anchor, size: f64, is_bold: bool, color: [u8; 3]) {
    if !text.is_empty() {
        marks.push(Mark::Text { text: text.to_owned(), at, anchor, size, is_bold, is_upright: false, color });
    }
}

/// One chart between `top` and `bottom`.
struct Sheet<'a> {
    chart: &'a FigureChart,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl<'a> Sheet<'a> {
    fn new(figure: &Figure, chart: &'a FigureChart, top: f64, bottom: f64) -> Self {
        let (from, to) = figure.x_range;
        let is_axis = from.is_finite() && to.is_finite() && to > from;
        let x = if is_axis { (from, to) } else { (0.0, 1.0) };
        Self { chart, top, bottom, x, y: y_range(chart, x) }
    }

    fn draw(&self, marks: &mut Vec<Mark>, is_last: bool) {
        self.grid(marks, is_last);
        let clip = Some([LEFT, self.top, RIGHT, self.bottom]);
        marks.extend(self.chart.bands.iter().filter_map(|band| self.band(band)));
        for curve in &self.chart.curves {
            let points: Vec<[f64; 2]> = curve.points.iter().filter_map(|point| self.place(*point)).collect();
            if points.len() > 1 {
                let (color, width, dash) = look(curve);
                marks.push(Mark::Line { points, color, width, dash, clip });
            }
        }
        for (index, (x, what)) in self.chart.flags.iter().enumerate().filter(|(_, (x, _))| self.holds(*x)) {
            let x = self.x_at(*x);
            let points = vec![[x, self.top], [x, self.bottom]];
            marks.push(Mark::Line { points, color: FLAG, width: 1.5, dash: Some([3.0, 4.0]), clip: None });
            // several changes close to each other stand below each other
            let y = self.top + 18.0 + 22.0 * (index % 4) as f64;
            let (at, anchor) = if x > (LEFT + RIGHT) / 2.0 { (x - 8.0, Anchor::End) } else { (x + 8.0, Anchor::Start) };
            text(marks, what, [at, y], anchor, 17.0, false, FLAG);
        }
        for (place, _) in &self.chart.stars {
            if let Some([x, y]) = self.place(*place).filter(|_| self.holds(place[0])) {
                marks.push(star(x, y, 11.0));
            }
        }
        self.legend(marks);
    }

    fn grid(&self, marks: &mut Vec<Mark>, is_last: bool) {
        let line = |points, color, width| Mark::Line { points, color, width, dash: None, clip: None };
        let (low, high) = self.y;
        let (values, step) = if self.chart.is_log {
            (ticks::logarithmic(low, high), None)
        } else {
            let step = ticks::nice_step((high - low) / 5.0);
            (ticks::linear(low, high, step), Some(step))
        };
        for value in values {
            let Some(y) = self.y_at(value) else { continue };
            marks.push(line(vec![[LEFT, y], [RIGHT, y]], GRID, 1.0));
            let label = ticks::label(value, step.unwrap_or(value / 10.0));
            text(marks, &label, [LEFT - 12.0, y + 7.0], Anchor::End, 20.0, false, TEXT);
        }
        let step = ticks::nice_step((self.x.1 - self.x.0) / 9.0);
        for x in ticks::linear(self.x.0, self.x.1, step) {
            let at = self.x_at(x);
            marks.push(line(vec![[at, self.bottom], [at, self.bottom + 6.0]], AXIS, 1.5));
            if is_last {
                text(marks, &ticks::label(x, step), [at, self.bottom + 30.0], Anchor::Middle, 20.0, false, TEXT);
            }
        }
        marks.push(line(vec![[LEFT, self.top], [LEFT, self.bottom], [RIGHT, self.bottom]], AXIS, 1.5));
        marks.push(Mark::Text {
            text: self.chart.y_label.clone(),
            at: [44.0, (self.top + self.bottom) / 2.0],
            anchor: Anchor::Middle,
            size: 22.0,
            is_bold: false,
            is_upright: true,
            color: TEXT,
        });
    }

    /// Beside the chart: a key, a name; as many as there is room for.
    fn legend(&self, marks: &mut Vec<Mark>) {
        let mut y = self.top + 14.0;
        let most = ((self.bottom - self.top) / LEGEND_ROW) as usize;
        let named: Vec<&FigureCurve> = self.chart.curves.iter().filter(|curve| !curve.name.is_empty()).collect();
        let all = named.len() + self.chart.stars.len();
        let shown = if all > most { most.saturating_sub(1) } else { named.len() };
        for curve in named.iter().take(shown) {
            let (color, width, dash) = look(curve);
            let points = vec![[LEGEND, y], [LEGEND + 36.0, y]];
            marks.push(Mark::Line { points, color, width: width.max(2.5), dash, clip: None });
            text(marks, &short(&curve.name), [LEGEND + 48.0, y + 7.0], Anchor::Start, 20.0, false, TEXT);
            y += LEGEND_ROW;
        }
        if all > most {
            let rest = format!("and {} more", all - shown);
            text(marks, &rest, [LEGEND + 48.0, y + 7.0], Anchor::Start, 20.0, false, GREY);
            return;
        }
        for (_, name) in &self.chart.stars {
            marks.push(star(LEGEND + 18.0, y, 11.0));
            text(marks, &short(name), [LEGEND + 48.0, y + 7.0], Anchor::Start, 20.0, false, TEXT);
            y += LEGEND_ROW;
        }
    }

    /// The part of a band that lies within the chart.
    fn band(&self, band: &FigureBand) -> Option<Mark> {
        let seen = band.points.iter().filter(|point| self.holds(point[0]));
        // a point has both its ends or none
        let ends: Vec<[[f64; 2]; 2]> =
            seen.filter_map(|&[x, low, high]| Some([self.place([x, low])?, self.place([x, high])?])).collect();
        let below = ends.iter().map(|[low, _]| *low);
        let points: Vec<[f64; 2]> = below.chain(ends.iter().rev().map(|[_, high]| *high)).collect();
        (ends.len() > 1).then_some(Mark::Polygon { points, color: band.color, opacity: 0.2 })
    }

    fn holds(&self, x: f64) -> bool {
        (self.x.0..=self.x.1).contains(&x)
    }

    fn x_at(&self, x: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (x - self.x.0) / (self.x.1 - self.x.0)
    }

    fn y_at(&self, y: f64) -> Option<f64> {
        let (low, high) = self.y;
        let share = match self.chart.is_log {
            true if y > 0.0 => (y / low).ln() / (high / low).ln(),
            true => return None,
            false => (y - low) / (high - low),
        };
        share.is_finite().then_some(self.bottom - (self.bottom - self.top) * share)
    }

    fn place(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        Some([self.x_at(x), self.y_at(y)?]).filter(|place| place[0].is_finite())
    }
}

/// Least and greatest value shown: those of the curves between the ends of the x axis, with a little room.
fn y_range(chart: &FigureChart, (from, to): (f64, f64)) -> (f64, f64) {
    let ends = chart.bands.iter().flat_map(|band| &band.points).flat_map(|[x, low, high]| [[*x, *low], [*x, *high]]);
    let points = chart.curves.iter().flat_map(|curve| &curve.points).copied().chain(ends);
    let seen = points.filter(|[x, y]| (from..=to).contains(x) && y.is_finite() && (!chart.is_log || *y > 0.0));
    let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), [_, y]| (low.min(y), high.max(y)));
    match (low.is_finite(), chart.is_log) {
        (false, true) => (0.05, 3.0),
        (false, false) => (0.0, 1.0),
        (true, true) if low < high => (low / 1.12, high * 1.12),
        (true, true) => (low / 2.0, low * 2.0),
        (true, false) => {
            let step = ticks::nice_step(((high - low) / 5.0).max(1e-6));
            let ends = ((low / step + 1e-6).floor() * step, (high / step - 1e-6).ceil() * step);
            if ends.1 > ends.0 { ends } else { (low - step, low + step) }
        }
    }
}

fn look(curve: &FigureCurve) -> ([u8; 3], f64, Option<[f64; 2]>) {
    match curve.line {
        LineStyle::Solid => (curve.color, 2.5, None),
        LineStyle::Dashed => (curve.color, 2.5, Some([10.0, 6.0])),
        LineStyle::Faint => (curve.color.map(|channel| channel.midpoint(255).midpoint(255)), 1.5, None),
    }
}

fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{}…", kept.trim_end())
}

/// A star of five points about a place.
fn star(x: f64, y: f64, radius: f64) -> Mark {
    let points = (0..10).map(|corner| {
        let radius = if corner % 2 == 0 { radius } else { 0.42 * radius };
        let turn = std::f64::consts::PI * (f64::from(corner) / 5.0 - 0.5);
        [x + radius * turn.cos(), y + radius * turn.sin()]
    });
    Mark::Polygon { points: points.collect(), color: STAR, opacity: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::super::{WIDTH, tests::figure};
    use super::*;

    fn texts(marks: &[Mark]) -> Vec<&str> {
        let texts = marks.iter().filter_map(|mark| match mark {
            Mark::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn title_axes_units_legend_flag_and_star_are_there() {
        let marks = marks(&figure());
        let texts = texts(&marks);
        for expected in
            ["LeNet-5 & <friends>", "Epochs", "Loss", "Accuracy (%)", "Training", "Best", "Rate 0.01 to 0.003", "98"]
        {
            assert!(texts.contains(&expected), "{expected} is missing in {texts:?}");
        }
        assert_eq!(
            marks.iter().filter(|mark| matches!(mark, Mark::Polygon { .. })).count(),
            3,
            "star, its key, and a band"
        );
    }

    #[test]
    fn everything_but_clipped_curves_lies_on_the_sheet() {
        let mut figure = figure();
        figure.x_range = (2.0, 4.0);
        figure.charts[0].curves[0].name = "a name far too long for the room beside the chart".to_owned();
        for mark in marks(&figure) {
            let places = match mark {
                Mark::Line { clip: Some(_), .. } => continue,
                Mark::Line { points, .. } | Mark::Polygon { points, .. } => points,
                Mark::Text { at, text, .. } => {
                    assert!(text.chars().count() < 40, "{text}");
                    vec![at]
                }
            };
            for [x, y] in places {
                assert!((0.0..=f64::from(WIDTH)).contains(&x) && (0.0..=f64::from(HEIGHT)).contains(&y), "{x} {y}");
            }
        }
    }

    #[test]
    fn many_curves_are_counted_where_they_find_no_room() {
        let mut figure = figure();
        let curve = figure.charts[1].curves[0].clone();
        figure.charts[1].curves = (0..30).map(|i| FigureCurve { name: format!("run {i}"), ..curve.clone() }).collect();
        let marks = marks(&figure);
        let told = texts(&marks).into_iter().find(|text| text.starts_with("and ")).unwrap().to_owned();
        let shown = texts(&marks).into_iter().filter(|text| text.starts_with("run ")).count();
        assert_eq!(told, format!("and {} more", 31 - shown));
    }

    #[test]
    fn nothing_measured_still_gives_axes() {
        let mut figure = figure();
        figure.x_range = (f64::NAN, 0.0);
        for chart in &mut figure.charts {
            for curve in &mut chart.curves {
                curve.points = vec![[f64::NAN, f64::INFINITY], [1.0, f64::NAN]];
            }
        }
        assert!(marks(&figure).len() > 10);
    }
}
