//! A curve of what is paid over what is had, with the point of the threshold that holds now.

use eframe::egui::{Align2, Pos2, Rect, Sense, Stroke, Ui, Vec2, pos2, vec2};

use super::value_scale::nice_step;
use crate::ui::text::{self, Weight};
use crate::ui::theme;

/// Both axes are shares, from 0 to the greatest of the curve; `names` stand at the ends of the axes.
pub struct TradeOff<'a> {
    /// What the curve tells, for those who cannot see it.
    pub name: &'a str,
    /// `(across, up)`, in the order of the curve.
    pub curve: &'a [(f64, f64)],
    pub now: (f64, f64),
    /// Of the axis across and of the one up.
    pub names: [&'a str; 2],
    /// Where the axes begin and end at least: `[across, up]`.
    pub ranges: [(f64, f64); 2],
}

/// Draws it over `size`, axes and their names included.
pub fn trade_off(ui: &mut Ui, shown: &TradeOff<'_>, size: Vec2) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let plot = Rect::from_min_max(rect.min + vec2(38.0, 20.0), rect.max - vec2(10.0, 34.0));
    let greatest = |axis: fn(&(f64, f64)) -> f64| shown.curve.iter().map(axis).fold(0.0, f64::max);
    let axis = |(low, high): (f64, f64), greatest: f64| {
        let step = nice_step((greatest.max(high) - low) / 4.0);
        let end = (greatest.max(high) / step - 1e-9).ceil() * step;
        (low, step, end)
    };
    let across = axis(shown.ranges[0], greatest(|point| point.0));
    let up = axis(shown.ranges[1], greatest(|point| point.1));
    let at = |(x, y): (f64, f64)| -> Pos2 {
        let [x, y] =
            [(x, across), (y, up)].map(|(value, (low, _, end))| ((value - low) / (end - low)).clamp(0.0, 1.0) as f32);
        pos2(plot.left() + plot.width() * x, plot.bottom() - plot.height() * y)
    };
    let painter = ui.painter();
    let font = text::font(text::SMALL, Weight::Regular);
    let percent = |share: f64| {
        let text = text::number(100.0 * share, 2);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let ticks = |(low, step, end): (f64, f64, f64)| {
        let count = ((end - low) / step).round() as i32;
        (0..=count).map(move |tick| low + f64::from(tick) * step)
    };
    for value in ticks(up) {
        let y = painter.round_to_pixel_center(at((across.0, value)).y);
        painter.hline(plot.x_range(), y, Stroke::new(1.0, if value == up.0 { p.line } else { p.hair }));
        painter.text(pos2(plot.left() - 6.0, y), Align2::RIGHT_CENTER, percent(value), font.clone(), p.text2);
    }
    for value in ticks(across) {
        let place = pos2(at((value, up.0)).x, plot.bottom() + 4.0);
        painter.text(place, Align2::CENTER_TOP, percent(value), font.clone(), p.text2);
    }
    painter.text(pos2(rect.left(), rect.top()), Align2::LEFT_TOP, shown.names[1], font.clone(), p.text3);
    painter.text(pos2(plot.right(), rect.bottom()), Align2::RIGHT_BOTTOM, shown.names[0], font, p.text3);
    let points: Vec<Pos2> = shown.curve.iter().map(|&point| at(point)).collect();
    painter.line(points, Stroke::new(1.75, p.text));
    painter.circle(at(shown.now), 5.0, p.accent, Stroke::new(2.0, p.bg));
    response.widget_info(|| {
        let words = format!(
            "{}, {} {}, {} {}",
            shown.name,
            shown.names[0],
            percent(shown.now.0),
            shown.names[1],
            percent(shown.now.1)
        );
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Image, true, words)
    });
}
