//! One vector register of `f32`, for the kernels whose registers must be laid out by hand.

use mil_base::f16;

/// A register of [`Vector::LANES`] values. Every method requires that the instructions of its level are present.
pub(crate) trait Vector: Copy {
    const LANES: usize;
    /// # Safety
    /// The level must be present.
    unsafe fn zero() -> Self;
    /// # Safety
    /// As [`Vector::zero`]; `p` points to one element.
    unsafe fn splat(p: *const f32) -> Self;
    /// # Safety
    /// As [`Vector::zero`]; `p` points to `LANES` elements.
    unsafe fn load(p: *const f32) -> Self;
    /// # Safety
    /// As [`Vector::zero`]; `p` points to `LANES` elements.
    unsafe fn load_half(p: *const f16) -> Self;
    /// # Safety
    /// As [`Vector::zero`]; `p` points to `LANES` elements.
    unsafe fn store(self, p: *mut f32);
    /// `self + a * b`.
    ///
    /// # Safety
    /// As [`Vector::zero`].
    unsafe fn fma(self, a: Self, b: Self) -> Self;
    /// # Safety
    /// As [`Vector::zero`].
    unsafe fn add(self, a: Self) -> Self;
    /// The sum of all lanes.
    ///
    /// # Safety
    /// As [`Vector::zero`].
    unsafe fn sum(self) -> f32;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use mil_base::f16;
    use std::arch::x86_64::*;

    macro_rules! vector {
        ($v:ident, $lanes:literal, $zero:ident, $set:ident, $load:ident, $store:ident, $fma:ident, $add:ident,
         |$p:ident| $half:expr, |$s:ident| $sum:expr) => {
            impl Vector for $v {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn zero() -> Self {
                    // SAFETY: the caller's promise, here and in every method below.
                    unsafe { $zero() }
                }
                #[inline(always)]
                unsafe fn splat(p: *const f32) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $set(*p) }
                }
                #[inline(always)]
                unsafe fn load(p: *const f32) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $load(p) }
                }
                #[inline(always)]
                unsafe fn load_half($p: *const f16) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $half }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut f32) {
                    // SAFETY: the caller's promise.
                    unsafe { $store(p, self) }
                }
                #[inline(always)]
                unsafe fn fma(self, a: Self, b: Self) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $fma(a, b, self) }
                }
                #[inline(always)]
                unsafe fn add(self, a: Self) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $add(self, a) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> f32 {
                    let $s = self;
                    // SAFETY: the caller's promise.
                    unsafe { $sum }
                }
            }
        };
    }
    vector!(
        __m512,
        16,
        _mm512_setzero_ps,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        |p| _mm512_cvtph_ps(_mm256_loadu_si256(p.cast())),
        |s| _mm512_reduce_add_ps(s)
    );
    vector!(
        __m256,
        8,
        _mm256_setzero_ps,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        |p| _mm256_cvtph_ps(_mm_loadu_si128(p.cast())),
        |s| {
            let four = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps::<1>(s));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    );
}

/// Eight values that the compiler keeps in registers of the target's baseline (two of NEON).
#[derive(Clone, Copy)]
pub(crate) struct Eight([f32; 8]);

impl Vector for Eight {
    const LANES: usize = 8;
    #[inline(always)]
    unsafe fn zero() -> Self {
        Eight([0.0; 8])
    }
    #[inline(always)]
    unsafe fn splat(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Eight([unsafe { *p }; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Eight(unsafe { p.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_half(p: *const f16) -> Self {
        // SAFETY: the caller's promise.
        let halves = unsafe { p.cast::<[f16; 8]>().read_unaligned() };
        Eight(halves.map(f16::to_f32))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        // A fused instruction where the target has one; on old x86 `mul_add` would be a library call.
        Eight(std::array::from_fn(|i| {
            if cfg!(target_arch = "aarch64") {
                a.0[i].mul_add(b.0[i], self.0[i])
            } else {
                self.0[i] + a.0[i] * b.0[i]
            }
        }))
    }
    #[inline(always)]
    unsafe fn add(self, a: Self) -> Self {
        Eight(std::array::from_fn(|i| self.0[i] + a.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        self.0.iter().sum()
    }
}
