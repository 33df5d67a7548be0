//! Packed integers, and numbers of any type that compressed weights are made of.

use crate::simd::simd;
use crate::view::Floats;
use mil_base::DType;

/// Elements handled at once, in buffers on the stack.
pub(super) const BLOCK: usize = 512;

/// The unsigned integers of `bits` bits from number `start` on, the lowest bits of a byte first, one to a byte.
///
/// # Panics
/// When `packed` is too short, or `bits` is not 1, 2, 3, 4, 6 or 8.
pub(super) fn unpack(bits: usize, packed: &[u8], start: usize, out: &mut [u8]) {
    match bits {
        1 => unpack_bits::<1>(packed, start, out),
        2 => unpack_bits::<2>(packed, start, out),
        3 => unpack_bits::<3>(packed, start, out),
        4 => unpack_bits::<4>(packed, start, out),
        6 => unpack_bits::<6>(packed, start, out),
        8 => out.copy_from_slice(&packed[start..start + out.len()]),
        _ => panic!("integers of {bits} bits"),
    }
}

/// Eight integers of `BITS` bits are `BITS` whole bytes.
fn unpack_bits<const BITS: usize>(packed: &[u8], start: usize, out: &mut [u8]) {
    let head = start.next_multiple_of(8).saturating_sub(start).min(out.len());
    let (first, rest) = out.split_at_mut(head);
    one_by_one::<BITS>(packed, start, first);
    let (eights, last) = rest.as_chunks_mut::<8>();
    let from = (start + head) / 8 * BITS;
    match BITS {
        4 => halves(&packed[from..], eights),
        _ => groups::<BITS>(&packed[from..], eights),
    }
    one_by_one::<BITS>(packed, start + head + eights.len() * 8, last);
}

fn one_by_one<const BITS: usize>(packed: &[u8], start: usize, out: &mut [u8]) {
    for (i, o) in out.iter_mut().enumerate() {
        let (byte, shift) = ((start + i) * BITS / 8, (start + i) * BITS % 8);
        let high = packed.get(byte + 1).map_or(0, |&b| u16::from(b));
        *o = ((high << 8 | u16::from(packed[byte])) >> shift) as u8 & ((1u16 << BITS) - 1) as u8;
    }
}

fn groups<const BITS: usize>(packed: &[u8], out: &mut [[u8; 8]]) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::isa() == crate::simd::Isa::Avx512 {
        // SAFETY: machines with AVX-512 have BMI2, which `simd!` relies on too.
        return unsafe { groups_at_once::<BITS>(packed, out) };
    }
    let packed = packed.as_chunks::<BITS>().0;
    assert!(packed.len() >= out.len(), "packed integers are missing");
    for (bytes, out) in packed.iter().zip(out) {
        let mut word = [0u8; 8];
        word[..BITS].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        *out = std::array::from_fn(|i| (word >> (i * BITS)) as u8 & ((1u16 << BITS) - 1) as u8);
    }
}

/// As [`groups`], by an instruction that deals bits out.
///
/// # Safety
/// BMI2 must be present.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2")]
unsafe fn groups_at_once<const BITS: usize>(packed: &[u8], out: &mut [[u8; 8]]) {
    let places = u64::from_ne_bytes([((1u16 << BITS) - 1) as u8; 8]);
    assert!(packed.len() / BITS >= out.len(), "packed integers are missing");
    for (i, out) in out.iter_mut().enumerate() {
        let at = i * BITS;
        // Eight bytes are read where there are as many: those behind the group do not matter.
        let word = match packed[at..].first_chunk::<8>() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0u8; 8];
                bytes[..BITS].copy_from_slice(&packed[at..at + BITS]);
                u64::from_le_bytes(bytes)
            }
        };
        *out = std::arch::x86_64::_pdep_u64(word, places).to_le_bytes();
    }
}

simd! {
/// Two integers to a byte: the most common packing, in a shape that the compiler turns into shuffles.
fn halves(packed: &[u8], out: &mut [[u8; 8]]) {
    let out = out.as_flattened_mut().as_chunks_mut::<64>();
    let whole = out.0.len() * 32;
    for (bytes, out) in packed[..whole].as_chunks::<32>().0.iter().zip(out.0) {
        for i in 0..32 {
            out[2 * i] = bytes[i] & 15;
            out[2 * i + 1] = bytes[i] >> 4;
        }
    }
    let rest = &packed[whole..whole + out.1.len() / 2];
    for (byte, pair) in rest.iter().zip(out.1.as_chunks_mut::<2>().0) {
        *pair = [byte & 15, byte >> 4];
    }
}
}

/// The elements of a tensor of floats or of integers of 4 or 8 bits.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// fp16 or fp32.
    Floats(Floats<'a>),
    /// Integers, packed; the smallest one is `-sign`.
    Ints {
        /// Bits of each.
        bits: usize,
        /// The weight of the highest bit if they are signed, else 0.
        sign: u8,
        /// The bytes.
        bytes: &'a [u8],
    },
}

impl<'a> Numbers<'a> {
    /// Is there a view of this type?
    pub fn takes(dtype: DType) -> bool {
        integer(dtype).is_some() || matches!(dtype, DType::Fp16 | DType::Fp32)
    }

    /// The view of `bytes` as `dtype`; `None` for types that weights are not compressed to.
    pub fn new(dtype: DType, bytes: &'a [u8]) -> Option<Numbers<'a>> {
        match integer(dtype) {
            Some((bits, sign)) => Some(Numbers::Ints { bits, sign, bytes }),
            None => Floats::new(dtype, bytes).map(Numbers::Floats),
        }
    }

    /// `(element - offset) * scale` of the elements from `start` on, where the first `rest` elements have the first offset and
    /// scale, and every next `block` the next ones. False, and nothing done, for floats. `out` has at most [`BLOCK`] places.
    pub(super) fn read_scaled(&self, start: usize, blocks: &Runs<'_>, out: &mut [f32]) -> bool {
        let Numbers::Ints { bits, sign, bytes } = *self else { return false };
        if bits == 8 {
            scale_runs(&bytes[start..start + out.len()], sign, blocks, out);
        } else {
            let mut buffer = [0u8; BLOCK];
            let buffer = &mut buffer[..out.len()];
            unpack(bits, bytes, start, buffer);
            scale_runs(buffer, sign, blocks, out);
        }
        true
    }

    /// The elements from `start` on as fp32. `out` has at most [`BLOCK`] places.
    pub(super) fn read(&self, start: usize, out: &mut [f32]) {
        match *self {
            Numbers::Floats(floats) => floats.read(start, out),
            Numbers::Ints { bits, sign, bytes } => {
                let mut buffer = [0u8; BLOCK];
                let buffer = &mut buffer[..out.len()];
                unpack(bits, bytes, start, buffer);
                widen(buffer, sign, out);
            }
        }
    }
}

/// Bits of an integer, and the weight of the highest one if it has a sign.
fn integer(dtype: DType) -> Option<(usize, u8)> {
    match dtype {
        DType::Int4 => Some((4, 8)),
        DType::UInt4 => Some((4, 0)),
        DType::Int8 => Some((8, 128)),
        DType::UInt8 => Some((8, 0)),
        _ => None,
    }
}

/// Neighbouring elements that share an offset and a scale.
pub(super) struct Runs<'a> {
    /// Elements of the first run, of which a part may have been before.
    pub(super) rest: usize,
    /// Elements of each run after it; the last may be cut short.
    pub(super) block: usize,
    pub(super) offsets: &'a [f32],
    pub(super) scales: &'a [f32],
}

simd! {
fn scale_runs(x: &[u8], sign: u8, runs: &Runs<'_>, out: &mut [f32]) {
    let (mut done, mut end) = (0, runs.rest.min(out.len()));
    for (offset, scale) in runs.offsets.iter().zip(runs.scales) {
        for (x, o) in x[done..end].iter().zip(&mut out[done..end]) {
            *o = ((i32::from(x ^ sign) - i32::from(sign)) as f32 - offset) * scale;
        }
        (done, end) = (end, (end + runs.block).min(out.len()));
    }
}
}

simd! {
/// Bytes whose highest bit weighs `-sign`.
fn widen(x: &[u8], sign: u8, out: &mut [f32]) {
    for (x, o) in x.iter().zip(out) {
        *o = (i32::from(x ^ sign) - i32::from(sign)) as f32;
    }
}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn integers_of_every_width_are_unpacked_from_anywhere() {
        let mut random = Random::new(1);
        for bits in [1, 2, 3, 4, 6, 8] {
            let packed: Vec<u8> = (0..bits * 40 + 1).map(|_| random.next() as u8).collect();
            let bit = |i: usize| packed[i / 8] >> (i % 8) & 1;
            for (start, count) in [(0, 320), (1, 319), (7, 100), (8, 3), (13, 0), (160, 128), (64, 256)] {
                let mut got = vec![0xaa; count];
                unpack(bits, &packed, start, &mut got);
                let want: Vec<u8> =
                    (start..start + count).map(|i| (0..bits).map(|b| bit(i * bits + b) << b).sum()).collect();
                assert_eq!(got, want, "{bits} bits from {start}");
            }
        }
    }

    #[test]
    fn signs_are_kept() {
        let mut out = [0.0; 4];
        Numbers::new(DType::Int4, &[0x81, 0xf7]).unwrap().read(0, &mut out);
        assert_eq!(out, [1.0, -8.0, 7.0, -1.0]);
        Numbers::new(DType::UInt4, &[0x81, 0xf7]).unwrap().read(0, &mut out);
        assert_eq!(out, [1.0, 8.0, 7.0, 15.0]);
        Numbers::new(DType::Int8, &[1, 128, 255, 127]).unwrap().read(0, &mut out);
        assert_eq!(out, [1.0, -128.0, -1.0, 127.0]);
        assert!(Numbers::new(DType::Int32, &[]).is_none() && !Numbers::takes(DType::Int32));
        assert!(Numbers::takes(DType::Fp16) && Numbers::takes(DType::Int4));
    }
}
