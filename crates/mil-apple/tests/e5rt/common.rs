//! Programs, inputs and comparisons.

use bytes::Bytes;
use mil_apple::e5rt::{Api, Devices, Program};
use mil_base::{DType, Diagnostic, Tensor};
use mil_check::{Checked, Target};
use mil_codec::folder::Folder;
use mil_codec::{text, weights};
use mil_ir::Origins;
use mil_ops::OpSet;
use mil_run::{Cpu, Named, Options, Runtime};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps tests apart that share the double.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Disk(PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(Bytes::from))
    }
}

/// A program from its text; weights from `folder`.
#[track_caller]
pub(crate) fn checked_in(source: &str, folder: &Path) -> Arc<Checked> {
    let mut read = text::read(source);
    assert!(read.diagnostics.iter().all(|d| !d.is_error()), "{:?}", read.diagnostics);
    let wrong = weights::attach(&mut read.program, &read.origins, &Disk(folder.to_owned()), "");
    assert!(wrong.iter().all(|d| !d.is_error()), "{wrong:?}");
    let checked =
        mil_check::check(Arc::new(read.program), &Origins::default(), &OpSet::standard(), Target::default());
    Arc::new(checked.unwrap_or_else(|d| panic!("{d:?}")))
}

#[track_caller]
pub(crate) fn checked(source: &str) -> Arc<Checked> {
    checked_in(source, Path::new("."))
}

/// A program of one function.
pub(crate) fn source(params: &str, body: &str, results: &str) -> String {
    format!("program(1.3)\n{{\nfunc main<ios18>({params}) {{\n{body}\n}} -> ({results});\n}}\n")
}

/// Values between -2 and 2 that fp16 holds exactly, others for each seed.
pub(crate) fn random(dtype: DType, shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let n = shape.iter().product();
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) % 1024) as f64 / 256.0 - 2.0
    };
    let values: Vec<f64> = std::iter::repeat_with(next).take(n).collect();
    Tensor::from_f64(dtype, shape, &values).unwrap()
}

/// Random inputs for the default function.
pub(crate) fn inputs(checked: &Checked, seed: u64) -> Vec<Named> {
    let id = mil_run::find_function(checked, None).unwrap();
    let function = &checked.program().functions[id];
    let tensor = |(i, (_, name, ty)): (usize, (_, &mil_base::Name, &mil_base::Type))| {
        let ty = ty.as_tensor().unwrap();
        (name.clone(), random(ty.dtype, &ty.shape.sizes().unwrap(), seed + i as u64))
    };
    mil_run::inputs(function).enumerate().map(tensor).collect()
}

/// What the cpu runtime gives.
pub(crate) fn on_cpu(checked: &Arc<Checked>, inputs: &[Named]) -> Vec<Named> {
    let loaded = Cpu.load(checked.clone(), &Options::default()).unwrap();
    loaded.session(None).unwrap().run(inputs).unwrap()
}

/// Compiled for the Neural Engine.
#[track_caller]
pub(crate) fn program(api: &Arc<Api>, source: &str) -> Arc<Program> {
    Program::compile(api, checked(source), Devices::NeuralEngine).unwrap_or_else(|e| panic!("{e}"))
}

/// Bit for bit.
#[track_caller]
pub(crate) fn same(got: &[Named], want: &[Named]) {
    assert_eq!(got.len(), want.len());
    for ((name, got), (wanted, want)) in got.iter().zip(want) {
        assert_eq!(name, wanted);
        assert_eq!((got.dtype(), got.shape()), (want.dtype(), want.shape()), "`{name}`");
        assert!(got.bytes() == want.bytes(), "`{name}` differs");
    }
}
