//! Memory-mapping: the one place outside the kernels with `unsafe`, because the operating system's contract for a
//! mapped file cannot be checked by a compiler.

#![allow(unsafe_code, reason = "mapping a file is unsafe, see SAFETY")]

use bytes::Bytes;
use std::fs::File;
use std::io;

/// The bytes of an open file, mapped; an empty file is empty bytes.
///
/// Whoever truncates the file while the bytes are in use makes the process crash with SIGBUS (documented for
/// users: do not overwrite a model in place while it runs; write a new file and rename it).
pub(crate) fn map(file: &File) -> io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the mapping is private and read-only, and lives as long as the `Bytes` that owns it. That nobody else
    // changes the file meanwhile is the documented duty of the user; every reader treats the bytes as untrusted, and no
    // reference into them is given a type with invalid values, so a change can give wrong numbers but no undefined
    // invariant of ours.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file)? };
    Ok(Bytes::from_owner(map))
}
