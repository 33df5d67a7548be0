//! Programs, inputs, and one lock: the doubles are one for the process.

use mil_apple::ane::{Ane, Options};
use mil_check::{Checked, Target};
use mil_codec::folder::Folder;
use mil_codec::{text, weights};
use mil_ops::OpSet;
use mil_run::{Cpu, Named, Runtime};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// For one test at a time; the compile budget starts anew.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    mil_doubles::ane::forget();
    guard
}

/// Compiles everything anew, and as often as wanted.
pub(crate) fn options() -> Options {
    Options { budget: u32::MAX, keep_compiled: false, ..Options::default() }
}

pub(crate) fn runtime() -> Ane {
    Ane::new(options()).unwrap()
}

struct Disk(PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<bytes::Bytes>, mil_base::Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(bytes::Bytes::from))
    }
}

/// A program of text, checked.
pub(crate) fn checked(source: &str) -> Arc<Checked> {
    checked_in(source, Path::new("."))
}

fn checked_in(source: &str, folder: &Path) -> Arc<Checked> {
    let mut read = text::read(source);
    assert!(read.diagnostics.iter().all(|d| !d.is_error()), "{:?}", read.diagnostics);
    let missing = weights::attach(&mut read.program, &read.origins, &Disk(folder.to_owned()), "");
    assert!(missing.is_empty(), "{missing:?}");
    let checked =
        mil_check::check(Arc::new(read.program), &read.origins, &OpSet::standard(), Target::default());
    Arc::new(checked.unwrap_or_else(|d| panic!("{d:?}")))
}

/// One of the programs of the research in `examples/`.
pub(crate) fn example(name: &str) -> Arc<Checked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    checked_in(&std::fs::read_to_string(folder.join(name)).unwrap(), &folder)
}

/// A function of a body.
pub(crate) fn program(params: &str, body: &str, results: &str) -> Arc<Checked> {
    checked(&format!("program(1.3)\n{{\nfunc main<ios18>({params}) {{\n{body}}} -> ({results});\n}}\n"))
}

/// Random inputs of a function.
pub(crate) fn inputs(checked: &Checked, function: Option<&str>, seed: u64) -> Vec<Named> {
    let id = mil_run::find_function(checked, function).unwrap();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let function = &checked.program().functions[id];
    let made = mil_run::inputs(function).map(|(_, name, ty)| {
        let ty = ty.as_tensor().unwrap();
        let shape = ty.shape.sizes().unwrap();
        let values: Vec<f64> = (0..shape.iter().product()).map(|_| next()).collect();
        (name.clone(), mil_base::Tensor::from_f64(ty.dtype, &shape, &values).unwrap())
    });
    made.collect()
}

/// What a runtime makes of a program.
pub(crate) fn outputs(
    runtime: &dyn Runtime,
    checked: &Arc<Checked>,
    function: Option<&str>,
    given: &[Named],
) -> Vec<Named> {
    let loaded =
        runtime.load(checked.clone(), &mil_run::Options::default()).unwrap_or_else(|e| panic!("{e}"));
    loaded.session(function).unwrap().run(given).unwrap_or_else(|e| panic!("{e}"))
}

/// The same program and inputs on `cpu`.
pub(crate) fn on_cpu(checked: &Arc<Checked>, function: Option<&str>, given: &[Named]) -> Vec<Named> {
    outputs(&Cpu, checked, function, given)
}
