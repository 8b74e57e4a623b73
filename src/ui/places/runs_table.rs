//! The table of runs: headers that sort, rows to choose from, arrow keys. What the rows say is made in `runs_rows.rs`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use eframe::egui::{
    self, Align2, CornerRadius, EventFilter, Key, Modifiers, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::runs_rows::{Column, Kind, Order, Row, Rows, group_path};
use crate::storage::runs::{Run, RunState};
use crate::ui::text::{self, IconWeight, Weight};
use crate::ui::widgets::{overlay, plot_lines};
use crate::ui::{icons, style, theme};

/// What the table remembers between frames.
#[derive(Default)]
pub(super) struct Table {
    pub order: Order,
    /// Id of the only model that is listed.
    pub model: Option<String>,
    /// The chosen runs.
    pub selected: BTreeSet<PathBuf>,
    /// Groups that are open, by their first run.
    open: BTreeSet<PathBuf>,
    /// The row that arrow keys move from, and the one that a range is chosen from.
    cursor: usize,
    anchor: usize,
    pub rows: Rows,
    /// What the rows were made for.
    key: Option<(u64, Order, Option<String>, BTreeSet<PathBuf>)>,
    scroll_to_cursor: bool,
    /// The focus came with a press of the pointer, which shows no ring.
    pointer_last: bool,
}

/// What the person did in the table beside choosing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TableOutput {
    /// Enter or a double click on a run: its place in the list.
    pub opened: Option<usize>,
}

pub(super) const ROW: f32 = 28.0;
pub(super) const HEAD: f32 = 26.0;
/// Room for the caret of a group and the letter of a curve.
const LEAD: f32 = 46.0;
const INDENT: f32 = 14.0;

impl Table {
    /// Makes the rows anew where something about them has changed; true then.
    pub fn update(&mut self, runs: &[Run], revision: u64) -> bool {
        let key = Some((revision, self.order.clone(), self.model.clone(), self.open.clone()));
        let changed = self.key != key;
        if changed {
            self.selected.retain(|path| runs.iter().any(|run| run.path == *path));
            self.rows = Rows::new(runs, self.model.as_deref(), &self.order, &self.open);
            self.key = key;
            self.cursor = self.cursor.min(self.rows.rows.len().saturating_sub(1));
            self.anchor = self.anchor.min(self.cursor);
        }
        changed
    }

    /// Chooses the newest run where none is chosen.
    pub fn choose_something(&mut self, runs: &[Run]) {
        if let Some(row) = self.rows.rows.first().filter(|_| self.selected.is_empty()) {
            self.selected = row.members.iter().map(|&at| runs[at].path.clone()).collect();
        }
    }

    fn is_selected(&self, row: &Row, runs: &[Run]) -> bool {
        row.members.iter().all(|&at| self.selected.contains(&runs[at].path))
    }

    /// Height of the whole table, head and bar included.
    pub fn height(&self) -> f32 {
        HEAD + ROW * self.rows.rows.len() as f32 + 8.0
    }

    /// The table in `size`. `letter` is the place of a run's curve, where it has one.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        runs: &[Run],
        letter: impl Fn(usize) -> Option<usize>,
        size: egui::Vec2,
    ) -> TableOutput {
        let mut output = TableOutput::default();
        let width = self.rows.columns.iter().map(Column::width).sum::<f32>() + LEAD + 12.0;
        let id = ui.scope_id().with("runs");
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let table = ui.interact(rect, id, Sense::FOCUSABLE);
        let count = self.rows.rows.len();
        table.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, format!("Runs, {count} rows")));
        self.keys(ui, &table, runs, &mut output);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        ScrollArea::horizontal().id_salt("columns").auto_shrink([false, false]).show(&mut child, |ui| {
            let width = width.max(size.x);
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            self.head(ui, width);
            let scroll = ScrollArea::vertical().id_salt("rows").auto_shrink([false, false]);
            scroll.max_height(size.y - HEAD).show_viewport(ui, |ui, view| {
                ui.set_height(ROW * count as f32 + 4.0);
                ui.set_width(width);
                let origin = ui.max_rect().min;
                let first = ((view.top() / ROW).floor().max(0.0) as usize).min(count);
                let last = ((view.bottom() / ROW).ceil().max(0.0) as usize).min(count);
                for place in first..last {
                    let at = origin + vec2(0.0, ROW * place as f32);
                    self.row(ui, runs, place, Rect::from_min_size(at, vec2(width, ROW)), &letter, &table, &mut output);
                }
                if std::mem::take(&mut self.scroll_to_cursor) {
                    let at = origin + vec2(view.left(), ROW * self.cursor as f32);
                    ui.scroll_to_rect(Rect::from_min_size(at, vec2(1.0, ROW)), None);
                }
            });
        });
        output
    }

    /// Headers; a press orders by their column, another one turns the order round.
    fn head(&mut self, ui: &mut Ui, width: f32) {
        let p = theme::of(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(width, HEAD), Sense::hover());
        let columns = self.rows.columns.clone();
        let mut left = rect.left() + LEAD;
        for column in columns {
            let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(column.width(), HEAD));
            left += column.width();
            let title = column.title();
            let response = ui.interact(cell, ui.scope_id().with(("head", &title)), Sense::click());
            let chosen = self.order.column == column;
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("Order by {title}")));
            let ink = if chosen || response.hovered() { p.text } else { p.text3 };
            let weight = if chosen { Weight::Semibold } else { Weight::Regular };
            let caret = match (chosen, self.order.descending) {
                (false, _) => "",
                (true, true) => icons::CARET_DOWN,
                (true, false) => icons::CARET_UP,
            };
            let font = text::font(text::SMALL, weight);
            let y = cell.center().y;
            let icon = text::icon_font(10.0, IconWeight::Bold);
            if column.is_numeric() {
                let right = cell.right() - 14.0;
                let words = ui.painter().text(pos2(right, y), Align2::RIGHT_CENTER, &title, font, ink);
                ui.painter().text(pos2(words.left() - 3.0, y), Align2::RIGHT_CENTER, caret, icon, ink);
            } else {
                let words =
                    plot_lines::elided(ui.painter(), &title, font, ink, pos2(cell.left(), y), cell.right() - 20.0);
                ui.painter().text(pos2(words + 3.0, y), Align2::LEFT_CENTER, caret, icon, ink);
            }
            if response.clicked() {
                // the best of something is what one looks for first
                let descending = if chosen { !self.order.descending } else { column.is_numeric() };
                self.order = Order { column, descending };
            }
            style::focus_ring(ui, &response, 4);
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, p.hair));
    }

    #[expect(clippy::too_many_arguments, reason = "one private call, all of them what a row is")]
    fn row(
        &mut self,
        ui: &mut Ui,
        runs: &[Run],
        place: usize,
        rect: Rect,
        letter: &impl Fn(usize) -> Option<usize>,
        table: &egui::Response,
        output: &mut TableOutput,
    ) {
        let p = theme::of(ui);
        let row = &self.rows.rows[place];
        let chosen = self.is_selected(row, runs);
        let response = ui.interact(rect, table.id.with(place), Sense::CLICK);
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, chosen, &row.name));
        let at_cursor = place == self.cursor && table.has_focus() && !self.pointer_last;
        if chosen {
            ui.painter().rect_filled(rect, CornerRadius::same(6), p.accent_soft);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, CornerRadius::same(6), p.hover);
        }
        if at_cursor {
            let edge = egui::Stroke::new(2.0, p.accent);
            ui.painter().rect_stroke(rect, CornerRadius::same(6), edge, egui::StrokeKind::Inside);
        }
        let y = rect.center().y;
        let indent = if row.kind == Kind::Member { INDENT } else { 0.0 };
        let mut toggled = false;
        if let Kind::Group { is_open } = row.kind {
            let at = Rect::from_center_size(pos2(rect.left() + 12.0, y), vec2(22.0, ROW));
            let caret = ui.interact(at, table.id.with(("caret", place)), Sense::CLICK);
            let words = if is_open { "Close the seeds of" } else { "Open the seeds of" };
            let name = format!("{words} {}", row.cells[0]);
            caret.widget_info(|| WidgetInfo::labeled(Role::DisclosureTriangle, true, &name));
            let icon = if is_open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
            let ink = if caret.hovered() { p.text } else { p.text2 };
            ui.painter().text(at.center(), Align2::CENTER_CENTER, icon, text::icon_font(12.0, IconWeight::Bold), ink);
            toggled = caret.clicked();
        }
        if let Some(curve) = row.members.first().and_then(|&at| letter(at)).filter(|_| chosen) {
            let at = pos2(rect.left() + 26.0 + indent, y);
            let tick = Rect::from_center_size(at, vec2(3.0, 13.0));
            ui.painter().rect_filled(tick, CornerRadius::same(1), overlay::colour(p, curve));
            let font = text::font(text::SMALL, Weight::Semibold);
            let letter = overlay::letter(curve).to_string();
            ui.painter().text(at + vec2(5.0, 0.0), Align2::LEFT_CENTER, letter, font, p.text);
        }
        let mut left = rect.left() + LEAD;
        for (column, words) in self.rows.columns.iter().zip(&row.cells) {
            let indent = if *column == Column::Name { indent } else { 0.0 };
            cell(
                ui,
                column,
                words,
                Rect::from_min_size(pos2(left + indent, rect.top()), vec2(column.width() - indent, ROW)),
                row,
                runs,
            );
            left += column.width();
        }
        if response.double_clicked() {
            self.open_or_answer(place, runs, output);
        } else if toggled {
            self.toggle(place, runs);
        } else if response.clicked() {
            table.request_focus();
            self.pointer_last = true;
            let modifiers = ui.input(|input| input.modifiers);
            self.choose(place, modifiers, runs);
        }
    }

    /// Chooses a row; with Ctrl also, with Shift all from the one before to it.
    fn choose(&mut self, place: usize, modifiers: Modifiers, runs: &[Run]) {
        let Some(row) = self.rows.rows.get(place) else { return };
        let paths = |row: &Row| row.members.iter().map(|&at| runs[at].path.clone()).collect::<Vec<_>>();
        if modifiers.command {
            if self.is_selected(row, runs) {
                paths(row).iter().for_each(|path| {
                    self.selected.remove(path);
                });
            } else {
                let own = paths(row);
                self.selected.extend(own);
            }
            self.anchor = place;
        } else {
            if !modifiers.shift {
                self.anchor = place;
            }
            let (from, to) = (self.anchor.min(place), self.anchor.max(place));
            self.selected = self.rows.rows[from..=to].iter().flat_map(paths).collect();
        }
        self.cursor = place;
    }

    /// Arrow keys move, with Shift they choose more; Enter opens.
    fn keys(&mut self, ui: &Ui, table: &egui::Response, runs: &[Run], output: &mut TableOutput) {
        let nothing_focused = ui.memory(|memory| memory.focused().is_none());
        self.pointer_last &= table.has_focus();
        if !(table.has_focus() || nothing_focused) || self.rows.rows.is_empty() {
            return;
        }
        if table.has_focus() {
            let filter = EventFilter { vertical_arrows: true, ..Default::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(table.id, filter));
        }
        let last = self.rows.rows.len() - 1;
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        let to = if pressed(Key::ArrowDown) {
            (self.cursor + 1).min(last)
        } else if pressed(Key::ArrowUp) {
            self.cursor.saturating_sub(1)
        } else if pressed(Key::Home) {
            0
        } else if pressed(Key::End) {
            last
        } else {
            if pressed(Key::Enter) {
                self.open_or_answer(self.cursor, runs, output);
            }
            return;
        };
        let shift = ui.input(|input| input.modifiers.shift);
        self.choose(to, if shift { Modifiers::SHIFT } else { Modifiers::NONE }, runs);
        self.scroll_to_cursor = true;
        self.pointer_last = false;
        table.request_focus();
    }

    fn open_or_answer(&mut self, place: usize, runs: &[Run], output: &mut TableOutput) {
        match self.rows.rows.get(place) {
            Some(Row { kind: Kind::Group { .. }, .. }) => self.toggle(place, runs),
            Some(row) => output.opened = row.members.first().copied(),
            None => {}
        }
    }

    fn toggle(&mut self, place: usize, runs: &[Run]) {
        let path = group_path(runs, &self.rows.rows[place].members).to_owned();
        if !self.open.remove(&path) {
            self.open.insert(path);
        }
    }

    /// Whether the seeds of the group with these members are listed one by one.
    pub fn is_open(&self, runs: &[Run], members: &[usize]) -> bool {
        self.open.contains(group_path(runs, members))
    }
}

fn cell(ui: &Ui, column: &Column, words: &str, rect: Rect, row: &Row, runs: &[Run]) {
    let p = theme::of(ui);
    let state = row.members.first().map(|&at| runs[at].state);
    let (weight, ink) = match column {
        Column::Name | Column::Best => (Weight::Semibold, p.text),
        Column::State => match state {
            Some(RunState::Failed | RunState::Diverged) => (Weight::Regular, p.error),
            Some(RunState::Interrupted | RunState::Stopped) => (Weight::Regular, p.warn),
            Some(RunState::Running) => (Weight::Semibold, p.accent),
            _ => (Weight::Regular, p.text2),
        },
        Column::Setting(_) => (Weight::Regular, p.text),
        _ => (Weight::Regular, p.text2),
    };
    let font = text::font(text::LABEL, weight);
    let y = rect.center().y;
    if column.is_numeric() {
        ui.painter().text(pos2(rect.right() - 14.0, y), Align2::RIGHT_CENTER, words, font, ink);
        return;
    }
    let mut left = rect.left();
    if *column == Column::State && row.is_damaged {
        let icon = text::icon_font(13.0, IconWeight::Fill);
        ui.painter().text(pos2(left, y), Align2::LEFT_CENTER, icons::WARNING, icon, p.warn);
        left += 18.0;
    }
    plot_lines::elided(ui.painter(), words, font, ink, pos2(left, y), rect.right() - 12.0);
}
