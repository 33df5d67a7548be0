//! What the tests of the bridges share: programs, inputs, and the answers of the cpu runtime.
#![allow(dead_code, unreachable_pub)]

use bytes::Bytes;
use mil_base::{DType, Diagnostic, Name, Tensor};
use mil_check::{Checked, Target};
use mil_codec::folder::Folder;
use mil_codec::{text, weights};
use mil_ops::OpSet;
use mil_run::{Cpu, Named, Options, RunError, Runtime};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The programs of the research: X1, Y1, Y2, Y3, Z1.
pub const RESEARCH: [&str; 9] = [
    "relu",
    "gelu",
    "affine",
    "softmax",
    "layer_norm",
    "attention",
    "linear",
    "transformer_block",
    "backward",
];

/// Switches, hidden classes and counts are the process's: tests that use them take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Disk(PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(Bytes::from))
    }
}

/// A program from its text; `@model_path` is `folder`.
pub fn checked(source: &str, folder: &Path) -> Arc<Checked> {
    let mut read = text::read(source);
    assert!(!read.diagnostics.iter().any(Diagnostic::is_error), "{:?}", read.diagnostics);
    let wrong = weights::attach(&mut read.program, &read.origins, &Disk(folder.to_owned()), "");
    assert!(wrong.is_empty(), "{wrong:?}");
    let program = Arc::new(read.program);
    let checked = mil_check::check(program, &read.origins, &OpSet::standard(), Target::default());
    Arc::new(checked.unwrap_or_else(|d| panic!("{d:?}")))
}

/// One of the repository's examples.
pub fn example(name: &str) -> Arc<Checked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let source = std::fs::read_to_string(folder.join(name).with_extension("mil")).unwrap();
    checked(&source, &folder)
}

/// Values from -1 to 1 that depend on `seed` only.
pub fn tensor(dtype: DType, shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let n = shape.iter().product();
    let values: Vec<f64> =
        (0..n).map(|_| if dtype.is_float() { next() } else { (next() * 8.0).round() }).collect();
    Tensor::from_f64(dtype, shape, &values).unwrap()
}

/// Inputs for a function.
pub fn inputs(checked: &Checked, function: Option<&str>, seed: u64) -> Vec<Named> {
    let f = &checked.program().functions[mil_run::find_function(checked, function).unwrap()];
    let given = mil_run::inputs(f).enumerate().map(|(i, (_, name, ty))| {
        let ty = ty.as_tensor().unwrap();
        (name.clone(), tensor(ty.dtype, &ty.shape.sizes().unwrap(), seed + i as u64))
    });
    given.collect()
}

/// What the cpu runtime answers.
pub fn expected(checked: &Arc<Checked>, function: Option<&str>, inputs: &[Named]) -> Vec<Named> {
    run(&Cpu, checked, function, inputs)
}

/// What a runtime answers in a session of its own.
pub fn run(
    runtime: &dyn Runtime,
    checked: &Arc<Checked>,
    function: Option<&str>,
    inputs: &[Named],
) -> Vec<Named> {
    let loaded = runtime.load(checked.clone(), &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let mut session = loaded.session(function).unwrap_or_else(|e| panic!("{e}"));
    session.run(inputs).unwrap_or_else(|e| panic!("{e}"))
}

/// Equal in names, types and every bit.
#[track_caller]
pub fn same(got: &[Named], want: &[Named]) {
    let names = |all: &[Named]| all.iter().map(|(n, t)| (n.clone(), t.ty())).collect::<Vec<(Name, _)>>();
    assert_eq!(names(got), names(want));
    for ((name, got), (_, want)) in got.iter().zip(want) {
        assert!(got.bytes() == want.bytes(), "`{name}` differs");
    }
}

/// Adds its input to a state.
pub const COUNTER: &str =
    "program(1.3) { func main<ios18>(state<tensor<fp16, [3, 5]>> total, tensor<fp16, [3, 5]> x) {
    tensor<fp16, [3, 5]> was = read_state(input = total);
    tensor<fp16, [3, 5]> sum = add(x = was, y = x);
    write_state(data = sum, input = total);
    tensor<fp16, [3, 5]> y = mul(x = sum, y = fp16(2));
} -> (y); }";

/// Two functions, neither of them the default.
pub const TWO: &str = "program(1.3) {
func up<ios18>(tensor<fp32, [7]> x) { tensor<fp32, [7]> y = add(x = x, y = fp32(1)); } -> (y);
func down<ios18>(tensor<fp32, [2, 3]> z) { tensor<fp32, [2, 3]> w = sub(x = z, y = fp32(1)); } -> (w); }";

/// The code of a refusal.
pub fn code(error: &RunError) -> &'static str {
    match error {
        RunError::Refused(all) => all[0].code,
        _ => "",
    }
}
