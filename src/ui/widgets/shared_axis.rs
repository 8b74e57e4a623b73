//! The axis of epochs that several plots share: its range, one cursor through all of them, and the zoom.

use crate::ui::{
    text::{self, Weight},
    theme,
};
use eframe::egui::{self, CornerRadius, Rangef, Rect, Stroke, Ui, pos2, vec2};

/// The x axis that plots share: its range, the cursor and the zoom.
#[derive(Clone, Debug, Default)]
pub struct SharedAxis {
    /// The axis runs from 0 to here (epochs) while nothing is zoomed.
    pub end: f64,
    cursor: Option<f64>,
    hovered: Option<f64>,
    zoom: Option<(f64, f64)>,
    drag_from: Option<f64>,
    /// Where the plots lie on the screen, once they were shown.
    screen: Option<Rangef>,
}

impl SharedAxis {
    /// Call once a frame before the plots. `end` is the last epoch of the axis.
    pub fn begin(&mut self, ui: &Ui, end: f64) {
        self.end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        let hovered = self.hovered.take();
        if hovered != self.cursor {
            self.cursor = hovered;
            ui.ctx().request_repaint();
        }
    }

    /// The epoch under the pointer.
    pub fn cursor(&self) -> Option<f64> {
        self.cursor
    }

    /// The part of the axis in view.
    pub fn range(&self) -> (f64, f64) {
        self.zoom.unwrap_or((0.0, self.end))
    }

    /// Whether a part is zoomed into; a double click on a plot shows all again.
    pub fn is_zoomed(&self) -> bool {
        self.zoom.is_some()
    }

    /// Screen position of an epoch in a plot over `screen`.
    pub fn to_screen(&self, screen: Rangef, x: f64) -> f32 {
        let (low, high) = self.range();
        screen.min + screen.span() * ((x - low) / (high - low)) as f32
    }

    fn epoch_at(&self, screen: Rangef, at: f32) -> f64 {
        let (low, high) = self.range();
        (low + (high - low) * f64::from((at - screen.min) / screen.span())).clamp(low, high)
    }

    /// Lets the pointer move the cursor, drag a zoom, and double click to reset it. `area` is a plot or the F1 rows.
    pub fn follow(&mut self, ui: &Ui, area: Rect, response: &egui::Response) {
        let screen = area.x_range();
        self.screen = Some(screen);
        if response.double_clicked() {
            self.zoom = None;
            self.drag_from = None;
            return;
        }
        let Some(at) = response.interact_pointer_pos().or(response.hover_pos()) else { return };
        let x = self.epoch_at(screen, at.x);
        if area.contains(at) || response.dragged() {
            self.hovered = Some(x);
        }
        if response.drag_started() {
            self.drag_from = Some(self.epoch_at(screen, at.x));
        }
        if let Some(from) = self.drag_from {
            let band = Rect::from_x_y_ranges(
                self.to_screen(screen, from.min(x))..=self.to_screen(screen, from.max(x)),
                area.y_range(),
            );
            if response.dragged() {
                ui.painter().rect_filled(band, CornerRadius::ZERO, theme::of(ui).accent.gamma_multiply(0.12));
            }
            if response.drag_stopped() {
                if band.width() > 8.0 {
                    self.zoom = Some((from.min(x), from.max(x)));
                }
                self.drag_from = None;
            }
        }
    }

    /// The cursor's line from `top` to `bottom` through all plots, with its epoch in a pill at the top.
    pub fn paint_cursor(&self, ui: &Ui, top: f32, bottom: f32) {
        let (Some(cursor), Some(screen)) = (self.cursor, self.screen) else { return };
        let p = theme::of(ui);
        let x = ui.painter().round_to_pixel_center(self.to_screen(screen, cursor));
        ui.painter().vline(x, top + 12.0..=bottom, Stroke::new(1.0, p.accent));
        let label = format!("Epoch {}", text::number(cursor, 2));
        let font = text::font(text::SMALL, Weight::Semibold);
        let galley = ui.painter().layout_no_wrap(label, font, p.on_accent);
        let pill = Rect::from_center_size(pos2(x, top + 4.0), galley.size() + vec2(16.0, 7.0));
        ui.painter().rect_filled(pill, CornerRadius::same(6), p.accent);
        ui.painter().galley(pill.center() - galley.size() / 2.0, galley, p.on_accent);
    }
}
