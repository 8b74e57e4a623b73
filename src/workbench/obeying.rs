//! How commands are obeyed.

use std::sync::Arc;

use super::predictor::Question;
use super::trainer::{self, Trainer};
use super::{Command, ModelChoice, NoticeKind, SetChoice, Workbench, jobs};
use crate::inference::TrainedModel;

impl Workbench {
    /// Obeys a command. Never blocks: what takes time is begun here and told by [`Workbench::poll`].
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::SetDrawing(drawing) => self.set_drawing(drawing),
            Command::Handwriting(command) => self.handle_handwriting(command),
            Command::Runs(command) => self.handle_runs(command),
            Command::Ablations(command) => self.handle_ablations(command),
            Command::Race(command) => self.handle_race(command),
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
            Command::ExportCurves(export) => self.export_curves(*export),
            Command::LookBack(update) => self.look_back(update),
            Command::ChangeLive(set) => self.change_live(set),
            Command::SetSpeed(speed) => self.set_speed(speed),
            Command::RepeatRun { run, seed } => self.repeat_run(&run, seed),
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

    /// The weights that answer for this choice: where it is looked back at, those of that moment.
    pub(super) fn model(&self, choice: &ModelChoice) -> Option<&Arc<TrainedModel>> {
        if let Some(moment) = self.beside.time.model_of(choice) {
            return Some(moment);
        }
        match choice {
            ModelChoice::Live => self.live.as_ref(),
            other => self.models.iter().find(|open| open.entry.choice == *other).map(|open| &open.model),
        }
    }

    /// Sends the drawing to the predictor, with all that the panels want to know about it.
    pub(super) fn ask(&mut self) {
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

    pub(super) fn choose(&mut self, choice: ModelChoice) {
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

    pub(super) fn evaluate(&mut self, set: SetChoice) {
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
        let remembered = self.moment().is_some();
        self.jobs.evaluate(jobs::EvaluationOrder { model, title, set, source, config, compute, remembered });
    }
}
