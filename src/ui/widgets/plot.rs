//! Curves over a shared x axis: plots with one cursor and one zoom, each with its values in a table beside it.
//! Axes, grid and cursor are ours, so that all plots and the F1 rows line up; the lines are drawn in `plot_lines.rs`.

use super::{
    plot_lines::{elided, lines},
    shared_axis::{SharedAxis, unit_in_words},
    value_scale::Scale,
};
use crate::ui::{
    icons,
    style::{self, FIELD_RADIUS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{Align2, Color32, Pos2, Rangef, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

pub use super::plot_lines::{Curve, CurveKind};

/// Room left of a plot for its labels.
pub const PLOT_LEFT: f32 = 40.0;
/// Room right of a plot for its table of values.
pub const PLOT_RIGHT: f32 = 136.0;

/// Something that happened at a place of the axis: "Rate 0.01 to 0.003".
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// When, in the unit of the axis.
    pub x: f64,
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
    /// `[x, value]` of the best epoch, with a star.
    pub best: Option<[f64; 2]>,
    /// What happened.
    pub flags: &'a [Flag],
    /// Whether the numbers of the axis are written below.
    pub labels_below: bool,
    /// What stands in an empty plot.
    pub empty: &'a str,
}

impl Chart<'_> {
    /// Shows the chart over `width`, labels and table included. Answers the plot's place on the screen.
    pub fn show(&self, ui: &mut Ui, shared: &mut SharedAxis, width: f32) -> Rect {
        let p = theme::of(ui);
        let below = if self.labels_below { 22.0 } else { 0.0 };
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
        lines(ui, self.title, plot, shared, self.curves, (self.scale, low, high));
        let sense = Sense::CLICK | Sense::DRAG | Sense::FOCUSABLE;
        let response = ui.interact(plot, ui.scope_id().with(("chart", self.title)), sense);
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, self.in_words(shared)));
        if empty {
            let font = text::font(text::BODY, Weight::Regular);
            ui.painter().text(plot.center(), Align2::CENTER_CENTER, self.empty, font, p.text3);
        } else {
            shared.follow(ui, plot, &response);
            self.flags(ui, plot, shared);
            self.best_star(ui, plot, shared, &to_y);
            self.table(ui, plot, rect.right(), shared, &to_y);
        }
        style::focus_ring(ui, &response, FIELD_RADIUS);
        plot
    }

    /// "Loss over epochs, Training 0.152, Validation 0.146": what stands in the table.
    fn in_words(&self, shared: &SharedAxis) -> String {
        let mut words = format!("{} over {}", self.title, unit_in_words(shared.unit()));
        for curve in self.curves {
            if let Some([_, value]) = curve.at(shared.cursor()) {
                words += &format!(", {} {}", curve.name, self.scale.label(value));
            }
        }
        words
    }

    /// Least and greatest value shown, in the unit of the data.
    fn bounds(&self, shared: &SharedAxis) -> (f64, f64) {
        // The training curve may fall far below the others at its start; it is cut rather than flatten them.
        let leads = |kind| kind != CurveKind::Training || self.scale == Scale::Log;
        let (low, high) = self.span(shared, leads);
        let (low, high) = if low.is_finite() { (low, high) } else { self.span(shared, |_| true) };
        self.scale.ends(low, high)
    }

    /// Least and greatest value in view of the curves that count.
    fn span(&self, shared: &SharedAxis, counts: impl Fn(CurveKind) -> bool) -> (f64, f64) {
        let (from, to) = shared.range();
        let mut span = (f64::INFINITY, f64::NEG_INFINITY);
        for curve in self.curves.iter().filter(|curve| counts(curve.kind)) {
            let both = curve.smooth.iter().chain(curve.points);
            let seen = both.filter(|[x, _]| *x >= from && *x <= to);
            let values = seen.map(|[_, y]| *y).filter(|y| y.is_finite() && (self.scale != Scale::Log || *y > 0.0));
            // a digit's curve may be cut at its start, too; where it ends must be seen
            let skipped =
                if matches!(curve.kind, CurveKind::Digit(_)) { values.clone().count().saturating_sub(1) } else { 0 };
            span = values.skip(skipped).fold(span, |(low, high), y| (low.min(y), high.max(y)));
        }
        span
    }

    fn head(&self, ui: &Ui, rect: Rect, empty: bool) {
        let p = theme::of(ui);
        let font = text::font(text::BODY, Weight::Semibold);
        let y = rect.top() + 8.0;
        let title = ui.painter().text(pos2(rect.left(), y), Align2::LEFT_CENTER, self.title, font, p.text);
        let small = text::font(text::SMALL, Weight::Regular);
        ui.painter().text(pos2(title.right() + 8.0, y + 0.5), Align2::LEFT_CENTER, self.note, small.clone(), p.text3);
        if !empty && !self.labels_below {
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
        for x in shared.epoch_lines(plot.width()) {
            let x = painter.round_to_pixel_center(shared.to_screen(plot.x_range(), x));
            dotted(ui, x, plot.y_range(), p.hair, 2.0, 3.0);
        }
        let ticks = if self.labels_below { shared.ticks() } else { Vec::new() };
        let last = ticks.len().saturating_sub(1);
        for (index, (x, label)) in ticks.into_iter().enumerate() {
            let x = painter.round_to_pixel_center(shared.to_screen(plot.x_range(), x));
            painter.vline(x, bottom..=bottom + 3.0, Stroke::new(1.0, p.line));
            let shown = painter.text(pos2(x, bottom + 12.0), Align2::CENTER_CENTER, label, small.clone(), p.text2);
            if index == last {
                let at = shown.right_center() + vec2(4.0, 0.0);
                painter.text(at, Align2::LEFT_CENTER, unit_in_words(shared.unit()), small.clone(), p.text3);
            }
        }
        painter.hline(plot.x_range(), bottom, Stroke::new(1.0, p.line));
    }

    fn flags(&self, ui: &Ui, plot: Rect, shared: &SharedAxis) {
        let p = theme::of(ui);
        for flag in self.flags {
            let x = ui.painter().round_to_pixel_center(shared.to_screen(plot.x_range(), flag.x));
            if !plot.x_range().contains(x) {
                continue;
            }
            dotted(ui, x, plot.y_range(), p.warn, 2.0, 2.0);
            let icon = text::icon_font(12.0, IconWeight::Fill);
            let painter = ui.painter_at(plot.expand(2.0));
            painter.text(pos2(x - 1.0, plot.top() + 1.0), Align2::RIGHT_TOP, icons::FLAG, icon, p.warn);
            if self.labels_below {
                continue; // one of the plots says what happened; the other only shows when
            }
            let font = text::font(text::SMALL, Weight::Regular);
            painter.text(pos2(x - 17.0, plot.top() + 1.0), Align2::RIGHT_TOP, &flag.text, font, p.text2);
        }
    }

    fn best_star(&self, ui: &Ui, plot: Rect, shared: &SharedAxis, to_y: &dyn Fn(f64) -> Option<f32>) {
        let Some([x, value]) = self.best else { return };
        let Some(y) = to_y(value) else { return };
        let at = pos2(shared.to_screen(plot.x_range(), x), y);
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
        // many curves stand closer; what finds no room even so is told by its own line's dot alone
        let stars = usize::from(self.best.is_some());
        let pitch = (plot.height() / (self.curves.len() + stars).max(1) as f32).clamp(16.0, 22.0);
        let most = ((plot.height() / pitch) as usize).saturating_sub(stars);
        for (index, curve) in self.curves.iter().enumerate() {
            let (colour, _) = curve.kind.look(p);
            let point = curve.at(shared.cursor());
            if let (Some([x, value]), Some(_)) = (point, shared.cursor())
                && let Some(at) = to_y(value)
            {
                let at = pos2(shared.to_screen(plot.x_range(), x), at);
                if plot.expand(1.0).contains(at) {
                    painter.circle(at, 3.5, colour, Stroke::new(1.5, p.bg));
                }
            }
            if index >= most {
                continue;
            }
            curve.kind.paint_key(painter, p, pos2(left, y), 12.0);
            let value = point.map_or_else(|| "–".to_owned(), |[_, value]| self.scale.label(value));
            let value = painter.text(pos2(right, y), Align2::RIGHT_CENTER, value, strong.clone(), p.text);
            elided(painter, curve.name, label.clone(), p.text2, pos2(left + 19.0, y), value.left() - 6.0);
            y += pitch;
        }
        if let Some([_, value]) = self.best {
            let icon = text::icon_font(13.0, IconWeight::Fill);
            painter.text(pos2(left + 6.0, y), Align2::CENTER_CENTER, icons::STAR, icon, p.accent);
            painter.text(pos2(left + 19.0, y), Align2::LEFT_CENTER, "Best", label, p.text2);
            painter.text(pos2(right, y), Align2::RIGHT_CENTER, self.scale.label(value), strong, p.text);
        }
    }
}

fn dotted(ui: &Ui, x: f32, y: Rangef, colour: Color32, dash: f32, gap: f32) {
    ui.painter().extend(Shape::dashed_line(&[pos2(x, y.min), pos2(x, y.max)], Stroke::new(1.0, colour), dash, gap));
}

/// The screen position of a value in a row of height `row` (F1 sparklines share it with the plots).
pub(super) fn row_place(rect: Rect, x: f32, t: f64) -> Pos2 {
    pos2(x, rect.bottom() - rect.height() * t.clamp(0.0, 1.0) as f32)
}
