//! The history of a pinned drawing over a training as a row of thin columns: high where the digit was probable, in the
//! accent where it was the answer.

use eframe::egui::{CornerRadius, Rect, Stroke, Ui, pos2};

use crate::ui::theme;

/// A column is at most this wide, so that the first ticks of a training do not look like all of it.
const WIDEST: f32 = 6.0;

/// One tick of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Probability of the digit, 0 to 1.
    pub share: f32,
    /// The digit was the answer.
    pub wins: bool,
}

/// Paints a column for each tick from the left of `rect` on; `None` where the drawing was not pinned yet.
pub fn paint(ui: &Ui, rect: Rect, ticks: usize, column: impl Fn(usize) -> Option<Column>) {
    let p = theme::of(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), p.track);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.line));
    let pitch = pitch(rect, ticks);
    // of ticks that share a point of the screen the last is seen
    let shown = if pitch < 1.0 { rect.width() as usize } else { ticks };
    for place in 0..shown {
        let tick = if pitch < 1.0 { ((place + 1) * ticks / shown).saturating_sub(1) } else { place };
        let Some(column) = column(tick).filter(|column| column.share.is_finite()) else { continue };
        let width = pitch.max(1.0);
        let left = rect.left() + place as f32 * width;
        let gap = if width >= 3.0 { 1.0 } else { 0.0 };
        let top = rect.bottom() - (rect.height() * column.share.clamp(0.0, 1.0)).max(1.0);
        let filled = Rect::from_min_max(pos2(left, top), pos2(left + width - gap, rect.bottom()));
        painter.rect_filled(filled, 0.0, if column.wins { p.accent } else { p.bar0 });
    }
}

/// The tick at this point, counted from 0.
pub fn tick_at(rect: Rect, ticks: usize, x: f32) -> Option<usize> {
    let tick = ((x - rect.left()) / pitch(rect, ticks)).floor();
    (tick >= 0.0 && (tick as usize) < ticks).then_some(tick as usize)
}

fn pitch(rect: Rect, ticks: usize) -> f32 {
    (rect.width() / ticks.max(1) as f32).min(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_side_by_side_until_they_have_to_share() {
        let rect = Rect::from_min_max(pos2(10.0, 0.0), pos2(110.0, 20.0));
        for (ticks, x, expected) in [
            (3, 9.0, None),
            (3, 10.0, Some(0)),
            (3, 27.9, Some(2)),
            (3, 28.1, None),
            (50, 109.9, Some(49)),
            (400, 109.9, Some(399)),
            (0, 50.0, None),
        ] {
            assert_eq!(tick_at(rect, ticks, x), expected, "{ticks} ticks at {x}");
        }
    }
}
