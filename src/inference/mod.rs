//! What a finished network can tell: scores, evaluations, rejection, feature maps, distances. Nothing here changes a weight.

mod dead_units;
mod decision;
mod disagreement;
mod evaluate;
mod feature_maps;
mod metrics;
mod prediction;
mod rbf;
mod rejection;
mod thresholds;
mod trained_model;

pub use dead_units::DeadUnits;
pub use decision::Decision;
pub use disagreement::{Disagreement, Right, disagreements};
pub use evaluate::{Answer, Evaluation, evaluate};
pub use feature_maps::FeatureMaps;
pub use metrics::{Confusion, wilson_interval};
pub use prediction::{Prediction, State};
pub use rbf::RbfReading;
pub use rejection::{Rejected, Rejection};
pub use thresholds::{Thresholds, stranger_scores};
pub use trained_model::{LayerInfo, TrainedModel};
