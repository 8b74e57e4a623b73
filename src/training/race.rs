//! Optimisers against each other: networks that begin with the same weights and meet the same batches in the same order, an
//! update of each after the other. Told like runs through one callback, without threads of its own.
//!
//! Where a lane stands is counted in batches that it has read. For optimisers that move by single gradients that is the number
//! of their updates. An update of conjugate gradient reads all training images, mostly several times: it makes its next one as
//! soon as the others have read as many images as it has, and stands where the images it has read put it. A lane's time is that
//! of its own updates, SDLM's curvatures included; making batches, judging and the other lanes are left out.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::batches::{Batch, EpochOrder};
use super::objective::{Gradients, Objective};
use super::run::{HOPELESS_DISTANCE, move_distance};
use super::whole_set::WholeSet;
use super::{Divergence, Stop, TrainingConfig, TrainingData, pixels};
use crate::data::{Augmentation, stratified_limit};
use crate::inference::{Thresholds, TrainedModel, evaluate};
use crate::models::Architecture;
use crate::nn::{Compute, ParamStore};
use crate::optim::{Optimizer, OptimizerConfig, Schedule};

/// Validation images that judge every lane at the same updates, at most.
const JUDGES: usize = 2_000;
/// Judgements of a race, about.
const JUDGEMENTS: u64 = 50;
/// The share of right answers that counts as arrived.
pub const RACE_AIM: f64 = 0.98;

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

/// Told while a race goes on, on the calling thread; blocking in it is the pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RaceEvent {
    /// All lanes have made this update, or wait or rest.
    Round { update: u64, updates: u64 },
    /// Within an update that reads all training images: for whoever wants the race to rest or to end.
    Reading,
    /// A lane has made an update.
    Update {
        lane: usize,
        /// Updates of this lane so far.
        step: u64,
        /// Batches that the lane has read, as the head of `race.rs` tells.
        place: f64,
        /// Mean over the batch, before the update; of all training images after it, where it reads all of them.
        loss: f64,
        /// Of the lane's own updates so far.
        seconds: f64,
    },
    /// A lane was judged on validation images, the same for all.
    Judged { lane: usize, step: u64, place: f64, seconds: f64, accuracy: f64, loss: f64 },
    /// A lane has lost its way; it rests, the others go on.
    Diverged { lane: usize, step: u64, why: Divergence },
}

/// How far a lane has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RaceStanding {
    /// Updates of its own.
    pub step: u64,
    /// In batches read.
    pub place: f64,
    /// Of its own updates.
    pub seconds: f64,
    /// Of its last batch.
    pub loss: Option<f64>,
    /// Share of the validation images read right when it was judged last.
    pub accuracy: Option<f64>,
    /// Place and seconds of the first judgement of [`RACE_AIM`] or better.
    pub arrived: Option<(f64, f64)>,
    pub diverged: Option<Divergence>,
}

impl RaceStanding {
    /// Takes in what was told of this lane.
    pub fn take(&mut self, event: &RaceEvent) {
        match *event {
            RaceEvent::Round { .. } | RaceEvent::Reading => {}
            RaceEvent::Update { step, place, loss, seconds, .. } => {
                (self.step, self.place, self.seconds, self.loss) = (step, place, seconds, Some(loss));
            }
            RaceEvent::Judged { place, seconds, accuracy, .. } => {
                self.accuracy = Some(accuracy);
                if accuracy >= RACE_AIM {
                    self.arrived = self.arrived.or(Some((place, seconds)));
                }
            }
            RaceEvent::Diverged { why, .. } => self.diverged = Some(why),
        }
    }
}

impl RaceEvent {
    /// The lane that it is about, if it is about one.
    pub fn lane(&self) -> Option<usize> {
        match *self {
            Self::Round { .. } | Self::Reading => None,
            Self::Update { lane, .. } | Self::Judged { lane, .. } | Self::Diverged { lane, .. } => Some(lane),
        }
    }
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

    /// A race over the epochs of `base`, on plain images at constant learning rates: what bends or clips steps, stops early or
    /// starts from other weights is left out.
    pub fn new(base: TrainingConfig, lanes: Vec<RaceLane>) -> Self {
        let base = TrainingConfig {
            schedule: Schedule::Constant,
            warm_up: 0.0,
            clip_norm: None,
            early_stopping: None,
            from: None,
            freeze_up_to: None,
            augmentation: Augmentation::default(),
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
            let met = (update / per_epoch) as usize * images + from;
            for lane in &mut *lanes {
                if flow.is_break() {
                    return Ok(flow);
                }
                flow = lane.go(&batch, (epoch, from == 0), met, watch)?;
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

    /// Its share of a round: an update, unless it rests, or is ahead of what the others have met so far.
    fn go(
        &mut self,
        batch: &Batch,
        (epoch, begins_epoch): (u32, bool),
        met: usize,
        watch: RaceWatch<'_>,
    ) -> Result<ControlFlow<Stop>> {
        if self.rests {
            return Ok(ControlFlow::Continue(()));
        }
        if self.optimizer.asks_for_all_images() {
            return if self.images_read <= met { self.improve(watch) } else { Ok(ControlFlow::Continue(())) };
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
        params.observe(&result.observed)?;
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
        params.observe(&result.observed)?;
        let flow = self.moved(result.loss, read, began, watch)?;
        if flow.is_break() { Ok(flow) } else { self.judge(watch) }
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
mod tests {
    use super::*;
    use crate::data::{Corpus, Drawn};
    use crate::nn::DeviceChoice;
    use crate::training::{Event, run};

    const MODEL: &str = "model = \"MODEL\"\nseed = 7\nepochs = 2\nbatch_size = 16\nlearning_rate = 0.1\nvalidation = 40\n\
                         [optimizer]\nkind = \"sgd\"\n";

    fn corpus() -> Arc<Corpus> {
        Arc::new(Drawn { train: 200, test: 0, seed: 1 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap())
    }

    fn lane(id: &str) -> RaceLane {
        RaceLane::usual(
            OptimizerConfig::find(id).unwrap(),
            &TrainingConfig::from_toml(&MODEL.replace("MODEL", "mlp")).unwrap(),
        )
    }

    fn race(model: &str, lanes: &[RaceLane]) -> Race {
        Race::new(TrainingConfig::from_toml(&MODEL.replace("MODEL", model)).unwrap(), lanes.to_vec())
    }

    /// For every lane its losses by update, and its accuracies by place, as bits.
    fn curves(race: &Race, threads: usize) -> Vec<(Vec<u64>, Vec<(u64, u64)>)> {
        let data = TrainingData::split(race.base(), corpus()).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(threads)).unwrap());
        let mut curves = vec![(Vec::new(), Vec::new()); race.lanes.len()];
        let ended = race.run(&data, &compute, &mut |event| {
            match event {
                RaceEvent::Update { lane, loss, .. } => curves[lane].0.push(loss.to_bits()),
                RaceEvent::Judged { lane, accuracy, place, .. } => {
                    curves[lane].1.push((place.to_bits(), accuracy.to_bits()));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert!(ended.unwrap().is_continue());
        curves
    }

    #[test]
    fn a_seed_gives_the_same_curves_on_any_number_of_threads() {
        let all: Vec<RaceLane> = OptimizerConfig::CHOICES.iter().map(|(id, ..)| lane(id)).collect();
        let mut race = race("lenet5", &all);
        let once = curves(&race, 1);
        assert_eq!(once, curves(&race, 3));
        assert!(once[..5].iter().all(|(losses, _)| losses.len() == 20), "two epochs of ten batches");
        assert!(once.iter().all(|(_, judged)| judged[0] == once[0].1[0]), "all begin with the same weights");
        race.base.seed = 8;
        assert_ne!(once, curves(&race, 1));
    }

    #[test]
    fn lanes_meet_equal_batches_in_the_same_order() {
        let both = curves(&race("mlp", &[lane("adam"), lane("sgd"), lane("adam")]), 1);
        assert_eq!(both[0], both[2], "what is the same in all but its lane goes the same way");
        assert_ne!(both[0], both[1]);
        assert_eq!(both[0].0[0], both[1].0[0], "the first loss is one of the same weights on the same batch");
    }

    #[test]
    fn a_lane_has_the_bits_of_an_ordinary_run() {
        let all: Vec<RaceLane> = OptimizerConfig::CHOICES.iter().map(|(id, ..)| lane(id)).collect();
        for model in ["lenet5", "mlp-deep"] {
            let all: Vec<RaceLane> =
                all.iter().filter(|lane| race(model, &[**lane]).validate().is_ok()).copied().collect();
            let race = race(model, &all);
            let data = TrainingData::split(race.base(), corpus()).unwrap();
            let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
            for (lane, (losses, _)) in all.iter().zip(curves(&race, 1)) {
                let mut alone = Vec::new();
                run(&race.config(lane), &data, &compute, None, &mut |event| {
                    if let Event::Step { loss, .. } = event {
                        alone.push(loss.to_bits());
                    }
                    ControlFlow::Continue(None)
                })
                .unwrap();
                let both = losses.len().min(alone.len());
                assert!(both >= 1 && losses[..both] == alone[..both], "{} of {model}", lane.optimizer.id());
                assert!(lane.optimizer.id() == "conjugate-gradient" || both == 20);
            }
        }
    }

    #[test]
    fn a_lane_that_diverges_rests_and_conjugate_gradient_waits_for_the_others() {
        let wild = RaceLane { learning_rate: 100.0, ..lane("sgd") };
        let race = race("lenet5-1998", &[wild, lane("adam"), lane("conjugate-gradient")]);
        let mut race = Race { updates: Some(60), ..race };
        race.base.loss = crate::nn::Loss::Distance;
        let data = TrainingData::split(race.base(), corpus()).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
        let (mut fallen, mut steps, mut places) = (None, [0; 3], Vec::new());
        let mut round = 0;
        race.run(&data, &compute, &mut |event| {
            match event {
                RaceEvent::Diverged { lane: 0, step, .. } => fallen = Some(step),
                RaceEvent::Update { lane: 2, place, .. } => places.push((round, place)),
                RaceEvent::Update { lane, step, .. } => steps[lane] = step,
                RaceEvent::Round { update, .. } => round = update,
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(fallen.is_some_and(|step| step < 60 && step == steps[0]), "{fallen:?}");
        assert_eq!(steps[1], 60, "the others go on");
        // an update begins only once the others have come to where the one before has ended
        assert!(places.len() >= 2, "{places:?}");
        assert!(places.windows(2).all(|pair| pair[1].0 as f64 >= pair[0].1.floor()), "{places:?}");
    }

    #[test]
    fn a_race_stops_at_once_and_refuses_what_cannot_be() {
        let race = race("lenet5", &[lane("sgd"), lane("conjugate-gradient")]);
        let data = TrainingData::split(race.base(), corpus()).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
        let mut told = 0;
        let ended = race.run(&data, &compute, &mut |event| {
            told += 1;
            if event == RaceEvent::Reading { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
        });
        assert!(ended.unwrap().is_break());
        assert_eq!(told, 4, "two judgements, an update, and the first batch of all images");
        let refused = |race: &Race| format!("{:#}", race.validate().unwrap_err());
        assert!(refused(&super::tests::race("cnn-bn", &[lane("sdlm")])).contains("sdlm cannot race: sdlm needs"));
        assert!(refused(&super::tests::race("mlp", &[])).contains("an optimiser at least"));
        assert!(refused(&Race { updates: Some(0), ..race }).contains("0 updates"));
    }
}
