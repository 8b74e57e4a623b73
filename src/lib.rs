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
//! | [`training`] | one run from start to end, on the threads of its [`nn::Compute`] |
//! | [`storage`] | what outlives the process: weights, run folders, settings |
//! | [`workbench`] | the program without a screen; the only threads, but for the one that writes checkpoints |
//! | [`ui`], [`cli`] | the window and the command line |
//!
//! # A drawing becomes an answer
//! The pad ([`ui::widgets::canvas`]) takes every sample of the pointer and sends [`workbench::Command::SetDrawing`]. The
//! workbench counts its generation up and hands it to the predictor's thread, which takes only the newest: the five steps
//! of [`drawing::prepare`], then [`inference::TrainedModel::predict`]. The answer comes back with its generation; answers
//! to older drawings are dropped. `digitpad predict --strokes` calls the same two functions.
//!
//! # A training run
//! [`workbench::Command::StartTraining`] starts a thread that calls [`storage::recorded_run::train`]: the run's folder and
//! configuration are written first, then [`training::run`] goes on, telling one callback what happens; blocking in it is
//! the pause. Loss and gradients come from the layers, or from [`models::scratch`], which has none. Every batch is worked out
//! in a fixed number of parts, so that threads change no bit; conjugate gradient asks for all images at once. Weights that leave the
//! trainer are deep copies; they drive the pad while the network learns. `digitpad train` calls the same function.
//! Between any two updates a run is a [`training::Checkpoint`]; a thread of [`storage`] writes one now and then, and
//! [`storage::recorded_run::resume`] goes on from it to the same bits.
//!
//! What may change live ([`training::LiveSettings`]) stands in the run's journal with its update before it acts, so that going
//! on and repeating make the same changes at the same updates. Looks at the validation images steer nothing; each leaves its
//! weights as a moment, thinned to a bound ([`storage::moments`]), and [`workbench::Command::LookBack`] lets one of them answer
//! in place of the newest. An ablation ([`storage::ablation`]) is a folder of such runs; a race ([`training::Race`]) steps several
//! optimisers over the same batches and writes nothing.
//!
//! # What always holds
//! * Panels read the workbench and push commands; nothing that is seen waits for a worker.
//! * Every random number comes from [`nn::random::stream`] or another stream of its own, keyed by a seed.
//! * The test set chooses nothing: settings and epochs are chosen on validation images.
//! * What is written is written wholly or not at all, under its final name only when it is right.
//! * A layer runs on our kernels and on Candle's operators alike; tests hold the two against each other.
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
