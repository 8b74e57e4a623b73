//! Ten shares as ten thin bars in whatever room there is. The digits keep their places 0 to 9; the winner has the accent.

use eframe::egui::{Align2, CornerRadius, Rect, Stroke, Ui, pos2};

use crate::ui::text::{self, Weight};
use crate::ui::theme;

/// Paints the shares (0 to 1; `None` for bars at rest) into `rect`. The digit that wins stands out where there is one.
pub fn paint(ui: &Ui, rect: Rect, shares: Option<&[f32; 10]>, winner: Option<u8>) {
    let p = theme::of(ui);
    let painter = ui.painter();
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, p.line));
    for digit in 0..10 {
        let column = column(rect, digit);
        painter.rect_filled(column, CornerRadius::same(1), p.track);
        let Some(share) = shares.map(|shares| shares[digit]).filter(|share| share.is_finite()) else { continue };
        let wins = winner.map(usize::from) == Some(digit);
        let top = column.bottom() - (column.height() * share.clamp(0.0, 1.0)).max(1.0);
        let filled = Rect::from_min_max(pos2(column.left(), top), column.max);
        painter.rect_filled(filled, CornerRadius::same(1), if wins { p.accent } else { p.bar0 });
    }
}

/// The ten digits in one line over or under bars of this width, at the height of the centre of `rect`.
pub fn paint_digits(ui: &Ui, rect: Rect) {
    let p = theme::of(ui);
    for digit in 0..10 {
        let at = pos2(column(rect, digit).center().x, rect.center().y);
        let font = text::font(text::SMALL, Weight::Regular);
        ui.painter().text(at, Align2::CENTER_CENTER, digit.to_string(), font, p.text3);
    }
}

fn column(rect: Rect, digit: usize) -> Rect {
    let pitch = rect.width() / 10.0;
    let gap = if pitch > 6.0 { 2.0 } else { 1.0 };
    let left = rect.left() + pitch * digit as f32;
    Rect::from_min_max(pos2(left + gap / 2.0, rect.top()), pos2(left + pitch - gap / 2.0, rect.bottom()))
}
