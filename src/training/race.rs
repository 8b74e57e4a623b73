//! Optimisers against each other: networks that begin with the same weights and meet the same batches in the same order, an
//! update of each after the other. Told like runs through one callback, without threads of its own.
//!
//! Where a lane stands is counted in batches that it has read. For optimisers that move by single gradients that is the number
//! of their updates. An update of conjugate gradient reads all training images, mostly several times: it makes its next one as
//! soon as the others have read as many images as it has, and stands where the images it has read put it. After its first it
//! makes none that would read beyond the race's end, by what those before have read. A lane's time is that of its own updates,
//! SDLM's curvatures included; making batches, judging and the other lanes are left out.

mod told;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

pub use told::{RACE_AIM, RaceEvent, RaceStanding};

use super::batches::{Batch, EpochOrder};
use super::objective::{Gradients, Objective};
use super::run::{HOPELESS_DISTANCE, move_distance};
use super::whole_set::WholeSet;
use super::{Divergence, Stop, TrainingConfig, TrainingData, pixels};
use crate::data::{Augmentation, Beside, stratified_limit};
use crate::inference::{Thresholds, TrainedModel, evaluate};
use crate::models::Architecture;
use crate::nn::{Compute, ParamStore};
use crate::optim::{Optimizer, OptimizerConfig, Schedule};

/// Validation images that judge every lane at the same updates, at most.
const JUDGES: usize = 2_000;
/// Judgements of a race, about.
const JUDGEMENTS: u64 = 50;
/// One optimiser of a race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RaceLane {
    pub optimizer: OptimizerConfig,
    /// From the first update to the last.
    pub learning_rate: f64,
}

/// What is raced.
#[derive(Clone, Debug, PartialEq)]
pub struct Race {
    /// What all lanes have in common; its own optimiser and learning rate count for nothing.
    base: TrainingConfig,
    pub lanes: Vec<RaceLane>,
    /// Of every lane that moves by single gradients; `None` for as many as the epochs of the base have.
    pub updates: Option<u64>,
}

/// Who watches a race, from a thread of its pool.
pub type RaceWatch<'a> = &'a mut (dyn FnMut(RaceEvent) -> ControlFlow<Stop> + Send);

impl RaceLane {
    /// With a learning rate that usually works with the loss and the batches of this base.
    pub fn usual(optimizer: OptimizerConfig, base: &TrainingConfig) -> Self {
        let learning_rate = match optimizer {
            // squared distances to codes of 84 units have gradients that are larger by orders
            OptimizerConfig::Sgd { momentum, .. } if base.loss.is_of_distances() => {
                if momentum == 0.0 {
                    0.003
                } else {
                    0.001
                }
            }
            OptimizerConfig::Sdlm { .. } if base.loss.is_of_distances() => 0.002,
            // its usual rate is for single patterns; the mean over a batch is steadier, and allows longer steps
            OptimizerConfig::Sdlm { .. } => optimizer.usual_learning_rate() * base.batch_size.min(SDLM_BATCH) as f64,
            _ => optimizer.usual_learning_rate(),
        };
        Self { optimizer, learning_rate }
    }
}

/// Steps of SDLM grow with the batch up to this size.
const SDLM_BATCH: usize = 32;

impl Race {
    /// Images of a batch unless somebody says otherwise: networks that learn pattern by pattern race in batches too.
    const BATCH: usize = 32;

    /// What races usually have in common: a model's own settings, in batches of 32, with images kept to judge by.
    pub fn base_of(own: TrainingConfig) -> TrainingConfig {
        let validation = if own.validation == 0 { 5_000 } else { own.validation };
        TrainingConfig { epochs: 1, batch_size: Self::BATCH, validation, train_limit: None, ..own }
    }

    /// A race over the epochs of `base`, on plain images of the data set alone at constant learning rates: what bends or clips
    /// steps, stops early, starts from other weights or trains beside the data set is left out.
    pub fn new(base: TrainingConfig, lanes: Vec<RaceLane>) -> Self {
        let base = TrainingConfig {
            schedule: Schedule::Constant,
            warm_up: 0.0,
            clip_norm: None,
            early_stopping: None,
            from: None,
            freeze_up_to: None,
            augmentation: Augmentation::default(),
            beside: Beside::default(),
            keep_epochs: false,
            ..base
        };
        Self { base, lanes, updates: None }
    }

    /// Every optimiser that can train the model of `base`, with its usual rate.
    pub fn lanes_of(base: &TrainingConfig) -> Vec<RaceLane> {
        let lanes = OptimizerConfig::CHOICES.iter().map(|(.., optimizer)| RaceLane::usual(*optimizer, base));
        lanes.filter(|lane| Self::new(base.clone(), vec![*lane]).validate().is_ok()).collect()
    }

    /// What all lanes have in common.
    pub fn base(&self) -> &TrainingConfig {
        &self.base
    }

    /// The configuration of an ordinary run that a lane equals to the bit.
    pub fn config(&self, lane: &RaceLane) -> TrainingConfig {
        TrainingConfig { optimizer: lane.optimizer, learning_rate: lane.learning_rate, ..self.base.clone() }
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> Result<()> {
        self.base.validate()?;
        ensure!(!self.lanes.is_empty(), "a race needs an optimiser at least");
        ensure!(self.updates != Some(0), "a race of 0 updates is none");
        for lane in &self.lanes {
            self.config(lane).validate().with_context(|| format!("{} cannot race", lane.optimizer.id()))?;
        }
        Ok(())
    }

    /// Runs to the end; breaks where `watch` has ended it. Same configuration, same curves by update, whatever the threads.
    ///
    /// # Errors
    /// A lane that cannot be, no images to train on, or a device that fails. Diverging is none.
    pub fn run(&self, data: &TrainingData, compute: &Arc<Compute>, watch: RaceWatch<'_>) -> Result<ControlFlow<Stop>> {
        compute.pool.install(|| self.run_in_pool(data, compute, watch))
    }

    fn run_in_pool(
        &self,
        data: &TrainingData,
        compute: &Arc<Compute>,
        watch: RaceWatch<'_>,
    ) -> Result<ControlFlow<Stop>> {
        self.validate()?;
        ensure!(!data.train.is_empty(), "there is no image to train on");
        let (architecture, network) = (self.base.architecture()?, self.base.network()?);
        let objective = Objective::new(architecture, &network, self.base.loss, compute);
        let begin = |_: &RaceLane| {
            let (initialisation, seed) = (self.base.initialisation, self.base.seed);
            let params = ParamStore::initialise_by(&network, initialisation, seed, &compute.device)?;
            pixels::choose(&network, &params, data, true)?;
            Ok(params)
        };
        let stores: Vec<ParamStore> = self.lanes.iter().map(begin).collect::<Result<_>>()?;
        let configs: Vec<TrainingConfig> = self.lanes.iter().map(|lane| self.config(lane)).collect();
        let judges = stratified_limit(data.corpus.train.labels(), &data.validation, JUDGES, self.base.seed);
        let track = Track { data, compute, architecture, objective: &objective, judges };
        let mut lanes: Vec<Lane<'_>> = configs
            .iter()
            .zip(&stores)
            .enumerate()
            .map(|(number, (config, params))| Lane::new(number, config, params, &track))
            .collect::<Result<_>>()?;
        self.drive(&track, &mut lanes, watch)
    }

    fn drive<'a>(
        &'a self,
        track: &'a Track<'a>,
        lanes: &mut [Lane<'a>],
        watch: RaceWatch<'_>,
    ) -> Result<ControlFlow<Stop>> {
        let (images, size) = (track.data.train.len(), self.base.batch_size);
        let per_epoch = images.div_ceil(size) as u64;
        let updates = self.updates.unwrap_or(per_epoch * u64::from(self.base.epochs));
        let met_after = |update: u64| (update / per_epoch) as usize * images + (update % per_epoch) as usize * size;
        let judge_every = (updates / JUDGEMENTS).max(1);
        let mut flow = judge_all(lanes, watch)?;
        let mut order = None;
        for update in 0..updates {
            let epoch = u32::try_from(update / per_epoch)?.saturating_add(1);
            let from = (update % per_epoch) as usize * size;
            if from == 0 {
                order = None;
            }
            let order = order.get_or_insert_with(|| EpochOrder::new(&self.base, track.data, epoch));
            let batch = order.batch(from, size, &self.base.augmentation);
            let met = met_after(update);
            for lane in &mut *lanes {
                if flow.is_break() {
                    return Ok(flow);
                }
                flow = lane.go(&batch, (epoch, from == 0), (met, met_after(updates)), watch)?;
            }
            if flow.is_continue() {
                flow = watch(RaceEvent::Round { update: update + 1, updates });
            }
            if flow.is_continue() && ((update + 1) % judge_every == 0 || update + 1 == updates) {
                flow = judge_all(lanes, watch)?;
            }
            if flow.is_break() || lanes.iter().all(|lane| lane.rests) {
                return Ok(flow);
            }
        }
        Ok(flow)
    }
}

/// Judges every lane that moves by single gradients; the others are judged after each of their own few updates.
fn judge_all(lanes: &mut [Lane<'_>], watch: RaceWatch<'_>) -> Result<ControlFlow<Stop>> {
    for lane in lanes {
        let is_due = lane.step == 0 || !lane.optimizer.asks_for_all_images();
        if is_due && lane.judge(watch)?.is_break() {
            return Ok(ControlFlow::Break(Stop));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// What all lanes have in common.
struct Track<'a> {
    data: &'a TrainingData,
    compute: &'a Arc<Compute>,
    architecture: &'static Architecture,
    objective: &'a Objective<'a>,
    judges: Vec<u32>,
}

/// A network on its way.
struct Lane<'a> {
    number: usize,
    config: &'a TrainingConfig,
    params: &'a ParamStore,
    track: &'a Track<'a>,
    optimizer: Box<dyn Optimizer>,
    /// Of the lane's own epoch under way, where an update reads all images.
    all: Option<WholeSet<'a>>,
    step: u64,
    images_read: usize,
    seconds: f64,
    /// As runs watch it.
    distance: f64,
    /// It has diverged.
    rests: bool,
}

impl<'a> Lane<'a> {
    fn new(number: usize, config: &'a TrainingConfig, params: &'a ParamStore, track: &'a Track<'a>) -> Result<Self> {
        let optimizer = config.optimizer.build(params)?;
        Ok(Self {
            number,
            config,
            params,
            track,
            optimizer,
            all: None,
            step: 0,
            images_read: 0,
            seconds: 0.0,
            distance: 0.0,
            rests: false,
        })
    }

    /// Its share of a round: an update, unless it rests, or is ahead of the images that the others have met so far; `all` are
    /// those that they will have met at the end.
    fn go(
        &mut self,
        batch: &Batch,
        (epoch, begins_epoch): (u32, bool),
        (met, all): (usize, usize),
        watch: RaceWatch<'_>,
    ) -> Result<ControlFlow<Stop>> {
        if self.rests {
            return Ok(ControlFlow::Continue(()));
        }
        if self.optimizer.asks_for_all_images() {
            let goes_on = self.images_read <= met && (self.step == 0 || self.read_by_next() <= all);
            return if goes_on { self.improve(watch) } else { Ok(ControlFlow::Continue(())) };
        }
        let began = Instant::now();
        let (objective, params) = (self.track.objective, self.params);
        if begins_epoch && let Some(patterns) = self.optimizer.curvature_patterns() {
            let curvature = objective.curvature_of_epoch(params, self.track.data, self.config, (epoch, patterns))?;
            self.optimizer.set_curvature(&curvature)?;
        }
        let result = objective.evaluate(params, batch, self.config.seed, self.step)?;
        if let Some(flow) = self.divergence(&result, watch) {
            return Ok(flow);
        }
        self.optimizer.step(params, &result.parts, self.config.learning_rate)?;
        params.observe(&result.observed, ParamStore::TOWARDS_BATCH)?;
        self.moved(result.loss, result.images, began, watch)
    }

    /// An update that reads all images.
    fn improve(&mut self, watch: RaceWatch<'_>) -> Result<ControlFlow<Stop>> {
        let began = Instant::now();
        let (track, config, params) = (self.track, self.config, self.params);
        let of_epoch = config.updates_per_epoch(track.data.train.len());
        if self.step.is_multiple_of(of_epoch) {
            let epoch = u32::try_from(self.step / of_epoch)?.saturating_add(1);
            self.all = Some(WholeSet::new(track.objective, params, config, track.data, epoch));
        }
        let Some(all) = &mut self.all else { return Ok(ControlFlow::Continue(())) };
        let mut rested = 0.0;
        let mut goes_on = || {
            let asked = Instant::now();
            let flow = watch(RaceEvent::Reading);
            rested += asked.elapsed().as_secs_f64();
            flow.is_continue()
        };
        let result = all.improve(&mut *self.optimizer, config.learning_rate, &mut goes_on)?;
        let read = all.take_images_read();
        // a pause is no work
        self.seconds -= rested;
        let Some(result) = result else { return Ok(ControlFlow::Break(Stop)) };
        if let Some(flow) = self.divergence(&result, watch) {
            return Ok(flow);
        }
        params.observe(&result.observed, 1.0)?;
        let flow = self.moved(result.loss, read, began, watch)?;
        if flow.is_break() { Ok(flow) } else { self.judge(watch) }
    }

    /// Images read after one more update, if it reads as many as those before on average.
    fn read_by_next(&self) -> usize {
        self.images_read + self.images_read / self.step.max(1) as usize
    }

    /// Where the lane stands, in batches read.
    fn place(&self) -> f64 {
        if self.optimizer.asks_for_all_images() {
            return self.images_read as f64 / self.config.batch_size as f64;
        }
        self.step as f64
    }

    fn moved(&mut self, loss: f64, read: usize, began: Instant, watch: RaceWatch<'_>) -> Result<ControlFlow<Stop>> {
        self.seconds += began.elapsed().as_secs_f64();
        (self.step, self.images_read) = (self.step + 1, self.images_read + read);
        let (lane, step, place, seconds) = (self.number, self.step, self.place(), self.seconds);
        Ok(watch(RaceEvent::Update { lane, step, place, loss, seconds }))
    }

    /// Puts the lane to rest where nothing is to be hoped for, as in a run.
    fn divergence(&mut self, result: &Gradients, watch: RaceWatch<'_>) -> Option<ControlFlow<Stop>> {
        move_distance(&mut self.distance, result.right_distance, result.images);
        let why = match result.loss.is_finite() {
            false => Divergence::NotFinite,
            true if self.distance > HOPELESS_DISTANCE => Divergence::CodesLost,
            true => return None,
        };
        Some(self.rest(why, watch))
    }

    fn rest(&mut self, why: Divergence, watch: RaceWatch<'_>) -> ControlFlow<Stop> {
        self.rests = true;
        watch(RaceEvent::Diverged { lane: self.number, step: self.step, why })
    }

    fn judge(&mut self, watch: RaceWatch<'_>) -> Result<ControlFlow<Stop>> {
        let Track { data, compute, architecture, judges, .. } = self.track;
        if self.rests || judges.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let weights = self.params.weights()?;
        if weights.first_not_finite().is_some() {
            return Ok(self.rest(Divergence::NotFinite, watch));
        }
        let model = TrainedModel::new(architecture, &weights, Thresholds::default(), Arc::clone(compute))?;
        let go_on = |_| ControlFlow::Continue(());
        let found = evaluate(&model, Some(self.config.loss), &data.corpus.train, judges, go_on)?;
        let found = found.context("an evaluation nobody stopped has ended early")?;
        let (lane, step, place, seconds) = (self.number, self.step, self.place(), self.seconds);
        let (accuracy, loss) = (found.confusion.accuracy(), found.loss);
        Ok(watch(RaceEvent::Judged { lane, step, place, seconds, accuracy, loss }))
    }
}

#[cfg(test)]
mod tests;
