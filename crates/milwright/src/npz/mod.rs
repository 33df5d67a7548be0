//! NumPy's `.npy` and `.npz` files: what programs take and give.
//!
//! An `.npz` is a zip archive with one member `NAME.npy` an array. We write members stored (not compressed, no zip64)
//! in the order given; we read compressed ones too.

mod npy;

use crate::codes;
use crate::disk;
use crate::failure::Failure;
use crate::save::replace_file;
use bytes::Bytes;
use mil_base::{Diagnostic, Tensor};
use std::collections::HashSet;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

pub use npy::{read as read_npy, write as write_npy};

/// The most a compressed member may unpack to; a few kilobytes of zip could ask for terabytes.
const MAX_UNPACKED: u64 = 1 << 30;

/// Names with tensors, in the archive's order.
pub type Arrays = Vec<(String, Tensor)>;

/// Reads the arrays of an `.npz` archive; `name` is for messages. No bytes at all are no arrays.
///
/// Errors: `npz/not-zip`, `npz/member`, `npz/too-large`, and those of [`read_npy`].
pub fn read(name: &str, bytes: &Bytes) -> Result<Arrays, Diagnostic> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|e| {
        Diagnostic::error(codes::NPZ_NOT_ZIP, format!("`{name}` is not an .npz archive: {e}"))
            .help("save it with `numpy.savez`")
    })?;
    (0..archive.len()).map(|i| member(name, &mut archive, i)).collect()
}

fn member(
    archive_name: &str,
    archive: &mut ZipArchive<Cursor<Bytes>>,
    index: usize,
) -> Result<(String, Tensor), Diagnostic> {
    let broken = |what: &str| {
        Diagnostic::error(
            codes::NPZ_MEMBER,
            format!("member {index} of `{archive_name}` cannot be read: {what}"),
        )
        .help("save the archive again with `numpy.savez`")
    };
    let file = archive.by_index(index).map_err(|e| broken(&e.to_string()))?;
    let file_name = file.name().map_err(|e| broken(&e.to_string()))?.into_owned();
    let name = file_name.strip_suffix(".npy").unwrap_or(&file_name);
    let mut data = Vec::new();
    file.take(MAX_UNPACKED + 1).read_to_end(&mut data).map_err(|e| broken(&format!("`{file_name}`: {e}")))?;
    if data.len() as u64 > MAX_UNPACKED {
        let message = format!("`{file_name}` of `{archive_name}` has more than {} MiB", MAX_UNPACKED >> 20);
        return Err(
            Diagnostic::error(codes::NPZ_TOO_LARGE, message).help("pass the array as a single .npy file")
        );
    }
    let tensor = read_npy(&format!("{archive_name}:{name}"), &Bytes::from(data))?;
    Ok((name.to_owned(), tensor))
}

/// Writes arrays as an `.npz` archive, the same bytes for the same arrays. An archive holds a name once: of arrays with one name (a
/// function may return a value twice) the first is written.
pub fn write<'t, W: Write + Seek>(
    out: W,
    arrays: impl IntoIterator<Item = (&'t str, &'t Tensor)>,
) -> io::Result<W> {
    let mut zip = ZipWriter::new(out);
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(false);
    let mut written = HashSet::new();
    for (name, tensor) in arrays {
        if !written.insert(name) {
            continue;
        }
        zip.start_file(format!("{name}.npy"), stored)?;
        zip.write_all(&write_npy(tensor))?;
    }
    Ok(zip.finish()?)
}

/// The archive in memory.
pub fn to_bytes<'t>(arrays: impl IntoIterator<Item = (&'t str, &'t Tensor)>) -> io::Result<Vec<u8>> {
    write(Cursor::new(Vec::new()), arrays).map(Cursor::into_inner)
}

/// Reads an `.npz` file.
pub fn load(path: impl AsRef<Path>) -> Result<Arrays, Failure> {
    let path = path.as_ref();
    let bytes = disk::read(path).map_err(|d| Failure::one(path, d))?;
    read(&path.display().to_string(), &bytes).map_err(|d| Failure::one(path, d))
}

/// Reads a `.npy` file.
pub fn load_npy(path: impl AsRef<Path>) -> Result<Tensor, Failure> {
    let path = path.as_ref();
    let bytes = disk::read(path).map_err(|d| Failure::one(path, d))?;
    read_npy(&path.display().to_string(), &bytes).map_err(|d| Failure::one(path, d))
}

/// Writes a `.npy` file.
pub fn save_npy(path: impl AsRef<Path>, tensor: &Tensor) -> Result<(), Failure> {
    let path = path.as_ref();
    replace_file(path, |file| file.write_all(&write_npy(tensor))).map_err(|d| Failure::one(path, d))
}

/// Writes an `.npz` file.
pub fn save<'t>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (&'t str, &'t Tensor)>,
) -> Result<(), Failure> {
    let path = path.as_ref();
    to_bytes(arrays)
        .map_err(|e| Diagnostic::error(codes::NPZ_UNWRITABLE, format!("the arrays cannot be archived: {e}")))
        .and_then(|bytes| replace_file(path, |file| file.write_all(&bytes)))
        .map_err(|d| Failure::one(path, d))
}
