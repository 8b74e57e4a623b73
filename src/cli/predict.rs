//! `digitpad predict`: what the pad answers, for image files and recorded strokes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::{ComputeArgs, output};
use crate::data::strokes_file;
use crate::drawing::{DigitImage, Drawing, digit_image};
use crate::inference::{State, TrainedModel};
use crate::storage::places::runs_folder;
use crate::storage::{picture_file, shipped};

#[derive(Args)]
pub struct PredictArgs {
    /// A shipped model, a run or a weights file
    #[arg(long, default_value = "pad")]
    model: String,
    /// Answers per input
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    top: u8,
    /// Image files
    #[arg(value_name = "IMAGE", required_unless_present = "strokes", conflicts_with = "strokes")]
    images: Vec<PathBuf>,
    /// Pen strokes, a JSON object a line
    #[arg(long, value_name = "FILE.jsonl")]
    strokes: Option<PathBuf>,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Tally {
    inputs: u32,
    labelled: u32,
    correct: u32,
    unreadable: u32,
}

pub fn run(args: &PredictArgs) -> Result<u8> {
    let file = shipped::find_weights(&args.model, runs_folder(args.runs.as_deref()).as_deref())?.file;
    let compute = args.compute.open()?;
    let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(&compute))?;
    let mut tally = Tally::default();
    let start = Instant::now();
    if let Some(path) = &args.strokes {
        predict_strokes(args, &model, path, &mut tally)?;
    }
    for path in &args.images {
        let id = Value::from(path.to_string_lossy());
        let image =
            picture_file::read(path).map(|picture| Drawing { picture: Some(Arc::new(picture)), strokes: Vec::new() });
        answer(args, &model, &id, None, image.map(|drawing| digit_image(&drawing)), &mut tally)?;
    }
    if tally.labelled > 0 {
        let seconds = start.elapsed().as_secs_f64();
        let accuracy = f64::from(tally.correct) / f64::from(tally.labelled);
        if args.json {
            output::json(&json!({"summary": {
                "inputs": tally.inputs, "labelled": tally.labelled, "correct": tally.correct,
                "accuracy": accuracy, "seconds": seconds,
            }}));
        } else {
            output::line(format!(
                "{} of {} right, {}, {seconds:.2} s",
                tally.correct,
                tally.labelled,
                output::percent(accuracy)
            ));
        }
    }
    if tally.unreadable > 0 && !args.json {
        bail!("{} of {} inputs could not be read", tally.unreadable, tally.inputs);
    }
    Ok(u8::from(tally.unreadable > 0))
}

fn predict_strokes(args: &PredictArgs, model: &TrainedModel, path: &Path, tally: &mut Tally) -> Result<()> {
    for (line, recorded) in strokes_file::read(path)? {
        let place = Value::from(format!("line {line}"));
        match recorded {
            Err(error) => answer(args, model, &place, None, Err(error.into()), tally)?,
            Ok(recorded) => {
                let id = if recorded.id.is_null() { place } else { recorded.id };
                let image =
                    recorded.drawing.drawing().map(|drawing| digit_image(&drawing)).map_err(anyhow::Error::from);
                answer(args, model, &id, recorded.label, image, tally)?;
            }
        }
    }
    Ok(())
}

/// Prints the answer to one input: an image, nothing on an empty pad, or why it could not be read.
fn answer(
    args: &PredictArgs,
    model: &TrainedModel,
    id: &Value,
    label: Option<u8>,
    image: Result<Option<DigitImage>>,
    tally: &mut Tally,
) -> Result<()> {
    tally.inputs += 1;
    let name = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let image = match image {
        Ok(image) => image,
        Err(error) => {
            tally.unreadable += 1;
            if args.json {
                output::json(&json!({"id": id, "error": format!("{error:#}")}));
            } else {
                output::line(format!("{name}: {error:#}"));
            }
            return Ok(());
        }
    };
    let prediction = image.map(|image| model.predict(&image.pixels)).transpose()?;
    let state = prediction.as_ref().map_or(State::Empty, |prediction| prediction.state(&model.thresholds()));
    let best = prediction.as_ref().map(|prediction| prediction.best());
    if let Some(label) = label {
        tally.labelled += 1;
        tally.correct += u32::from(best == Some(label));
    }
    let ranked = prediction.map_or_else(Vec::new, |prediction| {
        let top = prediction.ranked().into_iter().take(usize::from(args.top));
        top.map(|digit| (digit, prediction.probability(digit), prediction.scores[usize::from(digit)])).collect()
    });
    if args.json {
        let top: Vec<Value> = ranked
            .iter()
            .map(|(digit, probability, score)| json!({"digit": digit, "probability": probability, "score": score}))
            .collect();
        output::json(&json!({"id": id, "label": best, "state": state.id(), "top": top}));
    } else {
        let top: Vec<String> = ranked.iter().map(|(digit, p, _)| format!("{digit} {:.1} %", 100.0 * p)).collect();
        let answer = best.map_or_else(|| "–".to_owned(), |digit| digit.to_string());
        output::line(format!("{name}: {answer} ({}) {}", state.id(), top.join(", ")));
    }
    Ok(())
}
