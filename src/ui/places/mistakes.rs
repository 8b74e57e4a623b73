//! Mistakes: from a cell of the confusion matrix to the images, and from an image to its scores and the pad.

use std::sync::Arc;

use eframe::egui::{self, Align, Layout, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::judging::Judging;
use super::{Scene, mistakes_detail, train_form};
use crate::inference::Evaluation;
use crate::ui::widgets::button::Button;
use crate::ui::widgets::digit_view::Sheet;
use crate::ui::widgets::gallery::{self, Tile};
use crate::ui::widgets::matrix::{self, Cell, Shown};
use crate::ui::widgets::{field, progress, segmented};
use crate::ui::{icons, text, theme};
use crate::workbench::{Command, EvaluationView, SetChoice};

/// What Mistakes remembers between frames.
#[derive(Default)]
pub struct MistakesPlace {
    set: SetChoice,
    shown: Shown,
    cell: Option<Cell>,
    order: Order,
    /// Images of the gallery: places in the evaluation.
    listed: Vec<u32>,
    sheet: Option<Sheet>,
    /// What the gallery was made for.
    key: Option<(usize, Option<Cell>, Order)>,
    asked: bool,
    judging: Judging,
}

/// The order of the gallery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    HighestLoss,
    HighestConfidence,
    LowestConfidence,
}

impl Order {
    const ALL: [(Self, &'static str); 3] = [
        (Self::HighestLoss, "Highest loss first"),
        (Self::HighestConfidence, "Most confident first"),
        (Self::LowestConfidence, "Least confident first"),
    ];
}

const DRAWER: f32 = 328.0;
const SCROLL_BAR: f32 = 12.0;
/// Images of the gallery at most; more than anybody walks through.
const MOST_TILES: usize = 2_000;

impl MistakesPlace {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = scene.workbench.evaluation();
        let nothing_yet = view.result.is_none() && view.progress.is_none();
        if nothing_yet && !self.asked {
            // the first look needs no button: it takes a second or two
            self.asked = true;
            scene.push(Command::Evaluate { set: self.set });
        }
        self.judging.follow(self.set, scene);
        let room = ui.max_rect();
        let wide = room.width() >= 1_060.0;
        let cell = if wide { 38.0 } else { 30.0 };
        let matrix_width = matrix::matrix_size(cell).x;
        let has_drawer = wide || view.selected.is_some();
        let left = Rect::from_min_size(room.min, vec2(matrix_width + SCROLL_BAR, room.height()));
        let gallery_left = left.right() + 10.0;
        let drawer_left = if has_drawer { room.right() + 24.0 - DRAWER } else { room.right() + 24.0 };
        let gallery_right = if wide { drawer_left - 8.0 } else { room.right() };

        let mut child = ui.new_child(UiBuilder::new().max_rect(left));
        ScrollArea::vertical().id_salt("matrix").auto_shrink([false, false]).show(&mut child, |ui| {
            self.matrix(ui, scene, cell, matrix_width);
        });
        if gallery_right - gallery_left > 80.0 {
            let rect = Rect::from_min_max(pos2(gallery_left, room.top()), pos2(gallery_right, room.bottom()));
            self.gallery(&mut ui.new_child(UiBuilder::new().max_rect(rect)), scene);
        }
        if has_drawer {
            let drawer = Rect::from_min_max(
                pos2(drawer_left, room.top() - 24.0),
                pos2(room.right() + 24.0, room.bottom() + 12.0),
            );
            let p = theme::of(ui);
            ui.painter().rect_filled(drawer, 0.0, p.panel);
            ui.painter().vline(drawer.left() + 0.5, drawer.y_range(), egui::Stroke::new(1.0, p.hair));
            let mut child = ui.new_child(UiBuilder::new().max_rect(drawer.shrink(24.0)));
            child.set_clip_rect(drawer);
            ScrollArea::vertical().id_salt("detail").auto_shrink([false, false]).show(&mut child, |ui| {
                mistakes_detail::detail(ui, scene, DRAWER - 48.0);
            });
        }
    }

    fn matrix(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, cell: f32, width: f32) {
        let p = theme::of(ui);
        let view = scene.workbench.evaluation();
        let result = view.result.clone();
        let stale = self.judging.is_stale(self.set, scene.workbench);
        head(ui, view, stale, width);
        ui.horizontal(|ui| {
            let mut set = self.set;
            let sets = [(SetChoice::Test, "Test"), (SetChoice::Validation, "Validation")];
            if segmented::segmented(ui, "Digits judged on", &mut set, &sets, 168.0) {
                self.set = set;
                scene.push(Command::Evaluate { set });
            }
            let shown =
                [(Shown::Count, "Count"), (Shown::ShareOfRow, "% of row"), (Shown::ShareOfColumn, "% of column")];
            segmented::segmented(ui, "Cells show", &mut self.shown, &shown, (width - 176.0).clamp(200.0, 280.0));
        });
        self.progress(ui, scene, width);
        let view = scene.workbench.evaluation();
        let busy = view.progress.is_some() && !self.judging.is_followed(scene.workbench);
        let counts = result.as_ref().map(|result| &result.confusion.counts);
        let output = matrix::matrix(ui, counts, self.shown, self.cell, cell, if stale || busy { 0.6 } else { 1.0 });
        if let Some(chosen) = output.chosen {
            // a second click on the cell shows all mistakes again
            let again = self.cell == Some(chosen) && output.response.clicked_by(egui::PointerButton::Primary);
            self.cell = if again { None } else { Some(chosen) };
        }
        if let Some(counts) = counts {
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                ui.add_space(36.0);
                matrix::matrix_legend(ui, counts, width - 84.0);
            });
            let worst = matrix::worst_mistakes(counts, 3);
            let words: Vec<String> =
                worst.iter().map(|((truth, read), count)| format!("{truth} → {read}, {count} times")).collect();
            if !words.is_empty() {
                ui.horizontal(|ui| {
                    ui.add_space(36.0);
                    ui.label(text::label(format!("Most frequent {}", words.join("; "))).color(p.text2));
                });
            }
        }
        if !scene.workbench.mnist_is_here() {
            ui.add_space(8.0);
            train_form::mnist_card(ui, scene, width, "These are drawn digits. MNIST has 10,000 real ones to judge on.");
        }
    }

    /// Progress, or the button that evaluates again.
    fn progress(&self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
        let p = theme::of(ui);
        let view = scene.workbench.evaluation();
        ui.allocate_ui_with_layout(vec2(width, 32.0), Layout::left_to_right(Align::Center), |ui| {
            let followed = self.judging.is_followed(scene.workbench);
            if followed {
                let words = format!("{} · judged again after every epoch", view.title);
                ui.label(text::label(words).color(p.text2));
            } else if let Some((done, images)) = view.progress {
                let words = match images {
                    0 => "Reading the digits".to_owned(),
                    images => format!("{} of {}", text::count(done as u64), text::count(images as u64)),
                };
                progress::progress(ui, "Evaluation", done as f32 / images.max(1) as f32, 160.0);
                ui.label(text::label(words).color(p.text2));
                if ui.add(Button::quiet("Cancel")).clicked() {
                    scene.push(Command::CancelEvaluation);
                }
            } else if view.result.is_none() || self.judging.is_stale(self.set, scene.workbench) {
                let title = scene.workbench.chosen().map_or_else(String::new, |entry| entry.title);
                let words = if view.result.is_none() { "Evaluate".to_owned() } else { format!("Evaluate {title}") };
                if ui.add(Button::plain(&words).icon(icons::ARROW_CLOCKWISE)).clicked() {
                    scene.push(Command::Evaluate { set: self.set });
                }
                if view.result.is_some() {
                    let words = if view.set != self.set {
                        let set = if view.set == SetChoice::Test { "test" } else { "validation" };
                        format!("These are {set} digits")
                    } else if title == view.title {
                        "These are from an earlier moment".to_owned()
                    } else {
                        format!("These are of {}", view.title)
                    };
                    ui.add(egui::Label::new(text::label(words).color(p.warn)).truncate());
                }
            } else if let Some(result) = &view.result {
                let seconds = text::number(result.seconds, 2);
                ui.label(text::label(format!("{} · {} · {seconds} s", view.title, view.source())).color(p.text2));
            }
        });
    }

    fn gallery(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let view = scene.workbench.evaluation();
        let Some(result) = view.result.clone() else {
            ui.add_space(ui.available_height() * 0.4);
            ui.vertical_centered(|ui| ui.label(text::body("The images come with the matrix").color(p.text2)));
            return;
        };
        self.list(ui.ctx(), view, &result);
        let all = match self.cell {
            Some((truth, _)) => result.confusion.counts[truth].iter().sum::<u32>(),
            None => result.confusion.images(),
        };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let title = match self.cell {
                Some((truth, read)) if truth == read => format!("{truth} read right"),
                Some((truth, read)) => format!("{truth} read as {read}"),
                None => "All mistakes".to_owned(),
            };
            ui.label(text::title(title));
            let listed = match self.cell {
                Some((truth, read)) => result.confusion.counts[truth][read],
                None => result.confusion.images() - result.confusion.correct(),
            };
            let words = format!("{} of {}", text::count(listed.into()), text::count(all.into()));
            ui.label(text::body(words).color(p.text2));
        });
        ui.horizontal(|ui| {
            field::choice(ui, "Order of the images", &mut self.order, &Order::ALL, 176.0);
            if self.cell.is_some() && ui.add(Button::quiet("Show all mistakes")).clicked() {
                self.cell = None;
            }
        });
        ui.add_space(4.0);
        let Some(sheet) = &self.sheet else {
            ui.add_space(60.0);
            ui.vertical_centered(|ui| ui.label(text::body("No image was read so").color(p.text2)));
            return;
        };
        let tile = |index: usize| {
            let place = self.listed[index];
            let answer = &result.answers[place as usize];
            Tile {
                caption: match self.cell {
                    Some(_) => text::percent(answer.confidence.into(), 0),
                    None => {
                        format!("{} → {}  {}", answer.truth, answer.digit, text::percent(answer.confidence.into(), 0))
                    }
                },
                name: format!(
                    "{}, {} read as {}, {}",
                    image_title(view, place),
                    answer.truth,
                    answer.digit,
                    text::percent(answer.confidence.into(), 1)
                ),
                ..Tile::default()
            }
        };
        let selected = view.selected.as_ref().and_then(|(place, _)| self.listed.iter().position(|p| p == place));
        let size = ui.available_size();
        let output = gallery::gallery(ui, sheet, tile, selected, size);
        if let Some(index) = output.chosen.or(output.opened) {
            let place = self.listed[index];
            if view.selected.as_ref().is_none_or(|(shown, _)| *shown != place) {
                scene.push(Command::SelectImage(Some(place)));
            }
        }
    }

    /// Makes the gallery anew when the evaluation, the cell or the order is another.
    fn list(&mut self, ctx: &egui::Context, view: &EvaluationView, result: &Arc<Evaluation>) {
        let key = (Arc::as_ptr(result) as usize, self.cell, self.order);
        if self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        let belongs = |answer: &crate::inference::Answer| match self.cell {
            Some((truth, read)) => (usize::from(answer.truth), usize::from(answer.digit)) == (truth, read),
            None => answer.truth != answer.digit,
        };
        let answers = &result.answers;
        self.listed = (0..answers.len() as u32).filter(|&place| belongs(&answers[place as usize])).collect();
        let of = |place: &u32| &answers[*place as usize];
        match self.order {
            Order::HighestLoss => self.listed.sort_by(|a, b| of(b).loss.total_cmp(&of(a).loss)),
            Order::HighestConfidence => self.listed.sort_by(|a, b| of(b).confidence.total_cmp(&of(a).confidence)),
            Order::LowestConfidence => self.listed.sort_by(|a, b| of(a).confidence.total_cmp(&of(b).confidence)),
        }
        self.listed.truncate(MOST_TILES);
        let images = self.listed.iter().filter_map(|&place| view.image(place).map(<[u8; _]>::as_slice));
        self.sheet = Sheet::of_digits(ctx, "mistakes", images, 28);
    }
}

/// "Test 4,860", "Training 12".
pub(super) fn image_title(view: &EvaluationView, place: u32) -> String {
    let set = if view.set == SetChoice::Test { "Test" } else { "Training" };
    format!("{set} {}", text::count(view.number(place).unwrap_or(place).into()))
}

fn head(ui: &mut Ui, view: &EvaluationView, stale: bool, width: f32) {
    let p = theme::of(ui);
    ui.allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let Some(result) = &view.result else {
            ui.label(text::title("Mistakes"));
            return;
        };
        let confusion = &result.confusion;
        let mistakes = confusion.images() - confusion.correct();
        let title =
            if mistakes == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", text::count(mistakes.into())) };
        ui.label(if stale { text::title(title).color(p.text3) } else { text::title(title) });
        let [low, high] = result.interval();
        let digits = match (view.is_drawn(), view.set) {
            (true, _) => "drawn digits",
            (false, SetChoice::Test) => "test digits",
            (false, SetChoice::Validation) => "validation digits",
        };
        let words = format!(
            "in {} {digits}, {} ± {} right",
            text::count(confusion.images().into()),
            text::number(100.0 * confusion.accuracy(), 2),
            text::percent((high - low) / 2.0, 2)
        );
        ui.add(egui::Label::new(text::label(words).color(p.text2)).truncate());
    });
}
