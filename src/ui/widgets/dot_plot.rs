//! Values of several seeds on one line: a small dot each, a large one for their mean, and a bar for its interval.

use eframe::egui::{CornerRadius, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::ui::{text, theme};

/// What a row shows.
pub struct DotRow<'a> {
    /// Read aloud before the figures.
    pub name: &'a str,
    /// Shares.
    pub values: &'a [f64],
    pub mean: Option<f64>,
    pub interval: Option<[f64; 2]>,
    /// The winner stands out.
    pub wins: bool,
}

/// The ends of a scale on which all these shares lie, with a little room.
pub fn range<'a>(values: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    if !low.is_finite() {
        return (0.0, 1.0);
    }
    let room = ((high - low) * 0.15).max(0.002);
    ((low - room).max(0.0), (high + room).min(1.0))
}

impl DotRow<'_> {
    /// Shows the row `width` wide and `height` high on a scale from `low` to `high`.
    pub fn show(&self, ui: &mut Ui, (low, high): (f64, f64), (width, height): (f32, f32)) {
        let p = theme::of(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        response.widget_info(|| {
            let values: Vec<String> = self.values.iter().map(|value| text::percent(*value, 2)).collect();
            WidgetInfo::labeled(Role::Figure, true, format!("{}, seeds {}", self.name, values.join(", ")))
        });
        let line = Rect::from_center_size(rect.center(), vec2(width - 12.0, 1.0));
        let to_x = |value: f64| line.left() + line.width() * ((value - low) / (high - low)).clamp(0.0, 1.0) as f32;
        let y = rect.center().y;
        let painter = ui.painter();
        painter.hline(line.x_range(), painter.round_to_pixel_center(y), Stroke::new(1.0, p.hair));
        let ink = if self.wins { p.accent } else { p.text };
        if let Some([from, to]) = self.interval {
            let bar = Rect::from_min_max(pos2(to_x(from), y - 2.0), pos2(to_x(to), y + 2.0));
            painter.rect_filled(bar, CornerRadius::same(2), ink.gamma_multiply(0.35));
        }
        for value in self.values {
            painter.circle_filled(pos2(to_x(*value), y), 2.5, p.edge);
        }
        if let Some(mean) = self.mean {
            painter.circle(pos2(to_x(mean), y), 5.0, ink, Stroke::new(1.5, p.bg));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_every_value_and_stays_within_all_and_nothing() {
        assert_eq!(range([].iter()), (0.0, 1.0));
        let (low, high) = range([0.95, 0.97].iter());
        assert!(low < 0.95 && low > 0.9 && high > 0.97 && high < 1.0);
        assert_eq!(range([0.0, 1.0].iter()), (0.0, 1.0));
        let (low, high) = range([0.5].iter());
        assert!(low < 0.5 && high > 0.5);
    }
}
