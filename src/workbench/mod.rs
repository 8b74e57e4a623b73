//! The program without a screen: it takes [`Command`]s, listens to its workers, and is read by panels. The only folder
//! with threads. Every change has one door, [`Workbench::handle`]; nothing here waits for a worker.
//!
//! | file | what lives there |
//! |---|---|
//! | `obeying.rs`, `hearing.rs` | how commands are obeyed; what the workers have said |
//! | `command.rs` | [`Command`]: everything that a person can ask for |
//! | `beside.rs` | what is worked out beside the pad's own answer: the next four |
//! | `comparing.rs` | every model at hand on the drawing |
//! | `deciding.rs` | what the thresholds for sure answers and for digits are worth |
//! | `disagreeing.rs` | two models on all test digits: where their answers differ |
//! | `pins.rs`, `pin_history.rs` | drawings kept in view, and what a training made of them |
//! | `ablating.rs`, `racing.rs` | ablations and optimiser races |
//! | `long_work.rs` | the thread of either: paused, stopped, one at a time |
//! | `newest.rs` | a thread that answers only the newest question |
//! | `handwriting.rs`, `keeping.rs` | the drawings that the person keeps, and what is done with them |
//! | `handwriting_scores.rs`, `fine_tuning.rs` | every model's answers to them, and training on them |
//! | `doctor.rs` | what is unlike MNIST about the drawing, and what would help |
//! | `label.rs` | what the person says that the drawing is |
//! | `predictor.rs` | the thread that answers drawings; only the newest counts |
//! | `replay.rs` | the drawing point by point |
//! | `trainer.rs`, `wishes.rs` | the thread of one training, and how it is paused, stepped and stopped |
//! | `running.rs` | how trainings are begun, stepped, stopped and put aside |
//! | `changing.rs` | settings that change while a training goes on, and runs made once more |
//! | `slow_motion.rs` | a training slowed down, and the batch that it shows |
//! | `interrupted.rs` | runs that were interrupted: offered, and gone on with |
//! | `runs.rs`, `repeats.rs` | all runs of the folder; repeats of one with other seeds |
//! | `time_machine.rs` | the moments of a run, and the playhead among them |
//! | `training_view.rs` | [`TrainingView`]: what panels see of a training |
//! | `health.rs`, `exporting.rs` | what its curves hint at, its curves as files |
//! | `jobs.rs` | short work beside: evaluating, fetching, opening, saving |
//! | `reading.rs` | what panels read of the workbench |
//! | `notice.rs` | [`Notice`]: a sentence for the person |
//! | `corpora.rs` | data sets that have been read, shared by the workers |

mod ablating;
mod beside;
mod changing;
mod command;
mod comparing;
mod corpora;
mod deciding;
mod disagreeing;
mod doctor;
mod ending;
mod exporting;
mod fine_tuning;
mod handwriting;
mod handwriting_scores;
pub mod health;
mod hearing;
mod interrupted;
mod jobs;
mod keeping;
mod label;
mod long_work;
mod newest;
mod notice;
mod obeying;
mod pin_history;
mod pins;
mod predictor;
mod racing;
mod reading;
mod repeats;
mod replay;
mod running;
mod runs;
mod slow_motion;
mod time_machine;
mod trainer;
mod training_view;
mod wishes;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Result;

pub use ablating::{AblationCard, AblationCommand, RunUnderWay};
pub use changing::LiveChangePoint;
pub use command::{Command, ModelChoice, SetChoice};
pub use comparing::ComparedModel;
pub use deciding::Measured as MeasuredDecision;
pub use disagreeing::Disagreements;
pub use doctor::{Examination, Reading, Rung};
pub use ending::wake_when_asked_to_end;
pub use exporting::CurvesExport;
pub use handwriting::{HandwritingCommand, HandwritingView, KeptView, Measured, Told};
pub use handwriting_scores::{ModelScore, ReadDigit, Scores};
pub use jobs::{EvaluationView, FetchView};
pub use notice::{Notice, NoticeKind};
pub use pin_history::{History, HistoryPoint, Turn};
pub use pins::{MOST_PINS, Pin};
pub use racing::{LaneView, RaceCommand, RacePhase, RacePoint, RaceView};
pub use reading::StartEntry;
pub use repeats::MOST_REPEATS;
pub use replay::Moment;
pub use runs::{RunsCommand, RunsView};
pub use slow_motion::{BatchView, MetDigit, SPEEDS, Speed};
pub use time_machine::TimeView;
pub use training_view::{Curves, EpochPoint, Phase, StepPoint, TickPoint, TrainingView};

use crate::data;
use crate::drawing::{Drawing, Recipe};
use crate::inference::TrainedModel;
use crate::nn::{Compute, DeviceChoice};
use crate::storage::resumption::InterruptedRun;
use crate::storage::shipped::{self, Card};
use beside::Beside;
use corpora::Corpora;
use handwriting::HandwritingEvent;
use jobs::{JobEvent, Jobs, OpenModel};
use long_work::LongWork;
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
    Moments(Box<time_machine::Found>),
    Ablation(u64, ablating::AblationNews),
    Race(u64, racing::RaceNews),
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
    speed: Speed,
    ablating: ablating::Ablating,
    racing: racing::Racing,

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
            speed: None,
            ablating: ablating::Ablating::default(),
            racing: racing::Racing::default(),
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

    /// Stops the workers so that nothing is lost; waits for the run's last weights at most `patience`.
    pub fn shut_down(&mut self, patience: Duration) {
        self.handwriting.save_now();
        self.leave_training();
        self.leave_long_work();
        self.jobs.cancel_evaluation();
        self.jobs.cancel_fetch();
        self.cancel_disagreements();
        let deadline = Instant::now() + patience;
        let busy = |workbench: &Self| {
            workbench.training_is_under_way()
                || workbench.leaving.iter().any(Trainer::is_busy)
                || workbench.long_work().any(LongWork::is_busy)
        };
        while busy(self) && Instant::now() < deadline {
            if let Ok(event) = self.events.recv_timeout(Duration::from_millis(20))
                && let WorkerEvent::Trainer(run, event) = event
                && run == self.runs_started
            {
                self.trainer_said(event);
            }
        }
    }

    /// The drawing that a picture has just taken the place of, once.
    pub fn take_replaced(&mut self) -> Option<Drawing> {
        self.replaced.take()
    }
}

fn mnist_is_here() -> bool {
    data::source("mnist").is_some_and(|source| data::find(source, None).is_ok())
}
