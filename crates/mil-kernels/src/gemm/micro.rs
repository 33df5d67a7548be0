//! The innermost kernel: a few rows of one operand, broadcast, against a panel of the other.
//!
//! `c[r][j] (+)= Σ_k a[r][k] b[k][j]` with `r < MR` rows at the fixed stride [`A_STRIDE`] and `j` over `NV` vectors.
//! Rows are read as they lie in memory, so weights need no packing; only the panel is packed, or not even that.

use super::vector::Vector;
use crate::simd::{Isa, isa};
use std::sync::OnceLock;

/// Most elements of the inner dimension that one call takes.
pub(crate) const KC: usize = 256;
/// Stride between the rows of `a`, in elements: [`KC`] and one cache line, so that rows do not share cache sets.
pub(crate) const A_STRIDE: usize = KC + 16;
/// Most rows any level takes.
pub(crate) const MAX_ROWS: usize = 12;

/// Where the lines of a panel lie.
#[derive(Clone, Copy)]
pub(crate) enum Lines {
    /// One after another.
    Packed(*const f32),
    /// Line `k` at the given distance from a base: the taps of a convolution, read from its slab.
    Scattered(*const f32, *const usize),
}

/// `(k, a, lines, c, c's row stride, accumulate)`.
pub(crate) type Micro = unsafe fn(usize, *const f32, Lines, *mut f32, usize, bool);

/// The micro-kernels of one level.
pub(crate) struct Kernels {
    /// Most rows.
    pub(crate) rows: usize,
    /// Columns of a full panel, two vectors.
    pub(crate) wide: usize,
    /// Columns of a half panel, one vector.
    pub(crate) narrow: usize,
    /// By rows - 1, for wide panels.
    pub(crate) wide_kernels: &'static [Micro],
    /// By rows - 1, for narrow panels.
    pub(crate) narrow_kernels: &'static [Micro],
}

/// The kernels of this machine.
pub(crate) fn kernels() -> &'static Kernels {
    static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
    CHOSEN.get_or_init(|| for_isa(isa()))
}

/// The kernels of one level, which must be present.
pub(crate) fn for_isa(isa: Isa) -> &'static Kernels {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => &x86::AVX512,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &x86::AVX2,
        _ => &plain::KERNELS,
    }
}

/// # Safety
/// `a` has `MR` rows of `k` elements at [`A_STRIDE`], `lines` are `k` lines of `NV * LANES` elements, `c` has `MR` rows
/// of `NV * LANES` elements at stride `ldc`; the vector level is present.
#[inline(always)]
unsafe fn micro<V: Vector, const MR: usize, const NV: usize>(
    k: usize,
    a: *const f32,
    lines: Lines,
    c: *mut f32,
    ldc: usize,
    accumulate: bool,
) {
    // SAFETY: every address below is within what the caller promised.
    unsafe {
        let mut acc = [[V::zero(); NV]; MR];
        match lines {
            Lines::Packed(b) => {
                for i in 0..k {
                    let line = b.add(i * NV * V::LANES);
                    for v in 0..NV {
                        ahead(line.wrapping_add((AHEAD * NV + v) * V::LANES));
                    }
                    step::<V, MR, NV>(a.add(i), line, &mut acc);
                }
            }
            Lines::Scattered(base, offsets) => {
                for i in 0..k {
                    step::<V, MR, NV>(a.add(i), base.add(*offsets.add(i)), &mut acc);
                }
            }
        }
        for (r, row) in acc.iter().enumerate() {
            for (v, s) in row.iter().enumerate() {
                let at = c.add(r * ldc + v * V::LANES);
                let sum = if accumulate { V::load(at).add(*s) } else { *s };
                sum.store(at);
            }
        }
    }
}

/// Lines of a packed panel asked for before they are used: panels lie in the second-level cache.
const AHEAD: usize = 8;

/// Asks for the cache line at `p`, which need not be a valid address.
#[inline(always)]
fn ahead(p: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch does not fault.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// One inner position: a line of the panel against one element of each row.
///
/// # Safety
/// As [`micro`].
#[inline(always)]
unsafe fn step<V: Vector, const MR: usize, const NV: usize>(
    a: *const f32,
    b: *const f32,
    acc: &mut [[V; NV]; MR],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut panel = [V::zero(); NV];
        for (v, p) in panel.iter_mut().enumerate() {
            *p = V::load(b.add(v * V::LANES));
        }
        for (r, row) in acc.iter_mut().enumerate() {
            let x = V::splat(a.add(r * A_STRIDE));
            for (s, p) in row.iter_mut().zip(panel) {
                *s = s.fma(x, p);
            }
        }
    }
}

/// A slice of one kernel for each number of rows.
macro_rules! by_rows {
    ($kernel:ident, $nv:literal, [$($mr:literal)*]) => { &[$($kernel::<$mr, $nv> as Micro),*] };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::x86_64::*;

    /// # Safety
    /// As [`micro`], with AVX-512 present.
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
    unsafe fn avx512<const MR: usize, const NV: usize>(
        k: usize,
        a: *const f32,
        lines: Lines,
        c: *mut f32,
        ldc: usize,
        accumulate: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { micro::<__m512, MR, NV>(k, a, lines, c, ldc, accumulate) }
    }

    /// # Safety
    /// As [`micro`], with AVX2 and FMA present.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<const MR: usize, const NV: usize>(
        k: usize,
        a: *const f32,
        lines: Lines,
        c: *mut f32,
        ldc: usize,
        accumulate: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { micro::<__m256, MR, NV>(k, a, lines, c, ldc, accumulate) }
    }

    pub(super) static AVX512: Kernels = Kernels {
        rows: 12,
        wide: 32,
        narrow: 16,
        wide_kernels: by_rows!(avx512, 2, [1 2 3 4 5 6 7 8 9 10 11 12]),
        narrow_kernels: by_rows!(avx512, 1, [1 2 3 4 5 6 7 8 9 10 11 12]),
    };
    pub(super) static AVX2: Kernels = Kernels {
        rows: 6,
        wide: 16,
        narrow: 8,
        wide_kernels: by_rows!(avx2, 2, [1 2 3 4 5 6]),
        narrow_kernels: by_rows!(avx2, 1, [1 2 3 4 5 6]),
    };
}

/// Arrays of eight that the compiler keeps in registers (two NEON registers each).
mod plain {
    use super::*;
    use crate::gemm::vector::Eight;

    /// # Safety
    /// As [`micro`].
    unsafe fn eight<const MR: usize, const NV: usize>(
        k: usize,
        a: *const f32,
        lines: Lines,
        c: *mut f32,
        ldc: usize,
        accumulate: bool,
    ) {
        // SAFETY: the caller's promise.
        unsafe { micro::<Eight, MR, NV>(k, a, lines, c, ldc, accumulate) }
    }

    pub(super) static KERNELS: Kernels = Kernels {
        rows: 6,
        wide: 16,
        narrow: 8,
        wide_kernels: by_rows!(eight, 2, [1 2 3 4 5 6]),
        narrow_kernels: by_rows!(eight, 1, [1 2 3 4 5 6]),
    };
}
