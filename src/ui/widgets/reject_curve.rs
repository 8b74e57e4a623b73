//! The error left among the answers, over the share of images that get none; the threshold is a point on it that can be
//! dragged.

use super::distances::{moved_by_keys, name_of_threshold};
use super::value_scale::nice_step;
use crate::inference::{Rejected, Rejection};
use crate::ui::{
    style,
    text::{self, Weight},
    theme,
};
use eframe::egui::{Align2, CursorIcon, Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2};

/// Shows the curve over `size`, axes included, with the point of `now`; `target` is an error to compare with. A new
/// threshold comes back when the person has moved the point.
pub fn reject_curve(ui: &mut Ui, rejection: &Rejection, now: Rejected, target: f64, size: Vec2) -> Option<f32> {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let plot = Rect::from_min_max(rect.min + vec2(34.0, 8.0), rect.max - vec2(8.0, 36.0));
    let curve = rejection.curve();
    let ticks = |greatest: f64, least: f64| {
        let step = nice_step(greatest.max(least) / 4.0);
        (step, (greatest.max(least) / step - 1e-9).ceil() * step)
    };
    // one stubborn mistake can lie far out: what is shown goes well beyond the target
    let last = curve.last().map_or(0.0, |last| last.share);
    let far = rejection.for_half_percent().map_or(last, |rejected| last.min(4.0 * rejected.share));
    let (step_x, end_x) = ticks(far, 0.02);
    let (step_y, end_y) = ticks(curve.iter().map(|point| point.error).fold(0.0, f64::max), 1.2 * target);
    let at = |share: f64, error: f64| -> Pos2 {
        let [x, y] = [share / end_x, error / end_y].map(|t| t as f32);
        pos2(plot.left() + plot.width() * x, plot.bottom() - plot.height() * y)
    };

    let painter = ui.painter();
    let font = text::font(text::SMALL, Weight::Regular);
    for tick in 0..=(end_y / step_y).round() as i32 {
        let error = f64::from(tick) * step_y;
        let y = painter.round_to_pixel_center(at(0.0, error).y);
        painter.hline(plot.x_range(), y, Stroke::new(1.0, if tick == 0 { p.line } else { p.hair }));
        painter.text(pos2(plot.left() - 10.0, y), Align2::RIGHT_CENTER, percent(error), font.clone(), p.text2);
    }
    for tick in 0..=(end_x / step_x).round() as i32 {
        let share = f64::from(tick) * step_x;
        let x = at(share, 0.0).x;
        painter.text(pos2(x, plot.bottom() + 5.0), Align2::CENTER_TOP, percent(share), font.clone(), p.text2);
    }
    let below = pos2(plot.right(), rect.bottom());
    painter.text(below, Align2::RIGHT_BOTTOM, "% rejected", font.clone(), p.text3);
    let goal = at(0.0, target).y;
    let ends = [pos2(plot.left(), goal), pos2(plot.right(), goal)];
    painter.extend(Shape::dashed_line(&ends, Stroke::new(1.25, p.reference), 5.0, 4.0));
    let points: Vec<Pos2> = curve.iter().map(|point| at(point.share, point.error)).collect();
    ui.painter_at(plot.expand(1.0)).line(points, Stroke::new(1.75, p.text));

    let id = ui.scope_id().with("reject curve");
    let response = ui.interact(plot.expand2(vec2(8.0, 4.0)), id, Sense::click_and_drag());
    let mut threshold = moved_by_keys(ui, &response, now.threshold);
    if let Some(pointer) = response.interact_pointer_pos() {
        let share = f64::from(((pointer.x - plot.left()) / plot.width()).clamp(0.0, 1.0)) * end_x;
        threshold = rejection.threshold_for(share);
    }
    name_of_threshold(&response, now.threshold);
    let point = at(now.share.min(end_x), now.error);
    let x = ui.painter().round_to_pixel_center(point.x);
    let ends = [pos2(x, plot.top()), pos2(x, plot.bottom())];
    ui.painter().extend(Shape::dashed_line(&ends, Stroke::new(1.25, p.warn), 4.0, 3.0));
    ui.painter().circle(point, if response.hovered() { 6.0 } else { 5.0 }, p.warn, Stroke::new(2.0, p.bg));
    style::focus_ring(ui, &response, 6);
    response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    (threshold != now.threshold).then_some(threshold)
}

/// 0.0125 as "1.25", without zeros at the end.
fn percent(share: f64) -> String {
    let text = text::number(100.0 * share, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
