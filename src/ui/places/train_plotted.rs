//! A training's curves as the plots take them: places on the chosen axis, values as shares. Worked out anew only when the
//! run has told something new or another view is asked for.

use std::path::PathBuf;

use crate::storage::XAxis;
use crate::ui::text;
use crate::ui::widgets::plot::Flag;
use crate::ui::widgets::plot_lines::smoothed;
use crate::workbench::{Curves, TrainingView};

/// A curve, and the same smoothed where that is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub raw: Vec<[f64; 2]>,
    pub smooth: Vec<[f64; 2]>,
}

impl Line {
    fn new(raw: Vec<[f64; 2]>, smoothing: f64) -> Self {
        let smooth = if smoothing > 0.0 { smoothed(&raw, smoothing) } else { Vec::new() };
        Self { raw, smooth }
    }
}

/// Everything that the plots show of a training.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plotted {
    pub train_loss: Line,
    pub train_accuracy: Line,
    pub validation_loss: Line,
    pub validation_accuracy: Line,
    /// `[x, accuracy]`.
    pub best: Option<[f64; 2]>,
    pub f1: [Vec<[f64; 2]>; 10],
    pub f1_changes: [Option<f64>; 10],
    pub f1_note: String,
    pub flags: Vec<Flag>,
    /// Where epochs end.
    pub epochs: Vec<f64>,
}

impl Plotted {
    pub fn new(view: &TrainingView, by: XAxis, smoothing: f64) -> Self {
        let curves = &view.curves;
        let x = |step: u64, seconds: f64| match by {
            XAxis::Epochs => view.epoch_at(step),
            XAxis::Updates => step as f64,
            XAxis::Seconds => seconds,
        };
        let best = view.best().and_then(|best| {
            let whole = curves.ticks.iter().find(|tick| tick.whole && tick.step == best.step)?;
            Some([x(whole.step, whole.seconds), whole.accuracy])
        });
        let f1_note = curves.ticks.last().map_or_else(String::new, |tick| {
            let images = text::count(u64::from(tick.images));
            if tick.whole {
                format!("{images} validation digits")
            } else {
                format!("a part, {images} validation digits")
            }
        });
        let flags = curves
            .changes
            .iter()
            .map(|change| Flag { x: x(change.step, seconds_at(curves, change.step)), text: change.what.clone() });
        let of_steps = |value: fn(&crate::workbench::StepPoint) -> f64| {
            Line::new(curves.steps.iter().map(|p| [x(p.step, p.seconds), value(p)]).collect(), smoothing)
        };
        let of_ticks = |value: fn(&crate::workbench::TickPoint) -> f64| {
            Line::new(curves.ticks.iter().map(|p| [x(p.step, p.seconds), value(p)]).collect(), smoothing)
        };
        Self {
            train_loss: of_steps(|point| point.loss),
            train_accuracy: of_steps(|point| point.accuracy),
            validation_loss: of_ticks(|tick| tick.loss),
            validation_accuracy: of_ticks(|tick| tick.accuracy),
            best,
            f1: std::array::from_fn(|digit| {
                curves.ticks.iter().map(|tick| [x(tick.step, tick.seconds), tick.f1[digit]]).collect()
            }),
            f1_changes: std::array::from_fn(|digit| change_over_an_epoch(curves, |step| view.epoch_at(step), digit)),
            f1_note,
            flags: flags.collect(),
            epochs: match by {
                // the end of an epoch under way is known, too
                XAxis::Epochs => (1..=view.config.epochs).map(f64::from).collect(),
                XAxis::Updates => (1..=view.config.epochs).map(|epoch| view.updates_after(epoch) as f64).collect(),
                XAxis::Seconds => curves.epochs.iter().map(|epoch| epoch.seconds).collect(),
            },
        }
    }
}

/// Seconds of training at an update, between the points of the training curve.
fn seconds_at(curves: &Curves, step: u64) -> f64 {
    let after = curves.steps.partition_point(|point| point.step < step);
    let before = after.checked_sub(1).and_then(|before| curves.steps.get(before));
    let (step0, seconds0) = before.map_or((0, 0.0), |point| (point.step, point.seconds));
    let Some(next) = curves.steps.get(after) else { return seconds0 };
    seconds0 + (next.seconds - seconds0) * (step - step0) as f64 / (next.step - step0).max(1) as f64
}

/// A digit's last F1 less the one an epoch before it.
fn change_over_an_epoch(curves: &Curves, epoch_at: impl Fn(u64) -> f64, digit: usize) -> Option<f64> {
    let last = curves.ticks.last()?;
    let before = epoch_at(last.step) - 1.0 + 1e-6;
    let before = curves.ticks.iter().rev().find(|tick| epoch_at(tick.step) <= before)?;
    Some(last.f1[digit] - before.f1[digit])
}

/// What [`Plotted`] was worked out from.
#[derive(Clone, Debug, PartialEq)]
struct Source {
    run: Option<PathBuf>,
    step: u64,
    points: [usize; 4],
    by: XAxis,
    smoothing: f64,
}

/// [`Plotted`] of the newest training, kept from frame to frame.
#[derive(Default)]
pub(super) struct PlottedCache {
    source: Option<Source>,
    plotted: Plotted,
}

impl PlottedCache {
    pub fn of(&mut self, view: Option<&TrainingView>, by: XAxis, smoothing: f64) -> &Plotted {
        let source = view.map(|view| {
            let curves = &view.curves;
            let points = [curves.steps.len(), curves.ticks.len(), curves.epochs.len(), curves.changes.len()];
            Source { run: view.run.clone(), step: view.step, points, by, smoothing }
        });
        if self.source != source {
            self.plotted = view.map_or_else(Plotted::default, |view| Plotted::new(view, by, smoothing));
            self.source = source;
        }
        &self.plotted
    }

    /// What [`PlottedCache::of`] gave last.
    pub fn last(&self) -> &Plotted {
        &self.plotted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::{StepPoint, TickPoint};

    fn curves() -> Curves {
        let tick = |step, f1: f64| TickPoint {
            step,
            seconds: step as f64 / 10.0,
            loss: 0.1,
            accuracy: 0.9,
            f1: [f1; 10],
            images: 100,
            whole: true,
        };
        let step = |step, seconds| StepPoint { step, seconds, loss: 1.0, accuracy: 0.5 };
        Curves {
            steps: vec![step(10, 1.0), step(20, 3.0)],
            ticks: vec![tick(10, 0.8), tick(15, 0.9), tick(25, 0.97)],
            ..Curves::default()
        }
    }

    #[test]
    fn a_change_is_found_between_the_seconds_of_its_neighbours() {
        let curves = curves();
        for (step, seconds) in [(0, 0.0), (5, 0.5), (10, 1.0), (15, 2.0), (20, 3.0), (99, 3.0)] {
            assert_eq!(seconds_at(&curves, step), seconds, "update {step}");
        }
        assert_eq!(seconds_at(&Curves::default(), 7), 0.0);
    }

    #[test]
    fn change_looks_one_epoch_back() {
        let curves = curves();
        assert!((change_over_an_epoch(&curves, |step| step as f64 / 10.0, 3).unwrap() - 0.07).abs() < 1e-9);
        assert_eq!(
            change_over_an_epoch(&curves, |step| step as f64 / 20.0, 3),
            None,
            "there is no look a whole epoch before"
        );
    }
}
