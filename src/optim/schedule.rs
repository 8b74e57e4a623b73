//! The learning rate over a run. Every schedule stretches to the number of epochs asked for.

use serde::{Deserialize, Serialize};

/// The factor on the learning rate, as a function of how much of the run is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The same rate throughout.
    #[default]
    Constant,
    /// Multiplied by `factor` at each of `steps` equal parts of the run after the first.
    Step { factor: f64, steps: u32 },
    /// Falls along half a cosine to `final_factor` (Loshchilov & Hutter 2017, eq. 5, one period).
    Cosine {
        #[serde(default)]
        final_factor: f64,
    },
    /// 1, 0.4, 0.2, 0.1 and 0.02 from passes 1, 3, 6, 9 and 13 of twenty on (LeCun et al. 1998, section III-B).
    #[serde(rename = "lecun-1998")]
    LeCun1998,
}

impl Schedule {
    /// The schedules that a person chooses among, with their names.
    pub const CHOICES: [(&'static str, Self); 4] = [
        ("Constant", Self::Constant),
        ("Step", Self::Step { factor: 0.3, steps: 3 }),
        ("Cosine", Self::Cosine { final_factor: 0.01 }),
        ("LeCun 1998", Self::LeCun1998),
    ];

    /// The factor when `done` of the run, a share in [0, 1], lies behind.
    pub fn factor(&self, done: f64) -> f64 {
        let done = done.clamp(0.0, 1.0);
        match *self {
            Self::Constant => 1.0,
            Self::Step { factor, steps } => {
                let part = (done * f64::from(steps)).floor().min(f64::from(steps) - 1.0);
                factor.powf(part.max(0.0))
            }
            Self::LeCun1998 => match (done * 20.0 + 1e-9).floor() as u32 {
                0..2 => 1.0,
                2..5 => 0.4,
                5..8 => 0.2,
                8..12 => 0.1,
                _ => 0.02,
            },
            Self::Cosine { final_factor } => {
                final_factor + (1.0 - final_factor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), String> {
        match *self {
            Self::Step { factor, steps } if !(factor > 0.0 && factor <= 1.0) || steps == 0 => {
                Err(format!("a step schedule needs a factor in (0, 1] and at least one step, got {factor} and {steps}"))
            }
            Self::Cosine { final_factor } if !(0.0..=1.0).contains(&final_factor) => {
                Err(format!("the final factor lies between 0 and 1, got {final_factor}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_begin_at_one_and_end_where_they_say() {
        for (name, schedule, end) in [
            ("constant", Schedule::Constant, 1.0),
            ("step", Schedule::Step { factor: 0.1, steps: 3 }, 0.01),
            ("cosine", Schedule::Cosine { final_factor: 0.05 }, 0.05),
            ("the paper's", Schedule::LeCun1998, 0.02),
        ] {
            assert!((schedule.factor(0.0) - 1.0).abs() < 1e-12, "{name} begins at 1");
            assert!((schedule.factor(1.0) - end).abs() < 1e-12, "{name} ends at {end}");
            assert!(schedule.factor(2.0) == schedule.factor(1.0), "{name} stays at its end");
        }
    }

    #[test]
    fn a_step_schedule_changes_at_equal_parts() {
        let schedule = Schedule::Step { factor: 0.5, steps: 4 };
        let factors: Vec<f64> = [0.1, 0.3, 0.6, 0.9].iter().map(|&done| schedule.factor(done)).collect();
        assert_eq!(factors, [1.0, 0.5, 0.25, 0.125]);
        // the rate at the beginning of passes 1, 2, 3, 5, 6, 9, 13 and 20 of twenty
        let factors = [0, 1, 2, 4, 5, 8, 12, 19].map(|pass| Schedule::LeCun1998.factor(f64::from(pass) / 20.0));
        assert_eq!(factors, [1.0, 1.0, 0.4, 0.4, 0.2, 0.1, 0.02, 0.02]);
    }
}
