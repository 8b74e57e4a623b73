//! The doctor's card: what is unlike MNIST about the drawing, and a ladder of changes with what each is read as. A
//! drawing that is read well gets what each step from ink to image was worth instead.

use eframe::egui::{self, Ui};

use super::Scene;
use crate::drawing::doctor::{Difference, Fix, Spread};
use crate::drawing::{Drawing, Recipe, SIDE};
use crate::inference::State;
use crate::ui::text::{self, IconWeight};
use crate::ui::widgets::reading::{self, Cell};
use crate::ui::{icons, style, theme};
use crate::workbench::{Command, Examination, Reading};

/// Differences that are told, at most.
const MOST_DIFFERENCES: usize = 3;
/// Between two cells, with room for an arrow.
const BETWEEN_CELLS: f32 = 10.0;
/// The steps in the order of [`Examination::switched`].
pub(super) const STEPS: [&str; 4] = ["Crop", "Width", "Size", "Centre"];

/// The card, `width` wide. Returns the drawing that a click asks to put on the pad.
pub(super) fn card(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) -> Option<Drawing> {
    let p = theme::of(ui);
    let workbench = scene.workbench;
    if !workbench.drawing().is_empty() {
        scene.push(Command::Examine);
    }
    let inner = width - 34.0;
    let frame = style::card(p).show(ui, |ui| {
        ui.set_width(inner);
        ui.spacing_mut().item_spacing.y = 6.0;
        if workbench.drawing().is_empty() {
            head(ui, false, "Draw a digit");
            say(ui, "Use the pen, open a picture with Ctrl+O, or paste one with Ctrl+V.", false);
            return None;
        }
        if let Some(points) = workbench.replayed() {
            head(ui, false, "Replaying");
            let all = workbench.drawing().points();
            say(ui, &format!("Point {points} of {all}. The whole drawing is looked at when the replay ends."), false);
            return None;
        }
        let Some(found) = workbench.examination() else {
            head(ui, false, "Nothing known yet");
            say(ui, "It looks at the drawing when the pen rests.", false);
            return None;
        };
        // what belongs to an older drawing steps back until the new one is examined
        let current = workbench.examination_is_current();
        ui.add_enabled_ui(current, |ui| {
            if found.is_ill {
                ill(ui, found, inner, workbench.recipe())
            } else {
                well(ui, found, inner, workbench.recipe())
            }
        })
        .inner
    });
    frame.inner
}

fn head(ui: &mut Ui, loud: bool, title: &str) {
    let p = theme::of(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.spacing_mut().interact_size.y = 20.0;
        let colour = if loud { p.warn } else { p.accent };
        ui.label(text::icon(icons::STETHOSCOPE, 17.0, IconWeight::Regular).color(colour));
        ui.label(text::section(title));
    });
}

fn say(ui: &mut Ui, sentence: &str, faint: bool) {
    let p = theme::of(ui);
    ui.add(egui::Label::new(text::label(sentence).color(if faint { p.text3 } else { p.text2 })).wrap());
}

/// What is read, as the cells write it: digit and share.
fn read(reading: &Reading) -> (String, String) {
    let best = reading.prediction.best();
    // the share of what is no digit would say nothing
    match reading.state {
        State::NotADigit | State::Empty => ("–".to_owned(), String::new()),
        State::Sure | State::Unsure => {
            (best.to_string(), text::percent(reading.prediction.probability(best).into(), 0))
        }
    }
}

/// "3 (41 %)".
pub(super) fn in_brackets(reading: &Reading) -> String {
    match read(reading) {
        (_, share) if share.is_empty() => "no digit".to_owned(),
        (digit, share) => format!("{digit} ({share})"),
    }
}

fn cells(ui: &mut Ui, inner: f32, draw: impl FnOnce(&mut Ui, f32)) {
    ui.add_space(2.0);
    let width = (inner - 3.0 * BETWEEN_CELLS) / 4.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = BETWEEN_CELLS;
        draw(ui, width);
    });
}

/// A drawing that is read well: the answers without each step.
fn well(ui: &mut Ui, found: &Examination, inner: f32, recipe: Recipe) -> Option<Drawing> {
    head(ui, false, "Nothing to fix");
    say(ui, &worth_of_steps(found, recipe), false);
    cells(ui, inner, |ui, width| {
        let on = [recipe.crop, recipe.width, recipe.size, recipe.centre];
        let names = [0, 1, 2, 3].map(|step| {
            let name = STEPS[step].to_lowercase();
            if on[step] { format!("No {name}") } else { format!("With {name}") }
        });
        // cropping and size together are what the pad's edge is worth; the width of one row holds three of the four
        let shown = [1, 2, 3].map(|step| (names[step].as_str(), found.switched[step].as_ref()));
        for (name, reading) in std::iter::once(("As drawn", Some(&found.as_drawn))).chain(shown) {
            let Some(reading) = reading else { continue };
            let (digit, share) = read(reading);
            let turns = reading.prediction.best() != found.as_drawn.prediction.best();
            let image = (reading.image.pixels.as_slice(), SIDE);
            let cell = Cell { name, image, digit: &digit, share: &share, turns, follows: false, click: None };
            reading::cell(ui, ui.scope_id().with(name), &cell, width);
        }
    });
    None
}

/// "Reads 9 with any one step off, Width matters most."
fn worth_of_steps(found: &Examination, recipe: Recipe) -> String {
    let best = found.as_drawn.prediction.best();
    if recipe != Recipe::default() {
        return format!("Reads {best} though a step is off. Click the step to do it again.");
    }
    let readings = || STEPS.iter().zip(&found.switched);
    let other: Vec<String> = readings()
        .filter_map(|(step, reading)| {
            let is_other = |reading: &&Reading| reading.prediction.best() != best || reading.state == State::NotADigit;
            let reading = reading.as_ref().filter(is_other)?;
            Some(format!("without {step} {}", in_brackets(reading)))
        })
        .collect();
    if !other.is_empty() {
        return format!("It would read otherwise {}.", other.join(", "));
    }
    let before = found.as_drawn.prediction.probability(best);
    let loss = |reading: &Reading| before - reading.prediction.probability(best);
    let most = readings()
        .filter_map(|(step, reading)| Some((step, loss(reading.as_ref()?))))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, loss)| *loss >= 0.01);
    match most {
        Some((step, _)) => format!("Reads {best} with any one step off; {step} matters most."),
        None => format!("Reads {best} as surely with any one step off."),
    }
}

/// A drawing that is unsure or read wrongly: what is unlike MNIST, and what would help.
fn ill(ui: &mut Ui, found: &Examination, inner: f32, recipe: Recipe) -> Option<Drawing> {
    let (from, _) = read(&found.as_drawn);
    let last = found.ladder.last();
    let title = match last.map(|rung| rung.reading.prediction.best()) {
        Some(to) if found.as_drawn.state == State::NotADigit => format!("Could be a {to}"),
        Some(to) if to.to_string() != from => format!("Reads {from}, could be {to}"),
        Some(to) => format!("Could be a surer {to}"),
        None if found.label.is_some() => format!("No change makes it a sure {}", found.digit),
        None => "No change helps".to_owned(),
    };
    head(ui, true, &title);
    for difference in found.differences.iter().take(MOST_DIFFERENCES) {
        let mended = difference.is_mended_by(&recipe);
        say(ui, &in_words(difference, found, mended), mended);
    }
    if found.differences.is_empty() {
        say(ui, &format!("Its measures are those of MNIST's {}.", found.digit), false);
    }
    if found.label.is_none() {
        say(ui, "Press 0 to 9 to say which digit it is.", true);
    }
    let mut chosen = None;
    if found.ladder.is_empty() {
        let tried: Vec<&str> = found.in_vain.iter().map(|fix| tried(*fix)).collect();
        let sentence = if tried.is_empty() {
            "There is nothing in it that could be changed.".to_owned()
        } else {
            format!("Tried in vain: {}.", tried.join(", "))
        };
        say(ui, &sentence, false);
        return None;
    }
    cells(ui, inner, |ui, width| {
        let (digit, share) = read(&found.as_drawn);
        let image = (found.as_drawn.image.pixels.as_slice(), SIDE);
        let name = "As drawn";
        let cell = Cell { name, image, digit: &digit, share: &share, turns: false, follows: false, click: None };
        reading::cell(ui, ui.scope_id().with(name), &cell, width);
        let mut before = &found.as_drawn;
        for rung in &found.ladder {
            let (digit, share) = read(&rung.reading);
            let turns = rung.reading.prediction.best() != before.prediction.best()
                || (rung.reading.state == State::Sure && before.state != State::Sure);
            let image = (rung.reading.image.pixels.as_slice(), SIDE);
            let (name, click) = (named(rung.fix), Some("Click to put this on the pad; undo brings yours back"));
            let cell = Cell { name, image, digit: &digit, share: &share, turns, follows: true, click };
            if reading::cell(ui, ui.scope_id().with(name), &cell, width).clicked() {
                chosen = Some(rung.drawing.clone());
            }
            before = &rung.reading;
        }
    });
    chosen
}

fn named(fix: Fix) -> &'static str {
    match fix {
        Fix::Centred => "Centred",
        Fix::LineWidth => "Even width",
        Fix::Straightened => "Straightened",
        Fix::Proportions => "Proportions",
        Fix::GapClosed => "Gap closed",
        Fix::Smoothed => "Smoothed",
        Fix::StrayRemoved => "Stray removed",
    }
}

fn tried(fix: Fix) -> &'static str {
    match fix {
        Fix::Centred => "centred",
        Fix::LineWidth => "even width",
        Fix::Straightened => "straightened",
        Fix::Proportions => "other proportions",
        Fix::GapClosed => "gap closed",
        Fix::Smoothed => "smoothed",
        Fix::StrayRemoved => "stray stroke removed",
    }
}

/// One difference in plain words.
fn in_words(difference: &Difference, found: &Examination, mended: bool) -> String {
    let digit = found.digit;
    let number = |value: f32, decimals| text::number(value.into(), decimals);
    let plus_minus = |spread: &Spread, decimals| {
        format!("{} ± {}", number(spread.mean, decimals), number(spread.deviation, decimals))
    };
    let without = |step: usize| match &found.switched[step] {
        Some(reading) if mended => format!(" Without {} it would read {}.", STEPS[step], in_brackets(reading)),
        _ => String::new(),
    };
    match difference {
        Difference::Slant { degrees, usual } => {
            let side = if *degrees < 0.0 { "left" } else { "right" };
            format!(
                "Leans {}° to the {side}; MNIST's {digit} lean {}° ± {}°{}.",
                number(degrees.abs(), 0),
                number(usual.mean.abs(), 0),
                number(usual.deviation, 0),
                if usual.mean.round() > 0.0 && *degrees < 0.0 { " to the right" } else { "" }
            )
        }
        Difference::Aspect { found, usual } => {
            let word = if *found < usual.mean { "Narrow" } else { "Wide" };
            format!("{word}: {} of its height; MNIST's {digit} are {}.", number(*found, 2), plus_minus(usual, 2))
        }
        Difference::Pieces { found, one_piece } => format!(
            "In {found} pieces that do not touch; {} of MNIST's {digit} are in one.",
            text::percent((*one_piece).into(), 0)
        ),
        Difference::Loops { found, usual } => {
            let usually = ["none", "one", "two"][usual.count.min(2)];
            let has = match found {
                0 => "No closed loop".to_owned(),
                1 => "One closed loop".to_owned(),
                more => format!("{more} closed loops"),
            };
            format!("{has}; {} of MNIST's {digit} have {usually}.", text::percent(usual.share.into(), 0))
        }
        Difference::LineWidth { pixels, usual } => {
            let word = if *pixels < usual.mean { "Thin" } else { "Thick" };
            let usual = plus_minus(usual, 1);
            format!("{word} lines, {} px; MNIST's {digit} have {usual}.{}", number(*pixels, 1), without(1))
        }
        Difference::Size { share } => format!(
            "Fills {} of the pad; MNIST's digits fill 71 % of their image.{}",
            text::percent((*share).into(), 0),
            without(0)
        ),
        Difference::Place { off: [right, down] } => {
            let part = |value: f32, back: &str, on: &str| {
                (value.abs() >= 0.03).then(|| {
                    format!("{} {}", text::percent(value.abs().into(), 0), if value < 0.0 { back } else { on })
                })
            };
            let parts: Vec<String> =
                part(*right, "left", "right").into_iter().chain(part(*down, "up", "down")).collect();
            format!("Off the centre, {}.", parts.join(" and "))
        }
    }
}
