//! The learning rate over a run. Every schedule stretches to the number of epochs asked for, and none remembers anything:
//! the same place in a run and the same validation results give the same rate, so that a run can go on from any update.

use serde::{Deserialize, Serialize};

/// How a run did on its validation images after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    pub loss: f64,
    /// Share read right.
    pub accuracy: f64,
}

/// What a plateau is seen by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Validation accuracy: more is better.
    #[default]
    Accuracy,
    /// Validation loss: less is better.
    Loss,
}

/// The factor on the learning rate, as a function of how much of the run is done and of its validation results so far.
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
    /// Rises in a straight line from `start_factor` to 1 during the first `rise` of the run, then falls along half a cosine
    /// to `final_factor` (Smith & Topin 2018, whose way down is a straight line, as is their last, steeper part: the cosine
    /// has both in one). The learning rate is the greatest one.
    OneCycle {
        #[serde(default = "rise")]
        rise: f64,
        #[serde(default = "start_factor")]
        start_factor: f64,
        #[serde(default)]
        final_factor: f64,
    },
    /// Multiplied by `factor` each time that more than `patience` epochs after another have brought no better validation
    /// result, down to `least`. Worked out anew from all results so far.
    ReduceOnPlateau {
        #[serde(default)]
        watch: Watch,
        #[serde(default = "plateau_factor")]
        factor: f64,
        /// Epochs without a better result that are borne.
        #[serde(default = "patience")]
        patience: u32,
        /// The factor never falls below it.
        #[serde(default = "least")]
        least: f64,
    },
}

fn rise() -> f64 {
    0.3
}

fn start_factor() -> f64 {
    0.04
}

fn plateau_factor() -> f64 {
    0.5
}

fn patience() -> u32 {
    3
}

fn least() -> f64 {
    0.01
}

/// A schedule of a run of so many updates, with a warm-up in front.
#[derive(Clone, Copy, Debug)]
pub struct RateCurve {
    pub schedule: Schedule,
    /// The share of the run during which the factor rises in a straight line to the schedule's first one; the schedule has
    /// the rest (Goyal et al. 2017, section 2.2).
    pub warm_up: f32,
    pub updates: u64,
}

impl RateCurve {
    /// The factor for the update after `done` others, with the validation results of the epochs so far. Fractions are updates
    /// of a batch that is smaller or larger than those that [`RateCurve::updates`] counts.
    pub fn factor(&self, done: f64, validations: &[Validation]) -> f64 {
        let warm = (f64::from(self.warm_up) * self.updates as f64).round();
        if done < warm {
            return self.schedule.factor(0.0, validations) * (done + 1.0) / (warm + 1.0);
        }
        // a run of which nothing is left has come to its end
        let updates = self.updates as f64;
        let done = if warm < updates { (done - warm) / (updates - warm) } else { 1.0 };
        self.schedule.factor(done, validations)
    }
}

impl Schedule {
    /// The schedules that a person chooses among, with their names.
    pub const CHOICES: [(&'static str, Self); 6] = [
        ("Constant", Self::Constant),
        ("Step", Self::Step { factor: 0.3, steps: 3 }),
        ("Cosine", Self::Cosine { final_factor: 0.01 }),
        ("LeCun 1998", Self::LeCun1998),
        ("One cycle", Self::OneCycle { rise: 0.3, start_factor: 0.04, final_factor: 0.0 }),
        ("On plateaus", Self::ReduceOnPlateau { watch: Watch::Accuracy, factor: 0.5, patience: 3, least: 0.01 }),
    ];

    /// The place among [`Schedule::CHOICES`] of the schedule of this kind.
    pub fn choice(&self) -> usize {
        let kind = std::mem::discriminant(self);
        Self::CHOICES.iter().position(|(_, choice)| std::mem::discriminant(choice) == kind).unwrap_or(0)
    }

    /// Whether the number of epochs decides the rate of the first ones, too.
    pub fn follows_epochs(&self) -> bool {
        !matches!(self, Self::Constant | Self::ReduceOnPlateau { .. })
    }

    /// Whether it needs validation images.
    pub fn needs_validation(&self) -> bool {
        matches!(self, Self::ReduceOnPlateau { .. })
    }

    /// The factor when `done` of the run, a share in [0, 1], lies behind, and its epochs brought `validations`.
    pub fn factor(&self, done: f64, validations: &[Validation]) -> f64 {
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
            Self::Cosine { final_factor } => half_cosine(final_factor, done),
            Self::OneCycle { rise, start_factor, .. } if done < rise => {
                start_factor + (1.0 - start_factor) * done / rise
            }
            Self::OneCycle { rise, final_factor, .. } => half_cosine(final_factor, (done - rise) / (1.0 - rise)),
            Self::ReduceOnPlateau { watch, factor, patience, least } => {
                factor.powi(plateaus(watch, patience, validations)).max(least)
            }
        }
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), String> {
        match *self {
            Self::Step { factor, steps } if !(factor > 0.0 && factor <= 1.0) || steps == 0 => {
                Err(format!("a step schedule needs a factor in (0, 1] and at least one step, got {factor} and {steps}"))
            }
            Self::Cosine { final_factor } | Self::OneCycle { final_factor, .. }
                if !(0.0..=1.0).contains(&final_factor) =>
            {
                Err(format!("the final factor lies between 0 and 1, got {final_factor}"))
            }
            Self::OneCycle { rise, start_factor, .. }
                if !((0.0..1.0).contains(&rise) && start_factor > 0.0 && start_factor <= 1.0) =>
            {
                Err(format!(
                    "one cycle needs a rise in [0, 1) and a start factor in (0, 1], got {rise} and {start_factor}"
                ))
            }
            Self::ReduceOnPlateau { factor, least, .. }
                if !(factor > 0.0 && factor < 1.0 && (0.0..=1.0).contains(&least)) =>
            {
                Err(format!(
                    "a plateau needs a factor in (0, 1) and a least factor in [0, 1], got {factor} and {least}"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// From 1 to `end` while `done` goes from 0 to 1 (Loshchilov & Hutter 2017, eq. 5).
fn half_cosine(end: f64, done: f64) -> f64 {
    end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// How many times more than `patience` results after another were no better than the best before them.
fn plateaus(watch: Watch, patience: u32, validations: &[Validation]) -> i32 {
    let (mut best, mut waited, mut count) = (f64::NEG_INFINITY, 0, 0);
    for validation in validations {
        let merit = match watch {
            Watch::Accuracy => validation.accuracy,
            Watch::Loss => -validation.loss,
        };
        if merit > best {
            (best, waited) = (merit, 0);
        } else {
            waited += 1;
            if waited > patience {
                (waited, count) = (0, count + 1);
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_rises_to_one_and_falls_along_a_cosine() {
        let schedule = Schedule::OneCycle { rise: 0.25, start_factor: 0.2, final_factor: 0.1 };
        for (done, factor) in [(0.0, 0.2), (0.125, 0.6), (0.25, 1.0), (0.625, 0.55), (1.0, 0.1)] {
            assert!((schedule.factor(done, &[]) - factor).abs() < 1e-12, "at {done}");
        }
        let at_once = Schedule::OneCycle { rise: 0.0, start_factor: 0.2, final_factor: 0.0 };
        assert_eq!(at_once.factor(0.0, &[]), 1.0);
    }

    #[test]
    fn a_plateau_is_seen_in_the_results_alone() {
        let results = |values: &[f64]| -> Vec<Validation> {
            values.iter().map(|&x| Validation { loss: -x, accuracy: x }).collect()
        };
        for watch in [Watch::Accuracy, Watch::Loss] {
            let schedule = Schedule::ReduceOnPlateau { watch, factor: 0.5, patience: 1, least: 0.2 };
            for (values, factor, reason) in [
                (&[][..], 1.0, "nothing is known yet"),
                (&[0.1, 0.2, 0.2], 1.0, "one epoch is borne"),
                (&[0.1, 0.2, 0.2, 0.15], 0.5, "two are not"),
                (&[0.1, 0.2, 0.2, 0.3, 0.3], 1.0, "a better one begins the count anew"),
                (&[0.2, 0.1, 0.1, 0.1, 0.1], 0.25, "twice"),
                (&[0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 0.2, "never below the least"),
            ] {
                assert_eq!(schedule.factor(0.5, &results(values)), factor, "{watch:?}: {reason}");
            }
        }
    }

    #[test]
    fn a_warm_up_leads_in_a_straight_line_to_any_schedule() {
        for (name, schedule) in Schedule::CHOICES {
            let curve = RateCurve { schedule, warm_up: 0.2, updates: 20 };
            let first = schedule.factor(0.0, &[]);
            let factors: Vec<f64> = (0..5).map(|step| curve.factor(f64::from(step), &[])).collect();
            for (factor, share) in factors.iter().zip([0.2, 0.4, 0.6, 0.8, 1.0]) {
                assert!((factor - share * first).abs() < 1e-12, "{name}: {factors:?}");
            }
            assert_eq!(
                curve.factor(12.0, &[]),
                schedule.factor(0.5, &[]),
                "{name}: then the schedule has what is left"
            );
            assert_eq!(curve.factor(20.0, &[]), schedule.factor(1.0, &[]));
            let without = RateCurve { warm_up: 0.0, ..curve };
            assert_eq!(without.factor(7.0, &[]), schedule.factor(7.0 / 20.0, &[]), "{name}: without, nothing changes");
        }
        // a run of one update is its own warm-up
        let short = RateCurve { schedule: Schedule::Constant, warm_up: 0.5, updates: 1 };
        assert_eq!((short.factor(0.0, &[]), short.factor(1.0, &[])), (0.5, 1.0));
    }

    #[test]
    fn schedules_begin_at_one_and_end_where_they_say() {
        for (name, schedule, end) in [
            ("constant", Schedule::Constant, 1.0),
            ("step", Schedule::Step { factor: 0.1, steps: 3 }, 0.01),
            ("cosine", Schedule::Cosine { final_factor: 0.05 }, 0.05),
            ("the paper's", Schedule::LeCun1998, 0.02),
        ] {
            assert!((schedule.factor(0.0, &[]) - 1.0).abs() < 1e-12, "{name} begins at 1");
            assert!((schedule.factor(1.0, &[]) - end).abs() < 1e-12, "{name} ends at {end}");
            assert!(schedule.factor(2.0, &[]) == schedule.factor(1.0, &[]), "{name} stays at its end");
        }
    }

    #[test]
    fn a_step_schedule_changes_at_equal_parts() {
        let schedule = Schedule::Step { factor: 0.5, steps: 4 };
        let factors: Vec<f64> = [0.1, 0.3, 0.6, 0.9].iter().map(|&done| schedule.factor(done, &[])).collect();
        assert_eq!(factors, [1.0, 0.5, 0.25, 0.125]);
        // the rate at the beginning of passes 1, 2, 3, 5, 6, 9, 13 and 20 of twenty
        let factors = [0, 1, 2, 4, 5, 8, 12, 19].map(|pass| Schedule::LeCun1998.factor(f64::from(pass) / 20.0, &[]));
        assert_eq!(factors, [1.0, 1.0, 0.4, 0.4, 0.2, 0.1, 0.02, 0.02]);
    }
}
