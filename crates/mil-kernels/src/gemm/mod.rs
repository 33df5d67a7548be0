//! Matrix products: `C[batch] = A[batch] B[batch]`, with optional transposes, batch broadcasting and an epilogue.
//!
//! One engine (`engine`) serves matmul, linear and convolution: rows of one operand are broadcast from where they lie
//! (so weights, mapped from a file, are never copied), columns of the other are packed into panels; fp16 is expanded
//! on the way into either. Which operand is which is decided at plan time. Few-row products go to `gemv`.
//!
//! **Why not a crate.** The maintained ones were measured first (`benches/gemm-crates.md`; two cores with AVX-512, a
//! quiet machine, 128x768 by 3072x768 transposed): faer 0.24 237 GFLOP/s, gemm 0.19 190, matrixmultiply 0.3 177, ONNX
//! Runtime 378. None reads weights in place, takes fp16 panels, or hands over a tile while it is in cache.

pub(crate) mod engine;
pub(crate) mod gemv;
pub(crate) mod micro;
pub(crate) mod pack;
pub(crate) mod sink;
pub(crate) mod vector;

use crate::epilogue::{Epilogue, Finish};
use crate::pool::Pool;
use crate::strided::{broadcast_shape, broadcast_strides};
use crate::view::{Floats, FloatsMut};
use pack::{MatrixColumns, Rows};

/// What is multiplied: shapes of both operands with their batch dimensions in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatmulSpec<'a> {
    /// `[batch.., m, k]`, or `[batch.., k, m]` when transposed.
    pub a: &'a [usize],
    /// `[batch.., k, n]`, or `[batch.., n, k]` when transposed.
    pub b: &'a [usize],
    /// `a`'s last two dimensions are swapped.
    pub transpose_a: bool,
    /// `b`'s last two dimensions are swapped: a linear layer's weight.
    pub transpose_b: bool,
}

/// Which operand is broadcast row by row, and which is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Rows of `a` against columns of `b`.
    Direct,
    /// Columns of `b` as rows against rows of `a` as columns; the result is transposed when stored.
    Swapped,
    /// Few rows against a `b` that is contiguous along `k`.
    Dots,
    /// Few rows against a `b` that is contiguous along `n`.
    Sums,
}

/// A product planned for known shapes.
#[derive(Clone, Debug)]
pub struct Matmul {
    m: usize,
    k: usize,
    n: usize,
    transpose_a: bool,
    transpose_b: bool,
    /// Offsets of `a` and `b` for each product of the batch, in matrices.
    batch: Vec<[usize; 2]>,
    batch_shape: Vec<usize>,
    route: Route,
    plan: engine::Plan,
    /// Batches are spread over the threads, each product on one.
    outer: bool,
}

impl Matmul {
    /// Plans a product; `None` when the shapes do not fit each other.
    pub fn new(spec: &MatmulSpec<'_>, threads: usize) -> Option<Matmul> {
        let (batch_a, [a0, a1]) = spec.a.split_last_chunk::<2>()?;
        let (batch_b, [b0, b1]) = spec.b.split_last_chunk::<2>()?;
        let (mut m, k) = if spec.transpose_a { (*a1, *a0) } else { (*a0, *a1) };
        let (kb, n) = if spec.transpose_b { (*b1, *b0) } else { (*b0, *b1) };
        if k != kb {
            return None;
        }
        let batch_shape = broadcast_shape(batch_a, batch_b)?;
        let [sa, sb] = [broadcast_strides(batch_a, &batch_shape)?, broadcast_strides(batch_b, &batch_shape)?];
        let mut batch = Vec::new();
        let count: usize = batch_shape.iter().product();
        // Batches of `a` against one `b` are one taller product.
        if batch_b.iter().all(|&d| d == 1) && batch_a.len() >= batch_b.len() && !spec.transpose_a {
            m *= count;
            batch.push([0, 0]);
        } else {
            let loops = crate::strided::Loops::new(&batch_shape, [&sa, &sb]);
            loops.for_rows(0..loops.rows(), |_, [a, b]| {
                batch.extend((0..loops.row).map(|i| [a + i * loops.steps[0], b + i * loops.steps[1]]));
            });
        }
        let outer = batch.len() >= threads && threads > 1 && batch.len() > 1;
        let inner = if outer { 1 } else { threads };
        let route = match spec.transpose_b {
            true if m <= gemv::MAX_M && !spec.transpose_a => Route::Dots,
            false if m <= gemv::MAX_M && !spec.transpose_a => Route::Sums,
            true if n > m => Route::Swapped,
            _ => Route::Direct,
        };
        let plan = match route {
            Route::Swapped => engine::Plan::new(n, m, k, inner),
            _ => engine::Plan::new(m, n, k, inner),
        };
        let MatmulSpec { transpose_a, transpose_b, .. } = *spec;
        Some(Matmul { m, k, n, transpose_a, transpose_b, batch, batch_shape, route, plan, outer })
    }

    /// The batch dimensions of the result.
    pub fn batch_shape(&self) -> &[usize] {
        &self.batch_shape
    }

    /// Scratch that [`Matmul::run`] needs.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        let inner = if self.outer { 1 } else { threads };
        let one = match self.route {
            Route::Dots => self.m * self.k * 4 + 64,
            Route::Sums => self.m * (self.k + self.n) * 4 + 128,
            _ => self.plan.scratch_bytes(inner),
        };
        let one = one.next_multiple_of(64);
        if self.outer { one * threads } else { one }
    }

    /// `c = epilogue(a b)`, `c` row-major `[batch.., m, n]`. Precisions may differ between the three. For operands
    /// of the epilogue along rows the row counts within one product of the batch.
    pub fn run(
        &self,
        a: Floats<'_>,
        b: Floats<'_>,
        c: FloatsMut<'_>,
        epilogue: &Epilogue,
        operands: &[Floats<'_>],
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let Matmul { m, k, n, .. } = *self;
        assert_eq!(c.len(), self.batch.len() * m * n, "the output's size");
        let out = c.shared();
        let finish = Finish { steps: epilogue, operands, width: n };
        let one = |i: usize, scratch: &mut [u8], pool: &Pool| {
            let [ia, ib] = self.batch[i];
            let a = a.slice(ia * m * k..(ia + 1) * m * k);
            let b = b.slice(ib * k * n..(ib + 1) * k * n);
            let base = i * m * n;
            let (am, ak) = if self.transpose_a { (1, m) } else { (k, 1) };
            let (bk, bn) = if self.transpose_b { (1, k) } else { (n, 1) };
            match self.route {
                Route::Dots => gemv::dots([m, k, n], a, b, base, out, finish, scratch, pool),
                Route::Sums => gemv::sums([m, k, n], a, b, base, out, finish, scratch, pool),
                Route::Direct => self.plan.run(
                    &Rows { data: a, row_stride: am, k_stride: ak },
                    &MatrixColumns { data: b, k_stride: bk, column_stride: bn },
                    &sink::Direct { out, finish, base, first_row: 0 },
                    scratch,
                    pool,
                ),
                Route::Swapped => self.plan.run(
                    &Rows { data: b, row_stride: bn, k_stride: bk },
                    &MatrixColumns { data: a, k_stride: ak, column_stride: am },
                    &sink::Transposed { out, finish, base },
                    scratch,
                    pool,
                ),
            }
        };
        if self.outer {
            let inline = Pool::inline();
            let grain = (200_000 / (m * k * n).max(1)).max(1);
            pool.for_ranges_scratch(self.batch.len(), grain, scratch, |range, scratch| {
                range.for_each(|i| one(i, scratch, &inline));
            });
        } else {
            (0..self.batch.len()).for_each(|i| one(i, scratch, pool));
        }
    }
}

#[cfg(test)]
mod tests;
