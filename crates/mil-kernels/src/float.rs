//! fp16 storage: whole slices to and from `f32`, and the rounding between fused operations.

use mil_base::f16;

/// An element type kernels compute on in `f32`.
pub trait Float: bytemuck::Pod + Send + Sync + Default {
    /// Stored as fp16, so every result is rounded to it.
    const FP16: bool;
    /// Elements as `f32`; the slices have one length.
    fn expand(src: &[Self], dst: &mut [f32]);
    /// Elements from `f32`, rounded to nearest even; the slices have one length.
    fn round(src: &[f32], dst: &mut [Self]);
    /// The elements as `f32`: themselves if they are, else expanded into `buffer`.
    fn view<'a>(src: &'a [Self], buffer: &'a mut [f32]) -> &'a [f32];
    /// One element as `f32`.
    fn to_f32(self) -> f32;
    /// One element from `f32`, rounded to nearest even.
    fn from_f32(value: f32) -> Self;
}

impl Float for f32 {
    const FP16: bool = false;
    fn expand(src: &[f32], dst: &mut [f32]) {
        dst.copy_from_slice(src);
    }
    fn round(src: &[f32], dst: &mut [f32]) {
        dst.copy_from_slice(src);
    }
    fn view<'a>(src: &'a [f32], _: &'a mut [f32]) -> &'a [f32] {
        src
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn from_f32(value: f32) -> f32 {
        value
    }
}

impl Float for f16 {
    const FP16: bool = true;
    fn expand(src: &[f16], dst: &mut [f32]) {
        expand(src, dst);
    }
    fn round(src: &[f32], dst: &mut [f16]) {
        round(src, dst);
    }
    fn view<'a>(src: &'a [f16], buffer: &'a mut [f32]) -> &'a [f32] {
        expand(src, &mut buffer[..src.len()]);
        &buffer[..src.len()]
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
    #[inline(always)]
    fn from_f32(value: f32) -> f16 {
        f16::from_f32(value)
    }
}

/// fp16 to `f32`; the slices have one length.
pub fn expand(src: &[f16], dst: &mut [f32]) {
    assert_eq!(src.len(), dst.len());
    #[cfg(target_arch = "x86_64")]
    match crate::simd::isa() {
        // SAFETY: the level is detected, and the lengths are equal.
        crate::simd::Isa::Avx512 => return unsafe { x86::expand_avx512(src, dst) },
        // SAFETY: the level is detected, and the lengths are equal.
        crate::simd::Isa::Avx2 => return unsafe { x86::expand_avx2(src, dst) },
        crate::simd::Isa::Baseline => {}
    }
    half::slice::HalfFloatSliceExt::convert_to_f32_slice(src, dst);
}

/// `f32` to fp16, rounded to nearest even; the slices have one length.
pub fn round(src: &[f32], dst: &mut [f16]) {
    assert_eq!(src.len(), dst.len());
    #[cfg(target_arch = "x86_64")]
    match crate::simd::isa() {
        // SAFETY: the level is detected, and the lengths are equal.
        crate::simd::Isa::Avx512 => return unsafe { x86::round_avx512(src, dst) },
        // SAFETY: the level is detected, and the lengths are equal.
        crate::simd::Isa::Avx2 => return unsafe { x86::round_avx2(src, dst) },
        crate::simd::Isa::Baseline => {}
    }
    half::slice::HalfFloatSliceExt::convert_from_f32_slice(dst, src);
}

/// Rounds each value to the nearest fp16, kept as `f32`: what one MIL operation on fp16 leaves behind.
pub fn round_in_place(values: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::isa() == crate::simd::Isa::Avx512 {
        // SAFETY: the level is detected.
        return unsafe { x86::round_in_place_avx512(values) };
    }
    let mut buffer = [f16::ZERO; 256];
    for block in values.chunks_mut(256) {
        round(block, &mut buffer[..block.len()]);
        expand(&buffer[..block.len()], block);
    }
}

/// Index loops on raw pointers: iterator adaptors are not reliably inlined into functions with target features.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use mil_base::f16;
    use std::arch::x86_64::*;

    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

    /// # Safety
    /// AVX-512 must be present and the lengths equal.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn expand_avx512(src: &[f16], dst: &mut [f32]) {
        let (n, s, d) = (src.len(), src.as_ptr().cast::<i16>(), dst.as_mut_ptr());
        let mut i = 0;
        // SAFETY: whole vectors lie within both slices, and the mask covers exactly what is left.
        unsafe {
            while i + 16 <= n {
                _mm512_storeu_ps(d.add(i), _mm512_cvtph_ps(_mm256_loadu_si256(s.add(i).cast())));
                i += 16;
            }
            if i < n {
                let m: __mmask16 = (1 << (n - i)) - 1;
                _mm512_mask_storeu_ps(d.add(i), m, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, s.add(i))));
            }
        }
    }

    /// # Safety
    /// AVX-512 must be present and the lengths equal.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn round_avx512(src: &[f32], dst: &mut [f16]) {
        let (n, s, d) = (src.len(), src.as_ptr(), dst.as_mut_ptr().cast::<i16>());
        let mut i = 0;
        // SAFETY: whole vectors lie within both slices, and the mask covers exactly what is left.
        unsafe {
            while i + 16 <= n {
                _mm256_storeu_si256(d.add(i).cast(), _mm512_cvtps_ph::<NEAREST>(_mm512_loadu_ps(s.add(i))));
                i += 16;
            }
            if i < n {
                let m: __mmask16 = (1 << (n - i)) - 1;
                let h = _mm512_cvtps_ph::<NEAREST>(_mm512_maskz_loadu_ps(m, s.add(i)));
                _mm256_mask_storeu_epi16(d.add(i), m, h);
            }
        }
    }

    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn round_in_place_avx512(values: &mut [f32]) {
        let (n, v) = (values.len(), values.as_mut_ptr());
        let mut i = 0;
        // SAFETY: whole vectors lie within the slice, and the mask covers exactly what is left.
        unsafe {
            while i + 16 <= n {
                let h = _mm512_cvtps_ph::<NEAREST>(_mm512_loadu_ps(v.add(i)));
                _mm512_storeu_ps(v.add(i), _mm512_cvtph_ps(h));
                i += 16;
            }
            if i < n {
                let m: __mmask16 = (1 << (n - i)) - 1;
                let h = _mm512_cvtps_ph::<NEAREST>(_mm512_maskz_loadu_ps(m, v.add(i)));
                _mm512_mask_storeu_ps(v.add(i), m, _mm512_cvtph_ps(h));
            }
        }
    }

    /// # Safety
    /// AVX2 and F16C must be present and the lengths equal.
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn expand_avx2(src: &[f16], dst: &mut [f32]) {
        let (n, s, d) = (src.len(), src.as_ptr(), dst.as_mut_ptr());
        let mut i = 0;
        // SAFETY: every access is below `n`.
        unsafe {
            while i + 8 <= n {
                _mm256_storeu_ps(d.add(i), _mm256_cvtph_ps(_mm_loadu_si128(s.add(i).cast())));
                i += 8;
            }
            while i < n {
                *d.add(i) = (*s.add(i)).to_f32();
                i += 1;
            }
        }
    }

    /// # Safety
    /// AVX2 and F16C must be present and the lengths equal.
    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn round_avx2(src: &[f32], dst: &mut [f16]) {
        let (n, s, d) = (src.len(), src.as_ptr(), dst.as_mut_ptr());
        let mut i = 0;
        // SAFETY: every access is below `n`.
        unsafe {
            while i + 8 <= n {
                let h = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(s.add(i)));
                _mm_storeu_si128(d.add(i).cast(), h);
                i += 8;
            }
            while i < n {
                *d.add(i) = f16::from_f32(*s.add(i));
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_and_rounding_is_to_even() {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|h| !h.is_nan()).collect();
        let (mut wide, mut back) = (vec![0f32; all.len()], vec![f16::ZERO; all.len()]);
        expand(&all, &mut wide);
        round(&wide, &mut back);
        assert!(all.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(all.iter().zip(&wide).all(|(a, b)| a.to_f32() == *b));
        let mut values: Vec<f32> =
            (0..4001).map(|i| (i as f32 - 2000.0) * 33.37 + 1.0 / (i + 1) as f32).collect();
        let want: Vec<f32> = values.iter().map(|&v| f16::from_f32(v).to_f32()).collect();
        round_in_place(&mut values);
        assert_eq!(values, want);
    }
}
