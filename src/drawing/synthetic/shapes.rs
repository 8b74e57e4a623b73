//! Skeletons of what is no digit: letters that look like none, signs, and scribbles. Coordinates are those of the digits'
//! skeletons: a page with y down, about 1 high. Letters that are drawn like a digit in some hand (B, D, G, I, J, L, O, Q,
//! S, Z; b, g, i, j, l, o, q, s, y, z) are not here: nobody could refuse them and read the digit.

use super::chance::Chance;
use super::skeletons::{Point, sine_and_cosine};

/// The paths of the pen of one shape: each a chain of points that [`strokes`] joins.
type Shape = &'static [&'static [Point]];

/// Shapes to learn from.
const FAMILIAR: &[Shape] = &[
    // A
    &[&[[0.0, 1.0], [0.4, 0.0], [0.8, 1.0]], &[[0.15, 0.62], [0.65, 0.62]]],
    &[&[[0.0, 1.0], [0.3, 0.1], [0.45, 0.0], [0.6, 0.1], [0.8, 1.0]], &[[0.1, 0.55], [0.7, 0.55]]],
    // E
    &[&[[0.6, 0.0], [0.0, 0.0], [0.0, 1.0], [0.6, 1.0]], &[[0.0, 0.48], [0.5, 0.48]]],
    &[&[[0.0, 0.0], [0.0, 1.0]], &[[0.0, 0.0], [0.55, 0.0]], &[[0.0, 0.5], [0.45, 0.5]], &[[0.0, 1.0], [0.55, 1.0]]],
    // F
    &[&[[0.6, 0.0], [0.0, 0.0], [0.0, 1.0]], &[[0.0, 0.45], [0.45, 0.45]]],
    // H
    &[&[[0.0, 0.0], [0.0, 1.0]], &[[0.7, 0.0], [0.7, 1.0]], &[[0.0, 0.5], [0.7, 0.5]]],
    // M
    &[&[[0.0, 1.0], [0.1, 0.0], [0.5, 0.7], [0.9, 0.0], [1.0, 1.0]]],
    &[&[[0.0, 1.0], [0.0, 0.0], [0.45, 0.6], [0.9, 0.0], [0.9, 1.0]]],
    // N
    &[&[[0.0, 1.0], [0.0, 0.0], [0.7, 1.0], [0.7, 0.0]]],
    // P, with the bow low enough to be no 9
    &[&[[0.0, 1.0], [0.0, 0.0], [0.45, 0.02], [0.6, 0.2], [0.5, 0.42], [0.0, 0.5]]],
    // V, Y
    &[&[[0.0, 0.0], [0.4, 1.0], [0.8, 0.0]]],
    &[&[[0.0, 0.0], [0.4, 0.5], [0.8, 0.0]], &[[0.4, 0.5], [0.4, 1.0]]],
    // W
    &[&[[0.0, 0.0], [0.25, 1.0], [0.5, 0.3], [0.75, 1.0], [1.0, 0.0]]],
    &[&[
        [0.0, 0.3],
        [0.05, 0.8],
        [0.25, 1.0],
        [0.48, 0.8],
        [0.5, 0.4],
        [0.55, 0.8],
        [0.75, 1.0],
        [0.95, 0.7],
        [1.0, 0.3],
    ]],
    // X
    &[&[[0.0, 0.0], [0.75, 1.0]], &[[0.75, 0.0], [0.0, 1.0]]],
    // a with a roof, e, h, m, n, r, u
    &[&[
        [0.05, 0.2],
        [0.25, 0.0],
        [0.5, 0.05],
        [0.6, 0.25],
        [0.6, 1.0],
        [0.6, 0.5],
        [0.3, 0.42],
        [0.0, 0.6],
        [0.05, 0.92],
        [0.35, 1.0],
        [0.6, 0.8],
    ]],
    &[&[[0.0, 0.5], [0.7, 0.5], [0.65, 0.15], [0.35, 0.0], [0.05, 0.2], [0.0, 0.6], [0.2, 0.95], [0.6, 0.95]]],
    &[&[[0.0, 0.0], [0.0, 1.0], [0.0, 0.6], [0.25, 0.42], [0.5, 0.5], [0.55, 1.0]]],
    &[&[
        [0.0, 0.4],
        [0.0, 1.0],
        [0.02, 0.6],
        [0.2, 0.4],
        [0.4, 0.5],
        [0.42, 1.0],
        [0.44, 0.6],
        [0.62, 0.4],
        [0.82, 0.5],
        [0.84, 1.0],
    ]],
    &[&[[0.0, 0.0], [0.0, 0.8], [0.05, 0.3], [0.35, 0.0], [0.6, 0.2], [0.62, 0.8]]],
    &[&[[0.0, 0.0], [0.0, 1.0], [0.03, 0.4], [0.2, 0.08], [0.5, 0.1]]],
    &[&[[0.0, 0.0], [0.02, 0.6], [0.2, 0.9], [0.5, 0.8], [0.62, 0.4], [0.62, 0.0], [0.64, 0.95]]],
    // plus, hash, question mark
    &[&[[0.0, 0.5], [1.0, 0.5]], &[[0.5, 0.0], [0.5, 1.0]]],
    &[&[[0.3, 0.0], [0.2, 1.0]], &[[0.7, 0.0], [0.6, 1.0]], &[[0.0, 0.35], [0.95, 0.35]], &[[0.0, 0.7], [0.9, 0.7]]],
    &[
        &[[0.0, 0.25], [0.1, 0.05], [0.35, 0.0], [0.55, 0.15], [0.5, 0.35], [0.3, 0.5], [0.28, 0.7]],
        &[[0.28, 0.95], [0.29, 1.0]],
    ],
    // equals, division sign
    &[&[[0.0, 0.3], [0.8, 0.3]], &[[0.0, 0.7], [0.8, 0.7]]],
    // house
    &[
        &[[0.0, 1.0], [0.0, 0.4], [0.45, 0.0], [0.9, 0.4], [0.9, 1.0], [0.0, 1.0]],
        &[[0.35, 1.0], [0.35, 0.65], [0.6, 0.65], [0.6, 1.0]],
    ],
    // heart
    &[&[
        [0.5, 0.3],
        [0.35, 0.05],
        [0.1, 0.05],
        [0.0, 0.3],
        [0.15, 0.6],
        [0.5, 1.0],
        [0.85, 0.6],
        [1.0, 0.3],
        [0.9, 0.05],
        [0.65, 0.05],
        [0.5, 0.3],
    ]],
    // waves
    &[&[
        [0.0, 0.4],
        [0.15, 0.2],
        [0.3, 0.4],
        [0.45, 0.6],
        [0.6, 0.4],
        [0.75, 0.2],
        [0.9, 0.4],
        [1.05, 0.6],
        [1.2, 0.4],
    ]],
    // a lattice, a comb
    &[&[[0.0, 0.0], [0.0, 1.0]], &[[0.3, 0.0], [0.3, 1.0]], &[[0.6, 0.0], [0.6, 1.0]], &[[0.9, 0.0], [0.9, 1.0]]],
    &[
        &[[0.0, 0.0], [1.0, 0.0]],
        &[[0.0, 0.0], [0.0, 0.8]],
        &[[0.33, 0.0], [0.33, 0.8]],
        &[[0.66, 0.0], [0.66, 0.8]],
        &[[1.0, 0.0], [1.0, 0.8]],
    ],
    // a face
    &[
        &[
            [0.5, 0.0],
            [0.85, 0.15],
            [1.0, 0.5],
            [0.85, 0.85],
            [0.5, 1.0],
            [0.15, 0.85],
            [0.0, 0.5],
            [0.15, 0.15],
            [0.5, 0.0],
        ],
        &[[0.3, 0.35], [0.31, 0.4]],
        &[[0.7, 0.35], [0.71, 0.4]],
        &[[0.25, 0.65], [0.5, 0.8], [0.75, 0.65]],
    ],
];

/// Shapes that nothing learns from: how well unknown ones are refused is measured with them.
const STRANGE: &[Shape] = &[
    // K, R, k, w, x, f, d, t
    &[&[[0.0, 0.0], [0.0, 1.0]], &[[0.6, 0.0], [0.0, 0.55], [0.65, 1.0]]],
    &[&[[0.0, 1.0], [0.0, 0.0], [0.45, 0.0], [0.6, 0.2], [0.45, 0.42], [0.0, 0.48], [0.6, 1.0]]],
    &[&[[0.0, 0.0], [0.0, 1.0]], &[[0.45, 0.4], [0.0, 0.7], [0.5, 1.0]]],
    &[&[
        [0.0, 0.0],
        [0.05, 0.6],
        [0.25, 0.9],
        [0.45, 0.6],
        [0.47, 0.2],
        [0.5, 0.6],
        [0.7, 0.9],
        [0.9, 0.6],
        [0.95, 0.0],
    ]],
    &[&[[0.0, 0.1], [0.1, 0.0], [0.6, 0.9], [0.7, 0.8]], &[[0.7, 0.1], [0.6, 0.0], [0.1, 0.9], [0.0, 0.8]]],
    &[&[[0.6, 0.1], [0.4, 0.0], [0.25, 0.2], [0.25, 1.0]], &[[0.0, 0.42], [0.5, 0.42]]],
    &[&[[0.55, 0.6], [0.3, 0.45], [0.05, 0.6], [0.05, 0.9], [0.3, 1.0], [0.55, 0.85], [0.55, 0.0], [0.57, 1.0]]],
    &[&[[0.25, 0.0], [0.25, 0.85], [0.4, 1.0], [0.55, 0.95]], &[[0.0, 0.3], [0.5, 0.3]]],
    // ampersand-like loop, at sign
    &[&[
        [0.8, 1.0],
        [0.2, 0.3],
        [0.25, 0.05],
        [0.45, 0.0],
        [0.55, 0.15],
        [0.4, 0.4],
        [0.05, 0.7],
        [0.1, 0.95],
        [0.4, 1.0],
        [0.7, 0.7],
        [0.8, 0.5],
    ]],
    &[&[
        [0.65, 0.4],
        [0.45, 0.3],
        [0.3, 0.5],
        [0.45, 0.7],
        [0.65, 0.55],
        [0.65, 0.3],
        [0.7, 0.65],
        [0.9, 0.6],
        [0.95, 0.3],
        [0.7, 0.05],
        [0.35, 0.05],
        [0.05, 0.3],
        [0.05, 0.7],
        [0.35, 0.98],
        [0.75, 0.95],
    ]],
    // star, arrow, lightning, envelope, tree
    &[&[[0.5, 0.0], [0.8, 1.0], [0.0, 0.38], [1.0, 0.38], [0.2, 1.0], [0.5, 0.0]]],
    &[&[[0.0, 0.5], [1.0, 0.5]], &[[0.65, 0.2], [1.0, 0.5], [0.65, 0.8]]],
    &[&[[0.5, 0.0], [0.1, 0.55], [0.5, 0.55], [0.15, 1.0], [0.7, 0.42], [0.35, 0.42], [0.7, 0.0], [0.5, 0.0]]],
    &[&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.7], [0.0, 0.7], [0.0, 0.0], [0.5, 0.4], [1.0, 0.0]]],
    &[&[[0.5, 1.0], [0.5, 0.7], [0.0, 0.7], [0.5, 0.0], [1.0, 0.7], [0.5, 0.7]]],
];

/// How many of the shapes there are of each kind.
pub(super) fn count(is_strange: bool) -> usize {
    if is_strange { STRANGE.len() } else { FAMILIAR.len() }
}

/// The strokes of shape number `which`, its points moved a little and joined with as many between them as a pen leaves.
pub(super) fn shape(is_strange: bool, which: usize, chance: &mut Chance) -> Vec<Vec<Point>> {
    let shapes = if is_strange { STRANGE } else { FAMILIAR };
    let is_round = chance.happens(0.5);
    let path = |path: &&[Point]| {
        let mut corners: Vec<Point> = path.iter().map(|point| point.map(|x| x + chance.about(0.0, 0.035))).collect();
        if is_round {
            corners = cut_corners(&cut_corners(&corners));
        }
        join(&corners)
    };
    shapes[which % shapes.len()].iter().map(path).collect()
}

/// Every corner gives way to two, a quarter of the way along its sides (Chaikin 1974); the ends stay.
fn cut_corners(corners: &[Point]) -> Vec<Point> {
    let (Some(&first), Some(&last)) = (corners.first(), corners.last()) else { return Vec::new() };
    let between = |a: Point, b: Point, share: f32| [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
    let cut = corners.windows(2).flat_map(|pair| [between(pair[0], pair[1], 0.25), between(pair[0], pair[1], 0.75)]);
    std::iter::once(first).chain(cut).chain(std::iter::once(last)).collect()
}

/// A scribble: one wild line, a few lines across each other, a spiral, or hatching.
pub(super) fn scribble(chance: &mut Chance) -> Vec<Vec<Point>> {
    let anywhere = |chance: &mut Chance| [chance.between(0.0, 1.0), chance.between(0.0, 1.0)];
    match (chance.between(0.0, 4.0)) as usize {
        0 => {
            let corners = 8 + chance.between(0.0, 14.0) as usize;
            let corners: Vec<Point> = (0..corners).map(|_| anywhere(chance)).collect();
            vec![join(&cut_corners(&corners))]
        }
        1 => {
            let lines = 3 + chance.between(0.0, 5.0) as usize;
            (0..lines).map(|_| join(&[anywhere(chance), anywhere(chance), anywhere(chance)])).collect()
        }
        2 => {
            let turns = chance.between(2.2, 5.0);
            let steps = (turns * 24.0) as usize;
            let start = chance.between(0.0, 360.0);
            let point = |step: usize| {
                let share = step as f32 / steps as f32;
                let (sine, cosine) = sine_and_cosine(start + 360.0 * turns * share);
                [0.5 + 0.5 * share * cosine, 0.5 + 0.5 * share * sine]
            };
            vec![(0..=steps).map(point).collect()]
        }
        _ => {
            let lines = 6 + chance.between(0.0, 8.0) as usize;
            let zigzag = (0..lines).map(|line| {
                let x = if line % 2 == 0 { chance.between(0.0, 0.2) } else { chance.between(0.8, 1.0) };
                [x, line as f32 / lines as f32]
            });
            vec![join(&zigzag.collect::<Vec<_>>())]
        }
    }
}

/// A sign that nobody has agreed on: three to five strokes between nine places of the page, some of them bent, longer
/// together than those of a digit.
pub(super) fn sign(chance: &mut Chance) -> Vec<Vec<Point>> {
    let place = |chance: &mut Chance| {
        let [across, down] = [0, 1].map(|_| chance.between(0.0, 2.99).floor());
        [across * 0.4 + chance.about(0.0, 0.03), down * 0.5 + chance.about(0.0, 0.03)]
    };
    let distance = |a: Point, b: Point| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
    let strokes = 3 + chance.between(0.0, 2.99) as usize;
    let mut signs = Vec::new();
    let mut length = 0.0;
    while signs.len() < strokes || length < 2.8 {
        let (from, to) = (place(chance), place(chance));
        if distance(from, to) < 0.35 {
            continue;
        }
        length += distance(from, to);
        let by = place(chance);
        signs.push(if chance.happens(0.35) {
            join(&cut_corners(&cut_corners(&[from, by, to])))
        } else {
            join(&[from, to])
        });
    }
    signs
}

/// Points on the way from each to the next, about a seventeenth of the page apart.
fn join(corners: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = corners.first().copied().into_iter().collect();
    for pair in corners.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = ((to[0] - from[0]).powi(2) + (to[1] - from[1]).powi(2)).sqrt();
        let pieces = (length / 0.06).ceil().max(1.0) as usize;
        points.extend((1..=pieces).map(|piece| {
            let share = piece as f32 / pieces as f32;
            [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
        }));
    }
    points
}
