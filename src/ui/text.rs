//! Type: the font files, their weights and sizes, and one constructor per text style.

use eframe::egui::{
    FontData, FontDefinitions, FontFamily, FontId, RichText,
    epaint::text::{FontTweak, VariationCoords},
};
use std::sync::Arc;

use crate::storage::INTER;

/// The licences under which fonts and icons come, for the help sheet.
pub const LICENCES: [&str; 2] = [
    include_str!("../../assets/licences/Inter - OFL 1.1.txt"),
    include_str!("../../assets/licences/Phosphor Icons - MIT.txt"),
];
static PHOSPHOR_REGULAR: &[u8] = include_bytes!("../../assets/fonts/phosphor-regular.ttf");
static PHOSPHOR_FILL: &[u8] = include_bytes!("../../assets/fonts/phosphor-fill.ttf");
static PHOSPHOR_BOLD: &[u8] = include_bytes!("../../assets/fonts/phosphor-bold.ttf");

/// Weights of the text font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// 400
    Regular,
    /// 500
    Medium,
    /// 600
    Semibold,
    /// 700
    Bold,
}

/// The three drawings of every icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IconWeight {
    /// Outlined; the usual one.
    Regular,
    /// Filled: chosen, live, a state.
    Fill,
    /// Heavier outline, for very small icons.
    Bold,
}

/// Sizes in points; nothing is smaller than [`SMALL`].
pub const ANSWER: f32 = 116.0;
/// See [`title`].
pub const TITLE: f32 = 20.0;
/// See [`heading`].
pub const HEADING: f32 = 15.0;
/// See [`body`] and [`section`].
pub const BODY: f32 = 13.0;
/// See [`label`].
pub const LABEL: f32 = 12.0;
/// See [`small`].
pub const SMALL: f32 = 11.0;

/// The text font at a size and weight.
pub fn font(size: f32, weight: Weight) -> FontId {
    let family = match weight {
        Weight::Regular => FontFamily::Proportional,
        Weight::Medium => FontFamily::Name("inter-500".into()),
        Weight::Semibold => FontFamily::Name("inter-600".into()),
        Weight::Bold => FontFamily::Name("inter-700".into()),
    };
    FontId::new(size, family)
}

/// The icon font at a size.
pub fn icon_font(size: f32, weight: IconWeight) -> FontId {
    let family = match weight {
        IconWeight::Regular => "icons",
        IconWeight::Fill => "icons-fill",
        IconWeight::Bold => "icons-bold",
    };
    FontId::new(size, FontFamily::Name(family.into()))
}

/// 20 / 600: "213 mistakes", "Sure".
pub fn title(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(TITLE, Weight::Semibold))
}

/// 15 / 600: title of the drawer, digit of a bar row.
pub fn heading(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(HEADING, Weight::Semibold))
}

/// 13 / 600: names of sections, values that matter.
pub fn section(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(BODY, Weight::Semibold))
}

/// 13 / 400: text.
pub fn body(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(BODY, Weight::Regular)).line_height(Some(18.0))
}

/// 12 / 400: sub-lines and units.
pub fn label(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(LABEL, Weight::Regular)).line_height(Some(17.0))
}

/// 11 / 400: axis, captions, status.
pub fn small(text: impl Into<String>) -> RichText {
    RichText::new(text).font(font(SMALL, Weight::Regular)).line_height(Some(15.0))
}

/// An icon as text.
pub fn icon(icon: &str, size: f32, weight: IconWeight) -> RichText {
    RichText::new(icon).font(icon_font(size, weight))
}

/// The bundled fonts as egui wants them: every weight a family of its own, icons as a fallback of all of them.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, data: &'static [u8], tweak: FontTweak| {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(data).tweak(tweak)));
    };
    let weights = [("inter-400", 400.0), ("inter-500", 500.0), ("inter-600", 600.0), ("inter-700", 700.0)];
    for (name, weight) in weights {
        let coords = VariationCoords::new([(b"wght", weight)]);
        add(name, INTER, FontTweak { coords, ..Default::default() });
    }
    // Beside text an icon has to sink a little to stand on the middle of the lower-case letters.
    add("phosphor-inline", PHOSPHOR_REGULAR, FontTweak { y_offset_factor: 0.06, ..Default::default() });
    add("phosphor", PHOSPHOR_REGULAR, FontTweak::default());
    add("phosphor-fill", PHOSPHOR_FILL, FontTweak::default());
    add("phosphor-bold", PHOSPHOR_BOLD, FontTweak::default());

    let mut family = |family: FontFamily, names: [&str; 2]| {
        fonts.families.insert(family, names.iter().map(|&name| name.to_owned()).collect());
    };
    family(FontFamily::Proportional, ["inter-400", "phosphor-inline"]);
    family(FontFamily::Monospace, ["inter-400", "phosphor-inline"]);
    for (name, _) in &weights[1..] {
        family(FontFamily::Name((*name).into()), [name, "phosphor-inline"]);
    }
    family(FontFamily::Name("icons".into()), ["phosphor", "inter-400"]);
    family(FontFamily::Name("icons-fill".into()), ["phosphor-fill", "inter-400"]);
    family(FontFamily::Name("icons-bold".into()), ["phosphor-bold", "inter-400"]);
    fonts
}

/// A whole number with commas: 10,000.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with fixed decimals and the true minus sign.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().any(|b| (b'1'..=b'9').contains(&b)) => format!("−{rest}"),
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// A change with its sign always shown: "+0.004", "−0.002", "0.000".
pub fn change(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if value > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { format!("+{text}") } else { text }
}

/// A share 0…1 as per cent: "96.9 %".
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", number(share * 100.0, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_a_book() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(61_706), "61,706");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(number(-0.0004, 3), "0.000");
        assert_eq!(number(-1.5, 1), "−1.5");
        assert_eq!(change(0.004, 3), "+0.004");
        assert_eq!(change(-0.004, 3), "−0.004");
        assert_eq!(change(0.0001, 3), "0.000");
        assert_eq!(percent(0.969, 1), "96.9 %");
    }
}
