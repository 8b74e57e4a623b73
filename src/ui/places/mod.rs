//! One file per place. A place reads the workbench, draws itself, and asks for changes by pushing commands.

pub mod data;
mod data_head;
mod data_side;
mod data_tuning;
pub mod draw;
mod draw_answer;
mod draw_beside;
mod draw_decision;
mod draw_disagreements;
mod draw_doctor;
mod draw_inside;
mod draw_models;
mod draw_replay;
mod export;
pub mod inside;
mod inside_views;
mod judging;
pub mod mistakes;
mod mistakes_detail;
mod pins;
pub mod runs;
mod runs_ablations;
mod runs_curves;
mod runs_detail;
mod runs_race;
mod runs_rows;
mod runs_table;
pub mod train;
mod train_batch;
mod train_curves;
mod train_distortions;
mod train_export;
mod train_form;
mod train_further;
mod train_health;
mod train_live;
mod train_plotted;
mod train_schedule;
mod train_side;

use super::dialogs::Dialogs;
use super::icons;
use crate::storage::Settings;
use crate::workbench::{Command, Workbench};

pub use data::DataPlace;
pub use draw::DrawPlace;
pub use inside::InsidePlace;
pub use mistakes::MistakesPlace;
pub use runs::RunsPlace;
pub use train::TrainPlace;

/// Where the person is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Draw,
    Train,
    Inside,
    Mistakes,
    Runs,
    Data,
}

impl Place {
    /// All of them in the order of the rail, with icon, name and key.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 6] = [
        (Self::Draw, icons::PENCIL_LINE, "Draw", "Ctrl+1"),
        (Self::Train, icons::CHART_LINE, "Train", "Ctrl+2"),
        (Self::Inside, icons::STACK, "Inside", "Ctrl+3"),
        (Self::Mistakes, icons::GRID_NINE, "Mistakes", "Ctrl+4"),
        (Self::Runs, icons::ROWS, "Runs", "Ctrl+5"),
        (Self::Data, icons::IMAGES, "Data", "Ctrl+6"),
    ];
}

/// What a place may read and ask for.
pub struct Scene<'a> {
    pub workbench: &'a Workbench,
    pub commands: &'a mut Vec<Command>,
    pub dialogs: &'a mut Dialogs,
    pub settings: &'a mut Settings,
    /// Another place to go to after this frame.
    pub go_to: &'a mut Option<Place>,
}

impl Scene<'_> {
    pub fn push(&mut self, command: Command) {
        self.commands.push(command);
    }
}
