//! Inside: the RBF room, where the states of a drawing meet the code of every digit, and what it costs to reject answers
//! that lead by too little.

use eframe::egui::{self, Align, Label, Layout, ScrollArea, Ui, vec2};

use super::inside_views::{self, View};
use super::judging::{Judging, learns};
use super::{DrawPlace, Scene};
use crate::inference::Rejection;
use crate::ui::text::{self, IconWeight};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::distances::{self, Distances};
use crate::ui::widgets::kept_pixels::kept_pixels;
use crate::ui::widgets::reject_curve::reject_curve;
use crate::ui::widgets::{progress, unit_picture};
use crate::ui::{icons, theme};
use crate::workbench::{Command, ModelChoice, SetChoice, Workbench};

/// What Inside remembers between frames.
#[derive(Default)]
pub struct InsidePlace {
    /// The class that the person compares the drawing with; the nearest one otherwise.
    compared: Option<usize>,
    /// The least lead of an answer, if the person has set one; otherwise the one that leaves 0.5 % error.
    threshold: Option<f32>,
    /// The unit under the pointer: it has a ring in every picture.
    unit: Option<usize>,
    judging: Judging,
    /// The model that was judged unasked.
    asked: Option<ModelChoice>,
}

/// The error that the paper's figure 10 asks for.
const TARGET: f64 = 0.005;
const GAP: f32 = 32.0;
const SCROLL_BAR: f32 = 12.0;

/// Sizes that follow from the room.
struct Measures {
    shape: Shape,
    /// Side of the pad.
    pad: f32,
    /// A cell of the large pictures, and of the small ones.
    cell: f32,
    small: f32,
    /// Widths of the columns.
    left: f32,
    right: f32,
    /// Height of a row of distances.
    pitch: f32,
}

/// How the parts stand.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// All pictures in a row, the distances beside them.
    Wide,
    /// Two pictures in a row, the distances beside them.
    Middle,
    /// Everything below each other.
    Narrow,
}

impl Measures {
    fn of(room: egui::Vec2) -> Self {
        let width = room.x - SCROLL_BAR;
        let shape = match width {
            w if w >= 1_120.0 => Shape::Wide,
            w if w >= 780.0 => Shape::Middle,
            _ => Shape::Narrow,
        };
        // pictures grow with the window
        let by = (room.x / 1_160.0).min(room.y / 692.0).clamp(1.0, 1.5);
        let grown = |points: f32| if shape == Shape::Wide { (points * by).floor() } else { points };
        let cell = grown(20.0);
        let pad = if shape == Shape::Wide { grown(168.0) } else { 192.0 };
        let left = match shape {
            Shape::Wide => pad + 21.0 * cell + 2.0 * inside_views::SIGN + inside_views::WIDE_SIGN,
            Shape::Middle | Shape::Narrow => pad + 7.0 * cell + inside_views::SIGN,
        };
        let right = match shape {
            Shape::Narrow => width,
            _ => (width + SCROLL_BAR - left - GAP - if shape == Shape::Middle { SCROLL_BAR } else { 0.0 })
                .min(grown(560.0)),
        };
        let room_for_rows = room.y - distances::height(0.0) - 68.0;
        let pitch = (room_for_rows / 10.0).floor().clamp(40.0, grown(52.0).max(40.0));
        Self { shape, pad, cell, small: grown(16.0), left, right, pitch }
    }
}

impl InsidePlace {
    pub fn ui(&mut self, ui: &mut Ui, draw: &mut DrawPlace, scene: &mut Scene<'_>) {
        let Some(codes) = scene.workbench.codes() else {
            without_codes(ui, scene);
            return;
        };
        self.judge(scene);
        let reading = scene.workbench.rbf().cloned();
        let mut view = View::new(&codes, reading.as_ref(), self.compared, self.unit);
        let m = Measures::of(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            // the winner's row and rings reach a little beyond what they belong to
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(16.0, 14.0)));
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            match m.shape {
                Shape::Wide => {
                    ui.horizontal_top(|ui| {
                        ui.vertical(|ui| {
                            ui.set_width(m.left);
                            title(ui, m.left);
                            ui.horizontal_top(|ui| {
                                view.read(ui, draw, m.pad, m.cell, scene);
                                inside_views::minus(ui, m.cell);
                                view.compare(ui, m.cell, inside_views::WIDE_SIGN);
                            });
                            ui.add_space(20.0);
                            self.below(ui, &mut view, &m, m.left, scene);
                        });
                        ui.add_space(GAP);
                        self.distances(ui, &view, &m, scene);
                    });
                }
                Shape::Middle => {
                    ui.horizontal_top(|ui| {
                        ui.vertical(|ui| {
                            ui.set_width(m.left);
                            title(ui, m.left);
                            ui.horizontal_top(|ui| view.read(ui, draw, m.pad, m.cell, scene));
                            ui.add_space(20.0);
                            ui.horizontal_top(|ui| view.compare(ui, m.cell, m.pad + inside_views::SIGN - 7.0 * m.cell));
                        });
                        ui.add_space(GAP);
                        self.distances(ui, &view, &m, scene);
                    });
                    ui.add_space(24.0);
                    self.below(ui, &mut view, &m, m.left + GAP + m.right, scene);
                }
                Shape::Narrow => {
                    title(ui, m.right);
                    ui.horizontal_top(|ui| view.read(ui, draw, m.pad, m.cell, scene));
                    ui.add_space(20.0);
                    self.distances(ui, &view, &m, scene);
                    ui.add_space(20.0);
                    ui.horizontal_top(|ui| view.compare(ui, m.cell, m.pad + inside_views::SIGN - 7.0 * m.cell));
                    ui.add_space(20.0);
                    self.below(ui, &mut view, &m, m.right, scene);
                }
            }
        });
        if view.hovered != self.unit {
            self.unit = view.hovered;
            ui.ctx().request_repaint();
        }
    }

    /// What decides between two digits, and what rejecting costs: beside each other where there is room.
    fn below(&mut self, ui: &mut Ui, view: &mut View<'_>, m: &Measures, width: f32, scene: &mut Scene<'_>) {
        let pictures = inside_views::against_width(m.small);
        let rest = width - pictures - GAP;
        if rest >= 240.0 {
            ui.horizontal_top(|ui| {
                view.against(ui, m.small);
                ui.add_space(GAP);
                self.costs(ui, rest.min(480.0), m, scene);
            });
        } else {
            view.against(ui, m.small);
            ui.add_space(20.0);
            self.costs(ui, width.min(480.0), m, scene);
        }
    }

    /// Judges the chosen model on the test digits, once, and again after every epoch while it learns.
    fn judge(&mut self, scene: &mut Scene<'_>) {
        self.judging.follow(SetChoice::Test, scene);
        let choice = scene.workbench.choice();
        let has_been = self.asked.as_ref() == Some(choice) || self.rejection(scene.workbench).is_some();
        if !has_been && !learns(scene.workbench) && scene.workbench.evaluation().progress.is_none() {
            self.asked = Some(choice.clone());
            scene.push(Command::Evaluate { set: SetChoice::Test });
        }
    }

    /// What rejecting costs the chosen model, where that is known.
    fn rejection<'a>(&self, workbench: &'a Workbench) -> Option<&'a Rejection> {
        let is_other = self.judging.is_stale(SetChoice::Test, workbench);
        workbench.evaluation().rejection.as_ref().filter(|_| !is_other)
    }

    /// The least lead of an answer: as set, or what leaves 0.5 % error.
    fn threshold(&self, workbench: &Workbench) -> Option<f32> {
        self.threshold.or_else(|| Some(self.rejection(workbench)?.for_half_percent()?.threshold))
    }

    fn distances(&mut self, ui: &mut Ui, view: &View<'_>, m: &Measures, scene: &Scene<'_>) {
        let p = theme::of(ui);
        ui.vertical(|ui| {
            ui.set_width(m.right);
            ui.allocate_ui_with_layout(vec2(m.right, 28.0), Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                ui.label(text::section("Squared distance to each code"));
                ui.label(text::label("nearest wins").color(p.text2));
            });
            let threshold = self.threshold(scene.workbench);
            let bars = Distances {
                codes: view.codes,
                distances: view.reading.map(|reading| &reading.distances),
                ranked: view.ranked,
                compared: self.compared,
                threshold,
            };
            let output = bars.show(ui, m.right, m.pitch);
            if let Some(class) = output.pressed {
                // pressed again, the drawing is compared with the nearest as before
                self.compared = (self.compared != Some(class)).then_some(class);
            }
            self.threshold = output.threshold.or(self.threshold);
            ui.add_space(8.0);
            let (words, colour) = match (view.reading, view.ranked) {
                (Some(reading), Some([best, second, ..])) => {
                    let lead = reading.distances[second] - reading.distances[best];
                    let by = text::number(lead.into(), 1);
                    match threshold {
                        Some(least) if lead < least => {
                            (format!("{best} leads {second} by only {by}, so it is rejected: no answer"), p.warn)
                        }
                        Some(_) => (format!("{best} leads {second} by {by}, which is enough for an answer"), p.text2),
                        None => (format!("{best} leads {second} by {by}"), p.text2),
                    }
                }
                _ => ("Draw a digit on the pad: the shortest bar will be the answer".to_owned(), p.text2),
            };
            ui.add(Label::new(text::label(words).color(colour)).wrap());
        });
    }

    fn costs(&mut self, ui: &mut Ui, width: f32, m: &Measures, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        ui.vertical(|ui| {
            ui.set_width(width);
            let evaluation = scene.workbench.evaluation();
            let note = match self.rejection(scene.workbench) {
                Some(_) => format!("% of the answers left that are wrong, {} test", evaluation.source()),
                None => "Error left on the test digits".to_owned(),
            };
            inside_views::head(ui, width, "What rejecting costs", &note);
            let height = unit_picture::size(84, m.small).y - 4.0;
            let Some(rejection) = self.rejection(scene.workbench) else {
                not_judged(ui, width, scene);
                return;
            };
            let now = rejection.at(self.threshold(scene.workbench).unwrap_or(0.0));
            let moved = reject_curve(ui, rejection, now, TARGET, vec2(width, height));
            ui.add_space(4.0);
            let words = format!(
                "{} answered, {} of those wrong",
                text::percent(1.0 - now.share, 1),
                text::percent(now.error, 2)
            );
            ui.label(text::label(words).color(p.text));
            let words = match rejection.for_half_percent() {
                Some(rejected) if rejected.share > 0.0 => {
                    format!("0.5 % error takes {} rejected", text::percent(rejected.share, 2))
                }
                Some(_) => "0.5 % error takes no rejection".to_owned(),
                None => "No rejection reaches 0.5 % error".to_owned(),
            };
            self.threshold = moved.or(self.threshold);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                ui.label(text::label(words).color(p.text2));
                if self.threshold.is_some() && ui.add(Button::quiet("Reset")).clicked() {
                    self.threshold = None;
                }
            });
        });
    }
}

fn title(ui: &mut Ui, width: f32) {
    let p = theme::of(ui);
    ui.allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.label(text::title("RBF room"));
        let words = "The states of F6 are compared with a code for each digit; the nearest code answers";
        ui.add(Label::new(text::label(words).color(p.text2)).truncate());
    });
    ui.add_space(12.0);
}

/// In the place of the curve: how far the evaluation is, or how to begin one.
fn not_judged(ui: &mut Ui, width: f32, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    ui.add_space(24.0);
    ui.spacing_mut().item_spacing = vec2(12.0, 8.0);
    if let Some((done, images)) = scene.workbench.evaluation().progress {
        progress::progress(ui, "Evaluation", done as f32 / images.max(1) as f32, width.min(240.0));
        ui.horizontal(|ui| {
            ui.label(text::label("Judging the test digits").color(p.text2));
            if ui.add(Button::quiet("Cancel")).clicked() {
                scene.push(Command::CancelEvaluation);
            }
        });
    } else if learns(scene.workbench) {
        ui.label(text::label("The network is judged after every epoch").color(p.text2));
    } else {
        ui.label(text::label("The test digits tell what a threshold costs").color(p.text2));
        if ui.add(Button::plain("Judge the test digits").icon(icons::ARROW_CLOCKWISE)).clicked() {
            scene.push(Command::Evaluate { set: SetChoice::Test });
        }
    }
}

/// The chosen model answers in another way: what to do about it.
fn without_codes(ui: &mut Ui, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let other = scene.workbench.model_with_codes().cloned();
    ui.add_space(ui.available_height() * 0.26);
    ui.vertical_centered(|ui| {
        ui.label(text::icon(icons::STACK, 32.0, IconWeight::Regular).color(p.text2));
        ui.label(text::title("RBF room"));
        let words =
            "This model answers with scores; the room is for networks that answer with the nearest of ten codes.";
        ui.label(text::body(words).color(p.text2));
        if let Some(other) = other {
            ui.add_space(8.0);
            if ui.add(Button::primary(&format!("Choose {}", other.title))).clicked() {
                scene.push(Command::ChooseModel(other.choice));
            }
        }
        if let Some(kept) = scene.workbench.layers().into_iter().find_map(|layer| layer.kept) {
            ui.add_space(32.0);
            let width = 420.0_f32.min(ui.available_width());
            ui.allocate_ui(vec2(width, 140.0), |ui| kept_pixels(ui, &kept, 140.0, width));
        }
    });
}
