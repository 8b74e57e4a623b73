//! Repeats of a run with other seeds: they wait here and begin one after the other, each when the training before has ended.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use super::changing::Beginning;
use super::trainer::Trainer;
use super::{NoticeKind, Workbench};
use crate::storage::journal;
use crate::training::{LiveChange, TrainingConfig};

/// Repeats that can be asked for at once.
pub const MOST_REPEATS: u32 = 20;

/// The repeats that wait.
#[derive(Default)]
pub struct Repeats {
    /// Settings, and the changes of the repeated run, which are made again at their updates.
    waiting: VecDeque<(TrainingConfig, Vec<LiveChange>)>,
}

impl Workbench {
    /// The settings of the repeats that have not begun, in their order.
    pub fn waiting_repeats(&self) -> impl ExactSizeIterator<Item = &TrainingConfig> {
        self.beside.runs.repeats.waiting.iter().map(|(config, _)| config)
    }

    /// Puts `count` further seeds of this run's settings in line.
    pub(super) fn repeat_with_seeds(&mut self, run: &Path, count: u32) {
        let Some(config) = self.runs().find(run).and_then(|run| run.config.clone()) else {
            let text = format!("The settings of this run cannot be read, so it cannot be repeated: {}", run.display());
            self.notify(NoticeKind::Problem, text);
            return;
        };
        let changes = match journal::read(run) {
            Ok(changes) => changes,
            Err(error) => {
                self.notify(NoticeKind::Problem, format!("This run cannot be repeated: {error:#}"));
                return;
            }
        };
        let listed = self.runs().runs.iter().filter_map(|run| run.config.as_ref());
        let under_way = self.training().filter(|view| view.phase.is_under_way()).map(|view| &view.config);
        let all = listed.chain(self.waiting_repeats()).chain(under_way);
        let seeds = further_seeds(&config, all, count.min(MOST_REPEATS));
        let repeats = seeds.into_iter().map(|seed| (TrainingConfig { seed, ..config.clone() }, changes.clone()));
        self.beside.runs.repeats.waiting.extend(repeats);
        self.begin_next_repeat();
    }

    /// Begins the repeat that has waited longest, unless something else is under way.
    pub(super) fn begin_next_repeat(&mut self) {
        if self.is_busy_with().is_some() {
            return;
        }
        if let Some((config, changes)) = self.beside.runs.repeats.waiting.pop_front() {
            let beginning = if changes.is_empty() { Beginning::New } else { Beginning::Repeat(changes) };
            self.begin_training(config, None, beginning);
        }
    }

    pub(super) fn cancel_repeats(&mut self) {
        let waiting = std::mem::take(&mut self.beside.runs.repeats.waiting).len();
        let words = match waiting {
            0 => return,
            1 => "The repeat that waited will not begin".to_owned(),
            more => format!("The {more} repeats that waited will not begin"),
        };
        self.notify(NoticeKind::Info, words);
    }

    /// The training ends because the program does, and no other one begins.
    pub(super) fn leave_training(&mut self) {
        self.cancel_repeats();
        self.control(Trainer::leave);
    }
}

/// The least seeds above that of `config` with which none of `known` has the same settings otherwise.
fn further_seeds<'a>(config: &TrainingConfig, known: impl Iterator<Item = &'a TrainingConfig>, count: u32) -> Vec<u64> {
    let is_repeat = |other: &&TrainingConfig| TrainingConfig { seed: config.seed, ..(*other).clone() } == *config;
    let taken: BTreeSet<u64> = known.filter(is_repeat).map(|config| config.seed).collect();
    let last = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
    (config.seed + 1..=last).filter(|seed| !taken.contains(seed)).take(count as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_seeds_leave_out_those_of_the_same_settings() {
        let text =
            "model = \"mlp\"\nepochs = 2\nbatch_size = 64\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n";
        let config = TrainingConfig::from_toml(text).unwrap();
        let seed = |seed| TrainingConfig { seed, ..config.clone() };
        let other = TrainingConfig { epochs: 9, ..seed(4) };
        let known = [seed(1), seed(3), other, seed(5)];
        assert_eq!(further_seeds(&config, known.iter(), 3), [2, 4, 6]);
        let last = seed(i64::MAX as u64);
        assert!(further_seeds(&last, known.iter(), 3).is_empty(), "a seed of a file is at most 2⁶³ − 1");
    }
}
