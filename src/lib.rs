//! Draw a digit and watch a neural network learn to read it.
//!
//! # The house
//! A folder may import only from folders above it in this list (`tests/architecture.rs` keeps it so):
//!
//! | folder | what lives there |
//! |---|---|
//! | [`drawing`] | from pen strokes and pictures to a 28×28 digit image; no screen |
//! | [`data`] | labelled digits as bytes: reading, fetching, splitting, distorting; no tensors |
//! | [`nn`] | layers, parameters, and the network that chains them; knows no digits |
//! | [`optim`] | how parameters move |
//! | [`models`] | one function per classifier, one list of them |
//! | [`inference`] | what a finished network can tell |
//! | [`training`] | one run from start to end, on the calling thread |
//! | [`storage`] | what outlives the process: weights, run folders, settings |
//! | [`workbench`] | the program without a screen; the only threads |
//! | [`ui`], [`cli`] | the window and the command line |
pub mod cli;
pub mod data;
pub mod drawing;
pub mod inference;
pub mod models;
pub mod nn;
pub mod optim;
pub mod storage;
pub mod training;
pub mod ui;
pub mod workbench;
