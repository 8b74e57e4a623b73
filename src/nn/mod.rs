//! Layers, parameters, and the network that chains them. Knows no digits, no files, no threads.
//!
//! A network is a list of named layers; from one list come the forward pass, the feature maps and the parameter table.
//! Every layer runs in two ways, chosen by [`Operators`]: our own kernels on the processor, and Candle's stock operators
//! on CUDA and Metal (and, as the reference, in tests).

mod batch_norm;
mod compute;
mod conv;
pub(crate) mod cpu;
mod curvature;
mod dense;
mod elementwise;
mod initialisation;
mod keep_pixels;
mod layout;
mod loss;
mod members;
mod network;
mod padding;
mod params;
mod pooling;
pub mod random;
mod rbf;
mod residual;
mod sparse_conv;
mod subsampling;
mod transfer;
mod turned;

pub(crate) use cpu::operators::{with_all_floats, with_floats_mut};
pub(crate) use cpu::simd::{LANES, Simd, with_simd};

pub use batch_norm::BatchNorm;
pub use compute::{Compute, DeviceChoice};
pub use conv::Conv2d;
pub use curvature::{Curvature, Evaluated};
pub use dense::Dense;
pub use elementwise::{Activation, Dropout};
pub use initialisation::Initialisation;
pub use keep_pixels::KeepPixels;
pub use layout::{Lanes, MapShape, Operators, batch, rows};
pub use loss::{Loss, NO_CLASS, loss, softmax_cross_entropy};
pub use members::{MeanOfMembers, Members};
pub use network::{Layer, LayerParams, Learning, Network, Pass, Place};
pub use padding::Pad2d;
pub use params::{Init, Observed, ParamKind, ParamSpec, ParamStore, WeightEntry, Weights};
pub use pooling::{Pool2d, PoolKind};
pub use rbf::Rbf;
pub use residual::Residual;
pub use sparse_conv::SparseConv2d;
pub use subsampling::Subsample2d;
pub use transfer::Transfer;
pub use turned::Turned;
