//! The window. The only folder that knows egui.
//!
//! | file | what lives there |
//! |---|---|
//! | [`window`] | opening it: renderers, a missing screen |
//! | [`app`] | the frame around the places; keys and commands |
//! | `closing.rs`, `files.rs`, `status.rs` | more of the frame: closing while a training is under way, files that come and go, the line at the bottom |
//! | [`transport`] | the bar at the top |
//! | `time_strip.rs` | how the run has gone, and the playhead that brings a moment back |
//! | [`keys`] | what every key does |
//! | `config_files.rs`, `kept_settings.rs` | settings of a training as files, and those without a row in the form |
//! | [`dialogs`] | file dialogs that never block |
//! | [`training_form`] | the settings of the next training, as typed |
//! | [`places`] | one file per place |
//! | [`theme`] | colours of both themes by role, colour scales |
//! | [`text`] | fonts, text styles, how numbers are written |
//! | [`icons`] | icons by name |
//! | [`style`] | all of that as egui's style; rings, cards |
//! | [`widgets`] | the parts, taking plain numbers |
pub mod app;
mod closing;
mod config_files;
pub mod dialogs;
mod files;
pub mod icons;
mod kept_settings;
pub mod keys;
pub mod places;
mod status;
pub mod style;
pub mod text;
pub mod theme;
mod time_strip;
pub mod training_form;
pub mod transport;
pub mod widgets;
pub mod window;

pub use window::{Shown, open};
