//! Pooling over windows that tile the maps, on blocks of eight images; serial like the other kernels.

use super::simd::{LANES, Simd, with_simd};
use crate::nn::{Pool2d, PoolKind};

/// Sizes of one pooling: `maps` (blocks × channels) of `height`×`width` vectors.
#[derive(Clone, Copy, Debug)]
pub struct PoolShape {
    pub maps: usize,
    pub height: usize,
    pub width: usize,
    pub pool: Pool2d,
}

impl PoolShape {
    /// Panics unless the windows tile the maps and both slices hold what the sizes say: every pointer relies on it.
    pub(super) fn check(&self, large: usize, small: usize) {
        assert!(self.pool.size > 0, "windows have a size");
        assert!(
            self.height.is_multiple_of(self.pool.size) && self.width.is_multiple_of(self.pool.size),
            "windows tile the maps"
        );
        assert_eq!(large, self.maps * self.height * self.width * LANES, "a value for every pixel");
        assert_eq!(small, large / self.pool.window(), "a value for every window");
    }

    /// The same windows in one map alone.
    pub(super) fn one_map(&self) -> Self {
        Self { maps: 1, ..*self }
    }

    /// Calls `f(first value of a window, its place in the pooled maps)`, both counted in floats.
    #[inline(always)]
    pub(super) fn for_each_window(&self, mut f: impl FnMut(usize, usize)) {
        let mut out = 0;
        for row in (0..self.maps * self.height).step_by(self.pool.size) {
            for column in (0..self.width).step_by(self.pool.size) {
                f((row * self.width + column) * LANES, out);
                out += LANES;
            }
        }
    }

    /// Rows of windows, of all maps.
    #[inline(always)]
    fn rows(&self) -> usize {
        self.maps * self.height / self.pool.size
    }

    /// Windows in a row of them.
    #[inline(always)]
    fn columns(&self) -> usize {
        self.width / self.pool.size
    }

    /// The first value of a window, counted in floats.
    #[inline(always)]
    fn first(&self, row: usize, column: usize) -> usize {
        (row * self.width + column) * self.pool.size * LANES
    }

    /// Where tap `tap` of a window lies, from its first value on.
    #[inline(always)]
    fn tap(&self, tap: usize) -> usize {
        (tap / self.pool.size * self.width + tap % self.pool.size) * LANES
    }
}

with_simd! {
    /// One value for every window.
    pub fn pool_forward / pool_forward_body(x: &[f32], y: &mut [f32], s: &PoolShape)
}

#[inline(always)]
pub(super) fn pool_forward_body<S: Simd>(x: &[f32], y: &mut [f32], s: &PoolShape) {
    s.check(x.len(), y.len());
    let taps = s.pool.window();
    let share = S::splat(1.0 / taps as f32);
    for row in 0..s.rows() {
        for column in 0..s.columns() {
            // SAFETY: `check` has tied the windows to the slices.
            unsafe {
                let x = x.as_ptr().add(s.first(row, column));
                let mut value = S::load(x);
                for tap in 1..taps {
                    let other = S::load(x.add(s.tap(tap)));
                    value = match s.pool.kind {
                        PoolKind::Average => value.add(other),
                        PoolKind::Max => value.max(other),
                    };
                }
                let value = if s.pool.kind == PoolKind::Average { value.mul(share) } else { value };
                value.store(y.as_mut_ptr().add((row * s.columns() + column) * LANES));
            }
        }
    }
}

with_simd! {
    /// The gradient of the input: a share for every value of an averaged window; for the greatest value, the first of
    /// equal ones, all of it.
    pub fn pool_backward / pool_backward_body(x: &[f32], gradient: &[f32], x_grad: &mut [f32], s: &PoolShape)
}

#[inline(always)]
pub(super) fn pool_backward_body<S: Simd>(x: &[f32], gradient: &[f32], x_grad: &mut [f32], s: &PoolShape) {
    s.check(x.len(), gradient.len());
    s.check(x_grad.len(), gradient.len());
    let taps = s.pool.window();
    let share = S::splat(1.0 / taps as f32);
    for row in 0..s.rows() {
        for column in 0..s.columns() {
            let (first, out) = (s.first(row, column), (row * s.columns() + column) * LANES);
            match s.pool.kind {
                // SAFETY: `check` has tied the windows to the slices.
                PoolKind::Average => unsafe {
                    let part = S::load(gradient.as_ptr().add(out)).mul(share);
                    for tap in 0..taps {
                        part.store(x_grad.as_mut_ptr().add(first + s.tap(tap)));
                    }
                },
                // SAFETY: as above.
                PoolKind::Max => unsafe {
                    let x = x.as_ptr().add(first);
                    let mut greatest = S::load(x);
                    for tap in 1..taps {
                        greatest = greatest.max(S::load(x.add(s.tap(tap))));
                    }
                    // what no tap has taken yet: the first that is not below the greatest takes it all
                    let mut left = S::load(gradient.as_ptr().add(out));
                    for tap in 0..taps {
                        let passed = left.where_positive(greatest.sub(S::load(x.add(s.tap(tap)))));
                        left.sub(passed).store(x_grad.as_mut_ptr().add(first + s.tap(tap)));
                        left = passed;
                    }
                },
            }
        }
    }
}
