//! Output compared with files. `BLESS=1 cargo test` writes what comes out now; look at the difference before committing.

use std::path::{Path, PathBuf};

/// The files of a folder with this extension, by name. An empty folder is a mistake in the test.
pub fn cases(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} has no .{extension} files", folder.display());
    found
}

/// Nothing if the file holds `actual`, or was just written; else the first line that differs.
pub fn compare(path: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, actual).map_err(|e| format!("{}: {e}", path.display()))?;
        return Ok(());
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    if wanted == actual {
        return Ok(());
    }
    let same = wanted.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(end)").to_owned();
    Err(format!(
        "{}:{}: should be\n    {}\nbut is\n    {}\n(BLESS=1 writes what comes out now)",
        path.display(),
        same + 1,
        line(&wanted),
        line(actual)
    ))
}
