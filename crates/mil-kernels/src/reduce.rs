//! Reductions along any axes, and the index of the largest or smallest element along one.

use crate::binary::Int;
use crate::float::Float;
use crate::math;
use crate::norm::sum;
use crate::pool::Pool;
use crate::simd::simd;
use crate::strided::{Loops, row_major};
use crate::unary::GRAIN;
use crate::view::SharedMut;

/// What becomes of the reduced elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Σ x
    Sum,
    /// Σ x / n
    Mean,
    /// the largest
    Max,
    /// the smallest
    Min,
    /// Π x
    Prod,
    /// Σ |x|
    L1,
    /// sqrt(Σ x²)
    L2,
    /// Σ x²
    SumSquare,
    /// ln Σ x
    LogSum,
    /// ln Σ e^x
    LogSumExp,
}

/// A planned reduction of a dense tensor.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// Over the kept dimensions: offset of the first reduced element.
    kept: Loops<1>,
    /// Over the reduced dimensions.
    reduced: Loops<1>,
}

/// Kept elements that are neighbours in memory are reduced together, this many at a time.
const LANES: usize = 64;
/// So many elements of a result are added in `f32` before the sum goes to `f64`.
const PIECE: usize = 64;

impl Reduce {
    /// Plans the reduction of `shape` along `axes` (each below the rank).
    pub fn new(shape: &[usize], axes: &[usize]) -> Reduce {
        let strides = row_major(shape);
        let part = |keep: bool| {
            let dims: Vec<usize> = (0..shape.len()).filter(|d| axes.contains(d) != keep).collect();
            let sizes: Vec<usize> = dims.iter().map(|&d| shape[d]).collect();
            let steps: Vec<usize> = dims.iter().map(|&d| strides[d]).collect();
            Loops::new(&sizes, [&steps])
        };
        Reduce { kept: part(true), reduced: part(false) }
    }

    /// Number of results.
    pub fn count(&self) -> usize {
        self.kept.count()
    }

    /// Reduces floats: in `f32`, long sums in pieces added in `f64`; the result is rounded once.
    pub fn run<T: Float>(&self, op: Reduction, x: &[T], out: &mut [T], pool: &Pool) {
        let (kept, reduced) = (&self.kept, &self.reduced);
        assert_eq!(out.len(), kept.count());
        let n = reduced.count();
        let out = SharedMut::new(out);
        // One result after another when its elements are neighbours (or there is nothing else to do together).
        let contiguous = reduced.steps[0] == 1 || kept.steps[0] != 1 || kept.row < 4;
        let width = if contiguous { 1 } else { LANES };
        let blocks = kept.row.div_ceil(width).max(1);
        let grain = (GRAIN / (n * width).max(1)).max(1);
        if kept.count() == 0 {
            return;
        }
        pool.for_ranges(kept.rows() * blocks, grain, |range| {
            let rows = range.start / blocks..range.end.div_ceil(blocks);
            kept.for_rows(rows, |r, [offset]| {
                for b in range.start.max(r * blocks)..range.end.min((r + 1) * blocks) {
                    let first = (b - r * blocks) * width;
                    let count = width.min(kept.row - first);
                    // SAFETY: these results belong to this block alone.
                    let out = unsafe { out.slice(r * kept.row + first..r * kept.row + first + count) };
                    let at = offset + first * kept.steps[0];
                    if contiguous {
                        out[0] = T::from_f32(self.one(op, x, at));
                    } else {
                        self.lanes(op, x, at, out);
                    }
                }
            });
        });
    }

    fn one<T: Float>(&self, op: Reduction, x: &[T], base: usize) -> f32 {
        let step = self.reduced.steps[0];
        let mut fold = Fold::new(op);
        if op == Reduction::LogSumExp {
            let mut high = Fold::new(Reduction::Max);
            self.blocks(x, base, step, |v| high.add(v));
            fold.high = if high.total.is_finite() { high.total as f32 } else { 0.0 };
        }
        self.blocks(x, base, step, |v| fold.add(v));
        fold.finish(self.reduced.count())
    }

    /// Feeds the reduced elements in blocks of `f32`.
    fn blocks<T: Float>(&self, x: &[T], base: usize, step: usize, mut body: impl FnMut(&mut [f32])) {
        let mut buffer = [0f32; 1024];
        let reduced = &self.reduced;
        reduced.for_rows(0..reduced.rows(), |_, [offset]| {
            let start = base + offset;
            for i in (0..reduced.row).step_by(1024) {
                let n = 1024.min(reduced.row - i);
                let block = &mut buffer[..n];
                if step == 1 {
                    T::expand(&x[start + i..start + i + n], block);
                } else {
                    block.iter_mut().enumerate().for_each(|(k, o)| *o = x[start + (i + k) * step].to_f32());
                }
                body(block);
            }
        });
    }

    /// Reduces `out.len()` neighbouring results at once.
    fn lanes<T: Float>(&self, op: Reduction, x: &[T], base: usize, out: &mut [T]) {
        let n = out.len();
        let mut total = [0f64; LANES];
        let (mut acc, mut high, mut buffer) = ([0f32; LANES], [0f32; LANES], [0f32; LANES]);
        let reduced = &self.reduced;
        let each = |body: &mut dyn FnMut(&[f32]), buffer: &mut [f32]| {
            reduced.for_rows(0..reduced.rows(), |_, [offset]| {
                for i in 0..reduced.row {
                    let at = base + offset + i * reduced.steps[0];
                    T::expand(&x[at..at + n], &mut buffer[..n]);
                    body(&buffer[..n]);
                }
            });
        };
        if op == Reduction::LogSumExp {
            high.fill(f32::NEG_INFINITY);
            each(&mut |v| lane_max(&mut high, v), &mut buffer);
            high.iter_mut().for_each(|h| *h = if h.is_finite() { *h } else { 0.0 });
        }
        let mut pieces = |lane: &mut dyn FnMut(&mut [f32; LANES], &[f32])| {
            let mut length = 0;
            let body = &mut |v: &[f32]| {
                lane(&mut acc, v);
                length += 1;
                if length == PIECE {
                    total.iter_mut().zip(&mut acc).for_each(|(t, a)| *t += f64::from(std::mem::take(a)));
                    length = 0;
                }
            };
            each(body, &mut buffer);
        };
        match op {
            Reduction::Sum | Reduction::Mean | Reduction::LogSum => pieces(&mut |acc, v| lane_sum(acc, v)),
            Reduction::L1 => pieces(&mut |acc, v| lane_abs(acc, v)),
            Reduction::L2 | Reduction::SumSquare => pieces(&mut |acc, v| lane_square(acc, v)),
            Reduction::LogSumExp => pieces(&mut |acc, v| lane_exp(acc, v, &high)),
            Reduction::Max => {
                acc.fill(f32::NEG_INFINITY);
                each(&mut |v| lane_max(&mut acc, v), &mut buffer);
            }
            Reduction::Min => {
                acc.fill(f32::INFINITY);
                each(&mut |v| lane_min(&mut acc, v), &mut buffer);
            }
            Reduction::Prod => {
                total.fill(1.0);
                let body = &mut |v: &[f32]| total.iter_mut().zip(v).for_each(|(t, &v)| *t *= f64::from(v));
                each(body, &mut buffer);
            }
        }
        let count = reduced.count();
        for (((o, t), a), h) in out.iter_mut().zip(total).zip(acc).zip(high) {
            *o = T::from_f32(result(op, t + f64::from(a), count, h));
        }
    }

    /// Reduces integers: sums and products wrap; means, roots and logarithms go through `f64` and are truncated.
    pub fn run_int<T: Int>(&self, op: Reduction, x: &[T], out: &mut [T], pool: &Pool) {
        let (kept, reduced) = (&self.kept, &self.reduced);
        let grain = (GRAIN / (kept.row * reduced.count()).max(1)).max(1);
        assert_eq!(out.len(), kept.count());
        if kept.count() == 0 {
            return;
        }
        let out = SharedMut::new(out);
        pool.for_ranges(kept.rows(), grain, |range| {
            kept.for_rows(range, |r, [offset]| {
                // SAFETY: row `r` of the results belongs to this range alone.
                let out = unsafe { out.slice(r * kept.row..(r + 1) * kept.row) };
                for (i, o) in out.iter_mut().enumerate() {
                    *o = self.one_int(op, x, offset + i * kept.steps[0]);
                }
            });
        });
    }

    fn one_int<T: Int>(&self, op: Reduction, x: &[T], base: usize) -> T {
        let (reduced, n) = (&self.reduced, self.reduced.count());
        let fold = |start: T, f: &dyn Fn(T, T) -> T| {
            let mut total = start;
            let mut first = true;
            reduced.for_rows(0..reduced.rows(), |_, [offset]| {
                for i in 0..reduced.row {
                    let v = x[base + offset + i * reduced.steps[0]];
                    let begin = first && matches!(op, Reduction::Max | Reduction::Min);
                    total = if begin { v } else { f(total, v) };
                    first = false;
                }
            });
            total
        };
        let zero = T::default();
        let abs = |v: T| if v < zero { zero.wrapping_sub(v) } else { v };
        match op {
            Reduction::Sum => fold(zero, &|s, v| s.wrapping_add(v)),
            Reduction::Mean => {
                let sum = self.sum_of(x, base, |v| v as f64);
                T::from_i64(if n == 0 { 0 } else { (sum / n as f64) as i64 })
            }
            Reduction::Max => fold(zero, &|s, v| if s < v { v } else { s }),
            Reduction::Min => fold(zero, &|s, v| if s > v { v } else { s }),
            Reduction::Prod => fold(T::from_i64(1), &|s, v| s.wrapping_mul(v)),
            Reduction::L1 => fold(zero, &|s, v| s.wrapping_add(abs(v))),
            Reduction::SumSquare => fold(zero, &|s, v| s.wrapping_add(v.wrapping_mul(v))),
            Reduction::L2 => T::from_i64(self.sum_of(x, base, |v| (v as f64) * (v as f64)).sqrt() as i64),
            Reduction::LogSum => T::from_i64(self.sum_of(x, base, |v| v as f64).ln() as i64),
            Reduction::LogSumExp => {
                let high = self.one_int(Reduction::Max, x, base).to_i64() as f64;
                let sum = self.sum_of(x, base, |v| (v as f64 - high).exp());
                T::from_i64((sum.ln() + high) as i64)
            }
        }
    }

    /// The sum of `f` of the reduced integers, in f64.
    fn sum_of<T: Int>(&self, x: &[T], base: usize, f: impl Fn(i64) -> f64) -> f64 {
        let (reduced, mut sum) = (&self.reduced, 0f64);
        reduced.for_rows(0..reduced.rows(), |_, [offset]| {
            let row = (0..reduced.row).map(|i| x[base + offset + i * reduced.steps[0]]);
            sum += row.map(|v| f(v.to_i64())).sum::<f64>();
        });
        sum
    }
}

/// One reduction in progress.
struct Fold {
    op: Reduction,
    total: f64,
    high: f32,
}

impl Fold {
    fn new(op: Reduction) -> Fold {
        let total = match op {
            Reduction::Max => f64::NEG_INFINITY,
            Reduction::Min => f64::INFINITY,
            Reduction::Prod => 1.0,
            _ => 0.0,
        };
        Fold { op, total, high: 0.0 }
    }

    /// Adds a block, which may be overwritten.
    fn add(&mut self, x: &mut [f32]) {
        match self.op {
            Reduction::Sum | Reduction::Mean | Reduction::LogSum => self.total += f64::from(sum(x)),
            Reduction::L1 => {
                crate::unary::unary_f32(crate::unary::Unary::Abs, x);
                self.total += f64::from(sum(x));
            }
            Reduction::L2 | Reduction::SumSquare => {
                crate::unary::unary_f32(crate::unary::Unary::Square, x);
                self.total += f64::from(sum(x));
            }
            Reduction::LogSumExp => self.total += f64::from(crate::softmax::exp_sum(x, self.high)),
            Reduction::Max => self.total = f64::from(extreme(x, self.total as f32)),
            Reduction::Min => {
                crate::unary::unary_f32(crate::unary::Unary::Neg, x);
                self.total = f64::from(-extreme(x, -self.total as f32));
            }
            Reduction::Prod => x.iter().for_each(|&v| self.total *= f64::from(v)),
        }
    }

    fn finish(&self, count: usize) -> f32 {
        result(self.op, self.total, count, self.high)
    }
}

fn result(op: Reduction, total: f64, count: usize, high: f32) -> f32 {
    match op {
        Reduction::Mean => (total / count as f64) as f32,
        Reduction::L2 => total.sqrt() as f32,
        Reduction::LogSum => total.ln() as f32,
        Reduction::LogSumExp => (total.ln() + f64::from(high)) as f32,
        _ => total as f32,
    }
}

simd! {
    /// The largest of the values and `start`; NaN if any is.
    fn extreme(x: &[f32], start: f32) -> f32 {
        let mut high = [start; 16];
        let blocks = x.chunks_exact(16);
        let mut best = start;
        for v in blocks.remainder() {
            best = larger(best, *v);
        }
        for b in blocks {
            for i in 0..16 {
                high[i] = larger(high[i], b[i]);
            }
        }
        for v in high {
            best = larger(best, v);
        }
        best
    }
}

/// The larger; NaN if either is.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a >= b || a.is_nan() { a } else { b }
}

macro_rules! lane {
    ($name:ident, |$a:ident, $v:ident| $body:expr) => {
        simd! {
            fn $name(acc: &mut [f32; LANES], x: &[f32]) {
                for ($a, $v) in acc.iter_mut().zip(x) {
                    *$a = $body;
                }
            }
        }
    };
}
lane!(lane_sum, |a, v| *a + *v);
lane!(lane_abs, |a, v| *a + v.abs());
lane!(lane_square, |a, v| v.mul_add(*v, *a));
lane!(lane_max, |a, v| larger(*a, *v));
lane!(lane_min, |a, v| -larger(-*a, -*v));

simd! {
    fn lane_exp(acc: &mut [f32; LANES], x: &[f32], high: &[f32; LANES]) {
        for ((a, v), h) in acc.iter_mut().zip(x).zip(high) {
            *a += math::exp(*v - *h);
        }
    }
}

/// The index of the largest (or smallest) element over the middle of `[before, axis, after]`; the first of equals, and
/// the first NaN if there is one.
pub fn arg_extreme<T: Copy + PartialOrd + Sync, I: Int>(
    largest: bool,
    [before, axis, after]: [usize; 3],
    x: &[T],
    out: &mut [I],
    pool: &Pool,
) {
    assert_eq!((x.len(), out.len()), (before * axis * after, before * after));
    if x.is_empty() {
        return out.fill(I::default());
    }
    // A value that is not ordered against itself is NaN.
    let nan = |v: T| v.partial_cmp(&v).is_none();
    pool.for_pieces(out, after, (GRAIN / (axis * after)).max(1), |b, out| {
        for (k, o) in out.iter_mut().enumerate() {
            let at = |i: usize| x[(b * axis + i) * after + k];
            let (mut best, mut value) = (0, at(0));
            for i in 1..axis {
                let v = at(i);
                let better = if largest { v > value } else { v < value };
                if better || (nan(v) && !nan(value)) {
                    (best, value) = (i, v);
                }
            }
            *o = I::from_i64(best as i64);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};

    type Row = (Reduction, fn(&[f64]) -> f64);
    const OPS: &[Row] = &[
        (Reduction::Sum, |v| v.iter().sum()),
        (Reduction::Mean, |v| v.iter().sum::<f64>() / v.len() as f64),
        (Reduction::Max, |v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        (Reduction::Min, |v| v.iter().copied().fold(f64::INFINITY, f64::min)),
        (Reduction::Prod, |v| v.iter().product()),
        (Reduction::L1, |v| v.iter().map(|x| x.abs()).sum()),
        (Reduction::L2, |v| v.iter().map(|x| x * x).sum::<f64>().sqrt()),
        (Reduction::SumSquare, |v| v.iter().map(|x| x * x).sum()),
        (Reduction::LogSumExp, |v| v.iter().map(|x| x.exp()).sum::<f64>().ln()),
    ];

    fn groups(shape: &[usize], axes: &[usize]) -> Vec<Vec<usize>> {
        let n: usize = shape.iter().product();
        let kept: usize = (0..shape.len()).filter(|d| !axes.contains(d)).map(|d| shape[d]).product();
        let mut groups = vec![Vec::new(); kept];
        for i in 0..n {
            let (mut rest, mut index) = (i, vec![0; shape.len()]);
            for d in (0..shape.len()).rev() {
                index[d] = rest % shape[d];
                rest /= shape[d];
            }
            let g = (0..shape.len()).filter(|d| !axes.contains(d)).fold(0, |g, d| g * shape[d] + index[d]);
            groups[g].push(i);
        }
        groups
    }

    #[test]
    fn floats_match_along_any_axes() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(12));
        let cases: &[(&[usize], &[usize])] = &[
            (&[], &[]),
            (&[9], &[0]),
            (&[4, 33], &[1]),
            (&[33, 130], &[0]),
            (&[2, 7, 5, 6], &[2, 3]),
            (&[2, 3, 70], &[0, 1]),
            (&[3, 4, 5], &[0, 2]),
            (&[2, 5, 3, 80], &[1]),
            (&[2, 3, 4], &[0, 1, 2]),
            (&[2, 3000], &[1]),
            (&[3, 4], &[]),
            (&[0, 4], &[1]),
        ];
        for &(shape, axes) in cases {
            let x = random.vec(shape.iter().product(), 1.5);
            let groups = groups(shape, axes);
            let plan = Reduce::new(shape, axes);
            assert_eq!(plan.count(), groups.len());
            for &(op, exact) in OPS {
                let mut out = vec![0f32; groups.len()];
                plan.run(op, &x, &mut out, &pool);
                let want: Vec<f64> = groups
                    .iter()
                    .map(|g| exact(&g.iter().map(|&i| f64::from(x[i])).collect::<Vec<_>>()))
                    .collect();
                assert_close(&out, &want, 2e-5, &format!("{op:?} {shape:?} {axes:?}"));
            }
            let ints: Vec<i32> = x.iter().map(|v| (v * 10.0) as i32).collect();
            for op in [Reduction::Sum, Reduction::Max, Reduction::Min, Reduction::Prod] {
                let mut out = vec![0i32; groups.len()];
                plan.run_int(op, &ints, &mut out, &pool);
                let want: Vec<i32> = groups
                    .iter()
                    .map(|g| {
                        let v = g.iter().map(|&i| ints[i]);
                        match op {
                            Reduction::Sum => v.sum(),
                            Reduction::Max => v.max().unwrap_or(0),
                            Reduction::Min => v.min().unwrap_or(0),
                            _ => v.fold(1, i32::wrapping_mul),
                        }
                    })
                    .collect();
                assert_eq!(out, want, "{op:?} {shape:?} {axes:?}");
            }
        }
    }

    #[test]
    fn extremes_are_the_first_of_equals() {
        let x = [1f32, 5.0, 5.0, 2.0, 0.0, 0.0];
        let mut out = [0; 2];
        arg_extreme(true, [2, 3, 1], &x, &mut out, &Pool::inline());
        assert_eq!(out, [1, 0]);
        let mut out = [0; 3];
        arg_extreme(false, [1, 2, 3], &x, &mut out, &Pool::inline());
        assert_eq!(out, [0, 1, 1]);
    }
}
