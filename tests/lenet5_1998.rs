//! LeNet-5 of 1998 against the paper's counts and against numbers worked out by an independent program in double precision.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use candle_core::{Device, Tensor, Var};
use digitpad::models::lenet5_1998::{TABLE_1, network, network_linear, network_random_codes, up_to_f6};
use digitpad::models::{CLASSES, InputScale, codes};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{
    Initialisation, Lanes, Loss, MapShape, Network, Operators, ParamKind, ParamStore, Pass, Rbf, batch, loss, rows,
};

const EVERY_WAY: [Operators; 3] =
    [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];

/// C1, S2, C3, S4, C5, F6: the first element and the sum of all.
const STATES: [(&str, f64, f64); 6] = [
    ("C1", -0.037_005_363_9, 989.091_565_301_3),
    ("S2", 0.085_990_700_9, -284.906_462_106_0),
    ("C3", -0.358_758_300_4, 82.448_904_949_5),
    ("S4", 0.788_881_220_9, -32.254_594_354_8),
    ("C5", 0.122_056_091_8, 1.661_973_460_3),
    ("F6", 0.234_559_33, 2.549_639_101_9),
];
const DISTANCES: [f64; CLASSES] = [
    86.961_202_78,
    83.684_245_35,
    88.892_444_85,
    86.612_474_45,
    87.104_774_96, //
    88.744_715_29,
    83.678_687_48,
    89.118_046_19,
    84.652_000_93,
    86.406_805_56,
];
/// e^−y / (e^−100 + Σ e^−y).
const PROBABILITIES: [f64; CLASSES] =
    [0.014_565, 0.385_903, 0.002_111, 0.020_643, 0.012_617, 0.002_448, 0.388_054, 0.001_685, 0.146_618, 0.025_356];
/// Label, and the losses without [`Loss::FACTOR`].
const LABEL: u8 = 3;
const LOSSES: [(Loss, f64); 2] =
    [(Loss::Distance, 86.612_474_452_155_75), (Loss::DistanceMap { j: 100.0 }, 3.880_398_371_868_153_6)];
/// For every parameter: the sums of squared gradients of both losses, and the sum and the greatest of the curvatures.
const PARAMETERS: [(&str, [f64; 2], f64, f64); 12] = [
    ("C1.weight", [1_327.226_82, 334.819_6], 12.153_613_6, 0.221_065),
    ("C1.bias", [183.265_934, 46.300_672_7], 1.101_576_82, 0.437_025),
    ("S2.coefficient", [254.635_006, 66.456_047_4], 5.564_690_26, 2.835_65),
    ("S2.bias", [150.125_889, 48.181_058_8], 4.619_407_97, 1.007_85),
    ("C3.weight", [2_049.926_15, 1_021.268_32], 143.661_658, 0.653_595),
    ("C3.bias", [157.643_315, 66.978_812_3], 11.445_700_9, 2.189_84),
    ("S4.coefficient", [75.144_504, 30.822_442_2], 30.486_238_2, 8.625_57),
    ("S4.bias", [88.388_983_1, 44.693_186_5], 33.993_949_9, 2.511_13),
    ("C5.weight", [13_730.179_6, 10_048.630_6], 6_800.009_32, 0.590_067),
    ("C5.bias", [179.017_5, 131.016_547], 88.660_214_5, 0.945_326),
    ("F6.weight", [3_642.792_18, 2_629.176_21], 1_773.817_68, 1.127_93),
    ("F6.bias", [438.557_862, 316.528_048], 213.550_939, 2.617_16),
];

/// Every parameter from one generator, in ±1 / √F.
fn parameters(network: &Network) -> Vec<Var> {
    let mut state = 12_345u32;
    let mut draw = |fan_in: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((2.0 * f64::from(state) / 4_294_967_296.0 - 1.0) / (fan_in as f64).sqrt()) as f32
    };
    let mut vars = Vec::new();
    for spec in network.params() {
        let each = spec.shape.iter().product::<usize>() / spec.fan_in.len();
        let values: Vec<f32> =
            spec.fan_in.iter().flat_map(|&fan_in| (0..each).map(|_| draw(fan_in)).collect::<Vec<_>>()).collect();
        vars.push(Var::from_tensor(&Tensor::from_vec(values, spec.shape.clone(), &Device::Cpu).unwrap()).unwrap());
    }
    let (first, last) = (values(&vars[0]), values(&vars[11]));
    let known =
        [(first[0], -0.191_838_93), (first[1], -0.193_380_86), (first[2], 0.017_262_32), (last[83], 0.025_719_565)];
    assert!(known.iter().all(|(found, expected)| (found - expected).abs() < 2e-8), "the generator gives {known:?}");
    vars
}

/// The independent program chose all 32×32 pixels, so that the frame is left out. The image comes twice: the mean over both is
/// that of one, and the other lanes are empty.
fn input(network: &Network, operators: Operators) -> Tensor {
    assert_eq!(network.input(), MapShape::new(1, 32, 32));
    let pixels: Vec<u8> = (0..1024).map(|i| ((7 * (i / 32) + 11 * (i % 32)) % 17) as u8).collect();
    let value_of: [f32; 256] = std::array::from_fn(|byte| -0.1 + 1.275 * (byte % 17) as f32 / 16.0);
    batch([pixels.as_slice(); 2].into_iter(), network.input(), &value_of, operators, &Device::Cpu).unwrap()
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 2e-5 * expected.abs() + 1e-6, "{what}: {found}, expected {expected}");
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x)).sum()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn states_losses_gradients_and_curvatures_are_those_of_an_independent_program() {
    let network = up_to_f6(Network::new(MapShape::new(1, 32, 32))).unwrap();
    let network = network.then("Output", Rbf::fixed(&codes::pictures()).unwrap()).unwrap();
    let vars = parameters(&network);
    let params: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    for operators in EVERY_WAY {
        let x = input(&network, operators);
        let mut pass = Pass::recording(operators);
        let scores = network.forward(&x, &params, &mut pass).unwrap();
        let results = pass.record.unwrap();
        for (n, (name, first, total)) in STATES.iter().enumerate() {
            let place = &network.layers()[n];
            assert_eq!(&place.name, name);
            for image in rows(&results[n], place.output, 2, operators).unwrap().chunks_exact(place.output.size()) {
                near(f64::from(image[0]), *first, name);
                // thousands of states of both signs: what they leave is less exact than they are
                assert!((sum(image) - total).abs() < 1e-3, "{operators:?}: {name} adds up to {}", sum(image));
            }
        }
        let scores_of_one = &rows(&scores, network.output(), 2, operators).unwrap()[CLASSES..];
        let sum_of_exponentials: f64 = scores_of_one.iter().map(|y| f64::from(*y).exp()).sum::<f64>() + (-100f64).exp();
        for (class, y) in scores_of_one.iter().enumerate() {
            near(-f64::from(*y), DISTANCES[class], "a distance");
            let p = f64::from(*y).exp() / sum_of_exponentials;
            assert!((p - PROBABILITIES[class]).abs() < 1e-5, "class {class}: {p}");
        }
        near((-100f64).exp() / sum_of_exponentials, 3.166_911_5e-8, "the rubbish class");
        for (which, (kind, expected)) in LOSSES.into_iter().enumerate() {
            let factor = f64::from(Loss::FACTOR);
            let scores = network.forward(&x, &params, &mut training_pass(operators)).unwrap();
            let loss = loss(kind, &scores, CLASSES, &[LABEL; 2], 2, operators).unwrap();
            near(f64::from(loss.to_scalar::<f32>().unwrap()), factor * expected, "the loss");
            let gradients = loss.backward().unwrap();
            let curvatures = network.curvature(&x, &params, kind, 2, operators).unwrap();
            for (n, (name, squares, total, greatest)) in PARAMETERS.iter().enumerate() {
                assert_eq!(&network.params()[n].name, name);
                let gradient = values(gradients.get(vars[n].as_tensor()).unwrap());
                let square: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
                near(square, factor * factor * squares[which], &format!("{operators:?}, {kind:?}: {name}, gradient"));
                let curvature = values(&curvatures[n]);
                assert_eq!(curvatures[n].dims(), vars[n].dims());
                assert!(curvature.iter().all(|h| *h >= 0.0), "{name}");
                near(sum(&curvature), factor * total, &format!("{operators:?}: {name}, curvatures"));
                let most = curvature.iter().fold(0f32, |a, h| a.max(*h));
                near(f64::from(most), factor * greatest, &format!("{operators:?}: {name}, the greatest curvature"));
            }
        }
    }
}

fn training_pass(operators: Operators) -> Pass {
    Pass::train(operators, 1, stream(1, Purpose::Dropout, 0, 0))
}

#[test]
fn parameters_and_connections_are_those_of_the_paper() {
    let network = network().unwrap();
    assert_eq!(network.parameter_count(), 60_000);
    let counts: Vec<usize> = network.params().iter().map(|spec| spec.shape.iter().product()).collect();
    let of_layers: Vec<usize> = counts.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
    assert_eq!(of_layers, [156, 12, 1_516, 32, 48_120, 10_164]);
    // a unit has its inputs and its bias; the distances have no bias
    let mut connections = 84 * CLASSES;
    for place in network.layers() {
        let bias = network.params().iter().find(|spec| spec.name == format!("{}.bias", place.name));
        let Some(bias) = bias.filter(|spec| spec.kind == ParamKind::Bias) else { continue };
        connections += bias.fan_in.iter().map(|n| n + 1).sum::<usize>() * place.output.height * place.output.width;
    }
    assert_eq!(connections, 340_908);
    assert_eq!(network_random_codes().unwrap().parameter_count(), 60_000);
    assert_eq!(network_linear().unwrap().parameter_count(), 60_850);
}

#[test]
fn every_map_of_s2_feeds_ten_maps_of_c3() {
    assert_eq!(
        TABLE_1.iter().map(|inputs| inputs.len()).collect::<Vec<_>>(),
        [3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6]
    );
    for map in 0..6 {
        assert_eq!(TABLE_1.iter().filter(|inputs| inputs.contains(&map)).count(), 10, "map {map}");
    }
    for (o, inputs) in TABLE_1.iter().enumerate() {
        assert!(!TABLE_1[..o].contains(inputs), "two maps of C3 read the same");
    }
}

#[test]
fn the_frame_is_paper_and_the_first_state_of_nothing_but_paper_is_even() {
    let network = network().unwrap();
    let store = ParamStore::initialise_by(&network, Initialisation::SqrtFanIn, 1, &Device::Cpu).unwrap();
    let paper = vec![0u8; 784];
    for operators in EVERY_WAY {
        let scale = InputScale::PAPER_1998.table();
        let x = batch([paper.as_slice()].into_iter(), network.input(), &scale, operators, &Device::Cpu).unwrap();
        let mut pass = Pass::recording(operators);
        network.forward(&x, &store.tensors(), &mut pass).unwrap();
        let results = pass.record.unwrap();
        let framed = rows(&results[0], network.layers()[0].output, 1, operators).unwrap();
        assert!(framed.len() == 1024 && framed.iter().all(|x| *x == -0.1));
        if operators == Operators::Lanes(Lanes::Channels) {
            let lanes = values(&results[0]);
            assert!(lanes.chunks_exact(8).all(|pixel| pixel[1..] == [0.0; 7]), "lanes beyond the channel are empty");
        }
        let c1 = rows(&results[1], network.layers()[1].output, 1, operators).unwrap();
        for map in c1.chunks_exact(784) {
            assert!(map.iter().all(|y| (y - map[0]).abs() < 1e-6), "{operators:?}: a map of C1 is not even");
        }
    }
}

#[test]
fn schemes_begin_every_parameter_by_its_own_number_of_inputs() {
    let network = network().unwrap();
    let begin = |scheme| ParamStore::initialise_by(&network, scheme, 7, &Device::Cpu).unwrap().weights().unwrap();
    let usual = ParamStore::initialise(&network, 7, &Device::Cpu).unwrap().weights().unwrap();
    assert_eq!(usual, begin(Initialisation::Usual));
    let sqrt = begin(Initialisation::SqrtFanIn);
    let paper = begin(Initialisation::Paper1998);
    for ((spec, sqrt), paper) in network.params().iter().zip(&sqrt.entries).zip(&paper.entries) {
        let each = sqrt.values.len() / spec.fan_in.len();
        for ((fan_in, sqrt), paper) in
            spec.fan_in.iter().zip(sqrt.values.chunks_exact(each)).zip(paper.values.chunks_exact(each))
        {
            let f = *fan_in as f32;
            match spec.kind {
                ParamKind::Bias => assert_eq!(sqrt, [0.0]),
                ParamKind::Coefficient => assert_eq!(sqrt, [0.5]),
                _ => assert!(sqrt.iter().all(|w| w.abs() <= 1.0 / f.sqrt())),
            }
            assert!(paper.iter().all(|w| w.abs() <= 2.4 / f && *w != 0.0), "{}", spec.name);
        }
    }
    let c3 = &network.params()[4];
    let fan_in = [[75; 18].as_slice(), &[100; 36], &[150; 6]].concat();
    assert_eq!((c3.name.as_str(), c3.shape.as_slice(), &c3.fan_in), ("C3.weight", [60, 5, 5].as_slice(), &fan_in));
    for (scheme, name) in [
        (Initialisation::Usual, "usual"),
        (Initialisation::SqrtFanIn, "sqrt-fan-in"),
        (Initialisation::Paper1998, "paper-1998"),
        (Initialisation::LeCun1998, "lecun-1998"),
        (Initialisation::Xavier, "xavier"),
        (Initialisation::Kaiming, "kaiming"),
    ] {
        assert_eq!(serde_json::to_string(&scheme).unwrap(), format!("\"{name}\""));
    }
}

#[test]
fn losses_are_written_by_name_and_survive_far_distances() {
    for (kind, text) in [
        (Loss::CrossEntropy, r#"{"kind":"cross-entropy"}"#),
        (Loss::SmoothedCrossEntropy { smoothing: 0.5 }, r#"{"kind":"smoothed-cross-entropy","smoothing":0.5}"#),
        (Loss::Distance, r#"{"kind":"distance"}"#),
        (Loss::DistanceMap { j: 2.0 }, r#"{"kind":"distance-map","j":2.0}"#),
    ] {
        assert_eq!(serde_json::to_string(&kind).unwrap(), text);
        assert_eq!(serde_json::from_str::<Loss>(text).unwrap(), kind);
    }
    // e^−y of these is 0 in single precision; with a j as far, so is everything in the sum
    let scores: Vec<f32> = (0..10).map(|k| -500.0 - 10.0 * k as f32).collect();
    for (j, expected) in [(1.0, 519.0), (505.0, 20.006_760), (1e4, 20.000_045)] {
        for operators in EVERY_WAY {
            let shape = MapShape::new(10, 1, 1);
            let value_of: [f32; 256] = std::array::from_fn(|byte| scores[byte % 10]);
            let bytes: Vec<u8> = (0..10).collect();
            let x = batch([bytes.as_slice()].into_iter(), shape, &value_of, operators, &Device::Cpu).unwrap();
            let x = Var::from_tensor(&x).unwrap();
            let found = loss(Loss::DistanceMap { j }, x.as_tensor(), 10, &[2], 1, operators).unwrap();
            near(f64::from(found.to_scalar::<f32>().unwrap()), f64::from(Loss::FACTOR) * expected, "the loss");
            let gradient = found.backward().unwrap().remove(x.as_tensor()).unwrap();
            assert!(values(&gradient).iter().all(|g| g.is_finite()), "{operators:?}, j = {j}");
        }
    }
}
