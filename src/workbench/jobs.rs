//! Short work beside: evaluating a model, fetching MNIST, opening and saving. Each job has a thread of its own.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::{Context, Result};

use super::corpora::Corpora;
use super::disagreeing::DisagreementEvent;
use super::{ModelChoice, ModelEntry, NoticeKind, SetChoice, Wake, WorkerEvent};
use crate::data::{self, Corpus, Dataset, FetchProgress};
use crate::drawing::{DigitImage, Picture, SIDE};
use crate::inference::{Evaluation, Prediction, Rejection, TrainedModel, evaluate};
use crate::nn::{Compute, DeviceChoice};
use crate::storage::picture_file;
use crate::storage::shipped::{self, Known};
use crate::training::{TrainingConfig, validation_images};

/// What a job tells the workbench.
pub(super) enum JobEvent {
    Picture(Result<Arc<Picture>, String>),
    Model(Result<Box<OpenModel>, String>),
    Saved(String),
    Failed(String),
    EvaluationProgress { job: u64, done: usize, images: usize },
    EvaluationEnded { job: u64, result: Result<Option<Box<Judged>>, String> },
    FetchProgress { file: String, bytes: u64, total: u64 },
    FetchEnded(Result<(), String>),
    Disagreement { job: u64, event: DisagreementEvent },
}

/// Weights that were opened.
pub(super) struct OpenModel {
    pub entry: ModelEntry,
    pub model: Arc<TrainedModel>,
    /// The configuration that made them, where it is known.
    pub config: Option<TrainingConfig>,
}

/// A finished evaluation with the images it judged.
pub(super) struct Judged {
    corpus: Arc<Corpus>,
    set: SetChoice,
    indices: Vec<u32>,
    rejection: Rejection,
    evaluation: Evaluation,
}

/// The evaluation that panels show, and the one that is being made.
#[derive(Clone, Default)]
pub struct EvaluationView {
    /// Whose answers are shown.
    pub(super) model: Option<Arc<TrainedModel>>,
    pub title: String,
    pub result: Option<Arc<Evaluation>>,
    /// What rejecting answers of the result would cost.
    pub rejection: Option<Rejection>,
    pub set: SetChoice,
    corpus: Option<Arc<Corpus>>,
    indices: Vec<u32>,
    /// Images done and images in all, while an evaluation is being made.
    pub progress: Option<(usize, usize)>,
    /// The image that somebody looks at (its place in the evaluation), with its scores.
    pub selected: Option<(u32, Prediction)>,
    pending: Option<(Arc<TrainedModel>, String, bool)>,
}

impl EvaluationView {
    /// Title of the data set that was judged on.
    pub fn source(&self) -> &str {
        self.corpus.as_ref().map_or("", |corpus| &corpus.title)
    }

    /// Id of the data set, or the folder it came from.
    pub(super) fn source_id(&self) -> Option<&str> {
        self.corpus.as_ref().map(|corpus| corpus.source.as_str())
    }

    /// Whether the digits are the drawn ones.
    pub fn is_drawn(&self) -> bool {
        self.corpus.as_ref().is_some_and(|corpus| corpus.source == "drawn")
    }

    /// Whether this is what is ordered.
    fn is_of(&self, order: &EvaluationOrder) -> bool {
        let same_model = self.model.as_ref().is_some_and(|model| Arc::ptr_eq(model, &order.model));
        same_model && self.set == order.set && self.source_id() == Some(order.source.as_str())
    }

    /// The image at this place of the evaluation.
    pub fn image(&self, place: u32) -> Option<&[u8; SIDE * SIDE]> {
        let index = *self.indices.get(place as usize)?;
        Some(self.dataset()?.image(index as usize))
    }

    /// Its number in the data set.
    pub fn number(&self, place: u32) -> Option<u32> {
        self.indices.get(place as usize).copied()
    }

    fn dataset(&self) -> Option<&Dataset> {
        let corpus = self.corpus.as_ref()?;
        Some(match self.set {
            SetChoice::Test => &corpus.test,
            SetChoice::Validation => &corpus.train,
        })
    }
}

/// What is to be judged, and with which images.
pub(super) struct EvaluationOrder {
    pub model: Arc<TrainedModel>,
    pub title: String,
    pub set: SetChoice,
    pub source: String,
    /// The configuration that made the weights, where it is known: it decides the validation images.
    pub config: Option<TrainingConfig>,
    pub compute: Arc<Compute>,
    /// Whoever comes back to these weights finds what they were worth.
    pub remembered: bool,
}

/// How far the fetching of MNIST is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FetchView {
    #[default]
    Idle,
    Under {
        file: String,
        bytes: u64,
        total: u64,
    },
    Done,
    Failed(String),
}

impl FetchView {
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// So many evaluations of moments stay at hand: a second or two each, some hundred thousand bytes.
const MOST_REMEMBERED: usize = 60;

pub(super) struct Jobs {
    sender: Sender<WorkerEvent>,
    wake: Wake,
    corpora: Arc<Corpora>,
    evaluation: EvaluationView,
    /// Of moments that were looked back at, the newest first.
    remembered: Vec<EvaluationView>,
    evaluations: u64,
    cancel_evaluation: Arc<AtomicBool>,
    fetch: FetchView,
    cancel_fetch: Arc<AtomicBool>,
}

impl Jobs {
    pub fn new(sender: Sender<WorkerEvent>, wake: Wake, corpora: Arc<Corpora>) -> Self {
        Self {
            sender,
            wake,
            corpora,
            evaluation: EvaluationView::default(),
            remembered: Vec::new(),
            evaluations: 0,
            cancel_evaluation: Arc::default(),
            fetch: FetchView::Idle,
            cancel_fetch: Arc::default(),
        }
    }

    pub fn evaluation(&self) -> &EvaluationView {
        &self.evaluation
    }

    pub fn fetch(&self) -> &FetchView {
        &self.fetch
    }

    /// Runs `work` on a thread of its own; where it panics or cannot start, `failed` makes the event that says so.
    pub fn spawn(
        &self,
        name: &str,
        failed: impl Fn(String) -> JobEvent + Send + Sync + 'static,
        work: impl FnOnce(&dyn Fn(JobEvent)) + Send + 'static,
    ) {
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let failed = Arc::new(failed);
        let (title, panicked) = (name.to_owned(), Arc::clone(&failed));
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let tell = |event| {
                let _gone = sender.send(WorkerEvent::Job(event));
                wake(Duration::ZERO);
            };
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&tell))).is_err() {
                tell(panicked(format!("{title} failed unexpectedly; everything else goes on")));
            }
        });
        if let Err(error) = spawned {
            let _gone = self.sender.send(WorkerEvent::Job(failed(format!("{name} could not start: {error}"))));
        }
    }

    pub fn open_picture(&self, path: PathBuf) {
        self.spawn("Opening a picture", JobEvent::Failed, move |tell| {
            tell(JobEvent::Picture(picture_file::read(&path).map(Arc::new).map_err(|error| sentence(&error))));
        });
    }

    pub fn paste_picture(&self, width: usize, height: usize, rgba: Vec<u8>) {
        self.spawn("Pasting a picture", JobEvent::Failed, move |tell| {
            let picture = Picture::from_rgba(width, height, &rgba).map(Arc::new);
            tell(JobEvent::Picture(picture.map_err(|error| format!("This picture cannot be pasted: {error}"))));
        });
    }

    pub fn save_picture(&self, path: PathBuf, image: DigitImage) {
        self.spawn("Saving a picture", JobEvent::Failed, move |tell| {
            let saved = picture_file::write_grey(&path, SIDE, SIDE, &image.pixels);
            tell(match saved {
                Ok(()) => JobEvent::Saved(format!("Saved the network's image as {}", path.display())),
                Err(error) => JobEvent::Failed(sentence(&error)),
            });
        });
    }

    /// Opens a weights file, or the best weights of a run folder.
    pub fn load_model(&self, path: PathBuf, runs: PathBuf) {
        self.spawn("Opening a model", JobEvent::Failed, move |tell| {
            tell(JobEvent::Model(opened_model(&path, &runs).map_err(|error| sentence(&error))));
        });
    }

    pub fn evaluate(&mut self, order: EvaluationOrder) {
        self.cancel_evaluation();
        self.evaluations += 1;
        let known = self.remembered.iter().find(|view| view.is_of(&order));
        if let Some(known) = known.cloned() {
            self.evaluation = known;
            return;
        }
        self.cancel_evaluation = Arc::default();
        self.evaluation.pending = Some((Arc::clone(&order.model), order.title.clone(), order.remembered));
        self.evaluation.progress = Some((0, 0));
        let (job, cancel, corpora) = (self.evaluations, Arc::clone(&self.cancel_evaluation), Arc::clone(&self.corpora));
        let failed = move |why| JobEvent::EvaluationEnded { job, result: Err(why) };
        self.spawn("The evaluation", failed, move |tell| {
            let result = judge(&order, &corpora, &cancel, &|done, images| {
                tell(JobEvent::EvaluationProgress { job, done, images });
            });
            tell(JobEvent::EvaluationEnded {
                job,
                result: result.map(|judged| judged.map(Box::new)).map_err(|error| sentence(&error)),
            });
        });
    }

    pub fn cancel_evaluation(&mut self) {
        self.cancel_evaluation.store(true, Ordering::Relaxed);
        self.evaluation.progress = None;
    }

    /// Shows the scores of an image of the evaluation; one image is answered at once.
    pub fn select_image(&mut self, place: Option<u32>, chosen: Arc<TrainedModel>) {
        let model = self.evaluation.model.clone().unwrap_or(chosen);
        self.evaluation.selected = place.and_then(|place| {
            let image = self.evaluation.image(place)?;
            Some((place, model.predict(image).ok()?))
        });
    }

    pub fn fetch_mnist(&mut self) {
        if matches!(self.fetch, FetchView::Under { .. }) {
            return;
        }
        let Some(source) = data::source("mnist") else { return };
        self.cancel_fetch = Arc::default();
        let cancel = Arc::clone(&self.cancel_fetch);
        self.fetch = FetchView::Under { file: String::new(), bytes: 0, total: source.packed_bytes() };
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        self.spawn(
            "Fetching MNIST",
            |why| JobEvent::FetchEnded(Err(why)),
            move |tell| {
                let watch = move |progress: &FetchProgress<'_>| {
                    let event = JobEvent::FetchProgress {
                        file: progress.file.to_owned(),
                        bytes: progress.bytes,
                        total: progress.total,
                    };
                    let _gone = sender.send(WorkerEvent::Job(event));
                    wake(Duration::ZERO);
                    if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let fetched = data::fetch_known(source, Arc::new(watch));
                tell(JobEvent::FetchEnded(match fetched {
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.to_string()),
                }));
            },
        );
    }

    pub fn cancel_fetch(&mut self) {
        self.cancel_fetch.store(true, Ordering::Relaxed);
    }

    /// The files of MNIST that are here cannot be used: they are to be fetched again.
    pub fn mnist_is_damaged(&mut self, why: String) {
        self.fetch = FetchView::Failed(why);
    }

    /// Takes in an event; the answer is a sentence for the person, where there is one.
    pub fn apply(&mut self, event: JobEvent) -> Option<(NoticeKind, String)> {
        match event {
            JobEvent::EvaluationProgress { job, done, images } => {
                if job == self.evaluations
                    && let Some(progress) = &mut self.evaluation.progress
                {
                    *progress = (done, images);
                }
            }
            JobEvent::EvaluationEnded { job, result } if job == self.evaluations => {
                self.evaluation.progress = None;
                let pending = self.evaluation.pending.take();
                match (result, pending) {
                    (Ok(Some(judged)), Some((model, title, remembered))) => {
                        self.evaluation = EvaluationView {
                            model: Some(model),
                            title,
                            result: Some(Arc::new(judged.evaluation)),
                            rejection: Some(judged.rejection),
                            set: judged.set,
                            corpus: Some(judged.corpus),
                            indices: judged.indices,
                            ..EvaluationView::default()
                        };
                        if remembered {
                            self.remembered.truncate(MOST_REMEMBERED - 1);
                            self.remembered.insert(0, self.evaluation.clone());
                        }
                    }
                    (Err(text), _) => return Some((NoticeKind::Problem, text)),
                    _ => {}
                }
            }
            JobEvent::FetchProgress { file, bytes, total } => {
                if matches!(self.fetch, FetchView::Under { .. }) {
                    self.fetch = FetchView::Under { file, bytes, total };
                }
            }
            JobEvent::FetchEnded(Ok(())) => {
                self.fetch = FetchView::Done;
                return Some((NoticeKind::Info, "MNIST is here: 70,000 digits".to_owned()));
            }
            JobEvent::FetchEnded(Err(text)) => {
                self.fetch =
                    if self.cancel_fetch.load(Ordering::Relaxed) { FetchView::Idle } else { FetchView::Failed(text) };
            }
            _ => {}
        }
        None
    }
}

pub(super) fn sentence(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn opened_model(path: &Path, runs: &Path) -> Result<Box<OpenModel>> {
    let name = path.to_str().context("the path of the model is not readable text")?;
    let Known { file, config, .. } = shipped::find_weights(name, Some(runs))?;
    let reader = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1))?);
    let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, reader)?;
    let place = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    let entry = ModelEntry {
        choice: ModelChoice::Opened(name.to_owned()),
        title: format!("{} ({place})", file.architecture.title),
        card: None,
    };
    Ok(Box::new(OpenModel { entry, model: Arc::new(model), config }))
}

fn judge(
    order: &EvaluationOrder,
    corpora: &Corpora,
    cancel: &AtomicBool,
    progress: &dyn Fn(usize, usize),
) -> Result<Option<Judged>> {
    let corpus = corpora.get(&order.source)?;
    let (dataset, indices) = match order.set {
        SetChoice::Test => (&corpus.test, (0..corpus.test.len() as u32).collect::<Vec<u32>>()),
        SetChoice::Validation => (&corpus.train, validation_images(order.config.as_ref(), &corpus)?),
    };
    // the model's weights on the threads that train, so that ten thousand images take a second or two
    let model = order.model.on(Arc::clone(&order.compute))?;
    let loss = order.config.as_ref().map(|config| config.loss);
    let evaluation = evaluate(&model, loss, dataset, &indices, |done| {
        progress(done, indices.len());
        if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(evaluation.map(|evaluation| Judged {
        set: order.set,
        corpus: Arc::clone(&corpus),
        indices,
        rejection: Rejection::of(&evaluation),
        evaluation,
    }))
}
