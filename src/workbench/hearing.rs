//! What the workers have said, and what follows from it.

use super::beside::ForPins;
use super::jobs::JobEvent;
use super::time_machine::ForTime;
use super::trainer::TrainerEvent;
use super::{Command, ModelChoice, NoticeKind, Workbench, WorkerEvent, runs};
use crate::drawing::Drawing;

impl Workbench {
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
                WorkerEvent::Moments(found) => self.moments_said(*found),
                WorkerEvent::Ablation(number, news) => self.ablation_said(number, news),
                WorkerEvent::Race(number, news) => self.race_said(number, news),
            }
        }
        changed
    }

    pub(super) fn trainer_said(&mut self, event: TrainerEvent) {
        match event {
            TrainerEvent::Model(model) => {
                self.beside.time.remember(&model);
                self.live = Some(model);
                let looks_back = self.beside.time.model_of(&ModelChoice::Live).is_some();
                if (self.choice == ModelChoice::Live && !looks_back) || std::mem::take(&mut self.awaits_live) {
                    self.choose(ModelChoice::Live);
                }
                self.ask_all_models();
            }
            TrainerEvent::Warning(text) => self.notify(NoticeKind::Problem, text),
            TrainerEvent::Note(text) => self.notify(NoticeKind::Info, text),
            event => {
                let (for_pins, for_runs) = (ForPins::from(&event), runs::ForRuns::from(&event));
                let for_time = ForTime::from(&event);
                let Some(view) = &mut self.training else { return };
                if let Some((kind, text)) = view.apply(event) {
                    self.notify(kind, text);
                }
                self.handwriting.take_in(self.training.as_ref());
                self.look_for_damage();
                self.tell_pins(for_pins);
                self.tell_runs(for_runs);
                self.tell_time(for_time);
            }
        }
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
                self.read_moments_of(&choice);
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
