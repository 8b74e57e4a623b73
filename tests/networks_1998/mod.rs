//! Small networks with the layers that only LeNet-5 of 1998 has, for `tests/gradients.rs`.

use digitpad::nn::{Activation, Conv2d, Dense, Loss, MapShape, Network, Pad2d, Rbf, SparseConv2d};

const ALL: &[&[usize]] = &[&[0, 1, 2], &[0, 1, 2]];
const SOME: &[&[usize]] = &[&[0, 5], &[1, 2, 3], &[4], &[0, 1, 2, 3, 4, 5], &[2, 4]];
const MANY: &[&[usize]] = &[&[0, 10], &[1, 2, 3], &[4], &[5, 6], &[7, 8, 9, 10], &[0, 9], &[3], &[2, 8], &[1, 10]];

/// Ten codes of ±1 that differ.
fn codes(features: usize) -> Vec<Vec<f32>> {
    let value = |class: usize, j: usize| if (class + 1) * (j + 3) * 11 % 23 > 11 { 1.0 } else { -1.0 };
    (0..10).map(|class| (0..features).map(|j| value(class, j)).collect()).collect()
}

pub fn networks() -> Vec<(&'static str, Network)> {
    let activation = Activation::ScaledTanh;
    let conv = |out_channels, kernel| Conv2d { out_channels, kernel, padding: 0, bias: true, activation };
    let sparse = |table, kernel| SparseConv2d { table, kernel, activation };
    let frame = |channels, by, value| Pad2d { channels, by, value };
    let dense = |outputs| Dense { outputs, activation };
    let scores = Dense { outputs: 10, activation: Activation::Identity };
    let new = || Network::new(MapShape::new(1, 8, 8));
    vec![
        ("frame of the images", new().then("P", frame(1, 2, -0.7)).unwrap().then("D", scores).unwrap()),
        (
            "sparse convolution of few maps",
            new().then("C", conv(6, 3)).unwrap().then("S", sparse(SOME, 3)).unwrap().then("D", scores).unwrap(),
        ),
        (
            "frame and sparse convolution of more maps than lanes",
            new()
                .then("C", conv(11, 3))
                .unwrap()
                .then("P", frame(11, 1, 0.4))
                .unwrap()
                .then("S", sparse(MANY, 5))
                .unwrap()
                .then("D", scores)
                .unwrap(),
        ),
        (
            "sparse convolutions 7×7 and 2×2, with rows of two tiles",
            new()
                .then("C", conv(3, 2))
                .unwrap()
                .then("P", frame(3, 7, 0.1))
                .unwrap()
                .then("S", sparse(ALL, 7))
                .unwrap()
                .then("T", sparse(&[&[0, 1], &[1]], 2))
                .unwrap()
                .then("D", scores)
                .unwrap(),
        ),
        (
            "distances to fixed centres",
            new().then("D", dense(7)).unwrap().then("R", Rbf::fixed(&codes(7)).unwrap()).unwrap(),
        ),
        (
            "distances to trainable centres",
            new().then("D", dense(11)).unwrap().then("R", Rbf::trainable(&codes(11)).unwrap()).unwrap(),
        ),
        (
            "the nearest of trainable centres",
            new().then("D", dense(11)).unwrap().then("R", Rbf::trainable(&codes(11)).unwrap()).unwrap(),
        ),
        (
            "cross-entropy of distances",
            new().then("D", dense(9)).unwrap().then("R", Rbf::trainable(&codes(9)).unwrap()).unwrap(),
        ),
    ]
}

/// What a network of that name learns.
pub fn objective(name: &str) -> Loss {
    match name {
        _ if name.starts_with("distances") => Loss::DistanceMap { j: 12.0 },
        _ if name.starts_with("the nearest") => Loss::Distance,
        _ => Loss::CrossEntropy,
    }
}
