//! Settings of Train's form that most runs leave alone, behind one row that opens: what the run starts from, and what keeps
//! it steady.

use eframe::egui::Ui;

use super::Scene;
use super::train_form::{FIELD, row};
use crate::models;
use crate::nn::{Initialisation, Network, Transfer};
use crate::optim::Watch;
use crate::training::EarlyStopping;
use crate::ui::text;
use crate::ui::training_form::{Field, TrainingForm};
use crate::ui::widgets::field::{self, Mark};
use crate::workbench::StartEntry;

/// What is remembered between frames.
#[derive(Default)]
pub(super) struct Further {
    open: bool,
    starts: Starts,
}

pub(super) fn further(ui: &mut Ui, form: &mut TrainingForm, state: &mut Further, scene: &Scene<'_>, width: f32) {
    let note = match form.further_settings() {
        0 => String::new(),
        set => format!("{set} set"),
    };
    let wrong = form.config().err();
    let error = |field: Field| wrong.as_ref().filter(|(at, _)| *at == field).map(|(_, sentence)| sentence.as_str());
    // what is wrong must not hide
    state.open |= [Field::Clip, Field::Validation, Field::Limit, Field::Dropout].iter().any(|&at| error(at).is_some());
    field::disclosure_row(ui, "More settings", &note, &mut state.open, width);
    if !state.open {
        return;
    }
    let mark = if scene.workbench.training_is_under_way() { Mark::NewRun } else { Mark::None };
    if let Some(family) = models::family_of(form.model) {
        row(family.setting, mark, None).show(ui, width, FIELD, |ui, w| {
            field::choice(ui, family.setting, &mut form.model, family.members, w);
        });
    }
    state.starts.ui(ui, form, scene, mark, width);
    let percent = |v: f32| if v > 0.0 { text::percent(v.into(), 0) } else { "none".to_owned() };
    field::slider_row(ui, "Warm-up", &mut form.warm_up, 0.0..=0.5, 0.01, percent, width);
    early_stopping(ui, form, mark, width);
    if form.has_targets() {
        let spread = |v: f32| if v > 0.0 { text::number(v.into(), 2) } else { "none".to_owned() };
        field::slider_row(ui, "Smoothing", &mut form.smoothing, 0.0..=0.5, 0.01, spread, width);
    }
    row("Clip norm", mark, error(Field::Clip))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.clip, "Clip norm", w));
    if form.has_dropout() {
        row("Dropout", mark, error(Field::Dropout))
            .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.dropout, "Dropout", w));
    }
    row("Keep aside", mark, error(Field::Validation))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.validation, "Keep aside", w));
    row("Train on", mark, error(Field::Limit))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.limit, "Train on", w));
}

/// After how many epochs without getting better a run ends, what is to get better, and by how much.
fn early_stopping(ui: &mut Ui, form: &mut TrainingForm, mark: Mark, width: f32) {
    let mut patience = form.early_stopping.map_or(0.0, |rule| rule.patience as f32);
    let words = |v: f32| match v.round() as u32 {
        0 => "never".to_owned(),
        epochs => format!("{epochs} ep."),
    };
    if field::slider_row(ui, "Stop early", &mut patience, 0.0..=20.0, 1.0, words, width) {
        let epochs = patience.round() as u32;
        let rule = form.early_stopping.unwrap_or_else(|| EarlyStopping::after(epochs));
        form.early_stopping = (epochs > 0).then_some(EarlyStopping { patience: epochs, ..rule });
    }
    let Some(rule) = &mut form.early_stopping else { return };
    let watched = [(Watch::Loss, "Loss"), (Watch::Accuracy, "Accuracy")];
    row("Watching", mark, None)
        .show(ui, width, FIELD, |ui, w| field::choice(ui, "Watching", &mut rule.on, &watched, w));
    let mut better_by = rule.min_delta as f32;
    if field::slider_row(ui, "Better by", &mut better_by, 0.0..=0.01, 0.0005, |v| text::number(v.into(), 4), width) {
        // steps of the slider without the noise of binary fractions
        rule.min_delta = (f64::from(better_by) * 1e4).round() / 1e4;
    }
}

/// Which weights fit the model, and which of its layers they can freeze; worked out when the model or the weights change.
#[derive(Default)]
struct Starts {
    seen: Option<(&'static str, Option<String>, Vec<StartEntry>)>,
    /// Names of weights with their titles.
    weights: Vec<(Option<String>, String)>,
    /// Layers that can be the last frozen one.
    layers: Vec<Option<String>>,
}

impl Starts {
    fn ui(&mut self, ui: &mut Ui, form: &mut TrainingForm, scene: &Scene<'_>, mark: Mark, width: f32) {
        self.update(form, scene.workbench.starts());
        let options: Vec<(Option<String>, &str)> =
            self.weights.iter().map(|(name, title)| (name.clone(), title.as_str())).collect();
        row("Start from", mark, None)
            .show(ui, width, FIELD, |ui, w| field::choice(ui, "Start from", &mut form.from, &options, w));
        if form.from.is_none() {
            let schemes: Vec<(Initialisation, &str)> =
                Initialisation::CHOICES.iter().map(|(name, scheme)| (*scheme, *name)).collect();
            row("Initial values", mark, None).show(ui, width, FIELD, |ui, w| {
                field::choice(ui, "Initial values", &mut form.initialisation, &schemes, w)
            });
        } else if form.learns_by_layers() {
            let layers: Vec<(Option<String>, &str)> =
                self.layers.iter().map(|layer| (layer.clone(), layer.as_deref().unwrap_or("Nothing"))).collect();
            row("Freeze up to", mark, None)
                .show(ui, width, FIELD, |ui, w| field::choice(ui, "Freeze up to", &mut form.freeze_up_to, &layers, w));
        }
    }

    fn update(&mut self, form: &mut TrainingForm, starts: Vec<StartEntry>) {
        let now = (form.model, form.from.clone(), starts);
        if self.seen.as_ref() == Some(&now) {
            return;
        }
        let (_, from, starts) = &now;
        let Some(network) = network(form.model) else { return };
        let plan = |start: &StartEntry| Some(Transfer::between(&network, &self::network(start.model)?));
        let fits = |start: &&StartEntry| plan(start).is_some_and(|plan| !plan.copied.is_empty());
        let named = |start: &StartEntry| (Some(start.name.clone()), start.title.clone());
        self.weights =
            std::iter::once((None, "Fresh weights".to_owned())).chain(starts.iter().filter(fits).map(named)).collect();
        let chosen = starts.iter().find(|start| Some(&start.name) == from.as_ref());
        // weights from a configuration may be none of those that are known here
        if let Some(name) = from
            && !self.weights.iter().any(|(known, _)| known.as_ref() == Some(name))
        {
            self.weights.push((Some(name.clone()), name.clone()));
        }
        self.layers = freezable(&network, chosen.and_then(plan).as_ref());
        if !self.layers.contains(&form.freeze_up_to) {
            form.freeze_up_to = None;
        }
        self.seen = Some(now);
    }
}

fn network(model: &str) -> Option<Network> {
    (models::find(model)?.network)().ok()
}

/// Nothing, and the layers up to which all is copied and after which something learns. Weights that nobody knows yet may fit
/// all of them.
fn freezable(network: &Network, plan: Option<&Transfer>) -> Vec<Option<String>> {
    let layers = network.layers();
    let copied = layers.iter().take_while(|place| plan.is_none_or(|plan| !plan.fresh.contains(&place.name)));
    let something_learns = |(number, _): &(usize, _)| {
        network.params()[network.params_up_to(number + 1)..].iter().any(|spec| spec.kind.is_learnt())
    };
    let names = copied.enumerate().take_while(something_learns).map(|(_, place)| Some(place.name.clone()));
    // a layer without anything in front of it that could learn freezes nothing
    std::iter::once(None)
        .chain(names.skip_while(|name| {
            name.as_deref()
                .is_some_and(|name| network.layers_up_to(name).is_ok_and(|up_to| network.params_up_to(up_to) == 0))
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_can_be_frozen_as_far_as_they_are_copied() {
        let names = |model: &str, from: &str| {
            let network = network(model).unwrap();
            let plan = Transfer::between(&network, &self::network(from).unwrap());
            let layers = freezable(&network, Some(&plan));
            layers.into_iter().map(|layer| layer.unwrap_or_default()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("lenet5", "lenet5"), " C1 S2 C3 S4 C5 F6");
        assert_eq!(names("lenet5", "lenet5-1998"), " C1 S2");
        assert_eq!(names("lenet5-1998-linear", "lenet5-1998"), " C1 S2 C3 S4 C5 F6");
        assert_eq!(names("mlp", "lenet5"), "");
    }
}
