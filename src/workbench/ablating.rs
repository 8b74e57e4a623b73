//! Ablations as cards: the plans inside the program, those that were opened, and those that the runs folder holds; one at a
//! time is trained, through the same core as `digitpad ablate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::jobs::JobEvent;
use super::long_work::LongWork;
use super::{NoticeKind, Workbench, WorkerEvent};
use crate::storage::ablation::{self, Ablation, Found, FoundAblation, PLANS, Plan, Results, Split, Told};
use crate::storage::write_atomically;
use crate::training::Event;

/// What a person can do with ablations.
#[derive(Clone, Debug)]
pub enum AblationCommand {
    /// Look for plans in the runs folder.
    Refresh,
    /// A plan's file.
    Open(PathBuf),
    /// Train the plan of this card, with this bet and so many seeds; what was trained before is not trained again.
    Start {
        name: String,
        bet: Option<String>,
        seeds: u32,
    },
    Stop,
    /// Write the report of a card into a file.
    SaveReport(String, PathBuf),
}

/// What the threads tell about ablations.
pub(super) enum AblationNews {
    Found(Vec<FoundAblation>),
    /// Where its runs are; nowhere once it could not begin.
    Folder(Option<PathBuf>),
    Run {
        variant: usize,
        seed: u32,
        number: usize,
        runs: usize,
    },
    Progress {
        step: u64,
        updates: u64,
    },
    Value {
        variant: usize,
        value: f64,
        diverged: bool,
    },
    Warning(String),
    Results(Box<Results>, String),
    Ended(Result<(), String>),
}

/// The run under way of an ablation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunUnderWay {
    /// Place of its variant in the plan.
    pub variant: usize,
    pub seed: u32,
    /// Counted from 1.
    pub number: usize,
    pub runs: usize,
    /// Of this run, 0…1.
    pub done: f64,
}

/// What panels see of an ablation.
#[derive(Clone, Debug)]
pub struct AblationCard {
    pub plan: Plan,
    /// Where its runs are, once it has begun.
    pub folder: Option<PathBuf>,
    /// Shares of right answers, for every variant in the order of the seeds.
    pub values: Vec<Vec<f64>>,
    /// How many of these come from runs that have diverged.
    pub diverged: Vec<usize>,
    /// Once all runs are done.
    pub results: Option<Results>,
    /// As Markdown.
    pub report: Option<String>,
    /// While its thread works.
    pub is_under_way: bool,
    pub run: Option<RunUnderWay>,
}

/// What the workbench keeps of ablations.
#[derive(Default)]
pub(super) struct Ablating {
    pub work: Option<LongWork>,
    cards: Vec<AblationCard>,
    /// Name of the card under way.
    name: String,
    number: u64,
}

impl AblationCard {
    fn new(plan: Plan) -> Self {
        let values = vec![Vec::new(); plan.variants.len()];
        let diverged = vec![0; values.len()];
        Self { plan, folder: None, values, diverged, results: None, report: None, is_under_way: false, run: None }
    }

    fn take(&mut self, found: FoundAblation) {
        if !self.is_under_way && self.folder.as_ref() != Some(&found.folder) {
            let mut card = Self { folder: Some(found.folder), report: found.report, ..Self::new(found.plan) };
            if let Some(results) = found.results {
                card.values = results.variants.iter().map(|found| found.values.clone()).collect();
                card.diverged = results.variants.iter().map(Found::diverged_seeds).collect();
                card.results = Some(results).filter(|results| results.are_complete(&card.plan));
            }
            *self = card;
        }
    }
}

impl Workbench {
    /// All cards: those inside the program first.
    pub fn ablations(&self) -> &[AblationCard] {
        &self.ablating.cards
    }

    pub(super) fn handle_ablations(&mut self, command: AblationCommand) {
        match command {
            AblationCommand::Refresh => self.refresh_ablations(),
            AblationCommand::Open(path) => self.open_plan(&path),
            AblationCommand::Start { name, bet, seeds } => self.start_ablation(&name, bet, seeds),
            AblationCommand::Stop => self.ablating.work.iter().for_each(LongWork::stop),
            AblationCommand::SaveReport(name, path) => {
                let card = self.ablating.cards.iter().find(|card| card.plan.name == name);
                let Some(report) = card.and_then(|card| card.report.clone()) else { return };
                self.jobs.spawn("Saving a report", JobEvent::Failed, move |tell| {
                    tell(match write_atomically(&path, report.as_bytes()) {
                        Ok(()) => JobEvent::Saved(format!("Saved the report as {}", path.display())),
                        Err(error) => JobEvent::Failed(format!("The report is not saved: {error}")),
                    });
                });
            }
        }
    }

    fn shipped_cards(&mut self) {
        if self.ablating.cards.is_empty() {
            self.ablating.cards = PLANS.iter().filter_map(|plan| plan.plan().ok()).map(AblationCard::new).collect();
        }
    }

    fn refresh_ablations(&mut self) {
        self.shipped_cards();
        let (runs, tell, number) = (self.options.runs.clone(), self.ablation_teller(), self.ablating.number);
        let spawned = std::thread::Builder::new()
            .name("ablations".to_owned())
            .spawn(move || tell(number, AblationNews::Found(ablation::found_in(&runs))));
        if let Err(error) = spawned {
            self.notify(NoticeKind::Problem, format!("The runs folder cannot be searched for plans: {error}"));
        }
    }

    fn open_plan(&mut self, path: &Path) {
        self.shipped_cards();
        match ablation::read_plan(path) {
            Ok(plan) => {
                let same = self.ablating.cards.iter().position(|card| card.plan.name == plan.name);
                match same {
                    Some(at) if self.ablating.cards[at].is_under_way => {
                        self.notify(NoticeKind::Info, format!("The plan {} is under way; stop it first", plan.name));
                    }
                    Some(at) => self.ablating.cards[at] = AblationCard::new(plan),
                    None => self.ablating.cards.push(AblationCard::new(plan)),
                }
            }
            Err(error) => self.notify(NoticeKind::Problem, format!("{error:#}")),
        }
    }

    fn ablation_teller(&self) -> impl Fn(u64, AblationNews) + Clone + Send + 'static {
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.options.wake));
        move |number, news| {
            let _gone = sender.send(WorkerEvent::Ablation(number, news));
            wake(Duration::ZERO);
        }
    }

    fn start_ablation(&mut self, name: &str, bet: Option<String>, seeds: u32) {
        if !self.is_free() {
            return;
        }
        let tell = self.ablation_teller();
        let (runs, compute) = (self.options.runs.clone(), Arc::clone(&self.training_compute));
        let every = self.options.snapshot_every;
        let Some(card) = self.ablating.cards.iter_mut().find(|card| card.plan.name == name) else { return };
        let plan = match (Plan { bet, ..card.plan.clone() }).with_seeds(Some(seeds)) {
            Ok(plan) => plan,
            Err(error) => return self.notify(NoticeKind::Problem, format!("This ablation cannot start: {error:#}")),
        };
        self.ablating.number += 1;
        let (number, end, folder) = (self.ablating.number, tell.clone(), card.folder.clone());
        let order = plan.clone();
        let work = move |reins: &super::long_work::Reins| {
            let ablation = match folder {
                // the bet that was made now takes the place of the one before
                Some(folder) => Ablation::go_on(order, &folder)?,
                None => Ablation::create(order, &runs)?,
            };
            tell(number, AblationNews::Folder(Some(ablation.folder.clone())));
            let mut told = Instant::now();
            let place = |name: &str| ablation.plan.variants.iter().position(|variant| variant.name == name);
            let results = ablation.run(Split::Validation, &compute, &mut |news| {
                let news = match news {
                    Told::Run { variant, seed, number, runs } => {
                        place(&variant.name).map(|variant| AblationNews::Run { variant, seed, number, runs })
                    }
                    Told::Event(Event::Step { step, updates, .. }) if told.elapsed() >= every => {
                        told = Instant::now();
                        Some(AblationNews::Progress { step, updates })
                    }
                    Told::Event(_) => None,
                    Told::Value { variant, value, diverged, .. } => {
                        place(&variant.name).map(|variant| AblationNews::Value { variant, value, diverged })
                    }
                    Told::Warning(sentence) => Some(AblationNews::Warning(sentence)),
                };
                news.into_iter().for_each(|news| tell(number, news));
                reins.obey()
            });
            if !ablation.folder.exists() {
                tell(number, AblationNews::Folder(None));
            }
            let results = results?;
            if let Some(results) = results {
                let report = results.markdown(&ablation.plan)?;
                tell(number, AblationNews::Results(Box::new(results), report));
            }
            Ok(())
        };
        match LongWork::start("ablation", work, move |result| end(number, AblationNews::Ended(result))) {
            Ok(work) => {
                let folder = card.folder.take();
                *card = AblationCard { folder, is_under_way: true, ..AblationCard::new(plan) };
                self.ablating.name = name.to_owned();
                self.ablating.work = Some(work);
            }
            Err(error) => self.notify(NoticeKind::Problem, format!("This ablation cannot start: {error}")),
        }
    }

    pub(super) fn ablation_said(&mut self, number: u64, news: AblationNews) {
        if let AblationNews::Found(found) = news {
            for found in found {
                match self.ablating.cards.iter_mut().find(|card| card.plan.name == found.plan.name) {
                    Some(card) => card.take(found),
                    None => {
                        let mut card = AblationCard::new(found.plan.clone());
                        card.take(found);
                        self.ablating.cards.push(card);
                    }
                }
            }
            return;
        }
        let Ablating { cards, name, number: newest, .. } = &mut self.ablating;
        let Some(card) = cards.iter_mut().find(|card| card.plan.name == *name && number == *newest) else { return };
        match news {
            AblationNews::Found(_) => {}
            AblationNews::Folder(folder) => card.folder = folder,
            AblationNews::Run { variant, seed, number, runs } => {
                card.run = Some(RunUnderWay { variant, seed, number, runs, done: 0.0 });
            }
            AblationNews::Progress { step, updates } => {
                card.run.iter_mut().for_each(|run| run.done = step as f64 / updates.max(1) as f64);
            }
            AblationNews::Value { variant, value, diverged } => {
                card.values[variant].push(value);
                card.diverged[variant] += usize::from(diverged);
            }
            AblationNews::Results(results, report) => (card.results, card.report) = (Some(*results), Some(report)),
            AblationNews::Warning(sentence) => self.notify(NoticeKind::Problem, sentence),
            AblationNews::Ended(result) => {
                (card.is_under_way, card.run) = (false, None);
                if let Err(error) = result {
                    self.notify(NoticeKind::Problem, format!("The ablation could not go on: {error}"));
                }
                self.begin_next_repeat();
            }
        }
    }
}
