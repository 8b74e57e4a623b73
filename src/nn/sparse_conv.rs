//! Convolution in which every output map reads only some of the input maps.

use candle_core::{Result, Tensor, bail};

use super::cpu::convolution::ConvShape;
use super::cpu::sparse::Links;
use super::cpu::sparse_operator::SparseConvolution;
use super::network::{Layer, LayerParams, Pass};
use super::params::{ParamKind, ParamSpec};
use super::{Activation, Curvature, Evaluated, MapShape, Operators};

/// `y[o] = activation(b[o] + Σ x[c] ⋆ w[link])` over the input maps c that the table lists for o, stride 1, no padding
/// (LeCun et al. 1998, section II-B and table I).
///
/// Maps `[in, h, w]` to `[out, h − k + 1, w − k + 1]`; parameters `weight` `[links, k, k]`, in the order of the table (output
/// maps ascending, then their inputs), and `bias` `[out]`.
#[derive(Clone, Copy, Debug)]
pub struct SparseConv2d {
    /// For every output map the input maps that it reads, ascending.
    pub table: &'static [&'static [usize]],
    pub kernel: usize,
    pub activation: Activation,
}

impl SparseConv2d {
    /// Maps that come in: up to the last that is read.
    fn in_channels(&self) -> usize {
        self.table.iter().flat_map(|inputs| inputs.last()).max().map_or(0, |last| last + 1)
    }

    fn shape(&self, input: MapShape) -> ConvShape {
        ConvShape {
            in_channels: input.channels,
            out_channels: self.table.len(),
            height: input.height,
            width: input.width,
            kernel: self.kernel,
            padding: 0,
        }
    }

    /// Weights `[out, in, k, k]` with zeros where there is no link, in a graph with `weight`.
    fn dense(&self, weight: &Tensor, in_channels: usize) -> Result<Tensor> {
        let (links, k, _) = weight.dims3()?;
        // the kernel after the last is zero
        let kernels = weight.pad_with_zeros(0, 0, 1)?;
        let mut of_pair = vec![links as u32; self.table.len() * in_channels];
        Links::new(self.table).for_each(|o, c, link| of_pair[o * in_channels + c] = link as u32);
        let of_pair = Tensor::from_vec(of_pair, self.table.len() * in_channels, weight.device())?;
        kernels.index_select(&of_pair, 0)?.reshape((self.table.len(), in_channels, k, k))
    }
}

impl Layer for SparseConv2d {
    fn describe(&self) -> String {
        format!("{0}×{0} convolution of some maps{1}", self.kernel, self.activation.suffix())
    }

    fn is_rectified(&self) -> bool {
        self.activation == Activation::Relu
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if self.kernel == 0 || self.kernel > input.height || self.kernel > input.width {
            bail!("a {0}×{0} kernel does not fit maps of {1}×{2}", self.kernel, input.height, input.width);
        }
        let in_order = |inputs: &&[usize]| !inputs.is_empty() && inputs.is_sorted_by(|a, b| a < b);
        let is_read = |channel: usize| self.table.iter().any(|inputs| inputs.contains(&channel));
        if !self.table.iter().all(in_order) || self.in_channels() != input.channels {
            bail!("every output map reads some of {} input maps, named in ascending order", input.channels);
        }
        if let Some(unread) = (0..input.channels).find(|&channel| !is_read(channel)) {
            bail!("no output map reads input map {unread}");
        }
        let s = self.shape(input);
        Ok(MapShape::new(s.out_channels, s.out_height(), s.out_width()))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        let taps = self.kernel * self.kernel;
        let links = self.table.iter().map(|inputs| inputs.len()).sum();
        let weight = ParamSpec {
            name: "weight".to_owned(),
            shape: vec![links, self.kernel, self.kernel],
            // of the mean map: this scheme has one bound for a layer
            init: self.activation.init(links * taps / self.table.len(), self.table.len() * taps),
            kind: ParamKind::Weight,
            fan_in: self.table.iter().flat_map(|inputs| vec![inputs.len() * taps; inputs.len()]).collect(),
        };
        vec![weight, ParamSpec::bias(self.table.iter().map(|inputs| inputs.len() * taps).collect())]
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let (weight, bias, gradients) = params.weight_and_bias()?;
        match pass.operators {
            Operators::Lanes(lanes) => {
                let (_, _, height, width, _) = x.dims5()?;
                let operator = SparseConvolution {
                    lanes,
                    shape: self.shape(MapShape::new(self.in_channels(), height, width)),
                    links: Links::new(self.table),
                    activation: self.activation,
                    gradients,
                };
                x.apply_op3(weight, bias, operator)
            }
            Operators::Stock => {
                let y = x.conv2d(&self.dense(weight, self.in_channels())?, 0, 1, 1, 1)?;
                let y = y.broadcast_add(&bias.reshape((1, self.table.len(), 1, 1))?)?;
                self.activation.stock(&y)
            }
        }
    }

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        let linear = Self { activation: Activation::Identity, ..*self };
        at.of_bilinear(&linear, &at.before(self.activation, of_result)?).map(Some)
    }
}
