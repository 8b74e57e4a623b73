//! `digitpad check`: whether models can learn at all.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::training_output::{INTERRUPTED, interruption};
use super::{ComputeArgs, output};
use crate::data::{self, Drawn, Request};
use crate::models;
use crate::storage::shipped;
use crate::training::checks::Check;

/// Sanity checks of models: 128 images are learnt by heart within 50 epochs (overfit-128); labels drawn by chance leave
/// unseen images at chance, 8 to 12 % right (random-labels); the loss of one batch goes to near zero (one-batch)
///
/// Every model is checked with its own optimiser, initialisation, loss and learning rate, in batches of at most 32 images,
/// without distortions, dropout, label smoothing, weight decay and early stopping, and with a constant schedule. Models of
/// 1998 go on learning pattern by pattern.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CheckArgs {
    /// Models; all that can be trained by default
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// Images to check with: drawn ones by default, mnist, or a folder
    #[arg(long, value_name = "SOURCE|DIR")]
    data: Option<String>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: &CheckArgs) -> Result<u8> {
    let mut recommended = Vec::new();
    for id in &args.models {
        let known = || models::trainable().map(|model| model.id).collect::<Vec<_>>().join(", ");
        let model = models::trainable().find(|model| model.id == id);
        let model = model.with_context(|| format!("there is no model \"{id}\" to train; known are {}", known()))?;
        recommended.push(model.id);
    }
    if recommended.is_empty() {
        recommended = models::trainable().map(|model| model.id).collect();
    }
    let compute = args.compute.open()?;
    let corpus = Arc::new(match &args.data {
        Some(source) => data::load(&Request::parse(source))?,
        None => compute.pool.install(|| {
            let drawn = Drawn { train: Check::IMAGES, test: 0, seed: 1 };
            drawn.generate(&mut |_, _| ControlFlow::Continue(()))
        })?,
    });
    let interrupted = interruption()?;
    let mut failures = Vec::new();
    for id in recommended {
        let config = shipped::find(id).with_context(|| format!("{id} has no settings of its own"))?.config()?;
        for check in Check::ALL {
            let mut goes_on = || !interrupted.load(Ordering::Relaxed);
            let Some(found) = check.run(&config, &corpus, &compute, &mut goes_on)? else { return Ok(INTERRUPTED) };
            if args.json {
                output::json(&json!({
                    "model": id, "check": check.id(), "passed": found.passed, "value": found.value,
                    "epochs": found.epochs, "seconds": found.seconds,
                }));
            } else {
                let mark = if found.passed { "passed" } else { "FAILED" };
                output::line(format!(
                    "{id:<26} {:<14} {mark}  {:>5.1} s  {}",
                    check.id(),
                    found.seconds,
                    found.sentence
                ));
            }
            if !found.passed {
                failures.push(format!("{id} fails {}: {}", check.id(), found.sentence));
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(0)
}
