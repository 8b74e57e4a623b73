//! One run from start to end, on the threads of its [`Compute`]; the calling thread waits. Knows no channel, no file and no screen: whoever calls watches
//! through one callback, and blocking in it is how a run is paused. Between any two updates a run can be left and gone on with
//! later, to the same bits ([`Checkpoint`]).

mod batches;
mod checkpoint;
pub mod checks;
mod clock;
mod config;
mod early_stopping;
mod event;
mod exact;
mod lesson;
mod live;
mod objective;
mod pixels;
mod race;
mod run;
mod steering;
pub mod toml_place;
mod training_data;
mod transfer;
mod whole_set;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};

pub use batches::first_images;
pub use checkpoint::{BestEpoch, Checkpoint, Met, Position, Resumable};
pub use clock::Clock;
pub use config::{Chosen, ConfigError, Order, TrainingConfig};
pub use early_stopping::EarlyStopping;
pub use event::{Divergence, Ending, EpochSummary, Event, Outcome, Stop, Tick};
pub use lesson::Lesson;
pub use live::{LiveChange, LiveSettings, Pace};
pub use race::{RACE_AIM, Race, RaceEvent, RaceLane, RaceStanding, RaceWatch};
pub use training_data::{TrainingData, validation_images};
pub use transfer::{describe_transfer, plan_transfer};

use crate::data::stratified_limit;
use crate::inference::{DeadUnits, Evaluation, Thresholds, TrainedModel, evaluate};
use crate::models::Architecture;
use crate::nn::{Compute, ParamStore, Weights};
use crate::optim::RateCurve;
use objective::Objective;
use run::{Best, Run};
use steering::Steering;

/// Validation images of a tick, the same at every tick, every digit in its share.
const TICK_IMAGES: usize = 1_000;
/// Who watches a run, from a thread of its pool.
pub type Observer<'a> = &'a mut (dyn FnMut(Event<'_>, &mut Clock) -> ControlFlow<Stop, Option<LiveSettings>> + Send);

/// Trains as `config` says, from `start` (the weights that its `from` names) or from fresh parameters, and tells `observe`
/// what happens.
///
/// `observe` may block (the run waits; it stops the run's clock meanwhile, so that a pause is no time of training), change what may change while a run goes on, or stop it. Diverging is an
/// [`Ending`], not an error; errors are a configuration that cannot be, weights of which nothing fits, or a device that
/// fails.
pub fn run(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    start: Option<&Weights>,
    observe: Observer<'_>,
) -> Result<Outcome> {
    begin(config, data, compute, Origin::Start(start), (&[], observe))
}

/// Where a run begins.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// At its first update, from the weights that its `from` names or from fresh parameters.
    Start(Option<&'a Weights>),
    /// At a checkpoint of its own: it goes on to the same bits as if it had never been left. The data must be those of before.
    Checkpoint(&'a Checkpoint),
}

/// As [`run`], from any place of a run. `live` are the changes that were made while it went on before; they are made again
/// at the same updates.
///
/// # Errors
/// Those of [`run`], and a checkpoint that does not fit the configuration.
pub fn begin(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    origin: Origin<'_>,
    (live, observe): (&[LiveChange], Observer<'_>),
) -> Result<Outcome> {
    // inside the pool from start to end: an update that had to wake its threads would wait longer than it computes
    compute.pool.install(|| run_in_pool(config, data, compute, origin, Steering::new(observe, live)))
}

fn run_in_pool(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    origin: Origin<'_>,
    steering: Steering<'_>,
) -> Result<Outcome> {
    config.validate()?;
    anyhow::ensure!(!data.train.is_empty(), "there is no image to train on");
    let architecture = config.architecture()?;
    let network = config.network()?;
    let mut params = match origin {
        Origin::Start(_) => ParamStore::initialise_by(&network, config.initialisation, config.seed, &compute.device)?,
        Origin::Checkpoint(checkpoint) => ParamStore::from_weights(&network, &checkpoint.weights, &compute.device)?,
    };
    match (origin, &config.from) {
        (Origin::Start(Some(weights)), _) => {
            params.copy_layers(&network, &plan_transfer(config, weights)?, weights)?;
        }
        (Origin::Start(None), Some(from)) => {
            anyhow::bail!("the run starts from {from}, and its weights were not brought")
        }
        (Origin::Start(None), None) | (Origin::Checkpoint(_), _) => {}
    }
    let frozen = config.frozen_layers(&network)?;
    params.freeze(network.params_up_to(frozen));
    let mut optimizer = config.optimizer.build(&params)?;
    if let Origin::Checkpoint(checkpoint) = origin {
        optimizer.restore(&params, &checkpoint.optimizer).context("the checkpoint is of another optimiser")?;
    }
    let pixels = pixels::choose(&network, &params, data, matches!(origin, Origin::Start(None)))?;
    let updates_per_epoch = config.updates_per_epoch(data.train.len());
    // after an update that reads all training images a look at all validation images takes no time
    let tick_images = match optimizer.asks_for_all_images() {
        true => data.validation.clone(),
        false => stratified_limit(data.corpus.train.labels(), &data.validation, TICK_IMAGES, config.seed),
    };
    let fixed = Fixed {
        config,
        data,
        compute,
        architecture,
        objective: Objective::new(architecture, &network, config.loss, compute).freezing(frozen),
        params,
        schedule: config.rate_curve(updates_per_epoch * u64::from(config.epochs)),
        updates_per_epoch,
        reads_all_images: optimizer.asks_for_all_images(),
        tick_images,
        pixels,
    };
    let (position, best) = match origin {
        Origin::Start(_) => (Position { learning_rate: config.learning_rate, ..Position::default() }, None),
        Origin::Checkpoint(Checkpoint { position, best, .. }) => {
            (position.clone(), best.clone().map(|weights| Best { weights, answers: None }))
        }
    };
    Run::new(&fixed, optimizer, steering, (position, best))?.drive()
}

/// What stays as it is from the first update to the last; the values of the parameters move inside their store.
struct Fixed<'a> {
    config: &'a TrainingConfig,
    data: &'a TrainingData,
    compute: &'a Arc<Compute>,
    architecture: &'static Architecture,
    objective: Objective<'a>,
    params: ParamStore,
    schedule: RateCurve,
    /// At the batch size that the run was begun with.
    updates_per_epoch: u64,
    /// Updates do not come in batches.
    reads_all_images: bool,
    tick_images: Vec<u32>,
    pixels: Option<(usize, usize)>,
}

impl Fixed<'_> {
    /// The units that no image of a quick look wakes. Measured, and steering nothing.
    fn dead_units(&self, weights: &Weights) -> Result<Vec<DeadUnits>> {
        let model = TrainedModel::new(self.architecture, weights, Thresholds::default(), Arc::clone(self.compute))?;
        let images = &self.data.corpus.train;
        let images: Vec<&[u8]> = self.tick_images.iter().map(|&n| images.image(n as usize).as_slice()).collect();
        model.dead_units(&images)
    }

    /// The answers of a network with these weights.
    fn judge(&self, weights: &Weights, images: &[u32]) -> Result<Evaluation> {
        let model = TrainedModel::new(self.architecture, weights, Thresholds::default(), Arc::clone(self.compute))?;
        let go_on = |_| ControlFlow::Continue(());
        let evaluation = evaluate(&model, Some(self.config.loss), &self.data.corpus.train, images, go_on)?;
        evaluation.context("an evaluation nobody stopped has ended early")
    }
}
