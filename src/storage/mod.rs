//! What outlives the process. Data sets are not here: they can be fetched again, see [`crate::data`].
//!
//! | file | what lives there |
//! |---|---|
//! | `atomic.rs` | writing a file so that a reader finds the old one or the new one, never half of one |
//! | `places.rs` | [`Places`]: where the program keeps settings, runs and data sets |
//! | `settings.rs` | [`SettingsFile`]: what the window remembers |
//! | `pins_file.rs` | the pinned drawings |
//! | `weights_file.rs` | weights as safetensors files |
//! | `shipped.rs` | the models inside the program: settings, weights, cards |
//! | `presets.rs` | all settings inside the program, by name |
//! | `config_file.rs` | a training configuration in a file of its own |
//! | `run_folder.rs` | the folder of a run; finding one again |
//! | `runs.rs`, `run_settings.rs` | all runs as they are listed; the settings in which they differ |
//! | `run_note.rs`, `run_removal.rs` | a run's name and note; deleting runs so that it can be taken back |
//! | `recorded_run.rs`, `recorder.rs` | a training that is written down as it goes |
//! | `checkpoint_files.rs`, `checkpoint_folder.rs`, `files.rs` | what going on later needs: as files, and where they lie |
//! | `checkpoint_writer.rs` | the thread that writes checkpoints and moments |
//! | `moments.rs` | the network at moments of its run, thinned |
//! | `run_records.rs`, `run_log.rs`, `tensorboard/` | what a run tells others: `log.txt`, and events for TensorBoard |
//! | `journal.rs` | what was changed while a run went on |
//! | `resumption.rs` | [`resumption::open`]: taking up a run where it was left |
//! | `ablation/` | plans that compare settings, and what their runs have found |
//! | `figure/` | [`figure::Figure`]: curves as PNG, SVG and CSV |
//! | `fine_tuning.rs` | [`FineTuning`]: what a training on one's own drawings was worth |
//! | `handwriting.rs` | the file of the drawings that a person keeps |
//! | `handwriting_export.rs` | kept drawings in the forms of other programs |
//! | `picture_file.rs` | image files, read and written |
//! | `record.rs` | the JSON of runs and commands |

pub mod ablation;
pub mod atomic;
mod checkpoint_files;
mod checkpoint_folder;
mod checkpoint_writer;
pub mod config_file;
pub mod figure;
mod files;
mod fine_tuning;
pub mod handwriting;
pub mod handwriting_export;
pub mod journal;
pub mod moments;
pub mod picture_file;
pub mod pins_file;
pub mod places;
pub mod presets;
pub mod record;
pub mod recorded_run;
mod recorder;
pub mod resumption;
pub mod run_folder;
mod run_log;
pub mod run_note;
mod run_records;
pub mod run_removal;
pub mod run_settings;
pub mod runs;
pub mod settings;
pub mod shipped;
mod tensorboard;
pub mod weights_file;

/// Recorded pens are read in this form, too, so it lies beside them.
pub use crate::data::drawing_json;
pub use atomic::{WriteError, write_atomically};
pub use fine_tuning::{BeforeAfter, FineTuning};
pub use places::Places;
pub use settings::{Renderer, Settings, SettingsFile, Theme, XAxis};

/// Inter with figures of one width, weight 100 to 900: the font of the window and of figures.
pub static INTER: &[u8] = include_bytes!("../../assets/fonts/inter-variable-tabular.ttf");
