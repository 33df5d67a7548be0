//! Convolution over one to three spatial dimensions: `x [n, c, spatial..]`, `weight [o, c / groups, kernel..]`.
//!
//! Three paths, chosen at plan time. A 1x1 is a matrix product on the image as it lies. A depthwise convolution adds up
//! taps along rows, or across channels when rows are short. Everything else copies a band of the image into a padded slab ([`crate::window`]) whose taps are the
//! columns of a matrix product; no im2col buffer of the whole image ever exists. Weights are read in place.

mod depthwise;
mod lanes;
mod transposed;

pub use transposed::ConvTranspose;

use crate::epilogue::{Epilogue, Finish, Segment};
use crate::gemm::engine::{Plan, Sink};
use crate::gemm::pack::{MatrixColumns, Rows};
use crate::gemm::sink::Direct;
use crate::pool::Pool;
use crate::view::{Floats, FloatsMut, SharedFloats, take_scratch};
use crate::window::{Slab, Window, WindowSpec};

/// What is convolved.
#[derive(Clone, Copy, Debug)]
pub struct ConvSpec<'a> {
    /// Batch.
    pub n: usize,
    /// Input channels.
    pub channels: usize,
    /// Output channels.
    pub filters: usize,
    /// Groups; divides both.
    pub groups: usize,
    /// The window; `ceil` is false for a convolution.
    pub window: WindowSpec<'a>,
}

/// A convolution planned for known shapes.
#[derive(Clone, Debug)]
pub struct Conv {
    n: usize,
    groups: usize,
    /// Channels and filters of one group.
    channels: usize,
    filters: usize,
    window: Window,
    path: Path,
}

#[derive(Clone, Debug)]
enum Path {
    Pointwise(Plan),
    Depthwise(Box<depthwise::Depthwise>),
    Lanes(lanes::Lanes),
    Slab(SlabPath),
}

/// The general path.
#[derive(Clone, Debug)]
struct SlabPath {
    /// Outputs of a band along the band axis.
    band: usize,
    bands: usize,
    /// For a full band and for the last one.
    plans: [Plan; 2],
    offsets: [Vec<usize>; 2],
    /// Bands (of all images and groups) are spread over the threads; otherwise each is worked on by all.
    outer: bool,
}

/// Bytes of a slab that is prepared at once.
const SLAB: usize = 1 << 20;

impl Conv {
    /// `None` when the geometry is impossible (see [`Window::new`]) or groups do not divide the channels.
    pub fn new(spec: &ConvSpec<'_>, threads: usize) -> Option<Conv> {
        let window = Window::new(&spec.window)?;
        let groups = spec.groups;
        if groups == 0 || !spec.channels.is_multiple_of(groups) || !spec.filters.is_multiple_of(groups) {
            return None;
        }
        let (channels, filters) = (spec.channels / groups, spec.filters / groups);
        let path = if window.is_identity() {
            Path::Pointwise(Plan::new(filters, window.output_len(), channels, threads))
        } else if let Some(lanes) = lanes::Lanes::new(window).filter(|_| channels == 1 && filters == 1) {
            Path::Lanes(lanes)
        } else if channels == 1 && filters <= 4 {
            Path::Depthwise(Box::new(depthwise::Depthwise::new(window)))
        } else {
            Path::Slab(SlabPath::new(&window, spec.n * groups, channels, filters, threads))
        };
        Some(Conv { n: spec.n, groups, channels, filters, window, path })
    }

    /// Spatial sizes of the output, `[n, filters, output..]`.
    pub fn output(&self) -> &[usize] {
        self.window.output()
    }

    /// Scratch that [`Conv::run`] needs.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        match &self.path {
            Path::Pointwise(plan) => plan.scratch_bytes(threads),
            Path::Depthwise(d) => d.scratch_bytes(threads),
            Path::Lanes(l) => l.scratch_bytes(threads),
            Path::Slab(s) => s.scratch_bytes(&self.window, self.channels, threads),
        }
    }

    /// `out = epilogue(conv(x, weight))`. For the epilogue rows are output channels (a bias lies [`Along::Row`]),
    /// columns are output positions, and operands of the same shape are whole `[n, filters, output..]` tensors.
    ///
    /// [`Along::Row`]: crate::Along::Row
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
        let (ilen, olen) = (self.window.input_len(), self.window.output_len());
        let (c, o, k) = (self.channels, self.filters, self.channels * self.window.taps());
        assert_eq!(x.len(), self.n * self.groups * c * ilen, "the input's size");
        assert_eq!(weight.len(), self.groups * o * k, "the weight's size");
        assert_eq!(out.len(), self.n * self.groups * o * olen, "the output's size");
        if out.is_empty() {
            return;
        }
        let out = out.shared();
        let finish = Finish { steps: epilogue, operands, width: olen };
        let image = |i: usize| {
            let g = i % self.groups;
            let x = x.slice(i * c * ilen..(i + 1) * c * ilen);
            let rows = Rows { data: weight.slice(g * o * k..(g + 1) * o * k), row_stride: k, k_stride: 1 };
            let place =
                Place { out, finish, base: i / self.groups * self.groups * o * olen, first_row: g * o };
            (x, rows, place)
        };
        match &self.path {
            Path::Pointwise(plan) => (0..self.n * self.groups).for_each(|i| {
                let (x, rows, p) = image(i);
                let columns = MatrixColumns { data: x, k_stride: ilen, column_stride: 1 };
                let sink = Direct { out, finish, base: p.base, first_row: p.first_row };
                plan.run(&rows, &columns, &sink, scratch, pool);
            }),
            Path::Lanes(l) => l.run([self.n, self.groups], x, weight, out, finish, scratch, pool),
            Path::Depthwise(d) => {
                d.run(self.n * self.groups, o, self.groups, x, weight, out, finish, scratch, pool)
            }
            Path::Slab(s) if s.outer => {
                let inline = Pool::inline();
                pool.for_ranges_scratch(self.n * self.groups * s.bands, 1, scratch, |range, scratch| {
                    for t in range {
                        let (x, rows, place) = image(t / s.bands);
                        s.band(t % s.bands, &self.window, c, x, &rows, place, scratch, &inline);
                    }
                });
            }
            Path::Slab(s) => (0..self.n * self.groups * s.bands).for_each(|t| {
                let (x, rows, place) = image(t / s.bands);
                s.band(t % s.bands, &self.window, c, x, &rows, place, scratch, pool);
            }),
        }
    }
}

/// Where one group of one image is written.
#[derive(Clone, Copy)]
struct Place<'a> {
    out: SharedFloats<'a>,
    finish: Finish<'a>,
    base: usize,
    first_row: usize,
}

impl SlabPath {
    fn new(window: &Window, images: usize, channels: usize, filters: usize, threads: usize) -> SlabPath {
        let total = window.output[window.band_axis()].max(1);
        let bytes = |count: usize| window.slab(0, count).channel_len() * channels * 4;
        let mut band = total;
        if bytes(total) > SLAB {
            // The largest band whose slab fits, evened out so that every thread gets as many.
            let each = bytes(2).saturating_sub(bytes(1)).max(1);
            let fit = (SLAB.saturating_sub(bytes(1)) / each + 1).clamp(1, total);
            let bands = total.div_ceil(fit).next_multiple_of(threads);
            band = total.div_ceil(bands).max(1);
        }
        let bands = total.div_ceil(band);
        let outer = images * bands >= threads && images * bands > 1;
        let last = total - (bands - 1) * band;
        let inner = if outer { 1 } else { threads };
        let taps = window.taps();
        let plan = |count| Plan::new(filters, window.slab(0, count).columns(), channels * taps, inner);
        let offsets = |count| {
            let slab = window.slab(0, count);
            let taps = slab.tap_offsets();
            (0..channels).flat_map(|c| taps.iter().map(move |t| c * slab.channel_len() + t)).collect()
        };
        SlabPath {
            band,
            bands,
            plans: [plan(band), plan(last)],
            offsets: [offsets(band), offsets(last)],
            outer,
        }
    }

    fn scratch_bytes(&self, window: &Window, channels: usize, threads: usize) -> usize {
        let slab = ((window.slab(0, self.band).channel_len() * channels + SLACK) * 4).next_multiple_of(64);
        let inner = if self.outer { 1 } else { threads };
        let plan = self.plans[0].slab_scratch_bytes(inner);
        let one = (slab + plan).next_multiple_of(64);
        if self.outer { one * threads } else { one }
    }

    fn band(
        &self,
        index: usize,
        window: &Window,
        channels: usize,
        x: Floats<'_>,
        rows: &Rows<'_>,
        place: Place<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let first = index * self.band;
        let total = window.output[window.band_axis()];
        let slab = window.slab(first, self.band.min(total - first));
        let which = usize::from(index + 1 == self.bands);
        let (len, ilen) = (slab.channel_len(), window.input_len());
        let (data, rest) = take_scratch::<f32>(scratch, len * channels + SLACK);
        pool.for_pieces(&mut data[..len * channels], len, (32 * 1024 / len.max(1)).max(1), |c, out| {
            slab.load(x.slice(c * ilen..(c + 1) * ilen), 0.0, out);
        });
        data[len * channels..].fill(0.0);
        let sink = SlabSink { slab, place };
        self.plans[which].run_slab(rows, data, &self.offsets[which], &sink, rest, pool);
    }
}

/// Elements a slab goes on for, since panels read past its last column.
pub(crate) const SLACK: usize = 32;

/// Stores the real outputs among a strip's columns.
struct SlabSink<'a> {
    slab: Slab,
    place: Place<'a>,
}

impl Sink for SlabSink<'_> {
    const GROUP: usize = 1;

    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize) {
        let Place { out, finish, base, first_row } = self.place;
        for (r, line) in tile.chunks_mut(stride).take(rows).enumerate() {
            let row = first_row + row + r;
            let (index, n) = self.slab.compact(column, columns, line);
            let values = &mut line[..n];
            finish.apply(Segment { row, column: index, base }, values);
            // SAFETY: strips and bands are disjoint, hence these stretches of the output.
            unsafe { out.write(base + row * finish.width + index, values) };
        }
    }
}

#[cfg(test)]
mod tests;
