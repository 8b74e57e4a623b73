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
    let mut line = Vec::new();
    for column in 0..columns {
        line.clear();
        line.extend((0..rows).map(|row| field[row * columns + column]));
        for (row, value) in envelope(&line).into_iter().enumerate() {
            field[row * columns + column] = value;
        }
    }
    let mut result = Vec::with_capacity(width * height);
    for row in 1..=height {
        result.extend_from_slice(&envelope(&field[row * columns..][..columns])[1..=width]);
    }
    result
}

/// The smallest `(x - i)² + values[i]` over all `i`, for each `x`.
fn envelope(values: &[f32]) -> Vec<f32> {
    let cross = |a: usize, b: usize| {
        let (x, y) = (a as f32, b as f32);
        ((values[b] + y * y) - (values[a] + x * x)) / (2.0 * (y - x))
    };
    let mut lowest: Vec<(usize, f32)> = Vec::with_capacity(values.len());
    for index in 0..values.len() {
        let mut from = f32::NEG_INFINITY;
        while let Some(&(last, start)) = lowest.last() {
            from = cross(last, index);
            if from > start {
                break;
            }
            lowest.pop();
            from = f32::NEG_INFINITY;
        }
        lowest.push((index, from));
    }
    let mut current = 0;
    (0..values.len())
        .map(|x| {
            while current + 1 < lowest.len() && lowest[current + 1].1 < x as f32 {
                current += 1;
            }
            let index = lowest[current].0;
            (x as f32 - index as f32).powi(2) + values[index]
        })
        .collect()
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
