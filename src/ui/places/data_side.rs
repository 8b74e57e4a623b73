//! Data's right column: a score per model on the kept drawings, training on them, and how the hand differs from MNIST's.

use eframe::egui::{self, Align, Align2, CornerRadius, Layout, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Place, Scene};
use crate::drawing::doctor::{Shape, typical};
use crate::ui::text::{self, Weight};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::{field, progress};
use crate::ui::{icons, style, theme};
use crate::workbench::{Command, HandwritingCommand, HandwritingView, ModelChoice, ModelScore};

/// What the column remembers between frames.
#[derive(Default)]
pub(super) struct Side {
    asked: bool,
    /// Name of the weights that a training starts from.
    from: Option<String>,
    /// Mean measures of the hand and of MNIST's, and the drawings that they are of.
    measures: Option<(u64, Measures)>,
}

const ROW: f32 = 26.0;

impl Side {
    pub fn ui(&mut self, ui: &mut Ui, marked: &mut Option<ModelChoice>, scene: &mut Scene<'_>, width: f32) {
        if !self.asked && scene.workbench.handwriting().scores.models.is_empty() {
            // the first look needs no button: a few drawings take a second
            self.asked = true;
            scene.push(Command::Handwriting(HandwritingCommand::Score));
        }
        scores(ui, marked, scene, width);
        ui.add_space(20.0);
        self.fine_tuning(ui, scene, width);
        ui.add_space(20.0);
        self.measures(ui, scene.workbench.handwriting(), width);
        ui.add_space(20.0);
        ui.label(text::section("Collecting"));
        let clears = &mut scene.settings.keeping_clears_pad;
        field::switch_row(ui, "Clear the pad when a drawing is kept", clears, width);
        ui.add_space(8.0);
    }

    fn fine_tuning(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
        let p = theme::of(ui);
        ui.label(text::section("Fine-tune on my handwriting"));
        let words = format!(
            "Goes on from trained weights with half of the drawings of each digit, beside {}. The other half only judges, \
             before and after.",
            if scene.workbench.mnist_is_here() { "digits of MNIST" } else { "drawn digits, for MNIST is not here" }
        );
        note(ui, &words, width);
        let starts = scene.workbench.starts();
        // what is made of other models learns nothing itself
        let starts: Vec<_> = starts.into_iter().filter(|start| start.model != "ensemble").collect();
        let known = self.from.as_ref().is_some_and(|name| starts.iter().any(|start| start.name == *name));
        if !known {
            let chosen = scene.workbench.chosen().map(|entry| entry.title);
            let same = starts.iter().find(|start| Some(&start.title) == chosen.as_ref());
            self.from = same.or(starts.first()).map(|start| start.name.clone());
        }
        let needs = scene.workbench.fine_tuning_needs();
        let under_way = scene.workbench.training_is_under_way();
        ui.horizontal(|ui| {
            let options: Vec<(Option<String>, &str)> =
                starts.iter().map(|start| (Some(start.name.clone()), start.title.as_str())).collect();
            field::picker(ui, "Model to fine-tune", &mut self.from, &options, width - 132.0);
            let ready = needs.is_none() && !under_way;
            let button = Button::plain("Fine-tune").icon(icons::GRADUATION_CAP).width(124.0);
            if ui.add_enabled(ready, button).clicked()
                && let Some(name) = self.from.clone()
            {
                scene.push(Command::Handwriting(HandwritingCommand::FineTune(name)));
            }
        });
        if let Some(needs) = needs {
            note(ui, &needs, width);
        } else if let Some(view) = scene.workbench.training().filter(|_| under_way) {
            let words = format!("A training is under way, epoch {} of {}", view.epoch.max(1), view.config.epochs);
            let share = view.step as f32 / view.updates.max(1) as f32;
            ui.horizontal(|ui| {
                ui.set_height(32.0);
                progress::progress(ui, "Training", share, 96.0);
                ui.label(text::label(words).color(p.text2));
                if ui.add(Button::quiet("See it")).clicked() {
                    *scene.go_to = Some(Place::Train);
                }
            });
        }
        if let Some((title, fine_tuning)) = &scene.workbench.handwriting().fine_tuned {
            ui.add_space(4.0);
            super::data_tuning::before_after(ui, title, fine_tuning, width);
        }
    }

    fn measures(&mut self, ui: &mut Ui, hand: &HandwritingView, width: f32) {
        if self.measures.as_ref().is_none_or(|(revision, _)| *revision != hand.revision) {
            self.measures = Some((hand.revision, Measures::of(hand)));
        }
        let Some((_, measures)) = &self.measures else { return };
        let p = theme::of(ui);
        ui.label(text::section("Beside MNIST's digits"));
        if measures.count == 0 {
            ui.label(text::label("The drawings are being measured").color(p.text2));
            return;
        }
        let columns = [0.62, 0.84, 1.0];
        tight(ui, |ui| {
            row(ui, width, &columns, ["Means", "Mine", "MNIST", "Spread"], p.text3, false);
            for (name, [own, usual, deviation], decimals, unit) in measures.rows {
                let [own_words, usual_words, spread] =
                    [own, usual, deviation].map(|value| format!("{}{unit}", text::number(value, decimals)));
                // further off than most of MNIST's writers are
                let colour = if (own - usual).abs() > deviation { p.warn } else { p.text };
                row(ui, width, &columns, [name, &own_words, &usual_words, &format!("± {spread}")], colour, true);
            }
        });
        let words =
            "MNIST's are those of the same digits. Lines are brought to MNIST's width before a network reads them.";
        note(ui, words, width);
    }
}

/// Rows of a table stand closer than other things.
fn tight<R>(ui: &mut Ui, rows: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        rows(ui)
    })
    .inner
}

/// A sentence under what it is about.
pub(super) fn note(ui: &mut Ui, words: &str, width: f32) {
    let colour = theme::of(ui).text2;
    ui.allocate_ui(vec2(width, 0.0), |ui| ui.add(egui::Label::new(text::label(words).color(colour)).wrap()));
}

/// Name; the hand's mean, MNIST's mean and deviation for the same digits; decimals; unit.
type MeasureRow = (&'static str, [f64; 3], usize, &'static str);

struct Measures {
    count: usize,
    rows: [MeasureRow; 3],
}

impl Measures {
    fn of(hand: &HandwritingView) -> Self {
        let mut sums = [[0.0f64; 3]; 3];
        let mut count = 0;
        for view in &hand.drawings {
            let Some(measured) = &view.measured else { continue };
            let Some(shape) = Shape::of(&measured.image) else { continue };
            let usual = typical(Some(view.kept.label));
            count += 1;
            for (sum, (own, usual)) in sums.iter_mut().zip([
                (measured.line_width, usual.line_width),
                (shape.slant, usual.slant),
                (shape.aspect, usual.aspect),
            ]) {
                let values = [own, usual.mean, usual.deviation].map(f64::from);
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        let means = sums.map(|sum| sum.map(|sum| sum / f64::from(count.max(1) as u32)));
        let [line_width, slant, aspect] = means;
        let rows = [
            ("Line width", line_width, 1, " px"),
            ("Slant to the right", slant, 0, "°"),
            ("Width over height", aspect, 2, ""),
        ];
        Self { count, rows }
    }
}

fn scores(ui: &mut Ui, marked: &mut Option<ModelChoice>, scene: &mut Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let workbench = scene.workbench;
    let view = &workbench.handwriting().scores;
    let stale = workbench.scores_are_stale();
    ui.allocate_ui_with_layout(vec2(width, 32.0), Layout::left_to_right(Align::Center), |ui| {
        ui.label(text::section("Score per model"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some((done, of)) = view.progress {
                if ui.add(Button::quiet("Cancel")).clicked() {
                    scene.commands.push(Command::Handwriting(HandwritingCommand::CancelScoring));
                }
                progress::progress(ui, "Scoring", done as f32 / of.max(1) as f32, 96.0);
            } else if stale || view.models.is_empty() {
                let words = if view.models.is_empty() { "Score" } else { "Score again" };
                if ui.add(Button::quiet(words).icon(icons::ARROW_CLOCKWISE)).clicked() {
                    scene.commands.push(Command::Handwriting(HandwritingCommand::Score));
                }
            }
        });
    });
    if stale && view.progress.is_none() {
        let words = match view.unasked {
            0 => "Some models are others now".to_owned(),
            1 => "1 drawing was added since".to_owned(),
            more => format!("{more} drawings were added since"),
        };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.label(text::icon(icons::CLOCK, 14.0, text::IconWeight::Regular).color(p.warn));
            ui.label(text::label(words).color(p.warn));
        });
    }
    if view.models.is_empty() {
        ui.label(text::label("Every model is asked about every drawing").color(p.text2));
        return;
    }
    let columns = [0.66, 0.87, 1.0];
    tight(ui, |ui| {
        row(ui, width, &columns, ["Press one to mark its mistakes", "Right", "95 % interval", "Sure"], p.text3, false);
        for score in &view.models {
            let chosen = marked.as_ref() == Some(&score.choice);
            if score_row(ui, score, chosen, stale, width, &columns).clicked() {
                *marked = if chosen { None } else { Some(score.choice.clone()) };
            }
        }
    });
    if view.models.iter().any(|score| score.learnt_from_own) {
        let words =
            "* learnt from half of these drawings, so that only the other half tells; see before and after below";
        note(ui, words, width);
    }
}

fn score_row(
    ui: &mut Ui,
    score: &ModelScore,
    chosen: bool,
    stale: bool,
    width: f32,
    columns: &[f32; 3],
) -> egui::Response {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
    let [low, high] = score.interval();
    let right = format!("{} of {}", score.right, score.images);
    let interval = format!("{} to {}", text::number(100.0 * low, 0), text::percent(high, 0));
    let sure = text::percent(f64::from(score.sure) / f64::from(score.images.max(1)), 0);
    let title = if score.learnt_from_own { format!("{} *", score.title) } else { score.title.clone() };
    response.widget_info(|| {
        let spoken = format!("{title}, {right} right, {interval}, sure of {sure}");
        WidgetInfo::selected(Role::Button, true, chosen, spoken)
    });
    if chosen || response.hovered() {
        let fill = if chosen { p.accent_soft } else { p.hover };
        ui.painter().rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(6), fill);
    }
    let (weight, colour) = match (chosen, stale) {
        (true, _) => (Weight::Semibold, p.text),
        (false, true) => (Weight::Regular, p.text2),
        (false, false) => (Weight::Regular, p.text),
    };
    let font = text::font(text::BODY, weight);
    let mut line = egui::text::LayoutJob::simple_singleline(title, font.clone(), colour);
    line.wrap = egui::text::TextWrapping::truncate_at_width(width * (columns[0] - 0.17));
    let galley = ui.painter().layout_job(line);
    ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, colour);
    for (share, words) in columns.iter().zip([right, interval, sure]) {
        let at = pos2(rect.left() + share * width, rect.center().y);
        ui.painter().text(at, Align2::RIGHT_CENTER, words, font.clone(), colour);
    }
    style::focus_ring(ui, &response, 6);
    response.on_hover_text(text::label("Mark what it reads wrong"))
}

/// A name and three values, these right-aligned at shares of the width.
pub(super) fn row(ui: &mut Ui, width: f32, columns: &[f32; 3], cells: [&str; 4], colour: egui::Color32, strong: bool) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, if strong { ROW } else { 20.0 }), Sense::hover());
    let font = |weight| text::font(if strong { text::BODY } else { text::SMALL }, weight);
    let name_colour = if strong { p.text } else { p.text3 };
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, cells[0], font(Weight::Regular), name_colour);
    let weight = if strong { Weight::Semibold } else { Weight::Regular };
    for (share, cell) in columns.iter().zip(&cells[1..]) {
        let at = pos2(rect.left() + share * width, rect.center().y);
        ui.painter().text(at, Align2::RIGHT_CENTER, *cell, font(weight), colour);
    }
    let spoken = cells.iter().filter(|cell| !cell.is_empty()).copied().collect::<Vec<_>>().join(", ");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
}
