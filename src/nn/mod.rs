//! Layers, parameters, and the network that chains them. Knows no digits, no files, no threads.
//!
//! A network is a list of named layers; from one list come the forward pass, the feature maps and the parameter table.
//! Every layer runs in two ways, chosen by [`Operators`]: our own kernels on the processor, and Candle's stock operators
//! on CUDA and Metal (and, as the reference, in tests).

mod compute;
mod conv;
pub(crate) mod cpu;
mod dense;
mod elementwise;
mod layout;
mod loss;
mod network;
mod params;
mod pooling;
pub mod random;
mod subsampling;

pub(crate) use cpu::operators::{with_all_floats, with_floats_mut};
pub(crate) use cpu::simd::{LANES, Simd, with_simd};

pub use compute::{Compute, DeviceChoice};
pub use conv::Conv2d;
pub use dense::Dense;
pub use elementwise::{Activation, Dropout};
pub use layout::{Lanes, MapShape, Operators, batch, rows};
pub use loss::softmax_cross_entropy;
pub use network::{Layer, LayerParams, Network, Pass, Place};
pub use params::{Init, ParamSpec, ParamStore, WeightEntry, Weights};
pub use pooling::{Pool2d, PoolKind};
pub use subsampling::Subsample2d;
