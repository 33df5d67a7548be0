//! Where the shared models are, for the tests that use them.
#![allow(dead_code, reason = "each test binary uses a part")]

use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::folder::Folder;
use std::path::{Path, PathBuf};

/// The folder of shared models and facts; without it the calling test says that it was skipped.
pub(crate) fn shared() -> Option<PathBuf> {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("MILWRIGHT_SHARED").map_or(fallback, PathBuf::from);
    if !path.join("models").is_dir() {
        println!("skipped: {} has no models", path.display());
        return None;
    }
    Some(path)
}

/// Every file with this name under `folder`, sorted.
pub(crate) fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() == name {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A folder on disk, read the plain way.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(Bytes::from))
    }
}
