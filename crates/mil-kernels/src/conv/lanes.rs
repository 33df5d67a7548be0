//! Depthwise convolution of small images, sixteen channels at a time: channels become the lanes of a vector, so that
//! neither padding nor short rows cost anything.

use crate::epilogue::{Finish, Segment};
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{Floats, SharedFloats, take_scratch};
use crate::window::Window;
use std::ops::Range;

/// Channels taken together.
const LANES: usize = 16;
/// Largest image, in positions: both sides of it stay in cache.
const LARGEST: usize = 1024;

/// A planned depthwise convolution with one filter a channel.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    window: Window,
    /// For each dimension and output, the taps that fall inside the input.
    inside: [Vec<Range<usize>>; 3],
}

impl Lanes {
    /// `None` when the image is too large to be worth it.
    pub(super) fn new(window: Window) -> Option<Lanes> {
        if window.input_len().max(window.output_len()) > LARGEST {
            return None;
        }
        let inside = std::array::from_fn(|d| {
            (0..window.output[d])
                .map(|o| {
                    let (base, step) = (o * window.stride[d], window.dilation[d]);
                    let low = window.before[d].saturating_sub(base).div_ceil(step).min(window.kernel[d]);
                    let end = (window.before[d] + window.input[d]).saturating_sub(base);
                    low..end.div_ceil(step).clamp(low, window.kernel[d])
                })
                .collect()
        });
        Some(Lanes { window, inside })
    }

    pub(super) fn scratch_bytes(&self, threads: usize) -> usize {
        let w = &self.window;
        let lines = w.input_len() + w.output_len().next_multiple_of(LANES) * 2 + w.taps();
        threads * (lines * LANES * 4 + 512)
    }

    /// `channels` of each of `n` images.
    pub(super) fn run(
        &self,
        [n, channels]: [usize; 2],
        x: Floats<'_>,
        weight: Floats<'_>,
        out: SharedFloats<'_>,
        finish: Finish<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let w = &self.window;
        let (ilen, olen, taps) = (w.input_len(), w.output_len(), w.taps());
        let padded = olen.next_multiple_of(LANES);
        let blocks = channels.div_ceil(LANES);
        let grain = (8 * 1024 / (olen * taps)).max(1);
        pool.for_ranges_scratch(n * blocks, grain, scratch, |range, scratch| {
            let (image, rest) = take_scratch::<[f32; LANES]>(scratch, ilen);
            let (sums, rest) = take_scratch::<[f32; LANES]>(rest, padded);
            let (weights, rest) = take_scratch::<[f32; LANES]>(rest, taps);
            let (rows, _) = take_scratch::<f32>(rest, LANES * padded);
            for t in range {
                let first = t % blocks * LANES;
                let (start, count) = (t / blocks * channels + first, LANES.min(channels - first));
                gather(x, start * ilen, ilen, count, image);
                gather(weight, first * taps, taps, count, weights);
                self.convolve(image, weights, sums);
                for (b, block) in sums.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                    crate::transpose::sixteen(block);
                    for (lane, line) in block.iter().enumerate() {
                        rows[lane * padded + b * LANES..][..LANES].copy_from_slice(line);
                    }
                }
                for (lane, row) in rows.chunks_exact_mut(padded).take(count).enumerate() {
                    let (channel, base) = (first + lane, t / blocks * channels * olen);
                    let values = &mut row[..olen];
                    finish.apply(Segment { row: channel, column: 0, base }, values);
                    // SAFETY: each channel of the output belongs to one block.
                    unsafe { out.write(base + channel * olen, values) };
                }
            }
        });
    }

    fn convolve(&self, image: &[[f32; LANES]], weights: &[[f32; LANES]], out: &mut [[f32; LANES]]) {
        let w = &self.window;
        let mut lines = out.chunks_exact_mut(w.output[2]);
        for (od, ds) in self.inside[0].iter().enumerate() {
            for (oh, hs) in self.inside[1].iter().enumerate() {
                let Some(line) = lines.next() else { return };
                line.fill([0.0; LANES]);
                for td in ds.clone() {
                    let id = od * w.stride[0] + td * w.dilation[0] - w.before[0];
                    for th in hs.clone() {
                        let ih = oh * w.stride[1] + th * w.dilation[1] - w.before[1];
                        let row = (id * w.input[1] + ih) * w.input[2];
                        let taps = (td * w.kernel[1] + th) * w.kernel[2];
                        let steps = [w.stride[2], w.dilation[2], w.before[2]];
                        let row = &image[row..row + w.input[2]];
                        add_row(row, &weights[taps..taps + w.kernel[2]], &self.inside[2], steps, line);
                    }
                }
            }
        }
    }
}

simd! {
    /// Adds one row of taps to one row of outputs.
    fn add_row(
        x: &[[f32; LANES]],
        weights: &[[f32; LANES]],
        inside: &[Range<usize>],
        steps: [usize; 3],
        out: &mut [[f32; LANES]],
    ) {
        let [stride, dilation, before] = steps;
        for ((o, acc), taps) in out.iter_mut().enumerate().zip(inside) {
            let mut sum = *acc;
            for t in taps.start..taps.end {
                let (x, w) = (&x[o * stride + t * dilation - before], &weights[t]);
                for i in 0..LANES {
                    sum[i] = x[i].mul_add(w[i], sum[i]);
                }
            }
            *acc = sum;
        }
    }
}

/// `out[p][lane] = source[start + lane * len + p]` for `count` lanes, zero in the others.
fn gather(source: Floats<'_>, start: usize, len: usize, count: usize, out: &mut [[f32; LANES]]) {
    let mut block = [[0f32; LANES]; LANES];
    for (b, out) in out.chunks_mut(LANES).enumerate() {
        let n = out.len();
        for (lane, line) in block[..count].iter_mut().enumerate() {
            let at = start + lane * len + b * LANES;
            match source {
                Floats::F32(x) if n == LANES => {
                    *line = x[at..].first_chunk().copied().unwrap_or_default();
                }
                _ => source.read(at, &mut line[..n]),
            }
        }
        block[count..].fill([0.0; LANES]);
        crate::transpose::sixteen(&mut block);
        out.copy_from_slice(&block[..n]);
    }
}
