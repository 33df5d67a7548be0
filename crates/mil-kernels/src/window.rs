//! Sliding windows: the geometry shared by convolution and pooling, and the slab that makes every tap contiguous.
//!
//! A slab is a padded copy, in `f32`, of some channels of an image, with the positions that a stride skips split into
//! planes of their own ("phases"). Whatever stride, dilation and padding a window has, each of its taps then reads the
//! slab at `column + constant`, where `column` counts output positions along rows of the slab's pitch.

use crate::simd::simd;
use crate::view::Floats;

/// A window over up to three spatial dimensions, stated as MIL states it.
#[derive(Clone, Copy, Debug)]
pub struct WindowSpec<'a> {
    /// Spatial sizes of the input, 1 to 3 of them; the slices below are as long.
    pub input: &'a [usize],
    /// Window sizes.
    pub kernel: &'a [usize],
    /// Strides, at least 1.
    pub stride: &'a [usize],
    /// Dilations, at least 1.
    pub dilation: &'a [usize],
    /// Padding before.
    pub before: &'a [usize],
    /// Padding after.
    pub after: &'a [usize],
    /// Round the output size up: a window may hang over the end, but must start inside the input or its front padding.
    pub ceil: bool,
}

/// The same, widened to three dimensions, with the output sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub(crate) input: [usize; 3],
    pub(crate) kernel: [usize; 3],
    pub(crate) stride: [usize; 3],
    pub(crate) dilation: [usize; 3],
    pub(crate) before: [usize; 3],
    pub(crate) output: [usize; 3],
    rank: usize,
}

impl Window {
    /// `None` when ranks differ or are not 1 to 3, a stride, dilation or kernel is zero, or the padded input is smaller
    /// than the window.
    pub fn new(spec: &WindowSpec<'_>) -> Option<Window> {
        let rank = spec.input.len();
        let same = [spec.kernel, spec.stride, spec.dilation, spec.before, spec.after];
        if !(1..=3).contains(&rank) || same.iter().any(|s| s.len() != rank) {
            return None;
        }
        let wide = |s: &[usize], missing: usize| {
            let mut out = [missing; 3];
            out[3 - rank..].copy_from_slice(s);
            out
        };
        let (input, kernel) = (wide(spec.input, 1), wide(spec.kernel, 1));
        let (stride, dilation) = (wide(spec.stride, 1), wide(spec.dilation, 1));
        let (before, after) = (wide(spec.before, 0), wide(spec.after, 0));
        let mut output = [0; 3];
        for d in 0..3 {
            if kernel[d] == 0 || stride[d] == 0 || dilation[d] == 0 {
                return None;
            }
            let reach = dilation[d].checked_mul(kernel[d] - 1)?.checked_add(1)?;
            let room = input[d].checked_add(before[d])?.checked_add(after[d])?.checked_sub(reach)?;
            output[d] = room / stride[d] + 1;
            if spec.ceil && room % stride[d] != 0 && output[d] * stride[d] < input[d] + before[d] {
                output[d] += 1;
            }
        }
        Some(Window { input, kernel, stride, dilation, before, output, rank })
    }

    /// Output sizes, as many as the specification had.
    pub fn output(&self) -> &[usize] {
        &self.output[3 - self.rank..]
    }

    /// Elements of one input channel.
    pub(crate) fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of one output channel.
    pub(crate) fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    /// Taps of the window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// A single tap that reads each position once: a convolution of 1 by 1.
    pub(crate) fn is_identity(&self) -> bool {
        self.taps() == 1 && self.stride == [1; 3] && self.before == [0; 3] && self.output == self.input
    }

    /// The outermost dimension with more than one output: bands are cut along it.
    pub(crate) fn band_axis(&self) -> usize {
        (0..3).find(|&d| self.output[d] > 1).unwrap_or(2)
    }

    /// The slab for `count` outputs from `first` on, along the band axis.
    pub(crate) fn slab(&self, first: usize, count: usize) -> Slab {
        let (axis, mut origin, mut output) = (self.band_axis(), [0; 3], self.output);
        (origin[axis], output[axis]) = (first, count);
        self.slab_at(origin, output)
    }

    /// The slab for `output` outputs from `origin` on.
    pub(crate) fn slab_at(&self, origin: [usize; 3], output: [usize; 3]) -> Slab {
        let mut slab = Slab { window: *self, origin, output, pitch: [0; 3], phases: [1; 3] };
        for d in 0..3 {
            let reach = self.dilation[d] * (self.kernel[d] - 1);
            slab.pitch[d] = slab.output[d] + reach / self.stride[d];
            slab.phases[d] = (0..self.kernel[d]).map(|t| self.phase(d, t) + 1).max().unwrap_or(1);
        }
        slab
    }

    fn phase(&self, d: usize, tap: usize) -> usize {
        tap * self.dilation[d] % self.stride[d]
    }
}

/// The layout of a slab for some of the outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slab {
    window: Window,
    /// First output in each dimension.
    pub(crate) origin: [usize; 3],
    /// Outputs in each dimension.
    pub(crate) output: [usize; 3],
    /// Sizes of one plane; rows have pitch `pitch[2]`.
    pub(crate) pitch: [usize; 3],
    phases: [usize; 3],
}

impl Slab {
    /// Elements of one channel.
    pub(crate) fn channel_len(&self) -> usize {
        self.plane_len() * self.phases.iter().product::<usize>()
    }

    fn plane_len(&self) -> usize {
        self.pitch.iter().product()
    }

    /// Positions from the first output to the last, counted with the pitch.
    pub(crate) fn columns(&self) -> usize {
        let [d, h, w] = self.output;
        if d * h * w == 0 {
            return 0;
        }
        ((d - 1) * self.pitch[1] + h - 1) * self.pitch[2] + w
    }

    /// Where each tap reads, relative to the column, in the order of the kernel's elements.
    pub(crate) fn tap_offsets(&self) -> Vec<usize> {
        let w = &self.window;
        let place = |d: usize, t: usize| (w.phase(d, t), t * w.dilation[d] / w.stride[d]);
        let mut offsets = Vec::with_capacity(w.taps());
        for td in 0..w.kernel[0] {
            for th in 0..w.kernel[1] {
                for tw in 0..w.kernel[2] {
                    let ((fd, qd), (fh, qh), (fw, qw)) = (place(0, td), place(1, th), place(2, tw));
                    let phase = (fd * self.phases[1] + fh) * self.phases[2] + fw;
                    offsets.push(phase * self.plane_len() + (qd * self.pitch[1] + qh) * self.pitch[2] + qw);
                }
            }
        }
        offsets
    }

    /// Fills one channel of the slab from one channel of the input; what lies outside is `fill`.
    pub(crate) fn load(&self, x: Floats<'_>, fill: f32, out: &mut [f32]) {
        let w = &self.window;
        let at = |d: usize, q: usize, phase: usize| {
            let i = (self.origin[d] + q) * w.stride[d] + phase;
            i.checked_sub(w.before[d]).filter(|&i| i < w.input[d])
        };
        let mut rows = out.chunks_exact_mut(self.pitch[2]);
        for fd in 0..self.phases[0] {
            for fh in 0..self.phases[1] {
                for fw in 0..self.phases[2] {
                    for qd in 0..self.pitch[0] {
                        for qh in 0..self.pitch[1] {
                            let Some(row) = rows.next() else { return };
                            match (at(0, qd, fd), at(1, qh, fh)) {
                                (Some(id), Some(ih)) => {
                                    self.load_row(x, (id * w.input[1] + ih) * w.input[2], fw, fill, row);
                                }
                                _ => row.fill(fill),
                            }
                        }
                    }
                }
            }
        }
    }

    fn load_row(&self, x: Floats<'_>, start: usize, phase: usize, fill: f32, row: &mut [f32]) {
        let w = &self.window;
        let (stride, before, width) = (w.stride[2], w.before[2], w.input[2]);
        // Position q reads input (origin + q) * stride + phase - before.
        let base = self.origin[2] * stride + phase;
        let low = before.saturating_sub(base).div_ceil(stride).min(row.len());
        let high = (before + width).saturating_sub(base).div_ceil(stride).clamp(low, row.len());
        row[..low].fill(fill);
        row[high..].fill(fill);
        if low == high {
            return;
        }
        let from = start + base + low * stride - before;
        let row = &mut row[low..high];
        if stride == 1 {
            return x.read(from, row);
        }
        match x {
            Floats::F32(x) => every(&x[from..], stride, row),
            Floats::F16(x) => {
                // A whole stretch is expanded at once; the elements between are thrown away.
                let mut buffer = [0f32; 512];
                let each = buffer.len() / stride;
                if each == 0 {
                    row.iter_mut().zip(x[from..].iter().step_by(stride)).for_each(|(o, v)| *o = v.to_f32());
                    return;
                }
                for (i, row) in row.chunks_mut(each).enumerate() {
                    let from = from + i * each * stride;
                    let wide = &mut buffer[..(row.len() - 1) * stride + 1];
                    crate::float::expand(&x[from..from + wide.len()], wide);
                    every(wide, stride, row);
                }
            }
        }
    }

    /// Moves the real outputs among the given columns to the front of `line`, whose element `i` is column `column + i`.
    /// Gives the index of the first within the whole output channel, and their number: they are neighbours there.
    pub(crate) fn compact(&self, column: usize, columns: usize, line: &mut [f32]) -> (usize, usize) {
        let [_, h, w] = self.output;
        let (pitch_h, pitch_w) = (self.pitch[1], self.pitch[2]);
        let (mut at, end, mut kept, mut first) = (column, column + columns, 0, None);
        while at < end {
            let (row, ow) = (at / pitch_w, at % pitch_w);
            let (od, oh) = (row / pitch_h, row % pitch_h);
            if oh < h && ow < w {
                let n = (w - ow).min(end - at);
                let from = at - column;
                if from != kept {
                    line.copy_within(from..from + n, kept);
                }
                kept += n;
                first.get_or_insert_with(|| {
                    let d = (od + self.origin[0]) * self.window.output[1];
                    (d + oh + self.origin[1]) * self.window.output[2] + ow + self.origin[2]
                });
            }
            at = (row + 1) * pitch_w;
        }
        (first.unwrap_or(0), kept)
    }
}

/// `out[i] = x[i * stride]`.
fn every(x: &[f32], stride: usize, out: &mut [f32]) {
    match stride {
        2 => evens(x, out),
        _ => out.iter_mut().zip(x.iter().step_by(stride)).for_each(|(o, v)| *o = *v),
    }
}

simd! {
    /// `out[i] = x[2 i]`, as shuffles of whole vectors.
    fn evens(x: &[f32], out: &mut [f32]) {
        let n = out.len().min(x.len() / 2);
        let (x2, rest) = x.as_chunks::<2>();
        let (whole, last) = out.split_at_mut(n);
        for i in 0..n {
            whole[i] = x2[i][0];
        }
        if let ([o, ..], [v]) = (last, rest) {
            *o = *v;
        }
    }
}
