//! Draw's right column: one of several things to see about the drawing, chosen at its top.

use eframe::egui::Ui;

use super::{Scene, draw_decision, draw_disagreements, draw_inside, draw_models};
use crate::ui::widgets::segmented;

/// What stands in the right column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    #[default]
    Inside,
    AllModels,
    Decision,
}

impl Column {
    pub(super) const ALL: [(Self, &'static str); 3] =
        [(Self::Inside, "Inside"), (Self::AllModels, "All models"), (Self::Decision, "Decision")];
}

/// What the models are compared on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ComparedOn {
    #[default]
    Drawing,
    TestDigits,
}

/// What the column remembers between frames.
#[derive(Default)]
pub(super) struct Beside {
    pub column: Column,
    compared_on: ComparedOn,
    disagreements: draw_disagreements::Quarrel,
    /// The answers of all models were in view in the last frame.
    pub shows_all_models: bool,
}

impl Beside {
    /// The choice of what to see, over what is chosen; `height` is what can be seen at once.
    pub fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32, height: f32) {
        segmented::segmented(ui, "Beside the answer", &mut self.column, &Column::ALL, width);
        ui.add_space(8.0);
        self.chosen(ui, scene, width, height - 44.0);
    }

    /// What is chosen, without the choice.
    pub fn chosen(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32, height: f32) {
        match self.column {
            Column::Inside => draw_inside::inside(ui, scene, width),
            Column::Decision => draw_decision::decision(ui, scene, width),
            Column::AllModels => {
                let options =
                    [(ComparedOn::Drawing, "On this drawing"), (ComparedOn::TestDigits, "Where two disagree")];
                segmented::segmented(ui, "Models are compared", &mut self.compared_on, &options, width);
                ui.add_space(4.0);
                match self.compared_on {
                    ComparedOn::Drawing => {
                        self.shows_all_models = true;
                        draw_models::models(ui, scene, width);
                    }
                    ComparedOn::TestDigits => self.disagreements.ui(ui, scene, width, height - 40.0),
                }
            }
        }
    }
}
