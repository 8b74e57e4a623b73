//! Ablations, the second view of Runs: a list of questions, and the card of the chosen one with its variants, the bet, and what
//! has been found.

use eframe::egui::{Align, Label, Layout, Rect, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::Scene;
use crate::models;
use crate::storage::ablation::{Estimate, Plan, divergence, points};
use crate::training::TrainingConfig;
use crate::ui::dialogs::Purpose;
use crate::ui::transport::duration;
use crate::ui::widgets::button::Button;
use crate::ui::widgets::dot_plot::{self, DotRow};
use crate::ui::widgets::field;
use crate::ui::widgets::progress::progress;
use crate::ui::{icons, style, text, theme};
use crate::workbench::{AblationCard, AblationCommand, Command};

/// What somebody believes before the first run.
#[derive(Clone, Debug, Default, PartialEq)]
enum Bet {
    /// Nothing has been said.
    #[default]
    Open,
    /// There is to be none.
    Nothing,
    On(String),
}

/// What the cards remember between frames.
#[derive(Default)]
pub(super) struct Ablations {
    asked: bool,
    /// Name of the chosen plan.
    chosen: Option<String>,
    bet: Bet,
    seeds: u32,
    /// The plan whose report is to be saved.
    saves: Option<String>,
    /// The plan that was opened just now.
    wanted: Option<String>,
}

const LIST: f32 = 288.0;
const GAP: f32 = 24.0;
const ROW: f32 = 52.0;
/// Multiplications of training that a thread does in a second, at a rough count.
const PER_SECOND: f64 = 2e10;

impl Ablations {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if !std::mem::replace(&mut self.asked, true) {
            scene.push(Command::Ablations(AblationCommand::Refresh));
        }
        let cards = scene.workbench.ablations();
        let Some(first) = cards.first() else { return };
        let chosen = cards.iter().find(|card| Some(&card.plan.name) == self.chosen.as_ref());
        let wanted = self.wanted.take();
        let opened = cards.iter().find(|card| Some(&card.plan.name) == wanted.as_ref());
        let under_way = cards.iter().find(|card| card.is_under_way);
        let card = opened.or(chosen).or(under_way).unwrap_or(first);
        if opened.is_some() || self.chosen.as_ref() != Some(&card.plan.name) {
            self.choose(card);
        }
        let whole = ui.available_rect_before_wrap();
        ui.allocate_rect(whole, Sense::hover());
        let left = Rect::from_min_max(whole.min, pos2(whole.left() + LIST, whole.bottom()));
        let right = Rect::from_min_max(pos2(left.right() + GAP, whole.top()), whole.max);
        let mut list = ui.new_child(UiBuilder::new().max_rect(left));
        if let Some(other) = self.list(&mut list, cards, &card.plan.name, scene) {
            self.choose(&cards[other]);
        }
        let mut detail = ui.new_child(UiBuilder::new().max_rect(right));
        ScrollArea::vertical().id_salt("ablation").auto_shrink([false, false]).show(&mut detail, |ui| {
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(4.0, 0.0)));
            self.card(ui, card, right.width() - 12.0, scene);
        });
    }

    /// Looks at the plan of this name from the next frame on.
    pub fn look_at(&mut self, name: String) {
        self.wanted = Some(name);
    }

    fn choose(&mut self, card: &AblationCard) {
        self.chosen = Some(card.plan.name.clone());
        self.seeds = card.plan.seeds;
        // what has begun has its bet; a plan's own is its author's
        self.bet = match (&card.folder, &card.plan.bet) {
            (None, _) => Bet::Open,
            (Some(_), Some(bet)) => Bet::On(bet.clone()),
            (Some(_), None) => Bet::Nothing,
        };
    }

    /// The questions; the place of one that was pressed.
    fn list(&self, ui: &mut Ui, cards: &[AblationCard], chosen: &str, scene: &mut Scene<'_>) -> Option<usize> {
        let mut pressed = None;
        let height = ui.available_height() - 44.0;
        ScrollArea::vertical().id_salt("questions").max_height(height).auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for (place, card) in cards.iter().enumerate() {
                let p = theme::of(ui);
                let (rect, response) = ui.allocate_exact_size(vec2(LIST - 12.0, ROW), Sense::click());
                let is_chosen = card.plan.name == chosen;
                let state = state(card);
                response.widget_info(|| {
                    let words = format!("{}, {state}", card.plan.question);
                    WidgetInfo::selected(Role::ListItem, true, is_chosen, words)
                });
                let fill = match (is_chosen, response.hovered()) {
                    (true, _) => Some(p.accent_soft),
                    (false, true) => Some(p.hover),
                    (false, false) => None,
                };
                if let Some(fill) = fill {
                    ui.painter().rect_filled(rect, 8.0, fill);
                }
                let inner = rect.shrink2(vec2(10.0, 7.0));
                let mut row = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Min)));
                row.spacing_mut().item_spacing.y = 2.0;
                row.add(Label::new(text::body(&card.plan.question)).truncate());
                row.add(Label::new(text::label(state).color(p.text2)).truncate());
                style::focus_ring(ui, &response, 8);
                if response.clicked() {
                    pressed = Some(place);
                }
            }
        });
        ui.add_space(4.0);
        if ui.add(Button::plain("Open a plan…").icon(icons::FOLDER_OPEN)).clicked() {
            scene.dialogs.ask(Purpose::OpenPlan);
        }
        pressed
    }

    fn card(&mut self, ui: &mut Ui, card: &AblationCard, width: f32, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        ui.add(Label::new(text::title(&card.plan.question)).wrap());
        let base = &card.plan.variants[0].config;
        let model = models::find(&base.model).map_or(base.model.as_str(), |model| model.title);
        let limit = base.train_limit.map_or_else(String::new, |n| format!(", {} images", text::count(n as u64)));
        let epochs = if base.epochs == 1 { "one epoch".to_owned() } else { format!("{} epochs", base.epochs) };
        ui.label(text::label(format!("{model}, {epochs}{limit}, judged on validation images")).color(p.text2));
        ui.add_space(8.0);
        let has_begun = card.is_under_way || card.folder.is_some();
        ui.label(text::section(if has_begun { "Variants" } else { "Which will win?" }));
        self.variants(ui, card, has_begun, width);
        if !has_begun && field_radio(ui, "No bet", self.bet == Bet::Nothing) {
            self.bet = Bet::Nothing;
        }
        ui.add_space(8.0);
        match &card.run {
            Some(_) => under_way(ui, card, width, scene),
            None if card.is_under_way => {
                ui.label(text::body("Reading the images").color(p.text2));
            }
            None => self.start(ui, card, scene),
        }
        self.found(ui, card, width, scene);
    }

    /// A row for every variant: the bet, what differs, and what was found.
    fn variants(&mut self, ui: &mut Ui, card: &AblationCard, has_begun: bool, width: f32) {
        let p = theme::of(ui);
        let estimates: Vec<Option<Estimate>> = card.values.iter().map(|values| Estimate::of_shares(values)).collect();
        let intervals = estimates.iter().flatten().filter_map(|estimate| estimate.interval);
        let ends: Vec<f64> = card.values.iter().flatten().copied().chain(intervals.flatten()).collect();
        let scale = dot_plot::range(ends.iter());
        let verdict = card.results.as_ref().and_then(|results| results.verdict(&card.plan));
        let has_values = !ends.is_empty();
        let plot = if has_values { (width * 0.36).clamp(140.0, 320.0) } else { 0.0 };
        let figure = if has_values { 64.0 } else { 0.0 };
        for (place, variant) in card.plan.variants.iter().enumerate() {
            let (rect, _) = ui.allocate_exact_size(vec2(width, 34.0), Sense::hover());
            ui.painter().hline(rect.x_range(), rect.bottom(), eframe::egui::Stroke::new(1.0, p.hair));
            let layout = Layout::left_to_right(Align::Center);
            let words = Rect::from_min_max(rect.min, pos2(rect.right() - plot - figure, rect.bottom()));
            let mut row = ui.new_child(UiBuilder::new().max_rect(words).layout(layout));
            let on = Bet::On(variant.name.clone());
            if has_begun {
                row.label(text::section(&variant.name));
                if self.bet == on {
                    row.label(text::label("the bet").color(p.accent));
                }
            } else if field_radio(&mut row, &variant.name, self.bet == on) {
                self.bet = on;
            }
            let differs = if place == 0 { "the base".to_owned() } else { variant.differences() };
            if let Some(words) = divergence(card.diverged[place], card.values[place].len()) {
                row.label(text::label(words).color(p.error));
            }
            row.add(Label::new(text::label(differs).color(p.text2)).truncate());
            if !has_values {
                continue;
            }
            let dots = Rect::from_min_max(pos2(words.right(), rect.top()), pos2(rect.right() - figure, rect.bottom()));
            let mut cell = ui.new_child(UiBuilder::new().max_rect(dots).layout(layout));
            let wins = verdict.as_ref().is_some_and(|verdict| verdict.winner == variant.name);
            let (mean, interval) = (estimates[place].map(|e| e.mean), estimates[place].and_then(|e| e.interval));
            let (name, values) = (variant.name.as_str(), card.values[place].as_slice());
            DotRow { name, values, mean, interval, wins }.show(&mut cell, scale, (plot, 34.0));
            let last = Rect::from_min_max(pos2(dots.right(), rect.top()), rect.max);
            let mut cell = ui.new_child(UiBuilder::new().max_rect(last).layout(Layout::right_to_left(Align::Center)));
            let words = mean.map_or_else(|| "–".to_owned(), |mean| text::percent(mean, 2));
            cell.label(text::section(words).color(if wins { p.accent } else { p.text }));
        }
        if has_values {
            let words = format!("{} to {}", text::percent(scale.0, 1), text::percent(scale.1, 1));
            let words = format!("Small dots are seeds, bars 95 % intervals of the mean; from {words}");
            ui.label(text::small(words).color(p.text3));
        }
    }

    /// How many seeds, how long, and the button.
    fn start(&mut self, ui: &mut Ui, card: &AblationCard, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let runs = card.plan.variants.len() * self.seeds as usize;
        ui.horizontal(|ui| {
            ui.label(text::body("Seeds").color(p.text2));
            let mut counts = vec![1, 2, 3, 5, 10];
            if !counts.contains(&self.seeds) {
                counts.push(self.seeds);
            }
            let names: Vec<String> = counts.iter().map(u32::to_string).collect();
            let options: Vec<(u32, &str)> = counts.iter().copied().zip(names.iter().map(String::as_str)).collect();
            field::choice(ui, "Seeds of every variant", &mut self.seeds, &options, 72.0);
            let seconds = estimate(&card.plan, self.seeds);
            ui.label(text::label(format!("{runs} runs, roughly {}", duration(seconds.max(1.0)))).color(p.text2));
        });
        let busy = scene.workbench.is_busy_with();
        ui.horizontal(|ui| {
            let words = if card.folder.is_some() { "Go on" } else { "Start" };
            let is_done = card.results.is_some() && self.seeds <= card.plan.seeds;
            let ready = self.bet != Bet::Open && busy.is_none() && !is_done;
            let button = Button::primary(words).icon(icons::PLAY).hint("Runs that are finished are not trained again");
            if ui.add_enabled(ready, button).clicked() {
                let bet = if let Bet::On(name) = &self.bet { Some(name.clone()) } else { None };
                let (name, seeds) = (card.plan.name.clone(), self.seeds);
                scene.push(Command::Ablations(AblationCommand::Start { name, bet, seeds }));
            }
            let why = match busy {
                Some(work) => format!("{work} is under way"),
                None if is_done => "All runs are done; it goes on with more seeds".to_owned(),
                None if self.bet == Bet::Open => "Make a bet first, or choose “No bet”".to_owned(),
                None if card.folder.is_some() && card.values.iter().all(Vec::is_empty) => {
                    "What is trained already is judged again, the rest is trained".to_owned()
                }
                None => String::new(),
            };
            ui.label(text::label(why).color(p.text2));
        });
    }

    /// The verdict and the report.
    fn found(&mut self, ui: &mut Ui, card: &AblationCard, width: f32, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let verdict = card.results.as_ref().and_then(|results| Some((results, results.verdict(&card.plan)?)));
        if let Some((results, verdict)) = verdict {
            ui.add_space(8.0);
            ui.label(text::section(match verdict.bet_held {
                Some(true) => "The bet held",
                Some(false) => "The bet did not hold",
                None => "Found",
            }));
            ui.set_max_width(width);
            ui.add(Label::new(text::body(&verdict.sentences(&card.plan)[0])).wrap());
            for found in &results.variants {
                if let Some(difference) = results.difference(found) {
                    let words = format!("{} {} points beyond the base", found.name, points(&difference));
                    ui.label(text::label(words).color(p.text2));
                }
            }
        }
        let Some(report) = &card.report else { return };
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.add(Button::plain("Save report…").icon(icons::FLOPPY_DISK)).clicked() {
                self.saves = Some(card.plan.name.clone());
                scene.dialogs.ask(Purpose::SaveReport);
            }
            if ui.add(Button::plain("Copy report").icon(icons::COPY)).clicked() {
                ui.copy_text(report.clone());
            }
        });
    }

    /// Saves the report that the dialog was opened for.
    pub fn save_report(&mut self, path: std::path::PathBuf) -> Option<Command> {
        let path = if path.extension().is_some() { path } else { path.with_extension("md") };
        Some(Command::Ablations(AblationCommand::SaveReport(self.saves.take()?, path)))
    }
}

/// A radio button with a name; true when it is chosen.
fn field_radio(ui: &mut Ui, name: &str, on: bool) -> bool {
    let rim = eframe::egui::Stroke::new(1.0, theme::of(ui).text3);
    let radio = eframe::egui::RadioButton::new(on, text::body(name));
    ui.scope(|ui| {
        // its disc alone hardly stands out
        ui.visuals_mut().widgets.inactive.bg_stroke = rim;
        ui.add(radio).clicked()
    })
    .inner
}

/// "5 variants, 3 seeds", "2 of 15 runs", "The bet held".
fn state(card: &AblationCard) -> String {
    let bet = card.results.as_ref().and_then(|results| results.verdict(&card.plan)).map(|verdict| verdict.bet_held);
    match (&card.run, bet) {
        (Some(run), _) => format!("Run {} of {}", run.number, run.runs),
        (None, _) if card.is_under_way => "Under way".to_owned(),
        (None, Some(Some(true))) => "Done, the bet held".to_owned(),
        (None, Some(Some(false))) => "Done, the bet did not hold".to_owned(),
        (None, Some(None)) => "Done".to_owned(),
        (None, None) if card.report.is_some() => "Done".to_owned(),
        (None, None) if card.folder.is_some() => "Begun, not done".to_owned(),
        (None, None) => format!("{} variants", card.plan.variants.len()),
    }
}

/// The run under way, and the way to end it.
fn under_way(ui: &mut Ui, card: &AblationCard, width: f32, scene: &mut Scene<'_>) {
    let Some(run) = card.run else { return };
    let p = theme::of(ui);
    let name = &card.plan.variants[run.variant].name;
    ui.label(text::body(format!("Run {} of {}, {name}, seed {}", run.number, run.runs, run.seed)));
    let share = (run.number as f64 - 1.0 + run.done) / run.runs.max(1) as f64;
    progress(ui, "Ablation", share as f32, width.min(420.0));
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if ui.add(Button::plain("Stop").icon(icons::STOP)).clicked() {
            scene.push(Command::Ablations(AblationCommand::Stop));
        }
        ui.label(text::label("Finished runs stay, and it can go on later").color(p.text2));
    });
}

/// Seconds of all runs, at a rough count of multiplications.
fn estimate(plan: &Plan, seeds: u32) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let of = |config: &TrainingConfig| {
        let network = models::find(&config.model).and_then(|model| (model.network)().ok());
        let forward = network.map_or(0.0, |network| network.multiplications() as f64);
        let images = config.train_limit.unwrap_or(60_000) as f64 * f64::from(config.epochs);
        let judged = config.validation as f64 * f64::from(config.epochs);
        // single patterns share their work among nobody
        let speed = if config.batch_size < 8 { PER_SECOND / 4.0 } else { PER_SECOND * threads };
        (3.0 * images + judged) * forward / speed
    };
    plan.variants.iter().map(|variant| of(&variant.config)).sum::<f64>() * f64::from(seeds)
}
