//! Pinned drawings: small pictures with their answers under the pad, and as rows with their history beside the curves.

use eframe::egui::{self, Align, Align2, Key, Label, Layout, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::{Place, Scene};
use crate::inference::State;
use crate::ui::text::{self, IconWeight, Weight};
use crate::ui::widgets::button::IconButton;
use crate::ui::widgets::pin_history::{self, Column};
use crate::ui::widgets::{digit_view, share_bars};
use crate::ui::{icons, style, theme};
use crate::workbench::{Command, MOST_PINS, Pin, Turn, Workbench};

/// Pictures side by side under a pad of the usual size; under a large one all ten.
const IN_A_ROW: usize = 5;
/// A pad that is large.
const LARGE: f32 = 480.0;
/// Height of the strip where ten stand side by side, with its heading.
pub(super) const STRIP: f32 = 110.0;
const GAP: f32 = 4.0;
const BARS: f32 = 14.0;
const ROW: f32 = 40.0;

/// The strip under the pad, `width` wide: a picture, its answer and ten thin bars for each.
pub(super) fn strip(ui: &mut Ui, width: f32, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let count = scene.workbench.pins().len();
    ui.horizontal(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(text::section("Pinned"));
        if count > 0 {
            ui.label(text::label(format!("{count} of {MOST_PINS}")).color(p.text2));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let has_room = count < MOST_PINS && !scene.workbench.drawing().is_empty();
            if ui.add_enabled(has_room, IconButton::new(icons::PUSH_PIN, "Pin the drawing").key("P")).clicked() {
                scene.push(Command::PinDrawing);
            }
        });
    });
    if count == 0 {
        let words = "P keeps a drawing in view; its bars move while a network learns";
        ui.add(Label::new(text::label(words).color(p.text2)).wrap());
        return;
    }
    let in_a_row = if width >= LARGE { MOST_PINS } else { IN_A_ROW };
    let side = ((width - GAP * (in_a_row as f32 - 1.0)) / in_a_row as f32).floor().min(72.0);
    let image = (side * 0.64).floor();
    let size = vec2(side, image + 3.0 + BARS);
    ui.spacing_mut().item_spacing = vec2(GAP, 8.0);
    let workbench = scene.workbench;
    for (row, pins) in workbench.pins().chunks(in_a_row).enumerate() {
        ui.horizontal(|ui| {
            for (column, pin) in pins.iter().enumerate() {
                let number = row * in_a_row + column + 1;
                cell(ui, scene, pin, number, size, |ui, rect| {
                    let place = Rect::from_min_size(rect.min, Vec2::splat(image));
                    picture(ui, pin, place);
                    let beside = pos2((place.right() + rect.right()) / 2.0, place.center().y);
                    answer(ui, pin, beside, text::HEADING);
                    let bars = Rect::from_min_max(pos2(rect.left(), rect.bottom() - BARS), rect.max);
                    bars_of(ui, pin, bars);
                });
            }
        });
    }
}

/// The rows beside the curves, `width` wide: a picture, answer and bars, and how it was learnt.
pub(super) fn rows(ui: &mut Ui, width: f32, scene: &mut Scene<'_>) {
    let workbench = scene.workbench;
    if workbench.pins().is_empty() {
        return;
    }
    let p = theme::of(ui);
    ui.label(text::section("Pinned"));
    let words = if workbench.pin_ticks().is_empty() { "Shares now" } else { "Shares now, and over this training" };
    ui.label(text::small(words).color(p.text3));
    ui.spacing_mut().item_spacing.y = 6.0;
    for (index, pin) in workbench.pins().iter().enumerate() {
        cell(ui, scene, pin, index + 1, vec2(width, ROW - 6.0), |ui, rect| {
            let side = rect.height();
            let place = Rect::from_min_size(rect.min, Vec2::splat(side));
            picture(ui, pin, place);
            answer(ui, pin, pos2(place.right() + 13.0, rect.center().y), text::HEADING);
            let left = place.right() + 26.0;
            let bars = Rect::from_min_max(pos2(left, rect.top() + 4.0), pos2(left + 70.0, rect.bottom() - 4.0));
            bars_of(ui, pin, bars);
            let history = Rect::from_min_max(pos2(bars.right() + 10.0, bars.top()), pos2(rect.right(), bars.bottom()));
            paint_history(ui, workbench, pin, history);
        });
    }
    ui.add_space(10.0);
}

/// A pinned drawing of this size, painted by `paint`: a click puts it on the pad, the right button or the cross unpins it.
fn cell(ui: &mut Ui, scene: &mut Scene<'_>, pin: &Pin, number: usize, size: Vec2, paint: impl FnOnce(&Ui, Rect)) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Pinned drawing {number}, {}", told(pin))));
    paint(ui, rect);
    let image = Rect::from_min_size(rect.min, Vec2::splat(size.y.min(size.x * 0.64)));
    let cross = Rect::from_min_size(image.min, Vec2::splat(16.0)).translate(vec2(2.0, 2.0));
    let over_cross = ui.interact(cross, response.id.with("unpin"), Sense::click());
    over_cross.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Unpin drawing {number}")));
    let lit = response.hovered() || over_cross.hovered() || over_cross.has_focus();
    if lit {
        let fill = if over_cross.hovered() || over_cross.has_focus() { p.hover } else { p.raise };
        ui.painter().circle(cross.center(), 8.0, fill, egui::Stroke::new(1.0, p.line));
        let font = text::icon_font(10.0, IconWeight::Bold);
        ui.painter().text(cross.center(), Align2::CENTER_CENTER, icons::X, font, p.text);
    }
    style::focus_ring(ui, &response, style::IMAGE_RADIUS);
    let deleted = response.has_focus() && ui.input(|input| input.key_pressed(Key::Delete));
    if over_cross.clicked() || response.secondary_clicked() || deleted {
        scene.push(Command::Unpin(pin.id));
    } else if response.clicked() && *scene.workbench.drawing() != *pin.drawing {
        // what is on the pad now goes to undo on the way to the place that it may already be
        *scene.go_to = Some(Place::Draw);
        scene.push(Command::SetDrawing(pin.drawing.as_ref().clone()));
        scene.push(Command::LabelDrawing(pin.label));
    }
    over_cross.on_hover_text(text::label("Unpin"));
    let workbench = scene.workbench;
    response.on_hover_ui(|ui| {
        ui.set_max_width(240.0);
        ui.label(text::label(told(pin)));
        if let Some(words) = story(workbench, pin) {
            if !workbench.pin_ticks().is_empty() {
                let (rect, _) = ui.allocate_exact_size(vec2(220.0, 40.0), Sense::hover());
                paint_history(ui, workbench, pin, rect);
            }
            ui.add(Label::new(text::small(words).color(theme::of(ui).text2)).wrap());
        }
        let words = "Click puts it on the pad, the right button unpins it";
        ui.add(Label::new(text::small(words).color(theme::of(ui).text3)).wrap());
    });
}

fn picture(ui: &Ui, pin: &Pin, rect: Rect) {
    match &pin.image {
        Some(image) => {
            let id = ui.scope_id().with(("pin", pin.id));
            digit_view::paint_digit(ui, id, rect, &image.pixels, 28, style::IMAGE_RADIUS);
        }
        None => digit_view::paint_empty(ui, rect),
    }
}

/// The digit that is read; grey where the model is not sure.
fn answer(ui: &Ui, pin: &Pin, centre: egui::Pos2, size: f32) {
    let p = theme::of(ui);
    let (word, colour) = match read(pin) {
        Some(digit) if pin.answer.is_some_and(|(_, state)| state == State::Sure) => (digit.to_string(), p.text),
        Some(digit) => (digit.to_string(), p.text3),
        None => ("–".to_owned(), p.text3),
    };
    ui.painter().text(centre, Align2::CENTER_CENTER, word, text::font(size, Weight::Bold), colour);
}

fn bars_of(ui: &Ui, pin: &Pin, rect: Rect) {
    share_bars::paint(ui, rect, pin.answer.as_ref().map(|(prediction, _)| &prediction.probabilities), read(pin));
}

/// The digit that the chosen model reads, `None` where it reads none.
fn read(pin: &Pin) -> Option<u8> {
    let (prediction, state) = pin.answer.as_ref()?;
    matches!(state, State::Sure | State::Unsure).then(|| prediction.best())
}

/// "reads 7, 99.8 %, sure".
fn told(pin: &Pin) -> String {
    let label = pin.label.map_or_else(String::new, |label| format!("a {label}, "));
    match (read(pin), &pin.answer) {
        (Some(digit), Some((prediction, state))) => {
            let word = if *state == State::Sure { "sure" } else { "unsure" };
            format!("{label}read as {digit}, {}, {word}", text::percent(prediction.probability(digit).into(), 1))
        }
        (None, Some(_)) => format!("{label}not a digit"),
        _ => format!("{label}no answer yet"),
    }
}

fn paint_history(ui: &Ui, workbench: &Workbench, pin: &Pin, rect: Rect) {
    let ticks = workbench.pin_ticks();
    let Some(digit) = pin.history.digit(pin.label) else {
        pin_history::paint(ui, rect, 0, |_| None);
        return;
    };
    pin_history::paint(ui, rect, ticks.len(), |tick| {
        let point = pin.history.at(*ticks.get(tick)?)?;
        Some(Column { share: point.probabilities[usize::from(digit)], wins: point.best == digit })
    });
}

/// "7 learnt at update 230, lost at 400, learnt again at 520".
fn story(workbench: &Workbench, pin: &Pin) -> Option<String> {
    let digit = pin.history.digit(pin.label)?;
    let mut learnt = 0;
    let mut words: Vec<String> = Vec::new();
    for turn in pin.history.turns(digit) {
        let (word, step) = match turn {
            Turn::Learnt(step) => {
                learnt += 1;
                (if learnt == 1 { "learnt" } else { "learnt again" }, step)
            }
            Turn::Lost(step) => ("lost", step),
        };
        // nobody has looked before the first look
        let when = if pin.history.points().first().is_some_and(|first| first.step == step) { "by" } else { "at" };
        let update = if words.is_empty() { "update " } else { "" };
        words.push(format!("{word} {when} {update}{}", text::count(step)));
    }
    if words.is_empty() {
        let last = pin.history.points().last().map_or(0, |point| point.step);
        return Some(format!("{digit} not learnt by update {}", text::count(last)));
    }
    // a training that wavers for long is told by its beginning and its end
    if words.len() > 6 {
        let left_out = words.len() - 5;
        words.splice(3..3 + left_out, [format!("{left_out} more turns")]);
    }
    let looks = workbench.pin_ticks().len();
    let looks = if looks == 1 { "1 look".to_owned() } else { format!("{} looks", text::count(looks as u64)) };
    Some(format!("{digit} {}, in {looks}", words.join(", ")))
}
