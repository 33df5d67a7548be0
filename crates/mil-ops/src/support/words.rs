//! Integers read from a buffer of any integer dtype, one at a time and without allocation.

use crate::contract::{CpuCx, Failure, KernelCall};
use mil_base::DType;

/// An index-like argument at run time.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    slot: usize,
    dtype: DType,
}

impl Words {
    /// The argument of that name.
    pub fn of(cx: &CpuCx<'_>, name: &str) -> Result<Words, Failure> {
        Ok(Words { slot: cx.need(name)?, dtype: cx.ty(name)?.dtype })
    }

    /// Its buffer in an execution.
    pub fn read<'a>(&self, call: &KernelCall<'a>) -> Result<Ints<'a>, Failure> {
        Ok(Ints { dtype: self.dtype, bytes: call.read(self.slot)? })
    }
}

/// A buffer of integers.
#[derive(Clone, Copy)]
pub struct Ints<'a> {
    dtype: DType,
    bytes: &'a [u8],
}

impl Ints<'_> {
    /// Element `i`.
    pub fn at(&self, i: usize) -> i64 {
        fn word<const N: usize>(bytes: &[u8], i: usize) -> [u8; N] {
            let mut word = [0; N];
            word.copy_from_slice(&bytes[i * N..(i + 1) * N]);
            word
        }
        match self.dtype {
            DType::Bool | DType::UInt8 => i64::from(self.bytes[i]),
            DType::Int8 => i64::from(self.bytes[i] as i8),
            DType::Int16 => i64::from(i16::from_le_bytes(word(self.bytes, i))),
            DType::UInt16 => i64::from(u16::from_le_bytes(word(self.bytes, i))),
            DType::UInt32 => i64::from(u32::from_le_bytes(word(self.bytes, i))),
            DType::Int64 => i64::from_le_bytes(word(self.bytes, i)),
            DType::UInt64 => i64::try_from(u64::from_le_bytes(word(self.bytes, i))).unwrap_or(i64::MAX),
            _ => i64::from(i32::from_le_bytes(word(self.bytes, i))),
        }
    }
}
