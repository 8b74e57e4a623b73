//! The optimiser race, the third view of Runs: what races at the left, two charts and who was first at the right.

use eframe::egui::{Align, Label, Layout, Rect, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};

use super::Scene;
use crate::models;
use crate::optim::OptimizerConfig;
use crate::storage::XAxis;
use crate::storage::shipped;
use crate::training::{RACE_AIM, Race, RaceLane, TrainingConfig};
use crate::ui::widgets::button::{self, Button};
use crate::ui::widgets::field;
use crate::ui::widgets::plot::{Chart, Curve, CurveKind};
use crate::ui::widgets::plot_lines::smoothed;
use crate::ui::widgets::progress::progress;
use crate::ui::widgets::segmented;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::value_scale::Scale;
use crate::ui::{icons, text, theme};
use crate::workbench::{Command, LaneView, RaceCommand, RacePhase, RacePoint, RaceView};

const SIDE: f32 = 304.0;
const GAP: f32 = 32.0;
/// How much of the smoothed loss is what was before: batches of 32 are noisy, and six raw lines hide each other.
const SMOOTHING: f64 = 0.95;
/// Updates that can be chosen.
const UPDATES: [(u64, &str); 5] = [(200, "200"), (500, "500"), (1_000, "1,000"), (2_000, "2,000"), (5_000, "5,000")];

/// Training images that can be chosen; 0 is all of them.
const IMAGES: [(usize, &str); 4] = [(1_000, "1,000"), (5_000, "5,000"), (20_000, "20,000"), (0, "All")];

/// A lane of the form.
struct LaneForm {
    id: &'static str,
    on: bool,
    rate: String,
}

/// What the race remembers between frames.
pub(super) struct RaceForm {
    model: &'static str,
    /// What the lanes were made for.
    filled: Option<&'static str>,
    lanes: Vec<LaneForm>,
    updates: u64,
    images: usize,
    against: XAxis,
    axis: SharedAxis,
    curves: Vec<LaneCurves>,
    /// What the curves were made for.
    key: Option<(u64, u64, XAxis)>,
}

/// What is drawn of a lane.
struct LaneCurves {
    kind: CurveKind,
    name: &'static str,
    losses: Vec<[f64; 2]>,
    accuracies: Vec<[f64; 2]>,
}

impl Default for RaceForm {
    fn default() -> Self {
        Self {
            model: "lenet5",
            filled: None,
            lanes: Vec::new(),
            updates: 1_000,
            // few enough that conjugate gradient, which reads all of them at once, makes more than one update
            images: 5_000,
            against: XAxis::Updates,
            axis: SharedAxis::default(),
            curves: Vec::new(),
            key: None,
        }
    }
}

impl RaceForm {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let whole = ui.available_rect_before_wrap();
        ui.allocate_rect(whole, Sense::hover());
        let left = Rect::from_min_max(whole.min, pos2(whole.left() + SIDE, whole.bottom()));
        let right = Rect::from_min_max(pos2(left.right() + GAP, whole.top()), whole.max);
        let mut side = ui.new_child(UiBuilder::new().max_rect(left));
        ScrollArea::vertical().id_salt("lanes").auto_shrink([false, false]).show(&mut side, |ui| {
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(4.0, 0.0)));
            self.form(ui, scene);
        });
        let mut charts = ui.new_child(UiBuilder::new().max_rect(right));
        ScrollArea::vertical().id_salt("charts").auto_shrink([false, false]).show(&mut charts, |ui| {
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(4.0, 0.0)));
            self.charts(ui, scene.workbench.race(), right.size());
        });
    }

    /// The model's own settings with those of every race.
    fn base(&self, source: &str) -> Option<TrainingConfig> {
        let config = shipped::find(self.model)?.config().ok()?;
        let base = Race::base_of(TrainingConfig { data: source.to_owned(), ..config });
        Some(TrainingConfig { train_limit: Some(self.images).filter(|&images| images > 0), ..base })
    }

    /// Lanes with their usual rates, once for every model.
    fn fill(&mut self, base: &TrainingConfig) {
        if self.filled.replace(self.model) == Some(self.model) {
            return;
        }
        let lane =
            |lane: RaceLane| LaneForm { id: lane.optimizer.id(), on: true, rate: lane.learning_rate.to_string() };
        self.lanes = Race::lanes_of(base).into_iter().map(lane).collect();
    }

    fn form(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let width = SIDE - 16.0;
        let under_way = scene.workbench.race().is_some_and(RaceView::is_under_way);
        let known = models::trainable().filter(|model| shipped::find(model.id).is_some_and(|own| own.config().is_ok()));
        let options: Vec<(&'static str, &str)> = known.map(|model| (model.id, model.title)).collect();
        let Some(base) = self.base(scene.workbench.usual_source()) else { return };
        self.fill(&base);
        ui.add_enabled_ui(!under_way, |ui| {
            let row = |label| field::Row { label, mark: field::Mark::None, error: None };
            row("Model").show(ui, width, 184.0, |ui, w| {
                field::choice(ui, "Model that races", &mut self.model, &options, w);
            });
            row("Updates").show(ui, width, 184.0, |ui, w| {
                field::choice(ui, "Updates of the race", &mut self.updates, &UPDATES, w);
            });
            row("Training images").show(ui, width, 184.0, |ui, w| {
                field::choice(ui, "Training images of the race", &mut self.images, &IMAGES, w);
            });
            ui.add_space(8.0);
            ui.allocate_ui_with_layout(vec2(width, 24.0), Layout::left_to_right(Align::Center), |ui| {
                ui.label(text::section("Optimisers"));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(text::label("Learning rate").color(p.text2));
                });
            });
            for lane in &mut self.lanes {
                lane_row(ui, lane, width);
            }
        });
        ui.add_space(8.0);
        let race = self.race(base);
        self.buttons(ui, scene, race);
        ui.add_space(8.0);
        let words = "All lanes begin with the same weights and meet the same batches of 32 plain images. An update of \
                     conjugate gradient reads all images, mostly several times: it is counted as the batches it has read, and \
                     waits for the others, so that fewer images give it more updates. Seconds are those of a lane's own updates.";
        ui.add(Label::new(text::label(words).color(p.text3)).wrap());
    }

    /// The race that the form describes, or what is wrong with it.
    fn race(&self, base: TrainingConfig) -> Result<Race, String> {
        let mut lanes = Vec::new();
        for form in self.lanes.iter().filter(|lane| lane.on) {
            let Some(optimizer) = OptimizerConfig::find(form.id) else { continue };
            let learning_rate =
                form.rate.trim().parse().map_err(|_no_number| format!("“{}” is no learning rate", form.rate.trim()))?;
            lanes.push(RaceLane { optimizer, learning_rate });
        }
        let mut race = Race::new(base, lanes);
        race.updates = Some(self.updates);
        race.validate().map_err(|error| format!("{error:#}"))?;
        Ok(race)
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, race: Result<Race, String>) {
        let p = theme::of(ui);
        let view = scene.workbench.race();
        let phase = view.map(|view| view.phase.clone());
        let busy = scene.workbench.is_busy_with();
        ui.horizontal(|ui| match phase {
            Some(RacePhase::Preparing | RacePhase::Running | RacePhase::Paused) => {
                let (name, icon, command) = match phase {
                    Some(RacePhase::Paused) => ("Go on", icons::PLAY, RaceCommand::Resume),
                    _ => ("Pause", icons::PAUSE, RaceCommand::Pause),
                };
                if ui.add(Button::plain(name).icon(icon)).clicked() {
                    scene.push(Command::Race(command));
                }
                if ui.add(Button::plain("Stop race").icon(icons::STOP)).clicked() {
                    scene.push(Command::Race(RaceCommand::Stop));
                }
            }
            _ => {
                let ready = race.is_ok() && busy.is_none();
                if ui.add_enabled(ready, Button::primary("Start race").icon(icons::PLAY)).clicked()
                    && let Ok(race) = &race
                {
                    scene.push(Command::Race(RaceCommand::Start(Box::new(race.clone()))));
                }
            }
        });
        match (&race, busy, view) {
            (_, _, Some(view)) if view.is_under_way() => {
                let share = view.update as f32 / view.updates.max(1) as f32;
                progress(ui, "Race", share, SIDE - 16.0);
            }
            (_, Some(work), _) => {
                ui.label(text::label(format!("{work} is under way")).color(p.text2));
            }
            (Err(why), ..) => {
                ui.add(Label::new(text::label(why).color(p.error)).wrap());
            }
            _ => {}
        }
    }

    fn charts(&mut self, ui: &mut Ui, view: Option<&RaceView>, size: eframe::egui::Vec2) {
        let p = theme::of(ui);
        let Some(view) = view else {
            ui.add_space(size.y * 0.4 - 40.0);
            ui.vertical_centered(|ui| {
                ui.label(text::title("Which optimiser is first?"));
                ui.label(text::body("Start a race to see their curves side by side").color(p.text2));
            });
            return;
        };
        ui.horizontal(|ui| {
            let against = [(XAxis::Updates, "Updates"), (XAxis::Seconds, "Seconds")];
            segmented::segmented(ui, "Race against", &mut self.against, &against, 168.0);
            let model = view.race.base().architecture().map_or("", |model| model.title);
            let images = text::count(view.images as u64);
            let words = match view.images {
                0 => format!("{model}, reading the images"),
                _ => format!("{model}, {images} images of {}", view.source),
            };
            ui.add(Label::new(text::label(words).color(p.text2)).truncate());
        });
        ui.add_space(4.0);
        self.update(view);
        let end = match self.against {
            XAxis::Updates => view.updates as f64,
            _ => view.lanes.iter().map(|lane| lane.standing.seconds).fold(0.0, f64::max),
        };
        let width = size.x - 12.0;
        let below = 34.0 + 24.0 * view.lanes.len() as f32;
        let height = ((size.y - 36.0 - below - 100.0) / 2.0).clamp(110.0, 260.0);
        self.axis.begin(ui, self.against, end, &[]);
        let lanes = &self.curves;
        let curve = |lane, points| -> Curve<'_> {
            let LaneCurves { kind, name, .. }: &LaneCurves = lane;
            // beside the plots there is room for a word
            let name = match *name {
                "SGD, momentum" => "Momentum",
                "SDLM (1998)" => "SDLM",
                "Conj. gradient" => "Conjugate",
                name => name,
            };
            Curve { name, points, smooth: &[], kind: *kind }
        };
        let losses: Vec<Curve<'_>> = lanes.iter().map(|lane| curve(lane, &lane.losses)).collect();
        let accuracies: Vec<Curve<'_>> = lanes.iter().map(|lane| curve(lane, &lane.accuracies)).collect();
        let chart = |title, note, scale, curves, labels_below, empty| Chart {
            title,
            note,
            height,
            scale,
            curves,
            best: None,
            flags: &[],
            labels_below,
            empty,
        };
        let waits = "Nothing has been measured yet";
        chart("Training loss", "smoothed", Scale::Log, losses.as_slice(), false, waits).show(ui, &mut self.axis, width);
        ui.add_space(6.0);
        let none = if view.race.base().validation == 0 { "No validation images are kept" } else { waits };
        let accuracy = chart("Validation accuracy", "%", Scale::Percent, accuracies.as_slice(), true, none);
        accuracy.show(ui, &mut self.axis, width);
        ui.add_space(8.0);
        arrivals(ui, view, width);
    }

    /// Makes the curves anew where something was told.
    fn update(&mut self, view: &RaceView) {
        let key = Some((view.revision, view.race.lanes.len() as u64, self.against));
        if self.key == key {
            return;
        }
        let against = self.against;
        let points = |points: &[RacePoint]| -> Vec<[f64; 2]> {
            let x = |point: &RacePoint| if against == XAxis::Seconds { point.seconds } else { point.place };
            points.iter().map(|point| [x(point), point.value]).collect()
        };
        let curves = |(lane, view): (&RaceLane, &LaneView)| {
            let (place, name) = place_and_name(lane.optimizer);
            LaneCurves {
                kind: CurveKind::Optimizer(place),
                name,
                losses: smoothed(&points(&view.losses), SMOOTHING),
                accuracies: points(&view.accuracies),
            }
        };
        self.curves = view.race.lanes.iter().zip(&view.lanes).map(curves).collect();
        self.key = key;
    }
}

/// Place among all optimisers, which decides colour and dash, and the name.
fn place_and_name(optimizer: OptimizerConfig) -> (usize, &'static str) {
    let place = OptimizerConfig::CHOICES.iter().position(|(id, ..)| *id == optimizer.id()).unwrap_or(0);
    (place, OptimizerConfig::CHOICES[place].1)
}

fn lane_row(ui: &mut Ui, lane: &mut LaneForm, width: f32) {
    let Some(optimizer) = OptimizerConfig::find(lane.id) else { return };
    let p = theme::of(ui);
    let (place, name) = place_and_name(optimizer);
    ui.allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(Align::Center), |ui| {
        button::switch(ui, &mut lane.on, name);
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 28.0), Sense::hover());
        CurveKind::Optimizer(place).paint_key(ui.painter(), p, rect.left_center(), 16.0);
        ui.label(text::body(name).color(if lane.on { p.text } else { p.text3 }));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let wrong = lane.on && !lane.rate.trim().parse::<f64>().is_ok_and(|rate| rate > 0.0 && rate <= 100.0);
            let response = field::text_field(ui, &mut lane.rate, &format!("Learning rate of {name}"), 88.0);
            if wrong {
                let stroke = eframe::egui::Stroke::new(1.0, p.error);
                ui.painter().rect_stroke(response.rect, 8.0, stroke, eframe::egui::StrokeKind::Inside);
            }
        });
    });
}

/// "1 update", "2,000 updates".
fn updates(count: u64) -> String {
    if count == 1 { "1 update".to_owned() } else { format!("{} updates", text::count(count)) }
}

/// Who reached the aim, in updates and in seconds; the first in either is marked.
fn arrivals(ui: &mut Ui, view: &RaceView, width: f32) {
    let p = theme::of(ui);
    let arrived = || view.lanes.iter().filter_map(|lane| lane.standing.arrived);
    let first = |of: fn((f64, f64)) -> f64| arrived().map(of).fold(f64::INFINITY, f64::min);
    let (soonest, fastest) = (first(|(place, _)| place), first(|(_, seconds)| seconds));
    ui.label(text::section(format!("{} reached", text::percent(RACE_AIM, 0))));
    for (lane, view) in view.race.lanes.iter().zip(&view.lanes) {
        let (place, name) = place_and_name(lane.optimizer);
        let standing = &view.standing;
        ui.allocate_ui_with_layout(vec2(width, 20.0), Layout::left_to_right(Align::Center), |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(16.0, 20.0), Sense::hover());
            CurveKind::Optimizer(place).paint_key(ui.painter(), p, rect.left_center(), 16.0);
            ui.allocate_ui_with_layout(vec2(112.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(112.0);
                ui.label(text::label(name));
            });
            let words = match (standing.diverged, standing.arrived) {
                (Some(why), _) => format!("Diverged after {} and rests, {}", updates(standing.step), why.sentence()),
                (None, Some((place, seconds))) => {
                    let first = match (place == soonest, seconds == fastest) {
                        (true, true) => ", first in both",
                        (true, false) => ", first in updates",
                        (false, true) => ", first in seconds",
                        (false, false) => "",
                    };
                    format!("After {} updates, {} s{first}", text::count(place as u64), text::number(seconds, 1))
                }
                (None, None) => {
                    let best = standing.accuracy.map_or_else(|| "–".to_owned(), |share| text::percent(share, 2));
                    format!("Not yet, {best} after {}", updates(standing.step))
                }
            };
            let ink = if standing.diverged.is_some() { p.error } else { p.text2 };
            ui.add(Label::new(text::label(words).color(ink)).truncate());
        });
    }
}
