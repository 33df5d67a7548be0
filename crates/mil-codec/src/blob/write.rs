//! Writing weight files, byte for byte as coremltools' writer does.

use super::{ALIGNMENT, SENTINEL, VERSION};
use crate::codes;
use bytes::Bytes;
use mil_base::{DType, Diagnostic};
use std::io::{self, Write};

/// Collects blobs and gives each its offset at once; [`BlobWriter::write_to`] then streams the file.
///
/// Payloads are shared, not copied, so a file larger than memory can be rewritten from a mapped one.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Vec<Entry>,
    end: u64,
}

/// A blob to be written.
#[derive(Debug)]
struct Entry {
    offset: u64,
    number: u32,
    unused_bits: u64,
    payload: Bytes,
}

impl Default for BlobWriter {
    fn default() -> Self {
        BlobWriter::new()
    }
}

impl BlobWriter {
    /// A file without blobs.
    pub fn new() -> BlobWriter {
        BlobWriter { blobs: Vec::new(), end: ALIGNMENT }
    }

    /// Adds `count` elements of `dtype`, packed as [`mil_base::Tensor`] packs them, and gives the offset of the
    /// record, which is what a program refers to.
    ///
    /// Errors: `blob/unstorable` for a type that blobs cannot hold, `blob/size-mismatch`.
    pub fn push(&mut self, dtype: DType, count: usize, payload: Bytes) -> Result<u64, Diagnostic> {
        self.push_at(self.end.next_multiple_of(ALIGNMENT), dtype, count, payload)
    }

    /// Like [`BlobWriter::push`], with the record at `offset`, which must lie behind everything added before. What is
    /// left free is filled with zeros.
    ///
    /// Errors: also `blob/record-misaligned`, and `blob/record-outside` for an offset that is not free.
    pub fn push_at(
        &mut self,
        offset: u64,
        dtype: DType,
        count: usize,
        payload: Bytes,
    ) -> Result<u64, Diagnostic> {
        let Some(number) = super::number(dtype) else {
            return Err(Diagnostic::error(
                codes::BLOB_UNSTORABLE,
                format!("weight files cannot hold {dtype}"),
            ));
        };
        if dtype.bytes_for(count) != Some(payload.len()) {
            return Err(Diagnostic::error(
                codes::BLOB_SIZE_MISMATCH,
                format!("{count} elements of {dtype} do not take {} bytes", payload.len()),
            ));
        }
        if !offset.is_multiple_of(ALIGNMENT) {
            let message = format!("a record cannot be at {offset}, which is not a multiple of {ALIGNMENT}");
            return Err(Diagnostic::error(codes::BLOB_RECORD_MISALIGNED, message));
        }
        let end = offset.checked_add(ALIGNMENT + payload.len() as u64).filter(|_| offset >= self.end);
        self.end = end.ok_or_else(|| {
            Diagnostic::error(
                codes::BLOB_RECORD_OUTSIDE,
                format!("there is no room for a record at {offset}"),
            )
        })?;
        let unused_bits = payload.len() as u64 * 8 - count as u64 * dtype.bits() as u64;
        self.blobs.push(Entry { offset, number, unused_bits, payload });
        Ok(offset)
    }

    /// Is there nothing to write?
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Length of the file in bytes.
    pub fn len(&self) -> u64 {
        self.end
    }

    /// Writes the file.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut header = [0; ALIGNMENT as usize];
        header[..4].copy_from_slice(&(self.blobs.len() as u32).to_le_bytes());
        header[4..8].copy_from_slice(&VERSION.to_le_bytes());
        out.write_all(&header)?;
        let mut at = ALIGNMENT;
        for Entry { offset, number, unused_bits, payload } in &self.blobs {
            io::copy(&mut io::Read::take(io::repeat(0), offset - at), out)?;
            let mut record = [0; ALIGNMENT as usize];
            record[..4].copy_from_slice(&SENTINEL.to_le_bytes());
            record[4..8].copy_from_slice(&number.to_le_bytes());
            record[8..16].copy_from_slice(&(payload.len() as u64).to_le_bytes());
            record[16..24].copy_from_slice(&(offset + ALIGNMENT).to_le_bytes());
            record[24..32].copy_from_slice(&unused_bits.to_le_bytes());
            out.write_all(&record)?;
            out.write_all(payload)?;
            at = offset + ALIGNMENT + payload.len() as u64;
        }
        Ok(())
    }

    /// The file in memory.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::new();
        self.write_to(&mut out).expect("writing to memory does not fail");
        out.into()
    }
}
