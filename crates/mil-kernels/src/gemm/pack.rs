//! The two operands of the engine: rows read where they lie, and columns packed into panels.

use super::micro::{A_STRIDE, Kernels};
use crate::view::Floats;

/// A matrix operand seen as rows of inner length `k`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: Floats<'a>,
    pub(crate) row_stride: usize,
    pub(crate) k_stride: usize,
}

impl Rows<'_> {
    /// Rows `row..row + count` at inner positions `k..k + len` into `out`, at [`A_STRIDE`].
    pub(super) fn stage(&self, row: usize, count: usize, k: usize, len: usize, out: &mut [f32]) {
        for r in 0..count {
            let start = (row + r) * self.row_stride + k * self.k_stride;
            let out = &mut out[r * A_STRIDE..r * A_STRIDE + len];
            if self.k_stride == 1 {
                self.data.read(start, out);
            } else {
                out.iter_mut().enumerate().for_each(|(i, o)| *o = self.data.get(start + i * self.k_stride));
            }
        }
    }
}

impl Rows<'_> {
    /// Asks for rows `row..row + count` at inner positions `k..k + len` to be brought into cache: those of the `part`th
    /// of `parts` equal shares, so that the requests can be spread over other work.
    pub(super) fn prefetch(&self, row: usize, count: usize, k: usize, len: usize, part: usize, parts: usize) {
        if self.k_stride != 1 {
            return;
        }
        for r in (part * count / parts)..((part + 1) * count / parts) {
            let start = (row + r) * self.row_stride + k;
            match self.data {
                Floats::F32(s) => prefetch(&s[start..start + len]),
                Floats::F16(s) => prefetch(&s[start..start + len]),
            }
        }
    }
}

/// Asks for a slice to be brought into the second-level cache.
fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in slice.chunks(64 / size_of::<T>()) {
        // SAFETY: a prefetch cannot fault, and the address is that of an element.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.as_ptr().cast())
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}

/// Something that fills panels: `out[k * lanes + j]` is column `first + j` at inner position `k`, zero past the end.
pub(crate) trait Columns: Sync {
    /// Packs columns `first..first + count` (`count <= lanes`) at every inner position.
    fn pack(&self, first: usize, count: usize, lanes: usize, out: &mut [f32]);
}

/// A matrix operand seen as columns.
#[derive(Clone, Copy)]
pub(crate) struct MatrixColumns<'a> {
    pub(crate) data: Floats<'a>,
    pub(crate) k_stride: usize,
    pub(crate) column_stride: usize,
}

impl Columns for MatrixColumns<'_> {
    fn pack(&self, first: usize, count: usize, lanes: usize, out: &mut [f32]) {
        if self.column_stride == 1 {
            match (self.data, lanes) {
                (Floats::F32(x), 32) if count == 32 => self.pack_whole::<32>(x, first, out),
                (Floats::F32(x), 16) if count == 16 => self.pack_whole::<16>(x, first, out),
                _ => {
                    for (k, line) in out.chunks_exact_mut(lanes).enumerate() {
                        self.data.read(k * self.k_stride + first, &mut line[..count]);
                        line[count..].fill(0.0);
                    }
                }
            }
        } else if self.k_stride == 1 {
            self.pack_transposed(first, count, lanes, out);
        } else {
            for (k, line) in out.chunks_exact_mut(lanes).enumerate() {
                line.fill(0.0);
                for (j, o) in line[..count].iter_mut().enumerate() {
                    *o = self.data.get(k * self.k_stride + (first + j) * self.column_stride);
                }
            }
        }
    }
}

impl MatrixColumns<'_> {
    /// Lines of a length the compiler knows, which it copies in registers.
    fn pack_whole<const LANES: usize>(&self, x: &[f32], first: usize, out: &mut [f32]) {
        for (k, line) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            if let Some(source) = x[k * self.k_stride + first..].first_chunk::<LANES>() {
                *line = *source;
            }
        }
    }

    /// Columns that are contiguous along the inner dimension: blocks of 16 by 16 keep both sides in cache lines.
    fn pack_transposed(&self, first: usize, count: usize, lanes: usize, out: &mut [f32]) {
        let k = out.len() / lanes;
        let mut block = [[0f32; 16]; 16];
        for k0 in (0..k).step_by(16) {
            let depth = 16.min(k - k0);
            for j0 in (0..lanes).step_by(16) {
                let width = 16.min(lanes - j0);
                for (j, line) in block[..width].iter_mut().enumerate() {
                    if j0 + j < count {
                        self.data.read((first + j0 + j) * self.column_stride + k0, &mut line[..depth]);
                    } else {
                        line.fill(0.0);
                    }
                }
                crate::transpose::sixteen(&mut block);
                for (d, line) in block[..depth].iter().enumerate() {
                    out[(k0 + d) * lanes + j0..][..width].copy_from_slice(&line[..width]);
                }
            }
        }
    }
}

/// How `n` columns are cut into panels.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub(crate) wide: usize,
    pub(crate) narrow: usize,
    pub(crate) n: usize,
}

impl Panels {
    pub(crate) fn new(kernels: &Kernels, n: usize) -> Panels {
        Panels { wide: kernels.wide, narrow: kernels.narrow, n }
    }

    pub(crate) fn count(&self) -> usize {
        self.n.div_ceil(self.wide)
    }

    /// First column and lanes of panel `p`.
    pub(crate) fn at(&self, p: usize) -> (usize, usize) {
        let first = p * self.wide;
        (first, if self.n - first <= self.narrow { self.narrow } else { self.wide })
    }

    /// Columns with the padding of the last panel.
    pub(crate) fn padded(&self) -> usize {
        match self.count() {
            0 => 0,
            count => (count - 1) * self.wide + self.at(count - 1).1,
        }
    }
}
