//! The drawing once more, point by point: a slider, a button that plays it as fast as it was drawn, and a strip of what
//! was read after every point.

use eframe::egui::{Ui, vec2};

use super::Scene;
use crate::drawing::Drawing;
use crate::inference::State;
use crate::ui::icons;
use crate::ui::widgets::button::IconButton;
use crate::ui::widgets::field;
use crate::ui::widgets::moments::{self, Run};
use crate::workbench::{Command, Moment};

/// A hand that rests longer than this many seconds is not waited for.
const LONGEST_REST: f32 = 0.4;
const BUTTON: f32 = 32.0;
/// The rail of a slider is so much shorter than the slider, at each end.
const RAIL: f32 = 7.0;

/// A replay that plays.
#[derive(Clone, Copy)]
struct Playing {
    /// Clock of the window when the drawing would have begun.
    began: f64,
    /// Points of the drawing that plays; with another number it is another drawing.
    points: usize,
}

/// What the replay remembers between frames.
#[derive(Default)]
pub(super) struct ReplayPanel {
    playing: Option<Playing>,
}

impl ReplayPanel {
    /// The slider and its strip; only room for them where there is nothing to replay.
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
        let drawing = scene.workbench.drawing();
        let points = drawing.points();
        if drawing.picture.is_some() || points < 2 {
            self.playing = None;
            let _room = ui.allocate_exact_size(
                vec2(width, field::FIELD_HEIGHT + moments::HEIGHT + 4.0),
                eframe::egui::Sense::hover(),
            );
            return;
        }
        self.play(ui, scene, points);
        let shown = scene.workbench.replayed();
        let slider_width = width - BUTTON - 4.0;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let (icon, name) = match self.playing {
                Some(_) => (icons::PAUSE, "Hold the replay"),
                None => (icons::PLAY, "Replay the drawing as it was drawn"),
            };
            if ui.add(IconButton::new(icon, name).chosen(self.playing.is_some())).clicked() {
                self.playing = match self.playing {
                    Some(_) => None,
                    None => {
                        let so_far = shown.map_or(0.0, |shown| times(scene.workbench.drawing())[shown - 1]);
                        ui.request_repaint();
                        Some(Playing { began: ui.input(|input| input.time) - f64::from(so_far), points })
                    }
                };
            }
            let mut value = shown.unwrap_or(points) as f32;
            let spoken = format!("point {value} of {points}");
            if field::slider(ui, "Replay", &mut value, 1.0..=points as f32, 1.0, &spoken, slider_width).changed() {
                self.playing = None;
                scene.push(Command::Replay(Some(value as usize)));
            }
        });
        scene.push(Command::ReadMoments);
        ui.horizontal(|ui| {
            ui.add_space(BUTTON + 4.0 + RAIL);
            let runs = scene.workbench.moments().map(runs).unwrap_or_default();
            let response = moments::strip(ui, &runs, points, slider_width - 2.0 * RAIL);
            if let Some(pointer) = response.hover_pos() {
                let share = ((pointer.x - response.rect.left()) / response.rect.width()).clamp(0.0, 1.0);
                let point = 1 + (share * (points - 1) as f32).round() as usize;
                if let Some(run) = runs.iter().find(|run| (run.from..=run.to).contains(&point)) {
                    let read = match (run.digit, run.sure) {
                        (Some(digit), true) => digit.to_string(),
                        (Some(digit), false) => format!("{digit}, unsure"),
                        (None, _) => "not a digit".to_owned(),
                    };
                    response.show_tooltip_text(format!("After point {point} of {points}: {read}"));
                }
            }
        });
    }

    /// Goes on with a replay that plays, as fast as the drawing was drawn.
    fn play(&mut self, ui: &Ui, scene: &mut Scene<'_>, points: usize) {
        let Some(playing) = self.playing else { return };
        if playing.points != points {
            self.playing = None;
            return;
        }
        let now = (ui.input(|input| input.time) - playing.began) as f32;
        let times = times(scene.workbench.drawing());
        let shown = times.partition_point(|time| *time <= now).max(1);
        if shown >= points {
            self.playing = None;
            scene.push(Command::Replay(None));
        } else {
            scene.push(Command::Replay(Some(shown)));
            ui.request_repaint();
        }
    }
}

/// Seconds from the first point to each, without the hand's longer rests.
fn times(drawing: &Drawing) -> Vec<f32> {
    let mut clock = 0.0;
    let mut last: Option<f32> = None;
    let samples = drawing.strokes.iter().flat_map(|stroke| &stroke.samples);
    samples
        .map(|sample| {
            clock += last.map_or(0.0, |last| (sample.seconds - last).clamp(0.0, LONGEST_REST));
            last = Some(sample.seconds);
            clock
        })
        .collect()
}

/// Moments after which the same was read, joined.
fn runs(moments: &[Moment]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut next = 1;
    for moment in moments {
        let is_digit = matches!(moment.state, State::Sure | State::Unsure);
        let (digit, sure) = (moment.digit.filter(|_| is_digit), moment.state == State::Sure);
        match runs.last_mut().filter(|run| run.digit == digit && run.sure == sure) {
            Some(run) => run.to = moment.points,
            None => runs.push(Run { from: next, to: moment.points, digit, sure }),
        }
        next = moment.points + 1;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Sample, Stroke};

    #[test]
    fn a_replay_keeps_the_hands_speed_but_not_its_rests() {
        let stroke = |seconds: &[f32]| Stroke {
            samples: seconds.iter().map(|&seconds| Sample { x: 0.5, y: 0.5, seconds, pressure: 1.0 }).collect(),
            width: 0.1,
            erases: false,
        };
        let drawing = Drawing { picture: None, strokes: vec![stroke(&[0.0, 0.1, 0.3]), stroke(&[9.3, 9.4])] };
        let found = times(&drawing);
        for (found, expected) in found.iter().zip([0.0, 0.1, 0.3, 0.7, 0.8]) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    #[test]
    fn moments_are_joined_while_the_same_is_read_as_surely() {
        let moment = |points, digit, state| Moment { points, digit, state };
        let moments = [
            moment(2, None, State::Empty),
            moment(4, Some(1), State::Unsure),
            moment(6, Some(1), State::Sure),
            moment(8, Some(1), State::Sure),
            moment(9, Some(7), State::Sure),
        ];
        let run = |from, to, digit, sure| Run { from, to, digit, sure };
        let expected =
            [run(1, 2, None, false), run(3, 4, Some(1), false), run(5, 8, Some(1), true), run(9, 9, Some(7), true)];
        assert_eq!(runs(&moments), expected);
    }
}
