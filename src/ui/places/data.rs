//! Data: the drawings that the person keeps, by digit; which of them a model reads wrong. What they are worth is told in
//! `data_side.rs`.

use std::sync::Arc;

use eframe::egui::{self, Align, Layout, Rect, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};

use super::{Place, Scene, data_head, data_side};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::digit_view::{self, Sheet};
use crate::ui::widgets::gallery::{self, Tile};
use crate::ui::widgets::segmented;
use crate::ui::{icons, style, text, theme};
use crate::workbench::{Command, HandwritingCommand, HandwritingView, KeptView, ModelChoice, ModelScore};

/// What Data remembers between frames.
#[derive(Default)]
pub struct DataPlace {
    digit: Option<u8>,
    /// Id of the drawing that is looked at.
    selected: Option<String>,
    /// The model whose mistakes are marked.
    pub(super) marked: Option<ModelChoice>,
    /// Places of the drawings in the gallery.
    listed: Vec<usize>,
    sheet: Option<Sheet>,
    /// What the gallery was made for.
    key: Option<(u64, Option<u8>)>,
    pub(super) side: data_side::Side,
    narrow: Narrow,
}

/// Which column is seen when there is no room for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Narrow {
    #[default]
    Drawings,
    Scores,
}

const SIDE: f32 = 408.0;
const GAP: f32 = 32.0;
/// Images of the gallery at most; more than anybody walks through.
const MOST_TILES: usize = 2_000;
/// Fewer drawings of a digit than this say little about a model.
const FEW: usize = 10;

impl DataPlace {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let hand = scene.workbench.handwriting();
        if hand.drawings.is_empty() {
            self.selected = None;
            data_head::empty(ui, scene);
            return;
        }
        if self.selected.as_ref().is_some_and(|id| hand.find(id).is_none()) {
            self.selected = None;
        }
        self.keys(ui, scene);
        let room = ui.max_rect();
        let wide = room.width() >= 1_000.0;
        if !wide {
            let options = [(Narrow::Drawings, "Drawings"), (Narrow::Scores, "Scores and training")];
            segmented::segmented(ui, "What is seen", &mut self.narrow, &options, room.width().min(360.0));
        }
        let top = if wide { room.top() } else { room.top() + 40.0 };
        let left_right = if wide { room.right() - SIDE - GAP } else { room.right() };
        if wide || self.narrow == Narrow::Drawings {
            let left = Rect::from_min_max(pos2(room.left(), top), pos2(left_right, room.bottom()));
            self.drawings(&mut ui.new_child(UiBuilder::new().max_rect(left)), scene);
        }
        if wide || self.narrow == Narrow::Scores {
            let width = if wide { SIDE } else { room.width().min(SIDE + 80.0) };
            let from = if wide { room.right() - SIDE } else { room.left() };
            let right = Rect::from_min_max(pos2(from, top), pos2(from + width, room.bottom()));
            let mut child = ui.new_child(UiBuilder::new().max_rect(right));
            ScrollArea::vertical().id_salt("side").auto_shrink([false, false]).show(&mut child, |ui| {
                // rings reach a little beyond what they belong to
                ui.set_clip_rect(ui.clip_rect().expand2(vec2(4.0, 0.0)));
                let before = self.marked.clone();
                self.side.ui(ui, &mut self.marked, scene, width - 14.0);
                // what has been marked wants to be seen
                if self.marked.is_some() && self.marked != before {
                    self.narrow = Narrow::Drawings;
                }
            });
        }
    }

    fn drawings(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let width = ui.available_width();
        data_head::head(ui, scene);
        let hand = scene.workbench.handwriting();
        let counts = hand.counts();
        let names: Vec<String> = counts.iter().enumerate().map(|(digit, count)| format!("{digit} · {count}")).collect();
        let all = format!("All {}", text::count(hand.drawings.len() as u64));
        let digits = (0u8..).zip(&names).map(|(digit, name)| (Some(digit), name.as_str()));
        let options: Vec<(Option<u8>, &str)> = std::iter::once((None, all.as_str())).chain(digits).collect();
        segmented::segmented(ui, "Digit", &mut self.digit, &options, width);
        self.line(ui, hand, &counts);
        let score = self.marked.as_ref().and_then(|choice| hand.scores.models.iter().find(|s| s.choice == *choice));
        self.list(ui.ctx(), hand, score);
        let card = if self.selected.is_some() { 152.0 } else { 0.0 };
        let size = vec2(width, (ui.available_height() - card).max(120.0));
        let selected = self.selected.as_ref().and_then(|id| hand.find(id)).map(|(place, _)| place);
        let chosen = match &self.sheet {
            Some(sheet) => {
                let at = selected.and_then(|place| self.listed.iter().position(|listed| *listed == place));
                let tile = |index: usize| tile(&hand.drawings[self.listed[index]], self.listed[index], score);
                let output = gallery::gallery(ui, sheet, tile, at, size);
                output.chosen.or(output.opened).map(|index| self.listed[index])
            }
            None => {
                let digit = self.digit.unwrap_or(0);
                ui.allocate_ui(size, |ui| {
                    ui.set_min_size(size);
                    ui.add_space(48.0);
                    let words = format!("No {digit} is kept yet; draw one and press {digit}");
                    ui.vertical_centered(|ui| ui.label(text::body(words).color(theme::of(ui).text2)));
                });
                None
            }
        };
        if let Some(place) = chosen {
            self.selected = Some(hand.drawings[place].kept.id.clone());
        }
        if let Some(place) = selected {
            ui.add_space(8.0);
            self.detail(ui, place, width, scene);
        }
    }

    /// What is marked, or which digits are few.
    fn line(&mut self, ui: &mut Ui, hand: &HandwritingView, counts: &[usize; 10]) {
        let p = theme::of(ui);
        let row = vec2(ui.available_width(), 28.0);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            let marked =
                self.marked.as_ref().and_then(|choice| hand.scores.models.iter().find(|s| s.choice == *choice));
            if let Some(score) = marked {
                let wrong = score.images - score.right;
                let words = format!("{} reads {wrong} of {} wrong; they come first", score.title, score.images);
                ui.label(text::label(words).color(p.text));
                if ui.add(Button::quiet("Mark none")).clicked() {
                    self.marked = None;
                }
                return;
            }
            let few: Vec<String> =
                (0..10).filter(|&digit| counts[digit] < FEW).map(|digit| digit.to_string()).collect();
            let words = match few.as_slice() {
                [] if self.listed.len() == MOST_TILES => {
                    format!("The first {} are shown", text::count(MOST_TILES as u64))
                }
                [] => "Press a model on the right to mark what it reads wrong".to_owned(),
                all if all.len() == 10 => format!("{FEW} drawings of each digit tell more about a model"),
                [one] => format!("There are few of {one}: {FEW} of each digit tell more about a model"),
                [rest @ .., last] => {
                    format!("There are few of {} and {last}: {FEW} of each digit tell more", rest.join(", "))
                }
            };
            ui.label(text::label(words).color(p.text2));
        });
    }

    /// Makes the gallery anew when drawings, digit or mistakes are others.
    fn list(&mut self, ctx: &egui::Context, hand: &HandwritingView, score: Option<&ModelScore>) {
        let mut listed: Vec<usize> = (0..hand.drawings.len()).collect();
        listed.retain(|&place| self.digit.is_none_or(|digit| hand.drawings[place].kept.label == digit));
        // newest first within a digit; what the marked model reads wrong before everything
        let is_right = |place: usize| score.is_some_and(|score| !is_wrong(&hand.drawings[place], place, score));
        listed.sort_by_key(|&place| (is_right(place), hand.drawings[place].kept.label, std::cmp::Reverse(place)));
        listed.truncate(MOST_TILES);
        let key = Some((hand.revision, self.digit));
        if self.key == key && self.listed == listed {
            return;
        }
        (self.key, self.listed) = (key, listed);
        let blank = [0; crate::drawing::PIXELS];
        let images = self.listed.iter().map(|&place| hand.drawings[place].image().unwrap_or(&blank).as_slice());
        self.sheet = Sheet::of_digits(ctx, "kept drawings", images, 28);
    }

    /// The selected drawing: what it is, and what can be done with it.
    fn detail(&mut self, ui: &mut Ui, place: usize, width: f32, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let hand = scene.workbench.handwriting();
        let view = &hand.drawings[place];
        let (id, label, drawing) = (view.kept.id.clone(), view.kept.label, Arc::clone(&view.kept.drawing));
        let words = readings(hand, place, label);
        let image = view.image().copied();
        style::card(p).inner_margin(egui::Margin::symmetric(16, 12)).show(ui, |ui| {
            ui.set_width(width - 34.0);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 16.0;
                let (rect, _) = ui.allocate_exact_size(vec2(112.0, 112.0), Sense::hover());
                match &image {
                    Some(image) => digit_view::paint_digit(ui, ui.scope_id().with("kept"), rect, image, 28, 6),
                    None => digit_view::paint_empty(ui, rect),
                }
                ui.vertical(|ui| {
                    let room = ui.available_width();
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = 8.0;
                        ui.label(text::section(format!("A {label}")));
                        ui.add(egui::Label::new(text::label(words).color(p.text2)).truncate());
                    });
                    let digits: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
                    let options: Vec<(u8, &str)> = (0..).zip(digits.iter().map(String::as_str)).collect();
                    let mut chosen = label;
                    if segmented::segmented(ui, "It is", &mut chosen, &options, room.min(360.0)) {
                        scene.push(Command::Handwriting(HandwritingCommand::Relabel { id: id.clone(), label: chosen }));
                    }
                    ui.add_space(4.0);
                    ui.horizontal(|ui| {
                        if ui.add(Button::plain("To the pad").icon(icons::PENCIL_LINE)).clicked() {
                            scene.push(Command::SetDrawing((*drawing).clone()));
                            scene.push(Command::Handwriting(HandwritingCommand::OnPad(id.clone())));
                            *scene.go_to = Some(Place::Draw);
                        }
                        if ui.add(Button::quiet("Delete").icon(icons::TRASH).key("Delete")).clicked() {
                            self.delete_selected(scene);
                        }
                    });
                });
            });
        });
    }

    /// A focused tile takes single keys before the window does.
    fn keys(&mut self, ui: &Ui, scene: &mut Scene<'_>) {
        if self.selected.is_none() || ui.ctx().text_edit_focused() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
        if pressed(egui::Key::Delete) {
            self.delete_selected(scene);
        }
        use egui::Key::{Num0, Num1, Num2, Num3, Num4, Num5, Num6, Num7, Num8, Num9};
        for (digit, key) in (0u8..).zip([Num0, Num1, Num2, Num3, Num4, Num5, Num6, Num7, Num8, Num9]) {
            if pressed(key) {
                self.relabel_selected(digit, scene);
            }
        }
    }

    /// Deletes the selected drawing; the next one is selected.
    pub fn delete_selected(&mut self, scene: &mut Scene<'_>) {
        let Some(id) = self.selected.take() else { return };
        let hand = scene.workbench.handwriting();
        let at = hand.find(&id).and_then(|(place, _)| self.listed.iter().position(|listed| *listed == place));
        let next = at.and_then(|at| self.listed.get(at + 1).or_else(|| self.listed.get(at.checked_sub(1)?)));
        self.selected = next.and_then(|&place| Some(hand.drawings.get(place)?.kept.id.clone()));
        scene.push(Command::Handwriting(HandwritingCommand::Delete(vec![id])));
    }

    /// The selected drawing is this digit.
    pub fn relabel_selected(&mut self, label: u8, scene: &mut Scene<'_>) {
        if let Some(id) = self.selected.clone() {
            scene.push(Command::Handwriting(HandwritingCommand::Relabel { id, label }));
        }
    }
}

fn is_wrong(view: &KeptView, place: usize, score: &ModelScore) -> bool {
    score.readings.get(place).copied().flatten().is_some_and(|reading| reading.digit != view.kept.label)
}

fn tile(view: &KeptView, place: usize, score: Option<&ModelScore>) -> Tile {
    let label = view.kept.label;
    let read = score.and_then(|score| score.readings.get(place).copied().flatten());
    let wrong = read.filter(|reading| reading.digit != label);
    Tile {
        caption: wrong.map_or_else(|| label.to_string(), |reading| format!("{label} → {}", reading.digit)),
        name: match (wrong, score) {
            (Some(reading), _) => format!("{}, a {label}, read as {}", view.kept.id, reading.digit),
            (None, Some(_)) if read.is_some() => format!("{}, a {label}, read right", view.kept.id),
            _ => format!("{}, a {label}", view.kept.id),
        },
        check: false,
        wrong: wrong.is_some(),
    }
}

/// "Read as 1 by MLP and 2 others, right by 11".
fn readings(hand: &HandwritingView, place: usize, label: u8) -> String {
    let read = |score: &ModelScore| Some((score.title.clone(), score.readings.get(place).copied().flatten()?.digit));
    let read: Vec<(String, u8)> = hand.scores.models.iter().filter_map(read).collect();
    let wrong: Vec<&(String, u8)> = read.iter().filter(|(_, digit)| *digit != label).collect();
    match (read.len(), wrong.as_slice()) {
        (0, _) => String::new(),
        (all, []) => format!("Read right by all {all} models"),
        (all, [(title, digit)]) => format!("Read as {digit} by {title}, right by {}", all - 1),
        (all, [(title, digit), others @ ..]) => {
            format!("Read as {digit} by {title}, wrong by {} more, right by {}", others.len(), all - wrong.len())
        }
    }
}
