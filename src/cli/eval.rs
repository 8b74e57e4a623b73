//! `digitpad eval`.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{ComputeArgs, errors_picture, output, redrawn_digits};
use crate::data::{self, Corpus, Request};
use crate::inference::{Decision, Rejection, TrainedModel, evaluate, stranger_scores};
use crate::storage::places::runs_folder;
use crate::storage::shipped::{self, Known};
use crate::storage::{picture_file, record};
use crate::training::{TrainingConfig, validation_images};

#[derive(Args)]
pub struct EvalArgs {
    /// Shipped models, runs or weights files
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// All shipped models
    #[arg(long, conflicts_with = "models")]
    all: bool,
    /// mnist, drawn, or a folder with IDX files
    #[arg(long, value_name = "SOURCE|DIR", default_value = "mnist")]
    data: String,
    /// The images to judge on; the validation images are those that the model's own training kept aside
    #[arg(long, value_enum, default_value = "test")]
    split: SplitArg,
    /// Fail where a model is more than 0.02 points below its card
    #[arg(long)]
    pub(super) check: bool,
    /// Judge on digits drawn again with four pens instead: the first 1,500 images of the test set, thinned to their
    /// skeletons and drawn on the pad in random size at random places
    #[arg(long, conflicts_with = "errors")]
    redrawn: bool,
    /// Draw the misread images of the one model named into this PNG file
    #[arg(long, value_name = "FILE.png", conflicts_with = "all")]
    errors: Option<std::path::PathBuf>,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    runs: Option<std::path::PathBuf>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Print JSON lines
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SplitArg {
    Test,
    Validation,
}

/// Points of accuracy by which a model may miss its card: processors round differently.
const CHECK_TOLERANCE_PERCENT: f64 = 0.02;

/// Drawn things that are no digits, of kinds that no training has seen, and their seed.
const STRANGERS: usize = 2_000;
const STRANGERS_SEED: u64 = 1;

pub fn run(args: &EvalArgs) -> Result<u8> {
    let names: Vec<String> = if args.all {
        let further =
            |shipped: &'static shipped::Shipped| shipped.further_names().filter(|_| args.check && !args.redrawn);
        let with_seeds =
            |shipped: &'static shipped::Shipped| std::iter::once(shipped.id.to_owned()).chain(further(shipped));
        shipped::SHIPPED.iter().flat_map(with_seeds).collect()
    } else {
        args.models.clone()
    };
    if names.is_empty() {
        bail!("name a model, or take --all for the shipped ones");
    }
    if args.errors.is_some() && names.len() > 1 {
        bail!("--errors draws the errors of one model, {} are named", names.len());
    }
    let compute = args.compute.open()?;
    let corpus = data::load(&Request::parse(&args.data))?;
    for note in &corpus.notes {
        output::note(note);
    }
    if args.check && (args.split != SplitArg::Test || corpus.source != "mnist") {
        bail!("cards speak of MNIST's test set, so --check judges on nothing else");
    }
    let runs = runs_folder(args.runs.as_deref());
    if args.redrawn {
        return redrawn_digits::run(args, &names, &corpus, &compute, runs.as_deref());
    }
    let mut below = Vec::new();
    for name in names {
        let Known { file, config, .. } = shipped::find_weights(&name, runs.as_deref())?;
        let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(&compute))?;
        let (dataset, indices) = images(args.split, &corpus, config.as_ref())?;
        let loss = config.map(|config| config.loss);
        let evaluation = evaluate(&model, loss, dataset, &indices, |_| ControlFlow::Continue(()))?
            .context("an evaluation nobody stopped has ended early")?;
        if let Some(path) = &args.errors {
            let picture = errors_picture::draw(dataset, &indices, &evaluation.answers);
            picture_file::write_grey(path, picture.width, picture.height, &picture.grey)?;
            output::note(&format!("{} errors drawn in {}", picture.errors, path.display()));
        }
        let accuracy = evaluation.confusion.accuracy();
        let rejection = Rejection::of(&evaluation);
        let for_half_percent = rejection.for_half_percent();
        let thresholds = model.thresholds();
        let strangers = stranger_scores(&model, true, STRANGERS_SEED, STRANGERS)?;
        let decision = Decision::of(&thresholds, &evaluation.answers, &strangers);
        if args.json {
            let mut line = record::evaluation(&evaluation);
            line["model"] = name.clone().into();
            line["rejection"] = json!({
                "for_half_percent": for_half_percent.map(|rejected| rejected.share),
                "curve": rejection.curve().iter().map(|point| [point.share, point.error]).collect::<Vec<_>>(),
            });
            line["decision"] = json!({
                "sure_above": thresholds.sure_above,
                "digit_above": thresholds.digit_above,
                "sure": decision.sure,
                "sure_error": decision.sure_error,
                "digits_refused": decision.digits_refused,
                "strangers_refused": decision.strangers_refused,
                "sure_curve": Decision::sure_curve(&thresholds, &evaluation.answers),
                "digit_curve": Decision::digit_curve(&evaluation.answers, &strangers),
            });
            output::json(&line);
        } else {
            let [low, high] = evaluation.interval();
            output::line(format!(
                "{name:<10} {} of {} images ({} to {}), macro F1 {:.4}, loss {:.4}, {:.2} s",
                output::percent(accuracy),
                evaluation.confusion.images(),
                output::percent(low),
                output::percent(high),
                evaluation.confusion.macro_f1(),
                evaluation.loss,
                evaluation.seconds
            ));
            output::line(match for_half_percent {
                Some(rejected) => {
                    format!("{:<10} 0.50 % error with {} of the images rejected", "", output::percent(rejected.share))
                }
                None => format!("{:<10} 0.50 % error cannot be had by rejecting", ""),
            });
            output::line(format!(
                "{:<10} {} answered surely, {} of these wrong; refused as no digit: {} of the digits, {} of {STRANGERS} letters, signs and scribbles",
                "",
                output::percent(decision.sure),
                output::percent(decision.sure_error),
                output::percent(decision.digits_refused),
                output::percent(decision.strangers_refused),
            ));
        }
        if args.check {
            let told = shipped::accuracy_of(&name)?;
            if 100.0 * accuracy < 100.0 * told - CHECK_TOLERANCE_PERCENT {
                below.push(format!(
                    "{name} reaches {}, its card says {}",
                    output::percent(accuracy),
                    output::percent(told)
                ));
            }
        }
    }
    if below.is_empty() {
        if args.check && !args.json {
            output::line("every model reaches its card");
        }
        return Ok(0);
    }
    bail!("{}", below.join("; "))
}

/// The images of a split; the validation images are those that the model's own training kept aside.
fn images<'a>(
    split: SplitArg,
    corpus: &'a Corpus,
    config: Option<&TrainingConfig>,
) -> Result<(&'a data::Dataset, Vec<u32>)> {
    Ok(match split {
        SplitArg::Test => (&corpus.test, (0..corpus.test.len() as u32).collect()),
        SplitArg::Validation => (&corpus.train, validation_images(config, corpus)?),
    })
}
