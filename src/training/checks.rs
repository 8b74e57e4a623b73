//! Three checks that tell a network that can learn from one that cannot, each with a plain aim (Karpathy 2019, "A recipe for
//! training neural networks": overfit one batch, then a few images; and labels that tell nothing must teach nothing).
//!
//! A model is checked with its own optimiser, initialisation, loss and learning rate, and without all that keeps a network
//! from learning by heart: no distortions, dropout, label smoothing, weight decay or images beside, a constant schedule, and
//! nothing that ends a run early. Batches have 32 images at most, so that a few images make many updates; a model that learns
//! pattern by pattern goes on doing so. What is judged is the finished network.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Result, ensure};

use super::{Chosen, Ending, Event, Order, Stop, TrainingConfig, TrainingData, run};
use crate::data::{Augmentation, Beside, Corpus, ImagesBeside, stratified_limit, stratified_split, with_random_labels};
use crate::inference::{Thresholds, TrainedModel, evaluate};
use crate::nn::{Compute, Loss};
use crate::optim::{OptimizerConfig, Schedule};

/// Images that are learnt by heart, and epochs for it.
const OVERFITTED: usize = 128;
const OVERFITTING_EPOCHS: u32 = 50;
/// Images of the one batch, and epochs for it.
const BATCH: usize = 32;
const BATCH_EPOCHS: u32 = 400;
/// Images whose random labels are learnt, and those that judge: of 4,000, chance reads 8 to 12 % but once in 40,000 times.
const RANDOMLY_LABELLED: usize = 256;
const JUDGES: usize = 4_000;
/// Fewer images could not tell chance from a leak.
const LEAST_JUDGES: usize = 1_000;
/// Chance, as a share of the images.
const CHANCE: std::ops::RangeInclusive<f64> = 0.08..=0.12;
/// Of an untrained network's loss: cross-entropy that knows nothing of ten digits, and half of the mean squared distance to a
/// code of 84 units.
const UNTRAINED: f64 = std::f64::consts::LN_10;
const UNTRAINED_DISTANCE: f64 = 42.0;
/// What is left of it once a batch is learnt.
const NEAR_ZERO: f64 = 0.01;
/// Learning by heart begins to show from this share of right answers on.
const BY_HEART: f64 = 0.5;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// 128 images are read without an error after 50 epochs at most.
    Overfit128,
    /// Where labels are drawn by chance, images that were not learnt are read right by chance: 8 to 12 % of them.
    RandomLabels,
    /// The loss of one batch falls to a hundredth of an untrained network's.
    OneBatch,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub passed: bool,
    /// The share of right answers; of [`Check::OneBatch`] the loss.
    pub value: f64,
    pub epochs: u32,
    pub seconds: f64,
    /// What was measured, and what was to be.
    pub sentence: String,
}

impl Check {
    pub const ALL: [Self; 3] = [Self::Overfit128, Self::RandomLabels, Self::OneBatch];

    /// As the command line writes it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Overfit128 => "overfit-128",
            Self::RandomLabels => "random-labels",
            Self::OneBatch => "one-batch",
        }
    }

    /// Images of a training set that all checks together need.
    pub const IMAGES: usize = RANDOMLY_LABELLED + JUDGES;

    /// Checks the model of `recommended`, its own settings, on images of `corpus`. `None` where `goes_on`, asked after every
    /// update, has ended it.
    ///
    /// # Errors
    /// Too few images, and those of [`super::run`].
    pub fn run(
        self,
        recommended: &TrainingConfig,
        corpus: &Arc<Corpus>,
        compute: &Arc<Compute>,
        goes_on: &mut (dyn FnMut() -> bool + Send),
    ) -> Result<Option<Checked>> {
        let config = self.settings(recommended)?;
        let data = self.images(corpus, config.seed)?;
        self.on(&config, &data, compute, goes_on)
    }

    /// As the head of this file says.
    fn settings(self, recommended: &TrainingConfig) -> Result<TrainingConfig> {
        let mut config = TrainingConfig {
            epochs: if self == Self::OneBatch { BATCH_EPOCHS } else { OVERFITTING_EPOCHS },
            batch_size: recommended.batch_size.min(BATCH),
            schedule: Schedule::Constant,
            warm_up: 0.0,
            augmentation: Augmentation::default(),
            beside: Beside::default(),
            early_stopping: None,
            from: None,
            freeze_up_to: None,
            train_limit: None,
            keep_epochs: false,
            dropout: None,
            chosen: Chosen::Last,
            order: Order::Fresh,
            ..recommended.clone()
        };
        if let Loss::SmoothedCrossEntropy { .. } = config.loss {
            config.loss = Loss::CrossEntropy;
        }
        match &mut config.optimizer {
            OptimizerConfig::Sgd { weight_decay, .. }
            | OptimizerConfig::AdamW { weight_decay, .. }
            | OptimizerConfig::ConjugateGradient { weight_decay, .. } => *weight_decay = 0.0,
            OptimizerConfig::Adam { .. } | OptimizerConfig::Sdlm { .. } => {}
        }
        if config.network()?.set_dropout(0.0) {
            config.dropout = Some(0.0);
        }
        Ok(config)
    }

    /// Images that train, and images that judge: the same ones, but where what was learnt by heart must not help.
    fn images(self, corpus: &Arc<Corpus>, seed: u64) -> Result<TrainingData> {
        let labels = corpus.train.labels();
        let data = |corpus: Arc<Corpus>, train: Vec<u32>, validation| TrainingData {
            corpus,
            train,
            beside: ImagesBeside::default(),
            validation,
        };
        let few = |count: usize| -> Result<Vec<u32>> {
            ensure!(labels.len() >= count, "{} images are too few, {} needs {count}", labels.len(), self.id());
            let all: Vec<u32> = (0..labels.len() as u32).collect();
            Ok(stratified_limit(labels, &all, count, seed))
        };
        match self {
            Self::Overfit128 => few(OVERFITTED).map(|few| data(Arc::clone(corpus), few.clone(), few)),
            Self::OneBatch => few(BATCH).map(|few| data(Arc::clone(corpus), few.clone(), few)),
            Self::RandomLabels => {
                let judges = JUDGES.min(labels.len().saturating_sub(RANDOMLY_LABELLED));
                ensure!(
                    judges >= LEAST_JUDGES,
                    "{} images are too few, {} needs {RANDOMLY_LABELLED} to learn and {LEAST_JUDGES} that judge",
                    labels.len(),
                    self.id()
                );
                let mut shuffled = Corpus::clone(corpus);
                shuffled.train = with_random_labels(&corpus.train, seed)?;
                let split = stratified_split(shuffled.train.labels(), judges, seed)?;
                let train = stratified_limit(shuffled.train.labels(), &split.train, RANDOMLY_LABELLED, seed);
                Ok(data(Arc::new(shuffled), train, split.validation))
            }
        }
    }

    fn on(
        self,
        config: &TrainingConfig,
        data: &TrainingData,
        compute: &Arc<Compute>,
        goes_on: &mut (dyn FnMut() -> bool + Send),
    ) -> Result<Option<Checked>> {
        let began = std::time::Instant::now();
        let untrained = if config.loss.is_of_distances() { UNTRAINED_DISTANCE } else { UNTRAINED };
        // who learns by heart is asked after every epoch; others are asked at the end
        let judges = if self == Self::RandomLabels { Vec::new() } else { data.validation.clone() };
        let learning = TrainingData {
            corpus: Arc::clone(&data.corpus),
            train: data.train.clone(),
            beside: ImagesBeside::default(),
            validation: judges,
        };
        let (mut met, mut is_interrupted) = (0.0, false);
        let outcome = run(config, &learning, compute, None, &mut |event, _| {
            is_interrupted = !goes_on();
            let is_reached = match event {
                Event::Epoch(summary) => {
                    met = 1.0 - summary.train_error;
                    match (self, summary.validation) {
                        (Self::Overfit128, Some(judged)) => judged.confusion.accuracy() == 1.0,
                        (Self::OneBatch, Some(judged)) => judged.loss <= NEAR_ZERO * untrained,
                        _ => met >= BY_HEART,
                    }
                }
                _ => false,
            };
            if is_reached || is_interrupted { ControlFlow::Break(Stop) } else { ControlFlow::Continue(None) }
        })?;
        if is_interrupted {
            return Ok(None);
        }
        let architecture = config.architecture()?;
        let model = TrainedModel::new(architecture, &outcome.last_weights, Thresholds::default(), Arc::clone(compute))?;
        let mut on = |_| if goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let Some(judged) = evaluate(&model, Some(config.loss), &data.corpus.train, &data.validation, &mut on)? else {
            return Ok(None);
        };
        let (accuracy, epochs) = (judged.confusion.accuracy(), outcome.epochs);
        let (percent, images) = (100.0 * accuracy, data.validation.len());
        let (value, mut passed, mut sentence) = match self {
            Self::Overfit128 => {
                let sentence = format!("{percent:.1} % of {images} images right after {epochs} epochs, to be 100 %");
                (accuracy, accuracy == 1.0, sentence)
            }
            Self::RandomLabels => {
                let met = 100.0 * met;
                let sentence = format!(
                    "{percent:.1} % of {images} unseen images right, to be 8 to 12 %; {met:.0} % of the random labels of \
                     {} images learnt in {epochs} epochs",
                    data.train.len()
                );
                (accuracy, CHANCE.contains(&accuracy), sentence)
            }
            Self::OneBatch => {
                let aim = NEAR_ZERO * untrained;
                let sentence =
                    format!("loss {:.4} of {images} images after {epochs} epochs, to be {aim:.3} or less", judged.loss);
                (judged.loss, judged.loss <= aim, sentence)
            }
        };
        if let Ending::Diverged(why) = outcome.ending {
            (passed, sentence) = (false, format!("{sentence}; it diverged: {}", why.sentence()));
        }
        Ok(Some(Checked { passed, value, epochs, seconds: began.elapsed().as_secs_f64(), sentence }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Drawn;
    use crate::nn::DeviceChoice;

    const MLP: &str = "model = \"mlp-deep\"\nepochs = 9\nbatch_size = 64\nlearning_rate = 0.001\n\
                       loss = { kind = \"smoothed-cross-entropy\", smoothing = 0.1 }\n\
                       [optimizer]\nkind = \"adam-w\"\nweight_decay = 0.1\n[schedule]\nkind = \"cosine\"\n\
                       [augmentation]\nrotation_degrees = 20.0\n[early_stopping]\npatience = 1\n";

    fn corpus(images: usize) -> Arc<Corpus> {
        Arc::new(Drawn { train: images, test: 0, seed: 1 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap())
    }

    fn compute() -> Arc<Compute> {
        Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap())
    }

    #[test]
    fn nothing_that_keeps_from_learning_by_heart_is_left() {
        let config = Check::Overfit128.settings(&TrainingConfig::from_toml(MLP).unwrap()).unwrap();
        config.validate().unwrap();
        assert_eq!((config.schedule, config.early_stopping), (Schedule::Constant, None));
        assert!(config.augmentation.is_off() && config.loss == Loss::CrossEntropy);
        assert_eq!((config.dropout, config.optimizer.id(), config.learning_rate), (Some(0.0), "adamw", 0.001));
        assert!(config.to_toml().contains("weight_decay = 0.0"), "{}", config.to_toml());
    }

    #[test]
    fn images_that_leak_into_training_are_found_out() {
        let config = Check::RandomLabels.settings(&TrainingConfig::from_toml(MLP).unwrap()).unwrap();
        let mut data = Check::RandomLabels.images(&corpus(2_000), 1).unwrap();
        assert!(data.train.iter().all(|number| data.validation.binary_search(number).is_err()));
        let honest = Check::RandomLabels.on(&config, &data, &compute(), &mut || true).unwrap().unwrap();
        assert!(honest.passed && honest.sentence.contains("unseen images right"), "{honest:?}");
        data.validation = data.train.clone();
        let leaked = Check::RandomLabels.on(&config, &data, &compute(), &mut || true).unwrap().unwrap();
        assert!(!leaked.passed && leaked.value > 0.4, "{leaked:?}");
    }

    #[test]
    fn a_network_that_cannot_learn_fails_and_an_interruption_is_no_result() {
        let corpus = corpus(1_500);
        let slow = TrainingConfig { learning_rate: 1e-9, ..TrainingConfig::from_toml(MLP).unwrap() };
        for check in [Check::Overfit128, Check::OneBatch] {
            let found = check.run(&slow, &corpus, &compute(), &mut || true).unwrap().unwrap();
            assert!(!found.passed, "{found:?}");
        }
        assert_eq!(Check::OneBatch.run(&slow, &corpus, &compute(), &mut || false).unwrap(), None);
        let few = Arc::new(Corpus { train: corpus.train.take(100), ..Corpus::clone(&corpus) });
        assert!(Check::Overfit128.run(&slow, &few, &compute(), &mut || true).is_err());
    }
}
