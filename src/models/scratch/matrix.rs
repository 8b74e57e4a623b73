//! Matrices of plain numbers and the one operation that takes time: their product.

use crate::nn::{LANES, Simd, with_simd};

/// `rows` × `columns` numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f32>,
}

impl Matrix {
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), rows * columns, "a value for every place");
        Self { rows, columns, values }
    }

    /// Its rows, one after the other.
    pub fn each_row(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }

    pub fn each_row_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.columns.max(1))
    }

    /// A B.
    pub fn times(&self, b: &Self) -> Self {
        Self::product(self.as_it_is(), b.as_it_is())
    }

    /// A Bᵀ.
    pub fn times_transposed(&self, b: &Self) -> Self {
        Self::product(self.as_it_is(), b.as_transposed())
    }

    /// Aᵀ B.
    pub fn transposed_times(&self, b: &Self) -> Self {
        Self::product(self.as_transposed(), b.as_it_is())
    }

    fn as_it_is(&self) -> Factor<'_> {
        Factor { values: &self.values, rows: self.rows, columns: self.columns, down: self.columns, right: 1 }
    }

    fn as_transposed(&self) -> Factor<'_> {
        Factor { values: &self.values, rows: self.columns, columns: self.rows, down: 1, right: self.columns }
    }

    fn product(a: Factor<'_>, b: Factor<'_>) -> Self {
        assert_eq!(a.columns, b.rows, "a row of B for every column of A");
        let mut c = vec![0.0; a.rows * b.columns];
        if !c.is_empty() && b.rows > 0 {
            product(&a, &b, &mut c);
        }
        Self::new(a.rows, b.columns, c)
    }

    /// The sum of all rows.
    pub fn sum_of_rows(&self) -> Vec<f32> {
        let mut sum = vec![0.0; self.columns];
        for row in self.each_row() {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    /// σ(z) = 1 / (1 + e^−z) of every value.
    pub fn sigmoid(mut self) -> Self {
        sigmoid(&mut self.values);
        self
    }
}

with_simd! { fn sigmoid / sigmoid_body(values: &mut [f32]) }

#[inline(always)]
fn sigmoid_body<S: Simd>(values: &mut [f32]) {
    let (eights, rest) = values.as_chunks_mut::<LANES>();
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    for eight in eights.iter_mut().chain([&mut last]) {
        // SAFETY: eight floats are read and written.
        unsafe { S::load(eight.as_ptr()).sigmoid().store(eight.as_mut_ptr()) };
    }
    rest.copy_from_slice(&last[..rest.len()]);
}

/// A tile of the result: so many rows and columns of sums fit into the processor's registers.
const ROWS: usize = 6;
const COLUMNS: usize = 2 * LANES;
/// Products that a tile adds up at a time: so long a strip of B stays in the first cache.
const DEPTH: usize = 256;

/// A matrix as it lies in memory or transposed: the value of a row and a column at `row · down + column · right`.
struct Factor<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    down: usize,
    right: usize,
}

impl Factor<'_> {
    /// Lays some rows from `row` on side by side, value by value, `apart` from each other: so many of their values from
    /// `column` on.
    #[inline(always)]
    fn strip(&self, row: usize, rows: usize, column: usize, columns: usize, strip: &mut [f32], apart: usize) {
        for r in 0..rows {
            let values = &self.values[(row + r) * self.down + column * self.right..];
            let to = strip.iter_mut().skip(r).step_by(apart);
            if self.right == 1 {
                to.zip(&values[..columns]).for_each(|(to, value)| *to = *value);
            } else {
                to.zip(values.iter().step_by(self.right)).take(columns).for_each(|(to, value)| *to = *value);
            }
        }
    }

    fn transposed(&self) -> Self {
        Self { rows: self.columns, columns: self.rows, down: self.right, right: self.down, ..*self }
    }
}

with_simd! {
    /// C = A B, tile by tile; C is zero before.
    fn product / product_body(a: &Factor<'_>, b: &Factor<'_>, c: &mut [f32])
}

#[inline(always)]
fn product_body<S: Simd>(a: &Factor<'_>, b: &Factor<'_>, c: &mut [f32]) {
    let (rows, depth, columns) = (a.rows, b.rows, b.columns);
    let b = b.transposed();
    let tiles = rows.div_ceil(ROWS);
    // A in strips of six rows and B in strips of sixteen columns, so that a tile reads both from front to back; what lies
    // beyond their edges is 0
    let mut a_strips = vec![0.0; tiles * ROWS * DEPTH];
    let mut b_strip = [0.0; DEPTH * COLUMNS];
    for k in (0..depth).step_by(DEPTH) {
        let here = DEPTH.min(depth - k);
        for (tile, strip) in a_strips.chunks_exact_mut(ROWS * DEPTH).enumerate() {
            a.strip(tile * ROWS, ROWS.min(rows - tile * ROWS), k, here, strip, ROWS);
        }
        for j in (0..columns).step_by(COLUMNS) {
            let width = COLUMNS.min(columns - j);
            b_strip.fill(0.0);
            b.strip(j, width, k, here, &mut b_strip, COLUMNS);
            for (tile, strip) in a_strips.chunks_exact(ROWS * DEPTH).enumerate() {
                let sums = tile_sums::<S>(&strip[..here * ROWS], &b_strip[..here * COLUMNS]);
                for (r, sums) in sums.chunks_exact(COLUMNS).enumerate().take(rows - tile * ROWS) {
                    let row = &mut c[(tile * ROWS + r) * columns + j..][..width];
                    row.iter_mut().zip(sums).for_each(|(c, sum)| *c += sum);
                }
            }
        }
    }
}

/// Σ_k a\[k, r\] b\[k, j\] for six rows and sixteen columns.
#[inline(always)]
fn tile_sums<S: Simd>(a: &[f32], b: &[f32]) -> [f32; ROWS * COLUMNS] {
    let mut sums = [[S::splat(0.0); 2]; ROWS];
    for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(b.as_chunks::<COLUMNS>().0) {
        // SAFETY: sixteen floats are read.
        let b = unsafe { [S::load(b.as_ptr()), S::load(b.as_ptr().add(LANES))] };
        for (row, &a) in sums.iter_mut().zip(a) {
            let a = S::splat(a);
            row[0] = b[0].mul_add(a, row[0]);
            row[1] = b[1].mul_add(a, row[1]);
        }
    }
    let mut out = [0.0; ROWS * COLUMNS];
    for (half, sum) in out.chunks_exact_mut(LANES).zip(sums.as_flattened()) {
        // SAFETY: eight floats are written.
        unsafe { sum.store(half.as_mut_ptr()) };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(rows: usize, columns: usize, pace: f32) -> Matrix {
        Matrix::new(rows, columns, (0..rows * columns).map(|i| (i as f32 * pace).sin()).collect())
    }

    fn transposed(a: &Matrix) -> Matrix {
        let value = |i: usize| a.values[i % a.rows * a.columns + i / a.rows];
        Matrix::new(a.columns, a.rows, (0..a.values.len()).map(value).collect())
    }

    fn by_definition(a: &Matrix, b: &Matrix) -> Matrix {
        let sum = |i: usize, j: usize| {
            (0..b.rows)
                .map(|k| f64::from(a.values[i * a.columns + k]) * f64::from(b.values[k * b.columns + j]))
                .sum::<f64>() as f32
        };
        let places = (0..a.rows).flat_map(|i| (0..b.columns).map(move |j| (i, j)));
        Matrix::new(a.rows, b.columns, places.map(|(i, j)| sum(i, j)).collect())
    }

    #[test]
    fn products_of_all_sizes_are_those_of_the_definition() {
        for (rows, depth, columns) in [(1, 1, 1), (6, 16, 16), (7, 300, 10), (13, 256, 33), (32, 513, 17), (5, 0, 3)] {
            let (a, b) = (wave(rows, depth, 0.7), wave(depth, columns, 0.3));
            let expected = by_definition(&a, &b);
            let near = |c: &Matrix| c.values.iter().zip(&expected.values).all(|(c, e)| (c - e).abs() < 1e-4);
            let size = format!("{rows} × {depth} × {columns}");
            assert!(near(&a.times(&b)), "{size}");
            assert!(near(&transposed(&a).transposed_times(&b)), "{size}, A transposed");
            assert!(near(&a.times_transposed(&transposed(&b))), "{size}, B transposed");
        }
    }

    #[test]
    fn sigmoid_and_sums_reach_every_value() {
        let a = wave(3, 7, 1.1);
        let expected: Vec<f32> = a.values.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
        let y = a.clone().sigmoid();
        assert!(y.values.iter().zip(&expected).all(|(y, e)| (y - e).abs() < 1e-6), "{y:?}");
        let sum = a.sum_of_rows();
        assert!((sum[6] - (a.values[6] + a.values[13] + a.values[20])).abs() < 1e-6);
    }
}
