//! Shipped networks that answer together.

use candle_core::Result;

use super::{CLASSES, INPUT, cnn, cnn_bn, lenet5, resnet};
use crate::nn::{MeanOfMembers, Members, Network};

/// The models whose shipped weights answer, each as its catalogue entry reads images.
pub const MEMBERS: [&str; 4] = ["cnn-bn", "resnet", "cnn", "lenet5"];

/// The name of the layer that holds the members: their parameters are `Members.cnn-bn.Conv1.weight` and so on.
pub const LAYER: &str = "Members";

/// The mean of the members' probabilities; the numbers of all members are its parameters.
pub(super) fn network() -> Result<Network> {
    let [bn, res, cnn, lenet5] = MEMBERS.map(str::to_owned);
    let members =
        vec![(bn, cnn_bn::network()?), (res, resnet::network()?), (cnn, cnn::network()?), (lenet5, lenet5::network()?)];
    Network::new(INPUT)
        .then(LAYER, Members::new(members)?)?
        .then("Mean", MeanOfMembers { members: MEMBERS.len(), classes: CLASSES })
}
