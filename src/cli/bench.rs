//! `digitpad bench`: seconds of training and reading, on drawn digits, so that it runs anywhere.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::{ComputeArgs, output};
use crate::data::{Corpus, Drawn, ImagesBeside};
use crate::inference::{TrainedModel, evaluate};
use crate::models::{self, Architecture, Backward};
use crate::nn::Compute;
use crate::optim::OptimizerConfig;
use crate::storage::shipped;
use crate::training::{self, Event, Stop, TrainingConfig, TrainingData};

#[derive(Args)]
pub struct BenchArgs {
    /// Models; all by default
    #[arg(long = "model", value_name = "ID")]
    models: Vec<String>,
    /// Images per update
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,
    /// Images per measurement
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(64..=60_000))]
    images: u32,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// Measurements of each kind; the median is told with the least and the greatest.
const ROUNDS: usize = 5;

pub fn run(args: &BenchArgs) -> Result<u8> {
    let compute = args.compute.open()?;
    let architectures: Vec<&'static Architecture> = if args.models.is_empty() {
        models::trainable().collect()
    } else {
        args.models
            .iter()
            .map(|id| models::find(id).with_context(|| format!("there is no model \"{id}\"")))
            .collect::<Result<_>>()?
    };
    let drawn = Drawn { train: args.images as usize, test: 0, seed: 1 };
    let corpus = Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(()))?);
    for architecture in architectures {
        let bench = Bench { args, architecture, compute: &compute, corpus: &corpus };
        // what is made of other models is only asked
        let learns = architecture.backward != Backward::Nothing;
        if learns {
            bench.report("train", args.batch_size, bench.train(args.batch_size, args.images as usize, 60_000.0, None)?);
        }
        bench.report("forward", 64, bench.forward()?);
        bench.report("latency", 1, bench.latency()?);
        if learns {
            bench.report("pattern", 1, bench.train(1, 1_000, 1_000.0, OptimizerConfig::find("sgd"))?);
        }
    }
    Ok(0)
}

struct Bench<'a> {
    args: &'a BenchArgs,
    architecture: &'static Architecture,
    compute: &'a Arc<Compute>,
    corpus: &'a Arc<Corpus>,
}

impl Bench<'_> {
    /// Seconds for `per` images of training, from `images` in one epoch; the first round warms up and does not count.
    /// With the preset's optimiser, unless another is named.
    fn train(
        &self,
        batch_size: usize,
        images: usize,
        per: f64,
        optimizer: Option<OptimizerConfig>,
    ) -> Result<Vec<f64>> {
        let preset = shipped::find(self.architecture.id).context("every model has a preset")?.config()?;
        let optimizer = optimizer.unwrap_or(preset.optimizer);
        let config = TrainingConfig {
            batch_size,
            epochs: 1,
            validation: 0,
            augmentation: Default::default(),
            optimizer,
            ..preset
        };
        let train: Vec<u32> = (0..images.min(self.corpus.train.len()) as u32).collect();
        let count = train.len();
        let data = TrainingData {
            corpus: Arc::clone(self.corpus),
            train,
            beside: ImagesBeside::default(),
            validation: Vec::new(),
        };
        let mut rounds = Vec::new();
        for _ in 0..=ROUNDS {
            training::run(&config, &data, self.compute, None, &mut |event, _| match event {
                Event::Epoch(summary) => {
                    rounds.push(summary.seconds * per / count as f64);
                    ControlFlow::Break(Stop)
                }
                _ => ControlFlow::Continue(None),
            })?;
        }
        rounds.remove(0);
        Ok(rounds)
    }

    fn model(&self) -> Result<TrainedModel> {
        let file = shipped::find(self.architecture.id).context("every model is shipped")?.weights()?;
        TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(self.compute))
    }

    /// Seconds for 10,000 images.
    fn forward(&self) -> Result<Vec<f64>> {
        let model = self.model()?;
        let all: Vec<u32> = (0..self.corpus.train.len() as u32).collect();
        let mut rounds = Vec::new();
        for _ in 0..=ROUNDS {
            let evaluation = evaluate(&model, None, &self.corpus.train, &all, |_| ControlFlow::Continue(()))?;
            rounds.push(evaluation.context("an evaluation nobody stopped")?.seconds * 10_000.0 / all.len() as f64);
        }
        rounds.remove(0);
        Ok(rounds)
    }

    /// Seconds for one image, each round the mean of 200.
    fn latency(&self) -> Result<Vec<f64>> {
        let model = self.model()?;
        let mut rounds = Vec::new();
        for _ in 0..=ROUNDS {
            let start = Instant::now();
            for i in 0..200 {
                model.predict(self.corpus.train.image(i % self.corpus.train.len()))?;
            }
            rounds.push(start.elapsed().as_secs_f64() / 200.0);
        }
        rounds.remove(0);
        Ok(rounds)
    }

    fn report(&self, what: &str, batch_size: usize, mut seconds: Vec<f64>) {
        seconds.sort_by(f64::total_cmp);
        let (median, min, max) = (seconds[seconds.len() / 2], seconds[0], seconds[seconds.len() - 1]);
        if self.args.json {
            output::json(&json!({
                "model": self.architecture.id, "device": self.compute.device_id(), "threads": self.compute.threads(),
                "batch_size": batch_size, "what": what, "seconds": median, "min": min, "max": max,
            }));
            return;
        }
        let unit = match what {
            "train" => "s per epoch of 60,000",
            "forward" => "s per 10,000 images",
            "latency" => "s per image",
            _ => "s per 1,000 single-pattern updates",
        };
        output::line(format!(
            "{:<10} {what:<8} batch {batch_size:<4} {median:>10.6} {unit} ({min:.6} to {max:.6})",
            self.architecture.id
        ));
    }
}
