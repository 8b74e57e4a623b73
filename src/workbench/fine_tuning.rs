//! Training on one's own drawings: what it needs, and the settings it runs with.

use super::handwriting::HandwritingEvent;
use super::{ModelChoice, NoticeKind, Workbench};
use crate::data::{Beside, is_held_out};
use crate::optim::{OptimizerConfig, Schedule};
use crate::storage::handwriting::Handwriting;
use crate::storage::{presets, shipped};
use crate::training::{Chosen, TrainingConfig};

/// So many digits with so many drawings each are needed at least: half of them only judge.
const LEAST_DIGITS: usize = 2;
const LEAST_DRAWINGS: usize = 5;
/// Images of the data set that train beside the drawings, so that what was learnt is not forgotten.
const IMAGES_BESIDE: usize = 12_000;
/// The share of one's own drawings in an epoch, roughly, and how often one may be met for it.
const OWN_SHARE: f64 = 0.2;
const MOST_TIMES: usize = 60;
const EPOCHS: u32 = 4;
const LEARNING_RATE: f64 = 0.0003;
const BATCH_SIZE: usize = 64;
/// Images kept for validation where the model's own settings keep none.
const VALIDATION: usize = 5_000;
/// Drawn digits kept for validation: there are fewer of them than of MNIST's.
const DRAWN_VALIDATION: usize = 2_000;
/// Things that are no digits, where the model has learnt to refuse them.
const MOST_STRANGERS: usize = 3_000;

/// The settings: those that made the weights, with a small rate, few epochs, and the drawings of `pens` beside a part of
/// the usual digits. `learnt` is how many of them are learnt from.
fn settings(base: TrainingConfig, from: &str, source: &str, pens: String, learnt: usize) -> TrainingConfig {
    let times = (OWN_SHARE / (1.0 - OWN_SHARE) * IMAGES_BESIDE as f64 / learnt.max(1) as f64).round() as usize;
    let validation = match (source, base.validation) {
        ("drawn", _) => DRAWN_VALIDATION,
        // weights that were trained on all images have met these; without any nothing would say what is sure
        (_, 0) => VALIDATION,
        (_, validation) => validation,
    };
    TrainingConfig {
        data: source.to_owned(),
        epochs: EPOCHS,
        batch_size: BATCH_SIZE,
        learning_rate: LEARNING_RATE,
        validation,
        train_limit: Some(IMAGES_BESIDE),
        from: Some(from.to_owned()),
        freeze_up_to: None,
        clip_norm: None,
        warm_up: 0.0,
        chosen: Chosen::Best,
        keep_epochs: false,
        optimizer: OptimizerConfig::find("adam").unwrap_or(base.optimizer),
        schedule: Schedule::Cosine { final_factor: 0.1 },
        beside: Beside {
            pens: Some(pens),
            pens_times: times.clamp(1, MOST_TIMES),
            pens_hold_out_half: true,
            strangers: base.beside.strangers.min(MOST_STRANGERS),
            ..Beside::default()
        },
        ..base
    }
}

impl Workbench {
    /// What is missing for a training on the kept drawings, in a sentence; `None` where nothing is.
    pub fn fine_tuning_needs(&self) -> Option<String> {
        let counts = self.handwriting().counts();
        let enough = counts.iter().filter(|count| **count >= LEAST_DRAWINGS).count();
        if enough >= LEAST_DIGITS {
            return None;
        }
        let most = counts.iter().max().copied().unwrap_or(0);
        let have = match (self.handwriting().drawings.len(), enough) {
            (0, _) => "none is kept yet".to_owned(),
            (_, 0) => format!("no digit has more than {most} so far"),
            _ => "one digit has that many so far".to_owned(),
        };
        Some(format!("It takes {LEAST_DRAWINGS} drawings of {LEAST_DIGITS} digits at least; {have}"))
    }

    /// Starts a training from the weights of this name on half of the kept drawings.
    pub(super) fn fine_tune(&mut self, name: &str) {
        if !self.is_free() {
            return;
        }
        if let Some(needs) = self.fine_tuning_needs() {
            self.notify(NoticeKind::Info, needs);
            return;
        }
        let Some(start) = self.starts().into_iter().find(|start| start.name == name) else {
            let text = "These weights cannot be trained further; choose another model to fine-tune".to_owned();
            self.notify(NoticeKind::Problem, text);
            return;
        };
        let opened = self.models.iter().find(|open| match &open.entry.choice {
            ModelChoice::Shipped(id) => *id == start.name,
            ModelChoice::Opened(opened) => *opened == start.name,
            ModelChoice::Live => false,
        });
        let ended = self.training.as_ref().filter(|_| opened.is_none()).map(|view| view.config.clone());
        let known = opened.and_then(|open| open.config.clone()).or(ended).filter(|config| config.model == start.model);
        let preset = || presets::find(start.model).and_then(|preset| preset.config().ok());
        let Some(base) = known.or_else(preset) else {
            let why = shipped::find(start.model).and_then(|shipped| shipped.config().err());
            let why = why.map_or_else(|| format!("nobody knows how {} is trained", start.title), |why| why.to_string());
            self.notify(NoticeKind::Problem, format!("This model cannot be fine-tuned: {why}"));
            return;
        };
        let drawings = self.handwriting.kept();
        let labels: Vec<u8> = drawings.iter().map(|kept| kept.label).collect();
        let learnt = is_held_out(&labels).into_iter().filter(|held_out| !held_out).count();
        let folder = match self.handwriting.file().and_then(|file| file.parent()) {
            Some(folder) => folder.to_owned(),
            None => self.options.runs.clone(),
        };
        let (source, from) = (self.usual_source(), start.name);
        self.handwriting.once(
            "Fine-tuning",
            |text| HandwritingEvent::ReadyToTrain(Err(text)),
            move || {
                let written = Handwriting::write_snapshot(&drawings, &folder);
                let pens = written.map(|path| std::path::absolute(&path).unwrap_or(path).display().to_string());
                let config = pens.map(|pens| Box::new(settings(base, &from, source, pens, learnt)));
                let failed = |error| format!("The drawings to learn from could not be written: {error}");
                HandwritingEvent::ReadyToTrain(config.map_err(failed))
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trainable_shipped_model_can_be_fine_tuned() {
        for shipped in shipped::SHIPPED {
            let Ok(base) = shipped.config() else { continue };
            for source in ["mnist", "drawn"] {
                let config = settings(base.clone(), shipped.id, source, "own.jsonl".to_owned(), 20);
                config.validate().unwrap_or_else(|error| panic!("{}: {error}", shipped.id));
                assert_eq!(TrainingConfig::from_toml(&config.to_toml()).unwrap(), config, "{}", shipped.id);
            }
        }
    }

    #[test]
    fn few_drawings_are_met_more_often() {
        let base = presets::find("lenet5").unwrap().config().unwrap();
        let times = |learnt| settings(base.clone(), "lenet5", "mnist", String::new(), learnt).beside.pens_times;
        assert_eq!([5, 100, 3_000, 100_000].map(times), [60, 30, 1, 1]);
    }
}
