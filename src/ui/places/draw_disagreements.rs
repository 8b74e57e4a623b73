//! Two models on the test digits: how often they disagree, who is right, and the images; a click puts one on the pad.

use std::sync::Arc;

use eframe::egui::{self, Align, Label, Layout, Ui, vec2};

use super::{Place, Scene, train_form};
use crate::drawing::{DigitImage, Drawing, Picture};
use crate::inference::{Disagreement, Right};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::digit_view::Sheet;
use crate::ui::widgets::gallery::{self, Tile};
use crate::ui::widgets::{field, progress, segmented};
use crate::ui::{icons, text, theme};
use crate::workbench::{Command, Disagreements, ModelChoice, ModelEntry, Workbench};

/// More tiles than this nobody looks through.
const MOST_TILES: usize = 600;

/// What the panel remembers between frames.
#[derive(Default)]
pub(super) struct Quarrel {
    /// Models that the person chose; `None` follows the pad.
    chosen: [Option<ModelChoice>; 2],
    /// `None` shows all of them.
    right: Option<Right>,
    /// What the tiles were made of.
    key: Option<(usize, Option<Right>)>,
    listed: Vec<Disagreement>,
    sheet: Option<Sheet>,
    /// The image that was put on the pad last.
    on_pad: Option<u32>,
}

impl Quarrel {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32, height: f32) {
        let top = ui.cursor().top();
        // choices and words do not grow with the window, the gallery does
        let (whole, width) = (width, width.min(480.0));
        let entries = scene.workbench.models();
        let Some(pair) = self.pair(scene.workbench, &entries) else {
            ui.label(text::body("It takes two models to disagree").color(theme::of(ui).text2));
            return;
        };
        self.choices(ui, &entries, &pair, width);
        let stale = scene.workbench.disagreements_are_stale([&pair[0], &pair[1]]);
        let result = scene.workbench.disagreements().cloned();
        status(ui, scene, &pair, result.as_deref(), stale, width);
        let Some(result) = result else {
            empty(ui, scene, width);
            return;
        };
        // what is stale steps back
        ui.scope(|ui| {
            ui.set_opacity(if stale { 0.6 } else { 1.0 });
            self.counts(ui, &result, width);
            self.list(ui.ctx(), &result);
            let room = (height - (ui.cursor().top() - top)).max(240.0);
            self.gallery(ui, scene, &result, vec2(whole, room));
        });
    }

    /// The two models: what was chosen while it is there, else the pad's and the first other one.
    fn pair(&self, workbench: &Workbench, entries: &[ModelEntry]) -> Option<[ModelChoice; 2]> {
        let there = |choice: &ModelChoice| entries.iter().any(|entry| entry.choice == *choice);
        let [first, second] = self.chosen.clone().map(|chosen| chosen.filter(there));
        let first = first.unwrap_or_else(|| workbench.choice().clone());
        let others = || entries.iter().map(|entry| entry.choice.clone());
        let second = second.or_else(|| others().find(|choice| *choice != first))?;
        Some([first, second])
    }

    fn choices(&mut self, ui: &mut Ui, entries: &[ModelEntry], pair: &[ModelChoice; 2], width: f32) {
        let options: Vec<(ModelChoice, &str)> =
            entries.iter().map(|entry| (entry.choice.clone(), entry.title.as_str())).collect();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (side, name) in ["First model", "Second model"].into_iter().enumerate() {
                let mut choice = pair[side].clone();
                if field::choice(ui, name, &mut choice, &options, (width - 8.0) / 2.0) {
                    self.chosen[side] = Some(choice);
                }
            }
        });
    }

    /// How many there are of each kind; choosing one shows only these.
    fn counts(&mut self, ui: &mut Ui, result: &Disagreements, width: f32) {
        let p = theme::of(ui);
        let [first, second] = result.titles();
        let words = format!(
            "Of {} test digits of {}, {first} and {second} read {} differently",
            text::count(result.images() as u64),
            result.digits(),
            text::count(result.found.len() as u64),
        );
        ui.add(Label::new(text::label(words).color(p.text2)).wrap());
        let count = |right| text::count(result.count(right) as u64);
        let names = [
            format!("All {}", text::count(result.found.len() as u64)),
            format!("First right {}", count(Right::First)),
            format!("Second right {}", count(Right::Second)),
            format!("Both wrong {}", count(Right::Neither)),
        ];
        let kinds = [None, Some(Right::First), Some(Right::Second), Some(Right::Neither)];
        let options: Vec<(Option<Right>, &str)> = kinds.into_iter().zip(names.iter().map(String::as_str)).collect();
        segmented::segmented(ui, "Disagreements shown", &mut self.right, &options, width);
    }

    /// Makes the tiles anew when the result or the kind is another.
    fn list(&mut self, ctx: &egui::Context, result: &Arc<Disagreements>) {
        let key = (Arc::as_ptr(result) as usize, self.right);
        if self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        let shown = result.found.iter().filter(|one| self.right.is_none_or(|right| one.right() == right));
        self.listed = shown.take(MOST_TILES).copied().collect();
        let images = self.listed.iter().map(|one| result.image(one.place).as_slice());
        self.sheet = Sheet::of_digits(ctx, "disagreements", images, 28);
    }

    fn gallery(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, result: &Disagreements, size: egui::Vec2) {
        let p = theme::of(ui);
        let Some(sheet) = &self.sheet else {
            ui.add_space(40.0);
            ui.vertical_centered(|ui| ui.label(text::body("There is no such image").color(p.text2)));
            return;
        };
        let [first, second] = result.titles();
        let tile = |index: usize| {
            let one = &self.listed[index];
            let percent = |side: usize| text::percent(one.confidences[side].into(), 1);
            Tile {
                caption: format!("{} → {} | {}", one.truth, one.digits[0], one.digits[1]),
                name: format!(
                    "Test {}, a {}. {first} reads {}, {}; {second} reads {}, {}",
                    text::count(one.place.into()),
                    one.truth,
                    one.digits[0],
                    percent(0),
                    one.digits[1],
                    percent(1),
                ),
                ..Tile::default()
            }
        };
        let selected = self.on_pad.and_then(|place| self.listed.iter().position(|one| one.place == place));
        let output = gallery::gallery(ui, sheet, tile, selected, size);
        if let Some(one) = output.chosen.or(output.opened).and_then(|index| self.listed.get(index)) {
            self.on_pad = Some(one.place);
            let picture = Picture::from_digit(&DigitImage { pixels: *result.image(one.place) });
            let drawing = Drawing { picture: Some(Arc::new(picture)), strokes: Vec::new() };
            // what is on the pad now goes to undo on the way to the place that it already is
            *scene.go_to = Some(Place::Draw);
            scene.push(Command::SetDrawing(drawing));
            scene.push(Command::LabelDrawing(Some(one.truth)));
        }
    }
}

/// Progress, or the button that compares; what is shown instead of what is chosen.
fn status(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    pair: &[ModelChoice; 2],
    result: Option<&Disagreements>,
    stale: bool,
    width: f32,
) {
    let p = theme::of(ui);
    ui.allocate_ui_with_layout(vec2(width, 32.0), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if let Some((done, of)) = scene.workbench.disagreement_progress() {
            progress::progress(ui, "Comparison of two models", done as f32 / of.max(1) as f32, 120.0);
            let words = match of {
                0 => "Reading the digits".to_owned(),
                of => format!("{} of {} answers", text::count(done as u64), text::count(of as u64)),
            };
            ui.label(text::label(words).color(p.text2));
            if ui.add(Button::quiet("Cancel")).clicked() {
                scene.push(Command::CancelDisagreements);
            }
        } else if result.is_none() || stale {
            let words = if result.is_some() { "Compare again" } else { "Compare" };
            let button = Button::plain(words).icon(icons::ARROW_CLOCKWISE);
            if ui.add_enabled(pair[0] != pair[1], button).clicked() {
                scene.push(Command::FindDisagreements(pair.clone()));
            }
            let words = match (pair[0] == pair[1], result) {
                (true, _) => "Choose two different models".to_owned(),
                (false, Some(result)) => {
                    let [first, second] = result.titles();
                    format!("These are of {first} and {second}, as they were")
                }
                (false, None) => String::new(),
            };
            ui.add(Label::new(text::label(words).color(p.warn)).truncate());
        } else if let Some(result) = result {
            let words = format!("Surest first · found in {} s", text::number(result.seconds, 1));
            ui.label(text::label(words).color(p.text2));
        }
    });
}

fn empty(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let digits = if scene.workbench.mnist_is_here() { "10,000 test digits of MNIST" } else { "drawn test digits" };
    let words =
        format!("Both answer the {digits}; the images that they read differently come here, to put on the pad.");
    ui.add(Label::new(text::body(words).color(p.text2)).wrap());
    if !scene.workbench.mnist_is_here() {
        ui.add_space(8.0);
        train_form::mnist_card(ui, scene, width, "These are drawn digits. MNIST has 10,000 real ones to disagree on.");
    }
}
