//! Everything that a person can ask the workbench for.

use std::path::PathBuf;

use super::{AblationCommand, CurvesExport, HandwritingCommand, RaceCommand, RunsCommand, Speed};
use crate::drawing::{Drawing, Recipe};
use crate::inference::Thresholds;
use crate::training::{LiveSettings, TrainingConfig};

/// The model that answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelChoice {
    /// The network of the training under way, or of the one that ended last.
    Live,
    /// A shipped model, by id.
    Shipped(&'static str),
    /// Weights that were opened: a file, or the best ones of a run.
    Opened(String),
}

/// The images that judge a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SetChoice {
    #[default]
    Test,
    /// The images that the model's own training kept aside.
    Validation,
}

/// One wish. [`super::Workbench::handle`] obeys it.
#[derive(Clone, Debug)]
pub enum Command {
    /// The drawing has changed.
    SetDrawing(Drawing),
    /// The person says which digit the drawing is, or takes that back.
    LabelDrawing(Option<u8>),
    /// The same, and the drawing is kept as the person's own handwriting, or no longer.
    KeepDrawing(Option<u8>),
    /// Something about the drawings that are kept.
    Handwriting(HandwritingCommand),
    /// Something about the runs that were recorded.
    Runs(RunsCommand),
    /// Something about ablations.
    Ablations(AblationCommand),
    /// Something about the optimiser race.
    Race(RaceCommand),
    /// Find out what is unlike MNIST about the drawing and what would help; a panel that shows it asks in every frame.
    Examine,
    /// Show and answer only the first points of the drawing; `None` for the whole.
    Replay(Option<usize>),
    /// Find out what was read after every point; a panel that shows it asks in every frame.
    ReadMoments,
    /// Steps from ink to image are switched on or off.
    SetRecipe(Recipe),
    /// Show the activations of this layer with every answer.
    WatchLayer(Option<usize>),
    /// Put an image file on the pad.
    OpenPicture(PathBuf),
    /// Put pixels on the pad; four bytes each.
    PastePicture {
        width: usize,
        height: usize,
        rgba: Vec<u8>,
    },
    /// Save the 28×28 image that the network gets.
    SavePicture(PathBuf),
    ChooseModel(ModelChoice),
    /// Measure what the chosen model's thresholds are worth, unless that is known.
    MeasureDecision,
    /// From when on answers of the chosen model count; `None` is as it came.
    SetThresholds(Option<Thresholds>),
    /// Open a weights file or a run folder and choose it.
    LoadModel(PathBuf),
    StartTraining(TrainingConfig),
    /// Train one batch and pause; starts a training where none is under way.
    StepBatch(TrainingConfig),
    /// Train to the end of the epoch and pause.
    StepEpoch(TrainingConfig),
    PauseTraining,
    ResumeTraining,
    /// Go on with the run in this folder, which is offered, or listed as stopped or interrupted.
    ResumeRun(PathBuf),
    /// End the training after the present update; its run is kept.
    StopTraining,
    /// As stop, for a program that ends: the run is offered again at the next start.
    LeaveTraining,
    /// As stop, and the curves are cleared for a new run.
    ResetTraining,
    /// Settings of the run under way from its next update on.
    ChangeLive(LiveSettings),
    /// How fast trainings go on.
    SetSpeed(Speed),
    /// Train what the run in this folder trained once more, its live changes made again at their updates; with another seed
    /// where one is given.
    RepeatRun {
        run: PathBuf,
        seed: Option<u64>,
    },
    /// Write curves into a file.
    ExportCurves(Box<CurvesExport>),
    /// Go to the moment of the shown run that is nearest to so many updates: its weights answer everywhere. `None` goes back to
    /// the newest weights.
    LookBack(Option<u64>),
    /// Judge the chosen model.
    Evaluate {
        set: SetChoice,
    },
    CancelEvaluation,
    /// Show the scores of this image of the judged set.
    SelectImage(Option<u32>),
    /// Keep the drawing in view.
    PinDrawing,
    Unpin(u64),
    /// Pin again what was unpinned last.
    RestorePin,
    /// Ask all models about the drawing from now on, not only the chosen one, or no longer.
    CompareModels(bool),
    /// Find the test digits on which these two disagree.
    FindDisagreements([ModelChoice; 2]),
    CancelDisagreements,
    FetchMnist,
    CancelFetch,
}
