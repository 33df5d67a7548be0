//! Weight files (`weight.bin`): a header, then records of 64 bytes, each followed by its payload.
//!
//! Every number is little-endian; every record and payload starts at a multiple of [`ALIGNMENT`]. A program refers
//! to a blob by the offset of its *record*. Source: `facts/mil-blob-format.md` section 1.

mod read;
mod write;

pub use read::{BlobFile, Record};
pub use write::BlobWriter;

use mil_base::DType;

/// Records and payloads start at multiples of this many bytes; headers and records are this long.
pub const ALIGNMENT: u64 = 64;

/// The first word of every record.
const SENTINEL: u32 = 0xDEAD_BEEF;

/// The only version of the file header that ML Programs use; 1 is the old Espresso format.
const VERSION: u32 = 2;

/// The number a record has for each scalar type. Bool, string and the 64-bit types cannot be stored in a blob.
const NUMBERS: &[(DType, u32)] = &[
    (DType::Fp16, 1),
    (DType::Fp32, 2),
    (DType::UInt8, 3),
    (DType::Int8, 4),
    (DType::Bf16, 5),
    (DType::Int16, 6),
    (DType::UInt16, 7),
    (DType::Int4, 8),
    (DType::UInt1, 9),
    (DType::UInt2, 10),
    (DType::UInt4, 11),
    (DType::UInt3, 12),
    (DType::UInt6, 13),
    (DType::Int32, 14),
    (DType::UInt32, 15),
    (DType::Fp8E4M3Fn, 16),
    (DType::Fp8E5M2, 17),
];

/// The number that records have for `dtype`, if blobs can hold it.
pub fn number(dtype: DType) -> Option<u32> {
    NUMBERS.iter().find(|(d, _)| *d == dtype).map(|(_, n)| *n)
}

/// The scalar type with this number in a record.
pub fn dtype(number: u32) -> Option<DType> {
    NUMBERS.iter().find(|(_, n)| *n == number).map(|(d, _)| *d)
}
