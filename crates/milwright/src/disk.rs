//! Files and folders on disk, memory-mapped.

use crate::codes;
use crate::map::map;
use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::folder::Folder;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A folder on disk. Paths in a package cannot leave it (`mil_codec::folder::resolve`), but symbolic links are followed:
/// download caches keep every file of a package behind one.
pub(crate) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder at `root`.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Disk {
        Disk { root: root.into() }
    }
}

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        let path = self.root.join(path);
        if !path.is_file() {
            return Ok(None);
        }
        read(&path).map(Some)
    }
}

/// The bytes of a file, mapped.
pub(crate) fn read(path: &Path) -> Result<Bytes, Diagnostic> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    if file.metadata().is_ok_and(|m| !m.is_file()) {
        return Err(Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` is not a file", path.display())));
    }
    map(&file).map_err(|e| unreadable(path, &e))
}

/// The diagnostic for a file or folder that the operating system does not let us read.
fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    if error.kind() == io::ErrorKind::NotFound {
        return Diagnostic::error(codes::FILE_NOT_FOUND, format!("there is no file `{}`", path.display()))
            .help("check the path; relative paths start at the current folder");
    }
    Diagnostic::error(codes::FILE_UNREADABLE, format!("cannot read `{}`: {error}", path.display()))
}
