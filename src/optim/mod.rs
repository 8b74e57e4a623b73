//! How parameters move: optimisers with their own saved state, and schedules of the learning rate.

mod adam;
mod clip;
mod conjugate_gradient;
mod elementwise;
mod line_search;
mod schedule;
mod sdlm;
mod sgd;

use std::ops::ControlFlow;

use candle_core::{Result, Tensor, bail};
use serde::{Deserialize, Serialize};

pub use adam::Adam;
pub use clip::clipped;
pub use conjugate_gradient::{ConjugateGradient, set_flat};
pub use schedule::{RateCurve, Schedule, Validation, Watch};
pub use sdlm::Sdlm;
pub use sgd::Sgd;

use crate::nn::ParamStore;

/// Moves parameters against their gradients.
pub trait Optimizer: Send {
    /// One update against the sum of the gradients that the parts of a batch gave: each part one tensor a parameter, in
    /// the order of the store and of the same shapes. On the processor the calling pool's threads share the work.
    fn step(&mut self, params: &ParamStore, parts: &[Vec<Tensor>], learning_rate: f64) -> Result<()>;

    /// Whether it asks for the loss of all training images, at several places before it moves: then
    /// [`Optimizer::step_along`] is called instead of [`Optimizer::step`].
    fn asks_for_all_images(&self) -> bool {
        false
    }

    /// One update from the present parameters, asking `function` at places of its own choice; the last place asked about is
    /// the one where it ends. Breaks where `function` answers no more; the parameters are then those of before.
    fn step_along(&mut self, _: &ParamStore, _: &mut dyn Function, _learning_rate: f64) -> Result<ControlFlow<()>> {
        bail!("this optimiser moves by single gradients")
    }

    /// On how many patterns the curvature is to be estimated before every pass, if it needs that.
    fn curvature_patterns(&self) -> Option<usize> {
        None
    }

    /// Takes the mean curvature of every parameter, in the order of the store.
    fn set_curvature(&mut self, _: &[Tensor]) -> Result<()> {
        Ok(())
    }

    /// Where every parameter has a step of its own: the least and the greatest factor on the learning rate, one pair a
    /// tensor of the store.
    fn step_factors(&self) -> Result<Option<Vec<(f64, f64)>>> {
        Ok(None)
    }

    /// Other coefficients from the next update on, where it has them: momentum (β₁) and weight decay. `None` leaves one as it is.
    fn set_coefficients(&mut self, _momentum: Option<f64>, _weight_decay: Option<f64>) {}

    /// What it remembers between updates, named; with the parameters this is all that going on later needs.
    fn state(&self) -> Result<Vec<(String, Vec<f32>)>>;

    /// Takes up a state given by [`Optimizer::state`] for the same parameters. Fails where names or sizes differ.
    fn restore(&mut self, params: &ParamStore, state: &[(String, Vec<f32>)]) -> Result<()>;
}

/// What is made small, for optimisers that ask at several places.
pub trait Function {
    /// The value at `x`, all parameters that learn one after the other; `gradient`, as long, is overwritten. `None` when
    /// nobody wants to know any more.
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<Option<f64>>;

    /// Whether this may be another function than the one that was last asked.
    fn may_differ(&self) -> bool;
}

/// An optimiser and its settings, as a configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent; with momentum 0 the plain form.
    Sgd {
        #[serde(default)]
        momentum: f64,
        #[serde(default)]
        weight_decay: f64,
    },
    /// Kingma & Ba 2015.
    Adam {
        #[serde(default = "adam_beta1")]
        beta1: f64,
        #[serde(default = "adam_beta2")]
        beta2: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW {
        #[serde(default = "adam_beta1")]
        beta1: f64,
        #[serde(default = "adam_beta2")]
        beta2: f64,
        weight_decay: f64,
    },
    /// Stochastic diagonal Levenberg–Marquardt (LeCun et al. 1998, section III-B and appendix C).
    Sdlm {
        /// Added to every curvature.
        #[serde(default = "sdlm_mu")]
        mu: f64,
        /// The least that a curvature counts as.
        #[serde(default = "sdlm_floor")]
        floor: f64,
        /// Patterns that the curvature is estimated on before every pass.
        #[serde(default = "sdlm_patterns")]
        patterns: usize,
    },
    /// Non-linear conjugate gradient (Polak & Ribière 1969) with line searches over all training images. The batch size is
    /// how many of them are worked out at once; the learning rate multiplies the first step that a search tries.
    ConjugateGradient {
        /// λ of the penalty λ/2 Σ w² on weights, biases left out.
        #[serde(default)]
        weight_decay: f64,
        /// Updates of an epoch. Distortions and silent units stay the same for them.
        #[serde(default = "cg_iterations")]
        iterations: u32,
    },
}

fn cg_iterations() -> u32 {
    5
}

fn sdlm_mu() -> f64 {
    0.02
}

fn sdlm_floor() -> f64 {
    0.2
}

fn sdlm_patterns() -> usize {
    500
}

fn adam_beta1() -> f64 {
    0.9
}

fn adam_beta2() -> f64 {
    0.999
}

impl OptimizerConfig {
    /// The names by which commands and the window choose an optimiser, each with its usual settings.
    pub const CHOICES: [(&'static str, &'static str, Self); 6] = [
        ("sgd", "SGD", Self::Sgd { momentum: 0.0, weight_decay: 0.0 }),
        ("momentum", "SGD, momentum", Self::Sgd { momentum: 0.9, weight_decay: 0.0 }),
        ("adam", "Adam", Self::Adam { beta1: 0.9, beta2: 0.999 }),
        ("adamw", "AdamW", Self::AdamW { beta1: 0.9, beta2: 0.999, weight_decay: 0.01 }),
        ("sdlm", "SDLM (1998)", Self::Sdlm { mu: 0.02, floor: 0.2, patterns: 500 }),
        ("conjugate-gradient", "Conj. gradient", Self::ConjugateGradient { weight_decay: 0.0, iterations: 5 }),
    ];

    /// The optimiser of that name.
    pub fn find(id: &str) -> Option<Self> {
        Self::CHOICES.iter().find(|(name, ..)| *name == id).map(|(.., config)| *config)
    }

    /// The name that fits these settings best.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Sgd { momentum, .. } if *momentum == 0.0 => "sgd",
            Self::Sgd { .. } => "momentum",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
            Self::Sdlm { .. } => "sdlm",
            Self::ConjugateGradient { .. } => "conjugate-gradient",
        }
    }

    /// A learning rate that usually works with it.
    pub fn usual_learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { momentum, .. } if *momentum == 0.0 => 0.1,
            Self::Sgd { .. } => 0.02,
            Self::Adam { .. } | Self::AdamW { .. } => 0.001,
            Self::Sdlm { .. } => 0.0005,
            Self::ConjugateGradient { .. } => 1.0,
        }
    }

    /// Updates of an epoch of so many images in batches of this size.
    pub fn updates_per_epoch(&self, images: usize, batch_size: usize) -> u64 {
        match *self {
            Self::ConjugateGradient { iterations, .. } => u64::from(iterations),
            _ => images.div_ceil(batch_size) as u64,
        }
    }

    /// The share of the last step that goes into the next: momentum's coefficient, Adam's β₁.
    pub fn momentum(&self) -> Option<f64> {
        match *self {
            Self::Sgd { momentum, .. } => Some(momentum),
            Self::Adam { beta1, .. } | Self::AdamW { beta1, .. } => Some(beta1),
            Self::Sdlm { .. } | Self::ConjugateGradient { .. } => None,
        }
    }

    /// How weights decay, each optimiser in its own sense.
    pub fn weight_decay(&self) -> Option<f64> {
        match *self {
            Self::Sgd { weight_decay, .. }
            | Self::AdamW { weight_decay, .. }
            | Self::ConjugateGradient { weight_decay, .. } => Some(weight_decay),
            Self::Adam { .. } | Self::Sdlm { .. } => None,
        }
    }

    /// The same with another momentum and weight decay, where it has them.
    pub fn with(mut self, new_momentum: Option<f64>, new_decay: Option<f64>) -> Self {
        if let (
            Self::Sgd { momentum: own, .. } | Self::Adam { beta1: own, .. } | Self::AdamW { beta1: own, .. },
            Some(new),
        ) = (&mut self, new_momentum)
        {
            *own = new;
        }
        if let (
            Self::Sgd { weight_decay: own, .. }
            | Self::AdamW { weight_decay: own, .. }
            | Self::ConjugateGradient { weight_decay: own, .. },
            Some(new),
        ) = (&mut self, new_decay)
        {
            *own = new;
        }
        self
    }

    /// λ of a penalty λ/2 Σ w² that belongs to the loss of all training images; optimisers of single gradients let weights
    /// decay themselves.
    pub fn penalty(&self) -> f64 {
        match *self {
            Self::ConjugateGradient { weight_decay, .. } => weight_decay,
            _ => 0.0,
        }
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let share = |name: &str, x: f64| {
            if (0.0..1.0).contains(&x) { Ok(()) } else { Err(format!("{name} lies in [0, 1), got {x}")) }
        };
        let decay = |x: f64| {
            if x.is_finite() && (0.0..=1.0).contains(&x) {
                Ok(())
            } else {
                Err(format!("weight decay lies between 0 and 1, got {x}"))
            }
        };
        match *self {
            Self::Sgd { momentum, weight_decay } => share("momentum", momentum).and(decay(weight_decay)),
            Self::Adam { beta1, beta2 } => share("beta1", beta1).and(share("beta2", beta2)),
            Self::AdamW { beta1, beta2, weight_decay } => {
                share("beta1", beta1).and(share("beta2", beta2)).and(decay(weight_decay))
            }
            Self::Sdlm { mu, floor, patterns } => {
                if !(mu.is_finite() && mu > 0.0 && floor.is_finite() && floor >= 0.0) {
                    return Err(format!("SDLM needs mu above 0 and a floor of 0 or more, got {mu} and {floor}"));
                }
                if patterns == 0 {
                    return Err("SDLM estimates the curvature on one pattern at least".to_owned());
                }
                Ok(())
            }
            Self::ConjugateGradient { weight_decay, iterations } => {
                if !(1..=1_000).contains(&iterations) {
                    return Err(format!("an epoch of conjugate gradient has 1 to 1,000 iterations, got {iterations}"));
                }
                decay(weight_decay)
            }
        }
    }

    /// The optimiser itself, for these parameters.
    pub fn build(&self, params: &ParamStore) -> Result<Box<dyn Optimizer>> {
        Ok(match *self {
            Self::Sgd { momentum, weight_decay } => Box::new(Sgd::new(params, momentum, weight_decay)?),
            Self::Adam { beta1, beta2 } => Box::new(Adam::new(params, beta1, beta2, 0.0)?),
            Self::AdamW { beta1, beta2, weight_decay } => Box::new(Adam::new(params, beta1, beta2, weight_decay)?),
            Self::Sdlm { mu, floor, patterns } => Box::new(Sdlm::new(params, mu, floor, patterns)?),
            Self::ConjugateGradient { .. } => Box::new(ConjugateGradient::new()),
        })
    }
}
