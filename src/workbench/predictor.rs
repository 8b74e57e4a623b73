//! The thread that answers drawings. It takes only the newest question.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use anyhow::Result;

use super::newest::Newest;
use super::{Wake, WorkerEvent};
use crate::drawing::{Drawing, Preparation, Recipe, prepare};
use crate::inference::{FeatureMaps, Prediction, RbfReading, TrainedModel};

/// A drawing, and what the visible panels want to know about it.
pub(super) struct Question {
    pub generation: u64,
    pub drawing: Drawing,
    pub recipe: Recipe,
    pub model: Arc<TrainedModel>,
    pub layer: Option<usize>,
}

/// What the network makes of a drawing; all `None` for an empty pad.
pub(super) struct Answer {
    pub generation: u64,
    pub preparation: Option<Box<Preparation>>,
    pub prediction: Option<Prediction>,
    pub feature_maps: Option<FeatureMaps>,
    pub rbf: Option<RbfReading>,
    pub seconds: f64,
}

/// Starts the thread.
pub(super) fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Newest<Question>> {
    Newest::start("predictor", sender, wake, |question, _| Ok(Some(WorkerEvent::Answer(Box::new(answer(question)?)))))
}

fn answer(question: &Question) -> Result<Answer> {
    let start = Instant::now();
    let preparation = prepare(&question.drawing, &question.recipe).map(Box::new);
    let image = preparation.as_ref().map(|preparation| &preparation.image.pixels);
    let prediction = image.map(|image| question.model.predict(image)).transpose()?;
    let seconds = start.elapsed().as_secs_f64();
    let feature_maps = match (image, question.layer) {
        // an explanation that fails does not take the answer with it
        (Some(image), Some(layer)) => question.model.feature_maps(image, layer).ok(),
        _ => None,
    };
    let rbf = image.and_then(|image| question.model.rbf(image).ok().flatten());
    Ok(Answer { generation: question.generation, preparation, prediction, feature_maps, rbf, seconds })
}
