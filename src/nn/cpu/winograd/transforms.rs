//! The matrices A, B and G of F(2×2, 5×5) and F(4×4, 3×3).
//!
//! A polynomial of degree 5 is known by its values at the points 0, 1, −1, 2, −2 and its leading coefficient, its value
//! "at ∞". So the product of a polynomial with m and one with r = 7 − m coefficients is: both evaluated at the points,
//! six products, and interpolation. With V_n the 6×n matrix of evaluation (1, a, a², … for the point a; 0, …, 0, 1 for
//! ∞), D the diagonal of 1 / Π_{b ≠ a} (a − b), and the rows of Bᵀ the coefficients of Π_{b ≠ a} (x − b) over the finite
//! points, interpolation is B D. A correlation is the transposed map of a product of polynomials:
//! y = V_mᵀ [(D V_r w) ⊙ (Bᵀ d)], that is A = V_m and G = D V_r, and Bᵀ has whole numbers only.

use super::super::simd::{LANES, Simd};
use super::SIDE;

/// Π_{b ≠ a} 1 / (a − b) for the points 0, 1, −1, 2, −2; 1 for ∞.
const D: [f32; SIDE] = [1.0 / 4.0, -1.0 / 6.0, -1.0 / 6.0, 1.0 / 24.0, 1.0 / 24.0, 1.0];

/// A linear map of `FROM` to `TO` values.
pub trait Transform<const FROM: usize, const TO: usize> {
    fn apply<S: Simd>(x: [S; FROM]) -> [S; TO];
}

/// Bᵀ: a tile of the input to its values at the points.
pub struct Input;
impl Transform<SIDE, SIDE> for Input {
    #[inline(always)]
    fn apply<S: Simd>(d: [S; SIDE]) -> [S; SIDE] {
        let (four, two) = (S::splat(-4.0), S::splat(2.0));
        let even = d[2].mul_add(four, d[4]);
        let odd = d[1].mul_add(four, d[3]);
        let (fourth, third) = (d[4].sub(d[2]), d[3].sub(d[1]));
        let twice = third.mul(two);
        [
            d[2].sub(d[0]).mul_add(four, fourth),
            even.add(odd),
            even.sub(odd),
            fourth.add(twice),
            fourth.sub(twice),
            third.mul_add(four, d[5].sub(d[3])),
        ]
    }
}

/// B: the transposed map, that takes gradients back.
pub struct InputGradient;
impl Transform<SIDE, SIDE> for InputGradient {
    #[inline(always)]
    fn apply<S: Simd>(v: [S; SIDE]) -> [S; SIDE] {
        let (four, two) = (S::splat(-4.0), S::splat(2.0));
        let (sum, twice_sum) = (v[1].add(v[2]), v[3].add(v[4]));
        let (difference, twice_difference) = (v[1].sub(v[2]), v[3].sub(v[4]));
        let (first, second) = (v[0].add(sum), v[0].add(twice_sum));
        [
            v[0].mul(S::splat(4.0)),
            twice_difference.mul_add(S::splat(-2.0), difference.sub(v[5]).mul(four)),
            first.mul(four).sub(second),
            v[5].mul_add(S::splat(-5.0), twice_difference.mul_add(two, difference)),
            first.add(twice_sum),
            v[5],
        ]
    }
}

/// A: the values at the points of the polynomial with these coefficients.
pub struct Values;
impl<const N: usize> Transform<N, SIDE> for Values {
    #[inline(always)]
    fn apply<S: Simd>(x: [S; N]) -> [S; SIDE] {
        // the even and the odd part, at 1 and at 2
        let mut parts = [[x[0], x[0]], [x[1], x[1].add(x[1])]];
        for k in 2..N {
            let [one, two] = parts[k % 2];
            parts[k % 2] = [one.add(x[k]), x[k].mul_add(S::splat((1 << k) as f32), two)];
        }
        let [even, odd] = parts;
        [x[0], even[0].add(odd[0]), even[0].sub(odd[0]), even[1].add(odd[1]), even[1].sub(odd[1]), x[N - 1]]
    }
}

/// Aᵀ: products at the points to outputs.
pub struct Outputs;
impl<const N: usize> Transform<SIDE, N> for Outputs {
    #[inline(always)]
    fn apply<S: Simd>(v: [S; SIDE]) -> [S; N] {
        let parts = [[v[1].add(v[2]), v[3].add(v[4])], [v[1].sub(v[2]), v[3].sub(v[4])]];
        let mut x = [v[0].add(parts[0][0]).add(parts[0][1]); N];
        for k in 1..N {
            let [one, two] = parts[k % 2];
            x[k] = two.mul_add(S::splat((1 << k) as f32), one);
        }
        x[N - 1] = x[N - 1].add(v[5]);
        x
    }
}

/// G = D V: a kernel to its values at the points.
pub struct Kernel;
impl<const N: usize> Transform<N, SIDE> for Kernel {
    #[inline(always)]
    fn apply<S: Simd>(x: [S; N]) -> [S; SIDE] {
        scaled(Values::apply(x))
    }
}

/// Gᵀ: the gradient at the points to that of the kernel.
pub struct KernelGradient;
impl<const N: usize> Transform<SIDE, N> for KernelGradient {
    #[inline(always)]
    fn apply<S: Simd>(v: [S; SIDE]) -> [S; N] {
        Outputs::apply(scaled(v))
    }
}

#[inline(always)]
fn scaled<S: Simd>(mut v: [S; SIDE]) -> [S; SIDE] {
    for (value, factor) in v.iter_mut().zip(D) {
        *value = value.mul(S::splat(factor));
    }
    v
}

/// Where the vectors of a square lie: its first, and how many floats on the next row and column are.
#[derive(Clone, Copy)]
pub struct Square<P> {
    pub first: P,
    pub row: usize,
    pub column: usize,
}

impl<P> Square<P> {
    /// Six rows of six, `step` floats from one position to the next.
    #[inline(always)]
    pub fn positions(first: P, step: usize) -> Self {
        Self { first, row: SIDE * step, column: step }
    }
    /// Rows of `width` vectors.
    #[inline(always)]
    pub fn map(first: P, width: usize) -> Self {
        Self { first, row: width * LANES, column: LANES }
    }
}

impl Square<*mut f32> {
    #[inline(always)]
    pub fn read_only(self) -> Square<*const f32> {
        Square { first: self.first.cast_const(), row: self.row, column: self.column }
    }
}

/// T X Tᵀ for one `FROM`×`FROM` square of vectors; with `ADD`, added to what is there.
///
/// # Safety
/// All vectors of `from` must be valid for reading, those of `to` for writing.
#[inline(always)]
pub unsafe fn transform<S: Simd, T: Transform<FROM, TO>, const FROM: usize, const TO: usize, const ADD: bool>(
    from: Square<*const f32>,
    to: Square<*mut f32>,
) {
    let zero = S::splat(0.0);
    let mut columns = [[zero; TO]; FROM];
    for (j, column) in columns.iter_mut().enumerate() {
        let mut x = [zero; FROM];
        for (i, x) in x.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            *x = unsafe { S::load(from.first.add(i * from.row + j * from.column)) };
        }
        *column = T::apply(x);
    }
    for i in 0..TO {
        let mut row = [zero; FROM];
        for (x, column) in row.iter_mut().zip(&columns) {
            *x = column[i];
        }
        for (j, x) in T::apply(row).iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe {
                let to = to.first.add(i * to.row + j * to.column);
                if ADD { S::load(to).add(*x) } else { *x }.store(to);
            }
        }
    }
}
