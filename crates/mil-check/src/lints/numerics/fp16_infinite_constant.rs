//! fp16 constants that became infinite.

use crate::lint::{Level, Lint, LintCx};
use mil_base::DType;

/// The lint `fp16-infinite-constant`.
pub static FP16_INFINITE_CONSTANT: Lint = Lint {
    code: "lint/fp16-infinite-constant",
    summary: "fp16 constants that hold an infinity",
    level: Level::Warn,
    page: include_str!("fp16_infinite_constant.md"),
    run,
};

/// Constants with more elements are weights and are not looked through.
const LARGEST: usize = 1 << 16;

fn run(cx: &mut LintCx<'_>) {
    let program = cx.program();
    for (f, op) in cx.ops() {
        let Some(val) = program.functions[f].ops[op].attribute("val") else { continue };
        let Some(tensor) = program.tensor(val) else { continue };
        if tensor.dtype() != DType::Fp16 || tensor.count() > LARGEST {
            continue;
        }
        if tensor.to_f64().iter().any(|v| v.is_infinite()) {
            let message = "this fp16 constant holds an infinity".to_owned();
            let help =
                "a mask of -1e9 does not fit in fp16: -30000 masks as well, and a row of it gives no NaN";
            cx.op(f, op, None, message, help);
        }
    }
}
