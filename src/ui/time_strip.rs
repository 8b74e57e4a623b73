//! The strip under every place: how the run has gone, and a playhead that brings any moment of it back.

use eframe::egui::{
    Align2, CornerRadius, CursorIcon, EventFilter, Key, Painter, Rect, Response, Role, Sense, Shape, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::places::Scene;
use super::text::{self, IconWeight, Weight};
use super::{icons, style, theme};
use crate::workbench::{Command, TimeView};

/// Width of the rail, so that the run begins where the places do.
const LEFT: f32 = 72.0;
const PILL: f32 = 92.0;
/// What is looked at, in words.
const WORDS: f32 = 132.0;
const CURVE: f32 = 24.0;
/// Between two numbers of epochs, at least.
const BETWEEN_EPOCHS: f32 = 28.0;

/// Shows the run over the whole width, 56 high.
pub(super) fn strip(ui: &mut Ui, time: &TimeView, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let room = ui.max_rect();
    let painter = ui.painter().clone();
    let centre = room.left() - 16.0 + LEFT / 2.0;
    let icon = text::icon_font(16.0, IconWeight::Regular);
    painter.text(pos2(centre, room.top() + 20.0), Align2::CENTER_CENTER, icons::CLOCK_COUNTER_CLOCKWISE, icon, p.text2);
    let font = text::font(text::LABEL, Weight::Regular);
    painter.text(pos2(centre, room.top() + 40.0), Align2::CENTER_CENTER, "Time", font.clone(), p.text2);

    let pill = Rect::from_center_size(pos2(room.right() - PILL / 2.0, room.center().y), vec2(PILL, 26.0));
    let words = Rect::from_min_max(pos2(pill.left() - WORDS - 8.0, room.top()), pos2(pill.left() - 8.0, room.bottom()));
    let line = Rect::from_min_max(
        pos2(room.left() + LEFT, room.top() + 6.0),
        pos2(words.left() - 20.0, room.top() + 6.0 + CURVE + 7.0),
    );
    let to_x = |step: f64| line.left() + line.width() * (step / time.updates as f64).min(1.0) as f32;
    axis(&painter, time, line, &to_x, p);
    curve(&painter, time, line, &to_x, p);
    for step in &time.moments {
        let at = pos2(to_x(*step as f64), line.bottom());
        painter.circle(at, 2.0, p.bar, Stroke::new(1.0, p.text2));
    }
    let shown = time.playhead.unwrap_or(time.live);
    let x = painter.round_to_pixel_center(to_x(shown as f64));
    let colour = if time.playhead.is_some() { p.text } else { p.accent };
    painter.vline(x, line.top() - 2.0..=line.bottom(), Stroke::new(1.5, colour));
    painter.circle_filled(pos2(x, line.bottom()), 5.5, colour);

    let [first, second] = in_words(time);
    let at = |y: f32| pos2(words.left(), room.top() + y);
    let cut = painter.with_clip_rect(words);
    cut.text(at(20.0), Align2::LEFT_CENTER, &first, text::font(text::LABEL, Weight::Semibold), p.text);
    cut.text(at(37.0), Align2::LEFT_CENTER, &second, text::font(text::SMALL, Weight::Regular), p.text2);

    let grip = line.expand2(vec2(6.0, 0.0)).with_max_y(room.bottom());
    let response = ui.interact(grip, ui.scope_id().with("time strip"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, format!("Time strip, {first}, {second}")));
    if response.hovered() && !time.moments.is_empty() {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if let Some(step) = wanted(ui, &response, time, line)
        && time.playhead != Some(step)
    {
        scene.push(Command::LookBack(Some(step)));
    }
    style::focus_ring(ui, &response, 4);
    live(ui, pill, time, scene);
}

/// The moment that pointer or keys ask for.
fn wanted(ui: &Ui, response: &Response, time: &TimeView, line: Rect) -> Option<u64> {
    let nearest = |step: f64| {
        let away = |known: &&u64| (**known as f64 - step).abs();
        time.moments.iter().min_by(|a, b| away(a).total_cmp(&away(b))).copied()
    };
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
        let share = ((at.x - line.left()) / line.width()).clamp(0.0, 1.0);
        return nearest(f64::from(share) * time.updates as f64);
    }
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let steps = ui.input(|input| input.num_presses(Key::ArrowRight) as i64 - input.num_presses(Key::ArrowLeft) as i64);
    if steps == 0 {
        return None;
    }
    let last = time.moments.len().checked_sub(1)? as i64;
    let here = match time.playhead {
        Some(step) => time.moments.iter().rposition(|known| *known <= step).unwrap_or(0) as i64,
        // the newest weights stand after the newest moment
        None => last + 1,
    };
    time.moments.get((here + steps).clamp(0, last) as usize).copied()
}

/// What answers now: its moment, and its accuracy on the validation images.
fn in_words(time: &TimeView) -> [String; 2] {
    let accuracy = |share: f64| format!("{} on validation", text::percent(share, 2));
    let at = |step: u64| time.curve.iter().rfind(|[at, _]| *at as u64 == step).map(|[_, share]| *share);
    if let Some(step) = time.playhead {
        let moment = time.moment.as_deref().unwrap_or_default();
        let epoch = moment.replacen("epoch", "Epoch", 1);
        return [epoch, at(step).map_or_else(String::new, accuracy)];
    }
    if time.is_under_way {
        let newest = time.curve.last().map_or_else(|| "No moment yet".to_owned(), |[_, share]| accuracy(*share));
        return ["Newest weights".to_owned(), newest];
    }
    let best = time.best.map(|[_, share]| accuracy(share));
    ["Best weights".to_owned(), best.unwrap_or_else(|| time.title.clone())]
}

fn axis(painter: &Painter, time: &TimeView, line: Rect, to_x: &dyn Fn(f64) -> f32, p: &theme::Palette) {
    painter.hline(line.x_range(), painter.round_to_pixel_center(line.bottom()), Stroke::new(1.0, p.line));
    let font = text::font(text::SMALL, Weight::Regular);
    let mut free = line.left() - BETWEEN_EPOCHS;
    for (epoch, step) in std::iter::once((0, 0)).chain(time.ends.iter().copied()) {
        let x = painter.round_to_pixel_center(to_x(step as f64));
        painter.vline(x, line.bottom() - 3.0..=line.bottom() + 3.0, Stroke::new(1.0, p.line));
        if x - free >= BETWEEN_EPOCHS {
            free = x;
            painter.text(pos2(x, line.bottom() + 7.0), Align2::CENTER_TOP, epoch.to_string(), font.clone(), p.text3);
        }
    }
}

fn curve(painter: &Painter, time: &TimeView, line: Rect, to_x: &dyn Fn(f64) -> f32, p: &theme::Palette) {
    let least = time.curve.iter().map(|[_, share]| *share).fold(1.0, f64::min);
    let most = time.curve.iter().map(|[_, share]| *share).fold(0.0, f64::max);
    let span = (most - least).max(1e-6);
    let to_y = |share: f64| line.top() + 2.0 + (CURVE - 4.0) * (1.0 - ((share - least) / span) as f32);
    let points = time.curve.iter().map(|[step, share]| pos2(to_x(*step), to_y(*share))).collect();
    painter.add(Shape::line(points, Stroke::new(1.5, p.text)));
    if let Some([step, share]) = time.best {
        let at = pos2(to_x(step), to_y(share));
        painter.text(at, Align2::CENTER_CENTER, icons::STAR, text::icon_font(12.0, IconWeight::Fill), p.accent);
    }
}

/// The pill at the right: live, or the way back.
fn live(ui: &Ui, rect: Rect, time: &TimeView, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let response = ui.interact(rect, ui.scope_id().with("live"), Sense::click());
    let is_live = time.playhead.is_none();
    let words = if is_live { "Live" } else { "Go to live" };
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_live, words));
    let radius = CornerRadius::same(13);
    let font = text::font(text::BODY, Weight::Semibold);
    if is_live {
        ui.painter().rect_filled(rect, radius, p.accent_soft);
        ui.painter().circle_filled(pos2(rect.left() + 26.0, rect.center().y), 4.0, p.accent);
        ui.painter().text(rect.center() + vec2(8.0, 0.0), Align2::CENTER_CENTER, words, font, p.text);
    } else {
        let fill = if response.hovered() { p.hover } else { p.bar };
        ui.painter().rect(rect, radius, fill, Stroke::new(1.0, p.edge), StrokeKind::Inside);
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, words, font, p.text);
    }
    style::focus_ring(ui, &response, 13);
    let response =
        super::widgets::button::tooltip(response, "The newest weights; of a run that has ended, its best", "L");
    if response.clicked() && !is_live {
        scene.push(Command::LookBack(None));
    }
}
