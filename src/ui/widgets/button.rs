//! Things to press: text buttons, icon buttons, pills and the on/off switch. All answer to Enter and Space when focused
//! and say their key in the tooltip.

use crate::ui::{
    style::{self, BUTTON_RADIUS, HOVER_SECONDS, SWITCH_SECONDS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{
    Align2, Color32, CornerRadius, Response, Role, Sense, Stroke, StrokeKind, Ui, Widget, WidgetInfo, pos2, vec2,
};

/// How much a button asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Filled with the accent; at most one on a screen.
    Primary,
    /// Raised; the usual one.
    Plain,
    /// Text only.
    Quiet,
}

/// A button with text and perhaps an icon, 32 high.
#[must_use = "give it to ui.add"]
pub struct Button<'a> {
    text: &'a str,
    kind: Kind,
    icon: Option<&'a str>,
    width: Option<f32>,
    key: &'a str,
    hint: &'a str,
}

impl<'a> Button<'a> {
    /// A button of a kind.
    pub fn new(kind: Kind, text: &'a str) -> Self {
        Self { text, kind, icon: None, width: None, key: "", hint: "" }
    }

    /// See [`Kind::Primary`].
    pub fn primary(text: &'a str) -> Self {
        Self::new(Kind::Primary, text)
    }

    /// See [`Kind::Plain`].
    pub fn plain(text: &'a str) -> Self {
        Self::new(Kind::Plain, text)
    }

    /// See [`Kind::Quiet`].
    pub fn quiet(text: &'a str) -> Self {
        Self::new(Kind::Quiet, text)
    }

    /// An icon before the text.
    pub fn icon(mut self, icon: &'a str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// A fixed width; otherwise as wide as its text and the padding.
    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// The key that does the same, for the tooltip.
    pub fn key(mut self, key: &'a str) -> Self {
        self.key = key;
        self
    }

    /// What it does, for the tooltip.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let p = theme::of(ui);
        let galley = ui.painter().layout_no_wrap(
            self.text.to_owned(),
            text::font(text::BODY, Weight::Semibold),
            Color32::PLACEHOLDER,
        );
        let before = if self.icon.is_some() { 24.0 } else { 0.0 };
        let content = galley.size().x + before;
        let size = vec2(self.width.unwrap_or(content + 32.0), 32.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, self.text));
        if ui.is_rect_visible(rect) {
            let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
            let (fill, colour, edge) = match self.kind {
                Kind::Primary => (theme::mix(p.accent, p.on_accent, 0.10 * hover), p.on_accent, Stroke::NONE),
                Kind::Plain if p.dark => {
                    (theme::mix(p.raise, p.hover, hover), p.text, Stroke::new(1.0, theme::mix(p.hair, p.edge, hover)))
                }
                Kind::Plain => {
                    (theme::mix(p.raise, p.hover, hover), p.text, Stroke::new(1.0, theme::mix(p.line, p.edge, hover)))
                }
                Kind::Quiet => (p.hover.gamma_multiply(hover), theme::mix(p.text2, p.text, hover), Stroke::NONE),
            };
            let fill = if response.is_pointer_button_down_on() { p.pressed(fill) } else { fill };
            ui.painter().rect(rect, CornerRadius::same(BUTTON_RADIUS), fill, edge, StrokeKind::Inside);
            let left = rect.center().x - content / 2.0;
            if let Some(icon) = self.icon {
                let at = pos2(left + 8.0, rect.center().y);
                ui.painter().text(at, Align2::CENTER_CENTER, icon, text::icon_font(17.0, IconWeight::Regular), colour);
            }
            let at = pos2(left + before, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, colour);
            style::focus_ring(ui, &response, BUTTON_RADIUS);
        }
        tooltip(response, self.hint, self.key)
    }
}

/// A button that is only an icon, 32×32 (56×32 when prominent). Its name is read aloud and shown in the tooltip.
#[must_use = "give it to ui.add"]
pub struct IconButton<'a> {
    icon: &'a str,
    name: &'a str,
    key: &'a str,
    chosen: bool,
    prominent: bool,
    size: f32,
}

impl<'a> IconButton<'a> {
    /// An icon button; `name` says what it does ("Undo").
    pub fn new(icon: &'a str, name: &'a str) -> Self {
        Self { icon, name, key: "", chosen: false, prominent: false, size: 18.0 }
    }

    /// The key that does the same, for the tooltip.
    pub fn key(mut self, key: &'a str) -> Self {
        self.key = key;
        self
    }

    /// Marks a tool that is switched on.
    pub fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = chosen;
        self
    }

    /// Filled with the accent and wider: the one big button of the transport bar.
    pub fn prominent(mut self) -> Self {
        self.prominent = true;
        self
    }

    /// Size of the icon in points; 18 if not given.
    pub fn size(mut self, size: f32) -> Self {
        self.size = size;
        self
    }
}

impl Widget for IconButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let p = theme::of(ui);
        let width = if self.prominent { 56.0 } else { 32.0 };
        let (rect, response) = ui.allocate_exact_size(vec2(width, 32.0), Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| {
            if self.chosen {
                WidgetInfo::selected(Role::Button, enabled, true, self.name)
            } else {
                WidgetInfo::labeled(Role::Button, enabled, self.name)
            }
        });
        if ui.is_rect_visible(rect) {
            let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
            let (fill, colour, weight) = if self.prominent {
                (theme::mix(p.accent, p.on_accent, 0.10 * hover), p.on_accent, IconWeight::Fill)
            } else if self.chosen {
                (p.accent_soft, p.accent, IconWeight::Fill)
            } else {
                (p.hover.gamma_multiply(hover), theme::mix(p.text2, p.text, hover), IconWeight::Regular)
            };
            let fill = if response.is_pointer_button_down_on() && fill.a() == 255 { p.pressed(fill) } else { fill };
            ui.painter().rect_filled(rect, CornerRadius::same(BUTTON_RADIUS), fill);
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                self.icon,
                text::icon_font(self.size, weight),
                colour,
            );
            style::focus_ring(ui, &response, BUTTON_RADIUS);
        }
        tooltip(response, self.name, self.key)
    }
}

/// A small rounded button that names a state, 28 high: "Live" with a dot, or an outlined way back to it.
pub fn pill(ui: &mut Ui, name: &str, live: bool) -> Response {
    let p = theme::of(ui);
    let font = text::font(text::LABEL, Weight::Semibold);
    let galley = ui.painter().layout_no_wrap(name.to_owned(), font, Color32::PLACEHOLDER);
    let dot = if live { 14.0 } else { 0.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + dot + 24.0, 26.0), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, live, name));
    if ui.is_rect_visible(rect) {
        let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
        let radius = CornerRadius::same(13);
        if live {
            ui.painter().rect_filled(rect, radius, p.accent_soft);
            ui.painter().circle_filled(pos2(rect.left() + 15.0, rect.center().y), 3.5, p.accent);
        } else {
            let edge = Stroke::new(1.0, theme::mix(p.line, p.edge, hover));
            ui.painter().rect(rect, radius, theme::mix(p.raise, p.hover, hover), edge, StrokeKind::Inside);
        }
        let at = pos2(rect.left() + 12.0 + dot, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, p.text);
        style::focus_ring(ui, &response, 13);
    }
    response
}

/// An on/off switch, 32×18.
pub fn switch(ui: &mut Ui, on: &mut bool, name: &str) -> Response {
    let p = theme::of(ui);
    let (rect, mut response) = ui.allocate_exact_size(vec2(32.0, 18.0), Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let (enabled, state) = (ui.is_enabled(), *on);
    response.widget_info(|| WidgetInfo::selected(Role::Switch, enabled, state, name));
    if ui.is_rect_visible(rect) {
        let t = ui.ctx().animate_bool_with_time(response.id, state, SWITCH_SECONDS);
        let hover = ui.ctx().animate_bool_with_time(response.id.with("hover"), response.hovered(), HOVER_SECONDS);
        let off = theme::mix(p.line, p.edge, 0.5 + 0.5 * hover);
        ui.painter().rect_filled(rect, CornerRadius::same(9), theme::mix(off, p.accent, t));
        let knob = if p.dark { theme::mix(p.text, p.on_accent, t) } else { Color32::WHITE };
        ui.painter().circle_filled(pos2(rect.left() + 9.0 + 14.0 * t, rect.center().y), 6.5, knob);
        style::focus_ring(ui, &response, 9);
    }
    response
}

const TOOLTIP_WIDTH: f32 = 260.0;

/// Adds the usual tooltip: what it does, and the key in grey.
pub fn tooltip(response: Response, hint: &str, key: &str) -> Response {
    if hint.is_empty() && key.is_empty() {
        return response;
    }
    response.on_hover_ui(|ui| {
        ui.set_max_width(TOOLTIP_WIDTH);
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal_wrapped(|ui| {
            if !hint.is_empty() {
                ui.label(text::label(hint));
            }
            if !key.is_empty() {
                ui.label(text::label(key).color(theme::of(ui).text3));
            }
        });
    })
}
