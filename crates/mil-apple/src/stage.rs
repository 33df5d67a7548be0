//! A program written to where the frameworks read it: `model.mil` and its weight files in a folder of its own.

use crate::error::BridgeError;
use mil_codec::text::{self, Options};
use mil_codec::weights::{Storage, store};
use mil_ir::Program;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Folders staged by Milwright begin so, followed by the number of the process that owns them.
const PREFIX: &str = "milwright-";

/// The file in the temporary directory that processes lock in turn.
const LOCK: &str = "milwright.lock";

/// The file in a staged folder that names another folder which belongs to it.
const OWNS: &str = "owns";

/// A folder that is removed when this is dropped; one left by a process that crashed is removed by the next [`Stage::new`].
#[derive(Debug)]
pub struct Stage {
    root: PathBuf,
    /// A folder whose name a framework prescribes; `root` only marks whose it is.
    named: Option<PathBuf>,
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
        Ok(Stage { root, named: None })
    }

    /// A folder of that name in the temporary directory. Several stages may share one; the last to go removes it.
    pub fn named(name: &str) -> Result<Stage, BridgeError> {
        let mut stage = Stage::new()?;
        let parent = std::env::temp_dir();
        let named = parent.join(name);
        let _turn = turn(&parent);
        // The mark is there before the folder, so that a crash in between leaves nothing unowned.
        write(&stage.root.join(OWNS), name.as_bytes())?;
        fs::create_dir_all(&named).map_err(|e| failed(&named, &e))?;
        stage.named = Some(named);
        Ok(stage)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.named.as_deref().unwrap_or(&self.root)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        remove(&self.root);
    }
}

/// Removes a staged folder, and the one it owns unless another owns it too.
fn remove(root: &Path) {
    let owned = fs::read_to_string(root.join(OWNS)).ok();
    let _turn = owned.is_some().then(|| root.parent().map(turn));
    // Nothing can be done about a folder that does not go; the next process tries again.
    let _ = fs::remove_dir_all(root);
    let Some((name, parent)) = owned.zip(root.parent()) else { return };
    let shared = stages(parent).any(|other| fs::read_to_string(other.join(OWNS)).is_ok_and(|n| n == name));
    // A name that is a path was not written by us.
    if !shared && !name.is_empty() && !name.contains(['/', '.']) {
        let _ = fs::remove_dir_all(parent.join(name));
    }
}

/// Keeps other processes from removing a folder while this one begins to own it; ends with the file. Without the file, on a
/// disk that is full, there is no turn to wait for.
fn turn(parent: &Path) -> Option<fs::File> {
    let file = fs::File::create(parent.join(LOCK)).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// The staged folders of all processes.
fn stages(parent: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries.filter(|e| owner(&e.file_name().to_string_lossy()).is_some()).map(|e| e.path())
}

/// The process that staged a folder of this name.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

fn failed(path: &Path, error: &std::io::Error) -> BridgeError {
    BridgeError::Stage { path: path.display().to_string(), why: error.to_string() }
}

/// Removes folders of processes that are gone.
fn sweep(parent: &Path) {
    for stage in stages(parent) {
        let owner = stage.file_name().and_then(|n| owner(&n.to_string_lossy()));
        if owner.is_some_and(|o| o != std::process::id() && !is_alive(o)) {
            remove(&stage);
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

/// A staged folder, to read a program from.
#[derive(Debug)]
pub struct Disk(pub PathBuf);

impl mil_codec::folder::Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<bytes::Bytes>, mil_base::Diagnostic> {
        Ok(fs::read(self.0.join(path)).ok().map(bytes::Bytes::from))
    }
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

/// Writes a file beside its place and moves it there: another process with the same program may be reading the folder.
fn write(path: &Path, bytes: &[u8]) -> Result<(), BridgeError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let fail = |e: std::io::Error| failed(path, &e);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fail)?;
    }
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{n}.part", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_goes_with_its_last_owner() {
        let name = format!("MilwrightStageTest{}", std::process::id());
        let (one, two) = (Stage::named(&name).unwrap(), Stage::named(&name).unwrap());
        let folder = one.path().to_owned();
        assert_eq!(folder, two.path());
        drop(one);
        assert!(folder.is_dir());
        drop(two);
        assert!(!folder.exists());
    }

    #[test]
    fn owners_that_come_and_go_at_once_never_lose_the_folder() {
        let name = format!("MilwrightStageTestTurns{}", std::process::id());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for i in 0..150 {
                        let stage = Stage::named(&name).unwrap();
                        write(&stage.path().join("model.mil"), b"the same text").unwrap();
                        let text = fs::read(stage.path().join("model.mil")).unwrap();
                        assert_eq!(text, b"the same text", "round {i}");
                    }
                });
            }
        });
        assert!(!std::env::temp_dir().join(&name).exists());
    }

    /// Within five seconds: another test may have begun the sweep, and be about to end it.
    fn soon(condition: impl Fn() -> bool) -> bool {
        (0..500).any(|_| {
            let holds = condition();
            if !holds {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            holds
        })
    }

    /// The mark of a process that is gone, whole from the first moment on: other tests sweep at the same time.
    fn mark_of_the_dead(process: u32, owns: &str) -> PathBuf {
        let parent = std::env::temp_dir();
        let (being_made, mark) =
            (parent.join(format!("milwright.mark.{process}")), parent.join(format!("{PREFIX}{process}-0")));
        fs::create_dir_all(&being_made).unwrap();
        fs::write(being_made.join(OWNS), owns).unwrap();
        fs::rename(being_made, &mark).unwrap();
        mark
    }

    #[test]
    fn what_a_dead_process_left_is_removed() {
        let folder = std::env::temp_dir().join("MilwrightStageTestDead");
        fs::create_dir_all(&folder).unwrap();
        // A number that no process has: beyond the largest there is.
        let mark = mark_of_the_dead(4_194_305, "MilwrightStageTestDead");
        drop(Stage::new().unwrap());
        assert!(soon(|| !mark.exists() && !folder.exists()));
    }

    #[test]
    fn a_path_is_no_name() {
        let precious = std::env::temp_dir().join(format!("milwright.precious.{}", std::process::id()));
        fs::create_dir_all(&precious).unwrap();
        let mark = mark_of_the_dead(4_194_306, &precious.to_string_lossy());
        drop(Stage::new().unwrap());
        assert!(soon(|| !mark.exists()) && precious.exists());
        fs::remove_dir(precious).unwrap();
    }
}
