//! Draw: the pad with its tools and the five steps from ink to image; the answer; the maps of a layer.

use eframe::egui::{self, Align, Layout, Rect, ScrollArea, Ui, pos2, vec2};

use super::Scene;
use super::draw_beside::{Beside, Column};
use crate::drawing::{DigitImage, Drawing, Preparation, SIDE, THUMBNAIL_SIDE, Thumbnail};
use crate::storage::Settings;
use crate::ui::dialogs::Purpose;
use crate::ui::text::{self, IconWeight};
use crate::ui::widgets::button::IconButton;
use crate::ui::widgets::canvas::{self, CanvasState, Guides, Pen};
use crate::ui::widgets::{field, segmented, thumbnail};
use crate::ui::{icons, theme};
use crate::workbench::Command;

/// What Draw remembers between frames.
#[derive(Default)]
pub struct DrawPlace {
    canvas: CanvasState,
    guides: Guides,
    erases: bool,
    undo: Vec<Drawing>,
    redo: Vec<Drawing>,
    replay: super::draw_replay::ReplayPanel,
    pub(super) shown: super::draw_answer::Shown,
    beside: Beside,
    /// In a narrow window the other column stands in the place of the answer.
    beside_for_answer: bool,
}

/// Drawings that undo brings back, at most.
const MOST_UNDO: usize = 200;
/// Width of the pad at 1280×800.
const PAD: f32 = 336.0;
const ANSWER: f32 = 360.0;
const INSIDE: f32 = 400.0;
const GAP: f32 = 32.0;
const SCROLL_BAR: f32 = 12.0;
/// At 200 % on a small screen.
const LEAST_PAD: f32 = 232.0;
const LEAST_ANSWER: f32 = 288.0;

impl DrawPlace {
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.beside.shows_all_models = false;
        let room = ui.available_size();
        let wide = room.x >= PAD + ANSWER + INSIDE + 2.0 * GAP - 1.0;
        // images grow with the window, columns of text do not
        let spare = if wide { room.x - (PAD + ANSWER + INSIDE + 2.0 * GAP) } else { 0.0 };
        // where there is no room for both, the answer gives way first and then the pad
        let gap = if room.x < PAD + ANSWER + GAP { 16.0 } else { GAP };
        let answer = if wide { ANSWER } else { (room.x - SCROLL_BAR - LEAST_PAD - gap).clamp(LEAST_ANSWER, ANSWER) };
        let pad = if wide {
            (PAD + spare * 0.5).min((room.y - 176.0 - super::pins::STRIP).max(PAD)).min(720.0).floor()
        } else {
            (room.x - SCROLL_BAR - answer - gap).clamp(LEAST_PAD, PAD).floor()
        };
        let inside = if wide { INSIDE + (spare - (pad - PAD)).clamp(0.0, 400.0) } else { INSIDE };
        ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
            // rings and the cursor's label reach a little beyond what they belong to
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(16.0, 14.0)));
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = gap;
                ui.vertical(|ui| {
                    ui.set_width(pad);
                    self.pad(ui, pad, scene);
                });
                ui.vertical(|ui| {
                    ui.set_width(answer);
                    if !wide {
                        self.narrow_choice(ui, answer);
                        ui.add_space(8.0);
                    }
                    if wide || !self.beside_for_answer {
                        super::draw_answer::answer(ui, &mut self.shown, scene, answer);
                        ui.add_space(16.0);
                        if let Some(fixed) = super::draw_doctor::card(ui, scene, answer) {
                            self.fix(fixed, scene);
                        }
                        super::data_head::kept_line(ui, scene);
                    } else {
                        self.beside.chosen(ui, scene, answer, room.y - 44.0);
                    }
                });
                if wide {
                    ui.vertical(|ui| {
                        ui.set_width(inside);
                        self.beside.ui(ui, scene, inside, room.y);
                    });
                }
            });
        });
    }

    /// One choice for the answer and all that may stand in its place.
    fn narrow_choice(&mut self, ui: &mut Ui, width: f32) {
        let mut shown = self.beside_for_answer.then_some(self.beside.column);
        let beside = Column::ALL.map(|(column, name)| (Some(column), name));
        let options: Vec<_> = [(None, "Answer")].into_iter().chain(beside).collect();
        segmented::segmented(ui, "Beside the pad", &mut shown, &options, width);
        self.beside_for_answer = shown.is_some();
        self.beside.column = shown.unwrap_or(self.beside.column);
    }

    fn pad(&mut self, ui: &mut Ui, side: f32, scene: &mut Scene<'_>) {
        self.sheet(ui, side, scene);
        self.tools(ui, side, scene);
        ui.add_space(10.0);
        steps(ui, side, scene);
        self.replay.ui(ui, scene, side);
        super::pins::strip(ui, side, scene);
    }

    /// The pad for another place: the sheet, and the few buttons that a drawing cannot do without.
    pub(super) fn small_pad(&mut self, ui: &mut Ui, side: f32, scene: &mut Scene<'_>) {
        self.sheet(ui, side, scene);
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            ui.set_width(side);
            self.buttons(ui, scene, false);
        });
    }

    fn sheet(&mut self, ui: &mut Ui, side: f32, scene: &mut Scene<'_>) {
        let mut drawing = scene.workbench.drawing().clone();
        let pen = Pen { width: scene.settings.pen_width, erases: self.erases };
        self.canvas.shown = scene.workbench.replayed().map(|_| scene.workbench.shown_drawing());
        let output = canvas::canvas(ui, side, &mut self.canvas, &mut drawing, pen, self.guides);
        if let Some(before) = output.started {
            self.remember(before);
        }
        if output.changed {
            scene.push(Command::SetDrawing(drawing));
        }
    }

    fn tools(&mut self, ui: &mut Ui, width: f32, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        // a narrow pad has the buttons in a row of their own
        let one_row = width >= 330.0;
        ui.horizontal(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.label(text::icon(icons::PENCIL_SIMPLE, 18.0, IconWeight::Regular).color(p.text2));
            let mut percent = (100.0 * scene.settings.pen_width).round();
            let spoken = format!("{percent} %");
            let range = 100.0 * Settings::PEN_WIDTHS.start()..=100.0 * Settings::PEN_WIDTHS.end();
            if field::slider(ui, "Pen width", &mut percent, range, 1.0, &spoken, 88.0).changed() {
                scene.settings.pen_width = percent / 100.0;
            }
            ui.label(text::label(spoken).color(p.text2));
            if one_row {
                self.buttons(ui, scene, true);
            }
        });
        if !one_row {
            ui.horizontal(|ui| {
                ui.set_width(width);
                self.buttons(ui, scene, true);
            });
        }
    }

    /// What one does with a drawing; `all` of it, or what belongs to the pen.
    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, all: bool) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let has_ink = !scene.workbench.drawing().is_empty();
            let button = |icon, name, key| IconButton::new(icon, name).key(key);
            if ui.add_enabled(has_ink, button(icons::TRASH, "Clear", "C")).clicked() {
                self.clear(scene);
            }
            if all {
                if ui.add(button(icons::FOLDER_OPEN, "Open a picture", "Ctrl+O")).clicked() {
                    scene.dialogs.ask(Purpose::OpenPicture);
                }
                let grid = button(icons::GRID_NINE, "Guides: the 20×20 box, the network's pixels", "G");
                if ui.add(grid.chosen(self.guides.frame)).clicked() {
                    self.toggle_guides();
                }
            }
            if ui.add_enabled(!self.redo.is_empty(), button(icons::ARROW_U_UP_RIGHT, "Redo", "Ctrl+Shift+Z")).clicked()
            {
                self.redo(scene);
            }
            if ui.add_enabled(!self.undo.is_empty(), button(icons::ARROW_U_UP_LEFT, "Undo", "Ctrl+Z")).clicked() {
                self.undo(scene);
            }
            if ui.add(button(icons::ERASER, "Eraser, or the right button", "E").chosen(self.erases)).clicked() {
                self.erases = !self.erases;
            }
        });
    }

    // What keys and other places ask for.

    /// Whether the answers of all models were in view when this place was last shown.
    pub fn shows_all_models(&self) -> bool {
        self.beside.shows_all_models
    }

    /// Whether the pen is down.
    pub fn is_drawing(&self) -> bool {
        self.canvas.is_drawing()
    }

    /// Keeps a drawing that is about to be replaced.
    pub fn remember(&mut self, before: Drawing) {
        self.undo.push(before);
        if self.undo.len() > MOST_UNDO {
            self.undo.remove(0);
        }
        self.redo.clear();
    }

    pub fn undo(&mut self, scene: &mut Scene<'_>) {
        if let Some(before) = self.undo.pop() {
            self.redo.push(scene.workbench.drawing().clone());
            scene.push(Command::SetDrawing(before));
        }
    }

    pub fn redo(&mut self, scene: &mut Scene<'_>) {
        if let Some(after) = self.redo.pop() {
            self.undo.push(scene.workbench.drawing().clone());
            scene.push(Command::SetDrawing(after));
        }
    }

    pub fn clear(&mut self, scene: &mut Scene<'_>) {
        if !scene.workbench.drawing().is_empty() {
            self.remember(scene.workbench.drawing().clone());
            scene.push(Command::SetDrawing(Drawing::default()));
        }
    }

    /// Puts a changed drawing on the pad; it is still the digit that the person says.
    fn fix(&mut self, fixed: Drawing, scene: &mut Scene<'_>) {
        self.remember(scene.workbench.drawing().clone());
        scene.push(Command::SetDrawing(fixed));
        scene.push(Command::LabelDrawing(scene.workbench.true_label()));
    }

    pub fn toggle_eraser(&mut self) {
        self.erases = !self.erases;
    }

    /// None, the 20×20 box, the box and the network's pixels.
    pub fn toggle_guides(&mut self) {
        self.guides = match (self.guides.frame, self.guides.grid) {
            (false, _) => Guides { frame: true, grid: false },
            (true, false) => Guides { frame: true, grid: true },
            (true, true) => Guides::default(),
        };
    }

    /// A wider or narrower pen.
    pub fn change_width(&self, by: f32, scene: &mut Scene<'_>) {
        let (low, high) = (*Settings::PEN_WIDTHS.start(), *Settings::PEN_WIDTHS.end());
        scene.settings.pen_width = (scene.settings.pen_width + by).clamp(low, high);
    }
}

/// Puts an image on the clipboard, black on white as one would draw it.
pub fn copy_image(ctx: &egui::Context, image: &DigitImage) {
    let grey: Vec<u8> = image.pixels.iter().map(|ink| 255 - ink).collect();
    ctx.copy_image(egui::ColorImage::from_gray([SIDE, SIDE], &grey));
}

/// The five steps from ink to image; a click on one switches it off, and the bars show what it was worth.
fn steps(ui: &mut Ui, width: f32, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let mut recipe = scene.workbench.recipe();
    ui.horizontal(|ui| {
        ui.label(text::section("From ink to image"));
        let off = [recipe.crop, recipe.width, recipe.size, recipe.centre].iter().filter(|on| !**on).count();
        if off > 0 {
            let words = if off == 1 { "1 step off".to_owned() } else { format!("{off} steps off") };
            ui.label(text::label(words).color(p.warn));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let has_image = scene.workbench.preparation().is_some();
            let save = IconButton::new(icons::FLOPPY_DISK, "Save the network's image").key("Ctrl+S");
            if ui.add_enabled(has_image, save).clicked() {
                scene.dialogs.ask(Purpose::SavePicture);
            }
            let copy = IconButton::new(icons::COPY, "Copy the network's image").key("Ctrl+C");
            if ui.add_enabled(has_image, copy).clicked()
                && let Some(preparation) = scene.workbench.preparation()
            {
                copy_image(ui.ctx(), &preparation.image);
            }
            if ui.add(IconButton::new(icons::CLIPBOARD, "Paste a picture").key("Ctrl+V")).clicked() {
                ui.send_viewport_cmd(egui::ViewportCommand::RequestPaste);
            }
        });
    });
    // what a step is worth is told beside it
    if !scene.workbench.drawing().is_empty() {
        scene.push(Command::Examine);
    }
    let preparation = scene.workbench.preparation();
    let side = ((width - 16.0) / 5.0).floor();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let image = |of: fn(&Preparation) -> &Thumbnail| preparation.map(|p| (&of(p).pixels[..], THUMBNAIL_SIDE));
        let crop = preparation.map(|p| {
            let b = p.crop_box;
            thumbnail::Overlay::Box(Rect::from_min_max(pos2(b.left, b.top), pos2(b.right, b.bottom)))
        });
        let centre = preparation.map(|_| thumbnail::Overlay::Cross(pos2(14.5 / 28.0, 14.5 / 28.0)));
        let steps: [(&str, _, _, Option<&mut bool>); 5] = [
            ("Ink", image(|p| &p.ink), crop, None),
            ("Crop", image(|p| &p.crop), None, Some(&mut recipe.crop)),
            ("Width", image(|p| &p.width), None, Some(&mut recipe.width)),
            ("Size", image(|p| &p.size), None, Some(&mut recipe.size)),
            ("Centre", image(|p| &p.centre), centre, Some(&mut recipe.centre)),
        ];
        let found = scene.workbench.examination().filter(|_| scene.workbench.examination_is_current());
        for (number, (label, image, overlay, on)) in steps.into_iter().enumerate() {
            let overlay = overlay.unwrap_or_default();
            let switched = found.and_then(|found| found.switched.get(number.checked_sub(1)?)?.as_ref());
            let note = switched.map(|reading| {
                let word = if on.as_deref() == Some(&true) { "Without" } else { "With" };
                format!("{word} this step it reads {}", super::draw_doctor::in_brackets(reading))
            });
            let step = thumbnail::Step { label, image, overlay, on: on.as_deref().copied(), note: note.as_deref() };
            let clicked = thumbnail::step(ui, ui.scope_id().with(label), &step, side).clicked();
            if let Some(on) = on
                && clicked
            {
                *on = !*on;
            }
        }
    });
    if recipe != scene.workbench.recipe() {
        scene.push(Command::SetRecipe(recipe));
    }
    let _keeps_room_below = ui.allocate_exact_size(vec2(width, 4.0), egui::Sense::hover());
}
