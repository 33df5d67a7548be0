//! Weights that are mostly zero: a mask of one bit for each element, and the elements where it is set, in order.

use super::lookup::{Entry, PIECE, look_up};
use super::numbers::{BLOCK, Numbers};
use super::tiles::Tiles;
use crate::pool::Pool;
use crate::simd::simd;
use crate::view::{FloatsMut, SharedMut, take_scratch};

/// Shorter blocks would cost more to find than to expand.
const SHORTEST: usize = 16;

/// A mask as pieces of elements, with the number of set bits before each.
#[derive(Clone, Debug)]
struct Counted {
    tiles: Tiles,
    pieces: usize,
}

impl Counted {
    fn new(tiles: Tiles) -> Counted {
        let pieces = tiles.pieces(PIECE);
        Counted { tiles, pieces }
    }

    fn scratch_bytes(&self) -> usize {
        ((self.pieces + 1) * size_of::<usize>()).next_multiple_of(64)
    }

    /// Set bits before each piece, and of all at the end; nothing unless there are as many as `wanted`.
    fn count<'s>(&self, mask: &[u8], wanted: usize, scratch: &'s mut [u8]) -> Option<&'s [usize]> {
        let (before, _) = take_scratch::<usize>(scratch, self.pieces + 1);
        let mut sum = 0;
        for (number, before) in before.iter_mut().enumerate() {
            *before = sum;
            if number < self.pieces {
                let piece = self.tiles.piece(PIECE, number);
                sum += ones(mask, piece.start, piece.len);
            }
        }
        (sum == wanted).then_some(before)
    }
}

/// Bits that are set among `len` from `start` on.
fn ones(mask: &[u8], start: usize, len: usize) -> usize {
    if len == 0 {
        return 0;
    }
    let (first, last) = (start / 8, (start + len - 1) / 8);
    let low = 0xffu8 << (start % 8);
    let high = 0xffu8 >> (7 - (start + len - 1) % 8);
    if first == last {
        return (mask[first] & low & high).count_ones() as usize;
    }
    let ends = (mask[first] & low).count_ones() + (mask[last] & high).count_ones();
    ends as usize + ones_in(&mask[first + 1..last])
}

simd! {
fn ones_in(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let all: u64 = words.iter().map(|w| u64::from(u64::from_le_bytes(*w).count_ones())).sum();
    all as usize + rest.iter().map(|b| b.count_ones() as usize).sum::<usize>()
}
}

/// The elements that are not zero put in their places.
#[derive(Clone, Debug)]
pub struct Spread {
    counted: Counted,
    count: usize,
}

impl Spread {
    /// For a tensor of `count` elements.
    pub fn new(count: usize) -> Option<Spread> {
        Some(Spread { counted: Counted::new(Tiles::new(&[count], &[1])?), count })
    }

    /// Scratch that [`Spread::run`] needs.
    pub fn scratch_bytes(&self) -> usize {
        self.counted.scratch_bytes()
    }

    /// Fills `out`; false, and nothing done, unless the mask marks as many elements as there are.
    ///
    /// # Panics
    /// When `mask` or `out` is shorter than the tensor.
    pub fn run<T: Entry>(
        &self,
        mask: &[u8],
        nonzero: &[T],
        out: &mut [T],
        scratch: &mut [u8],
        pool: &Pool,
    ) -> bool {
        assert_eq!(out.len(), self.count, "the output's size");
        let Some(before) = self.counted.count(mask, nonzero.len(), scratch) else { return false };
        pool.for_pieces(out, PIECE, 1, |number, out| {
            let values = &nonzero[before[number]..before[number + 1]];
            T::spread(&mask[number * PIECE / 8..][..out.len().div_ceil(8)], values, out);
        });
        true
    }
}

/// The elements of a sparse tensor that are looked up in tables: see [`super::LookUp`].
#[derive(Clone, Debug)]
pub struct SparseLookUp {
    bits: usize,
    entries: usize,
    counted: Counted,
}

impl SparseLookUp {
    /// As [`super::LookUp::new`] for entries of one element; `None` also for blocks too short to be worth it.
    pub fn new(bits: usize, shape: &[usize], lut: &[usize]) -> Option<SparseLookUp> {
        let (counts, &[entries, 1]) = lut.split_at_checked(shape.len())? else { return None };
        let tiles = Tiles::new(shape, counts)?;
        let fits = matches!(bits, 1 | 2 | 3 | 4 | 6 | 8) && entries == 1 << bits && tiles.block >= SHORTEST;
        fits.then(|| SparseLookUp { bits, entries, counted: Counted::new(tiles) })
    }

    /// Scratch that [`SparseLookUp::run`] needs.
    pub fn scratch_bytes(&self) -> usize {
        self.counted.scratch_bytes()
    }

    /// What the packed indices of the marked elements stand for; false unless the mask marks as many as `out` has.
    ///
    /// # Panics
    /// When a slice is shorter than the shapes say.
    pub fn run<T: Entry>(
        &self,
        mask: &[u8],
        packed: &[u8],
        tables: &[T],
        out: &mut [T],
        scratch: &mut [u8],
        pool: &Pool,
    ) -> bool {
        let Some(before) = self.counted.count(mask, out.len(), scratch) else { return false };
        let out = SharedMut::new(out);
        let tiles = &self.counted.tiles;
        pool.for_ranges(self.counted.pieces, (PIECE / tiles.block).max(1), |range| {
            for number in range {
                let block = tiles.piece(PIECE, number).block;
                let table = &tables[block * self.entries..][..self.entries];
                let (start, end) = (before[number], before[number + 1]);
                // SAFETY: the counts grow, so each piece has a part of its own.
                look_up(self.bits, packed, start, table, unsafe { out.slice(start..end) });
            }
        });
        true
    }
}

/// The elements of a sparse tensor that have scales and offsets for blocks: see [`super::Scaled`].
#[derive(Clone, Debug)]
pub struct SparseScaled {
    counted: Counted,
}

impl SparseScaled {
    /// As [`super::Scaled::new`]; `None` also for blocks too short to be worth it.
    pub fn new(shape: &[usize], counts: &[usize]) -> Option<SparseScaled> {
        let tiles = Tiles::new(shape, counts)?;
        (tiles.block >= SHORTEST).then(|| SparseScaled { counted: Counted::new(tiles) })
    }

    /// Scratch that [`SparseScaled::run`] needs.
    pub fn scratch_bytes(&self) -> usize {
        self.counted.scratch_bytes()
    }

    /// `(data - offset) * scale` for the marked elements; false unless the mask marks as many as `out` has.
    ///
    /// # Panics
    /// When a slice is shorter than the shapes say.
    pub fn run(
        &self,
        mask: &[u8],
        [data, scale]: [Numbers<'_>; 2],
        offset: Option<Numbers<'_>>,
        out: FloatsMut<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) -> bool {
        let Some(before) = self.counted.count(mask, out.len(), scratch) else { return false };
        let (out, tiles) = (out.shared(), &self.counted.tiles);
        pool.for_ranges(self.counted.pieces, (PIECE / tiles.block).max(1), |range| {
            for number in range {
                let block = tiles.piece(PIECE, number).block;
                let one = |numbers: &Numbers<'_>| {
                    let mut value = [0f32];
                    numbers.read(block, &mut value);
                    value[0]
                };
                let (scale, offset) = (one(&scale), offset.as_ref().map_or(0.0, one));
                for first in (before[number]..before[number + 1]).step_by(BLOCK) {
                    let mut x = [0f32; BLOCK];
                    let x = &mut x[..BLOCK.min(before[number + 1] - first)];
                    data.read(first, x);
                    x.iter_mut().for_each(|x| *x = (*x - offset) * scale);
                    // SAFETY: the counts grow, so each piece has a part of its own.
                    unsafe { out.write(first, x) };
                }
            }
        });
        true
    }
}

/// The next values where a bit of the mask is set, zero elsewhere: one element at a time.
pub(super) fn spread_each<T: Entry>(mask: &[u8], values: &[T], out: &mut [T]) {
    let mut next = values.iter();
    for (byte, out) in mask.iter().zip(out.chunks_mut(8)) {
        if *byte == 0 {
            out.fill(T::default());
            continue;
        }
        for (i, o) in out.iter_mut().enumerate() {
            let set = byte >> i & 1 != 0;
            *o = if set { next.next().copied().unwrap_or_default() } else { T::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;
    use crate::view::Floats;
    use mil_base::{DType, f16};

    /// A mask of `count` bits of which about `share` in 256 are set, and the places of these.
    fn mask(random: &mut Random, count: usize, share: usize) -> (Vec<u8>, Vec<usize>) {
        let marked: Vec<usize> = (0..count).filter(|_| random.below(256) < share).collect();
        let mut mask = vec![0u8; count.div_ceil(8)];
        marked.iter().for_each(|i| mask[i / 8] |= 1 << (i % 8));
        (mask, marked)
    }

    #[test]
    fn elements_return_to_their_places() {
        fn check<T: Entry + PartialEq + std::fmt::Debug>(from: impl Fn(usize) -> T) {
            let (mut random, pool) = (Random::new(7), Pool::new(2).unwrap());
            for (count, share) in
                [(1, 256), (100, 64), (20003, 64), (20000, 256), (70001, 3), (0, 1), (8192, 128)]
            {
                let (mask, marked) = mask(&mut random, count, share);
                let values: Vec<T> = (0..marked.len()).map(|i| from(i + 1)).collect();
                let mut want = vec![T::default(); count];
                marked.iter().zip(&values).for_each(|(&i, &v)| want[i] = v);
                let plan = Spread::new(count).unwrap();
                let mut scratch = vec![0u64; plan.scratch_bytes() / 8];
                let scratch = bytemuck::cast_slice_mut(&mut scratch);
                let mut out = vec![from(9); count];
                assert!(plan.run(&mask, &values, &mut out, scratch, &pool));
                assert_eq!(out, want, "{count} {share}");
                let longer = [&values[..], &[from(1)]].concat();
                assert!(!plan.run(&mask, &longer, &mut out, scratch, &pool));
            }
        }
        check::<u8>(|i| i as u8);
        check::<u16>(|i| i as u16);
        check::<u32>(|i| i as u32);
    }

    #[test]
    fn marked_elements_are_looked_up_and_scaled_by_their_block() {
        let (mut random, pool) = (Random::new(11), Pool::new(2).unwrap());
        for (shape, counts) in [
            ([4, 600], [1, 1]),
            ([4, 600], [4, 1]),
            ([4, 600], [2, 25]),
            ([3, 9001], [1, 1]),
            ([3, 9001], [3, 1]),
        ] {
            let count = shape[0] * shape[1];
            let blocks = counts[0] * counts[1];
            let block = |i: usize| {
                i / shape[1] / (shape[0] / counts[0]) * counts[1] + i % shape[1] / (shape[1] / counts[1])
            };
            let (mask, marked) = mask(&mut random, count, 70);
            let packed: Vec<u8> = (0..marked.len()).map(|_| random.next() as u8).collect();
            let mut scratch = vec![0u64; 4096];
            let scratch = bytemuck::cast_slice_mut(&mut scratch);

            let tables: Vec<u16> = (0..blocks * 16).map(|_| random.next() as u16).collect();
            let plan = SparseLookUp::new(4, &shape, &[counts[0], counts[1], 16, 1]).unwrap();
            assert!(plan.scratch_bytes() <= scratch.len());
            let mut out = vec![0u16; marked.len()];
            assert!(plan.run(&mask, &packed, &tables, &mut out, scratch, &pool));
            let index = |k: usize| usize::from(packed[k / 2] >> (k % 2 * 4) & 15);
            let want: Vec<u16> =
                marked.iter().enumerate().map(|(k, &i)| tables[block(i) * 16 + index(k)]).collect();
            assert_eq!(out, want, "{shape:?} {counts:?}");
            assert!(!plan.run(&mask, &packed, &tables, &mut vec![0u16; marked.len() + 1], scratch, &pool));

            let scales = random.vec(blocks, 2.0);
            let offsets: Vec<u8> = (0..blocks).map(|_| random.next() as u8).collect();
            let plan = SparseScaled::new(&shape, &counts).unwrap();
            let numbers = |bytes| Numbers::new(DType::Int8, bytes).unwrap();
            let given = [numbers(&packed), Numbers::Floats(Floats::F32(&scales))];
            let mut out = vec![f16::ZERO; marked.len()];
            assert!(plan.run(
                &mask,
                given,
                Some(numbers(&offsets)),
                FloatsMut::F16(&mut out),
                scratch,
                &pool
            ));
            let one = |(k, &i): (usize, &usize)| {
                f16::from_f32(
                    (f32::from(packed[k] as i8) - f32::from(offsets[block(i)] as i8)) * scales[block(i)],
                )
            };
            assert_eq!(out, marked.iter().enumerate().map(one).collect::<Vec<_>>(), "{shape:?} {counts:?}");
        }
        assert!(SparseLookUp::new(4, &[4, 600], &[4, 600, 16, 1]).is_none());
        assert!(SparseScaled::new(&[4, 600], &[4, 600]).is_none());
    }
}
