//! The program without a screen: it takes [`Command`]s, listens to its workers, and is read by panels. The only folder
//! with threads. Every change has one door, [`Workbench::handle`]; nothing here waits for a worker.
//!
//! | file | what lives there |
//! |---|---|
//! | `command.rs` | [`Command`]: everything that a person can ask for |
//! | `beside.rs` | what is worked out beside the pad's own answer: the next four |
//! | `comparing.rs` | every model at hand on the drawing |
//! | `deciding.rs` | what the thresholds for sure answers and for digits are worth |
//! | `disagreeing.rs` | two models on all test digits: where their answers differ |
//! | `pins.rs`, `pin_history.rs` | drawings kept in view, and what a training made of them |
//! | `newest.rs` | a thread that answers only the newest question |
//! | `handwriting.rs`, `keeping.rs` | the drawings that the person keeps, and what is done with them |
//! | `handwriting_scores.rs`, `fine_tuning.rs` | every model's answers to them, and training on them |
//! | `doctor.rs` | what is unlike MNIST about the drawing, and what would help |
//! | `label.rs` | what the person says that the drawing is |
//! | `predictor.rs` | the thread that answers drawings; only the newest counts |
//! | `replay.rs` | the drawing point by point |
//! | `trainer.rs` | the thread of one training, and how it is paused, stepped and stopped |
//! | `running.rs` | how trainings are begun, stepped, stopped and put aside |
//! | `interrupted.rs` | runs that were interrupted: offered, and gone on with |
//! | `runs.rs`, `repeats.rs` | all runs of the folder; repeats of one with other seeds |
//! | `training_view.rs` | [`TrainingView`]: what panels see of a training |
//! | `jobs.rs` | short work beside: evaluating, fetching, opening, saving |
//! | `reading.rs` | what panels read of the workbench |
//! | `notice.rs` | [`Notice`]: a sentence for the person |
//! | `corpora.rs` | data sets that have been read, shared by the workers |

mod beside;
mod command;
mod comparing;
mod corpora;
mod deciding;
mod disagreeing;
mod doctor;
mod ending;
mod fine_tuning;
mod handwriting;
mod handwriting_scores;
mod interrupted;
mod jobs;
mod keeping;
mod label;
mod newest;
mod notice;
mod pin_history;
mod pins;
mod predictor;
mod reading;
mod repeats;
mod replay;
mod running;
mod runs;
mod trainer;
mod training_view;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Result;

pub use command::{Command, ModelChoice, SetChoice};
pub use comparing::ComparedModel;
pub use deciding::Measured as MeasuredDecision;
pub use disagreeing::Disagreements;
pub use doctor::{Examination, Reading, Rung};
pub use ending::wake_when_asked_to_end;
pub use handwriting::{HandwritingCommand, HandwritingView, KeptView, Measured, Told};
pub use handwriting_scores::{ModelScore, ReadDigit, Scores};
pub use jobs::{EvaluationView, FetchView};
pub use notice::{Notice, NoticeKind};
pub use pin_history::{History, HistoryPoint, Turn};
pub use pins::{MOST_PINS, Pin};
pub use reading::StartEntry;
pub use repeats::MOST_REPEATS;
pub use replay::Moment;
pub use runs::{RunsCommand, RunsView};
pub use training_view::{Curves, EpochPoint, Phase, RateChange, StepPoint, TickPoint, TrainingView};

use crate::data;
use crate::drawing::{Drawing, Recipe};
use crate::inference::TrainedModel;
use crate::nn::{Compute, DeviceChoice};
use crate::storage::resumption::InterruptedRun;
use crate::storage::shipped::{self, Card};
use beside::{Beside, ForPins};
use corpora::Corpora;
use handwriting::HandwritingEvent;
use jobs::{JobEvent, Jobs, OpenModel};
use newest::Newest;
use predictor::{Answer, Question};
use trainer::{Trainer, TrainerEvent};

/// Called by workers when there is something to see, which can wait as long as they say; must not block.
pub type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

/// What a workbench starts with.
pub struct Options {
    /// Folder of the runs.
    pub runs: PathBuf,
    /// Folder of the drawings that are kept; without one they last as long as the program.
    pub drawings: Option<PathBuf>,
    pub device: DeviceChoice,
    /// Threads that train; all by default.
    pub threads: Option<usize>,
    pub wake: Wake,
    /// At least this long between two snapshots of a training: whoever shows them may need its time for the showing.
    pub snapshot_every: Duration,
}

/// A model that the pad can use.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    pub choice: ModelChoice,
    pub title: String,
    /// Accuracy on MNIST's test set, where a card tells it.
    pub card: Option<Card>,
}

/// Everything that the workers tell.
enum WorkerEvent {
    Answer(Box<Answer>),
    Examined(u64, Box<Examination>),
    Replayed(u64, Arc<[Moment]>),
    Trainer(u64, TrainerEvent),
    Interrupted(Box<InterruptedRun>),
    Job(JobEvent),
    Compared(comparing::Answers),
    Decided(Box<deciding::Measured>),
    Pins(pins::Answers),
    Handwriting(HandwritingEvent),
    Runs(runs::RunsEvent),
}

/// The program minus the screen.
pub struct Workbench {
    options: Options,
    events: Receiver<WorkerEvent>,
    sender: Sender<WorkerEvent>,
    compute: Arc<Compute>,
    /// Where trainings run: a paused one rests on a thread of its own pool.
    training_compute: Arc<Compute>,
    corpora: Arc<Corpora>,
    predictor: Newest<Question>,
    doctor: doctor::Doctor,
    replay: replay::Replay,
    jobs: Jobs,
    beside: Beside,

    drawing: Drawing,
    true_label: Option<u8>,
    handwriting: HandwritingView,
    recipe: Recipe,
    generation: u64,
    answer: Option<Answer>,
    watched_layer: Option<usize>,

    models: Vec<OpenModel>,
    choice: ModelChoice,
    live: Option<Arc<TrainedModel>>,
    /// The network that learns is to be chosen as soon as it answers.
    awaits_live: bool,
    /// The drawing that a picture has taken the place of, until somebody keeps it for undo.
    replaced: Option<Drawing>,

    trainer: Option<Trainer>,
    /// Trainings that were reset and are writing their last weights.
    leaving: Vec<Trainer>,
    interrupted: Option<InterruptedRun>,
    training: Option<TrainingView>,
    runs_started: u64,

    mnist_is_here: bool,
    notices: Vec<Notice>,
    next_notice: u64,
}

impl Workbench {
    /// Starts the workers. Fails where a named device is missing or shipped weights are damaged.
    pub fn start(options: Options) -> Result<Self> {
        let (sender, events) = channel();
        let compute = Arc::new(Compute::in_background(options.device, options.threads)?);
        let training_compute = Arc::new(compute.beside()?);
        // one drawing is answered on the predictor's own thread, beside any training
        let reader = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1))?);
        let predictor = predictor::start(sender.clone(), Arc::clone(&options.wake))?;
        let doctor = doctor::Doctor::start(sender.clone(), Arc::clone(&options.wake))?;
        let replay = replay::Replay::start(sender.clone(), Arc::clone(&options.wake))?;
        let beside = Beside::start(&sender, &options.wake, &predictor)?;
        let corpora = Arc::new(Corpora::default());
        let jobs = Jobs::new(sender.clone(), Arc::clone(&options.wake), Arc::clone(&corpora));
        let handwriting = HandwritingView::open(options.drawings.as_deref(), &sender, &options.wake)?;
        let mut models = Vec::new();
        for shipped in shipped::SHIPPED {
            let file = shipped.weights()?;
            let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(&reader))?;
            let entry = ModelEntry {
                choice: ModelChoice::Shipped(shipped.id),
                title: file.architecture.title.to_owned(),
                card: Some(shipped.card()?),
            };
            models.push(OpenModel { entry, model: Arc::new(model), config: shipped.config().ok() });
        }
        let choice = models.first().map_or(ModelChoice::Live, |first| first.entry.choice.clone());
        let mut workbench = Self {
            mnist_is_here: mnist_is_here(),
            options,
            events,
            sender,
            compute,
            training_compute,
            corpora,
            predictor,
            doctor,
            replay,
            jobs,
            beside,
            drawing: Drawing::default(),
            true_label: None,
            handwriting,
            recipe: Recipe::default(),
            generation: 0,
            answer: None,
            watched_layer: None,
            models,
            choice,
            live: None,
            awaits_live: false,
            replaced: None,
            leaving: Vec::new(),
            interrupted: None,
            trainer: None,
            training: None,
            runs_started: 0,
            notices: Vec::new(),
            next_notice: 0,
        };
        if workbench.options.device == DeviceChoice::Auto
            && cfg!(feature = "cuda")
            && let Some(notice) = workbench.compute.notice().map(str::to_owned)
        {
            workbench.notify(NoticeKind::Info, notice);
        }
        workbench.look_for_interrupted();
        Ok(workbench)
    }

    /// Obeys a command. Never blocks: what takes time is begun here and told by [`Workbench::poll`].
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::SetDrawing(drawing) => self.set_drawing(drawing),
            Command::Handwriting(command) => self.handle_handwriting(command),
            Command::Runs(command) => self.handle_runs(command),
            Command::Examine => self.examine(),
            Command::MeasureDecision => self.measure_decision(),
            Command::SetThresholds(thresholds) => self.set_thresholds(thresholds),
            Command::Replay(points) => self.replay(points),
            Command::ReadMoments => self.read_moments(),
            Command::LabelDrawing(label) => {
                self.label_drawing(label);
                self.label_pin();
            }
            Command::KeepDrawing(label) => {
                self.handle(Command::LabelDrawing(label));
                self.keep_labelled();
            }
            Command::PinDrawing => self.pin_drawing(),
            Command::Unpin(id) => self.unpin(id),
            Command::RestorePin => self.restore_pin(),
            Command::SetRecipe(recipe) => {
                self.recipe = recipe;
                self.ask();
                self.ask_pins();
            }
            Command::WatchLayer(layer) => {
                if self.watched_layer != layer {
                    self.watched_layer = layer;
                    self.ask();
                }
            }
            Command::OpenPicture(path) => self.jobs.open_picture(path),
            Command::PastePicture { width, height, rgba } => self.jobs.paste_picture(width, height, rgba),
            Command::SavePicture(path) => match self.preparation() {
                Some(preparation) => self.jobs.save_picture(path, preparation.image.clone()),
                None if !self.drawing.is_empty() => {
                    self.notify(NoticeKind::Info, "The image is being made; save it in a moment".to_owned());
                }
                None => self.notify(NoticeKind::Problem, "The pad is empty, so there is nothing to save".to_owned()),
            },
            Command::ChooseModel(choice) => {
                self.awaits_live = false;
                self.choose(choice);
            }
            Command::LoadModel(path) => self.jobs.load_model(path, self.options.runs.clone()),
            Command::StartTraining(config) => self.start_training(config, None),
            Command::StepBatch(config) => self.step(config, trainer::Until::Batch),
            Command::StepEpoch(config) => self.step(config, trainer::Until::Epoch),
            Command::PauseTraining => self.control(Trainer::pause),
            Command::ResumeTraining => self.control(Trainer::resume),
            Command::ResumeRun(path) => self.resume_run(path),
            Command::StopTraining => self.control(Trainer::stop),
            Command::LeaveTraining => self.leave_training(),
            Command::ResetTraining => self.reset_training(),
            Command::SetLearningRate(rate) => {
                if rate.is_finite() && rate > 0.0 && rate <= 100.0 {
                    self.control(|trainer| trainer.set_learning_rate(rate));
                    if let Some(view) = &mut self.training {
                        view.learning_rate_changed(rate);
                    }
                }
            }
            Command::Evaluate { set } => self.evaluate(set),
            Command::CancelEvaluation => self.jobs.cancel_evaluation(),
            Command::SelectImage(image) => {
                let Some(model) = self.model(&self.choice).cloned() else { return };
                self.jobs.select_image(image, model);
            }
            Command::CompareModels(watched) => self.compare_models(watched),
            Command::FindDisagreements(pair) => self.find_disagreements(pair),
            Command::CancelDisagreements => self.cancel_disagreements(),
            Command::FetchMnist => self.jobs.fetch_mnist(),
            Command::CancelFetch => self.jobs.cancel_fetch(),
        }
    }

    /// Takes in what the workers have said since the last call; true when a panel may look different now.
    pub fn poll(&mut self) -> bool {
        let mut changed = false;
        while let Ok(event) = self.events.try_recv() {
            changed = true;
            match event {
                WorkerEvent::Answer(answer) => {
                    // answers to older drawings are dropped
                    if answer.generation == self.generation {
                        self.answer = Some(*answer);
                        self.ask_all_models();
                    }
                }
                WorkerEvent::Examined(number, found) => self.doctor.found(number, found),
                WorkerEvent::Replayed(number, moments) => self.replay.found(number, moments),
                WorkerEvent::Trainer(run, event) if run == self.runs_started => self.trainer_said(event),
                WorkerEvent::Trainer(..) => {}
                WorkerEvent::Interrupted(run) => self.interrupted = Some(*run),
                WorkerEvent::Job(event) => self.job_said(event),
                WorkerEvent::Decided(measured) => self.beside.deciding.found(*measured),
                WorkerEvent::Compared(answers) => self.models_said(answers),
                WorkerEvent::Pins(answers) => self.pins_said(answers),
                WorkerEvent::Handwriting(event) => self.handwriting_said(event),
                WorkerEvent::Runs(event) => self.runs_said(event),
            }
        }
        changed
    }

    /// Stops the workers so that nothing is lost; waits for the run's last weights at most `patience`.
    pub fn shut_down(&mut self, patience: Duration) {
        self.handwriting.save_now();
        self.leave_training();
        self.jobs.cancel_evaluation();
        self.jobs.cancel_fetch();
        self.cancel_disagreements();
        let deadline = Instant::now() + patience;
        while (self.training_is_under_way() || self.leaving.iter().any(Trainer::is_busy)) && Instant::now() < deadline {
            if let Ok(event) = self.events.recv_timeout(Duration::from_millis(20))
                && let WorkerEvent::Trainer(run, event) = event
                && run == self.runs_started
            {
                self.trainer_said(event);
            }
        }
    }

    // How commands are obeyed.

    fn model(&self, choice: &ModelChoice) -> Option<&Arc<TrainedModel>> {
        match choice {
            ModelChoice::Live => self.live.as_ref(),
            other => self.models.iter().find(|open| open.entry.choice == *other).map(|open| &open.model),
        }
    }

    /// Sends the drawing to the predictor, with all that the panels want to know about it.
    fn ask(&mut self) {
        self.generation += 1;
        let Some(model) = self.model(&self.choice) else { return };
        self.predictor.ask(Question {
            generation: self.generation,
            drawing: self.shown_drawing(),
            recipe: self.recipe,
            model: Arc::clone(model),
            layer: self.watched_layer,
        });
    }

    fn choose(&mut self, choice: ModelChoice) {
        if self.model(&choice).is_none() {
            return;
        }
        if self.choice != choice {
            self.choice = choice;
            self.answer = None;
            self.ask_pins();
        }
        let layers = self.layers().len();
        self.watched_layer = self.watched_layer.filter(|layer| *layer < layers);
        self.ask();
    }

    fn evaluate(&mut self, set: SetChoice) {
        let Some(model) = self.model(&self.choice).cloned() else {
            self.notify(NoticeKind::Info, "The network has no weights yet; wait for its first update".to_owned());
            return;
        };
        let title = self.chosen().map_or_else(String::new, |entry| entry.title);
        let compute = Arc::clone(&self.compute);
        let is_live = self.choice == ModelChoice::Live;
        let running = self.training.as_ref().filter(|_| is_live).map(|view| view.config.clone());
        let opened = self.models.iter().find(|open| open.entry.choice == self.choice);
        // a run is judged on the digits it learns from, every other model on the usual ones
        let source = running.as_ref().map_or_else(|| self.usual_source().to_owned(), |config| config.data.clone());
        let config = running.or_else(|| opened.and_then(|open| open.config.clone()));
        self.jobs.evaluate(jobs::EvaluationOrder { model, title, set, source, config, compute });
    }

    fn trainer_said(&mut self, event: TrainerEvent) {
        match event {
            TrainerEvent::Model(model) => {
                self.live = Some(model);
                if self.choice == ModelChoice::Live || std::mem::take(&mut self.awaits_live) {
                    self.choose(ModelChoice::Live);
                }
                self.ask_all_models();
            }
            TrainerEvent::Warning(text) => self.notify(NoticeKind::Problem, text),
            TrainerEvent::Note(text) => self.notify(NoticeKind::Info, text),
            event => {
                let (for_pins, for_runs) = (ForPins::from(&event), runs::ForRuns::from(&event));
                let Some(view) = &mut self.training else { return };
                if let Some((kind, text)) = view.apply(event) {
                    self.notify(kind, text);
                }
                self.handwriting.take_in(self.training.as_ref());
                self.look_for_damage();
                self.tell_pins(for_pins);
                self.tell_runs(for_runs);
            }
        }
    }

    /// Files of MNIST that cannot be read are as good as absent: the offer to fetch them comes back, with the reason.
    fn look_for_damage(&mut self) {
        if let Some(why) = self.corpora.take_damage()
            && std::mem::take(&mut self.mnist_is_here)
        {
            self.jobs.mnist_is_damaged(why);
        }
    }

    /// The drawing that a picture has just taken the place of, once.
    pub fn take_replaced(&mut self) -> Option<Drawing> {
        self.replaced.take()
    }

    fn job_said(&mut self, event: JobEvent) {
        match event {
            JobEvent::Picture(Ok(picture)) => {
                self.replaced = Some(std::mem::take(&mut self.drawing));
                self.handle(Command::SetDrawing(Drawing { picture: Some(picture), strokes: Vec::new() }));
            }
            JobEvent::Model(Ok(open)) => {
                let choice = open.entry.choice.clone();
                self.models.retain(|known| known.entry.choice != choice);
                self.models.push(*open);
                self.awaits_live = false;
                self.choose(choice);
            }
            JobEvent::Picture(Err(text)) | JobEvent::Model(Err(text)) | JobEvent::Failed(text) => {
                self.notify(NoticeKind::Problem, text);
            }
            JobEvent::Disagreement { job, event } => self.disagreement_said(job, event),
            JobEvent::Saved(text) => self.notify(NoticeKind::Info, text),
            event => {
                if let Some((kind, text)) = self.jobs.apply(event) {
                    self.notify(kind, text);
                }
                self.mnist_is_here = self.mnist_is_here || self.jobs.fetch().is_done();
                self.look_for_damage();
            }
        }
    }
}

fn mnist_is_here() -> bool {
    data::source("mnist").is_some_and(|source| data::find(source, None).is_ok())
}
