//! Reading weight files, without copying a payload.

use super::{ALIGNMENT, SENTINEL, VERSION};
use crate::codes;
use bytes::Bytes;
use mil_base::{DType, Diagnostic};
use std::sync::Arc;

/// The text every Git-LFS pointer file begins with; real weights begin with a small number.
const GIT_LFS: &[u8] = b"version https://git-lfs";

/// A weight file whose header has been checked. Cheap to clone; payloads share its memory.
#[derive(Clone, Debug)]
pub struct BlobFile {
    name: Arc<str>,
    bytes: Bytes,
}

/// One blob's record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where the record is in the file; what programs refer to.
    pub offset: u64,
    /// The type field as it stands; see [`super::dtype`].
    pub number: u32,
    /// First byte of the payload.
    pub start: u64,
    /// Bytes of payload. `start + size` is inside the file.
    pub size: u64,
}

impl BlobFile {
    /// Checks the header of the weight file `bytes`; `name` is for messages.
    ///
    /// Errors: `blob/git-lfs-pointer`, `blob/too-short`, `blob/version`.
    pub fn open(name: &str, bytes: Bytes) -> Result<BlobFile, Diagnostic> {
        if bytes.starts_with(GIT_LFS) {
            return Err(Diagnostic::error(
                codes::BLOB_GIT_LFS_POINTER,
                format!("`{name}` is a Git-LFS pointer, not the weights themselves"),
            )
            .help("fetch the real file: run `git lfs pull` in the repository it came from"));
        }
        if (bytes.len() as u64) < ALIGNMENT {
            return Err(Diagnostic::error(
                codes::BLOB_TOO_SHORT,
                format!(
                    "`{name}` has {} bytes; a weight file begins with a header of {ALIGNMENT}",
                    bytes.len()
                ),
            )
            .help("copy the weight file again: this one was cut off or never written"));
        }
        let version = word(&bytes, 4);
        if version != VERSION {
            let what = if version == 1 { " (the old Espresso format)" } else { "" };
            return Err(Diagnostic::error(
                codes::BLOB_VERSION,
                format!("`{name}` has version {version}{what}; ML Programs use version {VERSION}"),
            )
            .help("check that the path in the program names the program's own weight file"));
        }
        Ok(BlobFile { name: name.into(), bytes })
    }

    /// The name given to [`BlobFile::open`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole file.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The record at `offset`, with its payload inside the file.
    ///
    /// Errors: `blob/record-misaligned`, `blob/record-outside`, `blob/no-record`, `blob/payload-misaligned`,
    /// `blob/payload-outside`.
    pub fn record(&self, offset: u64) -> Result<Record, Diagnostic> {
        let name = &self.name;
        let end = self.bytes.len() as u64;
        if !offset.is_multiple_of(ALIGNMENT) {
            return Err(Diagnostic::error(
                codes::BLOB_RECORD_MISALIGNED,
                format!("offset {offset} in `{name}` is not a multiple of {ALIGNMENT}"),
            )
            .help("the offset is that of the blob's 64-byte record, not of its data"));
        }
        if offset.checked_add(ALIGNMENT).is_none_or(|after| after > end) {
            return Err(Diagnostic::error(
                codes::BLOB_RECORD_OUTSIDE,
                format!("offset {offset} is outside `{name}`, which has {end} bytes"),
            )
            .help("program and weight file do not belong together, or the file was cut off"));
        }
        let at = offset as usize;
        if word(&self.bytes, at) != SENTINEL {
            return Err(Diagnostic::error(
                codes::BLOB_NO_RECORD,
                format!("there is no blob record at offset {offset} of `{name}`"),
            )
            .help("program and weight file do not belong together"));
        }
        let record = Record {
            offset,
            number: word(&self.bytes, at + 4),
            start: long(&self.bytes, at + 16),
            size: long(&self.bytes, at + 8),
        };
        if !record.start.is_multiple_of(ALIGNMENT) {
            return Err(Diagnostic::error(
                codes::BLOB_PAYLOAD_MISALIGNED,
                format!(
                    "the data of the blob at {offset} of `{name}` starts at {}, not a multiple of {ALIGNMENT}",
                    record.start
                ),
            ));
        }
        if record.start.checked_add(record.size).is_none_or(|after| after > end) {
            return Err(Diagnostic::error(
                codes::BLOB_PAYLOAD_OUTSIDE,
                format!(
                    "the data of the blob at {offset} of `{name}` ({} bytes from {}) ends after the file, \
                     which has {end} bytes",
                    record.size, record.start
                ),
            )
            .help("copy the weight file again: this one was cut off"));
        }
        Ok(record)
    }

    /// The payload of a record, sharing the file's memory.
    pub fn payload(&self, record: Record) -> Bytes {
        self.bytes.slice(record.start as usize..(record.start + record.size) as usize)
    }

    /// The `count` elements of type `dtype` of the blob at `offset`, sharing the file's memory.
    ///
    /// A record that says fp16 is taken at any type, because some third-party writers say so of everything.
    ///
    /// Errors: those of [`BlobFile::record`], `blob/type-mismatch`, `blob/size-mismatch`.
    pub fn elements(&self, offset: u64, dtype: DType, count: usize) -> Result<Bytes, Diagnostic> {
        let record = self.record(offset)?;
        let name = &self.name;
        let found = super::dtype(record.number);
        if found != Some(dtype) && found != Some(DType::Fp16) {
            let found = found.map_or_else(|| format!("unknown type {}", record.number), |d| d.to_string());
            return Err(Diagnostic::error(
                codes::BLOB_TYPE_MISMATCH,
                format!("the program declares {dtype} but the blob at {offset} of `{name}` holds {found}"),
            )
            .help("program and weight file do not belong together"));
        }
        let wanted = dtype.bytes_for(count).map(|n| n as u64);
        if wanted != Some(record.size) {
            let wanted = wanted.map_or_else(|| "more than memory can hold".into(), |n| format!("{n} bytes"));
            return Err(Diagnostic::error(
                codes::BLOB_SIZE_MISMATCH,
                format!(
                    "{count} elements of {dtype} need {wanted} but the blob at {offset} of `{name}` has {} bytes",
                    record.size
                ),
            )
            .help("program and weight file do not belong together"));
        }
        Ok(self.payload(record))
    }

    /// The records in file order, each looked for right after the payload before it. Ends at the end of the file or
    /// at the first place that is no record; the header's count is not used because third parties leave it at 1.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let mut next = Some(ALIGNMENT);
        std::iter::from_fn(move || {
            let record = self.record(next?).ok().filter(|r| r.start >= r.offset + ALIGNMENT)?;
            next = (record.start + record.size).checked_next_multiple_of(ALIGNMENT);
            Some(record)
        })
    }
}

/// The `u32` at `at`; the caller has checked that it is inside.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The `u64` at `at`; the caller has checked that it is inside.
fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
