//! A program written to where the frameworks read it: `model.mil` and its weight files in a folder of its own.

use crate::error::BridgeError;
use mil_codec::text::{self, Options};
use mil_codec::weights::{Storage, store};
use mil_ir::Program;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Folders staged by Milwright begin so, followed by the number of the process that owns them.
const PREFIX: &str = "milwright-";

/// A folder that is removed when this is dropped; one left by a process that crashed is removed by the next [`Stage::new`].
#[derive(Debug)]
pub struct Stage {
    root: PathBuf,
}

impl Stage {
    /// An empty folder in the temporary directory.
    pub fn new() -> Result<Stage, BridgeError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let parent = std::env::temp_dir();
        sweep(&parent);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = parent.join(format!("{PREFIX}{}-{n}", std::process::id()));
        fs::create_dir_all(&root).map_err(|e| failed(&root, &e))?;
        Ok(Stage { root })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Nothing can be done about a folder that does not go; the next process tries again.
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn failed(path: &Path, error: &std::io::Error) -> BridgeError {
    BridgeError::Stage { path: path.display().to_string(), why: error.to_string() }
}

/// Removes folders of processes that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|n| n.strip_prefix(PREFIX)).and_then(|n| n.split('-').next());
        let Some(owner) = owner.and_then(|n| n.parse::<u32>().ok()) else { continue };
        if !is_alive(owner) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Is there a process of that number? When it cannot be known, there is.
fn is_alive(process: u32) -> bool {
    let status = std::process::Command::new("/bin/kill")
        .args(["-0", &process.to_string()])
        .stderr(std::process::Stdio::null())
        .status();
    status.map_or(true, |s| s.success())
}

/// A program as files.
#[derive(Debug)]
pub struct Files {
    /// The MIL text.
    pub text: String,
    /// Weight files by their path below the model's folder, `weights/weight.bin`.
    pub weights: Vec<(String, Vec<u8>)>,
}

/// The program as text and weight files.
pub fn files(program: &Program) -> Result<Files, BridgeError> {
    let stored = store(program, Storage::AsRead).map_err(|all| {
        let first = all.into_iter().next();
        BridgeError::Refused(Box::new(first.unwrap_or_else(|| {
            mil_base::Diagnostic::error(crate::codes::STAGE, "the program's weights cannot be written")
        })))
    })?;
    let mut weights = Vec::new();
    for (name, writer) in &stored.files {
        let name = mil_codec::folder::resolve("", name).map_err(|d| BridgeError::Refused(Box::new(d)))?;
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).map_err(|e| failed(Path::new(&name), &e))?;
        weights.push((name, bytes));
    }
    Ok(Files { text: text::print(&stored.program, &Options::default()), weights })
}

impl Files {
    /// Writes `model.mil` and the weight files below `folder`; gives the path of the text.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, BridgeError> {
        let text = folder.join("model.mil");
        write(&text, self.text.as_bytes())?;
        for (name, bytes) in &self.weights {
            write(&folder.join(name), bytes)?;
        }
        Ok(text)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BridgeError> {
    let fail = |e: std::io::Error| failed(path, &e);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fail)?;
    }
    let mut out = BufWriter::new(fs::File::create(path).map_err(fail)?);
    out.write_all(bytes).and_then(|()| out.flush()).map_err(fail)
}
