//! Shipped networks that answer together.

use candle_core::Result;

use super::{CLASSES, INPUT, cnn, cnn_bn, lenet5, resnet};
use crate::nn::{MeanOfMembers, Members, Network};

/// Shipped weights that answer, as the catalogue entry of their model reads images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Id of the model in the catalogue.
    pub model: &'static str,
    /// Of the run that made the weights.
    pub seed: u64,
}

/// Several seeds of the best networks and one of two plainer ones, whose mistakes are others.
pub const MEMBERS: [Member; 8] = [
    Member { model: "cnn-bn", seed: 1 },
    Member { model: "cnn-bn", seed: 2 },
    Member { model: "cnn-bn", seed: 3 },
    Member { model: "resnet", seed: 1 },
    Member { model: "resnet", seed: 2 },
    Member { model: "resnet", seed: 3 },
    Member { model: "cnn", seed: 1 },
    Member { model: "lenet5", seed: 1 },
];

/// The name of the layer that holds the members: their parameters are `Members.cnn-bn.Conv1.weight` and so on.
pub const LAYER: &str = "Members";

impl Member {
    /// Its model's id; with the seed where that is not 1: `cnn-bn-seed-2`.
    pub fn name(self) -> String {
        if self.seed == 1 { self.model.to_owned() } else { format!("{}-seed-{}", self.model, self.seed) }
    }
}

/// The mean of the members' probabilities; the numbers of all members are its parameters.
pub(super) fn network() -> Result<Network> {
    let of = |member: &Member| -> Result<(String, Network)> {
        let network = match member.model {
            "cnn-bn" => cnn_bn::network(),
            "resnet" => resnet::network(),
            "cnn" => cnn::network(),
            "lenet5" => lenet5::network(),
            other => candle_core::bail!("no network is known for the member {other}"),
        };
        Ok((member.name(), network?))
    };
    Network::new(INPUT)
        .then(LAYER, Members::new(MEMBERS.iter().map(of).collect::<Result<_>>()?)?)?
        .then("Mean", MeanOfMembers { members: MEMBERS.len(), classes: CLASSES })
}
