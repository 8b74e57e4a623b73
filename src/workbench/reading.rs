//! What panels read of the workbench. Nothing here changes it.

use std::path::Path;
use std::sync::Arc;

use super::{EvaluationView, FetchView, ModelChoice, ModelEntry, Notice, TrainingView, Workbench};
use crate::data::Corpus;
use crate::drawing::{Drawing, Preparation, Recipe};
use crate::inference::{FeatureMaps, LayerInfo, Prediction, RbfReading, State};
use crate::models;

/// Weights that a training can start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartEntry {
    /// As a configuration names them.
    pub name: String,
    pub title: String,
    /// Id of the model that they are of.
    pub model: &'static str,
}

impl Workbench {
    pub fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// The five steps from ink to image of the newest drawing that has been answered.
    pub fn preparation(&self) -> Option<&Preparation> {
        self.answer.as_ref().filter(|_| !self.drawing.is_empty())?.preparation.as_deref()
    }

    /// The answer to the drawing, `None` for an empty pad.
    pub fn prediction(&self) -> Option<&Prediction> {
        self.answer.as_ref().filter(|_| !self.drawing.is_empty())?.prediction.as_ref()
    }

    /// Whether the newest answer is to the drawing as it is.
    pub fn answer_is_current(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.generation == self.generation)
    }

    pub fn state(&self) -> State {
        self.prediction().map_or(State::Empty, |prediction| prediction.state(&self.thresholds()))
    }

    /// The activations of the watched layer.
    pub fn feature_maps(&self) -> Option<&FeatureMaps> {
        self.answer.as_ref().filter(|_| !self.drawing.is_empty())?.feature_maps.as_ref()
    }

    /// How the answer to the drawing comes about, where it is the nearest of ten codes.
    pub fn rbf(&self) -> Option<&RbfReading> {
        self.answer.as_ref().filter(|_| !self.drawing.is_empty())?.rbf.as_ref()
    }

    /// The codes of the chosen model, `[classes · features]` class by class; `None` where its answer is no distance.
    pub fn codes(&self) -> Option<Arc<[f32]>> {
        self.model(&self.choice)?.codes().cloned()
    }

    /// The first model at hand whose answer is the nearest of ten codes.
    pub fn model_with_codes(&self) -> Option<&ModelEntry> {
        self.models.iter().find(|open| open.model.codes().is_some()).map(|open| &open.entry)
    }

    pub fn watched_layer(&self) -> Option<usize> {
        self.watched_layer
    }

    /// How long the newest answer took, from the ink to the ten shares.
    pub fn answer_seconds(&self) -> Option<f64> {
        self.answer.as_ref().map(|answer| answer.seconds)
    }

    /// The models that can be chosen; the live one is among them while there is a training.
    pub fn models(&self) -> Vec<ModelEntry> {
        let live = self.training.as_ref().filter(|_| self.live.is_some()).map(|training| {
            let state = if training.phase.is_under_way() { "in training" } else { "trained now" };
            let state = self.moment_words(&ModelChoice::Live).unwrap_or_else(|| state.to_owned());
            ModelEntry { choice: ModelChoice::Live, title: format!("{}, {state}", training.title()), card: None }
        });
        let opened = self.models.iter().map(|open| match self.moment_words(&open.entry.choice) {
            Some(moment) => ModelEntry { title: format!("{}, {moment}", open.entry.title), ..open.entry.clone() },
            None => open.entry.clone(),
        });
        live.into_iter().chain(opened).collect()
    }

    pub fn choice(&self) -> &ModelChoice {
        &self.choice
    }

    /// The entry of the chosen model.
    pub fn chosen(&self) -> Option<ModelEntry> {
        self.models().into_iter().find(|entry| entry.choice == self.choice)
    }

    /// The layers of the chosen model.
    pub fn layers(&self) -> Vec<LayerInfo> {
        self.model(&self.choice).map_or_else(Vec::new, |model| model.layers())
    }

    pub fn training(&self) -> Option<&TrainingView> {
        self.training.as_ref()
    }

    /// A training that has not ended, paused or not.
    pub fn training_is_under_way(&self) -> bool {
        self.training.as_ref().is_some_and(|view| view.phase.is_under_way())
    }

    pub fn evaluation(&self) -> &EvaluationView {
        self.jobs.evaluation()
    }

    /// Whether the evaluation shown was made with other weights than those that are chosen now, or on other digits.
    pub fn evaluation_is_stale(&self) -> bool {
        let view = self.jobs.evaluation();
        let Some(shown) = &view.model else { return false };
        let other_weights = self.model(&self.choice).is_none_or(|chosen| !Arc::ptr_eq(shown, chosen));
        let other_digits = self.choice != ModelChoice::Live && view.source_id() != Some(self.usual_source());
        other_weights || other_digits
    }

    /// The digits that `source` names, if they have been read for a training or an evaluation.
    pub fn digits_at_hand(&self, source: &str) -> Option<Arc<Corpus>> {
        self.corpora.at_hand(source)
    }

    /// The weights that a new training can start from: models that can be chosen, and the run that ended last.
    pub fn starts(&self) -> Vec<StartEntry> {
        let entry = |open: &super::OpenModel| {
            let name = match &open.entry.choice {
                ModelChoice::Shipped(id) => (*id).to_owned(),
                ModelChoice::Opened(name) => name.clone(),
                ModelChoice::Live => return None,
            };
            Some(StartEntry { name, title: open.entry.title.clone(), model: open.model.architecture().id })
        };
        let ended = self.training.as_ref().filter(|view| !view.phase.is_under_way());
        let last = ended.and_then(|view| {
            let name = view.run.as_ref()?.file_name()?.to_string_lossy().into_owned();
            let model = models::find(&view.config.model)?.id;
            Some(StartEntry { name, title: "The last run".to_owned(), model })
        });
        last.into_iter().chain(self.models.iter().filter_map(entry)).collect()
    }

    pub fn fetch(&self) -> &FetchView {
        self.jobs.fetch()
    }

    pub fn mnist_is_here(&self) -> bool {
        self.mnist_is_here
    }

    /// The data that a new training takes unless told otherwise: MNIST where it is here, else drawn digits.
    pub fn usual_source(&self) -> &'static str {
        if self.mnist_is_here { "mnist" } else { "drawn" }
    }

    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// "CPU, 2 threads".
    pub fn device(&self) -> String {
        self.compute.describe()
    }

    pub fn runs_folder(&self) -> &Path {
        &self.options.runs
    }
}
