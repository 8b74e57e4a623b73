//! The skeletons of the drawn digits: each digit in several hands, with proportions that differ from one to the next.
//! Coordinates are those of a page: x to the right, y down, a digit about 1 high. What pen and hurry do to a skeleton
//! is not here.

use super::chance::Chance;

/// A point `[x, y]`.
pub(super) type Point = [f32; 2];

/// One path of the pen while it is put together.
#[derive(Default)]
struct Path {
    points: Vec<Point>,
}

impl Path {
    /// Straight on to `to`, or begins there.
    fn line(mut self, to: Point) -> Self {
        let from = self.points.last().copied().unwrap_or(to);
        let length = ((to[0] - from[0]).powi(2) + (to[1] - from[1]).powi(2)).sqrt();
        let pieces = (length / 0.06).ceil().max(1.0);
        self.points.extend((1..=pieces as usize).map(|piece| mix(from, to, piece as f32 / pieces)));
        self
    }

    /// An arc of an ellipse; degrees, 0 to the right, 90 down, so growing angles run clockwise. The pen comes straight
    /// to its first point.
    fn arc(mut self, centre: Point, radii: Point, from: f32, to: f32) -> Self {
        let pieces = ((to - from).abs() / 15.0).ceil().max(1.0);
        for piece in 0..=pieces as usize {
            let (sine, cosine) = sine_and_cosine(from + (to - from) * piece as f32 / pieces);
            self.points.push([centre[0] + radii[0] * cosine, centre[1] + radii[1] * sine]);
        }
        self
    }

    /// A smooth bend on to `to`, drawn towards `by` on the way (a quadratic Bézier curve).
    fn bend(mut self, by: Point, to: Point) -> Self {
        let from = self.points.last().copied().unwrap_or(by);
        self.points.extend((1..=8).map(|piece| {
            let t = piece as f32 / 8.0;
            mix(mix(from, by, t), mix(by, to, t), t)
        }));
        self
    }
}

fn mix(a: Point, b: Point, share: f32) -> Point {
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}

/// Sine and cosine of an angle in degrees, from multiplications and additions alone: the system's own may differ in
/// the last digit between machines, and drawn digits are the same everywhere.
pub(super) fn sine_and_cosine(degrees: f32) -> (f32, f32) {
    let sine = |degrees: f32| {
        let turns = degrees / 360.0;
        let turns = turns - turns.round();
        // Mirrored into a quarter turn on either side of 0, where the series is good to 1e-6.
        let turns = if turns.abs() > 0.25 { 0.5_f32.copysign(turns) - turns } else { turns };
        let x = turns * std::f32::consts::TAU;
        let square = x * x;
        x * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0))))
    };
    (sine(degrees), sine(degrees + 90.0))
}

/// The strokes of a digit, 0 to 9, in a hand chosen by `chance`.
pub(super) fn skeleton(label: u8, chance: &mut Chance) -> Vec<Vec<Point>> {
    let paths = match label {
        0 => zero(chance),
        1 => one(chance),
        2 => two(chance),
        3 => three(chance),
        4 => four(chance),
        5 => five(chance),
        6 => six(chance),
        7 => seven(chance),
        8 => eight(chance),
        _ => nine(chance),
    };
    paths.into_iter().map(|path| path.points).collect()
}

fn zero(c: &mut Chance) -> Vec<Path> {
    let wide = c.between(0.24, 0.6);
    let start = c.about(-80.0, 35.0);
    // Falls short of a full turn, or runs on beyond it, on a slightly smaller or larger oval.
    let turn = c.between(320.0, 405.0) * if c.happens(0.85) { -1.0 } else { 1.0 };
    let drift = c.about(0.0, 0.06);
    let egg = c.about(0.0, 0.08);
    let mut path = Path::default().arc([0.0, 0.5], [wide, 0.5], start, start + turn);
    let last = (path.points.len() - 1) as f32;
    for (index, point) in path.points.iter_mut().enumerate() {
        let share = index as f32 / last;
        point[0] *= (1.0 + drift * (2.0 * share - 1.0)) * (1.0 + egg * (point[1] - 0.5) * 2.0);
        point[1] = 0.5 + (point[1] - 0.5) * (1.0 - drift * (2.0 * share - 1.0));
    }
    if c.happens(0.2) {
        // The end runs on straight, into the oval or away from it.
        let end = path.points[path.points.len() - 1];
        path = path.line([end[0] + c.about(0.0, 0.12), end[1] + c.about(0.05, 0.12)]);
    }
    let mut paths = vec![path];
    if c.happens(0.05) {
        let reach = c.between(0.7, 1.15);
        paths.push(Path::default().line([wide * reach, 0.5 - 0.45 * reach]).line([-wide * reach, 0.5 + 0.45 * reach]));
    }
    paths
}

fn one(c: &mut Chance) -> Vec<Path> {
    let bow = c.about(0.0, 0.03);
    let stem = |path: Path| path.line([0.0, 0.0]).bend([bow, 0.5], [0.0, 1.0]);
    let hook = |c: &mut Chance| [-c.between(0.06, 0.46), c.between(0.08, 0.5)];
    if c.happens(0.62) {
        return vec![stem(Path::default())];
    }
    let mut paths = if c.happens(0.85) {
        let start = hook(c);
        let by = [start[0] * c.between(0.3, 0.6), start[1] * c.between(0.4, 0.8)];
        vec![stem(Path::default().line(start).bend(by, [0.0, 0.0]))]
    } else {
        vec![stem(Path::default())]
    };
    if c.happens(0.35) {
        let (left, right) = (c.between(0.12, 0.36), c.between(0.12, 0.38));
        let tilt = c.about(0.0, 0.03);
        paths.push(Path::default().line([-left, 1.0 - tilt]).line([right, 1.0 + tilt]));
    }
    paths
}

fn two(c: &mut Chance) -> Vec<Path> {
    let (wide, high) = (c.between(0.14, 0.4), c.between(0.14, 0.34));
    let top = [wide, high];
    let start = c.between(150.0, 240.0);
    let end = c.between(360.0, 400.0);
    let head = Path::default().arc(top, [wide, high], start, end);
    let left = c.about(0.02, 0.1);
    let low = c.between(0.84, 1.0);
    let right = c.between(0.4, 1.1);
    let foot_end = low + c.about(0.0, 0.08);
    let sag = c.about(0.0, 0.06);
    let through = [wide * c.between(1.0, 1.9), c.between(0.55, 0.85)];
    let path = if c.happens(0.6) {
        // A loop where the diagonal meets the foot: down, round to the left, over the top, off to the right.
        let (size, flat) = (c.between(0.04, 0.28), c.between(0.4, 1.0));
        let centre = [left + c.between(0.0, 1.0) * size, low - size * flat];
        let (from, to) = (c.between(25.0, 80.0), c.between(260.0, 320.0));
        let (sine, cosine) = sine_and_cosine(from);
        let joint = [centre[0] + size * cosine, centre[1] + size * flat * sine];
        head.bend([mix(through, joint, 0.3)[0], through[1]], joint)
            .arc(centre, [size, size * flat], from, to)
            .bend([mix(centre, [right, low], 0.6)[0], low + sag - 0.04], [right, foot_end])
    } else {
        head.bend(through, [left, low]).bend([(left + right) / 2.0, (low + foot_end) / 2.0 + sag], [right, foot_end])
    };
    vec![path]
}

fn three(c: &mut Chance) -> Vec<Path> {
    let waist = c.between(0.32, 0.58);
    let (upper, lower) = (c.between(0.14, 0.4), c.between(0.14, 0.42));
    let depth = c.between(-0.08, 0.18);
    let start = c.between(175.0, 250.0);
    let end = c.between(80.0, 210.0);
    let half = waist / 2.0;
    let middle = [depth, waist];
    let mut path = if c.happens(0.18) {
        // Flat on top, with a corner.
        let (left, right) = (-c.between(0.1, 0.34), c.between(0.08, 0.36));
        Path::default().line([left, c.about(0.02, 0.04)]).line([right, 0.0]).line(middle)
    } else {
        let turn = c.between(385.0, 440.0);
        Path::default().arc([0.0, half], [upper, half], start, turn).line(middle)
    };
    if c.happens(0.15) {
        // A small loop at the waist.
        let size = c.between(0.03, 0.08);
        path = path.arc([depth - size, waist], [size, size * 0.7], -60.0, -300.0);
    }
    let low = (1.0 - waist) / 2.0;
    let shift = c.about(0.0, 0.07);
    let mut path = path.arc([shift, 1.0 - low], [lower, low], c.between(-90.0, -55.0), end);
    if c.happens(0.25) {
        // The lower bowl ends in a straight tail to the left.
        path = path.line([shift - lower * c.between(0.6, 1.7), 1.0 - c.between(0.0, 0.15)]);
    }
    vec![path]
}

fn four(c: &mut Chance) -> Vec<Path> {
    let bar = c.between(0.42, 0.76);
    let right = c.between(0.24, 0.72);
    let beyond = right + c.between(-0.02, 0.34);
    let lean = c.about(0.0, 0.06);
    let low_stem = if c.happens(0.12) { 0.3 } else { 0.0 };
    let stem_top = [right + c.about(0.04, 0.05), (c.between(-0.05, 0.4) + low_stem) * bar];
    let stem_end = [right - c.about(0.05, 0.06), 1.0];
    let left = [c.about(0.0, 0.05), bar + c.about(0.0, 0.03)];
    let bar_end = [beyond, bar + c.about(-0.01, 0.05)];
    let top_left = [c.about(0.1, 0.09), c.between(0.0, 0.2)];
    match c.between(0.0, 1.0) {
        // Open: down, across, and the stem by itself.
        kind if kind < 0.5 => {
            let down = Path::default().line(top_left).bend([lean, bar * 0.6], left);
            vec![down.line(bar_end), Path::default().line(stem_top).line(stem_end)]
        }
        // Open and round at the corner, as a u with a long stem, in one stroke or two.
        kind if kind < 0.78 => {
            let belly = bar + c.between(0.0, 0.08);
            let cup = Path::default()
                .line(top_left)
                .bend([-0.06 + lean, belly * 0.95], [right * 0.4, belly])
                .bend([right * 0.85, belly], [right, bar * c.between(0.6, 0.9)]);
            if c.happens(0.6) {
                vec![cup.line(stem_top).line(stem_end)]
            } else {
                vec![cup, Path::default().line(stem_top).line(stem_end)]
            }
        }
        // Closed: from the apex down to the left, across, and down from the apex.
        kind if kind < 0.92 => {
            let apex = [right + c.about(0.0, 0.04), c.about(0.0, 0.03)];
            let bow = c.about(0.03, 0.05);
            let flank = Path::default().line(apex).bend([right * 0.5 - bow, bar * 0.5], left).line(bar_end);
            vec![flank, Path::default().line([apex[0] + c.about(0.0, 0.03), apex[1]]).line(stem_end)]
        }
        // Closed in one stroke that ends as the stem.
        _ => {
            let apex = [right + c.about(0.0, 0.03), c.about(0.02, 0.03)];
            let start = [right + c.about(0.02, 0.03), bar + c.about(0.0, 0.03)];
            vec![Path::default().line(start).line(left).bend([right * 0.45, bar * 0.4], apex).line(stem_end)]
        }
    }
}

fn five(c: &mut Chance) -> Vec<Path> {
    let neck = c.between(0.26, 0.54);
    let left = c.about(0.0, 0.05);
    let corner = [c.about(0.07, 0.06), c.about(0.02, 0.03)];
    let bar_end = [corner[0] + c.between(0.2, 0.9), c.about(0.0, 0.08)];
    let (wide, high) = (c.between(0.13, 0.42), (1.0 - neck) / 2.0 + c.between(0.0, 0.06));
    let middle = [left + wide * c.between(0.3, 0.95), 1.0 - high];
    let end = c.between(95.0, 200.0);
    let from = c.between(-150.0, -85.0);
    let bowl = |path: Path| path.arc(middle, [wide, high], from, end);
    match c.between(0.0, 1.0) {
        // In one: bar from the right, neck, bowl.
        kind if kind < 0.5 => {
            let sag = c.about(0.0, 0.05);
            let bar = Path::default().line(bar_end).bend([(bar_end[0] + corner[0]) / 2.0, sag], corner);
            vec![bowl(bar.line([left, neck]))]
        }
        // In two: neck and bowl, then the bar, which may miss the neck.
        kind if kind < 0.8 => {
            let gap = c.about(0.03, 0.06);
            let bar = Path::default().line([corner[0] + gap, corner[1] + c.about(0.0, 0.04)]).line(bar_end);
            vec![bowl(Path::default().line(corner).line([left, neck])), bar]
        }
        // In one without corners, nearly an s.
        _ => {
            let over = Path::default().line([bar_end[0], bar_end[1] + 0.06]);
            vec![bowl(over.bend([left - 0.02, -0.08], [left, neck * 0.85]))]
        }
    }
}

fn six(c: &mut Chance) -> Vec<Path> {
    let (wide, high) = (c.between(0.16, 0.42), c.between(0.13, 0.3));
    let centre = [wide, 1.0 - high];
    let top = [wide * c.between(0.1, 2.6), 0.0];
    let bow = c.between(-0.12, 0.14);
    let left = -c.between(0.0, 0.08);
    let turn = c.between(290.0, 440.0);
    let shrink = c.between(0.65, 1.05);
    let tilt = c.about(-0.05, 0.2);
    if c.happens(0.45) {
        // A straight stem, a tight turn at its foot, and a loop that comes back to it from the right.
        let low = c.between(0.8, 0.98);
        let right = 2.0 * wide;
        let crown = 1.0 - 2.0 * high + c.about(0.0, 0.04);
        let end = [left + c.between(-0.08, 0.2), c.between(crown + 0.02, 0.95)];
        let stem = Path::default().line(top).bend([left + bow, c.between(0.35, 0.7)], [left, low]);
        let belly = stem.bend([left, 1.01], [right * c.between(0.25, 0.5), 1.0]);
        let shoulder = belly.bend([right, 1.0], [right, crown + high * c.between(0.5, 1.1)]);
        let crown_at = [right * c.between(0.5, 0.8), crown];
        return vec![shoulder.bend([right, crown], crown_at).bend([end[0] + 0.1, crown + 0.02], end)];
    }
    // Down the left side, round the bottom, up and over into the loop.
    let mut path = Path::default().line(top).bend([left + bow * 0.5, 0.35 + bow], [left, centre[1]]);
    let pieces = 24;
    for piece in 1..=pieces {
        let share = piece as f32 / pieces as f32;
        let (sine, cosine) = sine_and_cosine(180.0 - turn * share);
        let size = 1.0 - (1.0 - shrink) * share;
        let x = centre[0] + (wide - left * (1.0 - share)) * size * cosine;
        path.points.push([x, centre[1] + high * size * sine + tilt * share.min(0.5) * (cosine + 1.0) * high]);
    }
    vec![path]
}

fn seven(c: &mut Chance) -> Vec<Path> {
    let right = c.between(0.36, 1.0);
    let corner = [right, c.about(0.02, 0.05)];
    let start = [0.0, c.about(0.05, 0.06)];
    let foot = [right * c.between(0.0, 0.8), 1.0];
    let bow = c.about(-0.04, 0.07);
    let mut path = Path::default();
    if c.happens(0.35) {
        path = path.line([start[0] - c.about(0.01, 0.03), start[1] + c.between(0.06, 0.34)]);
    }
    let sag = c.about(-0.01, 0.05);
    path = path.line(start).bend([right / 2.0, sag], corner);
    let middle = mix(corner, foot, 0.5);
    let mut paths = vec![path.bend([middle[0] + bow, middle[1]], foot)];
    if c.happens(0.3) {
        let height = c.between(0.4, 0.68);
        let at = mix(corner, foot, height);
        let (left, right) = (c.between(0.1, 0.34), c.between(0.1, 0.4));
        let (tilt, bow) = (c.about(0.0, 0.06), c.about(0.0, 0.05));
        let bar = Path::default().line([at[0] - left, at[1] + tilt]);
        paths.push(bar.bend([at[0], at[1] + bow], [at[0] + right, at[1] - tilt]));
    }
    paths
}

fn eight(c: &mut Chance) -> Vec<Path> {
    let waist = c.between(0.36, 0.6);
    let (upper, lower) = (c.between(0.13, 0.36), c.between(0.11, 0.36));
    let aside = c.about(0.0, 0.08);
    if c.happens(0.12) {
        let (half, low) = (waist / 2.0, (1.0 - waist) / 2.0);
        let start = c.about(-90.0, 30.0);
        let head = Path::default().arc([0.0, half], [upper, half], start, start - c.between(345.0, 385.0));
        let start = c.about(-90.0, 30.0);
        let body = Path::default().arc([aside, 1.0 - low], [lower, low], start, start - c.between(345.0, 385.0));
        return vec![head, body];
    }
    // One loop: x swings twice while y goes down and up once. It begins at the upper right, leaves a gap or overlaps,
    // and either end may run off to the right.
    let begin = c.between(-80.0, 0.0);
    let turn = c.between(295.0, 395.0);
    let full = c.between(0.95, 1.25);
    let mut path = Path::default();
    if c.happens(0.25) {
        path = path.line([upper * c.between(0.7, 1.9), c.between(-0.05, 0.3)]);
    }
    let pieces = 36;
    for piece in 0..=pieces {
        let angle = begin + turn * piece as f32 / pieces as f32;
        let down = 0.5 - 0.5 * sine_and_cosine(angle).1;
        let swing = -sine_and_cosine(2.0 * angle).0;
        let (wide, y) =
            if down < 0.5 { (upper, down * 2.0 * waist) } else { (lower, 1.0 - (1.0 - down) * 2.0 * (1.0 - waist)) };
        path.points.push([swing * wide * full + aside * (down - 0.5), y]);
    }
    if c.happens(0.25) {
        path = path.line([upper * c.between(0.4, 1.7), c.between(-0.12, 0.15)]);
    }
    vec![path]
}

fn nine(c: &mut Chance) -> Vec<Path> {
    let (wide, high) = (c.between(0.13, 0.4), c.between(0.1, 0.3));
    let side = wide * c.between(0.85, 1.1);
    let tilt = c.about(-0.1, 0.25);
    let mut ring = if c.happens(0.4) {
        // A drop: from the stem's top to the left, down, and back up to the top.
        let top = [side, c.about(0.0, 0.05)];
        let low = high * 2.0;
        Path::default()
            .line([top[0] - c.between(-0.05, 0.8) * wide, top[1] + c.about(0.01, 0.04)])
            .bend([-wide * 0.9, c.between(-0.1, 0.1)], [-wide, high])
            .bend([-wide, low], [-wide * 0.1, low])
            .bend([side * 0.9, low], [side, high * c.between(0.4, 1.2)])
    } else {
        // The loop runs from the upper right over the top, down the left side and back to the stem.
        let start = c.between(-85.0, 15.0);
        Path::default().arc([0.0, high], [wide, high], start, start - c.between(270.0, 385.0))
    };
    for point in &mut ring.points {
        point[1] += tilt * (side - point[0]) * 0.5;
    }
    let top = [side, high * c.between(-0.2, 1.0)];
    let foot = c.about(0.0, 0.12);
    let path = match c.between(0.0, 1.0) {
        // A straight stem.
        kind if kind < 0.55 => ring.line(top).bend([side + c.about(0.0, 0.04), 0.6], [side * 0.75 + foot, 1.0]),
        // A stem that bends to the left.
        kind if kind < 0.8 => ring.line(top).bend([side + 0.04, 0.75], [foot - c.between(0.0, 0.15), 1.0]),
        // A stem that curls up again at its end.
        _ => {
            let (low, reach) = (c.between(0.1, 0.3), wide * c.between(0.8, 1.9));
            let middle = [side - reach + foot * 0.5, 1.0 - low];
            let end = c.between(90.0, 185.0);
            ring.line(top).line([side + foot * 0.5, 1.0 - low * 1.3]).arc(middle, [reach, low], 0.0, end)
        }
    };
    vec![path]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_are_right_to_a_hundred_thousandth() {
        for step in -500..500 {
            let degrees = step as f32 * 1.7;
            let (sine, cosine) = sine_and_cosine(degrees);
            let (expected_sine, expected_cosine) = degrees.to_radians().sin_cos();
            assert!((sine - expected_sine).abs() < 1e-5 && (cosine - expected_cosine).abs() < 1e-5, "{degrees}");
        }
    }

    #[test]
    fn every_skeleton_is_about_one_high_and_not_much_wider() {
        for index in 0..2000 {
            let label = (index % 10) as u8;
            let strokes = skeleton(label, &mut Chance::new(label, 9, index));
            assert!((1..=2).contains(&strokes.len()) && strokes.iter().all(|stroke| stroke.len() > 1));
            let along = |axis: usize| {
                let values = || strokes.iter().flatten().map(move |point| point[axis]);
                values().fold(f32::MIN, f32::max) - values().fold(f32::MAX, f32::min)
            };
            assert!((0.8..1.4).contains(&along(1)), "{label}: {} high", along(1));
            assert!(along(0) < 1.6, "{label}: {} wide", along(0));
        }
    }
}
