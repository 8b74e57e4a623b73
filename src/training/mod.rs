//! One run from start to end, on the threads of its [`Compute`]; the calling thread waits. Knows no channel, no file and no screen: whoever calls watches
//! through one callback, and blocking in it is how a run is paused.

mod batches;
mod config;
mod event;
mod objective;
mod pixels;
mod transfer;
mod whole_set;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub use config::{Chosen, ConfigError, Order, TrainingConfig};
pub use event::{Divergence, Ending, EpochSummary, Event, LiveSettings, Outcome, Stop, Tick};
pub use transfer::{describe_transfer, plan_transfer};

use crate::data::{Corpus, DataError, ImagesBeside, stratified_limit, stratified_split};
use crate::drawing::PIXELS;
use crate::inference::{Answer, Evaluation, Thresholds, TrainedModel, evaluate};
use crate::nn::random::{Purpose, stream};
use crate::nn::{Compute, ParamStore, Weights};
use crate::optim::{Optimizer, Validation, clipped};
use objective::Objective;
use whole_set::WholeSet;

/// The images of a run: which of the corpus train, and which judge.
pub struct TrainingData {
    pub corpus: Arc<Corpus>,
    /// Numbers of training images; from the corpus's own on they go on in `beside`.
    pub train: Vec<u32>,
    /// Images that train beside those of the corpus.
    pub beside: ImagesBeside,
    /// Images of the training set that no update sees. Empty when the run trains on all of it.
    pub validation: Vec<u32>,
}

impl TrainingData {
    /// Splits the corpus as the configuration says: seeded, every digit in its share. Reads and draws what trains beside it.
    pub fn split(config: &TrainingConfig, corpus: Arc<Corpus>) -> Result<Self, DataError> {
        let split = stratified_split(corpus.train.labels(), config.validation, config.seed)?;
        let mut train = match config.train_limit {
            Some(limit) => stratified_limit(corpus.train.labels(), &split.train, limit, config.seed),
            None => split.train,
        };
        let beside = config.beside.load(config.seed)?;
        let first = corpus.train.len();
        train.extend((first..first + beside.labels.len()).map(|number| number as u32));
        Ok(Self { corpus, train, beside, validation: split.validation })
    }

    /// A training image and its label, [`crate::data::NO_DIGIT`] for what shows none.
    pub fn training_image(&self, number: u32) -> (&[u8; PIXELS], u8) {
        let (number, own) = (number as usize, &self.corpus.train);
        match number.checked_sub(own.len()) {
            None => (own.image(number), own.label(number)),
            Some(number) => (&self.beside.images[number], self.beside.labels[number]),
        }
    }
}

/// The images of `corpus` that a run of `config` keeps aside and no update sees.
///
/// # Errors
/// When nobody knows how the weights were made (`config` is `None`), or the run keeps no image.
pub fn validation_images(config: Option<&TrainingConfig>, corpus: &Corpus) -> Result<Vec<u32>> {
    let config = config.context(
        "nobody knows which images these weights were trained on, so none are known to be unseen; take the test set",
    )?;
    anyhow::ensure!(config.validation > 0, "the run of these weights kept no validation images; take the test set");
    // digits that were not the run's own may be fewer
    let count = config.validation.min(corpus.train.len() / 4);
    Ok(stratified_split(corpus.train.labels(), count, config.seed)?.validation)
}

/// Validation images of a tick, the same at every tick, every digit in its share.
const TICK_IMAGES: usize = 1_000;
/// At least this long between two ticks.
const TICK_EVERY: Duration = Duration::from_millis(900);

/// Who watches a run, from a thread of its pool.
pub type Observer<'a> = &'a mut (dyn FnMut(Event<'_>) -> ControlFlow<Stop, Option<LiveSettings>> + Send);

/// Trains as `config` says, from `start` (the weights that its `from` names) or from fresh parameters, and tells `observe`
/// what happens.
///
/// `observe` may block (the run waits), change what may change while a run goes on, or stop it. Diverging is an
/// [`Ending`], not an error; errors are a configuration that cannot be, weights of which nothing fits, or a device that
/// fails.
pub fn run(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    start: Option<&Weights>,
    observe: Observer<'_>,
) -> Result<Outcome> {
    // inside the pool from start to end: an update that had to wake its threads would wait longer than it computes
    compute.pool.install(|| run_in_pool(config, data, compute, start, observe))
}

/// Mean squared distance to the right centre from which on nothing is to be hoped for: an untrained network has 84, and one
/// whose last states are all stuck at the ends of their range about 250.
const HOPELESS_DISTANCE: f64 = 150.0;

/// The mean distance to the right centre over about the last thousand images.
struct RunningDistance {
    mean: f64,
}

impl RunningDistance {
    fn add(&mut self, sum: f64, images: usize) {
        let share = (images as f64 / 1_000.0).min(1.0);
        self.mean += share * (sum / images as f64 - self.mean);
    }
}

/// The least and the greatest step of every parameter tensor at a learning rate, by name, where the optimiser gives every
/// parameter its own.
fn step_sizes(optimizer: &dyn Optimizer, params: &ParamStore, rate: f64) -> Result<Vec<(String, f64, f64)>> {
    let factors = optimizer.step_factors()?.unwrap_or_default();
    let named = params.names().iter().zip(factors).enumerate().filter(|(index, _)| params.learns(*index));
    Ok(named.map(|(_, (name, (least, greatest)))| (name.clone(), rate * least, rate * greatest)).collect())
}

fn run_in_pool(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    start: Option<&Weights>,
    observe: Observer<'_>,
) -> Result<Outcome> {
    config.validate()?;
    anyhow::ensure!(!data.train.is_empty(), "there is no image to train on");
    let architecture = config.architecture()?;
    let network = (architecture.network)()?;
    let mut params = ParamStore::initialise_by(&network, config.initialisation, config.seed, &compute.device)?;
    match (start, &config.from) {
        (Some(weights), _) => params.copy_layers(&network, &plan_transfer(config, weights)?, weights)?,
        (None, Some(from)) => anyhow::bail!("the run starts from {from}, and its weights were not brought"),
        (None, None) => {}
    }
    let frozen = config.frozen_layers(&network)?;
    params.freeze(network.params_up_to(frozen));
    let mut optimizer = config.optimizer.build(&params)?;
    let pixels = pixels::choose(&network, &params, data, start.is_none())?;
    let objective = Objective::new(architecture, &network, config.loss, compute).freezing(frozen);
    let updates_per_epoch = config.updates_per_epoch(data.train.len());
    let updates = updates_per_epoch * u64::from(config.epochs);
    let schedule = config.rate_curve(updates);
    let judge = |weights: &Weights, images: &[u32]| -> Result<Evaluation> {
        let model = TrainedModel::new(architecture, weights, Thresholds::default(), Arc::clone(compute))?;
        let evaluation =
            evaluate(&model, Some(config.loss), &data.corpus.train, images, |_| ControlFlow::Continue(()))?;
        evaluation.context("an evaluation nobody stopped has ended early")
    };

    // after an update that reads all training images a look at all validation images takes no time
    let tick_images = match optimizer.asks_for_all_images() {
        true => data.validation.clone(),
        false => stratified_limit(data.corpus.train.labels(), &data.validation, TICK_IMAGES, config.seed),
    };

    let began = Instant::now();
    let mut learning_rate = config.learning_rate;
    let mut last_tick = Instant::now();
    let mut step = 0;
    let mut finite = params.weights()?;
    let mut distance = RunningDistance { mean: 0.0 };
    let mut validations: Vec<Validation> = Vec::new();
    let mut best: Option<(u32, f64, Weights, Vec<Answer>)> = None;
    let mut ending = Ending::Completed;
    let mut epochs = 0;
    // stays true while `observe` lets the run go on
    let mut tell = |event: Event<'_>, learning_rate: &mut f64| match observe(event) {
        ControlFlow::Continue(Some(LiveSettings { learning_rate: rate })) => {
            *learning_rate = rate;
            true
        }
        ControlFlow::Continue(None) => true,
        ControlFlow::Break(Stop) => false,
    };

    if let Some((kept, of)) = pixels
        && !tell(Event::Pixels { kept, of }, &mut learning_rate)
    {
        ending = Ending::Stopped;
    }
    let all_epochs = if ending == Ending::Stopped { 0 } else { config.epochs };
    'epochs: for epoch in 1..=all_epochs {
        let epoch_began = Instant::now();
        if let Some(patterns) = optimizer.curvature_patterns() {
            let mut rng = stream(config.seed, Purpose::Curvature, u64::from(epoch), 0);
            let chosen = rand::seq::index::sample(&mut rng, data.train.len(), patterns.min(data.train.len()));
            let chosen: Vec<u32> = chosen.into_iter().map(|place| data.train[place]).collect();
            let images = chosen.iter().map(|&number| data.training_image(number).0.as_slice());
            optimizer.set_curvature(&objective.curvature(&params, images)?)?;
        }
        let mut sums = (0.0, 0usize, 0usize);
        let mut seen = 0;
        let mut batches = batches::epoch(config, data, epoch);
        let mut all = optimizer.asks_for_all_images().then(|| WholeSet::new(&objective, &params, config, data, epoch));
        for _ in 0..updates_per_epoch {
            let rate = learning_rate * schedule.factor(step, &validations);
            let mut result = match &mut all {
                Some(all) => {
                    let mut goes_on = || tell(Event::Reading, &mut learning_rate);
                    let Some(result) = all.improve(&mut *optimizer, rate, &mut goes_on)? else {
                        ending = Ending::Stopped;
                        break 'epochs;
                    };
                    result
                }
                None => {
                    let Some(batch) = batches.next() else { break };
                    objective.evaluate(&params, &batch, config.seed, step)?
                }
            };
            let read = all.as_mut().map_or(result.images, WholeSet::take_images_read);
            seen += read;
            distance.add(result.right_distance, result.images);
            if !result.loss.is_finite() {
                ending = Ending::Diverged(Divergence::NotFinite);
                break 'epochs;
            }
            if distance.mean > HOPELESS_DISTANCE {
                ending = Ending::Diverged(Divergence::CodesLost);
                break 'epochs;
            }
            if all.is_none() {
                if let Some(longest) = config.clip_norm {
                    result.parts = clipped(&params, result.parts, longest)?;
                }
                optimizer.step(&params, &result.parts, rate)?;
            }
            params.observe(&result.observed)?;
            step += 1;
            sums = (sums.0 + result.loss * result.images as f64, sums.1 + result.correct, sums.2 + result.images);
            let event = Event::Step {
                step,
                updates,
                epoch,
                loss: result.loss,
                learning_rate: rate,
                error: 1.0 - result.correct as f64 / result.images as f64,
                images: read,
                params: &params,
            };
            if !tell(event, &mut learning_rate) {
                ending = Ending::Stopped;
                break 'epochs;
            }
            // the end of an epoch tells more than a tick
            if last_tick.elapsed() >= TICK_EVERY && step % updates_per_epoch != 0 {
                let weights = params.weights()?;
                let is_finite = weights.first_not_finite().is_none();
                if is_finite {
                    finite = weights.clone();
                }
                if is_finite && !data.validation.is_empty() {
                    let evaluation = judge(&weights, &tick_images)?;
                    let epoch = step as f64 / updates_per_epoch as f64;
                    let tick = Tick { step, epoch, evaluation: &evaluation, weights: &weights };
                    if !tell(Event::Tick(tick), &mut learning_rate) {
                        ending = Ending::Stopped;
                        break 'epochs;
                    }
                }
                last_tick = Instant::now();
            }
        }
        let weights = params.weights()?;
        if weights.first_not_finite().is_some() {
            ending = Ending::Diverged(Divergence::NotFinite);
            break;
        }
        let trained_seconds = epoch_began.elapsed().as_secs_f64();
        let validation = if data.validation.is_empty() { None } else { Some(judge(&weights, &data.validation)?) };
        finite = weights;
        epochs = epoch;
        let last_rate = learning_rate * schedule.factor(step - 1, &validations);
        validations.extend(validation.as_ref().map(|v| Validation { loss: v.loss, accuracy: v.confusion.accuracy() }));
        let accuracy = validation.as_ref().map(|v| v.confusion.accuracy());
        // without validation images the last epoch stands for the best: nothing else may choose
        let is_better = best.as_ref().is_none_or(|(_, best, ..)| accuracy.is_none_or(|accuracy| accuracy > *best));
        if is_better || config.chosen == Chosen::Last {
            let answers = validation.as_ref().map_or_else(Vec::new, |validation| validation.answers.clone());
            best = Some((epoch, accuracy.unwrap_or(0.0), finite.clone(), answers));
        }
        let (loss, correct, images) = sums;
        let summary = EpochSummary {
            epoch,
            step,
            train_loss: loss / images as f64,
            train_error: 1.0 - correct as f64 / images as f64,
            validation: validation.as_ref(),
            learning_rate: learning_rate * schedule.factor(step, &validations),
            seconds: epoch_began.elapsed().as_secs_f64(),
            images_per_second: seen as f64 / trained_seconds,
            step_sizes: step_sizes(&*optimizer, &params, last_rate)?,
            is_best: best.as_ref().is_some_and(|(best, ..)| *best == epoch),
            weights: &finite,
        };
        if !tell(Event::Epoch(summary), &mut learning_rate) && epoch < config.epochs {
            ending = Ending::Stopped;
            break;
        }
        last_tick = Instant::now();
    }

    if ending == Ending::Stopped {
        let weights = params.weights()?;
        if weights.first_not_finite().is_none() {
            finite = weights;
        }
    }
    let (best_epoch, best_weights, answers) = match best {
        Some((epoch, _, weights, answers)) => (epoch, weights, answers),
        None => (epochs, finite.clone(), Vec::new()),
    };
    let model = TrainedModel::new(architecture, &best_weights, Thresholds::default(), Arc::clone(compute))?;
    let thresholds = Thresholds::choose(&model, &answers)?;
    Ok(Outcome {
        ending,
        epochs,
        steps: step,
        seconds: began.elapsed().as_secs_f64(),
        pixels,
        best_epoch,
        best_weights,
        thresholds,
        last_weights: finite,
        optimizer_state: optimizer.state()?,
    })
}
