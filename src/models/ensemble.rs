//! Shipped networks that answer together.

use candle_core::Result;

use super::{CLASSES, INPUT, cnn, cnn_bn, lenet5, resnet};
use crate::nn::{MeanOfMembers, Members, Network, Turned};

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

/// Every member is asked about the image as it is and turned both ways, in degrees: what is probable in every pose is more
/// often right than what is in one. Chosen on validation images among 5, 8, 10, 12 and 15: `tests/catalog.rs` prints errors
/// and loss of each.
pub const POSES: [f32; 3] = [-8.0, 0.0, 8.0];

/// The name of the layer that holds the members: their parameters are `Members.cnn-bn.Conv1.weight` and so on.
pub const LAYER: &str = "Members";

impl Member {
    /// Its model's id; with the seed where that is not 1: `cnn-bn-seed-2`.
    pub fn name(self) -> String {
        if self.seed == 1 { self.model.to_owned() } else { format!("{}-seed-{}", self.model, self.seed) }
    }
}

/// The mean of the members' probabilities over all poses; the numbers of all members are its parameters.
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
        .then("Poses", Turned { degrees: POSES.to_vec() })?
        .then(LAYER, Members::new(MEMBERS.iter().map(of).collect::<Result<_>>()?, POSES.len())?)?
        .then("Mean", MeanOfMembers { members: MEMBERS.len(), classes: CLASSES })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::find;

    #[test]
    fn members_read_bytes_as_the_ensemble_hands_them_on_and_paper_is_zero() {
        let own = find("ensemble").unwrap().input;
        // what comes in from outside when an image is turned
        assert_eq!(own.paper, 0.0);
        for member in MEMBERS {
            assert_eq!(find(member.model).unwrap().input, own, "{}", member.name());
        }
    }
}
