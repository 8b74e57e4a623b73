//! What outlives the process. Data sets are not here: they can be fetched again, see [`crate::data`].
//!
//! | file | what lives there |
//! |---|---|
//! | `atomic.rs` | writing a file so that a reader finds the old one or the new one, never half of one |
//! | `places.rs` | [`Places`]: where the program keeps settings, runs and data sets |
//! | `settings.rs` | [`SettingsFile`]: what the window remembers |

pub mod atomic;
pub mod places;
pub mod settings;

pub use atomic::{WriteError, write_atomically};
pub use places::Places;
pub use settings::{Renderer, Settings, SettingsFile, Theme};
