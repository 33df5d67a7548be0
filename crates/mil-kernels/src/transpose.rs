//! Transposing small blocks in registers.

/// Transposes a block of 16 by 16 in place.
pub(crate) fn sixteen(block: &mut [[f32; 16]; 16]) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::isa() == crate::simd::Isa::Avx512 {
        // SAFETY: the level is detected.
        return unsafe { x86::sixteen(block) };
    }
    let source = *block;
    for (i, row) in block.iter_mut().enumerate() {
        for (o, line) in row.iter_mut().zip(&source) {
            *o = line[i];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Four rounds that exchange elements at distance 1, 2, 4 and 8 between pairs of rows at that distance.
    ///
    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f")]
    #[allow(clippy::needless_range_loop)]
    pub(super) unsafe fn sixteen(block: &mut [[f32; 16]; 16]) {
        // Plain index loops: closures with these features are not inlined into the library's adaptors.
        let mut r = [_mm512_setzero_ps(); 16];
        for i in 0..16 {
            // SAFETY: each row has 16 elements.
            r[i] = unsafe { _mm512_loadu_ps(block[i].as_ptr()) };
        }
        for h in 0..8 {
            let i = 2 * h;
            let (a, b) = (r[i], r[i + 1]);
            r[i] = _mm512_mask_permute_ps::<0b10_10_00_00>(a, 0xaaaa, b);
            r[i + 1] = _mm512_mask_permute_ps::<0b11_11_01_01>(b, 0x5555, a);
        }
        for h in 0..8 {
            let i = h / 2 * 4 + h % 2;
            let (a, b) = (r[i], r[i + 2]);
            r[i] = _mm512_shuffle_ps::<0b01_00_01_00>(a, b);
            r[i + 2] = _mm512_shuffle_ps::<0b11_10_11_10>(a, b);
        }
        for h in 0..8 {
            let i = h / 4 * 8 + h % 4;
            let (a, b) = (r[i], r[i + 4]);
            // Lanes of 128 bits: even ones of both, odd ones of both.
            let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
            let odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
            r[i] = _mm512_shuffle_f32x4::<0b11_01_10_00>(even, even);
            r[i + 4] = _mm512_shuffle_f32x4::<0b11_01_10_00>(odd, odd);
        }
        for i in 0..8 {
            let (a, b) = (r[i], r[i + 8]);
            r[i] = _mm512_shuffle_f32x4::<0b01_00_01_00>(a, b);
            r[i + 8] = _mm512_shuffle_f32x4::<0b11_10_11_10>(a, b);
        }
        for i in 0..16 {
            // SAFETY: each row has 16 elements.
            unsafe { _mm512_storeu_ps(block[i].as_mut_ptr(), r[i]) };
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_block_is_transposed() {
        let mut block: [[f32; 16]; 16] =
            std::array::from_fn(|i| std::array::from_fn(|j| (i * 16 + j) as f32));
        super::sixteen(&mut block);
        for (i, row) in block.iter().enumerate() {
            for (j, v) in row.iter().enumerate() {
                assert_eq!(*v, (j * 16 + i) as f32, "{i} {j}");
            }
        }
    }
}
