//! Draw's right column: from when on an answer is sure and a drawing is a digit, with what that is worth.

use eframe::egui::{self, Ui, vec2};

use super::Scene;
use crate::inference::Thresholds;
use crate::ui::text;
use crate::ui::theme;
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field;
use crate::ui::widgets::trade_off::{TradeOff, trade_off};
use crate::workbench::{Command, MeasuredDecision as Measured};

const CURVE: f32 = 168.0;

pub(super) fn decision(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    scene.push(Command::MeasureDecision);
    let p = theme::of(ui);
    let workbench = scene.workbench;
    let mut thresholds = workbench.thresholds();
    let before = thresholds;
    let measured = workbench.decision();

    sure(ui, &mut thresholds, measured, width);
    ui.add_space(12.0);
    digit(ui, &mut thresholds, measured, workbench.codes().is_some(), width);
    ui.add_space(8.0);
    if let Some(measured) = measured {
        let (digits, strangers) = measured.counts();
        let of = match measured.source {
            "mnist" => "validation digits",
            _ => "drawn digits",
        };
        let words = format!(
            "Measured on {} {of} and {} letters, signs and scribbles of kinds that no training here has seen.",
            text::count(digits as u64),
            text::count(strangers as u64)
        );
        ui.add(egui::Label::new(text::small(words).color(p.text3)).wrap());
    } else {
        ui.label(text::small("Being measured…").color(p.text3));
    }
    if workbench.thresholds_are_set() {
        ui.add_space(4.0);
        if ui.add(Button::quiet("As the model came")).clicked() {
            scene.push(Command::SetThresholds(None));
            return;
        }
    }
    if thresholds != before {
        scene.push(Command::SetThresholds(Some(thresholds)));
    }
}

/// When an answer is sure.
fn sure(ui: &mut Ui, thresholds: &mut Thresholds, measured: Option<&Measured>, width: f32) {
    let p = theme::of(ui);
    ui.label(text::section("An answer is sure"));
    let mut percent = 100.0 * thresholds.sure_above.min(1.0);
    let spoken = |percent: f32| text::percent(f64::from(percent) / 100.0, 1);
    if field::slider_row(ui, "from", &mut percent, 50.0..=100.0, 0.1, spoken, width) {
        thresholds.sure_above = percent / 100.0;
    }
    let Some(measured) = measured else { return };
    let now = measured.at(thresholds);
    let words = format!(
        "{} of the digits are answered surely, and {} of these answers are wrong.",
        text::percent(now.sure, 1),
        text::percent(now.sure_error, 2)
    );
    ui.add(egui::Label::new(text::label(words).color(p.text2)).wrap());
    let curve: Vec<(f64, f64)> = measured.sure_curve.iter().map(|&(_, sure, error)| (sure, error)).collect();
    let from = curve.iter().map(|point| point.0).filter(|share| *share > 0.8).fold(1.0, f64::min);
    let curve: Vec<(f64, f64)> = curve.into_iter().filter(|point| point.0 >= from).collect();
    let shown = TradeOff {
        name: "Wrong among the sure answers",
        curve: &curve,
        now: (now.sure, now.sure_error),
        names: ["answered surely", "wrong of these"],
        ranges: [(0.8, 1.0), (0.0, 0.004)],
    };
    trade_off(ui, &shown, vec2(width, CURVE));
}

/// When a drawing is a digit.
fn digit(ui: &mut Ui, thresholds: &mut Thresholds, measured: Option<&Measured>, has_codes: bool, width: f32) {
    let p = theme::of(ui);
    ui.label(text::section("A drawing is a digit"));
    let Some(measured) = measured else { return };
    let scores = measured.digit_curve.iter().map(|point| point.0);
    let (low, high) = scores.fold((f32::MAX, f32::MIN), |(low, high), score| (low.min(score), high.max(score)));
    if low >= high {
        return;
    }
    let mut border = thresholds.digit_above.unwrap_or(low);
    let range = low.min(border)..=high.max(border);
    // squared distances grow to the left: less of them is nearer
    let spoken = |score: f32| text::number(f64::from(if has_codes { -score } else { score }), 1);
    let label = if has_codes { "within" } else { "from score" };
    let step = (high - low) / 200.0;
    if field::slider_row(ui, label, &mut border, range, step, spoken, width) {
        thresholds.digit_above = Some(border);
    }
    let now = measured.at(thresholds);
    let words = format!(
        "{} of the digits are refused, and {} of letters, signs and scribbles.",
        text::percent(now.digits_refused, 1),
        text::percent(now.strangers_refused, 0)
    );
    ui.add(egui::Label::new(text::label(words).color(p.text2)).wrap());
    let curve: Vec<(f64, f64)> =
        measured.digit_curve.iter().map(|&(_, digits, strangers)| (digits, strangers)).collect();
    let shown = TradeOff {
        name: "Refused",
        curve: &curve,
        now: (now.digits_refused, now.strangers_refused),
        names: ["of the digits refused", "of other things refused"],
        ranges: [(0.0, 0.02), (0.0, 1.0)],
    };
    trade_off(ui, &shown, vec2(width, CURVE));
}
