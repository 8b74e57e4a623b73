//! Looking back: the moments of a run, in memory, and the playhead that says which of them answers. A run under way is not
//! touched by it; the moments of an opened run are read on a thread of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use anyhow::Result;

use super::newest::Newest;
use super::trainer::TrainerEvent;
use super::{ModelChoice, NoticeKind, Wake, Workbench, WorkerEvent};
use crate::inference::{Thresholds, TrainedModel};
use crate::models;
use crate::nn::{Compute, DeviceChoice};
use crate::storage::moments::{self, MomentFacts, MomentFigures};
use crate::storage::weights_file::WeightsFile;
use crate::storage::{config_file, run_folder};

/// A moment in memory.
#[derive(Clone)]
struct Kept {
    facts: MomentFacts,
    model: Arc<TrainedModel>,
}

/// What is known of a run that was opened.
#[derive(Default)]
struct OpenedRun {
    title: String,
    epochs: u32,
    /// `[updates, validation accuracy]`.
    curve: Vec<[f64; 2]>,
    /// Epochs and the updates after which they had ended.
    ends: Vec<(u32, u64)>,
    moments: Vec<Kept>,
}

/// The moment that answers in place of a model's own weights.
struct Playhead {
    choice: ModelChoice,
    kept: Kept,
}

/// Whose moments are to be read, and where.
pub(super) struct Question {
    choice: ModelChoice,
    /// A run's folder or name, or a file in its folder.
    name: String,
    runs: PathBuf,
}

/// The moments that were read.
pub(super) struct Found {
    choice: ModelChoice,
    run: OpenedRun,
    damaged: usize,
}

/// What the workbench keeps of moments.
pub(super) struct TimeMachine {
    reader: Newest<Question>,
    /// Of the training under way, or of the one that ended last.
    live: Vec<Kept>,
    /// The newest weights of the training that no look has been taken at.
    newest: Option<Arc<TrainedModel>>,
    opened: Vec<(ModelChoice, OpenedRun)>,
    playhead: Option<Playhead>,
}

impl TimeMachine {
    /// Starts the thread that reads.
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let reader = Newest::start("moments of a run", sender, wake, |question: &Question, _| {
            Ok(read(question)?.map(|found| WorkerEvent::Moments(Box::new(found))))
        })?;
        Ok(Self { reader, live: Vec::new(), newest: None, opened: Vec::new(), playhead: None })
    }

    /// The moment that answers in place of this model's own weights.
    pub fn model_of(&self, choice: &ModelChoice) -> Option<&Arc<TrainedModel>> {
        self.playhead.as_ref().filter(|playhead| playhead.choice == *choice).map(|playhead| &playhead.kept.model)
    }

    /// A model of the training has come; the look that follows is a look at it.
    pub fn remember(&mut self, model: &Arc<TrainedModel>) {
        self.newest = Some(Arc::clone(model));
    }

    /// Another training begins, or none is shown any more.
    pub fn forget_training(&mut self) {
        self.live.clear();
        self.newest = None;
        self.playhead.take_if(|playhead| playhead.choice == ModelChoice::Live);
    }

    fn moments(&self, choice: &ModelChoice) -> &[Kept] {
        match choice {
            ModelChoice::Live => &self.live,
            other => self.opened(other).map_or(&[], |run| &run.moments),
        }
    }

    fn opened(&self, choice: &ModelChoice) -> Option<&OpenedRun> {
        self.opened.iter().find(|(known, _)| known == choice).map(|(_, run)| run)
    }

    fn add(&mut self, facts: MomentFacts) {
        let Some(model) = self.newest.take() else { return };
        let bytes = 4 * model.architecture().parameters;
        moments::insert(&mut self.live, Kept { facts, model }, |kept| &kept.facts);
        moments::thin(&mut self.live, moments::most(bytes), |kept| &kept.facts);
    }
}

/// What an event of a training means for its moments.
pub(super) enum ForTime {
    /// The run has been looked at; the epochs so far are not known yet between two ends.
    Looked(MomentFacts),
    /// The run in this folder begins, or goes on.
    Begun(PathBuf),
    Nothing,
}

impl From<&TrainerEvent> for ForTime {
    fn from(event: &TrainerEvent) -> Self {
        match event {
            TrainerEvent::Tick { step, seconds, loss, accuracy, f1, images, .. } => Self::Looked(MomentFacts {
                step: *step,
                epoch: 0.0,
                seconds: *seconds,
                validation: Some(MomentFigures { loss: *loss, accuracy: *accuracy, f1: *f1, images: *images }),
                ends_epoch: false,
                is_best: false,
            }),
            TrainerEvent::Epoch { epoch, step, seconds, validation, is_best, .. } => Self::Looked(MomentFacts {
                step: *step,
                epoch: f64::from(*epoch),
                seconds: *seconds,
                validation: validation.map(|(loss, accuracy, f1)| MomentFigures { loss, accuracy, f1, images: 0 }),
                ends_epoch: true,
                is_best: *is_best,
            }),
            TrainerEvent::Begun { run, .. } => Self::Begun(run.clone()),
            _ => Self::Nothing,
        }
    }
}

/// A run as the time strip shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeView {
    /// "LeNet-5".
    pub title: String,
    /// Updates of the whole run, or so many as it had.
    pub updates: u64,
    /// `[updates, validation accuracy]`.
    pub curve: Vec<[f64; 2]>,
    /// Epochs and the updates after which they have ended.
    pub ends: Vec<(u32, u64)>,
    /// Updates of the moments that can be gone to.
    pub moments: Vec<u64>,
    /// Updates and accuracy of the best epoch.
    pub best: Option<[f64; 2]>,
    /// Where the moment lies that is looked back at.
    pub playhead: Option<u64>,
    /// The same in words, "epoch 3 of 20".
    pub moment: Option<String>,
    /// Where the newest weights are, or those that a run leaves.
    pub live: u64,
    pub is_under_way: bool,
}

impl Workbench {
    /// The run whose moments can be gone to: that of the chosen model, or the training; `None` while there is neither.
    pub fn time(&self) -> Option<TimeView> {
        let choice = self.shown_run()?;
        let machine = &self.beside.time;
        let playhead = machine.playhead.as_ref().filter(|playhead| playhead.choice == choice);
        let playhead = playhead.map(|playhead| playhead.kept.facts.step);
        let moment = self.moment_words(&choice);
        let moments: Vec<u64> = machine.moments(&choice).iter().map(|kept| kept.facts.step).collect();
        let best = machine.moments(&choice).iter().rfind(|kept| kept.facts.is_best);
        let best = best.and_then(|kept| Some([kept.facts.step as f64, kept.facts.validation?.accuracy]));
        if choice != ModelChoice::Live {
            let run = machine.opened(&choice)?;
            let updates = run.ends.last().map(|(_, step)| *step).max(moments.last().copied()).unwrap_or(1);
            let live = best.map_or(updates, |[step, _]| step as u64);
            return Some(TimeView {
                title: run.title.clone(),
                updates,
                curve: run.curve.clone(),
                ends: run.ends.clone(),
                moments,
                best,
                playhead,
                moment,
                live,
                is_under_way: false,
            });
        }
        let view = self.training.as_ref()?;
        let is_under_way = view.phase.is_under_way();
        let best = view.best().and_then(|best| {
            let tick = view.curves.ticks.iter().rfind(|tick| tick.whole && tick.step == best.step)?;
            Some([best.step as f64, tick.accuracy])
        });
        let ended_at = best.map_or(view.step, |[step, _]| step as u64);
        Some(TimeView {
            title: view.title().to_owned(),
            updates: if is_under_way { view.updates.max(view.step) } else { view.step }.max(1),
            curve: view.curves.ticks.iter().map(|tick| [tick.step as f64, tick.accuracy]).collect(),
            ends: view.curves.epochs.iter().map(|end| (end.epoch, end.step)).collect(),
            moments,
            best,
            playhead,
            moment,
            live: if is_under_way { view.step } else { ended_at },
            is_under_way,
        })
    }

    /// The moment that the chosen model is looked back at.
    pub fn moment(&self) -> Option<&MomentFacts> {
        let playhead = self.beside.time.playhead.as_ref();
        playhead.filter(|playhead| playhead.choice == self.choice).map(|playhead| &playhead.kept.facts)
    }

    /// "epoch 3 of 20", where this model is looked back at.
    pub(super) fn moment_words(&self, choice: &ModelChoice) -> Option<String> {
        let playhead = self.beside.time.playhead.as_ref().filter(|playhead| playhead.choice == *choice)?;
        let epochs = match choice {
            ModelChoice::Live => self.training.as_ref().map_or(0, |view| view.config.epochs),
            other => self.beside.time.opened(other).map_or(0, |run| run.epochs),
        };
        let facts = &playhead.kept.facts;
        Some(if facts.ends_epoch {
            format!("epoch {} of {epochs}", facts.epoch)
        } else {
            format!("epoch {:.2} of {epochs}", facts.epoch)
        })
    }

    /// Updates of the moment of the training that lies nearest to `x`, where `place` puts them; `None` where there are none, or
    /// where the time strip shows another run.
    pub fn training_moment_near(&self, x: f64, place: impl Fn(&MomentFacts) -> f64) -> Option<u64> {
        let choice = self.shown_run().filter(|choice| *choice == ModelChoice::Live)?;
        let all = self.beside.time.moments(&choice).iter().map(|kept| &kept.facts);
        let away = |facts: &MomentFacts| (place(facts) - x).abs();
        all.min_by(|a, b| away(a).total_cmp(&away(b))).map(|facts| facts.step)
    }

    fn shown_run(&self) -> Option<ModelChoice> {
        if self.beside.time.opened(&self.choice).is_some() {
            return Some(self.choice.clone());
        }
        self.training.as_ref().map(|_| ModelChoice::Live)
    }

    /// Moves the playhead to the moment nearest to so many updates; `None` goes back to the newest weights, or to those that a
    /// run has left. The model of that run is chosen.
    pub(super) fn look_back(&mut self, update: Option<u64>) {
        let Some(choice) = self.shown_run() else { return };
        let machine = &mut self.beside.time;
        match update {
            None => machine.playhead = None,
            Some(update) => {
                let nearest = machine.moments(&choice).iter().min_by_key(|kept| kept.facts.step.abs_diff(update));
                let Some(kept) = nearest.cloned() else { return };
                machine.playhead = Some(Playhead { choice: choice.clone(), kept });
            }
        }
        self.awaits_live = false;
        self.choose(choice);
        self.ask_pins();
        self.ask_all_models();
    }

    pub(super) fn tell_time(&mut self, what: ForTime) {
        let mut facts = match what {
            ForTime::Looked(facts) => facts,
            // a run that goes on has earlier moments
            ForTime::Begun(run) => {
                self.read_moments_of_run(ModelChoice::Live, run.to_string_lossy().into_owned());
                return;
            }
            ForTime::Nothing => return,
        };
        let Some(view) = &self.training else { return };
        if !facts.ends_epoch {
            facts.epoch = view.epoch_at(facts.step);
        }
        if let Some(figures) = facts.validation.as_mut().filter(|_| facts.ends_epoch) {
            figures.images = view.validation_images as u32;
        }
        self.beside.time.add(facts);
    }

    /// A model was opened: where it is that of a run, its moments are read.
    pub(super) fn read_moments_of(&self, choice: &ModelChoice) {
        if let ModelChoice::Opened(name) = choice {
            self.read_moments_of_run(choice.clone(), name.clone());
        }
    }

    fn read_moments_of_run(&self, choice: ModelChoice, name: String) {
        self.beside.time.reader.ask(Question { choice, name, runs: self.options.runs.clone() });
    }

    pub(super) fn moments_said(&mut self, found: Found) {
        let Found { choice, run, damaged } = found;
        if damaged > 0 {
            let words = if damaged == 1 { "1 moment".to_owned() } else { format!("{damaged} moments") };
            self.notify(NoticeKind::Problem, format!("{words} of {} cannot be read and are left out", run.title));
        }
        let machine = &mut self.beside.time;
        if choice == ModelChoice::Live {
            let later = machine.live.first().map_or(u64::MAX, |kept| kept.facts.step);
            let earlier = run.moments.into_iter().filter(|kept| kept.facts.step < later);
            machine.live = earlier.chain(std::mem::take(&mut machine.live)).collect();
        } else {
            machine.opened.retain(|(known, _)| *known != choice);
            machine.opened.push((choice, run));
        }
    }
}

/// Reads a run; `None` where the model is of none.
fn read(question: &Question) -> Result<Option<Found>> {
    let given = Path::new(&question.name);
    let beside = given.parent().filter(|folder| given.is_file() && folder.join("config.toml").is_file());
    let folder = match beside {
        Some(folder) => folder.to_owned(),
        None => match run_folder::find(&question.runs, &question.name) {
            Some(folder) => folder,
            None => return Ok(None),
        },
    };
    let config = config_file::read(&folder.join("config.toml"))?;
    let reader = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1))?);
    let title = models::find(&config.model).map_or(config.model.as_str(), |architecture| architecture.title);
    let mut run = OpenedRun { title: title.to_owned(), epochs: config.epochs, ..OpenedRun::default() };
    let found = moments::read_all(&folder);
    // other weights in this folder are none of its moments
    let of_the_run = found.moments.into_iter().filter(|(_, architecture)| architecture.id == config.model);
    for (moment, architecture) in of_the_run {
        let model = TrainedModel::new(architecture, &moment.weights, Thresholds::default(), Arc::clone(&reader))?;
        run.moments.push(Kept { facts: moment.facts, model: Arc::new(model) });
    }
    let epochs = moments::epochs(&folder);
    run.ends = epochs.iter().map(|facts| (facts.epoch as u32, facts.step)).collect();
    if run.moments.is_empty() {
        // a run of before moments were kept has two of them
        let best = epochs.iter().rfind(|facts| facts.is_best);
        for (facts, file) in [(best, "best.safetensors"), (epochs.last(), "last.safetensors")] {
            if let (Some(facts), Ok(file)) = (facts, WeightsFile::read(&folder.join(file))) {
                let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(&reader))?;
                let kept = Kept { facts: facts.clone(), model: Arc::new(model) };
                moments::insert(&mut run.moments, kept, |kept| &kept.facts);
            }
        }
    }
    let mut seen = epochs;
    run.moments.iter().for_each(|kept| moments::insert(&mut seen, kept.facts.clone(), |facts| facts));
    run.curve = seen.iter().filter_map(|facts| Some([facts.step as f64, facts.validation?.accuracy])).collect();
    Ok(Some(Found { choice: question.choice.clone(), run, damaged: found.damaged }))
}
