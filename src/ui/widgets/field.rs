//! Rows of a form: a label, perhaps a mark that says when a change takes effect, and a text field, a choice, or a slider;
//! under it one sentence when the value is wrong.

use super::button;
use crate::ui::{
    icons,
    style::{self, FIELD_RADIUS, HOVER_SECONDS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{
    self, Align, Align2, Color32, CornerRadius, EventFilter, Key, Layout, Margin, Popup, PopupCloseBehavior, Rect,
    Response, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use std::ops::RangeInclusive;

/// Height of every field.
pub const FIELD_HEIGHT: f32 = 28.0;

/// When a change of a setting takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Says nothing.
    #[default]
    None,
    /// A filled dot: at the next batch.
    NextBatch,
    /// A ring: only with a new run.
    NewRun,
}

/// One row: `label` at the left, the field at the right edge. `error` is the sentence for a bad value.
pub struct Row<'a> {
    /// What is set here.
    pub label: &'a str,
    /// When a change takes effect.
    pub mark: Mark,
    /// What is wrong with the value.
    pub error: Option<&'a str>,
}

impl Row<'_> {
    /// Lays out the row over `width`; `field` gets the field's width and adds it.
    pub fn show<R>(self, ui: &mut Ui, width: f32, field_width: f32, field: impl FnOnce(&mut Ui, f32) -> R) -> R {
        let p = theme::of(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(width, FIELD_HEIGHT), Sense::hover());
        let at = pos2(rect.left(), rect.center().y);
        let colour = if ui.is_enabled() { p.text2 } else { p.text3 };
        ui.painter().text(at, Align2::LEFT_CENTER, self.label, text::font(text::BODY, Weight::Regular), colour);
        let field_rect = Rect::from_min_max(pos2(rect.right() - field_width, rect.top()), rect.max);
        paint_mark(ui, pos2(field_rect.left() - 12.0, rect.center().y), self.mark);
        // A name of its own: a sentence that appears in a row above must not take the focus from this one.
        let scope = ui.scope_id().with(("row", self.label));
        let layout = Layout::left_to_right(Align::Center);
        let mut child = ui.new_child(egui::UiBuilder::new().scope_id(scope).max_rect(field_rect).layout(layout));
        let answer = field(&mut child, field_width);
        if let Some(error) = self.error {
            let stroke = Stroke::new(1.0, p.error);
            ui.painter().rect_stroke(field_rect, CornerRadius::same(FIELD_RADIUS), stroke, StrokeKind::Inside);
            ui.allocate_ui(vec2(width, 0.0), |ui| ui.add(egui::Label::new(text::label(error).color(p.error)).wrap()));
        }
        answer
    }
}

/// Paints the mark of a row, for the legend too.
pub fn paint_mark(ui: &Ui, centre: egui::Pos2, mark: Mark) {
    let p = theme::of(ui);
    match mark {
        Mark::None => {}
        Mark::NextBatch => {
            ui.painter().circle_filled(centre, 3.0, p.accent);
        }
        Mark::NewRun => {
            ui.painter().circle_stroke(centre, 3.0, Stroke::new(1.5, p.warn));
        }
    }
}

/// One line of text, `width` wide. `name` is read aloud.
pub fn text_field(ui: &mut Ui, content: &mut String, name: &str, width: f32) -> Response {
    let p = theme::of(ui);
    let id = ui.scope_id().with(("text", name));
    let focused = ui.memory(|memory| memory.has_focus(id));
    let rect = Rect::from_min_size(ui.cursor().min, vec2(width, FIELD_HEIGHT));
    let hovered = ui.rect_contains_pointer(rect) && ui.is_enabled();
    let edge = if focused {
        Stroke::new(1.5, p.accent)
    } else if hovered {
        Stroke::new(1.0, p.edge)
    } else if p.dark {
        Stroke::NONE
    } else {
        Stroke::new(1.0, p.line)
    };
    let response = ui.add_sized(
        vec2(width, FIELD_HEIGHT),
        TextEdit::singleline(content)
            .id(id)
            .font(text::font(text::BODY, Weight::Regular))
            .text_color(if ui.is_enabled() { p.text } else { p.text3 })
            .align(Align2::LEFT_CENTER)
            .margin(Margin::ZERO)
            .frame(egui::Frame::new().fill(p.raise).corner_radius(FIELD_RADIUS).inner_margin(Margin::symmetric(10, 5))),
    );
    ui.painter().rect_stroke(response.rect, CornerRadius::same(FIELD_RADIUS), edge, StrokeKind::Inside);
    response.accessible_name(name)
}

/// A field that opens a list. True if another entry was chosen.
pub fn choice<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: &mut T,
    options: &[(T, &str)],
    width: f32,
) -> bool {
    choice_of_height(ui, name, chosen, options, vec2(width, FIELD_HEIGHT), Weight::Regular)
}

/// [`choice`] in the transport bar: 32 high, its value in 600.
pub fn picker<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: &mut T,
    options: &[(T, &str)],
    width: f32,
) -> bool {
    choice_of_height(ui, name, chosen, options, vec2(width, 32.0), Weight::Semibold)
}

fn choice_of_height<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: &mut T,
    options: &[(T, &str)],
    size: egui::Vec2,
    weight: Weight,
) -> bool {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let shown = options.iter().find(|(value, _)| value == chosen).map_or("", |(_, label)| *label);
    let enabled = ui.is_enabled();
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, enabled, name);
        info.current_text_value = Some(shown.to_owned());
        info
    });
    if ui.is_rect_visible(rect) {
        let open = Popup::is_id_open(ui.ctx(), Popup::default_response_id(&response));
        let lit = response.hovered() || open;
        let hover = ui.ctx().animate_bool_with_time(response.id, lit, HOVER_SECONDS);
        let edge = if p.dark { Stroke::NONE } else { Stroke::new(1.0, theme::mix(p.line, p.edge, hover)) };
        let radius = CornerRadius::same(if size.y > FIELD_HEIGHT { style::BUTTON_RADIUS } else { FIELD_RADIUS });
        ui.painter().rect(rect, radius, theme::mix(p.raise, p.hover, hover), edge, StrokeKind::Inside);
        let text_room = Rect::from_min_max(rect.min + vec2(12.0, 0.0), rect.max - vec2(30.0, 0.0));
        // a name without room ends in an ellipsis; the whole one is in the menu
        let font = text::font(text::BODY, weight);
        let mut line = egui::text::LayoutJob::simple_singleline(shown.to_owned(), font, p.text);
        line.wrap = egui::text::TextWrapping::truncate_at_width(text_room.width() + 4.0);
        let galley = ui.painter().layout_job(line);
        let at = pos2(text_room.left() - 2.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, p.text);
        let at = pos2(rect.right() - 16.0, rect.center().y);
        let font = text::icon_font(14.0, IconWeight::Regular);
        ui.painter().text(at, Align2::CENTER_CENTER, icons::CARET_DOWN, font, p.text2);
        style::focus_ring(ui, &response, FIELD_RADIUS);
    }
    let mut changed = false;
    Popup::menu(&response).width(size.x - 12.0).close_behavior(PopupCloseBehavior::CloseOnClick).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let most = (ui.ctx().content_rect().height() - 96.0).max(120.0);
        egui::ScrollArea::vertical().max_height(most).min_scrolled_height(most).show(ui, |ui| {
            for (value, label) in options {
                if menu_item(ui, label, value == chosen, size.x - 12.0).clicked() && value != chosen {
                    *chosen = value.clone();
                    changed = true;
                }
            }
        });
    });
    changed
}

/// One entry of a menu, at least `width` wide, with a check when chosen.
pub fn menu_item(ui: &mut Ui, label: &str, chosen: bool, width: f32) -> Response {
    let p = theme::of(ui);
    let weight = if chosen { Weight::Semibold } else { Weight::Regular };
    let galley = ui.painter().layout_no_wrap(label.to_owned(), text::font(text::BODY, weight), Color32::PLACEHOLDER);
    let size = vec2(width.max(galley.size().x + 42.0), FIELD_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, enabled, chosen, label));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, CornerRadius::same(6), p.hover);
    }
    let at = pos2(rect.left() + 8.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, p.text);
    if chosen {
        let at = pos2(rect.right() - 14.0, rect.center().y);
        let font = text::icon_font(14.0, IconWeight::Bold);
        ui.painter().text(at, Align2::CENTER_CENTER, icons::CHECK, font, p.accent);
    }
    response
}

/// A slider: rail, knob; arrow keys move it by `step`. `spoken` is the value in words ("10 %").
pub fn slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f32,
    range: RangeInclusive<f32>,
    step: f32,
    spoken: &str,
    width: f32,
) -> Response {
    let p = theme::of(ui);
    let (rect, mut response) = ui.allocate_exact_size(vec2(width, FIELD_HEIGHT), Sense::click_and_drag());
    let rail = Rect::from_center_size(rect.center(), vec2(width - 14.0, 4.0));
    let (low, high) = (*range.start(), *range.end());
    let before = *value;
    if let Some(pointer) = response.interact_pointer_pos() {
        let share = ((pointer.x - rail.left()) / rail.width()).clamp(0.0, 1.0);
        *value = low + (high - low) * share;
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let steps = ui.input(|input| {
            input.num_presses(Key::ArrowRight) as f32 - input.num_presses(Key::ArrowLeft) as f32 //
        });
        *value += steps * step;
    }
    // a value from elsewhere may lie outside or between two steps: it stays as it is until somebody moves it
    if *value != before {
        if step > 0.0 {
            *value = low + ((*value - low) / step).round() * step;
        }
        *value = value.clamp(low, high);
        response.mark_changed();
    }
    let (enabled, shown) = (ui.is_enabled(), *value);
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(enabled, shown.into(), name);
        info.current_text_value = Some(spoken.to_owned());
        info
    });
    if ui.is_rect_visible(rect) {
        let share = if high > low { ((shown - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        let knob = pos2(rail.left() + rail.width() * share, rail.center().y);
        let painter = ui.painter();
        let whole = Rect::from_min_max(rail.min - vec2(7.0, 0.0), rail.max + vec2(7.0, 0.0));
        let left = Rect::from_min_max(whole.min, pos2(knob.x, whole.bottom()));
        painter.rect_filled(whole, CornerRadius::same(2), if p.dark { p.hover } else { p.line });
        painter.rect_filled(left, CornerRadius::same(2), p.text2);
        let hover =
            ui.ctx().animate_bool_with_time(response.id, response.hovered() || response.dragged(), HOVER_SECONDS);
        let fill = if p.dark { p.text } else { p.raise };
        let edge = if p.dark { Stroke::NONE } else { Stroke::new(1.5, p.text2) };
        painter.circle(knob, 6.5 + 0.5 * hover, fill, edge);
        if response.has_focus() {
            painter.circle_stroke(knob, 10.0, Stroke::new(2.0, p.accent));
        }
    }
    response
}

/// Room for the name of a slider.
const NAME: f32 = 74.0;

/// A slider row of a form: label, slider, value at the right edge. True if moved.
pub fn slider_row(
    ui: &mut Ui,
    label: &str,
    value: &mut f32,
    range: RangeInclusive<f32>,
    step: f32,
    format: impl Fn(f32) -> String,
    width: f32,
) -> bool {
    let p = theme::of(ui);
    let before = *value;
    ui.allocate_ui_with_layout(vec2(width, FIELD_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (name_rect, _) = ui.allocate_exact_size(vec2(NAME, FIELD_HEIGHT), Sense::hover());
        let font = text::font(text::BODY, Weight::Regular);
        ui.painter().text(name_rect.left_center(), Align2::LEFT_CENTER, label, font.clone(), p.text2);
        let spoken = format(*value);
        slider(ui, label, value, range, step, &spoken, width - NAME - 56.0);
        let (value_rect, _) = ui.allocate_exact_size(vec2(56.0, FIELD_HEIGHT), Sense::hover());
        ui.painter().text(value_rect.right_center(), Align2::RIGHT_CENTER, format(*value), font, p.text);
    });
    *value != before
}

/// A switch at the right edge of a row headed by `label` in 600. True if switched.
pub fn switch_row(ui: &mut Ui, label: &str, on: &mut bool, width: f32) -> bool {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 20.0), Sense::hover());
    let font = text::font(text::BODY, Weight::Semibold);
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, label, font, p.text);
    let at = Rect::from_min_size(pos2(rect.right() - 32.0, rect.center().y - 9.0), vec2(32.0, 18.0));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(at));
    button::switch(&mut child, on, label).changed()
}

/// A row headed by `label` in 600 that opens and closes what follows it; `note` stands beside its caret.
pub fn disclosure_row(ui: &mut Ui, label: &str, note: &str, open: &mut bool, width: f32) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 20.0), Sense::click());
    if response.clicked() {
        *open = !*open;
    }
    let (enabled, is_open) = (ui.is_enabled(), *open);
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, is_open, label));
    let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
    let painter = ui.painter();
    painter.text(rect.left_center(), Align2::LEFT_CENTER, label, text::font(text::BODY, Weight::Semibold), p.text);
    let caret = if *open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
    let colour = theme::mix(p.text2, p.text, hover);
    let at = rect.right_center() - vec2(9.0, 0.0);
    painter.text(at, Align2::CENTER_CENTER, caret, text::icon_font(14.0, IconWeight::Regular), colour);
    let at = rect.right_center() - vec2(24.0, 0.0);
    painter.text(at, Align2::RIGHT_CENTER, note, text::font(text::LABEL, Weight::Regular), p.text2);
    style::focus_ring(ui, &response, FIELD_RADIUS);
}
