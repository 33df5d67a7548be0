//! The loop around the micro-kernel: which rows and panels are worked on, by whom, and where the result goes.
//!
//! The inner dimension of a panel is packed whole. Then for each strip of a few rows: stage the rows [`KC`] at a time,
//! run the micro-kernel over every panel of the tile, and hand the finished strip to the sink. Two schedules:
//! when all panels fit in the second-level cache they are packed once and the strips are shared between threads;
//! otherwise each thread takes tiles of panels and runs all strips over them.

use super::micro::{A_STRIDE, KC, Kernels, MAX_ROWS};
use super::pack::{Columns, Panels, Rows};
use crate::pool::Pool;
use crate::view::{SharedMut, take_scratch};

/// Receives finished strips.
pub(crate) trait Sink: Sync {
    /// `tile` holds rows `row..row + rows` and columns `column..column + columns` at stride `stride`; the sink may
    /// change it. Strips are disjoint, and come from several threads.
    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize);
}

/// Bytes of packed panels that stay in a core's second-level cache beside the rest.
const CACHE: usize = 1 << 20;
/// Rows grouped before the sink is called, so that a transposing sink writes whole cache lines.
const GROUP: usize = 4;

/// The shape of a product and the schedule chosen for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    rows: usize,
    columns: usize,
    k: usize,
    /// Columns of a tile; all of them when the panels are shared.
    tile: usize,
    shared: bool,
}

impl Plan {
    pub(crate) fn new(rows: usize, columns: usize, k: usize, threads: usize) -> Plan {
        let kernels = super::micro::kernels();
        let panels = Panels::new(kernels, columns);
        let bytes = panels.padded() * k * 4;
        let shared = bytes <= CACHE + CACHE / 2 || panels.count() < threads;
        let mut tile = columns;
        if !shared {
            let fit = (CACHE / 4 / k.max(1) / kernels.wide).max(1);
            // An even share for every thread, in panels.
            let rounds = panels.count().div_ceil(fit * threads);
            tile = panels.count().div_ceil(rounds * threads) * kernels.wide;
        }
        Plan { rows, columns, k, tile, shared }
    }

    fn panel_elements(&self) -> usize {
        let kernels = super::micro::kernels();
        (Panels::new(kernels, self.tile.min(self.columns)).padded() * self.k).next_multiple_of(16)
    }

    fn strip_elements(&self) -> usize {
        let kernels = super::micro::kernels();
        let stride = Panels::new(kernels, self.tile.min(self.columns)).padded();
        (MAX_ROWS * A_STRIDE + GROUP * kernels.rows * stride).next_multiple_of(16)
    }

    /// Scratch for `threads` threads.
    pub(crate) fn scratch_bytes(&self, threads: usize) -> usize {
        let (panels, strip) = (self.panel_elements() * 4, self.strip_elements() * 4);
        if self.shared { panels + threads * (strip + 64) } else { threads * (panels + strip + 64) }
    }

    /// Computes the product.
    pub(crate) fn run(
        &self,
        rows: &Rows<'_>,
        columns: &impl Columns,
        sink: &impl Sink,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let kernels = super::micro::kernels();
        if self.shared {
            self.run_shared(kernels, rows, columns, sink, scratch, pool);
        } else {
            self.run_tiled(kernels, rows, columns, sink, scratch, pool);
        }
    }

    /// Scratch that [`Plan::run_packed`] needs.
    pub(crate) fn strip_bytes(&self, columns: usize) -> usize {
        let kernels = super::micro::kernels();
        let stride = Panels::new(kernels, columns).padded();
        (MAX_ROWS * A_STRIDE + GROUP * kernels.rows * stride) * 4 + 128
    }

    /// The first `rows` rows against panels the caller has packed, on this thread.
    pub(crate) fn run_packed(
        &self,
        count: usize,
        rows: &Rows<'_>,
        packed: &[f32],
        sink: &impl Sink,
        scratch: &mut [u8],
    ) {
        let kernels = super::micro::kernels();
        let panels = Panels::new(kernels, self.columns);
        self.strips(kernels, rows, 0..count, packed, panels, 0, sink, scratch);
    }

    fn run_shared(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        columns: &impl Columns,
        sink: &impl Sink,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let panels = Panels::new(kernels, self.columns);
        let (packed, rest) = take_scratch::<f32>(scratch, self.panel_elements());
        let shared = SharedMut::new(packed);
        let per_panel = self.k * kernels.wide;
        pool.for_ranges(panels.count(), (32 * 1024 / per_panel.max(1)).max(1), |range| {
            for p in range {
                let (first, lanes) = panels.at(p);
                // SAFETY: panel `p` belongs to this range alone.
                let out = unsafe { shared.slice(first * self.k..(first + lanes) * self.k) };
                columns.pack(first, lanes.min(self.columns - first), lanes, out);
            }
        });
        // SAFETY: the packing is over, nothing writes until the next call.
        let packed: &[f32] = unsafe { shared.slice(0..panels.padded() * self.k) };
        let group = GROUP * kernels.rows;
        let groups = self.rows.div_ceil(group);
        let work = group * self.k * self.columns;
        pool.for_ranges_scratch(groups, (200_000 / work.max(1)).max(1), rest, |range, scratch| {
            let to = (range.end * group).min(self.rows);
            self.strips(kernels, rows, range.start * group..to, packed, panels, 0, sink, scratch);
        });
    }

    fn run_tiled(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        columns: &impl Columns,
        sink: &impl Sink,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        pool.for_ranges_scratch(self.columns.div_ceil(self.tile), 1, scratch, |range, scratch| {
            let (packed, rest) = take_scratch::<f32>(scratch, self.panel_elements());
            for t in range {
                let start = t * self.tile;
                let panels = Panels::new(kernels, self.tile.min(self.columns - start));
                for p in 0..panels.count() {
                    let (first, lanes) = panels.at(p);
                    let out = &mut packed[first * self.k..(first + lanes) * self.k];
                    columns.pack(start + first, lanes.min(panels.n - first), lanes, out);
                }
                self.strips(kernels, rows, 0..self.rows, packed, panels, start, sink, rest);
            }
        });
    }

    /// All strips of `range` against one tile of packed panels whose first column is `column`.
    fn strips(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        range: std::ops::Range<usize>,
        packed: &[f32],
        panels: Panels,
        column: usize,
        sink: &impl Sink,
        scratch: &mut [u8],
    ) {
        let stride = panels.padded();
        let (staged, rest) = take_scratch::<f32>(scratch, MAX_ROWS * A_STRIDE);
        let (tile, _) = take_scratch::<f32>(rest, GROUP * kernels.rows * stride);
        if self.k == 0 {
            tile.fill(0.0);
        }
        let mut row = range.start;
        while row < range.end {
            // The rows that are left are spread evenly over the strips of this group.
            let group = (range.end - row).min(GROUP * kernels.rows);
            let strips = group.div_ceil(kernels.rows);
            let mut done = 0;
            for s in 0..strips {
                let count = (group - done).div_ceil(strips - s);
                let out = &mut tile[done * stride..(done + count) * stride];
                for k in (0..self.k).step_by(KC) {
                    let len = KC.min(self.k - k);
                    rows.stage(row + done, count, k, len, staged);
                    for p in 0..panels.count() {
                        let (first, lanes) = panels.at(p);
                        let table =
                            if lanes == kernels.wide { kernels.wide_kernels } else { kernels.narrow_kernels };
                        let panel = &packed[first * self.k + k * lanes..][..len * lanes];
                        let c = &mut out[first..(count - 1) * stride + first + lanes];
                        // SAFETY: `staged` has `count` rows of `len`, `panel` has `len` lines of `lanes`, `c` has
                        // `count` rows of `lanes` at `stride`, and the table is of a level that is present.
                        unsafe {
                            table[count - 1](
                                len,
                                staged.as_ptr(),
                                panel.as_ptr(),
                                c.as_mut_ptr(),
                                stride,
                                k > 0,
                            )
                        };
                    }
                }
                done += count;
            }
            sink.store(row, group, column, panels.n, &mut tile[..group * stride], stride);
            row += group;
        }
    }
}
