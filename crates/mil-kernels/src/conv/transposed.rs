//! Transposed convolution: `x [n, c, spatial..]`, `weight [c, o / groups, kernel..]`.
//!
//! The outputs that share a remainder by the stride are an ordinary convolution of the input with the taps of that
//! remainder, so each such phase is one matrix product over a slab; nothing is scattered into overlapping sums.

use super::SLACK;
use crate::epilogue::{Along, Epilogue, Finish, PostOp, Segment};
use crate::gemm::engine::{Plan, Sink};
use crate::gemm::pack::Rows;
use crate::pool::Pool;
use crate::view::{Floats, FloatsMut, SharedFloats, take_scratch};
use crate::window::{Slab, Window, WindowSpec};

/// A transposed convolution planned for known shapes.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    n: usize,
    groups: usize,
    channels: usize,
    filters: usize,
    input: usize,
    /// Taps of the whole kernel.
    taps: usize,
    output: [usize; 3],
    rank: usize,
    phases: Vec<Phase>,
}

/// The outputs `o ≡ first (mod stride)`.
#[derive(Clone, Debug)]
struct Phase {
    first: [usize; 3],
    stride: [usize; 3],
    slab: Slab,
    /// Kernel elements of this phase, in the order of `offsets`.
    elements: Vec<usize>,
    /// Where each (channel, element) reads the slab.
    offsets: Vec<usize>,
    plan: Plan,
}

impl ConvTranspose {
    /// Plans `n` images of `channels` to `filters`. `window` is that of the forward convolution whose transpose this is:
    /// its `input` are the spatial sizes of the **input of this op**, `before` is cropped from the front of the full
    /// result, and `output` gives the sizes that remain (so `after` is not read). `None` for impossible geometry.
    pub fn new(
        [n, channels, filters, groups]: [usize; 4],
        window: &WindowSpec<'_>,
        output: &[usize],
        threads: usize,
    ) -> Option<ConvTranspose> {
        let rank = window.input.len();
        let same = [window.kernel, window.stride, window.dilation, window.before, output];
        let divides = groups > 0 && channels.is_multiple_of(groups) && filters.is_multiple_of(groups);
        if !(1..=3).contains(&rank) || same.iter().any(|s| s.len() != rank) || !divides {
            return None;
        }
        if window.kernel.iter().chain(window.stride).chain(window.dilation).any(|&v| v == 0) {
            return None;
        }
        let wide = |s: &[usize], missing: usize| {
            let mut out = [missing; 3];
            out[3 - rank..].copy_from_slice(s);
            out
        };
        let (input, kernel) = (wide(window.input, 1), wide(window.kernel, 1));
        let (stride, dilation) = (wide(window.stride, 1), wide(window.dilation, 1));
        let (before, output) = (wide(window.before, 0), wide(output, 1));
        let (channels, filters) = (channels / groups, filters / groups);
        let mut phases = Vec::new();
        for d in 0..stride[0].min(output[0]) {
            for h in 0..stride[1].min(output[1]) {
                for w in 0..stride[2].min(output[2]) {
                    let geometry = PhaseGeometry { input, kernel, stride, dilation, before, output };
                    phases.push(geometry.phase([d, h, w], channels, filters, threads)?);
                }
            }
        }
        let (input, taps) = (input.iter().product(), kernel.iter().product());
        Some(ConvTranspose { n, groups, channels, filters, input, taps, output, rank, phases })
    }

    /// Spatial sizes of the output.
    pub fn output(&self) -> &[usize] {
        &self.output[3 - self.rank..]
    }

    /// Scratch that [`ConvTranspose::run`] needs.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        let one = |p: &Phase| {
            let slab = (p.slab.channel_len() * self.channels + SLACK) * 4;
            let weights = self.filters * p.offsets.len() * 4;
            slab + weights + p.plan.slab_scratch_bytes(threads) + 256
        };
        self.phases.iter().map(one).max().unwrap_or(0)
    }

    /// `out = epilogue(conv_transpose(x, weight))`. The epilogue may hold functions and operands along rows (channels)
    /// only: outputs are written in strides, where a tensor of the same shape is not contiguous.
    pub fn run(
        &self,
        x: Floats<'_>,
        weight: Floats<'_>,
        out: FloatsMut<'_>,
        epilogue: &Epilogue,
        operands: &[Floats<'_>],
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let (c, o) = (self.channels, self.filters);
        let olen: usize = self.output.iter().product();
        assert_eq!(x.len(), self.n * self.groups * c * self.input, "the input's size");
        assert_eq!(weight.len(), self.groups * c * o * self.taps, "the weight's size");
        assert_eq!(out.len(), self.n * self.groups * o * olen, "the output's size");
        let rows_only = epilogue.ops.iter().all(|op| match op {
            PostOp::Unary(_) => true,
            PostOp::Binary { along, .. } | PostOp::Bias { along, .. } => *along == Along::Row,
        });
        assert!(rows_only, "a transposed convolution's epilogue reads operands along rows only");
        let out = out.shared();
        let finish = Finish { steps: epilogue, operands, width: olen };
        for i in 0..self.n * self.groups {
            let g = i % self.groups;
            let x = x.slice(i * c * self.input..(i + 1) * c * self.input);
            let weight = weight.slice(g * c * o * self.taps..(g + 1) * c * o * self.taps);
            for phase in &self.phases {
                let base = (i - g) * o * olen;
                let sink = PhaseSink { phase, out, finish, base, first_row: g * o, output: self.output };
                self.phase(phase, x, weight, &sink, scratch, pool);
            }
        }
    }

    fn phase(
        &self,
        phase: &Phase,
        x: Floats<'_>,
        weight: Floats<'_>,
        sink: &PhaseSink<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let (c, o, k) = (self.channels, self.filters, phase.offsets.len());
        let len = phase.slab.channel_len();
        let (data, rest) = take_scratch::<f32>(scratch, len * c + SLACK);
        let (rows, rest) = take_scratch::<f32>(rest, o * k);
        data[len * c..].fill(0.0);
        pool.for_pieces(&mut data[..len * c], len, (32 * 1024 / len.max(1)).max(1), |c, out| {
            phase.slab.load(x.slice(c * self.input..(c + 1) * self.input), 0.0, out);
        });
        let each = phase.elements.len();
        pool.for_pieces(rows, k, (32 * 1024 / k.max(1)).max(1), |f, row| {
            for (i, v) in row.iter_mut().enumerate() {
                *v = weight.get((i / each * o + f) * self.taps + phase.elements[i % each]);
            }
        });
        let rows = Rows { data: Floats::F32(rows), row_stride: k, k_stride: 1 };
        phase.plan.run_slab(&rows, data, &phase.offsets, sink, rest, pool);
    }
}

struct PhaseGeometry {
    input: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    before: [usize; 3],
    output: [usize; 3],
}

impl PhaseGeometry {
    /// Output `o` sums `x[i] w[t]` over all `i * stride + t * dilation = o + before`.
    fn phase(&self, first: [usize; 3], channels: usize, filters: usize, threads: usize) -> Option<Phase> {
        let mut count = [0; 3];
        // For each dimension, the taps of this remainder, with the input position that the phase's first output reads.
        let mut taps: [Vec<(usize, isize)>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        let (mut reach, mut lead) = ([0; 3], [0; 3]);
        for d in 0..3 {
            count[d] = (self.output[d] - first[d]).div_ceil(self.stride[d]);
            let position = first[d] + self.before[d];
            for t in 0..self.kernel[d] {
                let shift = position as isize - (t * self.dilation[d]) as isize;
                let stride = self.stride[d] as isize;
                if shift.rem_euclid(stride) == 0 {
                    taps[d].push((t, shift / stride));
                }
            }
            let low = taps[d].iter().map(|t| t.1).min().unwrap_or(0);
            let high = taps[d].iter().map(|t| t.1).max().unwrap_or(0);
            // The slab starts at input `low`; every tap then reads at a distance from it.
            taps[d].iter_mut().for_each(|t| t.1 -= low);
            (lead[d], reach[d]) = (low, (high - low) as usize);
        }
        // A forward window of stride 1 that starts at `lead` and has `count` outputs.
        let (mut kernel, mut before, mut after) = ([0; 3], [0; 3], [0; 3]);
        let mut skip = [0; 3];
        for d in 0..3 {
            kernel[d] = reach[d] + 1;
            before[d] = (-lead[d]).max(0) as usize;
            skip[d] = lead[d].max(0) as usize;
            let need = lead[d] + (count[d] + reach[d]) as isize;
            after[d] = (need - self.input[d] as isize).max(0) as usize;
        }
        let window = Window::new(&WindowSpec {
            input: &self.input,
            kernel: &kernel,
            stride: &[1; 3],
            dilation: &[1; 3],
            before: &before,
            after: &after,
            ceil: false,
        })?;
        let slab = window.slab_at(skip, count);
        let (mut elements, mut places) = (Vec::new(), Vec::new());
        for &(td, sd) in &taps[0] {
            for &(th, sh) in &taps[1] {
                for &(tw, sw) in &taps[2] {
                    elements.push((td * self.kernel[1] + th) * self.kernel[2] + tw);
                    let [sd, sh, sw] = [sd, sh, sw].map(|s| s as usize);
                    places.push((sd * slab.pitch[1] + sh) * slab.pitch[2] + sw);
                }
            }
        }
        let len = slab.channel_len();
        let offsets: Vec<usize> =
            (0..channels).flat_map(|c| places.iter().map(move |p| c * len + p)).collect();
        let plan = Plan::new(filters, slab.columns(), offsets.len(), threads);
        Some(Phase { first, stride: self.stride, slab, elements, offsets, plan })
    }
}

/// Stores a phase's outputs at their strides.
struct PhaseSink<'a> {
    phase: &'a Phase,
    out: SharedFloats<'a>,
    finish: Finish<'a>,
    base: usize,
    first_row: usize,
    output: [usize; 3],
}

impl Sink for PhaseSink<'_> {
    const GROUP: usize = 1;

    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize) {
        let Phase { first, stride: step, slab, .. } = self.phase;
        let [_, h, w] = slab.output;
        for (r, line) in tile.chunks_mut(stride).take(rows).enumerate() {
            let row = self.first_row + row + r;
            self.finish.apply(Segment { row, column: 0, base: self.base }, &mut line[..columns]);
            for (i, value) in line[..columns].iter().enumerate() {
                let at = column + i;
                let (ow, oh) = (at % slab.pitch[2], at / slab.pitch[2] % slab.pitch[1]);
                let od = at / slab.pitch[2] / slab.pitch[1];
                if ow >= w || oh >= h {
                    continue;
                }
                let index = ((od * step[0] + first[0]) * self.output[1] + oh * step[1] + first[1])
                    * self.output[2]
                    + ow * step[2]
                    + first[2];
                let index = self.base + row * self.finish.width + index;
                // SAFETY: strips are disjoint and so are phases, hence these elements.
                unsafe { self.out.write(index, std::slice::from_ref(value)) };
            }
        }
    }
}
