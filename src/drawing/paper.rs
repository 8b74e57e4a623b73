//! Which light is paper where it falls unevenly: a photograph with a shadow, a lamp, or the edge of the table on it. An
//! image of even paper needs none of this (`picture`).

use std::collections::VecDeque;

use super::raster::Raster;

/// Photographs are looked at with at most this longer side.
const SIDE: usize = 512;
/// Lines are narrower than this share of the image, shadows and tables are wider.
const REACH: f32 = 0.2;
/// Cells along the longer side in which the border is averaged to see whether its light is even.
const CELLS: f32 = 24.0;
/// The border's light may stray by this much, of 255, and still be even.
const EVEN: f32 = 14.0;

/// Whether the border is of one light, and most of the image with it: then that is paper. Averages over small cells are
/// compared, for noise is no shadow.
pub(super) fn is_even(unlike_border: &Raster) -> bool {
    let longer = unlike_border.width.max(unlike_border.height) as f32;
    let step = (longer / CELLS).max(1.0);
    let count = |length: usize| ((length as f32 / step).floor() as usize).max(1);
    let (columns, rows) = (count(unlike_border.width), count(unlike_border.height));
    let cells = unlike_border.averaged([0.0, 0.0], step, columns, rows);
    let strongest = cells.ink.iter().copied().fold(0.0, f32::max);
    let (mut rim, mut strays, mut paper) = (0, 0, 0);
    for (index, &ink) in cells.ink.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        paper += usize::from(ink < 0.5 * strongest);
        if row == 0 || column == 0 || row + 1 == rows || column + 1 == columns {
            rim += 1;
            strays += usize::from(ink > EVEN);
        }
    }
    // a line that leaves the image crosses a few cells of its rim
    8 * strays <= rim && 2 * paper >= cells.ink.len()
}

/// How far every pixel is from the paper around it, 0 to 255, of an image in `channels` of light from 0 to 255. The paper
/// under a line is what a closing leaves of the light (an opening where the ink is the lighter): everything narrower than
/// [`REACH`] is filled with the light beside it, and wider shadows keep their edges (Haralick, Sternberg and Zhuang 1987).
/// Dark ink is measured as the share of the paper's light that it takes, so that it is as dark in the shadow.
pub(super) fn unlike_paper_around(channels: &[Raster; 3]) -> Raster {
    // a grey image is the same three times
    let grey = channels[1].ink == channels[0].ink && channels[2].ink == channels[0].ink;
    let used = if grey { &channels[..1] } else { &channels[..] };
    let channels: Vec<Raster> = used.iter().map(|channel| median(&reduced(channel))).collect();
    let mut light = channels[0].clone();
    for (index, light) in light.ink.iter_mut().enumerate() {
        *light = channels.iter().map(|channel| channel.ink[index]).sum::<f32>() / channels.len() as f32;
    }
    let reach = ((REACH / 2.0 * light.width.max(light.height) as f32).round() as usize).max(1);
    let ink_is_dark = ink_is_dark(&light, reach);
    let mut unlike = Raster::blank(light.width, light.height);
    for channel in &channels {
        let paper = if ink_is_dark { closing(channel, reach) } else { opening(channel, reach) };
        for ((unlike, light), paper) in unlike.ink.iter_mut().zip(&channel.ink).zip(&paper.ink) {
            let found = if ink_is_dark { 255.0 * (paper - light) / paper.max(16.0) } else { light - paper };
            *unlike = unlike.max(found);
        }
    }
    unlike
}

/// Whether lines are darker than their paper: they are the smaller part of every neighbourhood and far from its mean, so
/// that the third moment about it has their sign. A ramp of light has none, and the two sides of a shadow's edge cancel.
fn ink_is_dark(light: &Raster, reach: usize) -> bool {
    let (width, height) = (light.width, light.height);
    // sums over everything above and to the left
    let mut sums = vec![0.0_f64; (width + 1) * (height + 1)];
    for row in 0..height {
        let mut line = 0.0;
        for column in 0..width {
            line += f64::from(light.ink[row * width + column]);
            sums[(row + 1) * (width + 1) + column + 1] = sums[row * (width + 1) + column + 1] + line;
        }
    }
    let mut third = 0.0;
    for (index, &here) in light.ink.iter().enumerate() {
        let (row, column) = (index / width, index % width);
        let (left, right) = (column.saturating_sub(reach), (column + reach + 1).min(width));
        let (top, bottom) = (row.saturating_sub(reach), (row + reach + 1).min(height));
        let sum = |row: usize, column: usize| sums[row * (width + 1) + column];
        let all = sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left);
        let mean = all / ((right - left) * (bottom - top)) as f64;
        third += (f64::from(here) - mean).powi(3);
    }
    third <= 0.0
}

fn reduced(channel: &Raster) -> Raster {
    let shrink = channel.width.max(channel.height) as f32 / SIDE as f32;
    if shrink <= 1.0 {
        return channel.clone();
    }
    let count = |length: usize| ((length as f32 / shrink).ceil() as usize).max(1);
    channel.averaged([0.0, 0.0], shrink, count(channel.width), count(channel.height))
}

/// The median of every 3×3 pixels: single pixels of noise are gone, edges stay.
pub(super) fn median(raster: &Raster) -> Raster {
    let (width, height) = (raster.width, raster.height);
    let mut result = raster.clone();
    let mut near = Vec::with_capacity(9);
    for row in 0..height {
        for column in 0..width {
            near.clear();
            for y in row.saturating_sub(1)..(row + 2).min(height) {
                near.extend_from_slice(
                    &raster.ink[y * width + column.saturating_sub(1)..y * width + (column + 2).min(width)],
                );
            }
            let middle = near.len() / 2;
            result.ink[row * width + column] = *near.select_nth_unstable_by(middle, f32::total_cmp).1;
        }
    }
    result
}

fn closing(raster: &Raster, reach: usize) -> Raster {
    extreme(&extreme(raster, reach, f32::max), reach, f32::min)
}

fn opening(raster: &Raster, reach: usize) -> Raster {
    extreme(&extreme(raster, reach, f32::min), reach, f32::max)
}

/// The greatest or least value within `reach` pixels along rows, then columns: a square window, cut at the image's edge.
fn extreme(raster: &Raster, reach: usize, of: fn(f32, f32) -> f32) -> Raster {
    let mut result = raster.clone();
    for line in result.ink.chunks_exact_mut(raster.width) {
        let values = line.to_vec();
        windows(&values, reach, of, line.iter_mut());
    }
    for column in 0..raster.width {
        let values: Vec<f32> = result.ink.iter().skip(column).step_by(raster.width).copied().collect();
        windows(&values, reach, of, result.ink.iter_mut().skip(column).step_by(raster.width));
    }
    result
}

/// The extreme of every window from a queue of the values that no later one outdoes (Lemire 2006): each enters and
/// leaves once, however wide the windows are.
fn windows<'a>(values: &[f32], reach: usize, of: fn(f32, f32) -> f32, result: impl Iterator<Item = &'a mut f32>) {
    let mut queue: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for (index, result) in result.enumerate() {
        while next < values.len().min(index + reach + 1) {
            while queue.back().is_some_and(|&last| of(values[last], values[next]) == values[next]) {
                queue.pop_back();
            }
            queue.push_back(next);
            next += 1;
        }
        while queue.front().is_some_and(|&first| first + reach < index) {
            queue.pop_front();
        }
        *result = queue.front().map_or(*result, |&first| values[first]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_give_what_looking_at_every_value_gives() {
        let values: Vec<f32> = (0..47_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as f32).collect();
        for count in [1, 2, 5, 13, 47] {
            for reach in [1, 2, 6, 30] {
                let values = &values[..count];
                for of in [f32::max as fn(f32, f32) -> f32, f32::min] {
                    let mut found = vec![0.0; count];
                    windows(values, reach, of, found.iter_mut());
                    let look = |i: usize| {
                        let window = &values[i.saturating_sub(reach)..(i + reach + 1).min(count)];
                        window.iter().copied().reduce(of).unwrap()
                    };
                    let expected: Vec<f32> = (0..count).map(look).collect();
                    assert_eq!(found, expected, "{count} values, {reach} to each side");
                }
            }
        }
    }

    #[test]
    fn a_line_in_the_shadow_is_as_dark_as_in_the_light_and_the_shadow_is_paper() {
        let (width, height) = (120, 90);
        let light = |x: usize, y: usize| {
            let paper = if x < 60 { 220.0 } else { 90.0 };
            if (40..46).contains(&y) && (10..110).contains(&x) { paper * 0.3 } else { paper }
        };
        let ink = (0..width * height).map(|i| light(i % width, i / width)).collect();
        let channel = Raster { width, height, ink };
        let negative = Raster { ink: channel.ink.iter().map(|light| 255.0 - light).collect(), ..channel };
        let found = unlike_paper_around(&[channel.clone(), channel.clone(), channel.clone()]);
        let at = |x: usize, y: usize| found.ink[y * width + x];
        assert!((at(30, 43) - at(90, 43)).abs() < 1.0 && at(30, 43) > 150.0);
        assert!(ink_is_dark(&channel, 12) && !ink_is_dark(&negative, 12));
        assert!(at(59, 20) < 1.0 && at(60, 20) < 1.0 && at(100, 80) < 1.0);
    }

    #[test]
    fn noise_is_even_light_and_a_shadow_or_a_frame_is_not() {
        let raster = |unlike: &dyn Fn(usize, usize) -> f32| Raster {
            width: 200,
            height: 150,
            ink: (0..200 * 150).map(|i| unlike(i % 200, i / 200)).collect(),
        };
        let digit = |x: usize, y: usize| if (90..110).contains(&x) && (30..120).contains(&y) { 200.0 } else { 0.0 };
        assert!(is_even(&raster(&digit)));
        assert!(is_even(&raster(&|x, y| digit(x, y) + ((x * 31 + y * 17) % 23) as f32)));
        assert!(!is_even(&raster(&|x, y| digit(x, y) + if x > 120 { 80.0 } else { 0.0 })));
        assert!(!is_even(&raster(&|x, y| if x.min(199 - x).min(y).min(149 - y) < 10 {
            0.0
        } else {
            200.0 - digit(x, y)
        })));
    }
}
