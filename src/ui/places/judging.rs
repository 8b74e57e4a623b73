//! Whether an evaluation is of what is chosen now; and that of a network that learns is made anew after every epoch.

use std::path::PathBuf;

use super::Scene;
use crate::workbench::{Command, ModelChoice, SetChoice, Workbench};

/// What a place remembers of the evaluations that it asked for unasked.
#[derive(Default)]
pub(super) struct Judging {
    /// The run under way and its epochs when its network was last judged.
    followed: Option<(Option<PathBuf>, usize)>,
    /// The update of the moment that was looked back at, and what it was judged on.
    looked_back: Option<(ModelChoice, u64, SetChoice)>,
}

impl Judging {
    /// While the network that learns is chosen, it is judged after every epoch; a moment that is looked back at is judged at
    /// once, and so are the newest weights after it.
    pub fn follow(&mut self, set: SetChoice, scene: &mut Scene<'_>) {
        let moment = scene.workbench.moment().map(|moment| (scene.workbench.choice().clone(), moment.step, set));
        if moment != self.looked_back {
            self.looked_back = moment;
            scene.push(Command::Evaluate { set });
            return;
        }
        if moment.is_some() {
            return;
        }
        let Some(view) = scene.workbench.training().filter(|_| learns(scene.workbench)) else { return };
        let moment = Some((view.run.clone(), view.curves.epochs.len()));
        let has_finished_one = !view.curves.epochs.is_empty();
        if has_finished_one && moment != self.followed && scene.workbench.evaluation().progress.is_none() {
            self.followed = moment;
            scene.push(Command::Evaluate { set });
        }
    }

    /// The evaluation is of the run under way and made anew after every epoch.
    pub fn is_followed(&self, workbench: &Workbench) -> bool {
        let run = workbench.training().and_then(|view| view.run.as_ref());
        let same_run = self.followed.as_ref().is_some_and(|(followed, _)| followed.as_ref() == run);
        let view = workbench.evaluation();
        let same_model = workbench.chosen().is_some_and(|chosen| chosen.title == view.title);
        learns(workbench) && same_run && same_model && view.result.is_some()
    }

    /// The evaluation is of other weights, other digits or another set than those that are chosen.
    pub fn is_stale(&self, set: SetChoice, workbench: &Workbench) -> bool {
        let other_set = workbench.evaluation().set != set;
        other_set || (workbench.evaluation_is_stale() && !self.is_followed(workbench))
    }
}

/// The network that learns is chosen and still learns.
pub(super) fn learns(workbench: &Workbench) -> bool {
    let is_live = *workbench.choice() == ModelChoice::Live && workbench.moment().is_none();
    is_live && workbench.training_is_under_way()
}
