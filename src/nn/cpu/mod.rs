//! The fast paths for processors: custom operators with forward and backward, images in the lanes of a vector,
//! or channels where there are few images.
//! All of them are serial; batches are split over threads by whoever trains or evaluates.

pub mod channels;
pub mod convolution;
pub mod distance;
pub mod loss;
pub mod normalisation;
pub mod operators;
pub mod padding;
pub mod pooling;
pub mod product;
pub mod simd;
pub mod sparse;
pub mod sparse_operator;
pub mod subsampling;
pub mod sum;
pub mod winograd;
