//! Train's form while a run goes on: what acts on it at once, when that is sent, and what waits for a new run.

use eframe::egui::{Align, Label, Layout, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use super::Scene;
use crate::training::{LiveSettings, TrainingConfig};
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field::{self, Mark};
use crate::ui::{text, theme};
use crate::workbench::Command;

/// The form as it was before somebody began to edit it; empty while nobody does.
#[derive(Default)]
pub(super) struct Editing {
    before: Option<TrainingConfig>,
}

/// The marks of settings: those that act on the run under way, and the others.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    pub rate: Mark,
    /// Momentum and weight decay.
    pub optimizer: Mark,
    /// Batch size and distortions.
    pub batches: Mark,
    pub others: Mark,
}

/// Whether the form speaks of what is under way: a run of another model or optimiser is a new one in every setting.
fn speaks_of(form: &TrainingForm, running: &TrainingConfig) -> bool {
    let kind = std::mem::discriminant(&form.base_optimizer());
    form.model == running.model && kind == std::mem::discriminant(&running.optimizer)
}

fn running(scene: &Scene<'_>) -> Option<TrainingConfig> {
    scene.workbench.training().filter(|view| view.phase.is_under_way()).map(|view| view.config.clone())
}

/// What every setting's change would do now.
pub(super) fn marks(form: &TrainingForm, scene: &Scene<'_>) -> Marks {
    let Some(running) = running(scene) else {
        return Marks { rate: Mark::None, optimizer: Mark::None, batches: Mark::None, others: Mark::None };
    };
    let acts = |acts: bool| if acts && speaks_of(form, &running) { Mark::NextBatch } else { Mark::NewRun };
    let batches = acts(LiveSettings::batches_can_change(&running.optimizer));
    Marks { rate: acts(true), optimizer: batches, batches, others: Mark::NewRun }
}

impl Editing {
    /// Sends what was edited to the run under way, once a field is left or a slider let go. `before` is the form's configuration
    /// in front of this frame's edits.
    pub fn commit(&mut self, ui: &Ui, form: &TrainingForm, before: Option<TrainingConfig>, scene: &mut Scene<'_>) {
        let Some(running) = running(scene) else {
            self.before = None;
            return;
        };
        let Ok(now) = form.config() else {
            // a number is half typed; what it becomes is compared with what was there before
            self.before = self.before.take().or(before);
            return;
        };
        if before.as_ref() != Some(&now) {
            self.before = self.before.take().or(before);
        }
        if ui.ctx().text_edit_focused() || ui.input(|input| input.pointer.any_down()) {
            return;
        }
        let Some(edited) = self.before.take().map(|before| (LiveSettings::between(&before, &now), before)) else {
            return;
        };
        let (mut set, mut after) = edited;
        set.apply(&mut after);
        // another model, optimiser or preset brings numbers of its own: they are for a new run
        if after != now || !speaks_of(form, &running) {
            return;
        }
        let wanted = LiveSettings::between(&running, &now);
        set = LiveSettings {
            learning_rate: set.learning_rate.and(wanted.learning_rate),
            momentum: set.momentum.and(wanted.momentum),
            weight_decay: set.weight_decay.and(wanted.weight_decay),
            batch_size: set.batch_size.and(wanted.batch_size),
            augmentation: set.augmentation.and(wanted.augmentation),
        };
        if !set.is_empty() {
            scene.push(Command::ChangeLive(set));
        }
    }
}

/// Height of the bar, the same whatever it says, so that the fields under it keep their place.
const BAR: f32 = 58.0;

/// While a run goes on: what the marks mean, or what waits for a new run.
pub(super) fn bar(ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>, width: f32) {
    let Some(running) = running(scene) else { return };
    let changes = form.changes(&running);
    let (rect, _) = ui.allocate_exact_size(vec2(width, BAR), Sense::hover());
    let mut ui = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::LEFT)));
    ui.spacing_mut().item_spacing.y = 4.0;
    if changes.is_empty() {
        ui.add_space(4.0);
        legend(&mut ui, Mark::NextBatch, "Acts at the next batch");
        legend(&mut ui, Mark::NewRun, "Needs a new run");
        return;
    }
    let p = theme::of(&ui);
    let heading = match changes.len() {
        1 => "1 change needs a new run".to_owned(),
        count => format!("{count} changes need a new run"),
    };
    let words = changes.join(", ");
    ui.add(Label::new(text::section(heading).color(p.warn))).on_hover_text(text::label(&words));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let config = form.config();
        let start = ui.add_enabled(config.is_ok(), Button::plain("Start anew").hint("Ends this run; it is kept"));
        if let Ok(config) = config
            && start.clicked()
        {
            scene.push(Command::ResetTraining);
            scene.push(Command::StartTraining(config));
        }
        if ui.add(Button::quiet("Revert").hint("Back to the settings of this run")).clicked() {
            form.discard(&running);
        }
    });
}

fn legend(ui: &mut Ui, mark: Mark, words: &str) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    field::paint_mark(ui, rect.left_center() + vec2(6.0, 0.0), mark);
    let font = text::font(text::LABEL, text::Weight::Regular);
    let at = rect.left_center() + vec2(18.0, 0.0);
    ui.painter().text(at, eframe::egui::Align2::LEFT_CENTER, words, font, p.text2);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
}
