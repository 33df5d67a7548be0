//! Pooling over windows: largest, mean and Euclidean norm.

use crate::float::Float;
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{Floats, SharedMut, take_scratch};
use crate::window::{Slab, Window};

/// What a window gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest element; padding does not count.
    Max,
    /// The mean; with `exclude_padding` over the elements inside the input only.
    Average {
        /// Divide by the number of elements inside the input.
        exclude_padding: bool,
    },
    /// sqrt(Σ x²)
    L2,
}

/// A planned pooling.
#[derive(Clone, Debug)]
pub struct WindowPool {
    kind: Pooling,
    window: Window,
    slab: Slab,
    offsets: Vec<usize>,
    /// `1 / count` for each output of a channel, when the count differs between them.
    scales: Option<Vec<f32>>,
}

impl WindowPool {
    /// Plans it; dilation may be used.
    pub fn new(kind: Pooling, window: Window) -> WindowPool {
        let slab = window.slab(0, window.output[window.band_axis()]);
        let scales = (kind == Pooling::Average { exclude_padding: true }).then(|| scales(&window));
        WindowPool { kind, window, slab, offsets: slab.tap_offsets(), scales }
    }

    /// Multiplies each output of a channel by its factor, instead of dividing by the number of elements: for means
    /// that count otherwise. `scales` has one factor for each output.
    pub fn with_scales(mut self, scales: Vec<f32>) -> WindowPool {
        assert_eq!(scales.len(), self.window.output_len());
        self.scales = Some(scales);
        self
    }

    /// Spatial sizes of the output.
    pub fn output(&self) -> &[usize] {
        self.window.output()
    }

    /// Scratch for `threads` threads.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        threads * ((self.slab.channel_len() + self.slab.columns()) * 4 + 192)
    }

    /// Pools each of the channels of all images.
    pub fn run<T: Float>(&self, channels: usize, x: &[T], out: &mut [T], scratch: &mut [u8], pool: &Pool) {
        let (ilen, olen) = (self.window.input_len(), self.window.output_len());
        assert_eq!((x.len(), out.len()), (channels * ilen, channels * olen));
        if out.is_empty() {
            return;
        }
        let out = SharedMut::new(out);
        let fill = if self.kind == Pooling::Max { f32::NEG_INFINITY } else { 0.0 };
        let grain = (32 * 1024 / (ilen + olen * self.offsets.len())).max(1);
        pool.for_ranges_scratch(channels, grain, scratch, |range, scratch| {
            let (slab, rest) = take_scratch::<f32>(scratch, self.slab.channel_len());
            let (acc, _) = take_scratch::<f32>(rest, self.slab.columns());
            for c in range {
                self.slab.load(floats(&x[c * ilen..(c + 1) * ilen]), fill, slab);
                match self.kind {
                    Pooling::Max => largest(slab, &self.offsets, acc),
                    Pooling::Average { .. } => sums(slab, &self.offsets, acc),
                    Pooling::L2 => norms(slab, &self.offsets, acc),
                }
                // SAFETY: each channel belongs to one range.
                let out = unsafe { out.slice(c * olen..(c + 1) * olen) };
                let (index, n) = self.slab.compact(0, acc.len(), acc);
                let values = &mut acc[..n];
                match (&self.scales, self.kind) {
                    (Some(s), _) => values.iter_mut().zip(&s[index..]).for_each(|(v, s)| *v *= s),
                    (None, Pooling::Average { .. }) => {
                        let count = self.offsets.len() as f32;
                        values.iter_mut().for_each(|v| *v /= count);
                    }
                    _ => {}
                }
                T::round(values, &mut out[index..index + n]);
            }
        });
    }
}

fn floats<T: Float>(x: &[T]) -> Floats<'_> {
    if T::FP16 { Floats::F16(bytemuck::cast_slice(x)) } else { Floats::F32(bytemuck::cast_slice(x)) }
}

/// One over the number of taps inside the input, for each output.
fn scales(window: &Window) -> Vec<f32> {
    let inside = |d: usize, o: usize| {
        (0..window.kernel[d])
            .filter(|t| {
                let at = o * window.stride[d] + t * window.dilation[d];
                at >= window.before[d] && at < window.before[d] + window.input[d]
            })
            .count()
    };
    let [d, h, w]: [Vec<usize>; 3] =
        std::array::from_fn(|d| (0..window.output[d]).map(|o| inside(d, o)).collect());
    let mut scales = Vec::with_capacity(window.output_len());
    for d in &d {
        for h in &h {
            scales.extend(w.iter().map(|w| 1.0 / (d * h * w).max(1) as f32));
        }
    }
    scales
}

macro_rules! window_fold {
    ($name:ident, $start:expr, |$a:ident, $x:ident| $step:expr, |$r:ident| $end:expr) => {
        simd! {
            fn $name(slab: &[f32], offsets: &[usize], out: &mut [f32]) {
                const LANES: usize = 64;
                for (b, block) in out.chunks_mut(LANES).enumerate() {
                    if block.len() == LANES {
                        let mut acc = [$start; LANES];
                        for offset in offsets {
                            let x = &slab[offset + b * LANES..][..LANES];
                            for i in 0..LANES {
                                let ($a, $x) = (acc[i], x[i]);
                                acc[i] = $step;
                            }
                        }
                        for (o, $r) in block.iter_mut().zip(acc) {
                            *o = $end;
                        }
                        continue;
                    }
                    block.fill($start);
                    for offset in offsets {
                        for (o, x) in block.iter_mut().zip(&slab[offset + b * LANES..]) {
                            let ($a, $x) = (*o, *x);
                            *o = $step;
                        }
                    }
                    for o in block {
                        for $r in [*o] {
                            *o = $end;
                        }
                    }
                }
            }
        }
    };
}
window_fold!(largest, f32::NEG_INFINITY, |a, x| if x > a { x } else { a }, |r| r);
window_fold!(sums, 0f32, |a, x| a + x, |r| r);
window_fold!(norms, 0f32, |a, x| x.mul_add(x, a), |r| r.sqrt());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};
    use crate::window::WindowSpec;

    #[test]
    fn every_kind_matches_the_definition() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(30));
        type Sizes = [usize; 2];
        let cases: &[(Sizes, Sizes, Sizes, Sizes, Sizes, bool)] = &[
            ([12, 13], [2, 2], [2, 2], [0, 0], [0, 0], false),
            ([12, 13], [3, 3], [2, 2], [1, 1], [1, 1], false),
            ([12, 13], [3, 2], [2, 3], [1, 0], [0, 1], true),
            ([7, 100], [3, 3], [1, 1], [1, 1], [1, 1], false),
            ([5, 5], [2, 2], [3, 3], [0, 0], [0, 0], true),
        ];
        for &(input, kernel, stride, before, after, ceil) in cases {
            let spec = WindowSpec {
                input: &input,
                kernel: &kernel,
                stride: &stride,
                dilation: &[1, 1],
                before: &before,
                after: &after,
                ceil,
            };
            let window = Window::new(&spec).unwrap();
            let x = random.vec(3 * input[0] * input[1], 2.0);
            for kind in [
                Pooling::Max,
                Pooling::Average { exclude_padding: true },
                Pooling::Average { exclude_padding: false },
                Pooling::L2,
            ] {
                let plan = WindowPool::new(kind, window);
                let [oh, ow]: Sizes = plan.output().try_into().unwrap();
                let mut want = Vec::new();
                for c in 0..3 {
                    for i in 0..oh * ow {
                        let mut taps = Vec::new();
                        for t in 0..kernel[0] * kernel[1] {
                            let y = (i / ow * stride[0] + t / kernel[1]).checked_sub(before[0]);
                            let z = (i % ow * stride[1] + t % kernel[1]).checked_sub(before[1]);
                            if let (Some(y), Some(z)) = (y, z)
                                && y < input[0]
                                && z < input[1]
                            {
                                taps.push(f64::from(x[(c * input[0] + y) * input[1] + z]));
                            }
                        }
                        let sum: f64 = taps.iter().sum();
                        want.push(match kind {
                            Pooling::Max => taps.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                            Pooling::Average { exclude_padding: true } => sum / taps.len() as f64,
                            Pooling::Average { .. } => sum / (kernel[0] * kernel[1]) as f64,
                            Pooling::L2 => taps.iter().map(|v| v * v).sum::<f64>().sqrt(),
                        });
                    }
                }
                let mut out = vec![0f32; want.len()];
                let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 1];
                plan.run(3, &x, &mut out, bytemuck::cast_slice_mut(&mut scratch), &pool);
                assert_close(&out, &want, 1e-6, &format!("{kind:?} {input:?} {kernel:?}"));
            }
        }
    }
}
