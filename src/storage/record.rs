//! The JSON in which runs are written down and commands answer. Keys are a contract: others read them.

use serde_json::{Value, json};

use crate::inference::Evaluation;
use crate::training::{EpochSummary, LiveChange, Tick};

/// What `eval` prints, without the model's name.
pub fn evaluation(evaluation: &Evaluation) -> Value {
    let confusion = &evaluation.confusion;
    json!({
        "images": confusion.images(),
        "accuracy": confusion.accuracy(),
        "error_percent": rounded(100.0 * (1.0 - confusion.accuracy())),
        "interval": evaluation.interval(),
        "macro_f1": confusion.macro_f1(),
        "f1": confusion.f1(),
        "confusion": confusion.counts,
        "loss": evaluation.loss,
        "seconds": evaluation.seconds,
    })
}

/// A line of `history.jsonl`, and of `train --json`.
pub fn epoch(summary: &EpochSummary<'_>) -> Value {
    let mut line = json!({
        "event": "epoch",
        "epoch": summary.epoch,
        "step": summary.step,
        "train_loss": summary.train_loss,
        "train_error": summary.train_error,
        "validation_loss": summary.validation.map(|v| v.loss),
        "validation_accuracy": summary.validation.map(|v| v.confusion.accuracy()),
        "f1": summary.validation.map(|v| v.confusion.f1()),
        "confusion": summary.validation.map(|v| v.confusion.counts),
        "learning_rate": summary.learning_rate,
        "seconds": summary.seconds,
        "images_per_second": summary.images_per_second,
        "best": summary.is_best,
    });
    if !summary.step_sizes.is_empty() {
        let steps = summary.step_sizes.iter().map(|(name, least, greatest)| (name.clone(), json!([least, greatest])));
        line["step_sizes"] = Value::Object(steps.collect());
    }
    line
}

/// A line of `history.jsonl`: settings that changed while the run went on. `epoch` counts those that had ended.
pub fn change(change: &LiveChange, words: &str) -> Value {
    json!({
        "event": "change",
        "update": change.update,
        "epoch": change.epochs,
        "what": words,
        "set": change.set,
    })
}

/// A line of `train --json`.
pub fn tick(tick: &Tick<'_>) -> Value {
    let confusion = &tick.evaluation.confusion;
    json!({
        "event": "evaluation",
        "step": tick.step,
        "images": confusion.images(),
        "loss": tick.evaluation.loss,
        "accuracy": confusion.accuracy(),
        "f1": confusion.f1(),
    })
}

/// Percentages without the noise of binary fractions.
fn rounded(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}
