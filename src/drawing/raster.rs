//! Ink as coverage on a pixel grid: smooth-edged capsules along a stroke's curve, a picture underneath, and exact area
//! averages. Which window of the pad is looked at, and how finely, is the caller's choice.

use super::picture::Picture;
use super::strokes::{Drawing, InkPoint, Stroke};

/// A rectangle; in units of the pad, or in pixels of a raster where said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InkBox {
    /// Smallest x.
    pub left: f32,
    /// Smallest y.
    pub top: f32,
    /// Largest x.
    pub right: f32,
    /// Largest y.
    pub bottom: f32,
}

impl InkBox {
    /// The whole pad.
    pub const PAD: Self = Self { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// From left to right.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    /// From top to bottom.
    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// The longer of both.
    pub fn longer(&self) -> f32 {
        self.width().max(self.height())
    }

    /// Grown by `margin` on every side.
    pub(super) fn grown(&self, margin: f32) -> Self {
        Self {
            left: self.left - margin,
            top: self.top - margin,
            right: self.right + margin,
            bottom: self.bottom + margin,
        }
    }

    /// The square around the middle with the longer side as its side.
    pub(super) fn squared(&self) -> Self {
        let (half, x, y) = (self.longer() / 2.0, (self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0);
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
    }
}

/// A stroke made ready to be rendered: its curve, and whether it takes ink away.
#[derive(Clone, Debug)]
pub(super) struct InkLine {
    pub points: Vec<InkPoint>,
    pub erases: bool,
}

impl InkLine {
    pub fn of(stroke: &Stroke) -> Self {
        Self { points: stroke.curve(), erases: stroke.erases }
    }

    /// Mean diameter along the way; that of the dot where there is no way.
    pub fn mean_diameter(&self) -> f32 {
        let (mut sum, mut way) = (0.0, 0.0);
        for pair in self.points.windows(2) {
            let step = length(pair[1].x - pair[0].x, pair[1].y - pair[0].y);
            sum += step * (pair[0].diameter + pair[1].diameter) / 2.0;
            way += step;
        }
        if way > 0.0 { sum / way } else { self.points.first().map_or(0.0, |point| point.diameter) }
    }
}

/// The box around the ink that `lines` lay, with erasing left out of account; `None` where they lay none.
pub(super) fn box_of_lines(lines: &[InkLine]) -> Option<InkBox> {
    let mut joined: Option<InkBox> = None;
    for point in lines.iter().filter(|line| !line.erases).flat_map(|line| &line.points) {
        let dot = InkBox { left: point.x, top: point.y, right: point.x, bottom: point.y }.grown(point.diameter / 2.0);
        match &mut joined {
            Some(joined) => joined.join(dot),
            None => joined = Some(dot),
        }
    }
    joined.filter(|joined| joined.longer() > 0.0)
}

/// Where a raster's pixels lie on the pad.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub left: f32,
    pub top: f32,
    /// Pixels in one side of the pad.
    pub scale: f32,
    pub width: usize,
    pub height: usize,
}

impl Frame {
    /// Pixels of `1 / scale` that cover `window`, which lies in their middle.
    pub fn around(window: InkBox, scale: f32) -> Self {
        // A rounding error must not cost a column of empty pixels.
        let count = |length: f32| ((length * scale - 1e-3).ceil() as usize).max(1);
        let (width, height) = (count(window.width()), count(window.height()));
        Self {
            left: (window.left + window.right - width as f32 / scale) / 2.0,
            top: (window.top + window.bottom - height as f32 / scale) / 2.0,
            scale,
            width,
            height,
        }
    }

    /// A box in this frame's pixels as a box on the pad.
    pub fn on_pad(&self, pixels: InkBox) -> InkBox {
        let (x, y) = (|x: f32| self.left + x / self.scale, |y: f32| self.top + y / self.scale);
        InkBox { left: x(pixels.left), top: y(pixels.top), right: x(pixels.right), bottom: y(pixels.bottom) }
    }
}

/// Coverage by ink, row-major, 0 is paper and 1 is ink.
#[derive(Clone, Debug)]
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    pub ink: Vec<f32>,
}

impl Raster {
    pub fn blank(width: usize, height: usize) -> Self {
        Self { width, height, ink: vec![0.0; width * height] }
    }

    /// What `frame` shows of a picture with strokes over it.
    pub fn render(lines: &[InkLine], picture: Option<&Picture>, frame: &Frame) -> Self {
        let mut raster = Self::blank(frame.width, frame.height);
        if let Some(picture) = picture {
            raster.lay_picture(picture, frame);
        }
        for line in lines {
            raster.lay_line(line, frame);
        }
        raster
    }

    fn lay_line(&mut self, line: &InkLine, frame: &Frame) {
        let place = |point: &InkPoint| {
            [
                (point.x - frame.left) * frame.scale,
                (point.y - frame.top) * frame.scale,
                point.diameter * frame.scale / 2.0,
            ]
        };
        let Some(first) = line.points.first() else {
            return;
        };
        let mut from = place(first);
        if line.points.len() == 1 {
            self.lay_capsule(from, from, line.erases);
        }
        for (index, point) in line.points.iter().enumerate().skip(1) {
            let to = place(point);
            // Steps much shorter than the pen is wide cost time and show nothing.
            let step = length(to[0] - from[0], to[1] - from[1]);
            if step >= 0.3 * to[2] || index + 1 == line.points.len() {
                self.lay_capsule(from, to, line.erases);
                from = to;
            }
        }
    }

    /// One straight piece with round ends; `[x, y, radius]` in pixels. Pixels that overlap earlier ink keep the darker
    /// value, so a line does not thicken where its pieces join.
    fn lay_capsule(&mut self, from: [f32; 3], to: [f32; 3], erases: bool) {
        let [dx, dy, growth] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
        let squared = dx * dx + dy * dy;
        let inverse = if squared > 0.0 { 1.0 / squared } else { 0.0 };
        let reach = from[2].max(to[2]) + 0.5;
        // A pen finer than a pixel leaves a paler line, not none.
        let darkest = (2.0 * reach - 1.0).min(1.0);
        let span = |a: f32, b: f32, end: usize| {
            let low = (a.min(b) - reach - 0.5).ceil().clamp(0.0, end as f32) as usize;
            let high = (a.max(b) + reach + 0.5).floor().clamp(0.0, end as f32) as usize;
            low..high.max(low)
        };
        let (columns, rows) = (span(from[0], to[0], self.width), span(from[1], to[1], self.height));
        for row in rows {
            let y = row as f32 + 0.5 - from[1];
            let line = &mut self.ink[row * self.width..][..self.width][columns.clone()];
            for (pixel, column) in line.iter_mut().zip(columns.clone()) {
                let x = column as f32 + 0.5 - from[0];
                let along = ((x * dx + y * dy) * inverse).clamp(0.0, 1.0);
                let (off_x, off_y) = (x - along * dx, y - along * dy);
                let distance = (off_x * off_x + off_y * off_y).sqrt();
                let cover = (from[2] + along * growth - distance + 0.5).clamp(0.0, darkest);
                *pixel = if erases { pixel.min(1.0 - cover) } else { pixel.max(cover) };
            }
        }
    }

    fn lay_picture(&mut self, picture: &Picture, frame: &Frame) {
        let side = picture.side as f32;
        let source = Raster {
            width: picture.side,
            height: picture.side,
            ink: picture.ink.iter().map(|&ink| f32::from(ink) / 255.0).collect(),
        };
        let step = side / frame.scale;
        let corner = [frame.left * side, frame.top * side];
        if step >= 1.0 || picture.is_digit_image() {
            // Fewer pixels than the picture has, or pixels that must stay the squares they are: average.
            *self = source.averaged(corner, step, frame.width, frame.height);
            return;
        }
        for row in 0..frame.height {
            for column in 0..frame.width {
                let x = corner[0] + (column as f32 + 0.5) * step - 0.5;
                let y = corner[1] + (row as f32 + 0.5) * step - 0.5;
                self.ink[row * frame.width + column] = source.between(x, y);
            }
        }
    }

    /// Bilinear value at pixel-index coordinates; paper beyond the edge.
    pub fn between(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let at = |column: f32, row: f32| {
            let inside = column >= 0.0 && row >= 0.0 && column < self.width as f32 && row < self.height as f32;
            if inside { self.ink[row as usize * self.width + column as usize] } else { 0.0 }
        };
        let (u, v) = (x - x0, y - y0);
        (at(x0, y0) * (1.0 - u) + at(x0 + 1.0, y0) * u) * (1.0 - v)
            + (at(x0, y0 + 1.0) * (1.0 - u) + at(x0 + 1.0, y0 + 1.0) * u) * v
    }

    /// The mean ink in each of `width` × `height` squares of side `step`, the first with its corner at `corner`; all in
    /// pixels of this raster, fractions of pixels counted as such, paper beyond the edge.
    pub fn averaged(&self, corner: [f32; 2], step: f32, width: usize, height: usize) -> Self {
        let mut rows = Self::blank(self.width, height);
        for (row, target) in rows.ink.chunks_exact_mut(self.width).enumerate() {
            let top = corner[1] + row as f32 * step;
            for (source, share) in shares(top, top + step, self.height) {
                for (sum, ink) in target.iter_mut().zip(&self.ink[source * self.width..][..self.width]) {
                    *sum += share * ink;
                }
            }
        }
        let mut result = Self::blank(width, height);
        for column in 0..width {
            let left = corner[0] + column as f32 * step;
            for (source, share) in shares(left, left + step, self.width) {
                for row in 0..height {
                    result.ink[row * width + column] += share * rows.ink[row * self.width + source];
                }
            }
        }
        result
    }

    /// The box around all pixels with more ink than `threshold`, in pixels; `None` where there are none.
    pub fn ink_box(&self, threshold: f32) -> Option<InkBox> {
        let mut found: Option<[usize; 4]> = None;
        for (row, line) in self.ink.chunks_exact(self.width).enumerate() {
            let Some(first) = line.iter().position(|&ink| ink > threshold) else {
                continue;
            };
            let last = line.iter().rposition(|&ink| ink > threshold).unwrap_or(first);
            let [left, top, right, _] = found.unwrap_or([first, row, last, row]);
            found = Some([left.min(first), top, right.max(last), row]);
        }
        found.map(|[left, top, right, bottom]| InkBox {
            left: left as f32,
            top: top as f32,
            right: (right + 1) as f32,
            bottom: (bottom + 1) as f32,
        })
    }

    /// Mean width of the ink's lines in pixels: twice the area over the length of the outline, the outline being the
    /// sum of all slopes. 0 for an empty raster.
    pub fn line_width(&self) -> f32 {
        let at = |row: usize, column: usize| {
            // A rim of paper around the raster: ink that touches the edge ends there.
            let inside = (1..=self.height).contains(&row) && (1..=self.width).contains(&column);
            if inside { self.ink[(row - 1) * self.width + column - 1] } else { 0.0 }
        };
        let (mut area, mut outline) = (0.0_f64, 0.0_f64);
        for row in 0..=self.height {
            for column in 0..=self.width {
                let [a, b, c, d] = [at(row, column), at(row, column + 1), at(row + 1, column), at(row + 1, column + 1)];
                let (x, y) = ((b + d - a - c) / 2.0, (c + d - a - b) / 2.0);
                outline += f64::from((x * x + y * y).sqrt());
                area += f64::from(a);
            }
        }
        if outline > 0.0 { (2.0 * area / outline) as f32 } else { 0.0 }
    }

    /// As bytes, 255 is ink.
    pub fn bytes(&self) -> impl Iterator<Item = u8> {
        self.ink.iter().map(|ink| (ink * 255.0 + 0.5) as u8)
    }
}

/// The whole pad as `side` × `side` bytes, row-major, 0 is paper and 255 is ink: what the window shows, rendered by the
/// rule that the recipe reads, so that both agree.
pub fn ink(drawing: &Drawing, side: usize) -> Vec<u8> {
    let side = side.max(1);
    let lines: Vec<InkLine> = drawing.strokes.iter().map(InkLine::of).collect();
    let frame = Frame { left: 0.0, top: 0.0, scale: side as f32, width: side, height: side };
    Raster::render(&lines, drawing.picture.as_deref(), &frame).bytes().collect()
}

/// By multiplication and root alone, which give the same digits on every machine; `hypot` need not.
fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// The pixels of `0..count` that the stretch from `low` to `high` touches, each with its share of the stretch.
fn shares(low: f32, high: f32, count: usize) -> impl Iterator<Item = (usize, f32)> {
    let first = low.floor().clamp(0.0, count as f32) as usize;
    let end = high.ceil().clamp(0.0, count as f32) as usize;
    (first..end.max(first)).filter_map(move |pixel| {
        let share = (high.min(pixel as f32 + 1.0) - low.max(pixel as f32)) / (high - low);
        // Rounding errors at the seams are no ink.
        (share > 1e-4).then_some((pixel, share))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[[f32; 3]], erases: bool) -> InkLine {
        InkLine { points: points.iter().map(|&[x, y, diameter]| InkPoint { x, y, diameter }).collect(), erases }
    }

    fn area(raster: &Raster) -> f32 {
        raster.ink.iter().sum()
    }

    #[test]
    fn a_line_covers_its_length_times_its_width() {
        let frame = Frame::around(InkBox::PAD, 200.0);
        let raster = Raster::render(&[line(&[[0.2, 0.3, 0.1], [0.8, 0.7, 0.1]], false)], None, &frame);
        let (length, width) = (0.6_f32.hypot(0.4) * 200.0, 20.0);
        let expected = length * width + std::f32::consts::PI * width * width / 4.0;
        assert!((area(&raster) / expected - 1.0).abs() < 0.01, "{} against {expected}", area(&raster));
    }

    #[test]
    fn the_measured_width_of_a_long_line_is_the_pens() {
        let frame = Frame::around(InkBox::PAD, 400.0);
        for width in [0.02, 0.05] {
            let points: Vec<_> = (0..200)
                .map(|i| (i as f32 * 0.05).sin_cos())
                .map(|(s, c)| [0.5 + 0.4 * c, 0.5 + 0.4 * s, width])
                .collect();
            let found = Raster::render(&[line(&points, false)], None, &frame).line_width() / 400.0;
            assert!((found / width - 1.0).abs() < 0.05, "{found} against {width}");
        }
        assert_eq!(Raster::blank(3, 3).line_width(), 0.0);
    }

    #[test]
    fn an_eraser_takes_ink_away_and_later_ink_lies_over_it() {
        let frame = Frame::around(InkBox::PAD, 100.0);
        let across = line(&[[0.1, 0.5, 0.1], [0.9, 0.5, 0.1]], false);
        let eraser = line(&[[0.5, 0.2, 0.2], [0.5, 0.8, 0.2]], true);
        let cut = Raster::render(&[across.clone(), eraser.clone()], None, &frame);
        assert_eq!((cut.ink[50 * 100 + 50], cut.ink[50 * 100 + 20]), (0.0, 1.0));
        let whole = Raster::render(&[eraser, across], None, &frame);
        assert_eq!(whole.ink[50 * 100 + 50], 1.0);
    }

    #[test]
    fn averaging_keeps_the_ink_and_counts_fractions() {
        let raster = Raster { width: 3, height: 1, ink: vec![1.0, 0.0, 0.5] };
        let half = raster.averaged([0.0, 0.0], 1.5, 2, 1);
        assert!((half.ink[0] - 1.0 / 1.5 / 1.5).abs() < 1e-6 && (half.ink[1] - 0.5 / 1.5 / 1.5).abs() < 1e-6);
        let beyond = raster.averaged([-5.0, -5.0], 2.0, 2, 2);
        assert_eq!(area(&beyond), 0.0);
    }

    #[test]
    fn the_ink_box_is_where_the_ink_is() {
        let mut raster = Raster::blank(10, 8);
        assert_eq!(raster.ink_box(0.0), None);
        raster.ink[3 * 10 + 2] = 1.0;
        raster.ink[5 * 10 + 7] = 0.2;
        assert_eq!(raster.ink_box(0.0), Some(InkBox { left: 2.0, top: 3.0, right: 8.0, bottom: 6.0 }));
        assert_eq!(raster.ink_box(0.5), Some(InkBox { left: 2.0, top: 3.0, right: 3.0, bottom: 4.0 }));
    }

    #[test]
    fn a_pen_finer_than_a_pixel_leaves_a_pale_line() {
        let frame = Frame::around(InkBox::PAD, 50.0);
        let raster = Raster::render(&[line(&[[0.2, 0.51, 0.002], [0.8, 0.51, 0.002]], false)], None, &frame);
        let darkest = raster.ink.iter().copied().fold(0.0, f32::max);
        assert!(darkest > 0.02 && darkest < 0.6, "{darkest}");
    }

    #[test]
    fn ink_outside_the_frame_is_not_there() {
        let frame = Frame::around(InkBox::PAD, 20.0);
        let raster = Raster::render(&[line(&[[1.9, -0.9, 0.3], [1.9, 1.9, 0.3]], false)], None, &frame);
        assert_eq!(area(&raster), 0.0);
    }
}
