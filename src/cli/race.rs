//! `digitpad race`: optimisers from the same weights on the same batches.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::train::load;
use super::training_output::{INTERRUPTED, interruption};
use super::{ComputeArgs, output};
use crate::optim::OptimizerConfig;
use crate::storage::shipped;
use crate::training::{RACE_AIM, Race, RaceEvent, RaceLane, RaceStanding, Stop, TrainingConfig};

/// Optimisers from the same weights, on the same batches in the same order, in lock-step
///
/// An update of conjugate gradient reads all training images, mostly several times. It makes its next one as soon as the others
/// have read as many images as it has, and stands where those images put it, counted in batches. After its first it makes none that
/// would read beyond the end: over one epoch that first one is often the only one. With --train-limit 5000 --updates 1000 it makes
/// several. Seconds are those of a lane's own updates. Images are plain and of the data set alone, learning rates constant.
#[derive(Args)]
pub struct RaceArgs {
    /// The model that every lane trains
    #[arg(long, value_name = "ID", default_value = "lenet5")]
    model: String,
    /// Some of sgd, momentum, adam, adamw, sdlm and conjugate-gradient, each with a learning rate of its own after a colon if
    /// you like (adam:0.003); all that can train the model by default
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    optimizers: Vec<String>,
    /// Passes of the batches over the training images. Usually 1
    #[arg(long, value_name = "N", conflicts_with = "updates")]
    epochs: Option<u32>,
    /// Batches that every lane meets, in place of whole epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    updates: Option<u64>,
    /// Images per update. Usually 32
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Train on only so many images; the fewer, the more updates conjugate gradient makes
    #[arg(long, value_name = "N")]
    train_limit: Option<usize>,
    /// Images kept for validation; at most 2,000 of them judge
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// mnist, drawn, or a folder with IDX files or CIFAR-10's binary ones
    #[arg(long, value_name = "SOURCE|DIR")]
    data: Option<String>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

impl RaceArgs {
    fn race(&self) -> Result<Race> {
        let preset = shipped::find(&self.model).with_context(|| {
            let known: Vec<&str> = shipped::SHIPPED.iter().map(|model| model.id).collect();
            format!("there is no model \"{}\" with settings of its own; known are {}", self.model, known.join(", "))
        })?;
        let usual = Race::base_of(preset.config()?);
        let base = TrainingConfig {
            epochs: self.epochs.unwrap_or(usual.epochs),
            batch_size: self.batch_size.unwrap_or(usual.batch_size),
            seed: self.seed.unwrap_or(usual.seed),
            train_limit: self.train_limit,
            validation: self.validation.unwrap_or(usual.validation),
            data: self.data.clone().unwrap_or_else(|| usual.data.clone()),
            ..usual
        };
        let lanes = match self.optimizers.is_empty() {
            true => Race::lanes_of(&base),
            false => self.optimizers.iter().map(|named| lane(named, &base)).collect::<Result<_>>()?,
        };
        let mut race = Race::new(base, lanes);
        race.updates = self.updates;
        race.validate()?;
        Ok(race)
    }
}

/// "adam", or "adam:0.003".
fn lane(named: &str, base: &TrainingConfig) -> Result<RaceLane> {
    let (id, rate) = named.split_once(':').map_or((named, None), |(id, rate)| (id, Some(rate)));
    let optimizer = OptimizerConfig::find(id).with_context(|| {
        let known = OptimizerConfig::CHOICES.map(|(id, ..)| id).join(", ");
        format!("there is no optimiser \"{id}\"; known are {known}")
    })?;
    let usual = RaceLane::usual(optimizer, base);
    let learning_rate = match rate {
        Some(rate) => rate.parse().with_context(|| format!("\"{rate}\" is no learning rate, in \"{named}\""))?,
        None => usual.learning_rate,
    };
    Ok(RaceLane { learning_rate, ..usual })
}

pub fn run(args: &RaceArgs) -> Result<u8> {
    let race = args.race()?;
    let compute = args.compute.open()?;
    let data = load(race.base())?;
    let interrupted = interruption()?;
    let bar = output::progress(0, "{bar:30} {pos}/{len} updates, {eta} left");
    if args.json {
        let lane = |lane: &RaceLane| json!({"optimizer": lane.optimizer.id(), "learning_rate": lane.learning_rate});
        output::json(&json!({
            "event": "started", "model": race.base().model, "seed": race.base().seed, "batch_size": race.base().batch_size,
            "train_images": data.train.len(), "validation_images": data.validation.len(),
            "device": compute.device_id(), "threads": compute.threads(),
            "lanes": race.lanes.iter().map(lane).collect::<Vec<_>>(),
        }));
    } else {
        output::line(format!(
            "{}, {} training images in batches of {}, seed {}, {}",
            race.base().model,
            data.train.len(),
            race.base().batch_size,
            race.base().seed,
            compute.describe()
        ));
    }
    let mut standings = vec![RaceStanding::default(); race.lanes.len()];
    let ended = race.run(&data, &compute, &mut |event| {
        if let RaceEvent::Round { update, updates } = event {
            bar.set_length(updates);
            bar.set_position(update);
        }
        if let Some(lane) = event.lane() {
            standings[lane].take(&event);
            if args.json {
                output::json(&line(&event, lane, race.lanes[lane].optimizer.id()));
            }
        }
        if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
    })?;
    bar.finish_and_clear();
    for (lane, standing) in race.lanes.iter().zip(&standings) {
        tell(lane, standing, args.json);
    }
    if ended.is_break() {
        output::note("stopped; a race begins anew next time");
        return Ok(INTERRUPTED);
    }
    Ok(0)
}

/// What was told of a lane, as JSON.
fn line(event: &RaceEvent, lane: usize, id: &str) -> Value {
    match *event {
        RaceEvent::Round { .. } | RaceEvent::Reading => Value::Null,
        RaceEvent::Update { step, place, loss, seconds, .. } => json!({
            "event": "step", "lane": lane, "optimizer": id, "step": step, "place": place, "loss": loss, "seconds": seconds,
        }),
        RaceEvent::Judged { step, place, seconds, accuracy, loss, .. } => json!({
            "event": "judged", "lane": lane, "optimizer": id, "step": step, "place": place,
            "validation_accuracy": accuracy, "validation_loss": loss, "seconds": seconds,
        }),
        RaceEvent::Diverged { step, why, .. } => {
            json!({"event": "diverged", "lane": lane, "optimizer": id, "step": step, "why": why.sentence()})
        }
    }
}

fn tell(lane: &RaceLane, standing: &RaceStanding, json: bool) {
    let id = lane.optimizer.id();
    let RaceStanding { step, place, seconds, loss, accuracy, arrived, diverged } = standing;
    if json {
        output::json(&json!({
            "event": "finished", "optimizer": id, "learning_rate": lane.learning_rate, "step": step, "place": place,
            "seconds": seconds, "loss": loss, "validation_accuracy": accuracy,
            "diverged": diverged.map(|why| why.sentence()), "aim": RACE_AIM,
            "aim_place": arrived.map(|(place, _)| place), "aim_seconds": arrived.map(|(_, seconds)| seconds),
        }));
        return;
    }
    let accuracy = accuracy.map_or_else(String::new, output::percent);
    let aim = match (diverged, arrived) {
        (Some(why), _) => format!("diverged: {}", why.sentence()),
        (None, Some((place, seconds))) => {
            format!("{} after {place:.0} updates, {seconds:.1} s", output::percent(RACE_AIM))
        }
        (None, None) => format!("{} not reached", output::percent(RACE_AIM)),
    };
    // what reads all images has made fewer updates than it has read batches
    let read = if (*place - *step as f64).abs() > 0.5 { format!(" ({place:.0} batches read)") } else { String::new() };
    let loss = loss.map_or_else(String::new, |loss| format!("{loss:.4}"));
    output::line(format!(
        "{id:<20} rate {:<8} loss {loss:<8} {accuracy:>8}  {step} updates{read}, {seconds:.1} s; {aim}",
        lane.learning_rate
    ));
}
