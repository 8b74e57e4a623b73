//! The units of a layer as a picture of square cells, seven in a row: LeNet-5's codes are pictures of digits, and so its
//! states are best seen the same way.

use super::digit_view::strip_of;
use crate::ui::{
    style,
    text::{self, Weight},
    theme,
};
use eframe::egui::{
    Align2, Color32, CornerRadius, EventFilter, Key, Mesh, Rect, Response, Role, Sense, Shape, Ui, Vec2, WidgetInfo,
    pos2, vec2,
};

/// Cells of a row.
pub const COLUMNS: usize = 7;

/// A picture of units.
pub struct UnitPicture<'a> {
    /// Read aloud.
    pub name: &'a str,
    /// How many units there are.
    pub units: usize,
    /// One a unit, row by row; `None` while there is nothing to show.
    pub values: Option<&'a [f32]>,
    /// Side of a cell, with the gap to the next.
    pub cell: f32,
    pub colour: &'a dyn Fn(f32) -> Color32,
    /// This unit has a ring.
    pub ringed: Option<usize>,
}

/// The size of a picture of so many units.
pub fn size(units: usize, cell: f32) -> Vec2 {
    vec2(COLUMNS as f32, units.div_ceil(COLUMNS) as f32) * cell
}

impl UnitPicture<'_> {
    /// Shows it; the unit under the pointer comes back, or the one that the arrow keys have reached.
    pub fn show(&self, ui: &mut Ui) -> (Response, Option<usize>) {
        let p = theme::of(ui);
        let (rect, response) = ui.allocate_exact_size(size(self.units, self.cell), Sense::focusable_noninteractive());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.name));
        let place = |unit: usize| {
            let at = vec2((unit % COLUMNS) as f32, (unit / COLUMNS) as f32) * self.cell;
            Rect::from_min_size(rect.min + at, vec2(self.cell - 1.0, self.cell - 1.0))
        };
        let radius = CornerRadius::same((self.cell / 7.0) as u8);
        for unit in 0..self.units {
            let colour = self.values.and_then(|values| values.get(unit)).map_or(p.track, |&value| (self.colour)(value));
            ui.painter().rect_filled(place(unit), radius, colour);
        }
        if let Some(unit) = self.ringed.filter(|&unit| unit < self.units) {
            style::ring(ui, place(unit), radius.nw, 0.0, 2.0);
        }
        let hovered = response.hover_pos().and_then(|at| {
            let cell = (at - rect.min) / self.cell;
            let unit = cell.y as usize * COLUMNS + (cell.x as usize).min(COLUMNS - 1);
            (unit < self.units && self.values.is_some()).then_some(unit)
        });
        style::focus_ring(ui, &response, radius.nw);
        let reached = self.moved_by_keys(ui, &response);
        (response, hovered.or(reached))
    }

    /// The unit that the arrow keys lead to while the picture has the focus.
    fn moved_by_keys(&self, ui: &Ui, response: &Response) -> Option<usize> {
        if !response.has_focus() || self.units == 0 || self.values.is_none() {
            return None;
        }
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let step = ui.input(|input| {
            let presses = |key| input.num_presses(key) as isize;
            let right = presses(Key::ArrowRight) - presses(Key::ArrowLeft);
            right + COLUMNS as isize * (presses(Key::ArrowDown) - presses(Key::ArrowUp))
        });
        let from = self.ringed.map_or(0, |unit| unit.min(self.units - 1));
        Some(from.checked_add_signed(step).filter(|&unit| unit < self.units).unwrap_or(from))
    }
}

/// Paints the ink of a code (what is above zero), as small squares without gaps, into a place `side` a cell.
pub fn paint_code(ui: &Ui, at: eframe::egui::Pos2, code: &[f32], side: f32, colour: Color32) {
    let mut mesh = Mesh::default();
    for (unit, _) in code.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let cell = vec2((unit % COLUMNS) as f32, (unit / COLUMNS) as f32) * side;
        mesh.add_colored_rect(Rect::from_min_size(at + cell, vec2(side, side)), colour);
    }
    ui.painter().add(Shape::mesh(mesh));
}

/// A colour scale, `width` wide and 26 high, with what its left end, middle and right end mean.
pub fn legend(ui: &mut Ui, width: f32, words: [&str; 3], colour: impl Fn(f32) -> Color32) {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
    strip_of(ui, Rect::from_min_size(rect.min, vec2(width, 8.0)), colour);
    let font = text::font(text::SMALL, Weight::Regular);
    let ends = [
        (rect.left(), Align2::LEFT_BOTTOM),
        (rect.center().x, Align2::CENTER_BOTTOM),
        (rect.right(), Align2::RIGHT_BOTTOM),
    ];
    for ((x, align), word) in ends.into_iter().zip(words) {
        ui.painter().text(pos2(x, rect.bottom()), align, word, font.clone(), p.text2);
    }
}
