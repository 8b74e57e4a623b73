//! A scrolling grid of digit images with captions. Hundreds share one texture; only what is in view is painted.

use super::digit_view::Sheet;
use crate::ui::{
    icons,
    style::{self, IMAGE_RADIUS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{self, Align2, EventFilter, Key, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

/// One tile.
#[derive(Clone, Debug, Default)]
pub struct Tile {
    /// Under the image: the confidence.
    pub caption: String,
    /// For the screen reader and the tooltip: "Test 4,860, 4 read as 9, 86 %".
    pub name: String,
    /// A check behind the caption.
    pub check: bool,
    /// A cross behind the caption: it was read wrong.
    pub wrong: bool,
}

/// What the user did in the gallery.
#[derive(Clone, Copy, Debug, Default)]
pub struct GalleryOutput {
    /// A tile was chosen with the pointer or the arrow keys.
    pub chosen: Option<usize>,
    /// Enter or a double click on the chosen tile.
    pub opened: Option<usize>,
}

const TILE: f32 = 78.0;
const PITCH: egui::Vec2 = vec2(86.0, 110.0);

/// Columns that fit into `width`.
pub fn columns_in(width: f32) -> usize {
    (((width + 8.0) / PITCH.x) as usize).max(1)
}

/// The tiles of `sheet`, image `index` captioned by `tile(index)`, in a scroll area `size` large.
pub fn gallery(
    ui: &mut Ui,
    sheet: &Sheet,
    tile: impl Fn(usize) -> Tile,
    selected: Option<usize>,
    size: egui::Vec2,
) -> GalleryOutput {
    let mut output = GalleryOutput::default();
    let columns = columns_in(size.x);
    let rows = sheet.len().div_ceil(columns);
    let id = ui.scope_id().with("gallery");
    ui.allocate_ui(size, |ui| {
        ScrollArea::vertical().id_salt("gallery").max_height(size.y).auto_shrink([false, false]).show_viewport(
            ui,
            |ui, view| {
                ui.set_height(rows as f32 * PITCH.y + 8.0);
                // room for the ring of the first row and column
                let origin = ui.max_rect().min + vec2(4.0, 4.0);
                let first = ((view.top() / PITCH.y).floor().max(0.0) as usize).min(rows);
                let last = ((view.bottom() / PITCH.y).ceil().max(0.0) as usize).min(rows);
                for index in first * columns..(last * columns).min(sheet.len()) {
                    let place = vec2((index % columns) as f32 * PITCH.x, (index / columns) as f32 * PITCH.y);
                    let rect = Rect::from_min_size(origin + place, vec2(TILE, TILE));
                    show_tile(
                        ui,
                        sheet,
                        index,
                        &tile(index),
                        rect,
                        id.with(index),
                        selected == Some(index),
                        &mut output,
                    );
                }
                move_by_keys(ui, id, columns, sheet.len(), selected, &mut output);
                if let Some(chosen) = output.chosen {
                    let place = vec2((chosen % columns) as f32 * PITCH.x, (chosen / columns) as f32 * PITCH.y);
                    ui.scroll_to_rect(Rect::from_min_size(origin + place, PITCH).expand(4.0), None);
                }
            },
        );
    });
    output
}

#[expect(clippy::too_many_arguments, reason = "one private call, all of them what a tile is")]
fn show_tile(
    ui: &mut Ui,
    sheet: &Sheet,
    index: usize,
    tile: &Tile,
    rect: Rect,
    id: egui::Id,
    selected: bool,
    output: &mut GalleryOutput,
) {
    let p = theme::of(ui);
    let response =
        ui.interact(rect.union(Rect::from_min_size(rect.left_bottom(), vec2(TILE, 22.0))), id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, &tile.name));
    if response.clicked() {
        output.chosen = Some(index);
        response.request_focus();
        if response.double_clicked() || ui.input(|input| input.key_pressed(Key::Enter)) {
            output.opened = Some(index);
        }
    }
    sheet.paint(ui, index, rect, IMAGE_RADIUS);
    if selected {
        style::ring(ui, rect, IMAGE_RADIUS, 2.0, 2.0);
    } else if response.hovered() || response.has_focus() {
        let stroke = egui::Stroke::new(
            if response.has_focus() { 2.0 } else { 1.0 },
            if response.has_focus() { p.accent } else { p.edge },
        );
        ui.painter().rect_stroke(rect, IMAGE_RADIUS, stroke, egui::StrokeKind::Inside);
    }
    let (weight, colour) = if selected { (Weight::Semibold, p.text) } else { (Weight::Regular, p.text2) };
    let y = rect.bottom() + 12.0;
    ui.painter().text(
        pos2(rect.left(), y),
        Align2::LEFT_CENTER,
        &tile.caption,
        text::font(text::LABEL, weight),
        colour,
    );
    let sign = match (tile.wrong, tile.check) {
        (true, _) => Some((icons::X, p.warn)),
        (false, true) => Some((icons::CHECK, p.accent)),
        (false, false) => None,
    };
    if let Some((sign, colour)) = sign {
        let font = text::icon_font(13.0, IconWeight::Bold);
        ui.painter().text(pos2(rect.right() - 7.0, y), Align2::CENTER_CENTER, sign, font, colour);
    }
    if !tile.name.is_empty() {
        response.on_hover_text(text::label(&tile.name));
    }
}

/// Arrow keys move the choice while a tile has the focus.
fn move_by_keys(
    ui: &Ui,
    id: egui::Id,
    columns: usize,
    count: usize,
    selected: Option<usize>,
    output: &mut GalleryOutput,
) {
    let Some(selected) = selected.filter(|&index| index < count) else { return };
    let tile_id = id.with(selected);
    if !ui.memory(|memory| memory.has_focus(tile_id)) {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(tile_id, filter));
    let last = count - 1;
    let target = ui.input(|input| {
        if input.key_pressed(Key::ArrowRight) {
            (selected + 1).min(last)
        } else if input.key_pressed(Key::ArrowLeft) {
            selected.saturating_sub(1)
        } else if input.key_pressed(Key::ArrowDown) {
            (selected + columns).min(last)
        } else if input.key_pressed(Key::ArrowUp) {
            selected.checked_sub(columns).unwrap_or(selected)
        } else {
            selected
        }
    });
    if target != selected {
        output.chosen = Some(target);
        ui.memory_mut(|memory| memory.request_focus(id.with(target)));
    }
}
