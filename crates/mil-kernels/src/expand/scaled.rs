//! `(data - offset) * scale`, each block with its own scale and offset.

use super::lookup::PIECE;
use super::numbers::{BLOCK, Numbers, Runs};
use super::tiles::Tiles;
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{Floats, FloatsMut};

/// Blocks at least as long are gone through one by one; for shorter ones scales are spread out first.
const SHORTEST: usize = 16;

/// A tensor of quantised numbers with a scale, and maybe an offset, for each block.
#[derive(Clone, Debug)]
pub struct Scaled {
    tiles: Tiles,
    common_scale: bool,
    common_offset: bool,
}

impl Scaled {
    /// Data of sizes `shape` with `counts` blocks along each dimension; `None` unless they divide it.
    pub fn new(shape: &[usize], counts: &[usize]) -> Option<Scaled> {
        Some(Scaled { tiles: Tiles::new(shape, counts)?, common_scale: false, common_offset: false })
    }

    /// With one scale for all blocks.
    pub fn common_scale(mut self) -> Scaled {
        self.common_scale = true;
        self
    }

    /// With one offset for all blocks.
    pub fn common_offset(mut self) -> Scaled {
        self.common_offset = true;
        self
    }

    /// Computes in fp32 and rounds once if `out` is fp16.
    ///
    /// # Panics
    /// When a slice is shorter than the shapes say.
    pub fn run(
        &self,
        data: Numbers<'_>,
        scale: Floats<'_>,
        offset: Option<Numbers<'_>>,
        out: FloatsMut<'_>,
        pool: &Pool,
    ) {
        let tiles = &self.tiles;
        let per_row = tiles.width.div_ceil(PIECE);
        assert_eq!(out.len(), tiles.rows() * tiles.width, "the output's size");
        let out = out.shared();
        pool.for_ranges(tiles.rows() * per_row, (PIECE / tiles.width.max(1)).max(1), |range| {
            for i in range {
                let (row, first) = (i / per_row, i % per_row * PIECE);
                let end = tiles.width.min(first + PIECE);
                for at in (first..end).step_by(BLOCK) {
                    let (mut x, mut spread) = ([0f32; BLOCK], [0f32; BLOCK]);
                    let count = BLOCK.min(end - at);
                    let (x, spread) = (&mut x[..count], &mut spread[..count]);
                    if self.by_runs(row, at, &data, scale, offset.as_ref(), x) {
                        // SAFETY: piece `i` belongs to this range alone.
                        unsafe { out.write(row * tiles.width + at, x) };
                        continue;
                    }
                    data.read(row * tiles.width + at, x);
                    if let Some(offset) = &offset {
                        self.spread(row, at, spread, self.common_offset, &|start, out| {
                            offset.read(start, out)
                        });
                        subtract(x, spread);
                    }
                    self.spread(row, at, spread, self.common_scale, &|start, out| scale.read(start, out));
                    multiply(x, spread);
                    // SAFETY: piece `i` belongs to this range alone.
                    unsafe { out.write(row * tiles.width + at, x) };
                }
            }
        });
    }

    /// The elements of a row from `at` on, if they are integers in blocks long enough to go through one by one.
    fn by_runs(
        &self,
        row: usize,
        at: usize,
        data: &Numbers<'_>,
        scale: Floats<'_>,
        offset: Option<&Numbers<'_>>,
        out: &mut [f32],
    ) -> bool {
        let Tiles { block, width, .. } = self.tiles;
        if block < SHORTEST || out.is_empty() {
            return false;
        }
        let (first, last) = (at / block, (at + out.len() - 1) / block);
        let (base, count) = (self.tiles.first_block(row) + first, last - first + 1);
        let (mut offsets, mut scales) = ([0f32; BLOCK / SHORTEST + 2], [0f32; BLOCK / SHORTEST + 2]);
        let (offsets, scales) = (&mut offsets[..count], &mut scales[..count]);
        match self.common_scale {
            true => scales.fill(scale.get(0)),
            false => scale.read(base, scales),
        }
        if let Some(offset) = offset {
            match self.common_offset {
                true => {
                    offset.read(0, &mut offsets[..1]);
                    offsets.fill(offsets[0]);
                }
                false => offset.read(base, offsets),
            }
        }
        let runs = Runs { rest: block - at % block, block, offsets, scales };
        data.read_scaled(row * width + at, &runs, out)
    }

    /// What `read` gives for the block of each element of a row from `at` on, or for all if it is `common`.
    fn spread(&self, row: usize, at: usize, out: &mut [f32], common: bool, read: &dyn Fn(usize, &mut [f32])) {
        let mut values = [0f32; BLOCK];
        if common {
            read(0, &mut values[..1]);
            return out.fill(values[0]);
        }
        let Tiles { block, .. } = self.tiles;
        let first = at / block;
        let last = (at + out.len() - 1) / block;
        let base = self.tiles.first_block(row);
        if block == 1 {
            return read(base + first, out);
        }
        let values = &mut values[..=last - first];
        read(base + first, values);
        let (mut done, mut rest) = (0, block - at % block);
        for value in values {
            let end = out.len().min(done + rest);
            out[done..end].fill(*value);
            (done, rest) = (end, block);
        }
    }
}

simd! {
fn subtract(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x -= y;
    }
}
}

simd! {
fn multiply(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x *= y;
    }
}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;
    use mil_base::{DType, f16};

    #[test]
    fn blocks_of_every_form_give_what_the_definition_does() {
        let mut random = Random::new(5);
        let pool = Pool::new(2).unwrap();
        for (shape, counts) in [
            ([4, 6, 64], [1, 1, 1]),
            ([4, 6, 64], [4, 6, 2]),
            ([4, 6, 64], [2, 6, 64]),
            ([4, 6, 50], [2, 1, 5]),
            ([1, 3, 9000], [1, 3, 9]),
            ([2, 0, 3], [1, 1, 3]),
        ] {
            for dtype in [DType::Int4, DType::UInt4, DType::Int8, DType::UInt8] {
                let count: usize = shape.iter().product();
                let blocks: usize = counts.iter().product();
                let data: Vec<u8> = (0..count).map(|_| random.next() as u8).collect();
                let offsets: Vec<u8> = (0..blocks).map(|_| random.next() as u8).collect();
                let scales = random.vec(blocks, 2.0);
                let value = |bytes: &[u8], i: usize| match dtype {
                    DType::Int4 => f32::from((bytes[i / 2] << (4 - i % 2 * 4)) as i8 >> 4),
                    DType::UInt4 => f32::from(bytes[i / 2] >> (i % 2 * 4) & 15),
                    DType::Int8 => f32::from(bytes[i] as i8),
                    _ => f32::from(bytes[i]),
                };
                let want = |with: bool| -> Vec<f32> {
                    let one = |i: usize| {
                        let at = [i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]];
                        let block = (0..3).fold(0, |n, d| n * counts[d] + at[d] / (shape[d] / counts[d]));
                        (value(&data, i) - if with { value(&offsets, block) } else { 0.0 }) * scales[block]
                    };
                    (0..count).map(one).collect()
                };
                let plan = Scaled::new(&shape, &counts).unwrap();
                let numbers = |bytes| Numbers::new(dtype, bytes).unwrap();
                for offset in [None, Some(numbers(&offsets))] {
                    let mut out = vec![0f32; count];
                    let scale = Floats::F32(&scales);
                    plan.run(numbers(&data), scale, offset, FloatsMut::F32(&mut out), &pool);
                    assert_eq!(out, want(offset.is_some()), "{shape:?} {counts:?} {dtype}");
                    let mut half = vec![f16::ZERO; count];
                    plan.run(numbers(&data), scale, offset, FloatsMut::F16(&mut half), &pool);
                    let rounded: Vec<f16> = out.iter().map(|&v| f16::from_f32(v)).collect();
                    assert_eq!(half, rounded, "{shape:?} {counts:?} {dtype}");
                }
                let (one, same) = (Floats::F32(&[0.5]), vec![0.5; blocks]);
                let (mut common, mut each) = (vec![0f32; count], vec![0f32; count]);
                let (data, offset) = (numbers(&data), Some(numbers(&offsets)));
                plan.clone().common_scale().run(data, one, offset, FloatsMut::F32(&mut common), &pool);
                plan.run(data, Floats::F32(&same), offset, FloatsMut::F32(&mut each), &pool);
                assert_eq!(common, each, "{shape:?} {counts:?} {dtype}");
            }
        }
    }
}
