//! From tokens to egui's own style: spacing, visuals, text styles, for both themes; the theme follows the system.
//! Colours live in `theme.rs`, fonts in `text.rs`.

use super::{
    text::{self, Weight},
    theme::{self, Palette},
};
use eframe::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, Response, Shadow, Stroke, StrokeKind, Style, TextStyle,
    Theme, Visuals,
    epaint::{FontColorTransferFunction, TextOptions},
    style::{HandleShape, NumberFormatter, ScrollStyle, Selection, Spacing, WidgetVisuals, Widgets},
    vec2,
};

/// Seconds of a hover.
pub const HOVER_SECONDS: f32 = 0.08;
/// Seconds of a moving segment or switch.
pub const SWITCH_SECONDS: f32 = 0.12;
/// Seconds of a drawer or notice coming in.
pub const DRAWER_SECONDS: f32 = 0.16;

/// Corner radius of cards and the pad.
pub const CARD_RADIUS: u8 = 12;
/// Corner radius of buttons.
pub const BUTTON_RADIUS: u8 = 8;
/// Corner radius of fields.
pub const FIELD_RADIUS: u8 = 7;
/// Corner radius of digit images and maps.
pub const IMAGE_RADIUS: u8 = 6;

/// Gives a context the fonts and both themes. The theme follows the system until the user chooses one.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(text::definitions());
    for theme in [Theme::Dark, Theme::Light] {
        ctx.set_style_of(theme, style(theme::of_theme(theme)));
    }
    ctx.set_theme(egui::ThemePreference::System);
}

/// The background of a card: fill and hairline, padding 16.
pub fn card(palette: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.hair))
        .corner_radius(CARD_RADIUS)
        .inner_margin(Margin::same(16))
}

/// The background of something that floats: popups, notices.
pub fn floating(palette: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(palette.raise)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(BUTTON_RADIUS)
        .shadow(shadow(palette))
        .inner_margin(Margin::symmetric(12, 8))
}

/// Paints the ring of a focused control, two points outside it. Call it last.
pub fn focus_ring(ui: &egui::Ui, response: &Response, radius: u8) {
    if response.has_focus() {
        ring(ui, response.rect, radius, 2.0, 2.0);
    }
}

/// A ring of `width` in the accent colour, `gap` outside `rect`, whose own corner radius is `radius`.
pub fn ring(ui: &egui::Ui, rect: egui::Rect, radius: u8, gap: f32, width: f32) {
    let stroke = Stroke::new(width, theme::of(ui).accent);
    let corner = CornerRadius::same(radius.saturating_add(gap as u8));
    ui.painter().rect_stroke(rect.expand(gap), corner, stroke, StrokeKind::Outside);
}

fn shadow(palette: &Palette) -> Shadow {
    let alpha = if palette.dark { 102 } else { 31 };
    Shadow { offset: [0, 4], blur: 16, spread: 0, color: Color32::from_black_alpha(alpha) }
}

fn style(palette: &Palette) -> Style {
    Style {
        text_styles: [
            (TextStyle::Small, text::font(text::SMALL, Weight::Regular)),
            (TextStyle::Body, text::font(text::BODY, Weight::Regular)),
            (TextStyle::Button, text::font(text::BODY, Weight::Regular)),
            (TextStyle::Heading, text::font(text::TITLE, Weight::Semibold)),
            (TextStyle::Monospace, FontId::new(text::LABEL, FontFamily::Monospace)),
            (TextStyle::Name("label".into()), text::font(text::LABEL, Weight::Regular)),
            (TextStyle::Name("heading15".into()), text::font(text::HEADING, Weight::Semibold)),
            (TextStyle::Name("answer".into()), text::font(text::ANSWER, Weight::Bold)),
        ]
        .into(),
        number_formatter: NumberFormatter::new(|value, decimals| {
            let shown = egui::emath::format_with_decimals_in_range(value, decimals);
            shown.replace('-', "−")
        }),
        spacing: spacing(),
        interaction: egui::style::Interaction { tooltip_delay: 0.4, selectable_labels: false, ..Default::default() },
        visuals: visuals(palette),
        animation_time: SWITCH_SECONDS,
        ..Default::default()
    }
}

fn spacing() -> Spacing {
    Spacing {
        item_spacing: vec2(8.0, 8.0),
        button_padding: vec2(16.0, 7.0),
        interact_size: vec2(32.0, 28.0),
        slider_width: 140.0,
        slider_rail_height: 4.0,
        icon_width: 16.0,
        icon_spacing: 8.0,
        menu_margin: Margin::same(6),
        window_margin: Margin::same(16),
        tooltip_width: 260.0,
        combo_width: 144.0,
        scroll: ScrollStyle { bar_width: 6.0, floating_width: 3.0, ..ScrollStyle::floating() },
        ..Default::default()
    }
}

fn visuals(p: &Palette) -> Visuals {
    let base = if p.dark { Visuals::dark() } else { Visuals::light() };
    let control = |fill: Color32, stroke: Stroke| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: stroke,
        corner_radius: CornerRadius::same(BUTTON_RADIUS),
        fg_stroke: Stroke::new(1.0, p.text),
        expansion: 0.0,
    };
    // In the light theme a raised control has the colour of a card, so it needs an edge.
    let rest_edge = if p.dark { Stroke::NONE } else { Stroke::new(1.0, p.line) };
    let hover_edge = if p.dark { Stroke::NONE } else { Stroke::new(1.0, p.edge) };
    // egui's own correction for light text on dark ground makes Inter a weight heavier than it is.
    let coverage = if p.dark { FontColorTransferFunction::Gamma(0.8) } else { FontColorTransferFunction::Off };
    Visuals {
        text_options: TextOptions { color_transfer_function: coverage, ..base.text_options },
        weak_text_color: Some(p.text2),
        widgets: Widgets {
            noninteractive: control(p.bg, Stroke::new(1.0, p.hair)),
            inactive: control(p.raise, rest_edge),
            hovered: control(p.hover, hover_edge),
            active: control(p.pressed(p.hover), hover_edge),
            open: control(p.hover, hover_edge),
        },
        selection: Selection { bg_fill: p.accent_soft, stroke: Stroke::new(1.0, p.accent) },
        hyperlink_color: p.accent,
        faint_bg_color: p.track,
        extreme_bg_color: p.paper,
        text_edit_bg_color: Some(p.raise),
        code_bg_color: p.track,
        warn_fg_color: p.warn,
        error_fg_color: p.error,
        window_corner_radius: CornerRadius::same(CARD_RADIUS),
        window_shadow: shadow(p),
        window_fill: p.raise,
        window_stroke: Stroke::new(1.0, p.line),
        menu_corner_radius: CornerRadius::same(BUTTON_RADIUS),
        panel_fill: p.bg,
        popup_shadow: shadow(p),
        text_cursor: egui::style::TextCursorStyle { stroke: Stroke::new(1.5, p.accent), ..base.text_cursor },
        button_frame: true,
        indent_has_left_vline: false,
        striped: false,
        slider_trailing_fill: true,
        handle_shape: HandleShape::Circle,
        disabled_alpha: 0.4,
        ..base
    }
}
