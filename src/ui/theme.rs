//! The tokens of both themes: every colour by its role, and the colour scales for values. Widgets ask for a role, never
//! for a hex number. How these become egui's own style is in `style.rs`; type is in `text.rs`.

use eframe::egui::{self, Color32};

/// The colours of one theme.
#[derive(Clone, Debug)]
pub struct Palette {
    /// Whether the surfaces are dark.
    pub dark: bool,
    /// Workspace.
    pub bg: Color32,
    /// Transport bar, rail, status.
    pub bar: Color32,
    /// Cards and the detail drawer.
    pub panel: Color32,
    /// Fields, buttons, popups.
    pub raise: Color32,
    /// A hovered row or button.
    pub hover: Color32,
    /// The empty part of a bar.
    pub track: Color32,
    /// Separators, grid lines, image edges.
    pub hair: Color32,
    /// Axes, edges of fields and of the pad.
    pub line: Color32,
    /// The second curve, the outline of a hovered control.
    pub edge: Color32,
    /// Data bars that did not win.
    pub bar0: Color32,
    /// Text.
    pub text: Color32,
    /// Labels and icons.
    pub text2: Color32,
    /// Units and table heads; not on `accent_soft`.
    pub text3: Color32,
    /// Live, selected, winner, focus.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// A selected row or place.
    pub accent_soft: Color32,
    /// Unsure, stale, needs a new run.
    pub warn: Color32,
    /// A failure, with its icon and a sentence.
    pub error: Color32,
    /// Background of the pad and of every digit image.
    pub paper: Color32,
    /// Foreground of the pad and of every digit image.
    pub ink: Color32,
    /// A dashed line to compare with.
    pub reference: Color32,
    /// Track of a segmented control.
    pub segment_track: Color32,
    /// The chosen segment.
    pub segment_chosen: Color32,
    signed: [Color32; 3],
    amounts: [Color32; 6],
    diagonal: [Color32; 2],
    digits: [Color32; 10],
}

const fn hex(rgb: u32) -> Color32 {
    Color32::from_rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

/// The dark theme.
pub static DARK: Palette = Palette {
    dark: true,
    bg: hex(0x121416),
    bar: hex(0x0C0E0F),
    panel: hex(0x191C1F),
    raise: hex(0x202428),
    hover: hex(0x2A2F34),
    track: hex(0x1C2023),
    hair: hex(0x23282C),
    line: hex(0x3B4248),
    edge: hex(0x6B757D),
    bar0: hex(0x626C75),
    text: hex(0xECEFF1),
    text2: hex(0xA9B1B8),
    text3: hex(0x838C94),
    accent: hex(0x46D2B6),
    on_accent: hex(0x05221C),
    accent_soft: hex(0x15352F),
    warn: hex(0xF5BC4F),
    error: hex(0xFF8B74),
    paper: hex(0x08090A),
    ink: hex(0xF3F5F6),
    reference: hex(0xFF9D45),
    segment_track: hex(0x191C1F),
    segment_chosen: hex(0x2A2F34),
    signed: [hex(0x6AB3FF), hex(0x1A1D20), hex(0xFF9D45)],
    amounts: [hex(0x1A1D20), hex(0x4A2F14), hex(0x8A5012), hex(0xD07A1C), hex(0xFFA94F), hex(0xFFE2B8)],
    diagonal: [hex(0x1F2327), hex(0x39414A)],
    digits: [
        hex(0xA5ABB5),
        hex(0x6AD3FF),
        hex(0xF1C08A),
        hex(0xA2F9E1),
        hex(0xE7F039),
        hex(0x4FA4F1),
        hex(0xFA8838),
        hex(0xC159AC),
        hex(0x7372F4),
        hex(0x8E7E5E),
    ],
};

/// The light theme.
pub static LIGHT: Palette = Palette {
    dark: false,
    bg: hex(0xF7F7F5),
    bar: hex(0xEEEEEB),
    panel: hex(0xFFFFFF),
    raise: hex(0xFFFFFF),
    hover: hex(0xE9E9E6),
    track: hex(0xECECE9),
    hair: hex(0xE3E3DF),
    line: hex(0xC8CAC6),
    edge: hex(0x868C91),
    bar0: hex(0x858D94),
    text: hex(0x15181A),
    text2: hex(0x4F575E),
    text3: hex(0x626A71),
    accent: hex(0x0B7A69),
    on_accent: hex(0xFFFFFF),
    accent_soft: hex(0xD8EEE9),
    warn: hex(0x8A5A00),
    error: hex(0xB3361B),
    paper: hex(0xFFFFFF),
    ink: hex(0x121517),
    reference: hex(0xD9660A),
    segment_track: hex(0xE9E9E6),
    segment_chosen: hex(0xFFFFFF),
    signed: [hex(0x1668C7), hex(0xFAFAF9), hex(0xD9660A)],
    amounts: [hex(0xFAF8F5), hex(0xFBE2C2), hex(0xF6BC79), hex(0xE88E2E), hex(0xBC5E08), hex(0x743400)],
    diagonal: [hex(0xF0F0EE), hex(0xC6CBD0)],
    digits: [
        hex(0x484D55),
        hex(0x098DFA),
        hex(0x996008),
        hex(0x197F74),
        hex(0x849554),
        hex(0x0A2260),
        hex(0x7E330A),
        hex(0xB86BB7),
        hex(0x8142C0),
        hex(0x421D00),
    ],
};

/// The palette of the theme that `ui` is painted in.
pub fn of(ui: &egui::Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// The palette that belongs to one of egui's two themes.
pub fn of_theme(theme: egui::Theme) -> &'static Palette {
    match theme {
        egui::Theme::Dark => &DARK,
        egui::Theme::Light => &LIGHT,
    }
}

impl Palette {
    /// The fixed colour of a digit 0–9, for lines and ticks and never without the digit beside it.
    pub fn digit(&self, digit: usize) -> Color32 {
        self.digits[digit % 10]
    }

    /// The fixed colour of an optimiser by its place among all of them, never without its name beside it.
    pub fn optimizer(&self, place: usize) -> Color32 {
        const DIGITS: [usize; 6] = [0, 1, 6, 2, 7, 3];
        self.digits[DIGITS[place % DIGITS.len()]]
    }

    /// Blue below zero, orange above, the neutral colour at zero. `value` is clamped to −1…1.
    pub fn signed(&self, value: f32) -> Color32 {
        let value = if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
        let end = if value < 0.0 { self.signed[0] } else { self.signed[2] };
        mix(self.signed[1], end, value.abs())
    }

    /// Mistakes, heat, squared differences: more is further from the background. `share` is clamped to 0…1.
    pub fn amount(&self, share: f32) -> Color32 {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let last = self.amounts.len() - 1;
        let at = share * last as f32;
        let lower = (at as usize).min(last - 1);
        mix(self.amounts[lower], self.amounts[lower + 1], at - lower as f32)
    }

    /// The grey scale of the matrix's diagonal. `share` is clamped to 0…1.
    pub fn diagonal(&self, share: f32) -> Color32 {
        mix(self.diagonal[0], self.diagonal[1], share.clamp(0.0, 1.0))
    }

    /// The fill of a pressed control: 6 % darker.
    pub fn pressed(&self, fill: Color32) -> Color32 {
        mix(fill, Color32::BLACK, 0.06)
    }
}

/// Black or white, whichever reads better on `background`.
pub fn text_on(background: Color32) -> Color32 {
    if contrast(Color32::BLACK, background) >= contrast(Color32::WHITE, background) {
        Color32::BLACK
    } else {
        Color32::WHITE
    }
}

/// From `a` (`t` = 0) to `b` (`t` = 1), each channel on a straight line in sRGB.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    let channel = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    Color32::from_rgb(channel(a.r(), b.r()), channel(a.g(), b.g()), channel(a.b(), b.b()))
}

/// Contrast ratio of two opaque colours, 1 to 21, after WCAG 2.2.
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let luminance = |colour: Color32| {
        let linear = |channel: u8| {
            let c = f32::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_on_every_surface_it_stands_on() {
        for p in [&DARK, &LIGHT] {
            let surfaces = [p.bg, p.bar, p.panel, p.raise];
            for (name, text) in
                [("text", p.text), ("text2", p.text2), ("text3", p.text3), ("warn", p.warn), ("error", p.error)]
            {
                for surface in surfaces {
                    let ratio = contrast(text, surface);
                    assert!(ratio >= 4.5, "{name} on {surface:?}, dark {}: {ratio}", p.dark);
                }
            }
            let pairs = [
                (p.text, p.hover),
                (p.text2, p.hover),
                (p.text, p.accent_soft),
                (p.text2, p.accent_soft),
                (p.on_accent, p.accent),
                (p.accent, p.bg),
                (p.text, p.segment_chosen),
                (p.text2, p.segment_track),
                (p.ink, p.paper),
                (p.text3, p.paper),
            ];
            for (text, surface) in pairs {
                let ratio = contrast(text, surface);
                assert!(ratio >= 4.5, "{text:?} on {surface:?}, dark {}: {ratio}", p.dark);
            }
        }
    }

    #[test]
    fn lines_and_icons_that_carry_meaning_stand_out_from_the_workspace() {
        for p in [&DARK, &LIGHT] {
            let lines = [p.edge, p.bar0, p.accent, p.warn, p.error, p.reference];
            for line in lines.into_iter().chain((0..10).map(|digit| p.digit(digit))) {
                assert!(contrast(line, p.bg) >= 3.0, "{line:?}, dark {}: {}", p.dark, contrast(line, p.bg));
            }
            assert!(contrast(p.accent, p.accent_soft) >= 3.0);
        }
    }

    #[test]
    fn a_number_reads_on_every_colour_of_the_scales() {
        for p in [&DARK, &LIGHT] {
            for step in 0..=100 {
                let share = step as f32 / 100.0;
                for fill in [p.amount(share), p.diagonal(share), p.signed(share), p.signed(-share)] {
                    assert!(contrast(text_on(fill), fill) >= 4.5, "{fill:?}");
                }
            }
        }
    }

    #[test]
    fn zero_is_the_neutral_colour_and_more_is_further_from_the_background() {
        for p in [&DARK, &LIGHT] {
            assert_eq!(p.signed(0.0), p.signed(f32::NAN));
            for step in 1..=20 {
                let (less, more) = ((step - 1) as f32 / 20.0, step as f32 / 20.0);
                assert!(contrast(p.amount(more), p.bg) > contrast(p.amount(less), p.bg));
            }
            assert_eq!(p.amount(7.0), p.amount(1.0));
        }
    }
}
