//! Curves of several runs over each other: a line each, for several seeds their mean within a band from the least to the
//! greatest value, and a table of values at the right. A letter names each curve beside its colour.

use super::plot_lines::{elided, nearest};
use super::shared_axis::{SharedAxis, unit_in_words};
use super::value_scale::{Scale, nice_step};
use crate::storage::XAxis;
use crate::ui::{
    text::{self, Weight},
    theme::{self, Palette},
};
use eframe::egui::{
    self, Align2, Color32, CursorIcon, Mesh, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// Curves that one can still tell apart.
pub const MOST_CURVES: usize = 10;
/// Digit colours in the order in which neighbours differ most.
const COLOURS: [usize; MOST_CURVES] = [1, 6, 7, 4, 5, 3, 2, 8, 9, 0];
const LEFT: f32 = 40.0;
/// Room for the table of values.
const TABLE: f32 = 212.0;
const HEAD: f32 = 28.0;
const BELOW: f32 = 22.0;
const TABLE_ROW: f32 = 22.0;

/// The letter of a curve.
pub fn letter(place: usize) -> char {
    char::from(b'A' + (place % 26) as u8)
}

/// The colour of a curve.
pub fn colour(p: &Palette, place: usize) -> Color32 {
    p.digit(COLOURS[place % MOST_CURVES])
}

/// A curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverlayCurve {
    /// In the table.
    pub name: String,
    /// `[x, value]`, x rising.
    pub points: Vec<[f64; 2]>,
    /// `[x, least, greatest]` where it is a mean; else empty.
    pub band: Vec<[f64; 3]>,
}

/// All of them.
pub struct Overlay<'a> {
    /// "Validation accuracy".
    pub title: &'a str,
    /// After the title in grey.
    pub note: &'a str,
    pub unit: XAxis,
    /// Of the whole, head and axis included.
    pub height: f32,
    pub scale: Scale,
    /// The first [`MOST_CURVES`] are drawn.
    pub curves: &'a [OverlayCurve],
    /// What stands where nothing can be drawn.
    pub empty: &'a str,
}

impl Overlay<'_> {
    /// Shows the curves over `width`, labels and table included.
    pub fn show(&self, ui: &mut Ui, axis: &mut SharedAxis, width: f32) {
        let p = theme::of(ui);
        let curves = &self.curves[..self.curves.len().min(MOST_CURVES)];
        let (rect, _) = ui.allocate_exact_size(vec2(width, self.height), Sense::hover());
        let plot = Rect::from_min_max(
            pos2(rect.left() + LEFT, rect.top() + HEAD),
            pos2((rect.right() - TABLE).max(rect.left() + LEFT + 80.0), rect.bottom() - BELOW),
        );
        let end = curves.iter().filter_map(|curve| curve.points.last()).map(|[x, _]| *x).fold(0.0, f64::max);
        axis.begin(ui, self.unit, end, &[]);
        let range = axis.range();
        let (low, high) = bounds(curves, range, self.scale);
        let to_y = |value: f64| self.scale.place(value, low, high).map(|t| plot.bottom() - plot.height() * t as f32);
        self.head(ui, rect);
        self.grid(ui, plot, axis, (low, high), &to_y);
        let response = ui.interact(plot, ui.scope_id().with(("overlay", self.title)), Sense::CLICK | Sense::DRAG);
        response.widget_info(|| {
            let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
            WidgetInfo::labeled(
                Role::Figure,
                true,
                format!("{} over {}: {}", self.title, unit_in_words(self.unit), names.join(", ")),
            )
        });
        if curves.iter().all(|curve| curve.points.is_empty()) {
            let font = text::font(text::BODY, Weight::Regular);
            ui.painter().text(plot.center(), Align2::CENTER_CENTER, self.empty, font, p.text3);
            return;
        }
        let painter = ui.painter_at(plot.expand(1.0));
        let columns = plot.width().ceil().max(1.0) as usize;
        for (place, curve) in curves.iter().enumerate() {
            let ink = colour(p, place);
            let band = thinned(&curve.band, range, columns);
            painter.add(band_of(&band, ink.gamma_multiply(0.2), |x| axis.to_screen(plot.x_range(), x), &to_y));
        }
        for (place, curve) in curves.iter().enumerate() {
            let line = thinned(&curve.points, range, columns);
            let on_screen = |[x, y]: &[f64; 2]| Some(pos2(axis.to_screen(plot.x_range(), *x), to_y(*y)?));
            let line: Vec<egui::Pos2> = line.iter().filter_map(on_screen).collect();
            match line.as_slice() {
                [only] => {
                    painter.circle_filled(*only, 3.0, colour(p, place));
                }
                _ => {
                    painter.add(Shape::line(line, Stroke::new(1.75, colour(p, place))));
                }
            }
        }
        axis.follow(ui, plot, &response);
        response.on_hover_cursor(CursorIcon::Crosshair);
        self.table(ui, plot, rect, axis, &to_y);
    }

    fn head(&self, ui: &Ui, rect: Rect) {
        let p = theme::of(ui);
        let y = rect.top() + 8.0;
        let font = text::font(text::BODY, Weight::Semibold);
        let title = ui.painter().text(pos2(rect.left(), y), Align2::LEFT_CENTER, self.title, font, p.text);
        let small = text::font(text::SMALL, Weight::Regular);
        ui.painter().text(pos2(title.right() + 8.0, y + 0.5), Align2::LEFT_CENTER, self.note, small, p.text3);
    }

    fn grid(&self, ui: &Ui, plot: Rect, axis: &SharedAxis, (low, high): (f64, f64), to_y: &dyn Fn(f64) -> Option<f32>) {
        let p = theme::of(ui);
        let painter = ui.painter();
        let small = text::font(text::SMALL, Weight::Regular);
        for value in self.scale.ticks(low, high) {
            let Some(y) = to_y(value) else { continue };
            let y = painter.round_to_pixel_center(y);
            painter.hline(plot.x_range(), y, Stroke::new(1.0, p.hair));
            let at = pos2(plot.left() - 10.0, y);
            painter.text(at, Align2::RIGHT_CENTER, self.scale.tick_label(value), small.clone(), p.text2);
        }
        let bottom = painter.round_to_pixel_center(plot.bottom());
        painter.hline(plot.x_range(), bottom, Stroke::new(1.0, p.line));
        let ticks = axis.ticks();
        let count = ticks.len();
        for (index, (tick, label)) in ticks.into_iter().enumerate() {
            let x = painter.round_to_pixel_center(axis.to_screen(plot.x_range(), tick));
            let shown = painter.text(pos2(x, bottom + 12.0), Align2::CENTER_CENTER, label, small.clone(), p.text2);
            if index + 1 == count {
                let at = shown.right_center() + vec2(4.0, 0.0);
                painter.text(at, Align2::LEFT_CENTER, unit_in_words(self.unit), small.clone(), p.text3);
            }
        }
    }

    /// Letter, name and value of every curve at the cursor; without one the last.
    fn table(&self, ui: &Ui, plot: Rect, rect: Rect, axis: &SharedAxis, to_y: &dyn Fn(f64) -> Option<f32>) {
        let p = theme::of(ui);
        let painter = ui.painter_at(rect.expand(4.0));
        let left = plot.right() + 16.0;
        let small = text::font(text::SMALL, Weight::Regular);
        let at_cursor = match axis.cursor() {
            Some(x) => format!("At {} {}", text::number(x, if x < 10.0 { 1 } else { 0 }), unit_in_words(self.unit)),
            None => "Last value".to_owned(),
        };
        painter.text(pos2(rect.right(), rect.top() + 8.5), Align2::RIGHT_CENTER, at_cursor, small.clone(), p.text3);
        if let Some(cursor) = axis.cursor() {
            let x = painter.round_to_pixel_center(axis.to_screen(plot.x_range(), cursor));
            painter.vline(x, plot.y_range(), Stroke::new(1.0, p.accent));
        }
        let fitting = ((plot.height() / TABLE_ROW) as usize).max(1);
        let shown = self.curves.len().min(MOST_CURVES);
        for (place, curve) in self.curves.iter().take(shown.min(fitting)).enumerate() {
            let y = plot.top() + 10.0 + TABLE_ROW * place as f32;
            let ink = colour(p, place);
            let strong = text::font(text::LABEL, Weight::Semibold);
            painter.text(pos2(left, y), Align2::LEFT_CENTER, letter(place), strong.clone(), p.text);
            painter.line_segment([pos2(left + 14.0, y), pos2(left + 26.0, y)], Stroke::new(2.0, ink));
            let point = nearest(&curve.points, axis.cursor());
            let value = point.map_or_else(|| "–".to_owned(), |[_, value]| self.scale.label(value));
            let value = painter.text(pos2(rect.right(), y), Align2::RIGHT_CENTER, value, strong, p.text);
            let font = text::font(text::LABEL, Weight::Regular);
            elided(&painter, &curve.name, font, p.text2, pos2(left + 33.0, y), value.left() - 8.0);
            if let (Some([x, value]), Some(_)) = (point, axis.cursor())
                && let Some(at) = to_y(value)
            {
                let at = pos2(axis.to_screen(plot.x_range(), x), at);
                if plot.expand(1.0).contains(at) {
                    painter.circle(at, 3.5, ink, Stroke::new(1.5, p.bg));
                }
            }
        }
        if self.curves.len() > shown.min(fitting) {
            let more = self.curves.len() - shown.min(fitting);
            let y = plot.top() + 10.0 + TABLE_ROW * shown.min(fitting) as f32;
            painter.text(pos2(left, y), Align2::LEFT_CENTER, format!("and {more} more"), small, p.text3);
        }
    }
}

/// Least and greatest value shown.
fn bounds(curves: &[OverlayCurve], (from, to): (f64, f64), scale: Scale) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for curve in curves {
        let values = curve.points.iter().map(|[x, y]| [*x, *y, *y]).chain(curve.band.iter().copied());
        for [_, least, greatest] in values.filter(|[x, ..]| (from..=to).contains(x)) {
            if least.is_finite() && greatest.is_finite() && (scale != Scale::Log || least > 0.0) {
                (low, high) = (low.min(least), high.max(greatest));
            }
        }
    }
    match scale {
        Scale::Log if low < high => (low / 1.12, high * 1.12),
        Scale::Log if low.is_finite() => (low / 2.0, low * 2.0),
        Scale::Log => (0.05, 3.0),
        Scale::Percent if low.is_finite() => {
            let step = nice_step(((1.0 - low) * 100.0).max(0.5) / 4.0) / 100.0;
            (((low + 1e-9) / step).floor() * step, 1.0)
        }
        Scale::Percent => (0.0, 1.0),
        Scale::Linear if low.is_finite() => (0.0, high.max(1e-6) * 1.05),
        Scale::Linear => (0.0, 1.0),
    }
}

/// The band as a strip of triangles.
fn band_of(band: &[[f64; 3]], ink: Color32, to_x: impl Fn(f64) -> f32, to_y: &dyn Fn(f64) -> Option<f32>) -> Shape {
    let mut mesh = Mesh::default();
    for &[x, low, high] in band {
        let (Some(low), Some(high)) = (to_y(low), to_y(high)) else { continue };
        mesh.colored_vertex(pos2(to_x(x), low), ink);
        mesh.colored_vertex(pos2(to_x(x), high), ink);
        let last = mesh.vertices.len() as u32;
        if last >= 4 {
            mesh.add_triangle(last - 4, last - 3, last - 2);
            mesh.add_triangle(last - 3, last - 2, last - 1);
        }
    }
    Shape::mesh(mesh)
}

/// At most two points a column of pixels, the least and the greatest of each, and one beyond either edge so that lines do not
/// end within the plot. Points are ordered by their first number and judged by their second.
fn thinned<const N: usize>(points: &[[f64; N]], (from, to): (f64, f64), columns: usize) -> Vec<[f64; N]> {
    let first = points.partition_point(|point| point[0] < from).saturating_sub(1);
    let last = (points.partition_point(|point| point[0] <= to) + 1).min(points.len());
    let points = points.get(first..last).unwrap_or_default();
    if points.len() <= 2 * columns {
        return points.to_vec();
    }
    let width = (to - from) / columns as f64;
    let column = |point: &[f64; N]| ((point[0] - from) / width).floor();
    let mut kept = Vec::with_capacity(2 * columns + 4);
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_value = |a: &&[f64; N], b: &&[f64; N]| a[1].total_cmp(&b[1]);
        let (Some(least), Some(greatest)) = (run.iter().min_by(by_value), run.iter().max_by(by_value)) else {
            continue;
        };
        let (one, other) = if least[0] <= greatest[0] { (least, greatest) } else { (greatest, least) };
        kept.push(*one);
        if one != other {
            kept.push(*other);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_peaks_order_and_what_lies_beside_the_edges() {
        let points: Vec<[f64; 2]> = (0..10_000).map(|i| [f64::from(i), if i == 4_321 { 9.0 } else { 0.5 }]).collect();
        let kept = thinned(&points, (1_000.0, 9_000.0), 300);
        assert!(kept.len() <= 604 && kept.iter().any(|point| point[1] == 9.0), "{}", kept.len());
        assert!(kept.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        assert!(kept[0][0] < 1_000.0 && kept[kept.len() - 1][0] > 9_000.0);
        assert_eq!(thinned(&points[..5], (0.0, 4.0), 300), points[..5]);
        assert!(thinned::<2>(&[], (0.0, 1.0), 300).is_empty());
    }

    #[test]
    fn the_band_counts_for_the_range_of_values() {
        let curve = OverlayCurve {
            name: String::new(),
            points: vec![[1.0, 0.95]],
            band: vec![[1.0, 0.91, 0.99], [5.0, 0.2, 0.3]],
        };
        let (low, high) = bounds(&[curve], (0.0, 2.0), Scale::Percent);
        assert!(low <= 0.91 && low > 0.85 && high == 1.0, "{low} {high}");
        assert_eq!(bounds(&[], (0.0, 1.0), Scale::Percent), (0.0, 1.0));
    }
}
