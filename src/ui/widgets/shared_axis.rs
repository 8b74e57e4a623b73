//! The x axis that several plots share: its unit and range, one cursor through all of them, the lines of its epochs, and
//! the zoom.

use crate::storage::XAxis;
use crate::storage::figure::ticks;
use crate::ui::{
    text::{self, Weight},
    theme,
};
use eframe::egui::{CornerRadius, CursorIcon, EventFilter, Key, Rangef, Rect, Response, Stroke, Ui, pos2, vec2};

/// The x axis that plots share: its range, the cursor and the zoom.
#[derive(Clone, Debug, Default)]
pub struct SharedAxis {
    unit: XAxis,
    /// The axis runs from 0 to here while nothing is zoomed.
    end: f64,
    /// Where epochs end, the first one first.
    epochs: Vec<f64>,
    cursor: Option<f64>,
    hovered: Option<f64>,
    /// Where the cursor stands while nothing moves it.
    resting: Option<f64>,
    zoom: Option<(f64, f64)>,
    drag_from: Option<f64>,
    /// Where a plot was clicked in this frame.
    clicked: Option<f64>,
    double_clicked: bool,
    /// Where the plots lie on the screen, once they were shown.
    screen: Option<Rangef>,
}

/// Points between two epoch lines, at least.
const BETWEEN_EPOCHS: f32 = 20.0;

impl SharedAxis {
    /// Call once a frame before the plots. `end` is the end of the axis in its unit, `epochs` where epochs end. Another unit
    /// shows all of the axis.
    pub fn begin(&mut self, ui: &Ui, unit: XAxis, end: f64, epochs: &[f64]) {
        self.end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        if self.epochs != epochs {
            self.epochs = epochs.to_vec();
        }
        let mut hovered = self.hovered.take();
        (self.clicked, self.double_clicked) = (None, false);
        // a zoom into what another run has had shows nothing of this one
        if self.unit != unit || self.zoom.is_some_and(|(low, _)| low >= self.end) {
            (self.unit, self.zoom, self.drag_from) = (unit, None, None);
            hovered = None;
        }
        let cursor = hovered.or(self.resting);
        if cursor != self.cursor {
            self.cursor = cursor;
            ui.ctx().request_repaint();
        }
    }

    /// Where the cursor stands while neither pointer nor keys move it; nowhere by default. Call it before [`Self::begin`].
    pub fn rest_at(&mut self, x: Option<f64>) {
        self.resting = x;
    }

    /// Whether a plot was clicked twice in this frame, which resets the zoom: the first click had meant nothing else.
    pub fn double_clicked(&self) -> bool {
        self.double_clicked
    }

    /// The place that was clicked in this frame. Ask after the plots.
    pub fn clicked(&self) -> Option<f64> {
        self.clicked
    }

    /// What the axis counts.
    pub fn unit(&self) -> XAxis {
        self.unit
    }

    /// The place under the pointer, or where the keys have moved the cursor to.
    pub fn cursor(&self) -> Option<f64> {
        self.cursor
    }

    /// The part of the axis in view.
    pub fn range(&self) -> (f64, f64) {
        self.zoom.unwrap_or((0.0, self.end))
    }

    /// Whether a part is zoomed into.
    pub fn is_zoomed(&self) -> bool {
        self.zoom.is_some()
    }

    /// Shows all of the axis again.
    pub fn reset_zoom(&mut self) {
        (self.zoom, self.drag_from) = (None, None);
    }

    /// Round numbers in view, never more than about eight, and how they are written. Epochs and updates are whole where
    /// that gives at least two of them.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let (low, high) = self.range();
        let step = ticks::nice_step((high - low) / 8.0);
        let step = if high - low >= 2.0 && self.unit != XAxis::Seconds { step.max(1.0) } else { step };
        ticks::linear(low, high, step).into_iter().map(|x| (x, ticks::label(x, step))).collect()
    }

    /// Ends of epochs in view: all of them where there is room over `width` points, else every second, fifth, tenth….
    pub(super) fn epoch_lines(&self, width: f32) -> impl Iterator<Item = f64> {
        let (low, high) = self.range();
        let seen = self.epochs.iter().filter(|x| (low..=high).contains(*x)).count();
        let every = ticks::nice_step(f64::from(BETWEEN_EPOCHS / width.max(1.0)) * seen as f64).max(1.0) as usize;
        let numbered = self.epochs.iter().copied().zip(1..);
        numbered.filter(move |(x, epoch)| epoch % every == 0 && (low..=high).contains(x)).map(|(x, _)| x)
    }

    /// Screen position of a place on the axis in a plot over `screen`.
    pub fn to_screen(&self, screen: Rangef, x: f64) -> f32 {
        let (low, high) = self.range();
        screen.min + screen.span() * ((x - low) / (high - low)) as f32
    }

    fn place_at(&self, screen: Rangef, at: f32) -> f64 {
        let (low, high) = self.range();
        (low + (high - low) * f64::from((at - screen.min) / screen.span())).clamp(low, high)
    }

    /// Lets the pointer move the cursor, drag a zoom, and double click to reset it; arrow keys move the cursor while the
    /// plot has the focus. `area` is a plot or the F1 rows.
    pub fn follow(&mut self, ui: &Ui, area: Rect, response: &Response) {
        let screen = area.x_range();
        self.screen = Some(screen);
        if response.double_clicked() {
            self.double_clicked = true;
            self.reset_zoom();
            return;
        }
        self.obey_keys(ui, response);
        let Some(at) = response.interact_pointer_pos().or(response.hover_pos()) else { return };
        let x = self.place_at(screen, at.x);
        if area.contains(at) || response.dragged() {
            self.hovered = Some(x);
            ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
        }
        if response.clicked() {
            self.clicked = Some(x);
        }
        if response.drag_started() {
            // the press was a few points before it became a drag
            let origin = ui.input(|input| input.pointer.press_origin());
            self.drag_from = Some(origin.map_or(x, |origin| self.place_at(screen, origin.x)));
        }
        if let Some(from) = self.drag_from.filter(|_| response.dragged() || response.drag_stopped()) {
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

    fn obey_keys(&mut self, ui: &Ui, response: &Response) {
        if !response.has_focus() {
            return;
        }
        let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (low, high) = self.range();
        let steps = ui.input(|input| {
            input.num_presses(Key::ArrowRight) as f64 - input.num_presses(Key::ArrowLeft) as f64 //
        });
        let at = self.cursor.unwrap_or(high) + steps * (high - low) / 100.0;
        self.hovered = Some(at.clamp(low, high));
    }

    /// The cursor's line from `top` to `bottom` through all plots, with its place in a pill at the top.
    pub fn paint_cursor(&self, ui: &Ui, top: f32, bottom: f32) {
        let (Some(cursor), Some(screen)) = (self.cursor, self.screen) else { return };
        let p = theme::of(ui);
        let x = ui.painter().round_to_pixel_center(self.to_screen(screen, cursor));
        ui.painter().vline(x, top + 12.0..=bottom, Stroke::new(1.0, p.accent));
        let font = text::font(text::SMALL, Weight::Semibold);
        let galley = ui.painter().layout_no_wrap(self.place_in_words(cursor), font, p.on_accent);
        let pill = Rect::from_center_size(pos2(x, top + 4.0), galley.size() + vec2(16.0, 7.0));
        ui.painter().rect_filled(pill, CornerRadius::same(6), p.accent);
        ui.painter().galley(pill.center() - galley.size() / 2.0, galley, p.on_accent);
    }

    fn place_in_words(&self, x: f64) -> String {
        match self.unit {
            XAxis::Epochs => format!("Epoch {}", text::number(x, 2)),
            XAxis::Updates => format!("Update {}", text::count(x.max(0.0).round() as u64)),
            XAxis::Seconds => format!("{} s", ticks::label(x, if self.end < 100.0 { 0.1 } else { 1.0 })),
        }
    }
}

/// What the axis counts, after its last number, and after "Loss over".
pub fn unit_in_words(unit: XAxis) -> &'static str {
    match unit {
        XAxis::Epochs => "epochs",
        XAxis::Updates => "updates",
        XAxis::Seconds => "seconds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(unit: XAxis, end: f64) -> SharedAxis {
        SharedAxis { unit, end, ..SharedAxis::default() }
    }

    #[test]
    fn ticks_are_round_and_whole_where_halves_mean_nothing() {
        let labels = |unit, end| axis(unit, end).ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(XAxis::Epochs, 7.0), ["0", "1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(labels(XAxis::Epochs, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels(XAxis::Updates, 12_000.0), ["0", "2,000", "4,000", "6,000", "8,000", "10,000", "12,000"]);
        assert_eq!(labels(XAxis::Seconds, 3.0), ["0", "0.5", "1", "1.5", "2", "2.5", "3"]);
    }

    #[test]
    fn epoch_lines_are_thinned_to_what_can_be_told_apart() {
        let mut axis = axis(XAxis::Seconds, 1_000.0);
        axis.epochs = (1..=1_000).map(f64::from).collect();
        let lines: Vec<f64> = axis.epoch_lines(430.0).collect();
        assert!(lines.len() <= 22 && lines.len() >= 10, "{lines:?}");
        assert!(lines.iter().all(|x| x % 50.0 == 0.0), "{lines:?}");
        axis.zoom = Some((10.0, 14.5));
        assert_eq!(axis.epoch_lines(430.0).collect::<Vec<_>>(), [10.0, 11.0, 12.0, 13.0, 14.0]);
    }
}
