//! Curves over epochs: plots that share one x axis, one cursor and one zoom, each with its values in a table beside it.
//! egui_plot draws the lines; axes, grid and cursor are ours, so that all plots and the F1 rows line up.

use super::{
    shared_axis::SharedAxis,
    value_scale::{Scale, epoch_ticks, nice_step},
};
use crate::ui::{
    icons,
    text::{self, IconWeight, Weight},
    theme::{self, Palette},
};
use eframe::egui::{
    self, Align2, Color32, CursorIcon, Pos2, Rangef, Rect, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use egui_plot::{Line, LineStyle, Plot, PlotPoint, PlotPoints};

/// Room left of a plot for its labels.
pub const PLOT_LEFT: f32 = 40.0;
/// Room right of a plot for its table of values.
pub const PLOT_RIGHT: f32 = 136.0;

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
}

/// One curve of a chart.
#[derive(Clone, Copy)]
pub struct Curve<'a> {
    /// In the table.
    pub name: &'a str,
    /// `[epoch, value]`, epochs rising. What is not finite is left out.
    pub points: &'a [[f64; 2]],
    /// See [`CurveKind`].
    pub kind: CurveKind,
}

impl Curve<'_> {
    /// The point to read at the cursor: one that was measured, but between the few points of a reference, the line.
    fn at(&self, cursor: Option<f64>) -> Option<[f64; 2]> {
        let (CurveKind::Reference, Some(cursor)) = (self.kind, cursor) else { return nearest(self.points, cursor) };
        let after = self.points.partition_point(|[x, _]| *x < cursor);
        let (Some(&[x0, y0]), Some(&[x1, y1])) = (self.points.get(after.wrapping_sub(1)), self.points.get(after))
        else {
            return nearest(self.points, Some(cursor));
        };
        Some([cursor, y0 + (y1 - y0) * (cursor - x0) / (x1 - x0).max(1e-9)])
    }
}

/// Something that happened at an epoch: "Rate 0.01 to 0.003".
#[derive(Clone, Debug)]
pub struct Flag {
    /// When.
    pub epoch: f64,
    /// What.
    pub text: String,
}

/// One plot with its title and its table of values.
pub struct Chart<'a> {
    /// "Loss"; also the plot's identity.
    pub title: &'a str,
    /// After the title in grey: the unit.
    pub note: &'a str,
    /// Of the plot alone.
    pub height: f32,
    /// See [`Scale`].
    pub scale: Scale,
    /// Back to front.
    pub curves: &'a [Curve<'a>],
    /// `[epoch, value]` of the best epoch, with a star.
    pub best: Option<[f64; 2]>,
    /// What happened.
    pub flags: &'a [Flag],
    /// Whether epochs are written below.
    pub epochs_below: bool,
    /// What stands in an empty plot.
    pub empty: &'a str,
}

impl Chart<'_> {
    /// Shows the chart over `width`, labels and table included. Answers the plot's place on the screen.
    pub fn show(&self, ui: &mut Ui, shared: &mut SharedAxis, width: f32) -> Rect {
        let p = theme::of(ui);
        let below = if self.epochs_below { 22.0 } else { 0.0 };
        let (rect, _) = ui.allocate_exact_size(vec2(width, 28.0 + self.height + below), Sense::hover());
        let plot = Rect::from_min_max(
            pos2(rect.left() + PLOT_LEFT, rect.top() + 28.0),
            pos2(rect.right() - PLOT_RIGHT, rect.top() + 28.0 + self.height),
        );
        let empty = self.curves.iter().all(|curve| curve.points.is_empty());
        let (low, high) = self.bounds(shared);
        let to_y = |value: f64| self.scale.place(value, low, high).map(|t| plot.bottom() - plot.height() * t as f32);

        self.head(ui, rect, empty);
        self.grid(ui, plot, shared, low, high, &to_y);
        self.lines(ui, plot, shared, low, high);
        let response = ui.interact(plot, ui.scope_id().with(("chart", self.title)), Sense::CLICK | Sense::DRAG);
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, format!("{} over epochs", self.title)));
        if empty {
            let font = text::font(text::BODY, Weight::Regular);
            ui.painter().text(plot.center(), Align2::CENTER_CENTER, self.empty, font, p.text3);
        } else {
            shared.follow(ui, plot, &response);
            response.on_hover_cursor(CursorIcon::Crosshair);
            self.flags(ui, plot, shared);
            self.best_star(ui, plot, shared, &to_y);
            self.table(ui, plot, rect.right(), shared, &to_y);
        }
        plot
    }

    /// Least and greatest value shown, in the unit of the data.
    fn bounds(&self, shared: &SharedAxis) -> (f64, f64) {
        let (from, to) = shared.range();
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for curve in self.curves {
            // The training curve may fall far below the others at its start; it is cut rather than flatten them.
            let leads = curve.kind != CurveKind::Training || self.curves.len() == 1 || self.scale == Scale::Log;
            for &[x, y] in curve.points.iter().filter(|[x, _]| *x >= from && *x <= to) {
                if x.is_finite() && y.is_finite() && leads && (self.scale != Scale::Log || y > 0.0) {
                    low = low.min(y);
                    high = high.max(y);
                }
            }
        }
        match self.scale {
            Scale::Log if low < high => (low / 1.12, high * 1.12),
            Scale::Log if low.is_finite() => (low / 2.0, low * 2.0),
            Scale::Log => (0.05, 3.0),
            Scale::Percent if low.is_finite() => {
                // Down to the next whole step, so that the lowest label is the edge of the plot.
                let span = ((1.0 - low) * 100.0).max(0.5);
                let step = nice_step(span / 4.0) / 100.0;
                (((low + 1e-9) / step).floor() * step, 1.0)
            }
            Scale::Percent => (0.0, 1.0),
        }
    }

    fn head(&self, ui: &Ui, rect: Rect, empty: bool) {
        let p = theme::of(ui);
        let font = text::font(text::BODY, Weight::Semibold);
        let y = rect.top() + 8.0;
        let title = ui.painter().text(pos2(rect.left(), y), Align2::LEFT_CENTER, self.title, font, p.text);
        let small = text::font(text::SMALL, Weight::Regular);
        ui.painter().text(pos2(title.right() + 8.0, y + 0.5), Align2::LEFT_CENTER, self.note, small.clone(), p.text3);
        if !empty && !self.epochs_below {
            ui.painter().text(pos2(rect.right(), y + 0.5), Align2::RIGHT_CENTER, "At the cursor", small, p.text3);
        }
    }

    fn grid(&self, ui: &Ui, plot: Rect, shared: &SharedAxis, low: f64, high: f64, to_y: &dyn Fn(f64) -> Option<f32>) {
        let p = theme::of(ui);
        let painter = ui.painter();
        let small = text::font(text::SMALL, Weight::Regular);
        for value in self.scale.ticks(low, high) {
            let Some(y) = to_y(value) else { continue };
            let y = painter.round_to_pixel_center(y);
            painter.hline(plot.x_range(), y, Stroke::new(1.0, p.hair));
            let label = self.scale.tick_label(value);
            painter.text(pos2(plot.left() - 10.0, y), Align2::RIGHT_CENTER, label, small.clone(), p.text2);
        }
        let bottom = painter.round_to_pixel_center(plot.bottom());
        let ticks = epoch_ticks(shared.range());
        for (index, &epoch) in ticks.iter().enumerate() {
            let x = painter.round_to_pixel_center(shared.to_screen(plot.x_range(), epoch));
            if index > 0 {
                dotted(ui, x, plot.y_range(), p.hair, 2.0, 3.0);
            }
            if self.epochs_below {
                let last = index + 1 == ticks.len();
                let label = text::number(epoch, if epoch.fract() == 0.0 { 0 } else { 1 });
                let shown = painter.text(pos2(x, bottom + 12.0), Align2::CENTER_CENTER, label, small.clone(), p.text2);
                if last {
                    let unit = if epoch == 1.0 { "epoch" } else { "epochs" };
                    painter.text(
                        shown.right_center() + vec2(4.0, 0.0),
                        Align2::LEFT_CENTER,
                        unit,
                        small.clone(),
                        p.text3,
                    );
                }
            }
        }
        painter.hline(plot.x_range(), bottom, Stroke::new(1.0, p.line));
    }

    fn lines(&self, ui: &mut Ui, plot: Rect, shared: &SharedAxis, low: f64, high: f64) {
        let p = theme::of(ui);
        let range = shared.range();
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(plot).id_salt(("lines", self.title)));
        Plot::new(("plot", self.title))
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
                for curve in self.curves {
                    let placed = curve.points.iter().filter_map(|&[x, y]| Some([x, self.scale.place(y, low, high)?]));
                    let points = thinned(placed, range, plot.width());
                    let (colour, line_width) = look(p, curve.kind);
                    let mut line = Line::new(curve.name, PlotPoints::Owned(points))
                        .allow_band(false)
                        .color(colour)
                        .width(line_width)
                        .allow_hover(false);
                    if curve.kind == CurveKind::Reference {
                        line = line.style(LineStyle::Dashed { length: 5.0 });
                    }
                    plot_ui.line(line);
                }
            });
    }

    fn flags(&self, ui: &Ui, plot: Rect, shared: &SharedAxis) {
        let p = theme::of(ui);
        for flag in self.flags {
            let x = ui.painter().round_to_pixel_center(shared.to_screen(plot.x_range(), flag.epoch));
            if !plot.x_range().contains(x) {
                continue;
            }
            dotted(ui, x, plot.y_range(), p.warn, 2.0, 2.0);
            let icon = text::icon_font(12.0, IconWeight::Fill);
            let painter = ui.painter_at(plot.expand(2.0));
            painter.text(pos2(x - 1.0, plot.top() + 1.0), Align2::RIGHT_TOP, icons::FLAG, icon, p.warn);
            if self.epochs_below {
                continue; // one of the plots says what happened; the other only shows when
            }
            let font = text::font(text::SMALL, Weight::Regular);
            painter.text(pos2(x - 17.0, plot.top() + 1.0), Align2::RIGHT_TOP, &flag.text, font, p.text2);
        }
    }

    fn best_star(&self, ui: &Ui, plot: Rect, shared: &SharedAxis, to_y: &dyn Fn(f64) -> Option<f32>) {
        let Some([epoch, value]) = self.best else { return };
        let Some(y) = to_y(value) else { return };
        let at = pos2(shared.to_screen(plot.x_range(), epoch), y);
        if plot.expand(2.0).contains(at) {
            let font = text::icon_font(15.0, IconWeight::Fill);
            ui.painter().text(at, Align2::CENTER_CENTER, icons::STAR, font, theme::of(ui).accent);
        }
    }

    fn table(&self, ui: &Ui, plot: Rect, right: f32, shared: &SharedAxis, to_y: &dyn Fn(f64) -> Option<f32>) {
        let p = theme::of(ui);
        let left = plot.right() + 16.0;
        let mut y = plot.top() + 12.0;
        let painter = ui.painter();
        let label = text::font(text::LABEL, Weight::Regular);
        let strong = text::font(text::LABEL, Weight::Semibold);
        for curve in self.curves {
            let (colour, width) = look(p, curve.kind);
            let key = [pos2(left, y), pos2(left + 12.0, y)];
            if curve.kind == CurveKind::Reference {
                painter.extend(Shape::dashed_line(&key, Stroke::new(width, colour), 5.0, 2.0));
            } else {
                painter.line_segment(key, Stroke::new(width.max(1.5), colour));
            }
            painter.text(pos2(left + 19.0, y), Align2::LEFT_CENTER, curve.name, label.clone(), p.text2);
            let point = curve.at(shared.cursor());
            let value = point.map_or_else(|| "–".to_owned(), |[_, value]| self.scale.label(value));
            painter.text(pos2(right, y), Align2::RIGHT_CENTER, value, strong.clone(), p.text);
            y += 22.0;
            if let (Some([epoch, value]), Some(_)) = (point, shared.cursor())
                && let Some(at) = to_y(value)
            {
                let at = pos2(shared.to_screen(plot.x_range(), epoch), at);
                if plot.expand(1.0).contains(at) {
                    painter.circle(at, 3.5, colour, Stroke::new(1.5, p.bg));
                }
            }
        }
        if let Some([_, value]) = self.best {
            let icon = text::icon_font(13.0, IconWeight::Fill);
            painter.text(pos2(left + 6.0, y), Align2::CENTER_CENTER, icons::STAR, icon, p.accent);
            painter.text(pos2(left + 19.0, y), Align2::LEFT_CENTER, "Best", label, p.text2);
            painter.text(pos2(right, y), Align2::RIGHT_CENTER, self.scale.label(value), strong, p.text);
        }
    }
}

fn look(p: &Palette, kind: CurveKind) -> (Color32, f32) {
    match kind {
        CurveKind::Training => (p.edge, 1.25),
        CurveKind::Validation => (p.text, 1.75),
        CurveKind::Reference => (p.reference, 1.5),
        CurveKind::Digit(digit) => (p.digit(digit), 1.75),
    }
}

fn dotted(ui: &Ui, x: f32, y: Rangef, colour: Color32, dash: f32, gap: f32) {
    ui.painter().extend(Shape::dashed_line(&[pos2(x, y.min), pos2(x, y.max)], Stroke::new(1.0, colour), dash, gap));
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

/// At most two points per pixel, the extremes of each, so that long runs stay quick and no peak is lost.
fn thinned(points: impl Iterator<Item = [f64; 2]>, (low, high): (f64, f64), width: f32) -> Vec<PlotPoint> {
    let points: Vec<[f64; 2]> = points.filter(|[x, _]| x.is_finite()).collect();
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

/// The screen position of a value in a row of height `row` (F1 sparklines share it with the plots).
pub(super) fn row_place(rect: Rect, x: f32, t: f64) -> Pos2 {
    pos2(x, rect.bottom() - rect.height() * t.clamp(0.0, 1.0) as f32)
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
}
