//! Normalisations: layer norm, instance and group norm, batch norm, l2 and local response norm.

use crate::float::Float;
use crate::pool::Pool;
use crate::simd::simd;
use crate::unary::{BLOCK, GRAIN};
use crate::view::{Floats, SharedMut, take_scratch};

/// Layer norm over the last `row` elements, for each of `rows`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// How many are normalised.
    pub rows: usize,
    /// Elements of each.
    pub row: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// Scratch for `threads` threads.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        threads * (3 * self.row * 4 + 256)
    }

    /// `out = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, `gamma` and `beta` of `row` elements or absent.
    pub fn run<T: Float>(
        &self,
        x: &[T],
        gamma: Option<Floats<'_>>,
        beta: Option<Floats<'_>>,
        out: &mut [T],
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let n = self.row;
        assert_eq!((x.len(), out.len()), (self.rows * n, x.len()));
        if x.is_empty() {
            return;
        }
        let out = SharedMut::new(out);
        pool.for_ranges_scratch(self.rows, (GRAIN / 2 / n).max(1), scratch, |range, scratch| {
            let (row, rest) = take_scratch::<f32>(scratch, n);
            let (g, rest) = take_scratch::<f32>(rest, n);
            let (b, _) = take_scratch::<f32>(rest, n);
            let gamma = gamma.map(|gamma| gamma.view(g));
            let beta = beta.map(|beta| beta.view(b));
            for r in range {
                let x = T::view(&x[r * n..(r + 1) * n], row);
                let (mean, scale) = moments(x, self.epsilon);
                // SAFETY: row `r` belongs to this range alone.
                let line = unsafe { out.slice(r * n..(r + 1) * n) };
                let mut buffer = [0f32; BLOCK];
                for (i, line) in line.chunks_mut(BLOCK).enumerate() {
                    let part = i * BLOCK..i * BLOCK + line.len();
                    let y = &mut buffer[..line.len()];
                    y.copy_from_slice(&x[part.clone()]);
                    match (gamma, beta) {
                        (Some(g), Some(b)) => affine(y, mean, scale, &g[part.clone()], &b[part]),
                        (g, b) => {
                            shift_scale(y, mean, scale);
                            let each = |v: &'_ [f32], op, y: &mut [f32]| {
                                crate::binary::binary_f32(op, y, crate::binary::Other::Each(v));
                            };
                            if let Some(g) = g {
                                each(&g[part.clone()], crate::binary::Binary::Mul, y);
                            }
                            if let Some(b) = b {
                                each(&b[part], crate::binary::Binary::Add, y);
                            }
                        }
                    }
                    T::round(y, line);
                }
            }
        });
    }
}

/// Mean and `1 / sqrt(variance + epsilon)` of a row, in two passes; sums are kept in 16 lanes, then in `f64`.
pub fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let n = x.len() as f64;
    let mean = (sum_chunks(x, 0.0, false) / n) as f32;
    let variance = sum_chunks(x, mean, true) / n;
    (mean, (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32)
}

/// The sum of the values, or of squared distances from `mean`.
fn sum_chunks(x: &[f32], mean: f32, squares: bool) -> f64 {
    // Pieces of a bounded length keep the rounding of the lane sums small for long rows.
    x.chunks(4096).map(|x| f64::from(if squares { squared_distance(x, mean) } else { sum(x) })).sum()
}

simd! {
    /// The sum of the values, in 32 lanes.
    pub(crate) fn sum(x: &[f32]) -> f32 {
        let mut lanes = [0f32; 32];
        let blocks = x.chunks_exact(32);
        let mut total = 0.0;
        for v in blocks.remainder() {
            total += v;
        }
        for b in blocks {
            for i in 0..32 {
                lanes[i] += b[i];
            }
        }
        for l in lanes {
            total += l;
        }
        total
    }
}
simd! {
    fn squared_distance(x: &[f32], mean: f32) -> f32 {
        let mut lanes = [0f32; 32];
        let blocks = x.chunks_exact(32);
        let mut total = 0.0;
        for v in blocks.remainder() {
            total += (v - mean) * (v - mean);
        }
        for b in blocks {
            for i in 0..32 {
                let d = b[i] - mean;
                lanes[i] = d.mul_add(d, lanes[i]);
            }
        }
        for l in lanes {
            total += l;
        }
        total
    }
}
simd! {
    fn affine(x: &mut [f32], mean: f32, scale: f32, gamma: &[f32], beta: &[f32]) {
        for (x, (g, b)) in x.iter_mut().zip(gamma.iter().zip(beta)) {
            *x = ((*x - mean) * scale).mul_add(*g, *b);
        }
    }
}
simd! {
    /// `(x - mean) * scale` in place.
    fn shift_scale(x: &mut [f32], mean: f32, scale: f32) {
        for v in x {
            *v = (*v - mean) * scale;
        }
    }
}
simd! {
    fn scale_shift(x: &mut [f32], scale: f32, shift: f32) {
        for v in x {
            *v = v.mul_add(scale, shift);
        }
    }
}

/// A scale and a shift for each channel of `[n, channels, inner]`: `out = x * scale[c] + shift[c]`. Batch norm with
/// constant statistics is this after `scale = gamma / sqrt(variance + epsilon)`, `shift = beta - mean * scale`.
pub fn channel_affine<T: Float>(
    channels: usize,
    inner: usize,
    x: &[T],
    scale: &[f32],
    shift: &[f32],
    out: &mut [T],
    pool: &Pool,
) {
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, inner, (GRAIN / inner.max(1)).max(1), |i, line| {
        let c = i % channels;
        let mut buffer = [0f32; BLOCK];
        for (k, line) in line.chunks_mut(BLOCK).enumerate() {
            let y = &mut buffer[..line.len()];
            T::expand(&x[i * inner + k * BLOCK..][..line.len()], y);
            scale_shift(y, scale[c], shift[c]);
            T::round(y, line);
        }
    });
}

/// Instance norm (`groups == channels`) and group norm over `[n, channels, inner]`; `gamma` and `beta` per channel.
pub fn group_norm<T: Float>(
    [channels, groups, inner]: [usize; 3],
    epsilon: f32,
    x: &[T],
    gamma: Option<Floats<'_>>,
    beta: Option<Floats<'_>>,
    out: &mut [T],
    pool: &Pool,
) {
    assert_eq!(x.len(), out.len());
    if x.is_empty() {
        return;
    }
    let each = channels / groups;
    let span = each * inner;
    pool.for_pieces(out, span, (GRAIN / span).max(1), |i, out| {
        let x = &x[i * span..(i + 1) * span];
        let mut buffer = [0f32; BLOCK];
        let total: f64 = x.chunks(BLOCK).map(|x| f64::from(sum(T::view(x, &mut buffer)))).sum();
        let mean = (total / span as f64) as f32;
        let squares: f64 =
            x.chunks(BLOCK).map(|x| f64::from(squared_distance(T::view(x, &mut buffer), mean))).sum();
        let scale = (1.0 / (squares / span as f64 + f64::from(epsilon)).sqrt()) as f32;
        for c in 0..each {
            let channel = i % groups * each + c;
            let g = gamma.map_or(1.0, |g| g.get(channel));
            let b = beta.map_or(0.0, |b| b.get(channel));
            let part = c * inner..(c + 1) * inner;
            for (x, out) in x[part.clone()].chunks(BLOCK).zip(out[part].chunks_mut(BLOCK)) {
                let y = &mut buffer[..x.len()];
                T::expand(x, y);
                shift_scale(y, mean, scale);
                scale_shift(y, g, b);
                T::round(y, out);
            }
        }
    });
}

/// `out = x / sqrt(Σ x² + epsilon)` over each row of `row` elements.
pub fn l2_norm<T: Float>(row: usize, epsilon: f32, x: &[T], out: &mut [T], pool: &Pool) {
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, row, (GRAIN / row.max(1)).max(1), |i, out| {
        let x = &x[i * row..(i + 1) * row];
        let mut buffer = [0f32; BLOCK];
        let squares: f64 =
            x.chunks(BLOCK).map(|x| f64::from(squared_distance(T::view(x, &mut buffer), 0.0))).sum();
        let scale = (1.0 / (squares + f64::from(epsilon)).sqrt()) as f32;
        for (x, out) in x.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
            let y = &mut buffer[..x.len()];
            T::expand(x, y);
            shift_scale(y, 0.0, scale);
            T::round(y, out);
        }
    });
}

/// Local response normalisation across `channels` of `[n, channels, inner]`:
/// `out = x / (k + alpha / size * Σ x²)^beta`, the sum over `size` channels around.
pub fn local_response_norm<T: Float>(
    [channels, inner, size]: [usize; 3],
    [alpha, beta, k]: [f32; 3],
    x: &[T],
    out: &mut [T],
    pool: &Pool,
) {
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, inner, (GRAIN / 8 / inner.max(1)).max(1), |i, line| {
        let c = i % channels;
        let from = c.saturating_sub(size / 2);
        let to = (c + (size - 1) / 2 + 1).min(channels);
        let base = (i - c) * inner;
        for (p, o) in line.iter_mut().enumerate() {
            let squares: f32 = (from..to)
                .map(|c| {
                    let v = x[base + c * inner + p].to_f32();
                    v * v
                })
                .sum();
            let v = x[base + c * inner + p].to_f32();
            *o = T::from_f32(v * (k + alpha / size as f32 * squares).powf(-beta));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};
    use mil_base::f16;

    fn normalise(x: &[f32], epsilon: f64) -> Vec<f64> {
        let n = x.len() as f64;
        let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        x.iter().map(|&v| (f64::from(v) - mean) / (variance + epsilon).sqrt()).collect()
    }

    #[test]
    fn layer_norm_matches() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(9));
        for (rows, row) in [(0, 5), (1, 1), (7, 33), (3, 768), (40, 1500)] {
            let plan = LayerNorm { rows, row, epsilon: 1e-5 };
            let x: Vec<f32> = random.vec(rows * row, 2.0).iter().map(|v| v + 3.0).collect();
            let (g, b) = (random.vec(row, 1.0), random.vec(row, 1.0));
            let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 1];
            let scratch = bytemuck::cast_slice_mut(&mut scratch);
            for (gamma, beta) in [(Some(&g), Some(&b)), (None, None), (Some(&g), None)] {
                let mut out = vec![0f32; x.len()];
                let (scale, shift) = (gamma.map(|v| Floats::F32(v)), beta.map(|v| Floats::F32(v)));
                plan.run(&x, scale, shift, &mut out, scratch, &pool);
                let mut want: Vec<f64> = x.chunks(row).flat_map(|x| normalise(x, 1e-5)).collect();
                for (i, w) in want.iter_mut().enumerate() {
                    *w = *w * gamma.map_or(1.0, |g| g[i % row].into())
                        + beta.map_or(0.0, |b| b[i % row].into());
                }
                assert_close(&out, &want, 1e-5, &format!("{rows} {row}"));
            }
            let half = |v: &[f32]| v.iter().map(|&v| f16::from_f32(v)).collect::<Vec<_>>();
            let (hx, hg, hb) = (half(&x), half(&g), half(&b));
            let mut out = vec![f16::ZERO; x.len()];
            plan.run(&hx, Some(Floats::F16(&hg)), Some(Floats::F16(&hb)), &mut out, scratch, &pool);
            let wide: Vec<f32> = hx.iter().map(|v| v.to_f32()).collect();
            let want: Vec<f64> = wide
                .chunks(row)
                .flat_map(|x| normalise(x, 1e-5))
                .enumerate()
                .map(|(i, v)| v * hg[i % row].to_f64() + hb[i % row].to_f64())
                .collect();
            let got: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
            assert_close(&got, &want, 1e-3, "fp16");
        }
    }

    #[test]
    fn group_and_channel_norms_match() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(10));
        let x = random.vec(2 * 6 * 35, 3.0);
        let (g, b) = (random.vec(6, 1.0), random.vec(6, 1.0));
        for groups in [6, 2, 1] {
            let mut out = vec![0f32; x.len()];
            group_norm(
                [6, groups, 35],
                1e-3,
                &x,
                Some(Floats::F32(&g)),
                Some(Floats::F32(&b)),
                &mut out,
                &pool,
            );
            let want: Vec<f64> = x
                .chunks(6 / groups * 35)
                .flat_map(|x| normalise(x, 1e-3))
                .enumerate()
                .map(|(i, v)| v * f64::from(g[i / 35 % 6]) + f64::from(b[i / 35 % 6]))
                .collect();
            assert_close(&out, &want, 1e-5, &format!("{groups}"));
        }
        let mut out = vec![0f32; x.len()];
        channel_affine(6, 35, &x, &g, &b, &mut out, &pool);
        let want: Vec<f64> = (0..x.len())
            .map(|i| f64::from(x[i]) * f64::from(g[i / 35 % 6]) + f64::from(b[i / 35 % 6]))
            .collect();
        assert_close(&out, &want, 1e-6, "affine");
    }

    #[test]
    fn l2_and_local_response_match() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(11));
        let x = random.vec(5 * 7 * 4, 3.0);
        let mut out = vec![0f32; x.len()];
        l2_norm(28, 1e-4, &x, &mut out, &pool);
        let norm = |x: &[f32]| (x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() + 1e-4).sqrt();
        let want: Vec<f64> = x
            .chunks(28)
            .flat_map(|r| r.iter().map(|&v| f64::from(v) / norm(r)).collect::<Vec<_>>())
            .collect();
        assert_close(&out, &want, 1e-6, "l2");
        local_response_norm([7, 4, 3], [0.1, 0.75, 2.0], &x, &mut out, &pool);
        let want: Vec<f64> = (0..x.len())
            .map(|i| {
                let (n, c, p) = (i / 28, i / 4 % 7, i % 4);
                let around = c.saturating_sub(1)..(c + 2).min(7);
                let s: f64 = around.map(|c| f64::from(x[n * 28 + c * 4 + p]).powi(2)).sum();
                f64::from(x[i]) * (2.0 + 0.1 / 3.0 * s).powf(-0.75)
            })
            .collect();
        assert_close(&out, &want, 1e-5, "lrn");
    }
}
