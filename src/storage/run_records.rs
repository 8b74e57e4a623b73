//! What a run tells others while it goes on: its log for people, its events for TensorBoard. Nothing here is needed to go on
//! with it.

use super::recorder::Warn;
use super::run_folder::RunFolder;
use super::run_log::RunLog;
use super::tensorboard::{EventFile, Update};
use crate::inference::Evaluation;
use crate::nn::Compute;
use crate::training::{Ending, Event, LiveChange, Outcome, Position, TrainingConfig, TrainingData, first_images};

/// Images of the row that shows what a network meets.
const IMAGES_SHOWN: usize = 16;

pub(super) struct RunRecords {
    pub log: RunLog,
    /// None where the file cannot be made.
    events: Option<EventFile>,
    /// The last event was lost, and somebody knows.
    is_lost: bool,
}

impl RunRecords {
    /// For the run in `folder` that begins, or goes on at `position`; `words` say what it starts from, where that is not
    /// nothing.
    pub fn begin(
        folder: &RunFolder,
        (data, compute): (&TrainingData, &Compute),
        (position, words): (Option<&Position>, Option<&str>),
        warn: Warn<'_>,
    ) -> Self {
        let config = folder.config();
        let log = RunLog::open(folder.path());
        begun(config, data, compute, words).iter().for_each(|sentence| log.line(sentence));
        let file = match position {
            Some(position) => EventFile::go_on(folder.path(), (position.step, position.epochs), config.epochs),
            None => EventFile::begin(folder.path(), config.epochs).and_then(|mut file| {
                file.training_images(&first_images(config, data, IMAGES_SHOWN))?;
                Ok(file)
            }),
        };
        let mut records = Self { log, events: None, is_lost: false };
        match file {
            Ok(file) => records.events = Some(file),
            Err(error) => records.warn_once(&error, warn),
        }
        records
    }

    /// Writes down what an event tells.
    pub fn saw(&mut self, event: &Event<'_>, warn: Warn<'_>) {
        if let Event::Epoch(summary) = event {
            let validation = summary.validation.map_or_else(String::new, |v| {
                format!(", validation {:.2} % (loss {:.4})", 100.0 * v.confusion.accuracy(), v.loss)
            });
            self.log.line(&format!(
                "Epoch {}, update {}: training loss {:.4}{validation}, learning rate {:.3e}, {:.1} s, {:.0} images/s{}",
                summary.epoch,
                summary.step,
                summary.train_loss,
                summary.learning_rate,
                summary.seconds,
                summary.images_per_second,
                if summary.is_best { ", the best so far" } else { "" }
            ));
        }
        let Some(file) = &mut self.events else { return };
        let told = match event {
            Event::Epoch(summary) => file.epoch(summary),
            Event::Step { step, updates, loss, error, learning_rate, .. } => file.update(&Update {
                step: *step,
                updates: *updates,
                loss: *loss,
                error: *error,
                learning_rate: *learning_rate,
            }),
            _ => return,
        };
        match told {
            Ok(()) => self.is_lost = false,
            Err(error) => self.warn_once(&error, warn),
        }
    }

    /// A checkpoint is about to be written: the events before it must be there when the run goes on from it.
    pub fn before_checkpoint(&mut self, warn: Warn<'_>) {
        if let Some(Err(error)) = self.events.as_ref().map(EventFile::sync) {
            self.warn_once(&error, warn);
        }
    }

    /// What was changed while the run went on.
    pub fn changed(&self, change: &LiveChange) {
        let settings = serde_json::to_value(change).unwrap_or_default();
        self.log.line(&format!("Changed from update {} on: {}", change.update, describe(&settings)));
    }

    pub fn ended(&self, outcome: &Outcome, test: Option<&Evaluation>) {
        let ending = match outcome.ending {
            Ending::Completed => "Completed".to_owned(),
            Ending::EarlyStopped => "Stopped early, no better for as long as its patience".to_owned(),
            Ending::Stopped => "Stopped; it can go on from here".to_owned(),
            Ending::Diverged(why) => format!("Diverged: {}; {}", why.sentence(), why.advice()),
        };
        self.log.line(&format!(
            "{ending}. {} epochs, {} updates, {:.1} s; best epoch {}",
            outcome.epochs, outcome.steps, outcome.seconds, outcome.best_epoch
        ));
        if let Some(test) = test {
            let [low, high] = test.interval().map(|share| 100.0 * share);
            let accuracy = 100.0 * test.confusion.accuracy();
            self.log.line(&format!("Test set: {accuracy:.2} % right ({low:.2} to {high:.2} % with 95 % confidence)"));
        }
    }

    fn warn_once(&mut self, error: &anyhow::Error, warn: Warn<'_>) {
        if !self.is_lost {
            warn(format!("The run goes on, but TensorBoard will not see all of it: {error:#}"));
        }
        self.is_lost = true;
    }
}

/// The first lines of a life of a run.
fn begun(config: &TrainingConfig, data: &TrainingData, compute: &Compute, words: Option<&str>) -> Vec<String> {
    let parameters = config.architecture().map_or(0, |architecture| architecture.parameters);
    let mut lines = vec![
        format!("Digitpad {} on {}; {}", env!("CARGO_PKG_VERSION"), compute.processor(), compute.describe()),
        format!(
            "Training {} ({parameters} parameters, seed {}) on {}, {} kept for validation; {}",
            config.model,
            config.seed,
            data.describe_images(config),
            data.validation.len(),
            data.corpus.title
        ),
    ];
    lines.extend(data.corpus.notes.iter().cloned());
    lines.extend(words.map(str::to_owned));
    lines
}

/// The settings of a change, without its place.
fn describe(change: &serde_json::Value) -> String {
    let mut words = Vec::new();
    for (key, value) in change.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            _ if ["update", "epochs"].contains(&key.as_str()) => {}
            // all that was set at once
            serde_json::Value::Object(_) if key == "set" => words.push(describe(value)),
            serde_json::Value::Object(_) => words.push(format!("{key} ({})", describe(value))),
            // numbers of which every bit counts are written as texts
            serde_json::Value::String(text) => words.push(format!("{} {text}", key.replace('_', " "))),
            _ => words.push(format!("{} {value}", key.replace('_', " "))),
        }
    }
    words.join(", ")
}

/// Lets a log hear every warning too.
pub(super) fn logging<'a>(log: &'a RunLog, warn: Warn<'a>) -> impl FnMut(String) + Send + 'a {
    move |sentence: String| {
        log.line(&format!("Warning: {sentence}"));
        warn(sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_its_settings() {
        let rate = serde_json::json!({"update": 7, "epochs": 1, "learning_rate": "0.003"});
        assert_eq!(describe(&rate), "learning rate 0.003");
        let rate = serde_json::json!({"update": 7, "epochs": 1, "set": {"learning_rate": "0.003"}});
        assert_eq!(describe(&rate), "learning rate 0.003");
        let more = serde_json::json!({"update": 7, "batch_size": 64, "momentum": null, "augmentation": {"scale": 0.1}});
        let words = describe(&more);
        assert!(words.contains("batch size 64") && words.contains("augmentation (scale 0.1)"), "{words}");
        assert!(!words.contains("momentum") && !words.contains("update"), "{words}");
    }
}
