//! `digitpad resume`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::training_output::{CheckpointArgs, TrainingOutput};
use super::{ComputeArgs, output, train};
use crate::storage::places::runs_folder;
use crate::storage::recorded_run::{self, Recording};
use crate::storage::resumption::{self, Opened};
use crate::storage::run_folder;

#[derive(Args)]
pub struct ResumeArgs {
    /// The run: its folder, its name with or without stamp, or last
    #[arg(value_name = "RUN")]
    run: String,
    /// Epochs in all, where the learning rate does not stretch over them
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    checkpoints: CheckpointArgs,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ResumeArgs) -> Result<u8> {
    let runs =
        runs_folder(args.runs.as_deref()).context("this system names no folder for runs; name one with --runs")?;
    let folder = run_folder::find_or_say(&runs, &args.run)?;
    let resumption = match resumption::open(&folder, args.epochs)? {
        Opened::Finished(metrics) => {
            tell_finished(&folder, &metrics, args.json);
            return Ok(0);
        }
        Opened::Unfinished(resumption) => *resumption,
    };
    let config = resumption.config().clone();
    let step = resumption.position().map_or(0, |position| position.step);
    let compute = args.compute.open()?;
    let data = train::load(&config)?;
    let mut output = TrainingOutput::new(args.json, &config, &data, &compute)?;
    let teller = output.teller();
    let result = recorded_run::resume(
        resumption,
        &data,
        &compute,
        Recording { runs: &runs, name: &config.model, checkpoint_every: args.checkpoints.every() },
        &mut |folder, start| teller.begun(folder, start, step),
        &mut |warning| output::note(&warning),
        &mut |event, _| output.saw(&event),
    )?;
    Ok(output.end(&config, &result))
}

/// There is nothing to do, and what there was to do is told.
fn tell_finished(folder: &std::path::Path, metrics: &Value, json: bool) {
    if json {
        let mut line = json!({"event": "finished", "run": folder});
        for key in ["ending", "epochs", "updates", "seconds", "best_epoch", "weights_sha256", "test", "fine_tuning"] {
            if !metrics[key].is_null() {
                line[key] = metrics[key].clone();
            }
        }
        output::json(&line);
        return;
    }
    let (how, advice) = match metrics["ending"] == "early-stopped" {
        true => ("stopped early", "to go farther, train anew with another [early_stopping]"),
        false => ("is complete", "--epochs N trains more where the learning rate permits it"),
    };
    output::line(format!(
        "this run {how} after {} epochs, nothing is left to do; {advice}: {}",
        metrics["epochs"],
        folder.display()
    ));
}
