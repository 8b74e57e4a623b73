//! Networks that differ from one of the catalogue in one thing, so that its worth can be measured (`digitpad ablate`, or one
//! setting of Train). No weights of them are shipped.

use candle_core::Result;

use super::{Architecture, Backward, CLASSES, INPUT, InputScale, lenet5, lenet5_1998};
use crate::nn::{Activation, Conv2d, Dense, Dropout, Network, Pool2d};

/// All of them; a configuration names them as it names those of the catalogue.
pub const VARIATIONS: &[Architecture] = &[
    Architecture {
        id: "lenet5-relu",
        title: "LeNet-5, ReLU",
        summary: "lenet5 with ReLU in place of tanh",
        parameters: 61_706,
        input: InputScale::UNIT_DEVIATION,
        network: lenet5_relu,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-sigmoid",
        title: "LeNet-5, sigmoid",
        summary: "lenet5 with sigmoid units in place of tanh",
        parameters: 61_706,
        input: InputScale::UNIT_DEVIATION,
        network: lenet5_sigmoid,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998-full-c3",
        title: "LeNet-5, 1998, full C3",
        summary: "the network of 1998 whose C3 maps read all S2 maps, without table I",
        parameters: 60_900,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network_full_c3,
        backward: Backward::Layers,
    },
    Architecture {
        id: "cnn-bn-plain",
        title: "CNN, normalised, without normalisation",
        summary: "cnn-bn with biases in place of its batch normalisation",
        parameters: 287_722,
        input: InputScale::UNIT_DEVIATION,
        network: cnn_bn_plain,
        backward: Backward::Layers,
    },
];

/// A model of the catalogue and its variations.
pub struct Family {
    /// In what they differ, as a setting is called.
    pub setting: &'static str,
    /// Ids, and what each has; that of the catalogue first.
    pub members: &'static [(&'static str, &'static str)],
}

const FAMILIES: &[Family] = &[
    Family {
        setting: "Activation",
        members: &[("lenet5", "tanh"), ("lenet5-relu", "ReLU"), ("lenet5-sigmoid", "sigmoid")],
    },
    Family { setting: "C3 reads", members: &[("lenet5-1998", "Table I"), ("lenet5-1998-full-c3", "All maps")] },
    Family { setting: "Normalising", members: &[("cnn-bn", "Batches"), ("cnn-bn-plain", "Nothing")] },
];

/// The family of this model, if it has variations or is one.
pub fn family_of(id: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.members.iter().any(|(member, _)| *member == id))
}

/// The model of the catalogue that this one is a variation of; itself for every other.
pub fn base_of(id: &str) -> &str {
    family_of(id).map_or(id, |family| family.members[0].0)
}

fn lenet5_relu() -> Result<Network> {
    lenet5::with(Activation::Relu)
}

fn lenet5_sigmoid() -> Result<Network> {
    lenet5::with(Activation::Sigmoid)
}

fn cnn_bn_plain() -> Result<Network> {
    let conv = |out_channels| Conv2d { out_channels, kernel: 3, padding: 1, bias: true, activation: Activation::Relu };
    Network::new(INPUT) //                                                              [  1, 28, 28]
        .then("Conv1", conv(32))? //                                                    [ 32, 28, 28]
        .then("Conv2", conv(32))? //                                                    [ 32, 28, 28]
        .then("Pool1", Pool2d::max(2))? //                                              [ 32, 14, 14]
        .then("Conv3", conv(64))? //                                                    [ 64, 14, 14]
        .then("Conv4", conv(64))? //                                                    [ 64, 14, 14]
        .then("Pool2", Pool2d::max(2))? //                                              [ 64,  7,  7]
        .then("Conv5", conv(128))? //                                                   [128,  7,  7]
        .then("Conv6", conv(128))? //                                                   [128,  7,  7]
        .then("Pool3", Pool2d::average(7))? //                                          [128]
        .then("Dropout1", Dropout { rate: 0.3 })?
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{CATALOG, find};

    #[test]
    fn variations_have_ids_of_their_own_count_their_parameters_and_score_ten_digits() {
        for (i, variation) in VARIATIONS.iter().enumerate() {
            let others = CATALOG.iter().chain(&VARIATIONS[..i]);
            assert!(others.into_iter().all(|other| other.id != variation.id), "{} twice", variation.id);
            let network = (variation.network)().unwrap();
            assert_eq!(network.parameter_count(), variation.parameters, "{}", variation.id);
            assert_eq!(network.output().size(), CLASSES, "{}", variation.id);
            assert_eq!(find(variation.id).map(|found| found.title), Some(variation.title));
        }
    }
}
