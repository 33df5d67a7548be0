//! The files of a package or bundle, as the caller hands them over, and paths that stay inside it.

use crate::codes;
use bytes::Bytes;
use mil_base::Diagnostic;
use std::collections::BTreeMap;

/// The prefix that stands for the directory of the `.mlmodel` or `model.mil` file in the path of a weight file.
pub const MODEL_PATH: &str = "@model_path";

/// Files by their path relative to the folder's root, with `/` between the parts. Paths asked for never leave it.
pub trait Folder {
    /// The bytes of the file, best memory-mapped; nothing if there is no such file.
    ///
    /// Errors: whatever kept the file from being opened, named for the user.
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic>;
}

/// A folder in memory, for tests and for programs made of nothing.
impl Folder for BTreeMap<String, Bytes> {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(self.get(path).cloned())
    }
}

/// Joins `path`, as a manifest or a program wrote it, to the folder `base` inside a package, and removes `.` and `..`.
///
/// `@model_path/` and nothing both stand for `base`. Error: `package/path-escapes` for an absolute path, a drive or one
/// that leaves the root, because a package from elsewhere must not make us read other files.
pub fn resolve(base: &str, path: &str) -> Result<String, Diagnostic> {
    let escapes = || {
        Diagnostic::error(codes::PACKAGE_PATH_ESCAPES, format!("the path `{path}` leaves the package"))
            .help("paths in a package must stay inside it; do not trust this file if you did not make it")
    };
    let relative = path.strip_prefix(MODEL_PATH).map_or(Some(path), |rest| rest.strip_prefix('/'));
    let relative = relative.ok_or_else(escapes)?;
    if relative.starts_with('/') || relative.contains(['\\', ':', '\0']) {
        return Err(escapes());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(escapes)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The folder part of a path relative to a root; empty for a file at the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let fine = |base, path| resolve(base, path).unwrap();
        assert_eq!(fine("Data/m", "@model_path/weights/weight.bin"), "Data/m/weights/weight.bin");
        assert_eq!(fine("", "weights//./w.bin"), "weights/w.bin");
        assert_eq!(fine("model0", "@model_path/../weights/w.bin"), "weights/w.bin");
        assert_eq!(fine("model0", "../w"), "w", "one level up is still inside");
        for path in
            ["../../w", "a/../../../w", "/etc/passwd", "@model_path/../../w", "@model_pathx", "C:w", "a\\b"]
        {
            let code = resolve("model0", path).map_err(|d| d.code);
            assert_eq!(code, Err("package/path-escapes"), "{path}");
        }
    }
}
