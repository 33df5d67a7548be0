//! Elements looked up in tables by small indices.

use super::numbers::{BLOCK, unpack};
use super::sparse::spread_each;
use super::tiles::Tiles;
use crate::pool::Pool;

/// Most entries of a table: an index has at most 8 bits.
const ENTRIES: usize = 256;

/// Elements that one thread expands before it looks for more work.
pub(super) const PIECE: usize = 8192;

/// What tables and sparse weights hold: elements moved as they are, by their size.
pub trait Entry: bytemuck::Pod + Send + Sync + Default {
    /// `out[i] = table[indices[i]]`; every index is below `table.len()`, which is at most 256.
    fn map(indices: &[u8], table: &[Self], out: &mut [Self]);

    /// The next of `values` where a bit of `mask` is set, zero elsewhere.
    fn spread(mask: &[u8], values: &[Self], out: &mut [Self]) {
        spread_each(mask, values, out);
    }
}

fn map_each<T: Entry>(indices: &[u8], table: &[T], out: &mut [T]) {
    // A table of all 256 entries needs no check of an index.
    let mut whole = [T::default(); ENTRIES];
    whole[..table.len()].copy_from_slice(table);
    for (i, o) in indices.iter().zip(out) {
        *o = whole[usize::from(*i)];
    }
}

impl Entry for u8 {
    fn map(indices: &[u8], table: &[u8], out: &mut [u8]) {
        map_each(indices, table, out);
    }
}

impl Entry for u16 {
    fn map(indices: &[u8], table: &[u16], out: &mut [u16]) {
        #[cfg(target_arch = "x86_64")]
        if table.len() <= 64 && crate::simd::isa() == crate::simd::Isa::Avx512 {
            let mut whole = [0; 64];
            whole[..table.len()].copy_from_slice(table);
            // SAFETY: the level is detected.
            return unsafe { x86::map_words(indices, &whole, out) };
        }
        map_each(indices, table, out);
    }

    fn spread(mask: &[u8], values: &[u16], out: &mut [u16]) {
        #[cfg(target_arch = "x86_64")]
        if crate::simd::isa() == crate::simd::Isa::Avx512 && is_x86_feature_detected!("avx512vbmi2") {
            // SAFETY: the level is detected.
            return unsafe { x86::spread_words(mask, values, out) };
        }
        spread_each(mask, values, out);
    }
}

impl Entry for u32 {
    fn map(indices: &[u8], table: &[u32], out: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if table.len() <= 32 && crate::simd::isa() == crate::simd::Isa::Avx512 {
            let mut whole = [0; 32];
            whole[..table.len()].copy_from_slice(table);
            // SAFETY: the level is detected.
            return unsafe { x86::map_doubles(indices, &whole, out) };
        }
        map_each(indices, table, out);
    }

    fn spread(mask: &[u8], values: &[u32], out: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if crate::simd::isa() == crate::simd::Isa::Avx512 {
            // SAFETY: the level is detected.
            return unsafe { x86::spread_doubles(mask, values, out) };
        }
        spread_each(mask, values, out);
    }
}

impl Entry for u64 {
    fn map(indices: &[u8], table: &[u64], out: &mut [u64]) {
        map_each(indices, table, out);
    }
}

/// Tables that lie in registers, and loads that skip what a mask leaves out.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::spread_each;
    use std::arch::x86_64::*;

    /// # Safety
    /// AVX-512 with VBMI2 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
    pub(super) unsafe fn spread_words(mask: &[u8], values: &[u16], out: &mut [u16]) {
        let words = mask[..out.len() / 8].as_chunks::<4>().0;
        let mut next = 0;
        for (word, out) in words.iter().zip(out.as_chunks_mut::<32>().0) {
            let bits = u32::from_le_bytes(*word);
            let count = bits.count_ones() as usize;
            let some = &values[next..next + count];
            // SAFETY: exactly the `count` elements of `some` are loaded, and 32 stored.
            unsafe {
                let all = _mm512_maskz_expandloadu_epi16(bits, some.as_ptr().cast());
                _mm512_storeu_si512(out.as_mut_ptr().cast(), all);
            }
            next += count;
        }
        let done = words.len() * 4;
        spread_each(&mask[done..], &values[next..], &mut out[done * 8..]);
    }

    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,popcnt")]
    pub(super) unsafe fn spread_doubles(mask: &[u8], values: &[u32], out: &mut [u32]) {
        let words = mask[..out.len() / 8].as_chunks::<2>().0;
        let mut next = 0;
        for (word, out) in words.iter().zip(out.as_chunks_mut::<16>().0) {
            let bits = u16::from_le_bytes(*word);
            let count = bits.count_ones() as usize;
            let some = &values[next..next + count];
            // SAFETY: exactly the `count` elements of `some` are loaded, and 16 stored.
            unsafe {
                let all = _mm512_maskz_expandloadu_epi32(bits, some.as_ptr().cast());
                _mm512_storeu_si512(out.as_mut_ptr().cast(), all);
            }
            next += count;
        }
        let done = words.len() * 2;
        spread_each(&mask[done..], &values[next..], &mut out[done * 8..]);
    }

    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn map_words(indices: &[u8], table: &[u16; 64], out: &mut [u16]) {
        let n = indices.len().min(out.len());
        let (from, to) = (indices.as_ptr(), out.as_mut_ptr());
        // SAFETY: the table has 64 entries; whole vectors lie within both slices, and the mask covers what is left.
        unsafe {
            let low = _mm512_loadu_si512(table.as_ptr().cast());
            let high = _mm512_loadu_si512(table.as_ptr().add(32).cast());
            let mut i = 0;
            while i + 32 <= n {
                let at = _mm512_cvtepu8_epi16(_mm256_loadu_si256(from.add(i).cast()));
                _mm512_storeu_si512(to.add(i).cast(), _mm512_permutex2var_epi16(low, at, high));
                i += 32;
            }
            if i < n {
                let m: __mmask32 = (1 << (n - i)) - 1;
                let at = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(m, from.add(i).cast()));
                _mm512_mask_storeu_epi16(to.add(i).cast(), m, _mm512_permutex2var_epi16(low, at, high));
            }
        }
    }

    /// # Safety
    /// AVX-512 must be present.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn map_doubles(indices: &[u8], table: &[u32; 32], out: &mut [u32]) {
        let n = indices.len().min(out.len());
        let (from, to) = (indices.as_ptr(), out.as_mut_ptr());
        // SAFETY: the table has 32 entries; whole vectors lie within both slices, and the mask covers what is left.
        unsafe {
            let low = _mm512_loadu_si512(table.as_ptr().cast());
            let high = _mm512_loadu_si512(table.as_ptr().add(16).cast());
            let mut i = 0;
            while i + 16 <= n {
                let at = _mm512_cvtepu8_epi32(_mm_loadu_si128(from.add(i).cast()));
                _mm512_storeu_si512(to.add(i).cast(), _mm512_permutex2var_epi32(low, at, high));
                i += 16;
            }
            if i < n {
                let m: __mmask16 = (1 << (n - i)) - 1;
                let at = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, from.add(i).cast()));
                _mm512_mask_storeu_epi32(to.add(i).cast(), m, _mm512_permutex2var_epi32(low, at, high));
            }
        }
    }
}

/// `out = table[indices[from..]]`, the indices packed.
pub(super) fn look_up<T: Entry>(bits: usize, packed: &[u8], from: usize, table: &[T], out: &mut [T]) {
    let mut buffer = [0u8; BLOCK];
    for (i, out) in out.chunks_mut(BLOCK).enumerate() {
        let buffer = &mut buffer[..out.len()];
        unpack(bits, packed, from + i * BLOCK, buffer);
        T::map(buffer, table, out);
    }
}

/// A tensor as indices into tables, each of which serves a block.
#[derive(Clone, Debug)]
pub struct LookUp {
    bits: usize,
    entries: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// Each index stands for one element.
    Single(Tiles),
    /// Each index stands for `length` elements that are `after` apart: neighbours when that is 1.
    Vectors { length: usize, after: usize, tiles: Tiles },
}

impl LookUp {
    /// Indices of `bits` bits and sizes `shape`; tables of sizes `lut`: how many along each dimension, the entries of each
    /// (all that an index can name), the length of an entry. Entries longer than one go along `axis`. `None` if these do not
    /// fit each other.
    pub fn new(bits: usize, shape: &[usize], lut: &[usize], axis: usize) -> Option<LookUp> {
        let (counts, &[entries, length]) = lut.split_at_checked(shape.len())? else { return None };
        if !matches!(bits, 1 | 2 | 3 | 4 | 6 | 8)
            || entries != 1 << bits
            || length == 0
            || axis >= shape.len()
        {
            return None;
        }
        let tiles = Tiles::new(shape, counts)?;
        let after = shape[axis + 1..].iter().product();
        let form = if length == 1 { Form::Single(tiles) } else { Form::Vectors { length, after, tiles } };
        Some(LookUp { bits, entries, form })
    }

    /// Expands `packed` into `out`, by tables one after another.
    ///
    /// # Panics
    /// When a slice is shorter than the shapes say.
    pub fn run<T: Entry>(&self, packed: &[u8], tables: &[T], out: &mut [T], pool: &Pool) {
        match &self.form {
            Form::Single(tiles) => {
                let per_row = tiles.width.div_ceil(PIECE);
                let rows = crate::view::SharedMut::new(out);
                let grain = (PIECE / tiles.width.max(1)).max(1);
                pool.for_ranges(tiles.rows() * per_row, grain, |range| {
                    for i in range {
                        let (row, first) = (i / per_row, i % per_row * PIECE);
                        let end = tiles.width.min(first + PIECE);
                        let start = row * tiles.width;
                        // SAFETY: piece `i` belongs to this range alone.
                        let out = unsafe { rows.slice(start + first..start + end) };
                        self.part(tiles, packed, tables, row, first, out);
                    }
                });
            }
            Form::Vectors { length, after, tiles } => {
                self.vectors([*length, *after], tiles, packed, tables, out, pool)
            }
        }
    }

    /// The elements of a row from `first` on.
    fn part<T: Entry>(
        &self,
        tiles: &Tiles,
        packed: &[u8],
        tables: &[T],
        row: usize,
        first: usize,
        out: &mut [T],
    ) {
        let (base, mut done) = (tiles.first_block(row), 0);
        while done < out.len() {
            let at = first + done;
            let len = (tiles.block - at % tiles.block).min(out.len() - done);
            let table = &tables[(base + at / tiles.block) * self.entries..][..self.entries];
            look_up(self.bits, packed, row * tiles.width + at, table, &mut out[done..done + len]);
            done += len;
        }
    }

    /// Indices in runs of `after`: each run gives `length` runs, one for each place of an entry.
    fn vectors<T: Entry>(
        &self,
        [length, after]: [usize; 2],
        tiles: &Tiles,
        packed: &[u8],
        tables: &[T],
        out: &mut [T],
        pool: &Pool,
    ) {
        let run = after.max(1);
        // Short runs are taken several at a time.
        let together = (BLOCK / run).max(1);
        let piece = run * together;
        pool.for_pieces(out, piece * length, (PIECE / (piece * length)).max(1), |number, out| {
            let mut buffer = [0u8; BLOCK];
            let runs = out.len() / (run * length);
            for first in (0..runs * run).step_by(BLOCK) {
                let count = BLOCK.min(runs * run - first);
                let start = number * piece + first;
                unpack(self.bits, packed, start, &mut buffer[..count]);
                let mut done = 0;
                while done < count {
                    // Indices of one run and one table.
                    let (row, at) = ((start + done) / tiles.width, (start + done) % tiles.width);
                    let (run_at, within) = ((first + done) / run, (first + done) % run);
                    let len = (tiles.block - at % tiles.block).min(run - within).min(count - done);
                    let block = tiles.first_block(row) + at / tiles.block;
                    let entries = &tables[block * self.entries * length..][..self.entries * length];
                    let indices = &buffer[done..done + len];
                    let out = &mut out[run_at * run * length + within..];
                    if len >= self.entries {
                        for (j, out) in out.chunks_mut(run).take(length).enumerate() {
                            let mut table = [T::default(); ENTRIES];
                            let places = entries.iter().skip(j).step_by(length);
                            table.iter_mut().zip(places).for_each(|(t, v)| *t = *v);
                            T::map(indices, &table[..self.entries], &mut out[..len]);
                        }
                    } else {
                        for (i, &index) in indices.iter().enumerate() {
                            let entry = &entries[usize::from(index) * length..][..length];
                            entry.iter().enumerate().for_each(|(j, v)| out[j * run + i] = *v);
                        }
                    }
                    done += len;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// The definition, element by element.
    fn plainly<T: Entry>(
        bits: usize,
        shape: [usize; 3],
        lut: [usize; 5],
        axis: usize,
        packed: &[u8],
        tables: &[T],
    ) -> Vec<T> {
        let length = lut[4];
        let mut wide = shape;
        wide[axis] *= length;
        let mut out = Vec::new();
        for i in 0..wide.iter().product() {
            let mut at = [i / (wide[1] * wide[2]), i / wide[2] % wide[1], i % wide[2]];
            let within = at[axis] % length;
            at[axis] /= length;
            let flat = (at[0] * shape[1] + at[1]) * shape[2] + at[2];
            let index: usize = (0..bits)
                .map(|b| usize::from(packed[(flat * bits + b) / 8] >> ((flat * bits + b) % 8) & 1) << b)
                .sum();
            let table = (0..3).fold(0, |n, d| n * lut[d] + at[d] / (shape[d] / lut[d]));
            out.push(tables[(table * lut[3] + index) * length + within]);
        }
        out
    }

    #[test]
    fn tables_of_every_form_give_what_the_definition_does() {
        let mut random = Random::new(3);
        let pool = Pool::new(2).unwrap();
        for bits in [1, 2, 3, 4, 6, 8] {
            for (shape, counts) in [
                ([4, 6, 50], [1, 1, 1]),
                ([4, 6, 50], [2, 1, 1]),
                ([4, 6, 50], [4, 3, 1]),
                ([4, 6, 50], [1, 2, 25]),
                ([1, 1, 20001], [1, 1, 3]),
                ([2, 3, 0], [1, 1, 1]),
            ] {
                for (length, axis) in [(1, 0), (2, 0), (4, 1), (3, 2)] {
                    let lut = [counts[0], counts[1], counts[2], 1 << bits, length];
                    let count: usize = shape.iter().product();
                    let packed: Vec<u8> =
                        (0..(count * bits).div_ceil(8)).map(|_| random.next() as u8).collect();
                    let tables: Vec<u32> = (0..lut.iter().product()).map(|_| random.next() as u32).collect();
                    let plan = LookUp::new(bits, &shape, &lut, axis).unwrap();
                    let what = format!("{bits} bits, {shape:?}, {lut:?}, axis {axis}");
                    let mut out = vec![0u32; count * length];
                    plan.run(&packed, &tables, &mut out, &pool);
                    assert_eq!(out, plainly(bits, shape, lut, axis, &packed, &tables), "{what}");
                    let words: Vec<u16> = tables.iter().map(|&t| t as u16).collect();
                    let mut out = vec![0u16; count * length];
                    plan.run(&packed, &words, &mut out, &pool);
                    assert_eq!(out, plainly(bits, shape, lut, axis, &packed, &words), "{what}");
                    let bytes: Vec<u8> = tables.iter().map(|&t| t as u8).collect();
                    let mut out = vec![0u8; count * length];
                    plan.run(&packed, &bytes, &mut out, &pool);
                    assert_eq!(out, plainly(bits, shape, lut, axis, &packed, &bytes), "{what}");
                }
            }
        }
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        assert!(LookUp::new(5, &[4], &[1, 32, 1], 0).is_none());
        assert!(LookUp::new(4, &[4], &[1, 8, 1], 0).is_none());
        assert!(LookUp::new(4, &[4], &[3, 16, 1], 0).is_none());
        assert!(LookUp::new(4, &[4], &[1, 16, 0], 0).is_none());
        assert!(LookUp::new(4, &[4], &[1, 16, 1], 1).is_none());
        assert!(LookUp::new(4, &[4, 4], &[1, 16], 0).is_none());
    }
}
