//! The loop around the micro-kernel: which rows and panels are worked on, by whom, and where the result goes.
//!
//! Work is cut into tasks of a few rows ("strip") against a tile of neighbouring panels: the strip's rows are staged
//! [`KC`] inner positions at a time, the micro-kernel runs over every panel of the tile, and the finished strip, still
//! in the first-level cache, goes to the sink. Panels come in one of three ways: packed once and shared by all threads
//! when they fit in the second-level cache; packed tile by tile, each thread its own; or read from a slab in place.

use super::micro::{A_STRIDE, KC, Kernels, Lines, MAX_ROWS};
use super::pack::{Columns, Panels, Rows};
use crate::pool::Pool;
use crate::view::{SharedMut, take_scratch};
use std::ops::Range;

/// Receives finished strips.
pub(crate) trait Sink: Sync {
    /// How many strips are handed over at once: more than one for a sink that transposes, so that it writes whole cache
    /// lines.
    const GROUP: usize;
    /// `tile` holds rows `row..row + rows` and columns `column..column + columns` at stride `stride`; the sink may
    /// change it. Strips are disjoint, and come from several threads.
    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize);
}

/// Bytes of packed panels that stay in a core's second-level cache beside the rest.
const CACHE: usize = 1 << 20;
/// Most panels of a tile: a strip of results stays in the first-level cache.
const TILE: usize = 16;
/// Largest [`Sink::GROUP`].
const MAX_GROUP: usize = 4;
/// Multiplications worth handing to another thread.
const GRAIN: usize = 200_000;

/// The shape of a product and the schedule chosen for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    rows: usize,
    columns: usize,
    k: usize,
    /// Columns that are packed together; all of them when the panels are shared.
    packed: usize,
    shared: bool,
}

/// The panels of a tile.
#[derive(Clone, Copy)]
enum Source<'a> {
    Packed(&'a [f32]),
    Slab(&'a [f32], &'a [usize]),
}

impl Plan {
    pub(crate) fn new(rows: usize, columns: usize, k: usize, threads: usize) -> Plan {
        let kernels = super::micro::kernels();
        let panels = Panels::new(kernels, columns);
        let bytes = panels.padded() * k * 4;
        let shared = bytes <= CACHE + CACHE / 2 || panels.count() < threads;
        let mut packed = columns;
        if !shared {
            let fit = (CACHE / 4 / k.max(1) / kernels.wide).max(1);
            // An even share for every thread, in panels.
            let rounds = panels.count().div_ceil(fit * threads);
            packed = panels.count().div_ceil(rounds * threads) * kernels.wide;
        }
        Plan { rows, columns, k, packed, shared }
    }

    fn packed_elements(&self) -> usize {
        let kernels = super::micro::kernels();
        (Panels::new(kernels, self.packed.min(self.columns)).padded() * self.k).next_multiple_of(16)
    }

    /// Scratch that one thread needs for its strip.
    pub(crate) fn strip_bytes() -> usize {
        let kernels = super::micro::kernels();
        (MAX_ROWS * A_STRIDE + MAX_GROUP * kernels.rows * TILE * kernels.wide) * 4 + 192
    }

    /// Scratch for `threads` threads.
    pub(crate) fn scratch_bytes(&self, threads: usize) -> usize {
        let (panels, strip) = (self.packed_elements() * 4, Plan::strip_bytes());
        if self.shared { panels + threads * strip } else { threads * (panels + strip) }
    }

    /// Computes the product, packing the columns.
    pub(crate) fn run<S: Sink>(
        &self,
        rows: &Rows<'_>,
        columns: &impl Columns,
        sink: &S,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let kernels = super::micro::kernels();
        if self.shared {
            let (packed, rest) = take_scratch::<f32>(scratch, self.packed_elements());
            let packed = self.pack_all(kernels, columns, packed, pool);
            self.grid(kernels, rows, Source::Packed(packed), sink, rest, pool);
            return;
        }
        pool.for_ranges_scratch(self.columns.div_ceil(self.packed), 1, scratch, |range, scratch| {
            let (packed, rest) = take_scratch::<f32>(scratch, self.packed_elements());
            for t in range {
                let start = t * self.packed;
                let panels = Panels::new(kernels, self.packed.min(self.columns - start));
                for p in 0..panels.count() {
                    let (first, lanes) = panels.at(p);
                    let out = &mut packed[first * self.k..(first + lanes) * self.k];
                    columns.pack(start + first, lanes.min(panels.n - first), lanes, out);
                }
                for first in (0..panels.count()).step_by(TILE) {
                    let tile =
                        Tile { panels, range: first..(first + TILE).min(panels.count()), column: start };
                    self.strips(kernels, rows, 0..self.rows, Source::Packed(packed), &tile, sink, rest);
                }
            }
        });
    }

    /// Computes the product of rows with columns that lie in a slab: column `j` at inner position `k` is
    /// `slab[offsets[k] + j]`. The slab goes on for a panel's width past the last element used.
    pub(crate) fn run_slab<S: Sink>(
        &self,
        rows: &Rows<'_>,
        slab: &[f32],
        offsets: &[usize],
        sink: &S,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let kernels = super::micro::kernels();
        let reach = Panels::new(kernels, self.columns).padded();
        let farthest = offsets.iter().max().map_or(0, |o| o + reach);
        assert!(offsets.len() == self.k && farthest <= slab.len(), "the slab is large enough");
        self.grid(kernels, rows, Source::Slab(slab, offsets), sink, scratch, pool);
    }

    /// Scratch of [`Plan::run_slab`].
    pub(crate) fn slab_scratch_bytes(&self, threads: usize) -> usize {
        threads * Plan::strip_bytes()
    }

    /// The first `count` rows against panels the caller has packed, on this thread.
    pub(crate) fn run_packed<S: Sink>(
        &self,
        count: usize,
        rows: &Rows<'_>,
        packed: &[f32],
        sink: &S,
        scratch: &mut [u8],
    ) {
        let kernels = super::micro::kernels();
        let panels = Panels::new(kernels, self.columns);
        for first in (0..panels.count()).step_by(TILE) {
            let tile = Tile { panels, range: first..(first + TILE).min(panels.count()), column: 0 };
            self.strips(kernels, rows, 0..count, Source::Packed(packed), &tile, sink, scratch);
        }
    }

    fn pack_all<'a>(
        &self,
        kernels: &Kernels,
        columns: &impl Columns,
        packed: &'a mut [f32],
        pool: &Pool,
    ) -> &'a [f32] {
        let panels = Panels::new(kernels, self.columns);
        let len = panels.padded() * self.k;
        let shared = SharedMut::new(packed);
        let grain = (32 * 1024 / (self.k * kernels.wide).max(1)).max(1);
        pool.for_ranges(panels.count(), grain, |range| {
            for p in range {
                let (first, lanes) = panels.at(p);
                // SAFETY: panel `p` belongs to this range alone.
                let out = unsafe { shared.slice(first * self.k..(first + lanes) * self.k) };
                columns.pack(first, lanes.min(self.columns - first), lanes, out);
            }
        });
        // SAFETY: the packing is over, and nothing writes to the panels any more.
        unsafe { shared.slice(0..len) }
    }

    /// Tiles of panels by groups of strips, shared out between the threads; neighbouring tasks share a tile.
    fn grid<S: Sink>(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        source: Source<'_>,
        sink: &S,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let panels = Panels::new(kernels, self.columns);
        let tiles = panels.count().div_ceil(TILE);
        let group = S::GROUP * kernels.rows;
        let groups = self.rows.div_ceil(group);
        let work = group * self.k * self.columns.min(TILE * kernels.wide);
        pool.for_ranges_scratch(tiles * groups, (GRAIN / work.max(1)).max(1), scratch, |range, scratch| {
            let mut task = range.start;
            while task < range.end {
                // All groups of this range that share a tile.
                let (t, g) = (task / groups, task % groups);
                let end = groups.min(g + range.end - task);
                let tile = Tile { panels, range: t * TILE..((t + 1) * TILE).min(panels.count()), column: 0 };
                self.strips(
                    kernels,
                    rows,
                    g * group..(end * group).min(self.rows),
                    source,
                    &tile,
                    sink,
                    scratch,
                );
                task += end - g;
            }
        });
    }

    /// All strips of `range` against one tile.
    fn strips<S: Sink>(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        range: Range<usize>,
        source: Source<'_>,
        tile: &Tile,
        sink: &S,
        scratch: &mut [u8],
    ) {
        let (start, width, stride) = tile.extent();
        let (staged, rest) = take_scratch::<f32>(scratch, MAX_ROWS * A_STRIDE);
        let (out, _) = take_scratch::<f32>(rest, S::GROUP * kernels.rows * stride);
        if self.k == 0 {
            out.fill(0.0);
        }
        let mut row = range.start;
        while row < range.end {
            // The rows that are left are spread evenly over the strips of this group.
            let group = (range.end - row).min(S::GROUP * kernels.rows);
            let strips = group.div_ceil(kernels.rows);
            let mut done = 0;
            for s in 0..strips {
                let count = (group - done).div_ceil(strips - s);
                let strip = &mut out[done * stride..(done + count) * stride];
                self.strip(kernels, rows, row + done, count, range.end, source, tile, staged, strip);
                done += count;
            }
            sink.store(row, group, tile.column + start, width, &mut out[..group * stride], stride);
            row += group;
        }
    }

    /// One strip of `count` rows, before the rows that end at `last`.
    fn strip(
        &self,
        kernels: &Kernels,
        rows: &Rows<'_>,
        row: usize,
        count: usize,
        last: usize,
        source: Source<'_>,
        tile: &Tile,
        staged: &mut [f32],
        out: &mut [f32],
    ) {
        let (start, _, stride) = tile.extent();
        let panels = tile.range.len();
        for k in (0..self.k).step_by(KC) {
            let len = KC.min(self.k - k);
            rows.stage(row, count, k, len, staged);
            // What is staged next: further along these rows, or the rows below.
            let (next, ahead) = if k + KC < self.k { (row, k + KC) } else { (row + count, 0) };
            let (below, depth) = (kernels.rows.min(last.saturating_sub(next)), KC.min(self.k - ahead));
            for (i, p) in tile.range.clone().enumerate() {
                rows.prefetch(next, below, ahead, depth, i, panels);
                let (first, lanes) = tile.panels.at(p);
                let table = if lanes == kernels.wide { kernels.wide_kernels } else { kernels.narrow_kernels };
                let at = first - start;
                let c = &mut out[at..(count - 1) * stride + at + lanes];
                let lines = match source {
                    Source::Packed(packed) => {
                        Lines::Packed(packed[first * self.k + k * lanes..][..len * lanes].as_ptr())
                    }
                    Source::Slab(slab, offsets) => {
                        Lines::Scattered(slab[first..].as_ptr(), offsets[k..k + len].as_ptr())
                    }
                };
                // SAFETY: `staged` has `count` rows of `len`; the lines are `len` of `lanes` elements, in the slab by
                // the check in `run_slab`; `c` has `count` rows of `lanes` at `stride`; the table's level is present.
                unsafe { table[count - 1](len, staged.as_ptr(), lines, c.as_mut_ptr(), stride, k > 0) };
            }
        }
    }
}

/// Some neighbouring panels out of all.
struct Tile {
    panels: Panels,
    range: Range<usize>,
    /// Of the product, where the panels' first column lies.
    column: usize,
}

impl Tile {
    /// First column among the panels, columns, and columns with padding.
    fn extent(&self) -> (usize, usize, usize) {
        let (start, _) = self.panels.at(self.range.start);
        let (last, lanes) = self.panels.at(self.range.end - 1);
        (start, (last + lanes).min(self.panels.n) - start, last + lanes - start)
    }
}
