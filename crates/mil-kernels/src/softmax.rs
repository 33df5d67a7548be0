//! Softmax along one axis.

use crate::float::Float;
use crate::math;
use crate::pool::Pool;
use crate::simd::simd;
use crate::unary::GRAIN;
use crate::view::{SharedMut, take_scratch};

/// Softmax over the middle of `[before, axis, after]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    before: usize,
    axis: usize,
    after: usize,
}

/// Columns worked on together when the axis is not the last.
const LANES: usize = 64;

impl Softmax {
    /// Plans a softmax over dimension `axis` of a dense tensor.
    pub fn new(shape: &[usize], axis: usize) -> Softmax {
        Softmax {
            before: shape[..axis].iter().product(),
            axis: shape[axis],
            after: shape[axis + 1..].iter().product(),
        }
    }

    /// Scratch for `threads` threads.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        threads * (self.axis * if self.after == 1 { 4 } else { LANES * 4 } + 128)
    }

    /// Computes it, in `f32` throughout, rounding the result only.
    pub fn run<T: Float>(&self, x: &[T], out: &mut [T], scratch: &mut [u8], pool: &Pool) {
        let Softmax { before, axis, after } = *self;
        assert_eq!((x.len(), out.len()), (before * axis * after, x.len()));
        if x.is_empty() {
            return;
        }
        let out = SharedMut::new(out);
        if after == 1 {
            return pool.for_ranges_scratch(before, (GRAIN / 4 / axis).max(1), scratch, |range, scratch| {
                let (row, _) = take_scratch::<f32>(scratch, axis);
                for r in range {
                    // SAFETY: row `r` belongs to this range alone.
                    let line = unsafe { out.slice(r * axis..(r + 1) * axis) };
                    T::expand(&x[r * axis..(r + 1) * axis], row);
                    softmax_f32(row);
                    T::round(row, line);
                }
            });
        }
        let blocks = after.div_ceil(LANES);
        let grain = (GRAIN / 4 / (axis * LANES)).max(1);
        pool.for_ranges_scratch(before * blocks, grain, scratch, |range, scratch| {
            let (block, _) = take_scratch::<f32>(scratch, axis * LANES);
            for i in range {
                let (b, first) = (i / blocks, i % blocks * LANES);
                let n = LANES.min(after - first);
                let at = |k: usize| (b * axis + k) * after + first;
                for (k, line) in block.chunks_exact_mut(LANES).enumerate() {
                    T::expand(&x[at(k)..at(k) + n], &mut line[..n]);
                    line[n..].fill(0.0);
                }
                columns(block);
                for (k, line) in block.chunks_exact(LANES).enumerate() {
                    // SAFETY: these elements belong to this block alone.
                    T::round(&line[..n], unsafe { out.slice(at(k)..at(k) + n) });
                }
            }
        });
    }
}

/// Softmax of one row in place.
pub fn softmax_f32(row: &mut [f32]) {
    let high = max(row);
    let sum = exp_sum(row, if high == f32::NEG_INFINITY { 0.0 } else { high });
    crate::unary::unary_f32(crate::unary::Unary::Mul(1.0 / sum), row);
}

simd! {
    /// The largest value; minus infinity when there is none.
    pub(crate) fn max(row: &[f32]) -> f32 {
        let mut high = [f32::NEG_INFINITY; 16];
        let blocks = row.chunks_exact(16);
        let mut best = f32::NEG_INFINITY;
        for v in blocks.remainder() {
            best = if *v > best { *v } else { best };
        }
        for b in blocks {
            for i in 0..16 {
                high[i] = if b[i] > high[i] { b[i] } else { high[i] };
            }
        }
        for v in high {
            best = if v > best { v } else { best };
        }
        best
    }
}
simd! {
    /// Replaces each value by `e^(value - high)` and returns their sum.
    pub(crate) fn exp_sum(row: &mut [f32], high: f32) -> f32 {
        let mut sums = [0f32; 16];
        let mut blocks = row.chunks_exact_mut(16);
        for b in &mut blocks {
            for i in 0..16 {
                b[i] = math::exp_nonpositive(b[i] - high);
                sums[i] += b[i];
            }
        }
        let mut sum = 0.0;
        for v in blocks.into_remainder() {
            *v = math::exp_nonpositive(*v - high);
            sum += *v;
        }
        for s in sums {
            sum += s;
        }
        sum
    }
}
simd! {
    fn columns(block: &mut [f32]) {
        let mut high = [f32::NEG_INFINITY; LANES];
        for line in block.chunks_exact(LANES) {
            for i in 0..LANES {
                high[i] = if line[i] > high[i] { line[i] } else { high[i] };
            }
        }
        for h in &mut high {
            *h = if *h == f32::NEG_INFINITY { 0.0 } else { *h };
        }
        let mut sum = [0f32; LANES];
        for line in block.chunks_exact_mut(LANES) {
            for i in 0..LANES {
                line[i] = math::exp_nonpositive(line[i] - high[i]);
                sum[i] += line[i];
            }
        }
        for line in block.chunks_exact_mut(LANES) {
            for i in 0..LANES {
                line[i] /= sum[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};
    use mil_base::f16;

    #[test]
    fn every_axis_matches() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(8));
        for shape in [vec![1], vec![5, 77], vec![3, 20, 70], vec![2, 3, 65], vec![1, 1000], vec![0, 4]] {
            for axis in 0..shape.len() {
                let plan = Softmax::new(&shape, axis);
                let x = random.vec(shape.iter().product(), 20.0);
                let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 1];
                let scratch = bytemuck::cast_slice_mut(&mut scratch);
                let mut out = vec![0f32; x.len()];
                plan.run(&x, &mut out, scratch, &pool);
                let (n, after) = (plan.axis, plan.after);
                let want: Vec<f64> = (0..x.len())
                    .map(|i| {
                        let base = i / (n * after) * n * after + i % after;
                        let all = (0..n).map(|k| f64::from(x[base + k * after]));
                        let high = all.clone().fold(f64::MIN, f64::max);
                        (f64::from(x[i]) - high).exp() / all.map(|v| (v - high).exp()).sum::<f64>()
                    })
                    .collect();
                assert_close(&out, &want, 1e-6, &format!("{shape:?} {axis}"));
                let h: Vec<f16> = x.iter().map(|&v| f16::from_f32(v)).collect();
                let mut out = vec![f16::ZERO; x.len()];
                plan.run(&h, &mut out, scratch, &pool);
                let got: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
                assert_close(&got, &want, 2e-2, &format!("fp16 {shape:?} {axis}"));
            }
        }
    }
}
