//! One file or function per classifier, and one list of them. A new model is a function that chains layers and a line in
//! [`CATALOG`]; `tests/catalog.rs` then checks it unasked.

mod cnn;
mod cnn_bn;
pub mod codes;
pub mod ensemble;
mod lenet5;
pub mod lenet5_1998;
mod mlp;
mod pad;
mod resnet;
pub mod scratch;
mod variations;

use candle_core::Result;

pub use variations::{Family, VARIATIONS, base_of, family_of};

use crate::nn::{MapShape, Network};

/// The images that every model here reads: one channel, 28×28.
pub const INPUT: MapShape = MapShape::new(1, 28, 28);
/// Digits.
pub const CLASSES: usize = 10;

/// A classifier that can be trained and shipped.
pub struct Architecture {
    /// Stored in files and used on the command line; never changes.
    pub id: &'static str,
    /// As the window writes it.
    pub title: &'static str,
    /// What it is, in one sentence.
    pub summary: &'static str,
    /// Numbers that training changes.
    pub parameters: usize,
    /// How bytes become numbers.
    pub input: InputScale,
    /// Chains the layers.
    pub network: fn() -> Result<Network>,
    /// What works out loss and gradients while it learns.
    pub backward: Backward,
}

/// What works out loss and gradients while a model learns. A finished network is asked through its layers in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backward {
    /// The layers: our kernels, or Candle's operators on an accelerator.
    Layers,
    /// [`scratch::lesson`]: plain numbers without layers, on the processor.
    Scratch,
    /// Nothing: it is made of other models, and these are trained.
    Nothing,
}

/// How bytes become numbers: 0 becomes `paper`, 255 becomes `ink`, and what lies between follows the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputScale {
    pub paper: f32,
    pub ink: f32,
}

impl InputScale {
    /// Paper is 0, so that the zeros that pad a convolution are paper too, and MNIST's training images deviate by 1
    /// (0.3081 of byte / 255).
    pub const UNIT_DEVIATION: Self = Self { paper: 0.0, ink: 1.0 / 0.3081 };

    /// Paper is −0.1 and ink 1.175, which LeCun et al. 1998 chose (section II-B) for a mean of about 0 and a variance of
    /// about 1.
    pub const PAPER_1998: Self = Self { paper: -0.1, ink: 1.175 };

    /// MNIST's training images have mean 0 and deviation 1 (0.1307 and 0.3081 of byte / 255): sigmoid units, which answer to
    /// nothing with ½, learn fastest from inputs about 0 (LeCun et al. 1998b, "Efficient BackProp", section 4.3).
    pub const STANDARD: Self = Self { paper: -0.1307 / 0.3081, ink: (1.0 - 0.1307) / 0.3081 };

    /// The value of every byte.
    pub fn table(&self) -> [f32; 256] {
        std::array::from_fn(|byte| self.paper + (self.ink - self.paper) * byte as f32 / 255.0)
    }
}

/// Every classifier, in the order in which they are offered.
pub const CATALOG: &[Architecture] = &[
    Architecture {
        id: "pad",
        title: "CNN for any hand",
        summary: "four normalised convolutions that have also learnt from pens, drawn digits, and what is no digit",
        parameters: 468_010,
        input: InputScale::UNIT_DEVIATION,
        network: pad::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5",
        title: "LeNet-5",
        summary: "LeNet-5 as most people build it today: full C3, tanh, average pooling, softmax",
        parameters: 61_706,
        input: InputScale::UNIT_DEVIATION,
        network: lenet5::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "cnn",
        title: "CNN",
        summary: "two 5×5 convolutions with ReLU and max pooling, one dense layer of 128",
        parameters: 215_370,
        input: InputScale::UNIT_DEVIATION,
        network: cnn::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "cnn-bn",
        title: "CNN, normalised",
        summary: "six 3×3 convolutions with batch normalisation, max pooling, global average pooling, dropout 0.3",
        parameters: 288_170,
        input: InputScale::UNIT_DEVIATION,
        network: cnn_bn::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "resnet",
        title: "ResNet, small",
        summary: "three stages of residual blocks with batch normalisation, global average pooling",
        parameters: 205_042,
        input: InputScale::UNIT_DEVIATION,
        network: resnet::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "ensemble",
        title: "Ensemble",
        summary: "the mean of what cnn-bn and resnet (three seeds of each), cnn and lenet5 find probable in three poses",
        parameters: 1_756_712,
        input: InputScale::UNIT_DEVIATION,
        network: ensemble::network,
        backward: Backward::Nothing,
    },
    Architecture {
        id: "mlp",
        title: "MLP",
        summary: "one hidden layer of 128 with ReLU",
        parameters: 101_770,
        input: InputScale::UNIT_DEVIATION,
        network: mlp::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "mlp-deep",
        title: "MLP, deep",
        summary: "hidden layers of 256 and 128 with ReLU and dropout 0.2",
        parameters: 235_146,
        input: InputScale::UNIT_DEVIATION,
        network: mlp::deep_network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998",
        title: "LeNet-5, 1998",
        summary: "LeNet-5 as printed in 1998: table I, trainable subsampling, distances to pictures of the digits",
        parameters: 60_000,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998-distorted",
        title: "LeNet-5, 1998, distorted",
        summary: "the network of 1998, trained on distorted digits beside the plain ones",
        parameters: 60_000,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998-random-codes",
        title: "LeNet-5, 1998, random codes",
        summary: "the network of 1998 with codes drawn by chance in place of pictures",
        parameters: 60_000,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network_random_codes,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998-trained-codes",
        title: "LeNet-5, 1998, trained codes",
        summary: "the network of 1998 whose codes begin as pictures and learn with the rest",
        parameters: 60_840,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network_trained_codes,
        backward: Backward::Layers,
    },
    Architecture {
        id: "lenet5-1998-linear",
        title: "LeNet-5, 1998, linear head",
        summary: "the body of 1998 under a softmax head in place of the codes",
        parameters: 60_850,
        input: InputScale::PAPER_1998,
        network: lenet5_1998::network_linear,
        backward: Backward::Layers,
    },
    Architecture {
        id: "scratch",
        title: "From scratch",
        summary: "one hidden layer of 128 sigmoid units in plain Rust, by conjugate gradient",
        parameters: 101_770,
        input: InputScale::STANDARD,
        network: scratch::network,
        backward: Backward::Scratch,
    },
    Architecture {
        id: "scratch-deep",
        title: "From scratch, deep",
        summary: "hidden layers of 128 and 64 sigmoid units in plain Rust, by mini-batches",
        parameters: 109_386,
        input: InputScale::STANDARD,
        network: scratch::deep_network,
        backward: Backward::Scratch,
    },
];

/// Those that can be trained.
pub fn trainable() -> impl Iterator<Item = &'static Architecture> {
    CATALOG.iter().filter(|architecture| architecture.backward != Backward::Nothing)
}

/// The classifier of that id, a variation too.
pub fn find(id: &str) -> Option<&'static Architecture> {
    CATALOG.iter().chain(VARIATIONS).find(|architecture| architecture.id == id)
}
