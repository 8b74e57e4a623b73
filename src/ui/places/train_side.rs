//! Train's right column: what the learning network makes of the drawing, the run's figures, what happened.

use eframe::egui::{Align2, Label, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::{Place, Scene, train_batch};
use crate::ui::widgets::bars::{self, DigitBars};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::digit_view;
use crate::ui::{text, theme};
use crate::workbench::{NoticeKind, Phase, TrainingView};

pub(super) fn side(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    if scene.workbench.training().is_none_or(|view| view.batch().is_none()) {
        column(ui, scene, width);
        return;
    }
    // with a batch the column is long, and moves by itself, so that the curves stay where they are
    let room = (ui.ctx().content_rect().bottom() - STATUS - ui.cursor().top()).max(240.0);
    let scroll = ScrollArea::vertical().id_salt("run").max_height(room).max_width(width).auto_shrink([false, true]);
    scroll.show(ui, |ui| {
        ui.set_width(width - SCROLL_BAR);
        column(ui, scene, width - SCROLL_BAR);
    });
}

const SCROLL_BAR: f32 = 12.0;
/// Height of the status line and the time strip, with the margin over them.
const STATUS: f32 = 92.0;

fn column(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    on_the_pad(ui, scene, width);
    ui.add_space(16.0);
    super::pins::rows(ui, width, scene);
    if let Some(view) = scene.workbench.training() {
        if let Some(batch) = view.batch() {
            train_batch::batch(ui, batch, width);
            ui.add_space(16.0);
        }
        run(ui, view, width);
        ui.add_space(16.0);
        super::train_health::health(ui, view, width);
    }
    events(ui, scene, width);
}

fn on_the_pad(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    let p = theme::of(ui);
    ui.label(text::section("On the pad"));
    ui.add_space(2.0);
    let prediction = scene.workbench.prediction();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = (width - 48.0 - bars::COLUMNS_WIDTH).clamp(4.0, 14.0);
        let (rect, _) = ui.allocate_exact_size(vec2(48.0, 48.0), Sense::hover());
        match scene.workbench.preparation() {
            Some(preparation) => {
                let id = ui.scope_id().with("on the pad");
                digit_view::paint_digit(ui, id, rect, &preparation.image.pixels, 28, 6);
            }
            None => digit_view::paint_empty(ui, rect),
        }
        bars::columns(ui, &DigitBars::probabilities(prediction.map(|p| &p.probabilities)));
    });
    if prediction.is_none() {
        ui.add(
            Label::new(text::label("Draw a digit and watch its bars while the network learns").color(p.text2)).wrap(),
        );
        if ui.add(Button::plain("Go to the pad")).clicked() {
            *scene.go_to = Some(Place::Draw);
        }
    } else if let Some(entry) = scene.workbench.chosen() {
        ui.label(text::small(format!("Answers of {}", entry.title)).color(p.text3));
    }
}

fn run(ui: &mut Ui, view: &TrainingView, width: f32) {
    let p = theme::of(ui);
    ui.label(text::section("This run"));
    let mut facts: Vec<(&str, String)> = vec![("Model", view.title().to_owned())];
    if !view.source.is_empty() {
        facts.push(("Digits", view.source.clone()));
        facts.push(("Train on", text::count(view.train_images as u64)));
        facts.push(("Kept aside", text::count(view.validation_images as u64)));
    }
    if let Some((kept, of)) = view.pixels {
        facts.push(("Pixels kept", format!("{kept} of {of}")));
    }
    if view.step > 0 {
        facts.push(("Updates", format!("{} of {}", text::count(view.step), text::count(view.updates))));
        facts.push((
            "Rate now",
            format!("{:.6}", view.learning_rate).trim_end_matches('0').trim_end_matches('.').to_owned(),
        ));
    }
    if view.images_per_second > 0.0 && view.phase == Phase::Running {
        facts.push(("Images a second", text::count(view.images_per_second as u64)));
    }
    if let Some(seconds) = view.seconds {
        facts.push(("Time", format!("{} s", text::number(seconds, 1))));
    }
    if let Some((accuracy, [low, high])) = view.test {
        facts.push(("Test set", text::percent(accuracy, 2)));
        facts.push(("", format!("{} to {}", text::number(100.0 * low, 2), text::percent(high, 2))));
    }
    ui.add_space(2.0);
    for (name, value) in facts {
        let (rect, response) = ui.allocate_exact_size(vec2(width, 14.0), Sense::hover());
        let font = text::font(text::LABEL, text::Weight::Regular);
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, name, font.clone(), p.text2);
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, &value, font, p.text);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {value}")));
    }
    if let Phase::Failed(why) = &view.phase {
        ui.add(Label::new(text::label(why.as_str()).color(p.error)).wrap());
    }
    if let Some(run) = &view.run {
        let name = run.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        ui.add(Label::new(text::small(name).color(p.text3)).truncate()).on_hover_text(run.display().to_string());
    }
}

fn events(ui: &mut Ui, scene: &Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let best = scene.workbench.training().and_then(TrainingView::best).copied();
    let notices = scene.workbench.notices();
    if best.is_none() && notices.is_empty() {
        return;
    }
    ui.label(text::section("Events"));
    ui.set_width(width);
    if let Some(best) = best {
        ui.label(text::label(format!("Best so far after epoch {}", best.epoch)).color(p.text2));
    }
    for notice in notices.iter().rev().take(4) {
        let colour = if notice.kind == NoticeKind::Problem { p.error } else { p.text2 };
        ui.add(Label::new(text::label(notice.text.as_str()).color(colour)).wrap());
    }
}
