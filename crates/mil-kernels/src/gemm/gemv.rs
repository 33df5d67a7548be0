//! Products with few rows (decoding one token): bound by the speed at which the matrix is read.

use super::vector::Vector;
use crate::epilogue::{Finish, Segment};
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{Floats, SharedFloats, SharedMut, take_scratch};
use mil_base::f16;

/// Most rows these kernels take.
pub(crate) const MAX_M: usize = 4;
/// Output columns of one task.
const BLOCK: usize = 64;

/// `out[m][n] = Σ_k x[m][k] w[n][k]`: each row of `w` is read once, in place.
pub(super) fn dots(
    shape: [usize; 3],
    x: Floats<'_>,
    w: Floats<'_>,
    base: usize,
    out: SharedFloats<'_>,
    finish: Finish<'_>,
    scratch: &mut [u8],
    pool: &Pool,
) {
    let [m, k, n] = shape;
    let (wide, _) = take_scratch::<f32>(scratch, m * k);
    x.read(0, wide);
    let wide = &*wide;
    let grain = (32 * 1024 / (BLOCK * k).max(1)).max(1);
    pool.for_ranges(n.div_ceil(BLOCK), grain, |range| {
        for first in range.map(|b| b * BLOCK) {
            let count = BLOCK.min(n - first);
            for r in 0..m {
                let mut line = [0f32; BLOCK];
                let line = &mut line[..count];
                let x = &wide[r * k..(r + 1) * k];
                match w {
                    Floats::F32(w) => dot_rows(x, &w[first * k..(first + count) * k], line),
                    Floats::F16(w) => dot_rows(x, &w[first * k..(first + count) * k], line),
                }
                finish.apply(Segment { row: r, column: first, base }, line);
                // SAFETY: these columns belong to this block alone.
                unsafe { out.write(base + r * n + first, line) };
            }
        }
    });
}

/// An element that vectors are loaded from.
trait Source: Copy {
    /// # Safety
    /// As [`Vector::load`].
    unsafe fn load<V: Vector>(p: *const Self) -> V;
    fn wide(self) -> f32;
}

impl Source for f32 {
    #[inline(always)]
    unsafe fn load<V: Vector>(p: *const f32) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load(p) }
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
}

impl Source for f16 {
    #[inline(always)]
    unsafe fn load<V: Vector>(p: *const f16) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load_half(p) }
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        self.to_f32()
    }
}

/// `out[j] = Σ x[k] w[j][k]`.
fn dot_rows<S: Source>(x: &[f32], w: &[S], out: &mut [f32]) {
    assert_eq!(w.len(), x.len() * out.len());
    #[cfg(target_arch = "x86_64")]
    match crate::simd::isa() {
        // SAFETY: the level is detected, and the lengths were checked.
        crate::simd::Isa::Avx512 => return unsafe { x86::avx512(x, w, out) },
        // SAFETY: the level is detected, and the lengths were checked.
        crate::simd::Isa::Avx2 => return unsafe { x86::avx2(x, w, out) },
        crate::simd::Isa::Baseline => {}
    }
    // SAFETY: the baseline is always present, and the lengths were checked.
    unsafe { dot_rows_with::<super::vector::Eight, S>(x, w, out) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Source, dot_rows_with};
    use std::arch::x86_64::*;

    /// # Safety
    /// As [`dot_rows_with`], with AVX-512 present.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")]
    pub(super) unsafe fn avx512<S: Source>(x: &[f32], w: &[S], out: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe { dot_rows_with::<__m512, S>(x, w, out) }
    }

    /// # Safety
    /// As [`dot_rows_with`], with AVX2, FMA and F16C present.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) unsafe fn avx2<S: Source>(x: &[f32], w: &[S], out: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe { dot_rows_with::<__m256, S>(x, w, out) }
    }
}

/// Rows taken together: each vector of `x` is loaded once for all.
const TOGETHER: usize = 4;

/// # Safety
/// `w` has a row of `x.len()` for each output; the level of `V` is present.
#[inline(always)]
unsafe fn dot_rows_with<V: Vector, S: Source>(x: &[f32], w: &[S], out: &mut [f32]) {
    let (k, n, xp, wp) = (x.len(), out.len(), x.as_ptr(), w.as_ptr());
    let mut j = 0;
    // SAFETY: rows `j..` are within `w` by the caller's promise, and every vector ends at or before `k`.
    unsafe {
        while j + TOGETHER <= n {
            dot_some::<V, S, TOGETHER>(k, xp, wp.add(j * k), out.as_mut_ptr().add(j));
            j += TOGETHER;
        }
        while j < n {
            dot_some::<V, S, 1>(k, xp, wp.add(j * k), out.as_mut_ptr().add(j));
            j += 1;
        }
    }
}

/// # Safety
/// `w` has `R` rows of `k`, `x` has `k`, `out` has `R`; the level of `V` is present.
#[inline(always)]
unsafe fn dot_some<V: Vector, S: Source, const R: usize>(
    k: usize,
    x: *const f32,
    w: *const S,
    out: *mut f32,
) {
    // SAFETY: every address is within what the caller promised.
    unsafe {
        let mut sums = [[V::zero(); 2]; R];
        let mut at = 0;
        while at + 2 * V::LANES <= k {
            let (low, high) = (V::load(x.add(at)), V::load(x.add(at + V::LANES)));
            for (r, [a, b]) in sums.iter_mut().enumerate() {
                let row = w.add(r * k + at);
                *a = a.fma(low, S::load(row));
                *b = b.fma(high, S::load(row.add(V::LANES)));
            }
            at += 2 * V::LANES;
        }
        let start = at;
        for (r, [a, b]) in sums.iter().enumerate() {
            let mut sum = a.add(*b).sum();
            let mut at = start;
            while at < k {
                sum += *x.add(at) * (*w.add(r * k + at)).wide();
                at += 1;
            }
            *out.add(r) = sum;
        }
    }
}

/// `out[m][n] = Σ_k x[m][k] w[k][n]`: each thread adds up its own columns, reading `w` row by row.
pub(super) fn sums(
    shape: [usize; 3],
    x: Floats<'_>,
    w: Floats<'_>,
    base: usize,
    out: SharedFloats<'_>,
    finish: Finish<'_>,
    scratch: &mut [u8],
    pool: &Pool,
) {
    let [m, k, n] = shape;
    let (wide, rest) = take_scratch::<f32>(scratch, m * k);
    x.read(0, wide);
    let wide = &*wide;
    let (acc, _) = take_scratch::<f32>(rest, m * n);
    let acc = SharedMut::new(acc);
    // Columns of a task: wide enough to read long stretches of each row.
    let block = n.div_ceil(pool.threads()).next_multiple_of(64).clamp(64, 2048);
    let grain = (32 * 1024 / (block * k).max(1)).max(1);
    pool.for_ranges(n.div_ceil(block), grain, |range| {
        for first in range.map(|b| b * block) {
            let count = block.min(n - first);
            for r in 0..m {
                // SAFETY: these columns of the sums belong to this block alone.
                let line = unsafe { acc.slice(r * n + first..r * n + first + count) };
                line.fill(0.0);
            }
            let mut buffer = [[0f32; 2048]; 4];
            for k0 in (0..k).step_by(4) {
                let depth = 4.min(k - k0);
                let mut rows: [&[f32]; 4] = [&[]; 4];
                for ((d, row), buffer) in rows[..depth].iter_mut().enumerate().zip(&mut buffer) {
                    let start = (k0 + d) * n + first;
                    *row = match w {
                        Floats::F32(w) => &w[start..start + count],
                        Floats::F16(w) => {
                            crate::float::expand(&w[start..start + count], &mut buffer[..count]);
                            &buffer[..count]
                        }
                    };
                }
                for r in 0..m {
                    // SAFETY: as above.
                    let line = unsafe { acc.slice(r * n + first..r * n + first + count) };
                    let x = &wide[r * k + k0..r * k + k0 + depth];
                    if depth == 4 {
                        add_four([x[0], x[1], x[2], x[3]], rows, line);
                    } else {
                        rows.iter().zip(x).for_each(|(row, x)| add_one(*x, row, line));
                    }
                }
            }
            for r in 0..m {
                // SAFETY: as above.
                let line = unsafe { acc.slice(r * n + first..r * n + first + count) };
                finish.apply(Segment { row: r, column: first, base }, line);
                // SAFETY: as above.
                unsafe { out.write(base + r * n + first, line) };
            }
        }
    });
}

simd! {
    fn add_four(x: [f32; 4], rows: [&[f32]; 4], out: &mut [f32]) {
        let n = out.len();
        let (a, b, c, d) = (&rows[0][..n], &rows[1][..n], &rows[2][..n], &rows[3][..n]);
        for i in 0..n {
            let s = a[i].mul_add(x[0], out[i]);
            let s = b[i].mul_add(x[1], s);
            let s = c[i].mul_add(x[2], s);
            out[i] = d[i].mul_add(x[3], s);
        }
    }
}
simd! {
    fn add_one(x: f32, row: &[f32], out: &mut [f32]) {
        for (o, w) in out.iter_mut().zip(row) {
            *o = w.mul_add(x, *o);
        }
    }
}
