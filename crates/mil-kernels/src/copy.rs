//! Moving elements unchanged: permute, slice, concat, pad, tile, flip, gather.
//!
//! [`StridedCopy`] covers whatever is a loop nest on both sides; elements are moved by their size, so one instance
//! serves every dtype of that size.

use crate::pool::Pool;
use crate::strided::{Loops, row_major};
use crate::unary::GRAIN;
use crate::view::SharedMut;
use bytemuck::Pod;
use std::ops::Range;

/// A planned copy between two strided walks of one shape.
#[derive(Clone, Debug)]
pub struct StridedCopy {
    kind: Kind,
    from: usize,
    to: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Row by row.
    Rows(Loops<2>),
    /// The source is contiguous along one dimension, the destination along another: a batch of plane transposes
    /// of `rows` (source-contiguous) by `columns` (destination-contiguous).
    Planes { outer: Loops<2>, rows: usize, row_out: usize, columns: usize, column_in: usize },
}

impl StridedCopy {
    /// Copies `shape` elements from offset `from` with strides `source` to offset `to` with strides `target`
    /// (elements, outermost first).
    pub fn new(shape: &[usize], from: usize, source: &[usize], to: usize, target: &[usize]) -> StridedCopy {
        let d_in = (0..shape.len()).rev().find(|&d| source[d] == 1 && shape[d] > 1);
        let d_out = (0..shape.len()).rev().find(|&d| target[d] == 1 && shape[d] > 1);
        let kind = match (d_in, d_out) {
            (Some(i), Some(o)) if i != o && shape[i] >= 4 && shape[o] >= 4 => {
                let mut outer = shape.to_vec();
                (outer[i], outer[o]) = (1, 1);
                Kind::Planes {
                    outer: Loops::new(&outer, [source, target]),
                    rows: shape[i],
                    row_out: target[i],
                    columns: shape[o],
                    column_in: source[o],
                }
            }
            _ => Kind::Rows(Loops::new(shape, [source, target])),
        };
        StridedCopy { kind, from, to }
    }

    /// A transpose: output dimension `d` is input dimension `permutation[d]`.
    pub fn permute(shape: &[usize], permutation: &[usize]) -> StridedCopy {
        let strides = row_major(shape);
        let out: Vec<usize> = permutation.iter().map(|&d| shape[d]).collect();
        let source: Vec<usize> = permutation.iter().map(|&d| strides[d]).collect();
        // Dimensions that stay neighbours are merged, so that planes are as large as they can be.
        let (mut sizes, mut steps): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (&size, &step) in out.iter().zip(&source).filter(|(size, _)| **size != 1) {
            match steps.last_mut() {
                Some(last) if *last == step * size => {
                    *last = step;
                    *sizes.last_mut().expect("as long as steps") *= size;
                }
                _ => {
                    sizes.push(size);
                    steps.push(step);
                }
            }
        }
        let target = row_major(&sizes);
        StridedCopy::new(&sizes, 0, &steps, 0, &target)
    }

    /// Places a dense tensor of `shape` into a larger one at `at`: concat, pad and scattered updates of a slice.
    pub fn place(shape: &[usize], into: &[usize], at: &[usize]) -> StridedCopy {
        let strides = row_major(into);
        let to = at.iter().zip(&strides).map(|(b, s)| b * s).sum();
        StridedCopy::new(shape, 0, &row_major(shape), to, &strides)
    }

    /// Performs the copy; elements of `out` outside the walk keep their value.
    pub fn run<T: Pod + Send + Sync>(&self, x: &[T], out: &mut [T], pool: &Pool) {
        let out = SharedMut::new(out);
        match &self.kind {
            Kind::Rows(loops) => self.rows(loops, x, out, pool),
            Kind::Planes { outer, rows, row_out, columns, column_in } => {
                let block = 32;
                let (bi, bo) = (rows.div_ceil(block), columns.div_ceil(block));
                let planes = outer.count();
                let grain = (GRAIN / (rows * columns).max(1)).max(1);
                // Parallel over plane and block of destination rows; both together cover each element once.
                pool.for_ranges(planes * bi, grain.max(GRAIN / (block * columns)).max(1), |range| {
                    let steps = outer.steps;
                    let (first, last) = (range.start / bi, range.end.div_ceil(bi));
                    let row = outer.row;
                    outer.for_rows(first / row..last.div_ceil(row), |r, [ox, oy]| {
                        for p in (r * row).max(first)..((r + 1) * row).min(last) {
                            let at_in = self.from + ox + (p - r * row) * steps[0];
                            let at_out = self.to + oy + (p - r * row) * steps[1];
                            for i in range.start.max(p * bi)..range.end.min((p + 1) * bi) {
                                let i0 = (i - p * bi) * block;
                                let span = i0..(i0 + block).min(*rows);
                                for o in 0..bo {
                                    let across = o * block..((o + 1) * block).min(*columns);
                                    tile(x, at_in, *column_in, span.clone(), across, &out, at_out, *row_out);
                                }
                            }
                        }
                    });
                });
            }
        }
    }

    fn rows<T: Pod + Send + Sync>(&self, loops: &Loops<2>, x: &[T], out: SharedMut<'_, T>, pool: &Pool) {
        let Loops { row, steps, .. } = *loops;
        if loops.count() == 0 {
            return;
        }
        pool.for_ranges(loops.rows(), (GRAIN / row).max(1), |range| {
            loops.for_rows(range, |_, [ox, oy]| {
                let (ox, oy) = (ox + self.from, oy + self.to);
                // SAFETY: walks of a destination do not meet themselves, and ranges of rows are disjoint.
                let line = unsafe { out.slice(oy..oy + (row - 1) * steps[1] + 1) };
                match steps {
                    [1, 1] => line.copy_from_slice(&x[ox..ox + row]),
                    [0, 1] => line.fill(x[ox]),
                    _ => (0..row).for_each(|i| line[i * steps[1]] = x[ox + i * steps[0]]),
                }
            });
        });
    }
}

/// `out[i * row_out + o] = x[o * column_in + i]` over one block.
fn tile<T: Pod>(
    x: &[T],
    at_in: usize,
    column_in: usize,
    span: Range<usize>,
    across: Range<usize>,
    out: &SharedMut<'_, T>,
    at_out: usize,
    row_out: usize,
) {
    if size_of::<T>() == 4 || size_of::<T>() == 2 {
        for i in span.clone().step_by(16) {
            for o in across.clone().step_by(16) {
                let (rows, columns) = (16.min(span.end - i), 16.min(across.end - o));
                let at = [at_in + o * column_in + i, at_out + i * row_out + o];
                // SAFETY: these elements of the destination belong to this block alone.
                unsafe { sixteen(x, at[0], column_in, rows, columns, out, at[1], row_out) };
            }
        }
        return;
    }
    for i in span {
        // SAFETY: these elements of the destination belong to this block alone.
        let line =
            unsafe { out.slice(at_out + i * row_out + across.start..at_out + i * row_out + across.end) };
        let mut at = at_in + across.start * column_in + i;
        for o in line {
            *o = x[at];
            at += column_in;
        }
    }
}

/// A block of at most 16 by 16 elements of two or four bytes, transposed in registers as the bits of `f32`.
///
/// # Safety
/// No other thread may touch these elements of `out` at the same time.
unsafe fn sixteen<T: Pod>(
    x: &[T],
    at_in: usize,
    column_in: usize,
    rows: usize,
    columns: usize,
    out: &SharedMut<'_, T>,
    at_out: usize,
    row_out: usize,
) {
    let mut block = [[0f32; 16]; 16];
    for (c, line) in block[..columns].iter_mut().enumerate() {
        let source = &x[at_in + c * column_in..][..rows];
        match bytemuck::try_cast_slice::<T, f32>(source) {
            Ok(source) if size_of::<T>() == 4 => line[..rows].copy_from_slice(source),
            _ => widen(bytemuck::cast_slice(source), line),
        }
    }
    crate::transpose::sixteen(&mut block);
    for (r, line) in block[..rows].iter().enumerate() {
        // SAFETY: the caller's promise.
        let target = unsafe { out.slice(at_out + r * row_out..at_out + r * row_out + columns) };
        match bytemuck::try_cast_slice_mut::<T, f32>(target) {
            Ok(target) if size_of::<T>() == 4 => target.copy_from_slice(&line[..columns]),
            _ => narrow(line, bytemuck::cast_slice_mut(target)),
        }
    }
}

fn widen(source: &[u16], line: &mut [f32; 16]) {
    match source.first_chunk::<16>() {
        Some(source) => *line = source.map(|v| f32::from_bits(u32::from(v))),
        None => line.iter_mut().zip(source).for_each(|(l, v)| *l = f32::from_bits(u32::from(*v))),
    }
}

fn narrow(line: &[f32; 16], target: &mut [u16]) {
    match target.first_chunk_mut::<16>() {
        Some(target) => *target = line.map(|v| v.to_bits() as u16),
        None => target.iter_mut().zip(line).for_each(|(t, v)| *t = v.to_bits() as u16),
    }
}

/// How `pad` fills the border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode<T> {
    /// With one value.
    Constant(T),
    /// Mirrored without repeating the edge.
    Reflect,
    /// With the edge.
    Replicate,
}

/// A planned pad: `before` and `after` per dimension.
#[derive(Clone, Debug)]
pub struct Pad {
    shape: Vec<usize>,
    before: Vec<usize>,
    out: Vec<usize>,
    place: StridedCopy,
}

impl Pad {
    /// Plans a pad of a dense tensor.
    pub fn new(shape: &[usize], before: &[usize], after: &[usize]) -> Pad {
        let out: Vec<usize> = (0..shape.len()).map(|d| before[d] + shape[d] + after[d]).collect();
        let place = StridedCopy::place(shape, &out, before);
        Pad { shape: shape.to_vec(), before: before.to_vec(), out, place }
    }

    /// The padded shape.
    pub fn out_shape(&self) -> &[usize] {
        &self.out
    }

    /// Fills `out`; reflection needs every side to be shorter than the dimension.
    pub fn run<T: Pod + Send + Sync>(&self, mode: PadMode<T>, x: &[T], out: &mut [T], pool: &Pool) {
        if let PadMode::Constant(value) = mode {
            out.fill(value);
            return self.place.run(x, out, pool);
        }
        let (rank, strides) = (self.shape.len(), row_major(&self.shape));
        let source = |d: usize, i: usize| {
            let (n, i) = (self.shape[d] as isize, i as isize - self.before[d] as isize);
            let at = match mode {
                PadMode::Reflect if i < 0 => -i,
                PadMode::Reflect if i >= n => 2 * (n - 1) - i,
                _ => i,
            };
            at.clamp(0, n - 1) as usize * strides[d]
        };
        let width = if rank == 0 { 1 } else { self.out[rank - 1] };
        pool.for_pieces(out, width, (GRAIN / width.max(1)).max(1), |row, line| {
            let (mut rest, mut base) = (row, 0);
            for d in (0..rank.saturating_sub(1)).rev() {
                base += source(d, rest % self.out[d]);
                rest /= self.out[d];
            }
            for (i, o) in line.iter_mut().enumerate() {
                *o = x[base + if rank == 0 { 0 } else { source(rank - 1, i) }];
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn offsets(shape: &[usize], strides: &[usize]) -> Vec<usize> {
        let mut all = vec![0];
        for (&n, &s) in shape.iter().zip(strides) {
            all = all.iter().flat_map(|&o| (0..n).map(move |i| o + i * s)).collect();
        }
        all
    }

    #[test]
    fn permutations_match_the_definition() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(7));
        let cases: &[(&[usize], &[usize])] = &[
            (&[], &[]),
            (&[7], &[0]),
            (&[65, 130], &[1, 0]),
            (&[2, 3, 40, 50], &[0, 2, 1, 3]),
            (&[2, 3, 40, 50], &[0, 1, 3, 2]),
            (&[2, 33, 4, 70], &[0, 2, 3, 1]),
            (&[2, 4, 70, 33], &[0, 3, 1, 2]),
            (&[3, 5, 7, 2, 6], &[4, 2, 0, 3, 1]),
            (&[1, 128, 12, 64], &[0, 2, 1, 3]),
            (&[5, 0, 4], &[2, 1, 0]),
            (&[300, 3], &[1, 0]),
        ];
        for &(shape, permutation) in cases {
            let n: usize = shape.iter().product();
            let x: Vec<u32> = (0..n).map(|_| random.next() as u32).collect();
            let mut out = vec![0; n];
            let plan = StridedCopy::permute(shape, permutation);
            plan.run(&x, &mut out, &pool);
            let strides = row_major(shape);
            let sizes: Vec<usize> = permutation.iter().map(|&d| shape[d]).collect();
            let source: Vec<usize> = permutation.iter().map(|&d| strides[d]).collect();
            let want: Vec<u32> = offsets(&sizes, &source).iter().map(|&o| x[o]).collect();
            assert_eq!(out, want, "{shape:?} {permutation:?}");
            let (x, mut out): (Vec<u16>, _) = (x.iter().map(|&v| v as u16).collect(), vec![0u16; n]);
            plan.run(&x, &mut out, &pool);
            assert!(out.iter().zip(&want).all(|(o, w)| *o == *w as u16), "{shape:?} {permutation:?}");
            let (x, mut out): (Vec<u8>, _) = (x.iter().map(|&v| v as u8).collect(), vec![0u8; n]);
            plan.run(&x, &mut out, &pool);
            assert!(out.iter().zip(&want).all(|(o, w)| *o == *w as u8), "{shape:?} {permutation:?}");
        }
    }

    #[test]
    fn slices_and_places_match_the_definition() {
        let pool = Pool::new(2).unwrap();
        let x: Vec<u16> = (0..6 * 70 * 9).collect();
        let mut out = vec![0; 2 * 35 * 4];
        // A slice that begins at [1, 0, 3] and steps by [3, 2, 1].
        StridedCopy::new(&[2, 35, 4], 633, &[3 * 630, 18, 1], 0, &[140, 4, 1]).run(&x, &mut out, &pool);
        let want: Vec<u16> = offsets(&[2, 35, 4], &[3 * 630, 18, 1]).iter().map(|o| x[o + 633]).collect();
        assert_eq!(out, want);
        let mut into = vec![0u16; 4 * 5];
        StridedCopy::place(&[2, 2], &[4, 5], &[1, 3]).run(&[1, 2, 3, 4], &mut into, &pool);
        assert_eq!(into[8..10], [1, 2]);
        assert_eq!(into[13..15], [3, 4]);
        assert_eq!(into.iter().sum::<u16>(), 10);
    }

    #[test]
    fn pads_fill_the_border() {
        let pool = Pool::inline();
        let x = [1, 2, 3, 4, 5, 6];
        let pad = Pad::new(&[2, 3], &[1, 2], &[0, 1]);
        let mut out = vec![0; 18];
        pad.run(PadMode::Constant(9), &x, &mut out, &pool);
        assert_eq!(out, [9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 4, 5, 6, 9]);
        pad.run(PadMode::Replicate, &x, &mut out, &pool);
        assert_eq!(out, [1, 1, 1, 2, 3, 3, 1, 1, 1, 2, 3, 3, 4, 4, 4, 5, 6, 6]);
        pad.run(PadMode::Reflect, &x, &mut out, &pool);
        assert_eq!(out, [6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5]);
    }
}
