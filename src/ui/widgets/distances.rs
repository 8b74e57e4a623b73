//! Ten squared distances as bars, each beside the code it leads to: the shortest wins, and a line that can be dragged says
//! how far the second must be behind it.

use super::unit_picture;
use super::value_scale::nice_step;
use crate::ui::{
    icons, style,
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{
    self, Align2, CornerRadius, CursorIcon, EventFilter, Key, Rangef, Rect, Response, Role, Sense, Shape, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// Ten distances and the codes they lead to.
pub struct Distances<'a> {
    /// `[10 · units]`, class by class.
    pub codes: &'a [f32],
    /// `None` while nothing is drawn.
    pub distances: Option<&'a [f32; 10]>,
    /// The classes from the nearest to the farthest.
    pub ranked: Option<[usize; 10]>,
    /// The class that a person has chosen to compare with.
    pub compared: Option<usize>,
    /// The least lead that an answer needs, where that is known.
    pub threshold: Option<f32>,
}

/// What the person did.
#[derive(Default)]
pub struct DistancesOutput {
    /// This row was pressed.
    pub pressed: Option<usize>,
    /// The line was moved here.
    pub threshold: Option<f32>,
}

/// Room for the line's handle.
const ABOVE: f32 = 32.0;
/// Room for the axis.
const BELOW: f32 = 24.0;
const BAR_LEFT: f32 = 72.0;
const BAR_RIGHT: f32 = 62.0;
/// How far the row of the winner reaches beyond the column.
const OVERHANG: f32 = 8.0;

/// What the rows of height `pitch` need in all.
pub fn height(pitch: f32) -> f32 {
    ABOVE + 10.0 * pitch + BELOW
}

impl Distances<'_> {
    pub fn show(&self, ui: &mut Ui, width: f32, pitch: f32) -> DistancesOutput {
        let (rect, group) = ui.allocate_exact_size(vec2(width, height(pitch)), Sense::hover());
        group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, "Squared distance to each code"));
        let rows = Rect::from_min_max(pos2(rect.left(), rect.top() + ABOVE), rect.max - vec2(0.0, BELOW));
        let bars = Rangef::new(rows.left() + BAR_LEFT, rows.right() - BAR_RIGHT);
        let greatest = self.distances.map_or(0.0, |all| all.iter().copied().fold(0.0, f32::max));
        // some room to the right, so that the axis rests while the drawing changes
        let step = nice_step(f64::from(greatest.clamp(150.0, 1e6)) / 4.0) as f32;
        let full = (greatest.max(150.0) / step).ceil() * step;

        let mut output = DistancesOutput::default();
        for class in 0..10 {
            let row = Rect::from_min_size(pos2(rows.left(), rows.top() + class as f32 * pitch), vec2(width, pitch));
            if self.row(ui, group.id.with(class), class, row, bars, full).clicked() {
                output.pressed = Some(class);
            }
        }
        axis(ui, rows, bars, full, step);
        if let (Some(distances), Some(ranked), Some(threshold)) = (self.distances, self.ranked, self.threshold) {
            let line = Line { rows, bars, full, nearest: distances[ranked[0]], threshold };
            output.threshold = line.show(ui, group.id);
        }
        output
    }

    fn row(&self, ui: &Ui, id: egui::Id, class: usize, row: Rect, bars: Rangef, full: f32) -> Response {
        let p = theme::of(ui);
        let response = ui.interact(row.expand2(vec2(OVERHANG, 0.0)), id, Sense::click());
        let wins = self.ranked.is_some_and(|ranked| ranked[0] == class);
        let second = self.ranked.is_some_and(|ranked| ranked[1] == class);
        let compared = self.compared == Some(class);
        response.widget_info(|| {
            let distance =
                self.distances.map_or_else(String::new, |all| format!(", {}", text::number(all[class].into(), 1)));
            let place = match (wins, second) {
                (true, _) => ", the nearest",
                (_, true) => ", the second",
                _ => "",
            };
            WidgetInfo::selected(Role::RadioButton, true, compared, format!("Code of {class}{distance}{place}"))
        });
        let back = row.expand2(vec2(OVERHANG, -1.0));
        let corner = CornerRadius::same(style::BUTTON_RADIUS);
        if wins {
            ui.painter().rect_filled(back, corner, p.accent_soft);
        } else if response.hovered() {
            ui.painter().rect_filled(back, corner, p.hover.gamma_multiply(0.6));
        }
        if compared {
            ui.painter().rect_stroke(back, corner, Stroke::new(1.0, p.edge), StrokeKind::Inside);
        }
        style::focus_ring(ui, &response.clone().with_new_rect(back.shrink(2.0)), style::BUTTON_RADIUS);

        let painter = ui.painter();
        let y = row.center().y;
        let strong = if wins || self.distances.is_none() { p.text } else { p.text2 };
        let weight = if wins { Weight::Bold } else { Weight::Medium };
        if wins {
            let font = text::icon_font(12.0, IconWeight::Fill);
            painter.text(pos2(row.left() - 4.0, y), Align2::CENTER_CENTER, icons::CARET_RIGHT, font, p.accent);
        }
        let font = text::font(text::HEADING, weight);
        painter.text(pos2(row.left() + 12.0, y), Align2::CENTER_CENTER, class.to_string(), font, strong);
        let units = self.codes.len() / 10;
        let side = 3.0;
        // a cell lower: the last two rows of most codes are empty
        let at = pos2(row.left() + 32.0, y + side - unit_picture::size(units, side).y / 2.0).round();
        unit_picture::paint_code(ui, at, &self.codes[class * units..][..units], side, strong);

        let track = Rect::from_x_y_ranges(bars, y - 7.0..=y + 7.0);
        let empty = if wins { theme::mix(p.accent_soft, p.accent, 0.12) } else { p.track };
        painter.rect_filled(track, CornerRadius::same(3), empty);
        let (Some(distances), Some(ranked)) = (self.distances, self.ranked) else { return response };
        let share = (distances[class] / full).clamp(0.0, 1.0);
        let filled = Rect::from_min_size(track.min, vec2((track.width() * share).max(2.0), track.height()));
        painter.rect_filled(filled, CornerRadius::same(3), if wins { p.accent } else { p.bar0 });
        let weight = if wins { Weight::Semibold } else { Weight::Regular };
        let value = text::number(distances[class].into(), 1);
        let up = if second { 7.0 } else { 0.0 };
        painter.text(pos2(row.right(), y - up), Align2::RIGHT_CENTER, value, text::font(text::BODY, weight), strong);
        if second {
            let behind = format!("+{}", text::number((distances[class] - distances[ranked[0]]).into(), 1));
            let font = text::font(text::SMALL, Weight::Regular);
            painter.text(pos2(row.right(), y + 9.0), Align2::RIGHT_CENTER, behind, font, p.text2);
        }
        response
    }
}

fn axis(ui: &Ui, rows: Rect, bars: Rangef, full: f32, step: f32) {
    let p = theme::of(ui);
    let painter = ui.painter();
    let y = painter.round_to_pixel_center(rows.bottom() + 3.0);
    painter.hline(bars, y, Stroke::new(1.0, p.line));
    let font = text::font(text::SMALL, Weight::Regular);
    let ticks = (full / step).round() as usize;
    for tick in 0..=ticks {
        let value = tick as f32 * step;
        let x = bars.min + bars.span() * value / full;
        painter.vline(painter.round_to_pixel_center(x), y..=y + 4.0, Stroke::new(1.0, p.line));
        painter.text(pos2(x, y + 6.0), Align2::CENTER_TOP, text::number(value.into(), 0), font.clone(), p.text2);
    }
}

/// The reject line: every other bar must end beyond it.
struct Line {
    rows: Rect,
    bars: Rangef,
    full: f32,
    nearest: f32,
    threshold: f32,
}

impl Line {
    fn show(&self, ui: &Ui, group: egui::Id) -> Option<f32> {
        let p = theme::of(ui);
        let at = self.bars.min + self.bars.span() * ((self.nearest + self.threshold) / self.full).min(1.0);
        let x = ui.painter().round_to_pixel_center(at);
        let words = format!("Lead of {} needed", text::number(self.threshold.into(), 1));
        let font = text::font(text::LABEL, Weight::Semibold);
        let galley = ui.painter().layout_no_wrap(words, font, p.text);
        let width = galley.size().x + 34.0;
        let (low, high) = (self.rows.left() + width / 2.0, self.rows.right() - width / 2.0);
        let pill = Rect::from_center_size(pos2(x.clamp(low, high.max(low)), self.rows.top() - 18.0), vec2(width, 24.0));

        let handle = ui.interact(pill, group.with("handle"), Sense::click_and_drag());
        let line = Rect::from_x_y_ranges(x - 5.0..=x + 5.0, self.rows.y_range());
        let line = ui.interact(line, group.with("line"), Sense::DRAG).on_hover_cursor(CursorIcon::ResizeHorizontal);
        let mut threshold = moved_by_keys(ui, &handle, self.threshold);
        for response in [&handle, &line] {
            if response.dragged() {
                threshold = self.threshold + response.drag_delta().x * self.full / self.bars.span();
            }
        }
        let threshold = threshold.max(0.0);
        name_of_threshold(&handle, self.threshold);

        let lit = handle.hovered() || handle.dragged() || line.hovered() || line.dragged();
        let stroke = Stroke::new(if lit { 2.0 } else { 1.25 }, p.warn);
        let ends = [pos2(x, pill.bottom()), pos2(x, self.rows.bottom() + 2.0)];
        ui.painter().extend(Shape::dashed_line(&ends, stroke, 4.0, 3.0));
        let fill = if lit { p.hover } else { p.raise };
        ui.painter().rect(pill, CornerRadius::same(12), fill, Stroke::new(1.0, p.warn), StrokeKind::Inside);
        let icon = text::icon_font(14.0, IconWeight::Bold);
        let at = pos2(pill.left() + 15.0, pill.center().y);
        ui.painter().text(at, Align2::CENTER_CENTER, icons::DOTS_SIX_VERTICAL, icon, p.warn);
        let at = pos2(pill.left() + 24.0, pill.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, p.text);
        style::focus_ring(ui, &handle, 12);
        handle.on_hover_cursor(CursorIcon::ResizeHorizontal);
        (threshold != self.threshold).then_some(threshold)
    }
}

/// The threshold after the arrow keys, one step a press, of what has the focus.
pub(super) fn moved_by_keys(ui: &Ui, response: &Response, threshold: f32) -> f32 {
    if !response.has_focus() {
        return threshold;
    }
    let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let steps = ui.input(|input| input.num_presses(Key::ArrowRight) as f32 - input.num_presses(Key::ArrowLeft) as f32);
    (threshold + steps).max(0.0)
}

/// What a handle of the threshold is called.
pub(super) fn name_of_threshold(response: &Response, threshold: f32) {
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, threshold.into(), "Least lead of an answer");
        info.current_text_value = Some(text::number(threshold.into(), 1));
        info
    });
}
