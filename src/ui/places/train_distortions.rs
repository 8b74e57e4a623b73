//! The distortions of Train's form: their amounts, and digits as the network will meet them.

use eframe::egui::{CursorIcon, Label, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use rand::Rng;

use super::Scene;
use crate::data::Augmentation;
use crate::drawing::{PIXELS, drawn_image};
use crate::nn::random::{Purpose, stream};
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::{digit_view, field};
use crate::ui::{style, text, theme};

pub(super) fn distortions(ui: &mut Ui, form: &mut TrainingForm, preview: &mut Preview, scene: &Scene<'_>, width: f32) {
    if field::switch_row(ui, "Distortions", &mut form.distorts, width) && form.distorts && form.augmentation.is_off() {
        form.augmentation = Augmentation { undistorted: form.augmentation.undistorted, ..Augmentation::MILD };
    }
    if !form.distorts {
        return;
    }
    preview.ui(ui, form, scene, width);
    let a = &mut form.augmentation;
    let pixels = |decimals| move |v: f32| format!("{} px", text::number(v.into(), decimals));
    let percent = |v: f32| text::percent(v.into(), 0);
    field::slider_row(ui, "Shift", &mut a.shift_pixels, 0.0..=4.0, 0.5, pixels(1), width);
    field::slider_row(ui, "Turn", &mut a.rotation_degrees, 0.0..=30.0, 1.0, |v| format!("{v:.0}°"), width);
    field::slider_row(ui, "Scale", &mut a.scale, 0.0..=0.3, 0.01, percent, width);
    field::slider_row(ui, "Shear", &mut a.shear, 0.0..=0.5, 0.05, |v| text::number(v.into(), 2), width);
    field::slider_row(ui, "Squeeze", &mut a.squeeze, 0.0..=0.3, 0.01, percent, width);
    field::slider_row(ui, "Elastic", &mut a.elastic_pixels, 0.0..=3.0, 0.25, pixels(2), width);
    field::slider_row(ui, "Originals", &mut a.undistorted, 0.0..=1.0, 0.05, percent, width);
}

/// Digits beside one another.
const DIGITS: usize = 6;
/// Between two of them.
const GAP: f32 = 8.0;
/// Decides which digits are shown and how each is distorted; the place in the stream counts the clicks.
const SEED: u64 = 1;

/// A row of training digits as the network would meet them. Worked out anew only when an amount, the data or the examples
/// change.
#[derive(Default)]
pub(super) struct Preview {
    /// Examples that have been clicked away.
    turn: u64,
    shown: Option<Shown>,
}

struct Shown {
    amounts: Augmentation,
    turn: u64,
    /// The data set that the digits are of; `None` for drawn ones while no data has been read.
    source: Option<String>,
    /// Each as it is and as it becomes.
    digits: Vec<[[u8; PIXELS]; 2]>,
}

impl Preview {
    /// The digits for these settings.
    fn update(&mut self, form: &TrainingForm, scene: &Scene<'_>) -> &Shown {
        let corpus = scene.workbench.digits_at_hand(form.data()).filter(|corpus| !corpus.train.is_empty());
        let source = corpus.as_ref().map(|corpus| corpus.source.clone());
        let (amounts, turn) = (form.augmentation, self.turn);
        let is_right = |shown: &Shown| (shown.amounts, shown.turn, &shown.source) == (amounts, turn, &source);
        let kept = self.shown.take().filter(is_right);
        self.shown.insert(kept.unwrap_or_else(|| {
            let digit = |n: usize| {
                let place = turn * DIGITS as u64 + n as u64;
                let plain = match &corpus {
                    // a stream of its own, so that other data are distorted alike
                    Some(corpus) => {
                        let index = stream(SEED, Purpose::Augment, place, 1).random_range(0..corpus.train.len());
                        *corpus.train.image(index)
                    }
                    None => drawn_image(((place + 2) % 10) as u8, SEED, place).pixels,
                };
                [plain, amounts.distort(&plain, &mut stream(SEED, Purpose::Augment, place, 0))]
            };
            Shown { amounts, turn, source, digits: (0..DIGITS).map(digit).collect() }
        }))
    }

    fn ui(&mut self, ui: &mut Ui, form: &TrainingForm, scene: &Scene<'_>, width: f32) {
        let side = ((width - (DIGITS - 1) as f32 * GAP) / DIGITS as f32).floor();
        let (rect, response) = ui.allocate_exact_size(vec2(width, side), Sense::click());
        if response.clicked() {
            self.turn += 1;
        }
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, "Other examples of distorted digits"));
        let shown = self.update(form, scene);
        let cell =
            |n: usize| Rect::from_min_size(pos2(rect.left() + n as f32 * (side + GAP), rect.top()), vec2(side, side));
        for (n, [_, distorted]) in shown.digits.iter().enumerate() {
            digit_view::paint_digit(ui, ui.scope_id().with(("distorted", n)), cell(n), distorted, 28, 5);
        }
        style::focus_ring(ui, &response, 5);
        let hovered = response.hover_pos().and_then(|at| (0..DIGITS).find(|&n| cell(n).contains(at)));
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        if let Some([plain, distorted]) = hovered.map(|n| &shown.digits[n]) {
            response.on_hover_ui(|ui| {
                ui.horizontal(|ui| {
                    for (name, ink) in [("plain", plain), ("distorted", distorted)] {
                        let (rect, _) = ui.allocate_exact_size(vec2(112.0, 112.0), Sense::hover());
                        digit_view::paint_digit(ui, ui.scope_id().with(("large", name)), rect, ink, 28, 6);
                    }
                });
                ui.label(text::label("As it is, and as the network meets it"));
            });
        }
        let whose = if shown.source.as_deref() == Some("mnist") { "Training digits" } else { "Drawn digits" };
        let caption = format!("{whose}, distorted; click for others");
        ui.add(Label::new(text::small(caption).color(theme::of(ui).text3)).wrap());
    }
}
