//! One input channel for each filter: taps are added up along the rows of a slab.

use crate::epilogue::{Finish, Segment};
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{Floats, SharedFloats, take_scratch};
use crate::window::{Slab, Window};

/// A planned depthwise convolution.
#[derive(Clone, Debug)]
pub(super) struct Depthwise {
    window: Window,
    slab: Slab,
    offsets: Vec<usize>,
}

impl Depthwise {
    pub(super) fn new(window: Window) -> Depthwise {
        let slab = window.slab(0, window.output[window.band_axis()]);
        Depthwise { window, slab, offsets: slab.tap_offsets() }
    }

    pub(super) fn scratch_bytes(&self, threads: usize) -> usize {
        threads * ((self.slab.channel_len() + self.slab.columns() + self.offsets.len()) * 4 + 256)
    }

    /// `images` counts input channels of all images, `filters` those of each of the `groups`.
    pub(super) fn run(
        &self,
        images: usize,
        filters: usize,
        groups: usize,
        x: Floats<'_>,
        weight: Floats<'_>,
        out: SharedFloats<'_>,
        finish: Finish<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let (ilen, olen, taps) = (self.window.input_len(), self.window.output_len(), self.offsets.len());
        let grain = (64 * 1024 / (olen * taps * filters).max(1)).max(1);
        pool.for_ranges_scratch(images, grain, scratch, |range, scratch| {
            let (slab, rest) = take_scratch::<f32>(scratch, self.slab.channel_len());
            let (sums, rest) = take_scratch::<f32>(rest, self.slab.columns());
            let (taps_f32, _) = take_scratch::<f32>(rest, taps);
            for i in range {
                self.slab.load(x.slice(i * ilen..(i + 1) * ilen), 0.0, slab);
                for f in 0..filters {
                    let row = i % groups * filters + f;
                    weight.read(row * taps, taps_f32);
                    weigh(slab, &self.offsets, taps_f32, sums);
                    let base = i / groups * groups * filters * olen;
                    let (index, n) = self.slab.compact(0, sums.len(), sums);
                    let values = &mut sums[..n];
                    finish.apply(Segment { row, column: index, base }, values);
                    // SAFETY: each channel of the output belongs to one range.
                    unsafe { out.write(base + row * olen + index, values) };
                }
            }
        });
    }
}

simd! {
    /// `out[i] = Σ weights[t] slab[offsets[t] + i]`.
    fn weigh(slab: &[f32], offsets: &[usize], weights: &[f32], out: &mut [f32]) {
        const LANES: usize = 64;
        let mut first = 0;
        let mut blocks = out.chunks_exact_mut(LANES);
        for block in &mut blocks {
            let mut acc = [0f32; LANES];
            for (offset, w) in offsets.iter().zip(weights) {
                let x = &slab[offset + first..][..LANES];
                for i in 0..LANES {
                    acc[i] = x[i].mul_add(*w, acc[i]);
                }
            }
            block.copy_from_slice(&acc);
            first += LANES;
        }
        let tail = blocks.into_remainder();
        tail.fill(0.0);
        for (offset, w) in offsets.iter().zip(weights) {
            for (o, x) in tail.iter_mut().zip(&slab[offset + first..]) {
                *o = x.mul_add(*w, *o);
            }
        }
    }
}
