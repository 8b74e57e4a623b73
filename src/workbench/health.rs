//! What a training's curves hint at, in words: each rule is a small function of what the run has told. Nothing is said
//! before there is evidence, and a hint goes when its cause goes.

use super::training_view::{EpochPoint, StepPoint, TickPoint, TrainingView};
use crate::inference::DeadUnits;

/// Something that looks wrong with a training, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// "The rate may be too high".
    pub what: &'static str,
    /// What one sees it by, as a sentence.
    pub seen: String,
    /// What may help, as a sentence.
    pub advice: String,
}

/// What the rules make of a training.
#[derive(Clone, Debug, PartialEq)]
pub enum Health {
    /// Too little has been told to say anything.
    Unknown,
    /// No rule finds anything.
    Good,
    Hints(Vec<Hint>),
}

/// Points of the training curve before anything is said of it.
const LEAST_POINTS: usize = 20;
/// ln 10: the cross-entropy of a network that gives every digit the same chance.
const CHANCE: f64 = std::f64::consts::LN_10;
/// A rise above the least loss so far by this factor is more than the noise of batches.
const RISE: f64 = 1.5;
/// And by this share of the loss at the start: small losses jump about without harm.
const RISE_OF_START: f64 = 0.05;
/// A loss that has moved by less than this share has hardly moved.
const HARDLY: f64 = 0.03;
/// Share of digits read right from which on a loss need not move any more.
const LEARNT: f64 = 0.5;
/// Epochs of rising validation loss in a row.
const RISING_EPOCHS: usize = 3;
/// The validation loss at their end over that before them, at least: noise alone rises now and then, too.
const WORTH_A_WORD: f64 = 1.01;
/// Epochs without getting better.
const FLAT_EPOCHS: usize = 5;
/// Accuracy that counts as better: 0.05 points of per cent.
const BETTER: f64 = 5e-4;

impl TrainingView {
    /// What its curves hint at so far.
    pub fn health(&self) -> Health {
        let curves = &self.curves;
        let rate = self.config.learning_rate;
        let is_cross_entropy = !self.config.loss.is_of_distances();
        let high = rate_too_high(&curves.steps, self.done(), is_cross_entropy, rate);
        let low = if high.is_some() { None } else { rate_too_low(&curves.steps, self.updates_per_epoch(), rate) };
        // where the rate is to blame, it says more than that nothing gets better
        let flat = if high.is_some() || low.is_some() { None } else { plateau(&curves.ticks) };
        let rules = [high, low, dead(&self.dead_units), over_fitting(&curves.epochs, &curves.ticks), flat];
        let hints: Vec<Hint> = rules.into_iter().flatten().collect();
        match (hints.is_empty(), curves.steps.len() < LEAST_POINTS) {
            (false, _) => Health::Hints(hints),
            (true, true) => Health::Unknown,
            (true, false) => Health::Good,
        }
    }
}

/// Mean losses over windows of a twentieth of the points, at least five each, in their order.
fn windows(steps: &[StepPoint]) -> Vec<f64> {
    let width = (steps.len() / 20).max(5);
    // the last window ends at the last point, so that what happens now is seen now
    let whole = steps[steps.len() % width..].chunks(width);
    whole.map(|window| window.iter().map(|point| point.loss).sum::<f64>() / window.len() as f64).collect()
}

/// The loss rises or jumps, or is still above that of guessing when a tenth of the run is `done`.
fn rate_too_high(steps: &[StepPoint], done: f64, is_cross_entropy: bool, rate: f64) -> Option<Hint> {
    let windows = windows(steps);
    let (&now, before) = windows.split_last()?;
    if steps.len() < LEAST_POINTS {
        return None;
    }
    let start = before.first()?;
    let least = before.iter().copied().fold(f64::INFINITY, f64::min);
    let rises = now > RISE * least && now - least > RISE_OF_START * start;
    let guesses = is_cross_entropy && done >= 0.1 && now > 1.01 * CHANCE;
    let seen = if rises {
        format!("The training loss has risen from {least:.3} to {now:.3}")
    } else if guesses {
        format!("The training loss is {now:.2}, and guessing gives {CHANCE:.2}")
    } else {
        return None;
    };
    let advice = format!("Try a lower rate, such as {}", nice(rate / 3.0));
    Some(Hint { what: "The rate may be too high", seen, advice })
}

/// A quarter of an epoch or more has hardly moved the loss, and most digits are still read wrong.
fn rate_too_low(steps: &[StepPoint], updates_per_epoch: Option<f64>, rate: f64) -> Option<Hint> {
    let windows = windows(steps);
    let (first, now) = (*windows.first()?, *windows.last()?);
    let last = steps.last()?;
    let recent = &steps[steps.len().saturating_sub(5)..];
    let accuracy = recent.iter().map(|point| point.accuracy).sum::<f64>() / recent.len() as f64;
    let is_evidence = steps.len() >= LEAST_POINTS && last.step as f64 >= 0.25 * updates_per_epoch?;
    if !is_evidence || accuracy >= LEARNT || (now - first).abs() >= HARDLY * first {
        return None;
    }
    Some(Hint {
        what: "The rate may be too low",
        seen: format!("{} updates have moved the training loss from {first:.3} to {now:.3}", last.step),
        advice: format!("Try a higher rate, such as {}", nice(rate * 3.0)),
    })
}

/// A quarter of a rectified layer's units, or more, are 0 for every validation image of a quick look.
fn dead(layers: &[DeadUnits]) -> Option<Hint> {
    let worst = layers.iter().max_by(|a, b| a.share().total_cmp(&b.share()))?;
    (worst.share() >= DeadUnits::MANY).then(|| Hint {
        what: "Units are dead",
        seen: format!(
            "{} of {} units of {} are 0 for every validation digit and learn no more",
            worst.dead, worst.units, worst.layer
        ),
        advice: "Start anew with a lower rate; dead units seldom come back".to_owned(),
    })
}

/// The validation loss has risen for three epochs in a row while the training loss fell.
fn over_fitting(epochs: &[EpochPoint], ticks: &[TickPoint]) -> Option<Hint> {
    let newest = epochs.get(epochs.len().checked_sub(RISING_EPOCHS + 1)?..)?;
    let validation: Vec<f64> = newest.iter().filter_map(|epoch| Some(whole_at(ticks, epoch.step)?.loss)).collect();
    let rises = validation.len() == newest.len()
        && validation.windows(2).all(|pair| pair[1] > pair[0])
        && *validation.last()? >= validation.first()? * WORTH_A_WORD;
    let falls = newest.windows(2).all(|pair| pair[1].train_loss < pair[0].train_loss);
    let (&loss, training) = (validation.last()?, newest.last()?.train_loss);
    (rises && falls).then(|| Hint {
        what: "It learns the training digits by heart",
        seen: format!(
            "For {RISING_EPOCHS} epochs the validation loss has risen, to {loss:.3}, while that of training fell, to \
             {training:.3}"
        ),
        advice: "Stop here and keep the best epoch, or train with distortions or on more digits".to_owned(),
    })
}

/// Five epochs have brought no better accuracy than those before.
fn plateau(ticks: &[TickPoint]) -> Option<Hint> {
    let accuracies: Vec<f64> = ticks.iter().filter(|tick| tick.whole).map(|tick| tick.accuracy).collect();
    let (before, newest) = accuracies.split_at(accuracies.len().checked_sub(FLAT_EPOCHS)?);
    let best = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if before.is_empty() || best(newest) > best(before) + BETTER {
        return None;
    }
    Some(Hint {
        what: "It gets no better",
        seen: format!(
            "{FLAT_EPOCHS} epochs have not raised the best validation accuracy, {:.2} %, by 0.05",
            100.0 * best(&accuracies)
        ),
        advice: "Lower the rate, or stop: the best epoch is kept".to_owned(),
    })
}

/// The look at all validation images after this update.
fn whole_at(ticks: &[TickPoint], step: u64) -> Option<&TickPoint> {
    ticks.iter().rev().find(|tick| tick.whole && tick.step == step)
}

/// With one figure that counts: 0.0033 is 0.003.
fn nice(rate: f64) -> String {
    let power = 10.0_f64.powf(rate.max(1e-12).log10().floor());
    let decimals = (-power.log10()).round().max(0.0) as usize;
    format!("{:.decimals$}", (rate / power).round() * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A training curve with these losses, 10 updates a point.
    fn steps(losses: impl IntoIterator<Item = f64>, accuracy: f64) -> Vec<StepPoint> {
        let point = |(index, loss): (usize, f64)| {
            let step = 10 * (index as u64 + 1);
            StepPoint { step, seconds: step as f64, loss, accuracy }
        };
        losses.into_iter().enumerate().map(point).collect()
    }

    fn tick(step: u64, loss: f64, accuracy: f64, whole: bool) -> TickPoint {
        TickPoint { step, seconds: step as f64, loss, accuracy, f1: [accuracy; 10], images: 100, whole }
    }

    /// Epochs of 10 updates with these losses in training and validation.
    fn epochs(losses: &[(f64, f64)]) -> (Vec<EpochPoint>, Vec<TickPoint>) {
        let numbered = || losses.iter().zip(1u32..);
        let epoch = |((training, _), epoch): (&(f64, f64), u32)| EpochPoint {
            epoch,
            step: 10 * u64::from(epoch),
            seconds: f64::from(epoch),
            train_loss: *training,
            train_accuracy: 0.9,
            is_best: false,
        };
        let tick = |((_, validation), epoch): (&(f64, f64), u32)| tick(10 * u64::from(epoch), *validation, 0.9, true);
        (numbered().map(epoch).collect(), numbered().map(tick).collect())
    }

    fn falling(count: usize) -> Vec<f64> {
        (0..count).map(|i| 0.1 + 2.0 / (1.0 + i as f64)).collect()
    }

    #[test]
    fn a_loss_that_jumps_or_stays_above_chance_hints_at_a_lower_rate() {
        let too_high = |losses: Vec<f64>, done: f64| rate_too_high(&steps(losses, 0.1), done, true, 0.01);
        assert_eq!(too_high(falling(100), 0.5), None);
        assert_eq!(too_high(vec![9.0; 19], 0.5), None, "no evidence yet");
        assert_eq!(too_high(vec![2.5; 40], 0.05), None, "the first tenth may be above chance");
        let hint = too_high(vec![2.5; 40], 0.1).unwrap();
        assert!(hint.seen.contains("2.50") && hint.advice.ends_with("0.003"), "{hint:?}");
        assert_eq!(
            rate_too_high(&steps(vec![42.0; 40], 0.1), 0.5, false, 0.01),
            None,
            "distances are no cross-entropy"
        );

        let mut jumping = falling(100);
        jumping.extend([1.5; 10]);
        assert!(too_high(jumping.clone(), 0.5).unwrap().seen.contains("risen"));
        jumping.extend([0.12; 10]);
        assert_eq!(too_high(jumping, 0.5), None, "it has come down again");
        let noise = (0..200).map(|i| if i < 50 { 2.0 / f64::from(i + 1) } else { 0.01 + 0.01 * f64::from(i % 7) });
        assert_eq!(too_high(noise.collect(), 0.5), None, "small losses jump about");
    }

    #[test]
    fn a_loss_that_hardly_moves_hints_at_a_higher_rate() {
        let too_low = |losses: Vec<f64>, accuracy| rate_too_low(&steps(losses, accuracy), Some(400.0), 0.0001);
        assert!(too_low(vec![2.3; 40], 0.1).unwrap().advice.ends_with("0.0003"));
        assert_eq!(too_low(vec![2.3; 9], 0.1), None, "90 of 400 updates are too few");
        assert_eq!(too_low(vec![0.05; 40], 0.98), None, "what has learnt need not move");
        assert_eq!(too_low(falling(40), 0.1), None);
        assert_eq!(rate_too_low(&steps(vec![2.3; 40], 0.1), None, 0.1), None, "the length of an epoch is unknown");
    }

    #[test]
    fn a_quarter_of_a_layer_dead_is_told_with_its_name() {
        let layer = |layer: &str, dead| DeadUnits { layer: layer.to_owned(), dead, units: 128 };
        assert_eq!(dead(&[]), None);
        assert_eq!(dead(&[layer("Hidden1", 0), layer("Hidden2", 31)]), None);
        let hint = dead(&[layer("Hidden1", 32), layer("Hidden2", 100)]).unwrap();
        assert!(hint.seen.starts_with("100 of 128 units of Hidden2 are 0"), "{hint:?}");
    }

    #[test]
    fn three_epochs_of_rising_validation_loss_are_over_fitting() {
        let hint = |losses: &[(f64, f64)]| {
            let (epochs, ticks) = epochs(losses);
            over_fitting(&epochs, &ticks)
        };
        let rising = [(0.5, 0.4), (0.4, 0.41), (0.3, 0.42), (0.2, 0.43)];
        assert!(hint(&rising).unwrap().seen.contains("to 0.430"));
        assert_eq!(hint(&rising[..3]), None, "two epochs are no evidence");
        assert_eq!(hint(&[(0.5, 0.4), (0.4, 0.41), (0.3, 0.42), (0.2, 0.41)]), None, "it fell again");
        assert_eq!(hint(&[(0.5, 0.4), (0.6, 0.41), (0.7, 0.42), (0.8, 0.43)]), None, "training gets worse, too");
        assert_eq!(hint(&[(0.5, 0.4), (0.4, 0.4001), (0.3, 0.4002), (0.2, 0.4003)]), None, "that is noise");
        let (epochs, _) = epochs(&rising);
        assert_eq!(over_fitting(&epochs, &[]), None, "nothing was kept for validation");
    }

    #[test]
    fn five_epochs_without_a_better_one_are_a_plateau() {
        let hint = |accuracies: &[f64]| {
            let ticks: Vec<TickPoint> =
                accuracies.iter().zip(1..).map(|(accuracy, epoch)| tick(10 * epoch, 0.1, *accuracy, true)).collect();
            plateau(&ticks)
        };
        assert!(hint(&[0.95, 0.98, 0.98, 0.9804, 0.979, 0.98, 0.9803]).unwrap().seen.contains("98.04 %"));
        assert_eq!(hint(&[0.95, 0.98, 0.98, 0.9804, 0.979, 0.98]), None, "98 % is among the last five");
        assert_eq!(hint(&[0.98, 0.98, 0.98, 0.98, 0.98, 0.9806]), None, "0.06 points are better");
        assert_eq!(hint(&[0.98; 5]), None);
        let parts: Vec<TickPoint> = (1..9).map(|step| tick(step, 0.1, 0.98, false)).collect();
        assert_eq!(plateau(&parts), None, "looks at a part are not compared");
    }

    #[test]
    fn rates_are_advised_with_one_figure() {
        for (rate, expected) in [(0.01 / 3.0, "0.003"), (0.0003, "0.0003"), (3.0, "3"), (0.97, "1.0"), (0.14, "0.1")] {
            assert!(nice(rate).starts_with(expected), "{rate}: {}", nice(rate));
        }
    }
}
