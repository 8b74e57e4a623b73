//! The loop of a run: epochs, updates, and what is told of them. What a run is made of is put together in `mod.rs`.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::batches::{Batch, EpochOrder};
use super::objective::Gradients;
use super::steering::Steering;
use super::whole_set::WholeSet;
use super::{
    BestEpoch, Chosen, Clock, Divergence, Ending, EpochSummary, Event, Fixed, Lesson, LiveSettings, Met, Outcome,
    Position, Resumable, Tick,
};
use crate::inference::{Answer, Evaluation, Thresholds, TrainedModel};
use crate::nn::{ParamStore, Weights};
use crate::optim::{Optimizer, Validation, clipped};

/// At least this long between two ticks.
const TICK_EVERY: Duration = Duration::from_millis(900);

/// Mean squared distance to the right centre from which on nothing is to be hoped for: an untrained network has 84, and one
/// whose last states are all stuck at the ends of their range about 250.
pub(super) const HOPELESS_DISTANCE: f64 = 150.0;

/// Moves the mean distance to the right centre over about the last thousand images on by those of a batch.
pub(super) fn move_distance(mean: &mut f64, sum: f64, images: usize) {
    let share = (images as f64 / 1_000.0).min(1.0);
    *mean += share * (sum / images as f64 - *mean);
}

/// The least and the greatest step of every parameter tensor at a learning rate, by name, where the optimiser gives every
/// parameter its own.
fn step_sizes(optimizer: &dyn Optimizer, params: &ParamStore, rate: f64) -> Result<Vec<(String, f64, f64)>> {
    let factors = optimizer.step_factors()?.unwrap_or_default();
    let named = params.names().iter().zip(factors).enumerate().filter(|(index, _)| params.learns(*index));
    Ok(named.map(|(_, (name, (least, greatest)))| (name.clone(), rate * least, rate * greatest)).collect())
}

/// The best finished epoch so far.
pub(super) struct Best {
    pub weights: Weights,
    /// To the validation images; `None` until somebody asks again, where it was an epoch of an earlier life of the run.
    pub answers: Option<Vec<Answer>>,
}

/// A run under way: what [`Checkpoint`] copies, who watches, and clocks.
pub(super) struct Run<'a, 'o> {
    fixed: &'a Fixed<'a>,
    optimizer: Box<dyn Optimizer>,
    steering: Steering<'o>,
    position: Position,
    best: Option<Best>,
    /// The last weights that were found finite.
    finite: Weights,
    /// What the run's clock showed, or would have shown, when the epoch under way began.
    epoch_began: f64,
    /// Decides when to look; nothing that is learnt follows from it.
    last_tick: Instant,
}

/// Goes on, or why the run ends here.
type Flow = ControlFlow<Ending>;

impl<'a, 'o> Run<'a, 'o> {
    pub fn new(
        fixed: &'a Fixed<'a>,
        optimizer: Box<dyn Optimizer>,
        mut steering: Steering<'o>,
        (mut position, best): (Position, Option<Best>),
    ) -> Result<Self> {
        // checkpoints of earlier programs may still hold the sums of an epoch that had ended, which no change had touched
        if position.live.batch_size.is_none() && position.step == u64::from(position.epochs) * fixed.updates_per_epoch {
            position.met = Met::default();
        }
        let finite = fixed.params.weights()?;
        let epoch_began = position.seconds - position.met.seconds;
        steering.clock = Clock::going_on(position.seconds);
        Ok(Self { fixed, optimizer, steering, position, best, finite, epoch_began, last_tick: Instant::now() })
    }

    pub fn drive(mut self) -> Result<Outcome> {
        let ending = self.train()?;
        self.outcome(ending)
    }

    fn train(&mut self) -> Result<Ending> {
        let config = self.fixed.config;
        self.steering.replay(&mut self.position);
        if let Some((kept, of)) = self.fixed.pixels
            && !self.steering.tell(Event::Pixels { kept, of }, &mut self.position)
        {
            return Ok(Ending::Stopped);
        }
        while self.position.epochs < config.epochs {
            if config.early_stopping.is_some_and(|rule| rule.is_over(&self.position.validations)) {
                return Ok(Ending::EarlyStopped);
            }
            if let ControlFlow::Break(ending) = self.epoch()? {
                return Ok(ending);
            }
        }
        Ok(Ending::Completed)
    }

    /// An epoch, or what a checkpoint within it has left of it.
    fn epoch(&mut self) -> Result<Flow> {
        let fixed = self.fixed;
        let epoch = self.position.epochs + 1;
        if self.position.met.images == 0 {
            self.estimate_curvature(epoch)?;
        }
        let order = EpochOrder::new(fixed.config, fixed.data, epoch);
        let mut all = self
            .optimizer
            .asks_for_all_images()
            .then(|| WholeSet::new(&fixed.objective, &fixed.params, fixed.config, fixed.data, epoch));
        while self.updates_left_in_epoch() > 0 {
            if let ControlFlow::Break(ending) = self.update(epoch, &order, all.as_mut())? {
                return Ok(Flow::Break(ending));
            }
        }
        self.end_epoch(epoch)
    }

    /// Where the optimiser wants it before every pass.
    fn estimate_curvature(&mut self, epoch: u32) -> Result<()> {
        let Some(patterns) = self.optimizer.curvature_patterns() else { return Ok(()) };
        let Fixed { data, config, objective, params, .. } = self.fixed;
        Ok(self.optimizer.set_curvature(&objective.curvature_of_epoch(params, data, config, (epoch, patterns))?)?)
    }

    fn update(&mut self, epoch: u32, order: &EpochOrder<'_>, mut all: Option<&mut WholeSet<'_>>) -> Result<Flow> {
        let Fixed { config, objective, params, .. } = self.fixed;
        let rate = self.rate();
        let LiveSettings { momentum, weight_decay, augmentation, .. } = self.position.live;
        self.optimizer.set_coefficients(momentum, weight_decay);
        let mut batch = None;
        let mut result = match &mut all {
            Some(all) => {
                let mut goes_on = || self.steering.tell(Event::Reading, &mut self.position);
                let Some(result) = all.improve(&mut *self.optimizer, rate, &mut goes_on)? else {
                    return Ok(Flow::Break(Ending::Stopped));
                };
                result
            }
            None => {
                let (from, size) = (self.position.met.images, self.batch_size());
                let batch = batch.insert(order.batch(from, size, &augmentation.unwrap_or(config.augmentation)));
                objective.evaluate(params, batch, config.seed, self.position.step)?
            }
        };
        let read = all.as_mut().map_or(result.images, |all| all.take_images_read());
        if let Some(why) = self.divergence(&result) {
            return Ok(Flow::Break(Ending::Diverged(why)));
        }
        if all.is_none() {
            if let Some(longest) = config.clip_norm {
                result.parts = clipped(params, result.parts, longest)?;
            }
            self.optimizer.step(params, &result.parts, rate)?;
        }
        params.observe(&result.observed, if all.is_some() { 1.0 } else { ParamStore::TOWARDS_BATCH })?;
        self.position.step += 1;
        let met = &mut self.position.met;
        met.rate = rate;
        met.loss += result.loss * result.images as f64;
        (met.correct, met.images, met.read) =
            (met.correct + result.correct, met.images + result.images, met.read + read);
        self.tell_update(epoch, read, &result, batch.as_ref())
    }

    /// Whether nothing is to be hoped for after this batch.
    fn divergence(&mut self, result: &Gradients) -> Option<Divergence> {
        move_distance(&mut self.position.distance, result.right_distance, result.images);
        if !result.loss.is_finite() {
            return Some(Divergence::NotFinite);
        }
        (self.position.distance > HOPELESS_DISTANCE).then_some(Divergence::CodesLost)
    }

    fn tell_update(&mut self, epoch: u32, images: usize, result: &Gradients, batch: Option<&Batch>) -> Result<Flow> {
        let fixed = self.fixed;
        let event = Event::Step {
            step: self.position.step,
            updates: self.updates(),
            epoch,
            loss: result.loss,
            learning_rate: self.position.met.rate,
            error: 1.0 - result.correct as f64 / result.images as f64,
            images,
            params: &fixed.params,
            lesson: batch.map(|batch| Lesson { batch, found: result, params: &fixed.params }),
        };
        let mut goes_on = self.steering.tell(event, &mut self.position);
        // the end of an epoch tells more than a tick, and it is a better place to go on from
        if goes_on && self.updates_left_in_epoch() > 0 {
            goes_on = self.show();
            if goes_on && self.last_tick.elapsed() >= TICK_EVERY {
                goes_on = self.tick()?;
                self.last_tick = Instant::now();
            }
        }
        Ok(if goes_on { Flow::Continue(()) } else { Flow::Break(Ending::Stopped) })
    }

    /// A quick look at the network; true while the run is to go on.
    fn tick(&mut self) -> Result<bool> {
        let weights = self.fixed.params.weights()?;
        if weights.first_not_finite().is_some() {
            return Ok(true);
        }
        self.finite = weights.clone();
        if self.fixed.data.validation.is_empty() {
            return Ok(true);
        }
        let evaluation = self.fixed.judge(&weights, &self.fixed.tick_images)?;
        let step = self.position.step;
        let epoch = self.scheduled() / self.fixed.updates_per_epoch as f64;
        let dead_units = self.fixed.dead_units(&weights)?;
        let tick = Tick { step, epoch, evaluation: &evaluation, dead_units, weights: &weights };
        Ok(self.steering.tell(Event::Tick(tick), &mut self.position))
    }

    fn end_epoch(&mut self, epoch: u32) -> Result<Flow> {
        let fixed = self.fixed;
        let weights = fixed.params.weights()?;
        if weights.first_not_finite().is_some() {
            return Ok(Flow::Break(Ending::Diverged(Divergence::NotFinite)));
        }
        let met = self.position.met;
        let trained_seconds = self.seconds_of_epoch();
        let validation =
            if fixed.data.validation.is_empty() { None } else { Some(fixed.judge(&weights, &fixed.data.validation)?) };
        self.finite = weights;
        // the epoch under way is another one from here on
        (self.position.epochs, self.position.met) = (epoch, Met::default());
        let judged = validation.as_ref().map(|v| Validation { loss: v.loss, accuracy: v.confusion.accuracy() });
        self.position.validations.extend(judged);
        self.keep_best(epoch, validation.as_ref());
        let summary = EpochSummary {
            epoch,
            step: self.position.step,
            train_loss: met.loss / met.images as f64,
            train_error: 1.0 - met.correct as f64 / met.images as f64,
            validation: validation.as_ref(),
            learning_rate: self.rate(),
            seconds: self.seconds_of_epoch(),
            images_per_second: met.read as f64 / trained_seconds,
            step_sizes: step_sizes(&*self.optimizer, &fixed.params, met.rate)?,
            dead_units: fixed.dead_units(&self.finite)?,
            is_best: self.position.best.is_some_and(|best| best.epoch == epoch),
            weights: &self.finite,
        };
        let mut goes_on = self.steering.tell(Event::Epoch(summary), &mut self.position);
        if epoch < fixed.config.epochs {
            self.epoch_began = self.steering.clock.seconds();
            goes_on = goes_on && self.show();
        } else {
            goes_on = true;
        }
        self.last_tick = Instant::now();
        Ok(if goes_on { Flow::Continue(()) } else { Flow::Break(Ending::Stopped) })
    }

    fn keep_best(&mut self, epoch: u32, validation: Option<&Evaluation>) {
        let accuracy = validation.map(|v| v.confusion.accuracy());
        // without validation images the last epoch stands for the best: nothing else may choose
        let is_better = self.position.best.is_none_or(|best| accuracy.is_none_or(|accuracy| accuracy > best.accuracy));
        if is_better || self.fixed.config.chosen == Chosen::Last {
            let answers = validation.map_or_else(Vec::new, |validation| validation.answers.clone());
            self.best = Some(Best { weights: self.finite.clone(), answers: Some(answers) });
            self.position.best = Some(BestEpoch { epoch, accuracy: accuracy.unwrap_or(0.0) });
        }
    }

    /// The learning rate of the next update.
    fn rate(&self) -> f64 {
        self.position.learning_rate * self.fixed.schedule.factor(self.scheduled(), &self.position.validations)
    }

    /// How far the schedule is: the updates that batches of the first size would have made for the images met so far, as
    /// [`LiveSettings`] tells.
    fn scheduled(&self) -> f64 {
        let Self { fixed, position, .. } = self;
        if fixed.reads_all_images {
            return position.step as f64;
        }
        let before = u64::from(position.epochs) * fixed.updates_per_epoch;
        before as f64 + position.met.images as f64 / fixed.config.batch_size as f64
    }

    /// Images an update from now on.
    fn batch_size(&self) -> usize {
        self.position.live.batch_size.unwrap_or(self.fixed.config.batch_size)
    }

    /// Updates until every training image has been met once in the epoch under way.
    fn updates_left_in_epoch(&self) -> u64 {
        let Self { fixed, position, .. } = self;
        if fixed.reads_all_images {
            return (u64::from(position.epochs) + 1) * fixed.updates_per_epoch - position.step;
        }
        let left = fixed.data.train.len().saturating_sub(position.met.images);
        left.div_ceil(self.batch_size()) as u64
    }

    /// Updates of the whole run, as it goes on now.
    fn updates(&self) -> u64 {
        let Self { fixed, position, .. } = self;
        let per_epoch = match fixed.reads_all_images {
            true => fixed.updates_per_epoch,
            false => fixed.data.train.len().div_ceil(self.batch_size()) as u64,
        };
        let epochs_after = u64::from(fixed.config.epochs.saturating_sub(position.epochs + 1));
        position.step + self.updates_left_in_epoch() + epochs_after * per_epoch
    }

    /// Of training in the epoch under way.
    fn seconds_of_epoch(&self) -> f64 {
        self.steering.clock.seconds() - self.epoch_began
    }

    /// Of training, in the run and in the epoch under way.
    fn seconds(&self) -> [f64; 2] {
        [self.steering.clock.seconds(), self.seconds_of_epoch()]
    }

    /// Shows the run as it could be left; true while it is to go on.
    fn show(&mut self) -> bool {
        let seconds = self.seconds();
        let Self { fixed, optimizer, steering, position, best, .. } = self;
        let best = best.as_ref().map(|best| &best.weights);
        steering.show(&Resumable { params: &fixed.params, optimizer: &**optimizer, position, best, seconds })
    }

    fn outcome(mut self, ending: Ending) -> Result<Outcome> {
        let fixed = self.fixed;
        if ending == Ending::Stopped {
            let weights = fixed.params.weights()?;
            if weights.first_not_finite().is_none() {
                self.finite = weights;
            }
        }
        // nobody goes on from weights that are lost
        let checkpoint = match ending {
            Ending::Diverged(_) => None,
            Ending::Completed | Ending::Stopped | Ending::EarlyStopped => {
                let best = self.best.as_ref().map(|best| &best.weights);
                let seconds = self.seconds();
                let (params, optimizer, position) = (&fixed.params, &*self.optimizer, &self.position);
                Resumable { params, optimizer, position, best, seconds }.checkpoint()?
            }
        };
        let seconds = self.steering.clock.seconds();
        let Position { step, epochs, best, .. } = self.position;
        let (best_epoch, best_weights, answers) = match (best, self.best) {
            (Some(BestEpoch { epoch, .. }), Some(Best { weights, answers })) => {
                let answers = match answers {
                    Some(answers) => answers,
                    None if fixed.data.validation.is_empty() => Vec::new(),
                    None => fixed.judge(&weights, &fixed.data.validation)?.answers,
                };
                (epoch, weights, answers)
            }
            _ => (epochs, self.finite.clone(), Vec::new()),
        };
        let model =
            TrainedModel::new(fixed.architecture, &best_weights, Thresholds::default(), Arc::clone(fixed.compute))?;
        Ok(Outcome {
            ending,
            epochs,
            steps: step,
            seconds,
            pixels: fixed.pixels,
            best_epoch,
            thresholds: Thresholds::choose(&model, &answers)?,
            best_weights,
            last_weights: self.finite,
            checkpoint,
        })
    }
}
