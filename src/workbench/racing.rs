//! The optimiser race: begun, paused, stopped, and what panels see of it.

use std::sync::Arc;
use std::time::Instant;

use super::long_work::LongWork;
use super::{NoticeKind, Workbench, WorkerEvent};
use crate::training::{Race, RaceEvent, RaceStanding, TrainingData};

/// What a person can do with races.
#[derive(Clone, Debug)]
pub enum RaceCommand {
    Start(Box<Race>),
    Pause,
    Resume,
    Stop,
}

/// What the thread tells about the race.
pub(super) enum RaceNews {
    /// So many images train, and a data set of this title.
    Begun {
        images: usize,
        source: String,
    },
    Events(Vec<RaceEvent>),
    Ended(Result<(), String>),
}

/// Where a race is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RacePhase {
    Preparing,
    Running,
    Paused,
    /// Finished, or stopped before.
    Ended,
    Failed(String),
}

/// A value at a place of the race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RacePoint {
    /// In batches read.
    pub place: f64,
    /// Of the lane's own updates.
    pub seconds: f64,
    pub value: f64,
}

/// What panels see of a lane.
#[derive(Clone, Debug, Default)]
pub struct LaneView {
    pub standing: RaceStanding,
    /// The loss of every update.
    pub losses: Vec<RacePoint>,
    /// Shares of validation images read right.
    pub accuracies: Vec<RacePoint>,
}

/// What panels see of the race under way, or of the last one.
#[derive(Clone, Debug)]
pub struct RaceView {
    pub race: Race,
    pub lanes: Vec<LaneView>,
    pub phase: RacePhase,
    /// Rounds done, and all of them.
    pub update: u64,
    pub updates: u64,
    /// Images that train, and the title of the data set; 0 before they are read.
    pub images: usize,
    pub source: String,
    /// Counts news up.
    pub revision: u64,
}

/// What the workbench keeps of races.
#[derive(Default)]
pub(super) struct Racing {
    pub work: Option<LongWork>,
    view: Option<RaceView>,
    number: u64,
}

impl RaceView {
    fn new(race: Race) -> Self {
        let lanes = vec![LaneView::default(); race.lanes.len()];
        let (phase, source) = (RacePhase::Preparing, String::new());
        Self { race, lanes, phase, update: 0, updates: 0, images: 0, source, revision: 0 }
    }

    /// Whether it has not ended.
    pub fn is_under_way(&self) -> bool {
        matches!(self.phase, RacePhase::Preparing | RacePhase::Running | RacePhase::Paused)
    }

    fn take(&mut self, event: &RaceEvent) {
        if let RaceEvent::Round { update, updates } = *event {
            (self.update, self.updates) = (update, updates);
        }
        let Some(lane) = event.lane().and_then(|lane| self.lanes.get_mut(lane)) else { return };
        lane.standing.take(event);
        match *event {
            RaceEvent::Update { place, seconds, loss, .. } => {
                lane.losses.push(RacePoint { place, seconds, value: loss });
            }
            RaceEvent::Judged { place, seconds, accuracy, .. } => {
                lane.accuracies.push(RacePoint { place, seconds, value: accuracy });
            }
            _ => {}
        }
    }
}

impl Workbench {
    /// The race under way, or the last one.
    pub fn race(&self) -> Option<&RaceView> {
        self.racing.view.as_ref()
    }

    pub(super) fn handle_race(&mut self, command: RaceCommand) {
        let phase = match command {
            RaceCommand::Start(race) => return self.start_race(*race),
            RaceCommand::Pause => (true, RacePhase::Paused),
            RaceCommand::Resume => (false, RacePhase::Running),
            RaceCommand::Stop => return self.racing.work.iter().for_each(LongWork::stop),
        };
        if let (Some(work), Some(view)) = (&self.racing.work, &mut self.racing.view)
            && view.is_under_way()
        {
            work.pause(phase.0);
            view.phase = phase.1;
        }
    }

    fn start_race(&mut self, race: Race) {
        if !self.is_free() {
            return;
        }
        if let Err(error) = race.validate() {
            self.notify(NoticeKind::Problem, format!("This race cannot start: {error:#}"));
            return;
        }
        self.racing.number += 1;
        let number = self.racing.number;
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.options.wake));
        let every = self.options.snapshot_every;
        let tell = move |news| {
            let _gone = sender.send(WorkerEvent::Race(number, news));
            wake(std::time::Duration::ZERO);
        };
        let (corpora, compute) = (Arc::clone(&self.corpora), Arc::clone(&self.training_compute));
        let (order, end) = (race.clone(), tell.clone());
        let work = LongWork::start(
            "race",
            move |reins| {
                let corpus = corpora.get(&order.base().data)?;
                let source = corpus.title.clone();
                let data = TrainingData::split(order.base(), corpus)?;
                tell(RaceNews::Begun { images: data.train.len(), source });
                let (mut waiting, mut told) = (Vec::new(), Instant::now());
                let _whether_stopped = order.run(&data, &compute, &mut |event| {
                    if event != RaceEvent::Reading {
                        waiting.push(event);
                    }
                    if told.elapsed() >= every && !waiting.is_empty() {
                        told = Instant::now();
                        tell(RaceNews::Events(std::mem::take(&mut waiting)));
                    }
                    reins.obey()
                })?;
                tell(RaceNews::Events(waiting));
                Ok(())
            },
            move |result| end(RaceNews::Ended(result)),
        );
        match work {
            Ok(work) => {
                self.racing.work = Some(work);
                self.racing.view = Some(RaceView::new(race));
            }
            Err(error) => self.notify(NoticeKind::Problem, format!("This race cannot start: {error}")),
        }
    }

    pub(super) fn race_said(&mut self, number: u64, news: RaceNews) {
        let Some(view) = self.racing.view.as_mut().filter(|_| number == self.racing.number) else { return };
        view.revision += 1;
        match news {
            RaceNews::Begun { images, source } => {
                (view.images, view.source) = (images, source);
                if view.phase == RacePhase::Preparing {
                    view.phase = RacePhase::Running;
                }
            }
            RaceNews::Events(events) => events.iter().for_each(|event| view.take(event)),
            RaceNews::Ended(Ok(())) => {
                view.phase = RacePhase::Ended;
                self.begin_next_repeat();
            }
            RaceNews::Ended(Err(error)) => {
                view.phase = RacePhase::Failed(error.clone());
                self.notify(NoticeKind::Problem, format!("The race could not go on: {error}"));
                self.look_for_damage();
                self.begin_next_repeat();
            }
        }
    }
}
