//! Products with few rows (decoding one token): bound by the speed at which the matrix is read.

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
                    Floats::F32(w) => dot_rows_f32(x, &w[first * k..(first + count) * k], line),
                    Floats::F16(w) => dot_rows_f16(x, &w[first * k..(first + count) * k], line),
                }
                finish.apply(Segment { row: r, column: first, base }, line);
                // SAFETY: these columns belong to this block alone.
                unsafe { out.write(base + r * n + first, line) };
            }
        }
    });
}

simd! {
    fn dot_rows_f32(x: &[f32], w: &[f32], out: &mut [f32]) {
        let k = x.len();
        for (j, o) in out.iter_mut().enumerate() {
            let w = &w[j * k..(j + 1) * k];
            let mut sums = [[0f32; 16]; 4];
            let mut blocks = w.chunks_exact(64);
            let mut at = x.chunks_exact(64);
            for (w, x) in (&mut blocks).zip(&mut at) {
                for (s, (w, x)) in sums.iter_mut().zip(w.chunks_exact(16).zip(x.chunks_exact(16))) {
                    for i in 0..16 {
                        s[i] = w[i].mul_add(x[i], s[i]);
                    }
                }
            }
            let [a, b, c, d] = sums;
            let mut sum = 0.0;
            for i in 0..16 {
                sum += (a[i] + b[i]) + (c[i] + d[i]);
            }
            for (w, x) in blocks.remainder().iter().zip(at.remainder()) {
                sum = w.mul_add(*x, sum);
            }
            *o = sum;
        }
    }
}

fn dot_rows_f16(x: &[f32], w: &[f16], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::isa() == crate::simd::Isa::Avx512 {
        // SAFETY: the level is detected; `w` has a row of `x.len()` for each output.
        return unsafe { x86::dot_rows_f16(x, w, out) };
    }
    let k = x.len();
    let mut buffer = [0f32; 512];
    for (j, o) in out.iter_mut().enumerate() {
        *o = 0.0;
        for (w, x) in w[j * k..(j + 1) * k].chunks(512).zip(x.chunks(512)) {
            let wide = &mut buffer[..w.len()];
            crate::float::expand(w, wide);
            let mut part = [0f32];
            dot_rows_f32(x, wide, &mut part);
            *o += part[0];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use mil_base::f16;
    use std::arch::x86_64::*;

    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
    pub(super) unsafe fn dot_rows_f16(x: &[f32], w: &[f16], out: &mut [f32]) {
        let k = x.len();
        assert!(w.len() >= k * out.len());
        for (j, o) in out.iter_mut().enumerate() {
            let w = w[j * k..].as_ptr();
            let mut sums = [_mm512_setzero_ps(); 4];
            let mut at = 0;
            while at + 64 <= k {
                for (i, s) in sums.iter_mut().enumerate() {
                    let at = at + i * 16;
                    // SAFETY: `at + 16 <= k`, within both rows.
                    unsafe {
                        let h = _mm512_cvtph_ps(_mm256_loadu_si256(w.add(at).cast()));
                        *s = _mm512_fmadd_ps(h, _mm512_loadu_ps(x.as_ptr().add(at)), *s);
                    }
                }
                at += 64;
            }
            while at < k {
                let n = (k - at).min(16);
                let mask: __mmask16 = if n == 16 { !0 } else { (1 << n) - 1 };
                // SAFETY: the mask covers what is left of both rows.
                unsafe {
                    let h = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, w.add(at).cast()));
                    sums[0] = _mm512_fmadd_ps(h, _mm512_maskz_loadu_ps(mask, x.as_ptr().add(at)), sums[0]);
                }
                at += n;
            }
            let sum = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
            *o = _mm512_reduce_add_ps(sum);
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
