//! What the person says that the drawing is. The label goes with the drawing, not with its ink at this moment.

use std::sync::Arc;

use super::Workbench;
use crate::drawing::{Drawing, Stroke};

impl Workbench {
    /// The digit that the person says the drawing on the pad is; `None` where they said nothing.
    pub fn true_label(&self) -> Option<u8> {
        self.true_label
    }

    /// Labels the drawing; an empty pad has no label, and what is no digit is none.
    pub(super) fn label_drawing(&mut self, label: Option<u8>) {
        self.true_label = label.filter(|digit| *digit < 10 && !self.drawing.is_empty());
    }

    /// Takes a drawing from the pad or from elsewhere, and asks for its answer.
    pub(super) fn set_drawing(&mut self, drawing: Drawing) {
        if !is_the_same_digit(&self.drawing, &drawing) {
            self.true_label = None;
        }
        self.drawing = drawing;
        self.kept_follows_pad();
        self.replay.end();
        self.ask();
    }
}

/// Whether one drawing grew, shrank or was moved out of the other. Strokes that are added and undone leave the first
/// sample where it was; what straightens or smooths a stroke moves its samples and keeps their times.
fn is_the_same_digit(before: &Drawing, after: &Drawing) -> bool {
    match (&before.picture, &after.picture) {
        (Some(before), Some(after)) if Arc::ptr_eq(before, after) => return true,
        (None, None) => {}
        (Some(_), Some(_)) => return share_a_stroke(before, after),
        _ => return false,
    }
    let begins = |drawing: &Drawing| drawing.strokes.first()?.samples.first().map(|first| [first.x, first.y]);
    let same_place = begins(before).is_some_and(|first| begins(after) == Some(first));
    same_place || share_a_stroke(before, after)
}

/// Whether a stroke of each ended at the same time of the hand's clock.
fn share_a_stroke(before: &Drawing, after: &Drawing) -> bool {
    let ends = |drawing: &Drawing| -> Vec<f32> {
        let last = |stroke: &Stroke| stroke.samples.last().map(|sample| sample.seconds);
        drawing.strokes.iter().filter_map(last).filter(|seconds| *seconds > 0.0).collect()
    };
    let after = ends(after);
    ends(before).iter().any(|end| after.contains(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{DigitImage, Picture, Sample};

    fn drawing(strokes: &[&[[f32; 3]]]) -> Drawing {
        let stroke = |points: &&[[f32; 3]]| Stroke {
            samples: points.iter().map(|&[x, y, seconds]| Sample { x, y, seconds, pressure: 1.0 }).collect(),
            width: 0.1,
            erases: false,
        };
        Drawing { picture: None, strokes: strokes.iter().map(stroke).collect() }
    }

    #[test]
    fn a_label_stays_with_what_is_still_the_same_digit() {
        let seven: &[[f32; 3]] = &[[0.2, 0.2, 0.0], [0.8, 0.2, 0.3], [0.5, 0.9, 0.6]];
        let bar: &[[f32; 3]] = &[[0.4, 0.5, 0.9], [0.7, 0.5, 1.0]];
        let moved: &[[f32; 3]] = &[[0.3, 0.3, 0.0], [0.7, 0.3, 0.3], [0.5, 0.8, 0.6]];
        let other: &[[f32; 3]] = &[[0.5, 0.1, 0.0], [0.5, 0.5, 0.2], [0.5, 0.9, 0.43]];
        let picture = || {
            let ink = Picture::from_digit(&DigitImage::default());
            Drawing { picture: Some(Arc::new(ink)), strokes: Vec::new() }
        };
        let one_picture = picture();
        let drawn_over = Drawing { strokes: drawing(&[bar]).strokes, ..one_picture.clone() };
        for (before, after, same, why) in [
            (drawing(&[seven]), drawing(&[seven, bar]), true, "a stroke was added"),
            (drawing(&[seven, bar]), drawing(&[seven]), true, "a stroke was undone"),
            (drawing(&[&seven[..2]]), drawing(&[seven]), true, "the stroke went on"),
            (drawing(&[seven]), drawing(&[moved]), true, "it was straightened"),
            (drawing(&[seven]), drawing(&[other]), false, "another was drawn"),
            (drawing(&[seven]), drawing(&[]), false, "the pad was cleared"),
            (drawing(&[]), drawing(&[seven]), false, "a new one begins"),
            (drawing(&[seven]), one_picture.clone(), false, "a picture was opened"),
            (one_picture.clone(), drawn_over, true, "somebody drew on the picture"),
            (one_picture, picture(), false, "another picture was opened"),
        ] {
            assert_eq!(is_the_same_digit(&before, &after), same, "{why}");
        }
    }
}
