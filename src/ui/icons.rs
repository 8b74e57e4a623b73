//! The icons: Phosphor's characters by name. Which family draws them (regular, fill, bold) is chosen in `text.rs`.
//! A character not listed here is not in the font files.
#![allow(missing_docs, reason = "the names are Phosphor's own")]

pub const ARROW_CLOCKWISE: &str = "\u{e036}";
pub const ARROW_COUNTER_CLOCKWISE: &str = "\u{e038}";
pub const ARROW_LEFT: &str = "\u{e058}";
pub const ARROW_RIGHT: &str = "\u{e06c}";
pub const ARROW_U_UP_LEFT: &str = "\u{e08a}";
pub const ARROW_U_UP_RIGHT: &str = "\u{e08c}";
pub const ARROWS_OUT: &str = "\u{e0a2}";
pub const CARET_DOWN: &str = "\u{e136}";
pub const CARET_LEFT: &str = "\u{e138}";
pub const CARET_RIGHT: &str = "\u{e13a}";
pub const CARET_UP: &str = "\u{e13c}";
pub const CHART_LINE: &str = "\u{e154}";
pub const CHART_LINE_UP: &str = "\u{e156}";
pub const CHECK: &str = "\u{e182}";
pub const CHECK_CIRCLE: &str = "\u{e184}";
pub const CIRCLE: &str = "\u{e18a}";
pub const CIRCLE_HALF: &str = "\u{e18c}";
pub const CIRCLE_NOTCH: &str = "\u{eb44}";
pub const CLIPBOARD: &str = "\u{e196}";
pub const CLIPBOARD_TEXT: &str = "\u{e198}";
pub const CLOCK: &str = "\u{e19a}";
pub const CLOCK_COUNTER_CLOCKWISE: &str = "\u{e1a0}";
pub const COMMAND: &str = "\u{e1c4}";
pub const COPY: &str = "\u{e1ca}";
pub const CPU: &str = "\u{e610}";
pub const CROSSHAIR: &str = "\u{e1d6}";
pub const DESKTOP: &str = "\u{e560}";
pub const DOTS_SIX_VERTICAL: &str = "\u{eae2}";
pub const DOWNLOAD_SIMPLE: &str = "\u{e20c}";
pub const ERASER: &str = "\u{e21e}";
pub const EYE: &str = "\u{e220}";
pub const EYE_SLASH: &str = "\u{e224}";
pub const FLAG: &str = "\u{e244}";
pub const FLOPPY_DISK: &str = "\u{e248}";
pub const FOLDER_OPEN: &str = "\u{e256}";
pub const FUNNEL: &str = "\u{e266}";
pub const GEAR: &str = "\u{e270}";
pub const GRADUATION_CAP: &str = "\u{e62c}";
pub const GRID_NINE: &str = "\u{ec8c}";
pub const HAND_POINTING: &str = "\u{e29a}";
pub const IMAGE: &str = "\u{e2ca}";
pub const IMAGES: &str = "\u{e836}";
pub const INFO: &str = "\u{e2ce}";
pub const KEYBOARD: &str = "\u{e2d8}";
pub const LIGHTNING: &str = "\u{e2de}";
pub const LIST_BULLETS: &str = "\u{e2f2}";
pub const MAGNIFYING_GLASS: &str = "\u{e30c}";
pub const MINUS: &str = "\u{e32a}";
pub const MONITOR: &str = "\u{e32e}";
pub const MOON: &str = "\u{e330}";
pub const PAINT_BRUSH: &str = "\u{e6f0}";
pub const PAUSE: &str = "\u{e39e}";
pub const PENCIL_LINE: &str = "\u{e3b2}";
pub const PENCIL_SIMPLE: &str = "\u{e3b4}";
pub const PLAY: &str = "\u{e3d0}";
pub const PLUS: &str = "\u{e3d4}";
pub const PROHIBIT: &str = "\u{e3de}";
pub const PUSH_PIN: &str = "\u{e3e2}";
pub const PUSH_PIN_SLASH: &str = "\u{e3e4}";
pub const QUESTION: &str = "\u{e3e8}";
pub const ROWS: &str = "\u{e5a2}";
pub const SKIP_FORWARD: &str = "\u{e5a6}";
pub const SLIDERS_HORIZONTAL: &str = "\u{e434}";
pub const SORT_ASCENDING: &str = "\u{e444}";
pub const SPINNER_GAP: &str = "\u{e66c}";
pub const SQUARES_FOUR: &str = "\u{e464}";
pub const STACK: &str = "\u{e466}";
pub const STAR: &str = "\u{e46a}";
pub const STETHOSCOPE: &str = "\u{e7ea}";
pub const STOP: &str = "\u{e46c}";
pub const SUN: &str = "\u{e472}";
pub const TABLE: &str = "\u{e476}";
pub const TRASH: &str = "\u{e4a6}";
pub const UPLOAD_SIMPLE: &str = "\u{e4c0}";
pub const WARNING: &str = "\u{e4e0}";
pub const WARNING_CIRCLE: &str = "\u{e4e2}";
pub const X: &str = "\u{e4f6}";
pub const X_CIRCLE: &str = "\u{e4f8}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text;
    use eframe::egui;

    fn context() -> egui::Context {
        let ctx = egui::Context::default();
        crate::ui::style::install(&ctx);
        ctx.run_ui(egui::RawInput::default(), |_| {}).textures_delta.clear();
        ctx
    }

    #[test]
    fn every_family_of_icons_has_what_the_widgets_ask_for() {
        let ctx = context();
        ctx.fonts_mut(|fonts| {
            for weight in [text::IconWeight::Regular, text::IconWeight::Fill, text::IconWeight::Bold] {
                for icon in
                    [PLAY, PAUSE, CARET_DOWN, CARET_RIGHT, CHECK, CHECK_CIRCLE, STAR, FLAG, WARNING, X, INFO, TRASH]
                {
                    assert!(fonts.has_glyphs(&text::icon_font(18.0, weight), icon), "{icon:?} {weight:?}");
                }
            }
            assert!(fonts.has_glyphs(&text::font(13.0, text::Weight::Semibold), "0123456789−×±°…→≥≤½·–\u{2009}äñłŁ€"));
        });
    }

    #[test]
    fn all_figures_have_one_width() {
        let ctx = context();
        for weight in [text::Weight::Regular, text::Weight::Medium, text::Weight::Semibold, text::Weight::Bold] {
            let widths: Vec<f32> = ctx.fonts_mut(|fonts| {
                "0123456789−".chars().map(|c| fonts.glyph_width(&text::font(13.0, weight), c)).collect()
            });
            assert!(widths.iter().all(|width| (width - widths[0]).abs() < 1e-3), "{weight:?}: {widths:?}");
        }
    }
}
