//! Thinning and thickening of ink that is pixels already, by the distance of every pixel to the ink's edge.
//! Strokes need none of this: they are rendered with another pen.

use super::raster::Raster;

/// Of the half-width of the finest lines, this much may be taken away; more would break them.
const MOST_TAKEN: f32 = 0.8;

/// The same ink with lines of mean width `share` of the longer side of its box. `None` where the ink has no lines to
/// speak of (empty, a dot, a blob), which then best stays what it is. The raster should have a rim of paper wide
/// enough to thicken into.
pub(super) fn with_line_width(raster: &Raster, share: f32) -> Option<Raster> {
    let darkest = raster.ink.iter().copied().fold(0.0, f32::max);
    let inside: Vec<bool> = raster.ink.iter().map(|&ink| ink > 0.5 * darkest).collect();
    let ink_box = raster.ink_box(0.5 * darkest)?;
    let depth = signed_distance(&inside, raster.width, raster.height);
    let edged = |grow: f32| Raster { ink: depth.iter().map(|d| (d + grow + 0.5).clamp(0.0, 1.0)).collect(), ..*raster };
    let found = edged(0.0).line_width();
    // Twice area over outline is half the side for a disc and for a square.
    if found <= 0.0 || found > 0.4 * ink_box.longer() {
        return None;
    }
    // The box grows with the lines: wanted = share * (longer + wanted - found).
    let wanted = share * (ink_box.longer() - found) / (1.0 - share);
    let finest = fine_half_width(&depth, raster.width, raster.height);
    Some(edged(((wanted - found) / 2.0).max(-MOST_TAKEN * finest)))
}

/// Distance in pixels from each pixel's centre to the ink's edge, positive inside the ink.
fn signed_distance(inside: &[bool], width: usize, height: usize) -> Vec<f32> {
    let to_ink = squared_distance(inside, width, height, true);
    let to_paper = squared_distance(inside, width, height, false);
    let one = |(&ink, &paper): (&f32, &f32)| {
        if paper > 0.0 { paper.sqrt() - 0.5 } else { 0.5 - ink.sqrt() }
    };
    to_ink.iter().zip(&to_paper).map(one).collect()
}

/// Squared distance from each pixel to the nearest where `inside` is `wanted` (Felzenszwalb and Huttenlocher 2012:
/// lower envelope of parabolas, columns and then rows). Beyond the raster lies paper.
fn squared_distance(inside: &[bool], width: usize, height: usize, wanted: bool) -> Vec<f32> {
    let far = ((width + height) * (width + height)) as f32;
    let (columns, rows) = (width + 2, height + 2);
    let mut field = vec![if wanted { far } else { 0.0 }; columns * rows];
    for row in 0..height {
        for column in 0..width {
            let here = inside[row * width + column] == wanted;
            field[(row + 1) * columns + column + 1] = if here { 0.0 } else { far };
        }
    }
    let mut envelope = Envelope::default();
    let mut line = vec![0.0; rows];
    for column in 0..columns {
        for (row, value) in line.iter_mut().enumerate() {
            *value = field[row * columns + column];
        }
        envelope.replace(&mut line);
        for (row, value) in line.iter().enumerate() {
            field[row * columns + column] = *value;
        }
    }
    let mut result = Vec::with_capacity(width * height);
    for line in field.chunks_exact_mut(columns).skip(1).take(height) {
        envelope.replace(line);
        result.extend_from_slice(&line[1..=width]);
    }
    result
}

/// The lower envelope of parabolas, one above each place of a line.
#[derive(Default)]
struct Envelope {
    /// Place and height of each parabola that is lowest somewhere, and from where it is.
    lowest: Vec<(f32, f32, f32)>,
}

impl Envelope {
    /// Every value becomes the smallest `(x - i)² + values[i]` over all `i`, for its place `x`.
    fn replace(&mut self, values: &mut [f32]) {
        self.lowest.clear();
        for (place, &height) in values.iter().enumerate() {
            let place = place as f32;
            let mut from = f32::NEG_INFINITY;
            while let Some(&(last, low, start)) = self.lowest.last() {
                from = ((height + place * place) - (low + last * last)) / (2.0 * (place - last));
                if from > start {
                    break;
                }
                self.lowest.pop();
                from = f32::NEG_INFINITY;
            }
            self.lowest.push((place, height, from));
        }
        let mut current = 0;
        for (x, value) in values.iter_mut().enumerate() {
            let x = x as f32;
            while self.lowest.get(current + 1).is_some_and(|next| next.2 < x) {
                current += 1;
            }
            let (place, height, _) = self.lowest[current];
            *value = (x - place) * (x - place) + height;
        }
    }
}

/// Half the width of the finer lines: the lower fifth of the depths along the ridges.
fn fine_half_width(depth: &[f32], width: usize, height: usize) -> f32 {
    let mut ridge = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let here = depth[row * width + column];
            let highest = here > 0.0
                && (row.saturating_sub(1)..(row + 2).min(height))
                    .flat_map(|y| (column.saturating_sub(1)..(column + 2).min(width)).map(move |x| y * width + x))
                    .all(|near| depth[near] <= here);
            if highest {
                ridge.push(here);
            }
        }
    }
    ridge.sort_by(f32::total_cmp);
    ridge.get(ridge.len() / 5).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::raster::{Frame, InkBox, InkLine};
    use crate::drawing::strokes::InkPoint;

    fn ring(diameter: f32) -> Raster {
        let points = (0..=100).map(|i| (i as f32 * 0.0628).sin_cos());
        let points = points.map(|(s, c)| InkPoint { x: 0.5 + 0.25 * c, y: 0.5 + 0.3 * s, diameter }).collect();
        Raster::render(&[InkLine { points, erases: false }], None, &Frame::around(InkBox::PAD, 200.0))
    }

    #[test]
    fn thin_and_thick_lines_reach_the_same_width() {
        for diameter in [0.01, 0.03, 0.08, 0.15] {
            let changed = with_line_width(&ring(diameter), 0.12).unwrap();
            let share = changed.line_width() / changed.ink_box(0.5).unwrap().longer();
            assert!((share - 0.12).abs() < 0.012, "{diameter}: {share}");
        }
    }

    #[test]
    fn thinning_does_not_break_the_finest_line() {
        let thin =
            InkLine { points: [0.1, 0.5].map(|x| InkPoint { x, y: 0.5, diameter: 0.03 }).to_vec(), erases: false };
        let thick =
            InkLine { points: [0.5, 0.9].map(|x| InkPoint { x, y: 0.5, diameter: 0.2 }).to_vec(), erases: false };
        let raster = Raster::render(&[thin, thick], None, &Frame::around(InkBox::PAD, 200.0));
        let changed = with_line_width(&raster, 0.02).unwrap();
        assert!((25..180).all(|column| changed.ink[100 * 200 + column] > 0.5));
    }

    #[test]
    fn ink_without_lines_stays_as_it_is() {
        assert!(with_line_width(&Raster::blank(20, 20), 0.12).is_none());
        let full = Raster { ink: vec![1.0; 400], ..Raster::blank(20, 20) };
        assert!(with_line_width(&full, 0.12).is_none());
        let dot = Raster::render(
            &[InkLine { points: vec![InkPoint { x: 0.5, y: 0.5, diameter: 0.3 }], erases: false }],
            None,
            &Frame::around(InkBox::PAD, 100.0),
        );
        assert!(with_line_width(&dot, 0.12).is_none());
    }

    #[test]
    fn the_distance_is_that_to_the_nearest_edge() {
        let mut inside = vec![false; 11 * 9];
        inside[4 * 11 + 5] = true;
        let depth = signed_distance(&inside, 11, 9);
        for row in 0..9_usize {
            for column in 0..11_usize {
                let expected = (row.abs_diff(4) as f32).hypot(column.abs_diff(5) as f32);
                let found = depth[row * 11 + column];
                let expected = if expected == 0.0 { 0.5 } else { 0.5 - expected };
                assert!((found - expected).abs() < 1e-4, "{row} {column}: {found} {expected}");
            }
        }
    }
}
