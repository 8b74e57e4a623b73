//! The moments of a run: `moments/<updates>.safetensors`, the weights alone at every look at the validation images, with what
//! was seen then. They are thinned while the run goes on, so that all of them together stay small; each is an ordinary weights
//! file, written wholly or not at all. One that is damaged is left out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::weights_file::{METADATA_KEY, WeightsFile};
use super::write_atomically;
use crate::inference::{Evaluation, Thresholds};
use crate::models::{Architecture, CLASSES};
use crate::nn::Weights;
use crate::training::{EpochSummary, Tick};

/// All moments of a run take at most so many bytes, unless its first, best and last alone take more.
pub const MOST_BYTES: usize = 9_000_000;
/// The first, the best and the last one always stay.
const ALWAYS: usize = 3;
const FOLDER: &str = "moments";

/// What is known of a moment besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MomentFacts {
    /// Updates so far.
    pub step: u64,
    /// Epochs so far, with their fraction.
    pub epoch: f64,
    /// Of training so far, pauses left out.
    pub seconds: f64,
    /// `None` where the run keeps no validation images.
    pub validation: Option<MomentFigures>,
    /// An epoch has just ended, and all validation images were looked at.
    pub ends_epoch: bool,
    /// It ends an epoch, and none before did better.
    pub is_best: bool,
}

/// What was seen on validation images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MomentFigures {
    pub loss: f64,
    /// Share that was read right.
    pub accuracy: f64,
    /// F1 of the ten digits.
    pub f1: [f64; CLASSES],
    /// How many images were looked at.
    pub images: u32,
}

impl MomentFigures {
    fn of(evaluation: &Evaluation) -> Self {
        let confusion = &evaluation.confusion;
        Self { loss: evaluation.loss, accuracy: confusion.accuracy(), f1: confusion.f1(), images: confusion.images() }
    }
}

impl MomentFacts {
    /// Of a look between two epochs' ends, after so many seconds.
    pub(super) fn of_tick(tick: &Tick<'_>, seconds: f64) -> Self {
        let validation = Some(MomentFigures::of(tick.evaluation));
        Self { step: tick.step, epoch: tick.epoch, seconds, validation, ends_epoch: false, is_best: false }
    }

    /// Of the end of an epoch, after so many seconds.
    pub(super) fn of_epoch(summary: &EpochSummary<'_>, seconds: f64) -> Self {
        Self {
            step: summary.step,
            epoch: f64::from(summary.epoch),
            seconds,
            validation: summary.validation.map(MomentFigures::of),
            ends_epoch: true,
            is_best: summary.is_best,
        }
    }
}

/// The network at a moment of a run.
#[derive(Clone)]
pub struct Moment {
    pub facts: MomentFacts,
    pub weights: Weights,
}

/// What a moment's file says beside its tensors.
#[derive(Serialize, Deserialize)]
struct Told {
    moment: MomentFacts,
    weights_sha256: String,
}

/// Takes out what is too much where only `most` can stay (at least three): one between epochs' ends first, then the end of an
/// epoch; each time the one whose neighbours are nearest to each other, so that what stays is spread evenly. The first, the
/// best and the last stay. Moments are in order of their updates.
pub fn thin<T>(moments: &mut Vec<T>, most: usize, facts: impl Fn(&T) -> &MomentFacts) -> Vec<T> {
    let mut surplus = Vec::new();
    while moments.len() > most.max(ALWAYS) {
        let best = moments.iter().rposition(|moment| facts(moment).is_best);
        let gap = |place: usize| facts(&moments[place + 1]).step - facts(&moments[place - 1]).step;
        let inner = (1..moments.len() - 1).filter(|place| Some(*place) != best);
        let least = inner.min_by_key(|place| (facts(&moments[*place]).ends_epoch, gap(*place)));
        let Some(least) = least else { break };
        surplus.push(moments.remove(least));
    }
    surplus
}

/// How many moments of weights of so many bytes are kept.
pub fn most(bytes: usize) -> usize {
    (MOST_BYTES / bytes.max(1)).max(ALWAYS)
}

/// Puts a moment among others in order; the end of an epoch takes the place of a look at the same update, and stays.
pub fn insert<T>(moments: &mut Vec<T>, moment: T, facts: impl Fn(&T) -> &MomentFacts) {
    match moments.binary_search_by_key(&facts(&moment).step, |known| facts(known).step) {
        Ok(place) if facts(&moments[place]).ends_epoch && !facts(&moment).ends_epoch => {}
        Ok(place) => moments[place] = moment,
        Err(place) => moments.insert(place, moment),
    }
}

/// The moments of a run while it is written.
pub(super) struct MomentsFolder {
    path: PathBuf,
    kept: Vec<MomentFacts>,
}

impl MomentsFolder {
    /// In the folder of a run, with what is there already.
    pub fn open(run: &Path) -> Self {
        Self {
            path: run.join(FOLDER),
            kept: read_all(run).moments.into_iter().map(|(moment, _)| moment.facts).collect(),
        }
    }

    /// Writes a moment, and removes what is too much with it.
    ///
    /// # Errors
    /// What the disk said; the others are untouched then.
    pub fn save(&mut self, moment: &Moment, architecture: &'static Architecture) -> Result<()> {
        fs::create_dir_all(&self.path)?;
        let bytes = encode(moment, architecture)?;
        let same = self.kept.iter().find(|known| known.step == moment.facts.step);
        if same.is_none_or(|known| !known.ends_epoch || moment.facts.ends_epoch) {
            write_atomically(&self.file(moment.facts.step), &bytes)?;
            insert(&mut self.kept, moment.facts.clone(), |facts| facts);
        }
        for facts in thin(&mut self.kept, most(bytes.len()), |facts| facts) {
            // one too many is found and thinned when the run is taken up again
            let _removed = fs::remove_file(self.file(facts.step));
        }
        Ok(())
    }

    fn file(&self, step: u64) -> PathBuf {
        self.path.join(format!("{step:09}.safetensors"))
    }
}

/// A run goes on after update `step`: what came later will come again. What is damaged, or was being written when the program
/// ended, goes too. What cannot be removed is written over later.
pub(super) fn rewind(run: &Path, step: u64) {
    for path in files(&run.join(FOLDER)) {
        if !read(&path).is_ok_and(|(moment, _)| moment.facts.step <= step) {
            let _written_over = fs::remove_file(path);
        }
    }
}

/// The moments of a run that were found whole.
pub struct FoundMoments {
    /// In order of their updates.
    pub moments: Vec<(Moment, &'static Architecture)>,
    /// So many files are damaged and left out.
    pub damaged: usize,
}

/// Reads all moments of the run in the folder `run`; a run without any has none.
pub fn read_all(run: &Path) -> FoundMoments {
    let mut found = FoundMoments { moments: Vec::new(), damaged: 0 };
    let whole = |path: &PathBuf| path.extension().is_some_and(|end| end == "safetensors");
    for path in files(&run.join(FOLDER)).into_iter().filter(whole) {
        match read(&path) {
            Ok(moment) => insert(&mut found.moments, moment, |(moment, _)| &moment.facts),
            // removed by the thinning of a run under way
            Err(_) if !path.exists() => {}
            Err(_) => found.damaged += 1,
        }
    }
    found
}

/// The ends of a run's epochs, as its history tells them: what was seen then, without weights.
pub fn epochs(run: &Path) -> Vec<MomentFacts> {
    let history = fs::read_to_string(run.join("history.jsonl")).unwrap_or_default();
    history.lines().filter_map(|line| epoch(&serde_json::from_str(line).ok()?)).collect()
}

/// A line of history that tells of an epoch.
fn epoch(line: &Value) -> Option<MomentFacts> {
    let f1: Vec<f64> = line["f1"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let figures = || {
        Some(MomentFigures {
            loss: line["validation_loss"].as_f64()?,
            accuracy: line["validation_accuracy"].as_f64()?,
            f1: f1.try_into().ok()?,
            images: 0,
        })
    };
    (line["event"] == "epoch").then_some(MomentFacts {
        step: line["step"].as_u64()?,
        epoch: line["epoch"].as_f64()?,
        seconds: 0.0,
        validation: figures(),
        ends_epoch: true,
        is_best: line["best"].as_bool()?,
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn encode(moment: &Moment, architecture: &'static Architecture) -> Result<Vec<u8>> {
    let told = Told { moment: moment.facts.clone(), weights_sha256: moment.weights.sha256() };
    let file = WeightsFile { architecture, thresholds: Thresholds::default(), weights: moment.weights.clone() };
    file.to_bytes_telling(&serde_json::to_value(told)?)
}

fn read(path: &Path) -> Result<(Moment, &'static Architecture)> {
    let bytes = fs::read(path)?;
    let file = WeightsFile::from_bytes(&bytes)?;
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let told = header.metadata().as_ref().and_then(|all| all.get(METADATA_KEY));
    let told: Told = serde_json::from_str(told.context("the file does not say which moment it is")?)?;
    ensure!(told.weights_sha256 == file.weights.sha256(), "the weights are not those that were written");
    Ok((Moment { facts: told.moment, weights: file.weights }, file.architecture))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::Rng;

    use super::*;
    use crate::models;
    use crate::nn::ParamStore;
    use crate::nn::random;

    fn facts(step: u64, ends_epoch: bool, is_best: bool) -> MomentFacts {
        MomentFacts { step, epoch: step as f64 / 100.0, seconds: step as f64, validation: None, ends_epoch, is_best }
    }

    fn moment(step: u64, ends_epoch: bool, is_best: bool) -> Moment {
        let network = (models::find("mlp").unwrap().network)().unwrap();
        let weights = ParamStore::initialise(&network, step, &Device::Cpu).unwrap().weights().unwrap();
        Moment { facts: facts(step, ends_epoch, is_best), weights }
    }

    fn add(kept: &mut Vec<MomentFacts>, new: MomentFacts, most: usize) {
        insert(kept, new, |facts| facts);
        thin(kept, most, |facts| facts);
    }

    #[test]
    fn what_is_kept_is_bounded_spread_and_has_the_first_the_best_and_the_last() {
        let mut random = random::stream(7, random::Purpose::Shuffle, 0, 0);
        for most in [3, 4, 7, 20, 60] {
            for epochs in [1_u64, 5, 20, 90] {
                // ten looks an epoch; a few epochs are better than all before
                let all: Vec<MomentFacts> = (1..=epochs * 10)
                    .map(|n| facts(n * 10, n % 10 == 0, n % 10 == 0 && (n == 10 || random.random_range(0..5) == 0)))
                    .collect();
                let mut kept = Vec::new();
                let mut seen: Vec<MomentFacts> = Vec::new();
                // the run is taken up again from some update in the middle
                let cut = random.random_range(0..all.len());
                let back = cut / 2;
                let order = all[..cut].iter().chain([&all[back]]).chain(&all[back + 1..]);
                for (n, new) in order.enumerate() {
                    if n == cut {
                        kept.retain(|known: &MomentFacts| known.step < new.step);
                        seen.retain(|known: &MomentFacts| known.step < new.step);
                    }
                    seen.push(new.clone());
                    add(&mut kept, new.clone(), most);
                    assert!(kept.len() <= most, "bounded");
                    assert!(kept.windows(2).all(|pair| pair[0].step < pair[1].step), "no doubles, in order");
                    assert_eq!(kept.last(), seen.last());
                    assert_eq!(kept.first(), seen.first());
                }
                let best = all.iter().rfind(|facts| facts.is_best);
                assert_eq!(kept.iter().rfind(|facts| facts.is_best), best, "most {most}, epochs {epochs}");
                let end = epochs * 100;
                let gap = kept.windows(2).map(|pair| pair[1].step - pair[0].step).max().unwrap_or(0);
                if most > 4 {
                    let even = (3 * end / (most as u64 - 3)).max(100);
                    assert!(gap <= even, "a gap of {gap} of {end} updates with {most}");
                }
                if most as u64 >= epochs + 2 {
                    assert_eq!(kept.iter().filter(|facts| facts.ends_epoch).count() as u64, epochs, "ticks go first");
                }
            }
        }
    }

    #[test]
    fn moments_are_read_as_they_were_written_and_damaged_ones_are_left_out() {
        let run = tempfile::tempdir().unwrap();
        let architecture = models::find("mlp").unwrap();
        let mut folder = MomentsFolder::open(run.path());
        let all = [moment(10, false, false), moment(20, true, true), moment(30, true, false)];
        all.iter().for_each(|moment| folder.save(moment, architecture).unwrap());
        // a look at the update that has just ended an epoch
        folder.save(&moment(30, false, false), architecture).unwrap();
        let found = read_all(run.path());
        assert_eq!(found.moments.len(), 3);
        for ((read, of), written) in found.moments.iter().zip(&all) {
            assert_eq!((&read.facts, &read.weights, of.id), (&written.facts, &written.weights, "mlp"));
        }
        // weights that are none of those written, a file cut short, and what a program that was killed has left
        let path = folder.file(20);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let cut = fs::read(folder.file(30)).unwrap();
        fs::write(folder.file(30), &cut[..cut.len() / 2]).unwrap();
        fs::write(run.path().join(FOLDER).join(".digitpad-x.tmp"), b"half").unwrap();
        let found = read_all(run.path());
        assert_eq!((found.moments.len(), found.damaged), (1, 2));
        rewind(run.path(), 25);
        assert_eq!(files(&run.path().join(FOLDER)), [folder.file(10)], "what is damaged or half goes");
    }

    #[test]
    fn a_run_that_goes_on_keeps_what_was_before_and_the_bound() {
        let run = tempfile::tempdir().unwrap();
        let architecture = models::find("mlp").unwrap();
        let size =
            |run: &Path| -> u64 { files(&run.join(FOLDER)).iter().map(|path| fs::metadata(path).unwrap().len()).sum() };
        let mut folder = MomentsFolder::open(run.path());
        for n in 1..=40 {
            folder.save(&moment(n * 10, n % 4 == 0, n == 4), architecture).unwrap();
        }
        assert!(size(run.path()) <= MOST_BYTES as u64);
        rewind(run.path(), 200);
        let mut again = MomentsFolder::open(run.path());
        for n in 21..=60 {
            again.save(&moment(n * 10, n % 4 == 0, false), architecture).unwrap();
        }
        assert!(size(run.path()) <= MOST_BYTES as u64);
        let kept: Vec<u64> = read_all(run.path()).moments.iter().map(|(moment, _)| moment.facts.step).collect();
        assert!(kept.contains(&10) && kept.contains(&40) && kept.contains(&600), "{kept:?}");
    }
}
