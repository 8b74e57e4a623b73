//! The pad: turns every pointer sample of a frame into strokes of a [`Drawing`], and shows them. What becomes of the
//! drawing (undo, the answer) is the place's business.

use super::digit_view::{fingerprint, ink_pixel, kept_texture};
use crate::{
    drawing::{self, Drawing, Sample, Stroke},
    ui::{
        style::CARD_RADIUS,
        text::{self, Weight},
        theme,
    },
};
use eframe::egui::{
    self, Align2, Color32, ColorImage, CornerRadius, CursorIcon, Event, PointerButton, Pos2, Rect, Response, Role,
    Sense, Shape, StrokeKind, TextureOptions, TouchPhase, Ui, WidgetInfo, epaint::RectShape, pos2, vec2,
};
use std::sync::Arc;

/// The tool in the hand. The right button erases whatever the tool is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    /// Diameter as a share of the pad's side.
    pub width: f32,
    /// The eraser instead of the pen.
    pub erases: bool,
}

/// Helping lines on the pad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guides {
    /// The 28×28 pixels the network gets.
    pub grid: bool,
    /// The 20×20 box that a digit fills.
    pub frame: bool,
}

/// What the pad remembers between frames: the gesture in progress.
#[derive(Clone, Debug, Default)]
pub struct CanvasState {
    gesture: Option<Gesture>,
    /// Clock of the window when the drawing began.
    began: f64,
    /// Clock at the last frame, to spread a frame's samples in time.
    last_frame: f64,
    /// Shown in place of the drawing while nobody draws: the drawing as it was at some moment.
    pub shown: Option<Drawing>,
}

#[derive(Clone, Debug)]
struct Gesture {
    button: PointerButton,
    pen: Pen,
    /// Where the pointer was last, in the unit square of the pad or outside it.
    at: Pos2,
    /// Whether the last stroke of the drawing goes on: not while the pointer is outside the pad.
    inside: bool,
}

/// What happened to the drawing in this frame.
pub struct CanvasOutput {
    /// The pad on the screen.
    pub response: Response,
    /// The pen came down; the drawing before it is what undo should bring back.
    pub started: Option<Drawing>,
    /// Strokes were added or grew.
    pub changed: bool,
    /// The pen went up.
    pub ended: bool,
}

impl CanvasState {
    /// Whether the pen is down.
    pub fn is_drawing(&self) -> bool {
        self.gesture.is_some()
    }
}

/// The pad, `side` points wide and high. Edits `drawing` in place.
pub fn canvas(
    ui: &mut Ui,
    side: f32,
    state: &mut CanvasState,
    drawing: &mut Drawing,
    pen: Pen,
    guides: Guides,
) -> CanvasOutput {
    // Not focusable: a pen cannot be moved with keys; what keys can do to the drawing, the place offers.
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::DRAG);
    let mut output = CanvasOutput { response, started: None, changed: false, ended: false };
    if ui.is_enabled() {
        follow_pointer(ui, rect, state, drawing, pen, &mut output);
    }
    let strokes = drawing.strokes.len();
    output.response.widget_info(|| {
        let content = match (drawing.is_empty(), strokes) {
            (true, _) => "empty".to_owned(),
            (_, 1) => "1 stroke".to_owned(),
            _ => format!("{strokes} strokes"),
        };
        WidgetInfo::labeled(Role::Canvas, true, format!("Pad, {content}"))
    });
    if ui.is_rect_visible(rect) {
        let shown = state.shown.as_ref().filter(|_| !state.is_drawing()).unwrap_or(drawing);
        paint(ui, rect, ui.scope_id().with("pad"), shown, state.is_drawing(), guides);
        show_pointer(ui, rect, &output.response, state.gesture.as_ref().map_or(pen, |gesture| gesture.pen));
    }
    output
}

fn follow_pointer(
    ui: &Ui,
    rect: Rect,
    state: &mut CanvasState,
    drawing: &mut Drawing,
    pen: Pen,
    output: &mut CanvasOutput,
) {
    let (events, now, any_down) = ui.input(|input| (input.events.clone(), input.time, input.pointer.any_down()));
    let before = std::mem::replace(&mut state.last_frame, now);
    let samples =
        events.iter().filter(|event| matches!(event, Event::PointerMoved(_) | Event::PointerButton { .. })).count();
    let mut seen = 0;
    let mut pressure = 1.0;
    for event in &events {
        if matches!(event, Event::PointerMoved(_) | Event::PointerButton { .. }) {
            seen += 1;
        }
        // Events carry no time of their own; they came one after another since the frame before.
        let clock = before + (now - before) * f64::from(seen) / samples.max(1) as f64;
        let unit = |pos: Pos2| pos2((pos.x - rect.left()) / rect.width(), (pos.y - rect.top()) / rect.height());
        match *event {
            Event::Touch { force, phase, .. } => {
                // A touch comes just before the pointer event that egui makes of it.
                pressure = match (force, phase) {
                    (Some(force), TouchPhase::Start | TouchPhase::Move) if force > 0.0 => force.min(1.0),
                    _ => 1.0,
                };
            }
            Event::PointerButton { pos, button, pressed: true, .. } if state.gesture.is_none() => {
                let draws = matches!(button, PointerButton::Primary | PointerButton::Secondary);
                let free = ui.ctx().layer_id_at(pos) == Some(ui.layer_id());
                if !draws || !free || !rect.contains(pos) || !ui.clip_rect().contains(pos) {
                    continue;
                }
                output.started = Some(drawing.clone());
                if drawing.is_empty() {
                    state.began = clock;
                }
                let pen = Pen { erases: pen.erases || button == PointerButton::Secondary, ..pen };
                let at = unit(pos);
                begin_stroke(drawing, pen, sample(at, clock - state.began, pressure));
                state.gesture = Some(Gesture { button, pen, at, inside: true });
                output.changed = true;
            }
            Event::PointerMoved(pos) => {
                if let Some(gesture) = &mut state.gesture {
                    output.changed |= gesture.go(drawing, unit(pos), clock - state.began, pressure);
                }
            }
            Event::PointerButton { pos, button, pressed: false, .. } => {
                if let Some(gesture) = state.gesture.as_mut().filter(|gesture| gesture.button == button) {
                    output.changed |= gesture.go(drawing, unit(pos), clock - state.began, pressure);
                    state.gesture = None;
                    output.ended = true;
                }
            }
            Event::WindowFocused(false) => output.ended |= state.gesture.take().is_some(),
            _ => {}
        }
    }
    // The release may have gone to another window.
    if !any_down && state.gesture.take().is_some() {
        output.ended = true;
    }
}

impl Gesture {
    /// Draws from where the pointer was to `to`, as far as that lies on the pad: a pen that leaves the pad ends its
    /// stroke at the edge and begins another where it comes back. True if the drawing changed.
    fn go(&mut self, drawing: &mut Drawing, to: Pos2, seconds: f64, pressure: f32) -> bool {
        let from = std::mem::replace(&mut self.at, to);
        if from == to {
            return false;
        }
        let Some((enter, leave)) = clip_to_pad(from, to) else {
            self.inside = false;
            return false;
        };
        let along = |t: f32| sample(from + (to - from) * t, seconds, pressure);
        if !self.inside {
            begin_stroke(drawing, self.pen, along(enter));
        }
        self.inside = leave >= 1.0;
        if let Some(stroke) = drawing.strokes.last_mut() {
            stroke.samples.push(along(leave));
        }
        true
    }
}

fn sample(at: Pos2, seconds: f64, pressure: f32) -> Sample {
    Sample { x: at.x.clamp(0.0, 1.0), y: at.y.clamp(0.0, 1.0), seconds: seconds.max(0.0) as f32, pressure }
}

fn begin_stroke(drawing: &mut Drawing, pen: Pen, first: Sample) {
    drawing.strokes.push(Stroke { samples: vec![first], width: pen.width, erases: pen.erases });
}

/// The part of the way from `from` (0) to `to` (1) that lies in the unit square (Liang and Barsky 1984).
fn clip_to_pad(from: Pos2, to: Pos2) -> Option<(f32, f32)> {
    let (mut enter, mut leave) = (0.0_f32, 1.0_f32);
    for (start, step) in [(from.x, to.x - from.x), (from.y, to.y - from.y)] {
        if step == 0.0 {
            if !(0.0..=1.0).contains(&start) {
                return None;
            }
            continue;
        }
        let (a, b) = (-start / step, (1.0 - start) / step);
        enter = enter.max(a.min(b));
        leave = leave.min(a.max(b));
    }
    (enter <= leave).then_some((enter, leave))
}

fn paint(ui: &Ui, rect: Rect, id: egui::Id, drawing: &Drawing, drawing_now: bool, guides: Guides) {
    let p = theme::of(ui);
    let radius = CornerRadius::same(CARD_RADIUS);
    ui.painter().rect_filled(rect, radius, p.paper);
    paint_guides(ui, rect, guides);
    if drawing.is_empty() && !drawing_now {
        let font = text::font(text::TITLE, Weight::Regular);
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, "Draw a digit", font, p.text3);
    } else {
        let side = ((rect.width() * ui.pixels_per_point()).round() as usize).clamp(28, 2048);
        let texture = kept_texture(ui.ctx(), id, drawing_fingerprint(drawing, side), TextureOptions::LINEAR, || {
            ColorImage::new([side, side], drawing::ink(drawing, side).into_iter().map(ink_pixel).collect())
        });
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().add(RectShape::filled(rect, radius, p.ink).with_texture(texture.id(), uv));
    }
    ui.painter().rect_stroke(rect, radius, egui::Stroke::new(1.0, p.line), StrokeKind::Inside);
}

fn paint_guides(ui: &Ui, rect: Rect, guides: Guides) {
    let p = theme::of(ui);
    let cell = rect.width() / 28.0;
    if guides.grid {
        let line = egui::Stroke::new(1.0, p.hair);
        for index in 1..28 {
            let offset = index as f32 * cell;
            ui.painter().vline(rect.left() + offset, rect.y_range(), line);
            ui.painter().hline(rect.x_range(), rect.top() + offset, line);
        }
    }
    if guides.frame {
        let inner = rect.shrink(4.0 * cell);
        let corners =
            [inner.left_top(), inner.right_top(), inner.right_bottom(), inner.left_bottom(), inner.left_top()];
        ui.painter().extend(Shape::dashed_line(&corners, egui::Stroke::new(1.0, p.line), 5.0, 4.0));
    }
}

/// Over the pad the pointer is a cross; an eraser shows what it would take away.
fn show_pointer(ui: &Ui, rect: Rect, response: &Response, pen: Pen) {
    let over = response.contains_pointer() || response.dragged();
    let Some(at) = ui.input(|input| input.pointer.latest_pos()).filter(|&at| over && rect.contains(at)) else { return };
    if pen.erases {
        let stroke = egui::Stroke::new(1.5, theme::of(ui).edge);
        ui.painter_at(rect).circle(at, pen.width * rect.width() / 2.0, Color32::TRANSPARENT, stroke);
        ui.ctx().set_cursor_icon(CursorIcon::None);
    } else {
        ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
    }
}

fn drawing_fingerprint(drawing: &Drawing, side: usize) -> u64 {
    let picture = drawing.picture.as_ref().map_or(0, |picture| Arc::as_ptr(picture) as usize);
    let mut words: Vec<u32> = Vec::new();
    for stroke in &drawing.strokes {
        words.extend([stroke.width.to_bits(), u32::from(stroke.erases), stroke.samples.len() as u32]);
        words.extend(stroke.samples.iter().flat_map(|s| [s.x.to_bits(), s.y.to_bits(), s.pressure.to_bits()]));
    }
    fingerprint((words, picture, side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui_kittest::Harness;

    struct Pad {
        state: CanvasState,
        drawing: Drawing,
        rect: Rect,
        started: usize,
        ended: usize,
    }

    fn pad() -> Harness<'static, Pad> {
        let start =
            Pad { state: CanvasState::default(), drawing: Drawing::default(), rect: Rect::ZERO, started: 0, ended: 0 };
        let mut harness = Harness::builder()
            .with_size(vec2(220.0, 220.0))
            .with_context_setup(crate::ui::style::install)
            .build_ui_state(
                |ui, pad: &mut Pad| {
                    let pen = Pen { width: 0.1, erases: false };
                    let output = canvas(ui, 200.0, &mut pad.state, &mut pad.drawing, pen, Guides::default());
                    pad.rect = output.response.rect;
                    pad.started += usize::from(output.started.is_some());
                    pad.ended += usize::from(output.ended);
                },
                start,
            );
        harness.run();
        harness
    }

    fn button(pos: Pos2, button: PointerButton, pressed: bool) -> Event {
        Event::PointerButton { pos, button, pressed, modifiers: egui::Modifiers::NONE }
    }

    #[test]
    fn every_sample_of_one_frame_is_kept() {
        let mut harness = pad();
        let rect = harness.state().rect;
        let at = |x: f32, y: f32| rect.min + vec2(x, y) * rect.width();
        harness.event(Event::PointerMoved(at(0.1, 0.5)));
        harness.event(button(at(0.1, 0.5), PointerButton::Primary, true));
        for step in 1..=20 {
            harness.event(Event::PointerMoved(at(0.1 + 0.04 * step as f32, 0.5)));
        }
        harness.event(button(at(0.9, 0.5), PointerButton::Primary, false));
        harness.run();
        let pad = harness.state();
        assert_eq!((pad.started, pad.ended, pad.drawing.strokes.len()), (1, 1, 1));
        let samples = &pad.drawing.strokes[0].samples;
        assert_eq!(samples.len(), 21);
        assert!((samples[20].x - 0.9).abs() < 1e-3 && (samples[20].y - 0.5).abs() < 1e-3);
        assert!(samples.windows(2).all(|pair| pair[0].seconds <= pair[1].seconds));
    }

    #[test]
    fn a_pen_that_leaves_the_pad_comes_back_as_a_new_stroke_at_the_edge() {
        let mut harness = pad();
        let rect = harness.state().rect;
        let at = |x: f32, y: f32| rect.min + vec2(x, y) * rect.width();
        harness.event(Event::PointerMoved(at(0.5, 0.5)));
        harness.event(button(at(0.5, 0.5), PointerButton::Secondary, true));
        for (x, y) in [(0.5, -0.1), (0.8, -0.1), (0.8, 0.5)] {
            harness.event(Event::PointerMoved(at(x, y)));
        }
        harness.event(button(at(0.8, 0.5), PointerButton::Secondary, false));
        harness.run();
        let strokes = &harness.state().drawing.strokes;
        assert_eq!(strokes.len(), 2);
        assert!(strokes.iter().all(|stroke| stroke.erases), "the right button erases");
        assert!(strokes.iter().flat_map(|stroke| &stroke.samples).all(|s| (0.0..=1.0).contains(&s.y)));
        assert!(strokes[1].samples[0].y.abs() < 1e-4);
    }

    #[test]
    fn a_press_beside_the_pad_draws_nothing() {
        let mut harness = pad();
        let beside = harness.state().rect.max + vec2(4.0, 4.0);
        harness.event(Event::PointerMoved(beside));
        harness.event(button(beside, PointerButton::Primary, true));
        harness.event(Event::PointerMoved(harness.state().rect.center()));
        harness.event(button(harness.state().rect.center(), PointerButton::Primary, false));
        harness.run();
        assert!(harness.state().drawing.is_empty());
        assert_eq!(harness.state().started, 0);
    }
}
