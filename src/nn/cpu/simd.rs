//! Eight floats at a time: one trait, an AVX2+FMA form chosen at run time, and a portable form that compilers turn into
//! NEON or SSE. Lanes hold eight images, or eight channels of one image; no kernel mixes two lanes but to add them up.

/// Images, or channels, in one vector.
pub const LANES: usize = 8;

/// Some `f32` side by side. Every method is inlined into a function that has the processor features it needs.
pub trait Vector: Copy {
    /// How many.
    const FLOATS: usize;
    fn splat(x: f32) -> Self;
    /// # Safety
    /// `p` must be valid for reading that many floats.
    unsafe fn load(p: *const f32) -> Self;
    /// # Safety
    /// `p` must be valid for writing that many floats.
    unsafe fn store(self, p: *mut f32);
    fn add(self, other: Self) -> Self;
    /// `self * a + b`, rounded once where the processor can.
    fn mul_add(self, a: Self, b: Self) -> Self;
}

/// Eight `f32`.
pub trait Simd: Vector {
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `self` where `mask > 0`, else 0.
    fn where_positive(self, mask: Self) -> Self;
    /// The sum of the eight lanes, in a fixed order.
    fn sum(self) -> f32;
    /// Lane i of vector j becomes lane j of vector i.
    fn transpose(rows: [Self; LANES]) -> [Self; LANES];

    /// tanh x, absolute and relative error below 4e-7: x · p(x²) / q(x²) with p and q of degree 4, fitted on [-9, 9] to
    /// the least greatest error; farther out the result is ±1 within rounding.
    #[inline(always)]
    fn tanh(self) -> Self {
        const P: [f32; 5] = [0.999_999_9, 0.133_732, 3.486_584_6e-3, 2.047_186_9e-5, 1.318_427_1e-8];
        const Q: [f32; 5] = [1.0, 0.467_064_98, 2.584_199e-2, 3.271_389_6e-4, 7.702_684e-7];
        let x = self.min(Self::splat(9.0)).max(Self::splat(-9.0));
        let square = x.mul(x);
        let (mut p, mut q) = (Self::splat(P[4]), Self::splat(Q[4]));
        for i in (0..4).rev() {
            p = p.mul_add(square, Self::splat(P[i]));
            q = q.mul_add(square, Self::splat(Q[i]));
        }
        x.mul(p).div(q).min(Self::splat(1.0)).max(Self::splat(-1.0))
    }

    /// 1 / (1 + e^−x) = ½ + ½ tanh(½ x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let half = Self::splat(0.5);
        self.mul(half).tanh().mul_add(half, half)
    }
}

/// The portable form.
#[derive(Clone, Copy)]
pub struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Vector for Portable {
    const FLOATS: usize = LANES;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller promises eight readable floats.
        Self(unsafe { p.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller promises eight writable floats.
        unsafe { p.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| {
            // a fused product is one instruction on 64-bit Arm and a slow call on old x86
            if cfg!(target_arch = "aarch64") { self.0[i].mul_add(a.0[i], b.0[i]) } else { self.0[i] * a.0[i] + b.0[i] }
        }))
    }
}

impl Simd for Portable {
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn where_positive(self, mask: Self) -> Self {
        self.zip(mask, |x, m| if m > 0.0 { x } else { 0.0 })
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        let v = self.0;
        ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
    }
    #[inline(always)]
    fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        std::array::from_fn(|i| Self(std::array::from_fn(|j| rows[j].0[i])))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{LANES, Simd, Vector};
    use std::arch::x86_64::{
        __m256, __m512, _CMP_GT_OQ, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_shuffle_ps,
        _mm256_add_ps, _mm256_and_ps, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_div_ps, _mm256_extractf128_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps,
        _mm256_set1_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
        _mm256_unpacklo_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    /// AVX2 with FMA. Made only inside functions that `with_simd!` enters after asking the processor.
    #[derive(Clone, Copy)]
    pub struct Avx2(__m256);

    #[allow(
        clippy::undocumented_unsafe_blocks,
        reason = "one for all: `Avx2` values exist only under `#[target_feature(enable = \"avx2,fma\")]`"
    )]
    impl Vector for Avx2 {
        const FLOATS: usize = LANES;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(x) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm256_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul_add(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, a.0, b.0) })
        }
    }

    #[allow(
        clippy::undocumented_unsafe_blocks,
        reason = "one for all: `Avx2` values exist only under `#[target_feature(enable = \"avx2,fma\")]`"
    )]
    impl Simd for Avx2 {
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn div(self, other: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn where_positive(self, mask: Self) -> Self {
            Self(unsafe { _mm256_and_ps(self.0, _mm256_cmp_ps(mask.0, _mm256_setzero_ps(), _CMP_GT_OQ)) })
        }
        #[inline(always)]
        fn sum(self) -> f32 {
            unsafe {
                let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps(self.0, 1));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)))
            }
        }
        #[inline(always)]
        fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
            unsafe {
                // squares of two rows, then of four, then the halves change places
                let mut pairs = [rows[0].0; LANES];
                for i in 0..LANES / 2 {
                    pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i].0, rows[2 * i + 1].0);
                    pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i].0, rows[2 * i + 1].0);
                }
                let mut fours = pairs;
                for i in [0, 4] {
                    for half in 0..2 {
                        let (a, b) = (pairs[i + half], pairs[i + 2 + half]);
                        fours[i + 2 * half] = _mm256_shuffle_ps(a, b, 0b01_00_01_00);
                        fours[i + 2 * half + 1] = _mm256_shuffle_ps(a, b, 0b11_10_11_10);
                    }
                }
                let mut columns = rows;
                for i in 0..LANES / 2 {
                    columns[i] = Self(_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20));
                    columns[i + 4] = Self(_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31));
                }
                columns
            }
        }
    }

    /// Sixteen floats of AVX-512, for products that run along whole rows of vectors. Made only inside functions that
    /// `with_wide_simd!` enters after asking the processor.
    #[derive(Clone, Copy)]
    pub struct Avx512(__m512);

    #[allow(
        clippy::undocumented_unsafe_blocks,
        reason = "one for all: `Avx512` values exist only under `#[target_feature(enable = \"avx512f\")]`"
    )]
    impl Vector for Avx512 {
        const FLOATS: usize = 2 * LANES;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(x) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm512_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul_add(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, a.0, b.0) })
        }
    }
}
#[cfg(target_arch = "x86_64")]
pub use avx2::{Avx2, Avx512};

/// Whether the AVX2+FMA form runs here.
pub fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Defines `fn $name(args)` that calls `$body::<Avx2>(args)` where the processor has it, else `$body::<Portable>(args)`.
macro_rules! with_simd {
    ($(#[$doc:meta])* $vis:vis fn $name:ident / $body:ident ($($arg:ident : $type:ty),* $(,)?)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
        $vis fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if $crate::nn::cpu::simd::has_avx2() {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments, reason = "as above")]
                fn avx2($($arg: $type),*) {
                    $body::<$crate::nn::cpu::simd::Avx2>($($arg),*);
                }
                // SAFETY: the processor has just said that it has both features.
                return unsafe { avx2($($arg),*) };
            }
            $body::<$crate::nn::cpu::simd::Portable>($($arg),*);
        }
    };
}
pub(crate) use with_simd;

/// Whether vectors of sixteen floats run here.
pub fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        has_avx2() && std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// As [`with_simd!`] for a body of two types, vectors of eight and the widest vectors: `$body::<Avx2, Avx512>` where the
/// processor has both. Wide vectors do in one step what two of eight do in two, so that results keep their bits.
macro_rules! with_wide_simd {
    ($(#[$doc:meta])* $vis:vis fn $name:ident / $body:ident ($($arg:ident : $type:ty),* $(,)?)) => {
        $(#[$doc])*
        $vis fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if $crate::nn::cpu::simd::has_avx512() {
                #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
                fn avx512($($arg: $type),*) {
                    $body::<$crate::nn::cpu::simd::Avx2, $crate::nn::cpu::simd::Avx512>($($arg),*);
                }
                // SAFETY: the processor has just said that it has these features.
                return unsafe { avx512($($arg),*) };
            }
            #[cfg(target_arch = "x86_64")]
            if $crate::nn::cpu::simd::has_avx2() {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) {
                    $body::<$crate::nn::cpu::simd::Avx2, $crate::nn::cpu::simd::Avx2>($($arg),*);
                }
                // SAFETY: as above.
                return unsafe { avx2($($arg),*) };
            }
            $body::<$crate::nn::cpu::simd::Portable, $crate::nn::cpu::simd::Portable>($($arg),*);
        }
    };
}
pub(crate) use with_wide_simd;

#[cfg(test)]
mod tests {
    use super::*;

    fn tanh_of<S: Simd>(x: f32) -> f32 {
        let mut out = [0f32; LANES];
        // SAFETY: `out` is eight floats.
        unsafe { S::splat(x).tanh().store(out.as_mut_ptr()) };
        out[3]
    }

    with_simd! { pub fn tanh_all / tanh_all_body(x: &[f32], y: &mut [f32]) }
    #[inline(always)]
    fn tanh_all_body<S: Simd>(x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(LANES).zip(y.chunks_exact_mut(LANES)) {
            // SAFETY: chunks are eight floats.
            unsafe { S::load(x.as_ptr()).tanh().store(y.as_mut_ptr()) };
        }
    }

    #[test]
    fn tanh_agrees_with_libm_over_its_whole_range() {
        let x: Vec<f32> = (0..8_000).map(|i| (i as f32 - 4_000.0) / 200.0).collect();
        let mut y = vec![0.0; x.len()];
        tanh_all(&x, &mut y);
        for (x, y) in x.iter().zip(&y) {
            assert!((x.tanh() - y).abs() < 4e-7 * x.tanh().abs() + 1e-30, "tanh {x} = {}, got {y}", x.tanh());
            assert!((tanh_of::<Portable>(*x) - x.tanh()).abs() < 4e-7, "portable, at {x}");
        }
        for far in [9.0, 200.0, f32::INFINITY] {
            assert!((1.0 - tanh_of::<Portable>(far)).abs() < 2e-7 && (1.0 + tanh_of::<Portable>(-far)).abs() < 2e-7);
        }
    }

    with_simd! { pub fn transpose_all / transpose_all_body(x: &[f32], y: &mut [f32]) }
    #[inline(always)]
    fn transpose_all_body<S: Simd>(x: &[f32], y: &mut [f32]) {
        let mut rows = [S::splat(0.0); LANES];
        for (row, x) in rows.iter_mut().zip(x.chunks_exact(LANES)) {
            // SAFETY: chunks are eight floats.
            *row = unsafe { S::load(x.as_ptr()) };
        }
        for (column, y) in S::transpose(rows).iter().zip(y.chunks_exact_mut(LANES)) {
            // SAFETY: as above.
            unsafe { column.store(y.as_mut_ptr()) };
        }
    }

    #[test]
    fn a_transposed_square_has_its_rows_in_its_columns() {
        let x: Vec<f32> = (0..LANES * LANES).map(|i| i as f32).collect();
        let expected: Vec<f32> = (0..LANES * LANES).map(|i| x[i % LANES * LANES + i / LANES]).collect();
        let mut y = vec![0.0; x.len()];
        transpose_all(&x, &mut y);
        assert_eq!(y, expected);
        transpose_all_body::<Portable>(&x, &mut y);
        assert_eq!(y, expected, "portable");
    }
}
