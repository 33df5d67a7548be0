//! Files and folders on disk, memory-mapped.

use crate::map::map;
use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::folder::Folder;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A folder on disk that files are never read outside of, symbolic links included.
pub(crate) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder at `root`.
    pub(crate) fn new(root: &Path) -> Result<Disk, Diagnostic> {
        let root = root.canonicalize().map_err(|e| unreadable(root, &e))?;
        Ok(Disk { root })
    }
}

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        let joined = self.root.join(path);
        let real = match joined.canonicalize() {
            Ok(real) => real,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(unreadable(&joined, &e)),
        };
        if !real.starts_with(&self.root) {
            return Err(Diagnostic::error(
                "package/path-escapes",
                format!("`{path}` is a link that leads out of the package, to `{}`", real.display()),
            )
            .help("put the file itself into the package"));
        }
        read(&real).map(Some)
    }
}

/// The bytes of a file, mapped.
pub(crate) fn read(path: &Path) -> Result<Bytes, Diagnostic> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    if file.metadata().is_ok_and(|m| !m.is_file()) {
        return Err(Diagnostic::error("file/unreadable", format!("`{}` is not a file", path.display())));
    }
    map(&file).map_err(|e| unreadable(path, &e))
}

/// The diagnostic for a file or folder that the operating system does not let us read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    if error.kind() == io::ErrorKind::NotFound {
        return Diagnostic::error("file/not-found", format!("there is no file `{}`", path.display()))
            .help("check the path; relative paths start at the current folder");
    }
    Diagnostic::error("file/unreadable", format!("cannot read `{}`: {error}", path.display()))
}
