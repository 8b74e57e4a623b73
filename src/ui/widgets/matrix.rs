//! The 10×10 confusion matrix to walk into: true digit in rows, the answer in columns, recall and precision at the rim.
//! The diagonal has its own grey scale, so that the mistakes do not drown.

use super::digit_view::strip_of;
use crate::ui::{
    style,
    text::{self, Weight},
    theme,
};
use eframe::egui::{
    Align2, Color32, CornerRadius, EventFilter, Key, Pos2, Rect, Response, Role, Sense, Tooltip, Ui, WidgetInfo, pos2,
    vec2,
};

/// Counts by true digit (rows) and answer (columns).
pub type Counts = [[u32; 10]; 10];

/// A cell: the true digit and the answer.
pub type Cell = (usize, usize);

/// What the cells show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// How many images.
    #[default]
    Count,
    /// Share of the row: of all images of this true digit.
    ShareOfRow,
    /// Share of the column: of all images answered so.
    ShareOfColumn,
}

/// What the user did with the matrix.
pub struct MatrixOutput {
    /// The whole widget.
    pub response: Response,
    /// A cell was chosen with the pointer or the arrow keys.
    pub chosen: Option<Cell>,
    /// Enter or a double click asks for the images of the chosen cell.
    pub opened: bool,
    /// The cell under the pointer.
    pub hovered: Option<Cell>,
}

const LEFT: f32 = 36.0;
const TOP: f32 = 34.0;
const RIGHT: f32 = 48.0;
const BOTTOM: f32 = 34.0;
const GAP: f32 = 2.0;

/// Width and height of the matrix with cells of `cell` points (38 on a wide window, 30 on a narrow one).
pub fn matrix_size(cell: f32) -> eframe::egui::Vec2 {
    let grid = 10.0 * (cell + GAP) - GAP;
    vec2(LEFT + grid + RIGHT, TOP + grid + BOTTOM)
}

/// Shows `counts` (`None`: blank cells), `opacity` below 1 when stale or being renewed.
pub fn matrix(
    ui: &mut Ui,
    counts: Option<&Counts>,
    shown: Shown,
    selected: Option<Cell>,
    cell: f32,
    opacity: f32,
) -> MatrixOutput {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(matrix_size(cell), Sense::click());
    let pitch = cell + GAP;
    let origin = rect.min + vec2(LEFT, TOP);
    let cell_rect =
        |(row, column): Cell| Rect::from_min_size(origin + vec2(column as f32, row as f32) * pitch, vec2(cell, cell));
    let cell_at = |at: Pos2| {
        let offset = (at - origin) / pitch;
        let inside = (0.0..10.0).contains(&offset.x) && (0.0..10.0).contains(&offset.y);
        inside.then_some((offset.y as usize, offset.x as usize))
    };
    let blank = Counts::default();
    let totals = Totals::of(counts.unwrap_or(&blank));

    let hovered = response.hover_pos().and_then(cell_at);
    let mut chosen = response.interact_pointer_pos().filter(|_| response.clicked()).and_then(cell_at);
    let mut opened = response.double_clicked() && chosen.is_some();
    if chosen.is_some() {
        response.request_focus(); // so that the arrow keys go on from here
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (right, down, enter) = ui.input(|input| {
            let presses = |key| input.num_presses(key) as isize;
            let right = presses(Key::ArrowRight) - presses(Key::ArrowLeft);
            (right, presses(Key::ArrowDown) - presses(Key::ArrowUp), input.key_pressed(Key::Enter))
        });
        if right != 0 || down != 0 {
            let go = |at: usize, by: isize| at.saturating_add_signed(by).min(9);
            chosen = Some(selected.map_or((0, 0), |(row, column)| (go(row, down), go(column, right))));
            // A pointer at rest must not cover with its tooltip what the keys choose.
            let pointer = ui.ctx().pointer_latest_pos();
            ui.data_mut(|data| data.insert_temp(response.id, pointer));
        }
        opened |= enter && selected.is_some();
        if enter {
            chosen = chosen.or(selected);
        }
    }
    let pointer = ui.ctx().pointer_latest_pos();
    let rests_since_keys = ui.data(|data| data.get_temp::<Option<Pos2>>(response.id)) == Some(pointer);
    let selected = chosen.or(selected);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Grid, true, "Confusion matrix, true digit by answer");
        info.current_text_value = selected.map(|cell| sentence(cell, &totals, counts.unwrap_or(&blank)));
        info
    });

    if ui.is_rect_visible(rect) {
        let mut painter = ui.painter().clone();
        let small = text::font(text::SMALL, Weight::Regular);
        let grid = Rect::from_min_size(origin, vec2(pitch * 10.0 - GAP, pitch * 10.0 - GAP));
        painter.text(pos2(grid.left(), rect.top()), Align2::LEFT_TOP, "Read as", small.clone(), p.text3);
        let head_y = origin.y - 14.0;
        painter.text(pos2(rect.left(), head_y), Align2::LEFT_CENTER, "True", small.clone(), p.text3);
        painter.text(pos2(rect.right(), head_y), Align2::RIGHT_CENTER, "Recall", small.clone(), p.text3);
        let foot_y = grid.bottom() + 16.0;
        painter.text(pos2(rect.left(), foot_y), Align2::LEFT_CENTER, "Prec.", small.clone(), p.text3);
        painter.text(pos2(rect.right(), foot_y), Align2::RIGHT_CENTER, "%", small, p.text3);
        painter.multiply_opacity(opacity);
        for index in 0..10 {
            let row = selected.is_some_and(|(row, _)| row == index);
            let column = selected.is_some_and(|(_, column)| column == index);
            let look = |on: bool| if on { (Weight::Bold, p.text) } else { (Weight::Regular, p.text2) };
            let middle = cell_rect((index, index)).center();
            let (weight, colour) = look(row);
            let font = text::font(text::BODY, weight);
            painter.text(pos2(rect.left() + 14.0, middle.y), Align2::CENTER_CENTER, index.to_string(), font, colour);
            let font = text::font(text::LABEL, weight);
            painter.text(
                pos2(rect.right(), middle.y),
                Align2::RIGHT_CENTER,
                share_text(totals.recall(index)),
                font,
                colour,
            );
            let (weight, colour) = look(column);
            let font = text::font(text::BODY, weight);
            painter.text(pos2(middle.x, head_y), Align2::CENTER_CENTER, index.to_string(), font, colour);
            let font = text::font(text::LABEL, weight);
            painter.text(
                pos2(middle.x, foot_y),
                Align2::CENTER_CENTER,
                share_text(totals.precision(index)),
                font,
                colour,
            );
        }
        for row in 0..10 {
            for column in 0..10 {
                let at = (row, column);
                let count = totals.counts[row][column];
                let fill = totals.fill(p, at, counts.is_some());
                let fill = if hovered == Some(at) { theme::mix(fill, p.text, 0.08) } else { fill };
                painter.rect_filled(cell_rect(at), CornerRadius::same(4), fill);
                if let Some(content) = totals.content(at, shown) {
                    let strong = row != column && count > 0 && totals.share(at) > 0.3;
                    let weight = if strong { Weight::Semibold } else { Weight::Regular };
                    let size = if cell < 34.0 || content.len() > 4 { text::SMALL } else { text::LABEL };
                    let colour = number_on(fill, p.text);
                    painter.text(
                        cell_rect(at).center(),
                        Align2::CENTER_CENTER,
                        content,
                        text::font(size, weight),
                        colour,
                    );
                }
            }
        }
        if let Some(cell) = selected {
            style::ring(ui, cell_rect(cell), 4, 1.0, 2.5);
        } else {
            style::focus_ring(ui, &response, 8);
        }
    }
    let response = match (hovered.filter(|_| !rests_since_keys), counts) {
        (Some(cell), Some(counts)) => {
            let mut lines = vec![sentence(cell, &totals, counts)];
            if counts[cell.0][cell.1] > 0 {
                lines.push(format!(
                    "{} of all {}, {} of all read as {}",
                    text::percent(totals.of_row(cell), 2),
                    cell.0,
                    text::percent(totals.of_column(cell), 2),
                    cell.1
                ));
            }
            // A value under the pointer is shown at once, and follows it from cell to cell.
            Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), response.id, cell_rect(cell)).show(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(text::label(&lines[0]).font(text::font(text::LABEL, Weight::Semibold)));
                if let Some(line) = lines.get(1) {
                    ui.label(text::label(line).color(theme::of(ui).text2));
                }
            });
            response
        }
        _ => response,
    };
    MatrixOutput { response, chosen, opened, hovered }
}

/// Two legends for under the matrix: mistakes and the diagonal, `width` wide together.
pub fn matrix_legend(ui: &mut Ui, counts: &Counts, width: f32) {
    let p = theme::of(ui);
    let totals = Totals::of(counts);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 44.0), Sense::hover());
    let strip = width * 0.395;
    let small = text::font(text::SMALL, Weight::Regular);
    let legend = |left: f32, name: &str, low: u32, high: u32, colour: &dyn Fn(f32) -> Color32| {
        let painter = ui.painter();
        painter.text(pos2(left, rect.top()), Align2::LEFT_TOP, name, small.clone(), p.text2);
        strip_of(ui, Rect::from_min_size(pos2(left, rect.top() + 18.0), vec2(strip, 8.0)), colour);
        painter.text(pos2(left, rect.bottom()), Align2::LEFT_BOTTOM, text::count(low.into()), small.clone(), p.text2);
        let right = pos2(left + strip, rect.bottom());
        painter.text(right, Align2::RIGHT_BOTTOM, text::count(high.into()), small.clone(), p.text2);
    };
    let floor = MISTAKE_FLOOR;
    legend(rect.left(), "Mistakes", 1, totals.worst.max(1), &|t| p.amount(floor + (1.0 - floor) * t));
    legend(rect.right() - strip, "Right, own scale", totals.right_low, totals.right_high, &|t| p.diagonal(t));
}

/// The largest cells off the diagonal, most first.
pub fn worst_mistakes(counts: &Counts, how_many: usize) -> Vec<(Cell, u32)> {
    let mut cells: Vec<(Cell, u32)> = (0..100)
        .map(|index| ((index / 10, index % 10), counts[index / 10][index % 10]))
        .filter(|&((row, column), count)| row != column && count > 0)
        .collect();
    cells.sort_by_key(|&(cell, count)| (std::cmp::Reverse(count), cell));
    cells.truncate(how_many);
    cells
}

/// A single mistake must already be seen.
const MISTAKE_FLOOR: f32 = 0.17;

struct Totals<'a> {
    counts: &'a Counts,
    rows: [u32; 10],
    columns: [u32; 10],
    worst: u32,
    right_low: u32,
    right_high: u32,
}

impl<'a> Totals<'a> {
    fn of(counts: &'a Counts) -> Self {
        let right = (0..10).map(|digit| counts[digit][digit]);
        Self {
            counts,
            rows: counts.map(|row| row.iter().sum()),
            columns: std::array::from_fn(|column| counts.iter().map(|row| row[column]).sum()),
            worst: worst_mistakes(counts, 1).first().map_or(0, |&(_, count)| count),
            right_low: right.clone().min().unwrap_or(0),
            right_high: right.max().unwrap_or(0),
        }
    }

    fn recall(&self, digit: usize) -> Option<f64> {
        (self.rows[digit] > 0).then(|| self.of_row((digit, digit)))
    }

    fn precision(&self, digit: usize) -> Option<f64> {
        (self.columns[digit] > 0).then(|| self.of_column((digit, digit)))
    }

    fn of_row(&self, (row, column): Cell) -> f64 {
        f64::from(self.counts[row][column]) / f64::from(self.rows[row].max(1))
    }

    fn of_column(&self, (row, column): Cell) -> f64 {
        f64::from(self.counts[row][column]) / f64::from(self.columns[column].max(1))
    }

    /// Of the scale that the cell belongs to, 0…1.
    fn share(&self, (row, column): Cell) -> f32 {
        let count = self.counts[row][column];
        if row == column {
            let range = self.right_high.saturating_sub(self.right_low).max(1);
            count.saturating_sub(self.right_low) as f32 / range as f32
        } else {
            count as f32 / self.worst.max(1) as f32
        }
    }

    fn fill(&self, p: &theme::Palette, at: Cell, evaluated: bool) -> Color32 {
        let (row, column) = at;
        if self.counts[row][column] == 0 || !evaluated {
            let empty = if p.dark { p.track } else { p.hair };
            theme::mix(p.bg, empty, if p.dark { 0.8 } else { 0.3 })
        } else if row == column {
            p.diagonal(self.share(at))
        } else {
            p.amount(MISTAKE_FLOOR + (1.0 - MISTAKE_FLOOR) * (self.share(at) - 1.0 / self.worst.max(1) as f32).max(0.0))
        }
    }

    fn content(&self, at: Cell, shown: Shown) -> Option<String> {
        let count = self.counts[at.0][at.1];
        if count == 0 {
            return None;
        }
        Some(match shown {
            Shown::Count => count.to_string(),
            Shown::ShareOfRow => text::number(self.of_row(at) * 100.0, 1),
            Shown::ShareOfColumn => text::number(self.of_column(at) * 100.0, 1),
        })
    }
}

fn number_on(fill: Color32, text_colour: Color32) -> Color32 {
    if theme::contrast(text_colour, fill) >= 7.0 { text_colour } else { theme::text_on(fill) }
}

fn share_text(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| text::number(share * 100.0, 1))
}

fn sentence((row, column): Cell, totals: &Totals<'_>, counts: &Counts) -> String {
    let count = text::count(counts[row][column].into());
    let total = text::count(totals.rows[row].into());
    if row == column {
        format!("{row} read right, {count} of {total}")
    } else {
        format!("{row} read as {column}, {count} of {total}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        let mut counts = Counts::default();
        for (digit, row) in counts.iter_mut().enumerate() {
            row[digit] = 90 + digit as u32;
        }
        counts[4][9] = 19;
        counts[3][8] = 11;
        counts
    }

    #[test]
    fn the_worst_mistakes_come_first_and_the_diagonal_is_none() {
        let worst = worst_mistakes(&counts(), 5);
        assert_eq!(worst, vec![((4, 9), 19), ((3, 8), 11)]);
    }

    #[test]
    fn recall_and_precision_are_shares_of_row_and_column() {
        let counts = counts();
        let totals = Totals::of(&counts);
        assert!((totals.recall(4).unwrap() - 94.0 / 113.0).abs() < 1e-9);
        assert!((totals.precision(9).unwrap() - 99.0 / 118.0).abs() < 1e-9);
        assert_eq!(Totals::of(&Counts::default()).recall(0), None);
    }

    #[test]
    fn arrow_keys_walk_and_enter_opens() {
        use eframe::egui;
        use egui_kittest::{Harness, kittest::Queryable as _};
        struct Seen {
            selected: Option<Cell>,
            opened: bool,
        }
        let mut harness =
            Harness::builder().with_size(vec2(500.0, 500.0)).with_context_setup(style::install).build_ui_state(
                |ui, seen: &mut Seen| {
                    let counts = counts();
                    let output = matrix(ui, Some(&counts), Shown::Count, seen.selected, 38.0, 1.0);
                    seen.selected = output.chosen.or(seen.selected);
                    seen.opened |= output.opened;
                },
                Seen { selected: None, opened: false },
            );
        harness.run();
        harness.get_by_label_contains("Confusion matrix").focus();
        harness.run();
        for key in [egui::Key::ArrowDown, egui::Key::ArrowDown, egui::Key::ArrowRight, egui::Key::Enter] {
            harness.key_press(key);
            harness.run();
        }
        assert_eq!(harness.state().selected, Some((1, 1)));
        assert!(harness.state().opened);

        let cell = harness.get_by_label_contains("Confusion matrix").rect().min + vec2(LEFT, TOP) + vec2(90.0, 130.0);
        harness.drag_at(cell);
        harness.run();
        harness.drop_at(cell);
        harness.run();
        assert_eq!(harness.state().selected, Some((3, 2)));
        harness.key_press(egui::Key::ArrowRight);
        harness.run();
        assert_eq!(harness.state().selected, Some((3, 3)), "the keys go on from the clicked cell");
    }
}
