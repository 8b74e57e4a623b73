//! Functions whose minimum is known.

use candle_core::Device;

use super::*;
use crate::nn::{Activation, Dense, MapShape, Network};

/// A function of a few variables, and every place where it was asked.
struct Known {
    of: fn(&[f64], &mut [f64]) -> f64,
    asked: usize,
    /// After so many questions nobody answers.
    patience: usize,
    differs: bool,
}

fn known(of: fn(&[f64], &mut [f64]) -> f64) -> Known {
    Known { of, asked: 0, patience: usize::MAX, differs: false }
}

impl Function for Known {
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<Option<f64>> {
        self.asked += 1;
        Ok((self.asked <= self.patience).then(|| (self.of)(x, gradient)))
    }

    fn may_differ(&self) -> bool {
        self.differs
    }
}

/// ½ xᵀ A x − bᵀ x with A tridiagonal, 2 (4 at the first place) on the diagonal and −1 beside it.
fn quadratic(x: &[f64], gradient: &mut [f64]) -> f64 {
    let mut value = 0.0;
    for i in 0..x.len() {
        let beside = if i > 0 { x[i - 1] } else { 0.0 } + x.get(i + 1).copied().unwrap_or(0.0);
        let diagonal = if i == 0 { 4.0 } else { 2.0 };
        let b = 1.0 + i as f64;
        gradient[i] = diagonal * x[i] - beside - b;
        value += 0.5 * x[i] * (diagonal * x[i] - beside) - b * x[i];
    }
    value
}

/// Σ 100 (y − x²)² + (1 − x)² (Rosenbrock 1960).
fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    let [a, b] = [x[0], x[1]];
    gradient[0] = -400.0 * a * (b - a * a) - 2.0 * (1.0 - a);
    gradient[1] = 200.0 * (b - a * a);
    100.0 * (b - a * a).powi(2) + (1.0 - a).powi(2)
}

fn length(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

#[test]
fn a_quadratic_function_of_n_variables_takes_n_exact_searches() {
    const N: usize = 8;
    let mut exact = ConjugateGradient { wolfe: Wolfe { decrease: 1e-4, slope: 1e-7 }, last: None };
    let mut function = known(quadratic);
    let (mut x, mut gradient) = (vec![0.0; N], vec![0.0; N]);
    quadratic(&x, &mut gradient);
    let start = length(&gradient);
    for iteration in 1..=N {
        assert!(exact.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
        quadratic(&x, &mut gradient);
        let is_done = length(&gradient) < 1e-5 * start;
        assert_eq!(is_done, iteration == N, "iteration {iteration}: gradient {}", length(&gradient));
    }
}

#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    for from in [[-1.2, 1.0], [2.0, -3.0], [0.0, 10.0]] {
        let (mut optimizer, mut function, mut x) = (ConjugateGradient::new(), known(rosenbrock), from);
        for _ in 0..100 {
            assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
        }
        assert!(length(&[x[0] - 1.0, x[1] - 1.0]) < 1e-3, "from {from:?} to {x:?}");
    }
}

#[test]
fn every_step_meets_the_conditions_of_wolfe() {
    let (mut optimizer, mut function, mut x) = (ConjugateGradient::new(), known(rosenbrock), [-1.2, 1.0]);
    let mut gradient = [0.0; 2];
    for iteration in 0..25 {
        let from = x;
        let value = rosenbrock(&from, &mut gradient);
        assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
        let step = [x[0] - from[0], x[1] - from[1]];
        let slope = dot(&gradient, &step);
        assert!(slope < 0.0, "iteration {iteration} goes down");
        let lower = rosenbrock(&x, &mut gradient);
        assert!(lower <= value + WOLFE.decrease * slope, "iteration {iteration}: {value} to {lower}");
        // directions are kept in single precision
        let left = dot(&gradient, &step).abs();
        assert!(left <= (WOLFE.slope + 1e-4) * slope.abs(), "iteration {iteration}: slope {slope} to {left}");
    }
}

#[test]
fn it_needs_fewer_questions_than_steepest_descent() {
    let questions = |forgets: bool| {
        let (mut optimizer, mut function, mut x) = (ConjugateGradient::new(), known(rosenbrock), [-1.2, 1.0]);
        let mut gradient = [1.0; 2];
        while length(&gradient) > 1e-3 && function.asked < 5_000 {
            assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
            if let (true, Some(last)) = (forgets, &mut optimizer.last) {
                last.direction = downhill(&last.gradient);
            }
            rosenbrock(&x, &mut gradient);
        }
        function.asked
    };
    let (conjugate, steepest) = (questions(false), questions(true));
    assert!(conjugate * 5 < steepest, "{conjugate} against {steepest}");
}

#[test]
fn an_interrupted_search_leaves_the_place_as_it_was() {
    for patience in 0..6 {
        let mut function = Known { patience, ..known(rosenbrock) };
        let (mut optimizer, mut x) = (ConjugateGradient::new(), [-1.2, 1.0]);
        let mut before = x;
        while optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue() {
            before = x;
        }
        assert_eq!(x, before, "after {patience} questions");
    }
}

#[test]
fn at_a_minimum_it_stays_and_asks_no_more() {
    let (mut optimizer, mut function, mut x) = (ConjugateGradient::new(), known(rosenbrock), [1.0, 1.0]);
    assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
    let asked = function.asked;
    assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
    assert_eq!((x, function.asked), ([1.0, 1.0], asked));
    // another function is looked at again
    function.differs = true;
    function.of = quadratic;
    assert!(optimizer.iterate(&mut x, &mut function, 1.0).unwrap().is_continue());
    assert_ne!(x, [1.0, 1.0]);
}

#[test]
fn a_restored_state_goes_on_to_the_same_bits() {
    let network =
        Network::new(MapShape::new(1, 1, 1)).then("L", Dense { outputs: 1, activation: Activation::Identity }).unwrap();
    let params = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
    set_flat(&params, &[-1.25, 1.0]).unwrap();
    let mut function = known(rosenbrock);
    let mut optimizer = ConjugateGradient::new();
    assert!(optimizer.state().unwrap().is_empty());
    for _ in 0..3 {
        assert!(optimizer.step_along(&params, &mut function, 1.0).unwrap().is_continue());
    }
    let (middle, state) = (params.weights().unwrap(), optimizer.state().unwrap());
    assert!(optimizer.step_along(&params, &mut function, 1.0).unwrap().is_continue());
    let end = params.weights().unwrap().sha256();
    assert_ne!(end, middle.sha256());

    let mut again = ConjugateGradient::new();
    again.restore(&params, &state).unwrap();
    assert_eq!(again.state().unwrap().len(), state.len());
    set_flat(&params, &middle.entries.iter().flat_map(|e| e.values.iter()).map(|&v| v.into()).collect::<Vec<_>>())
        .unwrap();
    // a run that goes on begins with a function that it does not know yet
    assert!(again.step_along(&params, &mut Known { differs: true, ..known(rosenbrock) }, 1.0).unwrap().is_continue());
    assert_eq!(params.weights().unwrap().sha256(), end);
    assert!(again.restore(&params, &state[1..]).is_err());
}
