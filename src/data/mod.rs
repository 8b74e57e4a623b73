//! Labelled digits as bytes: reading, fetching, splitting, distorting. No tensors, no screen, no threads.
//!
//! | file | what lives there |
//! |---|---|
//! | `dataset.rs` | [`Dataset`] and [`Corpus`]: images and labels side by side |
//! | `split.rs` | which images are kept for validation: seeded and stratified |
//! | `random_labels.rs` | labels that tell nothing, for a check |
//! | `load.rs` | [`Request`] → [`Corpus`]: where a data set is looked for, and how it is checked |
//! | `verify.rs` | whether the files of a data set are sound, file by file |
//! | `sources.rs` | [`SOURCES`]: the known data sets with addresses, checksums, credits |
//! | `idx.rs` | the IDX format, plain and gzip, read as if every file were hostile |
//! | `cifar.rs` | CIFAR-10's binary files, as grey 28×28 images |
//! | `drawn.rs` | the built-in data set, drawn by the program itself |
//! | `fetch.rs`, `patience.rs` | bringing a known set here, and waiting for a server without going deaf |
//! | `strokes_file.rs` | recorded pen strokes, read |
//! | `drawing_json.rs` | [`DrawingJson`]: a drawing as a JSON object |
//! | `beside.rs` | images that train beside a data set: pens, drawn digits, drawn strangers |
//! | `augment.rs` | seeded affine and elastic distortion of an image |
//!
//! A new data set is a line in [`SOURCES`]; a new format is a file beside `idx.rs` and an arm in `load.rs`.

pub mod augment;
mod beside;
pub mod cifar;
pub mod dataset;
pub mod drawing_json;
pub mod drawn;
mod error;
pub mod fetch;
pub mod idx;
pub mod load;
mod patience;
mod random_labels;
pub mod sources;
pub mod split;
pub mod strokes_file;
mod verify;

pub use augment::Augmentation;
pub use beside::{Beside, ImagesBeside, NO_DIGIT, find_strokes, is_held_out};
pub use dataset::{Corpus, Dataset};
pub use drawing_json::{DrawingJson, DrawingJsonError};
pub use drawn::Drawn;
pub use error::DataError;
pub use fetch::{FetchProgress, FetchWatch, Fetched, fetch, fetch_known};
pub use idx::IdxProblem;
pub use load::{Located, Request, data_folder, find, load, load_with};
pub use random_labels::with_random_labels;
pub use sources::{SOURCES, Source, source};
pub use split::{Split, stratified_limit, stratified_split};
pub use verify::{FileReport, verify};
