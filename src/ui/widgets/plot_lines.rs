//! The curves of a plot: what they are, how they look, what they are worth at the cursor, and their lines, thinned to what
//! a screen can show. egui_plot draws the lines.

use super::{shared_axis::SharedAxis, value_scale::Scale};
use crate::ui::theme::{self, Palette};
use eframe::egui::{self, Color32, Rect, Sense, Ui, Vec2, vec2};
use egui_plot::{Line, LineStyle, Plot, PlotPoint, PlotPoints};

/// What a curve is; it decides colour and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveKind {
    /// Raw values of training.
    Training,
    /// The curve that matters.
    Validation,
    /// Something to compare with, dashed.
    Reference,
    /// One digit's own curve.
    Digit(usize),
    /// An optimiser's lane of a race; its place among all of them decides colour and dash.
    Optimizer(usize),
}

impl CurveKind {
    /// Colour and width of its line.
    pub fn look(self, p: &Palette) -> (Color32, f32) {
        match self {
            CurveKind::Training => (p.edge, 1.25),
            CurveKind::Validation => (p.text, 1.75),
            CurveKind::Reference => (p.reference, 1.5),
            CurveKind::Digit(digit) => (p.digit(digit), 1.75),
            CurveKind::Optimizer(place) => (p.optimizer(place), 1.75),
        }
    }

    /// Lengths of the dashes and of the gaps of its line, where it is dashed.
    pub fn dash(self) -> Option<(f32, f32)> {
        match self {
            CurveKind::Reference => Some((5.0, 2.0)),
            CurveKind::Optimizer(1) => Some((10.0, 4.0)),
            CurveKind::Optimizer(3) => Some((5.0, 3.0)),
            CurveKind::Optimizer(5) => Some((2.0, 3.0)),
            _ => None,
        }
    }

    /// A piece of its line from `at` to the right, for a legend.
    pub fn paint_key(self, painter: &egui::Painter, p: &Palette, at: egui::Pos2, length: f32) {
        let (colour, width) = self.look(p);
        let (key, stroke) = ([at, at + egui::vec2(length, 0.0)], egui::Stroke::new(width.max(1.5), colour));
        match self.dash() {
            Some((dash, gap)) => painter.extend(egui::Shape::dashed_line(&key, stroke, dash, gap)),
            None => {
                painter.line_segment(key, stroke);
            }
        }
    }
}

/// One curve of a chart.
#[derive(Clone, Copy)]
pub struct Curve<'a> {
    /// In the table.
    pub name: &'a str,
    /// `[x, value]`, x rising. What is not finite is left out.
    pub points: &'a [[f64; 2]],
    /// The same smoothed; empty where it is not. The raw line then stands behind, fainter.
    pub smooth: &'a [[f64; 2]],
    /// See [`CurveKind`].
    pub kind: CurveKind,
}

impl Curve<'_> {
    /// The point to read at the cursor: one that was measured, but between the few points of a reference, the line.
    pub(super) fn at(&self, cursor: Option<f64>) -> Option<[f64; 2]> {
        let (CurveKind::Reference, Some(cursor)) = (self.kind, cursor) else { return nearest(self.points, cursor) };
        let after = self.points.partition_point(|[x, _]| *x < cursor);
        let (Some(&[x0, y0]), Some(&[x1, y1])) = (self.points.get(after.wrapping_sub(1)), self.points.get(after))
        else {
            return nearest(self.points, Some(cursor));
        };
        Some([cursor, y0 + (y1 - y0) * (cursor - x0) / (x1 - x0).max(1e-9)])
    }
}

/// The lines of a chart called `title` over the place of its plot, for values from `low` to `high`.
pub(super) fn lines(
    ui: &mut Ui,
    title: &str,
    plot: Rect,
    shared: &SharedAxis,
    curves: &[Curve<'_>],
    (scale, low, high): (Scale, f64, f64),
) {
    let p = theme::of(ui);
    let range = shared.range();
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(plot).id_salt(("lines", title)));
    Plot::new(("plot", title))
        .width(plot.width())
        .height(plot.height())
        .min_size(Vec2::ZERO)
        .show_background(false)
        .show_axes(false)
        .show_grid(false)
        .show_x(false)
        .show_y(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .cursor_color(Color32::TRANSPARENT)
        .set_margin_fraction(Vec2::ZERO)
        .sense(Sense::hover())
        .show(&mut child, |plot_ui| {
            plot_ui.set_plot_bounds_x(range.0..=range.1);
            plot_ui.set_plot_bounds_y(0.0..=1.0);
            for curve in curves {
                let (colour, line_width) = curve.kind.look(p);
                // behind the smoothed line the raw one stays visible
                let raw = if curve.smooth.is_empty() { colour } else { theme::mix(p.bg, colour, 0.3) };
                for (points, colour) in [(curve.points, raw), (curve.smooth, colour)] {
                    let placed =
                        seen(points, range).iter().map(|&[x, y]| [x, scale.place(y, low, high).unwrap_or(f64::NAN)]);
                    let points = thinned(placed, range, plot.width());
                    let mut line = Line::new(curve.name, PlotPoints::Owned(points))
                        .allow_band(false)
                        .color(colour)
                        .width(line_width)
                        .allow_hover(false);
                    if let Some((length, _)) = curve.kind.dash() {
                        line = line.style(LineStyle::Dashed { length });
                    }
                    plot_ui.line(line);
                }
            }
        });
}

/// The points in view, and their neighbours at both sides.
pub(super) fn seen(points: &[[f64; 2]], (low, high): (f64, f64)) -> &[[f64; 2]] {
    let first = points.partition_point(|[x, _]| *x < low).saturating_sub(1);
    let last = (points.partition_point(|[x, _]| *x <= high) + 1).min(points.len());
    &points[first.min(last)..last]
}

/// The point nearest to the cursor; the last one without a cursor.
pub(super) fn nearest(points: &[[f64; 2]], cursor: Option<f64>) -> Option<[f64; 2]> {
    let Some(cursor) = cursor else { return points.last().copied() };
    let after = points.partition_point(|[x, _]| *x < cursor);
    let candidates = [after.checked_sub(1), Some(after)];
    candidates
        .into_iter()
        .flatten()
        .filter_map(|index| points.get(index).copied())
        .min_by(|a, b| (a[0] - cursor).abs().total_cmp(&(b[0] - cursor).abs()))
}

/// A text from `at` to `right` at most, with an ellipsis where it is longer. `at` is the middle of its left edge; the answer is
/// where it ends.
pub fn elided(
    painter: &egui::Painter,
    words: &str,
    font: egui::FontId,
    ink: Color32,
    at: egui::Pos2,
    right: f32,
) -> f32 {
    let mut line = egui::text::LayoutJob::simple_singleline(words.to_owned(), font, ink);
    line.wrap = egui::text::TextWrapping::truncate_at_width((right - at.x).max(0.0));
    let galley = painter.layout_job(line);
    let end = at.x + galley.size().x;
    painter.galley(at - vec2(0.0, galley.size().y / 2.0), galley, ink);
    end
}

/// At most two points per pixel, the extremes of each, so that long runs stay quick and no peak is lost. What is not
/// finite is left out.
pub(super) fn thinned(points: impl Iterator<Item = [f64; 2]>, (low, high): (f64, f64), width: f32) -> Vec<PlotPoint> {
    let points: Vec<[f64; 2]> = points.filter(|[x, y]| x.is_finite() && y.is_finite()).collect();
    if points.len() as f32 <= 2.0 * width {
        return points.into_iter().map(PlotPoint::from).collect();
    }
    let bucket = (high - low) / f64::from(width);
    let mut kept = Vec::new();
    let mut rest = &points[..];
    while let Some(first) = rest.first() {
        let pixel = ((first[0] - low) / bucket).floor();
        let count = rest.partition_point(|[x, _]| ((x - low) / bucket).floor() <= pixel).max(1);
        let (run, after) = rest.split_at(count);
        let by_value = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
        let ends = [run.iter().min_by(by_value), run.iter().max_by(by_value)];
        let mut ends: Vec<[f64; 2]> = ends.into_iter().flatten().copied().collect();
        ends.sort_by(|a, b| a[0].total_cmp(&b[0]));
        ends.dedup();
        kept.extend(ends.into_iter().map(PlotPoint::from));
        rest = after;
    }
    kept
}

/// The exponential moving average of a curve's values: s ← w·s + (1 − w)·y from s = 0, divided by 1 − wⁿ after n points, so
/// that the first values are not drawn to 0 (as Adam corrects its means, Kingma and Ba 2015, section 3). `weight` 0 leaves
/// the curve as it is. What is not finite is left out.
pub fn smoothed(points: &[[f64; 2]], weight: f64) -> Vec<[f64; 2]> {
    let weight = weight.clamp(0.0, 0.999);
    let (mut sum, mut share) = (0.0, 1.0);
    let finite = points.iter().filter(|[x, y]| x.is_finite() && y.is_finite());
    finite
        .map(|&[x, y]| {
            sum = weight * sum + (1.0 - weight) * y;
            share *= weight;
            [x, sum / (1.0 - share)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_reads_the_nearest_point_and_without_one_the_last() {
        let points = [[0.0, 5.0], [1.0, 6.0], [2.0, 7.0]];
        assert_eq!(nearest(&points, None), Some([2.0, 7.0]));
        assert_eq!(nearest(&points, Some(0.6)), Some([1.0, 6.0]));
        assert_eq!(nearest(&points, Some(9.0)), Some([2.0, 7.0]));
        assert_eq!(nearest(&[], Some(1.0)), None);
    }

    #[test]
    fn thinning_keeps_the_peaks() {
        let points = (0..100_000).map(|i| [f64::from(i) / 100_000.0, if i == 54_321 { 9.0 } else { 0.5 }]);
        let kept = thinned(points, (0.0, 1.0), 400.0);
        assert!(kept.len() <= 900, "{}", kept.len());
        assert!(kept.iter().any(|point| point.y == 9.0));
        assert!(kept.windows(2).all(|pair| pair[0].x <= pair[1].x));
    }

    #[test]
    fn only_what_is_in_view_and_its_neighbours_are_drawn() {
        let points: Vec<[f64; 2]> = (0..10).map(|i| [f64::from(i), 0.0]).collect();
        let xs = |range| seen(&points, range).iter().map(|point| point[0]).collect::<Vec<_>>();
        assert_eq!(xs((2.5, 4.5)), [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(xs((-1.0, 100.0)).len(), 10);
        assert_eq!(xs((20.0, 30.0)), [9.0]);
        assert!(seen(&[], (0.0, 1.0)).is_empty());
    }

    #[test]
    fn smoothing_begins_at_the_first_value_and_follows_what_stays() {
        let step: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i), if i < 50 { 1.0 } else { 3.0 }]).collect();
        assert_eq!(smoothed(&step, 0.0), step);
        let smooth = smoothed(&step, 0.9);
        assert!(smooth[..50].iter().all(|[_, y]| (y - 1.0).abs() < 1e-9), "a constant stays what it is");
        // s = 0.9·1 + 0.1·3 at the step, up to the correction, which is small by then
        assert!((smooth[50][1] - 1.2).abs() < 0.01, "{:?}", smooth[50]);
        assert!((smooth[99][1] - 3.0).abs() < 0.02, "{:?}", smooth[99]);
        assert_eq!(smoothed(&[[0.0, f64::NAN], [1.0, 2.0]], 0.5), [[1.0, 2.0]]);
    }
}
